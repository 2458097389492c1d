"""`mixture.evolve`, `priors_over`, `absorb` and `tail`, sixteen lanes at once."""

from __future__ import annotations

import math
from typing import Any

from numba import njit

from cyberstride.lanes import settings as at
from cyberstride.lanes.arithmetic import CONTRACT, apart, exp2, ln, log2
from cyberstride.lanes.rows import (
    AHEAD,
    BACK,
    DOF,
    EXPECTED,
    FROM,
    HEAVY,
    HERE,
    INVERSE,
    KEPT,
    LANES,
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
    STEADY_BRANCH,
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
from cyberstride.mixture import _ERFC, _LARGEST, _LEAST_WEIGHT, _LN10

__all__ = ["absorb", "ahead", "evolve", "speak", "stay"]

_Z95 = 1.6448536269514722
_Z_FIRST = (_Z95**3 + _Z95) / 4.0
_Z_SECOND = (5 * _Z95**5 + 16 * _Z95**3 + 3 * _Z95) / 96.0
_HAIR = 1.0 + 1e-12
L = LANES
_WEIGHT, _ONE_OVER, _LEVEL, _SLOPE, _C11, _C12, _C22 = range(STEADY_BRANCH, STEADY_BRANCH + 7)
_E0, _E1, _E2, _E3, _E4, _E5, _E6, _E7, _E8, _E9 = _ERFC


@njit(error_model="numpy", fastmath=CONTRACT)
def evolve(f: Any, c: Any) -> None:  # pragma: no cover
    """What the time since the last reading does to the variances, and the priors of the regimes after it."""
    apart()
    for j in range(4):
        g0, h0 = c[at.LEVELS], c[at.SLOPES]
        g, h = c[at.LEVELS + j] - g0, c[at.SLOPES + j] - h0
        one11, one12, one22 = c[at.ONE_11 + j], c[at.ONE_12 + j], c[at.ONE_22 + j]
        for l in range(L):
            t = min(f[T * L + l], 1e6)
            once = min(t, 1.0)
            long = t >= 1.0
            rise = t * (t + 1.0) / 2.0 if long else t
            climb = t * (t + 1.0) * (2.0 * t + 1.0) / 6.0 if long else t
            f[(W11 + j) * L + l] = one11 if t == 1.0 else (g0 * t + h0 * climb) + (g + h) * once
            f[(W12 + j) * L + l] = one12 if t == 1.0 else h0 * rise + h * once
            f[(W22 + j) * L + l] = one22 if t == 1.0 else h0 * t + h * once
    p0, p1, p2, p3 = c[at.ONE_PRIORS], c[at.ONE_PRIORS + 1], c[at.ONE_PRIORS + 2], c[at.ONE_PRIORS + 3]
    steady, transient, log_step, log_slope = c[at.PRIORS], c[at.PRIORS + 1], c[at.LOG_STEP], c[at.LOG_SLOPE]
    for l in range(L):
        t = f[T * L + l]
        step = 1.0 - exp2(t * log_step)
        slope = 1.0 - exp2(t * log_slope)
        still = max(1.0 - transient - step - slope, steady * (1.0 - step) * (1.0 - slope))
        whole = 1.0 / (((still + transient) + step) + slope)
        f[PRIOR * L + l] = max(p0 if t == 1.0 else still * whole, _LEAST_WEIGHT)
        f[(PRIOR + 1) * L + l] = max(p1 if t == 1.0 else transient * whole, _LEAST_WEIGHT)
        f[(PRIOR + 2) * L + l] = max(p2 if t == 1.0 else step * whole, _LEAST_WEIGHT)
        f[(PRIOR + 3) * L + l] = max(p3 if t == 1.0 else slope * whole, _LEAST_WEIGHT)


@njit(error_model="numpy", fastmath=CONTRACT)
def ahead(f: Any, c: Any) -> None:  # pragma: no cover
    """The level that each regime expects, and the forecast of the reading."""
    apart()
    discount, noise = c[at.DISCOUNT], c[at.NOISE]
    for l in range(L):
        dof = f[DOF * L + l]
        kept = discount * dof
        f[INVERSE * L + l] = 1.0 / dof
        f[KEPT * L + l] = kept
        f[SCALED * L + l] = 1.0 / (kept + 1.0)
        f[POWER * L + l] = -0.5 * (dof + 1.0)
        f[EXPECTED * L + l] = 0.0
        f[SPREAD * L + l] = 0.0
        f[HEAVY * L + l] = 0.0
    for i in range(4):
        for l in range(L):
            t = min(f[T * L + l], 1e6)
            level = f[(OLD + 7 * i + LEVEL) * L + l] + f[(OLD + 7 * i + SLOPE) * L + l] * t
            f[(AHEAD + i) * L + l] = level
            f[EXPECTED * L + l] += f[(OLD + 7 * i + P) * L + l] * level
    for i in range(4):
        for l in range(L):
            t = min(f[T * L + l], 1e6)
            v12, v22 = f[(OLD + 7 * i + V12) * L + l], f[(OLD + 7 * i + V22) * L + l]
            scale = f[(OLD + 7 * i + SCALE) * L + l]
            r11 = min(f[(OLD + 7 * i + V11) * L + l] + t * (2.0 * v12 + t * v22) + scale * f[W11 * L + l], _LARGEST)
            off = f[(AHEAD + i) * L + l] - f[EXPECTED * L + l]
            f[SPREAD * L + l] += f[(OLD + 7 * i + P) * L + l] * (r11 + scale * noise + off * off)


@njit(error_model="numpy", fastmath=CONTRACT)
def absorb(f: Any, c: Any) -> None:  # pragma: no cover
    """The seven branches with at most one event in two readings: all that is weighed where the last reading was quiet."""
    apart()
    clip, least, noise = c[at.CLIP], c[at.LEAST], c[at.NOISE]
    for i in range(4):
        for l in range(L):
            t = min(f[T * L + l], 1e6)
            scale, v22 = f[(OLD + 7 * i + SCALE) * L + l], f[(OLD + 7 * i + V22) * L + l]
            v12 = f[(OLD + 7 * i + V12) * L + l]
            e = f[Y * L + l] - f[(AHEAD + i) * L + l]
            r11 = min(f[(OLD + 7 * i + V11) * L + l] + t * (2.0 * v12 + t * v22) + scale * f[W11 * L + l], _LARGEST)
            r12 = v12 + t * v22 + scale * f[W12 * L + l]
            r22 = min(v22 + scale * f[W22 * L + l], _LARGEST)
            own = scale * noise
            iq = 1.0 / (r11 + own)
            square = e * e * iq
            w = exp2(f[POWER * L + l] * log2(1.0 + square * f[INVERSE * L + l])) * math.sqrt(iq)
            w = w * (f[(OLD + 7 * i + P) * L + l] * f[PRIOR * L + l])
            grown = (f[KEPT * L + l] + min(square, clip)) * f[SCALED * L + l]
            a1, a2 = r11 * iq, r12 * iq
            f[(_WEIGHT + 7 * i) * L + l] = w
            f[(_ONE_OVER + 7 * i) * L + l] = 1.0 / max(scale * grown, least)
            f[(_LEVEL + 7 * i) * L + l] = f[(AHEAD + i) * L + l] + a1 * e
            f[(_SLOPE + 7 * i) * L + l] = f[(OLD + 7 * i + SLOPE) * L + l] + a2 * e
            f[(_C11 + 7 * i) * L + l] = grown * (own * a1)
            f[(_C12 + 7 * i) * L + l] = grown * (own * a2)
            f[(_C22 + 7 * i) * L + l] = grown * (r22 - r12 * a2)
            f[HEAVY * L + l] = max(f[HEAVY * L + l], w)
    narrow = 1.0 / (c[at.STRETCH] * c[at.STRETCH])
    for j in range(1, 4):
        noise = c[at.NOISE + j]
        to_noise = narrow if j == 1 else 0.0
        to_level = narrow if j == 2 else 0.0
        for l in range(L):
            t = min(f[T * L + l], 1e6)
            scale, v22, v12 = f[(OLD + SCALE) * L + l], f[(OLD + V22) * L + l], f[(OLD + V12) * L + l]
            e = f[Y * L + l] - f[AHEAD * L + l]
            r11 = min(f[(OLD + V11) * L + l] + t * (2.0 * v12 + t * v22) + scale * f[(W11 + j) * L + l], _LARGEST)
            r12 = v12 + t * v22 + scale * f[(W12 + j) * L + l]
            r22 = min(v22 + scale * f[(W22 + j) * L + l], _LARGEST)
            own = scale * noise
            own = max(own, e * e * to_noise - r11)
            r11 = max(r11, e * e * to_level - own)
            iq = 1.0 / (r11 + own)
            square = e * e * iq
            w = exp2(f[POWER * L + l] * log2(1.0 + square * f[INVERSE * L + l])) * math.sqrt(iq)
            w = w * (f[(OLD + P) * L + l] * f[(PRIOR + j) * L + l])
            grown = (f[KEPT * L + l] + min(square, clip)) * f[SCALED * L + l]
            a1, a2 = r11 * iq, r12 * iq
            f[(NEW + 7 * j + P) * L + l] = w
            f[(NEW + 7 * j + LEVEL) * L + l] = f[AHEAD * L + l] + a1 * e
            f[(NEW + 7 * j + SLOPE) * L + l] = f[(OLD + SLOPE) * L + l] + a2 * e
            v11, v12 = grown * (own * a1), grown * (own * a2)
            f[(NEW + 7 * j + V11) * L + l] = v11
            f[(NEW + 7 * j + V12) * L + l] = v12
            f[(NEW + 7 * j + V22) * L + l] = max(grown * (r22 - r12 * a2), v12 * v12 / v11 * _HAIR)
            f[(NEW + 7 * j + SCALE) * L + l] = max(scale * grown, least)
            f[HEAVY * L + l] = max(f[HEAVY * L + l], w)
    for l in range(L):
        floor = f[HEAVY * L + l] * _LEAST_WEIGHT
        w0, w1 = max(f[_WEIGHT * L + l], floor), max(f[(_WEIGHT + 7) * L + l], floor)
        w2, w3 = max(f[(_WEIGHT + 14) * L + l], floor), max(f[(_WEIGHT + 21) * L + l], floor)
        p = ((w0 + w1) + w2) + w3
        p1, p2 = max(f[(NEW + 7 + P) * L + l], floor), max(f[(NEW + 14 + P) * L + l], floor)
        p3 = max(f[(NEW + 21 + P) * L + l], floor)
        total = 1.0 / (((p + p1) + p2) + p3)
        f[(BACK + 0) * L + l] = (((w0 + p1) + p2) + p3) * total
        f[(BACK + 1) * L + l] = w1 * total
        f[(BACK + 2) * L + l] = w2 * total
        f[(BACK + 3) * L + l] = w3 * total
        f[(NEW + P) * L + l] = p * total
        f[(NEW + 7 + P) * L + l] = p1 * total
        f[(NEW + 14 + P) * L + l] = p2 * total
        f[(NEW + 21 + P) * L + l] = p3 * total
        w0, w1 = w0 * f[_ONE_OVER * L + l], w1 * f[(_ONE_OVER + 7) * L + l]
        w2, w3 = w2 * f[(_ONE_OVER + 14) * L + l], w3 * f[(_ONE_OVER + 21) * L + l]
        whole = 1.0 / (((w0 + w1) + w2) + w3)
        w0, w1, w2, w3 = w0 * whole, w1 * whole, w2 * whole, w3 * whole
        f[(NEW + SCALE) * L + l] = p * whole
        m0, m1, m2, m3 = (
            f[_LEVEL * L + l], f[(_LEVEL + 7) * L + l], f[(_LEVEL + 14) * L + l], f[(_LEVEL + 21) * L + l],
        )  # fmt: skip
        b0, b1, b2, b3 = (
            f[_SLOPE * L + l], f[(_SLOPE + 7) * L + l], f[(_SLOPE + 14) * L + l], f[(_SLOPE + 21) * L + l],
        )  # fmt: skip
        m = ((w0 * m0 + w1 * m1) + w2 * m2) + w3 * m3
        b = ((w0 * b0 + w1 * b1) + w2 * b2) + w3 * b3
        m0, m1, m2, m3 = m0 - m, m1 - m, m2 - m, m3 - m
        b0, b1, b2, b3 = b0 - b, b1 - b, b2 - b, b3 - b
        v11 = w0 * (f[_C11 * L + l] + m0 * m0) + w1 * (f[(_C11 + 7) * L + l] + m1 * m1)
        v11 = v11 + w2 * (f[(_C11 + 14) * L + l] + m2 * m2) + w3 * (f[(_C11 + 21) * L + l] + m3 * m3)
        v12 = w0 * (f[_C12 * L + l] + m0 * b0) + w1 * (f[(_C12 + 7) * L + l] + m1 * b1)
        v12 = v12 + w2 * (f[(_C12 + 14) * L + l] + m2 * b2) + w3 * (f[(_C12 + 21) * L + l] + m3 * b3)
        v22 = w0 * (f[_C22 * L + l] + b0 * b0) + w1 * (f[(_C22 + 7) * L + l] + b1 * b1)
        v22 = v22 + w2 * (f[(_C22 + 14) * L + l] + b2 * b2) + w3 * (f[(_C22 + 21) * L + l] + b3 * b3)
        f[(NEW + LEVEL) * L + l] = m
        f[(NEW + SLOPE) * L + l] = b
        f[(NEW + V11) * L + l] = v11
        f[(NEW + V12) * L + l] = v12
        f[(NEW + V22) * L + l] = max(v22, v12 * v12 / v11 * _HAIR)
        f[NEW_DOF * L + l] = f[KEPT * L + l] + 1.0


@njit(error_model="numpy", fastmath=CONTRACT)
def stay(f: Any) -> None:  # pragma: no cover
    """Where the reading is missing everything stays as it was."""
    apart()
    for row in range(28):
        for l in range(L):
            f[(NEW + row) * L + l] = f[(NEW + row) * L + l] if f[HERE * L + l] == 1.0 else f[(OLD + row) * L + l]
    for i in range(4):
        for l in range(L):
            here = f[HERE * L + l] == 1.0
            f[(BACK + i) * L + l] = f[(BACK + i) * L + l] if here else f[(OLD + 7 * i + P) * L + l]
    for l in range(L):
        f[NEW_DOF * L + l] = f[NEW_DOF * L + l] if f[HERE * L + l] == 1.0 else f[DOF * L + l]


@njit(error_model="numpy", fastmath=CONTRACT)
def speak(f: Any) -> None:  # pragma: no cover
    """Level, slope, forecast and surprise in the signal's own unit."""
    apart()
    for j in range(4):
        for l in range(L):
            here = f[HERE * L + l] == 1.0
            f[(P_NOW + j) * L + l] = f[(NEW + 7 * j + P) * L + l] if here else f[(PRIOR + j) * L + l]
    for l in range(L):
        p0, p1, p2, p3 = (
            f[(NEW + P) * L + l], f[(NEW + 7 + P) * L + l], f[(NEW + 14 + P) * L + l], f[(NEW + 21 + P) * L + l],
        )  # fmt: skip
        m0, m1 = f[(NEW + LEVEL) * L + l], f[(NEW + 7 + LEVEL) * L + l]
        m2, m3 = f[(NEW + 14 + LEVEL) * L + l], f[(NEW + 21 + LEVEL) * L + l]
        b0, b1 = f[(NEW + SLOPE) * L + l], f[(NEW + 7 + SLOPE) * L + l]
        b2, b3 = f[(NEW + 14 + SLOPE) * L + l], f[(NEW + 21 + SLOPE) * L + l]
        level = ((p0 * m0 + p1 * m1) + p2 * m2) + p3 * m3
        slope = ((p0 * b0 + p1 * b1) + p2 * b2) + p3 * b3
        m0, m1, m2, m3 = m0 - level, m1 - level, m2 - level, m3 - level
        b0, b1, b2, b3 = b0 - slope, b1 - slope, b2 - slope, b3 - slope
        of_level = p0 * (f[(NEW + V11) * L + l] + m0 * m0) + p1 * (f[(NEW + 7 + V11) * L + l] + m1 * m1)
        of_level += p2 * (f[(NEW + 14 + V11) * L + l] + m2 * m2) + p3 * (f[(NEW + 21 + V11) * L + l] + m3 * m3)
        of_slope = p0 * (f[(NEW + V22) * L + l] + b0 * b0) + p1 * (f[(NEW + 7 + V22) * L + l] + b1 * b1)
        of_slope += p2 * (f[(NEW + 14 + V22) * L + l] + b2 * b2) + p3 * (f[(NEW + 21 + V22) * L + l] + b3 * b3)
        unit, origin = f[UNIT * L + l], f[ORIGIN * L + l]
        f[LEVEL_NOW * L + l] = origin + level * unit
        f[LEVEL_SD * L + l] = math.sqrt(of_level) * unit
        f[SLOPE_NOW * L + l] = slope * unit
        f[SLOPE_SD * L + l] = math.sqrt(of_slope) * unit
        spread, expected, inverse = f[SPREAD * L + l], f[EXPECTED * L + l], f[INVERSE * L + l]
        half = (_Z95 + inverse * (_Z_FIRST + inverse * _Z_SECOND)) * math.sqrt(spread)
        f[FROM * L + l] = origin + (expected - half) * unit
        f[UPTO * L + l] = origin + (expected + half) * unit
    for l in range(L):
        dof = f[DOF * L + l]
        error = f[Y * L + l] - f[EXPECTED * L + l]
        z = math.sqrt(dof * ln(1.0 + error * error * f[INVERSE * L + l] / f[SPREAD * L + l]))
        x = z * (8.0 * dof + 1.0) / (8.0 * dof + 3.0) * math.sqrt(0.5)
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
        surprise = max((x * x - poly - ln(u)) / _LN10, 0.0)
        f[SURPRISE * L + l] = surprise if f[HERE * L + l] == 1.0 else 0.0
