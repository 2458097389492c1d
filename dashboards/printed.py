"""Figures, units and times as people print them. Pure."""

from __future__ import annotations

import re

from opsroom.views import zoned

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float | None) -> str:
    """Tell a figure as people read it, about three digits, a thin space between thousands.

    >>> number(1234.5), number(71.128), number(-0.5), number(None)
    ('1\\u2009234', '71.1', '\\u22120.50', '–')
    """
    if value is None:
        return "–"
    size = abs(value)
    digits = 0 if size >= 100 or size == 0 else 1 if size >= 10 else 2
    return f"{value:,.{digits}f}".replace(",", "\u2009").replace("-", "\u2212")


def percent(probability: float) -> str:
    """Tell a probability in per cent; what is nearly sure is not called sure.

    >>> percent(0.97), percent(0.9999)
    ('97', '> 99')
    """
    return "> 99" if probability >= 0.995 else str(round(100 * probability))


def uom_of(unit: str) -> str:
    """Write a unit of measure, or those in a sentence, as people print it.

    >>> uom_of("10^8 m3"), uom_of("degC"), uom_of("t/h"), uom_of("System2 lost 3 km2")
    ('10⁸ m³', '°C', 't/h', 'System2 lost 3 km²')
    """
    raised = re.sub(r"\^(-?\d+)", lambda found: found[1].translate(RAISED), unit)
    squared = re.sub(r"\b([kcdmMNS]?m)([23])\b", lambda found: found[1] + found[2].translate(RAISED), raised)
    return re.sub(r"\bdeg(?=[CF]\b)", "°", squared)


def time_of(at: float, seconds: bool = False) -> str:
    """Tell the time of day of epoch seconds, UTC.

    >>> time_of(45_000.0)
    '12:30'
    """
    return zoned(at).strftime("%H:%M:%S" if seconds else "%H:%M")


def date_of(at: float) -> str:
    """Tell day and time of epoch seconds, UTC.

    >>> date_of(45_000.0)
    '1970-01-01 12:30'
    """
    return zoned(at).strftime("%Y-%m-%d %H:%M")
