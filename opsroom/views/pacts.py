"""The rows of a unit's page: its flowchart, agreements with their history, grants and looks, accords, probes, variety."""

from __future__ import annotations

from opsroom.views.units import ProposalView
from opsroom.views.view import View


class PartView(View, frozen=True, kw_only=True):
    """One box: what it does and could do, in its own unit; `gain` is its elasticity, `held_back` what the whole lacks by it.

    `index` is what it does of what it can. `does` and `gives` are told to those who may look at its readings.
    """

    part: str
    title: str
    uom: str
    worth: float
    does: float | None = None
    capability: float | None = None
    potentiality: float | None = None
    gives: float | None = None
    index: float | None = None
    gain: float = 0.0
    held_back: float = 0.0
    missing: bool = False
    unit: str = ""


class FlowView(View, frozen=True, kw_only=True):
    """One line: `amount` flows now, `could` when all do what they can, in the source's unit; `stock` lies between.

    Amounts and stocks are told to those who may look at the readings of the source, and of the stock.
    """

    source: str
    target: str
    product: str
    per: float
    share: float | None = None
    stock: str = ""
    stock_level: float | None = None
    amount: float | None = None
    could: float = 0.0


class ChartView(View, frozen=True, kw_only=True):
    """A unit's flowchart now: the whole in its measure, its triple vector, who decides (`bottleneck`) and who holds it back."""

    unit: str
    title: str
    measure: str
    key: str
    value: float | None
    low: float
    high: float
    missing: tuple[str, ...]
    rule: str
    capability: float | None
    potentiality: float | None
    productivity: float | None
    latency: float | None
    performance: float | None
    parts: tuple[PartView, ...]
    flows: tuple[FlowView, ...]
    bottleneck: str
    holds_back: str
    horizon_s: float
    period_s: float


class AgreementView(View, frozen=True, kw_only=True):
    """What a plant and the room have agreed about one signal now."""

    signal: str
    title: str
    uom: str
    version: int
    capability: float | None
    potentiality: float | None
    recovery_s: float | None
    normal_low: float | None
    normal_high: float | None
    agreed_by: str
    agreed_at: float


class VersionView(View, frozen=True, kw_only=True):
    """One version of an agreement, of a signal or (`declines`) of the orders of a plant."""

    of: str
    version: int
    agreed_by: str
    agreed_at: float
    reason: str = ""
    capability: float | None = None
    potentiality: float | None = None
    recovery_s: float | None = None
    normal_low: float | None = None
    normal_high: float | None = None
    declines: tuple[str, ...] = ()


class GrantView(View, frozen=True, kw_only=True):
    """Who may look at a plant's readings: `signals` (none means all), `to` a unit (the top is the room), why, until when."""

    id: str
    unit: str
    signals: tuple[str, ...]
    to: str
    to_title: str
    purpose: str
    until: float | None
    made_at: float
    made_by: str
    ended_at: float | None = None
    ended_reason: str = ""


class RequestView(View, frozen=True, kw_only=True):
    """Something that one side asked the other: `about` is sight or orders; `until` ends the looking, `answer_until` answering.

    `diff` compares the orders that are accepted now with those that would be, word by word (see `AmendmentView`).
    """

    id: str
    unit: str
    side: str
    about: str
    asked_by: str
    asked_at: float
    reason: str = ""
    signals: tuple[str, ...] = ()
    to: str = ""
    to_title: str = ""
    until: float | None = None
    declines: tuple[str, ...] = ()
    diff: tuple[tuple[str, str], ...] = ()
    answer_until: float | None = None
    answered_at: float | None = None
    accepted: bool = False
    answer: str = ""
    answered_by: str = ""


class ConsentView(View, frozen=True, kw_only=True):
    """A party's word."""

    unit: str
    by: str
    at: float
    reason: str = ""


class AccordView(View, frozen=True, kw_only=True):
    """An accord of units of one level: `state` is proposed, in-force, refused or ended."""

    id: str
    parties: tuple[str, ...]
    titles: tuple[str, ...]
    subject: str
    words: str
    until: float
    state: str
    proposed_by: str
    proposed_at: float
    source: str = ""
    alarms: tuple[str, ...] = ()
    consents: tuple[ConsentView, ...] = ()
    waits_for: tuple[str, ...] = ()
    ended_at: float | None = None
    ended_reason: str = ""


class ProbeView(View, frozen=True, kw_only=True):
    """A raw sample that the room asked of a plant."""

    id: str
    signal: str
    start: float
    end: float
    purpose: str
    asked_by: str
    asked_at: float
    until: float
    closed: bool


class LookView(View, frozen=True, kw_only=True):
    """Somebody's look at readings: by which door, allowed by which grant or probe, for what, which signals, how often."""

    account: str
    occupant: str
    door: str
    ground: str
    purpose: str
    signals: tuple[str, ...]
    first_at: float
    last_at: float
    times: int


class VarietyView(View, frozen=True, kw_only=True):
    """What a unit took in: readings absorbed, exceptions that came up to it and went on; since the start and in the last day."""

    unit: str
    title: str
    level: str
    readings: int
    readings_day: int
    came: int
    came_day: int
    went: int
    went_day: int


class UnitPage(View, frozen=True, kw_only=True):
    """Everything on a unit's page; `looks` are told to its own people alone. `own` says that the viewer is one of them.

    `turned_down` are proposals that the other side refused or did not answer in time, the newest first.
    """

    unit: str
    title: str
    level: str
    parent: str
    now: float
    own: bool
    plant: bool
    chart: ChartView | None
    variety: VarietyView | None
    agreements: tuple[AgreementView, ...]
    versions: tuple[VersionView, ...]
    proposals: tuple[ProposalView, ...]
    requests: tuple[RequestView, ...]
    orders: tuple[str, ...]
    declines: tuple[str, ...]
    grants: tuple[GrantView, ...]
    looks: tuple[LookView, ...] | None
    accords: tuple[AccordView, ...]
    probes: tuple[ProbeView, ...]
    siblings: tuple[str, ...]
    above: tuple[str, ...]
    turned_down: tuple[ProposalView, ...] = ()
