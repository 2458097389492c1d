"""Passes over the readings of a tick, compiled: each reads and writes every column once, side by side.

Without numba the same functions run as they stand, slower. The last readings of a signal are written as `Rings.write` does.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from opsroom.compiled import compiled
from opsroom.judgement.rings import KEPT, SHELF

NEVER = np.iinfo(np.int64).min
_LIVE, _CORRECTION, _BACKFILL = 0, 1, 2
"""The codes of `opsroom.record.store.KINDS`."""
_BAD, _STEADY, _SUSPECTED = 2, 1, 2
_TOGETHER = 512
"""Signals of which one row after the other is kept: what is known of them stays in a core's own cache."""


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
def gather(
    first: int, end: int, order: Any, starts: Any, ends: Any, t_source: Any, t_kind: Any,
    lane_of: Any, value_of: Any, quality_of: Any,
    telex: Any, lane: Any, source: Any, kind: Any, value: Any, quality: Any,
) -> None:  # fmt: skip
    """Write the readings of the telexes `order` one telex after the other, with what their telex says beside each.

    Only those of the telexes `first` to `end`, which end at `ends`; others may be written at the same time.
    """
    to = ends[first - 1] if first else 0
    for number in range(first, end):
        start = starts[order[number]]
        now, how = t_source[number], t_kind[number]
        for place in range(start, start + ends[number] - to):
            telex[to], source[to], kind[to] = number, now, how
            lane[to], value[to], quality[to] = lane_of[place], value_of[place], quality_of[place]
            to += 1


@compiled
def rising(order: Any, lane: Any, kind: Any) -> bool:
    """Tell whether all readings are live, and each signal has one alone, in the order in which they lie in memory."""
    before = -1
    for place in order:
        if lane[place] <= before or kind[place] != _LIVE:
            return False
        before = lane[place]
    return True


@compiled
def lay_row(
    first: int, end: int, order: Any, lane: Any, value: Any, quality: Any, source: Any, period: Any, last: Any,
    lanes: Any, at: Any, x: Any, lapse: Any, told: Any,
) -> None:  # fmt: skip
    """Lay live readings, one of each signal, into one row: what `turns`, `widths` and `lay` would write of them.

    Only those at `first` to `end` of the order; others may be laid at the same time.
    """
    for to in range(first, end):
        place = order[to]
        row, now = lane[place], source[place]
        before = last[row]
        lapse[to] = 1.0 if before == NEVER else (now - before) / period[row]
        if before < now:
            last[row] = now
        lanes[to], at[to], told[to] = row, now, value[place]
        x[to] = np.nan if quality[place] == _BAD else value[place]


@compiled
def turns(lane: Any, kind: Any, source: Any, period: Any, last: Any, seen: Any, turn: Any, elapsed: Any) -> int:
    """Write into `turn` how many readings of the same signal are judged before each, -1 for one that is not judged.

    `elapsed` gets its periods since the one before. `last` (source times by lane) goes on, `seen` counts by lane from nought.
    Tells how many turns there are.
    """
    most = 0
    for place in range(len(lane)):
        row, now = lane[place], source[place]
        before = last[row]
        if kind[place] == _CORRECTION or (kind[place] == _BACKFILL and now <= before):
            turn[place] = -1
            continue
        turn[place] = seen[row]
        seen[row] += 1
        most = max(most, seen[row])
        elapsed[place] = 1.0 if before == NEVER else (now - before) / period[row]
        if before < now:
            last[row] = now
    return most


@compiled
def widths(order: Any, lane: Any, turn: Any, seen: Any, column: Any, width: Any) -> None:
    """Give each signal a column among those with as many readings, in the order of `order`; `width` counts them."""
    for place in order:
        if turn[place] == 0:
            row = lane[place]
            column[row] = width[seen[row]]
            width[seen[row]] += 1


