"""The viable-system tree: units of any depth, the clocks of their levels, agreements, and who owns a signal.

A plant is a leaf of the tree and owns its signals. Everything here is plain and frozen; `charter.py` reads `room.toml` into
a `Charter`, and the room turns the charter into its tree (`Tree`). Beer, *Brain of the Firm* (1981), ch. 16-20.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Literal

import msgspec
from immutables import Map

from opsroom.alarms.rationale import Priority, Rationale
from opsroom.notices.rota import NoticeRules
from opsroom.recursion.flow import FlowGraph
from opsroom.recursion.flowchart import Chart, Flow

Mode = Literal["majority", "two-thirds", "consent", "ranked"]
"""How the ballots on a motion are counted (`opsroom.council.counting`)."""

Good = Literal["up", "down", "none"]
"""Which way is good for a signal; `none` means that only staying is good."""


class Unit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One unit of the tree; `parent` is empty for the root.

    `clock_s` is the time in seconds that this unit has for an alarm that has come to it, before the alarm climbs to its
    parent; for a plant it is the recovery time of those signals whose agreement names none.
    """

    id: str
    title: str
    level: str
    parent: str = ""
    clock_s: float = 3600.0


class Agreement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a plant and the room have agreed about one signal, in the signal's unit; a field that is `None` is not agreed.

    `recovery_s` is the plant's own time to recover before the next level hears of an alarm. `normal_low..normal_high` is an
    agreed interval of recovery; without it the interval frozen when an alarm opened counts. `agreed_at` is epoch seconds UTC.
    """

    capability: float | None = None
    potentiality: float | None = None
    recovery_s: float | None = None
    normal_low: float | None = None
    normal_high: float | None = None
    version: int = 1
    agreed_by: str = "charter"
    agreed_at: float = 0.0


class AlarmRules(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The written numbers behind an alarm's life; times in seconds.

    `readings_to_recover`: readings in a row inside the interval before an alarm counts as recovered (and as many outside it
    before a recovered one counts as left again). `hysteresis_s`: how long after recovery the same signal's next deviation
    still belongs to the same alarm, and how long a recovered alarm waits before it closes. `shelve_max_s`: the longest shelf.
    `restart_grace_s`: how long after a planned stop its suppression still holds, so that a plant may start up.
    `stop_max_s`: the longest planned stop. `out_of_service_max_s`: the longest time for which alarms are taken out of service.
    `extension_max_s`: the most time that a unit may be given at once, `extensions` how often at one level. `group_window_s`: the
    time in which alarms along a flow may share a cause (0: alarms are never put together). `priority` is that of an alarm whose
    meaning nobody has written down. `only_logged` are kinds of trouble about instruments that open no alarm here.
    """

    readings_to_recover: int = 5
    hysteresis_s: float = 900.0
    shelve_max_s: float = 8 * 3600.0
    restart_grace_s: float = 600.0
    stop_max_s: float = 31 * 86400.0
    out_of_service_max_s: float = 31 * 86400.0
    extension_max_s: float = 4 * 3600.0
    extensions: int = 2
    group_window_s: float = 4 * 3600.0
    priority: Priority = "medium"
    only_logged: tuple[str, ...] = ()


