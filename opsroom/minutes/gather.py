"""From the journal's events to what minutes tell: which motions, and everything that happened to each. Pure.

Minutes are made from the journal alone. Events are read as they are stored; one of a kind that this program does not know is told
by its own words rather than left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from opsroom.record.chain import Recorded
from opsroom.recursion.recursion import Charter, Unit
from opsroom.room.events import AnyEvent, MotionOpened, UnknownEventError, decode
from opsroom.room.refusal import RoomError
from opsroom.room.room import evolve, newborn
from opsroom.room.state import Room

BETWEEN_SESSIONS_S = 8 * 3600.0
"""Between two motions so far apart a new session of the council begins."""


class Kept(NamedTuple):
    """An event as the minutes use it: its place in the journal, its hash, and what happened (`None`: an unknown kind)."""

    number: int
    hash: str
    kind: str
    at: float
    body: dict[str, Any]
    event: AnyEvent | None


class Matter(NamedTuple):
    """One motion with everything that happened to it and to its orders, in order; `then` is the room when it was opened."""

    motion: str
    opened: MotionOpened
    session: int
    events: tuple[Kept, ...]
    then: Room | None = None


class Session(NamedTuple):
    """What is to be told: the room at the end of the journal, the motions, how many events there are, the newest's hash."""

    room: Room
    matters: tuple[Matter, ...]
    events: int
    head: str


class NothingToTellError(RoomError):
    """No motion of the journal is among those that were asked for: `wanted` says which, `known` how many there are."""

    def __init__(self, wanted: str, known: int) -> None:
        super().__init__(wanted, known)
        self.wanted, self.known = wanted, known

    def __str__(self) -> str:
        if not self.known:
            return "there are no minutes to write: the council has not opened a motion yet"
        return f"there is no motion {self.wanted} among the {self.known} in the journal: choose nothing for the last session"


def told_events(matter: Matter) -> tuple[Kept, ...]:
    """The events of a motion that may be told: in older journals ballots were not sealed, and are not told while it is open."""
    if any(kept.kind == "motion-closed" for kept in matter.events):
        return matter.events
    return tuple(kept for kept in matter.events if kept.kind != "ballot-cast")


def gather(
    recorded: Iterable[Recorded],
    *,
    motion: str = "",
    session: int = 0,
    since: float | None = None,
    until: float | None = None,
) -> Session:
    """Gather the motions of an id, of a session (counted from 1; 0 and nothing else said: the last), or opened in a span.

    Raises `NothingToTellError`; `UnknownEventError` never: what cannot be read is kept as it is stored.
    """
    room: Room | None = None
    every: list[Kept] = []
    then: dict[str, Room] = {}
    head, number = "", 0
    for one in recorded:
        head, number = one.hash, one.event_id
        body = one.body if isinstance(one.body, dict) else {}
        event = _event(one.kind, one.version, body)
        if event is not None:
            room = evolve(room or newborn(one.room_id, _unfounded()), (event,))
            if isinstance(event, MotionOpened):
                then[event.motion] = room
        if "motion" in body or "order" in body:
            every.append(Kept(number, head, one.kind, one.at, body, event))
    matters = _matters(every, then)
    chosen = _chosen(matters, motion, session, since, until)
    if room is None or not chosen:
        wanted = motion or (f"of session {session}" if session else "in that span" if since or until else "")
        raise NothingToTellError(wanted, len(matters))
    return Session(room, tuple(chosen), number, head)


def _unfounded() -> Charter:
    """A charter until the journal's first event brings the room's own."""
    return Charter(units=(Unit(id="room", title="", level=""),))


def _event(kind: str, version: int, body: dict[str, Any]) -> AnyEvent | None:
    try:
        return decode(kind, version, msgspec.json.encode(body))
    except UnknownEventError:
        return None


def _matters(every: Sequence[Kept], then: Mapping[str, Room]) -> list[Matter]:
    orders = {str(one.body["order"]): str(one.body["motion"]) for one in every if one.kind == "order-issued"}
    mine: dict[str, list[Kept]] = {}
    opened: dict[str, MotionOpened] = {}
    for one in every:
        name = one.body.get("motion") or orders.get(str(one.body.get("order")))
        if isinstance(one.event, MotionOpened):
            opened[one.event.motion] = one.event
        if isinstance(name, str) and name in opened:
            mine.setdefault(name, []).append(one)
    matters, session, last = [], 0, None
    for name, event in opened.items():
        if last is None or event.at - last > BETWEEN_SESSIONS_S:
            session += 1
        last = event.at
        matters.append(Matter(name, event, session, tuple(mine[name]), then[name]))
    return matters


def _chosen(matters: list[Matter], motion: str, session: int, since: float | None, until: float | None) -> list[Matter]:
    if motion:
        return [one for one in matters if one.motion == motion]
    if since is not None or until is not None:
        return [
            one
            for one in matters
            if (since is None or one.opened.at >= since) and (until is None or one.opened.at < until)
        ]
    wanted = session or (matters[-1].session if matters else 0)
    return [one for one in matters if one.session == wanted]
