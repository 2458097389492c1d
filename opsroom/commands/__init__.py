"""What somebody asks of the room, in the imperative; `room.decide` answers with events or with a refusal.

A command is what a person wants. Who asks stands beside it in `Asked`, taken from the session and never from the payload.
"""

from __future__ import annotations

import msgspec

from opsroom.commands.alarms import (
    AcknowledgeAlarm,
    AnswerRationale,
    AnswerTime,
    AskForTime,
    BringBack,
    CallEarly,
    CancelStop,
    FixOrigin,
    JoinAlarm,
    LookAtAlarm,
    PlanStop,
    ProposeRationale,
    ResetAlarm,
    ShelveAlarm,
    SplitAlarm,
    TakeOut,
    UnshelveAlarm,
)
from opsroom.commands.command import Actor, Command, Role
from opsroom.commands.council import (
    AmendMotion,
    AnswerAmendment,
    CastBallot,
    Citation,
    NameSubstitute,
    OpenMotion,
    ProposedAcceptance,
    ProposedFigures,
    ProposedOption,
    ProposedOrder,
    ProposedSight,
    ProposedTerms,
    RecuseSeat,
    ReviewMotion,
    SecondMotion,
    Speak,
    StateMinority,
    WithdrawMotion,
)
from opsroom.commands.orders import ConfirmOrder, HoldOrders, RefuseOrder, ReleaseOrders, RevokeOrder
from opsroom.commands.recursion import (
    AnswerAccord,
    AnswerAgreement,
    AnswerRequest,
    AskForSight,
    AskProbe,
    EndAccord,
    GrantSight,
    ProposeAccord,
    ProposeAgreement,
    ProposeOrders,
    RevokeGrant,
)
from opsroom.commands.shift import TakeOver, WriteLog

__all__ = [
    "AcknowledgeAlarm",
    "Actor",
    "AmendMotion",
    "AnswerAccord",
    "AnswerAgreement",
    "AnswerAmendment",
    "AnswerRationale",
    "AnswerRequest",
    "AnswerTime",
    "AnyCommand",
    "AskForSight",
    "AskForTime",
    "AskProbe",
    "Asked",
    "BringBack",
    "CallEarly",
    "CancelStop",
    "CastBallot",
    "Citation",
    "Command",
    "ConfirmOrder",
    "EndAccord",
    "FixOrigin",
    "GrantSight",
    "HoldOrders",
    "JoinAlarm",
    "LookAtAlarm",
    "NameSubstitute",
    "OpenMotion",
    "PlanStop",
    "ProposeAccord",
    "ProposeAgreement",
    "ProposeOrders",
    "ProposeRationale",
    "ProposedAcceptance",
    "ProposedFigures",
    "ProposedOption",
    "ProposedOrder",
    "ProposedSight",
    "ProposedTerms",
    "RecuseSeat",
    "RefuseOrder",
    "ReleaseOrders",
    "ResetAlarm",
    "ReviewMotion",
    "RevokeGrant",
    "RevokeOrder",
    "Role",
    "SecondMotion",
    "ShelveAlarm",
    "Speak",
    "SplitAlarm",
    "StateMinority",
    "TakeOut",
    "TakeOver",
    "UnshelveAlarm",
    "WithdrawMotion",
    "WriteLog",
]

AnyCommand = (
    AcknowledgeAlarm
    | ShelveAlarm
    | UnshelveAlarm
    | CallEarly
    | ResetAlarm
    | TakeOut
    | BringBack
    | AskForTime
    | AnswerTime
    | SplitAlarm
    | JoinAlarm
    | FixOrigin
    | ProposeRationale
    | AnswerRationale
    | LookAtAlarm
    | WriteLog
    | TakeOver
    | PlanStop
    | CancelStop
    | ProposeAgreement
    | AnswerAgreement
    | OpenMotion
    | SecondMotion
    | Speak
    | CastBallot
    | RecuseSeat
    | NameSubstitute
    | AmendMotion
    | AnswerAmendment
    | WithdrawMotion
    | StateMinority
    | ReviewMotion
    | HoldOrders
    | ReleaseOrders
    | ConfirmOrder
    | RevokeOrder
    | RefuseOrder
    | GrantSight
    | RevokeGrant
    | AskForSight
    | ProposeOrders
    | AnswerRequest
    | ProposeAccord
    | AnswerAccord
    | EndAccord
    | AskProbe
)
"""Every command that a person can give; `msgspec.json.decode(body, type=AnyCommand)` reads one."""


class Asked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A command with its asker and an idempotency key: the same key of the same actor is answered, not done again.

    `salt` is chance from outside the room, for what it seals.
    """

    command: AnyCommand
    actor: Actor
    key: str
    salt: bytes = b""

    def __repr__(self) -> str:
        return f"Asked({self.command!r}, {self.actor!r}, key={self.key!r})"
