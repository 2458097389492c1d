"""Passes over the readings of a tick, compiled: each reads and writes every column once, side by side.

Without numba the same functions run as they stand, slower. The last readings of a signal are written as `Rings.write` does.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from opsroom.compiled import compiled

NEVER = np.iinfo(np.int64).min
_BAD, _STEADY, _SUSPECTED = 2, 1, 2


@compiled
def spread(order: Any, starts: Any, sizes: Any, into: Any) -> None:
    """Write the places of the readings of the telexes `order`, one telex after the other, into `into`."""
    to = 0
    for telex in order:
        start = starts[telex]
        for place in range(start, start + sizes[telex]):
            into[to] = place
            to += 1


@compiled
def rounds(lane: Any, seen: Any, number: Any) -> int:
    """Write into `number` how many readings of the same signal stand before each; tells how many rounds there are.

    `seen` counts by lane; it is nought before and after.
    """
    most = 0
    for place in range(len(lane)):
        before = seen[lane[place]]
        number[place] = before
        seen[lane[place]] = before + 1
        most = max(most, before + 1)
    for place in range(len(lane)):
        seen[lane[place]] = 0
    return most


@compiled
def prepare(
    places: Any, lane: Any, value: Any, quality: Any, source: Any, period: Any, last: Any,
    lanes: Any, x: Any, elapsed: Any, at: Any,
) -> None:  # fmt: skip
    """Take the readings at `places`: their lanes, values (bad ones missing), periods since the last, source times."""
    for k in range(len(places)):
        place = places[k]
        row, now = lane[place], source[place]
        lanes[k], at[k] = row, now
        x[k] = np.nan if quality[place] == _BAD else value[place]
        elapsed[k] = 1.0 if last[row] == NEVER else (now - last[row]) / period[row]


@compiled
def absorb(
    places: Any, lanes: Any, at: Any, x: Any,
    v_named: Any, v_p: Any, v_level: Any, v_slope: Any, v_low: Any, v_high: Any, v_onset: Any,
    named: Any, p: Any, level: Any, low: Any, high: Any,
    count: Any, r_source: Any, r_value: Any, r_low: Any, r_high: Any, r_named: Any,
    last: Any, since: Any, suspected: Any, l_named: Any, l_p: Any, l_level: Any, l_slope: Any,
) -> None:  # fmt: skip
    """Keep what the filter said of a round: beside the readings, among the last readings, and as what holds now.

    `v_p` is (4, m), `p` (n, 4).
    """
    kept, shelf = r_source.shape[1], r_source.shape[2]
    for k in range(len(lanes)):
        row, place, word, now = lanes[k], places[k], v_named[k], at[k]
        on, aside = row // shelf, row % shelf
        named[place] = word
        for four in range(4):
            p[place, four] = l_p[row, four] = v_p[four, k]
        level[place], low[place], high[place] = v_level[k], v_low[k], v_high[k]
        many = count[row]
        ring = many % kept
        r_source[on, ring, aside], r_value[on, ring, aside], r_named[on, ring, aside] = now, x[k], word
        r_low[on, ring, aside], r_high[on, ring, aside] = v_low[k], v_high[k]
        count[row] = many + 1
        if last[row] < now:
            last[row] = now
        l_named[row], l_level[row], l_slope[row] = word, v_level[k], v_slope[k]
        back = v_onset[k]
        if back < 0:
            since[row] = NEVER
        else:
            since[row] = r_source[on, (many - min(back, min(many + 1, kept) - 1)) % kept, aside]
        if word <= _STEADY:
            suspected[row] = NEVER
        elif word == _SUSPECTED and suspected[row] == NEVER:
            suspected[row] = now


@compiled
def onset(lane: int, back: int, count: Any, r_source: Any, r_low: Any, r_high: Any) -> Any:
    """Tell the source time of the reading so many readings `back`, and the newest 90 % forecast made for it or before it."""
    many, kept, on, aside = count[lane], r_source.shape[1], lane // r_source.shape[2], lane % r_source.shape[2]
    back = min(max(back, 0), min(many, kept) - 1)
    low = high = np.nan
    for before in range(back, min(many, kept)):
        ring = (many - 1 - before) % kept
        if np.isfinite(r_low[on, ring, aside]):
            low, high = r_low[on, ring, aside], r_high[on, ring, aside]
            break
    return r_source[on, (many - 1 - back) % kept, aside], low, high
