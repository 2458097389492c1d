"""Reads many JSON frames of one telex each in one compiled pass, into columns: no Python object for each reading. Pure.

Only the plain telex is read here: live, every reading `[id, number]`, its time in UTC, members in any order and spaced as one
likes, no member twice. Every other frame, good or bad, is *odd*: it is left to `wire.decode`, which knows all the rules. So this
module accepts less than the wire does, and gives for what it accepts the very same figures; a property test holds them together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from telex_ingest.compiled import COMPILES, compiled

PLAIN = b'{"telexes"'
"""How a frame begins that may be plain."""

SCANS = COMPILES
"""Whether frames are worth gathering: without the compiler one by one is quicker."""

_MOST_EXACT = 1 << 53
_POWERS = np.array([10.0**k for k in range(23)])
_PLANT, _EPOCH, _SEQ, _TIME, _READINGS, _KIND, _NO_MEMBER = 1, 2, 4, 8, 16, 32, 0
_DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


class Scanned(NamedTuple):
    """Columns of f frames, in their order; those of an odd frame mean nothing.

    `ends` is where the readings of each end among `signals` and `values`; `alike` whether it has the signals of the frame before.
    """

    odd: NDArray[np.bool_]
    names: NDArray[np.int64]
    """(2, f) where the name of each one's plant begins and ends in `whole`."""
    epochs: NDArray[np.int64]
    seqs: NDArray[np.int64]
    source_us: NDArray[np.int64]
    ends: NDArray[np.int64]
    alike: NDArray[np.bool_]
    signals: NDArray[np.int64]
    values: NDArray[np.float64]
    whole: bytes
    bounds: NDArray[np.int64]
    """Where the frames lie in `whole`: frame k from bounds[k] to bounds[k + 1]."""

    def plants(self, first: int = 0, end: int | None = None) -> list[str]:
        """The plants of some frames."""
        starts, stops = self.names[:, first:end].tolist()
        return [self.whole[start:stop].decode("ascii") for start, stop in zip(starts, stops, strict=True)]


def scan(frames: Sequence[bytes], sizes: Sequence[int] | None = None) -> Scanned:
    """Read frames of JSON text; with `sizes` the pieces together are frames of so many bytes, one behind the other.

    >>> telex = b'{"telexes": [{"plant": "mill-1", "seq": 1, "time": "1970-01-01T00:00:02Z", "readings": [[1, 17.5]]}]}'
    >>> seen = scan([telex, b"what"])
    >>> seen.odd.tolist(), seen.plants()[0], int(seen.seqs[0]), int(seen.source_us[0]), seen.values[:1].tolist()
    ([False, True], 'mill-1', 1, 2000000, [17.5])
    """
    whole = b"".join(frames)
    data = np.frombuffer(whole, np.uint8)
    bounds = np.cumsum([0, *(map(len, frames) if sizes is None else sizes)])
    f = len(bounds) - 1
    room = len(whole) // 5 + 1
    numbers = np.zeros((5, f), np.int64)
    ends, odd, alike = np.zeros(f, np.int64), np.zeros(f, np.bool_), np.zeros(f, np.bool_)
    signals, values, unsure = np.empty(room, np.int64), np.empty(room), np.empty((room, 4), np.int64)
    doubts = _scan(data, bounds, numbers, ends, odd, alike, signals, values, unsure)
    for frame, place, start, end in unsure[:doubts].tolist():
        value = float(whole[start:end])
        values[place] = value
        odd[frame] |= not np.isfinite(value)
    values = values[: int(ends[-1]) if f else 0].copy()  # what is kept of it shall not keep the room for the rest
    _, _, epochs, seqs, source_us = numbers
    return Scanned(odd, numbers[:2], epochs, seqs, source_us, ends, alike, signals, values, whole, bounds)


def warm() -> None:
    """Compile, or load what was compiled, before the first frame comes."""
    scan([b"{}"])


@compiled
def _blank(data: Any, at: int, end: int) -> int:
    """Pass over white space."""
    while at < end and (data[at] == 32 or data[at] == 10 or data[at] == 13 or data[at] == 9):
        at += 1
    return at


@compiled
def _mark(data: Any, at: int, end: int, sign: int) -> int:
    """Pass over a sign with white space around it; -1 when it is not there."""
    if at < 0:
        return -1
    at = _blank(data, at, end)
    if at >= end or data[at] != sign:
        return -1
    return _blank(data, at + 1, end)  # type: ignore[no-any-return] # compiled


@compiled
def _text(data: Any, at: int, end: int) -> int:
    """Where the text that begins at `at` (behind its quotation mark) ends; -1 unless it is plain ASCII."""
    while at < end and data[at] != 34:
        if data[at] == 92 or data[at] < 32 or data[at] > 126:
            return -1
        at += 1
    return at if at < end else -1


