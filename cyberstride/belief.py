"""What the filter knows of each signal between two readings: a NamedTuple of arrays, bounded in size."""

from __future__ import annotations

import hashlib
import struct
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cyberstride.columns import columns
from cyberstride.verdict import NOT_YET

__all__ = ["WINDOW", "Belief", "BeliefError", "from_bytes", "grow", "informed", "newborn", "put", "take", "to_bytes"]

WINDOW = 10
"""How many of the last readings are kept as evidence; a change is named up to 8 readings after its onset."""

WARMING, RUNNING, FLAT = 0, 1, 2
"""Phases of a lane: collecting its first readings; judging; every reading so far was the same value."""

Floats = NDArray[np.float64]


class BeliefError(ValueError):
    """Bytes that are no belief: `reason` says what is wrong with them."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"these bytes are not a stored belief: {self.reason}; start the signals anew or use an older snapshot"


class Belief(NamedTuple):
    """The state of n signals; every array has leading axis n, about 0.8 KB a signal.

    In memory the same figure of all signals lies side by side, and all figures in one piece (`columns`), which is what
    makes the compiled step fast; arrays in any other order are right as well, only slower.

    Inside, a reading x is z = (x - origin) / unit; unit is a power of two near the noise of the first readings,
    so that scaling a signal by a power of two changes no bit of what follows.
    """

    phase: NDArray[np.int8]
    """(n,) warming up, running, or flat (every reading so far the same)."""
    seen: NDArray[np.int64]
    """(n,) readings absorbed, missing ones not counted."""
    origin: Floats
    unit: Floats
    gap: Floats
    """(n,) nominal periods that have passed in missing readings since the last one absorbed."""
    p: Floats
    """(n, 4) probability of each regime at the last reading."""
    level: Floats
    """(n, 4) mean of the level under each regime."""
    slope: Floats
    """(n, 4) mean of the slope under each regime, a nominal period."""
    cov: Floats
    """(n, 3, 4) variance of the level, covariance, variance of the slope, under each regime."""
    scale: Floats
    """(n, 4) estimate of the observation variance under each regime."""
    dof: Floats
    """(n,) degrees of freedom of that estimate."""
    window: Floats
    """(n, WINDOW) the last readings, the newest last."""
    lapse: Floats
    """(n, WINDOW) nominal periods between a reading of the window and the one before it."""
    ago: NDArray[np.int32]
    """(n, WINDOW) steps since each reading of the window."""
    live: NDArray[np.int8]
    """(n, WINDOW) 1 for a reading that counts as evidence, 0 for an empty place, 2 for a known transient."""
    settled: Floats
    """(n, 9) what the readings that left the window say: level, slope, their three covariances in units of the
    noise variance, noise variance, its degrees of freedom, correlation of neighbouring residuals, last residual."""
    named: NDArray[np.int8]
    """(n,) the name that stands."""
    onset: NDArray[np.int32]
    """(n,) steps since the onset of the named event; -1 none."""
    standing: NDArray[np.int32]
    """(n,) steps since the name was given."""
    event: Floats
    """(n, 4) size of the named event, its standard deviation, its probability, and the peak of recent news."""
    reference: Floats
    """(n, 6) frozen normal: centre, spread, weight of the readings that made it, sum of squares while learning,
    smoothed distance, whether it is frozen (1) or learning (0)."""
    repeats: Floats
    """(n, 2) how often the last value was repeated in a row, and how often this signal repeats itself (0..1)."""
    drift: Floats
    """(n, 6) the excursion from the level: readings (signed by its side), sum, sum by number, the level that was left, its
    slope, and steps since its first reading (negative after a named step)."""
    calm: Floats
    """(n, 2) cumulative sum of the evidence that the noise has become less, and the readings that it holds."""
    limits: Floats
    """(n, 2) the physical range of readings, in their own unit; infinite where not agreed."""


_MANY = 1000
"""Signals."""

_SHAPES: dict[str, tuple[tuple[int, ...], str]] = {
    "phase": ((), "i1"),
    "seen": ((), "i8"),
    "origin": ((), "f8"),
    "unit": ((), "f8"),
    "gap": ((), "f8"),
    "p": ((4,), "f8"),
    "level": ((4,), "f8"),
    "slope": ((4,), "f8"),
    "cov": ((3, 4), "f8"),
    "scale": ((4,), "f8"),
    "dof": ((), "f8"),
    "window": ((WINDOW,), "f8"),
    "lapse": ((WINDOW,), "f8"),
    "ago": ((WINDOW,), "i4"),
    "live": ((WINDOW,), "i1"),
    "settled": ((9,), "f8"),
    "named": ((), "i1"),
    "onset": ((), "i4"),
    "standing": ((), "i4"),
    "event": ((4,), "f8"),
    "reference": ((6,), "f8"),
    "repeats": ((2,), "f8"),
    "drift": ((6,), "f8"),
    "calm": ((2,), "f8"),
    "limits": ((2,), "f8"),
}


def newborn(n: int) -> Belief:
    """The belief about `n` signals of which nothing has been seen."""
    fields = columns(_SHAPES, n)
    fields["unit"][:] = 1.0
    fields["p"][:, 0] = 1.0
    fields["named"][:] = NOT_YET
    fields["onset"][:] = -1
    fields["repeats"][:, 1] = 0.25
    fields["limits"][:] = (-np.inf, np.inf)
    return Belief(**fields)


def informed(
    n: int, *, level: float, slope: float, variances: tuple[float, float], noise: float, dof: float, priors: Floats
) -> Belief:
    """A belief that starts from what the caller knows, without warm-up.

    `level` and `slope` with their `variances`, the observation variance `noise` known with `dof` degrees of
    freedom (1e15 for a known variance), and the regime probabilities `priors` (4,) before the first reading.
    Pass `elapsed` 0 with the first reading when these figures hold for its very moment.
    """
    belief = newborn(n)
    belief.phase[:] = RUNNING
    belief.p[:] = priors
    belief.level[:] = level
    belief.slope[:] = slope
    belief.cov[:, 0, :] = variances[0]
    belief.cov[:, 2, :] = variances[1]
    belief.scale[:] = noise
    belief.dof[:] = dof
    belief.settled[:] = (level, slope, variances[0] / noise, 0.0, variances[1] / noise, noise, dof, 0.0, 0.0)
    return belief


def take(belief: Belief, rows: NDArray[np.int64]) -> Belief:
    """The belief about the signals `rows`, as a copy."""
    part = _belief(list(columns(_SHAPES, len(rows)).values()))
    for array, new in zip(_arrays(belief), _arrays(part), strict=True):
        old, copy = np.moveaxis(array, 0, -1), np.moveaxis(new, 0, -1)
        # Of many signals figure by figure: what lies in between stays in the processor's cache.
        for figure in np.ndindex(old.shape[:-1]) if len(rows) >= _MANY else (...,):
            copy[figure] = old[figure][..., rows]
    return part


def put(belief: Belief, rows: NDArray[np.int64], part: Belief) -> Belief:
    """Write `part` into the `rows` of `belief`, **in place**, and give `belief` back."""
    for array, new in zip(_arrays(belief), _arrays(part), strict=True):
        array[rows] = new
    return belief


def grow(belief: Belief, n: int) -> Belief:
    """The belief with newborn signals added at the end, `n` signals in all."""
    if n <= len(belief.seen):
        return belief
    whole = newborn(n)
    for array, old in zip(_arrays(whole), _arrays(belief), strict=True):
        array[: len(old)] = old
    return whole


def _arrays(belief: Belief) -> list[NDArray[Any]]:
    return list(belief)


def _belief(arrays: list[NDArray[Any]]) -> Belief:
    return Belief(*arrays)


_MAGIC = b"cyberstride.belief\x03"


def to_bytes(belief: Belief) -> bytes:
    """The belief as bytes: version, number of signals, the arrays in order (little-endian), SHA-256 of it all."""
    body = b"".join(
        np.ascontiguousarray(array, dtype=np.dtype(_SHAPES[name][1]).newbyteorder("<")).tobytes()
        for name, array in zip(Belief._fields, _arrays(belief), strict=True)
    )
    head = _MAGIC + struct.pack("<QH", len(belief.seen), WINDOW)
    return head + body + hashlib.sha256(head + body).digest()


def from_bytes(stored: bytes) -> Belief:
    """The belief that `to_bytes` wrote, bit for bit; raises `BeliefError` on any other bytes."""
    if not stored.startswith(_MAGIC):
        raise BeliefError("they do not begin with the mark of this version")
    start = len(_MAGIC) + struct.calcsize("<QH")
    if len(stored) < start + 32:
        raise BeliefError("they end too early")
    if hashlib.sha256(stored[:-32]).digest() != stored[-32:]:
        raise BeliefError("their checksum is wrong, so they are damaged")
    n, window = struct.unpack_from("<QH", stored, len(_MAGIC))
    if window != WINDOW:
        raise BeliefError(f"they keep {window} readings a signal, this version keeps {WINDOW}")
    fields = columns(_SHAPES, n)
    for name, (shape, kind) in _SHAPES.items():
        dtype = np.dtype(kind)
        size = int(np.prod((n, *shape), dtype=np.int64))
        raw = np.frombuffer(stored, dtype.newbyteorder("<"), size, start)
        fields[name][...] = raw.reshape((n, *shape))
        start += size * dtype.itemsize
    return Belief(**fields)
