"""Options are foreseen before the ballot, scored when the readings have come; an order is obeyed when the filter sees it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from immutables import Map

from opsroom import commands as ask
from opsroom.council.attribution import Attribution, Span
from opsroom.council.ending import judged
from opsroom.council.library import KEPT, KINDS, Library, Past, added, expected, past_of
from opsroom.council.options import Option
from opsroom.room import events as happened
from opsroom.room.news import EffectReckoned, Evidence, ReceiptCame
from opsroom.showing.foretelling import endings_words, forecast_words
from telex_ingest.telex import ReceiptState
from tests.opsroom.play import START, Play, kinds, only, seat

TOLD = Attribution(word="told", reason="so", mean=12.0, low=10.0, high=14.0, after=30, dates=4, delay_s=90.0)


def evidence(at: float, level: float = 40.0, value: float = 40.0) -> Evidence:
    return Evidence(
        signal="loom-1/output",
        at=at,
        level=level,
        readings=tuple((at - 60.0 * back, value, None, None) for back in range(20, -1, -1)),
        ahead=tuple((at + 60.0 * step, level, 1.0 + 0.05 * step) for step in (1, 2, 4, 8, 16, 32, 64)),
        dof=20.0,
    )


def playing() -> Play:
    play = Play()
    play.evidence["loom-1/output"] = evidence(START)
    return play


def options(play: Play, motion: str) -> dict[str, Option]:
    return {option.kind: option for option in play.room.motions[motion].options}


def obeyed(play: Play, told: Attribution = TOLD) -> str:
    """An order that was done and whose effect is reckoned for good."""
    order = play.order()
    play.hear(ReceiptCame(order=order, plant="loom-1", state=ReceiptState.DONE, at=play.now))
    play.evidence["loom-1/output"] = evidence(play.now + 1200, value=50.0)
    play.wait(1200)
    motion = play.room.orders[order].motion
    play.hear(EffectReckoned(motion=motion, order=order, signal="loom-1/output", told=told, until=play.now, final=True))
    return order


def test_every_option_is_foreseen_on_the_same_moments_before_anybody_votes() -> None:
    play = playing()
    motion = play.motion()
    found = options(play, motion)
    ordered, nothing, time = found["orders"].forecast, found["nothing"].forecast, found["time"].forecast
    assert ordered is not None
    assert nothing is not None
    assert time is not None
    assert [row[0] for row in ordered.rows] == [row[0] for row in nothing.rows] == [row[0] for row in time.rows]
    assert (ordered.source, nothing.source) == ("declared", "filter")
    assert nothing.rows[-1][1] == pytest.approx(40.0)
    assert 48.0 < ordered.rows[-1][1] < 50.5, "the plant declares ten more"
    for _, mean, low50, high50, low90, high90 in (*ordered.rows, *nothing.rows):
        assert low90 < low50 < mean < high50 < high90
    first, last = ordered.effect[0], ordered.effect[-1]
    assert first[1] < last[1], "the effect comes by and by"
    assert play.replayed() == play.room


def test_what_nobody_knows_is_said_to_be_unknown() -> None:
    play = playing()
    motion = play.motion(name="rest", parameters={})
    option = options(play, motion)["orders"]
    assert option.forecast is not None
    assert (option.forecast.source, option.forecast.rows) == ("unknown", ())
    assert "unknown. No plant has declared what Let it rest does" in forecast_words(play.room, option)


def test_without_a_filter_nothing_is_foreseen() -> None:
    play = Play()
    motion = play.motion()
    assert all(option.forecast is None for option in play.room.motions[motion].options)


def test_what_an_order_did_is_expected_of_the_next_one_and_the_score_stands_beside_it() -> None:
    play = playing()
    obeyed(play)
    assert len(play.room.library["set-speed(rpm 90)|output"]) == 1
    scored = play.room.records["set-speed(rpm 90)|output"]
    assert (scored.scored, scored.in90) == (1, 1)
    play.evidence["loom-1/output"] = evidence(play.now)
    alarm = next(iter(play.room.alarms))
    option = options(play, play.motion(alarm))["orders"]
    assert option.forecast is not None
    assert (option.forecast.source, option.forecast.effects, option.forecast.plants) == ("library", 1, 1)
    assert option.forecast.effect[-1][1] > 10.0, "twelve was seen where ten was declared"
    assert option.forecast.record == scored
    words = forecast_words(play.room, option)
    assert words.startswith("With 'Speed it up': likely ")
    assert "from 1 order of this kind at 1 plant" in words
    assert play.replayed() == play.room


def test_a_dose_is_foreseen_from_orders_of_the_same_dose_alone() -> None:
    play = playing()
    obeyed(play)
    alarm = next(iter(play.room.alarms))
    sources = {}
    for rpm in (45, 90, 90.3):
        play.evidence["loom-1/output"] = evidence(play.now)
        forecast = options(play, motion := play.motion(alarm, parameters={"rpm": rpm}))["orders"].forecast
        assert forecast is not None
        sources[rpm] = (forecast.source, forecast.kind)
        play.ask(ask.WithdrawMotion(motion=motion), seat(1))
    assert sources == {
        45: ("declared", "set-speed(rpm 45)|output"),
        90: ("library", "set-speed(rpm 90)|output"),
        90.3: ("library", "set-speed(rpm 90)|output"),
    }
    assert play.replayed() == play.room


def test_doing_nothing_is_scored_when_nothing_was_done() -> None:
    play = playing()
    motion = play.motion()
    play.vote(motion, ["no"] * 7)
    play.evidence["loom-1/output"] = evidence(play.now + 1300, value=41.0)
    scored = only(happened.ForecastScored, play.wait(1300))
    assert (scored.of, scored.value) == ("nothing|output", 41.0)
    assert scored.crps is not None
    assert scored.crps < 2.0
    assert play.room.records["nothing|output"].in90 == 1
    assert play.replayed() == play.room


def test_doing_nothing_is_not_scored_when_something_was_done_nor_without_a_reading() -> None:
    play = playing()
    obeyed(play)
    assert play.room.records["nothing|output"].void == 1
    silent = playing()
    silent.vote(silent.motion(), ["no"] * 7)
    scored = only(happened.ForecastScored, silent.wait(7200))
    assert (scored.value, scored.reason) == (None, "nothing was read at that moment")


def test_a_promise_that_the_plant_refused_to_try_is_not_scored() -> None:
    play = playing()
    order = play.order()
    refused = play.hear(ReceiptCame(order=order, plant="loom-1", state=ReceiptState.REFUSED, at=play.now, reason="no"))
    assert kinds(refused) == ["order-answered", "order-ended"]
    assert play.room.orders[order].ending == "refused"
    events = play.wait(1300)
    void = [event for event in events if isinstance(event, happened.ForecastScored) and event.of.startswith("set")]
    assert [event.value for event in void] == [None]
    assert "was not carried out" in void[0].reason


@pytest.mark.parametrize(
    ("changes", "change", "ending"),
    [
        ({}, 10.0, "obeyed"),
        ({}, -10.0, "obeyed"),
        ({"word": "none", "mean": 0.2, "low": -1.0, "high": 1.4}, 10.0, "ignored"),
        ({"word": "none", "mean": 0.2, "low": -1.0, "high": 1.4}, None, "cannot-tell"),
        ({"word": "cannot_tell", "disturbed": ("loom-2/output",)}, 10.0, "cannot-tell"),
        ({"early": Span(mean=12, low=9, high=15), "late": Span(mean=1, low=-2, high=4)}, 10.0, "reversed"),
        ({"early": Span(mean=12, low=9, high=15), "late": Span(mean=9, low=6, high=12)}, 10.0, "obeyed"),
        ({"early": Span(mean=1, low=-2, high=4), "late": Span(mean=12, low=9, high=15)}, 10.0, "obeyed"),
    ],
)
def test_an_order_ends_as_the_filter_saw_it(changes: dict[str, Any], change: float | None, ending: str) -> None:
    assert judged(msgspec.structs.replace(TOLD, **changes), change)[0] == ending


def test_endings_are_counted_and_a_plant_that_said_done_may_have_ignored_the_order() -> None:
    play = playing()
    order = obeyed(play, Attribution(word="none", reason="so", mean=0.1, low=-1.0, high=1.2, after=30, dates=4))
    assert play.room.orders[order].state == "done"
    assert play.room.orders[order].ending == "ignored"
    assert dict(play.room.endings) == {"ignored": 1}


def test_the_line_of_endings_counts_each_order_once_by_the_last_word_on_it() -> None:
    def ended(order: str, ending: Any) -> happened.OrderEnded:
        return happened.OrderEnded(at=1.0, order=order, motion="m", ending=ending, reason="")

    taken = happened.OrderAnswered(at=2.0, order="b", state="accepted", said_at=1.5)
    events = [ended("a", "cannot-tell"), ended("b", "unanswered"), taken, ended("c", "reversed"), ended("a", "obeyed")]
    assert endings_words(events) == "orders ended: 1 obeyed, 1 reversed"
    assert endings_words([taken]) == ""


def test_an_effect_is_looked_at_until_the_review_a_bounded_number_of_times() -> None:
    play = playing()
    order = play.order()
    play.hear(ReceiptCame(order=order, plant="loom-1", state=ReceiptState.DONE, at=play.now))
    looks = []
    for _ in range(130):
        looks += [event for event in play.wait(10.0) if isinstance(event, happened.EffectMeasured)]
    assert [look.look for look in looks] == [1, 2, 3, 4, 5, 6, 7, 8, 0]
    assert [look.final for look in looks] == [False] * 8 + [True]


def test_a_later_reckoning_takes_the_place_of_an_earlier_one() -> None:
    play = playing()
    order = play.order()
    play.hear(ReceiptCame(order=order, plant="loom-1", state=ReceiptState.DONE, at=play.now))
    play.wait(300)
    told = EffectReckoned(
        motion=play.room.orders[order].motion, order=order, signal="loom-1/output", told=TOLD, until=play.now
    )
    assert kinds(play.hear(told)) == ["effect-attributed"]
    assert play.hear(told) == ()
    later = msgspec.structs.replace(told, until=play.now + 60.0, told=msgspec.structs.replace(TOLD, mean=11.0))
    assert kinds(play.hear(later)) == ["effect-attributed"]
    assert not play.room.library, "only what was reviewed is kept"


def test_a_doubtful_cause_is_left_out_of_the_library_but_counted() -> None:
    doubtful = Attribution(word="cannot_tell", reason="", mean=40.0, low=39.0, high=41.0, disturbed=("loom-2/output",))
    wide = Attribution(word="cannot_tell", reason="", mean=3.0, low=-30.0, high=36.0, dates=4)
    library: Library = Map()
    for number, told in enumerate((TOLD, doubtful, wide)):
        library = added(library, "k", past_of(f"o-{number}", "loom-1", float(number), told))
    found = expected(library, "k", "loom-1", None, 0.0, 600.0)
    assert found is not None
    assert (found.effects, found.left_out) == (2, 1)
    assert 8.0 < found.effect.mean < 13.0


def test_the_library_is_bounded() -> None:
    library: Library = Map()
    for number in range(KEPT + 5):
        library = added(library, "k", Past(order=f"o-{number}", plant="p", at=1e6, word="none"))
    assert len(library["k"]) == KEPT
    for number in range(KINDS + 5):
        library = added(library, f"k-{number}", Past(order="o", plant="p", at=float(number), word="none"))
    assert len(library) == KINDS
    assert "k" in library
    assert "k-0" not in library
