"""What a seat may ask of the council."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from opsroom.commands.command import Command
from opsroom.commands.figures import Figures


class ProposedOrder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One of the orders that a plant declared, with parameters that fit its schema."""

    plant: str
    name: str
    parameters: dict[str, Any] = {}


class ProposedFigures(
    Figures, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, tag_field="about", tag="figures"
):  # fmt: skip
    """Other figures that an option would propose for the agreement of one signal."""


class ProposedAcceptance(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, tag_field="about", tag="orders"
):  # fmt: skip
    """Which of the orders that a plant declared it would not accept any more; none means that it accepts all."""

    unit: str
    declines: tuple[str, ...] = ()


class ProposedSight(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, tag_field="about", tag="sight"
):  # fmt: skip
    """That the room may look at a plant's readings: `signals` (none means all), for a purpose, until a moment (epoch seconds)."""

    unit: str
    purpose: str
    signals: tuple[str, ...] = ()
    until: float | None = None


ProposedTerms = ProposedFigures | ProposedAcceptance | ProposedSight
"""A part of an agreement that an option would propose to a plant; the plant accepts it or refuses it, with a reason."""


class ProposedOption(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One way to answer: orders to one or several plants, other terms of their agreements, or both.

    `supersedes` names earlier orders that it would end.
    """

    title: str
    orders: tuple[ProposedOrder, ...] = ()
    supersedes: tuple[str, ...] = ()
    terms: tuple[ProposedTerms, ...] = ()


class OpenMotion(Command, frozen=True, kw_only=True, tag="open-motion"):
    """Move on alarms that have arrived at the council with up to three options; the evidence is frozen by the room.

    A motion whose options change agreements alone needs no alarm: it is about the first signal that they name.

    The room adds two options of its own: give the unit more time (`more_time_s` seconds, or once more the time of the
    level where the first alarm stands), and do nothing. `responsible` is the seat that looks after the outcome, the mover's
    own if left out.
    """

    title: str
    alarms: tuple[str, ...] = ()
    options: tuple[ProposedOption, ...] = ()
    more_time_s: float | None = None
    responsible: int = 0


class SecondMotion(Command, frozen=True, kw_only=True, tag="second-motion"):
    """Back another seat's motion: its time of deliberation and the first ballot begin."""

    motion: str


class Citation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a statement points at: readings of a signal from `start` to `end`, the verdict, the forecast, or another statement.

    `number` counts the statements of the motion from 1; `option` is the option whose forecast is meant.
    """

    kind: Literal["readings", "verdict", "forecast", "statement"]
    signal: str = ""
    start: float | None = None
    end: float | None = None
    option: str = ""
    number: int = 0


class Speak(Command, frozen=True, kw_only=True, tag="speak"):
    """Say something on an open motion: for it, against it, a question, or an answer; a plant concerned may speak as itself.

    `cites` points at evidence.
    """

    motion: str
    stance: Literal["for", "against", "question", "answer"]
    text: str
    cites: tuple[Citation, ...] = ()


class CastBallot(Command, frozen=True, kw_only=True, tag="cast-ballot"):
    """Vote in the round that runs, once, sealed until the round opens: the options that you agree to, the preferred one first.

    `objections` count by consent and need a reason; `abstain` names no option. `for_seat` is for a substitute: the seat for which
    it votes. Who votes comes from the session.
    """

    motion: str
    options: tuple[str, ...] = ()
    objections: tuple[str, ...] = ()
    abstain: bool = False
    reason: str = ""
    for_seat: int = 0

    def __repr__(self) -> str:
        return f"CastBallot(motion={self.motion!r}, sealed)"


class RecuseSeat(Command, frozen=True, kw_only=True, tag="recuse-seat"):
    """Step back from an open motion, with a reason that all see: the seat leaves the denominator."""

    motion: str
    reason: str


class NameSubstitute(Command, frozen=True, kw_only=True, tag="name-substitute"):
    """Name another seat to vote in your place for `minutes`; 0 as substitute takes it back."""

    substitute: int
    minutes: float = 1440.0
    reason: str = ""


class AmendMotion(Command, frozen=True, kw_only=True, tag="amend-motion"):
    """Propose another wording or other orders for one option of an open motion, with a reason."""

    motion: str
    option: str
    to: ProposedOption
    reason: str


class AnswerAmendment(Command, frozen=True, kw_only=True, tag="answer-amendment"):
    """Say openly whether you want an amendment: the mover's yes takes it over, else more than half of the seats decide."""

    motion: str
    amendment: str
    aye: bool


class WithdrawMotion(Command, frozen=True, kw_only=True, tag="withdraw-motion"):
    """Take one's own motion back before its ballots are counted."""

    motion: str
    reason: str = ""


class StateMinority(Command, frozen=True, kw_only=True, tag="state-minority"):
    """Put your dissent from a decided motion on record, within a day of the decision."""

    motion: str
    text: str


class ReviewMotion(Command, frozen=True, kw_only=True, tag="review-motion"):
    """Say what became of a carried motion."""

    motion: str
    text: str
