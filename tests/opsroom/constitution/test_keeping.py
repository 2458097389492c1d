from __future__ import annotations

import pytest

from opsroom.constitution.charter import check, read
from tests.opsroom.rooms import TOML


def test_without_the_tables_everything_is_kept_for_ever_in_the_rooms_own_file() -> None:
    keeping = read(TOML).keeping
    assert (keeping.store, keeping.retention.readings_s, keeping.retention.size_bytes) == ("", None, None)
    assert keeping.retention.rollups_s == {}


def test_retention_and_store_are_read() -> None:
    keeping = read(
        TOML
        + '\n[retention]\nreadings = "90 d"\nsize = "1.5 GB"\nrollups_1min = "90 d"\nrollups_15min = "400 d"\n'
        + '[store]\nurl = "postgresql://room@db.example/plants"\n'
    ).keeping
    assert keeping.retention.readings_s == 90 * 86_400
    assert keeping.retention.size_bytes == 1_500_000_000
    assert keeping.retention.rollups_s == {"1min": 90 * 86_400.0, "15min": 400 * 86_400.0}
    assert keeping.store == "postgresql://room@db.example/plants"


@pytest.mark.parametrize(
    ("tables", "where", "what"),
    [
        ('[retention]\nreadings = "soon"', "retention.readings", "this is no time"),
        ('[retention]\nsize = "200"', "retention.size", "this is no size"),
        ('[retention]\nsize = "1 kB"', "retention.size", "a room does not fit into this"),
        ('[retention]\nreadings = "9 d"\nrollups_1min = "8 d"', "retention.rollups_1min", "cannot go before"),
        ('[retention]\nrollups_15min = "8 d"', "retention.rollups_15min", "it is kept shorter than rollups_1min"),
        ('[retention]\nrollups = "8 d"', "retention.rollups", "there is no such key"),
        ('[store]\nurl = "mysql://x"', "store.url", "there is no such kind of store"),
        ('[store]\nurl = "postgresql://a:b@x/y"', "store.url", "a password does not belong here"),
    ],
)
def test_a_mistake_is_answered_with_line_value_and_cure(tables: str, where: str, what: str) -> None:
    (mistake,) = check(TOML + "\n" + tables + "\n")
    assert (mistake.where, what in mistake.what) == (where, True)
    assert mistake.line == TOML.count("\n") + 1 + tables.count("\n") + 1
    assert mistake.cure
