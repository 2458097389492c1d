"""The recovery watch: has a signal with an open alarm come back into the interval frozen at opening, and stayed there?

A signal is back after `needed` readings in a row inside the interval, and has left again after as many outside it. The
interval is the alarm's own, never the filter's adapted level: a filter that has got used to a bad level changes nothing
here. A missing reading neither counts nor breaks a run.

Where the trouble is how a signal is told, its interval says nothing. A flat line is over when the figure moves, a changed spread
when that of the last `LATELY` readings is near the frozen one, a drift when their mean has come half of the way back.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec
from immutables import Map

from opsroom.room.events import Deviation
from opsroom.room.news import LeftAgain, Returned
from opsroom.room.state import Alarm, Room

LATELY = 20
"""How many of the last readings tell a signal's spread, or its mean."""

NO_MORE, NO_LESS = 1.4, 0.7
"""A spread is near the frozen one when it is no more, or no less, than so many times that."""

Span = tuple[float | None, float | None]
_ANY: Span = (None, None)


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """One watched alarm: what must hold for it to be back, the run needed, the run so far, and whether it is back.

    Ranges are (low, high), `None` is open on that side: of a `value`, of the `spread` and the `mean` of the readings `lately`.
    `flat` is the figure that must not be told again.
    """

    alarm: str
    value: tuple[float | None, float | None] = _ANY
    spread: tuple[float | None, float | None] = _ANY
    mean: tuple[float | None, float | None] = _ANY
    flat: float | None = None
    needed: int
    back: bool = False
    run: int = 0
    lately: tuple[float, ...] = ()

    def inside(self, value: float, lately: tuple[float, ...] = ()) -> bool:
        """Tell whether a value, the newest of the last ones, is normal by everything that must hold; ends included."""
        if not _within(value, self.value) or value == self.flat:
            return False
        if self.spread == _ANY and self.mean == _ANY:
            return True
        if len(lately) < LATELY:
            return False
        middle = math.fsum(lately) / LATELY
        if not _within(middle, self.mean):
            return False
        if self.spread == _ANY:
            return True
        wide = math.sqrt(math.fsum([(one - middle) ** 2 for one in lately]) / (LATELY - 1))
        return _within(wide, self.spread)

    def seen(self, value: float) -> tuple[float, ...]:
        """The last readings with a new one among them, where they count."""
        if self.spread == _ANY and self.mean == _ANY:
            return self.lately
        return (*self.lately[1 - LATELY :], value)

    def after(self, run: int, back: bool, lately: tuple[float, ...]) -> Watch:
        """The watch after a reading."""
        return msgspec.structs.replace(self, run=run, back=back, lately=lately)


def _within(value: float, span: tuple[float | None, float | None]) -> bool:
    low, high = span
    return (low is None or value >= low) and (high is None or value <= high)


class Recovery(msgspec.Struct, frozen=True, kw_only=True):
    """The watched signals ("plant/name")."""

    watches: Map[str, Watch] = Map()


def watch_of(alarm: Alarm) -> Watch | None:
    """Tell how an alarm is watched; `None` when readings cannot recover it (silence, closed, no interval known)."""
    if alarm.closed_at is not None or "/" not in alarm.signal:
        return None
    told, usual = alarm.deviation, (alarm.normal_low, alarm.normal_high)
    value, spread, mean = usual if alarm.by_interval else _ANY, _ANY, _ANY
    flat = told.level if told.named == "stuck" else None
    if not alarm.by_interval and told.named == "variance" and alarm.spread is not None:
        grown = told.size is None or told.size > 1.0
        spread = (None, NO_MORE * alarm.spread) if grown else (NO_LESS * alarm.spread, None)
    elif not alarm.by_interval and told.named == "drift":
        mean = _half_way(told)
    if value == spread == mean == _ANY and flat is None:
        return None
    return Watch(
        alarm=alarm.id,
        value=value,
        spread=spread,
        mean=mean,
        flat=flat,
        needed=alarm.readings_to_recover,
        back=alarm.recovered_at is not None,
    )


def _half_way(told: Deviation) -> tuple[float | None, float | None]:
    """The means at which a drift has come half of the way back; any, where it is not known how far it was."""
    if told.level is None or not told.size:
        return _ANY
    half = told.level - told.size / 2.0
    return (None, half) if told.size > 0 else (half, None)


def follow(recovery: Recovery, room: Room, alarms: Iterable[str]) -> Recovery:
    """Follow the room after events that touched `alarms`: new ones are watched, closed ones no more, others keep their run."""
    watches = recovery.watches
    for alarm_id in alarms:
        alarm = room.alarms.get(alarm_id)
        if alarm is None or room.standing.get(alarm.signal) != alarm_id:
            continue
        fresh, known = watch_of(alarm), watches.get(alarm.signal)
        if fresh is None:
            watches = watches.delete(alarm.signal) if known is not None else watches
        elif known is None or msgspec.structs.replace(known, run=0, lately=()) != fresh:
            watches = watches.set(alarm.signal, fresh)
    return Recovery(watches=watches)


def newborn(room: Room) -> Recovery:
    """Watch every open alarm of a room, for instance after a restart; runs begin anew."""
    return follow(Recovery(), room, room.standing.values())


def look(
    recovery: Recovery, readings: Iterable[tuple[str, float, float | None]]
) -> tuple[Recovery, tuple[Returned | LeftAgain, ...]]:
    """Look at a tick's readings `(signal, source time, value)` in their order; readings of unwatched signals cost one look-up.

    Gives the watch with its runs and the news for `room.decide`. Feed live readings only: a backfill is no recovery.
    """
    news: list[Returned | LeftAgain] = []
    watches = recovery.watches.mutate()
    for signal, at, value in readings:
        watch = watches.get(signal)
        if watch is None or value is None or not math.isfinite(value):
            continue
        lately = watch.seen(value)
        if watch.inside(value, lately) == watch.back:
            if watch.run or lately is not watch.lately:
                watches[signal] = watch.after(0, watch.back, lately)
            continue
        run = watch.run + 1
        if run < watch.needed:
            watches[signal] = watch.after(run, watch.back, lately)
            continue
        watches[signal] = watch.after(0, not watch.back, lately)
        if watch.back:
            news.append(LeftAgain(alarm=watch.alarm, at=at, value=value))
        else:
            news.append(Returned(alarm=watch.alarm, at=at, value=value, readings=run))
    return Recovery(watches=watches.finish()), tuple(news)
