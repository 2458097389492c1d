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


class ProposedOption(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One way to answer: orders to one or several plants; `supersedes` names earlier orders that it would end."""

    title: str
    orders: tuple[ProposedOrder, ...]
    supersedes: tuple[str, ...] = ()


class OpenMotion(Command, frozen=True, kw_only=True, tag="open-motion"):
    """Move on alarms that have arrived at the council with up to three options; the evidence is frozen by the room.

    The room adds two options of its own: give the unit more time (`more_time_s` seconds, or once more the time of the
    level where the first alarm stands), and do nothing.
    """

    alarms: tuple[str, ...]
    title: str
    options: tuple[ProposedOption, ...] = ()
    more_time_s: float | None = None


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
