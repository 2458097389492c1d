"""Novelty in context: a pattern that this signal never showed before, at this height and at this time of its season.

The multi-process filter sees a change of level or slope. It does not see a pattern that never was: a lull in a signal
that is never calm, a spike of a usual height that comes in the wrong hour. This channel remembers the last blocks of
a signal and asks how like the newest few are to any few it has seen. Memory is bounded, nothing of the future is
used: neither the range of a signal nor its length is known beforehand.

The idea of matching the newest window against remembered ones, with closeness of the last value as context, is old
(nearest-neighbour novelty; Markou & Singh 2003); the recipe and its figures stand in docs/cyberstride.md.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["TUNED", "Novelty", "Tuning", "newborn", "step"]

Floats = NDArray[np.float64]


class Tuning(NamedTuple):
    """Every setting of the channel, frozen; chosen on development data as docs/cyberstride.md tells."""

    block: int = 6
    """Readings that make one block: remembered are the one furthest from the running mean, and their mean."""
    window: int = 3
    """Blocks that make the pattern."""
    memory: int = 1000
    """Blocks remembered."""
    mean_weight: float = 0.1
    """Weight of the newest reading in the running mean."""
    first: int = 120
    """Readings before the first judgement."""
    settled: int = 400
    """Readings after which the range is fixed, and only widened when exceeded."""
    headroom: float = 3.0
    """The range counted with, over the range seen so far."""
    shape_share: float = 0.3
    """Weight of the pattern's shape (against its height) in the second of the two similarities."""
    match: int = 3
    """Which of the most similar remembered patterns counts, so that what happened once before is still rare."""
    season: float = 0.1
    """How much less a pattern from the opposite time of the season counts."""
    yardstick: int = 300
    """Blocks over which what is usual for the signal is averaged."""
    floor: float = 0.05
    """Novelty below this is no news however calm the signal was."""
    rest: float = 140.0
    """Nominal periods in which only a greater novelty is news again."""
    again: float = 1.1
    """How many times the greatest novelty of those periods a new one must be."""
    even: float = 1.4
    """Novelty, in multiples of what is usual for the signal, at which news is 0.5."""


TUNED = Tuning()
"""The frozen configuration."""


class Novelty(NamedTuple):
    """What the channel knows of n signals between two readings; every array has leading axis n."""

    seen: NDArray[np.int64]
    """(n,) readings absorbed, missing ones not counted."""
    mean: Floats
    """(n,) running mean."""
    low: Floats
    """(n,) least reading so far."""
    high: Floats
    """(n,) greatest reading so far."""
    scale: Floats
    """(n,) the range counted with."""
    places: NDArray[np.int64]
    """(n,) readings, missing ones too, in the block that is being filled."""
    block_low: Floats
    block_high: Floats
    """(n,) least and greatest reading of that block; +inf and -inf while it has none."""
    block_sum: Floats
    block_size: NDArray[np.int64]
    """(n,) sum and number of the readings of that block."""
    extremes: Floats
    means: Floats
    """(n, memory) extreme and mean of each remembered block, the newest last."""
    phases: NDArray[np.float32]
    """(n, memory) time in the season at which each block ended, 0..1; NaN without a season."""
    filled: NDArray[np.int64]
    """(n,) blocks remembered."""
    power: Floats
    """(n,) mean square of the novelty so far."""
    judged: NDArray[np.int64]
    """(n,) blocks judged so far."""
    recent: Floats
    """(n, r) the last judgements, the newest last; 0 where there is none."""
    ages: Floats
    """(n, r) nominal periods since each of them."""