@compiled
def _whole(data: Any, at: int, end: int) -> tuple[int, int]:
    """A whole number from nought up and where it ends; -1 when there is none or it is too large."""
    start, number = at, 0
    while at < end and 48 <= data[at] <= 57 and at - start < 17:
        number = number * 10 + (data[at] - 48)
        at += 1
    if at == start or number >= _MOST_EXACT or (data[start] == 48 and at - start > 1):
        return 0, -1
    if at < end and (data[at] == 46 or data[at] == 101 or data[at] == 69 or 48 <= data[at] <= 57):
        return 0, -1
    return number, at


@compiled
def _pair(data: Any, at: int, many: int) -> int:
    """So many digits as a number; -1 when one of them is none."""
    number = 0
    for k in range(many):
        if not 48 <= data[at + k] <= 57:
            return -1
        number = number * 10 + (data[at + k] - 48)
    return number


@compiled
def _moment(data: Any, at: int, end: int) -> tuple[int, bool]:
    """Microseconds since 1970 of `YYYY-MM-DDTHH:MM:SS[.ffffff](Z|+00:00)`, and whether it was one."""
    if end - at < 20 or data[at + 4] != 45 or data[at + 7] != 45 or data[at + 10] != 84:
        return 0, False
    if data[at + 13] != 58 or data[at + 16] != 58:
        return 0, False
    year, month, day = _pair(data, at, 4), _pair(data, at + 5, 2), _pair(data, at + 8, 2)
    hour, minute, second = _pair(data, at + 11, 2), _pair(data, at + 14, 2), _pair(data, at + 17, 2)
    if year < 1 or month < 1 or month > 12 or day < 1 or min(hour, minute, second) < 0:
        return 0, False
    leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
    if day > _DAYS[month - 1] + (leap and month == 2) or hour > 23 or minute > 59 or second > 59:
        return 0, False
    at += 19
    micro = 0
    if data[at] == 46:
        at += 1
        digits = 0
        while at < end and 48 <= data[at] <= 57:
            micro = micro * 10 + (data[at] - 48)
            digits += 1
            at += 1
            if digits > 6:
                return 0, False
        if digits == 0:
            return 0, False
        for _ in range(6 - digits):
            micro *= 10
    zone = end - at
    if zone == 6:
        if data[at] != 43 or data[at + 3] != 58 or _pair(data, at + 1, 2) != 0 or _pair(data, at + 4, 2) != 0:
            return 0, False
    elif zone != 1 or data[at] != 90:
        return 0, False
    # Days since 1970 in the Gregorian calendar; years begin in March, so that the odd day comes last.
    y, m = year - (month <= 2), (month + 9) % 12
    era = y // 400
    of_era = y - era * 400
    days = era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + (153 * m + 2) // 5 + day - 1 - 719468
    return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000_000 + micro, True


@compiled
def _number(data: Any, at: int, end: int) -> tuple[float, int, bool]:
    """A JSON number, where it ends (-1: it is none), and whether the figure is the nearest one for sure."""
    negative = at < end and data[at] == 45
    at += negative
    start, mantissa, digits, after = at, np.uint64(0), 0, 0
    while at < end and 48 <= data[at] <= 57:
        mantissa = mantissa * np.uint64(10) + np.uint64(data[at] - 48)
        digits += 1
        at += 1
    if at == start or (data[start] == 48 and at - start > 1):
        return 0.0, -1, False
    if at < end and data[at] == 46:
        at += 1
        begun = at
        while at < end and 48 <= data[at] <= 57:
            mantissa = mantissa * np.uint64(10) + np.uint64(data[at] - 48)
            digits += 1
            after += 1
            at += 1
        if at == begun:
            return 0.0, -1, False
    sure = digits <= 18 and mantissa <= np.uint64(_MOST_EXACT) and after <= 22
    if at < end and (data[at] == 101 or data[at] == 69):
        sure = False
        at += 1
        if at < end and (data[at] == 43 or data[at] == 45):
            at += 1
        begun = at
        while at < end and 48 <= data[at] <= 57:
            at += 1
        if at == begun:
            return 0.0, -1, False
    if negative and mantissa == np.uint64(0):
        return 0.0, -1, False
    value = np.float64(mantissa) / _POWERS[after] if sure else 0.0
    return (-value if negative else value), at, sure  # type: ignore[return-value] # compiled


@compiled
def _member(data: Any, at: int, end: int) -> int:
    """Which member of a telex a name says."""
    size = end - at
    if size == 5 and data[at] == 112 and data[at + 1] == 108 and data[at + 2] == 97 and data[at + 3] == 110:
        return _PLANT if data[at + 4] == 116 else _NO_MEMBER
    if size == 5 and data[at] == 101 and data[at + 1] == 112 and data[at + 2] == 111 and data[at + 3] == 99:
        return _EPOCH if data[at + 4] == 104 else _NO_MEMBER
    if size == 3 and data[at] == 115 and data[at + 1] == 101 and data[at + 2] == 113:
        return _SEQ
    if size == 4 and data[at] == 116 and data[at + 1] == 105 and data[at + 2] == 109 and data[at + 3] == 101:
        return _TIME
    if size == 4 and data[at] == 107 and data[at + 1] == 105 and data[at + 2] == 110 and data[at + 3] == 100:
        return _KIND
    if (
        size == 8 and data[at] == 114 and data[at + 1] == 101 and data[at + 2] == 97 and data[at + 3] == 100
        and data[at + 4] == 105 and data[at + 5] == 110 and data[at + 6] == 103 and data[at + 7] == 115
    ):  # fmt: skip
        return _READINGS
    return _NO_MEMBER


