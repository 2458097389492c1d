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
from cyberstride.tails import GAUSSIAN, QUIET, TAIL, BudgetError, Tails, rate_at, scores_of, tails_of
from cyberstride.watch import DRIFT, LEVEL, STUCK, Watch, attend

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
    "eased",
    "newborn",
    "prime",
    "spend",
    "tails_of",
]

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Bytes = NDArray[np.int8]

TAIL_PACE = 1.0 / 5000.0
MOST_EXCESS = 4.0
KNOWN = 50_000
"""A tail counts as learned from so many readings at most; a calibrated one from the start."""
TEACHING = (True, False, True)
"""Drift is left out: its excursions are long, and would raise their own tail."""
BEGINNING = 1000.0
"""The tails that a signal begins with count for so many readings."""
YOUNG = 60
"""No episode opens before a signal has so many readings."""
FLOOR = 3.0
"""Excursions above this score say whether the tail is as it was thought to be."""
TRUSTED = 30.0
"""The calibration counts for so many excursions."""
UNTOLD = -1
LONG_AGO = 100
"""To so many readings the age of a name is counted."""


class Budget(NamedTuple):
    """The watch over n signals, their tails, and the limit of score that spends what each is allowed; arrays (n,).

    With the watch it is 285 bytes a signal: what is learned is in double precision, what is only stated in single, what is
    only counted up to a small number in a byte.
    """

    watch: Watch
    start: Floats
    """(n, 3) as in `Tails`, and learned further."""
    width: Floats
    shape: Singles
    limit: Floats
    """Score at which an episode opens."""
    slope: Singles
    """By how much the score must rise for episodes to be e times rarer, near the limit."""
    allowed: Singles
    """False episodes a reading that the signal may cause; 0 where no budget holds."""
    usual: Singles
    """Excursions a reading that are expected above the floor."""
    tally: Floats
    """(n, 2) excursions above the floor, and the readings among which they were counted; both forget."""
    known: NDArray[np.int32]
    """Readings that its tails were learned from."""
    quiet: Bytes
    """Readings since the score was last above the limit, counted to the end of the episode."""
    lull: Bytes
    """Readings since it was last above the floor, counted as far."""
    waiting: Bytes
    """Readings since an episode opened that has no name yet; -1 none."""
    told: Bytes
    """The name that stands for the episode; 0 none."""
    age: Bytes
    """Readings since it was given, counted to a hundred."""
    onset: NDArray[np.int32]
    """Readings back to the onset of what was told, as it was then."""
    size: Floats
    """(n, 2) size of what was told and its standard deviation; NaN where nothing is."""


class Alarms(NamedTuple):
    """What the budget says of n signals at one reading; arrays (n,)."""

    opened: NDArray[np.bool_]
    """Whether an episode opens at this reading."""
    stands: NDArray[np.bool_]
    score: Floats
    """-log of the evidence's tail probability within the signal's tail; 0 below it."""
    rarity: Floats
    """Episodes as strong as this for each that the budget allows, if all is normal; below 1 at an alarm."""
    side: Bytes
    """1 upwards, -1 downwards."""
    channel: Bytes
    """Which channel says it most."""
    evidence: Floats


def newborn(n: int) -> Budget:
    """The budget of `n` signals that nobody has limited: `afford` gives them one."""
    return Budget(
        watch=watches.newborn(n),
        start=np.tile(GAUSSIAN.start, (n, 1)),
        width=np.tile(GAUSSIAN.width, (n, 1)),
        shape=np.tile(GAUSSIAN.shape, (n, 1)).astype(np.float32),
        limit=np.full(n, np.inf),
        slope=np.ones(n, np.float32),
        allowed=np.zeros(n, np.float32),
        usual=np.full(n, rate_at(GAUSSIAN, FLOOR), np.float32),
        tally=np.zeros((n, 2)),
        known=np.zeros(n, np.int32),
        quiet=np.full(n, QUIET, np.int8),
        lull=np.full(n, QUIET, np.int8),
        waiting=np.full(n, UNTOLD, np.int8),
        told=np.zeros(n, np.int8),
        age=np.full(n, LONG_AGO, np.int8),
        onset=np.zeros(n, np.int32),
        size=np.full((n, 2), np.nan),
    )


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
    # A budget too small for a single is still one.
    budget.allowed[rows] = np.where(limited, np.maximum(rate, 1e-30), 0.0)
    budget.usual[rows] = rate_at(tails, FLOOR)
    return budget