class CouncilRules(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How the council decides; times in seconds.

    `unit` is where the council sits: it may move on an alarm that has arrived there (or at the root). A motion's deadline is
    the alarm's own deadline, but never sooner than `deliberation_min_s` nor later than `deliberation_max_s` from now. Once
    enough seats have voted that the rest cannot change the outcome, they have `last_call_s` left. An order is valid for
    `order_valid_s`; its effect is measured `review_s` after the plant took it (twice its declared delay if that is longer).

    `seconder` says whether a motion needs a second seat, "auto" where the quorum is three or more; nobody within `seconding_s`,
    and it is off the table. There are `rounds` of sealed ballots (1 or 2); when a quorum has voted in a round, the others have
    `last_call_s` left in it. `mode_...` says how ballots are counted, by what the motion is about. A plant has
    `agreement_valid_s` to answer what a motion proposed for its agreement. Two seats hold or release
    all orders within `hold_window_s` of each other. A seat opens `motions_a_seat` motions in `session_s` at most.
    """

    unit: str = ""
    quorum: int = 4
    deliberation_min_s: float = 300.0
    deliberation_max_s: float = 3600.0
    last_call_s: float = 300.0
    order_valid_s: float = 3600.0
    review_s: float = 3600.0
    open_motions: int = 12
    seconder: Literal["auto", "yes", "no"] = "auto"
    seconding_s: float = 1800.0
    rounds: int = 2
    mode_order: Mode = "majority"
    mode_choice: Mode = "ranked"
    mode_dangerous: Mode = "two-thirds"
    mode_time: Mode = "majority"
    mode_agreement: Mode = "majority"
    agreement_valid_s: float = 7 * 86_400.0
    hold_window_s: float = 600.0
    session_s: float = 28_800.0
    motions_a_seat: int = 8


class Seat(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One of the seven seats (1..7) and who occupies it."""

    seat: int
    occupant: str = ""


class CalendarStop(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A planned stop that the charter seeds: epoch seconds UTC; `every_s` > 0 repeats it (86400 daily, 604800 weekly)."""

    unit: str
    start: float
    end: float
    reason: str = ""
    every_s: float = 0.0


class Charter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The room's constitution as `room.toml` seeds it: tree, agreements by signal ("plant/signal"), rules, seats, calendar.

    `units` holds every unit, plants as leaves, each parent before its children; the first is the root. A plant that is born
    but is not in the tree hangs under the unit `unassigned` (the root when that is empty). `charts` are the units' flowcharts,
    `feeds` flows that are in no chart's sums. `readings` says who may look at a plant's readings until it says otherwise:
    at home its own people alone, or the room, which is a grant of the first birth that the plant can take back.
    """

    title: str = ""
    units: tuple[Unit, ...]
    agreements: dict[str, Agreement] = {}
    alarms: AlarmRules = AlarmRules()
    council: CouncilRules = CouncilRules()
    seats: tuple[Seat, ...] = tuple(Seat(seat=number) for number in range(1, 8))
    calendar: tuple[CalendarStop, ...] = ()
    unassigned: str = ""
    plant_level: str = "plant"
    plant_clock_s: float = 900.0
    charts: tuple[Chart, ...] = ()
    feeds: tuple[Flow, ...] = ()
    readings: Literal["home", "room"] = "home"
    rationales: tuple[Rationale, ...] = ()
    notices: NoticeRules = NoticeRules()

    def graph(self) -> FlowGraph:
        """Who feeds whom, over all charts and feeds."""
        return FlowGraph(self.charts, self.feeds)


class Tree:
    """The units by id, with the questions that are asked of a recursion: who is above, who is below; `inner` are no leaves.

    >>> mill = Unit(id="mill", title="Mill", level="plant", parent="total")
    >>> tree = Tree.of([Unit(id="total", title="All", level="total"), mill])
    >>> tree.path("mill"), tree.root, tree.covers("total", "mill")
    (('mill', 'total'), 'total', True)
    """

    def __init__(self, units: Map[str, Unit], order: tuple[str, ...], inner: frozenset[str]) -> None:
        self.units = units
        self.order = order
        self.inner = inner

    @classmethod
    def of(cls, units: Iterable[Unit]) -> Tree:
        """Make a tree of the charter's units; the first without a parent is the root."""
        listed = tuple(units)
        if not any(not unit.parent for unit in listed):
            raise ValueError("a tree needs a root: write a unit without a parent into room.toml")
        inner = frozenset(unit.parent for unit in listed if unit.parent)
        return cls(Map({unit.id: unit for unit in listed}), tuple(unit.id for unit in listed), inner)

    def grown(self, unit: Unit) -> Tree:
        """Give the tree with one more unit (or another wording of a known one)."""
        inner = self.inner if not unit.parent or unit.parent in self.inner else self.inner | {unit.parent}
        return Tree(self.units.set(unit.id, unit), self.order, inner)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tree) and self.units == other.units and self.order == other.order

    def __hash__(self) -> int:
        return hash((self.units, self.order))

    @cached_property
    def root(self) -> str:
        """The unit without a parent."""
        return next(unit for unit in self.order if not self.units[unit].parent)

    @cached_property
    def listed(self) -> tuple[str, ...]:
        """All units, those of the charter in its order, then those that joined later by id."""
        return (*self.order, *sorted(set(self.units) - set(self.order)))

    @cached_property
    def children(self) -> Mapping[str, tuple[str, ...]]:
        """The units directly below each unit."""
        below: dict[str, list[str]] = {unit: [] for unit in self.listed}
        for unit in self.listed:
            if parent := self.units[unit].parent:
                below[parent].append(unit)
        return {unit: tuple(ids) for unit, ids in below.items()}

    def path(self, unit: str) -> tuple[str, ...]:
        """The units from `unit` up to the root, both included; empty for a unit that is not in the tree."""
        rungs: list[str] = []
        while unit in self.units and unit not in rungs:
            rungs.append(unit)
            unit = self.units[unit].parent
        return tuple(rungs)

    def covers(self, unit: str, other: str) -> bool:
        """Tell whether `other` is `unit` itself or stands below it."""
        return unit in self.path(other)


def owner(signal: str) -> str:
    """The plant that owns a signal.

    >>> owner("mill-1/output")
    'mill-1'
    """
    return signal.partition("/")[0]