@compiled
def _readings(
    data: Any, at: int, end: int, frame: int, n: int, signals: Any, values: Any, unsure: Any, doubts: int
) -> tuple[int, int, int]:
    """The list of readings behind its bracket: where it ends (-1: it is none), how many readings and doubts there are now."""
    at = _blank(data, at, end)
    if at < end and data[at] == 93:
        return at + 1, n, doubts
    while True:
        at = _mark(data, at, end, 91)
        if at < 0:
            return -1, n, doubts
        signal, at = _whole(data, at, end)
        at = _mark(data, at, end, 44)
        if at < 0 or signal > 65535:
            return -1, n, doubts
        begun = at
        value, at, sure = _number(data, at, end)
        if at < 0:
            return -1, n, doubts
        signals[n], values[n] = signal, value
        if not sure:
            unsure[doubts, 0], unsure[doubts, 1], unsure[doubts, 2], unsure[doubts, 3] = frame, n, begun, at
            doubts += 1
        n += 1
        at = _mark(data, at, end, 93)
        if at < 0 or at >= end:
            return -1, n, doubts
        if data[at] == 93:
            return at + 1, n, doubts
        if data[at] != 44:
            return -1, n, doubts
        at = _blank(data, at + 1, end)


@compiled
def _scan(
    data: Any, bounds: Any, numbers: Any, ends: Any, odd: Any, alike: Any, signals: Any, values: Any, unsure: Any
) -> int:
    """Read every frame; tells how many figures are left to be looked at again."""
    n = doubts = before = 0
    for frame in range(len(bounds) - 1):
        start, n_before, doubts_before = n, n, doubts
        at, end, good, seen = bounds[frame], bounds[frame + 1], False, 0
        numbers[2, frame] = 1
        # {"telexes": [{
        at = _mark(data, at, end, 123)
        if at >= 0 and at + 9 <= end and data[at] == 34 and data[at + 1] == 116 and data[at + 2] == 101:
            if (
                data[at + 3] == 108 and data[at + 4] == 101 and data[at + 5] == 120 and data[at + 6] == 101
                and data[at + 7] == 115 and data[at + 8] == 34
            ):  # fmt: skip
                at = _mark(data, _mark(data, _mark(data, at + 9, end, 58), end, 91), end, 123)
            else:
                at = -1
        else:
            at = -1
        while at >= 0 and at < end:
            if data[at] != 34:
                break
            name = at + 1
            at = _text(data, name, end)
            member = _member(data, name, at) if at >= 0 else _NO_MEMBER
            if member == _NO_MEMBER or seen & member:
                break
            seen |= member
            at = _mark(data, at + 1, end, 58)
            if at < 0 or at >= end:
                break
            if member in (_EPOCH, _SEQ):
                number, at = _whole(data, at, end)
                if at < 0 or number < 1:
                    break
                numbers[2 if member == _EPOCH else 3, frame] = number
            elif member == _READINGS:
                if data[at] != 91:
                    break
                at, n, doubts = _readings(data, at + 1, end, frame, n, signals, values, unsure, doubts)
                if at < 0:
                    break
            else:
                if data[at] != 34:
                    break
                text = at + 1
                at = _text(data, text, end)
                if at < 0:
                    break
                if member == _PLANT:
                    numbers[0, frame], numbers[1, frame] = text, at
                elif member == _TIME:
                    moment, fits = _moment(data, text, at)
                    if not fits:
                        break
                    numbers[4, frame] = moment
                elif not (
                    at - text == 4 and data[text] == 108 and data[text + 1] == 105 and data[text + 2] == 118
                    and data[text + 3] == 101
                ):  # fmt: skip
                    break
                at += 1
            at = _blank(data, at, end)
            if at < end and data[at] == 44:
                at = _blank(data, at + 1, end)
                continue
            at = _mark(data, _mark(data, _mark(data, at, end, 125), end, 93), end, 125)
            good = at == end and seen & ~(_KIND | _EPOCH) == _PLANT | _SEQ | _TIME | _READINGS
            break
        if good:
            same = n - start == start - before
            for k in range(n - start):
                same = same and signals[start + k] == signals[before + k]
            alike[frame], before = same and frame > 0, start
        else:
            odd[frame], n, doubts = True, n_before, doubts_before
            numbers[0, frame] = numbers[1, frame] = 0
        ends[frame] = n
    return doubts
