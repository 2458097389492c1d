"""The simulated economy as quantified flowcharts: who feeds whom with how much, in plain tables, as a `room.toml` writes them.

Every figure follows from the plants on paper and the routes between them; only the prices, by which branches add what cannot be
added otherwise, are invented here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulators.economy import PORT, POWER_STATION, RAILWAY, ROUTES
from simulators.factory import Works
from simulators.outline import BRANCHES, ENTERPRISES, TOTAL, all_works

Row = dict[str, Any]

WORTH_OF_A_CAN = 0.000425
"""Tonnes of food in a can."""

PRICES: Mapping[str, float] = {
    "copper": 12.0,
    "building-materials": 0.9,
    "power-coal": 0.35,
    "rail-ports": 0.06,
    "textiles": 0.011,
    "food": 3.2,
}
"""Thousand escudos for one unit of what each enterprise gives: a tonne, a megawatt-hour, a metre."""

MONEY = "kEsc/h"

MEASURES = {
    "copper": ("t/h", "Copper cast"),
    "building-materials": ("t/h", "Cement and bricks"),
    "power-coal": ("MW", "Power generated"),
    "rail-ports": ("t/h", "Goods moved"),
    "textiles": ("m/h", "Cloth woven"),
    "food": ("t/h", "Food made"),
}


def production(works: Works) -> str:
    """The signal that stands for a plant: what it produces.

    >>> production(all_works()[0])
    'copper-mine/concentrate'
    """
    return f"{works.id}/{works.indicators[0].name}"


def charts(period: str = "1 min") -> dict[str, list[Row]]:
    """Tell the tables `chart`, `part` and `flow` of the whole economy, each whole told every `period`.

    >>> tables = charts()
    >>> [row["unit"] for row in tables["chart"]][:2], len(tables["part"])
    (['copper', 'building-materials'], 21)
    """
    listed = {works.id: works for works in all_works()}
    rows: dict[str, list[Row]] = {"chart": [], "part": [], "flow": []}
    for enterprise, _, _, plants in ENTERPRISES:
        measure, title = MEASURES[enterprise]
        rows["chart"].append({"unit": enterprise, "measure": measure, "title": title, "period": period})
        for plant in plants:
            worth = {"cannery": WORTH_OF_A_CAN}.get(plant, 0.0 if _feeds(plant, plants) else 1.0)
            rows["part"].append({"chart": enterprise, "part": production(listed[plant]), "worth": worth})
    for branch, title in BRANCHES:
        rows["chart"].append({"unit": branch, "measure": MONEY, "title": f"{title}, in money", "period": period})
        for enterprise, _, parent, _ in ENTERPRISES:
            if parent == branch:
                rows["part"].append({"chart": branch, "part": enterprise, "worth": PRICES[enterprise]})
    total = TOTAL[0]
    rows["chart"].append({"unit": total, "measure": MONEY, "title": "What the economy gives", "period": period})
    rows["part"] += [{"chart": total, "part": branch, "worth": 1.0} for branch, _ in BRANCHES]
    for target in ("heavy-industry", "consumer-goods"):
        each = _energy_and_transport(target) / _value(target)
        rows["flow"].append(
            {"from": "energy-transport", "to": target, "product": "power and transport", "per": round(each, 5)}
        )
    rows["flow"] += _routes(listed)
    return rows


def _feeds(plant: str, others: tuple[str, ...]) -> bool:
    return any(route.source == plant and route.target in others for route in ROUTES)


def _routes(listed: Mapping[str, Works]) -> list[Row]:
    """What moves between plants: goods by the routes, power by wire, and the trains that carry the goods."""
    rows = []
    for route in ROUTES:
        source, target = listed[route.source], listed[route.target]
        stock = next((row.name for row in target.indicators if row.gauge == f"stock:{route.product}"), "")
        rows.append(
            {
                "from": production(source),
                "to": production(target),
                "product": route.product,
                "per": target.uses[route.product],
                "stock": f"{target.id}/{stock}" if stock else None,
                "delay": f"{route.transit_s:g} s",
            }
        )
    station, railway = listed[POWER_STATION], listed[RAILWAY]
    for works in listed.values():
        if works.power_mw:
            each = round(works.power_mw / works.normal, 8)
            rows.append({"from": production(station), "to": production(works), "product": "power", "per": each})
    for target_id in dict.fromkeys(route.target for route in ROUTES if RAILWAY not in (route.source, route.target)):
        target = listed[target_id]
        tonnes = sum(target.uses[route.product] for route in ROUTES if route.target == target_id)
        rows.append(
            {"from": production(railway), "to": production(target), "product": "trains", "per": round(tonnes, 8)}
        )
    return rows


def _value(branch: str) -> float:
    """What a branch gives when all is well, in money."""
    listed = {works.id: works for works in all_works()}
    value = 0.0
    for enterprise, _, parent, plants in ENTERPRISES:
        if parent == branch:
            for plant in plants:
                worth = {"cannery": WORTH_OF_A_CAN}.get(plant, 0.0 if _feeds(plant, plants) else 1.0)
                value += PRICES[enterprise] * worth * listed[plant].normal
    return value


def _energy_and_transport(branch: str) -> float:
    """What a branch takes of power, trains and quays when all is well, in money."""
    mine = {plant for _, _, parent, plants in ENTERPRISES if parent == branch for plant in plants}
    listed = {works.id: works for works in all_works()}
    power = sum(listed[plant].power_mw for plant in mine) * PRICES["power-coal"]
    moved = sum(
        listed[route.target].normal * listed[route.target].uses[route.product] * (2.0 if route.source == PORT else 1.0)
        for route in ROUTES
        if route.target in mine
    )
    return power + moved * PRICES["rail-ports"]
