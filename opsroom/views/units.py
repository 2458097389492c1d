"""The rows of units and their signals: the tree, agreements, planned stops, the alarm budget."""

from __future__ import annotations

from opsroom.views.view import View


class UnitView(View, frozen=True, kw_only=True):
    """One unit of the recursion: where it stands in the tree, its state in a word, its triple vector (0..1 or more).

    `state` is one of calm, suspected, alarm, called (an alarm of a unit below has climbed here), silent, stopped, unknown.
    """

    id: str
    title: str
    level: str
    parent: str
    children: tuple[str, ...] = ()
    state: str = "unknown"
    productivity: float | None = None
    latency: float | None = None
    performance: float | None = None
    alarms: int = 0
    signals: int = 0
    last_at: float | None = None


class SignalView(View, frozen=True, kw_only=True):
    """One signal: agreement, last reading, the filter's word for it, and its last points.

    `recent` holds `[at, value or null, low, high]`, oldest first; low..high is the 90 % forecast made before the reading.
    `named` is the filter's word; `p` the probabilities now of steady, transient, step, slope. `ground` says why the viewer may
    look at the readings: own, index, or grant (`grant` names it); when it is empty they stay at home, and words alone are told.
    """

    key: str
    unit: str
    name: str
    title: str
    uom: str
    good: str
    period_s: float
    capability: float | None = None
    potentiality: float | None = None
    recovery_s: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    value: float | None = None
    at: float | None = None
    named: str = "not_yet"
    since: float | None = None
    p: tuple[float, float, float, float] | None = None
    level: float | None = None
    productivity: float | None = None
    over_capability: bool = False
    state: str = "unknown"
    recent: tuple[tuple[float, float | None, float | None, float | None], ...] = ()
    ground: str = "own"
    grant: str = ""


class StopView(View, frozen=True, kw_only=True):
    """A planned stop of a unit, epoch seconds UTC."""

    id: str
    unit: str
    start: float
    end: float
    reason: str


class ProposalView(View, frozen=True, kw_only=True):
    """A proposed agreement that waits for the other side's answer; `side` says who proposed, "unit" or "room".

    On a unit's page those too that were refused or not answered in time: then `answer` says why, `answered_by` who said it.
    """

    id: str
    signal: str
    by: str
    capability: float | None
    potentiality: float | None
    recovery_s: float | None
    reason: str
    at: float
    side: str = ""
    normal_low: float | None = None
    normal_high: float | None = None
    answered_at: float | None = None
    answered_by: str = ""
    answer: str = ""


class BudgetView(View, frozen=True, kw_only=True):
    """The alarm budget of a unit (or of the unit where a seat sits) and what of it was spent in the last day.

    `learning` signals have no tail of their own yet, from a calibration or from their readings here.
    """

    unit: str
    seat: int
    episodes_a_day: float
    spent: int
    signals: int
    learning: int
