"""How well the alarms of a unit serve its people: measures commonly reproduced from ISA-18.2 (2016, Table 7). Pure.

An operator's position is a unit: an alarm is announced there when it opens there or climbs there. Who watches the whole room has
a position too (`EVERYTHING`): every alarm is announced there once, where ever it opens. Alarms that a planned stop suppresses are
not announced. The standard's own warning belongs to every figure: a rate alone says nothing about being
acceptable, and less than thirty days of it says little.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from opsroom.alarms import alarm_events as happened
from opsroom.alarms.rationale import PRIORITIES, Priority
from opsroom.room.event import Event

EVERYTHING = ""
"""The position of the operator, who watches the whole room."""
TEN_MINUTES, HOUR, DAY = 600.0, 3600.0, 86_400.0
ENOUGH_S = 30 * DAY
"""How much history the measures want (ISA-18.2, 16.4)."""
FLOOD, EBB = 10, 5
"""A flood begins with more than ten alarms in ten minutes and ends with fewer than five (EEMUA 191)."""
CHATTERS, WITHIN_S = 3, 60.0
"""A signal chatters when it announces three alarms within a minute: a common choice of sites."""
FLEETING_S = 60.0
"""An alarm is fleeting when its signal is back within a minute, before anybody could have acted."""
STALE_S = DAY
"""An alarm is stale when it stands longer than a day."""
TOP = 10
ENOUGH_ALARMS = 30
"""From how many alarms on the share of the worst ten is judged: of fewer, ten signals always have most."""
TOO_FEW = "too few to say"
STEPS = 96
"""Into how many equal parts the time is cut for a picture."""
USUAL: Priority = "medium"
"""What an alarm counts as for which nobody has said what it means."""


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """One measure: its figure, what the field holds to be good and what still bearable, and in which of the three it lies.

    `judged` is "good", "bearable", "to act on", or "too few to say" where a share of so few alarms says nothing.
    """

    name: str
    value: float
    good: float
    bearable: float
    judged: str


class BadActor(msgspec.Struct, frozen=True, kw_only=True):
    """A signal that announces much: how many alarms, their share, how often it chattered, how many were fleeting or stale.

    `title` is its name for people where somebody knows it.
    """

    signal: str
    alarms: int
    share: float
    chattered: int
    fleeting: int
    stale: int
    title: str = ""


class Performance(msgspec.Struct, frozen=True, kw_only=True):
    """The measures of one unit from `start` to `end` (epoch seconds), the bad actors, and what is to be kept in mind."""

    unit: str
    start: float
    end: float
    alarms: int
    measures: tuple[Measure, ...]
    actors: tuple[BadActor, ...]
    priorities: Mapping[str, int]
    floods: tuple[tuple[float, float, int], ...]
    standing: int
    shelved_long: int
    warning: str = ""
    unwritten: int = 0
    hours: tuple[int, ...] = ()
    """How many were announced in each part of the time (`STEPS` equal ones), for a picture."""


class _Told(msgspec.Struct):
    signal: str
    at: float
    priority: str
    written: bool
    over: float | None = None


_MIX = "priority mix: share of high"


def performance(events: Iterable[Event], unit: str, start: float, end: float) -> Performance:
    """Measure the alarms announced at a unit, or to who watches `EVERYTHING`, between two moments; the events are those of the
    journal, from its beginning.

    An alarm's priority is the one with which it opened; `unwritten` counts those for which nobody had said what they mean, and
    which count as medium.
    """
    told, shelved = _told(events, unit, end)
    shown = [one for one in told if start <= one.at < end]
    times = sorted(one.at for one in shown)
    span = max(end - start, 1.0)
    tens = Counter(int((at - start) // TEN_MINUTES) for at in times)
    floods = tuple(_floods(times))
    flooded = sum(min(last, end) - first for first, last, _ in floods)
    by_signal: dict[str, list[_Told]] = {}
    for one in shown:
        by_signal.setdefault(one.signal, []).append(one)
    actors = sorted((_actor(signal, ones, len(shown), end) for signal, ones in by_signal.items()), key=_worst)
    standing = sum(one.over is None for one in told)
    stale = sum((one.over if one.over is not None else end) - one.at > STALE_S for one in shown)
    mix = Counter(one.priority for one in shown)
    periods = max(1, round(span / TEN_MINUTES))
    measures = (
        _measure("alarms an hour", len(shown) / span * HOUR, 6, 12),
        _measure("alarms in ten minutes", len(shown) / span * TEN_MINUTES, 1, 2),
        _measure("most in ten minutes", max(tens.values(), default=0), 10, 10),
        _measure(
            "share of ten minutes with more than ten", sum(n > FLOOD for n in tens.values()) / periods, 0.01, 0.01
        ),
        _measure("share of time in flood", flooded / span, 0.01, 0.01),
        _measure(
            "share of the ten that announce most",
            sum(one.share for one in actors[:TOP]),
            0.05,
            0.05,
            enough=len(shown) >= ENOUGH_ALARMS,
        ),
        _measure("chattering or fleeting signals", sum(one.chattered + one.fleeting > 0 for one in actors), 0, 0),
        _measure("stale alarms", stale, 5, 5),
        _measure(_MIX, mix["high"] / max(len(shown), 1), 0.05, 0.15),
    )
    return Performance(
        unit=unit,
        start=start,
        end=end,
        alarms=len(shown),
        measures=measures,
        actors=tuple(actors[:TOP]),
        priorities={name: mix[name] for name in PRIORITIES},
        floods=floods,
        standing=standing,
        shelved_long=shelved,
        warning=_warning(span, len(shown)),
        unwritten=sum(not one.written for one in shown),
        hours=_steps(times, start, span),
    )


def _steps(times: Iterable[float], start: float, span: float) -> tuple[int, ...]:
    counted = Counter(min(int((at - start) / span * STEPS), STEPS - 1) for at in times)
    return tuple(counted[step] for step in range(STEPS))


def _told(events: Iterable[Event], unit: str, end: float) -> tuple[list[_Told], int]:
    told: list[_Told] = []
    signal_of: dict[str, str] = {}
    priority_of: dict[str, str] = {}

    def announced(alarm: str, at: float) -> None:
        priority = priority_of.get(alarm, "")
        told.append(_Told(signal_of.get(alarm, ""), at, priority or USUAL, bool(priority)))
        open_.setdefault(alarm, []).append(told[-1])

    open_: dict[str, list[_Told]] = {}
    hidden: dict[str, str] = {}
    shelved: dict[str, float] = {}
    for event in events:
        if event.at >= end:
            break
        match event:
            case happened.AlarmOpened(alarm=alarm, signal=signal, unit=where):
                signal_of[alarm], priority_of[alarm] = signal, event.priority
                if event.stop or event.service:
                    hidden[alarm] = where
                elif unit in (where, EVERYTHING):
                    announced(alarm, event.at)
            case happened.AlarmReleased(alarm=alarm):
                kept = hidden.pop(alarm, None)
                if kept is not None and unit in (kept, EVERYTHING):
                    announced(alarm, event.at)
            case happened.AlarmClimbed(alarm=alarm, target=target) if target == unit:
                announced(alarm, event.at)
            case happened.AlarmShelved(alarm=alarm):
                shelved[alarm] = event.at
            case happened.AlarmUnshelved(alarm=alarm):
                shelved.pop(alarm, None)
            case happened.AlarmReturned(alarm=alarm):
                for one in open_.get(alarm, ()):
                    one.over = event.at if one.over is None else one.over
            case happened.AlarmRelapsed(alarm=alarm):
                for one in open_.get(alarm, ()):
                    one.over = None
            case happened.AlarmClosed(alarm=alarm):
                for one in open_.pop(alarm, ()):
                    one.over = event.at if one.over is None else one.over
                shelved.pop(alarm, None)
    return told, sum(end - since > DAY for since in shelved.values())


def _floods(times: list[float]) -> Iterable[tuple[float, float, int]]:
    """Floods as (first alarm, end, alarms): from more than ten in ten minutes until fewer than five."""
    place = 0
    while place < len(times):
        if bisect_right(times, times[place] + TEN_MINUTES) - place <= FLOOD:
            place += 1
            continue
        first = times[place]
        last = place
        while last < len(times) and last - bisect_left(times, times[last] - TEN_MINUTES) + 1 >= min(
            EBB, last - place + 1
        ):
            last += 1
        yield first, times[last - 1] + TEN_MINUTES, last - place
        place = last


def _actor(signal: str, ones: list[_Told], alarms: int, end: float) -> BadActor:
    times = [one.at for one in ones]
    return BadActor(
        signal=signal,
        alarms=len(ones),
        share=len(ones) / alarms,
        chattered=sum(
            times[place + CHATTERS - 1] - times[place] <= WITHIN_S for place in range(len(times) - CHATTERS + 1)
        ),
        fleeting=sum(one.over is not None and one.over - one.at < FLEETING_S for one in ones),
        stale=sum((one.over if one.over is not None else end) - one.at > STALE_S for one in ones),
    )


def _worst(actor: BadActor) -> tuple[int, str]:
    return -actor.alarms, actor.signal


def _measure(name: str, value: float, good: float, bearable: float, *, enough: bool = True) -> Measure:
    judged = "good" if value <= good else "bearable" if value <= bearable else "to act on"
    return Measure(name=name, value=value, good=good, bearable=bearable, judged=judged if enough else TOO_FEW)


def _warning(span: float, alarms: int) -> str:
    """What is to be kept in mind.

    >>> _warning(7200.0, 3)
    'Only 2.0 hours and 3 alarms: thirty days are asked for, and shares of few alarms say little.'
    >>> _warning(13680.0, 1).partition(":")[0]
    'Only 3.8 hours and one alarm'
    >>> _warning(40 * 86400.0, 300)
    ''
    """
    if span >= ENOUGH_S and alarms >= 100:
        return ""
    length = f"{span / DAY:.0f} days" if span >= 2 * DAY else f"{span / HOUR:.1f} hours"
    heard = "one alarm" if alarms == 1 else f"{alarms} alarms"
    return f"Only {length} and {heard}: thirty days are asked for, and shares of few alarms say little."
