"""What room.toml and a calibration say of judging, brought to the lanes of the bank. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cyberstride import DEFAULT, Regimes
from cyberstride import budget as budgets
from cyberstride import judge as judging
from cyberstride import season as seasons
from cyberstride.belief import Belief
from cyberstride.reference import anchor, bound
from cyberstride.regimes import paced
from cyberstride.scales import BOTTOM, NONE, SCALES, judged_in
from opsroom.constitution.judging import AlarmBudget, Judging, SignalSettings, TailSettings
from opsroom.recursion.recursion import Charter

__all__ = [
    "BOTTOM",
    "PLAIN",
    "accounts",
    "afforded",
    "agreed",
    "bounded",
    "prepared",
    "referenced",
    "regimes_for",
    "remembered",
]

Ints = NDArray[np.int64]
Range = tuple[float | None, float | None]
"""The physical range of a signal, in its own unit."""

PLAIN = SignalSettings()
_LARGEST_RATIO, _LARGEST_SLOPE = 1.0, 0.01


def regimes_for(settings: SignalSettings, period_s: float, base: Regimes = DEFAULT) -> Regimes:
    """The regimes of a signal read every `period_s` seconds: paced to the nearest power of two, and as its history says."""
    return remembered(settings, paced(base, 2.0 ** round(np.log2(period_s))))


def remembered(settings: SignalSettings, regimes: Regimes) -> Regimes:
    """The regimes with the ratios and priors that a signal's history has shown, to powers of four."""
    steady = (regimes.level[0], regimes.slope[0])
    ratio = _rounded(settings.level_ratio or 0.0, steady[0], _LARGEST_RATIO)
    slope = _rounded(settings.slope_ratio or 0.0, steady[1], _LARGEST_SLOPE)
    _, transient, step, turn = regimes.priors
    if settings.priors:
        transient, step, turn = (
            _rounded(said, usual / 16.0, 0.2)
            for said, usual in zip(settings.priors[1:], (transient, step, turn), strict=True)
        )
    return regimes._replace(
        priors=(1.0 - transient - step - turn, transient, step, turn),
        level=(ratio, ratio, max(regimes.level[2], ratio), ratio),
        slope=(slope, slope, slope, max(regimes.slope[3], slope)),
    )


def _rounded(value: float, least: float, most: float) -> float:
    """The value at a power of four above `least`, within the bounds."""
    if value <= least:
        return least
    return min(least * 4.0 ** round(float(np.log(value / least)) / float(np.log(4.0))), most)


def prepared(
    state: judging.State,
    lane: int,
    settings: SignalSettings,
    period_s: float,
    limits: Range = (None, None),
) -> tuple[judging.State, int]:
    """The state in which the signal at `lane` has its season, reference and range; and the code of its scale."""
    rows = np.array([lane])
    code = SCALES.index(settings.transform)
    period = settings.sampling_s or period_s
    fits = [k for k, length in enumerate(settings.seasons_s) if length >= 3 * period]
    state = judging.seasonal(state, rows, [settings.seasons_s[k] for k in fits], sampling=period)
    if fits and settings.patterns:
        (group,) = (part for part in state.seasons if lane in part.lanes)
        place = np.flatnonzero(group.lanes == lane)
        for number, k in enumerate(fits):
            seasons.prime(group.season, place, number, settings.patterns[k], settings.pattern_variances[k])
    bounded(state.belief, [lane], [code], [limits])
    referenced(state.belief, lane, settings)
    return state, code


def bounded(belief: Belief, lanes: Sequence[int], scales: Sequence[int], ranges: Sequence[Range]) -> None:
    """Set the physical ranges of signals, **in place**; in the scales they are judged in, None where there is no end."""
    ends = [_ends(code, *limits) for code, limits in zip(scales, ranges, strict=True)]
    low, high = np.array(ends, np.float64).reshape(-1, 2).T
    bound(belief, np.array(lanes, np.int64), low, high)


