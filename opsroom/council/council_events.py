"""What has happened in the council and to its orders (see `events`)."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from opsroom.commands.council import Citation
from opsroom.council.attribution import Attribution
from opsroom.council.options import Option
from opsroom.room.event import Event
from opsroom.room.news import Evidence
from telex_ingest.telex import OrderBirth


class Exhibit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Another alarm that a motion answers, with its evidence frozen when the motion was opened."""

    alarm: str
    signal: str
    evidence: Evidence | None = None


class MotionOpened(Event, frozen=True, kw_only=True, omit_defaults=True, tag="motion-opened"):
    """A seat moved on one or more alarms: two to five options, with the evidence frozen at this moment.

    Until another seat has seconded it, `deadline` is when it is off the table. `plant`, `order` and `parameters` stand in older
    journals, where a motion proposed one order, had no options and no `mode`.
    """

    motion: str
    seat: int
    alarm: str
    signal: str
    title: str
    deadline: float
    quorum: int
    mode: str = ""
    rounds: int = 1
    responsible: int = 0
    evidence: Evidence | None = None
    also: tuple[Exhibit, ...] = ()
    options: tuple[Option, ...] = ()
    plant: str = ""
    order: OrderBirth | None = None
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)


class StatementMade(Event, frozen=True, kw_only=True, omit_defaults=True, tag="statement-made"):
    """A seat, or a plant that is concerned (`plant`), spoke on an open motion."""

    motion: str
    seat: int = 0
    stance: Literal["for", "against", "question", "answer"]
    text: str
    plant: str = ""
    cites: tuple[Citation, ...] = ()


class BallotCast(Event, frozen=True, kw_only=True, omit_defaults=True, tag="ballot-cast"):
    """A seat voted, in an older journal: since then ballots are sealed there (`ballot-sealed`)."""

    motion: str
    seat: int
    choice: Literal["yes", "no", "abstain", "recuse"]
    reason: str = ""


class LastCallMade(Event, frozen=True, kw_only=True, omit_defaults=True, tag="last-call"):
    """A quorum has voted in this round; the other seats have until `deadline`, then the round ends."""

    motion: str
    deadline: float


class Dissent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a seat wanted something else than what was carried."""

    seat: int
    text: str
    occupant: str = ""


class MotionClosed(Event, frozen=True, kw_only=True, omit_defaults=True, tag="motion-closed"):
    """The motion ended: carried, lost, expired (no quorum by the deadline: nothing acts by itself) or withdrawn.

    `option` won; `yes` votes named it, `no` votes named others; `named` counts the votes that name each option; `minority` are
    the reasons of those who wanted something else.
    """

    motion: str
    outcome: Literal["carried", "lost", "expired", "withdrawn"]
    option: str = ""
    yes: int = 0
    no: int = 0
    abstain: int = 0
    recused: int = 0
    reason: str = ""
    named: dict[str, int] = msgspec.field(default_factory=dict)
    minority: tuple[Dissent, ...] = ()
    review_at: float | None = None


class Outlook(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the filter forecast without the order when it was issued: `before`, slope, and `(time, mean, low, high)`.

    `ahead` and `dof` are those of the evidence: the same forecast far ahead, as (time, mean, scale).
    """

    signal: str
    at: float
    before: float | None = None
    slope: float | None = None
    forecast: tuple[tuple[float, float, float, float], ...] = ()
    ahead: tuple[tuple[float, float, float], ...] = ()
    dof: float | None = None


class OrderIssued(Event, frozen=True, kw_only=True, omit_defaults=True, tag="order-issued"):
    """A carried motion issued its order, with the outlook without it; `held` when the room was holding its orders.

    `unconfirmed` when the plant marked it dangerous, by then or before the vote: a second seat confirms it before it leaves.
    """

    order: str
    motion: str
    plant: str
    name: str
    parameters: dict[str, Any]
    not_before: float
    expires: float
    held: bool = False
    unconfirmed: bool = False
    outlook: Outlook | None = None


class OrderConfirmed(Event, frozen=True, kw_only=True, omit_defaults=True, tag="order-confirmed"):
    """A second seat confirmed an order that the plant marked dangerous: it may leave; `held` while the room holds its orders."""

    order: str
    seat: int
    held: bool = False


class OrderSuperseded(Event, frozen=True, kw_only=True, omit_defaults=True, tag="order-superseded"):
    """A later order took the place of one that was not done yet; the plant is told."""

    order: str
    motion: str


class HandRaised(Event, frozen=True, kw_only=True, omit_defaults=True, tag="hand-raised"):
    """One seat asked to hold or to release all orders; a second seat makes it so until `until`."""

    what: Literal["hold", "release"]
    seat: int
    until: float
    reason: str = ""


class OrdersHeld(Event, frozen=True, kw_only=True, omit_defaults=True, tag="orders-held"):
    """All orders are held: nothing leaves the room."""

    reason: str


class OrdersReleased(Event, frozen=True, kw_only=True, omit_defaults=True, tag="orders-released"):
    """Held orders may go out again."""

    reason: str = ""


class OrderRevoked(Event, frozen=True, kw_only=True, omit_defaults=True, tag="order-revoked"):
    """An order that was not done yet was revoked; the plant is told."""

    order: str
    reason: str


class OrderRefused(Event, frozen=True, kw_only=True, omit_defaults=True, tag="order-refused"):
    """The plant's own people refused the order in the room, with a reason; the plant is told."""

    order: str
    reason: str


class OrderAnswered(Event, frozen=True, kw_only=True, omit_defaults=True, tag="order-answered"):
    """The plant answered over the wire: accepted, refused with a reason, or done; `said_at` is its own time."""

    order: str
    state: Literal["accepted", "refused", "done"]
    said_at: float
    reason: str = ""
    review_at: float | None = None


class ReceiptNoted(Event, frozen=True, kw_only=True, omit_defaults=True, tag="receipt-noted"):
    """A receipt that the order's life has no place for (after its end, or after its expiry): noted, nothing changes."""

    order: str
    state: Literal["accepted", "refused", "done"]
    said_at: float
    reason: str = ""


class OrderExpired(Event, frozen=True, kw_only=True, omit_defaults=True, tag="order-expired"):
    """The order's time is over and no plant had taken it: nothing acts on it any more."""

    order: str


class EffectMeasured(Event, frozen=True, kw_only=True, omit_defaults=True, tag="effect-measured"):
    """What the order did, as the filter saw it: measured at recovery and at the review, in the signal's unit.

    `expected_without` is the outlook frozen when the order was issued, extended to `measured_at`; `change` is `after` minus
    that. `recovered_at` is `None` when the signal was not back. `final` marks the review, `look` counts the looks before it.
    """

    motion: str
    order: str
    signal: str
    measured_at: float
    before: float | None = None
    after: float | None = None
    expected_without: float | None = None
    expected_low: float | None = None
    expected_high: float | None = None
    change: float | None = None
    recovered_at: float | None = None
    final: bool = False
    look: int = 0


class EffectAttributed(Event, frozen=True, kw_only=True, omit_defaults=True, tag="effect-attributed"):
    """Whether an order may be called the cause of what came after it, and how large its effect was, in the signal's unit.

    Reckoned by `cyberstride.attribution` from the stored readings up to `until`, after each measurement; `final` marks the
    review.
    """

    motion: str
    order: str
    signal: str
    told: Attribution
    until: float = 0.0
    final: bool = False
