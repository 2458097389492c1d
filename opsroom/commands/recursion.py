"""What may be asked about agreements, who may look at readings, accords of siblings, probes."""

from __future__ import annotations

from typing import Literal

from opsroom.commands.command import Command
from opsroom.commands.figures import Figures


class ProposeAgreement(Command, Figures, frozen=True, kw_only=True, tag="propose-agreement"):
    """Propose a new agreement for one signal; it changes only when the other side accepts."""

    reason: str = ""


class AnswerAgreement(Command, frozen=True, kw_only=True, tag="answer-agreement"):
    """Accept or refuse a proposed agreement, with a reason."""

    proposal: str
    accept: bool
    reason: str = ""


class GrantSight(Command, frozen=True, kw_only=True, tag="grant-sight"):
    """A unit's own people let others look at its readings: `signals` (none means all), `to` which unit (the top is the room).

    `until` is epoch seconds UTC; without it the grant holds until it is revoked.
    """

    to: str
    purpose: str
    signals: tuple[str, ...] = ()
    until: float | None = None


class RevokeGrant(Command, frozen=True, kw_only=True, tag="revoke-grant"):
    """A unit's own people take a grant back, at once."""

    grant: str
    reason: str = ""


class AskForSight(Command, frozen=True, kw_only=True, tag="ask-for-sight"):
    """Ask a plant to let one look at its readings: nothing can be seen before it accepts."""

    unit: str
    purpose: str
    signals: tuple[str, ...] = ()
    until: float | None = None


class ProposeOrders(Command, frozen=True, kw_only=True, tag="propose-orders"):
    """Propose which of the orders that a plant declared it does not accept; it changes only when the other side accepts."""

    unit: str
    declines: tuple[str, ...] = ()
    reason: str = ""


class AnswerRequest(Command, frozen=True, kw_only=True, tag="answer-request"):
    """Accept or refuse what the other side asked: to look at readings, or which orders are accepted."""

    request: str
    accept: bool
    reason: str = ""


class ProposeAccord(Command, frozen=True, kw_only=True, tag="propose-accord"):
    """Propose that units of one level help each other until a moment (epoch seconds UTC): share power, lend stock, and so on."""

    parties: tuple[str, ...]
    subject: Literal["power", "shifts", "stock", "transport", "other"]
    words: str
    until: float


class AnswerAccord(Command, frozen=True, kw_only=True, tag="answer-accord"):
    """A party's own people accept or refuse an accord."""

    accord: str
    accept: bool
    reason: str = ""


class EndAccord(Command, frozen=True, kw_only=True, tag="end-accord"):
    """A party leaves an accord before its time, with a reason: it is over for all."""

    accord: str
    reason: str


class AskProbe(Command, frozen=True, kw_only=True, tag="ask-probe"):
    """Ask a plant for a raw sample of one signal from `start` to `end` (epoch seconds of source time); it is told at once."""

    signal: str
    start: float
    end: float
    purpose: str
