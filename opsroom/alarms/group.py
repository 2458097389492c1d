"""One cause, one alarm: alarms along the flow graph are put together under their likeliest origin; people may split, join
and fix.

Members keep their own clocks at their plants. One whose clock runs out while the origin is open waits there (`AlarmWaited`),
for the origin climbs for all; when the origin is back or quiet, or leaves the group, its own clock goes on (`AlarmResumed`),
so that no escalation is lost. Later evidence may move the origin until somebody fixes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from operator import itemgetter
from typing import NamedTuple

from opsroom.alarms import group_events, grouped
from opsroom.alarms.algedonic import CLOCK_LEAST_S, leader, running
from opsroom.alarms.group_events import AlarmResumed, AlarmsGrouped, Candidate
from opsroom.alarms.origin import Onset, Weighed, gain, way_between, weigh
from opsroom.alarms.records import Group
from opsroom.alarms.roads import Roads, roads
from opsroom.room import events as happened
from opsroom.room.events import AnyEvent
from opsroom.room.state import Alarm, Room
from opsroom.showing.sentences import lasting, quoted, signal_title, title

POOL = 60
"""The most alarms that are weighed together: in a flood the newest near the one that opened."""

LOOKED = 4 * POOL
"""How many of the newest alarms are looked at for those: an alarm costs as much in a large room as in a small one."""

STRIDE = 20
"""The silences of one link in one tick are weighed anew for each so many more: a thousand come for one reason."""

MEMBERS = 100
"""A group of so many takes no more alarms: a flood is told as several groups, each of which can be read and weighed."""

ROUNDS = 4
"""How often the alarms of a tick are looked at again when others that they had met went elsewhere after them."""

SLOW_KINDS = ("slope", "drift", "variance")
SHOWN = 5
"""The most candidates that a group keeps."""


def onset(room: Room, alarm: Alarm, ways: Roads) -> Onset:
    """An alarm as evidence: a step's onset is known to about a reading, a slope's to a third of the time until it was named."""
    known, told = room.signals.get(alarm.signal), alarm.began or alarm.deviation
    period_s = known.birth.period_s if known is not None else 60.0
    at = told.since if told.since is not None else alarm.opened_at
    seen_s = max((told.named_at if told.named_at is not None else alarm.opened_at) - at, 0.0)
    sd = max(2.0 * period_s, seen_s / 3.0) if told.named in SLOW_KINDS else max(period_s, seen_s / 20.0)
    plant = room.plants.get(alarm.unit)
    return Onset(
        alarm=alarm.id,
        unit=alarm.unit,
        at=at,
        sd=sd,
        kind=told.named,
        link=plant.link if plant is not None else "",
        symptom=alarm.signal in ways.stocks,
    )


class Regrouped(NamedTuple):
    """What an alarm changes in the groups, and the alarms that were weighed together for it."""

    events: tuple[AlarmsGrouped, ...] = ()
    weighed: frozenset[str] = frozenset()


def regroup(
    room: Room, alarm: Alarm, pool: Sequence[Alarm], ways: Roads, now: float, onsets: dict[str, Onset]
) -> Regrouped:
    """What an alarm that has just opened, or was named otherwise, changes in the groups; `room` is the room with it.

    `pool` holds the alarms that may share its cause, itself among them; `onsets` what was made of alarms so far.
    """
    window_s = room.charter.alarms.group_window_s
    own = room.groups.get(alarm.group)
    onsets |= {one.id: onset(room, one, ways) for one in pool if one.id not in onsets}
    mine = onsets[alarm.id]
    related = {
        one.id
        for one in pool
        if one.id != alarm.id and _related(mine, onsets[one.id], ways, window_s) and not _apart(alarm, one)
    }
    groups = {one.group for one in pool if one.id in related and one.group} | ({own.id} if own is not None else set())
    members = {alarm.id, *related}
    for name in groups:
        members |= set(room.groups[name].members)
    known = [room.alarms[name] for name in members if name in room.alarms and room.alarms[name].closed_at is None]
    onsets |= {one.id: onset(room, one, ways) for one in known if one.id not in onsets}
    # The work is the square of their number: of large groups that meet, origins and the newest are weighed.
    first = {alarm.id, *related, *(room.groups[name].origin for name in groups)}
    known.sort(key=lambda one: (one.id not in first, -one.opened_at, one.id))
    weighed = [onsets[one.id] for one in known[: 2 * POOL]]
    if len(weighed) < 2:
        return Regrouped()
    fixed = [room.groups[name] for name in sorted(groups) if room.groups[name].fixed_by]
    if fixed and fixed[0].origin not in {one.alarm for one in weighed}:
        return Regrouped()  # what somebody has fixed stays, also when its origin is closed
    among = [fixed[0].origin] if fixed else None
    ranked = weigh(weighed, ways, window_s, among, SHOWN)
    best = ranked[0]
    kept = {best.alarm, *best.explains}
    for name in groups:
        group = room.groups[name]
        if group.origin in kept or (own is not None and name == own.id):
            kept |= set(group.members)
        kept |= set(group.joined) if group.origin in kept else set()
    kept &= {one.id for one in known}
    for other in fixed[1:]:
        kept -= set(other.members)
    if alarm.id not in kept or len(kept) < 2:
        return Regrouped()
    home = fixed[0] if fixed else _oldest(room, groups)
    events = _grouped(room, home, kept, onsets, ranked, ways, now)
    return Regrouped(events, frozenset(one.alarm for one in weighed))


def _link(room: Room, alarm: Alarm) -> str:
    """The link that a silent alarm's plant shares with others; empty for every other alarm."""
    silent = alarm.deviation.named == "silence" and alarm.unit in room.plants
    return room.plants[alarm.unit].link if silent else ""


