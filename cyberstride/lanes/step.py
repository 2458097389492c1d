"""One reading of every lane: blocks of neighbours are loaded, judged and stored again."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from cyberstride.belief import RUNNING, WINDOW
from cyberstride.filter import _FARTHEST, _LARGEST_READING
from cyberstride.lanes import excursion, restless, weighing
from cyberstride.lanes import settings as at
from cyberstride.lanes.arithmetic import CONTRACT, apart, compiled
from cyberstride.lanes.evidence import hold, listen, overhear, push
from cyberstride.lanes.loading import all_usual, fill_window, read, read_window, window_is_usual, write
from cyberstride.lanes.memory import (
    expect,
    get_byte,
    get_long,
    get_real,
    lives,
    load,
    load_from,
    place_of,
    set_byte,
    set_long,
    set_real,
    set_word,
    store,
    store_bytes,
    store_real,
    store_words,
)
from cyberstride.lanes.mixture import absorb, evolve, speak, stay
from cyberstride.lanes.naming import quiet, watch
from cyberstride.lanes.records import MOST_DOF, RECORD
from cyberstride.lanes.records import PHASE as PHASE_AT
from cyberstride.lanes.records import SEEN as SEEN_AT
from cyberstride.lanes.reference import compare, forbid, size
from cyberstride.lanes.rows import (
    AGES,
    ANNOUNCED,
    BEYOND,
    DOF,
    GAP,
    HERE,
    HIGH,
    LANES,
    LAP,
    LIVE,
    LOW,
    NAMED,
    NEW,
    NEW_DOF,
    NEW_GAP,
    OLD,
    ONSET,
    ORIGIN,
    ROWS,
    SEEN,
    TOLD,
    UNIT,
    VALUE,
    WAS,
    WIN,
    P,
    T,
    Y,
)  # fmt: skip
from cyberstride.lanes.vector import bits, farther, magnitude, nearer, some, where

__all__ = ["judge"]

_njit: Any = njit

L = LANES
_WORDS, _REAL = np.uint64(4), np.uint64(8)
_LINES = 8


@compiled
def _expect(start: Any, first: int, last: int) -> None:
    """Ask the memory for some of the lines behind an address."""
    apart()
    for k in range(first, last):
        expect(start + np.uint64(64 * k))


@compiled
def _expect_told(told: Any, place: int) -> None:
    """Ask the memory for the places of the verdicts."""
    apart()
    for k in range(TOLD[1]):
        expect(told[k] + np.uint64(place) * _REAL)


@compiled
def _go_on(f: Any, window_too: bool) -> None:
    """Let what is known after a reading be what is known before the next one; `window_too`: lapses and kinds as well."""
    apart()
    for k in range(28):
        store(f, OLD + k, load(f, NEW + k))
    store(f, GAP, load(f, NEW_GAP))
    store(f, DOF, load(f, NEW_DOF))
    store(f, WAS, load(f, NAMED))
    store(f, SEEN, nearer(load(f, SEEN) + load(f, HERE), 1000.0))
    for k in range(WINDOW):
        store(f, WIN + k, load(f, WIN + k + 1))
    if window_too:
        for k in range(WINDOW):
            store(f, LAP + k, load(f, LAP + k + 1))
            store(f, LIVE + k, load(f, LIVE + k + 1))


@compiled
def _take_in(f: Any, value: Any, lapse: Any, offset: Any) -> int:
    """The readings, from which `offset` was taken; 0 when every one is here, on time and possible.

    Else a sum: 1 some are missing, 2 another time, 4 impossible.
    """
    apart()
    lapse = where(lapse >= 0.0, lapse, where(lapse != lapse, 1.0, 0.0))
    lapse = load(f, GAP) + nearer(lapse, 1e6)
    low, high = load(f, LOW) - offset, load(f, HIGH) - offset
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
def _tell(f: Any, told: Any, told_words: Any, place: int) -> None:
    """Write the verdicts on neighbours."""
    apart()
    real = np.uint64(place) * _REAL
    for r in range(TOLD[1]):
        store_real(told[r] + real, load(f, TOLD[0] + r))
    store_bytes(told_words[0] + np.uint64(place), load(f, NAMED))
    store_bytes(told_words[1] + np.uint64(place), load(f, ANNOUNCED))
    store_words(told_words[2] + np.uint64(place) * _WORDS, load(f, ONSET))


@compiled
def _tell_each(f: Any, told: Any, told_words: Any, places: Any, many: int) -> None:
    """Write the verdicts on lanes anywhere."""
    apart()
    for r in range(TOLD[1]):
        for l in range(many):
            set_real(told[r], 8 * places[l], f[(TOLD[0] + r) * L + l])
    for l in range(many):
        set_byte(told_words[0], places[l], f[NAMED * L + l])
        set_byte(told_words[1], places[l], f[ANNOUNCED * L + l])
        set_word(told_words[2], 4 * places[l], f[ONSET * L + l])


@compiled
def _step(f: Any, q: Any, c: Any, special: int, usual: bool, ahead: Any) -> bool:
    """Judge the block; whether lapses, ages or kinds of the window changed. `usual`: full windows, all here, on time.

    Between its parts the memory is asked for what lies `ahead`, if not 0: a few lines at a time, since no more can be on
    their way.
    """
    apart()
    absorb(f, c)
    if ahead != 0:
        _expect(ahead, 0, 23)
    restive = bits(load(f, OLD + P) < c[at.QUIET])
    if restive != 0:
        for l in range(L):
            if (restive >> l) & 1 == 1:
                restless.absorb_all(f, l, q, c)
    if special & 1:
        stay(f)
    speak(f)
    if ahead != 0:
        _expect(ahead, 23, 46)
    push(f, c)
    if special & 1:
        hold(f)
    if not usual:
        _age(f, special & 1 == 0)
    quiet(f, c)
    changed = not usual
    loud = overhear(f, c) if usual else -1
    if ahead != 0:
        _expect(ahead, 46, 69)
    if loud < 0:
        loud = listen(f, c)
    if loud != 0:
        for l in range(L):
            if (loud >> l) & 1 == 1:
                changed |= weighing.name(f, l, q, c)
    watch(f, c, excursion.follow(f, c))
    if ahead != 0:
        _expect(ahead, 69, 92)
    compare(f, c)
    size(f)
    return changed


def _judge(
    stop: int, many_rows: int, wide: int, records: Any, lane_of: Any, x_of: Any, elapsed_of: Any, offset_of: Any,
    told_at: Any, told_words_at: Any, told_apart: Any, told_words_apart: Any, settings: Any, hard: Any,
) -> None:  # fmt: skip
    """Judge `many_rows` readings of each of the first `stop` lanes of `lane_of`, in place; mark in `hard` what is left to numpy.

    `records` is the address at which the records of the belief begin. A row of readings lies `wide` numbers behind the one
    before, one of verdicts as far as `told_apart` and `told_words_apart` say; an offset was taken from each reading. A
    block's figures stay in its scratch from row to row. Where something is left to numpy there may be one row only.
    """
    apart()
    room = np.zeros(_LINES + ROWS * L + restless.ROOM + 5 * L)
    places, addresses = np.zeros(L, np.int64), np.zeros(L, np.uint64)
    told_room, told_words_room = told_at.copy(), told_words_at.copy()
    f = place_of(room[((64 - room.ctypes.data % 64) % 64) // 8 :])
    q, readings, was_onset = place_of(room[_LINES + ROWS * L :]), place_of(room[-3 * L :]), place_of(room[-4 * L :])
    came = place_of(room[-5 * L :])
    lanes, at_place = place_of(addresses), place_of(places)
    rows, x, elapsed, offset = place_of(lane_of), place_of(x_of), place_of(elapsed_of), place_of(offset_of)
    told, told_words, c = place_of(told_room), place_of(told_words_room), place_of(settings)
    place, steady_pace, ones = 0, False, False
    while place < stop:
        many = min(L, stop - place)
        for l in range(L):
            at_place[l] = place + min(l, many - 1)
            lanes[l] = records + np.uint64(rows[at_place[l]] * RECORD)
            came[l] = 0.0
        first, together = place, many == L
        usual = together and all_usual(lanes)
        if usual:
            read(f, lanes)
            usual = not some(load(f, DOF) > MOST_DOF)
        if not usual:
            # Those that are left to numpy give their places to their neighbours, which are judged twice, alike.
            good = 0
            for l in range(many):
                if get_byte(lanes[l], PHASE_AT) == RUNNING and get_real(lanes[l], 8 * DOF) <= MOST_DOF:
                    lanes[good], at_place[good] = lanes[l], at_place[l]
                    good += 1
                else:
                    hard[place + l] = 1
            place += many
            many = good
            if many == 0:
                continue
            together = many == L
            for l in range(many, L):
                lanes[l], at_place[l] = lanes[many - 1], at_place[many - 1]
            read(f, lanes)
            read_window(f, lanes)
            ones = False
        else:
            if not ones:
                fill_window(f)
            ones = True
            place += L
        changed = False
        for row in range(many_rows):
            behind = row * wide
            if row > 0:
                _go_on(f, not ones)
                usual = ones or (together and window_is_usual(f))
                ones = usual
                for r in range(TOLD[1]):
                    told[r] += told_apart[r]
                for r in range(3):
                    told_words[r] += told_words_apart[r]
            if together:
                k = first + behind
                special = _take_in(f, load_from(x, k), load_from(elapsed, k), load_from(offset, k))
            else:
                for l in range(L):
                    k = at_place[l] + behind
                    readings[l], readings[L + l], readings[2 * L + l] = x[k], elapsed[k], offset[k]
                special = _take_in(f, load(readings, 0), load(readings, 1), load(readings, 2))
            usual = usual and special == 0
            if special & 2 or not steady_pace:
                evolve(f, c)
            steady_pace = special & 2 == 0
            if special & 4:
                for l in range(L):
                    was_onset[l] = f[ONSET * L + l]
            _expect_told(told, at_place[0])
            ahead = lanes[L - 1] + np.uint64(RECORD) if row == many_rows - 1 else np.uint64(0)
            anew = _step(f, q, c, special, usual, ahead)
            if special & 4:
                for l in range(L):
                    if f[BEYOND * L + l] != 0.0:
                        forbid(f, l, was_onset[l])
            ones = ones and not anew
            changed |= anew
            store(came, 0, load(came, 0) + load(f, HERE))
            if together:
                _tell(f, told, told_words, first)
            else:
                _tell_each(f, told, told_words, at_place, many)
        write(f, lanes, changed)
        for l in range(many):
            set_long(lanes[l], SEEN_AT, get_long(lanes[l], SEEN_AT) + came[l])
        for r in range(TOLD[1]):
            told[r] -= np.uint64(many_rows - 1) * told_apart[r]
        for r in range(3):
            told_words[r] -= np.uint64(many_rows - 1) * told_words_apart[r]
    lives(room)
    lives(places)
    lives(addresses)
    lives(told_room)
    lives(told_words_room)


judge: Any = _njit(error_model="numpy", fastmath=CONTRACT, nogil=True)(_judge)
