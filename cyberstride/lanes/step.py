"""One reading of every lane: blocks of neighbours are loaded, judged and stored again."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numba import carray, njit  # type: ignore[attr-defined]

from cyberstride.belief import RUNNING, WINDOW
from cyberstride.filter import _FARTHEST, _LARGEST_READING
from cyberstride.lanes import excursion, restless, weighing
from cyberstride.lanes import settings as at
from cyberstride.lanes.arithmetic import CONTRACT, apart, doubles, int8s, int32s, int64s
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
    load,
    load_at,
    load_bytes,
    load_from,
    load_longs,
    load_words,
    magnitude,
    nearer,
    put,
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
_AHEAD = np.uint64(128)
_PHASE, _NAMED, _ONSET, _STANDING, _SEEN = range(5)
_PLAIN = LOADED[1] - LOADED[0]
"""How many rows are loaded before those of `LAP`."""


@njit(error_model="numpy", fastmath=CONTRACT, forceinline=True)
def _beside(places: Any, first: int) -> bool:
    """Whether the places of a block's lanes, from the first on, are neighbours, in order."""
    off = 0
    for l in range(L):
        off |= places[first + l] - places[first] - l
    return off == 0


@njit(error_model="numpy", fastmath=CONTRACT)
def _read(f: Any, loaded: Any, words: Any, first: int, ones: bool) -> bool:
    """Load neighbours from `first` on; whether all of their windows are full, on time, and hold nothing but evidence.

    `ones`: the scratch's rows of `LIVE`, `LAP` and `AGES` are those of such windows already.
    """
    apart()
    real, word, byte = np.uint64(first) * _REAL, np.uint64(first) * _WORDS, np.uint64(first)
    for k in range(_PLAIN):
        fetch(f, OLD + k, loaded[k] + real)
        expect(loaded[k] + real + _AHEAD)
    other = bytes_differ(words[1, 0] + byte, 1) | words_differ(words[0, 0] + word, WINDOW - 1)
    for k in range(1, WINDOW):
        other = other | bytes_differ(words[1, k] + byte, 1) | words_differ(words[0, k] + word, WINDOW - 1 - k)
    for k in range(WINDOW):
        other = other | (load_at(loaded[_PLAIN + k] + real) != 1.0)
    store(f, WAS, load_bytes(words[2, _NAMED] + byte))
    store(f, ONSET, load_words(words[2, _ONSET] + word))
    store(f, STANDING, load_words(words[2, _STANDING] + word))
    store(f, SEEN, load_longs(words[2, _SEEN] + real))
    if not some(other):
        if not ones:
            for k in range(WINDOW):
                store(f, LAP + k, 1.0)
                store(f, LIVE + k, 1.0)
                store(f, AGES + k, float(WINDOW - 1 - k))
        return True
    for k in range(WINDOW):
        fetch(f, LAP + k, loaded[_PLAIN + k] + real)
        store(f, LIVE + k, load_bytes(words[1, k] + byte))
        store(f, AGES + k, load_words(words[0, k] + word))
    return False


@njit(error_model="numpy", fastmath=CONTRACT)
def _gather(f: Any, loaded: Any, words: Any, lanes: Any, n: int) -> None:
    """The same for lanes anywhere."""
    apart()
    for k in range(_PLAIN + WINDOW):
        row = OLD + k if k < _PLAIN else LAP + k - _PLAIN
        source = carray(doubles(loaded[k]), (n,))
        for l in range(L):
            f[row * L + l] = source[lanes[l]]
    for k in range(WINDOW):
        ago, live = carray(int32s(words[0, k]), (n,)), carray(int8s(words[1, k]), (n,))
        for l in range(L):
            f[(AGES + k) * L + l] = ago[lanes[l]]
            f[(LIVE + k) * L + l] = live[lanes[l]]
    named, onset = carray(int8s(words[2, _NAMED]), (n,)), carray(int32s(words[2, _ONSET]), (n,))
    standing, seen = carray(int32s(words[2, _STANDING]), (n,)), carray(int64s(words[2, _SEEN]), (n,))
    for l in range(L):
        f[WAS * L + l] = named[lanes[l]]
        f[ONSET * L + l] = onset[lanes[l]]
        f[STANDING * L + l] = standing[lanes[l]]
        f[SEEN * L + l] = min(seen[lanes[l]], 1000)