def _ends(code: int, low: float | None, high: float | None) -> tuple[float, float]:
    low, high = -np.inf if low is None else low, np.inf if high is None else high
    if code == NONE:
        return low, high
    # Outside of every range lies what the scale cannot hold.
    scale = np.array([code], np.int8)
    low, high = (float(judged_in(scale, [end])[0]) if end > 0 else BOTTOM for end in (low, high))
    return low, high


def referenced(belief: Belief, lane: int, settings: SignalSettings) -> None:
    """Freeze the normal that a history has shown as the signal's reference, **in place**; in the scale it is judged in."""
    if settings.centre is None or settings.spread is None:
        return
    scale = np.array([SCALES.index(settings.transform)], np.int8)
    centre, spread = settings.centre, settings.spread
    if scale[0] != NONE:
        above, below = (float(judged_in(scale, [max(centre + k * spread, 0.05 * centre)])[0]) for k in (1, -1))
        centre, spread = float(judged_in(scale, [centre])[0]), max(0.5 * (above - below), 1e-12)
    _freeze(belief, lane, centre, spread)


def agreed(belief: Belief, lane: int, scale: int, low: float, high: float) -> bool:
    """Freeze an agreed interval as the signal's reference, **in place**: its middle, and a sixth of its width as the spread.

    Tells whether it was another one before.
    """
    low, high = (float(judged_in(np.array([scale], np.int8), [end])[0]) for end in (low, high))
    if scale != NONE and low < BOTTOM:
        low = high - 1.0
    return _freeze(belief, lane, (low + high) / 2, (high - low) / 6)


def _freeze(belief: Belief, lane: int, centre: float, spread: float) -> bool:
    """Set a reference, unless it is that already: what was gathered against it goes on then."""
    other = tuple(belief.reference[lane, :3]) != (centre, spread, np.inf)
    if other:
        anchor(belief, np.array([lane]), np.array([centre]), np.array([spread]))
    return other


def accounts(charter: Charter, rules: Sequence[AlarmBudget], plants: Sequence[str]) -> dict[str, int]:
    """Which budget each plant's signals spend: that of the nearest unit above it; plants without one are left out."""
    root = next((unit.id for unit in charter.units if not unit.parent), "")
    by_unit = {rule.unit or charter.council.unit or root: number for number, rule in enumerate(rules)}
    parent = {unit.id: unit.parent for unit in charter.units}
    found = {}
    for plant in plants:
        unit = plant if plant in parent else charter.unassigned or root
        while unit and unit not in by_unit:
            unit = parent.get(unit, "")
        if unit:
            found[plant] = by_unit[unit]
    return found


def afforded(
    budget: budgets.Budget,
    lanes: Ints,
    keys: Sequence[str],
    per_day: float,
    readings_a_day: float,
    said: Judging,
) -> None:
    """Let the signals `lanes` share `per_day` false episodes over their `readings_a_day`, **in place**."""
    by_tails: dict[int, tuple[TailSettings | None, list[int]]] = {}
    for lane, key in zip(lanes.tolist(), keys, strict=True):
        tails = said.tails.get(key)
        by_tails.setdefault(id(tails), (tails, []))[1].append(lane)
    names: Mapping[int, str] = dict(zip(lanes.tolist(), keys, strict=True))
    for tails, rows in by_tails.values():
        at = np.array(rows)
        if tails is None:
            budgets.afford(budget, at, per_day / readings_a_day)
            continue
        start, width = (
            np.array([getattr(said.signals[names[lane]], field) for lane in rows])
            for field in ("tail_start", "tail_width")
        )
        shared = budgets.Tails(start, width, np.array(tails.shape), np.array(tails.scores), np.array(tails.rates))
        budgets.afford(budget, at, per_day / readings_a_day, shared)
        young = budget.known[at] == 0
        if young.any():
            budgets.prime(budget, at[young], shared._replace(start=start[young], width=width[young]))
