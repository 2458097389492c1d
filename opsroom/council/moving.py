"""Opening a motion: which alarms it answers, with what options, on what evidence, and how full the agenda may be."""

from __future__ import annotations

import math

import msgspec

from opsroom.alarms.alarm import find
from opsroom.alarms.algedonic import arrived
from opsroom.commands import Actor, OpenMotion, ProposedOption, ProposedOrder
from opsroom.council import terms
from opsroom.council.counting import kind_of
from opsroom.council.foresight import foresee
from opsroom.council.options import Option, OptionOrder
from opsroom.council.parameters import parameter_fault
from opsroom.recursion.recursion import Mode
from opsroom.recursion.sights import declined
from opsroom.room import events as happened
from opsroom.room.authority import said
from opsroom.room.events import AnyEvent
from opsroom.room.news import Sight
from opsroom.room.refusal import Refused
from opsroom.room.state import Alarm, Room

PROPOSED = 3
"""The most options that a motion proposes beside more time and nothing: five are as many as people compare at once."""

ALARMS = 8
"""The most alarms that one motion answers."""

ORDERS = 12
"""The most orders of one option."""

LETTERS = "abcde"

MORE_TIME_MAX_S = 30 * 86_400.0

WAIT_S = 7 * 86_400.0
"""After how long the council looks again at an agreement that it gave more time, when a motion does not say."""


def open_motion(room: Room, asked: OpenMotion, actor: Actor, now: float, sight: Sight) -> tuple[AnyEvent, ...]:
    """Move on alarms that have arrived, or on an agreement alone: the options are checked, and the evidence is frozen now."""
    alarms = _alarms(room, asked)
    lead = alarms[0] if alarms else None
    proposed = options_of(room, asked, lead, now)
    signal = lead.signal if lead is not None else _about(room, asked)
    _check_agenda(room, alarms, signal, actor, now)
    evidence = {alarm.id: sight(alarm.signal) for alarm in alarms}
    seen = evidence[lead.id] if lead is not None else sight(signal)
    rules = room.charter.council
    options = tuple(msgspec.structs.replace(option, forecast=foresee(room, seen, option, now)) for option in proposed)
    responsible = asked.responsible or actor.seat
    if responsible not in {seat.seat for seat in room.charter.seats}:
        raise Refused("no-such-seat", f"there is no seat {responsible}", "name a seat that the charter names")
    opened = happened.MotionOpened(
        at=now,
        motion=room.next_id("motion"),
        seat=actor.seat,
        alarm=lead.id if lead is not None else "",
        signal=signal,
        title=said(asked.title, "the title", 200),
        deadline=now + rules.seconding_s,
        quorum=rules.quorum,
        mode=mode_of(room, options),
        rounds=rules.rounds,
        responsible=responsible,
        evidence=seen,
        also=tuple(
            happened.Exhibit(alarm=alarm.id, signal=alarm.signal, evidence=evidence[alarm.id]) for alarm in alarms[1:]
        ),
        options=options,
    )
    if needs_seconder(room):
        return (opened,)
    end = deadline(room, lead, now)
    begun = happened.MotionSeconded(
        at=now, motion=opened.motion, seat=0, deadline=end, round_ends=first_round(now, end, rules.rounds)
    )
    return (opened, begun)


def needs_seconder(room: Room) -> bool:
    """Whether a motion needs a second seat: by rule, or else where a quorum of three or more tells of seats enough."""
    rules = room.charter.council
    return rules.seconder == "yes" or (rules.seconder == "auto" and rules.quorum >= 3)


def mode_of(room: Room, options: tuple[Option, ...]) -> Mode:
    """How the ballots on these options are counted: the charter says it for each kind of motion, never the mover."""
    rules = room.charter.council
    kinds: dict[str, Mode] = {
        "order": rules.mode_order,
        "agreement": rules.mode_agreement,
        "choice": rules.mode_choice,
        "dangerous": rules.mode_dangerous,
        "time": rules.mode_time,
    }
    return kinds[kind_of(options)]


def options_of(room: Room, asked: OpenMotion, lead: Alarm | None, now: float) -> tuple[Option, ...]:
    """The options of a motion: those that are proposed, then more time, then nothing; refuses orders that no plant declared.

    Without an alarm (`lead`) more time is time until the council looks at the agreement again.
    """
    if len(asked.options) > PROPOSED:
        raise Refused(
            "too-many-options",
            f"{len(asked.options)} options are proposed",
            f"propose at most {PROPOSED}; more time and nothing are always there",
        )
    usual_s = lead.clock_s if lead is not None else WAIT_S
    extra_s = usual_s if asked.more_time_s is None else asked.more_time_s
    if not 60.0 <= extra_s <= MORE_TIME_MAX_S:
        raise Refused("bad-time", f"{extra_s:g} s of more time cannot be", "give from a minute to 30 days")
    proposed = [proposed_option(room, LETTERS[place], option, now) for place, option in enumerate(asked.options)]
    return (
        *proposed,
        Option(id=LETTERS[len(proposed)], kind="time", title="Give the unit more time", extra_s=extra_s),
        Option(id=LETTERS[len(proposed) + 1], kind="nothing", title="Do nothing"),
    )


