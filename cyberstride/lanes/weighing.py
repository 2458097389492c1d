"""`evidence.weigh`, `naming.name` and `naming.begin_anew` for one lane whose window may tell of something."""

from __future__ import annotations

import math
from typing import Any

from numba import njit

from cyberstride.belief import WINDOW
from cyberstride.evidence import (
    _DEAREST,
    _FEW,
    _IMPOSSIBLE,
    _LARGEST,
    _LEAST_NOISE,
    _LEAST_READINGS,
    _MOST_CORRELATED,
    _NEW_VARIANCE,
    _RESTLESS,
    _SQUARE_ROOT_LOG,
    _TELLING,
)  # fmt: skip
from cyberstride.lanes import excursion
from cyberstride.lanes import settings as at
from cyberstride.lanes.arithmetic import CONTRACT, LN2, apart, exp2, ln
from cyberstride.lanes.rows import (
    AGES,
    ANNOUNCED,
    CHANCE,
    EVENT,
    GIVEN,
    HERE,
    LANES,
    LAP,
    LIVE,
    NAMED,
    NEW,
    NEW_DOF,
    NEWS,
    ONSET,
    SCALE,
    SET,
    STANDING,
    WAS,
    WIN,
)  # fmt: skip
from cyberstride.naming import _LONG_ENOUGH, _NEWS_FADES
from cyberstride.verdict import STEADY, SUSPECTED, TRANSIENT

__all__ = ["ROOM", "name"]

L = LANES
_NEW = _NEW_VARIANCE.copy()
(
    _Z, _LAPSE, _LIVE, _PRESENT, _LF, _H, _RES, _NK, _HK, _HHK, _RK, _HRK, _SQUARE, _COUNT, _CALM, _SUM_ALL, _SUM_CALM,
    _EXCUSED, _FRESH, _RATIO,
) = range(0, 320, 16)  # fmt: skip
_A, _C, _WIDE, _SHARE = 320, 368, 416, 464
_FACTOR, _WEIGHT, _S, _KIND, _WHERE, _AFTER = 512, 576, 640, 652, 656, 660
ROOM, _PLACES = 672, 12
_ONE_OVER_LN2 = 1.0 / LN2
_SURE_OF_ONE = 1.0 - 1e-15


@njit(error_model="numpy", fastmath=CONTRACT)
def _settle(q: Any, z: float, lapse: float, live: bool, c: Any) -> None:  # pragma: no cover
    """`evidence.settle` for one reading, on the nine places of `q` from `_S` on."""
    apart()
    g, h, discount = c[at.LEVELS], c[at.SLOPES], c[at.DISCOUNT]
    level = q[_S] + q[_S + 1] * lapse
    r11 = min(q[_S + 2] + lapse * (2.0 * q[_S + 3] + lapse * q[_S + 4]) + (g + h) * lapse, _LARGEST)
    r12 = q[_S + 3] + lapse * q[_S + 4] + h * lapse
    r22 = q[_S + 4] + h * lapse
    if not live:
        q[_S], q[_S + 2], q[_S + 3], q[_S + 4] = level, r11, r12, r22
        return
    wide = r11 + 1.0
    deviation = math.sqrt(q[_S + 5] * wide)
    e = min(max((z - level) / deviation, -3.0), 3.0)
    step = e * deviation
    kept = discount * q[_S + 6]
    noise = max(q[_S + 5] * ((kept + 1.005 * (e * e)) / (kept + 1.0)), _LEAST_NOISE)
    gain = 1.0 / min(q[_S + 6], 150.0)
    v11, v12 = r11 / wide, r12 / wide
    q[_S] = level + v11 * step
    q[_S + 1] = q[_S + 1] + v12 * step
    q[_S + 2], q[_S + 3] = v11, v12
    q[_S + 4] = max(r22 - r12 * v12, v12 * v12 / v11 * (1.0 + 1e-12))
    q[_S + 5] = noise
    q[_S + 6] = kept + 1.0
    q[_S + 7] = q[_S + 7] + gain * (e * q[_S + 8] - q[_S + 7])
    q[_S + 8] = e


