"""What somebody asks of the room, in the imperative; `room.decide` answers with events or with a refusal.

A command is what a person wants. Who asks stands beside it in `Asked`, taken from the session and never from the payload.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

import msgspec


class Role(StrEnum):
    """In whose name somebody acts: a unit's own people, an operator of the room, a seat of the council, the room."""

    UNIT = "unit"
    OPERATOR = "operator"
    SEAT = "seat"
    ROOM = "room"
    VIEWER = "viewer"


class Actor(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who asks: a role, the unit or the seat (1..7) that it is bound to, and the occupant's name."""

    role: Role
    unit: str = ""
    seat: int = 0
    occupant: str = ""


class Command(msgspec.Struct, frozen=True, kw_only=True, tag_field="command", forbid_unknown_fields=True):
    """The root of all commands; on REST the member `command` names the kind."""


class AcknowledgeAlarm(Command, frozen=True, kw_only=True, tag="acknowledge-alarm"):
    """Say that somebody has seen the alarm; its clock runs on."""

    alarm: str


class ShelveAlarm(Command, frozen=True, kw_only=True, tag="shelve-alarm"):
    """Put an alarm aside for `minutes`, with a reason; its clock runs on."""

    alarm: str
    minutes: float
    reason: str


class UnshelveAlarm(Command, frozen=True, kw_only=True, tag="unshelve-alarm"):
    """Take a shelved alarm up again before its time."""

    alarm: str


class CallEarly(Command, frozen=True, kw_only=True, tag="call-early"):
    """The unit itself asks the next level for help before its agreed time has run out."""

    alarm: str
    reason: str


class PlanStop(Command, frozen=True, kw_only=True, tag="plan-stop"):
    """Announce a planned stop of a unit from `start` to `end` (epoch seconds UTC): its alarms are suppressed by design."""

    unit: str
    start: float
    end: float
    reason: str


class CancelStop(Command, frozen=True, kw_only=True, tag="cancel-stop"):
    """Take a planned stop back, or end it now."""

    stop: str


class ProposeAgreement(Command, frozen=True, kw_only=True, tag="propose-agreement"):
    """Propose a new agreement for one signal; it changes only when the other side accepts.

    A field that is `None` stays as it is; `normal_low..normal_high` is a newly agreed interval of recovery.
    """

    signal: str
    capability: float | None = None
    potentiality: float | None = None
    recovery_s: float | None = None
    normal_low: float | None = None
    normal_high: float | None = None
    reason: str = ""


class AnswerAgreement(Command, frozen=True, kw_only=True, tag="answer-agreement"):
    """Accept or refuse a proposed agreement, with a reason."""

    proposal: str
    accept: bool
    reason: str = ""


class ProposedOrder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One of the orders that a plant declared, with parameters that fit its schema."""

    plant: str
    name: str
    parameters: dict[str, Any] = {}


class OpenMotion(Command, frozen=True, kw_only=True, tag="open-motion"):
    """Move on an alarm that has arrived at the council: propose one order; the evidence is frozen by the room."""

    alarm: str
    title: str
    order: ProposedOrder


class Speak(Command, frozen=True, kw_only=True, tag="speak"):
    """Say something on an open motion: for it, against it, or a question."""

    motion: str
    stance: Literal["for", "against", "question"]
    text: str


class CastBallot(Command, frozen=True, kw_only=True, tag="cast-ballot"):
    """Vote on an open motion, once; a recused seat leaves the denominator. The seat comes from the session."""

    motion: str
    choice: Literal["yes", "no", "abstain", "recuse"]
    reason: str = ""


class WithdrawMotion(Command, frozen=True, kw_only=True, tag="withdraw-motion"):
    """Take one's own motion back before it is decided."""

    motion: str
    reason: str = ""


class HoldOrders(Command, frozen=True, kw_only=True, tag="hold-orders"):
    """Hold all orders of the room at once: nothing leaves until they are released."""

    reason: str


class ReleaseOrders(Command, frozen=True, kw_only=True, tag="release-orders"):
    """Let held orders go out again."""

    reason: str = ""


class RevokeOrder(Command, frozen=True, kw_only=True, tag="revoke-order"):
    """Revoke one order that is not done yet."""

    order: str
    reason: str


class RefuseOrder(Command, frozen=True, kw_only=True, tag="refuse-order"):
    """A plant's own people refuse an order, with a reason; a legitimate, recorded outcome."""

    order: str
    reason: str


AnyCommand = (
    AcknowledgeAlarm
    | ShelveAlarm
    | UnshelveAlarm
    | CallEarly
    | PlanStop
    | CancelStop
    | ProposeAgreement
    | AnswerAgreement
    | OpenMotion
    | Speak
    | CastBallot
    | WithdrawMotion
    | HoldOrders
    | ReleaseOrders
    | RevokeOrder
    | RefuseOrder
)
"""Every command that a person can give; `msgspec.json.decode(body, type=AnyCommand)` reads one."""


class Asked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A command with its asker and an idempotency key: the same key of the same actor is answered, not done again."""

    command: AnyCommand
    actor: Actor
    key: str
