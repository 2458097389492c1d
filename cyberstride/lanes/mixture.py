"""`mixture.evolve`, `priors_over`, `absorb` and `tail`, a block of lanes at once."""

from __future__ import annotations

from typing import Any

from cyberstride.lanes import settings as at
from cyberstride.lanes.arithmetic import LN2, apart, compiled, within
from cyberstride.lanes.memory import load, store
from cyberstride.lanes.powers import raise_rows
from cyberstride.lanes.rows import (
    AHEAD,
    BACK,
    BRANCH_11,
    BRANCH_12,
    BRANCH_22,
    BRANCH_LEVEL,
    BRANCH_SCALE,
    BRANCH_SLOPE,
    DOF,
    EXPECTED,
    FROM,
    HERE,
    INVERSE,
    JOINT,
    KEPT,
    LEVEL,
    LEVEL_NOW,
    LEVEL_SD,
    LIKELY,
    NEW,
    NEW_DOF,
    OLD,
    ORIGIN,
    P_NOW,
    POWER,
    PRIOR,
    SCALE,
    SCALED,
    SLOPE,
    SLOPE_NOW,
    SLOPE_SD,
    SPREAD,
    SURPRISE,
    UNIT,
    UPTO,
    V11,
    V12,
    V22,
    W11,
    W12,
    W22,
    P,
    T,
    Y,
)  # fmt: skip
from cyberstride.lanes.vector import exp2, farther, log2, nearer, root, where
from cyberstride.mixture import _ERFC, _LARGEST, _LEAST_WEIGHT, _LN10, _LONGEST

__all__ = ["absorb", "evolve", "speak", "stay"]

_Z95 = 1.6448536269514722
_Z_FIRST = (_Z95**3 + _Z95) / 4.0
_Z_SECOND = (5 * _Z95**5 + 16 * _Z95**3 + 3 * _Z95) / 96.0
_HAIR = 1.0 + 1e-12
_HALF_ROOT = 0.5**0.5
_E0, _E1, _E2, _E3, _E4, _E5, _E6, _E7, _E8, _E9 = _ERFC


@compiled
def evolve(f: Any, c: Any) -> None:
    """What the time since the last reading does to the variances, and the priors of the regimes after it."""
    apart()
    passed = load(f, T)
    t = nearer(passed, _LONGEST)
    once = nearer(t, 1.0)
    long, on_time = t >= 1.0, t == 1.0
    rise = where(long, t * (t + 1.0) / 2.0, t)
    climb = where(long, t * (t + 1.0) * (2.0 * t + 1.0) / 6.0, t)
    g0, h0 = c[at.LEVELS], c[at.SLOPES]
    for j in range(4):
        g, h = c[at.LEVELS + j] - g0, c[at.SLOPES + j] - h0
        store(f, W11 + j, where(on_time, c[at.ONE_11 + j], (g0 * t + h0 * climb) + (g + h) * once))
        store(f, W12 + j, where(on_time, c[at.ONE_12 + j], h0 * rise + h * once))
        store(f, W22 + j, where(on_time, c[at.ONE_22 + j], h0 * t + h * once))
    on_time = passed == 1.0
    steady, transient = c[at.PRIORS], c[at.PRIORS + 1]
    step = 1.0 - exp2(passed * c[at.LOG_STEP])
    slope = 1.0 - exp2(passed * c[at.LOG_SLOPE])
    still = farther(1.0 - transient - step - slope, steady * (1.0 - step) * (1.0 - slope))
    whole = 1.0 / (((still + transient) + step) + slope)
    store(f, PRIOR, farther(where(on_time, c[at.ONE_PRIORS], still * whole), _LEAST_WEIGHT))
    store(f, PRIOR + 1, farther(where(on_time, c[at.ONE_PRIORS + 1], transient * whole), _LEAST_WEIGHT))
    store(f, PRIOR + 2, farther(where(on_time, c[at.ONE_PRIORS + 2], step * whole), _LEAST_WEIGHT))
    store(f, PRIOR + 3, farther(where(on_time, c[at.ONE_PRIORS + 3], slope * whole), _LEAST_WEIGHT))


@within
def _ahead(f: Any, i: int, t: Any) -> Any:
    """Scale, and variance and covariance of the level before anything is added, of old regime `i`."""
    v12, v22 = load(f, OLD + i + V12), load(f, OLD + i + V22)
    climb = t * v22
    return load(f, OLD + i + SCALE), load(f, OLD + i + V11) + t * (2.0 * v12 + climb), v12 + climb, v22


