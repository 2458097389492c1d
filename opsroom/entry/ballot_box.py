"""The ballot box: what sealed ballots say, kept beside the journal until their round is opened. I/O.

The journal holds a commitment for each ballot and nothing more. The salt and the text that open it lie here, in `ballots.sqlite`
and in memory: in no journal, export, backup, view or log. A room that is restored without its box counts the sealed ballots
as lost, and says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from opsroom.commands import Asked, CastBallot
from opsroom.council.ballots import vote_said
from opsroom.council.counting import words
from opsroom.entry.ledger import Ledger
from opsroom.proof.commitments import commit
from opsroom.room.authority import account
from opsroom.room.events import AnyEvent, BallotSealed, MotionClosed, RoundEnded
from opsroom.room.news import BallotsFound, SealedBallot
from opsroom.room.state import Room

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS sealed (commitment TEXT PRIMARY KEY, motion TEXT NOT NULL, round INTEGER NOT NULL,"
    " salt BLOB NOT NULL, said TEXT NOT NULL) STRICT",
)

Row = tuple[str, str, int, bytes, str]


class BallotBox:
    """Sealed ballots of open motions; `opened` gives those of a round that is over. Raises `StoreError`."""

    def __init__(self, path: Path) -> None:
        self._ledger = Ledger(path, _SCHEMA)
        self._rows: dict[str, Row] = {
            row[0]: (row[0], row[1], row[2], bytes(row[3]), row[4])
            for row in self._ledger.rows("SELECT commitment, motion, round, salt, said FROM sealed")
        }
        self._over: list[tuple[str, int]] = []

    def take_up(self, room: Room) -> None:
        """Open after a restart the rounds that were over, and throw away what belongs to no open motion."""
        open_ones = {motion.id: motion for motion in room.motions.values() if motion.state == "open"}
        self._over += [(one.id, one.round) for one in open_ones.values() if one.phase in ("opening", "counting")]
        self.forget(row[1] for row in list(self._rows.values()) if row[1] not in open_ones)

    def keep(self, rows: Iterable[Row]) -> None:
        """Keep sealed ballots on disk; returns only when they are there."""
        rows = list(rows)
        if not rows:
            return
        with self._ledger.written() as at:
            at.executemany("INSERT OR REPLACE INTO sealed VALUES (?, ?, ?, ?, ?)", rows)
        self._rows.update((row[0], row) for row in rows)

    def watch(self, events: Iterable[AnyEvent]) -> tuple[str, ...]:
        """Note the rounds that ended in a tick; gives the motions that closed in it, to `forget`."""
        closed = []
        for event in events:
            if isinstance(event, RoundEnded):
                self._over.append((event.motion, event.round))
            elif isinstance(event, MotionClosed):
                closed.append(event.motion)
        return tuple(closed)

    def opened(self) -> tuple[BallotsFound, ...]:
        """The ballots of the rounds that ended since somebody asked last."""
        over, self._over = self._over, []
        return tuple(
            BallotsFound(
                motion=motion,
                round=number,
                ballots=tuple(
                    SealedBallot(commitment=row[0], salt=row[3], said=row[4])
                    for row in self._rows.values()
                    if row[1:3] == (motion, number)
                ),
            )
            for motion, number in over
        )

    def said(self, commitment: str) -> str:
        """What stands on one sealed ballot, for the seat whose it is; empty when it is not here."""
        row = self._rows.get(commitment)
        return row[4] if row is not None else ""

    def forget(self, motions: Iterable[str]) -> None:
        """Throw away what motions that are closed had sealed."""
        over = set(motions)
        if not over:
            return
        with self._ledger.written() as at:
            at.executemany("DELETE FROM sealed WHERE motion = ?", [(motion,) for motion in over])
        self._ledger.scrub()
        self._rows = {name: row for name, row in self._rows.items() if row[1] not in over}

    def close(self) -> None:
        """Close the file."""
        self._ledger.close()


def rows_of(asked: Iterable[Asked], events: Iterable[AnyEvent]) -> tuple[Row, ...]:
    """What the box is to keep of the ballots that were sealed in a tick."""
    sealed = {(event.by, event.key): event for event in events if isinstance(event, BallotSealed)}
    rows = []
    for one in asked if sealed else ():
        event = sealed.get((account(one.actor), one.key))
        if event is None or not isinstance(one.command, CastBallot):
            continue
        said = words(vote_said(one.command), event.motion, event.round, event.seat)
        if commit(one.salt, said.encode()) != event.commitment:
            raise RuntimeError(f"the ballot of seat {event.seat} on {event.motion} is not the one that was sealed")
        rows.append((event.commitment, event.motion, event.round, one.salt, said))
    return tuple(rows)
