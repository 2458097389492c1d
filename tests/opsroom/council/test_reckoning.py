"""An effect is reckoned from stored readings, heard once, and told in words."""

from __future__ import annotations

import numpy as np
import pytest

from opsroom.council.reckoning import AFTER, BEFORE, ENOUGH, Question, question, reckon
from opsroom.recursion.flowchart import Flow
from opsroom.room import events as happened
from opsroom.room.events import EffectMeasured
from opsroom.room.news import EffectReckoned, Evidence, ReceiptCame
from opsroom.room.refusal import Refused
from opsroom.room.state import Room
from opsroom.showing.show import order_view
from opsroom.showing.ticker import LINES
from telex_ingest.telex import ReceiptState
from tests.opsroom.play import Play, charter, only

Rows = list[tuple[float, float]]


def reviewed(*feeds: Flow) -> tuple[Play, EffectMeasured]:
    """A room in which an order was done and its effect is measured for good."""
    play = Play(rules=charter(feeds=feeds))
    order = play.order()
    play.hear(ReceiptCame(order=order, plant="loom-1", state=ReceiptState.DONE, at=play.now))
    return play, only(EffectMeasured, play.wait(1300))


def readings(asked: Question, after: float, seed: int, missing: slice = slice(0, 0)) -> Rows:
    at = np.arange(asked.start, asked.until, asked.width_s)
    value = 40 + np.random.default_rng(seed).normal(0, 1, len(at)) + np.where(at >= asked.at, after, 0)
    value[missing] = np.nan
    return list(zip(at.tolist(), value.tolist(), strict=True))


def asked_of(room: Room, seen: EffectMeasured) -> Question:
    asked = question(room, seen, 60.0)
    assert asked is not None
    return asked


def test_the_question_takes_the_sister_that_nobody_touched_and_what_the_plant_declared() -> None:
    play, seen = reviewed()
    asked = asked_of(play.room, seen)
    assert asked.sisters == ("loom-2/output", "mill-1/output")
    assert asked.material == 5.0
    assert asked.delay_s == 60.0
    assert asked.at - asked.start == BEFORE * 60


def test_what_the_order_reaches_along_what_flows_is_no_sister() -> None:
    play, seen = reviewed(Flow(source="loom-1", target="loom-2", product="cloth"))
    assert asked_of(play.room, seen).sisters == ("mill-1/output",)


def test_a_long_review_is_reckoned_in_wider_buckets() -> None:
    play, seen = reviewed()
    asked = question(play.room, seen, 1.0)
    assert asked is not None
    assert (asked.until - asked.at) / asked.width_s <= AFTER + 1


def test_an_effect_is_told_once_and_shown_in_words() -> None:
    play, seen = reviewed()
    asked = asked_of(play.room, seen)
    rows = {key: readings(asked, 0.0, place) for place, key in enumerate(asked.sisters)}
    news = reckon(asked, {**rows, asked.signal: readings(asked, 12.0, 9, slice(3, 9))})
    event = only(happened.EffectAttributed, play.hear(news))
    assert event.told.word == "told"
    assert event.told.low is not None
    assert event.told.high is not None
    assert event.told.low < 12 < event.told.high
    assert event.told.sisters == asked.sisters
    assert len(event.told.band) == event.told.after
    assert play.hear(news) == ()
    assert play.replayed() == play.room
    view = order_view(play.room, asked.order)
    assert view.effect is not None
    assert view.effect.attribution is not None
    assert view.effect.attribution.said.startswith("The order raised Output of Loom 1 by about 11.9 m/h")
    assert asked.order in LINES[happened.EffectAttributed](play.room, event)[2]


def test_a_sister_that_moves_at_the_same_time_is_named() -> None:
    play, seen = reviewed()
    asked = asked_of(play.room, seen)
    rows = {asked.sisters[0]: readings(asked, 0.0, 1), asked.sisters[1]: readings(asked, 12.0, 2)}
    news = reckon(asked, {**rows, asked.signal: readings(asked, 12.0, 3)})
    assert news.told.word == "cannot_tell"
    assert news.told.disturbed == (asked.sisters[1],)
    event = only(happened.EffectAttributed, play.hear(news))
    assert "Mill 1" in LINES[happened.EffectAttributed](play.room, event)[2]


