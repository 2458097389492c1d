"""An alarm budget: so many false episodes a day over all signals of a unit or seat, met by calibrated tails.

`watch.attend` gives every signal's evidence by channel (level, drift, spread, stuck). On a stated fault-free stretch the
upper tail of each channel is fitted (generalised Pareto: one shape for all signals, a scale of its own, shrunk to the
others'), which turns evidence into a score that is exponential for every signal and channel; a run of repetitions has
its probability from the signal's own habit. The score of a reading is the largest of its channels'. What is left of the
misfit is taken up by the second half of the stretch, where the peaks of all signals' episodes are pooled: the limit is
the score that they pass as often as the budget allows.

    watch = watch.newborn(n); for each row of the stretch: watch, evidence = attend(watch, row); keep evidence
    budget = calibrate(watch, evidence, per_day=5.0, sampling=600.0)
    budget, alarms = spend(budget, row)             # then, reading by reading

Without such a stretch `newborn` begins with the tails of Gaussian noise and learns each signal's own on the way.
"""

from __future__ import annotations

import hashlib
import struct
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cyberstride import watch as watches
from cyberstride.watch import DRIFT, LEVEL, SPREAD, STUCK, Watch, attend

__all__ = [
    "GAUSSIAN",
    "UNTOLD",
    "Alarms",
    "Budget",
    "BudgetError",
    "Tails",
    "Watch",
    "afford",
    "attend",
    "calibrate",
    "newborn",
    "prime",
    "spend",
    "tails_of",
]

Floats = NDArray[np.float64]

FITTED = (LEVEL, DRIFT, SPREAD)
"""The channels whose tails are fitted; `stuck` has its probability from the start."""
TAIL = 0.02
"""Share of a signal's readings that makes its tail."""
_LOG_TAIL = float(np.log(TAIL))
_OWN = 40.0
"""The pool counts for so many excesses in the scale of a signal's tail."""
_TAIL_PACE = 1.0 / 5000.0
_MOST_EXCESS = 4.0
_KNOWN = 50_000.0
"""A tail counts as learned from so many readings at most; a calibrated one from the start."""
_TEACHING = np.array([True, False, True])
_QUIET = 10
"""An episode has ended when so many readings running stayed below the limit."""
YOUNG = 60
"""No episode opens before a signal has so many readings."""
_FLOOR = 3.0
"""Excursions above this score say whether the tail is as it was thought to be."""
_TRUSTED = 30.0
"""The calibration counts for so many excursions."""
UNTOLD = -1


class BudgetError(ValueError):
    """A budget that cannot be met as stated: `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"this budget cannot be kept: {self.reason}"


class Tails(NamedTuple):
    """What a fault-free stretch says of n signals' evidence."""

    start: Floats
    """(n, 3) evidence at which the tail of each fitted channel begins."""
    width: Floats
    """(n, 3) scale of that tail."""
    shape: Floats
    """(3,) its shape, the same for all signals; 0 is exponential."""
    scores: Floats
    """(k,) scores, rising, and at each of them"""
    rate: Floats
    """(k,) how many episodes a reading of one signal brings above it; falling."""


class Budget(NamedTuple):
    """The watch over n signals, their tails, and the limit of score that spends what each is allowed; arrays (n,)."""

    watch: Watch
    start: Floats
    """(n, 3) as in `Tails`, and learned further."""
    width: Floats
    shape: Floats
    limit: Floats
    """Score at which an episode opens."""
    slope: Floats
    """By how much the score must rise for episodes to be e times rarer, near the limit."""
    allowed: Floats
    """False episodes a reading that the signal may cause; 0 where no budget holds."""
    usual: Floats
    """Excursions a reading that were expected above the floor."""
    tally: Floats
    """(n, 2) excursions above the floor since then, and how many were expected."""
    known: Floats
    """Readings that its tails were learned from."""
    quiet: NDArray[np.int32]
    """Readings since the score was last above the limit; large when there is no episode."""
    lull: NDArray[np.int32]
    """Readings since it was last above the floor."""
    waiting: NDArray[np.int8]
    """Readings since an episode opened that has no name yet; -1 none."""
    told: NDArray[np.int8]
    """The name that stands for the episode; 0 none."""
    age: NDArray[np.int32]
    """Readings since it was given."""
    mark: Floats
    """(n, 3) readings back to the onset, size and its standard deviation of what was told; NaN where the filter says it."""


