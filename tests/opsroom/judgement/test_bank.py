"""The bank judges each reading once, in sequence, whatever stands beside it, and remembers exactly."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from cyberstride import DEFAULT
from opsroom.constitution.judging import Judging, SignalSettings
from opsroom.judgement.bank import Bank
from opsroom.record.store import Place, shard_of
from telex_ingest.heard import Accepted, SheetAccepted, StripAccepted
from telex_ingest.telex import PlantBirth, Quality, Reading, SignalBirth, TelexKind

SECOND = 1_000_000


def birth(plant: str, signals: int = 3, period_s: float = 1.0) -> PlantBirth:
    declared = tuple(SignalBirth(id=i + 1, name=f"s-{i}", unit="t", period_s=period_s) for i in range(signals))
    return PlantBirth(plant=plant, signals=declared)


def bank_of(*births: PlantBirth) -> Bank:
    bank, next_row = Bank(), {}
    for one in births:
        places = {}
        for signal in one.signals:
            shard = shard_of(one.plant)
            places[f"{one.plant}/{signal.name}"] = Place(shard, next_row.setdefault(shard, 0))
            next_row[shard] += 1
        bank.admit(one, places)
    return bank


def telex(
    plant: str, seq: int, values: list[float | None], kind: TelexKind = TelexKind.LIVE, at: int | None = None
) -> Accepted:
    readings = tuple(Reading(i + 1, value) for i, value in enumerate(values))
    source = (seq if at is None else at) * SECOND
    return Accepted(plant, 1, seq, source, source + 5, kind, tuple(r.signal for r in readings), readings)


def telexes(plant: str, n: int, seed: int = 0, step_at: int | None = None) -> list[Accepted]:
    rng = np.random.default_rng(seed)
    figures = rng.normal(100, 2, (n, 3))
    if step_at is not None:
        figures[step_at:, 0] -= 16
    return [telex(plant, seq + 1, list(row)) for seq, row in enumerate(figures)]


NUMBERS = {"mill-1": 1, "smelter-1": 2, "railway": 3}


def test_a_verdict_does_not_depend_on_how_the_telexes_fell_into_ticks() -> None:
    mill, smelter = telexes("mill-1", 120, 1, 80), telexes("smelter-1", 120, 2)
    one, other = bank_of(birth("mill-1"), birth("smelter-1")), bank_of(birth("mill-1"), birth("smelter-1"))
    for a, b in zip(mill, smelter, strict=True):
        one.judge([a, b], 0.0, NUMBERS)
    rng = np.random.default_rng(5)
    while mill or smelter:
        i, j = rng.integers(0, 12, 2)
        other.judge([*smelter[:j], *mill[:i]], 0.0, NUMBERS)
        mill, smelter = mill[i:], smelter[j:]
    assert one.snapshot() == other.snapshot()
    for key in one.by_key:
        index = one.by_key[key].lane
        for mine, theirs in zip(one.rings.past(index), other.rings.past(index), strict=True):
            np.testing.assert_array_equal(mine, theirs)


def test_a_level_step_is_announced_with_its_onset_and_the_interval_from_before_it() -> None:
    bank = bank_of(birth("mill-1"))
    heard = [news for one in telexes("mill-1", 140, 3, 100) for news in bank.judge([one], 0.0, NUMBERS).announced]
    steps = [news for news in heard if news.verdict.one(news.row).word == "step"]
    assert steps
    assert {news.lane for news in steps} == {0}
    first = steps[0]
    assert abs(first.onset_us - 101 * SECOND) <= SECOND
    low, high = first.normal
    assert 93 < low < 100 < high < 107
    assert first.suspected_us is None or first.suspected_us <= first.at_us


@pytest.mark.parametrize("at_once", [1, 5, 1000])
def test_blocks_replay_into_the_same_beliefs_one_by_one_and_many_at_once(at_once: int) -> None:
    bank, again = bank_of(birth("mill-1"), birth("railway")), bank_of(birth("mill-1"), birth("railway"))
    blocks = []
    stream = [one for pair in zip(telexes("mill-1", 90, 4, 50), telexes("railway", 90, 5), strict=True) for one in pair]
    for start in range(0, len(stream), 7):
        blocks += bank.judge(stream[start : start + 7], float(start), NUMBERS).blocks
    assert len({block.shard for block in blocks}) == 2
    for start in range(0, len(blocks), at_once):
        again.replay(*blocks[start : start + at_once], hear=False)
    assert again.snapshot() == bank.snapshot()
    for lane in range(len(bank)):
        for mine, theirs in zip(bank.rings.past(lane), again.rings.past(lane), strict=True):
            np.testing.assert_array_equal(mine, theirs)
    with pytest.raises(KeyError, match="no signal in one of the rows"):
        Bank().replay(blocks[0], hear=False)


def test_a_snapshot_restores_bit_for_bit_and_the_last_readings_are_remembered() -> None:
    bank, again = bank_of(birth("mill-1")), bank_of(birth("mill-1"))
    stream = telexes("mill-1", 130, 6)
    blocks = [block for one in stream[:100] for block in bank.judge([one], 0.0, NUMBERS).blocks]
    for data in bank.snapshot().values():
        again.restore(data)
    for block in blocks:
        again.remember(block)
    for one in stream[100:]:
        bank.judge([one], 0.0, NUMBERS)
        again.judge([one], 0.0, NUMBERS)
    assert again.snapshot() == bank.snapshot()
    np.testing.assert_array_equal(bank.rings.past(0).value, again.rings.past(0).value)


def test_backfill_warms_the_filter_without_news_and_history_behind_is_only_stored() -> None:
    bank = bank_of(birth("mill-1"))
    history = [
        telex("mill-1", i + 1, [100.0 + (i % 7) - (40.0 if i > 60 else 0.0), 1.0, 2.0], TelexKind.BACKFILL)
        for i in range(90)
    ]
    judged = bank.judge(history, 0.0, NUMBERS)
    assert judged.announced == ()
    assert bank.rings.count[0] == 90
    behind = bank.judge([telex("mill-1", 91, [5.0, 5.0, 5.0], TelexKind.BACKFILL, at=10)], 0.0, NUMBERS)
    assert bank.rings.count[0] == 90
    assert len(behind.lane) == 0
    assert behind.blocks[0].value.tolist() == [5.0, 5.0, 5.0]


def test_a_correction_is_stored_and_shown_but_never_judged_again() -> None:
    bank = bank_of(birth("mill-1"))
    bank.judge(telexes("mill-1", 40, 7), 0.0, NUMBERS)
    before = bank.snapshot()
    judged = bank.judge([telex("mill-1", 41, [123.0, 1.0, 1.0], TelexKind.CORRECTION, at=30)], 0.0, NUMBERS)
    assert bank.snapshot() == before
    past = bank.rings.past(0)
    assert past.value[past.source_us == 30 * SECOND].tolist() == [123.0]
    assert judged.readings == 3
    assert len(judged.lane) == 0
    assert np.isnan(judged.blocks[0].level).all()


def test_a_bad_reading_is_missing_to_the_filter_and_stored_as_it_came() -> None:
    bank, other = bank_of(birth("mill-1")), bank_of(birth("mill-1"))
    stream = telexes("mill-1", 60, 8)
    for one in stream:
        bank.judge([one], 0.0, NUMBERS)
        other.judge([one], 0.0, NUMBERS)
    wild = Accepted("mill-1", 1, 61, 61 * SECOND, 0, TelexKind.LIVE, (1,), (Reading(1, 1e9, Quality.BAD),))
    missing = Accepted("mill-1", 1, 61, 61 * SECOND, 0, TelexKind.LIVE, (1,), (Reading(1, None),))
    judged = bank.judge([wild], 0.0, NUMBERS)
    other.judge([missing], 0.0, NUMBERS)
    assert bank.snapshot() == other.snapshot()
    assert judged.blocks[0].value.tolist() == [1e9]


def test_a_birth_with_other_ids_and_more_signals_keeps_every_row() -> None:
    bank = bank_of(birth("mill-1"))
    bank.judge(telexes("mill-1", 30, 9), 0.0, NUMBERS)
    level = bank.level[0]
    names = ("s-1", "s-0", "s-new", "s-2")
    reborn = PlantBirth(
        plant="mill-1",
        version=2,
        signals=tuple(SignalBirth(id=i, name=n, unit="t", period_s=1.0) for i, n in enumerate(names)),
    )
    places = {f"mill-1/{n}": Place(shard_of("mill-1"), {"s-0": 0, "s-1": 1, "s-2": 2, "s-new": 3}[n]) for n in names}
    bank.admit(reborn, places)
    assert len(bank) == 4
    assert bank.level[bank.by_key["mill-1/s-0"].lane] == level
    bank.judge([Accepted("mill-1", 1, 31, 31 * SECOND, 0, TelexKind.LIVE, (1,), (Reading(1, 42.0),))], 0.0, NUMBERS)
    assert bank.rings.past(0).value[-1] == 42.0


def single(seq: int, *values: float) -> Accepted:
    return telex("mill-1", seq, list(values))


def sheet(seq: int, *values: float) -> SheetAccepted:
    one, told = np.array([seq * SECOND], "<i8"), np.array(values, "<f8")
    said, at = told.tobytes(), seq * SECOND
    seqs = np.array([seq], "<i8").tobytes()
    return SheetAccepted(("mill-1",), b"", seqs, one.tobytes(), at, TelexKind.LIVE, (1, 2), said, 8, 1, None)


def strip(seq: int, *values: float) -> StripAccepted:
    one = np.array([seq * SECOND])
    return StripAccepted(("mill-1",), np.array([1]), np.array([seq]), one, one, (1, 2), np.array(values), 1, 1)


@pytest.mark.parametrize("told", [single, sheet, strip])
def test_readings_of_a_plant_whose_ids_changed_places_go_to_the_signals_that_the_ids_name_now(
    told: Callable[..., Accepted | SheetAccepted | StripAccepted],
) -> None:
    names = ("s-0", "s-1")
    places = {f"mill-1/{name}": Place(shard_of("mill-1"), row) for row, name in enumerate(names)}
    bank = Bank()
    for version, ids in ((1, (1, 2)), (2, (2, 1))):
        declared = tuple(
            SignalBirth(id=i, name=name, unit="t", period_s=1.0) for i, name in zip(ids, names, strict=True)
        )
        bank.admit(PlantBirth(plant="mill-1", version=version, signals=declared), places)
        bank.judge([told(version, 10.0, 20.0)], 0.0, NUMBERS)
    assert bank.rings.past(bank.by_key["mill-1/s-0"].lane).value.tolist() == [10.0, 20.0]
    assert bank.rings.past(bank.by_key["mill-1/s-1"].lane).value.tolist() == [20.0, 10.0]


def ranged(*ranges: tuple[float | None, float | None], version: int = 1) -> PlantBirth:
    declared = tuple(
        SignalBirth(id=i + 1, name=f"s-{i}", unit="t", period_s=1.0, low=low, high=high)
        for i, (low, high) in enumerate(ranges)
    )
    return PlantBirth(plant="mill-1", version=version, signals=declared)


def reborn(bank: Bank, birth: PlantBirth) -> None:
    bank.admit(birth, {f"mill-1/s-{i}": Place(shard_of("mill-1"), i) for i in range(3)})


SCALED = Judging(signals={"mill-1/s-1": SignalSettings(transform="log")})


@pytest.mark.parametrize("said", [None, SCALED], ids=["as it is", "one in a scale"])
def test_a_range_that_a_plant_is_born_anew_with_is_the_one_that_its_next_readings_are_judged_by(
    said: Judging | None,
) -> None:
    bank = Bank(said=said)
    reborn(bank, ranged((90.0, 110.0), (None, None), (0.0, 110.0)))
    for one in telexes("mill-1", 40, 9):
        bank.judge([one], 0.0, NUMBERS)
    before = bank.snapshot()
    reborn(bank, ranged((90.0, 110.0), (None, None), (0.0, 110.0), version=2))
    assert bank.snapshot() == before
    bank.judge([telex("mill-1", 41, [130.0, 101.0, 130.0])], 0.0, NUMBERS)
    assert [bank.word(lane) for lane in range(3)] == ["out_of_range", "steady", "out_of_range"]

    known = bank.belief_of("mill-1/s-0")
    reborn(bank, ranged((90.0, 150.0), (105.0, 120.0), (None, None), version=3))
    now = bank.belief_of("mill-1/s-0")
    assert known is not None
    assert now is not None
    for name, was, is_now in zip(known._fields, known, now, strict=True):
        if name != "limits":
            np.testing.assert_array_equal(was, is_now, err_msg=name)
    bank.judge([telex("mill-1", 42, [130.0, 101.0, 130.0])], 0.0, NUMBERS)
    words = [bank.word(lane) for lane in range(3)]
    assert "out_of_range" not in (words[0], words[2])
    assert words[1] == "out_of_range"


def test_a_snapshot_from_before_a_new_range_is_taken_up_under_the_new_one() -> None:
    narrow, wide = ranged((0.0, 110.0), (0.0, 110.0), (0.0, 110.0)), ranged((90.0, 150.0), (None, None), version=2)
    bank, again = Bank(), Bank()
    reborn(bank, narrow)
    for one in telexes("mill-1", 40, 9):
        bank.judge([one], 0.0, NUMBERS)
    kept = bank.snapshot()
    reborn(bank, wide)
    reborn(again, wide)
    again.retire("mill-1/s-2", Place(shard_of("mill-1"), 2))
    for data in kept.values():
        again.restore(data)
    assert again.snapshot() == bank.snapshot()  # and what no birth declares any more keeps the range it had


def test_a_thousand_signals_of_one_tick_are_judged_in_few_calls() -> None:
    births = [birth(f"plant-{i}", 12) for i in range(80)]
    bank = bank_of(*births)
    numbers = {one.plant: i for i, one in enumerate(births)}
    judged = bank.judge([telex(one.plant, 1, [1.0] * 12) for one in births], 0.0, numbers)
    assert judged.readings == 960
    assert sum(len(block.value) for block in judged.blocks) == 960
    assert sorted({block.shard for block in judged.blocks}) == [block.shard for block in judged.blocks]


@pytest.mark.parametrize("n", [0, 1, 299, 300, 301, 650])
def test_the_ring_keeps_the_last_three_hundred(n: int) -> None:
    bank = bank_of(birth("mill-1", 1))
    if n:
        bank.judge([telex("mill-1", i + 1, [float(i)]) for i in range(n)], 0.0, NUMBERS)
    past = bank.rings.past(0)
    assert past.value.tolist() == [float(i) for i in range(max(0, n - 300), n)]


def test_a_signal_is_judged_by_the_regimes_of_its_period() -> None:
    bank = Bank()
    signals = tuple(
        SignalBirth(id=number, name=f"every-{number}", unit="t", period_s=period)
        for number, period in enumerate((1.0, 60.0, 86_400.0), start=1)
    )
    birth = PlantBirth(plant="mill-1", signals=signals)
    bank.admit(birth, {f"mill-1/{signal.name}": Place(3, row) for row, signal in enumerate(signals)})
    step = [bank.regimes_of(bank.by_key[f"mill-1/{signal.name}"].lane).event_priors[2] for signal in signals]
    assert step[0] < step[1] < step[2] == DEFAULT.event_priors[2]
