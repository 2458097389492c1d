"""One step of the multi-process filter for all signals at once: the readable reference."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cyberstride.belief import FLAT, RUNNING, Belief, newborn, put, take
from cyberstride.columns import columns
from cyberstride.evidence import weigh
from cyberstride.mixture import Mixed, absorb, evolve, priors_over, sum4, tail
from cyberstride.naming import begin_anew, name, push, unnamed, watch
from cyberstride.reference import away, learn
from cyberstride.regimes import DEFAULT, Regimes
from cyberstride.verdict import NOT_YET, OUT_OF_RANGE, STEADY, STUCK, VARIANCE, Verdicts
from cyberstride.warmup import collect, early, remember, wake

__all__ = ["blank", "first_readings", "step"]

Floats = NDArray[np.float64]

_FARTHEST = 2.0**60
_LARGEST_READING = 1e300
_Z95 = 1.6448536269514722


def step(belief: Belief, values: ArrayLike, elapsed: ArrayLike, regimes: Regimes = DEFAULT) -> tuple[Belief, Verdicts]:
    """Absorb one reading of every signal and say what happened.

    `values` (n,): the readings in their own units; NaN, an infinity or anything beyond 1e300 is a missing reading,
    which only predicts.
    `elapsed` (n,): nominal periods since the previous call for that signal (1.0 = on time; negative counts as 0,
    NaN as 1). Pure: `belief` is not changed. The bits of a verdict depend on that signal alone.
    """
    n = len(belief.seen)
    x, t = readable(np.broadcast_to(values, (n,)), np.broadcast_to(elapsed, (n,)))
    impossible = (x < belief.limits[:, 0]) | (x > belief.limits[:, 1])
    if impossible.any():
        after, verdicts = _advance(belief, np.where(impossible, np.nan, x), t, regimes)
        return _out_of_range(belief, after, verdicts, x, impossible)
    return _advance(belief, x, t, regimes)


def readable(values: ArrayLike, elapsed: ArrayLike) -> tuple[Floats, Floats]:
    """Readings and the periods since those before, with what is none of them put right as `step` says."""
    x, t = np.asarray(values, dtype=np.float64), np.asarray(elapsed, dtype=np.float64)
    return np.where(np.abs(x) <= _LARGEST_READING, x, np.nan), np.where(np.isnan(t), 1.0, np.clip(t, 0.0, 1e6))


def first_readings(belief: Belief, rows: NDArray[np.int64], values: Floats, elapsed: Floats) -> NDArray[np.bool_]:
    """Take the readings (m,) of those signals `rows` that still collect their first ones, **in place**; tells which these were.

    Of each of them `step` would change no more, and its verdict would be `blank`.
    """
    x, t = readable(values, elapsed)
    possible: NDArray[np.bool_] = ~((x < belief.limits[rows, 0]) | (x > belief.limits[rows, 1]))
    young = early(belief, rows) & possible
    if young.any():
        remember(belief, rows[young], x[young], t[young])
        belief.named[rows[young]] = NOT_YET
    return young


def _out_of_range(
    before: Belief, after: Belief, verdicts: Verdicts, x: Floats, impossible: NDArray[np.bool_]
) -> tuple[Belief, Verdicts]:
    """Name the `impossible` readings, which the filter took for missing."""
    first = before.named != OUT_OF_RANGE
    named = np.where(impossible, OUT_OF_RANGE, verdicts.named).astype(np.int8)
    onset = np.where(impossible, np.where(first, 0, before.onset + 1), verdicts.onset_back).astype(np.int32)
    beyond = np.where(x > before.limits[:, 1], x - before.limits[:, 1], x - before.limits[:, 0])
    size = np.where(impossible, beyond, verdicts.size)
    # What is known of the others is theirs: it need not be what the verdict on them says.
    kept = np.where(impossible, named, after.named).astype(np.int8)
    since = np.where(impossible, onset, after.onset).astype(np.int32)
    return after._replace(named=kept, onset=since), verdicts._replace(
        named=named,
        announced=np.where(impossible, first, verdicts.announced),
        onset_back=onset,
        sure=np.where(impossible, 1.0, verdicts.sure),
        size=size,
        size_low=np.where(impossible, beyond, verdicts.size_low),
        size_high=np.where(impossible, beyond, verdicts.size_high),
        news=np.where(impossible & first, 1.0, verdicts.news),
        wrong=np.where(impossible, 1.0, verdicts.wrong),
    )


def _advance(belief: Belief, x: Floats, t: Floats, regimes: Regimes) -> tuple[Belief, Verdicts]:
    n = len(belief.seen)
    roused = np.flatnonzero((belief.phase == FLAT) & ~np.isnan(x) & (x != belief.window[:, -1]))
    if len(roused):
        part = wake(take(belief, roused), np.arange(len(roused)), x[roused], regimes)
        belief = put(take(belief, np.arange(n)), roused, part)
    running = belief.phase == RUNNING
    if running.all():
        return _judge(belief, x, t, regimes)
    after = take(belief, np.arange(n))
    rows = np.flatnonzero(~running)
    put(after, rows, collect(take(belief, rows), x[rows], t[rows], regimes))
    verdicts = _not_yet(after)
    rows = np.flatnonzero(running)
    if len(rows):
        part, judged = _judge(take(belief, rows), x[rows], t[rows], regimes)
        put(after, rows, part)
        columns: list[tuple[NDArray[Any], NDArray[Any]]] = list(zip(verdicts, judged, strict=True))
        for column, new in columns:
            column[rows] = new
    return after, verdicts


_COLUMNS: dict[str, tuple[tuple[int, ...], str]] = dict.fromkeys(Verdicts._fields, ((), "f8")) | {
    "p_now": ((4,), "f8"),
    "p_back": ((4,), "f8"),
    "named": ((), "i1"),
    "announced": ((), "?"),
    "onset_back": ((), "i4"),
}


def blank(n: int) -> Verdicts:
    """Room for the verdicts on `n` signals."""
    room = Verdicts(**columns(_COLUMNS, n))
    arrays: list[NDArray[Any]] = list(room)
    for array, nothing in zip(arrays, _not_yet(newborn(1)), strict=True):
        array[...] = nothing
    return room


def _not_yet(belief: Belief) -> Verdicts:
    """The verdicts on signals that do not run: not yet, or steady at the one value they ever had."""
    n = len(belief.seen)
    flat = belief.phase == FLAT
    value = np.where(flat, belief.window[:, -1], np.nan)
    nothing = np.where(flat, 0.0, np.nan)
    unknown, zero = np.full(n, np.nan), np.zeros(n)
    p = np.zeros((4, n)).T
    p[:, 0] = 1.0
    return Verdicts(
        p_now=p,
        p_back=p.copy(order="K"),
        named=np.where(flat, STEADY, NOT_YET).astype(np.int8),
        announced=np.zeros(n, np.bool_),
        onset_back=np.full(n, -1, np.int32),
        sure=zero.copy(),
        level=value.copy(),
        level_sd=nothing.copy(),
        slope=nothing.copy(),
        slope_sd=nothing.copy(),
        low=value.copy(),
        high=value.copy(),
        surprise=zero.copy(),
        size=unknown.copy(),
        size_low=unknown.copy(),
        size_high=unknown.copy(),
        news=zero.copy(),
        wrong=zero.copy(),
        centre=unknown.copy(),
        spread=unknown.copy(),
    )


def mixed(belief: Belief) -> Mixed:
    cov = np.ascontiguousarray(np.moveaxis(belief.cov, 0, 2))
    columns = (np.ascontiguousarray(a.T) for a in (belief.p, belief.level, belief.slope))
    p, level, slope = columns
    return Mixed(p, level, slope, (cov[0], cov[1], cov[2]), np.ascontiguousarray(belief.scale.T), belief.dof)


def _where(here: NDArray[np.bool_], new: Mixed, old: Mixed) -> Mixed:
    return Mixed(
        p=np.where(here, new.p, old.p),
        level=np.where(here, new.level, old.level),
        slope=np.where(here, new.slope, old.slope),
        cov=(
            np.where(here, new.cov[0], old.cov[0]),
            np.where(here, new.cov[1], old.cov[1]),
            np.where(here, new.cov[2], old.cov[2]),
        ),
        scale=np.where(here, new.scale, old.scale),
        dof=np.where(here, new.dof, old.dof),
    )


def quantile95(dof: Floats) -> Floats:
    """The 95 % quantile of Student's t, by the expansion of Fisher & Cornish; to 1 % from three degrees of freedom."""
    z = _Z95
    inverse = 1.0 / dof
    first = (z**3 + z) / 4.0
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96.0
    return z + inverse * (first + inverse * second)