class _Silences:
    """What falls silent in a tick, by link: its plants, and up to which number of an alarm each new one looks around."""

    def __init__(self, room: Room, fresh: Iterable[str]) -> None:
        self._room = room
        self._plants: dict[str, list[str]] = {}
        alarms: dict[str, list[Alarm]] = {}
        for alarm in (room.alarms[name] for name in fresh):
            if link := _link(room, alarm):
                alarms.setdefault(link, []).append(alarm)
        self.upto = {
            alarm.id: _number(new[min(place - place % STRIDE + POOL, len(new)) - 1])
            for new in alarms.values()
            for place, alarm in enumerate(new)
        }

    def plants(self, link: str) -> Sequence[str]:
        """The plants that speak through a link, looked up once for all links."""
        if not self._plants:
            for name, plant in self._room.plants.items():
                self._plants.setdefault(plant.link, []).append(name)
        return self._plants[link]


def _close(room: Room, near: frozenset[str], keys: Sequence[str], link: str, upto: int) -> list[Alarm]:
    """The newest alarms whose clocks run in units near by or, for silence, on one link instead; the newest first."""

    def close(one: Alarm) -> bool:
        if not link:
            return one.unit in near
        plant = room.plants.get(one.unit)
        return one.deviation.named == "silence" and plant is not None and plant.link == link

    return [one for one in newest(room, keys, upto) if close(one) and running(one)]


def _pool(room: Room, alarm: Alarm, close: Iterable[Alarm]) -> list[Alarm]:
    """The alarm and the newest of those close to it whose groups can still take one, the newest last."""
    rest = (room.alarms[one.id] for one in close if one.id != alarm.id)
    return [alarm, *reversed(list(islice((one for one in rest if not _full(room, one, alarm)), POOL)))]


def newest(room: Room, keys: Sequence[str], upto: int = 0) -> Iterator[Alarm]:
    """The newest alarms that may be open, the newest first, from number `upto` back (0: from the last).

    With `keys`, those about them alone, however old, where that is quicker.
    """
    if few(keys):
        known = [one for key in keys if (one := room.alarms.get(room.standing.get(key, ""))) is not None]
        numbered = sorted(((_number(one), one) for one in known), key=itemgetter(0), reverse=True)
        yield from (one for number, one in numbered if not upto or number <= upto)
        return
    last = upto or room.counts.get("alarm", 0)
    for number in range(last, max(0, last - LOOKED), -1):
        if (one := room.alarms.get(f"alarm-{number}")) is not None:
            yield one


def few(keys: Sequence[str]) -> bool:
    """Tell whether it is quicker to look up what stands for each key than to look through the newest alarms."""
    return 0 < len(keys) < LOOKED


def _number(alarm: Alarm) -> int:
    return int(alarm.id.rpartition("-")[2])


def alarmed_as(room: Room, unit: str) -> Iterator[str]:
    """What an alarm of a unit can be about: itself (silence), its signals, its whole."""
    yield unit
    plant, chart = room.plants.get(unit), room.graph.charts.get(unit)
    if plant is not None:
        yield from (f"{unit}/{signal.name}" for signal in plant.signals)
    if chart is not None:
        yield chart.key


