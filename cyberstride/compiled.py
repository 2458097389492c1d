"""The step of `filter.py` in compiled form, lane by lane; imported only when the kernel is used.

Same mathematics, same names, in the same order: read `mixture.py`, `evidence.py` and `naming.py` for the reasons. The inner
loops run over the sixteen branches and the places of the window, with logarithm and exponential written out in plain
arithmetic, so that the compiler turns them into vector instructions. A lane's bits depend on that lane alone.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from cyberstride.belief import WINDOW
from cyberstride.evidence import (
    _DEAREST,
    _FEW,
    _IMPOSSIBLE,
    _LEAST_NOISE,
    _LEAST_READINGS,
    _MOST_CORRELATED,
    _NEW_VARIANCE,
    _RESTLESS,
    _SQUARE_ROOT_LOG,
    _TELLING,
)
from cyberstride.evidence import _LARGEST as _WIDEST
from cyberstride.mixture import _ERFC, _LARGEST, _LEAST_WEIGHT, _LN10
from cyberstride.naming import _DRIFT_SURE, _LONG_ENOUGH, _NEWS_FADES
from cyberstride.reference import _FARTHEST as _FARTHEST_AWAY
from cyberstride.reference import _SMOOTHING, _TYPICAL
from cyberstride.regimes import Regimes
from cyberstride.verdict import DRIFT, OUT_OF_RANGE, SLOPE, STEADY, STEP, STUCK, SUSPECTED, TRANSIENT, VARIANCE

__all__ = ["judge_rows", "packed"]

_FARTHEST = 2.0**60
_LARGEST_READING = 1e300
_Z95 = 1.6448536269514722
_MOST_DOF = 1e6
_NEW = _NEW_VARIANCE.copy()
_POLY = np.array(_ERFC)
(
    _DISCOUNT, _STRETCH, _CLIP, _LEAST, _SUSPECT, _SURE, _LASTING, _ACQUIT, _STANDS, _REFERENCE, _AWAY, _PT, _PS, _PL,
    _PV, _ST, _SS, _SL, _UNMOVED, _SLACK, _LIMIT,
) = range(21)  # fmt: skip


def packed(regimes: Regimes) -> tuple[Any, ...]:
    """The settings as arrays: priors, noise, level, slope (4,) each, and the rest in one vector."""
    rest = (
        regimes.variance_discount, regimes.stretch, regimes.clip, regimes.least_scale, regimes.suspect, regimes.sure,
        regimes.lasting, regimes.acquit, float(regimes.stands), float(regimes.reference_readings), regimes.away_prior,
        *regimes.event_priors[1:], regimes.variance_prior, *regimes.event_sizes[1:], math.log(regimes.unmoved),
        regimes.drift_slack, regimes.drift_limit,
    )  # fmt: skip
    fours = (regimes.priors, regimes.noise, regimes.level, regimes.slope)
    return (*(np.array(four) for four in fours), np.array(rest))


@njit(error_model="numpy", cache=True)
def _log(x: float) -> float:  # pragma: no cover
    bits = np.float64(x).view(np.uint64)
    shifted = bits - np.uint64(0x3FE6A09E00000000) + np.uint64(0x4000000000000000)
    top = shifted & np.uint64(0xFFF0000000000000)
    m = np.uint64(bits - top + np.uint64(0x4000000000000000)).view(np.float64)
    power = np.uint64((shifted >> np.uint64(52)) | np.uint64(0x4330000000000000)).view(np.float64) - 4503599627371520.0
    f = m - 1.0
    s = f / (2.0 + f)
    z = s * s
    r = 0.1531383769920937332 + z * 0.1479819860511658591
    r = 0.1818357216161805012 + z * r
    r = 0.2222219843214978396 + z * r
    r = 0.2857142874366239149 + z * r
    r = 0.3999999999940941908 + z * r
    r = z * (0.6666666666666735130 + z * r)
    h = 0.5 * f * f
    return power * 0.6931471803691238 + (f - (h - (s * (h + r) + power * 1.9082149292705877e-10)))


@njit(error_model="numpy", cache=True)
def _exp(x: float) -> float:  # pragma: no cover
    x = max(x, -700.0)
    k = x * 1.4426950408889634 + 6755399441055744.0
    bits = np.float64(k).view(np.int64)
    k -= 6755399441055744.0
    r = (x - k * 0.6931471803691238) - k * 1.9082149292705877e-10
    p = 1.0 / 479001600.0
    p = p * r + 1.0 / 39916800.0
    p = p * r + 1.0 / 3628800.0
    p = p * r + 1.0 / 362880.0
    p = p * r + 1.0 / 40320.0
    p = p * r + 1.0 / 5040.0
    p = p * r + 1.0 / 720.0
    p = p * r + 1.0 / 120.0
    p = p * r + 1.0 / 24.0
    p = p * r + 1.0 / 6.0
    p = p * r + 0.5
    p = p * r + 1.0
    p = p * r + 1.0
    return np.int64(np.float64(p).view(np.int64) + (bits << 52)).view(np.float64)


@njit(error_model="numpy", cache=True)
def _settle(
    s: Any, z: float, lapse: float, live: bool, g: float, h: float, discount: float
) -> None:  # pragma: no cover
    level = s[0] + s[1] * lapse
    r11 = min(s[2] + 2.0 * lapse * s[3] + lapse * lapse * s[4] + (g + h) * lapse, _WIDEST)
    r12 = s[3] + lapse * s[4] + h * lapse
    r22 = s[4] + h * lapse
    if not live:
        s[0], s[2], s[3], s[4] = level, r11, r12, r22
        return
    q = r11 + 1.0
    deviation = math.sqrt(s[5] * q)
    e = min(max((z - level) / deviation, -3.0), 3.0)
    step = e * deviation
    kept = discount * s[6]
    noise = max(s[5] * ((kept + 1.005 * (e * e)) / (kept + 1.0)), _LEAST_NOISE)
    gain = 1.0 / min(s[6], 150.0)
    v11, v12 = r11 / q, r12 / q
    s[0] = level + v11 * step
    s[1] = s[1] + v12 * step
    s[2], s[3] = v11, v12
    s[4] = max(r22 - r12 * v12, v12 * v12 / v11 * (1.0 + 1e-12))
    s[5] = noise
    s[6] = kept + 1.0
    s[7] = s[7] + gain * (e * s[8] - s[7])
    s[8] = e


@njit(error_model="numpy", cache=True, nogil=True)
def judge_rows(  # pragma: no cover
    start: int, stop: int, x: Any, elapsed: Any, b: Any, v: Any, priors: Any, noise: Any, lv: Any, sl: Any, c: Any,
    hard: Any,
) -> None:  # fmt: skip
    """Judge the rows from `start` to `stop`, changing the belief `b` in place and writing the verdicts `v`.

    Rows that are not running (or whose variance is known for certain) are left alone and marked in `hard`.
    """
    n16 = 16
    mean, r11, r12, r22 = np.empty(n16), np.empty(n16), np.empty(n16), np.empty(n16)
    nz, q, e, sq, w = np.empty(n16), np.empty(n16), np.empty(n16), np.empty(n16), np.empty(n16)
    mm, bb, ss = np.empty(n16), np.empty(n16), np.empty(n16)
    x11, x12, x22 = np.empty(n16), np.empty(n16), np.empty(n16)
    pr, a4, b4, c4, new_p, back = np.empty(4), np.empty(4), np.empty(4), np.empty(4), np.empty(4), np.empty(4)
    old_scale = np.empty(4)
    s = np.empty(9)
    ell = WINDOW
    h, res, lf = np.empty(ell), np.empty(ell), np.empty(ell)
    nk, hk, hhk, rk, hrk = np.empty(ell), np.empty(ell), np.empty(ell), np.empty(ell), np.empty(ell)
    ca, cc, cs, csh = np.empty((3, ell)), np.empty((3, ell)), np.empty((3, ell)), np.empty((3, ell))
    factor = np.empty((4, ell))
    ratio, count = np.empty(ell), np.empty(ell)
    kind, where = np.empty(4), np.empty(4, np.int64)
    size3, sd3, st3, after3 = np.empty(4), np.empty(4), np.empty(4), np.empty(4)
    g0, h0 = lv[0], sl[0]
    discount = c[_DISCOUNT]
    log_often = math.log(c[_AWAY] / (1.0 - c[_AWAY]))

    for row in range(start, stop):
        hard[row] = 0
        dof = b.dof[row]
        if b.phase[row] != 1 or dof > _MOST_DOF:
            hard[row] = 1
            continue
        value = x[row]
        here = abs(value) <= _LARGEST_READING
        lapse = elapsed[row]
        if not lapse >= 0.0:
            lapse = 1.0 if lapse != lapse else 0.0
        lapse = min(lapse, 1e6)
        impossible, beyond = False, 0.0
        if here:
            if value < b.limits[row, 0]:
                impossible, beyond = True, value - b.limits[row, 0]
            elif value > b.limits[row, 1]:
                impossible, beyond = True, value - b.limits[row, 1]
            here = not impossible
        t = b.gap[row] + lapse
        origin, unit = b.origin[row], b.unit[row]

        # mixture.evolve
        tt = min(t, 1e6)
        once = min(tt, 1.0)
        rise, climb = tt, tt
        if tt >= 1.0:
            rise = tt * (tt + 1.0) / 2.0
            climb = tt * (tt + 1.0) * (2.0 * tt + 1.0) / 6.0
        for j in range(4):
            g, hh = lv[j] - g0, sl[j] - h0
            a4[j] = (g0 * tt + h0 * climb) + (g + hh) * once
            b4[j] = h0 * rise + hh * once
            c4[j] = h0 * tt + hh * once
        for i in range(4):
            s_i = b.scale[row, i]
            old_scale[i] = s_i
            v11, v12, v22 = b.cov[row, 0, i], b.cov[row, 1, i], b.cov[row, 2, i]
            base11 = v11 + 2.0 * tt * v12 + tt * tt * v22
            base12 = v12 + tt * v22
            m_i = b.level[row, i] + b.slope[row, i] * tt
            for j in range(4):
                k = i * 4 + j
                mean[k] = m_i
                r11[k] = min(base11 + s_i * a4[j], _LARGEST)
                r12[k] = base12 + s_i * b4[j]
                r22[k] = min(v22 + s_i * c4[j], _LARGEST)
                nz[k] = s_i * noise[j]
        # mixture.priors_over
        if t == 1.0:
            step_p, slope_p = 1.0 - (1.0 - priors[2]), 1.0 - (1.0 - priors[3])
        else:
            step_p, slope_p = 1.0 - (1.0 - priors[2]) ** t, 1.0 - (1.0 - priors[3]) ** t
        pr[1], pr[2], pr[3] = priors[1], step_p, slope_p
        pr[0] = max(1.0 - priors[1] - step_p - slope_p, priors[0] * (1.0 - step_p) * (1.0 - slope_p))
        total = ((pr[0] + pr[1]) + pr[2]) + pr[3]
        for j in range(4):
            pr[j] = max(pr[j] / total, _LEAST_WEIGHT)

        expected = 0.0
        for i in range(4):
            expected += b.p[row, i] * mean[i * 4]
        spread = 0.0
        for i in range(4):
            off = mean[i * 4] - expected
            spread += b.p[row, i] * (r11[i * 4] + nz[i * 4] + off * off)
        inverse = 1.0 / dof
        quantile = _Z95 + inverse * (
            (_Z95**3 + _Z95) / 4.0 + inverse * ((5 * _Z95**5 + 16 * _Z95**3 + 3 * _Z95) / 96.0)
        )
        half = quantile * math.sqrt(spread)
        y = expected
        if here:
            y = min(max((value - origin) / unit, -_FARTHEST), _FARTHEST)

        new_dof = dof
        if here:
            # mixture.absorb
            narrow = 1.0 / (c[_STRETCH] * c[_STRETCH])
            for i in range(4):
                error = y - mean[i * 4]
                need = error * error * narrow
                k = i * 4 + 1
                nz[k] = max(nz[k], need - r11[k])
                k = i * 4 + 2
                r11[k] = max(r11[k], need - nz[k])
            power = -0.5 * (dof + 1.0)
            for k in range(n16):
                q[k] = r11[k] + nz[k]
                e[k] = y - mean[k]
                sq[k] = e[k] * e[k] / q[k]
                w[k] = power * _log(1.0 + sq[k] * inverse)
            best = w[0]
            for k in range(1, n16):
                best = max(best, w[k])
            for k in range(n16):
                w[k] = _exp(w[k] - best)
            heaviest = 0.0
            for i in range(4):
                for j in range(4):
                    k = i * 4 + j
                    w[k] = w[k] * (b.p[row, i] * pr[j]) / math.sqrt(q[k])
                    heaviest = max(heaviest, w[k])
            total = 0.0
            for k in range(n16):
                w[k] = max(w[k] / heaviest, _LEAST_WEIGHT)
                total += w[k]
            for k in range(n16):
                w[k] = w[k] / total
            kept = discount * dof
            scaled = 1.0 / (kept + 1.0)
            for i in range(4):
                s_i = old_scale[i]
                slope_i = b.slope[row, i]
                for j in range(4):
                    k = i * 4 + j
                    iq = 1.0 / q[k]
                    grown = (kept + min(sq[k], c[_CLIP])) * scaled
                    ss[k] = max(s_i * grown, c[_LEAST])
                    mm[k] = mean[k] + r11[k] * iq * e[k]
                    bb[k] = slope_i + r12[k] * iq * e[k]
                    x11[k] = grown * (r11[k] * (nz[k] * iq))
                    x12[k] = grown * (r12[k] * (nz[k] * iq))
                    x22[k] = grown * (r22[k] - r12[k] * (r12[k] * iq))
            for j in range(4):
                p_j = ((w[j] + w[4 + j]) + w[8 + j]) + w[12 + j]
                new_p[j] = p_j
                inv = 0.0
                for i in range(4):
                    inv += w[i * 4 + j] / ss[i * 4 + j]
                m_j, b_j = 0.0, 0.0
                for i in range(4):
                    k = i * 4 + j
                    star = w[k] / (ss[k] * inv)
                    w_star = star
                    m_j += w_star * mm[k]
                    b_j += w_star * bb[k]
                v11, v12, v22 = 0.0, 0.0, 0.0
                for i in range(4):
                    k = i * 4 + j
                    star = w[k] / (ss[k] * inv)
                    dm, db = mm[k] - m_j, bb[k] - b_j
                    v11 += star * (x11[k] + dm * dm)
                    v12 += star * (x12[k] + dm * db)
                    v22 += star * (x22[k] + db * db)
                v22 = max(v22, v12 * v12 / v11 * (1.0 + 1e-12))
                b.level[row, j], b.slope[row, j] = m_j, b_j
                b.cov[row, 0, j], b.cov[row, 1, j], b.cov[row, 2, j] = v11, v12, v22
                b.scale[row, j] = p_j / inv
            for i in range(4):
                back[i] = ((w[i * 4] + w[i * 4 + 1]) + w[i * 4 + 2]) + w[i * 4 + 3]
            for j in range(4):
                b.p[row, j] = new_p[j]
                v.p_now[row, j] = new_p[j]
                v.p_back[row, j] = back[j]
            new_dof = kept + 1.0
        else:
            for j in range(4):
                v.p_now[row, j] = pr[j]
                v.p_back[row, j] = b.p[row, j]
        b.dof[row] = new_dof

        level, slope = 0.0, 0.0
        for j in range(4):
            level += b.p[row, j] * b.level[row, j]
            slope += b.p[row, j] * b.slope[row, j]
        level_var, slope_var = 0.0, 0.0
        for j in range(4):
            dm, db = b.level[row, j] - level, b.slope[row, j] - slope
            level_var += b.p[row, j] * (b.cov[row, 0, j] + dm * dm)
            slope_var += b.p[row, j] * (b.cov[row, 2, j] + db * db)

        # naming.push
        for k in range(9):
            s[k] = b.settled[row, k]
        old_noise, old_settled_dof = s[5], s[6]
        left = here and b.live[row, 0] == 1
        if here:
            _settle(s, b.window[row, 0], b.lapse[row, 0], left, g0, h0, discount)
            for k in range(ell - 1):
                b.window[row, k] = b.window[row, k + 1]
                b.lapse[row, k] = b.lapse[row, k + 1]
                b.ago[row, k] = b.ago[row, k + 1] + 1
                b.live[row, k] = b.live[row, k + 1]
            b.window[row, ell - 1] = y
            b.lapse[row, ell - 1] = t
            b.ago[row, ell - 1] = 0
            b.live[row, ell - 1] = 1
        else:
            for k in range(ell):
                b.ago[row, k] += 1

        # evidence.fit
        passed = 0.0
        for k in range(ell):
            passed += b.lapse[row, k]
            h[k] = passed
        for k in range(ell):
            lf[k] = 1.0 if b.live[row, k] == 1 else 0.0
            res[k] = b.window[row, k] - (s[0] + s[1] * h[k])
        cn, ch, chh, cr, chr_, rr = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for back_k in range(ell):
            k = ell - 1 - back_k
            lh, r = lf[k] * h[k], lf[k] * res[k]
            cn += lf[k]
            ch += lh
            chh += lh * h[k]
            cr += r
            chr_ += lh * r
            rr += r * r
            nk[k], hk[k], hhk[k], rk[k], hrk[k] = cn, ch, chh, cr, chr_
        v11, v12, v22 = s[2] + 0.5 * g0 * passed, s[3], s[4] + h0 * passed
        i11, i12 = 1.0 + v11 * cn + v12 * ch, v11 * ch + v12 * chh
        i21, i22 = v12 * cn + v22 * ch, 1.0 + v12 * ch + v22 * chh
        det = i11 * i22 - i12 * i21
        m11, m12, m22 = (i22 * v11 - i12 * v12) / det, (i22 * v12 - i12 * v22) / det, (i11 * v22 - i21 * v12) / det
        f1, f2 = m11 * cr + m12 * chr_, m12 * cr + m22 * chr_
        rss = max(rr - (cr * f1 + chr_ * f2), 0.0)

        # evidence.weigh: what could be telling at all
        sn = s[5]
        unit_slope = max(passed, 1.0) / max(cn, 1.0)
        t0, t1 = c[_ST] * c[_ST], c[_SS] * c[_SS]
        t2 = c[_SL] * c[_SL] / (unit_slope * unit_slope)
        narrow = 1.0 / (sn * c[_STRETCH] * c[_STRETCH])
        loudest = 0.0
        for k in range(ell):
            x1, x2 = lf[k], lf[k] * h[k]
            a_k = max(lf[k] - (m11 * x1 * x1 + 2.0 * m12 * x1 * x2 + m22 * x2 * x2), 1e-9)
            c_k = lf[k] * res[k] - (f1 * x1 + f2 * x2)
            wide = max(t0, (c_k / a_k) * (c_k / a_k) * narrow)
            ca[0, k], cc[0, k], cs[0, k], csh[0, k] = a_k, c_k, wide, wide / (1.0 + wide * a_k)
        for k in range(ell):
            a_k = max(nk[k] - (m11 * nk[k] * nk[k] + 2.0 * m12 * nk[k] * hk[k] + m22 * hk[k] * hk[k]), 1e-9)
            c_k = rk[k] - (f1 * nk[k] + f2 * hk[k])
            wide = max(t1, (c_k / a_k) * (c_k / a_k) * narrow)
            ca[1, k], cc[1, k], cs[1, k], csh[1, k] = a_k, c_k, wide, wide / (1.0 + wide * a_k)
        for k in range(ell):
            before = h[k] - b.lapse[row, k]
            x1, x2 = hk[k] - before * nk[k], hhk[k] - before * hk[k]
            xx = hhk[k] - 2.0 * before * hk[k] + before * before * nk[k]
            a_k = max(xx - (m11 * x1 * x1 + 2.0 * m12 * x1 * x2 + m22 * x2 * x2), 1e-9)
            c_k = hrk[k] - before * rk[k] - (f1 * x1 + f2 * x2)
            wide = max(t2, (c_k / a_k) * (c_k / a_k) * narrow)
            ca[2, k], cc[2, k], cs[2, k], csh[2, k] = a_k, c_k, wide, wide / (1.0 + wide * a_k)
        for d in range(3):
            for k in range(ell):
                loudest = max(loudest, csh[d, k] * cc[d, k] * cc[d, k])
        loud = loudest > _TELLING * sn
        cn, cr = 0.0, 0.0
        for back_k in range(ell):
            k = ell - 1 - back_k
            if b.live[row, k] != 0:
                off = res[k] - (f1 + f2 * h[k])
                cr += off * off / sn
                cn += 1.0
            if cr > _TELLING + _RESTLESS * cn:
                loud = True

        none = 1.0
        for d in range(4):
            kind[d] = 0.0
            where[d] = 0
            size3[d], sd3[d], st3[d], after3[d] = 0.0, 0.0, 0.0, 0.0
        if loud:
            sdof = s[6]
            rest = sdof * sn + rss
            rho = min(max(s[7], 0.0), _MOST_CORRELATED)
            kept_rho = (1.0 - rho) / (1.0 + rho)
            top = 0.0
            for d in range(3):
                kappa = 1.0 if d == 0 else kept_rho
                for k in range(ell):
                    explained = min(csh[d, k] * cc[d, k] * cc[d, k] / rest, 1.0 - 1e-15)
                    gain = -0.5 * (sdof + nk[0]) * math.log1p(-explained)
                    gain = gain - min((1.0 - kappa) * gain, _DEAREST)
                    factor[d, k] = gain - 0.5 * math.log1p(cs[d, k] * ca[d, k])
                    top = max(top, factor[d, k])
            ca_, cl_, sa_, sc_, excused = 0.0, 0.0, 0.0, 0.0, 0.0
            for back_k in range(ell):
                k = ell - 1 - back_k
                if b.live[row, k] != 0:
                    off = res[k] - (f1 + f2 * h[k])
                    square = off * off / sn
                    ca_ += 1.0
                    sa_ += square
                    if b.live[row, k] == 1:
                        cl_ += 1.0
                        sc_ += square
                    else:
                        wide = max(1.0 + t0, square / (c[_STRETCH] * c[_STRETCH]))
                        excused += math.log(c[_PT]) - _SQUARE_ROOT_LOG - 0.5 * math.log(wide) - 0.5 * square / wide
                usual = 0.5 * cl_ * math.log(max(sdof + 0.5 * cl_ - 1.0, 1.0) / (2.0 * math.pi * sdof))
                usual -= 0.5 * (sdof + cl_) * math.log1p(sc_ / sdof)
                fresh_f = _NEW[int(ca_)] - 0.5 * (_FEW + ca_) * math.log1p(sa_ / _FEW)
                ratio[k] = math.sqrt((_FEW + sa_) / (_FEW + ca_))
                count[k] = ca_
                factor[3, k] = fresh_f - usual - excused if ca_ >= _LEAST_READINGS else _IMPOSSIBLE
                top = max(top, factor[3, k])
            none = math.exp(-top)
            total = none
            for d in range(4):
                most = -1.0
                for k in range(ell):
                    periods = min(b.lapse[row, k], 100.0)
                    if d == 0:
                        often = lf[k] * c[_PT]
                    elif d == 1:
                        often = lf[k] * periods * c[_PS]
                    elif d == 2:
                        often = lf[k] * periods * c[_PL]
                    else:
                        often = (1.0 if b.live[row, k] != 0 else 0.0) * periods * c[_PV]
                    weight = math.exp(factor[d, k] - top) * often
                    kind[d] += weight
                    if weight > most:
                        most, where[d] = weight, k
                total += kind[d]
                k = where[d]
                if d < 3:
                    size3[d] = csh[d, k] * cc[d, k]
                    sd3[d] = math.sqrt(csh[d, k] / (1.0 if d == 0 else kept_rho) * sn)
                    st3[d] = cs[d, k]
                    after3[d] = nk[k]
                else:
                    size3[d] = ratio[k]
                    sd3[d] = ratio[k] / math.sqrt(2.0 * max(count[k], 1.0))
                    st3[d] = 0.0
                    after3[d] = count[k]
            none /= total
            for d in range(4):
                kind[d] /= total

        # naming.name
        happened = 1.0 - none
        sure = c[_SURE]
        is_transient = kind[0] > sure and after3[0] >= 2.0
        lasting = kind[1] + kind[2] > c[_LASTING] and min(after3[1], after3[2]) >= _LONG_ENOUGH
        is_step = (kind[1] > sure and after3[1] >= 3.0) or (lasting and kind[1] >= kind[2])
        is_slope = (kind[2] > sure and after3[2] >= 3.0) or (lasting and kind[1] < kind[2])
        is_variance = kind[3] > sure and after3[3] >= 5.0
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
                if kind[k] > kind[d]:
                    d = k
        place = where[d]
        was = b.named[row]
        doubt = here and not given and (happened > c[_SUSPECT] or (was == SUSPECTED and happened >= c[_ACQUIT]))
        stands = was >= TRANSIENT and was != STUCK and was != OUT_OF_RANGE and b.standing[row] + 1 < c[_STANDS]
        named = was
        if here:
            if given:
                named = d + TRANSIENT
            elif doubt:
                named = SUSPECTED
            elif stands:
                named = was
            else:
                named = STEADY
        announced = given or (doubt and was != SUSPECTED) or (here and was == SUSPECTED and named == STEADY)
        onset = b.onset[row] + 1 if b.onset[row] >= 0 else -1
        if given or doubt:
            onset = b.ago[row, place]
        if named == STEADY:
            onset = -1
        standing = 0 if given else b.standing[row] + 1
        old_peak = b.event[row, 3]
        e0, e1, e2 = b.event[row, 0], b.event[row, 1], b.event[row, 2]
        if named == STEADY:
            e0, e1, e2 = 0.0, 0.0, 1.0 - happened
        elif given or doubt:
            e0, e1 = size3[d], sd3[d]
            e2 = kind[d] if given else happened
        peak = max(happened, old_peak * _NEWS_FADES) if here else old_peak
        news = max(happened - old_peak, 0.0) if here else 0.0

        # naming.begin_anew
        if given and named == TRANSIENT:
            b.live[row, place] = 2
        elif given:
            for k in range(ell - 1):
                if k < place:
                    _settle(s, b.window[row, k], b.lapse[row, k], b.live[row, k] == 1, g0, h0, discount)
                    b.live[row, k] = 0
                    b.lapse[row, k] = 0.0
            if named == VARIANCE:
                readings = 0.0
                for k in range(ell):
                    b.live[row, k] = min(b.live[row, k], 1)
                    readings += b.live[row, k]
                s[5] *= e0 * e0
                s[6] = readings
                for j in range(4):
                    b.scale[row, j] = s[5]
                b.dof[row] = readings
            elif named == STEP:
                s[0] += e0
                s[2] += min(st3[d], t1)
            elif named == SLOPE:
                s[4] += st3[d]

        # naming.watch
        run, habit = b.repeats[row, 0], b.repeats[row, 1]
        same = b.window[row, ell - 1] == b.window[row, ell - 2]
        if here:
            run = run + 1.0 if same else 0.0
        chance = run * math.log(max(habit, 0.1)) if run > 0.0 else 0.0
        stuck = chance < c[_UNMOVED]
        if here and not stuck:
            pace = 1.0 / min(max(b.seen[row] - WINDOW, 0) + 20.0, 200.0)
            habit = habit + pace * ((1.0 if same else 0.0) - habit)
        rho = min(max(s[7], 0.0), 0.9)
        up, up_since, up_start = b.drift[row, 0], b.drift[row, 1], b.drift[row, 2]
        down, down_since, down_start = b.drift[row, 3], b.drift[row, 4], b.drift[row, 5]
        if left:
            pull = s[8] * math.sqrt((1.0 - rho) / (1.0 + rho))
            more = max(up + pull - c[_SLACK], 0.0)
            if not (more > 0.0 and up_since > 0.0):
                up_start = s[0]
            up, up_since = more, (up_since + 1.0 if more > 0.0 else 0.0)
            more = max(down - pull - c[_SLACK], 0.0)
            if not (more > 0.0 and down_since > 0.0):
                down_start = s[0]
            down, down_since = more, (down_since + 1.0 if more > 0.0 else 0.0)
        over = max(up, down) > c[_LIMIT]
        drifting = over and here and named == STEADY and not stuck
        since, begun = (up_since, up_start) if up >= down else (down_since, down_start)
        if (given and named != TRANSIENT) or (over and here):
            up, up_since, up_start, down, down_since, down_start = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        b.repeats[row, 0], b.repeats[row, 1] = run, habit
        b.drift[row, 0], b.drift[row, 1], b.drift[row, 2] = up, up_since, up_start
        b.drift[row, 3], b.drift[row, 4], b.drift[row, 5] = down, down_since, down_start
        stuck = stuck and here
        if stuck:
            named, onset = STUCK, int(run)
            e0, e1, e2 = 0.0, 0.0, 1.0 - math.exp(chance)
            announced = was != STUCK
        elif drifting:
            named, onset = DRIFT, int(since) + b.ago[row, 0]
            e0, e1, e2 = s[0] - begun, math.sqrt(s[2] * sn), _DRIFT_SURE
            announced = True
        if drifting:
            standing = 0
        if named == STUCK:
            for j in range(4):
                b.scale[row, j] = old_scale[j]
            b.dof[row] = dof
            s[5], s[6] = old_noise, old_settled_dof
        for k in range(9):
            b.settled[row, k] = s[k]

        # reference.learn, reference.away
        centre, sp, weight_r = b.reference[row, 0], b.reference[row, 1], b.reference[row, 2]
        squares, smooth, frozen = b.reference[row, 3], b.reference[row, 4], b.reference[row, 5]
        if here and frozen == 0.0 and named == STEADY:
            weight_r += 1.0
            fresh_centre = centre + (value - centre) / weight_r
            squares += ((value - centre) / unit) * ((value - fresh_centre) / unit)
            centre = fresh_centre
            sp = unit * math.sqrt(max(squares, 0.0) / max(weight_r - 1.0, 1.0))
            if weight_r >= c[_REFERENCE]:
                frozen = 1.0
        wrong = 0.0
        if frozen == 1.0:
            if here:
                if sp > 0.0:
                    far = min(max((value - centre) / sp, -_FARTHEST_AWAY), _FARTHEST_AWAY)
                else:
                    far = 0.0 if value == centre else math.copysign(_FARTHEST_AWAY, value - centre)
                smooth = smooth + _SMOOTHING * (far - smooth)
            calm_v = min((1.0 + rho) / (1.0 - rho) * _SMOOTHING / (2.0 - _SMOOTHING), 1.0) + 1.0 / max(weight_r, 1.0)
            wide = calm_v + _TYPICAL * _TYPICAL
            odds = 0.5 * math.log(calm_v / wide) + 0.5 * smooth * smooth * (1.0 / calm_v - 1.0 / wide)
            wrong = 1.0 / (1.0 + math.exp(-(log_often + odds)))
        b.reference[row, 0], b.reference[row, 1], b.reference[row, 2] = centre, sp, weight_r
        b.reference[row, 3], b.reference[row, 4], b.reference[row, 5] = squares, smooth, frozen

        # mixture.tail
        surprise = 0.0
        if here:
            error = y - expected
            zz = math.sqrt(dof * math.log1p(error * error / (spread * dof))) * (8.0 * dof + 1.0) / (8.0 * dof + 3.0)
            xx = zz / math.sqrt(2.0)
            u = 1.0 / (1.0 + 0.5 * xx)
            poly = _POLY[9]
            for k in range(8, -1, -1):
                poly = poly * u + _POLY[k]
            surprise = max((xx * xx - poly - math.log(u)) / _LN10, 0.0)

        v.size[row] = v.size_low[row] = v.size_high[row] = math.nan
        if named > STEADY:
            size_unit = 1.0 if named == VARIANCE else unit
            v.size[row] = e0 * size_unit
            v.size_low[row] = (e0 - _Z95 * e1) * size_unit
            v.size_high[row] = (e0 + _Z95 * e1) * size_unit
        v.sure[row] = min(max(e2, 0.0), 1.0)
        if impossible:
            first = was != OUT_OF_RANGE
            onset = 0 if first else b.onset[row] + 1
            named, announced = OUT_OF_RANGE, first
            news = 1.0 if first else news
            wrong = 1.0
            v.sure[row] = 1.0
            v.size[row] = v.size_low[row] = v.size_high[row] = beyond
        b.event[row, 0], b.event[row, 1], b.event[row, 2], b.event[row, 3] = e0, e1, e2, peak
        b.named[row], b.onset[row], b.standing[row] = named, onset, standing
        b.gap[row] = 0.0 if here else t
        if here:
            b.seen[row] += 1
        v.named[row], v.announced[row], v.onset_back[row] = named, announced, onset
        v.level[row], v.level_sd[row] = origin + level * unit, math.sqrt(level_var) * unit
        v.slope[row], v.slope_sd[row] = slope * unit, math.sqrt(slope_var) * unit
        v.low[row], v.high[row] = origin + (expected - half) * unit, origin + (expected + half) * unit
        v.surprise[row], v.news[row], v.wrong[row] = surprise, news, wrong
        v.centre[row] = centre if frozen == 1.0 else math.nan
        v.spread[row] = sp if frozen == 1.0 else math.nan
