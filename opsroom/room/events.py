"""What has happened in the room, in the past tense: frozen, with written kinds and versions, never with Python's paths.

An event is JSON: `encode` writes the bytes that the journal hashes, `decode` reads them back. A kind's name and version
belong to the project and outlive classes; a kind that this program does not know stops the replay loudly (`UnknownEventError`).
All times are epoch seconds UTC. `docs/room.md` lists every kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_args

import msgspec

from opsroom.alarms.alarm_events import (
    AlarmAcknowledged,
    AlarmClimbed,
    AlarmClosed,
    AlarmOpened,
    AlarmRelapsed,
    AlarmReleased,
    AlarmReminded,
    AlarmRenamed,
    AlarmReturned,
    AlarmShelved,
    AlarmSuppressed,
    AlarmUnshelved,
    Deviation,
    GoodNewsHeard,
    StopBegan,
    StopCancelled,
    StopEnded,
    StopPlanned,
    TransientLogged,
)
from opsroom.alarms.group_events import (
    AlarmJoined,
    AlarmResumed,
    AlarmsGrouped,
    AlarmSplit,
    AlarmWaited,
    OriginFixed,
)
from opsroom.alarms.service_events import (
    AlarmLaidOut,
    AlarmReset,
    RationaleAccepted,
    RationaleProposed,
    RationaleRefused,
    ServiceLeft,
    ServiceRestored,
    ServiceReviewed,
    TimeAsked,
    TimeGranted,
    TimeRefused,
)
from opsroom.council.attribution import nested
from opsroom.council.ballot_events import (
    AmendmentAnswered,
    AmendmentMoved,
    AmendmentSettled,
    BallotSealed,
    BallotsOpened,
    MinorityStated,
    MotionSeconded,
    OpenedBallot,
    OutcomeReviewed,
    ReviewDue,
    RoundEnded,
    SeatRecused,
    SubstituteNamed,
)
from opsroom.council.council_events import (
    BallotCast,
    Dissent,
    EffectAttributed,
    EffectMeasured,
    Exhibit,
    HandRaised,
    LastCallMade,
    MotionClosed,
    MotionOpened,
    OrderAnswered,
    OrderConfirmed,
    OrderExpired,
    OrderIssued,
    OrderRefused,
    OrderRevoked,
    OrdersHeld,
    OrdersReleased,
    OrderSuperseded,
    Outlook,
    ReceiptNoted,
    StatementMade,
)
from opsroom.council.foresight_events import ForecastScored, OrderEnded
from opsroom.notices.notice_events import (
    NoticeAddressed,
    NoticeDelivered,
    NoticeEnded,
    NoticeFailed,
    NoticeRaised,
    NoticeSeen,
)
from opsroom.recursion.pact_events import PACT_EVENTS
from opsroom.recursion.plant_events import (
    AgreementAccepted,
    AgreementProposed,
    AgreementRefused,
    CharterAmended,
    PlantJoined,
    PlantLeft,
    RoomFounded,
    SeededAgreement,
)
from opsroom.room.event import Event
from opsroom.shift.shift_events import (
    LogSigned,
    LogWritten,
    ShiftTaken,
)

__all__ = [
    "KINDS",
    "VERSIONS",
    "AgreementAccepted",
    "AgreementProposed",
    "AgreementRefused",
    "AlarmAcknowledged",
    "AlarmClimbed",
    "AlarmClosed",
    "AlarmJoined",
    "AlarmLaidOut",
    "AlarmOpened",
    "AlarmRelapsed",
    "AlarmReleased",
    "AlarmReminded",
    "AlarmRenamed",
    "AlarmReset",
    "AlarmResumed",
    "AlarmReturned",
    "AlarmShelved",
    "AlarmSplit",
    "AlarmSuppressed",
    "AlarmUnshelved",
    "AlarmWaited",
    "AlarmsGrouped",
    "AmendmentAnswered",
    "AmendmentMoved",
    "AmendmentSettled",
    "AnyEvent",
    "BallotCast",
    "BallotSealed",
    "BallotsOpened",
    "CharterAmended",
    "Deviation",
    "Dissent",
    "EffectAttributed",
    "EffectMeasured",
    "Event",
    "Exhibit",
    "ForecastScored",
    "GoodNewsHeard",
    "HandRaised",
    "LastCallMade",
    "LogSigned",
    "LogWritten",
    "MinorityStated",
    "MotionClosed",
    "MotionOpened",
    "MotionSeconded",
    "NoticeAddressed",
    "NoticeDelivered",
    "NoticeEnded",
    "NoticeFailed",
    "NoticeRaised",
    "NoticeSeen",
    "OpenedBallot",
    "OrderAnswered",
    "OrderConfirmed",
    "OrderEnded",
    "OrderExpired",
    "OrderIssued",
    "OrderRefused",
    "OrderRevoked",
    "OrderSuperseded",
    "OrdersHeld",
    "OrdersReleased",
    "OriginFixed",
    "OutcomeReviewed",
    "Outlook",
    "PlantJoined",
    "PlantLeft",
    "RationaleAccepted",
    "RationaleProposed",
    "RationaleRefused",
    "ReceiptNoted",
    "ReviewDue",
    "RoomFounded",
    "RoundEnded",
    "SeatRecused",
    "SeededAgreement",
    "ServiceLeft",
    "ServiceRestored",
    "ServiceReviewed",
    "ShiftTaken",
    "StatementMade",
    "StopBegan",
    "StopCancelled",
    "StopEnded",
    "StopPlanned",
    "SubstituteNamed",
    "TimeAsked",
    "TimeGranted",
    "TimeRefused",
    "TransientLogged",
    "UnknownEventError",
    "decode",
    "encode",
    "kind_of",
]

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
    | AlarmReset
    | AlarmLaidOut
    | TimeAsked
    | TimeGranted
    | TimeRefused
    | AlarmWaited
    | AlarmResumed
    | AlarmsGrouped
    | AlarmSplit
    | AlarmJoined
    | OriginFixed
    | ServiceLeft
    | ServiceReviewed
    | ServiceRestored
    | RationaleProposed
    | RationaleAccepted
    | RationaleRefused
    | NoticeRaised
    | NoticeAddressed
    | NoticeDelivered
    | NoticeFailed
    | NoticeSeen
    | NoticeEnded
    | LogWritten
    | LogSigned
    | ShiftTaken
    | StopPlanned
    | StopBegan
    | StopEnded
    | StopCancelled
    | MotionOpened
    | MotionSeconded
    | StatementMade
    | SeatRecused
    | BallotCast
    | BallotSealed
    | LastCallMade
    | RoundEnded
    | BallotsOpened
    | AmendmentMoved
    | AmendmentAnswered
    | AmendmentSettled
    | SubstituteNamed
    | MotionClosed
    | MinorityStated
    | ReviewDue
    | OutcomeReviewed
    | OrderIssued
    | OrderConfirmed
    | HandRaised
    | OrdersHeld
    | OrdersReleased
    | OrderSuperseded
    | OrderRevoked
    | OrderRefused
    | OrderAnswered
    | ReceiptNoted
    | OrderExpired
    | EffectMeasured
    | EffectAttributed
    | PACT_EVENTS
    | OrderEnded
    | ForecastScored
)
"""Every event; `get_args(AnyEvent)` lists the classes."""

KINDS: Mapping[str, type[Event]] = {str(kind.__struct_config__.tag): kind for kind in get_args(AnyEvent)}
"""The written kind of each event."""

VERSIONS: Mapping[str, int] = dict.fromkeys(KINDS, 1) | {"effect-attributed": 2}
"""The version of each kind's wording; a kind that changes shape gets a higher one and a rule in `_OLDER`."""

_OLDER: Mapping[tuple[str, int], Callable[[dict[str, Any]], dict[str, Any]]] = {("effect-attributed", 1): nested}
"""How the body of an older version is read as that of the present one."""


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
    older = _OLDER.get((kind, version))
    if older is None and version != VERSIONS.get(kind):
        raise UnknownEventError(
            kind, version, "unknown kind" if kind not in KINDS else f"known version {VERSIONS[kind]}"
        )
    try:
        body = raw if older is None else msgspec.json.encode(older(msgspec.json.decode(raw)))
        event: AnyEvent = _decoder.decode(body)
    except msgspec.DecodeError as wrong:
        raise UnknownEventError(kind, version, str(wrong)) from wrong
    if kind_of(event) != kind:
        raise UnknownEventError(kind, version, f"its body is of kind {kind_of(event)!r}")
    return event
