from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsroom.record import blocks as packing
from opsroom.record import sqlite_store
from opsroom.record.disk import StoreError
from opsroom.record.identities import Identities
from opsroom.record.retention import FOR_EVER, Retention
from opsroom.record.rollups import RESOLUTIONS
from opsroom.record.sqlite_store import SqliteStore
from opsroom.record.store import KINDS, Store
from tests.contracts.memory_store import MemoryStore
from tests.contracts.store_contract import BACKFILL, LIVE, Said, StoreContract, same, tick


class TestMemoryStore(StoreContract):
    def fresh(self, folder: Path) -> Store:
        return MemoryStore()

    def reopen(self, store: Store, folder: Path) -> Store:
        return store


class TestSqliteStore(StoreContract):
    def fresh(self, folder: Path) -> Store:
        return SqliteStore(folder / "readings.sqlite")

    def reopen(self, store: Store, folder: Path) -> Store:
        store.close()
        return self.fresh(folder)


class TestSqliteStoreOfShortChapters(TestSqliteStore):
    def fresh(self, folder: Path) -> Store:
        return SqliteStore(folder / "readings.sqlite", chapter=4)


class TestSqliteStoreThatNeverClosesInOrder(TestSqliteStore):
    """What is read after a kill: the files are copied while the writer still has them open."""

    def fresh(self, folder: Path) -> Store:
        return SqliteStore(folder / "readings.sqlite", chapter=7)

    def reopen(self, store: Store, folder: Path) -> Store:
        copy = folder / "copy"
        copy.mkdir()
        for name in ("readings.sqlite", "readings.sqlite-wal"):
            (copy / name).write_bytes((folder / name).read_bytes())
        return SqliteStore(copy / "readings.sqlite", chapter=7)


telexes = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b", "c", "d"]),
            st.integers(1, 3),
            st.integers(1, 12),
            st.integers(-50, 50),
            st.dictionaries(st.sampled_from(["s", "t"]), st.floats(width=32), max_size=2),
        ),
        min_size=1,
        max_size=6,
    ),
    max_size=25,
)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(telexes, st.integers(0, 30), st.integers(-60, 60), st.integers(0, 60))
def test_sqlite_answers_every_question_as_the_plainest_store_does(
    tmp_path_factory: pytest.TempPathFactory, ticks: list, n: int, start: int, span: int
) -> None:
    plain = MemoryStore()
    path = tmp_path_factory.mktemp("store") / "readings.sqlite"
    store = SqliteStore(path, chapter=3)
    for index, said in enumerate(ticks):
        kind = index % 3
        assert plain.append(tick(plain, said, kind=kind)) == store.append(tick(store, said, kind=kind))
        if index == len(ticks) // 2:
            store.close()
            store = SqliteStore(path, chapter=3)
    assert store.telex_counts() == store.recount() == plain.telex_counts()
    assert store.durable() == plain.durable()
    for signal_key in plain.signals:
        assert same(store.last(signal_key, n), plain.last(signal_key, n))
        assert same(store.between(signal_key, start, start + span), plain.between(signal_key, start, start + span))
        assert same(store.between(signal_key, start, start + 40, n), plain.between(signal_key, start, start + 40, n))
    store.close()


