from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from opsroom.record.database import Session
from opsroom.record.disk import StoreError
from opsroom.record.opening import StoreAddressError, open_store
from opsroom.record.postgres_store import PostgresStore
from opsroom.record.retention import Retention
from opsroom.record.store import Store
from tests.contracts.store_contract import Said, StoreContract, tick
from tests.opsroom.record.conftest import Postgres


class TestPostgresStore(StoreContract):
    chapter = 1024

    @pytest.fixture(autouse=True)
    def address(self, postgres: Postgres) -> None:
        self.url = postgres.empty()

    def fresh(self, folder: Path) -> Store:
        return PostgresStore(self.url, chapter=self.chapter)

    def reopen(self, store: Store, folder: Path) -> Store:
        store.close()
        return self.fresh(folder)


class TestPostgresStoreOfShortChapters(TestPostgresStore):
    chapter = 4


def said(seq: int) -> list[Said]:
    return [("a", 1, seq, 20_000_000 * seq, {"s": float(seq)}), ("b", 1, seq, 7, {"s": 0.0})]


def cut_all(postgres: Postgres) -> None:
    """End every session of the rooms, as a restart of the database or of the network would."""
    with psycopg.connect(postgres.url(""), autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'opsroom'")


def test_one_room_writes_in_a_schema_and_its_neighbour_in_another(postgres: Postgres) -> None:
    url = postgres.empty()
    store = PostgresStore(url)
    with pytest.raises(StoreError, match="another room writes here"):
        PostgresStore(url)
    neighbour = PostgresStore(postgres.empty())
    store.append(tick(store, said(1)))
    assert neighbour.append(tick(neighbour, said(7))) == 1
    assert neighbour.durable() == {"a": (1, 7), "b": (1, 7)}
    neighbour.close()
    store.close()
    PostgresStore(url).close()


def test_a_room_that_begins_again_waits_until_the_server_knows_that_it_ended(postgres: Postgres) -> None:
    url = postgres.empty()
    before = PostgresStore(url)
    with psycopg.connect(postgres.url(""), autocommit=True) as connection, ThreadPoolExecutor(1) as beside:
        again = beside.submit(PostgresStore, url)
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        while connection.execute(waiting).fetchone() == (0,):
            assert not again.done(), "it did not wait"
        before.close()
        again.result().close()


def test_a_lost_connection_is_told_and_the_store_goes_on_by_itself(postgres: Postgres) -> None:
    store = PostgresStore(postgres.empty())
    store.append(tick(store, said(1)))
    assert len(store.last("a/s", 9)) == 1
    cut_all(postgres)
    with pytest.raises(StoreError, match="cannot be reached") as lost:
        store.append(tick(store, said(2)))
    assert "PGPASSWORD" in lost.value.cure
    with pytest.raises(StoreError, match="cannot be reached"):
        store.last("a/s", 9)
    assert store.append(tick(store, said(2))) == 2
    assert store.last("a/s", 9).value.tolist() == [1.0, 2.0]
    assert store.recount() == (4, 4, 0)
    store.close()


def test_a_tick_that_was_stored_although_its_answer_was_lost_is_not_stored_again(postgres: Postgres) -> None:
    store = PostgresStore(postgres.empty(), chapter=2)
    store.append(tick(store, said(1)))
    database = store._database
    written, put = database.written, database.put

    @contextmanager
    def cut_after_commit() -> Iterator[Session]:
        with written() as session:
            yield session
        raise StoreError("the database cannot be reached", database.where, "cut", "")

    database.written = cut_after_commit  # type: ignore[method-assign] # broken on purpose
    with pytest.raises(StoreError):
        store.append(tick(store, said(2)))
    database.written = written  # type: ignore[method-assign] # mended
    assert store.last_mark == 1
    assert store.append(tick(store, said(2))) == 2
    assert store.append(tick(store, said(3))) == 3
    assert database.put == put
    assert store.recount() == store.telex_counts() == (6, 6, 0)
    assert store.rollups("a/s", "1d", 0, 10**12).count.tolist() == [3]
    store.close()


def test_a_whole_day_is_forgotten_by_dropping_its_partition(postgres: Postgres) -> None:
    url = postgres.empty()
    store = PostgresStore(url)
    for seq in range(1, 13):
        store.append(tick(store, said(seq), at=seq * 21_600.0))  # four ticks a day
    store.save_beliefs(12, {0: b""})
    with psycopg.connect(url) as connection:
        days = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'blocks'::regclass"
        assert connection.execute(days).fetchone() == (4,)
        connection.rollback()
        while store.tend(12 * 21_600.0, Retention(readings_s=100_000.0)):
            continue
        assert connection.execute(days).fetchone() == (2,)
    assert store.last("a/s", 99).value.tolist() == [float(seq) for seq in range(8, 13)]
    store.close()


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("postgresql://room:secret@127.0.0.1/x", "a password does not belong here"),
        ("postgresql://127.0.0.1/x?password=secret", "a password does not belong here"),
        ("mysql://127.0.0.1/x", "there is no such kind of store"),
        ("postgresql://[::1/x", "this is no address"),
    ],
)
def test_an_address_that_names_no_store_is_refused_without_telling_the_password(
    tmp_path: Path, address: str, reason: str
) -> None:
    with pytest.raises(StoreAddressError, match=reason) as refusal:
        open_store(tmp_path, address)
    assert "secret" not in str(refusal.value)
    assert not list(tmp_path.iterdir())


def test_a_database_that_is_not_there_is_told_with_its_cure(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be reached") as refusal:
        open_store(tmp_path, "postgresql://room@127.0.0.1:9/x")
    assert "Start it" in refusal.value.cure
