"""`evidence.settle` and, of `evidence.weigh`, the question whether anything could be telling: a block of lanes at once."""

from __future__ import annotations

import math
from typing import Any

from cyberstride.belief import WINDOW
from cyberstride.evidence import _LARGEST, _LEAST_NOISE, _RESTLESS, _TELLING
from cyberstride.lanes import settings as at
from cyberstride.lanes.arithmetic import apart, compiled
from cyberstride.lanes.memory import load, store
from cyberstride.lanes.rows import CALM, HERE, LAP, LIVE, OLD_NOISE, OLD_SETTLED, RESIDUAL, SET, WIN, T, Y
from cyberstride.lanes.vector import bits, farther, magnitude, nearer, root, some, where
from cyberstride.naming import CALMER, CALMER_SQUARE

__all__ = ["hold", "listen", "overhear", "push"]

_LEVEL, _SLOPE, _V11, _V12, _V22, _NOISE, _DOF, _RHO, _LAST = range(SET, SET + 9)
_N, _H, _HH = float(WINDOW), float(sum(range(1, WINDOW + 1))), float(sum(k * k for k in range(1, WINDOW + 1)))
_NEARLY = 1.0 - 1e-9
"""What is so near to the limit is looked at lane by lane, where it is worked out as in the readable form."""


@compiled
def push(f: Any, c: Any) -> None:
    """Take the reading into the window; the oldest one leaves it and is settled."""
    apart()
    g, h, discount = c[at.LEVELS], c[at.SLOPES], c[at.DISCOUNT]
    z, lapse = load(f, WIN), load(f, LAP)
    here = load(f, HERE) == 1.0
    live = here & (load(f, LIVE) == 1.0)
    old_level, slope, v11, v12, v22 = load(f, _LEVEL), load(f, _SLOPE), load(f, _V11), load(f, _V12), load(f, _V22)
    level = old_level + slope * lapse
    r11 = nearer(v11 + lapse * (2.0 * v12 + lapse * v22) + (g + h) * lapse, _LARGEST)
    r12 = v12 + lapse * v22 + h * lapse
    r22 = v22 + h * lapse
    noise, dof, rho, last = load(f, _NOISE), load(f, _DOF), load(f, _RHO), load(f, _LAST)
    store(f, OLD_NOISE, noise)
    store(f, OLD_SETTLED, dof)
    iq = 1.0 / (r11 + 1.0)
    deviation = root(noise * (r11 + 1.0))
    e = nearer(farther((z - level) / deviation, -3.0), 3.0)
    step = e * deviation
    kept = discount * dof
    grown = farther(noise * ((kept + 1.005 * (e * e)) / (kept + 1.0)), _LEAST_NOISE)
    n11, n12 = r11 * iq, r12 * iq
    n22 = farther(r22 - r12 * n12, n12 * n12 / n11 * (1.0 + 1e-12))
    store(f, _LEVEL, where(live, level + n11 * step, where(here, level, old_level)))
    store(f, _V11, where(live, n11, where(here, r11, v11)))
    store(f, _V12, where(live, n12, where(here, r12, v12)))
    store(f, _V22, where(live, n22, where(here, r22, v22)))
    store(f, _SLOPE, where(live, slope + n12 * step, slope))
    store(f, _NOISE, where(live, grown, noise))
    store(f, _DOF, where(live, kept + 1.0, dof))
    store(f, _RHO, where(live, rho + (e * last - rho) / nearer(dof, 150.0), rho))
    store(f, _LAST, where(live, e, last))
    calm, calm_readings = load(f, CALM), load(f, CALM + 1)
    more = farther(calm + CALMER - CALMER_SQUARE * (e * e), 0.0)
    store(f, CALM, where(live, more, calm))
    store(f, CALM + 1, where(live, where(more > 0.0, calm_readings + 1.0, 0.0), calm_readings))
    store(f, WIN + WINDOW, load(f, Y))
    store(f, LAP + WINDOW, load(f, T))
    store(f, LIVE + WINDOW, 1.0)


@compiled
def hold(f: Any) -> None:
    """Where the reading is missing the window stays as it was."""
    apart()
    here = load(f, HERE) == 1.0
    for back in range(WINDOW):
        k = WINDOW - back
        store(f, WIN + k, where(here, load(f, WIN + k), load(f, WIN + k - 1)))
        store(f, LAP + k, where(here, load(f, LAP + k), load(f, LAP + k - 1)))
        store(f, LIVE + k, where(here, load(f, LIVE + k), load(f, LIVE + k - 1)))