@within
def _to_steady(f: Any, c: Any, i: int, t: Any, given: Any) -> Any:
    """Work out the branch from old regime `i` into steady; its forecast variance."""
    inverse, kept, scaled = given
    level = load(f, AHEAD + i)
    scale, r11, r12, v22 = _ahead(f, i, t)
    r11 = nearer(r11 + scale * load(f, W11), _LARGEST)
    r12 = r12 + scale * load(f, W12)
    r22 = nearer(v22 + scale * load(f, W22), _LARGEST)
    own = scale * c[at.NOISE]
    e, wide = load(f, Y) - level, r11 + own
    iq = 1.0 / wide
    square = e * e * iq
    store(f, LIKELY + i, 1.0 + square * inverse)
    store(f, JOINT + i, root(iq) * (load(f, OLD + i + P) * load(f, PRIOR)))
    grown = (kept + nearer(square, c[at.CLIP])) * scaled
    a1, a2 = r11 * iq, r12 * iq
    store(f, BRANCH_SCALE + i, 1.0 / farther(scale * grown, c[at.LEAST]))
    store(f, BRANCH_LEVEL + i, level + a1 * e)
    store(f, BRANCH_SLOPE + i, load(f, OLD + i + SLOPE) + a2 * e)
    store(f, BRANCH_11 + i, grown * (own * a1))
    store(f, BRANCH_12 + i, grown * (own * a2))
    store(f, BRANCH_22 + i, grown * (r22 - r12 * a2))
    return wide


@within
def _from_steady(f: Any, c: Any, j: int, t: Any, given: Any, to_noise: float, to_level: float) -> None:
    """Work out the branch from steady into regime `j`, which becomes that regime."""
    inverse, kept, scaled = given
    level = load(f, AHEAD)
    scale, r11, r12, v22 = _ahead(f, 0, t)
    r11 = nearer(r11 + scale * load(f, W11 + j), _LARGEST)
    r12 = r12 + scale * load(f, W12 + j)
    r22 = nearer(v22 + scale * load(f, W22 + j), _LARGEST)
    own = scale * c[at.NOISE + j]
    e = load(f, Y) - level
    own = farther(own, e * e * to_noise - r11)
    r11 = farther(r11, e * e * to_level - own)
    iq = 1.0 / (r11 + own)
    square = e * e * iq
    store(f, LIKELY + 3 + j, 1.0 + square * inverse)
    store(f, JOINT + 3 + j, root(iq) * (load(f, OLD + P) * load(f, PRIOR + j)))
    grown = (kept + nearer(square, c[at.CLIP])) * scaled
    a1, a2 = r11 * iq, r12 * iq
    v11, v12 = grown * (own * a1), grown * (own * a2)
    store(f, NEW + j + LEVEL, level + a1 * e)
    store(f, NEW + j + SLOPE, load(f, OLD + SLOPE) + a2 * e)
    store(f, NEW + j + V11, v11)
    store(f, NEW + j + V12, v12)
    store(f, NEW + j + V22, farther(grown * (r22 - r12 * a2), v12 * v12 / v11 * _HAIR))
    store(f, NEW + j + SCALE, farther(scale * grown, c[at.LEAST]))


@compiled
def absorb(f: Any, c: Any) -> None:
    """The forecast, and the seven branches with at most one event in two readings: all where the last reading was quiet.

    The branches are worked out in loops, through the scratch: written one behind the other they do not fit into the registers
    either, and the code is read faster if there is less of it.
    """
    apart()
    t, dof = nearer(load(f, T), _LONGEST), load(f, DOF)
    kept = c[at.DISCOUNT] * dof
    inverse, power = 1.0 / dof, -0.5 * (dof + 1.0)
    scaled = 1.0 / (kept + 1.0)
    store(f, INVERSE, inverse)
    store(f, KEPT, kept)
    store(f, SCALED, scaled)
    store(f, POWER, power)
    expected = dof * 0.0
    for i in range(4):
        level = load(f, OLD + i + LEVEL) + load(f, OLD + i + SLOPE) * t
        store(f, AHEAD + i, level)
        expected = expected + load(f, OLD + i + P) * level
    store(f, EXPECTED, expected)
    spread, given = dof * 0.0, (inverse, kept, scaled)
    for i in range(4):
        wide, off = _to_steady(f, c, i, t, given), load(f, AHEAD + i) - expected
        spread = spread + load(f, OLD + i + P) * (wide + off * off)
    store(f, SPREAD, spread)
    narrow = 1.0 / (c[at.STRETCH] * c[at.STRETCH])
    for j in range(1, 4):
        _from_steady(f, c, j, t, given, narrow if j == 1 else 0.0, narrow if j == 2 else 0.0)
    raise_rows(f, LIKELY, power)
    _collapse(f)
    store(f, NEW_DOF, kept + 1.0)


