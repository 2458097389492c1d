"""One reading of every lane: blocks of sixteen are loaded, judged and stored again."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numba import carray, njit  # type: ignore[attr-defined]

from cyberstride.belief import RUNNING, WINDOW
from cyberstride.filter import _FARTHEST, _LARGEST_READING
from cyberstride.lanes import restless, weighing
from cyberstride.lanes import settings as at
from cyberstride.lanes.arithmetic import CONTRACT, apart, bring, doubles, fetch, int8s, int32s, int64s
from cyberstride.lanes.evidence import hold, listen, push
from cyberstride.lanes.mixture import absorb, ahead, evolve, speak, stay
from cyberstride.lanes.naming import quiet, watch
from cyberstride.lanes.reference import compare, forbid, size
from cyberstride.lanes.rows import (
    AGO,
    ANNOUNCED,
    BEYOND,
    GAP,
    HERE,
    HIGH,
    LANES,
    LIVE,
    LOUD,
    LOW,
    NAMED,
    NEW_GAP,
    OLD,
    ONSET,
    ORIGIN,
    ROWS,
    SEEN,
    STANDING,
    UNIT,
    VALUE,
    WAS,
    P,
    T,
    Y,
)  # fmt: skip

__all__ = ["judge"]

L = LANES
_MOST_DOF = 1e6
_WITH_CONSTANTS = ("belief", "evidence", "filter", "mixture", "naming", "reference", "regimes", "verdict")
_BYTES, _WORDS, _LONG, _REAL = np.uint64(1), np.uint64(4), np.uint64(8), np.uint64(8)


@njit(error_model="numpy", fastmath=CONTRACT)
def _beside(places: Any) -> bool:
    """Whether the places of a block's lanes are neighbours, in order."""
    off = 0
    for l in range(L):
        off |= places[l] - places[0] - l
    return off == 0


@njit(error_model="numpy", fastmath=CONTRACT)
def _read(f: Any, f_in: Any, g: Any, words: Any, x: Any, elapsed: Any, lanes: Any, places: Any, n: int) -> int:
    """Load a block; 0 when every reading is here, on time and possible, or a sum: 1 missing, 2 another time, 4 impossible."""
    apart()
    if _beside(lanes):
        first = np.uint64(lanes[0]) * _REAL
        for k in range(len(f_in)):
            fetch(f, int(f_in[k, 0]) * L, f_in[k, 1] + first)
    else:
        for k in range(len(f_in)):
            to = f[int(f_in[k, 0]) * L : int(f_in[k, 0]) * L + L]
            source = carray(doubles(f_in[k, 1]), (n,))
            for l in range(L):
                to[l] = source[lanes[l]]
    special = 0
    for l in range(L):
        value, lapse = x[places[l]], elapsed[places[l]]
        here = abs(value) <= _LARGEST_READING
        lapse = lapse if lapse >= 0.0 else (1.0 if lapse != lapse else 0.0)
        lapse = f[GAP * L + l] + min(lapse, 1e6)
        low, high = f[LOW * L + l], f[HIGH * L + l]
        under, over = here and value < low, here and value > high
        f[BEYOND * L + l] = value - low if under else (value - high if over else 0.0)
        here = here and not under and not over
        f[HERE * L + l] = 1.0 if here else 0.0
        f[T * L + l] = lapse
        f[NEW_GAP * L + l] = 0.0 if here else lapse
        y = min(max((value - f[ORIGIN * L + l]) / f[UNIT * L + l], -_FARTHEST), _FARTHEST)
        f[Y * L + l] = y if here else 0.0
        f[VALUE * L + l] = value if here else 0.0
        special |= (0 if here else 1) | (0 if lapse == 1.0 else 2) | (4 if under or over else 0)
    return special


