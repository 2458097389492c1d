"""What has happened in the room, in the past tense: frozen, with written kinds and versions, never with Python's paths.

An event is JSON: `encode` writes the bytes that the journal hashes, `decode` reads them back. A kind's name and version
belong to the project and outlive classes; a kind that this program does not know stops the replay loudly (`UnknownEventError`).
All times are epoch seconds UTC. `docs/room.md` lists every kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import msgspec

from opsroom.news import Evidence
from opsroom.recursion import Agreement, Charter
from telex_ingest.telex import OrderBirth, SignalBirth


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    """The root of all events: `at` on the room's clock; `by` the account that asked and its idempotency `key`, if one did.

    `by` is "operator", "seat-3", "unit-mill-1", or "wire-mill-1" for a plant that spoke itself; empty when a rule acted.
    """

    at: float
    by: str = ""
    occupant: str = ""
    key: str = ""


class RoomFounded(Event, frozen=True, kw_only=True, omit_defaults=True, tag="room-founded"):
    """The room began with this charter."""

    charter: Charter


class CharterAmended(Event, frozen=True, kw_only=True, omit_defaults=True, tag="charter-amended"):
    """The file's tree, rules or seats differ from before and hold from now on; agreements that stand are not touched."""

    charter: Charter


class SeededAgreement(msgspec.Struct, frozen=True, array_like=True):
    """An agreement that a first birth brought into force: the signal's name and the terms."""

    name: str
    agreement: Agreement


class PlantJoined(Event, frozen=True, kw_only=True, omit_defaults=True, tag="plant-joined"):
    """A plant was born, or born anew with another wording; `parent` is set when the tree did not know it.

    `unusable` are declared orders that nobody could ever propose, and `faults` the sentences that say why.
    """

    plant: str
    title: str = ""
    link: str = ""
    version: int = 1
    parent: str = ""
    signals: tuple[SignalBirth, ...] = ()
    orders: tuple[OrderBirth, ...] = ()
    seeded: tuple[SeededAgreement, ...] = ()
    unusable: tuple[OrderBirth, ...] = ()
    faults: tuple[str, ...] = ()


class PlantLeft(Event, frozen=True, kw_only=True, omit_defaults=True, tag="plant-left"):
    """A plant said farewell; that explains its silence but does not excuse it: a planned stop does."""

    plant: str
    reason: str = ""


class AgreementProposed(Event, frozen=True, kw_only=True, omit_defaults=True, tag="agreement-proposed"):
    """One side ("unit" or "room") proposed other terms for a signal; nothing changes until the other side accepts."""

    proposal: str
    signal: str
    side: Literal["unit", "room"]
    terms: Agreement
    reason: str = ""


class AgreementAccepted(Event, frozen=True, kw_only=True, omit_defaults=True, tag="agreement-accepted"):
    """The other side accepted: the agreement holds from now on; `deadline` moves when the plant's own clock was running."""

    proposal: str
    signal: str
    agreement: Agreement
    reason: str = ""
    alarm: str = ""
    deadline: float | None = None


class AgreementRefused(Event, frozen=True, kw_only=True, omit_defaults=True, tag="agreement-refused"):
    """The other side refused, or a newer proposal took its place; the old agreement stands."""

    proposal: str
    reason: str = ""


class Deviation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the filter said of a deviation when it named it, in the signal's unit; all finite or `None`."""

    named: str
    direction: Literal["up", "down", ""] = ""
    probability: float = 0.0
    since: float | None = None
    named_at: float | None = None
    suspected_at: float | None = None
    value: float | None = None
    level: float | None = None
    slope: float | None = None
    size: float | None = None
    size_low: float | None = None
    size_high: float | None = None
    sentence: str = ""


class TransientLogged(Event, frozen=True, kw_only=True, omit_defaults=True, tag="transient-logged"):
    """A deviation that opens no alarm by the table (a transient, or a word that the table does not list) was logged."""

    signal: str
    deviation: Deviation


class GoodNewsHeard(Event, frozen=True, kw_only=True, omit_defaults=True, tag="good-news"):
    """A change in the good direction: news, never an alarm."""

    signal: str
    deviation: Deviation


class AlarmOpened(Event, frozen=True, kw_only=True, omit_defaults=True, tag="alarm-opened"):
    """A deviation in the bad direction, or silence, opened an alarm at the plant itself.

    `normal_low..normal_high` is the interval of recovery, frozen now (`None`: that side is open); `stop` names the planned
    stop that suppresses the alarm by design, and then no `deadline` runs.
    """

    alarm: str
    signal: str
    unit: str
    deviation: Deviation
    normal_low: float | None = None
    normal_high: float | None = None
    readings_to_recover: int = 1
    clock_s: float
    deadline: float | None = None
    stop: str = ""


