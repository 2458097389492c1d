"""The vocabulary of the wire: what a plant says to the room and what the room answers.

Every frame, in either direction, is one JSON object (or MessagePack map) with optional members; a link that speaks first
may put its hello, its birth and its first telexes into one frame. `docs/telex.md` describes the protocol for people.
Times on the wire are ISO 8601 with a zone; inside the program `source_us` is integer microseconds UTC.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

PROTOCOL = "telex.v1"

Slug = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$(?!\n)")]  # a `$` alone lets a newline follow
"""A plant, unit, signal, order or link id: lower-case letters, digits and hyphens."""

Count = Annotated[int, msgspec.Meta(ge=1, le=9_007_199_254_740_991)]
"""An epoch or a sequence number: at least 1 and exact in every language's JSON (below 2 to the 53rd)."""

Zoned = Annotated[datetime, msgspec.Meta(tz=True)]
"""A moment that names its zone."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(moment: datetime) -> int:
    """Tell a zoned moment as integer microseconds since 1970 UTC; years before 1970 are negative.

    >>> microseconds(datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC))
    -1000000
    """
    since = moment - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def moment(microseconds_utc: int) -> datetime:
    """Tell integer microseconds since 1970 UTC as a zoned moment; the inverse of `microseconds`."""
    return EPOCH + timedelta(microseconds=microseconds_utc)


class Quality(StrEnum):
    """How far a reading may be trusted, after OPC UA Part 8: good, uncertain or bad; bad counts as missing."""

    GOOD = "good"
    UNCERTAIN = "uncertain"
    BAD = "bad"


class Reading(NamedTuple):
    """One figure of one signal: numeric id from the birth, value in the signal's unit, quality.

    A `None` value is a reading that the plant knows to be missing. On the wire a reading is a short list,
    `[id, value]` or `[id, value, "uncertain"]`.
    """

    signal: int
    value: float | None
    quality: Quality = Quality.GOOD


class TelexKind(StrEnum):
    """What a telex is for: live figures, the correction of sent ones, or the backfill of history (opens no alarm)."""

    LIVE = "live"
    CORRECTION = "correction"
    BACKFILL = "backfill"


class Direction(StrEnum):
    """Which way is good for a signal; `none` means that only staying is good."""

    UP = "up"
    DOWN = "down"
    NONE = "none"


class SignalBirth(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a plant declares of one signal.

    `period_s` is the nominal time between readings in seconds of source time; `low` and `high` are physical limits;
    `capability` and `potentiality` are the plant's own proposal for the agreement, in the signal's unit.
    """

    id: Annotated[int, msgspec.Meta(ge=0, le=65535)]
    name: Slug
    unit: str
    kind: Literal["level", "rate", "ratio", "count"] = "level"
    good: Direction = Direction.UP
    period_s: Annotated[float, msgspec.Meta(gt=0)]
    title: str = ""
    low: float | None = None
    high: float | None = None
    capability: float | None = None
    potentiality: float | None = None
    personal: bool = False


