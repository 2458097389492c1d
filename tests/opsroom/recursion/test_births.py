"""Births: people are never signals, the charter only seeds, the journal rules."""

from __future__ import annotations

import msgspec
import pytest

from opsroom import commands as ask
from opsroom.recursion.flowchart import Chart, Part
from opsroom.recursion.recursion import Agreement, Unit
from opsroom.room import events as happened
from opsroom.room.news import CharterRead, PlantBorn
from opsroom.room.room import Refused
from telex_ingest.telex import OrderBirth, SignalBirth
from tests.opsroom.play import START, Play, birth, charter, kinds, only, people, seat, verdict


def signal(name: str = "output", number: int = 1, **changes: object) -> SignalBirth:
    return SignalBirth(id=number, name=name, unit="m/h", period_s=60, **changes)  # type: ignore[arg-type] # any field


def test_a_birth_whose_signal_is_marked_personal_is_refused() -> None:
    play = Play("loom-1")
    before = play.room
    with pytest.raises(Refused, match="people are never signals") as caught:
        play.hear(PlantBorn(birth=birth("loom-2", signals=(signal(), signal("heartbeat", 2, personal=True)))))
    assert caught.value.code == "personal-signal"
    assert play.room is before


def test_a_doubled_name_and_a_plant_that_is_no_leaf_are_refused() -> None:
    play = Play("loom-1")
    with pytest.raises(Refused, match="twice"):
        play.hear(PlantBorn(birth=birth("loom-2", signals=(signal(), signal("output", 2)))))
    with pytest.raises(Refused, match="leaf"):
        play.hear(PlantBorn(birth=birth("textiles")))


def test_the_charter_seeds_an_agreement_and_a_birth_that_differs_is_a_proposal() -> None:
    play = Play("loom-1")
    (joined, proposed) = play.hear(PlantBorn(birth=birth("loom-2")))
    assert isinstance(joined, happened.PlantJoined)
    assert isinstance(proposed, happened.AgreementProposed)
    agreement = play.room.signals["loom-2/output"].agreement
    assert (agreement.capability, agreement.potentiality, agreement.recovery_s) == (50.0, 80.0, 120.0)
    assert (proposed.side, proposed.terms.capability, proposed.terms.recovery_s, proposed.by) == (
        "unit",
        60.0,
        120.0,
        "wire-loom-2",
    )


def test_a_first_birth_without_an_agreement_is_seeded_by_its_own_words() -> None:
    play = Play("loom-1")
    agreement = play.room.signals["loom-1/output"].agreement
    assert (agreement.capability, agreement.potentiality, agreement.agreed_by) == (60.0, 100.0, "birth")
    partly = charter(agreements={"loom-1/output": Agreement(recovery_s=30.0)})
    agreement = Play("loom-1", rules=partly).room.signals["loom-1/output"].agreement
    assert (agreement.capability, agreement.recovery_s) == (60.0, 30.0)


def test_the_same_birth_again_is_no_news_and_another_wording_never_changes_an_agreement() -> None:
    play = Play("loom-1")
    assert play.hear(PlantBorn(birth=birth())) == ()
    events = play.hear(PlantBorn(birth=birth(version=2, signals=(signal(capability=70.0),))))
    assert kinds(events) == ["plant-joined", "agreement-proposed"]
    assert play.room.signals["loom-1/output"].agreement.capability == 60.0
    events = play.hear(PlantBorn(birth=birth(version=3, signals=(signal(capability=75.0),))))
    assert kinds(events) == ["plant-joined", "agreement-refused", "agreement-proposed"], "the newer takes its place"
    assert [one.terms.capability for one in play.room.proposals.values()] == [75.0]


def test_an_edited_file_changes_tree_and_rules_but_no_standing_agreement() -> None:
    play = Play()
    units = (*charter().units, Unit(id="forge", title="Forge", level="plant", parent="total"))
    edited = charter(units=units, agreements={"loom-1/output": Agreement(capability=1.0)})
    assert kinds(play.hear(CharterRead(charter=edited))) == ["charter-amended"]
    assert play.room.tree.path("forge") == ("forge", "total")
    assert play.room.signals["loom-1/output"].agreement.capability == 60.0
    assert play.hear(CharterRead(charter=edited)) == ()


LOOMS = Chart(unit="textiles", measure="m/h", parts=(Part(part="loom-1/output"), Part(part="loom-2/output")))
REDRAWN = msgspec.structs.replace(LOOMS, parts=LOOMS.parts[:1])