@njit(error_model="numpy", fastmath=CONTRACT)
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


@njit(error_model="numpy", fastmath=CONTRACT)
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


@njit(error_model="numpy", fastmath=CONTRACT)
def _write(f: Any, stored: Any, words: Any, first: int, changed: bool) -> None:
    """Store neighbours; the window's lapses, ages and kinds only where they `changed`."""
    apart()
    real, word, byte = np.uint64(first) * _REAL, np.uint64(first) * _WORDS, np.uint64(first)
    k = 0
    for row, many in STORED[:-1]:
        for r in range(many):
            put(f, row + r, stored[k + r] + real)
        k += many
    store_bytes(words[2, _NAMED] + byte, load(f, NAMED))
    store_words(words[2, _ONSET] + word, load(f, ONSET))
    store_words(words[2, _STANDING] + word, load(f, STANDING))
    count(words[2, _SEEN] + real, load(f, HERE) == 1.0)
    if changed:
        for r in range(WINDOW):
            put(f, LAP + 1 + r, stored[k + r] + real)
            store_words(words[0, r] + word, load(f, AGES + r))
            store_bytes(words[1, r] + byte, load(f, LIVE + 1 + r))


@njit(error_model="numpy", fastmath=CONTRACT)
def _scatter(f: Any, stored: Any, words: Any, lanes: Any, n: int, many: int) -> None:
    """Store the first `many` lanes of a block anywhere."""
    apart()
    k = 0
    for row, rows in STORED:
        for r in range(rows):
            to = carray(doubles(stored[k]), (n,))
            k += 1
            for l in range(many):
                to[lanes[l]] = f[(row + r) * L + l]
    for k in range(WINDOW):
        ago, live = carray(int32s(words[0, k]), (n,)), carray(int8s(words[1, k]), (n,))
        for l in range(many):
            ago[lanes[l]] = np.int32(f[(AGES + k) * L + l])
            live[lanes[l]] = np.int8(f[(LIVE + 1 + k) * L + l])
    named, onset = carray(int8s(words[2, _NAMED]), (n,)), carray(int32s(words[2, _ONSET]), (n,))
    standing, seen = carray(int32s(words[2, _STANDING]), (n,)), carray(int64s(words[2, _SEEN]), (n,))
    for l in range(many):
        named[lanes[l]] = np.int8(f[NAMED * L + l])
        onset[lanes[l]] = np.int32(f[ONSET * L + l])
        standing[lanes[l]] = np.int32(f[STANDING * L + l])
        seen[lanes[l]] += 1 if f[HERE * L + l] == 1.0 else 0


@njit(error_model="numpy", fastmath=CONTRACT)
def _tell(f: Any, told: Any, told_words: Any, place: int) -> None:
    """Write the verdicts on neighbours."""
    apart()
    real = np.uint64(place) * _REAL
    for r in range(TOLD[1]):
        put(f, TOLD[0] + r, told[r] + real)
    store_bytes(told_words[0] + np.uint64(place), load(f, NAMED))
    store_bytes(told_words[1] + np.uint64(place), load(f, ANNOUNCED))
    store_words(told_words[2] + np.uint64(place) * _WORDS, load(f, ONSET))