def _full(room: Room, one: Alarm, alarm: Alarm) -> bool:
    """Tell whether one of two groups has no room for the other's alarm; those of one group are together already."""
    if one.group and one.group == alarm.group:
        return False
    return _taken(room, one.group) >= MEMBERS or _taken(room, alarm.group) >= MEMBERS


def _taken(room: Room, name: str) -> int:
    group = room.groups.get(name) if name else None
    return len(group.members) if group is not None else 0


def _related(one: Onset, other: Onset, ways: Roads, window_s: float) -> bool:
    return any((gain(a, b, ways, window_s) or 0.0) > 0.0 for a, b in ((one, other), (other, one)))


def _apart(one: Alarm, other: Alarm) -> bool:
    return other.id in one.apart or one.id in other.apart


def _oldest(room: Room, groups: Iterable[str]) -> Group | None:
    return min((room.groups[name] for name in groups), key=lambda group: (group.since, group.id), default=None)


def _grouped(
    room: Room,
    home: Group | None,
    kept: set[str],
    onsets: Mapping[str, Onset],
    ranked: Sequence[Weighed],
    ways: Roads,
    now: float,
) -> tuple[AlarmsGrouped, ...]:
    members = tuple(sorted(kept, key=lambda name: (onsets[name].at, name)))
    best = ranked[0]
    if home is not None and set(home.members) >= kept and home.origin == best.alarm:
        return ()
    return (
        AlarmsGrouped(
            at=now,
            group=home.id if home is not None else room.next_id("group"),
            members=members,
            origin=best.alarm,
            sentence=sentence(room, best, onsets, ways),
            candidates=tuple(
                Candidate(
                    alarm=one.alarm,
                    share=round(one.share, 4),
                    explains=len(one.explains),
                    why=_why(room, one, onsets, ways),
                )
                for one in ranked[:SHOWN]
            ),
        ),
    )


def sentence(room: Room, best: Weighed, onsets: Mapping[str, Onset], ways: Roads) -> str:
    """Why an alarm is held to be the origin, in one sentence."""
    origin, told = room.alarms[best.alarm], onsets[best.alarm]
    if told.kind == "silence" and best.explains:
        many = len(best.explains)
        others = "another plant" if many == 1 else f"{many} other plants"
        link = f"{others} on the same link, {quoted(told.link)}"
        return f"{title(room, origin)}, and {link}: that line is likelier to be down than each plant by itself."
    explained = _why(room, best, onsets, ways) or "nothing else fits"
    return f"{title(room, origin)} is most likely where it began ({100 * min(best.plant, 0.99):.0f} %): {explained}."


def _why(room: Room, one: Weighed, onsets: Mapping[str, Onset], ways: Roads) -> str:
    origin = onsets[one.alarm]
    told = []
    for name in one.explains[:3]:
        other = onsets[name]
        way = way_between(origin, other, ways)
        lag = other.at - origin.at
        when = f"{lasting(abs(lag))} {'after' if lag >= 0 else 'before'} it"
        if way is None or len(way.units) < 2:
            told.append(f"{signal_title(room, room.alarms[name].signal)} began {when} in the same plant")
        elif other.kind == "silence":
            told.append(f"{signal_title(room, room.alarms[name].signal)} fell silent {when} on the same link")
        else:
            on = f", which lies {lasting(way.delay_s)} downstream" if way.delay_s else ", which lies downstream"
            told.append(f"{signal_title(room, room.alarms[name].signal)} began {when}{on}")
    more = len(one.explains) - len(told)
    return "; ".join([*told, *([f"and {more} more"] if more > 0 else [])])


# ---- what follows from other events

_REASONS = {
    "back": "the origin {origin} is back to normal and this is not",
    "quiet": "the origin {origin} is quiet",
    "left": "it does not follow {origin} any more",
}


