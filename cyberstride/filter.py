"""One step of the multi-process filter for all signals at once: the readable reference."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cyberstride.belief import RUNNING, Belief, put, take
from cyberstride.mixture import Mixed, absorb, evolve, priors_over, sum4, tail
from cyberstride.regimes import DEFAULT, Regimes
from cyberstride.verdict import NOT_YET, STEADY, SUSPECTED, Verdicts
from cyberstride.warmup import collect

__all__ = ["step"]

Floats = NDArray[np.float64]

_FARTHEST = 2.0**60


def step(belief: Belief, values: ArrayLike, elapsed: ArrayLike, regimes: Regimes = DEFAULT) -> tuple[Belief, Verdicts]:
    """Absorb one reading of every signal and say what happened.

    `values` (n,): the readings in their own units; NaN or an infinity is a missing reading, which only predicts.
    `elapsed` (n,): nominal periods since the previous call for that signal (1.0 = on time; negative counts as 0,
    NaN as 1). Pure: `belief` is not changed. The bits of a verdict depend on that signal alone.
    """
    n = len(belief.seen)
    x = np.broadcast_to(np.asarray(values, dtype=np.float64), (n,))
    t = np.broadcast_to(np.asarray(elapsed, dtype=np.float64), (n,))
    x = np.where(np.isfinite(x), x, np.nan)
    t = np.where(np.isnan(t), 1.0, np.clip(t, 0.0, 1e6))
    running = belief.phase == RUNNING
    if running.all():
        return _judge(belief, x, t, regimes)
    after = take(belief, np.arange(n))
    verdicts = _not_yet(belief)
    rows = np.flatnonzero(~running)
    put(after, rows, collect(take(belief, rows), x[rows], t[rows], regimes))
    rows = np.flatnonzero(running)
    if len(rows):
        part, judged = _judge(take(belief, rows), x[rows], t[rows], regimes)
        put(after, rows, part)
        for column, new in zip(verdicts, judged, strict=True):
            column[rows] = new
    return after, verdicts


def _not_yet(belief: Belief) -> Verdicts:
    n = len(belief.seen)
    unknown, zero = np.full(n, np.nan), np.zeros(n)
    p = np.zeros((n, 4))
    p[:, 0] = 1.0
    return Verdicts(
        p_now=p,
        p_back=p.copy(),
        named=np.full(n, NOT_YET, np.int8),
        announced=np.zeros(n, np.bool_),
        onset_back=np.full(n, -1, np.int32),
        sure=zero,
        level=unknown.copy(),
        level_sd=unknown.copy(),
        slope=unknown.copy(),
        slope_sd=unknown.copy(),
        low=unknown.copy(),
        high=unknown.copy(),
        surprise=zero.copy(),
        size=unknown.copy(),
        size_low=unknown.copy(),
        size_high=unknown.copy(),
        news=zero.copy(),
        wrong=zero.copy(),
        centre=unknown.copy(),
        spread=unknown.copy(),
    )


def _mixed(belief: Belief) -> Mixed:
    cov = np.ascontiguousarray(np.moveaxis(belief.cov, 0, 2))
    columns = (np.ascontiguousarray(a.T) for a in (belief.p, belief.level, belief.slope))
    p, level, slope = columns
    return Mixed(p, level, slope, (cov[0], cov[1], cov[2]), np.ascontiguousarray(belief.scale.T), belief.dof)


def quantile95(dof: Floats) -> Floats:
    """The 95 % quantile of Student's t, by the expansion of Fisher & Cornish; to 1 % from three degrees of freedom."""
    z = 1.6448536269514722
    inverse = 1.0 / dof
    first = (z**3 + z) / 4.0
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96.0
    return z + inverse * (first + inverse * second)


def _judge(belief: Belief, x: Floats, elapsed: Floats, regimes: Regimes) -> tuple[Belief, Verdicts]:
    missing = np.isnan(x)
    t = belief.gap + elapsed
    z = np.clip((x - belief.origin) / belief.unit, -_FARTHEST, _FARTHEST)

    state = _mixed(belief)
    ahead = evolve(state, t, regimes)
    prior = priors_over(t, regimes)
    expected = sum4(state.p * ahead.level[:, 0])
    off = ahead.level[:, 0] - expected
    spread = sum4(state.p * (ahead.spread[:, 0] + off * off))
    half = quantile95(state.dof) * np.sqrt(spread)

    y = np.where(missing, expected, z)
    new, joint = absorb(state, ahead, prior, y, regimes)
    p_now = np.where(missing, prior, new.p)
    p_back = np.where(missing, state.p, sum4(joint.transpose(1, 0, 2)))

    keep = missing
    new = Mixed(
        np.where(keep, state.p, new.p),
        np.where(keep, state.level, new.level),
        np.where(keep, state.slope, new.slope),
        (
            np.where(keep, state.cov[0], new.cov[0]),
            np.where(keep, state.cov[1], new.cov[1]),
            np.where(keep, state.cov[2], new.cov[2]),
        ),
        np.where(keep, state.scale, new.scale),
        np.where(keep, state.dof, new.dof),
    )
    level, slope = sum4(new.p * new.level), sum4(new.p * new.slope)
    dm, db = new.level - level, new.slope - slope
    level_sd = np.sqrt(sum4(new.p * (new.cov[0] + dm * dm)))
    slope_sd = np.sqrt(sum4(new.p * (new.cov[2] + db * db)))

    # The name: suspected at the reading, named once the next reading has told a step from a transient.
    kind = np.argmax(p_back, axis=0)
    told = (p_back.max(axis=0) > 0.8) & (kind > 0) & ~missing
    doubt = (p_now[0] < 0.5) & ~missing
    named = np.where(told, kind + SUSPECTED, np.where(doubt, SUSPECTED, STEADY)).astype(np.int8)
    fresh = (named != belief.named) & (named > STEADY)
    onset = np.where(told, 1, np.where(doubt, 0, -1)).astype(np.int32)
    unit = belief.unit
    moved = (level - sum4(state.p * state.level)) * unit
    size = np.where(told | doubt, moved, np.nan)

    after = belief._replace(
        seen=belief.seen + ~missing,
        gap=np.where(missing, t, 0.0),
        p=np.ascontiguousarray(new.p.T),
        level=np.ascontiguousarray(new.level.T),
        slope=np.ascontiguousarray(new.slope.T),
        cov=np.ascontiguousarray(np.moveaxis(np.stack(new.cov), 2, 0)),
        scale=np.ascontiguousarray(new.scale.T),
        dof=new.dof,
        named=named,
        onset=onset,
    )
    verdicts = Verdicts(
        p_now=np.ascontiguousarray(p_now.T),
        p_back=np.ascontiguousarray(p_back.T),
        named=named,
        announced=fresh,
        onset_back=onset,
        sure=np.where(told, p_back.max(axis=0), 1.0 - p_now[0]),
        level=belief.origin + level * unit,
        level_sd=level_sd * unit,
        slope=slope * unit,
        slope_sd=slope_sd * unit,
        low=belief.origin + (expected - half) * unit,
        high=belief.origin + (expected + half) * unit,
        surprise=np.where(missing, 0.0, tail(y - expected, spread, state.dof)),
        size=size,
        size_low=size - 1.645 * level_sd * unit,
        size_high=size + 1.645 * level_sd * unit,
        news=np.where(missing, 0.0, 1.0 - p_now[0]),
        wrong=np.zeros_like(level),
        centre=np.full_like(level, np.nan),
        spread=np.full_like(level, np.nan),
    )
    return after, verdicts
