"""One tick of the room: every message of it meets the room that the one before left. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from opsroom.commands import Asked
from opsroom.record.chain import Entry
from opsroom.room.events import VERSIONS, AnyEvent, decode, encode, kind_of
from opsroom.room.news import AnyNews, Sight
from opsroom.room.refusal import Refused
from opsroom.room.room import Room, decide, evolve, made
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
    events: list[AnyEvent] = []
    entries: list[Entry] = []
    answers: list[Answer] = []
    refused: list[tuple[Message, Refused]] = []
    faults: list[Fault] = []
    for message in messages:
        asked = message if isinstance(message, Asked) else None
        try:
            new = decide(room, message, now, sight)
        except Refused as refusal:
            if asked is None:
                refused.append((message, refusal))
            else:
                answers.append(
                    Answer(ok=False, key=asked.key, code=refusal.code, reason=refusal.reason, cure=refusal.cure)
                )
            continue
        except Exception as error:
            faults.append(Fault(message, error))
            if asked is not None:
                answers.append(_fault_answer(asked))
            continue
        room = evolve(room, new)
        events += new
        cause = cause_of(message)
        entries += (entry_of(event, cause) for event in new)
        if asked is not None:
            answers.append(Answer(ok=True, key=asked.key, made=made(room, asked) or ()))
    return Tick(room, tuple(events), tuple(entries), tuple(answers), tuple(refused), tuple(faults))


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