def follow(room: Room, events: Sequence[AnyEvent], now: float) -> tuple[AnyEvent, ...]:
    """What follows for the groups from events; `room` is the room after them.

    Alarms that came together are put together in one go: one that was weighed with all that are near needs no second weighing.
    """
    if room.charter.alarms.group_window_s <= 0.0:
        return ()
    opened = (happened.AlarmOpened, happened.AlarmRenamed, happened.AlarmReleased, happened.AlarmRelapsed)
    fresh = {event.alarm for event in events if isinstance(event, happened.AlarmOpened)}
    ways, found, last = roads(room.graph), [], room.counts.get("alarm", 0)
    names = [*dict.fromkeys(event.alarm for event in events if isinstance(event, opened))]
    silences, onsets = _Silences(room, [name for name in names if name in fresh]), dict[str, Onset]()
    keys_near: dict[frozenset[str], Sequence[str]] = {}
    for _ in range(ROUNDS):
        known: dict[tuple[frozenset[str], str, int], list[Alarm]] = {}
        together: dict[str, frozenset[str]] = {}
        met: dict[str, tuple[int, list[Alarm]]] = {}
        moved: dict[str, int] = {}
        for place, name in enumerate(names):
            alarm = room.alarms.get(name)
            if alarm is None or not running(alarm):
                continue
            # A link is shared by what falls silent with it, and silence by nothing else.
            link = _link(room, alarm)
            near = frozenset[str]() if link else ways.near(alarm.unit)
            if link:
                keys, upto = silences.plants(link), silences.upto.get(name, last)
            else:
                if near not in keys_near:
                    keys_near[near] = [key for unit in near for key in alarmed_as(room, unit)]
                keys = keys_near[near]
                # In a flood an alarm meets those that came about when it did, as if they had come one by one.
                upto = min(last, _number(alarm) + POOL) if name in fresh and not few(keys) else last
            close = known.get((near, link, upto))
            if close is None:
                close = known[near, link, upto] = _close(room, near, keys, link, upto)
            pool = _pool(room, alarm, close)
            met[name] = place, pool
            if name in together and all(one.id in together[name] or one.group == alarm.group for one in pool):
                continue
            told = regroup(room, alarm, pool, ways, now, onsets)
            for event in told.events:
                room = grouped.APPLY[type(event)](room, event)
                found.append(event)
                moved |= dict.fromkeys(event.members, place)
            if home := room.groups.get(room.alarms[name].group):
                together |= dict.fromkeys(told.weighed & {*home.members}, told.weighed)
        names = [name for name, (place, pool) in met.items() if _stale(room, room.alarms[name], place, pool, moved)]
        if not names:
            break
    return tuple(found)


def _stale(room: Room, alarm: Alarm, place: int, pool: Iterable[Alarm], moved: Mapping[str, int]) -> bool:
    """Tell whether an alarm stands apart from one that it has met and could join, and either was moved since."""
    apart = [one for name in pool if (one := room.alarms[name.id]).group != alarm.group]
    return any(
        max(moved.get(one.id, -1), moved.get(alarm.id, -1)) >= place and not _full(room, one, alarm) for one in apart
    )


def resume(room: Room, events: Sequence[AnyEvent], now: float) -> tuple[AnyEvent, ...]:
    """The alarms that wait for an origin which is not open any more: their own clocks go on.

    What the origin's end has to travel is given to them: at least the delay of the way from it.
    """
    touched = {name for event in events if (name := getattr(event, "group", ""))}
    touched |= {alarm.group for event in events if (alarm := room.alarms.get(getattr(event, "alarm", ""))) is not None}
    found: list[AnyEvent] = []
    for name in sorted(touched - {""}):
        group = room.groups.get(name)
        for member in group.members if group is not None else ():
            found += _resumed(room, member, now)
    for event in events:
        if isinstance(event, group_events.AlarmSplit):
            found += _resumed(room, event.alarm, now)
    # Whoever is put together may leave behind, in the group that they come from, who waited for one of them or waits for
    # one who stays behind too: neither stands in the event.
    if any(isinstance(event, group_events.AlarmJoined | AlarmsGrouped) for event in events):
        for name in sorted(name for name in room.standing.values() if room.alarms[name].waits):
            found += _resumed(room, name, now)
    return tuple(dict.fromkeys(found))


def _resumed(room: Room, name: str, now: float) -> tuple[AnyEvent, ...]:
    alarm = room.alarms.get(name)
    if alarm is None or not alarm.waits or not running(alarm) or leader(room, alarm) is not None:
        return ()
    origin = room.alarms.get(alarm.waits)
    way = roads(room.graph)(origin.unit, alarm.unit) if origin is not None else None
    why = "left"
    if origin is not None and alarm.group and origin.group == alarm.group:
        why = "back" if origin.life.back or origin.closed_at is not None else "quiet" if origin.life.quiet else "left"
    grace_s = max(way.delay_s if way is not None and why == "back" else 0.0, CLOCK_LEAST_S)
    began = quoted(title(room, origin)) if origin is not None else alarm.waits
    return (AlarmResumed(at=now, alarm=alarm.id, deadline=now + grace_s, reason=_REASONS[why].format(origin=began)),)