@within
def _weight(f: Any, k: int) -> Any:
    return load(f, LIKELY + k) * load(f, JOINT + k)


@within
def _collapse(f: Any) -> None:
    """The weights of the branches, and the four into steady as one."""
    w0, w1, w2, w3 = _weight(f, 0), _weight(f, 1), _weight(f, 2), _weight(f, 3)
    q1, q2, q3 = _weight(f, 4), _weight(f, 5), _weight(f, 6)
    floor = farther(farther(farther(w0, w1), farther(w2, w3)), farther(farther(q1, q2), q3)) * _LEAST_WEIGHT
    w0, w1, w2, w3 = farther(w0, floor), farther(w1, floor), farther(w2, floor), farther(w3, floor)
    q1, q2, q3 = farther(q1, floor), farther(q2, floor), farther(q3, floor)
    p = ((w0 + w1) + w2) + w3
    total = 1.0 / (((p + q1) + q2) + q3)
    store(f, BACK, (((w0 + q1) + q2) + q3) * total)
    store(f, BACK + 1, w1 * total)
    store(f, BACK + 2, w2 * total)
    store(f, BACK + 3, w3 * total)
    store(f, NEW + P, p * total)
    store(f, NEW + 1 + P, q1 * total)
    store(f, NEW + 2 + P, q2 * total)
    store(f, NEW + 3 + P, q3 * total)
    w0, w1 = w0 * load(f, BRANCH_SCALE), w1 * load(f, BRANCH_SCALE + 1)
    w2, w3 = w2 * load(f, BRANCH_SCALE + 2), w3 * load(f, BRANCH_SCALE + 3)
    whole = 1.0 / (((w0 + w1) + w2) + w3)
    w0, w1, w2, w3 = w0 * whole, w1 * whole, w2 * whole, w3 * whole
    store(f, NEW + SCALE, p * whole)
    m0, m1, m2, m3 = (
        load(f, BRANCH_LEVEL), load(f, BRANCH_LEVEL + 1), load(f, BRANCH_LEVEL + 2), load(f, BRANCH_LEVEL + 3),
    )  # fmt: skip
    b0, b1, b2, b3 = (
        load(f, BRANCH_SLOPE), load(f, BRANCH_SLOPE + 1), load(f, BRANCH_SLOPE + 2), load(f, BRANCH_SLOPE + 3),
    )  # fmt: skip
    m = ((w0 * m0 + w1 * m1) + w2 * m2) + w3 * m3
    b = ((w0 * b0 + w1 * b1) + w2 * b2) + w3 * b3
    m0, m1, m2, m3 = m0 - m, m1 - m, m2 - m, m3 - m
    b0, b1, b2, b3 = b0 - b, b1 - b, b2 - b, b3 - b
    v11 = w0 * (load(f, BRANCH_11) + m0 * m0) + w1 * (load(f, BRANCH_11 + 1) + m1 * m1)
    v11 = (v11 + w2 * (load(f, BRANCH_11 + 2) + m2 * m2)) + w3 * (load(f, BRANCH_11 + 3) + m3 * m3)
    v12 = w0 * (load(f, BRANCH_12) + m0 * b0) + w1 * (load(f, BRANCH_12 + 1) + m1 * b1)
    v12 = (v12 + w2 * (load(f, BRANCH_12 + 2) + m2 * b2)) + w3 * (load(f, BRANCH_12 + 3) + m3 * b3)
    v22 = w0 * (load(f, BRANCH_22) + b0 * b0) + w1 * (load(f, BRANCH_22 + 1) + b1 * b1)
    v22 = (v22 + w2 * (load(f, BRANCH_22 + 2) + b2 * b2)) + w3 * (load(f, BRANCH_22 + 3) + b3 * b3)
    store(f, NEW + LEVEL, m)
    store(f, NEW + SLOPE, b)
    store(f, NEW + V11, v11)
    store(f, NEW + V12, v12)
    store(f, NEW + V22, farther(v22, v12 * v12 / v11 * _HAIR))


