from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from dash.development.base_component import Component

from dashboards import desk, evidence, figures, options, sheet
from dashboards.budgets import budgets
from dashboards.matter import agenda, pick
from opsroom.views import Answer, BallotView, BudgetView, EffectView, OrderChoice, Viewer
from tests.dashboards.rows import ALARM, BAD, MOTION, ORDER, SEAT, SIGNAL, snapshot


def walk(node: Any) -> Iterator[Any]:
    """Every component and every text of a tree."""
    if node is None:
        return
    if isinstance(node, list | tuple):
        for child in node:
            yield from walk(child)
        return
    yield node
    if isinstance(node, Component):
        yield from walk(getattr(node, "children", None))


def text(node: Any) -> str:
    return " ".join(str(part) for part in walk(node) if not isinstance(part, Component))


def properties(node: Any, name: str) -> list[Any]:
    found = (part.to_plotly_json()["props"].get(name) for part in walk(node) if isinstance(part, Component))
    return [value for value in found if value is not None]


def test_the_agenda_says_state_and_clock_of_each_line_and_which_is_picked() -> None:
    tree = figures.agenda(agenda(snapshot()), "alarm-1")
    assert "Output of the mill" in text(tree)
    assert "not answered yet" in text(tree)
    assert properties(tree, "data-until") == [5000.0]
    assert properties(tree, "aria-current") == ["true"]
    assert properties(tree, "data-key") == ["1"]


def test_an_empty_agenda_says_so() -> None:
    assert "Nothing has come to you" in text(figures.agenda((), ""))


def test_the_head_tells_what_how_sure_where_and_why_it_climbed() -> None:
    room = snapshot()
    tree = figures.head(pick(room, "alarm-1"), room)
    for words in (
        "Output has fallen.",
        "very likely",
        "97 %",
        "The works",
        "The mill",
        "\u221218.4 t/h",
        "the agreed time ran out",
    ):
        assert words in text(tree)


def test_the_sheet_of_an_open_motion_seals_the_ballots() -> None:
    room = snapshot(motions=(MOTION,))
    tree = sheet.head(pick(room, "motion-1"), room)
    assert "has voted" in text(tree)
    assert properties(tree, "data-choice").count("none") == 6


def test_the_options_stand_side_by_side_with_what_is_likely_and_one_click_deeper_why() -> None:
    rows = [[3000.0 + 60.0 * n, 70.0, 68.0, 72.0, 64.0, 76.0] for n in range(1, 13)]
    first = msgspec.structs.replace(
        MOTION.options[0], forecast={"rows": rows}, expected="With more hands: likely.", record="None yet."
    )
    motion = msgspec.structs.replace(
        MOTION, options=(first, *MOTION.options[1:]), evidence={**MOTION.evidence, "uom": "10^8 m3"}
    )
    choice = OrderChoice(
        plant="mill-1",
        name="restaff-shift",
        title="Restaff a shift",
        parameters={"properties": {"people": {"title": "People to add"}}},
        danger="none",
    )
    tree = options.proposed(motion, ALARM, (choice,))
    told = text(tree)
    for words in ("People to add", "12", "68.0 to 72.0 10⁸ m³", "likely 12 minutes from then", "How is that known?"):
        assert words in told
    (drawn,) = properties(tree, "src")
    assert drawn.startswith("data:image/svg+xml,")
    assert properties(tree, "alt") == ["With more hands: likely."]
    unknown = msgspec.structs.replace(first, forecast={"rows": []})
    tree = options.proposed(msgspec.structs.replace(motion, options=(unknown,)), ALARM)
    assert "Nobody knows yet" in text(tree)
    assert properties(tree, "src") == []


def test_the_sheet_leads_to_the_form_that_waits_and_tells_whose_first_ballot_stands() -> None:
    room = snapshot(motions=(MOTION,))
    assert properties(sheet.asked(pick(room, "motion-1"), room), "data-goto") == ["cast"]
    first = BallotView(seat=3, occupant="", choice="named", reason="so", at=1.0, options=("a",))
    again = snapshot(motions=(msgspec.structs.replace(MOTION, phase="revision", round=2, ballots=(), first=(first,)),))
    assert text(sheet.head(pick(again, "motion-1"), again)).count("as before") == 1
    waits = msgspec.structs.replace(MOTION, phase="seconding", opened_by=5, ballots=())
    other = snapshot(motions=(waits,))
    assert properties(sheet.asked(pick(other, "motion-1"), other), "data-goto") == ["second"]
    own = snapshot(motions=(msgspec.structs.replace(waits, opened_by=SEAT.seat),))
    assert properties(sheet.asked(pick(own, "motion-1"), own), "data-goto") == []


def test_the_sheet_of_a_decided_motion_tells_order_reason_and_effect() -> None:
    seen = EffectView(signal="mill-1/output", before=63.6, after=81.7, expected_without=63.2, change=18.5)
    motion = msgspec.structs.replace(
        MOTION, state="carried", phase="closed", chosen="a", orders=("order-1",), closed_at=2300.0
    )
    room = snapshot(motions=(motion,), orders=(msgspec.structs.replace(ORDER, effect=seen),))
    matter = pick(room, "motion-1")
    told = text([sheet.head(matter, room), sheet.outcome(matter)])
    for words in ("Carried", "refused", "“nobody is left”", "63.6", "81.7", "63.2", "18.5"):
        assert words in told


