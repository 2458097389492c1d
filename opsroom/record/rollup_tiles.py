"""The tables of the rollups: deltas as they were gathered, folded a shard at a time into tiles that are quick to read. I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from opsroom.record.database import Session
from opsroom.record.retention import Retention
from opsroom.record.rollups import (
    DELTA,
    MINUTE_US,
    RESOLUTIONS,
    ROWS,
    SPANS,
    Records,
    coarser,
    fold,
    merged,
    records_of,
    rolled,
    tile_bytes,
    tile_from,
    told,
)
from opsroom.record.store import SHARDS, Place, Readings, Rollups, corrected

FOLD_AFTER = 16
"""Deltas of a shard that are folded together: a quarter of an hour of a busy room."""

STEP = 500
"""Tiles that one step of forgetting deletes."""

_CODES = {name: code for code, name in enumerate(RESOLUTIONS)}
_HOUR_US = 60 * MINUTE_US
_NEVER = -(1 << 62)


class Between(Protocol):
    """How the blocks' readings of one signal are read, up to a block."""

    def __call__(
        self, session: Session, signal: str, span_us: tuple[int, int], most: int | None = None, below: int = ...
    ) -> Readings:
        """Readings with a source time in the span."""


class Step(NamedTuple):
    """What folding one shard's deltas gives: which deltas go, and the tiles that change."""

    shard: int
    upto: int
    tiles: list[tuple[int, int, int, int, bytes]]