@pytest.mark.parametrize("rows", [{}, {"loom-1/output": [(0.0, 1.0)]}])
def test_too_few_readings_are_said_to_be_too_few(rows: dict[str, Rows]) -> None:
    play, seen = reviewed()
    news = reckon(asked_of(play.room, seen), rows)
    assert news.told.word == "cannot_tell"
    assert "too few" in news.told.reason


def test_what_was_never_measured_is_not_attributed() -> None:
    play, seen = reviewed()
    news = reckon(asked_of(play.room, seen), {})
    other = Play()
    with pytest.raises(Refused, match="nothing was measured"):
        other.hear(news)


def looked_at(after_s: float, gain: float = 0.0) -> tuple[Play, EffectMeasured, EffectReckoned]:
    """An order that is looked at so many seconds after it, and what is reckoned then."""
    play = Play()
    motion = play.motion(play.arrived())
    play.evidence["loom-1/output"] = Evidence(signal="loom-1/output", at=play.now)
    order = only(happened.OrderIssued, play.vote(motion, ["yes"] * 7)).order
    play.hear(ReceiptCame(order=order, plant="loom-1", state=ReceiptState.ACCEPTED, at=play.now))
    play.evidence["loom-1/output"] = Evidence(signal="loom-1/output", at=play.now + after_s)
    seen = [event for event in play.wait(after_s) if isinstance(event, EffectMeasured)][-1]
    asked = asked_of(play.room, seen)
    rows = {key: readings(asked, 0.0, place) for place, key in enumerate(asked.sisters)}
    news = reckon(asked, {**rows, asked.signal: readings(asked, gain, 9)})
    play.hear(news)
    return play, seen, news


@pytest.mark.parametrize("after_s", [75.0, 150.0, 450.0])
def test_an_effect_that_does_not_show_yet_is_too_early_to_tell_and_says_until_when(after_s: float) -> None:
    play, seen, news = looked_at(after_s)
    asked = asked_of(play.room, seen)
    assert (news.told.word, news.told.until) == ("too_early", asked.too_early_until)
    assert asked.too_early_until == asked.at + 60.0 + ENOUGH * 60.0, "twelve readings behind the declared delay"
    order = next(iter(play.room.orders.values()))
    assert order.ending == "", "no ending before the review"
    view = order_view(play.room, order.id).effect
    assert view is not None
    assert view.attribution is not None
    assert "too early" in view.attribution.said


def test_after_enough_readings_it_did_nothing_so_far_and_the_ending_still_waits_for_the_review() -> None:
    play, _, news = looked_at(1050.0)
    assert news.told.word == "none"
    order = next(iter(play.room.orders.values()))
    assert order.ending == ""
    view = order_view(play.room, order.id).effect
    assert view is not None
    assert view.attribution is not None
    assert view.attribution.said.startswith("So far the order has done nothing")
    play.evidence["loom-1/output"] = Evidence(signal="loom-1/output", at=play.now + 1200.0)
    final = [event for event in play.wait(1200.0) if isinstance(event, EffectMeasured)][-1]
    assert final.final
    asked = asked_of(play.room, final)
    rows = {key: readings(asked, 0.0, place) for place, key in enumerate(asked.sisters)}
    told = reckon(asked, {**rows, asked.signal: readings(asked, 0.0, 9)})
    ended = only(happened.OrderEnded, play.hear(told))
    assert (told.told.word, ended.ending) == ("none", "ignored")


def test_an_effect_that_shows_is_told_at_once() -> None:
    assert looked_at(450.0, gain=20.0)[2].told.word == "told"


def test_at_the_review_nothing_is_too_early_any_more() -> None:
    _, seen, news = looked_at(1300.0)
    assert seen.final
    assert news.told.word == "none"


def test_an_order_of_which_nothing_is_declared_gets_half_of_the_time_to_its_review() -> None:
    asked = Question("M", "O", "p/x", (), 0.0, 300.0, 0.0, 60.0, 0.0, 1.0, False, 3600.0, 60.0)
    assert asked.too_early_until == 1800.0
    slow = asked._replace(delay_s=3000.0)
    assert slow.too_early_until == 3600.0, "never beyond the review"
