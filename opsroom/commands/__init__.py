"""What somebody asks of the room, in the imperative; `room.decide` answers with events or with a refusal.

A command is what a person wants. Who asks stands beside it in `Asked`, taken from the session and never from the payload.
"""

from __future__ import annotations

import msgspec

from opsroom.commands.alarms import AcknowledgeAlarm, CallEarly, CancelStop, PlanStop, ShelveAlarm, UnshelveAlarm
from opsroom.commands.command import Actor, Command, Role
from opsroom.commands.council import CastBallot, OpenMotion, ProposedOption, ProposedOrder, Speak, WithdrawMotion
from opsroom.commands.orders import HoldOrders, RefuseOrder, ReleaseOrders, RevokeOrder
from opsroom.commands.recursion import AnswerAgreement, ProposeAgreement

__all__ = [
    "AcknowledgeAlarm",
    "Actor",
    "AnswerAgreement",
    "AnyCommand",
    "Asked",
    "CallEarly",
    "CancelStop",
    "CastBallot",
    "Command",
    "HoldOrders",
    "OpenMotion",
    "PlanStop",
    "ProposeAgreement",
    "ProposedOption",
    "ProposedOrder",
    "RefuseOrder",
    "ReleaseOrders",
    "RevokeOrder",
    "Role",
    "ShelveAlarm",
    "Speak",
    "UnshelveAlarm",
    "WithdrawMotion",
]

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
