"""One reading of every lane: blocks of neighbours are loaded, judged and stored again."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit

from cyberstride.belief import RUNNING, WINDOW
from cyberstride.filter import _FARTHEST, _LARGEST_READING
from cyberstride.lanes import excursion, restless, weighing
from cyberstride.lanes import settings as at
from cyberstride.lanes.arithmetic import CONTRACT, apart, compiled, within
from cyberstride.lanes.evidence import hold, listen, overhear, push
from cyberstride.lanes.mixture import absorb, evolve, speak, stay
from cyberstride.lanes.naming import quiet, watch
from cyberstride.lanes.reference import compare, forbid, size
from cyberstride.lanes.rows import (
    AGES,
    ANNOUNCED,
    BEYOND,
    GAP,
    HERE,
    HIGH,
    LANES,
    LAP,
    LIVE,
    LOADED,
    LOW,
    NAMED,
    NEW_GAP,
    OLD,
    ONSET,
    ORIGIN,
    ROWS,
    SEEN,
    STANDING,
    STORED,
    TOLD,
    UNIT,
    VALUE,
    WAS,
    P,
    T,
    Y,
)  # fmt: skip
from cyberstride.lanes.vector import (
    bits,
    bytes_differ,
    count,
    expect,
    farther,
    fetch,
    get_byte,
    get_long,
    get_real,
    get_word,
    load,
    load_at,
    load_bytes,
    load_from,
    load_longs,
    load_words,
    magnitude,
    nearer,
    place_of,
    put,
    set_byte,
    set_long,
    set_real,
    set_word,
    some,
    store,
    store_bytes,
    store_words,
    where,
    words_differ,
)  # fmt: skip

__all__ = ["judge"]

L = LANES
_MOST_DOF = 1e6
_WITH_CONSTANTS = ("belief", "evidence", "excursion", "filter", "mixture", "naming", "reference", "regimes", "verdict")
_WORDS, _LONG, _REAL = np.uint64(4), np.uint64(8), np.uint64(8)
_PHASE, _NAMED, _ONSET, _STANDING, _SEEN = range(2 * WINDOW, 2 * WINDOW + 5)
_LINES = 8
_PLAIN = LOADED[1] - LOADED[0]
"""How many rows are loaded before those of `LAP`."""


@within
def _beside(places: Any, first: int) -> bool:
    """Whether the places of a block's lanes, from the first on, are neighbours, in order."""
    off = 0
    for l in range(L):
        off |= places[first + l] - places[first] - l
    return off == 0


@compiled
def _expect(addresses: Any, start: int, stop: int, off: Any) -> None:
    """Ask the memory for the lines so far behind some addresses."""
    apart()
    for k in range(start, stop):
        expect(addresses[k] + off)


@compiled
def _read(f: Any, loaded: Any, words: Any, first: int, ones: bool) -> bool:
    """Load neighbours from `first` on; whether all of their windows are full, on time, and hold nothing but evidence.

    `ones`: the scratch's rows of `LIVE`, `LAP` and `AGES` are those of such windows already.
    """
    apart()
    real, word, byte = np.uint64(first) * _REAL, np.uint64(first) * _WORDS, np.uint64(first)
    for k in range(_PLAIN):
        fetch(f, OLD + k, loaded[k] + real)
    other = bytes_differ(words[WINDOW + 0] + byte, 1) | words_differ(words[0] + word, WINDOW - 1)
    for k in range(1, WINDOW):
        other = other | bytes_differ(words[WINDOW + k] + byte, 1) | words_differ(words[k] + word, WINDOW - 1 - k)
    for k in range(WINDOW):
        other = other | (load_at(loaded[_PLAIN + k] + real) != 1.0)
    store(f, WAS, load_bytes(words[_NAMED] + byte))
    store(f, ONSET, load_words(words[_ONSET] + word))
    store(f, STANDING, load_words(words[_STANDING] + word))
    store(f, SEEN, load_longs(words[_SEEN] + real))
    if not some(other):
        if not ones:
            for k in range(WINDOW):
                store(f, LAP + k, 1.0)
                store(f, LIVE + k, 1.0)
                store(f, AGES + k, float(WINDOW - 1 - k))
        return True
    for k in range(WINDOW):
        fetch(f, LAP + k, loaded[_PLAIN + k] + real)
        store(f, LIVE + k, load_bytes(words[WINDOW + k] + byte))
        store(f, AGES + k, load_words(words[k] + word))
    return False