class AlarmRenamed(Event, frozen=True, kw_only=True, omit_defaults=True, tag="alarm-renamed"):
    """The filter named the same event again or otherwise; the alarm's words follow, its clock and interval do not move."""

    alarm: str
    deviation: Deviation


class AlarmAcknowledged(Event, frozen=True, kw_only=True, omit_defaults=True, tag="alarm-acknowledged"):
    """Somebody has seen the alarm."""

    alarm: str


class AlarmShelved(Event, frozen=True, kw_only=True, omit_defaults=True, tag="alarm-shelved"):
    """The alarm was put aside until a moment, with a reason; its clock runs on."""

    alarm: str
    until: float
    reason: str


class AlarmUnshelved(Event, frozen=True, kw_only=True, omit_defaults=True, tag="alarm-unshelved"):
    """The alarm came off the shelf: its time was over, or somebody took it up."""

    alarm: str
    reason: str = ""


class AlarmSuppressed(Event, frozen=True, kw_only=True, omit_defaults=True, tag="alarm-suppressed"):
    """A planned stop began and suppresses the alarm by design; `left_s` of its clock are kept for afterwards."""

    alarm: str
    stop: str
    left_s: float


class AlarmReleased(Event, frozen=True, kw_only=True, omit_defaults=True, tag="alarm-released"):
    """The planned stop is over and the signal is not back: the alarm speaks, and its clock runs until `deadline`."""

    alarm: str
    deadline: float


class AlarmClimbed(Event, frozen=True, kw_only=True, omit_defaults=True, tag="alarm-climbed"):
    """The alarm climbed one level: the time had run out without recovery, or the unit called early."""

    alarm: str
    source: str
    target: str
    reason: Literal["expired", "called early"]
    words: str = ""
    clock_s: float
    deadline: float


class AlarmReminded(Event, frozen=True, kw_only=True, omit_defaults=True, tag="alarm-reminded"):
    """The alarm's clock ran out where nothing is above, or a council did not decide: it stays, and says so again."""

    alarm: str
    unit: str
    reason: str
    deadline: float | None = None


class AlarmReturned(Event, frozen=True, kw_only=True, omit_defaults=True, tag="alarm-returned"):
    """The signal has been back inside its interval for the needed readings: recovered, not yet closed."""

    alarm: str
    seen_at: float
    value: float | None = None
    readings: int = 0


class AlarmRelapsed(Event, frozen=True, kw_only=True, omit_defaults=True, tag="alarm-relapsed"):
    """Within the hysteresis a recovered signal left its interval, or deviated, again: the same alarm, the same clock."""

    alarm: str
    seen_at: float
    value: float | None = None


class AlarmClosed(Event, frozen=True, kw_only=True, omit_defaults=True, tag="alarm-closed"):
    """The alarm is over: recovered, held for the hysteresis, acknowledged; or another reason that is stated."""

    alarm: str
    reason: str = ""


class StopPlanned(Event, frozen=True, kw_only=True, omit_defaults=True, tag="stop-planned"):
    """A unit's stop was announced from `start` to `end`; `every_s` > 0 repeats it."""

    stop: str
    unit: str
    start: float
    end: float
    reason: str
    every_s: float = 0.0


class StopBegan(Event, frozen=True, kw_only=True, omit_defaults=True, tag="stop-began"):
    """A planned stop began: what opens under the unit now is suppressed by design."""

    stop: str


class StopEnded(Event, frozen=True, kw_only=True, omit_defaults=True, tag="stop-ended"):
    """A planned stop and its grace are over; a repeated one waits for its next `start`."""

    stop: str
    start: float | None = None
    end: float | None = None


class StopCancelled(Event, frozen=True, kw_only=True, omit_defaults=True, tag="stop-cancelled"):
    """A planned stop was taken back, or ends now."""

    stop: str


class MotionOpened(Event, frozen=True, kw_only=True, omit_defaults=True, tag="motion-opened"):
    """A seat moved on an alarm: one order that the plant declared, with the evidence frozen at this moment."""

    motion: str
    seat: int
    alarm: str
    signal: str
    title: str
    plant: str
    order: OrderBirth
    parameters: dict[str, Any]
    deadline: float
    quorum: int
    evidence: Evidence | None = None


class StatementMade(Event, frozen=True, kw_only=True, omit_defaults=True, tag="statement-made"):
    """A seat spoke on an open motion."""

    motion: str
    seat: int
    stance: Literal["for", "against", "question"]
    text: str


