"""What may be asked about agreements."""

from __future__ import annotations

from opsroom.commands.command import Command


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
