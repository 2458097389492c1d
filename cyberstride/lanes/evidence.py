"""`evidence.settle` and, of `evidence.weigh`, the question whether anything could be telling: sixteen lanes at once."""

from __future__ import annotations

import math
from typing import Any

from numba import njit

from cyberstride.belief import WINDOW
from cyberstride.evidence import _LARGEST, _LEAST_NOISE, _RESTLESS, _TELLING
from cyberstride.lanes import settings as at
from cyberstride.lanes.arithmetic import CONTRACT, apart
from cyberstride.lanes.rows import FIT, HERE, LANES, LAP, LEFT, LIVE, LOUD, OLD_NOISE, OLD_SETTLED, SET, WIN, T, Y

__all__ = ["hold", "listen", "push"]

L = LANES
_LEVEL, _SLOPE, _V11, _V12, _V22, _NOISE, _DOF, _RHO, _LAST = range(SET, SET + 9)
_F1, _F2, _M11, _M12, _M22, _N, _H, _HH, _R, _HR, _SQ, _COUNT, _BEFORE, _SMALLEST = range(FIT, FIT + 14)
_NEARLY = 1.0 - 1e-9
"""What is so near to the limit is looked at lane by lane, where it is worked out as in the readable form."""


@njit(error_model="numpy", fastmath=CONTRACT)
def push(f: Any, c: Any) -> None:  # pragma: no cover
    """Take the reading into the window; the oldest one leaves it and is settled."""
    apart()
    g, h, discount = c[at.LEVELS], c[at.SLOPES], c[at.DISCOUNT]
    for l in range(L):
        z, lapse = f[WIN * L + l], f[LAP * L + l]
        here = f[HERE * L + l] == 1.0
        live = here and f[LIVE * L + l] == 1.0
        level = f[_LEVEL * L + l] + f[_SLOPE * L + l] * lapse
        v11, v12, v22 = f[_V11 * L + l], f[_V12 * L + l], f[_V22 * L + l]
        r11 = min(v11 + lapse * (2.0 * v12 + lapse * v22) + (g + h) * lapse, _LARGEST)
        r12 = v12 + lapse * v22 + h * lapse
        r22 = v22 + h * lapse
        noise, dof, rho, last = f[_NOISE * L + l], f[_DOF * L + l], f[_RHO * L + l], f[_LAST * L + l]
        f[OLD_NOISE * L + l] = noise
        f[OLD_SETTLED * L + l] = dof
        f[LEFT * L + l] = 1.0 if live else 0.0
        q = r11 + 1.0
        deviation = math.sqrt(noise * q)
        e = min(max((z - level) / deviation, -3.0), 3.0)
        step = e * deviation
        kept = discount * dof
        grown = max(noise * ((kept + 1.005 * (e * e)) / (kept + 1.0)), _LEAST_NOISE)
        iq = 1.0 / q
        n11, n12 = r11 * iq, r12 * iq
        n22 = max(r22 - r12 * n12, n12 * n12 / n11 * (1.0 + 1e-12))
        f[_LEVEL * L + l] = (level + n11 * step if live else level) if here else f[_LEVEL * L + l]
        f[_V11 * L + l] = (n11 if live else r11) if here else v11
        f[_V12 * L + l] = (n12 if live else r12) if here else v12
        f[_V22 * L + l] = (n22 if live else r22) if here else v22
        f[_SLOPE * L + l] = f[_SLOPE * L + l] + n12 * step if live else f[_SLOPE * L + l]
        f[_NOISE * L + l] = grown if live else noise
        f[_DOF * L + l] = kept + 1.0 if live else dof
        f[_RHO * L + l] = rho + (e * last - rho) / min(dof, 150.0) if live else rho
        f[_LAST * L + l] = e if live else last
        f[(WIN + WINDOW) * L + l] = f[Y * L + l]
        f[(LAP + WINDOW) * L + l] = f[T * L + l]
        f[(LIVE + WINDOW) * L + l] = 1.0


@njit(error_model="numpy", fastmath=CONTRACT)
def hold(f: Any) -> None:  # pragma: no cover
    """Where the reading is missing the window stays as it was."""
    apart()
    for back in range(WINDOW):
        k = WINDOW - back
        for l in range(L):
            here = f[HERE * L + l] == 1.0
            f[(WIN + k) * L + l] = f[(WIN + k) * L + l] if here else f[(WIN + k - 1) * L + l]
            f[(LAP + k) * L + l] = f[(LAP + k) * L + l] if here else f[(LAP + k - 1) * L + l]
            f[(LIVE + k) * L + l] = f[(LIVE + k) * L + l] if here else f[(LIVE + k - 1) * L + l]


