"""The room as a screen sees it: rows of `views`, made for a viewer, in plain English with units and probabilities in words.

Two functions say who sees what: `scope` (a unit's people see their unit and what is below it; the room sees all) and `opened`
(while a motion is open, a seat sees *that* others have voted, but how and why only after the close).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import msgspec

from opsroom.alarms.alarm import state
from opsroom.alarms.algedonic import arrived
from opsroom.alarms.algedonic import running as clock_runs
from opsroom.council.amendments import diff, wording
from opsroom.council.council import concerned
from opsroom.council.counting import needed_of
from opsroom.council.invitations import invited
from opsroom.council.motion import Amendment, Ballot, Motion, OrderRecord, Statement
from opsroom.council.options import Option
from opsroom.recursion.focus import title_of, units
from opsroom.recursion.recursion import Seat, owner
from opsroom.recursion.sights import declined
from opsroom.room.state import Alarm, Room
from opsroom.showing.alarm_rows import beside
from opsroom.showing.foretelling import forecast_words, record_words
from opsroom.showing.sentences import alarm_sentence, attribution_sentence, citation_words, surely, title, uom
from opsroom.showing.ticker import quiet, ticker
from opsroom.views import (
    AlarmView,
    AmendmentView,
    AttributionView,
    BallotView,
    ClimbView,
    DissentView,
    EffectView,
    InvitedView,
    MotionView,
    OptionOrderView,
    OptionView,
    OrderChoice,
    OrderView,
    ProposalView,
    SeatView,
    StatementView,
    StopView,
    TallyView,
    Viewer,
)

__all__ = [
    "alarm_view",
    "alarms",
    "choices",
    "motion_view",
    "motions",
    "opened",
    "order_view",
    "orders",
    "proposals",
    "quiet",
    "scope",
    "seats",
    "stops",
    "ticker",
    "units",
]

CLOSED_SHOWN = 50
"""How many closed alarms, closed motions and finished orders a screen gets beside what is live."""

SEALED = "sealed"
"""What stands for a choice that the viewer may not see yet."""


def scope(room: Room, viewer: Viewer, unit: str) -> bool:
    """Tell whether a viewer may see what belongs to a unit."""
    return viewer.role != "unit" or room.tree.covers(viewer.unit, unit)


def concerns(room: Room, viewer: Viewer, motion: Motion) -> bool:
    """Tell whether a viewer may see a motion: it is on an alarm of theirs, or would order something of theirs."""
    return any(scope(room, viewer, unit) for unit in (*concerned(room, motion), owner(motion.signal)))


def opened(motion: Motion, viewer: Viewer, seat: int) -> bool:
    """Tell whether a viewer may see an event of an older journal that holds how a seat voted: everybody after the close."""
    return motion.state != "open" or (viewer.role == "seat" and viewer.seat == seat)


def alarm_view(room: Room, alarm: str) -> AlarmView:
    """One alarm."""
    row = room.alarms[alarm]
    said = row.deviation
    at = room.tree.units.get(row.at_unit)
    motions = [known for name in row.motions if (known := room.motions.get(name)) is not None]
    return AlarmView(
        id=row.id,
        signal=row.signal,
        unit=row.unit,
        title=title(room, row),
        kind=said.named,
        direction=said.direction,
        state=state(row),
        sentence=alarm_sentence(room, row),
        probability=said.probability,
        probability_words=surely(said.probability),
        size=said.size,
        uom=uom(room, row.signal),
        since=said.since,
        opened_at=row.opened_at,
        at_unit=row.at_unit,
        at_level=at.level if at is not None else "",
        clock_s=row.clock_s,
        deadline=row.deadline if clock_runs(row) else None,
        climbs=tuple(
            ClimbView(source=rung.source, target=rung.target, at=rung.at, reason=rung.reason, words=rung.words)
            for rung in row.climbs
        ),
        arrived=row.closed_at is None and arrived(room, row),
        acknowledged_by=row.acknowledged_by,
        shelved_until=row.shelved_until,
        shelved_reason=row.shelved_reason,
        recovered_at=row.recovered_at,
        closed_at=row.closed_at,
        normal_low=row.normal_low,
        normal_high=row.normal_high,
        motion=motions[-1].id if motions else "",
        suspected_at=said.suspected_at,
        named_at=said.named_at,
        **beside(room, row),
    )


def motion_view(room: Room, motion: str, viewer: Viewer) -> MotionView:
    """One motion: until a round is opened, choices and reasons of its ballots are sealed, for every viewer alike."""
    row = room.motions[motion]
    return MotionView(
        id=row.id,
        title=row.title,
        alarm=row.alarm,
        signal=row.signal,
        options=tuple(_option(room, option) for option in row.options),
        chosen=row.chosen,
        also=tuple(exhibit.alarm for exhibit in row.also),
        opened_by=row.seat,
        opened_at=row.opened_at,
        deadline=row.deadline,
        state=row.state,
        mode=row.mode,
        rounds=row.rounds,
        round=row.round,
        phase=row.phase,
        round_ends=row.round_ends,
        seconded_by=row.seconded_by,
        responsible=row.responsible,
        statements=tuple(_statement(room, row, one) for one in row.statements),
        invited=_invited(room, row),
        ballots=tuple(_ballot(row, ballot) for _, ballot in sorted(_last(row).items())),
        first=tuple(_ballot(row, row.first[seat]) for seat in sorted(row.first)),
        recused=tuple(DissentView(seat=seat, text=row.recused[seat]) for seat in sorted(row.recused)),
        amendments=tuple(_amendment(room, one) for one in row.amendments),
        minority=tuple(DissentView(seat=one.seat, text=one.text, occupant=one.occupant) for one in row.minority),
        review_at=row.review_at,
        review=row.review.text if row.review is not None else "",
        tally=_tally(row),
        closed_at=row.closed_at,
        closed_reason=row.closed_reason,
        last_call=row.last_call,
        orders=row.orders,
        evidence=_evidence(row),
    )


def _option(room: Room, option: Option) -> OptionView:
    return OptionView(
        id=option.id,
        kind=option.kind,
        title=option.title,
        orders=tuple(
            OptionOrderView(
                plant=order.plant,
                plant_title=title_of(room, order.plant),
                name=order.birth.name,
                title=order.birth.title,
                parameters=order.parameters,
                danger=order.birth.danger,
                effects=tuple(msgspec.to_builtins(effect) for effect in order.birth.effects),
            )
            for order in option.orders
        ),
        extra_s=option.extra_s,
        supersedes=option.supersedes,
        forecast=msgspec.to_builtins(option.forecast) if option.forecast is not None else None,
        expected=forecast_words(room, option) if option.forecast is not None else "",
        record=f"{record_words(option.forecast.record)}." if option.forecast is not None else "",
    )


def _effect(room: Room, row: OrderRecord) -> EffectView | None:
    effect = row.effect
    if effect is None:
        return None
    return EffectView(
        signal=effect.signal,
        before=effect.before,
        after=effect.after,
        expected_without=effect.expected_without,
        expected_low=effect.expected_low,
        expected_high=effect.expected_high,
        change=effect.change,
        recovered_at=effect.recovered_at,
        measured_at=effect.measured_at,
        final=effect.final,
        attribution=_attribution(room, row),
    )


def _attribution(room: Room, row: OrderRecord) -> AttributionView | None:
    found = row.attribution
    return None if found is None else AttributionView(said=attribution_sentence(room, found), told=found.told)


def _last(motion: Motion) -> dict[int, Ballot]:
    """The ballots of the running round; once the motion is closed the last of each seat."""
    if motion.state == "open":
        return dict(motion.ballots)
    return {**dict(motion.first), **dict(motion.ballots)}


def _ballot(motion: Motion, ballot: Ballot) -> BallotView:
    """A ballot as everybody may see it: before its round is opened that it was cast, and no more."""
    bare = BallotView(
        seat=ballot.seat,
        occupant=ballot.occupant,
        choice=SEALED if motion.state == "open" else "lost",
        reason="",
        at=ballot.at,
        round=ballot.round,
        cast_by=ballot.cast_by,
        void=ballot.void,
    )
    vote = ballot.vote
    if vote is None or (motion.state == "open" and not ballot.commitment):
        return bare
    return msgspec.structs.replace(
        bare,
        choice="abstain" if vote.abstain else "named",
        reason=vote.reason,
        options=vote.options,
        objections=vote.objections,
    )


def _tally(motion: Motion) -> TallyView:
    """The count; while the motion is open only how many have voted, because the rest would give the ballots away."""
    over = motion.closing
    if over is None:
        return TallyView(quorum=motion.quorum, present=len(motion.ballots), needed=0)
    cast = over.yes + over.no
    return TallyView(
        yes=over.yes,
        no=over.no,
        abstain=over.abstain,
        recused=over.recused,
        quorum=motion.quorum,
        present=cast + over.abstain,
        needed=needed_of(motion.mode, cast) if cast else 0,
        named=over.named,
    )


def _statement(room: Room, motion: Motion, one: Statement) -> StatementView:
    return StatementView(
        seat=one.seat,
        occupant=one.occupant,
        stance=one.stance,
        text=one.text,
        at=one.at,
        plant=one.plant,
        plant_title=title_of(room, one.plant) if one.plant else "",
        cites=tuple(citation_words(room, motion, cited) for cited in one.cites),
        wire=one.wire,
    )


def _invited(room: Room, motion: Motion) -> tuple[InvitedView, ...]:
    """The plants that a motion invited, with how they answered."""
    return tuple(
        InvitedView(
            plant=plant,
            plant_title=title_of(room, plant),
            stated=sum(one.plant == plant and one.wire for one in motion.statements),
            away=room.plants[plant].left is not None,
        )
        for plant in invited(room, motion)
    )


def _amendment(room: Room, one: Amendment) -> AmendmentView:
    return AmendmentView(
        id=one.id,
        seat=one.seat,
        occupant=one.occupant,
        option=_option(room, one.option),
        diff=diff(wording(one.before), wording(one.option)),
        reason=one.reason,
        at=one.at,
        state=one.state,
        ayes=one.ayes,
        noes=one.noes,
    )


def _evidence(motion: Motion) -> dict[str, Any]:
    plain = msgspec.to_builtins(motion.evidence) if motion.evidence is not None else {}
    return dict(plain)


def order_view(room: Room, order: str) -> OrderView:
    """One order."""
    row = room.orders[order]
    plant = room.plants.get(row.plant)
    declared = plant.orders.get(row.name) if plant is not None else None
    return OrderView(
        id=row.id,
        motion=row.motion,
        plant=row.plant,
        name=row.name,
        title=declared.title if declared is not None else row.name,
        parameters=row.parameters,
        state=row.state,
        issued_at=row.issued_at,
        expires_at=row.expires,
        reason=row.reason,
        changed_at=row.changed_at,
        effect=_effect(room, row),
        ending=row.ending,
        ending_reason=row.ending_reason,
    )


def alarms(room: Room, viewer: Viewer, only: Collection[str] | None = None) -> tuple[AlarmView, ...]:
    """The alarms in scope: those whose clock runs, soonest first, then the other live ones, then the last closed ones.

    `only` keeps to some ids, for a screen that has the others.
    """
    wanted = room.alarms.values() if only is None else [room.alarms[name] for name in only if name in room.alarms]
    seen = [alarm for alarm in wanted if scope(room, viewer, alarm.unit)]
    live = sorted((alarm for alarm in seen if alarm.closed_at is None), key=_urgency)
    closed = sorted(
        (alarm for alarm in seen if alarm.closed_at is not None), key=lambda alarm: -(alarm.closed_at or 0.0)
    )
    return tuple(alarm_view(room, alarm.id) for alarm in (*live, *closed[:CLOSED_SHOWN]))


def _urgency(alarm: Alarm) -> tuple[bool, float]:
    runs = clock_runs(alarm) and alarm.deadline is not None
    return (not runs, alarm.deadline if runs and alarm.deadline is not None else alarm.opened_at)


def motions(room: Room, viewer: Viewer, only: Collection[str] | None = None) -> tuple[MotionView, ...]:
    """The motions in scope: open ones, the soonest deadline first, then the last closed ones.

    A unit's people see the motions on their own alarms, and those that would order something of them. `only` keeps to some ids.
    """
    wanted = room.motions.values() if only is None else [room.motions[name] for name in only if name in room.motions]
    seen = [motion for motion in wanted if concerns(room, viewer, motion)]
    live = sorted((motion for motion in seen if motion.state == "open"), key=lambda motion: motion.deadline)
    closed = sorted(
        (motion for motion in seen if motion.state != "open"), key=lambda motion: -(motion.closed_at or 0.0)
    )
    return tuple(motion_view(room, motion.id, viewer) for motion in (*live, *closed[:CLOSED_SHOWN]))


def orders(room: Room, viewer: Viewer, only: Collection[str] | None = None) -> tuple[OrderView, ...]:
    """The orders in scope, newest first; `only` keeps to some ids."""
    wanted = room.orders.values() if only is None else [room.orders[name] for name in only if name in room.orders]
    seen = sorted((row for row in wanted if scope(room, viewer, row.plant)), key=lambda row: -row.issued_at)
    live = [row for row in seen if not row.over()]
    over = [row for row in seen if row.over()][:CLOSED_SHOWN]
    return tuple(order_view(room, row.id) for row in sorted((*live, *over), key=lambda row: -row.issued_at))


def choices(room: Room, viewer: Viewer) -> tuple[OrderChoice, ...]:
    """The orders that the plants declared and accept, by plant and name."""
    return tuple(
        OrderChoice(
            plant=plant,
            name=name,
            title=order.title,
            parameters=order.parameters,
            danger=order.danger,
            effects=tuple(msgspec.to_builtins(effect) for effect in order.effects),
        )
        for plant in sorted(room.plants)
        if scope(room, viewer, plant)
        for name, order in sorted(room.plants[plant].orders.items())
        if name not in declined(room, plant)
    )


def seats(room: Room, present: Iterable[int] = ()) -> tuple[SeatView, ...]:
    """The seven seats; `present` are those where somebody is logged in."""
    there = set(present)
    raised = room.raised

    def row(seat: Seat) -> SeatView:
        substitute = room.substitutes.get(seat.seat)
        hand = raised if raised is not None and raised.seat == seat.seat else None
        return SeatView(
            seat=seat.seat,
            occupant=seat.occupant,
            present=seat.seat in there,
            substitute=substitute.seat if substitute is not None else 0,
            hand=hand.what if hand is not None else "",
            hand_until=hand.until if hand is not None else None,
        )

    return tuple(row(seat) for seat in sorted(room.charter.seats, key=lambda seat: seat.seat))


def stops(room: Room, viewer: Viewer) -> tuple[StopView, ...]:
    """Planned and running stops in scope, by start."""
    seen = (stop for stop in room.stops.values() if not stop.over() and scope(room, viewer, stop.unit))
    return tuple(
        StopView(id=stop.id, unit=stop.unit, start=stop.start, end=stop.end, reason=stop.reason)
        for stop in sorted(seen, key=lambda stop: (stop.start, stop.id))
    )


def proposals(room: Room, viewer: Viewer) -> tuple[ProposalView, ...]:
    """Proposed agreements in scope that wait for an answer, oldest first."""
    seen = (row for row in room.proposals.values() if scope(room, viewer, row.signal.partition("/")[0]))
    return tuple(
        ProposalView(
            id=row.id,
            signal=row.signal,
            by=row.by,
            side=row.side,
            capability=row.terms.capability,
            potentiality=row.terms.potentiality,
            recovery_s=row.terms.recovery_s,
            normal_low=row.terms.normal_low,
            normal_high=row.terms.normal_high,
            reason=row.reason,
            at=row.at,
        )
        for row in sorted(seen, key=lambda row: (row.at, row.id))
    )
