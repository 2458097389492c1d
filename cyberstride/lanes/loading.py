"""The records of a block of lanes: from the memory into its scratch, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from cyberstride.belief import RUNNING, WINDOW
from cyberstride.lanes.arithmetic import apart, compiled
from cyberstride.lanes.memory import (
    alike,
    fetch,
    get_byte,
    get_long,
    get_real,
    get_word,
    load,
    place_of,
    put,
    set_byte,
    set_real,
    set_word,
    store,
)
from cyberstride.lanes.records import AGO, DOUBLES
from cyberstride.lanes.records import LAPSE as LAPSE_AT
from cyberstride.lanes.records import LIVE as LIVE_AT
from cyberstride.lanes.records import NAMED as NAMED_AT
from cyberstride.lanes.records import ONSET as ONSET_AT
from cyberstride.lanes.records import PHASE as PHASE_AT
from cyberstride.lanes.records import SEEN as SEEN_AT
from cyberstride.lanes.records import STANDING as STANDING_AT
from cyberstride.lanes.records import UNIT as UNIT_AT
from cyberstride.lanes.rows import (
    AGES,
    DOF,
    GAP,
    LANES,
    LAP,
    LIVE,
    NAMED,
    NEW,
    NEW_DOF,
    NEW_GAP,
    OLD,
    ONSET,
    SEEN,
    STANDING,
    UNIT,
    WAS,
)
from cyberstride.lanes.vector import some

__all__ = ["all_usual", "fill_window", "read", "read_window", "window_is_usual", "write"]

L = LANES
_COMPARED = 128
_LAST = 0x010101 * RUNNING
"""What follows these bytes: the last two kinds of the window, and the phase."""
assert RUNNING == 1
assert PHASE_AT == AGO + _COMPARED + 2


def _usual_window() -> Any:
    """The bytes of a record from `AGO` on where the window is full, on time, and holds nothing but evidence."""
    kinds = np.ones(WINDOW, np.int8).tobytes()
    whole = np.arange(WINDOW - 1, -1, -1, dtype=np.int32).tobytes() + np.ones(WINDOW).tobytes() + kinds
    return np.frombuffer(whole[:_COMPARED]).copy()


_USUAL_WINDOW = _usual_window()


@compiled
def all_usual(lanes: Any) -> Any:
    """Whether all of the lanes run, and their windows are full, on time, and hold nothing but evidence."""
    apart()
    return alike(lanes, np.uint64(AGO), place_of(_USUAL_WINDOW), _LAST)


@compiled
def read(f: Any, lanes: Any) -> None:
    """Load the records at the addresses `lanes`, but for the window's lapses, ages and kinds."""
    apart()
    for k in range(0, DOUBLES, 4):
        fetch(f, OLD + k, lanes, np.uint64(8 * k))
    for l in range(L):
        lane = lanes[l]
        f[WAS * L + l] = get_byte(lane, NAMED_AT)
        f[ONSET * L + l] = get_word(lane, ONSET_AT)
        f[STANDING * L + l] = get_word(lane, STANDING_AT)
        f[SEEN * L + l] = min(get_long(lane, SEEN_AT), 1000)
        f[UNIT * L + l] = get_real(lane, UNIT_AT)


@compiled
def read_window(f: Any, lanes: Any) -> None:
    """Load what `read` leaves."""
    apart()
    for l in range(L):
        lane = lanes[l]
        for k in range(WINDOW):
            f[(LAP + k) * L + l] = get_real(lane, LAPSE_AT + 8 * k)
            f[(AGES + k) * L + l] = get_word(lane, AGO + 4 * k)
            f[(LIVE + k) * L + l] = get_byte(lane, LIVE_AT + k)


@compiled
def fill_window(f: Any) -> None:
    """Write what `read_window` finds in windows that are as usual."""
    apart()
    for k in range(WINDOW):
        store(f, LAP + k, 1.0)
        store(f, LIVE + k, 1.0)
        store(f, AGES + k, float(WINDOW - 1 - k))


@compiled
def window_is_usual(f: Any) -> bool:
    """Whether the window of every lane in the scratch is as `fill_window` writes it."""
    apart()
    other = load(f, LAP) != 1.0
    for k in range(WINDOW):
        other = other | (load(f, LAP + k) != 1.0) | (load(f, LIVE + k) != 1.0)
        other = other | (load(f, AGES + k) != float(WINDOW - 1 - k))
    return not some(other)


@compiled
def write(f: Any, lanes: Any, changed: bool) -> None:
    """Store the records; the window's lapses, ages and kinds only where they `changed`."""
    apart()
    for k in range(0, 28, 4):
        put(f, NEW + k, lanes, np.uint64(8 * k))
    for k in range(28, GAP, 4):
        put(f, k, lanes, np.uint64(8 * k))
    # From here on a row of the new figures lies one further down.
    store(f, GAP + 1, load(f, NEW_GAP))
    store(f, DOF + 1, load(f, NEW_DOF))
    for k in range(GAP, DOUBLES, 4):
        put(f, k + 1, lanes, np.uint64(8 * k))
    for l in range(L):
        lane = lanes[l]
        set_byte(lane, NAMED_AT, f[NAMED * L + l])
        set_word(lane, ONSET_AT, f[ONSET * L + l])
        set_word(lane, STANDING_AT, f[STANDING * L + l])
    if changed:
        for l in range(L):
            lane = lanes[l]
            for k in range(WINDOW):
                set_real(lane, LAPSE_AT + 8 * k, f[(LAP + 1 + k) * L + l])
                set_word(lane, AGO + 4 * k, f[(AGES + k) * L + l])
                set_byte(lane, LIVE_AT + k, f[(LIVE + 1 + k) * L + l])
