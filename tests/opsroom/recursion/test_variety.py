"""Variety: what each level absorbed, what came up to it, what went on; exact over restarts."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.loop.hall import LOOKS
from opsroom.record.store import KINDS
from opsroom.recursion.variety import Traffic, absorbed
from telex_ingest.telex import TelexKind
from tests.opsroom.play import PLANT_S, Play
from tests.opsroom.recursion.test_wholes import START, Looms


def rows(play: Play, **readings: tuple[int, int]) -> dict[str, tuple[int, ...]]:
    told = absorbed(play.room.tree, play.room.variety, readings, play.now)
    return {row.unit: (row.readings, row.came, row.went, row.came_day, row.went_day) for row in told}


def test_an_exception_comes_up_at_its_plant_and_goes_on_when_its_time_has_run_out() -> None:
    play = Play()
    play.alarm()
    play.wait(PLANT_S)
    play.alarm("loom-2/output")
    told = rows(play, **{"loom-1": (100, 90), "loom-2": (50, 50), "mill-1": (7, 0)})
    assert told["loom-1"] == (100, 1, 1, 1, 1)
    assert told["loom-2"] == (50, 1, 0, 1, 0)
    assert told["textiles"] == (150, 1, 0, 1, 0), "readings of the plants below; of two exceptions one came up"
    assert told["total"][:3] == (157, 0, 0)
    assert play.replayed().variety == play.room.variety
    play.wait(86_400.0 * 2)
    assert rows(play)["loom-2"][1:] == (1, 1, 0, 1), "it climbed just now; that it opened was before the last day"


@given(st.lists(st.tuples(st.floats(0, 200_000), st.integers(0, 3), st.integers(0, 3)), max_size=60))
def test_a_day_counts_what_came_in_its_hours(told: list[tuple[float, int, int]]) -> None:
    told.sort()
    traffic = Traffic()
    for at, came, went in told:
        traffic = traffic.more(at, came, went)
    now = told[-1][0] if told else 0.0
    first = now // 3600 - 24
    assert traffic.came == sum(came for _, came, _ in told)
    assert traffic.day(now) == tuple(sum(row[n] for row in told if row[0] // 3600 > first) for n in (1, 2))
    assert len(traffic.hours) <= 25


def test_readings_are_counted_exactly_over_kept_and_lost_counts(tmp_path: Path) -> None:
    looms = Looms(tmp_path)
    for minute in range(30):
        looms.tell(mill_1=40.0, loom_1=90.0 if minute % 2 else None)
        looms.hall.absorbed.take(looms.last.blocks, looms.hall.store.last_mark)
        if minute == 10:  # the counts are kept here, and then the process dies without keeping them again
            due = looms.hall.absorbed.due(START, at_once=True)
            assert due is not None
            looms.hall.absorbed.write(due)
    looms.hall.absorbed.due = lambda now, at_once=False: None  # type: ignore[method-assign,misc] # broken on purpose
    looms.restart()
    counts = looms.hall.absorbed.counts(START)
    assert {unit: n for unit, (n, _) in counts.items()} == {"mill-1": 30, "loom-1": 30, "textiles": 30, "works": 30}
    looms.restart()
    again = {unit: n for unit, (n, _) in looms.hall.absorbed.counts(START).items()}
    assert again == {unit: n for unit, (n, _) in counts.items()}, "kept at the end, and not counted twice"
    looms.hall.close()


def test_readings_that_come_while_the_counts_are_written_are_counted_once_and_what_a_disk_refused_is_written_with_the_next(
    tmp_path: Path,
) -> None:
    looms = Looms(tmp_path)
    absorbed = looms.hall.absorbed

    def tell(times: int) -> None:
        for _ in range(times):
            looms.tell(mill_1=40.0)
            absorbed.take(looms.last.blocks, looms.hall.store.last_mark)

    def mill() -> tuple[int, int]:
        return absorbed.counts(START)["mill-1"]

    tell(3)
    first = absorbed.due(START, at_once=True)
    assert first is not None
    tell(2)
    assert mill() == (5, 5), "what is being written, and what came since"
    assert absorbed.due(START, at_once=True) is None, "one after the other"
    held = sqlite3.connect(tmp_path / LOOKS, isolation_level=None)
    held.execute("BEGIN IMMEDIATE")
    absorbed.write(first)
    held.execute("ROLLBACK")
    assert mill() == (5, 5)
    second = absorbed.due(START, at_once=True)
    assert second is not None
    absorbed.write(second)
    rows = dict(held.execute("SELECT hour, readings FROM absorbed WHERE unit = 'mill-1'").fetchall())
    held.close()
    assert rows.pop(-1) == 5 == sum(rows.values())
    tell(1)
    assert mill() == (6, 6)
    looms.hall.close()


@pytest.mark.parametrize(("kind", "times"), [(TelexKind.CORRECTION, 1), (TelexKind.BACKFILL, 2)])
def test_a_correction_takes_the_place_of_a_reading_and_what_comes_late_is_one_more(
    tmp_path: Path, kind: TelexKind, times: int
) -> None:
    looms = Looms(tmp_path)
    looms.tell(mill_1=40.0, loom_1=90.0)
    live, absorbed = looms.last.blocks, looms.hall.absorbed
    absorbed.take(live, looms.hall.store.last_mark)
    again = [replace(block, mark=0, kind=np.full_like(block.kind, KINDS.index(kind))) for block in live]
    absorbed.take(again, looms.hall.store.last_mark)
    assert {unit: n for unit, (n, _) in absorbed.counts(START).items()} == dict.fromkeys(
        ("mill-1", "loom-1", "textiles", "works"), times
    )
    looms.hall.close()