@compiled
def _gather(f: Any, loaded: Any, words: Any, lanes: Any) -> None:
    """The same for lanes anywhere."""
    apart()
    for k in range(_PLAIN + WINDOW):
        row = OLD + k if k < _PLAIN else LAP + k - _PLAIN
        for l in range(L):
            f[row * L + l] = get_real(loaded[k], lanes[l])
    for l in range(L):
        lane = lanes[l]
        for k in range(WINDOW):
            f[(AGES + k) * L + l] = get_word(words[k], lane)
            f[(LIVE + k) * L + l] = get_byte(words[WINDOW + k], lane)
        f[WAS * L + l] = get_byte(words[_NAMED], lane)
        f[ONSET * L + l] = get_word(words[_ONSET], lane)
        f[STANDING * L + l] = get_word(words[_STANDING], lane)
        f[SEEN * L + l] = min(get_long(words[_SEEN], lane), 1000.0)


@compiled
def _take_in(f: Any, value: Any, lapse: Any) -> int:
    """The readings; 0 when every one is here, on time and possible, or a sum: 1 missing, 2 another time, 4 impossible."""
    apart()
    lapse = where(lapse >= 0.0, lapse, where(lapse != lapse, 1.0, 0.0))
    lapse = load(f, GAP) + nearer(lapse, 1e6)
    low, high = load(f, LOW), load(f, HIGH)
    there = magnitude(value) <= _LARGEST_READING
    under, over = there & (value < low), there & (value > high)
    impossible = under | over
    here = there & ~impossible
    store(f, BEYOND, where(under, value - low, where(over, value - high, 0.0)))
    store(f, HERE, where(here, 1.0, 0.0))
    store(f, T, lapse)
    store(f, NEW_GAP, where(here, 0.0, lapse))
    y = nearer(farther((value - load(f, ORIGIN)) / load(f, UNIT), -_FARTHEST), _FARTHEST)
    store(f, Y, where(here, y, 0.0))
    store(f, VALUE, where(here, value, 0.0))
    special = 1 if some(~here) else 0
    special += 2 if some(lapse != 1.0) else 0
    return special + (4 if some(impossible) else 0)


@compiled
def _age(f: Any, all_here: bool) -> None:
    """The steps since each reading of the window, after this one."""
    apart()
    if all_here:
        for k in range(WINDOW - 1):
            store(f, AGES + k, load(f, AGES + k + 1) + 1.0)
        store(f, AGES + WINDOW - 1, 0.0)
    else:
        here = load(f, HERE) == 1.0
        for k in range(WINDOW - 1):
            store(f, AGES + k, where(here, load(f, AGES + k + 1), load(f, AGES + k)) + 1.0)
        store(f, AGES + WINDOW - 1, where(here, 0.0, load(f, AGES + WINDOW - 1) + 1.0))


@compiled
def _write(f: Any, stored: Any, words: Any, first: int, changed: bool) -> None:
    """Store neighbours; the window's lapses, ages and kinds only where they `changed`."""
    apart()
    real, word, byte = np.uint64(first) * _REAL, np.uint64(first) * _WORDS, np.uint64(first)
    k = 0
    for row, many in STORED[:-1]:
        for r in range(many):
            put(f, row + r, stored[k + r] + real)
        k += many
    store_bytes(words[_NAMED] + byte, load(f, NAMED))
    store_words(words[_ONSET] + word, load(f, ONSET))
    store_words(words[_STANDING] + word, load(f, STANDING))
    count(words[_SEEN] + real, load(f, HERE) == 1.0)
    if changed:
        for r in range(WINDOW):
            put(f, LAP + 1 + r, stored[k + r] + real)
            store_words(words[r] + word, load(f, AGES + r))
            store_bytes(words[WINDOW + r] + byte, load(f, LIVE + 1 + r))


