"""Motions as a screen sees them: options, statements, ballots as far as they are open, amendments, the tally. Pure."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from opsroom.council import terms
from opsroom.council.amendments import diff, wording
from opsroom.council.counting import needed_of
from opsroom.council.invitations import invited
from opsroom.council.motion import Amendment, Ballot, Motion, Statement
from opsroom.council.options import Option
from opsroom.recursion.focus import title_of
from opsroom.room.state import Room
from opsroom.showing.counted import counted_words
from opsroom.showing.foretelling import forecast_words, record_words
from opsroom.showing.scope import CLOSED_SHOWN, concerns
from opsroom.showing.sentences import citation_words, order_title
from opsroom.views import (
    AmendmentView,
    BallotView,
    DissentView,
    InvitedView,
    MotionView,
    OptionOrderView,
    OptionView,
    StatementView,
    TallyView,
    TermsView,
    Viewer,
)

SEALED = "sealed"
"""What stands for a choice that the viewer may not see yet."""


def motion_view(room: Room, motion: str, viewer: Viewer) -> MotionView:
    """One motion: until a round is opened, choices and reasons of its ballots are sealed, for every viewer alike."""
    row = room.motions[motion]
    return MotionView(
        id=row.id,
        title=row.title,
        alarm=row.alarm,
        signal=row.signal,
        options=tuple(_option(room, option, row) for option in row.options),
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
        amendments=tuple(_amendment(room, row, one) for one in row.amendments),
        minority=tuple(DissentView(seat=one.seat, text=one.text, occupant=one.occupant) for one in row.minority),
        review_at=row.review_at,
        review=row.review.text if row.review is not None else "",
        tally=_tally(row),
        counted=counted_words(row),
        closed_at=row.closed_at,
        closed_reason=row.closed_reason,
        last_call=row.last_call,
        orders=row.orders,
        evidence=_evidence(row),
    )


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


def _option(room: Room, option: Option, motion: Motion | None = None) -> OptionView:
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
        replaces=tuple(order_title(room, order) for order in option.supersedes),
        terms=_terms(room, option, motion),
        forecast=msgspec.to_builtins(option.forecast) if option.forecast is not None else None,
        expected=forecast_words(room, option) if option.forecast is not None else "",
        record=f"{record_words(option.forecast.record)}." if option.forecast is not None else "",
    )


def _terms(room: Room, option: Option, motion: Motion | None) -> tuple[TermsView, ...]:
    """What an option would change in agreements, and what became of it once the motion was carried."""
    made = [room.offers[name] for name in (motion.offers if motion is not None else ()) if name in room.offers]
    offers = {offer.place: offer for offer in made if offer.option == option.id}
    rows = []
    for place, one in enumerate(option.terms, start=1):
        offer = offers.get(place)
        view = TermsView(
            about=one.about,
            plant=one.plant,
            plant_title=title_of(room, one.plant),
            title=one.title,
            diff=diff(*terms.lines(one)),
            signal=one.signal,
            version=one.version,
        )
        if offer is not None:
            view = msgspec.structs.replace(
                view,
                state=offer.state,
                reason=offer.reason,
                until=offer.until if offer.state == "waiting" else None,
                ended_at=offer.ended_at,
                answered_by=offer.answered_by,
                agreed_version=offer.version,
            )
        rows.append(view)
    return tuple(rows)


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


def _amendment(room: Room, motion: Motion, one: Amendment) -> AmendmentView:
    """While it is open it is compared with the option as it stands, which another amendment may have changed since."""
    stands = motion.option(one.option.id) if one.state == "open" else None
    before = stands if stands is not None else one.before
    return AmendmentView(
        id=one.id,
        seat=one.seat,
        occupant=one.occupant,
        option=_option(room, one.option),
        diff=diff(*(_worded(room, option) for option in (before, one.option))),
        reason=one.reason,
        at=one.at,
        state=one.state,
        ayes=one.ayes,
        noes=one.noes,
    )


def _worded(room: Room, option: Option) -> str:
    """An option's wording, with plants and the orders in whose place it comes as people call them."""
    return wording(option, lambda plant: title_of(room, plant), lambda order: order_title(room, order))


def _evidence(motion: Motion) -> dict[str, Any]:
    plain = msgspec.to_builtins(motion.evidence) if motion.evidence is not None else {}
    return dict(plain)
