"""The recursion tree of the simulated economy: total, branches, enterprises, plants, in plain tuples.

The room's tree is the room's own; this is what the demo writes its `room.toml` from.
"""

from __future__ import annotations

from typing import NamedTuple

from simulators.branches import consumer_goods, energy_transport, heavy_industry
from simulators.factory import Works

LEVELS = ("total", "branch", "enterprise", "plant")

TOTAL = ("economy", "The economy")

BRANCHES = (
    ("heavy-industry", "Heavy industry"),
    ("energy-transport", "Energy and transport"),
    ("consumer-goods", "Consumer goods"),
)

ENTERPRISES = (
    ("copper", "Copper company", "heavy-industry", ("copper-mine", "copper-smelter")),
    ("building-materials", "Building materials company", "heavy-industry", ("cement-works", "brick-works")),
    ("power-coal", "Power and coal company", "energy-transport", ("power-station", "coal-mine")),
    ("rail-ports", "Railways and ports", "energy-transport", ("railway", "port")),
    ("textiles", "Textile company", "consumer-goods", ("spinning-mill", "textile-mill")),
    ("food", "Food company", "consumer-goods", ("flour-mill", "cannery")),
)

WATER = ("water", "Water company", "energy-transport")
"""The enterprise of the one plant that is real: the waterworks on the Nile."""

WATERWORKS = ("aswan-waterworks", "Waterworks at Aswan")


class UnitLine(NamedTuple):
    """One unit of the tree: id, title in plain English, level name, parent's id (empty at the top)."""

    unit: str
    title: str
    level: str
    parent: str


def all_works() -> tuple[Works, ...]:
    """Give every simulated plant on paper, in the order of the tree."""
    by_id = {works.id: works for works in (*heavy_industry.PLANTS, *energy_transport.PLANTS, *consumer_goods.PLANTS)}
    return tuple(by_id[plant] for *_, plants in ENTERPRISES for plant in plants)


def room_outline(*, waterworks: bool = False) -> tuple[UnitLine, ...]:
    """Give the tree from the top down, parents before children; `waterworks` adds the Nile at Aswan.

    >>> [line for line in room_outline() if line.level != "plant"][:3]  # doctest: +NORMALIZE_WHITESPACE
    [UnitLine(unit='economy', title='The economy', level='total', parent=''),
     UnitLine(unit='heavy-industry', title='Heavy industry', level='branch', parent='economy'),
     UnitLine(unit='energy-transport', title='Energy and transport', level='branch', parent='economy')]
    """
    titles = {works.id: works.title for works in all_works()}
    enterprises: list[tuple[str, str, str, tuple[str, ...]]] = list(ENTERPRISES)
    if waterworks:
        enterprises.append((*WATER, (WATERWORKS[0],)))
        titles[WATERWORKS[0]] = WATERWORKS[1]
    total, branch, enterprise, plant = LEVELS
    lines = [UnitLine(*TOTAL, total, "")]
    lines += [UnitLine(unit, title, branch, TOTAL[0]) for unit, title in BRANCHES]
    lines += [UnitLine(unit, title, enterprise, parent) for unit, title, parent, _ in enterprises]
    lines += [UnitLine(leaf, titles[leaf], plant, unit) for unit, _, _, plants in enterprises for leaf in plants]
    return tuple(lines)


def recovery_times() -> dict[str, float]:
    """Tell the time that each signal ("plant/signal") may take to recover by itself, in seconds of simulated time."""
    return {f"{works.id}/{row.name}": row.recovery_s for works in all_works() for row in works.indicators}
