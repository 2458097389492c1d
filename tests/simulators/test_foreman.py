"""Orders: what is refused and why, what is obeyed, and what it does to the figures."""

from __future__ import annotations

import numpy as np
import pytest

from simulators.errors import UnknownPlant
from simulators.outline import all_works
from telex_ingest.telex import Receipt, moment

from .conftest import answers, noise_of, order, play, stage, told

NIGHT = 1_772_431_200.0 + 17 * 3600.0
"""Eleven in the evening, epoch seconds."""

WORN = """
[[fault]]
kind = "step"
signal = "textile-mill/loom-output"
at = "30m"
size_sd = -6.0
healed_by = ["service-machine"]
"""


def test_a_serviced_machine_brings_the_level_back_over_some_readings() -> None:
    on, calm = stage(WORN), stage()
    play(on, 1.0)
    on.obey(order(on, "textile-mill", "service-machine", machine="drive-shaft"))
    out = play(on, 3.0)
    off = told(out, "textile-mill", on, "loom-output") - told(play(calm, 3.0), "textile-mill", calm, "loom-output")[60:]
    off /= noise_of(on, "textile-mill", "loom-output")
    assert off[:5].mean() == pytest.approx(-6.0, abs=0.1), "the fitters are on their way"
    assert -6.0 < off[12] < 0.0, "they are at work"
    assert (off[22:] == 0.0).all(), "and it is as if nothing had been"
    assert [state for state, _ in answers(out)] == ["accepted", "done"]
    accepted, done = (item for item in out if isinstance(item, Receipt))
    assert (done.time - accepted.time).total_seconds() == 1200.0
    assert done.reason == "worn parts replaced"


def test_servicing_what_is_not_worn_changes_nothing_and_says_so() -> None:
    on, calm = stage(), stage()
    on.obey(order(on, "textile-mill", "service-machine", machine="drive-shaft"))
    out = play(on, 2.0)
    assert answers(out)[-1] == ("done", "nothing found worn")
    assert (
        told(out, "textile-mill", on, "loom-output").tolist()
        == told(play(calm, 2.0), "textile-mill", calm, "loom-output").tolist()
    )


def test_a_fault_of_one_machine_is_not_healed_by_servicing_another() -> None:
    on = stage(WORN + 'machine = "compressor"')
    play(on, 1.0)
    on.obey(order(on, "textile-mill", "service-machine", number="order-1", machine="drive-shaft"))
    assert answers(play(on, 2.0))[-1] == ("done", "nothing found worn")
    on.obey(order(on, "textile-mill", "service-machine", number="order-2", machine="compressor"))
    assert answers(play(on, 3.0))[-1] == ("done", "worn parts replaced")


def test_called_hands_do_what_was_declared_and_go_home_again() -> None:
    on, calm = stage(), stage()
    on.obey(order(on, "textile-mill", "restaff-shift", hands=12, hours=1))
    play(on, 0.1)
    out = play(on, 3.0)
    off = told(out, "textile-mill", on, "loom-output") - told(play(calm, 3.0), "textile-mill", calm, "loom-output")[6:]
    declared = next(kind for kind in on.economy.factory("textile-mill").works.orders if kind.name == "restaff-shift")
    assert off[:4].max() == 0.0
    assert off[25:60].mean() == pytest.approx(2.0 * declared.effects[0].change, rel=0.02)
    assert (off[100:] == 0.0).all()


def test_a_set_point_moves_its_signal_and_what_follows_it_and_moves_it_back() -> None:
    on, calm = stage(), stage()
    on.obey(order(on, "copper-smelter", "change-set-point", number="up", set_point=1248.0))
    play(on, 1.0)
    on.obey(order(on, "copper-smelter", "change-set-point", number="back", set_point=1228.0))
    out, without = [*play(on, 2.0)], play(calm, 2.0)
    assert (
        told(out, "copper-smelter", on, "furnace-temperature")[-1]
        == told(without, "copper-smelter", calm, "furnace-temperature")[-1]
    )
    slag = told(out, "copper-smelter", on, "slag-copper")[0] - told(without, "copper-smelter", calm, "slag-copper")[60]
    assert slag == pytest.approx(-0.04, abs=0.001)


