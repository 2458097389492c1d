"""Amendments: other words or orders for one option, taken over by the mover (friendly) or decided by the seats in the open.

The first ballot of the last round closes the list. What is adopted voids the ballots cast on the old words: those of the running
round are cast again, and a first ballot that was opened before stands as a reason, no longer as a vote. Orders of another kind
are counted as the charter says for that kind: no harmless wording carries a dangerous order past its two thirds.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, cast

import msgspec
from immutables import Map

from opsroom.commands import Actor, AmendMotion, AnswerAmendment
from opsroom.council import terms
from opsroom.council.deliberation import eligible, find_running
from opsroom.council.foresight import foresee
from opsroom.council.motion import Amendment, Motion
from opsroom.council.moving import first_round, mode_of, proposed_option
from opsroom.council.options import Option, OptionOrder
from opsroom.recursion.recursion import Mode
from opsroom.room import events as happened
from opsroom.room.authority import said
from opsroom.room.events import AnyEvent
from opsroom.room.news import Sight
from opsroom.room.refusal import Refused
from opsroom.room.state import Room, put

AMENDMENTS = 12
"""The most amendments of one motion."""

Piece = tuple[Literal["same", "gone", "new"], str]


def wording(option: Option, named: Callable[[str], str] = str, ordered: Callable[[str], str] = str) -> str:
    """An option as words, for comparing two wordings; `named` tells what people call a plant, `ordered` an earlier order.

    >>> wording(Option(id="a", title="Give the unit more time", kind="time", extra_s=60.0))
    'Give the unit more time'
    """
    parts = [option.title]
    for order in option.orders:
        figures = ", ".join(f"{titled(order, name)} {value}" for name, value in order.parameters.items())
        told = order.birth.title or order.birth.name
        parts.append(f"{told} at {named(order.plant)}{': ' + figures if figures else ''}")
    parts += [f"{one.title}: {terms.lines(one)[1]}" for one in option.terms]
    if option.supersedes:
        parts.append(f"In place of {', '.join(map(ordered, option.supersedes))}")
    return " · ".join(parts)


def titled(order: OptionOrder, name: str) -> str:
    """What the plant calls a parameter of its order, inside a sentence."""
    part = order.birth.parameters.get("properties", {}).get(name)
    title = str(part.get("title") or "") if isinstance(part, dict) else ""
    return f"{title[:1].lower()}{title[1:]}" if title else name


def diff(before: str, after: str) -> tuple[Piece, ...]:
    """Compare two wordings word by word: what stays, what goes, what is new.

    >>> diff("Set the speed to 90 rpm", "Set the speed to 80 rpm")
    (('same', 'Set the speed to'), ('gone', '90'), ('new', '80'), ('same', 'rpm'))
    """
    old, new = before.split(), after.split()
    pieces: list[Piece] = []
    for how, i, j, k, m in _readable(difflib.SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes()):
        if how == "equal":
            pieces.append(("same", " ".join(old[i:j])))
            continue
        if i < j:
            pieces.append(("gone", " ".join(old[i:j])))
        if k < m:
            pieces.append(("new", " ".join(new[k:m])))
    return tuple(pieces)


def _readable(opcodes: Sequence[tuple[str, int, int, int, int]]) -> list[tuple[str, int, int, int, int]]:
    """Join changes that one or two words stand between where more changes on both sides: people read phrases, no islands."""
    joined: list[tuple[str, int, int, int, int]] = []
    for place, (how, i, j, k, m) in enumerate(opcodes):
        between = 0 < place < len(opcodes) - 1 and how == "equal" and j - i <= 2
        around = min(_changed(opcodes[place - 1]), _changed(opcodes[place + 1])) if between else 0
        if joined and joined[-1][0] != "equal" and (how != "equal" or around > 2 * (j - i)):
            _, first, _, start, _ = joined[-1]
            joined[-1] = ("replace", first, j, start, m)
        else:
            joined.append((how, i, j, k, m))
    return joined


def _changed(opcode: tuple[str, int, int, int, int]) -> int:
    _, i, j, k, m = opcode
    return (j - i) + (m - k)


def move(room: Room, asked: AmendMotion, actor: Actor, now: float, sight: Sight) -> tuple[AnyEvent, ...]:
    """Propose another wording of an option; the mover's own is taken over at once."""
    motion = find_running(room, asked.motion, now)
    _check_open(motion)
    _check_eligible(room, motion, actor)
    before = motion.option(asked.option)
    if before is None or before.kind not in ("orders", "agreement"):
        raise Refused("no-option", f"option {asked.option!r} cannot be amended", "amend one of the proposed options")
    if len(motion.amendments) >= AMENDMENTS:
        raise Refused("too-many", f"{motion.id} has {AMENDMENTS} amendments", "open another motion")
    option = proposed_option(room, before.id, asked.to, now)
    if option.orders and not motion.alarms:
        raise Refused(
            "bad-option",
            f"{motion.id} is about an agreement, and answers no alarm",
            "move on the alarm to order something",
        )
    if msgspec.structs.replace(before, forecast=None) == option:
        raise Refused("nothing-new", "the amendment changes nothing", "write what should be different")
    option = msgspec.structs.replace(option, forecast=foresee(room, motion.evidence, option, now))
    moved = happened.AmendmentMoved(
        at=now,
        motion=motion.id,
        amendment=f"amendment-{len(motion.amendments) + 1}",
        seat=actor.seat,
        option=option,
        reason=said(asked.reason, "the reason for the amendment"),
    )
    if actor.seat != motion.seat:
        return (moved,)
    return (moved, _taken(room, motion, moved.amendment, option, "friendly", now))


