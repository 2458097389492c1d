"""Timestamps of one form, read many at once: the same as `times.moment` says of each. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Moments", "moments"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_SIGNS = {4: "-", 7: "-", 10: " T", 13: ":", 16: ":", 19: "."}
"""Where which signs stand in a date that is read here."""
_WIDTHS = (10, 16, 19, 23, 26)
"""Letters of a day, of minutes, of seconds, of milli- and microseconds."""


class Moments(NamedTuple):
    """What timestamps say; see `times.Moment`."""

    at: Floats
    of_day: Floats
    """(rows,) each."""
    dated: bool
    zoned: bool = False


def moments(stamps: Sequence[str]) -> Moments | None:
    """What all of these timestamps say; None where one of them is of another form and each must be read by itself.

    >>> moments(["1970-01-02 06:00", "1970-01-02 12:00"])[:2]
    (array([108000., 129600.]), array([0.25, 0.5 ]))
    >>> moments(["1", "2.5"])[0], moments(["1", "soon"]), moments(["2026-02-29"])
    (array([1. , 2.5]), None, None)
    """
    if not stamps:
        return None
    width, zoned = len(stamps[0]), stamps[0].endswith("Z")
    if width - zoned not in _WIDTHS or stamps[0][4] != "-":
        return _plain(stamps)
    if set(map(len, stamps)) != {width}:
        return None
    try:
        text = np.array(stamps, f"S{width}").view(np.uint8).reshape(len(stamps), width)
    except UnicodeEncodeError:
        return None
    return _dates(text, width - zoned, zoned)


def _plain(stamps: Sequence[str]) -> Moments | None:
    try:
        at = np.fromiter(map(float, stamps), float, len(stamps))
    except ValueError:
        return None
    return Moments(at, np.full(len(at), math.nan), False) if np.isfinite(at).all() else None


def _dates(text: NDArray[np.uint8], width: int, zoned: bool) -> Moments | None:
    figures = text.astype(np.int64) - ord("0")
    places = [place for place in range(width) if place not in _SIGNS]
    if ((figures[:, places] < 0) | (figures[:, places] > 9)).any() or (zoned and (text[:, -1] != ord("Z")).any()):
        return None
    for place, signs in _SIGNS.items():
        if place < width and not np.isin(text[:, place], [ord(sign) for sign in signs]).all():
            return None

    def read(first: int, last: int) -> Ints:
        total = np.zeros(len(text), np.int64)
        for place in range(first, min(last, width)):
            total = 10 * total + figures[:, place]
        return total

    year, month, day = read(0, 4), read(5, 7), read(8, 10)
    hour, minute, second = read(11, 13), read(14, 16), read(17, 19)
    if (year < 1).any() or (month < 1).any() or (month > 12).any() or (day < 1).any():
        return None
    months = (year - 1970) * 12 + month - 1
    first, after = (number.astype("M8[M]").astype("M8[D]").astype(np.int64) for number in (months, months + 1))
    if (day > after - first).any() or (hour > 23).any() or (minute > 59).any() or (second > 59).any():
        return None
    of_day = hour * 3600 + minute * 60 + second
    micro = read(20, width) * 10 ** (26 - width) if width > 20 else np.zeros(len(text), np.int64)
    # As a difference of datetimes has it: microseconds, divided once.
    since = ((first + day - 1) * 86400 + of_day) * 1_000_000 + micro
    if micro.any() and np.abs(since).max() > 2**53:
        return None  # beyond the year 2255 a float does not hold them
    return Moments(since / 1e6, of_day / 86400, True, zoned)
