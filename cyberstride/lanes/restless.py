"""All sixteen branches of one lane whose last reading was not quiet; loops run over the branches."""

from __future__ import annotations

import math
from typing import Any

from cyberstride.lanes import settings as at
from cyberstride.lanes import weighing
from cyberstride.lanes.arithmetic import apart, compiled, exp2, log2
from cyberstride.lanes.rows import (
    AHEAD,
    BACK,
    INVERSE,
    KEPT,
    LANES,
    LEVEL,
    NEW,
    NEW_DOF,
    OLD,
    POWER,
    PRIOR,
    SCALE,
    SCALED,
    SLOPE,
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
from cyberstride.mixture import _LARGEST, _LEAST_WEIGHT

__all__ = ["ROOM", "absorb_all"]

L = LANES
(
    _MEAN, _B, _S, _R11, _R12, _R22, _OWN, _PP, _W, _STAR, _MM, _BB, _X11, _X12, _X22, _KIND, _OUT,
) = range(weighing.ROOM, weighing.ROOM + 272, 16)  # fmt: skip
ROOM = weighing.ROOM + 288
"""Behind the places of `weighing`, some of which must stay zero."""


@compiled
def absorb_all(f: Any, l: int, q: Any, c: Any) -> None:
    """Write over what `mixture.absorb` made of lane `l`; `q` is scratch of `ROOM` places."""
    apart()
    t = min(f[T * L + l], 1e6)
    y, inverse, kept, scaled, power = (
        f[Y * L + l], f[INVERSE * L + l], f[KEPT * L + l], f[SCALED * L + l], f[POWER * L + l],
    )  # fmt: skip
    clip, least = c[at.CLIP], c[at.LEAST]
    narrow = 1.0 / (c[at.STRETCH] * c[at.STRETCH])
    for i in range(4):
        scale = f[(OLD + i + SCALE) * L + l]
        v11, v12, v22 = f[(OLD + i + V11) * L + l], f[(OLD + i + V12) * L + l], f[(OLD + i + V22) * L + l]
        base11, base12 = v11 + t * (2.0 * v12 + t * v22), v12 + t * v22
        level, slope, p = f[(AHEAD + i) * L + l], f[(OLD + i + SLOPE) * L + l], f[(OLD + i + P) * L + l]
        need = (y - level) * (y - level) * narrow
        for j in range(4):
            k = 4 * i + j
            q[_MEAN + k], q[_B + k], q[_S + k] = level, slope, scale
            r11 = min(base11 + scale * f[(W11 + j) * L + l], _LARGEST)
            q[_R12 + k] = base12 + scale * f[(W12 + j) * L + l]
            q[_R22 + k] = min(v22 + scale * f[(W22 + j) * L + l], _LARGEST)
            own = scale * c[at.NOISE + j]
            if j == 1:
                own = max(own, need - r11)
            if j == 2:
                r11 = max(r11, need - own)
            q[_R11 + k], q[_OWN + k] = r11, own
            q[_PP + k] = p * f[(PRIOR + j) * L + l]
    for k in range(16):
        e = y - q[_MEAN + k]
        iq = 1.0 / (q[_R11 + k] + q[_OWN + k])
        square = e * e * iq
        q[_W + k] = exp2(power * log2(1.0 + square * inverse)) * math.sqrt(iq) * q[_PP + k]
        grown = (kept + min(square, clip)) * scaled
        a1, a2 = q[_R11 + k] * iq, q[_R12 + k] * iq
        q[_STAR + k] = 1.0 / max(q[_S + k] * grown, least)
        q[_MM + k] = q[_MEAN + k] + a1 * e
        q[_BB + k] = q[_B + k] + a2 * e
        q[_X11 + k] = grown * (q[_OWN + k] * a1)
        q[_X12 + k] = grown * (q[_OWN + k] * a2)
        q[_X22 + k] = grown * (q[_R22 + k] - q[_R12 + k] * a2)
    heaviest = 0.0
    for k in range(16):
        heaviest = max(heaviest, q[_W + k])
    floor = heaviest * _LEAST_WEIGHT
    for k in range(16):
        q[_W + k] = max(q[_W + k], floor)
        q[_STAR + k] *= q[_W + k]
    total = 0.0
    for i in range(4):
        k = 4 * i
        total += ((q[_W + k] + q[_W + k + 1]) + q[_W + k + 2]) + q[_W + k + 3]
    total = 1.0 / total
    for i in range(4):
        k = 4 * i
        f[(BACK + i) * L + l] = (((q[_W + k] + q[_W + k + 1]) + q[_W + k + 2]) + q[_W + k + 3]) * total
    for j in range(4):
        w0, w1, w2, w3 = q[_STAR + j], q[_STAR + 4 + j], q[_STAR + 8 + j], q[_STAR + 12 + j]
        whole = 1.0 / (((w0 + w1) + w2) + w3)
        w0, w1, w2, w3 = w0 * whole, w1 * whole, w2 * whole, w3 * whole
        p = ((q[_W + j] + q[_W + 4 + j]) + q[_W + 8 + j]) + q[_W + 12 + j]
        m0, m1, m2, m3 = q[_MM + j], q[_MM + 4 + j], q[_MM + 8 + j], q[_MM + 12 + j]
        b0, b1, b2, b3 = q[_BB + j], q[_BB + 4 + j], q[_BB + 8 + j], q[_BB + 12 + j]
        m = ((w0 * m0 + w1 * m1) + w2 * m2) + w3 * m3
        b = ((w0 * b0 + w1 * b1) + w2 * b2) + w3 * b3
        m0, m1, m2, m3 = m0 - m, m1 - m, m2 - m, m3 - m
        b0, b1, b2, b3 = b0 - b, b1 - b, b2 - b, b3 - b
        v11 = w0 * (q[_X11 + j] + m0 * m0) + w1 * (q[_X11 + 4 + j] + m1 * m1)
        v11 = v11 + w2 * (q[_X11 + 8 + j] + m2 * m2) + w3 * (q[_X11 + 12 + j] + m3 * m3)
        v12 = w0 * (q[_X12 + j] + m0 * b0) + w1 * (q[_X12 + 4 + j] + m1 * b1)
        v12 = v12 + w2 * (q[_X12 + 8 + j] + m2 * b2) + w3 * (q[_X12 + 12 + j] + m3 * b3)
        v22 = w0 * (q[_X22 + j] + b0 * b0) + w1 * (q[_X22 + 4 + j] + b1 * b1)
        v22 = v22 + w2 * (q[_X22 + 8 + j] + b2 * b2) + w3 * (q[_X22 + 12 + j] + b3 * b3)
        f[(NEW + j + P) * L + l] = p * total
        f[(NEW + j + LEVEL) * L + l] = m
        f[(NEW + j + SLOPE) * L + l] = b
        f[(NEW + j + V11) * L + l] = v11
        f[(NEW + j + V12) * L + l] = v12
        f[(NEW + j + V22) * L + l] = max(v22, v12 * v12 / v11 * (1.0 + 1e-12))
        f[(NEW + j + SCALE) * L + l] = p * whole
    f[NEW_DOF * L + l] = kept + 1.0