@compiled
def _scatter(f: Any, stored: Any, words: Any, lanes: Any, many: int) -> None:
    """Store the first `many` lanes of a block anywhere."""
    apart()
    k = 0
    for row, rows in STORED:
        for r in range(rows):
            for l in range(many):
                set_real(stored[k], lanes[l], f[(row + r) * L + l])
            k += 1
    for l in range(many):
        lane = lanes[l]
        for r in range(WINDOW):
            set_word(words[r], lane, f[(AGES + r) * L + l])
            set_byte(words[WINDOW + r], lane, f[(LIVE + 1 + r) * L + l])
        set_byte(words[_NAMED], lane, f[NAMED * L + l])
        set_word(words[_ONSET], lane, f[ONSET * L + l])
        set_word(words[_STANDING], lane, f[STANDING * L + l])
        set_long(words[_SEEN], lane, get_long(words[_SEEN], lane) + f[HERE * L + l])


@compiled
def _tell(f: Any, told: Any, told_words: Any, place: int) -> None:
    """Write the verdicts on neighbours."""
    apart()
    real = np.uint64(place) * _REAL
    for r in range(TOLD[1]):
        put(f, TOLD[0] + r, told[r] + real)
    store_bytes(told_words[0] + np.uint64(place), load(f, NAMED))
    store_bytes(told_words[1] + np.uint64(place), load(f, ANNOUNCED))
    store_words(told_words[2] + np.uint64(place) * _WORDS, load(f, ONSET))


@compiled
def _tell_each(f: Any, told: Any, told_words: Any, places: Any, many: int) -> None:
    """Write the verdicts on lanes anywhere."""
    apart()
    for r in range(TOLD[1]):
        for l in range(many):
            set_real(told[r], places[l], f[(TOLD[0] + r) * L + l])
    for l in range(many):
        set_byte(told_words[0], places[l], f[NAMED * L + l])
        set_byte(told_words[1], places[l], f[ANNOUNCED * L + l])
        set_word(told_words[2], places[l], f[ONSET * L + l])


@compiled
def _step(f: Any, q: Any, c: Any, special: int, usual: bool, loaded: Any, told: Any, first: int, place: int) -> bool:
    """Judge the block; whether lapses, ages or kinds of the window changed. `usual`: full windows, all here, on time.

    Between its parts the memory is asked for the block after this one and for the places of the verdicts, a few lines at a
    time, since no more than a few can be on their way.
    """
    apart()
    ahead, there = np.uint64(first + L) * _REAL, np.uint64(place) * _REAL
    _expect(told, 0, TOLD[1], there)
    absorb(f, c)
    _expect(loaded, 0, 28, ahead)
    restive = bits(load(f, OLD + P) < c[at.QUIET])
    if restive != 0:
        for l in range(L):
            if (restive >> l) & 1 == 1:
                restless.absorb_all(f, l, q, c)
    if special & 1:
        stay(f)
    speak(f)
    _expect(loaded, 28, 52, ahead)
    push(f, c)
    if special & 1:
        hold(f)
    if not usual:
        _age(f, special & 1 == 0)
    quiet(f, c)
    changed = not usual
    loud = overhear(f, c) if usual else -1
    _expect(loaded, 52, 72, ahead)
    if loud < 0:
        loud = listen(f, c)
    if loud != 0:
        for l in range(L):
            if (loud >> l) & 1 == 1:
                changed |= weighing.name(f, l, q, c)
    watch(f, c, excursion.follow(f, c))
    _expect(loaded, 72, _PLAIN + WINDOW, ahead)
    compare(f, c)
    size(f)
    return changed