@compiled
def stay(f: Any) -> None:
    """Where the reading is missing everything stays as it was."""
    apart()
    here = load(f, HERE) == 1.0
    for row in range(28):
        store(f, NEW + row, where(here, load(f, NEW + row), load(f, OLD + row)))
    for i in range(4):
        store(f, BACK + i, where(here, load(f, BACK + i), load(f, OLD + i + P)))
    store(f, NEW_DOF, where(here, load(f, NEW_DOF), load(f, DOF)))


@compiled
def speak(f: Any) -> None:
    """Level, slope, forecast and surprise in the signal's own unit."""
    apart()
    here = load(f, HERE) == 1.0
    p0, p1, p2, p3 = load(f, NEW + P), load(f, NEW + 1 + P), load(f, NEW + 2 + P), load(f, NEW + 3 + P)
    store(f, P_NOW, where(here, p0, load(f, PRIOR)))
    store(f, P_NOW + 1, where(here, p1, load(f, PRIOR + 1)))
    store(f, P_NOW + 2, where(here, p2, load(f, PRIOR + 2)))
    store(f, P_NOW + 3, where(here, p3, load(f, PRIOR + 3)))
    unit, origin = load(f, UNIT), load(f, ORIGIN)
    m0, m1, m2, m3 = (
        load(f, NEW + LEVEL), load(f, NEW + 1 + LEVEL), load(f, NEW + 2 + LEVEL), load(f, NEW + 3 + LEVEL),
    )  # fmt: skip
    level = ((p0 * m0 + p1 * m1) + p2 * m2) + p3 * m3
    m0, m1, m2, m3 = m0 - level, m1 - level, m2 - level, m3 - level
    of_level = p0 * (load(f, NEW + V11) + m0 * m0) + p1 * (load(f, NEW + 1 + V11) + m1 * m1)
    of_level = (of_level + p2 * (load(f, NEW + 2 + V11) + m2 * m2)) + p3 * (load(f, NEW + 3 + V11) + m3 * m3)
    store(f, LEVEL_NOW, origin + level * unit)
    store(f, LEVEL_SD, root(of_level) * unit)
    b0, b1, b2, b3 = (
        load(f, NEW + SLOPE), load(f, NEW + 1 + SLOPE), load(f, NEW + 2 + SLOPE), load(f, NEW + 3 + SLOPE),
    )  # fmt: skip
    slope = ((p0 * b0 + p1 * b1) + p2 * b2) + p3 * b3
    b0, b1, b2, b3 = b0 - slope, b1 - slope, b2 - slope, b3 - slope
    of_slope = p0 * (load(f, NEW + V22) + b0 * b0) + p1 * (load(f, NEW + 1 + V22) + b1 * b1)
    of_slope = (of_slope + p2 * (load(f, NEW + 2 + V22) + b2 * b2)) + p3 * (load(f, NEW + 3 + V22) + b3 * b3)
    store(f, SLOPE_NOW, slope * unit)
    store(f, SLOPE_SD, root(of_slope) * unit)
    spread, expected, inverse, dof = load(f, SPREAD), load(f, EXPECTED), load(f, INVERSE), load(f, DOF)
    half = (_Z95 + inverse * (_Z_FIRST + inverse * _Z_SECOND)) * root(spread)
    store(f, FROM, origin + (expected - half) * unit)
    store(f, UPTO, origin + (expected + half) * unit)
    error = load(f, Y) - expected
    z = root(dof * (log2(1.0 + error * error * inverse / spread) * LN2))
    x = z * (8.0 * dof + 1.0) / (8.0 * dof + 3.0) * _HALF_ROOT
    u = 1.0 / (1.0 + 0.5 * x)
    poly = _E8 + u * _E9
    poly = _E7 + u * poly
    poly = _E6 + u * poly
    poly = _E5 + u * poly
    poly = _E4 + u * poly
    poly = _E3 + u * poly
    poly = _E2 + u * poly
    poly = _E1 + u * poly
    poly = _E0 + u * poly
    surprise = farther((x * x - poly - log2(u) * LN2) / _LN10, 0.0)
    store(f, SURPRISE, where(here, surprise, 0.0))
