"""Accords of siblings and probes: promises by consent, samples that nobody takes in secret."""

from __future__ import annotations

import pytest

from opsroom import commands as ask
from opsroom.commands import Actor, Role
from opsroom.recursion import probes
from opsroom.recursion.accords import PROPOSED_S
from opsroom.recursion.flowchart import Flow
from opsroom.recursion.pact_events import AccordProposed
from opsroom.recursion.probes import READABLE_S
from opsroom.room.news import PlantSilent, PlantSpeaks
from opsroom.room.refusal import Refused
from tests.opsroom.play import OPERATOR, START, Play, charter, only, people, seat

FED = (
    Flow(source="mill-1/output", target="loom-1/output", product="yarn"),
    Flow(source="mill-1/output", target="loom-2/output", product="yarn"),
)


def propose(play: Play, *parties: str, actor: Actor = OPERATOR, until: float = START + 3600.0) -> str:
    wish = ask.ProposeAccord(parties=parties, subject="power", words="half each until the evening", until=until)
    return only(AccordProposed, play.ask(wish, actor)).accord


def test_an_accord_is_in_force_when_every_party_has_agreed_and_ends_at_its_end() -> None:
    play = Play()
    accord = propose(play, "loom-1", "loom-2", actor=people("loom-1"))
    assert play.room.accords[accord].waits_for == ("loom-2",)
    play.ask(ask.AnswerAccord(accord=accord, accept=True), people("loom-2"))
    assert play.room.accords[accord].state == "in-force"
    play.wait(3600.0)
    assert play.room.accords[accord].state == "ended"


def test_one_refusal_is_enough_and_one_party_may_leave() -> None:
    play = Play()
    accord = propose(play, "loom-1", "loom-2")
    assert play.refusal(ask.AnswerAccord(accord=accord, accept=False), people("loom-1")).code == "reason-missing"
    play.ask(ask.AnswerAccord(accord=accord, accept=False, reason="we need it all"), people("loom-1"))
    assert play.room.accords[accord].state == "refused"
    second = propose(play, "loom-1", "loom-2", actor=people("loom-1"))
    play.ask(ask.AnswerAccord(accord=second, accept=True), people("loom-2"))
    play.ask(ask.EndAccord(accord=second, reason="a breakdown"), people("loom-2"))
    assert play.room.accords[second].ended_reason == "Loom 2 left: a breakdown"


def test_nobody_answers_for_a_party_and_strangers_make_no_accords() -> None:
    play = Play()
    accord = propose(play, "loom-1", "loom-2")
    for actor, code in ((OPERATOR, "not-your-role"), (seat(1), "not-your-role"), (people("mill-1"), "not-a-party")):
        assert play.refusal(ask.AnswerAccord(accord=accord, accept=True), actor).code == code
    for parties, code in (
        (("loom-1",), "bad-parties"),
        (("loom-1", "textiles"), "not-siblings"),
        (("loom-1", "nobody"), "unknown-unit"),
    ):
        wish = ask.ProposeAccord(parties=parties, subject="other", words="x", until=START + 60.0)
        assert play.refusal(wish, OPERATOR).code == code
    wish = ask.ProposeAccord(parties=("loom-1", "loom-2"), subject="other", words="x", until=START + 60.0)
    assert play.refusal(wish, people("mill-1")).code == "not-a-party"


def test_the_room_proposes_one_when_alarms_of_siblings_share_a_cause() -> None:
    play = Play(rules=charter(feeds=FED))
    play.alarm("mill-1/output")
    play.alarm("loom-1/output")
    (accord,) = play.room.accords.values()
    assert (accord.parties, accord.source, accord.subject) == (("loom-1", "mill-1"), "mill-1", "stock")
    assert (accord.proposed_by, accord.until) == ("the room", play.now + PROPOSED_S)
    assert "yarn from Mill 1 is short" in accord.words
    assert all(word not in accord.words for word in ("alarm-", "mill-1", "loom-1")), "in the people's words"
    play.alarm("loom-2/output")
    assert {one.parties for one in play.room.accords.values()} >= {("loom-1", "loom-2")} or len(play.room.accords) == 2
    assert all(one.state == "proposed" for one in play.room.accords.values()), "nothing is in force without consent"
    assert play.replayed() == play.room


def test_without_a_shared_cause_the_room_proposes_nothing() -> None:
    for rules in (charter(), charter(feeds=FED)):
        play = Play(rules=rules)
        play.alarm("loom-1/output")
        play.alarm("loom-2/output")
        assert not play.room.accords, "both are fed by the mill, and the mill is well"


def test_plants_that_fall_silent_together_are_short_of_nothing() -> None:
    play = Play(rules=charter(feeds=FED))
    for plant in ("mill-1", "loom-1", "loom-2"):
        play.hear(PlantSilent(plant=plant, since=play.now))
    assert not play.room.accords
    play.alarm("mill-1/output")
    play.hear(PlantSpeaks(plant="loom-1", at=play.now))
    play.alarm("loom-1/output")
    (accord,) = play.room.accords.values()
    assert accord.parties == ("loom-1", "mill-1")


def test_a_probe_is_shown_to_its_plant_and_read_by_its_asker_alone_for_an_hour() -> None:
    play = Play()
    play.ask(ask.AskProbe(signal="loom-1/output", start=START - 600.0, end=START, purpose="an audit"), seat(3))
    (probe,) = play.room.probes.values()
    assert (probe.account, probe.purpose, probe.signal) == ("seat-3", "an audit", "loom-1/output")
    assert probes.readable(play.room, probe.id, seat(3), play.now) == probe
    for actor in (seat(4), OPERATOR, people("loom-1")):
        with pytest.raises(Refused, match="was asked by"):
            probes.readable(play.room, probe.id, actor, play.now)
    with pytest.raises(Refused, match="an hour"):
        probes.readable(play.room, probe.id, seat(3), play.now + READABLE_S)
    play.wait(READABLE_S)
    assert play.room.probes[probe.id].closed


def test_a_probe_is_a_sample_and_not_a_window() -> None:
    play = Play()
    for fields, code in (
        ({"start": START - 90_000.0}, "too-long"),
        ({"start": START + 5.0}, "bad-time"),
        ({"signal": "textiles/actuality"}, "unknown-signal"),
        ({"purpose": ""}, "reason-missing"),
    ):
        usual = {"signal": "loom-1/output", "start": START - 60.0, "end": START, "purpose": "x"}
        assert play.refusal(ask.AskProbe(**(usual | fields)), OPERATOR).code == code  # type: ignore[arg-type] # wrong on purpose
    wish = ask.AskProbe(signal="loom-1/output", start=START - 60.0, end=START, purpose="x")
    assert play.refusal(wish, people("loom-2")).code == "not-your-role"
    assert play.refusal(wish, Actor(role=Role.VIEWER)).code == "not-your-role"
    for _ in range(3):
        play.ask(wish, OPERATOR)
    assert play.refusal(wish, OPERATOR).code == "too-many"
