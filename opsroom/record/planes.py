"""Columns of numbers as bytes: their differences from the least, cut into planes of equal rank, each as narrow as it goes.

A column is its least number (8 bytes), how many planes follow (1 byte, of the differences' lowest bytes first), then each plane:
a code of how many bits an entry has (0: all are nought), and the entries. With 4, 2 or 1 bits the highest entry stands for
"look it up": those bytes follow in order, after their number (4 bytes). Everything is little-endian.

A column of floats is 1 byte and a column: up to `DIGITS` says that the numbers are whole ones divided by that power of ten
(each is compared, so that they come back bit by bit), `BITS` that their bits follow. Whole ones stand behind their word for NaN.

Pure.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from opsroom.compiled import compiled

DIGITS, BITS = 9, 255
_POWERS = np.array([10.0**digits for digits in range(DIGITS + 1)])
_MOST_WHOLE = 2.0**52


def room_for(n: int) -> int:
    """The most bytes that a column of `n` numbers takes."""
    return 18 + 8 * (n + 5)


@compiled
def _word(number: Any, out: Any, at: int, many: int) -> int:
    for k in range(many):
        out[at + k] = np.uint8((np.uint64(number) >> np.uint64(8 * k)) & np.uint64(255))
    return at + many


@compiled
def whole(column: Any, out: Any, at: int) -> int:
    """Write a column of int64 to `out` from `at` on; tells where it ends."""
    n, words = len(column), column.view(np.uint64)
    low = high = 0
    for i in range(n):
        if column[i] < column[low]:
            low = i
        if column[i] > column[high]:
            high = i
    base = span = np.uint64(0)
    if n:
        base = words[low]
        span = words[high] - base
    at = _word(base, out, at, 8)
    planes = 0
    while planes < 8 and (span >> np.uint64(8 * planes)) != 0:
        planes += 1
    out[at] = planes
    at += 1
    for plane in range(planes):
        shift = np.uint64(8 * plane)
        some = fours = twos = 0
        for i in range(n):
            byte = ((words[i] - base) >> shift) & np.uint64(255)
            some += byte >= np.uint64(1)
            twos += byte >= np.uint64(3)
            fours += byte >= np.uint64(15)
        best, bits, over = n, 8, 0
        for size, look in ((4, fours), (2, twos), (1, some)):
            cost = (n * size + 7) // 8 + 4 + look
            if cost < best:
                best, bits, over = cost, size, look
        if some == 0:
            bits = 0
        out[at] = bits
        at += 1
        if bits == 8:
            for i in range(n):
                out[at + i] = np.uint8(((words[i] - base) >> shift) & np.uint64(255))
            at += n
        elif bits:
            top, each = np.uint64((1 << bits) - 1), 8 // bits
            at = _word(over, out, at, 4)
            length = (n * bits + 7) // 8
            rest = at + length
            for byte_at in range(length):
                packed = np.uint64(0)
                for part in range(each):
                    i = byte_at * each + part
                    if i < n:
                        byte = ((words[i] - base) >> shift) & np.uint64(255)
                        if byte >= top:
                            out[rest] = np.uint8(byte)
                            rest += 1
                            byte = top
                        packed |= byte << np.uint64(bits * part)
                out[at + byte_at] = np.uint8(packed)
            at = rest
    return at


@compiled
def _digits(column: Any) -> int:
    """The least power of ten with which all numbers are whole, `BITS` when there is none."""
    for digits in range(DIGITS + 1):
        power, fits = _POWERS[digits], True
        for i in range(len(column)):
            number = column[i]
            if number != number:
                continue
            times = np.rint(number * power)
            if not (
                abs(times) < _MOST_WHOLE
                and times / power == number
                and (times != 0.0 or np.copysign(1.0, number) > 0.0)
            ):
                fits = False
                break
        if fits:
            return digits
    return BITS


@compiled
def floats(column: Any, out: Any, at: int) -> int:
    """Write a column of float64 to `out` from `at` on; tells where it ends. Every NaN is the same."""
    n, digits = len(column), _digits(column)
    out[at] = digits
    at += 1
    words = np.empty(n, np.int64)
    if digits == BITS:
        copied = np.empty(n)
        for i in range(n):
            copied[i] = column[i] if column[i] == column[i] else np.nan
        return whole(copied.view(np.int64), out, at)  # type: ignore[no-any-return] # compiled
    power, most = _POWERS[digits], np.int64(0)
    for i in range(n):
        if column[i] == column[i]:
            words[i] = np.int64(np.rint(column[i] * power))
            most = max(most, words[i])
    for i in range(n):
        if column[i] != column[i]:
            words[i] = most + 1
    at = _word(most + 1, out, at, 8)
    return whole(words, out, at)  # type: ignore[no-any-return] # compiled


@compiled
def whole_from(data: Any, at: int, out: Any) -> int:
    """Read a column of int64 that begins at `at` into `out`; tells where it ends, -1 when the bytes are none."""
    n, size = len(out), len(data)
    if at < 0 or at + 9 > size:
        return -1
    words, base = out.view(np.uint64), np.uint64(0)
    for k in range(8):
        base |= np.uint64(data[at + k]) << np.uint64(8 * k)
    words[:] = base
    planes = data[at + 8]
    at += 9
    if planes > 8:
        return -1
    for plane in range(planes):
        if at >= size:
            return -1
        bits, shift = data[at], np.uint64(8 * plane)
        at += 1
        if bits == 8:
            if at + n > size:
                return -1
            for i in range(n):
                words[i] += np.uint64(data[at + i]) << shift
            at += n
        elif bits == 4 or bits == 2 or bits == 1:
            length = (n * bits + 7) // 8
            rest = at + 4 + length
            if rest > size:
                return -1
            end = rest + (data[at] | data[at + 1] << 8 | data[at + 2] << 16 | data[at + 3] << 24)
            at += 4
            if end > size:
                return -1
            top, each = (1 << bits) - 1, 8 // bits
            for i in range(n):
                byte = (data[at + i // each] >> (bits * (i % each))) & top
                if byte == top:
                    if rest >= end:
                        return -1
                    byte = data[rest]
                    rest += 1
                words[i] += np.uint64(byte) << shift
            if rest != end:
                return -1
            at = end
        elif bits != 0:
            return -1
    return at


@compiled
def floats_from(data: Any, at: int, out: Any) -> int:
    """Read a column of float64 that begins at `at` into `out`; tells where it ends, -1 when the bytes are none."""
    if at < 0 or at >= len(data):
        return -1
    digits = data[at]
    if digits == BITS:
        return whole_from(data, at + 1, out.view(np.int64))  # type: ignore[no-any-return] # compiled
    if digits > DIGITS or at + 9 > len(data):
        return -1
    nothing = np.uint64(0)
    for k in range(8):
        nothing |= np.uint64(data[at + 1 + k]) << np.uint64(8 * k)
    words = np.empty(len(out), np.int64)
    at = whole_from(data, at + 9, words)
    power = _POWERS[digits]
    for i in range(len(out)):
        out[i] = np.nan if np.uint64(words[i]) == nothing else words[i] / power
    return at