@njit(error_model="numpy", fastmath=CONTRACT)
def _read_words(f: Any, g: Any, words: Any, lanes: Any, n: int) -> None:
    """Load the whole numbers: ages and kinds of the window's readings, names and counts."""
    apart()
    first = np.uint64(lanes[0])
    beside = _beside(lanes)
    if beside:
        for k in range(WINDOW):
            ago = carray(int32s(words[0, k] + first * _WORDS), (L,))
            live = carray(int8s(words[1, k] + first * _BYTES), (L,))
            to, row = g[k * L : k * L + L], f[(LIVE + k) * L : (LIVE + k + 1) * L]
            for l in range(L):
                to[l] = ago[l]
                row[l] = live[l]
        named = carray(int8s(words[2, 0] + first * _BYTES), (L,))
        onset = carray(int32s(words[2, 1] + first * _WORDS), (L,))
        standing = carray(int32s(words[2, 2] + first * _WORDS), (L,))
        seen = carray(int64s(words[2, 3] + first * _LONG), (L,))
        for l in range(L):
            f[WAS * L + l] = named[l]
            f[ONSET * L + l] = onset[l]
            f[STANDING * L + l] = standing[l]
            f[SEEN * L + l] = np.int32(min(seen[l], 1000))
        return
    for k in range(WINDOW):
        ago, live = carray(int32s(words[0, k]), (n,)), carray(int8s(words[1, k]), (n,))
        to, row = g[k * L : k * L + L], f[(LIVE + k) * L : (LIVE + k + 1) * L]
        for l in range(L):
            to[l] = ago[lanes[l]]
            row[l] = live[lanes[l]]
    named, onset = carray(int8s(words[2, 0]), (n,)), carray(int32s(words[2, 1]), (n,))
    standing, seen = carray(int32s(words[2, 2]), (n,)), carray(int64s(words[2, 3]), (n,))
    for l in range(L):
        f[WAS * L + l] = named[lanes[l]]
        f[ONSET * L + l] = onset[lanes[l]]
        f[STANDING * L + l] = standing[lanes[l]]
        f[SEEN * L + l] = np.int32(min(seen[lanes[l]], 1000))


@njit(error_model="numpy", fastmath=CONTRACT)
def _age(f: Any, g: Any, all_here: bool) -> None:
    """The steps since each reading of the window, after this one."""
    apart()
    if all_here:
        for k in range(WINDOW - 1):
            for l in range(L):
                g[k * L + l] = g[(k + 1) * L + l] + 1
        for l in range(L):
            g[(WINDOW - 1) * L + l] = 0
    else:
        for k in range(WINDOW - 1):
            for l in range(L):
                g[k * L + l] = (g[(k + 1) * L + l] if f[HERE * L + l] == 1.0 else g[k * L + l]) + 1
        for l in range(L):
            g[(WINDOW - 1) * L + l] = 0 if f[HERE * L + l] == 1.0 else g[(WINDOW - 1) * L + l] + 1
    for l in range(L):
        f[AGO * L + l] = g[l]


@njit(error_model="numpy", fastmath=CONTRACT)
def _write(
    f: Any, f_out: Any, v_out: Any, g: Any, words: Any, v_words: Any, lanes: Any, places: Any, n: int, m: int, many: int
) -> None:
    """Store the first `many` lanes of a block."""
    apart()
    beside = many == L and _beside(lanes)
    first, place = np.uint64(lanes[0]), np.uint64(places[0])
    if beside:
        for k in range(len(f_out)):
            bring(f, int(f_out[k, 0]) * L, f_out[k, 1] + first * _REAL)
    else:
        for k in range(len(f_out)):
            source = f[int(f_out[k, 0]) * L : int(f_out[k, 0]) * L + L]
            to = carray(doubles(f_out[k, 1]), (n,))
            for l in range(many):
                to[lanes[l]] = source[l]
    if many == L and _beside(places):
        for k in range(len(v_out)):
            bring(f, int(v_out[k, 0]) * L, v_out[k, 1] + place * _REAL)
    else:
        for k in range(len(v_out)):
            source = f[int(v_out[k, 0]) * L : int(v_out[k, 0]) * L + L]
            to = carray(doubles(v_out[k, 1]), (m,))
            for l in range(many):
                to[places[l]] = source[l]
    if beside:
        for k in range(WINDOW):
            ago = carray(int32s(words[0, k] + first * _WORDS), (L,))
            live = carray(int8s(words[1, k] + first * _BYTES), (L,))
            source, row = g[k * L : k * L + L], f[(LIVE + 1 + k) * L : (LIVE + 2 + k) * L]
            for l in range(L):
                ago[l] = source[l]
                live[l] = np.int8(np.int32(row[l]))
        named = carray(int8s(words[2, 0] + first * _BYTES), (L,))
        onset = carray(int32s(words[2, 1] + first * _WORDS), (L,))
        standing = carray(int32s(words[2, 2] + first * _WORDS), (L,))
        seen = carray(int64s(words[2, 3] + first * _LONG), (L,))
        for l in range(L):
            named[l] = np.int8(np.int32(f[NAMED * L + l]))
            onset[l] = np.int32(f[ONSET * L + l])
            standing[l] = np.int32(f[STANDING * L + l])
            seen[l] += np.int64(1) if f[HERE * L + l] == 1.0 else np.int64(0)
    else:
        for k in range(WINDOW):
            ago, live = carray(int32s(words[0, k]), (n,)), carray(int8s(words[1, k]), (n,))
            source, row = g[k * L : k * L + L], f[(LIVE + 1 + k) * L : (LIVE + 2 + k) * L]
            for l in range(many):
                ago[lanes[l]] = source[l]
                live[lanes[l]] = np.int8(row[l])
        named, onset = carray(int8s(words[2, 0]), (n,)), carray(int32s(words[2, 1]), (n,))
        standing, seen = carray(int32s(words[2, 2]), (n,)), carray(int64s(words[2, 3]), (n,))
        for l in range(many):
            named[lanes[l]] = np.int8(f[NAMED * L + l])
            onset[lanes[l]] = np.int32(f[ONSET * L + l])
            standing[lanes[l]] = np.int32(f[STANDING * L + l])
            seen[lanes[l]] += 1 if f[HERE * L + l] == 1.0 else 0
    named, told = carray(int8s(v_words[0]), (m,)), carray(int8s(v_words[1]), (m,))
    onset = carray(int32s(v_words[2]), (m,))
    for l in range(many):
        to = places[l]
        named[to] = np.int8(f[NAMED * L + l])
        told[to] = np.int8(f[ANNOUNCED * L + l])
        onset[to] = np.int32(f[ONSET * L + l])


