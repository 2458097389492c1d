"""What a screen asks of the room: plain frozen rows, and the two messages of the `/watch` websocket.

A view is made for a viewer: `scope` decides what is in it, and a sealed ballot is in none. Times are epoch seconds UTC on
the room's clock. Views are JSON as they stand (msgspec): the browser and REST read the same rows.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from opsroom.line_views import LineBook as LineBook
from opsroom.line_views import LineRequest as LineRequest
from opsroom.line_views import LineView as LineView


class View(msgspec.Struct, frozen=True, kw_only=True):
    """The root of all rows that a screen can show."""


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
    `named` is the filter's word; `p` the probabilities now of steady, transient, step, slope.
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


class StatementView(View, frozen=True, kw_only=True):
    """Something a seat said on a motion."""

    seat: int
    occupant: str
    stance: str
    text: str
    at: float


class BallotView(View, frozen=True, kw_only=True):
    """One seat's ballot with its reason.

    While the motion is open, another seat's ballot stands with the choice `sealed` and no reason: that it was cast, not how.
    """

    seat: int
    occupant: str
    choice: str
    reason: str
    at: float


class TallyView(View, frozen=True, kw_only=True):
    """The count: votes, seats that leave the denominator, quorum and what is needed to carry.

    While the motion is open only `present` (how many seats have voted) and `quorum` are told.
    """

    yes: int = 0
    no: int = 0
    abstain: int = 0
    recused: int = 0
    quorum: int = 4
    present: int = 0
    needed: int = 1


class AttributionView(View, frozen=True, kw_only=True):
    """Whether the order may be called the cause: `word` is told, none or cannot_tell, `said` the sentence for people.

    `mean`, `low`, `high` is the effect with its 95 % interval over `after` readings, in the signal's unit; `sisters` are
    signals that nobody touched, `disturbed` those that changed at the same time; `band` what would have come without the
    order, as `[at, mean, low, high]`.
    """

    word: str
    said: str
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    before: int = 0
    after: int = 0
    dates: int = 0
    false_dates: int = 0
    sisters: tuple[str, ...] = ()
    disturbed: tuple[str, ...] = ()
    band: tuple[tuple[float, float, float, float], ...] = ()


class EffectView(View, frozen=True, kw_only=True):
    """What an order did, as the filter saw it: before, after, and what it had forecast without the order."""

    signal: str
    before: float | None = None
    after: float | None = None
    expected_without: float | None = None
    expected_low: float | None = None
    expected_high: float | None = None
    change: float | None = None
    recovered_at: float | None = None
    measured_at: float | None = None
    final: bool = False
    attribution: AttributionView | None = None


class MotionView(View, frozen=True, kw_only=True):
    """One motion with its frozen evidence, statements, ballots, tally, order and effect.

    `state` is open, carried, lost, expired or withdrawn. `evidence` holds plain JSON: `readings` as
    `[at, value, low, high]`, `verdict` (words and probabilities), `level`, `slope`, `forecast` as `[at, mean, low, high]`.
    """

    id: str
    title: str
    alarm: str
    signal: str
    plant: str
    order_name: str
    order_title: str
    parameters: dict[str, Any]
    opened_by: int
    opened_at: float
    deadline: float
    state: str
    statements: tuple[StatementView, ...] = ()
    ballots: tuple[BallotView, ...] = ()
    tally: TallyView = TallyView()
    closed_at: float | None = None
    closed_reason: str = ""
    last_call: bool = False
    order: str = ""
    effect: EffectView | None = None
    evidence: dict[str, Any] = {}


class OrderView(View, frozen=True, kw_only=True):
    """One order: `state` is held, issued, accepted, refused, done, revoked or expired, with the plant's reason."""

    id: str
    motion: str
    plant: str
    name: str
    title: str
    parameters: dict[str, Any]
    state: str
    issued_at: float
    expires_at: float
    reason: str = ""
    changed_at: float | None = None


