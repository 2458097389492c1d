"""One tick of the room: every message of it meets the room that the one before left. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from opsroom.alarms.flood import Trouble, in_order
from opsroom.commands import Asked
from opsroom.record.chain import Entry
from opsroom.room.events import VERSIONS, AnyEvent, decode, encode, kind_of
from opsroom.room.news import AnyNews, Sight
from opsroom.room.refusal import Refused
from opsroom.room.room import Room, decide, evolve, follow, hear, made
from opsroom.views import Answer

Message = Asked | AnyNews


class Fault(NamedTuple):
    """A message that the room could not even decide on: a defect of the program, never the sender's doing."""

    message: Message
    error: Exception


class Tick(NamedTuple):
    """What a tick gave: the room after it, its events as journal entries, and what came of each message.

    `answers` holds one answer for each `Asked`, in their order; `refused` the refusals of other messages.
    """

    room: Room
    events: tuple[AnyEvent, ...]
    entries: tuple[Entry, ...]
    answers: tuple[Answer, ...]
    refused: tuple[tuple[Message, Refused], ...]
    faults: tuple[Fault, ...]


def fold(room: Room, messages: Iterable[Message], now: float, sight: Sight) -> Tick:
    """Decide on each message and evolve, one by one; a refusal goes to its asker alone.

    An event that cannot be applied raises: the room stops rather than go on with a state that its journal does not give.
    """
    folding = _Folding(room, now, sight)
    for message in messages:
        folding.take(message)
    return folding.done()


class _Folding:
    """A tick that is being folded: the room so far, what has come of it, and the troubles that are still to be heard together.

    What goes wrong together is numbered and put together once, in an order of its own: a thousand plants slip for one reason,
    not for a thousand, and not for another one when they are heard the other way round.
    """

    def __init__(self, room: Room, now: float, sight: Sight) -> None:
        self.room, self.now, self.sight = room, now, sight
        self.events: list[AnyEvent] = []
        self.entries: list[Entry] = []
        self.answers: list[Answer] = []
        self.refused: list[tuple[Message, Refused]] = []
        self.faults: list[Fault] = []
        self.waiting: list[Trouble] = []
        self.troubles: list[tuple[Message, tuple[AnyEvent, ...]]] = []

    def take(self, message: Message) -> None:
        """Decide on a message; whatever is not one more trouble meets a room in which all has followed."""
        if isinstance(message, Trouble):
            self.waiting.append(message)
            return
        self._follow()
        self._decide(message)

    def _decide(self, message: Message) -> None:
        asked = message if isinstance(message, Asked) else None
        try:
            if isinstance(message, Trouble):
                new = hear(self.room, message, self.now)
            else:
                new = decide(self.room, message, self.now, self.sight)
        except Refused as refusal:
            if asked is None:
                self.refused.append((message, refusal))
            else:
                self.answers.append(
                    Answer(ok=False, key=asked.key, code=refusal.code, reason=refusal.reason, cure=refusal.cure)
                )
            return
        except Exception as error:
            self.faults.append(Fault(message, error))
            if asked is not None:
                self.answers.append(_fault_answer(asked))
            return
        self._happened(new, cause_of(message))
        if new and isinstance(message, Trouble):
            self.troubles.append((message, new))
        if asked is not None:
            self.answers.append(Answer(ok=True, key=asked.key, made=made(self.room, asked) or ()))

    def done(self) -> Tick:
        """The tick as it has become."""
        self._follow()
        return Tick(
            self.room,
            tuple(self.events),
            tuple(self.entries),
            tuple(self.answers),
            tuple(self.refused),
            tuple(self.faults),
        )

    def _happened(self, new: Iterable[AnyEvent], cause: str) -> None:
        new = tuple(new)
        self.room = evolve(self.room, new)
        self.events += new
        self.entries += (entry_of(event, cause) for event in new)

    def _follow(self) -> None:
        """Hear the troubles so far and let follow what does; a defect in that harms the trouble alone from which it comes."""
        waiting, self.waiting = self.waiting, []
        for trouble in in_order(self.room.graph, waiting) if len(waiting) > 1 else waiting:
            self._decide(trouble)
        troubles, self.troubles = self.troubles, []
        if not troubles:
            return
        told = tuple(event for _, events in troubles for event in events)
        try:
            new = follow(self.room, told, self.now, self.sight)
        except Exception as error:
            if len(troubles) == 1:
                self.faults.append(Fault(troubles[0][0], error))
            else:
                for one in troubles:
                    self.troubles = [one]
                    self._follow()
            return
        first = cause_of(troubles[0][0])
        self._happened(new, first if len(troubles) == 1 else f"{first} and {len(troubles) - 1} more")


def replay(room: Room, recorded: Iterable[tuple[str, int, object]]) -> Room:
    """Fold a journal's events (kind, version, body) over a room; raises `UnknownEventError` for one that cannot be read."""
    return evolve(room, (decode(kind, version, msgspec.json.encode(body)) for kind, version, body in recorded))


def entry_of(event: AnyEvent, cause: str) -> Entry:
    """Write an event as a journal entry."""
    kind = kind_of(event)
    return Entry(
        kind=kind,
        version=VERSIONS[kind],
        body=msgspec.Raw(encode(event)),
        actor=event.by or "room",
        cause=cause,
        at=event.at,
    )


def cause_of(message: Message) -> str:
    """Name what made an event happen: a command and its key, or a piece of news and whom it is about."""
    if isinstance(message, Asked):
        return f"{message.command.__struct_config__.tag} {message.key}"
    about = getattr(message, "signal", "") or getattr(message, "plant", "") or getattr(message, "alarm", "")
    return f"{message.__struct_config__.tag} {about}".strip()


def touched(events: Sequence[AnyEvent], noun: str) -> set[str]:
    """The ids of one noun (alarm, motion, order, plant) that events speak of."""
    named = (getattr(event, noun, "") for event in events)
    return {name for name in named if isinstance(name, str) and name}


def _fault_answer(asked: Asked) -> Answer:
    return Answer(
        ok=False,
        key=asked.key,
        code="fault",
        reason="the room could not decide on this because of a defect of its own; nothing has changed",
        cure="the operator finds the details in the room's log",
    )
