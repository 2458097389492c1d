"""What the screens are shown: the room's own rows joined with the bank's readings, for one viewer and one unit in focus. Pure."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

import msgspec
import numpy as np

from cyberstride import NAMES
from cyberstride.verdict import NOT_YET, SUSPECTED
from opsroom.judgement.bank import Bank, Signal
from opsroom.recursion import sights
from opsroom.recursion.focus import title_of
from opsroom.recursion.wholes import Wholes
from opsroom.room.room import Room
from opsroom.showing import line as line_page
from opsroom.showing import show, unit_rows
from opsroom.showing.look import Look
from opsroom.showing.lookout import Lookout, vector_of
from opsroom.showing.lookout import agreed as agreed_of
from opsroom.showing.spending import budgets
from opsroom.showing.staleness import Places, Stale, places, stale
from opsroom.views import (
    POINTS_SHOWN,
    SIGNALS_SHOWN,
    LineBook,
    LineRequest,
    LineView,
    PlantOnLine,
    Point,
    SignalView,
    Snapshot,
    TickerLine,
    UnitView,
    Viewer,
)
from telex_ingest.line import LineCounts
from telex_ingest.telex import Direction

WALL = "the open wall"
"""Who looks where nobody is logged in."""

TICKER = 60
"""How many lines of the ticker a snapshot holds."""


Noted = Callable[[str, str, str, str, str, tuple[str, ...], float], bool]
"""Account, occupant, door, ground, purpose, signals, moment."""


class Scene:
    """The room as it is shown: its durable state, the bank's readings, the line, the ticker, who is logged in."""

    def __init__(self, room: Room, bank: Bank, speed: float = 1.0, wholes: Wholes | None = None) -> None:
        self.room, self.bank, self.speed = room, bank, speed
        self.wholes = wholes or Wholes((), {})
        self.noted: Noted = lambda *_: True
        """Notes a look at granted readings; says False when it could not, and then nothing is shown."""
        self.ticker: deque[TickerLine] = deque(maxlen=TICKER)
        self.line = LineView()
        self.counts: LineCounts | None = None
        self.links: tuple[str, ...] = ()
        """The links that may speak, open or not."""
        self.behind: dict[str, Stale] = {}
        self._places: tuple[tuple[int, int], Places] | None = None
        self.present: frozenset[int] = frozenset()
        self._lookout = Lookout()

    def focus(self, viewer: Viewer, wanted: str) -> str:
        """The unit in focus: the wanted one if it is there and this viewer may see it, else the viewer's own, else the root."""
        units = self.room.tree.units
        if wanted in units and show.scope(self.room, viewer, wanted):
            return wanted
        return viewer.unit if viewer.unit in units else self.room.tree.root

    def shown(self, viewer: Viewer, focus: str) -> list[Signal]:
        """The signals that a screen draws: the plants at or below the focus share `SIGNALS_SHOWN`, signals in alarm first."""
        plants = [
            plant
            for plant in self._below(focus)
            if plant in self.bank.by_plant and show.scope(self.room, viewer, plant)
        ]
        if not plants:
            return []
        each, over = divmod(SIGNALS_SHOWN, len(plants))
        chosen: list[Signal] = []
        for place, plant in enumerate(plants[:SIGNALS_SHOWN]):
            mine = sorted(self.bank.by_plant[plant].values(), key=lambda one: one.key not in self.room.standing)
            chosen += mine[: each + (place < over)]
        return chosen

    def hears(self, viewer: Viewer, line: TickerLine, now: float) -> bool:
        """Tell whether a line of the ticker is for this viewer: a unit hears of itself, of what is below it, and of the room.

        A telex's line tells a reading: it is for those alone who may look at all readings of its plant.
        """
        if line.unit and not show.scope(self.room, viewer, line.unit):
            return False
        return line.kind != "telex" or self.may_look(viewer, (f"{line.unit}/",), now) is not None

    def may_look(self, viewer: Viewer, keys: tuple[str, ...], now: float, door: str = "screen") -> sights.Ground | None:
        """Why a viewer may look at the readings of signals of one plant, noted if a grant is why; `None` when they may not."""
        found: sights.Ground | None = None
        for key in keys:
            found = sights.ground(self.room, viewer.role, viewer.unit, key, now)
            if found is None:
                return None
        if found is None or found.why != "grant":
            return found
        who = viewer.occupant or WALL
        noted = self.noted(account_of(viewer), who, door, found.grant, found.purpose, keys, now)
        return found if noted else None

    def _below(self, unit: str) -> Iterable[str]:
        children = self.room.tree.children
        waiting = [unit]
        while waiting:
            here = waiting.pop()
            yield here
            waiting += reversed(children.get(here, ()))

    def snapshot(
        self, viewer: Viewer, wanted: str, n: int, now: float, units: tuple[UnitView, ...] | None = None
    ) -> Snapshot:
        """Everything that a screen needs to start; `units` if they have been looked at already."""
        room, focus = self.room, self.focus(viewer, wanted)
        return Snapshot(
            n=n,
            room=room.charter.title or room.id,
            now=now,
            speed=self.speed,
            council=room.council,
            focus=focus,
            held=room.held is not None,
            viewer=viewer,
            units=self.units() if units is None else units,
            signals=self.signals(viewer, focus, now),
            alarms=show.alarms(room, viewer),
            motions=show.motions(room, viewer),
            orders=show.orders(room, viewer),
            choices=show.choices(room, viewer),
            seats=show.seats(room, self.present),
            stops=show.stops(room, viewer),
            proposals=show.proposals(room, viewer),
            ticker=tuple(line for line in self.ticker if self.hears(viewer, line, now)),
            line=self.line,
            budgets=budgets(room, self.bank, viewer, now),
            requests=unit_rows.waiting(room, viewer),
        )

    def signals(self, viewer: Viewer, focus: str, now: float) -> tuple[SignalView, ...]:
        """The signals that a screen draws; the looks at one plant's are noted together."""
        shown = self.shown(viewer, focus)
        for _, some in groupby(shown, key=lambda one: one.plant):
            keys = tuple(one.key for one in some)
            let = [key for key in keys if sights.ground(self.room, viewer.role, viewer.unit, key, now) is not None]
            self.may_look(viewer, tuple(let), now)
        return tuple(self.signal(one, viewer, now) for one in shown)

    def signal(self, signal: Signal, viewer: Viewer, now: float) -> SignalView:
        """One signal as a viewer may see it: agreement and the filter's word, and its last points if they may look at them."""
        ground = self.may_look(viewer, (signal.key,), now)
        whole = self._whole_view(signal)
        if ground is not None:
            return msgspec.structs.replace(whole, ground=ground.why, grant=ground.grant)
        return msgspec.structs.replace(
            whole,
            ground="",
            value=None,
            at=None,
            p=None,
            level=None,
            productivity=None,
            over_capability=False,
            recent=(),
        )

    def _whole_view(self, signal: Signal) -> SignalView:
        bank, birth, lane = self.bank, signal.birth, signal.lane
        known = self.room.signals.get(signal.key)
        agreed = known.agreement if known else None
        past = bank.rings.past(lane, POINTS_SHOWN)
        point = next(self.points((lane,)), None)
        capability = agreed.capability if agreed else None
        potentiality = agreed.potentiality if agreed else None
        if signal.plant in self.wholes.charts:  # what a whole could do follows from its parts' agreements
            capability, potentiality = self.wholes.standards(self.room)[signal.plant]
        share = vector_of(bank, np.array([lane]), agreed_of(self.room, (signal,)))[0, 0]
        value = point.value if point else None
        return SignalView(
            key=signal.key,
            unit=signal.plant,
            name=birth.name,
            title=birth.title or birth.name,
            uom=birth.unit,
            good=str(birth.good),
            period_s=birth.period_s,
            capability=capability,
            potentiality=potentiality,
            recovery_s=agreed.recovery_s if agreed else None,
            minimum=birth.low,
            maximum=birth.high,
            value=value,
            at=point.at if point else None,
            named=bank.word(lane),
            since=bank.since(lane),
            p=point.p if point else None,
            level=point.level if point else None,
            productivity=_known(float(share)),
            over_capability=value is not None
            and capability is not None
            and birth.good == Direction.UP
            and value > capability,
            state=self.state(signal),
            recent=tuple(
                (t / 1e6, _known(v), _known(low), _known(high))
                for t, v, low, high in zip(
                    past.source_us.tolist(), past.value.tolist(), past.low.tolist(), past.high.tolist(), strict=True
                )
            ),
        )

    def points_for(self, lanes: Iterable[int], viewer: Viewer, now: float) -> Iterator[Point]:
        """The newest reading of each of these signals that has one, for a viewer; words alone where they may not look."""
        for point in self.points(lanes):
            if self.may_look(viewer, (point.key,), now) is not None:
                yield point
            else:
                yield msgspec.structs.replace(point, value=None, low=None, high=None, p=None, level=None)

    def points(self, lanes: Iterable[int]) -> Iterator[Point]:
        """The newest reading of each of these signals that has one."""
        bank, some = self.bank, np.fromiter(lanes, np.int64)
        some = some[bank.rings.count[some] > 0]
        told = (*bank.rings.newest(some), bank.level[some], bank.named[some], bank.p_now[some])
        rows = zip(some.tolist(), *(column.tolist() for column in told), strict=True)
        for lane, at, value, low, high, level, named, p in rows:
            signal = bank.signals[lane]
            yield Point(
                key=signal.key,
                at=at / 1e6,
                value=_known(value),
                low=_known(low),
                high=_known(high),
                named=NAMES[named],
                p=(p[0], p[1], p[2], p[3]) if all(map(math.isfinite, p)) else None,
                level=_known(level),
                state=self.state(signal),
            )

    def state(self, signal: Signal) -> str:
        """A signal's state in a word: silent, alarm, suspected, calm or unknown."""
        standing, alarms = self.room.standing, self.room.alarms
        for key, word in ((signal.plant, "silent"), (signal.key, "alarm")):
            alarm = alarms.get(standing.get(key, ""))
            if alarm is not None and alarm.closed_at is None and not alarm.life.back and not alarm.life.quiet:
                return word
        named = int(self.bank.named[signal.lane])
        if named == NOT_YET:
            return "unknown"
        return "suspected" if named == SUSPECTED else "calm"

    def units(self) -> tuple[UnitView, ...]:
        """All units with their state and their triple vector."""
        return self.look().rows()

    def look(self, before: Look | None = None) -> Look:
        """The same as a look, whose rows are made when somebody wants them."""
        return self._lookout.look(self.room, self.bank, self.wholes, before)

    def hear(self, counts: LineCounts, links: Iterable[str]) -> None:
        """Take the state of the line as the wire tells it now."""
        births = (len(self.bank), counts.births)
        if self._places is None or self._places[0] != births:
            self._places = (births, places(self.bank, self._places[1] if self._places else None))
        self.counts, self.links, self.behind = counts, tuple(links), stale(self.bank, self._places[1])
        self.line = line_page.summary(counts, self.behind, self.line)

    def book(self, viewer: Viewer, asked: LineRequest, now: float) -> LineBook | None:
        """One page of the line, None before the wire has told of itself; a unit's people see their own part of it."""
        counts, links = self.counts, self.links
        if counts is None:
            return None
        rows = self.plants_on_line(viewer, counts)
        if viewer.role == "unit":
            counts, links = line_page.part(counts, rows), ()
        return line_page.book(counts, self.line, rows, links, asked, now)

    def plants_on_line(self, viewer: Viewer, counts: LineCounts) -> list[PlantOnLine]:
        """Every plant of these counts that the viewer may see."""
        titles = {plant: title_of(self.room, plant) for plant in counts.plants if show.scope(self.room, viewer, plant)}
        return line_page.plants(counts, self.bank, self.behind, titles, self.speed)


def account_of(viewer: Viewer) -> str:
    """The account of a viewer, as events and looks name it."""
    return {"seat": f"seat-{viewer.seat}", "unit": f"unit-{viewer.unit}", "viewer": WALL}.get(viewer.role, viewer.role)


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