def newborn(n: int, tuning: Tuning = TUNED) -> Novelty:
    """The state of `n` signals of which nothing has been seen."""
    resting = int(tuning.rest // tuning.block) + 1
    return Novelty(
        seen=np.zeros(n, np.int64),
        mean=np.zeros(n),
        low=np.full(n, np.inf),
        high=np.full(n, -np.inf),
        scale=np.zeros(n),
        places=np.zeros(n, np.int64),
        block_low=np.full(n, np.inf),
        block_high=np.full(n, -np.inf),
        block_sum=np.zeros(n),
        block_size=np.zeros(n, np.int64),
        extremes=np.zeros((n, tuning.memory)),
        means=np.zeros((n, tuning.memory)),
        phases=np.full((n, tuning.memory), np.nan, np.float32),
        filled=np.zeros(n, np.int64),
        power=np.zeros(n),
        judged=np.zeros(n, np.int64),
        recent=np.zeros((n, resting)),
        ages=np.zeros((n, resting)),
    )


def step(
    novelty: Novelty,
    values: ArrayLike,
    elapsed: ArrayLike = 1.0,
    phase: ArrayLike = np.nan,
    tuning: Tuning = TUNED,
) -> tuple[Novelty, Floats]:
    """Absorb one reading of every signal; give the new state and the news (n,), 0..1, high once for each event.

    `values` (n,): NaN or an infinity is a missing reading. `elapsed` (n,) or one: nominal periods since the reading
    before. `phase` (n,) or one: time in the season, 0..1 (of the day, say), NaN when there is none. Pure; the bits of
    a signal's news do not depend on its neighbours.
    """
    n = len(novelty.seen)
    raw = np.asarray(values, float)
    here = np.isfinite(raw)
    # Differences of readings must not overflow.
    x = np.where(here, np.clip(raw, -1e150, 1e150), 0.0)
    lapse = np.clip(np.nan_to_num(np.broadcast_to(np.asarray(elapsed, float), (n,)), nan=1.0), 0.0, 1e9)
    seen = novelty.seen + here
    mean = np.where(novelty.seen == 0, x, novelty.mean)
    low = np.where(here, np.minimum(novelty.low, x), novelty.low)
    high = np.where(here, np.maximum(novelty.high, x), novelty.high)
    width = np.where(seen > 0, high - low, 0.0)
    scale = np.where(seen <= tuning.settled, tuning.headroom * width, np.maximum(novelty.scale, width))
    block_low = np.where(here, np.minimum(novelty.block_low, x), novelty.block_low)
    block_high = np.where(here, np.maximum(novelty.block_high, x), novelty.block_high)
    block_sum = novelty.block_sum + x
    block_size = novelty.block_size + here
    places = novelty.places + 1
    closing = places >= tuning.block
    absorbed = novelty._replace(
        seen=seen,
        mean=np.where(here, mean + tuning.mean_weight * (x - mean), novelty.mean),
        low=low,
        high=high,
        scale=scale,
        places=np.where(closing, 0, places),
        block_low=np.where(closing, np.inf, block_low),
        block_high=np.where(closing, -np.inf, block_high),
        block_sum=np.where(closing, 0.0, block_sum),
        block_size=np.where(closing, 0, block_size),
        ages=novelty.ages + lapse[:, None],
    )
    news = np.zeros(n)
    lanes = np.flatnonzero(closing & (block_size > 0))
    if not lanes.size:
        return absorbed, news
    extreme = np.where(block_high - mean > mean - block_low, block_high, block_low)
    block = np.stack([extreme, block_sum / np.maximum(block_size, 1)])
    season = np.broadcast_to(np.asarray(phase, float), (n,))
    if lanes.size == n:
        return _close(absorbed, block, season, tuning)
    few: list[Any] = [field[lanes] for field in absorbed]
    part, part_news = _close(Novelty(*few), block[:, lanes], season[lanes], tuning)
    fields: list[Any] = [field.copy() for field in absorbed]
    for field, new in zip(fields, part, strict=True):
        field[lanes] = new
    news[lanes] = part_news
    return Novelty(*fields), news


def _close(novelty: Novelty, block: Floats, season: Floats, tuning: Tuning) -> tuple[Novelty, Floats]:
    """Remember the finished block of every signal and judge the pattern that it ends."""
    extremes = np.concatenate([novelty.extremes[:, 1:], block[0, :, None]], axis=1)
    means = np.concatenate([novelty.means[:, 1:], block[1, :, None]], axis=1)
    phases = np.concatenate([novelty.phases[:, 1:], season[:, None].astype(np.float32)], axis=1)
    filled = np.minimum(novelty.filled + 1, tuning.memory)
    due = (novelty.seen >= tuning.first) & (novelty.scale > 0) & (filled >= tuning.window + tuning.match)
    alike = [_likeness(blocks, phases, filled, novelty.scale, tuning) for blocks in (extremes, means)]
    new = np.where(due, 1 - 0.5 * (alike[0] + alike[1]), 0.0)
    score = new / (tuning.floor + np.sqrt(novelty.power))
    judged = novelty.judged + due
    power = novelty.power + np.where(due, (new * new - novelty.power) / np.clip(judged, 1, tuning.yardstick), 0.0)
    resting = np.where(novelty.ages <= tuning.rest, novelty.recent, 0.0)
    told = score > tuning.again * resting.max(axis=1)
    recent = np.concatenate([novelty.recent[:, 1:], score[:, None]], axis=1)
    ages = np.concatenate([novelty.ages[:, 1:], np.zeros((len(score), 1))], axis=1)
    state = novelty._replace(
        extremes=extremes,
        means=means,
        phases=phases,
        filled=filled,
        power=power,
        judged=judged,
        recent=recent,
        ages=ages,
    )
    return state, np.where(told, score / (score + tuning.even), 0.0)


def _likeness(
    blocks: Floats, phases: NDArray[np.float32], filled: NDArray[np.int64], scale: Floats, tuning: Tuning
) -> Floats:
    """How like the newest pattern is to the third most like it of the remembered ones; 1 is the same, 0 nothing.

    The mean of two similarities, one of the heights alone, one of heights and shape; each times the closeness of the
    two last blocks, and of the two times in the season.
    """
    last, count = tuning.memory - 1, tuning.window
    range_ = np.where(scale > 0, scale, 1.0)[:, None]
    start = tuning.memory - int(filled.max())
    # Every pattern that ends before the newest one; column j of `past[k]` is its block k.
    past = [blocks[:, start + k : last - count + 1 + k] for k in range(count)]
    now = [blocks[:, last - count + 1 + k, None] for k in range(count)]
    height = _mean([np.abs(p - q) for p, q in zip(past, now, strict=True)]) / range_
    shape = _mean([np.abs(p - q) for p, q in zip(_shape(past), _shape(now), strict=True)])
    close = np.maximum(1 - np.abs(past[-1] - now[-1]) / range_, 0.0)
    context = close * close * close
    apart = np.abs(phases[:, start + count - 1 : last].astype(float) - phases[:, last, None].astype(float))
    apart = np.nan_to_num(2 * np.minimum(apart, 1 - apart), nan=0.0)
    context = context * (1 - tuning.season * apart)
    ends = np.arange(start + count - 1, last)
    context = np.where(ends >= (tuning.memory - filled + count - 1)[:, None], context, 0.0)
    by_height = np.maximum(1 - height, 0.0)
    by_both = np.maximum(1 - tuning.shape_share * shape - (1 - tuning.shape_share) * height, 0.0)
    heights = _greatest(by_height * by_height * by_height * context, tuning.match)
    return 0.5 * (heights + _greatest(by_both * by_both * by_both * context, tuning.match))


def _greatest(likeness: Floats, match: int) -> Floats:
    if likeness.shape[1] < match:
        return np.zeros(len(likeness))
    place = likeness.shape[1] - match
    return np.asarray(np.partition(likeness, place, axis=1)[:, place], float)


def _shape(pattern: list[Floats]) -> list[Floats]:
    """The pattern scaled to 0..1; all 0 when it is flat."""
    low, high = pattern[0], pattern[0]
    for block in pattern[1:]:
        low, high = np.minimum(low, block), np.maximum(high, block)
    span = high - low
    flat = span <= 0
    over = np.where(flat, 1.0, span)
    return [np.where(flat, 0.0, (block - low) / over) for block in pattern]


def _mean(parts: list[Floats]) -> Floats:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total / len(parts)
