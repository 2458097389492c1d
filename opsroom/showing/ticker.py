"""The ticker: one line of plain English for each event that people should read as it happens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from opsroom.recursion.focus import title_of
from opsroom.recursion.recursion import owner
from opsroom.room import events as happened
from opsroom.room.events import AnyEvent
from opsroom.room.state import Room
from opsroom.showing import alarm_lines, pact_lines
from opsroom.showing.foretelling import ending_words, score_words
from opsroom.showing.sentences import (
    alarm_sentence,
    attribution_sentence,
    counted,
    figure,
    lasting,
    moment,
    signal_title,
    surely,
    title,
    uom,
)
from opsroom.views import TickerLine

Line = tuple[str, str, str]
"""Kind, unit and text of a ticker line."""


def _alarm(room: Room, alarm: str) -> tuple[str, str]:
    """An alarm's plant and its title; an alarm that the room has forgotten keeps its id."""
    known = room.alarms.get(alarm)
    return ("", alarm) if known is None else (known.unit, f"{alarm}, {title(room, known)}")


def _who(event: AnyEvent) -> str:
    return event.occupant or event.by or "the room"


def _opened(room: Room, event: happened.AlarmOpened) -> Line:
    alarm = room.alarms.get(event.alarm)
    return "alarm", event.unit, alarm_sentence(room, alarm) if alarm is not None else f"{event.alarm} opened."


def _renamed(room: Room, event: happened.AlarmRenamed) -> Line:
    alarm = room.alarms.get(event.alarm)
    text = alarm_sentence(room, alarm) if alarm is not None else ""
    return "alarm", alarm.unit if alarm is not None else "", f"{event.alarm}, in other words: {text}"


def _climbed(room: Room, event: happened.AlarmClimbed) -> Line:
    unit, what = _alarm(room, event.alarm)
    source, target = title_of(room, event.source), title_of(room, event.target)
    why = (
        f"{source} called early: {event.words}"
        if event.reason == "called early"
        else f"the time of {source} has run out"
    )
    return "alarm", unit, f"{what}: {why}. {target} has {lasting(event.clock_s)}."


def _returned(room: Room, event: happened.AlarmReturned) -> Line:
    unit, what = _alarm(room, event.alarm)
    alarm = room.alarms.get(event.alarm)
    value = (
        f" at {figure(event.value, uom(room, alarm.signal))}" if event.value is not None and alarm is not None else ""
    )
    return "alarm", unit, f"{what}: back to normal{value}, after {counted(event.readings, 'reading')} in a row."


def _deviated(word: str) -> Callable[[Room, Any], Line]:
    def line(room: Room, event: happened.TransientLogged | happened.GoodNewsHeard) -> Line:
        said = event.deviation
        value = f" to {figure(said.value, uom(room, event.signal))}" if said.value is not None else ""
        text = f"{signal_title(room, event.signal)}{value}: {word}{said.named}, {surely(said.probability)}."
        return "telex", owner(event.signal), text

    return line


def _alarm_line(say: Callable[[Any], str]) -> Callable[[Room, Any], Line]:
    def line(room: Room, event: Any) -> Line:
        unit, what = _alarm(room, event.alarm)
        return "alarm", unit, f"{what}: {say(event)}."

    return line


def _joined(room: Room, event: happened.PlantJoined) -> Line:
    where = f", under {title_of(room, event.parent)} because the charter does not name it" if event.parent else ""
    faults = f" {'; '.join(event.faults)}." if event.faults else ""
    title = event.title or event.plant
    signals, orders = counted(len(event.signals), "signal"), counted(len(event.orders), "order")
    return (
        "line",
        event.plant,
        f"{title} declared {signals} and {orders}{where}.{faults}",
    )


def _proposed(room: Room, event: happened.AgreementProposed) -> Line:
    side = "the plant" if event.side == "unit" else "the room"
    return (
        "council",
        owner(event.signal),
        f"{event.proposal}: {side} proposes other terms for {signal_title(room, event.signal)}.",
    )


def _stop_line(say: str) -> Callable[[Room, Any], Line]:
    def line(room: Room, event: Any) -> Line:
        stop = room.stops.get(event.stop)
        unit = stop.unit if stop is not None else ""
        return "line", unit, f"{event.stop} of {title_of(room, unit)}: {say}."

    return line


def _planned(room: Room, event: happened.StopPlanned) -> Line:
    times = f"from {moment(event.start, event.at)} to {moment(event.end, event.at)}"
    return "line", event.unit, f"{event.stop}: {title_of(room, event.unit)} plans to stop {times}: {event.reason}."


def _motion(room: Room, motion: str) -> tuple[str, str]:
    known = room.motions.get(motion)
    return ("", motion) if known is None else (owner(known.signal), f"{motion}, {known.title}")


def _motion_opened(room: Room, event: happened.MotionOpened) -> Line:
    known = room.motions.get(event.motion)
    options = "; ".join(option.title for option in known.options) if known is not None else ""
    return (
        "council",
        owner(event.signal),
        f"Seat {event.seat} moves {event.motion} on {event.alarm or signal_title(room, event.signal)}: "
        f"{event.title} ({options}).",
    )


