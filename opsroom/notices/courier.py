"""Carries notices out, beside the loop: what is pending in the room is sent until a channel has taken it. I/O.

The outbox is the room itself: `NoticeRecord.pending`. A delivery counts once the journal says so, so after a kill between
the two a notice is sent again, with the same key: at least once. What fails is tried again, after 2 s, 4 s and so on up to
five minutes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from opsroom.notices import notice_events
from opsroom.notices.channel import Channel
from opsroom.notices.message import Message, message
from opsroom.notices.sending import SendError, send
from opsroom.room.events import AnyEvent
from opsroom.room.news import NoticeTaken
from opsroom.room.state import Room

LONGEST_S = 300.0
"""The longest pause between two tries, seconds of the world."""

AT_ONCE = 8
"""The most messages that are on their way at once."""

Errand = tuple[str, int, str]
"""A notice, a turn, a channel."""

Send = Callable[[Path, Channel, Message], None]

NEWS = (
    notice_events.NoticeAddressed,
    notice_events.NoticeSeen,
    notice_events.NoticeEnded,
    notice_events.NoticeDelivered,
)
"""The events after which there is something else to carry."""


def pause(attempts: int) -> float:
    """The seconds of the world to wait after so many tries that failed.

    >>> [pause(n) for n in (1, 2, 3, 20)]
    [2.0, 4.0, 8.0, 300.0]
    """
    return min(2.0 ** min(attempts, 20), LONGEST_S)


class Courier:
    """Takes the room's pending notices, gives news of what was taken and what was not."""

    def __init__(
        self,
        folder: Path,
        channels: Iterable[Channel],
        log: Any,
        wait: Callable[[int], float] = pause,
        send: Send = send,
    ) -> None:
        self._folder, self._log, self._wait, self._send = folder, log, wait, send
        self._channels = {channel.name: channel for channel in channels}
        self._running: dict[Errand, asyncio.Task[None]] = {}
        self._done: set[Errand] = set()
        self._told: list[NoticeTaken] = []
        self._ways = asyncio.Semaphore(AT_ONCE)

    def take_up(self, room: Room) -> None:
        """Carry what is pending: at start, and after every event that changes it."""
        pending = {
            (notice.id, turn, channel): message(room.id, notice, turn, room.charter.notices.link)
            for notice in room.notices.values()
            for turn, channel in notice.pending()
        }
        for errand, task in list(self._running.items()):
            if errand not in pending:
                task.cancel()
                del self._running[errand]
        self._done &= pending.keys()
        for errand, said in pending.items():
            if errand not in self._running and errand not in self._done:
                self._running[errand] = asyncio.create_task(self._carry(errand, said), name=f"notice {said.key}")

    def watch(self, room: Room, events: Iterable[AnyEvent]) -> None:
        """Carry what a tick has made pending, and let go of what somebody has seen."""
        if any(isinstance(event, NEWS) for event in events):
            self.take_up(room)

    def heard(self) -> tuple[NoticeTaken, ...]:
        """What became of notices since somebody asked last."""
        told = tuple(self._told)
        self._told.clear()
        return told

    async def close(self) -> None:
        """Let go: the next start takes up what was not taken."""
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def _carry(self, errand: Errand, said: Message) -> None:
        notice, turn, name = errand
        attempts = 0
        while True:
            attempts += 1
            reason = await self._try(name, said)
            self._told.append(NoticeTaken(notice=notice, turn=turn, channel=name, reason=reason, attempts=attempts))
            if not reason:
                self._done.add(errand)
                self._running.pop(errand, None)
                return
            await asyncio.sleep(self._wait(attempts))

    async def _try(self, name: str, said: Message) -> str:
        """Send once; gives why it was not taken, empty when it was."""
        channel = self._channels.get(name)
        if channel is None:
            return f"there is no channel {name!r} in room.toml any more"
        async with self._ways:
            try:
                await asyncio.to_thread(self._send, self._folder, channel, said)
            except SendError as wrong:
                self._log.warning("a notice was not taken", key=said.key, channel=name, why=str(wrong))
                return str(wrong)
            except Exception:
                # A notice that cannot be sent must not stop the room.
                self._log.exception("a notice could not be sent", key=said.key, channel=name)
                return "a defect of the room's own, see its log"
        self._log.info("a notice was taken", key=said.key, channel=name)
        return ""