class OrderChoice(View, frozen=True, kw_only=True):
    """An order that a plant declared, so that a seat can only propose what a plant said it can do."""

    plant: str
    name: str
    title: str
    parameters: dict[str, Any]
    danger: str
    effects: tuple[dict[str, Any], ...] = ()


class SeatView(View, frozen=True, kw_only=True):
    """One of the seven seats: who occupies it and whether somebody is logged in there."""

    seat: int
    occupant: str
    present: bool = False


class StopView(View, frozen=True, kw_only=True):
    """A planned stop of a unit, epoch seconds UTC."""

    id: str
    unit: str
    start: float
    end: float
    reason: str


class ProposalView(View, frozen=True, kw_only=True):
    """A proposed agreement that waits for the other side's answer; `side` says who proposed, "unit" or "room"."""

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


class TickerLine(View, frozen=True, kw_only=True):
    """One line of the telex ticker: `kind` is telex, alarm, council, order, receipt or line."""

    at: float
    kind: str
    unit: str
    text: str


class Viewer(View, frozen=True, kw_only=True):
    """For whom a view is made: role, and the unit or seat of the session."""

    role: Literal["viewer", "unit", "operator", "seat"]
    unit: str = ""
    seat: int = 0
    occupant: str = ""


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


class Snapshot(View, frozen=True, kw_only=True, tag="snapshot", tag_field="type"):
    """Everything that a screen needs to start or to start again; `n` numbers the deltas that follow.

    `signals` are those of the unit in focus and its plants (never more than `SIGNALS_SHOWN`); all units are listed.
    """

    n: int
    room: str
    now: float
    speed: float
    council: str
    focus: str
    held: bool
    viewer: Viewer
    units: tuple[UnitView, ...]
    signals: tuple[SignalView, ...]
    alarms: tuple[AlarmView, ...]
    motions: tuple[MotionView, ...]
    orders: tuple[OrderView, ...]
    choices: tuple[OrderChoice, ...]
    seats: tuple[SeatView, ...]
    stops: tuple[StopView, ...]
    proposals: tuple[ProposalView, ...]
    ticker: tuple[TickerLine, ...]
    line: LineView
    budgets: tuple[BudgetView, ...] = ()


SIGNALS_SHOWN = 48
"""The most signals that one wall draws at once."""

POINTS_SHOWN = 120
"""The points of a sparkline."""


class Point(View, frozen=True, kw_only=True, array_like=True):
    """The newest reading of one signal in focus; on the wire a list in this order."""

    key: str
    at: float
    value: float | None
    low: float | None
    high: float | None
    named: str
    p: tuple[float, float, float, float] | None
    level: float | None
    state: str


class Delta(View, frozen=True, kw_only=True, tag="delta", tag_field="type", omit_defaults=True):
    """What changed since message `n - 1`: rows replace rows of the same id, `ticker` lines are appended.

    A reader that sees a gap in `n` asks for a snapshot by sending `{"resume": true}`.
    """

    n: int
    now: float
    points: tuple[Point, ...] = ()
    units: tuple[UnitView, ...] = ()
    alarms: tuple[AlarmView, ...] = ()
    motions: tuple[MotionView, ...] = ()
    orders: tuple[OrderView, ...] = ()
    choices: tuple[OrderChoice, ...] | None = None
    seats: tuple[SeatView, ...] = ()
    stops: tuple[StopView, ...] | None = None
    proposals: tuple[ProposalView, ...] | None = None
    ticker: tuple[TickerLine, ...] = ()
    line: LineView | None = None
    book: LineBook | None = None
    held: bool | None = None


class WatchRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a screen may say on `/watch`: its unit in focus, that it wants a fresh snapshot, or its page of the line."""

    focus: str = ""
    resume: bool = False
    line: LineRequest | None = None


class Answer(View, frozen=True, kw_only=True):
    """The room's answer to one command: done with the ids that it made, or refused with reason and cure."""

    ok: bool
    key: str = ""
    made: tuple[str, ...] = ()
    code: str = ""
    reason: str = ""
    cure: str = ""