def _motion_line(say: Callable[[Any], str]) -> Callable[[Room, Any], Line]:
    def line(room: Room, event: Any) -> Line:
        unit, what = _motion(room, event.motion)
        return "council", unit, f"{what}: {say(event)}."

    return line


AMENDED = {"friendly": "taken over by the mover", "fell": "off the table"}
"""How an amendment was settled, where its own word does not say it."""


def _seconded(event: happened.MotionSeconded) -> str:
    who = f"seat {event.seat} seconds it" if event.seat else "it needs no second seat"
    return f"{who}; the first ballot runs until {moment(event.round_ends, event.at)}"


def _sealed(event: happened.BallotSealed) -> str:
    by = "" if event.cast_by == event.seat else f", by seat {event.cast_by}"
    return f"seat {event.seat} has voted in round {event.round}{by}"


def _ballots_opened(event: happened.BallotsOpened) -> str:
    lost = f", those of seats {', '.join(map(str, event.missing))} are lost" if event.missing else ""
    return f"{len(event.ballots)} ballots of round {event.round} are open{lost}"


def _substitute(event: happened.SubstituteNamed) -> str:
    if not event.substitute:
        return f"Seat {event.seat} votes for itself again."
    return f"Seat {event.substitute} votes in the place of seat {event.seat} until {moment(event.until, event.at)}."


def _order_issued(event: happened.OrderIssued) -> str:
    if event.unconfirmed:
        return f"{event.name} waits for a second seat to confirm it: the plant calls it dangerous"
    return f"{event.name}{', held for now' if event.held else ' is issued'}"


def _count(event: happened.MotionClosed) -> str:
    votes = f"{event.yes} for it, {event.no} not, {event.abstain} abstained, {event.recused} recused"
    return f"{event.outcome}; {event.reason}" if event.reason else f"{event.outcome} ({votes})"


def _order_line(say: Callable[[Any], str]) -> Callable[[Room, Any], Line]:
    def line(room: Room, event: Any) -> Line:
        order = room.orders.get(event.order)
        plant = order.plant if order is not None else ""
        return "order", plant, f"{event.order} to {title_of(room, plant)}: {say(event)}."

    return line


def _receipt(room: Room, event: happened.OrderAnswered) -> Line:
    order = room.orders.get(event.order)
    plant = order.plant if order is not None else ""
    why = f": {event.reason}" if event.reason else ""
    return "receipt", plant, f"{title_of(room, plant)} answers {event.order}: {event.state}{why}."


def _effect(room: Room, event: happened.EffectMeasured) -> Line:
    unit = uom(room, event.signal)
    if event.change is None or event.after is None or event.expected_without is None:
        text = "the effect cannot be told, readings or forecast are missing"
    else:
        text = (
            f"{signal_title(room, event.signal)} is at {figure(event.after, unit)}; without the order "
            f"{figure(event.expected_without, unit)} was expected, a change of {event.change:+.3g} {unit}".rstrip()
        )
    back = "" if event.recovered_at is not None else "; not back to normal"
    return "order", owner(event.signal), f"{event.order}: {text}{back}."


def _scored(room: Room, event: happened.ForecastScored) -> Line:
    return "council", owner(event.signal), f"{event.motion}, option {event.option}: {score_words(room, event)}."


def _for(room: Room, signal: str) -> str:
    return f" for {signal_title(room, signal)}" if signal else ""