@njit(error_model="numpy", fastmath=CONTRACT)
def _tell_each(f: Any, told: Any, told_words: Any, places: Any, m: int, many: int) -> None:
    """Write the verdicts on lanes anywhere."""
    apart()
    for r in range(TOLD[1]):
        to = carray(doubles(told[r]), (m,))
        for l in range(many):
            to[places[l]] = f[(TOLD[0] + r) * L + l]
    named, announced = carray(int8s(told_words[0]), (m,)), carray(int8s(told_words[1]), (m,))
    onset = carray(int32s(told_words[2]), (m,))
    for l in range(many):
        named[places[l]] = np.int8(f[NAMED * L + l])
        announced[places[l]] = np.int8(f[ANNOUNCED * L + l])
        onset[places[l]] = np.int32(f[ONSET * L + l])


@njit(error_model="numpy", fastmath=CONTRACT)
def _step(f: Any, q: Any, c: Any, special: int, usual: bool, was_onset: Any) -> bool:
    """Judge the block; whether lapses, ages or kinds of the window changed. `usual`: full windows, all here, on time."""
    apart()
    absorb(f, c)
    restive = bits(load(f, OLD + P) < c[at.QUIET])
    if restive != 0:
        for l in range(L):
            if (restive >> l) & 1 == 1:
                restless.absorb_all(f, l, q, c)
    if special & 1:
        stay(f)
    speak(f)
    push(f, c)
    if special & 1:
        hold(f)
    if not usual:
        _age(f, special & 1 == 0)
    quiet(f, c)
    changed = not usual
    loud = overhear(f, c) if usual else -1
    if loud < 0:
        loud = listen(f, c)
    if loud != 0:
        for l in range(L):
            if (loud >> l) & 1 == 1:
                changed |= weighing.name(f, l, q, c)
    watch(f, c, excursion.follow(f, c))
    compare(f, c)
    size(f)
    if special & 4:
        for l in range(L):
            if f[BEYOND * L + l] != 0.0:
                forbid(f, l, was_onset[l])
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
        start: int, stop: int, rows: Any, phase: Any, dof: Any, x: Any, elapsed: Any, loaded: Any, stored: Any, told: Any,
        words: Any, told_words: Any, c: Any, hard: Any,
    ) -> None:  # fmt: skip
        """Judge the readings from `start` to `stop` of the lanes `rows`, in place; mark in `hard` what is left to numpy."""
        apart()
        n, m = len(phase), len(x) + 0 * of_sources
        f, q = np.zeros(ROWS * L), np.zeros(weighing.ROOM)
        lanes, places, was_onset = np.zeros(L, np.int64), np.zeros(L, np.int64), np.zeros(L)
        readings = np.zeros(2 * L)
        place, steady_pace, ones = start, False, False
        while place < stop:
            many, usual = 0, False
            together = place + L <= stop and _beside(rows, place)
            first = rows[place]
            if together:
                running = ~bytes_differ(words[2, _PHASE] + np.uint64(first), RUNNING)
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
                        lanes[many], places[many] = row, place
                        many += 1
                    else:
                        hard[place] = 1
                    place += 1
                if many == 0:
                    continue
                for l in range(many, L):
                    lanes[l], places[l] = lanes[many - 1], places[many - 1]
                _gather(f, loaded, words, lanes, n)
                ones = False
                for l in range(L):
                    readings[l], readings[L + l] = x[places[l]], elapsed[places[l]]
                special = _take_in(f, load(readings, 0), load(readings, 1))
            usual = usual and special == 0
            if special & 2 or not steady_pace:
                evolve(f, c)
            steady_pace = special & 2 == 0
            if special & 4:
                for l in range(L):
                    was_onset[l] = f[ONSET * L + l]
            changed = _step(f, q, c, special, usual, was_onset)
            ones = ones and not changed
            if together:
                _write(f, stored, words, first, changed)
                _tell(f, told, told_words, place - L)
            else:
                _scatter(f, stored, words, lanes, n, many)
                _tell_each(f, told, told_words, places, m, many)

    try:
        return njit(error_model="numpy", fastmath=CONTRACT, nogil=True, cache=True)(judge)
    except RuntimeError:  # no folder can be written: compiled anew in every process
        return njit(error_model="numpy", fastmath=CONTRACT, nogil=True)(judge)


judge = _compiled(_fingerprint())