minutes = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b", "c"]),
            st.integers(1, 3),
            st.integers(1, 12),
            st.integers(-40, 200).map(lambda half_minute: half_minute * 30_000_000),
            st.dictionaries(st.sampled_from(["s", "t"]), st.floats(width=32), max_size=2),
        ),
        min_size=1,
        max_size=6,
    ),
    max_size=25,
)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    minutes,
    st.lists(st.sampled_from([0, 0, 0, 1, 2]), min_size=25, max_size=25),
    st.lists(st.sampled_from(["", "", "", "fold", "close", "kill", "forget"]), min_size=25, max_size=25),
)
def test_rollups_hold_every_reading_once_whatever_comes_late_or_corrected_and_whenever_it_is_folded_or_killed(
    tmp_path_factory: pytest.TempPathFactory, ticks: list, kinds: list[int], between: list[str]
) -> None:
    plain = MemoryStore()
    folder = tmp_path_factory.mktemp("store")
    store = SqliteStore(folder / "readings.sqlite", chapter=3)
    forgotten = False
    for index, (said, kind, what) in enumerate(zip(ticks, kinds, between, strict=False)):
        kind = 0 if forgotten and kind == 1 else kind
        assert plain.append(tick(plain, said, at=float(index), kind=kind)) == store.append(
            tick(store, said, at=float(index), kind=kind)
        )
        if what == "fold":
            store.fold_all()
        elif what == "close":
            store.close()
            store = SqliteStore(store.path, chapter=3)
        elif what == "kill":
            folder = tmp_path_factory.mktemp("store")
            for name in ("readings.sqlite", "readings.sqlite-wal"):
                (folder / name).write_bytes((store.path.parent / name).read_bytes())
            store.close()
            store = SqliteStore(folder / "readings.sqlite", chapter=3)
        elif what == "forget" and not any(kinds[: index + 1]):
            store.save_beliefs(store.last_mark, {0: b""})
            store.forget_before(index / 2)
            forgotten = True
    for signal_key in plain.signals:
        for every in RESOLUTIONS:
            for span in ((-(10**13), 10**13), (0, 3_600_000_000)):
                told, expected = store.rollups(signal_key, every, *span), plain.rollups(signal_key, every, *span)
                for name in ("at_us", "count", "worst", "least", "most"):
                    assert np.array_equal(getattr(told, name), getattr(expected, name), equal_nan=True), (every, name)
                np.testing.assert_allclose(told.mean, expected.mean, rtol=1e-9, atol=1e-9 * 3.5e38)
    store.close()


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 2), st.integers(1, 2), st.integers(1, 15)), max_size=60), st.integers(1, 7))
def test_ranges_of_identities_count_as_a_set_does(said: list[tuple[int, int, int]], size: int) -> None:
    held = Identities()
    for at in range(0, len(said), size):
        columns = np.array(said[at : at + size], np.int64)
        held.add(columns[:, 0], columns[:, 1], columns[:, 2])
    held = Identities.from_bytes(held.to_bytes())
    assert held.counts() == (len(said), len(set(said)), len(said) - len(set(said)))
    for plant, place in held.durable().items():
        assert place == max((epoch, seq) for number, epoch, seq in said if number == plant)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_block_or_a_value_error(data: bytes) -> None:
    for prefix in (
        b"",
        b"\x01\x01\x00\x00\x01\x00\x00\x00",
        b"\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" + b"\x00" * 8,
        b"\x02\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00" + b"\x00" * 8 + zlib.crc32(data).to_bytes(4, "little"),
    ):
        try:
            packing.decode(prefix + data)
        except ValueError:
            continue


def test_a_block_of_a_later_format_says_so() -> None:
    (data,) = packing.encode(tick(MemoryStore(), [("a", 1, 1, 1, {"s": 1.0})]))
    with pytest.raises(ValueError, match="upgrade"):
        packing.decode(b"\x03" + data[1:])


def test_a_second_writer_is_refused_and_readers_are_not(tmp_path: Path) -> None:
    path = tmp_path / "readings.sqlite"
    store = SqliteStore(path)
    with pytest.raises(StoreError, match="another room writes here") as refusal:
        SqliteStore(path)
    assert "End the other" in refusal.value.cure
    store.append(tick(store, [("a", 1, 1, 1, {"s": 1.0})]))
    with sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True) as reader:
        assert reader.execute("SELECT count(*) FROM blocks").fetchone() == (1,)
    reader.close()
    store.close()
    SqliteStore(path).close()


def test_the_files_are_for_the_rooms_account_alone(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "readings.sqlite")
    store.append(tick(store, [("a", 1, 1, 1, {"s": 1.0})]))
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    store.close()


def test_what_retention_lets_go_is_given_back_to_the_disk_and_what_stays_is_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_store, "_TIDY", 40)
    path = tmp_path / "readings.sqlite"
    store = SqliteStore(path)
    noise = np.random.default_rng(1)
    for seq in range(1, 251):
        values = {f"s{k}": float(noise.normal()) for k in range(400)}
        store.append(tick(store, [("a", 1, seq, 1_000_000 * seq, values)], at=float(seq)))
    store.save_beliefs(240, {0: b""})
    while store.tend(250.0, FOR_EVER):
        continue
    store._sqlite.settle()
    before, kept = path.stat().st_size, store.last("a/s7", 30).value
    rule = Retention(readings_s=30.0)
    while store.tend(250.0, rule):
        continue
    store._sqlite.settle()
    assert store.held().oldest == 220.0
    assert path.stat().st_size < 0.75 * before
    assert path.stat().st_size - store.held().bytes <= 40 * 4096, (
        "the disk has back what was freed, but for a little slack"
    )
    assert np.array_equal(store.last("a/s7", 30).value, kept)
    assert store.rollups("a/s7", "1d", 0, 10**12).count.tolist() == [250]
    assert [said for (said,) in store._sqlite.connection.execute("PRAGMA integrity_check")] == ["ok"]
    store.close()