@njit(error_model="numpy", fastmath=CONTRACT)
def name(f: Any, l: int, q: Any, c: Any) -> Any:  # pragma: no cover
    """Weigh the window of lane `l` and name what it tells; `q` is scratch of `ROOM` places; whether it changed it."""
    apart()
    n = WINDOW
    for k in range(9):
        q[_S + k] = f[(SET + k) * L + l]
    for k in range(n):
        q[_Z + k] = f[(WIN + 1 + k) * L + l]
        q[_LAPSE + k] = f[(LAP + 1 + k) * L + l]
        q[_LIVE + k] = f[(LIVE + 1 + k) * L + l]
    for k in range(n, _PLACES):
        q[_Z + k] = q[_LAPSE + k] = q[_LIVE + k] = q[_H + k] = q[_COUNT + k] = q[_CALM + k] = 0.0
        q[_SUM_ALL + k] = q[_SUM_CALM + k] = q[_EXCUSED + k] = q[_FRESH + k] = 0.0
    passed = 0.0
    for k in range(n):
        passed += q[_LAPSE + k]
        q[_H + k] = passed
    level, slope = q[_S], q[_S + 1]
    for k in range(_PLACES):
        live = 1.0 if q[_LIVE + k] == 1.0 else 0.0
        residual = q[_Z + k] - (level + slope * q[_H + k])
        lh, r = live * q[_H + k], live * residual
        q[_PRESENT + k] = 1.0 if q[_LIVE + k] > 0.0 else 0.0
        q[_LF + k] = q[_NK + k] = live
        q[_RES + k] = residual
        q[_HK + k], q[_HHK + k], q[_RK + k], q[_HRK + k] = lh, lh * q[_H + k], r, lh * r
    cn, ch, chh, cr, chr_, rr = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for back in range(n):
        k = n - 1 - back
        rr += q[_RK + k] * q[_RK + k]
        cn, ch, chh = cn + q[_NK + k], ch + q[_HK + k], chh + q[_HHK + k]
        cr, chr_ = cr + q[_RK + k], chr_ + q[_HRK + k]
        q[_NK + k], q[_HK + k], q[_HHK + k], q[_RK + k], q[_HRK + k] = cn, ch, chh, cr, chr_
    v11, v12, v22 = q[_S + 2] + 0.5 * c[at.LEVELS] * passed, q[_S + 3], q[_S + 4] + c[at.SLOPES] * passed
    i11, i12 = 1.0 + v11 * cn + v12 * ch, v11 * ch + v12 * chh
    i21, i22 = v12 * cn + v22 * ch, 1.0 + v12 * ch + v22 * chh
    det = 1.0 / (i11 * i22 - i12 * i21)
    m11, m12, m22 = (i22 * v11 - i12 * v12) * det, (i22 * v12 - i12 * v22) * det, (i11 * v22 - i21 * v12) * det
    f1, f2 = m11 * cr + m12 * chr_, m12 * cr + m22 * chr_
    rss = max(rr - (cr * f1 + chr_ * f2), 0.0)
    sn, sdof = q[_S + 5], q[_S + 6]
    m12 = 2.0 * m12
    t0, t1 = c[at.ST] * c[at.ST], c[at.SS] * c[at.SS]
    unit_slope = max(passed, 1.0) / max(cn, 1.0)
    t2 = c[at.SL] * c[at.SL] / (unit_slope * unit_slope)
    beyond = c[at.STRETCH] * c[at.STRETCH]
    rest = 1.0 / (sdof * sn + rss)
    narrow, one_over = 1.0 / (sn * beyond), 1.0 / sn
    rho = min(max(q[_S + 7], 0.0), _MOST_CORRELATED)
    kept_rho = (1.0 - rho) / (1.0 + rho)
    for k in range(_PLACES):
        at_k = q[_H + k]
        before = at_k - q[_LAPSE + k]
        nk, hk, rk, live = q[_NK + k], q[_HK + k], q[_RK + k], q[_LF + k]
        off = q[_RES + k] - (f1 + f2 * at_k)
        q[_SQUARE + k] = q[_PRESENT + k] * off * off * one_over
        x2 = live * at_k
        q[_A + k] = max(live - (m11 * live * live + m12 * live * x2 + m22 * x2 * x2), 1e-9)
        q[_C + k] = live * q[_RES + k] - (f1 * live + f2 * x2)
        q[_A + 16 + k] = max(nk - (m11 * nk * nk + m12 * nk * hk + m22 * hk * hk), 1e-9)
        q[_C + 16 + k] = rk - (f1 * nk + f2 * hk)
        x1, x2 = hk - before * nk, q[_HHK + k] - before * hk
        xx = q[_HHK + k] - 2.0 * before * hk + before * before * nk
        q[_A + 32 + k] = max(xx - (m11 * x1 * x1 + m12 * x1 * x2 + m22 * x2 * x2), 1e-9)
        q[_C + 32 + k] = q[_HRK + k] - before * rk - (f1 * x1 + f2 * x2)
    loudest = -1.0
    for d in range(3):
        usual_width = t0 if d == 0 else (t1 if d == 1 else t2)
        for k in range(_PLACES):
            a_k, c_k = q[_A + 16 * d + k], q[_C + 16 * d + k]
            ratio = c_k / a_k
            wide = max(usual_width, ratio * ratio * narrow)
            share = wide / (1.0 + wide * a_k)
            q[_WIDE + 16 * d + k], q[_SHARE + 16 * d + k] = wide, share
            loudest = max(loudest, share * c_k * c_k - _TELLING * sn)
    ca, sa = 0.0, 0.0
    for back in range(n):
        k = n - 1 - back
        ca += q[_PRESENT + k]
        sa += q[_SQUARE + k]
        loudest = max(loudest, sa - (_TELLING + _RESTLESS * ca))
        q[_COUNT + k], q[_SUM_ALL + k] = ca, sa
    if not loudest > 0.0:
        return False

    power = -0.5 * (sdof + cn)
    top = 0.0
    for d in range(3):
        lost = 0.0 if d == 0 else 1.0 - kept_rho
        for k in range(_PLACES):
            a_k, c_k = q[_A + 16 * d + k], q[_C + 16 * d + k]
            explained = min(q[_SHARE + 16 * d + k] * c_k * c_k * rest, _SURE_OF_ONE)
            gain = power * ln(1.0 - explained)
            factor = gain - min(lost * gain, _DEAREST) - 0.5 * ln(1.0 + q[_WIDE + 16 * d + k] * a_k)
            q[_FACTOR + 16 * d + k] = factor
            top = max(top, factor)
    cl, sc, excused = 0.0, 0.0, 0.0
    for back in range(n):
        k = n - 1 - back
        square = q[_SQUARE + k]
        cl += q[_LF + k]
        sc += q[_LF + k] * square
        if q[_LIVE + k] == 2.0:
            wide = max(1.0 + t0, square / beyond)
            excused += math.log(c[at.PT]) - _SQUARE_ROOT_LOG - 0.5 * math.log(wide) - 0.5 * square / wide
        q[_CALM + k], q[_SUM_CALM + k] = cl, sc
        q[_EXCUSED + k], q[_FRESH + k] = excused, _NEW[int(q[_COUNT + k])]
    each, per = 1.0 / (2.0 * math.pi * sdof), 1.0 / sdof
    for k in range(_PLACES):
        n_all, n_calm = q[_COUNT + k], q[_CALM + k]
        usual = 0.5 * n_calm * ln(max(sdof + 0.5 * n_calm - 1.0, 1.0) * each)
        usual -= 0.5 * (sdof + n_calm) * ln(1.0 + q[_SUM_CALM + k] * per)
        new = q[_FRESH + k] - 0.5 * (_FEW + n_all) * ln(1.0 + q[_SUM_ALL + k] / _FEW)
        q[_RATIO + k] = math.sqrt((_FEW + q[_SUM_ALL + k]) / (_FEW + n_all))
        factor = new - usual - q[_EXCUSED + k] if n_all >= _LEAST_READINGS else _IMPOSSIBLE
        q[_FACTOR + 48 + k] = factor
        top = max(top, factor)
    for k in range(_PLACES):
        periods = min(q[_LAPSE + k], 100.0)
        often = q[_LF + k] * periods
        q[_WEIGHT + k] = q[_LF + k] * c[at.PT]
        q[_WEIGHT + 16 + k] = often * c[at.PS]
        q[_WEIGHT + 32 + k] = often * c[at.PL]
        q[_WEIGHT + 48 + k] = q[_PRESENT + k] * periods * c[at.PV]
    for d in range(4):
        for k in range(_PLACES):
            q[_WEIGHT + 16 * d + k] *= exp2((q[_FACTOR + 16 * d + k] - top) * _ONE_OVER_LN2)
    none = math.exp(-top)
    total = none
    for d in range(4):
        most, where, kind = -1.0, 0, 0.0
        for k in range(n):
            weight = q[_WEIGHT + 16 * d + k]
            kind += weight
            if weight > most:
                most, where = weight, k
        total += kind
        q[_KIND + d], q[_WHERE + d] = kind, where
        q[_AFTER + d] = q[_NK + where] if d < 3 else q[_COUNT + where]
    for d in range(4):
        q[_KIND + d] /= total
    return _tell(f, l, q, c, none / total, kept_rho)


