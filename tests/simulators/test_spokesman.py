"""A simulated plant that is invited to a motion says what its own people see and could not do, and never the labelled truth."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.errors import UnknownPlant
from telex_ingest.invitation import STATEMENT
from telex_ingest.telex import Invitation, InvitedOption, InvitedOrder, moment

from .conftest import answers, order, play, stage
from .test_foreman import NIGHT


def an_invitation(plant: str, signal: str, name: str, **parameters: Any) -> Invitation:
    orders = (InvitedOrder(plant=plant, name=name, parameters=parameters),)
    return Invitation(
        motion="motion-1",
        room="room-1",
        plant=plant,
        title="Do it",
        signal=signal,
        options=(
            InvitedOption(id="a", title="Do it", kind="orders", orders=orders),
            InvitedOption(id="b", title="Do nothing", kind="nothing"),
        ),
        until=moment(0),
    )


def test_a_plant_says_where_it_stands_and_what_it_can_do() -> None:
    on = stage()
    play(on, 0.5)
    said = on.state(an_invitation("textile-mill", "cloth-woven", "restaff-shift", hands=6, hours=1))
    told = on.economy.factory("textile-mill").told
    assert told is not None
    assert f" is {float(told[0]):g} " in said
    assert "usual here" in said
    assert "Option A: we can do it; it takes about" in said
    assert len(said) <= STATEMENT


def test_a_plant_says_beforehand_what_it_would_refuse_and_nothing_is_taken_for_it() -> None:
    on = stage(start_s=NIGHT)
    said = on.state(an_invitation("cement-works", "cement-output", "service-machine", machine="filter"))
    assert "Option A: we could not do it now (no crew for service-machine on the night shift" in said
    before = on.economy.granted_mw
    on.state(an_invitation("cement-works", "", "reallot-power", megawatts=2, hours=1))
    assert on.economy.granted_mw == before
    on.obey(order(on, "textile-mill", "service-machine", number="a", machine="drive-shaft"))
    said = on.state(an_invitation("textile-mill", "", "service-machine", machine="drive-shaft"))
    assert "drive-shaft is in hand already" in said
    on.obey(order(on, "textile-mill", "service-machine", number="b", machine="compressor"))
    assert [state for state, _ in answers(play(on, 0.1))] == ["accepted", "accepted"]


def test_a_plant_that_is_short_of_what_it_uses_says_that_the_trouble_is_not_its_own_alone() -> None:
    on = stage()
    on.economy.factory("textile-mill").supply = 0.6
    assert "We get 60% of what we need" in on.state(an_invitation("textile-mill", "", "service-machine"))


def test_nobody_speaks_for_a_plant_that_is_not_there() -> None:
    with pytest.raises(UnknownPlant):
        stage().state(an_invitation("moon-base", "", "rest"))