@njit(error_model="numpy", fastmath=CONTRACT)
def listen(f: Any, c: Any) -> float:  # pragma: no cover
    """Mark the lanes whose window may tell of something (row LOUD > 0), and say whether there are any."""
    apart()
    for row in range(_N, _BEFORE + 1):
        for l in range(L):
            f[row * L + l] = 0.0
    for k in range(1, WINDOW + 1):
        for l in range(L):
            live = 1.0 if f[(LIVE + k) * L + l] == 1.0 else 0.0
            at_k = f[_BEFORE * L + l] + f[(LAP + k) * L + l]
            lh = live * at_k
            residual = f[(WIN + k) * L + l] - (f[_LEVEL * L + l] + f[_SLOPE * L + l] * at_k)
            f[_N * L + l] += live
            f[_H * L + l] += lh
            f[_HH * L + l] += lh * at_k
            f[_R * L + l] += live * residual
            f[_HR * L + l] += lh * residual
            f[_BEFORE * L + l] = at_k
    g, h = c[at.LEVELS], c[at.SLOPES]
    t0, t1, t2, stretch = c[at.ST] * c[at.ST], c[at.SS] * c[at.SS], c[at.SL] * c[at.SL], c[at.STRETCH]
    t0, t1 = _TELLING / t0, _TELLING / t1
    for l in range(L):
        passed, n, sh, shh = f[_BEFORE * L + l], f[_N * L + l], f[_H * L + l], f[_HH * L + l]
        v11, v12, v22 = f[_V11 * L + l] + 0.5 * g * passed, f[_V12 * L + l], f[_V22 * L + l] + h * passed
        i11, i12 = 1.0 + v11 * n + v12 * sh, v11 * sh + v12 * shh
        i21, i22 = v12 * n + v22 * sh, 1.0 + v12 * sh + v22 * shh
        det = 1.0 / (i11 * i22 - i12 * i21)
        m11, m12, m22 = (i22 * v11 - i12 * v12) * det, (i22 * v12 - i12 * v22) * det, (i11 * v22 - i21 * v12) * det
        f[_F1 * L + l] = f[_LEVEL * L + l] + m11 * f[_R * L + l] + m12 * f[_HR * L + l]
        f[_F2 * L + l] = f[_SLOPE * L + l] + m12 * f[_R * L + l] + m22 * f[_HR * L + l]
        f[_M11 * L + l], f[_M12 * L + l], f[_M22 * L + l] = m11, 2.0 * m12, m22
        unit_slope = max(passed, 1.0) / max(n, 1.0)
        f[_SMALLEST * L + l] = _TELLING * unit_slope * unit_slope / t2
        f[LOUD * L + l] = -1.0
        f[_N * L + l], f[_H * L + l], f[_HH * L + l], f[_R * L + l], f[_HR * L + l] = 0.0, 0.0, 0.0, 0.0, 0.0
    # A prior that is stretched to the size of what was found: share c^2 > 8 s is then c^2 > steep a s.
    steep = 0.5 * _TELLING + math.sqrt(0.25 * _TELLING * _TELLING + _TELLING * stretch * stretch)
    for back in range(WINDOW):
        k = WINDOW - back
        for l in range(L):
            there, sn = f[(LIVE + k) * L + l], f[_NOISE * L + l] * _NEARLY
            live, present = 1.0 if there == 1.0 else 0.0, 1.0 if there > 0.0 else 0.0
            at_k = f[_BEFORE * L + l]
            before = at_k - f[(LAP + k) * L + l]
            f[_BEFORE * L + l] = before
            m11, m12, m22 = f[_M11 * L + l], f[_M12 * L + l], f[_M22 * L + l]
            off = f[(WIN + k) * L + l] - (f[_F1 * L + l] + f[_F2 * L + l] * at_k)
            lh, lo = live * at_k, live * off
            n, hk, hh = f[_N * L + l] + live, f[_H * L + l] + lh, f[_HH * L + l] + lh * at_k
            r, hr = f[_R * L + l] + lo, f[_HR * L + l] + lo * at_k
            square, count = f[_SQ * L + l] + present * off * off, f[_COUNT * L + l] + present
            f[_N * L + l], f[_H * L + l], f[_HH * L + l], f[_R * L + l], f[_HR * L + l] = n, hk, hh, r, hr
            f[_SQ * L + l], f[_COUNT * L + l] = square, count
            a = max(live - live * (m11 + at_k * (m12 + m22 * at_k)), 1e-9)
            loud = lo * lo - min(_TELLING * a + t0, steep * a) * sn
            a = max(n - (n * (m11 * n + m12 * hk) + m22 * hk * hk), 1e-9)
            loud = max(loud, r * r - min(_TELLING * a + t1, steep * a) * sn)
            x1, x2 = hk - before * n, hh - before * hk
            xx = hh - before * (2.0 * hk - before * n)
            a = max(xx - (x1 * (m11 * x1 + m12 * x2) + m22 * x2 * x2), 1e-9)
            loud2 = hr - before * r
            loud = max(loud, loud2 * loud2 - min(_TELLING * a + f[_SMALLEST * L + l], steep * a) * sn)
            loud = max(loud, square - (_TELLING + _RESTLESS * count) * sn)
            f[LOUD * L + l] = max(f[LOUD * L + l], loud)
    loudest = -1.0
    for l in range(L):
        loudest = max(loudest, f[LOUD * L + l])
    return loudest