class Alarms(NamedTuple):
    """What the budget says of n signals at one reading; arrays (n,)."""

    opened: NDArray[np.bool_]
    """Whether an episode opens at this reading."""
    stands: NDArray[np.bool_]
    score: Floats
    """-log of the evidence's tail probability within the signal's tail; 0 below it."""
    rarity: Floats
    """Episodes as strong as this for each that the budget allows, if all is normal; below 1 at an alarm."""
    side: NDArray[np.int8]
    """1 upwards, -1 downwards."""
    channel: NDArray[np.int8]
    """Which channel says it most."""
    evidence: Floats


GAUSSIAN = Tails(
    start=np.array([2.75, 2.22, 1.53]),
    width=np.array([0.34, 0.32, 0.11]),
    shape=np.zeros(3),
    scores=np.array([0.5, 3.0, 6.0, 9.0, 36.0]),
    rate=np.array([0.0188, 0.0017, 8.6e-5, 4.3e-6, 8e-18]),
)
"""The tails of independent Gaussian readings, for signals without a history; start and width (3,) of any signal."""


def newborn(n: int) -> Budget:
    """The budget of `n` signals that nobody has limited: `afford` gives them one."""
    nothing = np.zeros(n)
    far = np.full(n, 2**30, np.int32)
    return Budget(
        watch=watches.newborn(n),
        start=np.tile(GAUSSIAN.start, (n, 1)),
        width=np.tile(GAUSSIAN.width, (n, 1)),
        shape=np.tile(GAUSSIAN.shape, (n, 1)),
        limit=np.full(n, np.inf),
        slope=np.ones(n),
        allowed=nothing.copy(),
        usual=np.full(n, _at(GAUSSIAN, _FLOOR)),
        tally=np.zeros((n, 2)),
        known=nothing.copy(),
        quiet=far,
        lull=far.copy(),
        waiting=np.full(n, UNTOLD, np.int8),
        told=np.zeros(n, np.int8),
        age=np.zeros(n, np.int32),
        mark=np.full((n, 3), np.nan),
    )


def _at(tails: Tails, score: float) -> float:
    return float(np.exp(np.interp(score, tails.scores, np.log(tails.rate))))


def afford(budget: Budget, rows: NDArray[np.int64], allowed: ArrayLike, tails: Tails = GAUSSIAN) -> Budget:
    """Allow the signals `rows` so many false episodes a reading, **in place**; a signal is limited from then on.

    `allowed` broadcasts over `rows`; 0 takes the budget away. `tails` says which scores bring how many episodes.
    """
    rate = np.broadcast_to(np.asarray(allowed, dtype=np.float64), rows.shape)
    if not (np.isfinite(rate) & (rate >= 0)).all():
        raise BudgetError("so many episodes a reading are no number")
    limited = rate > 0
    at = -np.log(np.where(limited, rate, 1.0))
    fall = -np.log(tails.rate)
    last = (tails.scores[-1] - tails.scores[-2]) / (fall[-1] - fall[-2])
    limit = np.interp(at, fall, tails.scores) + np.maximum(at - fall[-1], 0.0) * last
    budget.limit[rows] = np.where(limited, limit, np.inf)
    near = np.interp(at + 1.0, fall, tails.scores) - np.interp(at, fall, tails.scores)
    budget.slope[rows] = np.where(near > 0, near, last)
    budget.allowed[rows] = rate
    budget.usual[rows] = _at(tails, _FLOOR)
    return budget


def prime(budget: Budget, rows: NDArray[np.int64], tails: Tails) -> Budget:
    """Let the signals `rows` begin with the `tails` that their history has shown, **in place**."""
    budget.start[rows], budget.width[rows], budget.shape[rows] = tails.start, tails.width, tails.shape
    budget.known[rows] = _KNOWN
    return budget


