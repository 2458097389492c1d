"""`budget.spend` and `episodes.tell` for a span of signals, tile after tile, in place.

Of all that says nothing (no evidence in a tail, no name, no episode) the counts go on, sixteen signals at once; the others,
some six in a hundred, are weighed one by one.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from cyberstride import budget as of
from cyberstride import episodes as telling
from cyberstride.lanes.arithmetic import apart, exact
from cyberstride.lanes.ledger import (
    ALWAYS,
    COUNTS,
    FIGURES,
    FLAG,
    FREE,
    IDLE,
    KNOWN,
    LANES,
    LEVEL,
    LULL,
    POWER,
    QUIET_FOR,
    RING,
    RUN,
    SCALE,
    SEEN,
    SLOWEST,
    SMOOTH,
    STANDING,
    START,
    TALLY,
    WIDTH,
    Ledger,
)
from cyberstride.lanes.ledger import DRIFT_POWER as _FAR_POWER
from cyberstride.lanes.memory import behind, bytes_at, lives, place_of, reals_at, words_at
from cyberstride.lanes.sources import fingerprint
from cyberstride.lanes.watch import BEST, CHANCE, FAR, LOUD, VALUE, attend, attend_one, keep
from cyberstride.lanes.watch import ROOM as WATCH_ROOM
from cyberstride.tails import LOG_TAIL, QUIET, TAIL
from cyberstride.verdict import DRIFT, OUT_OF_RANGE, STEP, STUCK, SUSPECTED, TRANSIENT, VARIANCE
from cyberstride.watch import DRIFT_FIRST, LARGEST_READING, LEAST_SCALE, LONGEST

__all__ = ["Said", "spend"]

L = LANES
_BUSY = WATCH_ROOM + 1
"""Row of scratch: 1 for a signal that is weighed by itself, 2 where it has no reading."""
_ROOM = (WATCH_ROOM + 2) * L
_FEW = 4
"""Fewer settled signals in a tile are attended one by one."""
_KEPT, _KNOWN, _BEGINNING = 1.0 - of.TAIL_PACE, of.KNOWN, of.BEGINNING
_RISE = (1.0 - TAIL) / TAIL
_SOME = -LOG_TAIL
_EIGHTH = 1.0 / LONGEST
_EXPONENTIAL = 1.0 - math.exp(-of.MOST_EXCESS)
_CODES = (STEP, DRIFT, VARIANCE, STUCK)


class Said(NamedTuple):
    """The columns of the verdicts that a budget may change: their arrays, or where in them something lies."""

    named: Any
    announced: Any
    onset_back: Any
    sure: Any
    size: Any
    size_low: Any
    size_high: Any


@exact
def _ready(f: Any, g: Any, e: Any, x: Any, named: Any) -> bool:
    """Whether a whole tile can be attended at once: every signal has a budget, a reading and a past."""
    apart()
    odd = 0
    for l in range(L):
        value, name, flag = x[l], named[l], g[FLAG * L + l]
        e[VALUE * L + l] = value
        e[_BUSY * L + l] = 1.0 if name > SUSPECTED or flag >= STANDING else 0.0
        odd |= 0 if abs(value) < LARGEST_READING else 1
        odd |= 1 if name == OUT_OF_RANGE or flag == FREE or g[SEEN * L + l] <= DRIFT_FIRST else 0
        odd |= 0 if f[SCALE * L + l] > LEAST_SCALE else 1
    return odd == 0


@exact
def _mixed(f: Any, g: Any, e: Any, f_kept: Any, g_kept: Any, first: int, many: int, x: Any, named: Any) -> None:
    """Attend `many` signals of a tile, from `first` on, whatever is known of them."""
    apart()
    plain = 0
    for l in range(L):
        e[_BUSY * L + l] = -1.0
    for k in range(many):
        l = first + k
        here = abs(x[k]) < LARGEST_READING and named[k] != OUT_OF_RANGE
        flag = g[FLAG * L + l]
        e[VALUE * L + l] = x[k] if here else 0.0
        if flag == FREE:
            e[_BUSY * L + l] = -1.0
        elif not here:
            e[_BUSY * L + l] = 2.0 if named[k] > SUSPECTED or flag >= STANDING else -1.0
        elif g[SEEN * L + l] <= DRIFT_FIRST or not f[SCALE * L + l] > LEAST_SCALE:
            e[_BUSY * L + l] = 3.0
        else:
            e[_BUSY * L + l] = 1.0 if named[k] > SUSPECTED or flag >= STANDING else 0.0
            plain += 1
    if plain >= _FEW:
        for k in range(FIGURES * L):
            f_kept[k] = f[k]
        for k in range(COUNTS * L):
            g_kept[k] = g[k]
        keep(g, e, False)
        attend(f, g, e)
        _count(f, g, e)
        for l in range(L):
            busy = e[_BUSY * L + l]
            if busy < 0.0 or busy > 1.0:
                for k in range(FIGURES):
                    f[k * L + l] = f_kept[k * L + l]
                for k in range(COUNTS):
                    g[k * L + l] = g_kept[k * L + l]
    for l in range(first, first + many):
        busy = e[_BUSY * L + l]
        if busy == 3.0 or (plain < _FEW and (busy == 0.0 or busy == 1.0)):
            attend_one(f, g, e, l)
            e[_BUSY * L + l] = 1.0


@exact
def _count(f: Any, g: Any, e: Any) -> None:
    """Let the counts and tails of a tile go on where nothing is in a tail; mark the others as busy."""
    apart()
    for l in range(L):
        level, drift, spread = f[START * L + l], f[(START + 1) * L + l], f[(START + 2) * L + l]
        best, loud = e[BEST * L + l], e[LOUD * L + l] * _EIGHTH
        over = best > level * abs(level) or e[FAR * L + l] > drift * abs(drift) or loud > spread * abs(spread)
        over = over or e[CHANCE * L + l] > _SOME
        busy = e[_BUSY * L + l]
        busy = 1.0 if over and busy == 0.0 else busy
        e[_BUSY * L + l] = busy
        go = busy == 0.0
        quiet, lull, known = g[QUIET_FOR * L + l], g[LULL * L + l], g[KNOWN * L + l]
        quiet_now = np.int32(min(quiet + 1, QUIET))
        calm = 1 if quiet_now == QUIET else 0
        known_now = np.int32(min(known + calm, _KNOWN))
        pace = 1.0 / (known_now + _BEGINNING) if calm == 1 and go else 0.0
        width, wide = f[WIDTH * L + l], f[(WIDTH + 2) * L + l]
        f[START * L + l] = level - (pace * width if best > 0.0 else 0.0)
        f[(START + 2) * L + l] = spread - (pace * wide if loud > 0.0 else 0.0)
        rises, among = f[TALLY * L + l], f[(TALLY + 1) * L + l]
        f[TALLY * L + l] = rises * _KEPT if go else rises
        f[(TALLY + 1) * L + l] = among * _KEPT + calm if go else among
        g[QUIET_FOR * L + l] = quiet_now if go else quiet
        g[LULL * L + l] = np.int32(min(lull + 1, QUIET)) if go else lull
        g[KNOWN * L + l] = known_now if go else known


@exact
def _fitted(size: float, start: float, width: float, shape: float) -> Any:
    over = max(size - start, 0.0) / width
    if abs(shape) > 1e-9:
        return math.log1p(max(shape * over, -0.999999)) / shape
    return over


@exact
def _mean_excess(shape: float) -> Any:
    if abs(shape) > 1e-6:
        alive = max(1.0 + shape * of.MOST_EXCESS, 0.0)
        return (1.0 - alive ** (1.0 - 1.0 / shape)) / (1.0 - shape)
    return _EXPONENTIAL


@exact
def _weigh(f: Any, g: Any, e: Any, l: int, row: int, place: int, ledger: Any, said: Any) -> None:
    """One reading of one signal, whatever it says: what `budget.spend` and `episodes.tell` do."""
    apart()
    here = e[_BUSY * L + l] != 2.0
    quiet, score, limit, channel, opens = g[QUIET_FOR * L + l], 0.0, ledger.limit[row], 0, False
    if here:
        able = g[SEEN * L + l] > of.YOUNG
        for k in range(3):
            size = _size(e, k, l)
            one = _fitted(size, f[(START + k) * L + l], f[(WIDTH + k) * L + l], float(ledger.shape[3 * row + k]))
            if one > score:
                score, channel = one, k
        if e[CHANCE * L + l] + LOG_TAIL > score:
            score, channel = e[CHANCE * L + l] + LOG_TAIL, 3
        rises, among = f[TALLY * L + l], f[(TALLY + 1) * L + l]
        ratio = (rises + of.TRUSTED) / (float(ledger.usual[row]) * among + of.TRUSTED)
        limit = limit + float(ledger.slope[row]) * math.log(ratio)
        above = able and score > limit
        opens = above and quiet >= QUIET
        quiet = 0 if above else min(quiet + 1, QUIET)
        calm = able and quiet >= QUIET
        high = able and score > of.FLOOR
        if able:
            f[TALLY * L + l] = rises * _KEPT + (1.0 if high and g[LULL * L + l] >= QUIET else 0.0)
            f[(TALLY + 1) * L + l] = among * _KEPT + (1.0 if calm else 0.0)
        g[QUIET_FOR * L + l] = quiet
        g[LULL * L + l] = 0 if high else min(g[LULL * L + l] + 1, QUIET)
        if calm:
            g[KNOWN * L + l] = min(g[KNOWN * L + l] + 1, _KNOWN)
            pace = 1.0 / (g[KNOWN * L + l] + _BEGINNING)
            for k in range(0, 3, 2):
                _teach(f, l, k, _size(e, k, l), pace, float(ledger.shape[3 * row + k]))
    _tell(f, g, e, l, row, place, ledger, said, here, opens, quiet < QUIET, channel, score, limit)


@exact
def _size(e: Any, channel: int, l: int) -> float:
    if channel == 0:
        return math.sqrt(e[BEST * L + l])
    return math.sqrt(e[FAR * L + l]) if channel == 1 else math.sqrt(e[LOUD * L + l] * _EIGHTH)


@exact
def _teach(f: Any, l: int, channel: int, size: float, pace: float, shape: float) -> None:
    if not size > 0.0:
        return
    start, width = f[(START + channel) * L + l], f[(WIDTH + channel) * L + l]
    if size > start:
        excess = min((size - start) / width, of.MOST_EXCESS)
        f[(START + channel) * L + l] = start + pace * width * _RISE
        f[(WIDTH + channel) * L + l] = width * (1.0 + min(pace / TAIL, 0.05) * (excess - _mean_excess(shape)))
    else:
        f[(START + channel) * L + l] = start - pace * width


@exact
def _tell(
    f: Any, g: Any, e: Any, l: int, row: int, place: int, ledger: Any, said: Any,
    here: bool, opens: bool, stands: bool, channel: int, score: float, limit: float,
) -> None:  # fmt: skip
    named, waiting, told = said.named[place], int(ledger.waiting[row]), int(ledger.told[row])
    filtered, by_rule = named > SUSPECTED, named == OUT_OF_RANGE
    announced = said.announced[place] != 0
    given = announced and filtered and not by_rule
    waiting = 0 if opens else (waiting + 1 if waiting >= 0 and here else waiting)
    waiting = waiting if stands else of.UNTOLD
    asked = waiting >= 0
    by_filter = stands and not by_rule and (given or (asked and filtered))
    late = asked and not by_filter and not by_rule and (channel != 0 or waiting >= telling.WAITS)
    fresh = by_filter or late
    onset, age = ledger.onset[row] + 1, min(int(ledger.age[row]) + 1, of.LONG_AGO)
    size, size_sd = ledger.size[2 * row], ledger.size[2 * row + 1]
    if by_filter:
        told, age, onset = int(named), 0, said.onset_back[place]
        size, size_sd = said.size[place], (said.size_high[place] - said.size[place]) / telling.Z95
    elif late:
        told, age = _CODES[channel], 0
        onset, size, size_sd = _by_channel(f, g, e, l, channel, waiting)
        if channel == 0 and _passed(f, l):
            told = TRANSIENT
    tells = not by_rule and told > SUSPECTED and age < telling.STANDS
    told = told if tells or (by_rule and age < telling.STANDS) else 0
    if tells:
        if not filtered:
            rarity = math.inf
            if math.isfinite(limit) and score > 0.0:
                rarity = math.exp(min(-(score - limit) / float(ledger.slope[row]), 700.0))
            said.sure[place] = max(1.0 - min(rarity, 1.0), 0.5)
        half = telling.Z95 * size_sd
        said.onset_back[place] = onset
        said.size[place], said.size_low[place], said.size_high[place] = size, size - half, size + half
    said.announced[place] = 1 if fresh or (announced and not given and not tells) else 0
    if tells:
        said.named[place] = told
    elif filtered and not by_rule:
        said.named[place] = SUSPECTED
    waiting = of.UNTOLD if fresh else waiting
    ledger.waiting[row], ledger.told[row] = waiting, told
    ledger.age[row] = age if told > 0 else of.LONG_AGO
    ledger.onset[row] = onset if told > 0 else 0
    ledger.size[2 * row] = size if told > 0 else math.nan
    ledger.size[2 * row + 1] = size_sd if told > 0 else math.nan
    if g[FLAG * L + l] != ALWAYS:
        g[FLAG * L + l] = STANDING if waiting >= 0 or told > 0 else IDLE


@exact
def _by_channel(f: Any, g: Any, e: Any, l: int, channel: int, waiting: int) -> tuple[int, float, float]:
    """Readings back to the onset, size and its standard deviation by the channel that says most."""
    scale = f[SCALE * L + l]
    if channel == 0:
        recent = (f[(RING + 5) * L + l] + f[(RING + 6) * L + l] + f[(RING + 7) * L + l]) / telling.LASTING
        return waiting, recent - f[LEVEL * L + l], scale * math.sqrt(f[(POWER + 3) * L + l] / telling.LASTING)
    if channel == 1:
        return 24, f[SMOOTH * L + l] - f[SLOWEST * L + l], scale * math.sqrt(f[_FAR_POWER * L + l])
    if channel == 2:
        loud = min(_size(e, 2, l), 1e6)
        return 7, loud, loud / 4.0
    return g[RUN * L + l], 0.0, 0.0


@exact
def _passed(f: Any, l: int) -> Any:
    level = f[LEVEL * L + l]
    off = min(abs(f[(RING + 6) * L + l] - level), abs(f[(RING + 7) * L + l] - level))
    return off < 2.0 * f[SCALE * L + l] * math.sqrt(f[POWER * L + l])


@exact
def _spent(
    many_rows: int, stop: int, rows: Any, x: Any, wide: int, ledger: Any, said: Any, apart_by: Any, e: Any, f_kept: Any,
    g_kept: Any,
) -> None:  # fmt: skip
    apart()
    place, settled = 0, False
    while place < stop:
        row = rows[place]
        tile, first, many = row // L, row % L, 1
        while place + many < stop and first + many < L and rows[place + many] == row + many:
            many += 1
        f, g = behind(ledger.figures, tile * (FIGURES * L)), behind(ledger.counts, tile * (COUNTS * L))
        for k in range(many_rows):
            off, real = np.uint64(k), np.uint64(8 * place)
            now = Said(
                bytes_at(said[0] + off * apart_by[0] + np.uint64(place)),
                bytes_at(said[1] + off * apart_by[1] + np.uint64(place)),
                words_at(said[2] + off * apart_by[2] + np.uint64(4 * place)),
                reals_at(said[3] + off * apart_by[3] + real),
                reals_at(said[4] + off * apart_by[4] + real),
                reals_at(said[5] + off * apart_by[5] + real),
                reals_at(said[6] + off * apart_by[6] + real),
            )
            values = behind(x, k * wide + place)
            if many == L and _ready(f, g, e, values, now.named):
                settled = keep(g, e, settled)
                attend(f, g, e)
                _count(f, g, e)
            else:
                settled = False
                _mixed(f, g, e, f_kept, g_kept, first, many, values, now.named)
            for l in range(many):
                if e[_BUSY * L + first + l] > 0.0:
                    _weigh(f, g, e, first + l, row + l, l, ledger, now)
        place += many


def _compiled(of_sources: int) -> Any:
    def spend(
        many_rows: int, stop: int, rows: Any, x: Any, wide: int, ledger: Any, said_at: Any, said_apart: Any
    ) -> None:
        """Spend `many_rows` readings of each of the first `stop` signals of `rows` (m,), and change what is said of them.

        A row of readings `x` lies `wide` numbers behind the one before; it is in the judged scale without its season. At the
        addresses `said_at` (7,) lie the columns of `Said`, rows as far apart as `said_apart` (7,) says. A signal without a
        budget is left alone. A tile stays where it is until all of its rows are spent.
        """
        e = np.zeros(_ROOM + 0 * of_sources)
        f_kept, g_kept = np.zeros(FIGURES * L), np.zeros(COUNTS * L, np.int32)
        kept = Ledger(
            place_of(ledger.figures), place_of(ledger.counts), place_of(ledger.shape), place_of(ledger.limit),
            place_of(ledger.slope), place_of(ledger.allowed), place_of(ledger.usual), place_of(ledger.waiting),
            place_of(ledger.told), place_of(ledger.age), place_of(ledger.onset), place_of(ledger.size),
        )  # fmt: skip
        _spent(
            many_rows, stop, place_of(rows), place_of(x), wide, kept, place_of(said_at), place_of(said_apart), place_of(e),
            place_of(f_kept), place_of(g_kept),
        )  # fmt: skip
        lives(e)
        lives(f_kept)
        lives(g_kept)

    try:
        return njit(error_model="numpy", nogil=True, cache=True)(spend)
    except RuntimeError:  # no folder can be written: compiled anew in every process
        return njit(error_model="numpy", nogil=True)(spend)


spend = _compiled(
    fingerprint(
        "budget",
        "episodes",
        "tails",
        "verdict",
        "watch",
        "lanes/arithmetic",
        "lanes/budget",
        "lanes/ledger",
        "lanes/memory",
        "lanes/rows",
        "lanes/vector",
        "lanes/watch",
    )
)