def test_a_full_disk_loses_nothing_and_the_store_goes_on_when_there_is_space(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "readings.sqlite")
    store.append(tick(store, [("a", 1, 1, 1, {"s": 1.0})]))
    (pages,) = store._sqlite.connection.execute("PRAGMA page_count").fetchone()
    store._sqlite.connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    noise = np.random.default_rng(1)
    said: list[Said] = []

    def fill() -> None:
        while True:
            mark = store.last_mark
            said[:] = [
                ("a", 1, mark + 1, mark, {f"s{k}": float(noise.normal()) for k in range(90)}),
                ("new", 1, mark, 1, {"s": 1.0}),
            ]
            store.append(tick(store, said))

    with pytest.raises(StoreError, match="the disk is full") as full:
        fill()
    mark = store.last_mark
    assert "Free some space" in full.value.cure
    assert store.durable().get("a") == (1, mark)
    assert store.telex_counts() == store.recount()
    assert store.last("a/s1", 1).source_us.tolist() == ([mark - 1] if mark > 1 else [])
    store._sqlite.connection.execute("PRAGMA max_page_count = 1000000")
    assert store.append(tick(store, said)) == mark + 1
    store.close()
    store = SqliteStore(tmp_path / "readings.sqlite")
    assert store.durable() == {"a": (1, mark + 1), "new": (1, mark)}
    assert len(store.last("new/s", 999)) == mark
    store.close()


def test_a_locked_file_is_told_with_its_cure_and_the_store_goes_on_when_it_is_free(tmp_path: Path) -> None:
    path = tmp_path / "readings.sqlite"
    store = SqliteStore(path, patience_s=0.01)
    said = tick(store, [("a", 1, 1, 1, {"s": 1.0})])
    thief = sqlite3.connect(path, isolation_level=None)
    thief.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked by another program"):
        store.append(said)
    assert store.last_mark == 0
    assert len(store.last("a/s", 1)) == 0
    thief.execute("ROLLBACK")
    thief.close()
    assert store.append(said) == 1
    assert store.last("a/s", 1).value.tolist() == [1.0]
    store.close()


def test_a_damaged_block_is_told_with_its_place(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "readings.sqlite")
    store.append(tick(store, [("a", 1, 1, 1, {"s": 1.0})]))
    store._sqlite.connection.execute("UPDATE blocks SET body = x'0102'")
    with pytest.raises(StoreError, match="is damaged"):
        store.last("a/s", 1)
    store.close()


def test_questions_are_answered_while_the_writer_writes(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "readings.sqlite", chapter=5)
    wrong: list[str] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            values = store.last("a/s", 10).value
            if len(values) and values.tolist() != list(np.arange(values[0], values[0] + len(values))):
                wrong.append(f"a gap: {values}")
            if len(values) != min(10, len(store.between("a/s", 0, int(values[-1]) + 1)) if len(values) else 0):
                wrong.append(f"too few: {values}")

    readers = [threading.Thread(target=ask) for _ in range(2)]
    for reader in readers:
        reader.start()
    for seq in range(1, 200):
        store.append(tick(store, [("a", 1, seq, seq, {"s": float(seq)}), ("b", 1, seq, seq, {"s": 0.0})]))
    done.set()
    for reader in readers:
        reader.join()
    assert not wrong
    store.close()


WRITER = """
import sys
from pathlib import Path
from opsroom.record.sqlite_store import SqliteStore
from tests.contracts.store_contract import tick
store = SqliteStore(Path(sys.argv[1]), chapter=16)
seq = store.durable().get("a", (1, 0))[1]
while True:
    seq += 1
    store.append(tick(store, [("a", 1, seq, seq, {"s": float(seq)}), ("b", 1, seq, seq, {"s": -1.0})], at=float(seq)))
    print(seq, flush=True)
"""


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_kill_loses_nothing_that_was_acknowledged_and_doubles_nothing(tmp_path: Path) -> None:
    path = tmp_path / "readings.sqlite"
    chance = np.random.default_rng(3)
    acknowledged = 0
    for _ in range(20):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        for _ in range(int(chance.integers(1, 120))):
            acknowledged = int(writer.stdout.readline())
        os.kill(writer.pid, signal.SIGKILL)
        rest = writer.stdout.read().split()
        writer.stdout.close()
        writer.wait()
        acknowledged = int(rest[-1]) if rest else acknowledged
        store = SqliteStore(path, chapter=16)
        assert store.durable()["a"][1] in (acknowledged, acknowledged + 1)
        assert store.durable()["a"] == store.durable()["b"]
        counts = store.recount()
        assert counts == store.telex_counts() == (2 * store.durable()["a"][1], 2 * store.durable()["a"][1], 0)
        values = store.last("a/s", 10_000).value
        assert values.tolist() == list(range(1, store.durable()["a"][1] + 1))
        store.close()


def test_the_kinds_of_the_contract_are_those_of_the_store() -> None:
    assert (KINDS[LIVE], KINDS[BACKFILL]) == ("live", "backfill")
