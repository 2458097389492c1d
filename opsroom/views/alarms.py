"""The rows of alarms."""

from __future__ import annotations

from opsroom.views.view import View


class ClimbView(View, frozen=True, kw_only=True):
    """One rung that an alarm climbed: from which unit to which, when and why (expired or called early)."""

    source: str
    target: str
    at: float
    reason: str
    words: str = ""


class AlarmView(View, frozen=True, kw_only=True):
    """One alarm, with its owner, where it stands, and the clock that runs there.

    `state` (ISA-18.2): unacknowledged, acknowledged, returned (recovered, not acknowledged), recovered (and acknowledged,
    held for the hysteresis), shelved, suppressed, closed.
    `kind` is step, slope or silence; `direction` is up or down. `at_unit` is the unit at which it stands now and
    `deadline` the moment at which it climbs; `arrived` says that the council may move on it.
    """

    id: str
    signal: str
    unit: str
    title: str
    kind: str
    direction: str
    state: str
    sentence: str
    probability: float
    size: float | None
    uom: str
    since: float | None
    opened_at: float
    at_unit: str
    at_level: str
    clock_s: float
    deadline: float | None
    climbs: tuple[ClimbView, ...] = ()
    arrived: bool = False
    acknowledged_by: str = ""
    shelved_until: float | None = None
    shelved_reason: str = ""
    recovered_at: float | None = None
    closed_at: float | None = None
    normal_low: float | None = None
    normal_high: float | None = None
    motion: str = ""
    probability_words: str = ""
    suspected_at: float | None = None
    named_at: float | None = None