class ExpectedEffect(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a plant expects an order to do: the change of one signal, in its unit, after `delay_s` seconds."""

    signal: Slug
    change: float
    delay_s: Annotated[float, msgspec.Meta(ge=0)] = 0.0


class OrderBirth(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An order that a plant accepts: its name, a JSON Schema of its parameters, danger, expected effects."""

    name: Slug
    title: str
    parameters: dict[str, Any] = {}
    danger: Literal["none", "caution", "dangerous"] = "none"
    effects: tuple[ExpectedEffect, ...] = ()


class PlantBirth(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a link declares of one plant; `epoch` counts the lives of its spool, `version` the wordings of its birth.

    `pace` is how many seconds of source time pass in a second of the room: 1 for a live plant, N for a replay at N
    times real time; silence is measured by it.
    """

    plant: Slug
    epoch: Count = 1
    version: Count = 1
    title: str = ""
    signals: tuple[SignalBirth, ...]
    orders: tuple[OrderBirth, ...] = ()
    pace: Annotated[float, msgspec.Meta(gt=0)] = 1.0


class Hello(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who a link is; the token stands here or in the `Authorization: Bearer` header, never in the address.

    `plants` asks for resume points: the welcome tells them for these plants and for those born in the same frame.
    """

    link: Slug
    token: str = ""
    protocol: str = PROTOCOL
    plants: tuple[Slug, ...] = ()


class Telex(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One message of one plant: identity (plant, epoch, seq), source time, readings.

    `seq` is contiguous from 1 within an epoch and counts every kind of telex.
    """

    plant: Slug
    epoch: Count = 1
    seq: Count
    time: Zoned
    readings: tuple[Reading, ...] = ()
    kind: TelexKind = TelexKind.LIVE

    @property
    def source_us(self) -> int:
        """Source time in microseconds since 1970 UTC."""
        return microseconds(self.time)


class Sheet(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Many telexes of one shape as columns: row i is the telex of `plants[i]`, with a reading for each of `signals`.

    Arrays are little-endian bytes (base64 in JSON): `seqs` and `times` int64 (t,), times in microseconds since 1970 UTC;
    `values` float64 or float32 (t, m), row after row, where NaN is a missing reading; `epochs` int64 (t,), empty when all are
    1. Every reading is good; what is not is told as a telex. The room answers `number` once all rows are durable, or the
    Acks of the plants when it had to take the rows one by one.
    """

    plants: tuple[str, ...]
    signals: tuple[int, ...]
    seqs: bytes
    times: bytes
    values: bytes
    epochs: bytes = b""
    kind: TelexKind = TelexKind.LIVE
    number: Count | None = None


class Spool(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a plant's spool holds at this moment: its lowest and highest sequence number that the room has not acknowledged.

    Numbers below `first` will never come (again): the room closes a gap there at once. An empty spool says
    `first` = `last` + 1, the next number that it will give.
    """

    plant: Slug
    epoch: Count = 1
    first: Count
    last: Annotated[int, msgspec.Meta(ge=0, le=9_007_199_254_740_991)]


class Death(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A plant's farewell: it stops talking by intention, until its next birth."""

    plant: Slug
    reason: str = ""


class ReceiptState(StrEnum):
    """What a plant answers to an order: accepted, refused with a reason, or done."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    DONE = "done"


class Receipt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A plant's answer to one order; a refusal carries its reason."""

    order: str
    plant: Slug
    state: ReceiptState
    time: Zoned
    reason: str = ""


class PlantCall(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a plant's own people say over the wire: acknowledge their alarm, call the next level early, answer what is asked.

    `accept` and `refuse` (with a reason) answer a notice that asks: `alarm` is the id that stood there.
    """

    plant: Slug
    alarm: str
    call: Literal["acknowledge", "early", "accept", "refuse"]
    reason: str = ""


class PlantStatement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a plant says on a motion that it was invited to: `motion` is the id of the invitation.

    The same text again is the same statement.
    """

    plant: Slug
    motion: str
    text: str
    stance: Literal["for", "against", "question", "answer"] = "answer"


class Ack(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The highest sequence number of a plant's epoch that the room has made durable; the spool may forget up to it."""

    plant: Slug
    epoch: int
    seq: int


class Refusal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the room could not take, why, and how to mend it; the link stays up."""

    code: str
    reason: str
    cure: str = ""
    plant: str = ""
    epoch: int | None = None
    seq: int | None = None


class Handover(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A key of the room hands over to the next: public keys `old` and `new`, signed with the old one (`proof.py`)."""

    room: str
    purpose: Literal["orders", "journal"]
    old: str
    new: str
    at: Zoned
    signature: str = ""


class Proof(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The room's signature under an order, its public key, and how that key came from the first one (`proof.py`)."""

    key: str
    signature: str
    chain: tuple[Handover, ...] = ()


class Order(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An order of the room to a plant, with the motion that authorised it, how that was voted, and the room's signature."""

    id: str
    room: str
    plant: Slug
    motion: str
    name: Slug
    parameters: dict[str, Any] = {}
    not_before: Zoned
    expires: Zoned
    revoked: bool = False
    tally: dict[str, Any] = {}
    proof: Proof | None = None


class InvitedOrder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One order of an option that a council deliberates on: nothing that a plant may obey."""

    plant: Slug
    name: Slug
    parameters: dict[str, Any] = {}


class InvitedOption(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One option of a motion: orders, more time for the unit, or nothing.

    `terms` say in words what it would propose for plants' agreements, which hold only when the plant has accepted them.
    """

    id: str
    title: str
    kind: Literal["orders", "time", "nothing"]
    orders: tuple[InvitedOrder, ...] = ()
    terms: str = ""


class Invitation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A motion about a plant's alarm, or one that would order it something: the plant may state what it knows until `until`.

    `alarm` and `signal` are the plant's own, empty where only an option concerns it. `state` is open, or how the motion ended;
    `stated` counts the plant's statements that are on record, `letters` are the most of one; `text` says it to people.
    """

    motion: str
    room: str
    plant: Slug
    title: str
    alarm: str = ""
    signal: str = ""
    options: tuple[InvitedOption, ...] = ()
    until: Zoned
    state: Literal["open", "carried", "lost", "expired", "withdrawn"] = "open"
    chosen: str = ""
    stated: int = 0
    letters: int = 0
    text: str = ""
    proof: Proof | None = None


class Notice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the room tells a plant about itself: an alarm that opened, climbed, recovered or closed, with its clock.

    With `asks` it is no alarm but something asked of the plant: an agreement, sight of readings, which orders it accepts, an
    accord, which wait for its answer (a call with the same id in `alarm`), or a probe, which it is told of.
    """

    plant: Slug
    alarm: str
    signal: str
    state: str
    text: str
    level: str = ""
    deadline: Zoned | None = None
    asks: Literal["", "agreement", "sight", "orders", "accord", "probe"] = ""


class Welcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The room's answer to a hello: who it is and, for each plant that it has heard of before, the last durable (epoch, seq).

    A plant that is asked for and not in `resume` is new to the room. `seq` is 0 when nothing of the epoch is durable yet.
    """

    room: str
    protocol: str = PROTOCOL
    resume: tuple[Ack, ...] = ()


class FromPlant(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One frame from a link to the room; every member is optional, the order of effect is that of the fields."""

    hello: Hello | None = None
    births: tuple[PlantBirth, ...] = ()
    spools: tuple[Spool, ...] = ()
    telexes: tuple[Telex, ...] = ()
    sheets: tuple[Sheet, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    calls: tuple[PlantCall, ...] = ()
    statements: tuple[PlantStatement, ...] = ()
    deaths: tuple[Death, ...] = ()


class FromRoom(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One frame from the room to a link; every member is optional."""

    welcome: Welcome | None = None
    acks: tuple[Ack, ...] = ()
    sheets: tuple[int, ...] = ()
    """Numbers of sheets whose every row is durable."""
    refusals: tuple[Refusal, ...] = ()
    orders: tuple[Order, ...] = ()
    notices: tuple[Notice, ...] = ()
    invitations: tuple[Invitation, ...] = ()