class RollupTiles:
    """The rollups of a store of blocks; every method works inside the caller's transaction."""

    waits = FOLD_AFTER

    def __init__(self, unpacked: Callable[..., Any], between: Between) -> None:
        self._unpacked = unpacked
        self._between = between

    def mark(self, session: Session) -> int:
        """The mark up to which readings are in deltas or tiles."""
        row = session.execute("SELECT mark FROM rolled").fetchone()
        return int(row[0]) if row else 0

    def save(self, session: Session, mark: int, deltas: Iterable[tuple[int, bytes]]) -> None:
        """Write what was gathered up to a mark."""
        session.executemany(
            "INSERT INTO deltas VALUES (?, ?, ?) ON CONFLICT (shard, upto) DO UPDATE SET body = excluded.body",
            [(shard, mark, body) for shard, body in deltas],
        )
        session.execute(
            'INSERT INTO rolled VALUES (1, ?, ?, ?) ON CONFLICT ("only") DO UPDATE SET mark = excluded.mark',
            (mark, _NEVER, _NEVER),
        )

    def lost(self, session: Session, last_us: int) -> None:
        """Note that blocks with source times up to `last_us` are gone: a minute in them is not counted again."""
        session.execute("UPDATE rolled SET forgotten_us = ? WHERE forgotten_us < ?", (last_us, last_us))

    def let_go(self, session: Session) -> int | None:
        """The source time, microseconds, up to which blocks have gone; None when none have."""
        noted = session.execute("SELECT forgotten_us FROM rolled").fetchone()
        return None if noted is None or noted[0] <= _NEVER else int(noted[0])

    def unfolded(self, session: Session) -> int:
        """How many deltas wait."""
        return int(session.execute("SELECT count(*) FROM deltas").fetchone()[0])

    def told(
        self,
        session: Session,
        signal: str,
        place: Place | None,
        every: str,
        span_us: tuple[int, int],
        mark: int,
        memory: Records | None,
    ) -> Rollups:
        """Rollups of one signal from tiles, from deltas up to `mark`, and from what is in memory of later ticks."""
        every_us, (start_us, end_us) = RESOLUTIONS[every], span_us
        if place is None or memory is None or start_us >= end_us:
            return told([], every_us, start_us, end_us)
        bodies = session.execute("SELECT body FROM deltas WHERE shard = ? AND upto <= ?", (place.shard, mark))
        pieces = [records_of(body, (place.row, place.row + 1)) for (body,) in bodies]
        pieces = [piece for piece in (*pieces, memory) if len(piece)]
        fresh = merged(np.concatenate([np.empty(0, DELTA), *pieces]), "minute", "row")
        at_us = fresh["minute"] * MINUTE_US
        fresh = fresh[(at_us >= start_us // every_us * every_us) & (at_us < end_us + every_us)]
        fresh = fresh[fresh["minute"] * MINUTE_US >= self._horizon(session)]
        tiles = self._tiles(session, every, place, start_us, end_us)
        again, exact = self._again(session, signal, place, every_us, fresh)
        bucket = every_us // MINUTE_US
        keep = ~np.isin(fresh["minute"] // bucket, again)
        tiles = tiles[~np.isin(tiles["minute"] // bucket, again)]
        return told([tiles, fresh[keep], exact], every_us, start_us, end_us)

    def step(self, session: Session, enough: int, below: int, places: Mapping[str, Place]) -> Step | None:
        """Fold the deltas of marks below of the shard that has most, if these are enough; nothing is written yet."""
        row = session.execute(
            "SELECT shard, count(*), max(upto) FROM deltas WHERE upto < ? GROUP BY shard ORDER BY 2 DESC LIMIT 1",
            (below,),
        ).fetchone()
        if row is None or row[1] < enough:
            return None
        shard, _, upto = row
        bodies = session.execute("SELECT body FROM deltas WHERE shard = ? AND upto <= ?", (shard, upto)).fetchall()
        deltas = np.concatenate([records_of(body) for (body,) in bodies])
        deltas = deltas[deltas["minute"] * MINUTE_US >= self._horizon(session)]
        names: dict[int, str] = {}

        def load(resolution: str, band: int, span: int) -> Records:
            found = session.execute(
                "SELECT body FROM tiles WHERE resolution = ? AND shard = ? AND band = ? AND span = ?",
                (_CODES[resolution], shard, band, span),
            ).fetchone()
            return np.empty(0, DELTA) if found is None else self._opened(resolution, band, span, found[0])

        def again(row: int, minute: int) -> Records | None:
            if not names:
                names.update((place.row, signal) for signal, place in places.items() if place.shard == shard)
            return self._recount(session, names[row], row, minute, (upto + 1) * SHARDS)

        tiles = [
            (_CODES[resolution], shard, band, span, tile_bytes(resolution, band, span, records))
            for resolution, band, span, records in fold(deltas, load, again)
        ]
        return Step(shard, upto, tiles)

    def take(self, session: Session, step: Step) -> None:
        """Write what a step gave, and delete the deltas that are in it."""
        session.executemany(
            "INSERT INTO tiles VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (resolution, shard, band, span) DO UPDATE SET body = excluded.body",
            step.tiles,
        )
        session.execute("DELETE FROM deltas WHERE shard = ? AND upto <= ?", (step.shard, step.upto))

    def due(self, session: Session, now: float, retention: Retention) -> list[tuple[str, int]]:
        """Which resolutions have tiles that are too old, and the first span of each that stays."""
        due = []
        for name, age_s in retention.rollups_s.items():
            first = int((now - age_s) * 1e6) // (RESOLUTIONS[name] * SPANS[name])
            code = _CODES[name]
            if session.execute(
                "SELECT span FROM tiles WHERE resolution = ? AND span < ? LIMIT 1", (code, first)
            ).fetchone():
                due.append((name, first))
        return due

    def forget(self, session: Session, due: Iterable[tuple[str, int]]) -> None:
        """Delete some of the tiles that are too old; what comes later for their time is not rolled up any more."""
        for name, first in due:
            keys = session.execute(
                "SELECT shard, band, span FROM tiles WHERE resolution = ? AND span < ? LIMIT ?",
                (_CODES[name], first, STEP),
            ).fetchall()
            session.executemany(
                "DELETE FROM tiles WHERE resolution = ? AND shard = ? AND band = ? AND span = ?",
                [(_CODES[name], *key) for key in keys],
            )
            if name == "1min":
                session.execute("UPDATE rolled SET horizon_us = ?", (first * RESOLUTIONS[name] * SPANS[name],))

    # ------------------------------------------------------------------ parts

    def _horizon(self, session: Session) -> int:
        row = session.execute("SELECT horizon_us FROM rolled").fetchone()
        return int(row[0]) if row else _NEVER

    def _tiles(self, session: Session, resolution: str, place: Place, start_us: int, end_us: int) -> Records:
        """One signal's records of a resolution in the tiles that touch a span of time."""
        length, band = RESOLUTIONS[resolution] * SPANS[resolution], place.row // ROWS
        rows = session.execute(
            "SELECT span, body FROM tiles WHERE resolution = ? AND shard = ? AND band = ? AND span >= ? AND span <= ?",
            (_CODES[resolution], place.shard, band, start_us // length, (end_us - 1) // length),
        )
        pieces = [self._opened(resolution, band, span, body, place.row) for span, body in rows]
        return np.concatenate([np.empty(0, DELTA), *pieces])

    def _again(
        self, session: Session, signal: str, place: Place, every_us: int, fresh: Records
    ) -> tuple[list[int], Records]:
        """Buckets that meet a correction which is not folded yet, or a late reading of a minute that was corrected: exactly.

        Such a bucket is put together from its minutes, those that were corrected counted from the blocks.
        """
        held = [np.empty(0, DELTA)]
        held += [
            self._tiles(session, "1min", place, hour * _HOUR_US, (hour + 1) * _HOUR_US)
            for hour in self._held_hours(session, place, np.unique(fresh["minute"] // 60))
        ]
        minutes = np.concatenate(held)
        known = minutes["minute"][minutes["again"] > 0]
        dirty = np.unique(fresh["minute"][(fresh["again"] > 0) | np.isin(fresh["minute"], known)])
        buckets = np.unique(dirty // (every_us // MINUTE_US)).tolist()
        whole = [np.empty(0, DELTA)]
        for bucket in buckets:
            start_us = bucket * every_us
            inside = fresh[fresh["minute"] // (every_us // MINUTE_US) == bucket]
            stored = self._tiles(session, "1min", place, start_us, start_us + every_us)
            stored = stored[stored["minute"] // (every_us // MINUTE_US) == bucket]
            records = merged(np.concatenate((stored, inside)), "minute", "row")
            for index in np.flatnonzero(np.isin(records["minute"], dirty)):
                found = self._recount(session, signal, place.row, int(records["minute"][index]))
                if found is not None and len(found):
                    records[index] = found[0]
            whole.append(coarser(records, every_us))
        return buckets, np.concatenate(whole)

    def _held_hours(self, session: Session, place: Place, hours: npt.NDArray[np.int64]) -> list[int]:
        """Which of the hours, rising, have a tile of minutes: one look, for there may be a month of them that have none."""
        if not len(hours):
            return []
        spans = session.execute(
            "SELECT span FROM tiles WHERE resolution = ? AND shard = ? AND band = ? AND span >= ? AND span <= ?",
            (_CODES["1min"], place.shard, place.row // ROWS, int(hours[0]), int(hours[-1])),
        )
        return sorted({int(span) for (span,) in spans} & set(hours.tolist()))

    def _recount(self, session: Session, signal: str, row: int, minute: int, below: int = 1 << 62) -> Records | None:
        """Count a minute from its blocks, corrections applied; None when some of them may be gone."""
        span_us = minute * MINUTE_US, (minute + 1) * MINUTE_US
        noted = session.execute("SELECT forgotten_us FROM rolled").fetchone()
        if noted is not None and noted[0] >= span_us[0]:
            return None
        return rolled(row, corrected(self._between(session, signal, span_us, below=below)))

    def _opened(self, resolution: str, band: int, span: int, body: bytes, row: int | None = None) -> Records:
        what = f"the rollups {resolution}, band {band}, span {span}"
        records: Records = self._unpacked(what, tile_from, resolution, band, span, body, row)
        return records
