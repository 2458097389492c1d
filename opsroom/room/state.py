"""The state of the room, frozen: plants, agreements, alarms, stops, motions and orders, and every clock that runs among them.

Only `room.evolve` makes a new state out of an old one, by events alone. What is over stays in memory for the last
`REMEMBERED` of its kind (the journal keeps all); a thing's clocks follow from its fields (`clocks`), so none can be forgotten.
"""

from __future__ import annotations

from typing import Literal, TypeVar

import msgspec
from immutables import Map

from opsroom.alarms.deadlines import Deadlines, Due
from opsroom.alarms.life import Life
from opsroom.alarms.rationale import Rationale
from opsroom.alarms.records import Group, LaidOut, RationaleProposal, TimeRequest
from opsroom.council.library import Library
from opsroom.council.motion import Foretold, Motion, OrderRecord, Substitute
from opsroom.council.options import Record
from opsroom.notices.record import NoticeRecord
from opsroom.recursion.flow import FlowGraph
from opsroom.recursion.pacts import Accord, Grant, Offer, Pact, Probe, Request, TurnedDown, Versions
from opsroom.recursion.recursion import Agreement, Charter, Tree
from opsroom.recursion.variety import Counts
from opsroom.room.events import Deviation, HandRaised
from opsroom.room.thing import Thing
from opsroom.shift.entry import LogEntry
from telex_ingest.telex import OrderBirth, SignalBirth

REMEMBERED = 500
"""How many closed alarms, closed motions, finished orders and past stops the room keeps in memory, each."""

KEYS_REMEMBERED = 1024
"""How many idempotency keys the room remembers."""


class Plant(msgspec.Struct, frozen=True, kw_only=True):
    """A plant as its last birth declared it; `left` is its farewell, if it said one."""

    id: str
    title: str
    version: int
    link: str
    signals: tuple[SignalBirth, ...]
    orders: Map[str, OrderBirth]
    joined_at: float
    left: str | None = None
    unusable: tuple[OrderBirth, ...] = ()


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """A signal: its birth and the agreement that stands."""

    key: str
    plant: str
    birth: SignalBirth
    agreement: Agreement


class Climb(msgspec.Struct, frozen=True, kw_only=True):
    """One rung that an alarm climbed."""

    source: str
    target: str
    at: float
    reason: str
    words: str = ""


class Alarm(Thing, frozen=True, kw_only=True):
    """One alarm. `life` says where it stands in the table of states; what is told beside it are the facts.

    `deadline` is when it climbs from `at_unit`, kept while it is recovered; `left_s` is what is left of its clock while it is
    quiet. `waits` names the origin of its `group` for which it waits with its time run out; `apart` are alarms from which
    somebody has split it. `asked` is more time that its unit asked for, `extended` how often it was given some there. `told` says
    whether a channel outside the wall has taken a notice of it, and whether those who were told know that it is back. `spread`
    is the standard deviation of normal readings, frozen at opening; `by_interval` says that it is (also) its interval that
    recovers it. `began` is the naming that tells when it began, where the newest tells of a later change.
    """

    signal: str
    unit: str
    deviation: Deviation
    began: Deviation | None = None
    opened_at: float
    at_unit: str
    arrived_at: float
    clock_s: float
    deadline: float | None
    normal_low: float | None
    normal_high: float | None
    spread: float | None = None
    by_interval: bool = True
    readings_to_recover: int
    hysteresis_s: float
    climbs: tuple[Climb, ...] = ()
    acknowledged_by: str = ""
    acknowledged_at: float | None = None
    shelved_until: float | None = None
    shelved_reason: str = ""
    stop: str = ""
    left_s: float | None = None
    recovered_at: float | None = None
    closed_at: float | None = None
    closed_reason: str = ""
    reminders: int = 0
    motions: tuple[str, ...] = ()
    life: Life = Life(condition="unacknowledged")
    latched: bool = False
    priority: str = ""
    service: str = ""
    group: str = ""
    waits: str = ""
    apart: tuple[str, ...] = ()
    asked: TimeRequest | None = None
    extended: int = 0
    notice: str = ""
    told: Literal["", "told", "back"] = ""

    def clocks(self) -> tuple[Due, ...]:
        """Climb, come off the shelf, close after the hysteresis once acknowledged (and reset, where it latches), be told back."""
        life = self.life
        if self.closed_at is not None:
            return ()
        running = []
        if self.shelved_until is not None:
            running.append(Due(self.shelved_until, "unshelve", self.id))
        if self.recovered_at is not None:
            if life.condition == "recovered" or (life.quiet and not life.latches):
                running.append(Due(self.recovered_at + self.hysteresis_s, "settle", self.id))
            if self.told == "told":
                running.append(Due(self.recovered_at + self.hysteresis_s, "tell-back", self.id))
        elif self.deadline is not None and not life.quiet and not self.waits:
            running.append(Due(self.deadline, "climb", self.id))
        return tuple(running)

    def over(self) -> bool:
        """Closed."""
        return self.closed_at is not None


