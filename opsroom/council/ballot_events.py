"""What has happened while a motion was deliberated: seconding, sealed ballots and their opening, amendments (see `events`)."""

from __future__ import annotations

from typing import Literal

import msgspec

from opsroom.council.options import Option
from opsroom.room.event import Event


class MotionSeconded(Event, frozen=True, kw_only=True, omit_defaults=True, tag="motion-seconded"):
    """A second seat backed the motion: its time of deliberation runs, the first round until `round_ends`."""

    motion: str
    seat: int
    deadline: float
    round_ends: float


class SeatRecused(Event, frozen=True, kw_only=True, omit_defaults=True, tag="seat-recused"):
    """A seat stepped back from a motion with a reason: it leaves the denominator, and its ballot, if it had cast one, is void.

    So are those that it had cast in the place of the seats in `voids`.
    """

    motion: str
    seat: int
    reason: str
    voids: tuple[int, ...] = ()


class BallotSealed(Event, frozen=True, kw_only=True, omit_defaults=True, tag="ballot-sealed"):
    """A seat voted in a round: what is on record is a commitment (salted SHA-256), not the choice; `cast_by` is who cast it."""

    motion: str
    seat: int
    round: int
    commitment: str
    cast_by: int


class RoundEnded(Event, frozen=True, kw_only=True, omit_defaults=True, tag="round-ended"):
    """A round of ballots is over, because all have voted or its time is; its ballots are opened next."""

    motion: str
    round: int
    reason: str


class OpenedBallot(msgspec.Struct, frozen=True, kw_only=True):
    """One ballot opened: `said` is the text that was sealed, `salt` (hexadecimal) what it was sealed with."""

    seat: int
    salt: str
    said: str


class BallotsOpened(Event, frozen=True, kw_only=True, omit_defaults=True, tag="ballots-opened"):
    """The ballots of a round were opened, each checked against its commitment; those of `missing` seats could not be opened."""

    motion: str
    round: int
    ballots: tuple[OpenedBallot, ...]
    missing: tuple[int, ...] = ()


class AmendmentMoved(Event, frozen=True, kw_only=True, omit_defaults=True, tag="amendment-moved"):
    """A seat proposed another wording or other orders for one option of an open motion."""

    motion: str
    amendment: str
    seat: int
    option: Option
    reason: str


class AmendmentAnswered(Event, frozen=True, kw_only=True, omit_defaults=True, tag="amendment-answered"):
    """A seat said openly whether it wants an amendment."""

    motion: str
    amendment: str
    seat: int
    aye: bool


class AmendmentSettled(Event, frozen=True, kw_only=True, omit_defaults=True, tag="amendment-settled"):
    """An amendment was taken over by the mover (friendly), adopted or rejected by the seats, or fell; an adopted one voids the
    ballots of the running round, whose seats vote again.

    `mode` is how they are counted from then on, where the new orders are of another kind; empty when that stays."""

    motion: str
    amendment: str
    how: Literal["friendly", "adopted", "rejected", "fell"]
    mode: str = ""


class SubstituteNamed(Event, frozen=True, kw_only=True, omit_defaults=True, tag="substitute-named"):
    """A seat named another seat to vote in its place until a moment; 0 takes it back."""

    seat: int
    substitute: int
    until: float
    reason: str = ""


class MinorityStated(Event, frozen=True, kw_only=True, omit_defaults=True, tag="minority-stated"):
    """A seat that did not want what was carried put its dissent on record."""

    motion: str
    seat: int
    text: str


class OutcomeReviewed(Event, frozen=True, kw_only=True, omit_defaults=True, tag="outcome-reviewed"):
    """The responsible seat, or another, said what became of a carried motion."""

    motion: str
    seat: int
    text: str


class ReviewDue(Event, frozen=True, kw_only=True, omit_defaults=True, tag="review-due"):
    """The date has come on which the council wanted to look again at what it had carried; the responsible seat is asked."""

    motion: str
    seat: int