def test_an_objection_stands_with_its_reason_and_what_it_objects_to() -> None:
    ballot = BallotView(
        seat=4, occupant="", choice="named", reason="Not safe.", at=1.0, options=("b",), objections=("a",)
    )
    told = text(sheet.said(msgspec.structs.replace(MOTION, mode="consent", first=(ballot,))))
    assert "objects to A" in told
    assert "Not safe." in told


def test_a_motion_without_quorum_tells_no_count() -> None:
    motion = msgspec.structs.replace(MOTION, state="expired", phase="closed", closed_reason="2 of 4 people voted")
    told = text(sheet.outcome(pick(snapshot(motions=(motion,)), "motion-1")))
    assert "Nothing was chosen" in told
    assert "2 of 4 people voted" in told
    assert "abstained" not in told


def test_a_raised_hand_is_seen_by_every_seat_and_tells_until_when() -> None:
    seats = tuple(
        msgspec.structs.replace(one, hand="hold", hand_until=45_000.0) if one.seat == 2 else one
        for one in snapshot().seats
    )
    room = snapshot(seats=seats)
    assert "Seat 2 asks to hold all orders. A second seat makes it so, until 12:30." in text(
        sheet.asked(pick(room, None), room)
    )
    assert "hand-hold" in desk.forms_class(pick(room, None), room)
    own = snapshot(Viewer(role="seat", seat=2), seats=seats)
    assert "You have asked" in text(sheet.asked(pick(own, None), own))
    assert "hand-hold" not in desk.forms_class(pick(own, None), own)


def test_a_refusal_tells_reason_and_cure_as_an_alert() -> None:
    tree = figures.result(Answer(ok=False, reason="voted already", cure="look"), "")
    assert properties(tree, "role") == ["alert"]
    assert "voted already" in text(tree)
    assert "look" in text(tree)


def test_text_from_the_wire_is_only_ever_a_text_child() -> None:
    bad = msgspec.structs.replace(ALARM, title=BAD, sentence=BAD)
    order = msgspec.structs.replace(MOTION.options[0].orders[0], title=BAD, plant_title=BAD, parameters={BAD: BAD})
    option = msgspec.structs.replace(MOTION.options[0], title=BAD, orders=(order,))
    motion = msgspec.structs.replace(MOTION, title=BAD, options=(option, *MOTION.options[1:]))
    room = snapshot(alarms=(bad,), motions=(motion,))
    for tree in (
        figures.agenda(agenda(room), ""),
        figures.head(pick(room, "motion-1"), room),
        [sheet.head(pick(room, "motion-1"), room), options.proposed(motion, bad)],
    ):
        assert BAD in text(tree)
        assert properties(tree, "dangerously_allow_html") == []
    signal = msgspec.structs.replace(SIGNAL, title=BAD, uom=BAD)
    assert "<img" not in json.dumps(evidence.figure(signal, bad, motion)["layout"])


def test_the_evidence_shows_readings_band_forecast_and_the_moment_of_change() -> None:
    drawn = evidence.figure(SIGNAL, ALARM, MOTION)
    names = [trace.get("name") for trace in drawn["data"]]
    for name in ("readings", "expected (90 %)", "expected without the order", "readings since the motion"):
        assert name in names
    readings = next(trace for trace in drawn["data"] if trace.get("name") == "readings")
    assert readings["y"] == [82.0, 64.0]
    assert drawn["layout"]["shapes"][0]["x0"] == evidence.moment(950.0)
    json.dumps(drawn)


def test_the_evidence_of_an_alarm_without_motion_is_live() -> None:
    drawn = evidence.figure(SIGNAL, ALARM, None)
    readings = next(trace for trace in drawn["data"] if trace.get("name") == "readings")
    assert readings["y"] == [82.0, 64.0, 81.0]


def test_a_change_long_ago_is_told_at_the_edge_and_does_not_squeeze_the_readings() -> None:
    before = SIGNAL.recent[0][0] - 18_000.0
    drawn = evidence.figure(SIGNAL, msgspec.structs.replace(ALARM, since=before), None)
    assert evidence.moment(before) not in [shape["x0"] for shape in drawn["layout"]["shapes"]]
    (note,) = [note for note in drawn["layout"]["annotations"] if "before what is shown" in note["text"]]
    assert (note["x"], note["xref"]) == (0, "paper")


def test_the_alarm_budget_says_what_was_spent_and_who_still_learns() -> None:
    rows = (
        BudgetView(unit="works", seat=0, episodes_a_day=2.5, spent=3, signals=120, learning=7),
        BudgetView(unit="mill-1", seat=0, episodes_a_day=1.0, spent=0, signals=4, learning=0),
    )
    drawn = budgets(msgspec.structs.replace(snapshot(), budgets=rows))
    assert "3 of 2.5 false alarms a day" in text(drawn)
    assert "7 still learn" in text(drawn)
    assert properties(drawn, "className").count("over") == 1
    assert budgets(snapshot()) == []


def test_evidence_without_readings_says_so() -> None:
    assert "There are no readings" in json.dumps(evidence.figure(None, ALARM, None))


@pytest.mark.parametrize("at", [-2208988800.0, 0.0, 1_795_000_000.0])
def test_moments_of_any_century_can_be_drawn(at: float) -> None:
    assert len(evidence.moment(at)) == 19
