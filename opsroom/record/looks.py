"""Every look at readings that a plant opened to others: who, when, what, by which door, for which purpose. I/O.

A table of its own beside the journal: looks are many and about people's reading, they bind nobody and may be forgotten; the
grants that allow them are in the journal. A look is written before the readings are given: what cannot be noted is not shown.
Written, not synced: a kill loses no look, a power cut perhaps those of the last moments, and no screen waits for a disk.
Looks of one person at one plant by one door and grant within `SPAN_S` are one row, whose end and count follow.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from opsroom.entry.ledger import Ledger
from opsroom.record.disk import StoreError, private_file

SPAN_S = 300.0
"""Looks that follow each other within so many seconds are one row."""

KEPT_S = 400 * 86400.0
"""Looks are forgotten after so long."""

SETTLE_S = 10.0
"""How often the ends and counts of open rows are written, beside those of the rows that close."""

FORGET_S = 3600.0
"""How often it is looked for rows that are too old."""

TOLD = 200
"""The newest rows that are told at once."""

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS looks (id INTEGER PRIMARY KEY, unit TEXT NOT NULL, account TEXT NOT NULL,"
    " occupant TEXT NOT NULL, door TEXT NOT NULL, ground TEXT NOT NULL, purpose TEXT NOT NULL, signals TEXT NOT NULL,"
    " first_at REAL NOT NULL, last_at REAL NOT NULL, times INTEGER NOT NULL)",
    "CREATE INDEX IF NOT EXISTS looks_of ON looks (unit, last_at)",
    "CREATE TABLE IF NOT EXISTS absorbed (unit TEXT NOT NULL, hour INTEGER NOT NULL, readings INTEGER NOT NULL,"
    " PRIMARY KEY (unit, hour))",
    "CREATE TABLE IF NOT EXISTS counted (one INTEGER PRIMARY KEY CHECK (one = 1), mark INTEGER NOT NULL)",
)


class Look(NamedTuple):
    """One row: `ground` is the grant or the probe that allowed it, `signals` the names that were seen."""

    unit: str
    account: str
    occupant: str
    door: str
    ground: str
    purpose: str
    signals: tuple[str, ...]
    first_at: float
    last_at: float
    times: int


@dataclass
class _Open:
    row: int
    first_at: float
    last_at: float
    times: int
    signals: set[str] = field(default_factory=set)
    changed: bool = False


class Looks:
    """The table of looks in a room's folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        private_file(path)
        self.ledger = Ledger(path, _SCHEMA, synced=False)
        self._open: dict[tuple[str, str, str, str], _Open] = {}
        self._settled_at = self._forgot_at = float("-inf")

    def note(
        self, account: str, occupant: str, door: str, ground: str, purpose: str, signals: Iterable[str], now: float
    ) -> bool:
        """Note a look at signals ("plant/name") of one plant; False when it could not be noted, and nothing may be shown."""
        listed = list(signals)
        unit, names = listed[0].partition("/")[0], {key.partition("/")[2] for key in listed}
        key = (account, unit, door, ground)
        with self.ledger.turn:
            return self._note(key, occupant, purpose, names, now)

    def _note(self, key: tuple[str, str, str, str], occupant: str, purpose: str, names: set[str], now: float) -> bool:
        account, unit, door, ground = key
        known = self._open.get(key)
        if known is not None and now - known.first_at < SPAN_S and names <= known.signals:
            known.last_at, known.times, known.changed = now, known.times + 1, True
            return True
        try:
            if known is not None and now - known.first_at < SPAN_S:
                known.signals |= names
                known.last_at, known.times = now, known.times + 1
                self._write([known])
                return True
            if now - self._settled_at >= SETTLE_S or now < self._settled_at:
                self._settled_at = now
                self.settle()
                self._open = {other: one for other, one in self._open.items() if now - one.first_at < SPAN_S}
            elif known is not None:
                self._write([known])
            with self.ledger.written() as connection:
                row = connection.execute(
                    "INSERT INTO looks (unit, account, occupant, door, ground, purpose, signals, first_at, last_at, times)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1)",
                    (unit, account, occupant, door, ground, purpose, " ".join(sorted(names)), now, now),
                ).lastrowid
                if now - self._forgot_at >= FORGET_S:
                    connection.execute("DELETE FROM looks WHERE last_at < ?", (now - KEPT_S,))
                    self._forgot_at = now
        except StoreError:
            return False
        self._open[key] = _Open(int(row or 0), now, now, 1, names)
        return True

    def settle(self) -> None:
        """Write what has changed of rows that are open; raises `StoreError`."""
        self._write([one for one in self._open.values() if one.changed])

    def _write(self, rows: Sequence[_Open]) -> None:
        if not rows:
            return
        with self.ledger.written() as connection:
            connection.executemany(
                "UPDATE looks SET last_at = ?, times = ?, signals = ? WHERE id = ?",
                [(one.last_at, one.times, " ".join(sorted(one.signals)), one.row) for one in rows],
            )
        for one in rows:
            one.changed = False

    def of(self, unit: str, most: int = TOLD) -> tuple[Look, ...]:
        """The newest looks at a plant's readings, newest first; raises `StoreError`."""
        self.settle()
        rows: list[Any] = []
        with self.ledger.written() as connection:
            rows = connection.execute(
                "SELECT unit, account, occupant, door, ground, purpose, signals, first_at, last_at, times FROM looks"
                " WHERE unit = ? ORDER BY last_at DESC, id DESC LIMIT ?",
                (unit, most),
            ).fetchall()
        return tuple(Look._make((*row[:6], tuple(row[6].split()), *row[7:])) for row in rows)

    def close(self) -> None:
        """Write the rest and close the file."""
        try:
            self.settle()
        finally:
            self.ledger.close()