def proposed_option(room: Room, name: str, proposed: ProposedOption, now: float) -> Option:
    """Check one proposed option against what the plants declared and agreed; refuses what they cannot do."""
    if len(proposed.orders) > ORDERS or not (proposed.orders or proposed.terms):
        raise Refused(
            "bad-option",
            f"an option of {len(proposed.orders)} orders",
            f"give it from 1 to {ORDERS}, or terms of an agreement",
        )
    if proposed.supersedes and not proposed.orders:
        raise Refused("bad-option", "an agreement takes no order's place", "revoke the order, or order something else")
    for order in proposed.supersedes:
        known = room.orders.get(order)
        if known is None:
            raise Refused("unknown-order", f"there is no order {order!r} in the room", "look for its id")
    return Option(
        id=name,
        title=said(proposed.title, "the title of an option", 200),
        kind="orders" if proposed.orders else "agreement",
        terms=terms.proposed(room, proposed.terms, now),
        orders=tuple(_declared(room, order) for order in proposed.orders),
        supersedes=tuple(dict.fromkeys(proposed.supersedes)),
    )


def _declared(room: Room, proposed: ProposedOrder) -> OptionOrder:
    plant = room.plants.get(proposed.plant)
    declared = plant.orders.get(proposed.name) if plant is not None else None
    if declared is None:
        raise Refused(
            "not-declared",
            f"{proposed.plant} did not declare an order {proposed.name!r}",
            "propose one of the orders that the plant declared at its birth",
        )
    if proposed.name in declined(room, proposed.plant):
        raise Refused(
            "declined-order",
            f"{proposed.plant} and the room have agreed that {proposed.name!r} is not used",
            "propose another order, or another agreement (propose-orders)",
        )
    if fault := parameter_fault(declared.parameters, proposed.parameters):
        raise Refused(
            "bad-parameters",
            f"{declared.title or declared.name} cannot be ordered so: {fault}",
            "fill in what the plant declared that this order takes",
        )
    return OptionOrder(plant=proposed.plant, birth=declared, parameters=proposed.parameters)


def _about(room: Room, asked: OpenMotion) -> str:
    """The signal of a motion that answers no alarm, and changes agreements alone."""
    signal = terms.about(room, (one for option in asked.options for one in option.terms))
    if not signal or any(option.orders for option in asked.options):
        raise Refused(
            "bad-alarms", "a motion that orders something, or proposes nothing, answers alarms", "name the alarms"
        )
    return signal


def _alarms(room: Room, asked: OpenMotion) -> list[Alarm]:
    if not asked.alarms and any(option.terms for option in asked.options):
        return []
    if not 1 <= len(set(asked.alarms)) == len(asked.alarms) <= ALARMS:
        raise Refused("bad-alarms", f"a motion on {len(asked.alarms)} alarms", f"name 1 to {ALARMS}, each once")
    alarms = [find(room, name) for name in asked.alarms]
    for alarm in alarms:
        if not arrived(room, alarm):
            raise Refused(
                "not-arrived",
                f"{alarm.id} stands at {alarm.at_unit}, and the council sits at {room.council}",
                "the plant's agreed time comes first; the council may move when the alarm has climbed there",
            )
        if alarm.stop:
            raise Refused(
                "alarm-suppressed", f"{alarm.id} is suppressed by a planned stop", "wait for the end of the stop"
            )
    return alarms


def _check_agenda(room: Room, alarms: list[Alarm], signal: str, actor: Actor, now: float) -> None:
    if not alarms:
        same = [
            one.id for one in room.motions.values() if one.state == "open" and not one.alarm and one.signal == signal
        ]
        if same:
            raise Refused("motion-open", f"{same[0]} on {signal} is still open", "decide it first, or withdraw it")
    for alarm in alarms:
        open_here = [
            known for name in alarm.motions if (known := room.motions.get(name)) is not None and known.state == "open"
        ]
        if open_here:
            raise Refused(
                "motion-open",
                f"{open_here[0].id}, “{open_here[0].title}”, is open on {alarm.id} already",
                "amend it, or vote on it: the next motion on this alarm waits until it is decided",
            )
    rules = room.charter.council
    if sum(1 for motion in room.motions.values() if motion.state == "open") >= rules.open_motions:
        raise Refused("agenda-full", f"{rules.open_motions} motions are open", "decide some of them first")
    since = now - rules.session_s
    mine = sum(1 for motion in room.motions.values() if motion.seat == actor.seat and motion.opened_at > since)
    if mine >= rules.motions_a_seat:
        own = sorted(one.opened_at for one in room.motions.values() if one.seat == actor.seat and one.opened_at > since)
        oldest = own[-rules.motions_a_seat]
        raise Refused(
            "agenda-share",
            f"seat {actor.seat} has opened {mine} motions in {rules.session_s / 3600:g} h, which is its share of the agenda",
            f"let another seat move it, or wait {_lasting(oldest + rules.session_s - now)}",
        )


def _lasting(seconds: float) -> str:
    """Tell how long it is, rounded up to the minute.

    >>> _lasting(61.0), _lasting(7260.0)
    ('2 minutes', '2 h 1 min')
    """
    minutes = max(1, math.ceil(seconds / 60))
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 120 else f"{minutes} minute{'s'[: minutes > 1]}"


def first_round(now: float, end: float, rounds: int) -> float:
    """When the first round ends: at half of the time, or with the time where there is but one."""
    return end if rounds < 2 else now + (end - now) / 2


def deadline(room: Room, alarm: Alarm | None, now: float) -> float:
    """The alarm's own deadline, within the council's least and longest time; the longest where there is no alarm."""
    rules = room.charter.council
    own = alarm.deadline if alarm is not None else None
    end = own if own is not None else now + rules.deliberation_max_s
    return max(min(end, now + rules.deliberation_max_s), now + rules.deliberation_min_s)