def _scores(evidence: Floats, start: Floats, width: Floats, shape: Floats) -> Floats:
    """(..., 4) score of every channel."""
    over = np.maximum(np.abs(evidence[..., :STUCK]) - start, 0.0) / width
    bent = np.abs(shape) > 1e-9
    safe = np.where(bent, shape, 1.0)
    fitted = np.where(bent, np.log1p(np.maximum(safe * over, -0.999999)) / safe, over)
    stuck = np.maximum(evidence[..., STUCK:] + _LOG_TAIL, 0.0)
    return np.concatenate((fitted, stuck), axis=-1)


def _fit(size: Floats, alone: bool) -> tuple[Floats, Floats, float]:
    """Start and width (n,) of each signal's tail and the shape of all, from one channel (rows, n) without sign.

    `alone`: each signal has a start and a width of its own; else they are the same for all, since neighbouring evidence
    says nearly the same and one signal's stretch holds too few excursions.
    """
    if not alone:
        same, wide, shape = _fit(size.reshape(-1, 1), True)
        return np.repeat(same, size.shape[1]), np.repeat(wide, size.shape[1]), shape
    start = np.quantile(size, 1.0 - TAIL, axis=0)
    over = size > start
    many = over.sum(axis=0)
    excess = np.where(over, size - start, 0.0)
    total = excess.sum(axis=0)
    pool = total.sum() / max(many.sum(), 1)
    own = np.where(many > 0, total / np.maximum(many, 1), pool)
    # The scale of a pooled signal relative to its own mean excess; the shape by probability-weighted moments
    # (Hosking & Wallis 1987) of all excesses, each in mean excesses of its own signal.
    mean = (total + _OWN * pool) / (many + _OWN)
    unit = np.where(own > 0, mean, pool if pool > 0 else 1.0)
    each = np.sort((excess / unit)[over])
    if len(each) < 50 or pool <= 0:
        return start, np.maximum(unit, 1e-12), 0.0
    rank = (np.arange(len(each)) + 0.65) / len(each)
    first, second = each.mean(), (each * (1.0 - rank)).mean()
    shape = float(np.clip(2.0 - first / (first - 2.0 * second), -0.4, 0.5))
    return start, unit * (1.0 - shape), shape


def _peaks(score: Floats, floor: float) -> Floats:
    """The highest score of every episode above `floor` in (rows, n)."""
    peaks = []
    n = score.shape[1]
    peak, quiet = np.zeros(n), np.full(n, _QUIET)
    for row in score:
        above = row > floor
        quiet = np.where(above, 0, quiet + 1)
        over = (quiet == _QUIET) & (peak > 0)
        if over.any():
            peaks.append(peak[over])
            peak = np.where(over, 0.0, peak)
        peak = np.where(above, np.maximum(peak, row), peak)
    peaks.append(peak[peak > 0])
    return np.sort(np.concatenate(peaks))[::-1]


def tails_of(evidence: Floats, weights: ArrayLike = 1.0) -> Tails:
    """The tails of n signals from their evidence (rows, n, 4) on a fault-free stretch, the rows of warm-up left out.

    The tails are fitted on the first half of the rows, the rates counted on the second, where scores of signals of greater
    `weights` (n,) count for more. Raises `BudgetError` when the stretch is too short.
    """
    rows, n = evidence.shape[:2]
    if rows < 200:
        raise BudgetError(f"{rows} readings a signal are too few to learn its tail; give 200 or more")
    share = np.broadcast_to(np.asarray(weights, dtype=np.float64), (n,))
    if not (share > 0).all():
        raise BudgetError("every weight must be positive")
    half = rows // 2
    said = [_fit(np.abs(evidence[:half, :, channel]), channel != DRIFT) for channel in FITTED]
    start, width = (np.stack([one[k] for one in said], axis=1) for k in (0, 1))
    shape = np.array([one[2] for one in said])
    score = _scores(evidence[half:], start, width, shape).max(axis=2) + np.log(share / share.mean())
    readings = (rows - half) * n
    floor = max(0.5, float(np.quantile(score, 1.0 - min(0.5 * TAIL, 0.01))))
    peaks = _peaks(score, floor)
    if len(peaks) < 20:
        raise BudgetError(f"only {len(peaks)} excursions in the calibration stretch; give a longer one")
    scores, rate = _rates(peaks, readings, floor)
    return Tails(start, width, shape, scores, rate)