@compiled
def listen(f: Any, c: Any) -> Any:
    """The lanes whose window may tell of something, as the bits of a number."""
    apart()
    level, slope = load(f, _LEVEL), load(f, _SLOPE)
    n = sh = shh = r = hr = upto = load(f, LIVE) * 0.0
    for k in range(1, WINDOW + 1):
        live = where(load(f, LIVE + k) == 1.0, 1.0, 0.0)
        upto = upto + load(f, LAP + k)
        lh = live * upto
        lo = live * (load(f, WIN + k) - (level + slope * upto))
        n, sh, shh, r, hr = n + live, sh + lh, shh + lh * upto, r + lo, hr + lo * upto
    g, h = c[at.LEVELS], c[at.SLOPES]
    stretch = c[at.STRETCH]
    t0, t1 = _TELLING / (c[at.ST] * c[at.ST]), _TELLING / (c[at.SS] * c[at.SS])
    v11, v12, v22 = load(f, _V11) + 0.5 * g * upto, load(f, _V12), load(f, _V22) + h * upto
    i11, i12 = 1.0 + v11 * n + v12 * sh, v11 * sh + v12 * shh
    i21, i22 = v12 * n + v22 * sh, 1.0 + v12 * sh + v22 * shh
    det = 1.0 / (i11 * i22 - i12 * i21)
    m11, m12, m22 = (i22 * v11 - i12 * v12) * det, (i22 * v12 - i12 * v22) * det, (i11 * v22 - i21 * v12) * det
    f1, f2 = level + m11 * r + m12 * hr, slope + m12 * r + m22 * hr
    m12 = 2.0 * m12
    unit_slope = farther(upto, 1.0) / farther(n, 1.0)
    t2 = _TELLING / (c[at.SL] * c[at.SL]) * unit_slope * unit_slope
    # A prior that is stretched to the size of what was found: share c^2 > 8 s is then c^2 > steep a s.
    steep = 0.5 * _TELLING + math.sqrt(0.25 * _TELLING * _TELLING + _TELLING * stretch * stretch)
    sn = load(f, _NOISE) * _NEARLY
    n = sh = shh = r = hr = square = count = upto * 0.0
    loud = sn * -1.0
    for back in range(WINDOW):
        k = WINDOW - back
        there = load(f, LIVE + k)
        live, present = where(there == 1.0, 1.0, 0.0), where(there > 0.0, 1.0, 0.0)
        before = upto - load(f, LAP + k)
        off = load(f, WIN + k) - (f1 + f2 * upto)
        lh, lo = live * upto, live * off
        n, sh, shh = n + live, sh + lh, shh + lh * upto
        r, hr = r + lo, hr + lo * upto
        square, count = square + present * off * off, count + present
        a = farther(live - live * (m11 + upto * (m12 + m22 * upto)), 1e-9)
        loud = farther(loud, lo * lo - nearer(_TELLING * a + t0, steep * a) * sn)
        a = farther(n - (n * (m11 * n + m12 * sh) + m22 * sh * sh), 1e-9)
        loud = farther(loud, r * r - nearer(_TELLING * a + t1, steep * a) * sn)
        x1, x2 = sh - before * n, shh - before * sh
        xx = shh - before * (2.0 * sh - before * n)
        a = farther(xx - (x1 * (m11 * x1 + m12 * x2) + m22 * x2 * x2), 1e-9)
        of_slope = hr - before * r
        loud = farther(loud, of_slope * of_slope - nearer(_TELLING * a + t2, steep * a) * sn)
        loud = farther(loud, square - (_TELLING + _RESTLESS * count) * sn)
        upto = before
    return bits(loud > 0.0)


@compiled
def overhear(f: Any, c: Any) -> Any:
    """`listen` for windows that are full, on time and nothing but evidence: no lane fewer, perhaps some more; -1: not known.

    Every such window comes to the same covariance of level and slope, and so has the same limits but for the noise.
    """
    apart()
    level, slope = load(f, _LEVEL), load(f, _SLOPE)
    r = hr = level * 0.0
    for k in range(1, WINDOW + 1):
        lo = load(f, WIN + k) - (level + slope * float(k))
        store(f, RESIDUAL + k, lo)
        r, hr = r + lo, hr + lo * float(k)
    v11 = load(f, _V11) + 0.5 * c[at.LEVELS] * float(WINDOW)
    v12, v22 = load(f, _V12), load(f, _V22) + c[at.SLOPES] * float(WINDOW)
    i11, i12 = 1.0 + v11 * _N + v12 * _H, v11 * _H + v12 * _HH
    i21, i22 = v12 * _N + v22 * _H, 1.0 + v12 * _H + v22 * _HH
    det = 1.0 / (i11 * i22 - i12 * i21)
    m11, m12, m22 = (i22 * v11 - i12 * v12) * det, (i22 * v12 - i12 * v22) * det, (i11 * v22 - i21 * v12) * det
    other = (magnitude(m11 - c[at.USUAL]) > c[at.USUAL + 3]) | (magnitude(m12 - c[at.USUAL + 1]) > c[at.USUAL + 4])
    if some(other | ~(magnitude(m22 - c[at.USUAL + 2]) <= c[at.USUAL + 5])):
        return -1
    f1, f2 = m11 * r + m12 * hr, m12 * r + m22 * hr
    r = ramp = square = loudest = level * 0.0
    for back in range(WINDOW):
        k = WINDOW - back
        off = load(f, RESIDUAL + k) - (f1 + f2 * float(k))
        one = off * off
        r, square = r + off, square + one
        ramp = ramp + r
        loud = farther(one * c[at.LIMITS + k - 1], (r * r) * c[at.LIMITS + WINDOW + k - 1])
        loud = farther(loud, (ramp * ramp) * c[at.LIMITS + 2 * WINDOW + k - 1])
        loudest = farther(loudest, farther(loud, square * c[at.LIMITS + 3 * WINDOW + k - 1]))
    return bits(~(loudest <= load(f, _NOISE)))
