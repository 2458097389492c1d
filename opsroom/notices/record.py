"""A notice as the room keeps it: whose turn it is, what was delivered, who has looked. Frozen.

The outbox is what is not delivered.
"""

from __future__ import annotations

import msgspec

from opsroom.alarms.deadlines import Due
from opsroom.room.thing import Thing


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One person's turn: told `at` through `channels`; the next is told at `deadline` if nobody looks (`None`: nobody is)."""

    who: str
    channels: tuple[str, ...]
    at: float
    deadline: float | None


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """Why a channel does not take a notice, the newest reason."""

    turn: int
    channel: str
    reason: str
    attempts: int
    at: float


class NoticeRecord(Thing, frozen=True, kw_only=True):
    """One notice of an alarm, or that it is `back` to normal; `dedup` is the key by which whoever gets it twice knows it."""

    alarm: str
    dedup: str
    unit: str
    priority: str
    title: str
    text: str
    raised_at: float
    turns: tuple[Turn, ...] = ()
    delivered: tuple[tuple[int, str], ...] = ()
    troubles: tuple[Trouble, ...] = ()
    seen_by: str = ""
    seen_at: float | None = None
    ended_at: float | None = None
    ended_reason: str = ""
    back: bool = False

    def clocks(self) -> tuple[Due, ...]:
        """Be passed on to the next, while nobody has looked."""
        last = self.turns[-1] if self.turns else None
        if self.over() or last is None or last.deadline is None:
            return ()
        return (Due(last.deadline, "pass-notice", self.id),)

    def over(self) -> bool:
        """Seen, or nothing left to tell; that an alarm is back is told to everybody once and then over."""
        if self.back and self.turns and not self._owed():
            return True
        return self.seen_at is not None or self.ended_at is not None

    def pending(self) -> tuple[tuple[int, str], ...]:
        """What is to be delivered still: (turn, channel), turns counting from 1."""
        if self.over():
            return ()
        return self._owed()

    def _owed(self) -> tuple[tuple[int, str], ...]:
        asked = ((n, channel) for n, turn in enumerate(self.turns, 1) for channel in turn.channels)
        return tuple(one for one in asked if one not in self.delivered)
