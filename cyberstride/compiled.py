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
(
    _MEAN, _B, _S, _PP, _R11, _R12, _R22, _NZ, _Q, _W, _SCALED, _MM, _BB, _X11, _X12, _X22, _STAR, _H, _RES, _LF, _LIVE,
    _PRESENT, _LAPSE, _NK, _HK, _HHK, _RK, _HRK, _OVER, _SQUARE,
) = range(0, 480, 16)  # fmt: skip
_CA, _CC, _OUT, _FACTOR, _WEIGHT = 480, 528, 576, 640, 704
_COUNT, _CALM, _SUM_ALL, _SUM_CALM, _EXCUSED, _FRESH, _RATIO = range(768, 880, 16)


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


@njit(inline="always", error_model="numpy")
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


@njit(inline="always", error_model="numpy")
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


@njit(error_model="numpy", fastmath={"contract", "arcp"}, cache=True)
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


@njit(error_model="numpy", fastmath={"contract", "arcp"}, cache=True, nogil=True)
def judge_rows(  # pragma: no cover
    start: int, stop: int, x: Any, elapsed: Any, b: Any, v: Any, priors: Any, noise: Any, lv: Any, sl: Any, c: Any,
    hard: Any,
) -> None:  # fmt: skip
    """Judge the rows from `start` to `stop`, changing the belief `b` in place and writing the verdicts `v`.

    Rows that are not running (or whose variance is known for certain) are left alone and marked in `hard`.
    """
    # Fields by name once: each access to a field of a tuple inside the loop would count references.
    b_ago = b.ago
    b_cov = b.cov
    b_dof = b.dof
    b_drift = b.drift
    b_event = b.event
    b_gap = b.gap
    b_lapse = b.lapse
    b_level = b.level
    b_limits = b.limits
    b_live = b.live
    b_named = b.named
    b_onset = b.onset
    b_origin = b.origin
    b_p = b.p
    b_phase = b.phase
    b_reference = b.reference
    b_repeats = b.repeats
    b_scale = b.scale
    b_seen = b.seen
    b_settled = b.settled
    b_slope = b.slope
    b_standing = b.standing
    b_unit = b.unit
    b_window = b.window
    v_announced = v.announced
    v_centre = v.centre
    v_high = v.high
    v_level = v.level
    v_level_sd = v.level_sd
    v_low = v.low
    v_named = v.named
    v_news = v.news
    v_onset_back = v.onset_back
    v_p_back = v.p_back
    v_p_now = v.p_now
    v_size = v.size
    v_size_high = v.size_high
    v_size_low = v.size_low
    v_slope = v.slope
    v_slope_sd = v.slope_sd
    v_spread = v.spread
    v_sure = v.sure
    v_surprise = v.surprise
    v_wrong = v.wrong
    n16 = 16
    # One array for all scratch: the compiler can tell places at constant distances apart, but not separate arrays.
    f = np.empty(60 * n16)
    pr, a4, b4, c4 = np.empty(4), np.empty(4), np.empty(4), np.empty(4)
    old_scale = np.empty(4)
    s = np.empty(9)
    ell = WINDOW
    cs, csh = np.empty((3, ell)), np.empty((3, ell))
    kind, where = np.empty(4), np.empty(4, np.int64)
    size3, sd3, st3, after3 = np.empty(4), np.empty(4), np.empty(4), np.empty(4)
    g0, h0 = lv[0], sl[0]
    discount = c[_DISCOUNT]
    log_often = math.log(c[_AWAY] / (1.0 - c[_AWAY]))

    for row in range(start, stop):
        hard[row] = 0
        dof = b_dof[row]
        if b_phase[row] != 1 or dof > _MOST_DOF:
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
            if value < b_limits[row, 0]:
                impossible, beyond = True, value - b_limits[row, 0]
            elif value > b_limits[row, 1]:
                impossible, beyond = True, value - b_limits[row, 1]
            here = not impossible
        t = b_gap[row] + lapse
        origin, unit = b_origin[row], b_unit[row]

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
            s_i = b_scale[row, i]
            old_scale[i] = s_i
            v11, v12, v22 = b_cov[row, 0, i], b_cov[row, 1, i], b_cov[row, 2, i]
            base11 = v11 + 2.0 * tt * v12 + tt * tt * v22
            base12 = v12 + tt * v22
            slope_i = b_slope[row, i]
            m_i = b_level[row, i] + slope_i * tt
            p_i = b_p[row, i]
            for j in range(4):
                k = i * 4 + j
                f[_MEAN + k] = m_i
                f[_B + k] = slope_i
                f[_S + k] = s_i
                f[_PP + k] = p_i
                f[_R11 + k] = min(base11 + s_i * a4[j], _LARGEST)
                f[_R12 + k] = base12 + s_i * b4[j]
                f[_R22 + k] = min(v22 + s_i * c4[j], _LARGEST)
                f[_NZ + k] = s_i * noise[j]
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
            expected += f[_PP + i * 4] * f[_MEAN + i * 4]
        spread = 0.0
        for i in range(4):
            off = f[_MEAN + i * 4] - expected
            spread += f[_PP + i * 4] * (f[_R11 + i * 4] + f[_NZ + i * 4] + off * off)
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
                error = y - f[_MEAN + i * 4]
                need = error * error * narrow
                k = i * 4 + 1
                f[_NZ + k] = max(f[_NZ + k], need - f[_R11 + k])
                k = i * 4 + 2
                f[_R11 + k] = max(f[_R11 + k], need - f[_NZ + k])
            power = -0.5 * (dof + 1.0)
            kept = discount * dof
            scaled = 1.0 / (kept + 1.0)
            clip, least = c[_CLIP], c[_LEAST]
            for k in range(n16):
                r11 = f[_R11 + k]
                q = r11 + f[_NZ + k]
                e = y - f[_MEAN + k]
                iq = 1.0 / q
                sq = e * e * iq
                f[_Q + k] = q
                f[_W + k] = power * _log(1.0 + sq * inverse)
                grown = (kept + min(sq, clip)) * scaled
                f[_SCALED + k] = max(f[_S + k] * grown, least)
                a1, a2 = r11 * iq, f[_R12 + k] * iq
                f[_MM + k] = f[_MEAN + k] + a1 * e
                f[_BB + k] = f[_B + k] + a2 * e
                share = grown * (f[_NZ + k] * iq)
                f[_X11 + k] = share * r11
                f[_X12 + k] = share * f[_R12 + k]
                f[_X22 + k] = grown * (f[_R22 + k] - f[_R12 + k] * a2)
            best = f[_W]
            for k in range(1, n16):
                best = max(best, f[_W + k])
            for k in range(n16):
                f[_W + k] = _exp(f[_W + k] - best) * f[_PP + k] / math.sqrt(f[_Q + k])
            heaviest = 0.0
            for i in range(4):
                for j in range(4):
                    k = i * 4 + j
                    f[_W + k] *= pr[j]
                    heaviest = max(heaviest, f[_W + k])
            least_weight = heaviest * _LEAST_WEIGHT
            total = 0.0
            for k in range(n16):
                f[_W + k] = max(f[_W + k], least_weight)
                total += f[_W + k]
            total = 1.0 / total
            for k in range(n16):
                f[_W + k] *= total
                f[_STAR + k] = f[_W + k] / f[_SCALED + k]
            for j in range(4):
                w0, w1, w2, w3 = f[_STAR + j], f[_STAR + 4 + j], f[_STAR + 8 + j], f[_STAR + 12 + j]
                inv = ((w0 + w1) + w2) + w3
                whole = 1.0 / inv
                w0, w1, w2, w3 = w0 * whole, w1 * whole, w2 * whole, w3 * whole
                p_j = ((f[_W + j] + f[_W + 4 + j]) + f[_W + 8 + j]) + f[_W + 12 + j]
                m0, m1, m2, m3 = f[_MM + j], f[_MM + 4 + j], f[_MM + 8 + j], f[_MM + 12 + j]
                b0, b1, b2, b3 = f[_BB + j], f[_BB + 4 + j], f[_BB + 8 + j], f[_BB + 12 + j]
                m_j = ((w0 * m0 + w1 * m1) + w2 * m2) + w3 * m3
                b_j = ((w0 * b0 + w1 * b1) + w2 * b2) + w3 * b3
                m0, m1, m2, m3 = m0 - m_j, m1 - m_j, m2 - m_j, m3 - m_j
                b0, b1, b2, b3 = b0 - b_j, b1 - b_j, b2 - b_j, b3 - b_j
                v11 = w0 * (f[_X11 + j] + m0 * m0) + w1 * (f[_X11 + 4 + j] + m1 * m1)
                v11 = v11 + w2 * (f[_X11 + 8 + j] + m2 * m2) + w3 * (f[_X11 + 12 + j] + m3 * m3)
                v12 = w0 * (f[_X12 + j] + m0 * b0) + w1 * (f[_X12 + 4 + j] + m1 * b1)
                v12 = v12 + w2 * (f[_X12 + 8 + j] + m2 * b2) + w3 * (f[_X12 + 12 + j] + m3 * b3)
                v22 = w0 * (f[_X22 + j] + b0 * b0) + w1 * (f[_X22 + 4 + j] + b1 * b1)
                v22 = v22 + w2 * (f[_X22 + 8 + j] + b2 * b2) + w3 * (f[_X22 + 12 + j] + b3 * b3)
                f[_OUT + j] = p_j
                f[_OUT + 4 + j] = m_j
                f[_OUT + 8 + j] = b_j
                f[_OUT + 12 + j] = v11
                f[_OUT + 16 + j] = v12
                f[_OUT + 20 + j] = max(v22, v12 * v12 / v11 * (1.0 + 1e-12))
                f[_OUT + 24 + j] = p_j * whole
            for j in range(4):
                b_p[row, j], b_level[row, j], b_slope[row, j] = f[_OUT + j], f[_OUT + 4 + j], f[_OUT + 8 + j]
                b_cov[row, 0, j], b_cov[row, 1, j] = f[_OUT + 12 + j], f[_OUT + 16 + j]
                b_cov[row, 2, j], b_scale[row, j] = f[_OUT + 20 + j], f[_OUT + 24 + j]
                v_p_now[row, j] = f[_OUT + j]
                k = j * 4
                v_p_back[row, j] = ((f[_W + k] + f[_W + k + 1]) + f[_W + k + 2]) + f[_W + k + 3]
            new_dof = kept + 1.0
        else:
            for j in range(4):
                v_p_now[row, j] = pr[j]
                v_p_back[row, j] = b_p[row, j]
        b_dof[row] = new_dof

        level, slope = 0.0, 0.0
        for j in range(4):
            level += b_p[row, j] * b_level[row, j]
            slope += b_p[row, j] * b_slope[row, j]
        level_var, slope_var = 0.0, 0.0
        for j in range(4):
            dm, db = b_level[row, j] - level, b_slope[row, j] - slope
            level_var += b_p[row, j] * (b_cov[row, 0, j] + dm * dm)
            slope_var += b_p[row, j] * (b_cov[row, 2, j] + db * db)

        # naming.push
        for k in range(9):
            s[k] = b_settled[row, k]
        old_noise, old_settled_dof = s[5], s[6]
        left = here and b_live[row, 0] == 1
        if here:
            _settle(s, b_window[row, 0], b_lapse[row, 0], left, g0, h0, discount)
            for k in range(ell - 1):
                b_window[row, k] = b_window[row, k + 1]
                b_lapse[row, k] = b_lapse[row, k + 1]
                b_ago[row, k] = b_ago[row, k + 1] + 1
                b_live[row, k] = b_live[row, k + 1]
            b_window[row, ell - 1] = y
            b_lapse[row, ell - 1] = t
            b_ago[row, ell - 1] = 0
            b_live[row, ell - 1] = 1
        else:
            for k in range(ell):
                b_ago[row, k] += 1

        # evidence.fit
        passed = 0.0
        for k in range(ell):
            f[_LAPSE + k] = b_lapse[row, k]
            f[_LIVE + k] = b_live[row, k]
            f[_RES + k] = b_window[row, k]
            passed += f[_LAPSE + k]
            f[_H + k] = passed
        for k in range(ell):
            live = f[_LIVE + k]
            f[_PRESENT + k] = 1.0 if live > 0.0 else 0.0
            f[_LF + k] = 1.0 if live == 1.0 else 0.0
            f[_RES + k] -= s[0] + s[1] * f[_H + k]
        cn, ch, chh, cr, chr_, rr = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for back_k in range(ell):
            k = ell - 1 - back_k
            lh, r = f[_LF + k] * f[_H + k], f[_LF + k] * f[_RES + k]
            cn += f[_LF + k]
            ch += lh
            chh += lh * f[_H + k]
            cr += r
            chr_ += lh * r
            rr += r * r
            f[_NK + k], f[_HK + k], f[_HHK + k], f[_RK + k], f[_HRK + k] = cn, ch, chh, cr, chr_
        v11, v12, v22 = s[2] + 0.5 * g0 * passed, s[3], s[4] + h0 * passed
        i11, i12 = 1.0 + v11 * cn + v12 * ch, v11 * ch + v12 * chh
        i21, i22 = v12 * cn + v22 * ch, 1.0 + v12 * ch + v22 * chh
        det = 1.0 / (i11 * i22 - i12 * i21)
        m11, m12, m22 = (i22 * v11 - i12 * v12) * det, (i22 * v12 - i12 * v22) * det, (i11 * v22 - i21 * v12) * det
        f1, f2 = m11 * cr + m12 * chr_, m12 * cr + m22 * chr_
        rss = max(rr - (cr * f1 + chr_ * f2), 0.0)

        # evidence.weigh: what could be telling at all; share c^2 < c^2 / a, so that nothing need be divided
        sn = s[5]
        level_of = _TELLING * sn
        m12 = 2.0 * m12
        for k in range(ell):
            live, at = f[_LF + k], f[_H + k]
            x2 = live * at
            a_k = max(live - (m11 * live * live + m12 * live * x2 + m22 * x2 * x2), 1e-9)
            c_k = live * f[_RES + k] - (f1 * live + f2 * x2)
            f[_CA + k], f[_CC + k] = a_k, c_k
            nk, hk, rk = f[_NK + k], f[_HK + k], f[_RK + k]
            a_1 = max(nk - (m11 * nk * nk + m12 * nk * hk + m22 * hk * hk), 1e-9)
            c_1 = rk - (f1 * nk + f2 * hk)
            f[_CA + 16 + k], f[_CC + 16 + k] = a_1, c_1
            before = at - f[_LAPSE + k]
            x1, x2 = hk - before * nk, f[_HHK + k] - before * hk
            xx = f[_HHK + k] - 2.0 * before * hk + before * before * nk
            a_2 = max(xx - (m11 * x1 * x1 + m12 * x1 * x2 + m22 * x2 * x2), 1e-9)
            c_2 = f[_HRK + k] - before * rk - (f1 * x1 + f2 * x2)
            f[_CA + 32 + k], f[_CC + 32 + k] = a_2, c_2
            over = max(c_k * c_k - level_of * a_k, c_1 * c_1 - level_of * a_1)
            f[_OVER + k] = max(over, c_2 * c_2 - level_of * a_2)
            off = f[_RES + k] - (f1 + f2 * at)
            f[_SQUARE + k] = f[_PRESENT + k] * off * off
        loudest = f[_OVER]
        for k in range(1, ell):
            loudest = max(loudest, f[_OVER + k])
        maybe = loudest > 0.0
        loud = False
        cn, cr = 0.0, 0.0
        for back_k in range(ell):
            k = ell - 1 - back_k
            cr += f[_SQUARE + k]
            cn += f[_PRESENT + k]
            if cr > (_TELLING + _RESTLESS * cn) * sn:
                loud = True
        t0, t1, t2 = c[_ST] * c[_ST], c[_SS] * c[_SS], 0.0
        if maybe or loud:
            unit_slope = max(passed, 1.0) / max(f[_NK], 1.0)
            t2 = c[_SL] * c[_SL] / (unit_slope * unit_slope)
            narrow = 1.0 / (sn * c[_STRETCH] * c[_STRETCH])
            for d in range(3):
                usual_width = t0 if d == 0 else (t1 if d == 1 else t2)
                for k in range(ell):
                    a_k, c_k = f[_CA + 16 * d + k], f[_CC + 16 * d + k]
                    wide = max(usual_width, (c_k / a_k) * (c_k / a_k) * narrow)
                    cs[d, k], csh[d, k] = wide, wide / (1.0 + wide * a_k)
                    if csh[d, k] * c_k * c_k > level_of:
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
            power = -0.5 * (sdof + f[_NK])
            for d in range(3):
                lost = 0.0 if d == 0 else 1.0 - kept_rho
                for k in range(ell):
                    a_k, c_k = f[_CA + 16 * d + k], f[_CC + 16 * d + k]
                    explained = min(csh[d, k] * c_k * c_k / rest, 1.0 - 1e-15)
                    gain = power * _log(1.0 - explained)
                    f[_FACTOR + 16 * d + k] = gain - min(lost * gain, _DEAREST) - 0.5 * _log(1.0 + cs[d, k] * a_k)
            ca_, cl_, sa_, sc_, excused = 0.0, 0.0, 0.0, 0.0, 0.0
            for back_k in range(ell):
                k = ell - 1 - back_k
                square = f[_SQUARE + k] / sn
                ca_ += f[_PRESENT + k]
                cl_ += f[_LF + k]
                sa_ += square
                sc_ += f[_LF + k] * square
                if f[_LIVE + k] == 2.0:
                    wide = max(1.0 + t0, square / (c[_STRETCH] * c[_STRETCH]))
                    excused += math.log(c[_PT]) - _SQUARE_ROOT_LOG - 0.5 * math.log(wide) - 0.5 * square / wide
                f[_COUNT + k], f[_CALM + k], f[_SUM_ALL + k], f[_SUM_CALM + k] = ca_, cl_, sa_, sc_
                f[_EXCUSED + k], f[_FRESH + k] = excused, _NEW[int(ca_)]
            each, per = 1.0 / (2.0 * math.pi * sdof), 1.0 / sdof
            for k in range(ell):
                n_all, n_calm = f[_COUNT + k], f[_CALM + k]
                usual = 0.5 * n_calm * _log(max(sdof + 0.5 * n_calm - 1.0, 1.0) * each)
                usual -= 0.5 * (sdof + n_calm) * _log(1.0 + f[_SUM_CALM + k] * per)
                new = f[_FRESH + k] - 0.5 * (_FEW + n_all) * _log(1.0 + f[_SUM_ALL + k] / _FEW)
                f[_RATIO + k] = math.sqrt((_FEW + f[_SUM_ALL + k]) / (_FEW + n_all))
                f[_FACTOR + 48 + k] = new - usual - f[_EXCUSED + k] if n_all >= _LEAST_READINGS else _IMPOSSIBLE
            top = 0.0
            for d in range(4):
                for k in range(ell):
                    top = max(top, f[_FACTOR + 16 * d + k])
            for k in range(ell):
                periods = min(f[_LAPSE + k], 100.0)
                often = f[_LF + k] * periods
                f[_WEIGHT + k] = f[_LF + k] * c[_PT]
                f[_WEIGHT + 16 + k] = often * c[_PS]
                f[_WEIGHT + 32 + k] = often * c[_PL]
                f[_WEIGHT + 48 + k] = f[_PRESENT + k] * periods * c[_PV]
            for d in range(4):
                for k in range(ell):
                    f[_WEIGHT + 16 * d + k] *= _exp(f[_FACTOR + 16 * d + k] - top)
            none = math.exp(-top)
            total = none
            for d in range(4):
                most = -1.0
                for k in range(ell):
                    weight = f[_WEIGHT + 16 * d + k]
                    kind[d] += weight
                    if weight > most:
                        most, where[d] = weight, k
                total += kind[d]
                k = where[d]
                if d < 3:
                    size3[d] = csh[d, k] * f[_CC + 16 * d + k]
                    sd3[d] = math.sqrt(csh[d, k] / (1.0 if d == 0 else kept_rho) * sn)
                    st3[d] = cs[d, k]
                    after3[d] = f[_NK + k]
                else:
                    size3[d] = f[_RATIO + k]
                    sd3[d] = f[_RATIO + k] / math.sqrt(2.0 * max(f[_COUNT + k], 1.0))
                    st3[d] = 0.0
                    after3[d] = f[_COUNT + k]
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
        was = b_named[row]
        doubt = here and not given and (happened > c[_SUSPECT] or (was == SUSPECTED and happened >= c[_ACQUIT]))
        stands = was >= TRANSIENT and was != STUCK and was != OUT_OF_RANGE and b_standing[row] + 1 < c[_STANDS]
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
        onset = b_onset[row] + 1 if b_onset[row] >= 0 else -1
        if given or doubt:
            onset = b_ago[row, place]
        if named == STEADY:
            onset = -1
        standing = 0 if given else b_standing[row] + 1
        old_peak = b_event[row, 3]
        e0, e1, e2 = b_event[row, 0], b_event[row, 1], b_event[row, 2]
        if named == STEADY:
            e0, e1, e2 = 0.0, 0.0, 1.0 - happened
        elif given or doubt:
            e0, e1 = size3[d], sd3[d]
            e2 = kind[d] if given else happened
        peak = max(happened, old_peak * _NEWS_FADES) if here else old_peak
        news = max(happened - old_peak, 0.0) if here else 0.0

        # naming.begin_anew
        if given and named == TRANSIENT:
            b_live[row, place] = 2
        elif given:
            for k in range(ell - 1):
                if k < place:
                    _settle(s, b_window[row, k], b_lapse[row, k], b_live[row, k] == 1, g0, h0, discount)
                    b_live[row, k] = 0
                    b_lapse[row, k] = 0.0
            if named == VARIANCE:
                readings = 0.0
                for k in range(ell):
                    b_live[row, k] = min(b_live[row, k], 1)
                    readings += b_live[row, k]
                s[5] *= e0 * e0
                s[6] = readings
                for j in range(4):
                    b_scale[row, j] = s[5]
                b_dof[row] = readings
            elif named == STEP:
                s[0] += e0
                s[2] += min(st3[d], t1)
            elif named == SLOPE:
                s[4] += st3[d]

        # naming.watch
        run, habit = b_repeats[row, 0], b_repeats[row, 1]
        same = b_window[row, ell - 1] == b_window[row, ell - 2]
        if here:
            run = run + 1.0 if same else 0.0
        chance = run * _log(max(habit, 0.1)) if run > 0.0 else 0.0
        stuck = chance < c[_UNMOVED]
        if here and not stuck:
            pace = 1.0 / min(max(b_seen[row] - WINDOW, 0) + 20.0, 200.0)
            habit = habit + pace * ((1.0 if same else 0.0) - habit)
        rho = min(max(s[7], 0.0), 0.9)
        up, up_since, up_start = b_drift[row, 0], b_drift[row, 1], b_drift[row, 2]
        down, down_since, down_start = b_drift[row, 3], b_drift[row, 4], b_drift[row, 5]
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
        b_repeats[row, 0], b_repeats[row, 1] = run, habit
        b_drift[row, 0], b_drift[row, 1], b_drift[row, 2] = up, up_since, up_start
        b_drift[row, 3], b_drift[row, 4], b_drift[row, 5] = down, down_since, down_start
        stuck = stuck and here
        if stuck:
            named, onset = STUCK, int(run)
            e0, e1, e2 = 0.0, 0.0, 1.0 - math.exp(chance)
            announced = was != STUCK
        elif drifting:
            named, onset = DRIFT, int(since) + b_ago[row, 0]
            e0, e1, e2 = s[0] - begun, math.sqrt(s[2] * sn), _DRIFT_SURE
            announced = True
        if drifting:
            standing = 0
        if named == STUCK:
            for j in range(4):
                b_scale[row, j] = old_scale[j]
            b_dof[row] = dof
            s[5], s[6] = old_noise, old_settled_dof
        for k in range(9):
            b_settled[row, k] = s[k]

        # reference.learn, reference.away
        centre, sp, weight_r = b_reference[row, 0], b_reference[row, 1], b_reference[row, 2]
        squares, smooth, frozen = b_reference[row, 3], b_reference[row, 4], b_reference[row, 5]
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
            odds = 0.5 * _log(calm_v / wide) + 0.5 * smooth * smooth * (1.0 / calm_v - 1.0 / wide)
            wrong = 1.0 / (1.0 + _exp(-(log_often + odds)))
        b_reference[row, 0], b_reference[row, 1], b_reference[row, 2] = centre, sp, weight_r
        b_reference[row, 3], b_reference[row, 4], b_reference[row, 5] = squares, smooth, frozen

        # mixture.tail
        surprise = 0.0
        if here:
            error = y - expected
            zz = math.sqrt(dof * _log(1.0 + error * error / (spread * dof))) * (8.0 * dof + 1.0) / (8.0 * dof + 3.0)
            xx = zz / math.sqrt(2.0)
            u = 1.0 / (1.0 + 0.5 * xx)
            poly = _POLY[9]
            for k in range(8, -1, -1):
                poly = poly * u + _POLY[k]
            surprise = max((xx * xx - poly - _log(u)) / _LN10, 0.0)

        v_size[row] = v_size_low[row] = v_size_high[row] = math.nan
        if named > STEADY:
            size_unit = 1.0 if named == VARIANCE else unit
            v_size[row] = e0 * size_unit
            v_size_low[row] = (e0 - _Z95 * e1) * size_unit
            v_size_high[row] = (e0 + _Z95 * e1) * size_unit
        v_sure[row] = min(max(e2, 0.0), 1.0)
        if impossible:
            first = was != OUT_OF_RANGE
            onset = 0 if first else b_onset[row] + 1
            named, announced = OUT_OF_RANGE, first
            news = 1.0 if first else news
            wrong = 1.0
            v_sure[row] = 1.0
            v_size[row] = v_size_low[row] = v_size_high[row] = beyond
        b_event[row, 0], b_event[row, 1], b_event[row, 2], b_event[row, 3] = e0, e1, e2, peak
        b_named[row], b_onset[row], b_standing[row] = named, onset, standing
        b_gap[row] = 0.0 if here else t
        if here:
            b_seen[row] += 1
        v_named[row], v_announced[row], v_onset_back[row] = named, announced, onset
        v_level[row], v_level_sd[row] = origin + level * unit, math.sqrt(level_var) * unit
        v_slope[row], v_slope_sd[row] = slope * unit, math.sqrt(slope_var) * unit
        v_low[row], v_high[row] = origin + (expected - half) * unit, origin + (expected + half) * unit
        v_surprise[row], v_news[row], v_wrong[row] = surprise, news, wrong
        v_centre[row] = centre if frozen == 1.0 else math.nan
        v_spread[row] = sp if frozen == 1.0 else math.nan
