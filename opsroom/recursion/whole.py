"""What a whole can do, reckoned from what its parts can do, along its flowchart: never a mean. Pure.

The sum that leaves a chart is made as large as the parts, shares, recipes and stocks allow: in a series the bottleneck decides,
parallel parts add, a share splits, a stock buffers as long as it must last. A better part never makes the whole worse.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from cyberstride.achievement import achieve
from opsroom.recursion.flowchart import Chart
from opsroom.recursion.simplex import most

RAISED = 0.01
"""By how much a part is raised to see what the whole gains: the hundredth part."""

_NOTHING = 1e-9
"""A gain below this share of the whole is none."""


class Amounts(NamedTuple):
    """A whole and how it comes about: what each part gives (in its own unit), what flows, what each stock gives.

    `flows` and `drawn` stand beside the chart's flows, in the units of their sources.
    """

    whole: float
    parts: Mapping[str, float]
    flows: tuple[float, ...]
    drawn: tuple[float, ...]


class Told(NamedTuple):
    """A whole of which some parts may be missing: `value` is `None` when it cannot be told, and lies from `low` to `high`."""

    value: float | None
    low: float
    high: float
    missing: tuple[str, ...]
    held: tuple[str, ...] = ()


class Triple(NamedTuple):
    """Actuality, capability and potentiality of a whole in its measure, `None` where it cannot be told, and the three ratios."""

    actuality: float | None
    capability: float | None
    potentiality: float | None
    productivity: float | None
    latency: float | None
    performance: float | None


def reckon(chart: Chart, can: Mapping[str, float], stocks: Mapping[str, float] | None = None) -> Amounts:
    """Reckon the whole of a chart: `can` is what each part does or can do at most, `stocks` what lies between the parts.

    A part that is not in `can` does nothing; a stock that is not in `stocks` is empty. Nothing negative counts.

    >>> from opsroom.recursion.flowchart import Flow, Part
    >>> mill, loom = "mill/yarn", "loom/cloth"
    >>> chart = Chart(unit="textiles", measure="m/h", parts=(Part(part=mill, worth=0.0), Part(part=loom)),
    ...     flows=(Flow(source=mill, target=loom, product="yarn", per=0.002, stock="loom/yarn"),), horizon_s=8 * 3600.0)
    >>> reckon(chart, {mill: 1.0, loom: 900.0}).whole, reckon(chart, {mill: 1.0, loom: 900.0}, {"loom/yarn": 4.8}).whole
    (500.0, 800.0)
    """
    names = [part.part for part in chart.parts]
    place = {name: number for number, name in enumerate(names)}
    has = [_some(can.get(name, 0.0)) for name in names]
    p, f = len(names), len(chart.flows)
    n = p + 2 * f  # what each part gives, what goes along each flow, what is drawn from each stock
    hours = chart.horizon_s / chart.per_s
    # Everything is reckoned in shares of what its part can do, so that tonnes and metres weigh alike in the tableau.
    size = [amount if amount > 0.0 else 1.0 for amount in has]
    gain = np.zeros(n)
    limits: list[tuple[dict[int, float], float]] = []
    for number, part in enumerate(chart.parts):
        gain[number] = part.worth * size[number]
        limits.append(({number: 1.0}, has[number] / size[number]))
    needs: dict[tuple[str, str], dict[int, float]] = {}
    given: dict[str, dict[int, float]] = {}
    for number, flow in enumerate(chart.flows):
        along, stored = p + number, p + f + number
        source, target = place[flow.source], place[flow.target]
        unit = size[source]
        stock = _some((stocks or {}).get(flow.stock, 0.0)) if flow.stock else 0.0
        limits.append(({stored: 1.0}, stock / hours / unit))
        feed = needs.setdefault((flow.target, flow.product), {target: 1.0})
        for column in (along, stored):
            feed[column] = feed.get(column, 0.0) - unit / flow.per / size[target]
        out = given.setdefault(flow.source, {source: -1.0})
        out[along] = 1.0
        gain[along] -= chart.parts[source].worth * unit
        if flow.share is not None:
            limits.append(({along: 1.0, source: -flow.share}, 0.0))
    limits += [(row, 0.0) for row in (*needs.values(), *given.values())]
    rows = np.zeros((len(limits), n))
    for number, (row, _) in enumerate(limits):
        for column, factor in row.items():
            rows[number, column] += factor
    scale = max(float(np.abs(gain).max(initial=0.0)), 1e-300)
    best = most(gain / scale, rows, np.array([limit for _, limit in limits]))
    x = best.x.tolist()
    flows = [x[p + number] * size[place[flow.source]] for number, flow in enumerate(chart.flows)]
    drawn = [x[p + f + number] * size[place[flow.source]] for number, flow in enumerate(chart.flows)]
    parts = {name: x[number] * size[number] for number, name in enumerate(names)}
    return Amounts(best.value * scale, parts, tuple(flows), tuple(drawn))


def tell(
    chart: Chart, can: Mapping[str, float | None], stocks: Mapping[str, float | None], hold: Mapping[str, float]
) -> Told:
    """Tell the whole when parts may be missing, by the chart's written rule.

    `can` and `stocks` hold `None` for what was not heard for `patience_s`. *unknown*: the whole is reckoned with every missing
    part at nothing and at its best (`hold`: its potentiality), and told when that makes no difference. *nothing*: a missing part
    does nothing. *hold*: its last word counts (`hold`). A missing stock is an empty one.
    """
    missing = tuple(name for name in (part.part for part in chart.parts) if can.get(name) is None)
    there = {name: value for name, value in can.items() if value is not None}
    lying = {name: value for name, value in stocks.items() if value is not None}
    low = reckon(chart, there, lying).whole
    if not missing:
        return Told(low, low, low, ())
    high = reckon(chart, there | {name: hold.get(name, 0.0) for name in missing}, lying).whole
    if chart.missing == "nothing":
        return Told(low, low, low, missing)
    if chart.missing == "hold" and all(name in hold for name in missing):
        return Told(high, high, high, missing, missing)
    known = all(name in hold for name in missing) and high - low <= _NOTHING * max(abs(high), 1e-300)
    return Told(low if known else None, low, high, missing)


def triple(actuality: float | None, capability: float | None, potentiality: float | None) -> Triple:
    """The triple vector of a whole, by Beer's ratios.

    >>> [round(ratio, 2) for ratio in triple(40_000.0, 60_000.0, 100_000.0)[3:]]
    [0.67, 0.6, 0.4]
    """
    three = [math.nan if figure is None else figure for figure in (actuality, capability, potentiality)]
    ratios = achieve(*three)
    told = (_known(float(ratio)) for ratio in (ratios.productivity, ratios.latency, ratios.performance))
    return Triple(actuality, capability, potentiality, *told)


def gains(chart: Chart, can: Mapping[str, float], stocks: Mapping[str, float] | None = None) -> dict[str, float]:
    """What the whole gains, as a share of itself, for each hundredth that a part alone can do more: its elasticity.

    1 is a bottleneck alone in its series, 0 a part with room to spare. Where several hold the whole together none alone gains;
    then each that would lose the whole something counts with what it would lose.
    """
    now = reckon(chart, can, stocks).whole
    if now <= 0.0:
        return dict.fromkeys((part.part for part in chart.parts), 0.0)
    more = {part.part: _changed(chart, can, stocks, now, part.part, 1.0 + RAISED) for part in chart.parts}
    return more if max(more.values(), default=0.0) > 0.0 else losses(chart, can, stocks)


def losses(chart: Chart, can: Mapping[str, float], stocks: Mapping[str, float] | None = None) -> dict[str, float]:
    """What the whole loses, as a share of itself, for each hundredth that a part alone can do less."""
    now = reckon(chart, can, stocks).whole
    if now <= 0.0:
        return dict.fromkeys((part.part for part in chart.parts), 0.0)
    return {part.part: _changed(chart, can, stocks, now, part.part, 1.0 - RAISED) for part in chart.parts}


def bottleneck(gained: Mapping[str, float]) -> str:
    """The part of which a hundredth more gives the whole most; empty when none does. See `idle` for whether it holds others up.

    >>> bottleneck({"mill": 1.0, "loom": 0.0}), bottleneck({"mill": 0.0, "loom": 0.0})
    ('mill', '')
    """
    best = max(gained.values(), default=0.0)
    return next((part for part, gain in gained.items() if gain == best), "") if best > 0.0 else ""


def idle(chart: Chart, can: Mapping[str, float], amounts: Amounts) -> bool:
    """Tell whether some part could do more than the whole has a use for: only then does another one hold it up."""
    for part in chart.parts:
        out = sum(amount for flow, amount in zip(chart.flows, amounts.flows, strict=True) if flow.source == part.part)
        used = amounts.parts[part.part] if part.worth > 0.0 else out
        if used < can.get(part.part, 0.0) * (1.0 - RAISED / 10.0):
            return True
    return False


def held_back(
    chart: Chart,
    does: Mapping[str, float],
    could: Mapping[str, float],
    stocks: Mapping[str, float] | None = None,
    reckoned: Callable[..., Amounts] = reckon,
) -> dict[str, float]:
    """What the whole would gain, in its measure, if each part alone did what it could: who holds it back now."""
    now = reckoned(chart, does, stocks).whole
    raised = {name: max(does.get(name, 0.0), could.get(name, 0.0)) for name in (part.part for part in chart.parts)}
    found = {name: reckoned(chart, {**does, name: best}, stocks).whole - now for name, best in raised.items()}
    return {name: gain if gain > _NOTHING * max(now, 1e-300) else 0.0 for name, gain in found.items()}


def _changed(
    chart: Chart, can: Mapping[str, float], stocks: Mapping[str, float] | None, now: float, part: str, by: float
) -> float:
    other = reckon(chart, {**can, part: can.get(part, 0.0) * by}, stocks).whole
    share = abs(other - now) / now / RAISED
    return share if share > _NOTHING / RAISED else 0.0


def _some(amount: float | None) -> float:
    return amount if amount is not None and math.isfinite(amount) and amount > 0.0 else 0.0


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
