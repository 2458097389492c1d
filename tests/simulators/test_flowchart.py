"""The economy's flowcharts say of the plants on paper what the economy does."""

from __future__ import annotations

import pytest

from opsroom.constitution.charter import read, render
from opsroom.demo import Pace, charter_text
from opsroom.recursion.flowchart import Chart
from opsroom.recursion.whole import bottleneck, gains, reckon
from simulators.economy import ROUTES
from simulators.flowchart import charts, production
from simulators.outline import all_works

CHARTER = read(charter_text(Pace())).charter
CHARTS = {chart.unit: chart for chart in CHARTER.charts}
NORMAL = {production(works): works.normal for works in all_works()}
CAPABLE = {production(works): works.indicators[0].agreed[0] for works in all_works()}


def whole(unit: str, can: dict[str, float]) -> float:
    chart: Chart = CHARTS[unit]
    return reckon(
        chart, {part.part: can[part.part] if "/" in part.part else whole(part.part, can) for part in chart.parts}
    ).whole


def test_every_route_and_every_wire_of_the_economy_is_in_the_graph() -> None:
    graph = CHARTER.graph()
    for route in ROUTES:
        assert any(flow.product == route.product for flow in graph.between(route.source, route.target)), route
    for works in all_works():
        if works.power_mw:
            assert graph.feeds_into("power-station", works.id)
    assert graph.feeds_into("coal-mine", "economy"), "a whole is fed by its parts, however far below"


def test_as_the_plants_run_normally_nothing_is_short() -> None:
    assert whole("textiles", NORMAL) == pytest.approx(12_400)
    assert whole("copper", NORMAL) == pytest.approx(26.5)
    # The station burns 0.42 t of coal for a megawatt-hour, and the mine takes power to raise it.
    assert whole("power-coal", NORMAL) == pytest.approx(905 - 905 * 0.42 * 9.0 / 492, rel=1e-6)
    assert whole("food", NORMAL) == pytest.approx(42 + 18_600 * 0.000425)


@pytest.mark.parametrize(
    ("unit", "plant", "part"),
    [("textiles", "spinning-mill", "spinning-mill/yarn-output"), ("copper", "copper-mine", "copper-mine/concentrate")],
)
def test_a_feeder_that_fails_becomes_the_bottleneck(unit: str, plant: str, part: str) -> None:
    chart = CHARTS[unit]
    failing = {name: CAPABLE[name] * (0.5 if name.startswith(plant) else 1.0) for name in (p.part for p in chart.parts)}
    assert bottleneck(gains(chart, failing)) == part


def test_the_whole_economy_gives_less_when_a_mine_fails_and_is_told_in_money() -> None:
    failing = NORMAL | {"coal-mine/coal-raised": 100.0}
    assert whole("economy", failing) < 0.9 * whole("economy", NORMAL)
    assert CHARTS["economy"].measure == "kEsc/h"


def test_the_tables_are_a_room_file() -> None:
    assert "[[flow]]" in render(charts())