def test_power_is_allotted_while_the_reserve_lasts_and_given_back() -> None:
    on = stage()
    on.obey(order(on, "copper-smelter", "reallot-power", number="a", megawatts=8.0, hours=1))
    on.obey(order(on, "copper-mine", "reallot-power", number="b", megawatts=8.0, hours=1))
    refused = [reason for state, reason in answers(play(on, 0.5)) if state == "refused"]
    assert refused == ["power not available: 8 MW asked for, 4.0 MW in reserve"]
    play(on, 2.0)
    on.obey(order(on, "copper-mine", "reallot-power", number="c", megawatts=8.0, hours=1))
    assert answers(play(on, 2.5))[0][0] == "accepted"


@pytest.mark.parametrize(
    ("name", "parameters", "reason"),
    [
        ("dance", {}, "knows no order 'dance', only change-set-point, reallot-power, restaff-shift, service-machine"),
        ("service-machine", {}, "'machine' is a required property"),
        ("service-machine", {"machine": "moon"}, "machine: 'moon' is not one of"),
        ("service-machine", {"machine": "drive-shaft", "hurry": True}, "'hurry' was unexpected"),
        ("restaff-shift", {"hands": 99, "hours": 1}, "hands: 99 is greater than the maximum of 18"),
        ("restaff-shift", {"hands": 2.5, "hours": 1}, "hands: 2.5 is not of type 'integer'"),
        ("change-set-point", {"set_point": 95}, "set_point: 95 is greater than the maximum of 80"),
    ],
)
def test_what_a_plant_cannot_do_is_refused_with_the_reason(
    name: str, parameters: dict[str, object], reason: str
) -> None:
    on = stage()
    on.obey(order(on, "textile-mill", name, **parameters))
    (answer,) = answers(play(on, 1.0))
    assert answer[0] == "refused"
    assert reason in answer[1]


def test_an_order_that_came_too_late_is_refused() -> None:
    on = stage()
    play(on, 1.0)
    on.obey(order(on, "textile-mill", "service-machine", lives_s=-1.0, machine="drive-shaft"))
    assert answers(play(on, 2.0)) == [("refused", "the order expired at 2026-03-02T06:59:59+00:00")]


def test_an_order_waits_for_its_time() -> None:
    on = stage()
    early = order(on, "textile-mill", "service-machine", lives_s=86400.0, machine="drive-shaft")
    on.obey(
        early.__class__(
            **{name: getattr(early, name) for name in early.__struct_fields__}
            | {"not_before": moment(round((on.now + 3600.0) * 1e6))}
        )
    )
    receipts = [item for item in play(on, 4.0) if isinstance(item, Receipt)]
    assert [(receipt.state.value, (receipt.time.timestamp() - on.start_s) / 60.0) for receipt in receipts] == [
        ("accepted", 0.0),
        ("done", 80.0),
    ]


def test_a_machine_that_is_in_service_is_refused_a_second_one() -> None:
    on = stage()
    on.obey(order(on, "textile-mill", "service-machine", number="a", machine="drive-shaft"))
    on.obey(order(on, "textile-mill", "service-machine", number="b", machine="drive-shaft"))
    on.obey(order(on, "textile-mill", "service-machine", number="c", machine="compressor"))
    assert [state for state, _ in answers(play(on, 0.1))] == ["accepted", "refused", "accepted"]
    out = play(on, 1.0)
    on.obey(order(on, "textile-mill", "service-machine", number="d", machine="drive-shaft"))
    assert answers([*out, *play(on, 1.1)])[-1][0] == "accepted"


def test_there_is_no_crew_for_the_kiln_at_night() -> None:
    on = stage(start_s=NIGHT)
    on.obey(order(on, "cement-works", "service-machine", machine="filter"))
    assert answers(play(on, 0.5)) == [
        ("refused", "no crew for service-machine on the night shift, which ends at 6 o'clock UTC")
    ]
    on.obey(order(on, "textile-mill", "service-machine", machine="drive-shaft"))
    assert answers(play(on, 1.0))[0][0] == "accepted"


