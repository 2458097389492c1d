"""Stored times in the calendar: any number of seconds gives a moment, for what is kept cannot be refused any more. Pure."""

from __future__ import annotations

import math
from datetime import UTC, datetime

EARLIEST, LATEST = -62_135_510_400.0, 253_402_214_400.0
"""The second day and the last of the calendar, epoch seconds UTC: a zone's offset from there is still in it."""

YEAR_S = 366 * 86_400.0

AHEAD_S = 10 * YEAR_S
"""How far ahead of now a command may name a moment."""

BEHIND_S = 100 * YEAR_S
"""How long before now a command may name a moment of readings: some that are kept are old."""


def within(at: float, now: float, behind_s: float, ahead_s: float) -> bool:
    """Tell whether a moment lies around `now`; what is no number of the calendar does not.

    >>> within(5.0, 0.0, 0.0, 10.0), within(1.8e12, 0.0, 0.0, AHEAD_S), within(math.nan, 0.0, 1.0, 1.0)
    (True, False, False)
    """
    return math.isfinite(at) and now - behind_s <= at <= now + ahead_s


def calendared(at: float) -> float:
    """Give epoch seconds that the calendar has: what lies beyond it becomes its end, what is no number its latest.

    >>> calendared(12.5), calendared(1e300) == LATEST, calendared(-1e18) == EARLIEST, calendared(math.nan) == LATEST
    (12.5, True, True, True)
    """
    return LATEST if math.isnan(at) else min(max(at, EARLIEST), LATEST)


def zoned(at: float) -> datetime:
    """Tell epoch seconds as a moment in UTC, whatever they are.

    >>> [f"{zoned(at):%Y-%m-%d}" for at in (1.7e9, 1.8e12, 1e300, math.inf)]
    ['2023-11-14', '9999-12-31', '9999-12-31', '9999-12-31']
    """
    return datetime.fromtimestamp(calendared(at), UTC)


def micros(at: float) -> int:
    """Tell epoch seconds in whole microseconds, as the wire and the store count them, whatever they are.

    >>> micros(1.5), micros(1e300) == int(LATEST * 1e6)
    (1500000, True)
    """
    return round(calendared(at) * 1e6)
