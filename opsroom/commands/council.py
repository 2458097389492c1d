"""What a seat may ask of the council."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from opsroom.commands.command import Command


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
