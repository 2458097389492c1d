"""The ticker has a line for every event, in sentences, and gives no ballot away."""

from __future__ import annotations

from typing import get_args

from opsroom import commands as ask
from opsroom.room.events import AnyEvent, decode
from opsroom.room.news import CharterRead, Evidence, PlantBorn, PlantDied, ReceiptCame, Returned
from opsroom.showing.ticker import LINES, ticker
from telex_ingest.telex import OrderBirth, ReceiptState
from tests.opsroom.play import OPERATOR, PLANT_S, START, Play, birth, charter, people, seat, verdict


def told(play: Play) -> dict[str, list[str]]:
    lines: dict[str, list[str]] = {}
    for kind, raw in play.journal:
        line = ticker(play.room, decode(kind, 1, raw))
        assert line.text.strip() == line.text
        assert line.text[0].isupper() or line.text[0].islower()
        assert line.text.endswith((".", "?", "!"))
        assert "None" not in line.text
        assert line.kind in ("telex", "alarm", "council", "order", "receipt", "line")
        lines.setdefault(kind, []).append(line.text)
    return lines


def test_there_is_a_line_for_every_event() -> None:
    assert set(LINES) == set(get_args(AnyEvent))


def test_the_story_of_an_order_can_be_read() -> None:
    play = Play()
    play.evidence["loom-1/output"] = Evidence(
        signal="loom-1/output",
        at=START,
        readings=((START, 41.0, None, None),),
        forecast=((START + 60, 41.0, 39.0, 43.0),),
    )
    name = play.order()
    play.hear(ReceiptCame(order=name, plant="loom-1", state=ReceiptState.ACCEPTED, at=play.now))
    play.evidence["loom-1/output"] = Evidence(
        signal="loom-1/output", at=START + 99, readings=((START + 99, 60.0, None, None),)
    )
    play.hear(Returned(alarm="alarm-1", at=play.now, value=60.0, readings=3))
    play.hear(ReceiptCame(order=name, plant="loom-1", state=ReceiptState.REFUSED, at=play.now, reason="broken"))
    lines = told(play)
    assert lines["alarm-climbed"] == [
        "alarm-1, Output of Loom 1 stepped down: the time of Loom 1 has run out. Textiles has 30 min."
    ]
    assert lines["motion-closed"] == ["motion-1, Speed it up: carried (7 for it, 0 not, 0 abstained, 0 recused)."]
    assert lines["effect-measured"] == [
        "opsroom-x-order-1: Output of Loom 1 is at 60 m/h; without the order 41 m/h was expected, a change of +19 m/h."
    ]
    assert lines["order-answered"][-1] == "Loom 1 answers opsroom-x-order-1: refused: broken."
    assert lines["ballot-sealed"][0] == "motion-1, Speed it up: seat 1 has voted in round 1."
    assert lines["ballots-opened"][0] == "motion-1, Speed it up: 7 ballots of round 1 are open."


def test_everything_else_that_happens_can_be_read_too() -> None:
    play = Play("loom-1", "loom-2")
    play.hear(
        PlantBorn(birth=birth("forge-9", orders=(OrderBirth(name="bad", title="x", parameters={"type": "thing"}),)))
    )
    play.hear(PlantDied(plant="loom-2", reason="night"))
    play.hear(CharterRead(charter=charter(title="Other")))
    play.hear(verdict(named="transient"))
    play.hear(verdict(named="slope", direction="up"))
    play.ask(ask.ProposeAgreement(signal="loom-1/output", recovery_s=5000.0, reason="x"), people("loom-1"))
    play.ask(ask.AnswerAgreement(proposal="proposal-2", accept=True), OPERATOR)
    play.ask(ask.PlanStop(unit="loom-1", start=play.now, end=play.now + 60, reason="belt"), OPERATOR)
    play.wait(0)
    name = play.alarm()
    play.ask(ask.CancelStop(stop="stop-1"), OPERATOR)
    play.wait(120)
    play.ask(ask.AcknowledgeAlarm(alarm=name), OPERATOR)
    play.ask(ask.ShelveAlarm(alarm=name, minutes=1, reason="known"), OPERATOR)
    play.wait(60)
    play.ask(ask.CallEarly(alarm=name, reason="no yarn"), people("loom-1"))
    play.hear(verdict(named="slope"))
    motion = play.motion(name)
    play.ask(ask.Speak(motion=motion, stance="question", text="How long?"), seat(2))
    play.vote(motion, ["yes"] * 4)
    play.wait(60)
    play.vote(motion, ["yes"] * 4)
    play.ask(ask.HoldOrders(reason="wait"), OPERATOR)
    play.wait(60)
    play.ask(ask.ReleaseOrders(), OPERATOR)
    play.ask(ask.RevokeOrder(order="opsroom-x-order-1", reason="no"), OPERATOR)
    play.hear(ReceiptCame(order="opsroom-x-order-1", plant="loom-1", state=ReceiptState.DONE, at=play.now))
    play.wait(10 * PLANT_S)
    lines = told(play)
    assert "because the charter does not name it" in lines["plant-joined"][-1]
    assert "cannot be proposed" in lines["plant-joined"][-1]
    assert lines["statement-made"] == ["motion-1, Speed it up: seat 2 speaks (question): How long?"]
    assert lines["plant-left"] == ["Loom 2 says farewell: night."]
    assert lines["orders-held"] == ["All orders are held by Olga: wait."]
    assert "Loom 1 called early: no yarn" in lines["alarm-climbed"][0]
    assert lines["transient-logged"] == ["Output of Loom 1 to 41 m/h: a transient, almost certain (99 %)."]


def test_what_the_room_has_forgotten_is_still_called_by_its_id() -> None:
    play, other = Play(), Play()
    play.order()
    for kind, raw in play.journal:
        assert ticker(other.room, decode(kind, 1, raw)).text
