"""The figures of one signal's agreement, as somebody proposes them: directly, or as what a motion would change."""

from __future__ import annotations

import msgspec


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Other figures for the agreement of one signal ("plant/name"); a field that is `None` stays as it is.

    `recovery_s` is the plant's own time; `normal_low..normal_high` is a newly agreed interval of recovery.
    """

    signal: str
    capability: float | None = None
    potentiality: float | None = None
    recovery_s: float | None = None
    normal_low: float | None = None
    normal_high: float | None = None