def _rates(peaks: Floats, readings: int, floor: float) -> tuple[Floats, Floats]:
    """Episodes a reading above each of a grid of scores: counted where there are many, an exponential tail beyond."""
    many = len(peaks)
    top = min(many, max(20, min(200, many // 4)))
    edge = peaks[top - 1]
    slope = max(float((peaks[:top] - edge).mean()), 1e-6) * top / max(top - 1, 1)
    below = np.linspace(floor, edge, 60, endpoint=False) if edge > floor else np.array([])
    counted = np.array([(peaks > score).sum() for score in below]) / readings
    beyond = edge + slope * np.linspace(0.0, 30.0, 60)
    modelled = top / readings * np.exp(-(beyond - edge) / slope)
    scores, rate = np.concatenate((below, beyond)), np.concatenate((counted, modelled))
    return scores, np.minimum.accumulate(rate) * (1.0 - 1e-9 * np.arange(len(rate)))


def calibrate(watch: Watch, evidence: Floats, *, per_day: float, sampling: float, weights: ArrayLike = 1.0) -> Budget:
    """The budget of `per_day` false episodes over all signals, from their evidence on a fault-free stretch.

    `watch`: as it is at the end of the stretch; `evidence` (rows, n, 4): what `attend` gave on it, the rows of warm-up left
    out; `sampling`: seconds between the readings of a signal. `weights` (n,) says which signals may spend more; they scale
    the rate of each. Raises `BudgetError` when the stretch is too short, the budget not positive, or so large that it
    is no tail.
    """
    n = evidence.shape[1]
    if not (per_day > 0 and sampling > 0):
        raise BudgetError(f"{per_day:g} episodes a day at {sampling:g} seconds a reading; both must be positive")
    tails = tails_of(evidence, weights)
    a_day = n * 86400.0 / sampling
    most = float(tails.rate[0]) * a_day
    if per_day > most:
        raise BudgetError(f"{per_day:g} false episodes a day over {n} signals is no tail; ask for at most {most:.3g}")
    share = np.broadcast_to(np.asarray(weights, dtype=np.float64), (n,))
    rows = np.arange(n)
    budget = prime(afford(newborn(n), rows, per_day / a_day, tails), rows, tails)
    return budget._replace(watch=watch, limit=budget.limit - np.log(share / share.mean()))


def spend(budget: Budget, values: ArrayLike) -> tuple[Budget, Alarms]:
    """The budget after one reading of every signal, and which alarms it opens.

    Where no episode stands the tail goes on learning, slowly and from bounded excesses, and the limit follows the number
    of small excursions, which no fault has brought.
    """
    watch, evidence = attend(budget.watch, values)
    here = watch.seen > budget.watch.seen
    size = np.abs(evidence[:, :STUCK])
    channels = _scores(evidence, budget.start, budget.width, budget.shape)
    channel = channels.argmax(axis=1).astype(np.int8)
    score = channels.max(axis=1)
    able = here & (watch.seen > YOUNG)
    eased = budget.limit + budget.slope * np.log((budget.tally[:, 0] + _TRUSTED) / (budget.tally[:, 1] + _TRUSTED))
    above = able & (score > eased)
    opened = above & (budget.quiet >= _QUIET)
    quiet = np.where(above, 0, np.minimum(budget.quiet.astype(np.int64) + here, 2**30)).astype(np.int32)
    stands = quiet < _QUIET

    calm = able & ~stands
    rises = able & (score > _FLOOR)
    fresh = rises & (budget.lull >= _QUIET)
    lull = np.where(rises, 0, np.minimum(budget.lull.astype(np.int64) + here, 2**30)).astype(np.int32)
    # A fault counts for one excursion, however long it lasts, and the count forgets over some thousand readings.
    kept = np.where(able, 1.0 - _TAIL_PACE, 1.0)
    tally = np.stack(
        (
            budget.tally[:, 0] * kept + fresh,
            budget.tally[:, 1] * kept + np.where(able & (quiet >= _QUIET), budget.usual, 0.0),
        ),
        axis=1,
    )
    # Drift is left out: its excursions are long, and would raise their own tail.
    teaches = calm[:, None] & (size > 0) & _TEACHING
    known = np.minimum(budget.known + calm, _KNOWN)
    pace = np.where(teaches, 1.0 / (known + 1000.0)[:, None], 0.0)
    over = size > budget.start
    start = budget.start + pace * budget.width * (over - TAIL) / TAIL
    excess = np.minimum((size - budget.start) / budget.width, _MOST_EXCESS)
    gain = np.where(over, np.minimum(pace / TAIL, 0.05), 0.0)
    width = budget.width * (1.0 + gain * (excess - _mean_excess(budget.shape)))
    rarity = np.exp(
        np.minimum(-(score - eased) / budget.slope, 700.0), where=np.isfinite(eased), out=np.full(len(score), np.inf)
    )
    after = budget._replace(watch=watch, start=start, width=width, known=known, quiet=quiet, lull=lull, tally=tally)
    most = np.where(channel == DRIFT, evidence[:, DRIFT], evidence[:, LEVEL])
    side = np.sign(most).astype(np.int8)
    return after, Alarms(opened, stands, score, np.where(score > 0, rarity, np.inf), side, channel, evidence)


def _mean_excess(shape: Floats) -> Floats:
    """Mean of a generalised Pareto excess of scale 1 that counts for at most `_MOST_EXCESS`."""
    bent = np.abs(shape) > 1e-6
    safe = np.where(bent, shape, 0.25)
    alive = np.maximum(1.0 + safe * _MOST_EXCESS, 0.0)
    bounded = (1.0 - alive ** (1.0 - 1.0 / safe)) / (1.0 - safe)
    return np.where(bent, bounded, 1.0 - np.exp(-_MOST_EXCESS))


def take(budget: Budget, rows: NDArray[np.int64]) -> Budget:
    """The budget of the signals `rows`, as a copy."""
    whole: list[Any] = [array[rows] for array in budget.watch]
    return Budget(Watch(*whole), *[array[rows] for array in _arrays(budget)])


def _arrays(budget: Budget) -> list[Any]:
    return list(budget[1:])


def put(budget: Budget, rows: NDArray[np.int64], part: Budget) -> Budget:
    """Write `part` into the `rows` of `budget`, **in place**, and give it back."""
    arrays: list[Any] = [*budget.watch, *_arrays(budget)]
    for array, new in zip(arrays, [*part.watch, *_arrays(part)], strict=True):
        array[rows] = new
    return budget


def grow(budget: Budget, n: int) -> Budget:
    """The budget with signals that nobody has limited added at the end, `n` in all."""
    have = len(budget.quiet)
    if n <= have:
        return budget
    whole = newborn(n)
    return put(whole, np.arange(have), budget)


_MAGIC = b"cyberstride.budget\x01"


def to_bytes(budget: Budget) -> bytes:
    """The budget as bytes: the arrays in order, little-endian, with their SHA-256 at the end."""
    arrays: list[Any] = [*budget.watch, *_arrays(budget)]
    body = _MAGIC + struct.pack("<Q", len(budget.quiet))
    body += b"".join(np.ascontiguousarray(a, a.dtype.newbyteorder("<")).tobytes() for a in arrays)
    return body + hashlib.sha256(body).digest()


def from_bytes(stored: bytes) -> Budget:
    """The budget that `to_bytes` wrote, bit for bit; raises `BudgetError` on any other bytes."""
    if not stored.startswith(_MAGIC) or hashlib.sha256(stored[:-32]).digest() != stored[-32:]:
        raise BudgetError("these bytes are not a stored budget of this version, or they are damaged")
    (n,) = struct.unpack_from("<Q", stored, len(_MAGIC))
    budget, start = newborn(n), len(_MAGIC) + 8
    arrays: list[Any] = [*budget.watch, *_arrays(budget)]
    for array in arrays:
        raw = np.frombuffer(stored, array.dtype.newbyteorder("<"), array.size, start)
        array[...] = raw.reshape(array.shape)
        start += array.nbytes
    return budget