def _fingerprint() -> int:
    """A sum over the sources that are compiled into `judge`, some of which are elsewhere."""
    here = Path(__file__).parent
    total = 0
    for path in (*sorted(here.glob("*.py")), *(here.parent / f"{name}.py" for name in _WITH_CONSTANTS)):
        total = zlib.crc32(path.read_bytes(), total)
    return total


def _compiled(of_sources: int) -> Any:
    # numba keeps what it compiled by the text of this function and its free variables, and does not see what it calls.
    def judge(
        start: int, stop: int, lane_of: Any, phase_of: Any, dof_of: Any, x_of: Any, elapsed_of: Any, loaded_at: Any,
        stored_at: Any, told_at: Any, words_at: Any, told_words_at: Any, settings: Any, hard: Any,
    ) -> None:  # fmt: skip
        """Judge the readings from `start` to `stop` of the lanes `lane_of`, in place; mark in `hard` what is left to numpy."""
        apart()
        room = np.zeros(_LINES + ROWS * L + restless.ROOM + 3 * L)
        places = np.zeros(2 * L, np.int64)
        f = place_of(room[((64 - room.ctypes.data % 64) % 64) // 8 :])
        q, readings, was_onset = place_of(room[_LINES + ROWS * L :]), place_of(room[-2 * L :]), place_of(room[-3 * L :])
        lanes, at_place = place_of(places), place_of(places[L:])
        rows, phase, dof, x, elapsed = (
            place_of(lane_of), place_of(phase_of), place_of(dof_of), place_of(x_of), place_of(elapsed_of),
        )  # fmt: skip
        loaded, stored, told, words, told_words, c = (
            place_of(loaded_at), place_of(stored_at), place_of(told_at), place_of(words_at), place_of(told_words_at),
            place_of(settings),
        )  # fmt: skip
        place, steady_pace, ones = start + 0 * of_sources, False, False
        while place < stop:
            many, usual = 0, False
            together = place + L <= stop and _beside(rows, place)
            first = rows[place]
            if together:
                running = ~bytes_differ(words[_PHASE] + np.uint64(first), RUNNING)
                together = not some(~running | (load_from(dof, first) > _MOST_DOF))
            if together:
                many = L
                usual = _read(f, loaded, words, first, ones)
                ones = usual
                special = _take_in(f, load_from(x, place), load_from(elapsed, place))
                place += L
            else:
                end = min(place + L, stop)
                while place < end:
                    row = rows[place]
                    if phase[row] == RUNNING and dof[row] <= _MOST_DOF:
                        lanes[many], at_place[many] = row, place
                        many += 1
                    else:
                        hard[place] = 1
                    place += 1
                if many == 0:
                    continue
                for l in range(many, L):
                    lanes[l], at_place[l] = lanes[many - 1], at_place[many - 1]
                _gather(f, loaded, words, lanes)
                ones = False
                for l in range(L):
                    readings[l], readings[L + l] = x[at_place[l]], elapsed[at_place[l]]
                special = _take_in(f, load(readings, 0), load(readings, 1))
            usual = usual and special == 0
            if special & 2 or not steady_pace:
                evolve(f, c)
            steady_pace = special & 2 == 0
            if special & 4:
                for l in range(L):
                    was_onset[l] = f[ONSET * L + l]
            changed = _step(f, q, c, special, usual, loaded, told, first, place - L)
            if special & 4:
                for l in range(L):
                    if f[BEYOND * L + l] != 0.0:
                        forbid(f, l, was_onset[l])
            ones = ones and not changed
            if together:
                _write(f, stored, words, first, changed)
                _tell(f, told, told_words, place - L)
            else:
                _scatter(f, stored, words, lanes, many)
                _tell_each(f, told, told_words, at_place, many)

    try:
        return njit(error_model="numpy", fastmath=CONTRACT, nogil=True, cache=True)(judge)
    except RuntimeError:  # no folder can be written: compiled anew in every process
        return njit(error_model="numpy", fastmath=CONTRACT, nogil=True)(judge)


judge = _compiled(_fingerprint())