@njit(error_model="numpy", fastmath=CONTRACT)
def _step(f: Any, g: Any, q: Any, c: Any, special: int, was_onset: Any) -> None:
    apart()
    ahead(f, c)
    absorb(f, c)
    for l in range(L):
        if f[(OLD + P) * L + l] < c[at.QUIET]:
            restless.absorb_all(f, l, q, c)
    if special & 1:
        stay(f)
    speak(f)
    push(f, c)
    if special & 1:
        hold(f)
    _age(f, g, special & 1 == 0)
    quiet(f, c)
    if listen(f, c) > 0.0:
        for l in range(L):
            if f[LOUD * L + l] > 0.0:
                weighing.name(f, g, l, q, c)
    watch(f, c)
    compare(f, c)
    size(f)
    if special & 4:
        for l in range(L):
            if f[BEYOND * L + l] != 0.0:
                forbid(f, l, was_onset[l])


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
        start: int, stop: int, rows: Any, phase: Any, dof: Any, x: Any, elapsed: Any, f_in: Any, f_out: Any, v_out: Any,
        words: Any, v_words: Any, c: Any, hard: Any,
    ) -> None:  # fmt: skip
        """Judge the readings from `start` to `stop` of the lanes `rows`, in place; mark in `hard` what is left to numpy."""
        apart()
        n, m = len(phase), len(x) + 0 * of_sources
        f, g, q = np.zeros(ROWS * L), np.zeros((WINDOW + 1) * L, np.int32), np.zeros(weighing.ROOM)
        lanes, places, was_onset = np.zeros(L, np.int64), np.zeros(L, np.int64), np.zeros(L)
        place, steady_pace = start, False
        while place < stop:
            many = 0
            while place < stop and many < L:
                row = rows[place]
                if phase[row] == RUNNING and dof[row] <= _MOST_DOF:
                    lanes[many], places[many] = row, place
                    many += 1
                else:
                    hard[place] = 1
                place += 1
            if many == 0:
                break
            for l in range(many, L):
                lanes[l], places[l] = lanes[many - 1], places[many - 1]
            special = _read(f, f_in, g, words, x, elapsed, lanes, places, n)
            _read_words(f, g, words, lanes, n)
            if special & 2 or not steady_pace:
                evolve(f, c)
            steady_pace = special & 2 == 0
            if special & 4:
                for l in range(L):
                    was_onset[l] = f[ONSET * L + l]
            _step(f, g, q, c, special, was_onset)
            _write(f, f_out, v_out, g, words, v_words, lanes, places, n, m, many)

    try:
        return njit(error_model="numpy", fastmath=CONTRACT, nogil=True, cache=True)(judge)
    except RuntimeError:  # no folder can be written: compiled anew in every process
        return njit(error_model="numpy", fastmath=CONTRACT, nogil=True)(judge)


judge = _compiled(_fingerprint())