def _judge(belief: Belief, x: Floats, elapsed: Floats, regimes: Regimes) -> tuple[Belief, Verdicts]:
    missing = np.isnan(x)
    here = ~missing
    t = belief.gap + elapsed
    z = np.clip((x - belief.origin) / belief.unit, -_FARTHEST, _FARTHEST)

    state = mixed(belief)
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

    if missing.any():
        new = _where(here, new, state)
    level, slope = sum4(new.p * new.level), sum4(new.p * new.slope)
    dm, db = new.level - level, new.slope - slope
    level_sd = np.sqrt(sum4(new.p * (new.cov[0] + dm * dm)))
    slope_sd = np.sqrt(sum4(new.p * (new.cov[2] + db * db)))

    settled, moved = push(belief, y, t, here, regimes)
    moved = moved._replace(scale=np.ascontiguousarray(new.scale.T), dof=new.dof)
    if regimes.naming:
        z_window, lapses = np.ascontiguousarray(moved.window.T), np.ascontiguousarray(moved.lapse.T)
        weighed = weigh(settled, z_window, lapses, np.ascontiguousarray(moved.live.T * 1.0), regimes)
        names = name(moved, weighed, here, regimes)
        settled, moved = begin_anew(settled, moved, names, regimes)
        moved, settled, names = watch(moved, settled, names, here, regimes)
        # What stands still says nothing of the noise.
        still = names.named == STUCK
        moved = moved._replace(
            scale=np.where(still[:, None], belief.scale, moved.scale), dof=np.where(still, belief.dof, moved.dof)
        )
        settled = settled._replace(
            noise=np.where(still, belief.settled[:, 5], settled.noise),
            dof=np.where(still, belief.settled[:, 6], settled.dof),
        )
    else:
        names = unnamed(moved, here)
    reference = learn(belief.reference, x, belief.unit, names.named, here, regimes)
    smooth, wrong = away(reference, x, settled.rho, here, regimes)
    reference[:, 4] = smooth
    frozen = reference[:, 5] == 1.0
    unit = belief.unit
    # The size of another variance is a ratio of standard deviations; every other size has the signal's unit.
    size_unit = np.where(names.named > STEADY, np.where(names.named == VARIANCE, 1.0, unit), np.nan)
    size, size_sd = names.event[:, 0] * size_unit, names.event[:, 1] * size_unit

    after = moved._replace(
        seen=belief.seen + here,
        gap=np.where(missing, t, 0.0),
        p=np.ascontiguousarray(new.p.T),
        level=np.ascontiguousarray(new.level.T),
        slope=np.ascontiguousarray(new.slope.T),
        cov=np.ascontiguousarray(np.moveaxis(np.stack(new.cov), 2, 0)),
        settled=np.stack(settled, axis=1),
        named=names.named,
        onset=names.onset,
        standing=names.standing,
        event=names.event,
        reference=reference,
    )
    verdicts = Verdicts(
        p_now=np.ascontiguousarray(p_now.T),
        p_back=np.ascontiguousarray(p_back.T),
        named=names.named,
        announced=names.announced,
        onset_back=names.onset,
        sure=np.clip(names.event[:, 2], 0.0, 1.0),
        level=belief.origin + level * unit,
        level_sd=level_sd * unit,
        slope=slope * unit,
        slope_sd=slope_sd * unit,
        low=belief.origin + (expected - half) * unit,
        high=belief.origin + (expected + half) * unit,
        surprise=np.where(missing, 0.0, tail(y - expected, spread, state.dof)),
        size=size,
        size_low=size - _Z95 * size_sd,
        size_high=size + _Z95 * size_sd,
        news=names.news,
        wrong=wrong,
        centre=np.where(frozen, reference[:, 0], np.nan),
        spread=np.where(frozen, reference[:, 1], np.nan),
    )
    return after, verdicts
