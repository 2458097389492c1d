"""What judging gave: verdicts to hear, blocks for the store, which signals have a new reading. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cyberstride import Verdicts
from opsroom.judgement.intake import Columns, Telexes
from opsroom.judgement.lanes import Lanes
from opsroom.judgement.passes import NEVER, onset
from opsroom.record.store import Block

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Codes = NDArray[np.int8]


class Announced(NamedTuple):
    """A verdict that somebody should hear: which signal, the verdict, and the moments that belong to it (source time, µs).

    `low` and `high` is the 90 % forecast that held for the onset, made before it; `suspected_us` the first suspicion.
    """

    lane: int
    at_us: int
    value: float
    verdict: Verdicts
    row: int
    onset_us: int
    suspected_us: int | None
    normal: tuple[float, float]


class Judged(NamedTuple):
    """What one tick gave: blocks for the store, verdicts to hear, and which signals have a new reading, in order."""

    blocks: tuple[Block, ...]
    announced: tuple[Announced, ...]
    lane: Ints
    """(n,) the signal of every live or backfilled reading, in the order of judging."""
    source_us: Ints
    value: Floats
    live: NDArray[np.bool_]
    readings: int
    """How many readings came, corrections included."""
    received_us: Ints
    """(t,) when each telex came."""


class Words(NamedTuple):
    """Verdict columns beside readings, as a block stores them."""

    named: Codes
    p: Floats
    level: Floats
    low: Floats
    high: Floats

    @classmethod
    def none(cls, n: int) -> Words:
        """Of readings of which nothing was said."""
        return cls(
            np.zeros(n, np.int8), np.full((n, 4), np.nan), np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan)
        )


def announced(
    lanes: Lanes, at: Ints, source_us: Ints, value: Floats, loud: Ints, said: Verdicts
) -> Iterable[Announced]:
    """Tell the announced ones (`loud`, places in the columns) of the verdicts that were just absorbed."""
    count, r_source, _, r_low, r_high, _ = lanes.rings.arrays
    for row in loud.tolist():
        lane = int(at[row])
        onset_us, low, high = onset(lane, int(said.onset_back[row]), count, r_source, r_low, r_high)
        suspected = int(lanes.suspected_us[lane])
        yield Announced(
            lane,
            int(source_us[row]),
            float(value[row]),
            said,
            row,
            int(onset_us),
            None if suspected == NEVER else suspected,
            (float(low), float(high)),
        )


def blocks_of(said: Telexes, columns: Columns, words: Words, row: Ints, at: float) -> tuple[Block, ...]:
    """One block a shard; telexes stand sorted by shard, so that each is a span. `row` are the readings' rows in the store."""
    if not len(said):
        return ()
    first = np.flatnonzero(np.r_[True, said.shard[1:] != said.shard[:-1]])
    last = np.append(first[1:], len(said))
    blocks = []
    for a, b in zip(first.tolist(), last.tolist(), strict=True):
        start, end = (int(said.ends[a - 1]) if a else 0), int(said.ends[b - 1])
        blocks.append(
            Block(
                shard=int(said.shard[a]),
                at=at,
                plant=said.plant[a:b],
                epoch=said.epoch[a:b],
                seq=said.seq[a:b],
                source_us=said.source_us[a:b],
                received_us=said.received_us[a:b],
                kind=said.kind[a:b],
                telex=columns.telex[start:end] - a,
                row=row[start:end],
                value=columns.value[start:end],
                quality=columns.quality[start:end],
                named=words.named[start:end],  # type: ignore[arg-type] # any width is taken
                p=words.p[start:end],
                level=words.level[start:end],
                low=words.low[start:end],
                high=words.high[start:end],
            )
        )
    return tuple(blocks)
