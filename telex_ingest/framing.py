"""How a plant's end cuts what its spool gives into frames, and when a frame may be a sheet. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from telex_ingest.sheet import write
from telex_ingest.spool import Spooled, Standing
from telex_ingest.telex import FromPlant, Quality, Spool, Telex, TelexKind

READINGS_A_FRAME = 4096
ROWS_A_SHEET = 16
"""Fewer telexes of one shape are told one by one: a sheet has its own price."""

DEPTH = 30
"""Unacknowledged telexes of a plant from which on its spool's depth is told: a few always wait for the room's next tick."""

DEPTHS_A_FRAME = 50
DEPTH_EVERY_S = 2.0
"""How often a link that falls behind tells how deep its spools are."""

_Shape = tuple[TelexKind, tuple[int, ...]]


def parts(rows: Sequence[Spooled], most: int) -> Iterator[list[Spooled]]:
    """Cut rows into frames: at most `most` telexes, at most `READINGS_A_FRAME` readings (one telex always fits)."""
    part: list[Spooled] = []
    readings = 0
    for row in rows:
        if part and (len(part) == most or readings + len(row.telex.readings) > READINGS_A_FRAME):
            yield part
            part, readings = [], 0
        part.append(row)
        readings += len(row.telex.readings)
    if part:
        yield part


def frames(telexes: Iterable[Telex], *, columns: bool) -> Iterator[FromPlant]:
    """Tell telexes in order; with `columns`, those of many plants that have one shape and only good figures go as a sheet.

    The room answers a sheet without a number plant by plant, as it does telexes.
    """
    if not columns:
        yield FromPlant(telexes=tuple(telexes))
        return
    single: list[Telex] = []
    for shape, alike in _runs(telexes):
        if shape is None or len(alike) < ROWS_A_SHEET:
            single += alike
            continue
        if single:
            yield FromPlant(telexes=tuple(single))
            single = []
        identities = [(one.plant, one.epoch, one.seq, one.source_us) for one in alike]
        values = [[reading.value for reading in one.readings] for one in alike]
        yield FromPlant(sheets=(write(identities, shape[1], values, kind=shape[0]),))
    if single:
        yield FromPlant(telexes=tuple(single))


def depths(standings: Mapping[str, Standing]) -> tuple[Spool, ...]:
    """What the spools hold that are deeper than `DEPTH`, deepest first, at most `DEPTHS_A_FRAME`.

    >>> depths({"mill-1": Standing(1, 140, 40, True, None), "mill-2": Standing(1, 9, 8, True, None)})
    (Spool(plant='mill-1', epoch=1, first=41, last=140),)
    """
    deep = [(one.last - one.acked, plant, one) for plant, one in standings.items() if one.last - one.acked >= DEPTH]
    deep.sort(key=lambda row: (-row[0], row[1]))
    return tuple(
        [
            Spool(plant=plant, epoch=one.epoch, first=one.acked + 1, last=one.last)
            for _, plant, one in deep[:DEPTHS_A_FRAME]
        ]
    )


def _runs(telexes: Iterable[Telex]) -> Iterator[tuple[_Shape | None, list[Telex]]]:
    """Cut telexes into runs of one shape in which each plant speaks once: those a room takes as a whole."""
    for shape, run in groupby(telexes, _shape):
        alike: list[Telex] = []
        plants: set[str] = set()
        for telex in run:
            if telex.plant in plants:
                yield shape, alike
                alike, plants = [], set()
            alike.append(telex)
            plants.add(telex.plant)
        yield shape, alike


def _shape(telex: Telex) -> _Shape | None:
    """What telexes of one sheet share; None for one that a sheet cannot tell: a missing or doubtful figure."""
    for reading in telex.readings:
        if reading.quality is not Quality.GOOD or reading.value is None:
            return None
    return telex.kind, tuple([reading.signal for reading in telex.readings])
