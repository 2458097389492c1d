from __future__ import annotations

import msgspec

from dashboards.proposing import (
    added,
    answerable,
    by_danger,
    drafted,
    leading,
    near,
    of_one_cause,
    plant_named,
    proposed,
    running,
    taken_first,
    unfilled,
)
from opsroom.views import OrderChoice, UnitView
from tests.dashboards.rows import ALARM, MOTION, ORDER, UNITS, snapshot

LOOM = msgspec.structs.replace(ALARM, id="alarm-2", unit="loom-1", signal="loom-1/output", group="group-1")
MILL = msgspec.structs.replace(ALARM, group="group-1")
CHOICES = tuple(
    OrderChoice(plant=plant, name="service", title="Service", parameters={}, danger="none")
    for plant in ("mill-1", "loom-1", "dye-1")
)
PLANTS = (*UNITS, UnitView(id="dye-1", title="Dye works", level="plant", parent="works"))


def test_alarms_of_one_cause_that_have_arrived_are_answered_together() -> None:
    assert of_one_cause(snapshot(alarms=(MILL, LOOM)), "alarm-1") == ["alarm-1", "alarm-2"]
    waiting = msgspec.structs.replace(LOOM, arrived=False, waits=True)
    assert of_one_cause(snapshot(alarms=(MILL, waiting)), "alarm-1") == ["alarm-1"]
    alone = msgspec.structs.replace(LOOM, group="")
    assert of_one_cause(snapshot(alarms=(ALARM, alone)), "alarm-1") == ["alarm-1"]


def test_an_alarm_on_which_a_motion_is_open_is_not_offered_again() -> None:
    also = msgspec.structs.replace(MOTION, also=("alarm-2",))
    assert answerable(snapshot(alarms=(MILL, LOOM), motions=(also,))) == []
    assert len(answerable(snapshot(alarms=(MILL, LOOM)))) == 2


def test_the_plant_of_an_alarm_that_only_follows_is_near_and_any_other_is_found_by_its_name() -> None:
    waiting = msgspec.structs.replace(LOOM, arrived=False, waits=True)
    room = snapshot(alarms=(MILL, waiting), choices=CHOICES, units=PLANTS)
    assert near(room, ["alarm-1"]) == ["mill-1", "loom-1"]
    assert plant_named(room, " dye WORKS ") == "dye-1"
    assert plant_named(room, "dye-1") == "dye-1"
    assert plant_named(room, "nowhere") == plant_named(room, None) == ""


def test_an_option_takes_orders_of_several_plants_and_the_place_of_running_ones() -> None:
    issued = msgspec.structs.replace(ORDER, state="issued")
    room = snapshot(orders=(issued, msgspec.structs.replace(ORDER, id="order-2", state="done")))
    assert [row["value"] for row in running(room, "mill-1")] == ["order-1"]
    mill, loom, _ = CHOICES
    draft = added([], mill, {"crew": 2}, new=True, supersedes=["order-1"])
    draft = added(draft, loom, {}, new=False, supersedes=["order-1"])
    option = proposed(draft[0])
    assert [order.plant for order in option.orders] == ["mill-1", "loom-1"]
    assert option.supersedes == ("order-1",)


def test_a_dangerous_order_stands_last_and_is_taken_only_by_who_asks_for_it() -> None:
    rest, bypass = msgspec.structs.replace(CHOICES[0], name="rest"), msgspec.structs.replace(CHOICES[0], name="bypass")
    bypass = msgspec.structs.replace(bypass, danger="dangerous")
    careful = msgspec.structs.replace(rest, name="careful", danger="caution")
    assert [one.name for one in by_danger([bypass, careful, rest])] == ["rest", "careful", "bypass"]
    assert taken_first([bypass, careful, rest], None) == "rest"
    assert taken_first([bypass, careful], None) is None
    assert taken_first([bypass, rest], "bypass") == "bypass"
    assert taken_first([bypass, rest], "gone") == "rest"


def test_an_order_that_lacks_a_figure_says_which_by_the_plants_own_name_for_it() -> None:
    schema = {"properties": {"people": {"title": "Hands"}, "shift": {}}, "required": ["people", "shift"]}
    choice = msgspec.structs.replace(CHOICES[0], parameters=schema)
    assert unfilled(choice, {"people": 5, "shift": "late"}) == ""
    assert unfilled(choice, {"people": 5}) == "Shift is not filled in, or beyond its limits"
    assert unfilled(choice, {}) == "Hands, Shift is not filled in, or beyond its limits"


def test_the_alarm_that_is_taken_up_leads_the_list_and_those_of_its_cause_follow() -> None:
    other = msgspec.structs.replace(ALARM, id="alarm-3")
    rows = [other, LOOM, MILL]
    assert [one.id for one in leading(rows, "alarm-1")] == ["alarm-1", "alarm-2", "alarm-3"]
    assert [one.id for one in leading(rows, "alarm-3")] == ["alarm-3", "alarm-2", "alarm-1"]


def test_each_option_of_a_draft_can_be_left_out_and_the_two_that_are_always_there_cannot() -> None:
    draft = added(added([], CHOICES[0], {}, new=True), CHOICES[1], {}, new=True)
    (listed,) = drafted(draft)
    told = str(listed.to_plotly_json())
    assert told.count("'drop': ") == 2
    assert "Leave out Service" in told