class Stop(Thing, frozen=True, kw_only=True):
    """A planned stop; `state` is planned, running, over or cancelled; suppression holds until `end + grace_s`."""

    unit: str
    start: float
    end: float
    reason: str
    every_s: float
    grace_s: float
    planned_at: float
    planned_by: str
    state: Literal["planned", "running", "over", "cancelled"] = "planned"

    def clocks(self) -> tuple[Due, ...]:
        """Begin; end, when the grace is over too."""
        if self.state == "planned":
            return (Due(self.start, "begin-stop", self.id),)
        if self.state == "running":
            return (Due(self.end + self.grace_s, "end-stop", self.id),)
        return ()

    def over(self) -> bool:
        """Past or taken back."""
        return self.state in ("over", "cancelled")


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """Proposed terms for a signal that wait for the other side."""

    id: str
    signal: str
    side: Literal["unit", "room"]
    by: str
    terms: Agreement
    reason: str
    at: float


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """The last answered commands: (account, key) -> the ids that they made, in order of coming."""

    made: Map[tuple[str, str], tuple[str, ...]] = Map()
    order: tuple[tuple[str, str], ...] = ()

    def with_made(self, account: str, key: str, ids: tuple[str, ...]) -> Memory:
        """Remember what a command made; the oldest beyond `KEYS_REMEMBERED` is forgotten."""
        slot = (account, key)
        if slot in self.made:
            return Memory(made=self.made.set(slot, (*self.made[slot], *ids)), order=self.order)
        made, order = self.made.set(slot, ids), (*self.order, slot)
        if len(order) > KEYS_REMEMBERED:
            made, order = made.delete(order[0]), order[1:]
        return Memory(made=made, order=order)


T = TypeVar("T", bound=Thing)


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the room knows of its own: a fold of events.

    `standing` is the alarm of each signal (or, for silence, of each plant) that is open or closed last; `running` are the
    planned stops that are; `past` holds the ids of what is over, by kind, oldest first. `schemas` are the parameter schemas (as
    JSON) that were found sound once: checking one takes milliseconds, and a thousand plants declare the same. `granted` are the
    grants of each plant that are not over; `versions` what each agreement was, `turned_down` by unit the figures that it was not
    to be; `graph` follows from the charter, and `variety` counts exceptions. `laid_out` names
    by signal what is out of service, `rationales` by pattern and kind what was agreed that alarms mean, `shifts` when
    which account took which unit's shift over. `foretold` are the forecasts that wait or were scored, `records` how each
    kind of them did, `library` what each kind of order did before.
    """

    id: str
    charter: Charter
    founded: bool
    tree: Tree
    plants: Map[str, Plant] = Map()
    schemas: Map[bytes, bool] = Map()
    signals: Map[str, Signal] = Map()
    alarms: Map[str, Alarm] = Map()
    standing: Map[str, str] = Map()
    stops: Map[str, Stop] = Map()
    running: tuple[str, ...] = ()
    proposals: Map[str, Proposal] = Map()
    motions: Map[str, Motion] = Map()
    orders: Map[str, OrderRecord] = Map()
    held: str | None = None
    foretold: Map[str, Foretold] = Map()
    library: Library = Map()
    records: Map[str, Record] = Map()
    endings: Map[str, int] = Map()
    raised: HandRaised | None = None
    substitutes: Map[int, Substitute] = Map()
    counts: Map[str, int] = Map()
    services: Map[str, LaidOut] = Map()
    laid_out: Map[str, str] = Map()
    groups: Map[str, Group] = Map()
    rationales: Map[tuple[str, str], Rationale] = Map()
    asked_rationales: Map[str, RationaleProposal] = Map()
    notices: Map[str, NoticeRecord] = Map()
    log: Map[str, LogEntry] = Map()
    shifts: Map[tuple[str, str], float] = Map()
    due: Deadlines = Deadlines()
    past: Map[str, tuple[str, ...]] = Map()
    memory: Memory = Memory()
    graph: FlowGraph = FlowGraph()
    grants: Map[str, Grant] = Map()
    granted: Map[str, tuple[str, ...]] = Map()
    requests: Map[str, Request] = Map()
    offers: Map[str, Offer] = Map()
    pacts: Map[str, Pact] = Map()
    accords: Map[str, Accord] = Map()
    probes: Map[str, Probe] = Map()
    versions: Versions = Map()
    turned_down: Map[str, tuple[TurnedDown, ...]] = Map()
    variety: Counts = Map()

    def next_id(self, noun: str, ahead: int = 1) -> str:
        """The id that the next alarm, motion, order, stop or proposal gets; ids follow from the room's own counts."""
        return f"{noun}-{self.counts.get(noun, 0) + ahead}"

    @property
    def council(self) -> str:
        """The unit where the council sits; the root when the charter names none that exists."""
        return self.charter.council.unit if self.charter.council.unit in self.tree.units else self.tree.root


Kept = Literal[
    "alarms",
    "stops",
    "motions",
    "orders",
    "foretold",
    "grants",
    "requests",
    "offers",
    "accords",
    "probes",
    "services",
    "groups",
    "notices",
]
"""The maps of a room that hold things."""


def put(room: Room, kept: Kept, thing: Thing) -> Room:
    """Give the room with a thing put in; its clocks follow, and the oldest of its kind that is over is forgotten."""
    things: Map[str, Thing] = getattr(room, kept)
    old = things.get(thing.id)
    due = room.due.changed(old.clocks() if old is not None else (), thing.clocks())
    things = things.set(thing.id, thing)
    past = room.past.get(kept, ())
    was_over = old is not None and old.over()
    if thing.over() == was_over:
        return msgspec.structs.replace(room, due=due, **{kept: things})
    past = (*past, thing.id) if thing.over() else tuple(other for other in past if other != thing.id)
    if len(past) > REMEMBERED:
        things, past = things.delete(past[0]), past[1:]
    return msgspec.structs.replace(room, due=due, past=room.past.set(kept, past), **{kept: things})


def count(room: Room, noun: str) -> Room:
    """Give the room with one more of a noun counted, so that the next one gets the next id."""
    return msgspec.structs.replace(room, counts=room.counts.set(noun, room.counts.get(noun, 0) + 1))
