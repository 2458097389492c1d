"""The push to screens: one snapshot, then numbered deltas, to every `/watch` websocket. I/O.

State is coalesced, events are not. Each subscriber keeps *which* rows have changed since it was last told (a slot a
signal, newest wins; a set of ids a noun) and a bounded queue of ticker lines; what is sent is made when it is sent, at most
`RATE` times a second. So a slow screen costs bounded memory; one that falls behind the queue gets a new snapshot.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from opsroom.doors.panorama import Panorama, Told
from opsroom.loop.tick import touched
from opsroom.room.events import AnyEvent, PlantJoined
from opsroom.showing import show, unit_rows
from opsroom.showing.look import Look
from opsroom.showing.scene import Scene
from opsroom.views import Delta, LineRequest, TickerLine, Viewer, WatchRequest
from telex_ingest.toll import Toll

RATE = 10.0
"""The most deltas a second to one screen."""

BEAT_S = 1.0
"""How often a screen is told at least, so that it knows that the line is alive."""

LINES = 500
"""The most ticker lines that wait for one screen."""

SUBSCRIBERS = 500
"""The most screens at once."""

SHARE = 20.0
"""A snapshot because of a birth comes so many times as long after the one before as that one took to make."""

LATEST_S = 3.0
"""But no later than this after it, in seconds of the world."""


class Socket(Protocol):
    """The part of a websocket that a screen needs."""

    async def send_text(self, data: str) -> None:
        """Send one text frame."""
        ...

    async def receive_text(self) -> str:
        """Wait for one text frame."""
        ...


class Subscriber:
    """One screen: whose it is, what it has in focus, and what has changed since it was last told."""

    def __init__(self, viewer: Viewer, wanted: str) -> None:
        self.viewer, self.wanted = viewer, wanted
        self.n = 0
        self.fresh = True
        """Whether it needs a snapshot."""
        self.born = False
        """Whether plants were born that its snapshot does not know: it needs one, but not at once in a flood of births."""
        self.again_at = 0.0
        """When a birth is worth a snapshot again, on the loop's clock."""
        self.lanes: NDArray[np.bool_] = np.zeros(0, np.bool_)
        self.points: set[int] = set()
        self.rows: dict[str, set[str]] = {"alarm": set(), "motion": set(), "order": set()}
        self.flags: set[str] = set()
        self.lines: deque[TickerLine] = deque()
        self.units = Told()
        self.page: LineRequest | None = None
        """Its page of the line, when it looks at one."""
        self.wake = asyncio.Event()

    def focus(self, wanted: str) -> None:
        """Look at another unit: the next message is a snapshot."""
        self.wanted, self.fresh = wanted, True
        self.wake.set()

    def turn(self, page: LineRequest) -> None:
        """Look at a page of the line."""
        self.page = page
        self.flags.add("line")
        self.wake.set()

    def note(
        self, lanes: NDArray[np.int64], rows: dict[str, set[str]], flags: set[str], lines: Sequence[TickerLine]
    ) -> int:
        """Note what has changed; never waits, never grows beyond its bounds. Gives how many points a newer one has replaced."""
        if self.fresh:
            self.wake.set()
            return 0
        mine = lanes[lanes < len(self.lanes)]
        new, waiting = mine[self.lanes[mine]].tolist(), len(self.points)
        self.points.update(new)
        replaced = waiting + len(new) - len(self.points)
        for noun, ids in rows.items():
            self.rows[noun] |= ids
        self.flags |= flags
        self.lines += lines
        if len(self.lines) > LINES:
            self.fresh = True
        if self.fresh or self.born or self.points or rows or flags or lines:
            self.wake.set()
        return replaced

    def clear(self) -> None:
        """Forget what has changed."""
        self.points.clear()
        self.flags.clear()
        self.lines.clear()
        for ids in self.rows.values():
            ids.clear()