LINES: Mapping[type[Any], Callable[[Room, Any], Line]] = {
    **alarm_lines.LINES,
    happened.RoomFounded: lambda room, event: ("line", "", f"The room {room.id} is founded."),
    happened.CharterAmended: lambda room, event: ("line", "", "The room's charter has changed."),
    happened.PlantJoined: _joined,
    happened.PlantLeft: lambda room, event: (
        "line",
        event.plant,
        f"{title_of(room, event.plant)} says farewell{': ' + event.reason if event.reason else ''}.",
    ),
    happened.AgreementProposed: _proposed,
    happened.AgreementAccepted: lambda room, event: (
        "council",
        owner(event.signal),
        f"{event.proposal} is accepted: {signal_title(room, event.signal)} has agreement version {event.agreement.version}.",
    ),
    happened.AgreementRefused: lambda room, event: (
        "council",
        owner(event.signal),
        f"{event.proposal}{_for(room, event.signal)} is refused: {event.reason}.",
    ),
    **pact_lines.LINES,
    happened.TransientLogged: _deviated("a "),
    happened.GoodNewsHeard: _deviated("good news, a "),
    happened.AlarmOpened: _opened,
    happened.AlarmRenamed: _renamed,
    happened.AlarmClimbed: _climbed,
    happened.AlarmReturned: _returned,
    happened.AlarmAcknowledged: _alarm_line(lambda event: f"acknowledged by {_who(event)}"),
    happened.AlarmShelved: _alarm_line(lambda event: f"shelved until {moment(event.until, event.at)}: {event.reason}"),
    happened.AlarmUnshelved: _alarm_line(lambda event: f"off the shelf, {event.reason}"),
    happened.AlarmSuppressed: _alarm_line(lambda event: f"suppressed by {event.stop}, a planned stop"),
    happened.AlarmReleased: _alarm_line(
        lambda event: f"{'in service again' if event.service else 'the planned stop is over'}, and it is not back"
    ),
    happened.AlarmReminded: _alarm_line(lambda event: f"still open, {event.reason}"),
    happened.AlarmRelapsed: _alarm_line(lambda event: "it has left its normal again; the clock is the old one"),
    happened.AlarmClosed: _alarm_line(lambda event: f"closed, {event.reason}"),
    happened.StopPlanned: _planned,
    happened.StopBegan: _stop_line("the planned stop begins"),
    happened.StopEnded: _stop_line("the planned stop is over"),
    happened.StopCancelled: _stop_line("taken back"),
    happened.MotionOpened: _motion_opened,
    happened.StatementMade: _motion_line(
        lambda event: f"{event.plant or f'seat {event.seat}'} speaks ({event.stance}): {event.text}"
    ),
    happened.MotionSeconded: _motion_line(_seconded),
    happened.SeatRecused: _motion_line(lambda event: f"seat {event.seat} recuses itself: {event.reason}"),
    happened.BallotCast: _motion_line(lambda event: f"seat {event.seat} has voted"),
    happened.BallotSealed: _motion_line(_sealed),
    happened.LastCallMade: _motion_line(
        lambda event: f"last call, the round ends at {moment(event.deadline, event.at)}"
    ),
    happened.RoundEnded: _motion_line(lambda event: f"round {event.round} is over, {event.reason}"),
    happened.BallotsOpened: _motion_line(_ballots_opened),
    happened.AmendmentMoved: _motion_line(
        lambda event: f"seat {event.seat} wants to amend option {event.option.id.upper()}: {event.reason}"
    ),
    happened.AmendmentAnswered: _motion_line(
        lambda event: f"seat {event.seat} says {'yes' if event.aye else 'no'} to {event.amendment}"
    ),
    happened.AmendmentSettled: _motion_line(lambda event: f"{event.amendment} is {AMENDED.get(event.how, event.how)}"),
    happened.SubstituteNamed: lambda room, event: ("council", "", _substitute(event)),
    happened.MinorityStated: _motion_line(lambda event: f"seat {event.seat} dissents: {event.text}"),
    happened.ReviewDue: _motion_line(lambda event: f"seat {event.seat} is asked what became of it"),
    happened.OutcomeReviewed: _motion_line(lambda event: f"seat {event.seat} looks back: {event.text}"),
    happened.OrderConfirmed: _order_line(lambda event: f"confirmed by seat {event.seat}"),
    happened.OrderSuperseded: _order_line(lambda event: f"{event.motion} takes its place"),
    happened.HandRaised: lambda room, event: (
        "order",
        "",
        f"Seat {event.seat} asks to {event.what} all orders; a second seat makes it so until {moment(event.until, event.at)}.",
    ),
    happened.MotionClosed: _motion_line(_count),
    happened.OrderIssued: _order_line(_order_issued),
    happened.OrdersHeld: lambda room, event: ("order", "", f"All orders are held by {_who(event)}: {event.reason}."),
    happened.OrdersReleased: lambda room, event: ("order", "", f"Held orders are released by {_who(event)}."),
    happened.OrderRevoked: _order_line(lambda event: f"revoked by {_who(event)}: {event.reason}"),
    happened.OrderRefused: _order_line(lambda event: f"refused by its own people: {event.reason}"),
    happened.OrderAnswered: _receipt,
    happened.ReceiptNoted: _order_line(lambda event: f"a receipt out of turn ({event.state}) was noted"),
    happened.OrderExpired: _order_line(lambda event: "expired without an answer"),
    happened.EffectMeasured: _effect,
    happened.EffectAttributed: lambda room, event: (
        "order",
        owner(event.signal),
        f"{event.order}: {attribution_sentence(room, event)}",
    ),
    happened.OrderEnded: _order_line(ending_words),
    happened.ForecastScored: _scored,
}
"""The line of each kind of event. A ballot's line never says how a seat voted."""


def quiet(event: AnyEvent) -> bool:
    """Tell whether an event is for the record and the screens alone: a look at an effect before its review."""
    if isinstance(event, happened.EffectMeasured):
        return event.look > 0 and not event.final
    return isinstance(event, happened.EffectAttributed) and not event.final


def ticker(room: Room, event: AnyEvent) -> TickerLine:
    """One line of the ticker for an event that happened; `room` is the room after it."""
    kind, unit, text = LINES[type(event)](room, event)
    return TickerLine(at=event.at, kind=kind, unit=unit, text=_one_end(text))


def _one_end(text: str) -> str:
    """People's own words end sentences too: never a full stop after another end."""
    return text[:-1] if text.endswith((".", "?", "!"), 0, -1) and text.endswith(".") else text