@compiled
def lay(
    first: int, end: int, order: Any, lane: Any, value: Any, quality: Any, source: Any, turn: Any, elapsed: Any,
    seen: Any, column: Any, width: Any, start: Any, places: Any, lanes: Any, at: Any, x: Any, lapse: Any, told: Any,
) -> None:  # fmt: skip
    """Lay the readings of signals with c readings each into a table (c, width[c]) from `start[c]` on; bad ones are missing.

    Only those at `first` to `end` of the order; others may be laid at the same time.
    """
    for number in range(first, end):
        place = order[number]
        if turn[place] < 0:
            continue
        row = lane[place]
        many = seen[row]
        to = start[many] + turn[place] * width[many] + column[row]
        places[to], lanes[to], at[to], lapse[to] = place, row, source[place], elapsed[place]
        told[to] = value[place]
        x[to] = np.nan if quality[place] == _BAD else value[place]


@compiled
def clear(lane: Any, seen: Any) -> None:
    """Let `seen` be nought again."""
    for row in lane:
        seen[row] = 0


@compiled
def onset(lane: int, back: int, count: Any, r_source: Any, r_low: Any, r_high: Any) -> Any:
    """Tell the source time of the reading so many readings `back`, and the newest 90 % forecast made for it or before it."""
    many, on, aside = count[lane], lane // SHELF, lane % SHELF
    back = min(max(back, 0), min(many, KEPT) - 1)
    low = high = np.nan
    for before in range(back, min(many, KEPT)):
        ring = (many - 1 - before) % KEPT
        if np.isfinite(r_low[on, ring, aside]):
            low, high = r_low[on, ring, aside], r_high[on, ring, aside]
            break
    return r_source[on, (many - 1 - back) % KEPT, aside], low, high


@compiled
def absorb(
    first: int, end: int, places: Any, lanes: Any, at: Any, x: Any,
    v_named: Any, v_p: Any, v_level: Any, v_slope: Any, v_low: Any, v_high: Any, v_onset: Any, v_announced: Any,
    named: Any, p: Any, level: Any, low: Any, high: Any,
    count: Any, r_source: Any, r_value: Any, r_low: Any, r_high: Any, r_named: Any,
    since: Any, suspected: Any, l_named: Any, l_p: Any, l_level: Any, l_slope: Any,
    loud: Any, loud_at: Any, loud_band: Any,
) -> int:  # fmt: skip
    """Keep what the filter said of the signals `first` to `end` of a table: beside the readings, among the last, as what holds.

    Those of other signals may be kept at the same time. `v_p` is (c, 4, m), `p` (n, 4). Tells how many were announced; they stand
    in `loud` from `first` times c on, as row and signal, beside each the source times of its onset and of its first suspicion
    in `loud_at`, and in `loud_band` the newest 90 % forecast made for the onset or before it.
    """
    rows = len(lanes)
    begin = to = first * rows
    for some in range(first, end, _TOGETHER):
        for r in range(rows):
            for k in range(some, min(some + _TOGETHER, end)):
                row, place, word, now = lanes[r, k], places[r, k], v_named[r, k], at[r, k]
                on, aside = row // SHELF, row % SHELF
                named[place] = word
                for four in range(4):
                    p[place, four] = l_p[row, four] = v_p[r, four, k]
                level[place], low[place], high[place] = v_level[r, k], v_low[r, k], v_high[r, k]
                many = count[row]
                ring = many % KEPT
                r_source[on, ring, aside], r_value[on, ring, aside], r_named[on, ring, aside] = now, x[r, k], word
                r_low[on, ring, aside], r_high[on, ring, aside] = v_low[r, k], v_high[r, k]
                count[row] = many + 1
                l_named[row], l_level[row], l_slope[row] = word, v_level[r, k], v_slope[r, k]
                back = v_onset[r, k]
                if back < 0:
                    since[row] = NEVER
                else:
                    since[row] = r_source[on, (many - min(back, min(many + 1, KEPT) - 1)) % KEPT, aside]
                if word <= _STEADY:
                    suspected[row] = NEVER
                elif word == _SUSPECTED and suspected[row] == NEVER:
                    suspected[row] = now
                if v_announced[r, k]:
                    loud[to, 0], loud[to, 1], loud_at[to, 1] = r, k, suspected[row]
                    loud_at[to, 0], loud_band[to, 0], loud_band[to, 1] = onset(
                        row, back, count, r_source, r_low, r_high
                    )
                    to += 1
    return to - begin
