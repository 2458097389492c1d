"""The tree has the promised width, and every plant on paper is sound."""

from __future__ import annotations

import re

import jsonschema
import pytest

from simulators.factory import Works
from simulators.nile import NileFeed
from simulators.outline import LEVELS, all_works, recovery_times, room_outline
from telex_ingest.birth import mistakes
from telex_ingest.telex import Direction

WORKS = all_works()
UNITS = {
    *(
        "%",
        "1/h",
        "GWh",
        "MJ/t",
        "MPa",
        "MW",
        "bar",
        "cN/tex",
        "degC",
        "h",
        "kW",
        "kg",
        "kg/t",
        "km",
        "m/h",
        "m3",
        "m3/h",
    ),
    *("mbar", "mg/m3", "min", "min/h", "people", "t", "t/h"),
}


def test_there_are_twelve_plants_in_six_enterprises_in_three_branches_under_one_total() -> None:
    levels = [line.level for line in room_outline()]
    assert [levels.count(level) for level in LEVELS] == [1, 3, 6, 12]


def test_every_unit_has_a_parent_before_it_and_a_title_of_words() -> None:
    seen = {""}
    for line in room_outline(waterworks=True):
        assert line.parent in seen, f"{line.unit} hangs under {line.parent}, which is not there yet"
        assert re.fullmatch(r"[a-z0-9-]+", line.unit)
        assert line.title[0].isupper()
        assert line.unit not in seen
        seen.add(line.unit)
    assert NileFeed().plant in seen


def test_every_signal_has_a_recovery_time_in_seconds() -> None:
    times = recovery_times()
    assert set(times) == {f"{works.id}/{row.name}" for works in WORKS for row in works.indicators}
    assert all(600.0 <= seconds <= 86400.0 for seconds in times.values())


@pytest.mark.parametrize("works", WORKS, ids=lambda works: works.id)
def test_a_plant_has_eight_to_twelve_indicators_with_known_units_inside_their_limits(works: Works) -> None:
    assert 8 <= len(works.indicators) <= 12
    for row in works.indicators:
        assert row.unit in UNITS, f"{row.name} is told in {row.unit!r}"
        assert row.limits[0] < row.normal - 12 * row.noise, f"{row.name} would be clipped from below"
        assert row.normal + 12 * row.noise < row.limits[1], f"{row.name} would be clipped from above"
        if row.unit == "%":
            assert 0 <= row.limits[0] < row.limits[1] <= 120, row.name


@pytest.mark.parametrize("works", WORKS, ids=lambda works: works.id)
def test_capability_lies_beyond_the_actual_and_potentiality_beyond_capability_in_the_good_direction(
    works: Works,
) -> None:
    for row in works.indicators:
        capability, potentiality = row.agreed
        if row.good is Direction.UP:
            assert row.normal < capability < potentiality, row.name
        elif row.good is Direction.DOWN:
            assert row.normal > capability > potentiality >= row.limits[0], row.name
        else:
            assert capability == potentiality, row.name


@pytest.mark.parametrize("works", WORKS, ids=lambda works: works.id)
def test_patterns_are_small_beside_the_noise(works: Works) -> None:
    for row in works.indicators:
        assert row.day + row.shift + row.drift <= 1.5, f"{row.name}: report it against its plan instead"


@pytest.mark.parametrize("works", WORKS, ids=lambda works: works.id)
def test_a_plant_declares_two_to_four_orders_whose_defaults_fit_their_schema(works: Works) -> None:
    assert 2 <= len(works.orders) <= 4
    names = {row.name for row in works.indicators}
    for order in works.orders:
        jsonschema.Draft202012Validator.check_schema(order.schema)
        defaults = {name: schema["default"] for name, schema in order.properties.items()}
        jsonschema.validate(defaults, order.schema)
        assert order.effects
        assert {effect.signal for effect in order.effects} <= names


@pytest.mark.parametrize("works", WORKS, ids=lambda works: works.id)
def test_a_birth_is_sound_on_the_wire(works: Works) -> None:
    birth = works.birth(60.0)
    assert mistakes(birth) == ()
    assert [signal.id for signal in birth.signals] == list(range(1, len(works.indicators) + 1))