@njit(error_model="numpy", fastmath=CONTRACT)
def _tell(f: Any, l: int, q: Any, c: Any, none: float, kept_rho: float) -> Any:  # pragma: no cover
    apart()
    kind0, kind1, kind2, kind3 = q[_KIND], q[_KIND + 1], q[_KIND + 2], q[_KIND + 3]
    happened = 1.0 - none
    sure = c[at.SURE]
    is_transient = kind0 > sure and q[_AFTER] >= 2.0
    lasting = kind1 + kind2 > c[at.LASTING] and min(q[_AFTER + 1], q[_AFTER + 2]) >= _LONG_ENOUGH
    is_step = (kind1 > sure and q[_AFTER + 1] >= 3.0) or (lasting and kind1 >= kind2)
    is_slope = (kind2 > sure and q[_AFTER + 2] >= 3.0) or (lasting and kind1 < kind2)
    is_variance = kind3 > sure and q[_AFTER + 3] >= 5.0
    here = f[HERE * L + l] == 1.0
    given = here and (is_transient or is_step or is_slope or is_variance)
    d = 0
    if is_transient:
        d = 0
    elif is_step:
        d = 1
    elif is_slope:
        d = 2
    elif is_variance:
        d = 3
    else:
        for k in range(1, 4):
            if q[_KIND + k] > q[_KIND + d]:
                d = k
    place = int(q[_WHERE + d])
    sn = q[_S + 5]
    if d < 3:
        size = q[_SHARE + 16 * d + place] * q[_C + 16 * d + place]
        size_sd = math.sqrt(q[_SHARE + 16 * d + place] / (1.0 if d == 0 else kept_rho) * sn)
        stretch = q[_WIDE + 16 * d + place]
    else:
        size = q[_RATIO + place]
        size_sd = size / math.sqrt(2.0 * max(q[_COUNT + place], 1.0))
        stretch = 0.0
    was = int(f[WAS * L + l])
    doubt = here and not given and (happened > c[at.SUSPECT] or (was == SUSPECTED and happened >= c[at.ACQUIT]))
    if given or doubt:
        named = d + TRANSIENT if given else SUSPECTED
        f[NAMED * L + l] = named
        f[ANNOUNCED * L + l] = 1.0 if given or was != SUSPECTED else 0.0
        f[ONSET * L + l] = f[(AGES + place) * L + l]
        f[EVENT * L + l], f[(EVENT + 1) * L + l] = size, size_sd
        f[(EVENT + 2) * L + l] = q[_KIND + d] if given else happened
    elif int(f[NAMED * L + l]) == STEADY:
        f[(EVENT + 2) * L + l] = 1.0 - happened
    if given:
        f[STANDING * L + l] = 0.0
        f[GIVEN * L + l] = 1.0 if d > 0 else 0.0
    if here:
        old_peak = f[CHANCE * L + l]
        f[(EVENT + 3) * L + l] = max(happened, old_peak * _NEWS_FADES)
        f[NEWS * L + l] = max(happened - old_peak, 0.0)
    if given:
        _begin_anew(f, l, q, c, d, place, size, stretch)
    return given


