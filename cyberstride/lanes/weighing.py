"""`evidence.weigh`, `naming.name` and `naming.begin_anew` for one lane whose window may tell of something."""

from __future__ import annotations

import math
from typing import Any

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
from cyberstride.lanes.arithmetic import LN2, apart, compiled, within
from cyberstride.lanes.memory import load, store
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
from cyberstride.lanes.vector import exp2, farther, greatest, log2, nearer, root, where
from cyberstride.naming import _LONG_ENOUGH, _NEWS_FADES
from cyberstride.verdict import STEADY, SUSPECTED, TRANSIENT

__all__ = ["ROOM", "name"]

L = LANES
_NEW = _NEW_VARIANCE.copy()
(
    _Z, _LAPSE, _LIVE, _PRESENT, _LF, _H, _RES, _NK, _HK, _HHK, _RK, _HRK, _SQUARE, _COUNT, _CALM, _SUM_ALL, _SUM_CALM,
    _EXCUSED, _FRESH, _RATIO, _A, _C, _WIDE, _SHARE, _EXPLAINED, _FACTOR, _WEIGHT, _S,
) = (*range(0, 320, 16), *range(320, 560, 48), *range(560, 752, 64))  # fmt: skip
_KIND, _WHERE, _AFTER, _REST, _READINGS = _S + 9, _S + 13, _S + 17, _S + 21, _S + 22
ROOM = _S + 24
_PARTS = 16 // L
"""A place of the window is one of sixteen; those beyond its end stay zero."""
_STEADY = float(STEADY)
_ONE_OVER_LN2 = 1.0 / LN2
_SURE_OF_ONE = 1.0 - 1e-15


@compiled
def _settle(q: Any, z: float, lapse: float, live: bool, c: Any) -> None:
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


@compiled
def name(f: Any, l: int, q: Any, c: Any) -> Any:
    """Weigh the window of lane `l` and name what it tells; `q` is scratch of `ROOM` places; whether it changed it."""
    apart()
    for k in range(9):
        q[_S + k] = f[(SET + k) * L + l]
    passed = 0.0
    for k in range(WINDOW):
        q[_Z + k] = f[(WIN + 1 + k) * L + l]
        lapse = f[(LAP + 1 + k) * L + l]
        q[_LAPSE + k] = lapse
        q[_LIVE + k] = f[(LIVE + 1 + k) * L + l]
        passed += lapse
        q[_H + k] = passed
    if not _fit(q, c, passed):
        return False
    top = _factors(q, c)
    none = math.exp(-top)
    total = none
    for d in range(4):
        kind = 0.0
        for k in range(WINDOW):
            kind += q[_WEIGHT + 16 * d + k]
        q[_KIND + d] = kind
        total += kind
    none = none / total
    happened = 1.0 - none
    if happened < min(min(c[at.SURE], c[at.LASTING]), min(c[at.SUSPECT], c[at.ACQUIT])):
        _remember(f, l, happened)
        return False
    for d in range(4):
        q[_KIND + d] /= total
        most, where_most = -1.0, 0
        for k in range(WINDOW):
            weight = q[_WEIGHT + 16 * d + k]
            if weight > most:
                most, where_most = weight, k
        q[_WHERE + d] = where_most
        q[_AFTER + d] = q[_NK + where_most] if d < 3 else q[_COUNT + where_most]
    return _tell(f, l, q, c, happened)