class Watchers:
    """All screens of a room."""

    def __init__(self, scene: Scene, now: Callable[[], float], toll: Toll | None = None) -> None:
        """`toll` is told what the messages cost."""
        self.scene, self.now = scene, now
        self._toll = toll or Toll()
        self.subscribers: set[Subscriber] = set()
        self.closing = asyncio.Event()
        self.coalesced = 0
        self.snapshots = 0
        self._panorama = Panorama(scene.look)

    def push(
        self,
        events: Sequence[AnyEvent],
        lanes: NDArray[np.int64],
        lines: Sequence[TickerLine],
        flags: Iterable[str] = (),
    ) -> None:
        """Tell every screen what a tick has changed."""
        if not self.subscribers:
            return
        rows = {noun: ids for noun in ("alarm", "motion", "order") if (ids := touched(events, noun))}
        changed = set(flags) | _flags(events)
        born = any(isinstance(event, PlantJoined) for event in events)
        for subscriber in self.subscribers:
            subscriber.born |= born
            self.coalesced += subscriber.note(lanes, rows, changed, lines)

    def close(self) -> None:
        """Send every screen away; they come back when the room does."""
        self.closing.set()

    async def serve(self, socket: Socket, viewer: Viewer, wanted: str, still: Callable[[], bool]) -> None:
        """Serve one screen until it goes or `still` says that its session is over."""
        subscriber = Subscriber(viewer, wanted)
        self.subscribers.add(subscriber)
        tasks: set[asyncio.Future[Any]] = {
            asyncio.ensure_future(self._send(socket, subscriber, still)),
            asyncio.ensure_future(self._hear(socket, subscriber, still)),
            asyncio.ensure_future(self.closing.wait()),
        }
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.subscribers.discard(subscriber)
            for task in tasks:
                task.cancel()
            # A screen that went away in the middle of a message is no news.
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _hear(self, socket: Socket, subscriber: Subscriber, still: Callable[[], bool]) -> None:
        while True:
            text = await socket.receive_text()
            if not still():
                return
            try:
                request = msgspec.json.decode(text, type=WatchRequest)
            except (msgspec.DecodeError, UnicodeError):
                continue
            if request.line is not None:
                subscriber.turn(request.line)
            if request.line is None or request.resume:
                subscriber.focus(request.focus or subscriber.wanted)

    async def _send(self, socket: Socket, subscriber: Subscriber, still: Callable[[], bool]) -> None:
        checked = 0.0
        loop = asyncio.get_running_loop()
        while True:
            if loop.time() - checked >= BEAT_S:
                checked = loop.time()
                if not still():
                    return
            asked, look = loop.time(), None
            if self._begins(subscriber, asked):
                subscriber.fresh, subscriber.born = True, False
                look = await self._panorama.anew()
            await socket.send_text(self.message(subscriber, look, asked))
            await asyncio.sleep(1.0 / RATE)
            with suppress(TimeoutError):  # no wait_for, which may lose a cancellation until Python 3.12
                async with asyncio.timeout(BEAT_S):
                    await subscriber.wake.wait()

    @staticmethod
    def _begins(subscriber: Subscriber, at: float) -> bool:
        return subscriber.fresh or (subscriber.born and at >= subscriber.again_at)

    def message(self, subscriber: Subscriber, look: Look | None = None, asked: float | None = None) -> str:
        """What to tell a screen now: a snapshot if it needs one, else the delta since the last message.

        `look` is the snapshot's if all units have been looked at already, since it was `asked` for on the loop's clock.
        """
        self._toll.begin()
        subscriber.wake.clear()
        subscriber.n += 1
        at = asyncio.get_running_loop().time
        asked = at() if asked is None else asked
        began = self._begins(subscriber, asked)
        view: Any = self._snapshot(subscriber, look) if began else self._delta(subscriber)
        if began:
            subscriber.again_at = at() + min(LATEST_S, SHARE * (at() - asked))
        subscriber.clear()
        if began and subscriber.page is not None:
            subscriber.turn(subscriber.page)  # a snapshot holds no page; it comes with the first delta
        said = msgspec.json.encode(view).decode()
        self._toll.charge("telling the screens")
        return said

    def _snapshot(self, subscriber: Subscriber, look: Look | None) -> msgspec.Struct:
        scene = self.scene
        self.snapshots += 1
        subscriber.fresh = False
        if look is None:
            subscriber.born = False  # else it knows only what was born before they were looked at
            look = self._panorama.at_once()
        subscriber.lanes = np.zeros(len(scene.bank), np.bool_)
        for signal in scene.shown(subscriber.viewer, scene.focus(subscriber.viewer, subscriber.wanted)):
            subscriber.lanes[signal.lane] = True
        view = scene.snapshot(subscriber.viewer, subscriber.wanted, subscriber.n, self.now(), look.rows())
        subscriber.units = Told(look)
        return view

    def _delta(self, subscriber: Subscriber) -> Delta:
        scene, room, viewer = self.scene, self.scene.room, subscriber.viewer
        now = self.now()
        alarms, motions, orders = (subscriber.rows[noun] for noun in ("alarm", "motion", "order"))
        units = subscriber.units.changed(self._panorama.rows(urgent=any(subscriber.rows.values())))
        flags = subscriber.flags
        return Delta(
            n=subscriber.n,
            now=self.now(),
            points=tuple(scene.points_for(sorted(subscriber.points), viewer, now)),
            units=units,
            alarms=show.alarms(room, viewer, only=alarms) if alarms else (),
            motions=show.motions(room, viewer, only=motions) if motions else (),
            orders=show.orders(room, viewer, only=orders) if orders else (),
            seats=show.seats(room, scene.present) if "seats" in flags else (),
            stops=show.stops(room, viewer) if "stops" in flags else None,
            proposals=show.proposals(room, viewer) if "proposals" in flags else None,
            requests=unit_rows.waiting(room, viewer) if "requests" in flags else None,
            ticker=tuple(line for line in subscriber.lines if scene.hears(viewer, line, now)),
            line=scene.line,
            book=scene.book(viewer, subscriber.page, self.now()) if subscriber.page and "line" in flags else None,
            held=room.held is not None if "held" in flags else None,
        )


def _flags(events: Iterable[AnyEvent]) -> set[str]:
    flags = set()
    for event in events:
        kind = type(event).__name__
        if kind.startswith("Stop"):
            flags.add("stops")
        elif kind.startswith("Agreement"):
            flags.add("proposals")
        elif kind.startswith("Request"):
            flags.add("requests")
        elif kind in ("OrdersHeld", "OrdersReleased"):
            flags |= {"held", "seats"}
        elif kind in ("HandRaised", "SubstituteNamed"):
            flags.add("seats")
    return flags
