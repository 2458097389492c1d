"""What judging gave: verdicts to hear, blocks for the store, which signals have a new reading. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cyberstride import Verdicts
from opsroom.judgement.intake import Columns, Telexes
from opsroom.judgement.lanes import Loud
from opsroom.judgement.passes import NEVER
from opsroom.judgement.table import Table, Words
from opsroom.record.store import KINDS, Block
from telex_ingest.telex import TelexKind

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


LIVE = KINDS.index(TelexKind.LIVE)
"""The code of a live telex."""

InOrder = tuple[Ints, Ints, Floats, NDArray[np.bool_]]
"""Signal, source time, value, and whether it is live, of every reading that was judged, in the order of judging."""


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


def announced(table: Table, row: int, said: Verdicts, loud: Loud) -> Iterable[Announced]:
    """Tell the announced ones of the verdicts on one row of a table, apart from all others."""
    verdicts = Verdicts(*(column[row][loud.at] for column in said))
    bands = loud.band.tolist()
    for number, (at, (onset_us, suspected_us)) in enumerate(
        zip(loud.at.tolist(), loud.moments_us.tolist(), strict=True)
    ):
        low, high = bands[number]
        yield Announced(
            int(table.lane[row, at]),
            int(table.source_us[row, at]),
            float(table.value[row, at]),
            verdicts,
            number,
            onset_us,
            None if suspected_us == NEVER else suspected_us,
            (low, high),
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


def in_order(judged: Sequence[Table], kind: Ints) -> InOrder:
    """The readings of tables one behind the other; `kind` (n,) is that of every reading of the tick."""
    if len(judged) == 1:
        (table,) = judged
        lane, source_us = table.lane.ravel(), table.source_us.ravel()
        value, place = table.told.ravel(), table.place.ravel()
    else:
        none = np.empty(0, np.int64)
        lane = np.concatenate([none, *(table.lane.ravel() for table in judged)])
        source_us = np.concatenate([none, *(table.source_us.ravel() for table in judged)])
        value = np.concatenate([np.empty(0), *(table.told.ravel() for table in judged)])
        place = np.concatenate([none, *(table.place.ravel() for table in judged)])
    return lane, source_us, value, kind[place] == LIVE
