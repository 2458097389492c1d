"""Readings judged as tables: what is said of one does not depend on what shares its table, its tick or its turn."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from cyberstride.crew import Crew
from cyberstride.lanes.records import MOST_DOF
from opsroom.constitution.judging import Judging, SignalSettings
from opsroom.judgement.bank import Bank
from opsroom.judgement.intake import Columns
from opsroom.judgement.lanes import Lanes
from opsroom.judgement.layout import laid
from opsroom.judgement.sight import news_of
from opsroom.record.store import Place, shard_of
from opsroom.room.news import VerdictNews
from telex_ingest.heard import Accepted
from telex_ingest.telex import PlantBirth, Quality, Reading, SignalBirth, TelexKind

SECOND = 1_000_000
PERIODS = (1.0, 60.0)
PLANTS = 6
NUMBERS = {f"p-{i}": i + 1 for i in range(PLANTS)}


def bank(said: Judging | None = None, threads: int = 1) -> Bank:
    made, rows = Bank(said=said, threads=threads), dict[int, int]()
    for i, plant in enumerate(NUMBERS):
        declared = tuple(SignalBirth(id=k + 1, name=f"s-{k}", unit="t", period_s=PERIODS[i % 2]) for k in range(2 + i))
        places = {}
        for signal in declared:
            row = rows.setdefault(shard_of(plant), 0)
            places[f"{plant}/{signal.name}"] = Place(shard_of(plant), row)
            rows[shard_of(plant)] += 1
        made.admit(PlantBirth(plant=plant, signals=declared), places)
    return made


def stream(n: int, seed: int = 1) -> list[Accepted]:
    """Telexes of all plants: some signals step, some readings are bad or missing, some telexes are late or corrections."""
    rng, seq, told = np.random.default_rng(seed), [0] * PLANTS, []
    for _ in range(n):
        i = int(rng.integers(PLANTS))
        seq[i] += 1
        kind = TelexKind.LIVE if rng.random() < 0.9 else list(TelexKind)[int(rng.integers(3))]
        at = seq[i] - (int(rng.integers(3)) if kind is not TelexKind.LIVE else 0)
        some = np.flatnonzero(rng.random(2 + i) < 0.9)
        readings = []
        for k in some.tolist():
            value = float(rng.normal(100.0, 2.0)) - (20.0 if k == 1 and seq[i] > n // (2 * PLANTS) else 0.0)
            quality = Quality.BAD if rng.random() < 0.02 else Quality.GOOD
            readings.append(Reading(k + 1, None if rng.random() < 0.02 else value, quality))
        ids = tuple(reading.signal for reading in readings)
        source = int(at * SECOND * PERIODS[i % 2])
        told.append(Accepted(f"p-{i}", 1, seq[i], source, source, kind, ids, tuple(readings)))
    return told


def judged(bank: Bank, telexes: list[Accepted], ticks: int) -> set[VerdictNews]:
    news: list[VerdictNews] = []
    for part in np.array_split(np.arange(len(telexes)), ticks):
        news += news_of(bank, bank.judge([telexes[k] for k in part.tolist()], 0.0, NUMBERS).announced)
    assert len(set(news)) == len(news)
    return set(news)


def same_beside_the_belief(one: Bank, other: Bank) -> None:
    for signal in one.signals:
        for mine, theirs in zip(one.rings.past(signal.lane), other.rings.past(signal.lane), strict=True):
            np.testing.assert_array_equal(mine, theirs)
    n = len(one)
    for name in ("last_us", "since_us", "suspected_us", "named", "p", "level", "slope", "seen"):
        np.testing.assert_array_equal(getattr(one.lanes, name)[:n], getattr(other.lanes, name)[:n])


SEASONAL = Judging(signals={"p-5/s-0": SignalSettings(transform="log"), "p-4/s-1": SignalSettings(seasons_s=(3600.0,))})


@pytest.mark.parametrize("said", [None, SEASONAL], ids=["plain", "with a scale and a season"])
def test_tables_of_many_rows_give_what_single_rows_give_bit_by_bit(said: Judging | None) -> None:
    told, one, other = stream(420), bank(said), bank(said)
    assert judged(one, told, len(told)) == judged(other, told, 11) != set()
    assert one.snapshot() == other.snapshot()
    same_beside_the_belief(one, other)


def test_what_the_compiled_form_leaves_to_numpy_is_judged_row_by_row_in_the_same_table() -> None:
    told, one, other = stream(540, 2), bank(), bank()
    judged(one, told[:420], 420), judged(other, told[:420], 420)
    for each in (one, other):
        each._belief.dof[:4] = MOST_DOF + 5.0  # more than the compiled form takes
    assert judged(one, told[420:], 120) == judged(other, told[420:], 3)
    assert one.snapshot() == other.snapshot()


def test_a_table_has_every_signal_once_a_row_and_its_readings_in_their_order() -> None:
    rng, lanes = np.random.default_rng(4), Lanes(64)
    lanes.alike = True
    lane = rng.integers(0, 64, 500)
    kind = np.where(rng.random(500) < 0.2, 1, 0)
    at = np.arange(500)
    columns = Columns(at, lane, at * SECOND, kind, at.astype(float), np.zeros(500, np.int64))
    order = np.argsort(lane, kind="stable")
    places = []
    for table in laid(columns, order, lanes, Crew(1)):
        assert all(len(set(row)) == len(row) for row in table.lane.tolist())
        assert (table.lane == table.lane[0]).all()
        assert (np.diff(table.place, axis=0) > 0).all()
        places.append(table.place.ravel())
    assert sorted(np.concatenate(places).tolist()) == np.flatnonzero(kind == 0).tolist()
    assert not lanes.seen.any()


def many(threads: int) -> tuple[Bank, list[str]]:
    made, plants = Bank(threads=threads), [f"w-{i}" for i in range(40)]
    for i, plant in enumerate(plants):
        declared = tuple(SignalBirth(id=k + 1, name=f"s-{k}", unit="t", period_s=1.0) for k in range(64))
        made.admit(
            PlantBirth(plant=plant, signals=declared),
            {f"{plant}/{signal.name}": Place(shard_of(plant), 64 * i + k) for k, signal in enumerate(declared)},
        )
    return made, plants


def mine(before: set[threading.Thread]) -> list[threading.Thread]:
    return [thread for thread in set(threading.enumerate()) - before if thread.name == "cyberstride"]


def test_threads_share_large_tables_give_the_same_bits_and_end_with_the_bank() -> None:
    rng, before = np.random.default_rng(7), set(threading.enumerate())
    (alone, plants), (shared, _) = many(1), many(2)
    numbers, ids = {plant: i + 1 for i, plant in enumerate(plants)}, tuple(range(1, 65))
    values = rng.normal(100.0, 2.0, (32, len(plants), 64))
    values[20:, ::3, ::5] -= 30.0
    news: list[set[VerdictNews]] = [set(), set()]
    for tick in range(8):
        rows = [
            Accepted(plant, 1, row + 1, row * SECOND, row * SECOND, TelexKind.LIVE, ids, tuple(map(Reading, ids, told)))
            for row in range(4 * tick, 4 * tick + 4)
            for plant, told in zip(plants, values[row].tolist(), strict=True)
            if tick % 2 == 0 or plant == plants[0]
        ]
        told = [bank_.judge(rows, 0.0, numbers) for bank_ in (alone, shared)]
        for each, bank_, one in zip(news, (alone, shared), told, strict=True):
            each.update(news_of(bank_, one.announced))
        for mine_, theirs in zip(*(one.blocks for one in told), strict=True):
            for name in ("plant", "seq", "source_us", "telex", "row", "value", "named", "p", "level", "low", "high"):
                np.testing.assert_array_equal(getattr(mine_, name), getattr(theirs, name))
        assert all(np.array_equal(*pair) for pair in zip(told[0][2:6], told[1][2:6], strict=True))
    assert news[0] == news[1] != set()
    assert alone.snapshot() == shared.snapshot()
    same_beside_the_belief(alone, shared)
    assert len(mine(before)) == 1
    alone.close()
    shared.close()
    assert not mine(before)


def test_few_readings_wake_no_thread() -> None:
    before, few = set(threading.enumerate()), bank(threads=8)
    judged(few, stream(60), 4)
    assert not mine(before)
    few.close()


def test_a_tick_with_one_live_reading_of_each_signal_is_one_row_and_the_same_as_the_general_way() -> None:
    rng, one, other = np.random.default_rng(5), Lanes(64), Lanes(64)
    for lanes in (one, other):
        lanes.last_us[8:40] = np.arange(32) * SECOND
        lanes.period_us[:] = 2.0 * SECOND
    lane = rng.permutation(64)[:50]
    order, at = np.argsort(lane), rng.integers(0, 40, 50) * SECOND
    value, quality = rng.normal(size=50), rng.integers(0, 3, 50)
    columns = Columns(np.arange(50), lane, at, np.zeros(50, np.int64), value, quality)
    other.alike = False
    (quick,), (general,) = laid(columns, order, one, Crew(1)), laid(columns, order, other, Crew(1))
    for mine, theirs in zip(quick, general, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    np.testing.assert_array_equal(one.last_us, other.last_us)
    repeated = columns._replace(lane=np.where(np.arange(50) == 49, lane[0], lane))
    assert [table.lane.shape for table in laid(repeated, np.argsort(repeated.lane, kind="stable"), one, Crew(1))] == [
        (1, 48),
        (2, 1),
    ]


@pytest.mark.parametrize("rows", [1, 2], ids=["one of each", "two of each"])
def test_a_crew_lays_out_what_one_thread_does(rows: int) -> None:
    n, rng = 20_000 // rows, np.random.default_rng(6)
    lane, crew = np.tile(np.arange(n), rows), Crew(3)
    at = np.repeat(np.arange(1, rows + 1), n) * SECOND
    columns = Columns(
        np.arange(rows * n),
        lane,
        at,
        np.zeros(rows * n, np.int64),
        rng.normal(size=rows * n),
        rng.integers(0, 3, rows * n),
    )
    order, one, other = np.argsort(lane, kind="stable"), Lanes(n), Lanes(n)
    (alone,), (shared,) = laid(columns, order, one, Crew(1)), laid(columns, order, other, crew)
    for mine_, theirs in zip(alone, shared, strict=True):
        np.testing.assert_array_equal(mine_, theirs)
    np.testing.assert_array_equal(one.last_us, other.last_us)
    crew.close()
