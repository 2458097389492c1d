"""`mixture.evolve`, `priors_over`, `absorb` and `tail`, a block of lanes at once."""

from __future__ import annotations

from typing import Any

from cyberstride.lanes import settings as at
from cyberstride.lanes.arithmetic import LN2, apart, compiled, within
from cyberstride.lanes.memory import load, store
from cyberstride.lanes.rows import (
    AHEAD,
    BACK,
    DOF,
    EXPECTED,
    FROM,
    HERE,
    INVERSE,
    KEPT,
    LEVEL,
    LEVEL_NOW,
    LEVEL_SD,
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
def _weighed(e: Any, r11: Any, own: Any, joint: Any, inverse: Any, power: Any) -> Any:
    """Weight of a branch, its squared standardised error, one over its forecast variance."""
    iq = 1.0 / (r11 + own)
    square = e * e * iq
    return exp2(power * log2(1.0 + square * inverse)) * root(iq) * joint, square, iq


@within
def _to_steady(f: Any, c: Any, i: int, level: Any, t: Any, y: Any, given: Any) -> Any:
    """The branch from old regime `i` into steady: weight, share, level, slope, covariances; and its forecast variance."""
    inverse, power, kept, scaled = given
    scale, r11, r12, v22 = _ahead(f, i, t)
    r11 = nearer(r11 + scale * load(f, W11), _LARGEST)
    r12 = r12 + scale * load(f, W12)
    r22 = nearer(v22 + scale * load(f, W22), _LARGEST)
    own = scale * c[at.NOISE]
    e = y - level
    w, square, iq = _weighed(e, r11, own, load(f, OLD + i + P) * load(f, PRIOR), inverse, power)
    grown = (kept + nearer(square, c[at.CLIP])) * scaled
    a1, a2 = r11 * iq, r12 * iq
    over = 1.0 / farther(scale * grown, c[at.LEAST])
    m, b = level + a1 * e, load(f, OLD + i + SLOPE) + a2 * e
    return w, over, m, b, grown * (own * a1), grown * (own * a2), grown * (r22 - r12 * a2), r11 + own


@within
def _from_steady(
    f: Any, c: Any, j: int, start: Any, y: Any, level: Any, given: Any, to_noise: float, to_level: float
) -> Any:
    """The branch from steady into regime `j`, which becomes that regime; gives its weight."""
    inverse, power, kept, scaled = given
    scale, r11, r12, v22 = start
    r11 = nearer(r11 + scale * load(f, W11 + j), _LARGEST)
    r12 = r12 + scale * load(f, W12 + j)
    r22 = nearer(v22 + scale * load(f, W22 + j), _LARGEST)
    own = scale * c[at.NOISE + j]
    e = y - level
    if to_noise > 0.0:
        own = farther(own, e * e * to_noise - r11)
    if to_level > 0.0:
        r11 = farther(r11, e * e * to_level - own)
    w, square, iq = _weighed(e, r11, own, load(f, OLD + P) * load(f, PRIOR + j), inverse, power)
    grown = (kept + nearer(square, c[at.CLIP])) * scaled
    a1, a2 = r11 * iq, r12 * iq
    v11, v12 = grown * (own * a1), grown * (own * a2)
    store(f, NEW + j + LEVEL, level + a1 * e)
    store(f, NEW + j + SLOPE, load(f, OLD + SLOPE) + a2 * e)
    store(f, NEW + j + V11, v11)
    store(f, NEW + j + V12, v12)
    store(f, NEW + j + V22, farther(grown * (r22 - r12 * a2), v12 * v12 / v11 * _HAIR))
    store(f, NEW + j + SCALE, farther(scale * grown, c[at.LEAST]))
    return w


@compiled
def absorb(f: Any, c: Any) -> None:
    """The forecast, and the seven branches with at most one event in two readings: all where the last reading was quiet."""
    apart()
    t, y, dof = nearer(load(f, T), _LONGEST), load(f, Y), load(f, DOF)
    kept = c[at.DISCOUNT] * dof
    inverse, power = 1.0 / dof, -0.5 * (dof + 1.0)
    scaled = 1.0 / (kept + 1.0)
    store(f, INVERSE, inverse)
    store(f, KEPT, kept)
    store(f, SCALED, scaled)
    store(f, POWER, power)
    given = (inverse, power, kept, scaled)
    p0, p1, p2, p3 = load(f, OLD + P), load(f, OLD + 1 + P), load(f, OLD + 2 + P), load(f, OLD + 3 + P)
    l0 = load(f, OLD + LEVEL) + load(f, OLD + SLOPE) * t
    l1 = load(f, OLD + 1 + LEVEL) + load(f, OLD + 1 + SLOPE) * t
    l2 = load(f, OLD + 2 + LEVEL) + load(f, OLD + 2 + SLOPE) * t
    l3 = load(f, OLD + 3 + LEVEL) + load(f, OLD + 3 + SLOPE) * t
    store(f, AHEAD, l0)
    store(f, AHEAD + 1, l1)
    store(f, AHEAD + 2, l2)
    store(f, AHEAD + 3, l3)
    expected = ((p0 * l0 + p1 * l1) + p2 * l2) + p3 * l3
    w0, o0, m0, b0, x0, y0, z0, s0 = _to_steady(f, c, 0, l0, t, y, given)
    w1, o1, m1, b1, x1, y1, z1, s1 = _to_steady(f, c, 1, l1, t, y, given)
    w2, o2, m2, b2, x2, y2, z2, s2 = _to_steady(f, c, 2, l2, t, y, given)
    w3, o3, m3, b3, x3, y3, z3, s3 = _to_steady(f, c, 3, l3, t, y, given)
    d0, d1, d2, d3 = l0 - expected, l1 - expected, l2 - expected, l3 - expected
    spread = p0 * (s0 + d0 * d0) + p1 * (s1 + d1 * d1)
    store(f, SPREAD, (spread + p2 * (s2 + d2 * d2)) + p3 * (s3 + d3 * d3))
    store(f, EXPECTED, expected)
    narrow = 1.0 / (c[at.STRETCH] * c[at.STRETCH])
    start = _ahead(f, 0, t)
    q1 = _from_steady(f, c, 1, start, y, l0, given, narrow, 0.0)
    q2 = _from_steady(f, c, 2, start, y, l0, given, 0.0, narrow)
    q3 = _from_steady(f, c, 3, start, y, l0, given, 0.0, 0.0)
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
    w0, w1, w2, w3 = w0 * o0, w1 * o1, w2 * o2, w3 * o3
    whole = 1.0 / (((w0 + w1) + w2) + w3)
    w0, w1, w2, w3 = w0 * whole, w1 * whole, w2 * whole, w3 * whole
    store(f, NEW + SCALE, p * whole)
    m = ((w0 * m0 + w1 * m1) + w2 * m2) + w3 * m3
    b = ((w0 * b0 + w1 * b1) + w2 * b2) + w3 * b3
    m0, m1, m2, m3 = m0 - m, m1 - m, m2 - m, m3 - m
    b0, b1, b2, b3 = b0 - b, b1 - b, b2 - b, b3 - b
    v11 = ((w0 * (x0 + m0 * m0) + w1 * (x1 + m1 * m1)) + w2 * (x2 + m2 * m2)) + w3 * (x3 + m3 * m3)
    v12 = ((w0 * (y0 + m0 * b0) + w1 * (y1 + m1 * b1)) + w2 * (y2 + m2 * b2)) + w3 * (y3 + m3 * b3)
    v22 = ((w0 * (z0 + b0 * b0) + w1 * (z1 + b1 * b1)) + w2 * (z2 + b2 * b2)) + w3 * (z3 + b3 * b3)
    store(f, NEW + LEVEL, m)
    store(f, NEW + SLOPE, b)
    store(f, NEW + V11, v11)
    store(f, NEW + V12, v12)
    store(f, NEW + V22, farther(v22, v12 * v12 / v11 * _HAIR))
    store(f, NEW_DOF, kept + 1.0)


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