@njit(error_model="numpy", fastmath=CONTRACT)
def _begin_anew(  # pragma: no cover
    f: Any, l: int, q: Any, c: Any, d: int, place: int, size: float, stretch: float
) -> None:
    apart()
    if d == 0:
        f[(LIVE + 1 + place) * L + l] = 2.0
        return
    for k in range(place):
        _settle(q, q[_Z + k], q[_LAPSE + k], q[_LIVE + k] == 1.0, c)
        f[(LIVE + 1 + k) * L + l] = 0.0
        f[(LAP + 1 + k) * L + l] = 0.0
    if d == 3:
        readings = 0.0
        for k in range(WINDOW):
            f[(LIVE + 1 + k) * L + l] = min(f[(LIVE + 1 + k) * L + l], 1.0)
            readings += f[(LIVE + 1 + k) * L + l]
        q[_S + 5] *= size * size
        q[_S + 6] = readings
        for j in range(4):
            f[(NEW + j + SCALE) * L + l] = q[_S + 5]
        f[NEW_DOF * L + l] = readings
    elif d == 1:
        q[_S] += size
        q[_S + 2] += min(stretch, c[at.SS] * c[at.SS])
    else:
        q[_S + 4] += stretch
    for k in range(9):
        f[(SET + k) * L + l] = q[_S + k]
    if d == 1:
        excursion.begin(f, l, place, 1.0 if size >= 0.0 else -1.0)