def prime(budget: Budget, rows: NDArray[np.int64], tails: Tails) -> Budget:
    """Let the signals `rows` begin with the `tails` that their history has shown, **in place**."""
    budget.start[rows], budget.width[rows], budget.shape[rows] = tails.start, tails.width, tails.shape
    budget.known[rows] = KNOWN
    return budget


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


def eased(limit: Floats, slope: ArrayLike, usual: ArrayLike, tally: Floats) -> Floats:
    """The limit (n,) as it is now: moved by what the number of small excursions says, which no fault has brought."""
    ratio = (tally[..., 0] + TRUSTED) / (np.asarray(usual, np.float64) * tally[..., 1] + TRUSTED)
    moved: Floats = limit + np.asarray(slope, np.float64) * np.log(ratio)
    return moved


def spend(budget: Budget, values: ArrayLike) -> tuple[Budget, Alarms]:
    """The budget after one reading of every signal, and which alarms it opens.

    Where no episode stands the tail goes on learning, slowly and from bounded excesses, and the limit follows the number
    of small excursions.
    """
    watch, evidence = attend(budget.watch, values)
    here = np.abs(np.broadcast_to(np.asarray(values, dtype=np.float64), budget.limit.shape)) < watches.LARGEST_READING
    size = np.abs(evidence[:, :STUCK])
    shape = budget.shape.astype(np.float64)
    channels = scores_of(evidence, budget.start, budget.width, shape)
    channel = channels.argmax(axis=1).astype(np.int8)
    score = channels.max(axis=1)
    able = here & (watch.seen > YOUNG)
    limit = eased(budget.limit, budget.slope, budget.usual, budget.tally)
    above = able & (score > limit)
    opened = above & (budget.quiet >= QUIET)
    quiet = np.where(above, 0, np.minimum(budget.quiet + here, QUIET)).astype(np.int8)
    stands = quiet < QUIET

    calm = able & ~stands
    rises = able & (score > FLOOR)
    fresh = rises & (budget.lull >= QUIET)
    lull = np.where(rises, 0, np.minimum(budget.lull + here, QUIET)).astype(np.int8)
    # A fault counts for one excursion, however long it lasts, and the count forgets over some thousand readings.
    kept = np.where(able, 1.0 - TAIL_PACE, 1.0)
    tally = np.stack((budget.tally[:, 0] * kept + fresh, budget.tally[:, 1] * kept + calm), axis=1)
    known = np.minimum(budget.known + calm, KNOWN).astype(np.int32)
    pace = np.where(calm[:, None] & (size > 0) & TEACHING, 1.0 / (known + BEGINNING)[:, None], 0.0)
    over = size > budget.start
    start = budget.start + pace * budget.width * np.where(over, (1.0 - TAIL) / TAIL, -1.0)
    excess = np.minimum((size - budget.start) / budget.width, MOST_EXCESS)
    gain = np.where(over, np.minimum(pace / TAIL, 0.05), 0.0)
    width = budget.width * (1.0 + gain * (excess - _mean_excess(shape)))
    rarity = np.full(len(score), np.inf)
    limited = np.isfinite(limit) & (score > 0)
    np.exp(np.minimum(-(score - limit) / budget.slope, 700.0), where=limited, out=rarity)
    after = budget._replace(watch=watch, start=start, width=width, known=known, quiet=quiet, lull=lull, tally=tally)
    most = np.where(channel == DRIFT, evidence[:, DRIFT], evidence[:, LEVEL])
    return after, Alarms(opened, stands, score, rarity, np.sign(most).astype(np.int8), channel, evidence)


def _mean_excess(shape: Floats) -> Floats:
    """Mean of a generalised Pareto excess of scale 1 that counts for at most `MOST_EXCESS`."""
    bent = np.abs(shape) > 1e-6
    safe = np.where(bent, shape, 0.25)
    alive = np.maximum(1.0 + safe * MOST_EXCESS, 0.0)
    bounded = (1.0 - alive ** (1.0 - 1.0 / safe)) / (1.0 - safe)
    return np.where(bent, bounded, 1.0 - np.exp(-MOST_EXCESS))


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


_MAGIC = b"cyberstride.budget\x02"


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