@compiled
def _fit(q: Any, c: Any, passed: float) -> Any:
    """Regress the window, and each event on what is left; whether anything is telling."""
    apart()
    level, slope = q[_S], q[_S + 1]
    for b in range(_PARTS):
        live = where(load(q, _LIVE // L + b) == 1.0, 1.0, 0.0)
        h = load(q, _H // L + b)
        residual = load(q, _Z // L + b) - (level + slope * h)
        lh, r = live * h, live * residual
        store(q, _PRESENT // L + b, where(load(q, _LIVE // L + b) > 0.0, 1.0, 0.0))
        store(q, _LF // L + b, live)
        store(q, _NK // L + b, live)
        store(q, _RES // L + b, residual)
        store(q, _HK // L + b, lh)
        store(q, _HHK // L + b, lh * h)
        store(q, _RK // L + b, r)
        store(q, _HRK // L + b, lh * r)
    cn, ch, chh, cr, chr_, rr = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for back in range(WINDOW):
        k = WINDOW - 1 - back
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
    unit_slope = max(passed, 1.0) / max(cn, 1.0)
    t0, t1 = c[at.ST] * c[at.ST], c[at.SS] * c[at.SS]
    t2 = c[at.SL] * c[at.SL] / (unit_slope * unit_slope)
    narrow, one_over = 1.0 / (sn * c[at.STRETCH] * c[at.STRETCH]), 1.0 / sn
    loudest = load(q, _Z // L) * 0.0 - 1.0
    for b in range(_PARTS):
        h = load(q, _H // L + b)
        before = h - load(q, _LAPSE // L + b)
        nk, hk, hhk, live = load(q, _NK // L + b), load(q, _HK // L + b), load(q, _HHK // L + b), load(q, _LF // L + b)
        residual, rk = load(q, _RES // L + b), load(q, _RK // L + b)
        off = residual - (f1 + f2 * h)
        store(q, _SQUARE // L + b, load(q, _PRESENT // L + b) * off * off * one_over)
        x2 = live * h
        a = farther(live - (m11 * live * live + m12 * live * x2 + m22 * x2 * x2), 1e-9)
        loudest = farther(loudest, _spread(q, b, a, live * residual - (f1 * live + f2 * x2), t0, narrow, sn))
        a = farther(nk - (m11 * nk * nk + m12 * nk * hk + m22 * hk * hk), 1e-9)
        loudest = farther(loudest, _spread(q, _PARTS + b, a, rk - (f1 * nk + f2 * hk), t1, narrow, sn))
        x1, x2 = hk - before * nk, hhk - before * hk
        xx = hhk - 2.0 * before * hk + before * before * nk
        a = farther(xx - (m11 * x1 * x1 + m12 * x1 * x2 + m22 * x2 * x2), 1e-9)
        of_slope = load(q, _HRK // L + b) - before * rk - (f1 * x1 + f2 * x2)
        loudest = farther(loudest, _spread(q, 2 * _PARTS + b, a, of_slope, t2, narrow, sn))
    loud = greatest(loudest)
    ca, sa = 0.0, 0.0
    for back in range(WINDOW):
        k = WINDOW - 1 - back
        ca += q[_PRESENT + k]
        sa += q[_SQUARE + k]
        loud = max(loud, sa - (_TELLING + _RESTLESS * ca))
        q[_COUNT + k], q[_SUM_ALL + k] = ca, sa
    q[_REST], q[_READINGS] = 1.0 / (sdof * sn + rss), cn
    return loud > 0.0


@within
def _spread(q: Any, row: int, a: Any, x: Any, usual: float, narrow: float, sn: float) -> Any:
    """Keep the prior width of events and what they explain; by how much more than must be."""
    ratio = x / a
    wide = farther(ratio * ratio * narrow, usual)
    share = wide / (1.0 + wide * a)
    explained = share * x * x
    store(q, _A // L + row, wide * a)
    store(q, _C // L + row, x)
    store(q, _WIDE // L + row, wide)
    store(q, _SHARE // L + row, share)
    store(q, _EXPLAINED // L + row, explained)
    return explained - _TELLING * sn


@compiled
def _factors(q: Any, c: Any) -> Any:
    """The weights of all events over e^top, and the greatest logarithm `top` of their factors, or 0."""
    apart()
    sdof, rest = q[_S + 6], q[_REST]
    rho = min(max(q[_S + 7], 0.0), _MOST_CORRELATED)
    kept_rho = (1.0 - rho) / (1.0 + rho)
    power = -0.5 * LN2 * (sdof + q[_READINGS])
    tops = load(q, _Z // L) * 0.0
    for row in range(3 * _PARTS):
        lost = 0.0 if row < _PARTS else 1.0 - kept_rho
        gain = power * log2(1.0 - nearer(load(q, _EXPLAINED // L + row) * rest, _SURE_OF_ONE))
        factor = gain - nearer(lost * gain, _DEAREST) - (0.5 * LN2) * log2(1.0 + load(q, _A // L + row))
        store(q, _FACTOR // L + row, factor)
        tops = farther(tops, factor)
    t0, beyond = c[at.ST] * c[at.ST], c[at.STRETCH] * c[at.STRETCH]
    calm, of_calm, excused = 0.0, 0.0, 0.0
    for back in range(WINDOW):
        k = WINDOW - 1 - back
        calm += q[_LF + k]
        of_calm += q[_LF + k] * q[_SQUARE + k]
        if q[_LIVE + k] == 2.0:
            square = q[_SQUARE + k]
            wide = max(1.0 + t0, square / beyond)
            excused += math.log(c[at.PT]) - _SQUARE_ROOT_LOG - 0.5 * math.log(wide) - 0.5 * square / wide
        q[_CALM + k], q[_SUM_CALM + k] = calm, of_calm
        q[_EXCUSED + k], q[_FRESH + k] = excused, _NEW[int(q[_COUNT + k])]
    each, per = 1.0 / (2.0 * math.pi * sdof), 1.0 / sdof
    for b in range(_PARTS):
        n_all, n_calm = load(q, _COUNT // L + b), load(q, _CALM // L + b)
        sum_all, sum_calm = load(q, _SUM_ALL // L + b), load(q, _SUM_CALM // L + b)
        usual = (0.5 * LN2) * n_calm * log2(farther(n_calm * 0.5 + (sdof - 1.0), 1.0) * each)
        usual = usual - (0.5 * LN2) * (n_calm + sdof) * log2(1.0 + sum_calm * per)
        new = load(q, _FRESH // L + b) - (0.5 * LN2) * (n_all + _FEW) * log2(1.0 + sum_all / _FEW)
        store(q, _RATIO // L + b, root((sum_all + _FEW) / (n_all + _FEW)))
        factor = where(n_all >= _LEAST_READINGS, new - usual - load(q, _EXCUSED // L + b), _IMPOSSIBLE)
        store(q, _FACTOR // L + 3 * _PARTS + b, factor)
        tops = farther(tops, factor)
    top = greatest(tops)
    for b in range(_PARTS):
        periods, live = nearer(load(q, _LAPSE // L + b), 100.0), load(q, _LF // L + b)
        often = live * periods
        for d in range(4):
            row = d * _PARTS + b
            prior = live * c[at.PT]
            if d == 1:
                prior = often * c[at.PS]
            if d == 2:
                prior = often * c[at.PL]
            if d == 3:
                prior = load(q, _PRESENT // L + b) * periods * c[at.PV]
            store(q, _WEIGHT // L + row, prior * exp2((load(q, _FACTOR // L + row) - top) * _ONE_OVER_LN2))
    return top


@compiled
def _remember(f: Any, l: int, happened: float) -> None:
    """What is told of a window that tells of nothing after all."""
    apart()
    if f[NAMED * L + l] == _STEADY:
        f[(EVENT + 2) * L + l] = 1.0 - happened
    if f[HERE * L + l] == 1.0:
        old_peak = f[CHANCE * L + l]
        f[(EVENT + 3) * L + l] = max(happened, old_peak * _NEWS_FADES)
        f[NEWS * L + l] = max(happened - old_peak, 0.0)


@compiled
def _tell(f: Any, l: int, q: Any, c: Any, happened: float) -> Any:
    apart()
    kind0, kind1, kind2, kind3 = q[_KIND], q[_KIND + 1], q[_KIND + 2], q[_KIND + 3]
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
    if d < 3:
        rho = min(max(q[_S + 7], 0.0), _MOST_CORRELATED)
        kept_rho = (1.0 - rho) / (1.0 + rho)
        size = q[_SHARE + 16 * d + place] * q[_C + 16 * d + place]
        size_sd = math.sqrt(q[_SHARE + 16 * d + place] / (1.0 if d == 0 else kept_rho) * q[_S + 5])
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
    _remember(f, l, happened)
    if given:
        f[STANDING * L + l] = 0.0
        f[GIVEN * L + l] = 1.0 if d > 0 else 0.0
        _begin_anew(f, l, q, c, d, place, size, stretch)
    return given


@compiled
def _begin_anew(f: Any, l: int, q: Any, c: Any, d: int, place: int, size: float, stretch: float) -> None:
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