class BallotCast(Event, frozen=True, kw_only=True, omit_defaults=True, tag="ballot-cast"):
    """A seat voted, once; a recused seat leaves the denominator."""

    motion: str
    seat: int
    choice: Literal["yes", "no", "abstain", "recuse"]
    reason: str = ""


class LastCallMade(Event, frozen=True, kw_only=True, omit_defaults=True, tag="last-call"):
    """The remaining seats cannot change the outcome any more; they have until `deadline` to be recorded."""

    motion: str
    deadline: float


class MotionClosed(Event, frozen=True, kw_only=True, omit_defaults=True, tag="motion-closed"):
    """The motion ended: carried, lost, expired (no quorum by the deadline: nothing acts by itself) or withdrawn."""

    motion: str
    outcome: Literal["carried", "lost", "expired", "withdrawn"]
    yes: int = 0
    no: int = 0
    abstain: int = 0
    recused: int = 0
    reason: str = ""


class Outlook(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the filter forecast without the order when it was issued: `before`, slope, and `(time, mean, low, high)`."""

    signal: str
    at: float
    before: float | None = None
    slope: float | None = None
    forecast: tuple[tuple[float, float, float, float], ...] = ()


class OrderIssued(Event, frozen=True, kw_only=True, omit_defaults=True, tag="order-issued"):
    """A carried motion issued its order, with the outlook without it; `held` when the room was holding its orders."""

    order: str
    motion: str
    plant: str
    name: str
    parameters: dict[str, Any]
    not_before: float
    expires: float
    held: bool = False
    outlook: Outlook | None = None


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
    that. `recovered_at` is `None` when the signal was not back. `final` marks the review.
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


AnyEvent = (
    RoomFounded
    | CharterAmended
    | PlantJoined
    | PlantLeft
    | AgreementProposed
    | AgreementAccepted
    | AgreementRefused
    | TransientLogged
    | GoodNewsHeard
    | AlarmOpened
    | AlarmRenamed
    | AlarmAcknowledged
    | AlarmShelved
    | AlarmUnshelved
    | AlarmSuppressed
    | AlarmReleased
    | AlarmClimbed
    | AlarmReminded
    | AlarmReturned
    | AlarmRelapsed
    | AlarmClosed
    | StopPlanned
    | StopBegan
    | StopEnded
    | StopCancelled
    | MotionOpened
    | StatementMade
    | BallotCast
    | LastCallMade
    | MotionClosed
    | OrderIssued
    | OrdersHeld
    | OrdersReleased
    | OrderRevoked
    | OrderRefused
    | OrderAnswered
    | ReceiptNoted
    | OrderExpired
    | EffectMeasured
)
"""Every event; `get_args(AnyEvent)` lists the classes."""

KINDS: Mapping[str, type[Event]] = {str(kind.__struct_config__.tag): kind for kind in get_args(AnyEvent)}
"""The written kind of each event."""

VERSIONS: Mapping[str, int] = dict.fromkeys(KINDS, 1)
"""The version of each kind's wording; a kind that changes shape gets a higher one and a rule in `decode`."""


class UnknownEventError(Exception):
    """A stored event that this program cannot read: a newer program wrote it, or it is not an event."""

    def __init__(self, kind: str, version: int, why: str) -> None:
        self.kind, self.version, self.why = kind, version, why
        super().__init__(kind, version, why)

    def __str__(self) -> str:
        return (
            f"the journal holds an event {self.kind!r} version {self.version} that this program cannot read ({self.why}): "
            "start the program that wrote it, or a newer one; nothing has been changed"
        )


_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(AnyEvent)


def kind_of(event: Event) -> str:
    """Tell an event's written kind."""
    return str(event.__struct_config__.tag)


def encode(event: Event) -> bytes:
    """Write an event as JSON bytes; `decode(kind_of(event), 1, encode(event)) == event`."""
    return msgspec.json.encode(event)


def decode(kind: str, version: int, raw: bytes | msgspec.Raw) -> AnyEvent:
    """Read an event's JSON back; raises `UnknownEventError` for a kind, version or shape that this program does not know."""
    if version != VERSIONS.get(kind):
        raise UnknownEventError(
            kind, version, "unknown kind" if kind not in KINDS else f"known version {VERSIONS[kind]}"
        )
    try:
        event: AnyEvent = _decoder.decode(raw)
    except msgspec.DecodeError as wrong:
        raise UnknownEventError(kind, version, str(wrong)) from wrong
    if kind_of(event) != kind:
        raise UnknownEventError(kind, version, f"its body is of kind {kind_of(event)!r}")
    return event