def answer(room: Room, asked: AnswerAmendment, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Say openly yes or no to an amendment; the mover's yes, or more than half of the seats, settles it."""
    motion = find_running(room, asked.motion, now)
    _check_open(motion)
    amendment = next((one for one in motion.amendments if one.id == asked.amendment), None)
    if amendment is None:
        raise Refused("unknown-amendment", f"{motion.id} has no {asked.amendment!r}", "look for its id on the motion")
    if amendment.state != "open":
        raise Refused("amendment-over", f"{amendment.id} is {amendment.state}", "move another one")
    seats = _check_eligible(room, motion, actor)
    said_now = happened.AmendmentAnswered(
        at=now, motion=motion.id, amendment=amendment.id, seat=actor.seat, aye=asked.aye
    )
    others = {*seats} - {actor.seat}
    ayes = ({*amendment.ayes} & others) | ({actor.seat} if asked.aye else set())
    noes = ({*amendment.noes} & others) | (set() if asked.aye else {actor.seat})
    if asked.aye and actor.seat == motion.seat:
        return (said_now, _taken(room, motion, amendment.id, amendment.option, "friendly", now))
    if 2 * len(ayes) > len(seats):
        return (said_now, _taken(room, motion, amendment.id, amendment.option, "adopted", now))
    if 2 * len(noes) >= len(seats):
        return (said_now, _settled(motion, amendment.id, "rejected", now))
    return (said_now,)


def recounted(room: Room, name: str, now: float) -> tuple[happened.AmendmentSettled, ...]:
    """What was said on open amendments and settles them now that fewer seats have a word; `room` is the room without these."""
    found: list[happened.AmendmentSettled] = []
    for one in room.motions[name].amendments:
        motion = room.motions[name]
        if one.state != "open" or not _is_open(motion):
            continue
        seats = {*eligible(room, motion)}
        if 2 * len({*one.ayes} & seats) > len(seats):
            event = _taken(room, motion, one.id, one.option, "adopted", now)
        elif one.noes and 2 * len({*one.noes} & seats) >= len(seats):
            event = _settled(motion, one.id, "rejected", now)
        else:
            continue
        room = _applied(room, event)
        found.append(event)
    return tuple(found)


def fallen(motion: Motion, now: float) -> tuple[AnyEvent, ...]:
    """The amendments that are still open fall."""
    return tuple(_settled(motion, one.id, "fell", now) for one in motion.amendments if one.state == "open")


def _settled(motion: Motion, amendment: str, how: Literal["rejected", "fell"], now: float) -> happened.AmendmentSettled:
    return happened.AmendmentSettled(at=now, motion=motion.id, amendment=amendment, how=how)


def _taken(
    room: Room, motion: Motion, amendment: str, new: Option, how: Literal["friendly", "adopted"], now: float
) -> happened.AmendmentSettled:
    mode = mode_of(room, _with(motion, new))
    said_mode = "" if mode == motion.mode else mode
    return happened.AmendmentSettled(at=now, motion=motion.id, amendment=amendment, how=how, mode=said_mode)


def _with(motion: Motion, new: Option) -> tuple[Option, ...]:
    return tuple(new if option.id == new.id else option for option in motion.options)


def _check_eligible(room: Room, motion: Motion, actor: Actor) -> tuple[int, ...]:
    """The seats that have a word on amendments; refuses one that recused itself."""
    seats = eligible(room, motion)
    if actor.seat not in seats:
        raise Refused("recused", f"seat {actor.seat} recused itself from {motion.id}", "leave it to the others")
    return seats


def _is_open(motion: Motion) -> bool:
    """Whether words may still be changed: no ballot of the last round has been cast."""
    return motion.phase in ("seconding", "blind", "revision") and not (motion.round == motion.rounds and motion.ballots)


def _check_open(motion: Motion) -> None:
    if not _is_open(motion):
        raise Refused(
            "list-closed", f"the last ballots on {motion.id} are being cast", "speak, or open another motion afterwards"
        )


def _moved(room: Room, event: happened.AmendmentMoved) -> Room:
    motion = room.motions[event.motion]
    before = motion.option(event.option.id)
    if before is None:
        raise ValueError(
            f"{event.amendment} amends no option of {motion.id}: the journal is not one that this room wrote"
        )
    new = Amendment(
        id=event.amendment,
        seat=event.seat,
        occupant=event.occupant,
        before=before,
        option=event.option,
        reason=event.reason,
        at=event.at,
    )
    return put(room, "motions", msgspec.structs.replace(motion, amendments=(*motion.amendments, new)))


def _replaced(motion: Motion, amendment: str, **changes: Any) -> Motion:
    rows = tuple(msgspec.structs.replace(one, **changes) if one.id == amendment else one for one in motion.amendments)
    return msgspec.structs.replace(motion, amendments=rows)


def _answered(room: Room, event: happened.AmendmentAnswered) -> Room:
    motion = room.motions[event.motion]
    one = next(one for one in motion.amendments if one.id == event.amendment)
    ayes, noes = ({*votes} - {event.seat} for votes in (one.ayes, one.noes))
    (ayes if event.aye else noes).add(event.seat)
    changed = _replaced(motion, one.id, ayes=tuple(sorted(ayes)), noes=tuple(sorted(noes)))
    return put(room, "motions", changed)


def _applied(room: Room, event: happened.AmendmentSettled) -> Room:
    motion = _replaced(room.motions[event.motion], event.amendment, state=event.how)
    if event.how not in ("friendly", "adopted"):
        return put(room, "motions", motion)
    new = next(one.option for one in motion.amendments if one.id == event.amendment)
    replaced = next(option for option in motion.options if option.id == new.id)
    motion = _replaced(motion, event.amendment, before=replaced)
    changes: dict[str, Any] = {
        "options": _with(motion, new),
        "mode": cast(Mode, event.mode or motion.mode),
        "ballots": Map(),
        "first": Map({seat: msgspec.structs.replace(one, void=True) for seat, one in motion.first.items()}),
        "last_call": False,
    }
    if motion.phase == "blind":
        changes["round_ends"] = first_round(event.at, motion.deadline, motion.rounds)
    elif motion.phase == "revision":
        changes["round_ends"] = motion.deadline
    return put(room, "motions", msgspec.structs.replace(motion, **changes))


APPLY: Mapping[type[Any], Callable[[Room, Any], Room]] = {
    happened.AmendmentMoved: _moved,
    happened.AmendmentAnswered: _answered,
    happened.AmendmentSettled: _applied,
}
"""How each event on an amendment changes the room."""
