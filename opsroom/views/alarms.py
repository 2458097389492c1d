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


class MeaningView(View, frozen=True, kw_only=True):
    """What an alarm means: for which signals and kind, what comes of it, what you would do, within how long, whose task it is."""

    signal: str
    kind: str
    consequence: str
    means: str
    response: str
    respond_s: float
    owner: str
    priority: str
    latched: bool = False
    agreed: bool = False


class MeaningProposalView(View, frozen=True, kw_only=True):
    """A proposed record of what an alarm means; `side` says who proposed, "unit" or "room"."""

    id: str
    record: MeaningView
    side: str
    by: str
    reason: str
    at: float


class MeaningsView(View, frozen=True, kw_only=True):
    """Every record, those that are proposed, and the signals of which nobody has said what their alarms mean."""

    records: tuple[MeaningView, ...]
    proposals: tuple[MeaningProposalView, ...]
    unwritten: tuple[str, ...]


class CandidateView(View, frozen=True, kw_only=True):
    """One alarm of a group weighed as the origin: its share of the belief, how many others it explains, and how."""

    alarm: str
    title: str
    share: float
    explains: int
    why: str


class GroupView(View, frozen=True, kw_only=True):
    """Alarms of one cause: the likeliest origin, why, every member with its title, and the candidates that were weighed."""

    id: str
    origin: str
    members: tuple[str, ...]
    titles: tuple[str, ...]
    sentence: str
    candidates: tuple[CandidateView, ...]
    since: float
    fixed_by: str = ""
    ended_at: float | None = None


class ServiceView(View, frozen=True, kw_only=True):
    """A signal whose alarms are out of service: why, by whom, until when or when somebody looks at it again."""

    id: str
    signal: str
    title: str
    reason: str
    by: str
    since: float
    next_at: float
    returns: bool
    reviews: int


class DeliveryView(View, frozen=True, kw_only=True):
    """One channel of one turn: taken, waiting, or the trouble with it."""

    turn: int
    who: str
    channel: str
    state: str
    reason: str = ""


class NoticeView(View, frozen=True, kw_only=True):
    """One notice outside the wall, that of an alarm or that it is `back`; `key` is the same in every copy. `state` is waiting,
    told, seen or over."""

    id: str
    alarm: str
    key: str
    unit: str
    priority: str
    title: str
    raised_at: float
    state: str
    next_at: float | None
    deliveries: tuple[DeliveryView, ...]
    seen_by: str = ""
    ended_reason: str = ""
    back: bool = False


class AlarmView(View, frozen=True, kw_only=True):
    """One alarm, with its owner, where it stands, and the clock that runs there.

    `state` (ISA-18.2): unacknowledged, acknowledged, returned (recovered, not acknowledged), recovered (and acknowledged,
    held for the hysteresis), latched and latched-acknowledged (back, and waiting for a reset), shelved, suppressed,
    out-of-service, closed.
    `kind` is step, slope or silence; `direction` is up or down. `at_unit` is the unit at which it stands now and
    `deadline` the moment at which it climbs; `arrived` says that the council may move on it. `origin` is the alarm with which its
    cause began (its own id when that is it), `why` says so in a sentence; `followers` are those that follow it, `waits` that its
    own time is over and the origin climbs for it. `asked_of` is the unit of which more time is asked; `told` what became of
    its notice outside the wall.
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
    priority: str = ""
    latched: bool = False
    meaning: MeaningView | None = None
    group: str = ""
    origin: str = ""
    origin_title: str = ""
    followers: tuple[str, ...] = ()
    why: str = ""
    waits: bool = False
    asked_of: str = ""
    asked_s: float | None = None
    asked_reason: str = ""
    service: str = ""
    told: str = ""