@pytest.mark.parametrize(
    ("later", "moved", "reason"),
    [
        ((), True, "has no flowchart any more"),
        ((REDRAWN,), False, "drawn anew"),
        ((REDRAWN,), True, ""),
        ((msgspec.structs.replace(LOOMS, title="Cloth"),), False, ""),
    ],
    ids=["taken out", "drawn anew", "drawn anew while the council deliberates", "worded anew"],
)
def test_an_alarm_of_a_whole_ends_when_its_chart_tells_another_figure(
    later: tuple[Chart, ...], moved: bool, reason: str
) -> None:
    play = Play("loom-1", "loom-2", rules=charter(charts=(LOOMS,)))
    name = play.alarm("textiles/actuality")
    if moved:
        play.motion(name)
    play.hear(CharterRead(charter=charter(charts=later)))
    alarm = play.room.alarms[name]
    assert (alarm.closed_reason != "", reason in alarm.closed_reason) == (reason != "", True)
    assert [one.state for one in play.room.motions.values()] == (["open" if not reason else "expired"] if moved else [])


def test_a_plant_that_the_charter_does_not_name_hangs_where_the_charter_says() -> None:
    play = Play("loom-1", rules=charter(unassigned="textiles", plant_clock_s=77.0))
    joined = only(happened.PlantJoined, play.hear(PlantBorn(birth=birth("forge-9"))))
    assert joined.parent == "textiles"
    assert play.room.tree.path("forge-9") == ("forge-9", "textiles", "total")
    name = play.alarm("forge-9/output")
    assert play.room.alarms[name].clock_s == 77.0
    without = charter(
        units=tuple(unit for unit in charter().units if unit.id != "textiles" and unit.parent != "textiles")
    )
    play.hear(CharterRead(charter=without))
    assert play.room.tree.path("forge-9") == ("forge-9", "total")
    assert play.room.tree.path("loom-1") == ("loom-1", "total"), (
        "a plant that lives stays, even when its branch is gone"
    )


def test_the_root_takes_what_nobody_assigned() -> None:
    play = Play("loom-1")
    assert only(happened.PlantJoined, play.hear(PlantBorn(birth=birth("forge-9")))).parent == "total"


def test_an_order_that_nobody_could_propose_is_left_out_and_said() -> None:
    bad = OrderBirth(name="bad", title="Bad", parameters={"type": "thing"})
    far = OrderBirth(name="far", title="Far", parameters={"$ref": "https://example.org/schema.json"})
    play = Play("loom-1")
    joined = only(
        happened.PlantJoined,
        play.hear(PlantBorn(birth=birth("mill-1", orders=(bad, far, OrderBirth(name="rest", title="Rest"))))),
    )
    assert [order.name for order in joined.orders] == ["rest"]
    assert len(joined.faults) == 2
    assert play.hear(PlantBorn(birth=birth("mill-1", orders=(bad, far, OrderBirth(name="rest", title="Rest"))))) == ()


def test_a_schema_that_was_found_sound_once_is_not_checked_again_and_a_wrong_one_always_is() -> None:
    play = Play("loom-1")
    known = dict(play.room.schemas)
    play.hear(PlantBorn(birth=birth("mill-1")))
    assert dict(play.room.schemas) == known
    wrong = OrderBirth(name="set-speed", title="x", parameters={"type": "thing"})
    joined = only(happened.PlantJoined, play.hear(PlantBorn(birth=birth("mill-1", version=2, orders=(wrong,)))))
    assert joined.unusable == (wrong,)
    right = OrderBirth(name="set-speed", title="x", parameters={"type": "object"})
    joined = only(happened.PlantJoined, play.hear(PlantBorn(birth=birth("mill-1", version=2, orders=(right,)))))
    assert (joined.orders, joined.unusable) == ((right,), ())


def test_a_signal_that_is_declared_no_more_closes_its_alarm_and_drops_its_proposals() -> None:
    play = Play("loom-1")
    name = play.alarm("loom-1/scrap", direction="up")
    play.ask(ask.ProposeAgreement(signal="loom-1/scrap", recovery_s=60.0, reason="x"), people("loom-1"))
    events = play.hear(PlantBorn(birth=birth(version=2, signals=(signal(capability=60.0, potentiality=100.0),))))
    assert kinds(events) == ["plant-joined", "alarm-closed"]
    assert "does not declare" in play.room.alarms[name].closed_reason
    assert set(play.room.signals) == {"loom-1/output"}
    assert play.refusal(ask.AnswerAgreement(proposal="proposal-1", accept=True), seat(1)).code == "unknown-proposal"
    with pytest.raises(Refused, match="nobody declared"):
        play.hear(verdict("loom-1/scrap"))


def test_the_room_is_founded_once() -> None:
    play = Play()
    assert play.room.founded
    assert play.journal[0][0] == "room-founded"
    assert play.hear(CharterRead(charter=play.charter)) == ()
    assert play.now == START
