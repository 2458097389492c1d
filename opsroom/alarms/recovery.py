"""The recovery watch: has a signal with an open alarm come back into the interval frozen at opening, and stayed there?

A signal is back after `needed` readings in a row inside the interval, and has left again after as many outside it. The
interval is the alarm's own, never the filter's adapted level: a filter that has got used to a bad level changes nothing
here. A missing reading neither counts nor breaks a run.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec
from immutables import Map

from opsroom.room.news import LeftAgain, Returned
from opsroom.room.state import Alarm, Room


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """One watched alarm: the interval (`None`: open on that side), the run needed, the run so far, and whether it is back."""

    alarm: str
    low: float | None
    high: float | None
    needed: int
    back: bool = False
    run: int = 0

    def inside(self, value: float) -> bool:
        """Tell whether a value lies in the interval, its ends included."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def after(self, run: int, back: bool) -> Watch:
        """The watch after a reading."""
        return Watch(alarm=self.alarm, low=self.low, high=self.high, needed=self.needed, back=back, run=run)


class Recovery(msgspec.Struct, frozen=True, kw_only=True):
    """The watched signals ("plant/name")."""

    watches: Map[str, Watch] = Map()


def watch_of(alarm: Alarm) -> Watch | None:
    """Tell how an alarm is watched; `None` when readings cannot recover it (silence, closed, no interval known)."""
    if alarm.closed_at is not None or "/" not in alarm.signal:
        return None
    if alarm.normal_low is None and alarm.normal_high is None:
        return None
    return Watch(
        alarm=alarm.id,
        low=alarm.normal_low,
        high=alarm.normal_high,
        needed=alarm.readings_to_recover,
        back=alarm.recovered_at is not None,
    )


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
        elif known is None or msgspec.structs.replace(known, run=0) != fresh:
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
        if watch.inside(value) == watch.back:
            if watch.run:
                watches[signal] = watch.after(run=0, back=watch.back)
            continue
        run = watch.run + 1
        if run < watch.needed:
            watches[signal] = watch.after(run=run, back=watch.back)
            continue
        watches[signal] = watch.after(run=0, back=not watch.back)
        if watch.back:
            news.append(LeftAgain(alarm=watch.alarm, at=at, value=value))
        else:
            news.append(Returned(alarm=watch.alarm, at=at, value=value, readings=run))
    return Recovery(watches=watches.finish()), tuple(news)