def test_a_scenario_can_let_a_plant_refuse_for_a_time() -> None:
    on = stage(
        '[[refuse]]\nplant = "port"\norder = "restaff-shift"\nreason = "the dockers are on strike"\nuntil = "1h"'
    )
    on.obey(order(on, "port", "restaff-shift", number="a", hands=10, hours=1))
    assert answers(play(on, 1.0)) == [("refused", "the dockers are on strike")]
    on.obey(order(on, "port", "restaff-shift", number="b", hands=10, hours=1))
    assert answers(play(on, 1.1))[0][0] == "accepted"


def test_the_same_order_twice_is_carried_out_once() -> None:
    once, twice = stage(), stage()
    once.obey(order(once, "textile-mill", "restaff-shift", hands=6, hours=1))
    for _ in range(3):
        twice.obey(order(twice, "textile-mill", "restaff-shift", hands=6, hours=1))
    out, again = play(once, 1.0), play(twice, 1.0)
    assert answers(out) == answers(again)
    assert (
        told(out, "textile-mill", once, "loom-output").tolist()
        == told(again, "textile-mill", twice, "loom-output").tolist()
    )


def test_a_revoked_order_is_not_begun_and_its_machine_is_free_again() -> None:
    on = stage()
    first = order(on, "copper-smelter", "reallot-power", megawatts=8.0, hours=1)
    on.obey(first)
    revoked = first.__class__(**{name: getattr(first, name) for name in first.__struct_fields__} | {"revoked": True})
    on.obey(revoked)
    on.obey(revoked)
    on.obey(order(on, "copper-smelter", "reallot-power", number="order-2", megawatts=8.0, hours=1))
    assert answers(play(on, 1.0)) == [
        ("accepted", "the work begins in 2 min"),
        ("refused", "revoked before the work began"),
        ("accepted", "the work begins in 2 min"),
        ("done", "in effect"),
    ]
    on.obey(first)
    assert answers(play(on, 2.0)) == []


def test_revoking_called_hands_sends_them_home() -> None:
    on, calm = stage(), stage()
    call = order(on, "textile-mill", "restaff-shift", hands=18, hours=8)
    on.obey(call)
    play(on, 1.0)
    on.obey(call.__class__(**{name: getattr(call, name) for name in call.__struct_fields__} | {"revoked": True}))
    off = (
        told(play(on, 2.0), "textile-mill", on, "loom-output")
        - told(play(calm, 2.0), "textile-mill", calm, "loom-output")[60:]
    )
    assert off[0] > 500.0
    assert (off[15:] == 0.0).all()


def test_an_order_that_is_revoked_before_it_is_heard_is_never_carried_out() -> None:
    on = stage()
    call = order(on, "textile-mill", "restaff-shift", hands=6, hours=1)
    on.obey(call.__class__(**{name: getattr(call, name) for name in call.__struct_fields__} | {"revoked": True}))
    on.obey(call)
    assert answers(play(on, 1.0)) == [("refused", "revoked before it was heard")]


def test_an_order_for_a_plant_that_is_not_there_is_an_error_of_the_asker() -> None:
    on = stage()
    with pytest.raises(UnknownPlant):
        on.obey(order(on, "steel-works", "service-machine"))


@pytest.mark.parametrize("plant", [works.id for works in all_works()])
def test_every_declared_order_is_obeyed_with_its_defaults_and_moves_what_it_promises(plant: str) -> None:
    on, calm = stage(), stage()
    without = play(calm, 1.5)
    works = on.economy.factory(plant).works
    for kind in works.orders:
        parameters = {name: schema["default"] for name, schema in kind.properties.items()}
        on.obey(order(on, plant, kind.name, number=kind.name, **parameters))
    out = play(on, 1.5)
    assert sorted(state for state, _ in answers(out)) == ["accepted"] * len(works.orders) + ["done"] * len(works.orders)
    for kind in works.orders:
        for effect in kind.effects:
            off = told(out, plant, on, effect.signal) - told(without, plant, calm, effect.signal)
            if effect.per and not any(one.toward for one in kind.effects):
                assert np.sign(off[75:].mean()) == np.sign(effect.change), f"{kind.name} and {effect.signal}"
