"""Plants whose plain telexes follow one another, kept in step as columns: taking one costs no look at its plant. Pure.

A plant that has told a plain telex in its place joins, and a row keeps what its telexes move on: the number awaited, what is
durable, when it was heard, its delay. While nothing else comes, telexes of all links are found by name, compared and counted in
one compiled pass. Whoever wants to change a plant takes it apart first (`Plant.apart`); then it stands for itself, until it
joins again.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from telex_ingest.compiled import compiled
from telex_ingest.scanner import Scanned, scan
from telex_ingest.standing import Standing
from telex_ingest.states import PlantState

if TYPE_CHECKING:
    from telex_ingest.plant import Plant

DEEPEST = 8
"""The most telexes of one plant in one strip: the rounds of the filter that it makes."""

MOST_SHAPES, MOST_IDS = 10_000, 1_000_000
"""Sets of signals that are remembered, and signals in all of them; a room that sees more forgets them all and begins again."""

_TRIES = 64
"""So many places are tried for a name at most, so that nobody can make looking for it long by choosing names."""

_MOST_WAIT = 256
_WORTH = 4
"""So many telexes in a row are worth having joined for."""

_NEXT, _EPOCH, _DURABLE, _SOURCE, _DELAY, _TELEXES, _LINK, _SHAPE, _LOOK, _DEPTH, _KEPT = range(11)
"""What a row keeps; `_LOOK` is the number of the last look that took a telex of it, `_DEPTH` how many it took."""

Ints = NDArray[np.int64]


class Marched(NamedTuple):
    """What a look took at once: the row of each frame, -1 for those left, and how many of each link, its first ones."""

    row: Ints
    many: Ints
    backward: int
    """How many were older than the one before of their plant."""


class Lockstep:
    """The rows of all plants that have ever joined; a row belongs to a name for ever."""

    def __init__(self) -> None:
        self._row: dict[str, int] = {}
        self._plants: list[Plant] = []
        self._wait: list[int] = []
        self._idle: list[int] = []
        """So many telexes a plant lets pass before it joins again, and so many it has let pass."""
        self._state: Ints = np.zeros((64, _KEPT + 1), np.int64)
        self._heard: NDArray[np.float64] = np.zeros(64)
        self._slots: Ints = np.full(256, -1, np.int64)
        """Where each name is found, by its hash."""
        self._text: NDArray[np.uint8] = np.zeros(1024, np.uint8)
        self._begins: Ints = np.zeros(65, np.int64)
        """The names one behind the other, and where each begins."""
        self._names: NDArray[Any] = np.empty(64, object)
        self._shape: dict[tuple[int, ...], int] = {}
        self._shapes: list[tuple[int, ...]] = []
        self._ids: Ints = np.zeros(256, np.int64)
        self._bounds: Ints = np.zeros(65, np.int64)
        """The signals of each shape one behind the other, and where each shape begins."""
        self._looks = 0

    # ---- a plant joins, is looked at, and stands for itself again

    def join(self, plant: Plant, shape: tuple[int, ...]) -> None:
        """Keep the standing of a plant that has just told a plain telex of this shape, if it is worth it."""
        link = plant.speaker
        if plant.keeper is not None or plant.state is not PlantState.SPEAKING or plant.sequence.waiting or link is None:
            return
        row = self._row_of(plant)
        if self._idle[row] < self._wait[row]:
            self._idle[row] += 1
            return
        sequence = plant.sequence
        if plant.source_us is None or plant.delay_us is None:
            return
        if self._plants[row] is not plant:  # another of this name, which is on no roll any more
            self._plants[row].apart()
            self._plants[row] = plant
        kind = self._kind_of(shape)
        self._state[row] = (
            *(sequence.next, sequence.epoch, sequence.durable, plant.source_us, plant.delay_us),
            *(0, link.number, kind, 0, 0, 1),
        )
        self._heard[row] = plant.heard_at
        plant.place, plant.keeper = row, self

    def part(self, plant: Plant) -> None:
        """Tell a plant how it stands; from now on it stands for itself."""
        row = plant.place
        following, _, durable, source_us, delay_us, moved, *_ = self._state[row].tolist()
        self._state[row, _KEPT] = 0
        # A plant that tells now this and now that would join and part with every telex, and both have their price.
        self._idle[row] = 0
        self._wait[row] = min(2 * self._wait[row] + 1, _MOST_WAIT) if moved < _WORTH else 0
        sequence = plant.sequence
        sequence.next = following
        sequence.durable = max(sequence.durable, durable)
        plant.telexes += moved
        plant.heard_at, plant.source_us, plant.delay_us = float(self._heard[row]), source_us, delay_us
        plant.keeper = None

    def heard(self, place: int) -> float:
        """When the plant of a row was heard."""
        return float(self._heard[place])

    def standing(self, place: int, own: Standing) -> Standing:
        """How the plant of a row stands, which for itself stands as it was when it joined."""
        following, _, durable, _, delay_us, moved, *_ = self._state[place].tolist()
        return Standing(following, max(durable, own.durable), self.heard(place), own.telexes + moved, delay_us)

    def tell_heard(self) -> None:
        """Tell every plant that is kept when it was heard; it stays."""
        kept = self._kept()
        for row, heard_at in zip(kept.tolist(), self._heard[kept].tolist(), strict=True):
            self._plants[row].heard_at = heard_at

    @property
    def oldest(self) -> float:
        """When that plant was heard that was not heard for longest; infinite when none is kept."""
        return float(self._heard[self._kept()].min(initial=np.inf))

    def _kept(self) -> Ints:
        return np.flatnonzero(self._state[: len(self._plants), _KEPT])

    # ---- looks

    def march(
        self, scanned: Scanned, spans: Ints, links: Ints, received_us: Ints, ats: NDArray[np.float64], skew_us: int
    ) -> Marched:
        """Take the frames of each link up to the first that is not the next plain telex of a plant that is kept.

        `spans` (k + 1,) are the bounds of the frames of each of `links` (k,), `received_us` and `ats` (f,) when each came.
        """
        self._looks += 1
        row, many = np.full(len(ats), -1, np.int64), np.zeros(len(links), np.int64)
        columns = (scanned.names, scanned.epochs, scanned.seqs, scanned.source_us, scanned.ends, scanned.odd)
        backward = _march(
            *(np.frombuffer(scanned.whole, np.uint8), *columns, scanned.signals, received_us, ats, spans, links),
            *(skew_us, self._looks, self._slots, self._text, self._begins, self._ids, self._bounds),
            *(self._state, self._heard, row, many),
        )
        return Marched(row, many, backward)

    def names(self, rows: Ints) -> tuple[str, ...]:
        """The plants of rows."""
        return tuple(self._names[rows].tolist())

    def kinds(self, rows: Ints) -> Ints:
        """Which shape the plants of rows tell, each shape by a number."""
        kinds: Ints = self._state[rows, _SHAPE]
        return kinds

    def shape(self, kind: int) -> tuple[int, ...]:
        """The shape of a number."""
        return self._shapes[kind]

    def depth(self, rows: Ints) -> int:
        """The most telexes that the last look took of one of these plants."""
        return int(self._state[rows, _DEPTH].max())

    # ---- what is durable

    def durable(self, rows: Ints, epochs: Ints, seqs: Ints) -> Ints:
        """Telexes are durable: notes it of plants that are kept and in that epoch; -1 for each other telex, else its link."""
        link = np.empty(len(rows), np.int64)
        _durable(rows, epochs, seqs, self._state, link)
        return link

    def plant(self, row: int) -> Plant:
        """The plant of a row."""
        return self._plants[row]

    # ---- rows and shapes

    def _row_of(self, plant: Plant) -> int:
        row = self._row.get(plant.name)
        if row is None:
            name = plant.name.encode()
            row = self._row[plant.name] = len(self._plants)
            self._plants.append(plant)
            self._wait.append(0)
            self._idle.append(0)
            self._state, self._heard = _roomy(self._state, row + 1), _roomy(self._heard, row + 1)
            self._names, self._begins = _roomy(self._names, row + 1), _roomy(self._begins, row + 2)
            start = int(self._begins[row])
            end = start + len(name)
            self._text = _roomy(self._text, end)
            self._text[start:end] = np.frombuffer(name, np.uint8)
            self._begins[row + 1] = end
            self._names[row] = plant.name
            if 2 * (row + 1) > len(self._slots):
                self._slots = np.full(4 * len(self._slots), -1, np.int64)
                _place(self._text, self._begins, 0, row + 1, self._slots)
            else:
                _place(self._text, self._begins, row, row + 1, self._slots)
        return row

    def _kind_of(self, shape: tuple[int, ...]) -> int:
        kind = self._shape.get(shape)
        if kind is None:
            if len(self._shapes) >= MOST_SHAPES or int(self._bounds[len(self._shapes)]) + len(shape) > MOST_IDS:
                self._forget_shapes()
            kind = self._shape[shape] = len(self._shapes)
            self._shapes.append(shape)
            start = int(self._bounds[kind])
            self._ids = _roomy(self._ids, start + len(shape))
            self._ids[start : start + len(shape)] = shape
            self._bounds = _roomy(self._bounds, kind + 2)
            self._bounds[kind + 1] = start + len(shape)
        return kind

    def _forget_shapes(self) -> None:
        """Have every plant stand for itself until it joins again: nobody can keep the others out by telling ever new shapes."""
        for row in self._kept().tolist():
            self._plants[row].apart()
        self._shape.clear()
        self._shapes.clear()


def runs_of(column: Ints) -> list[tuple[int, int]]:
    """Where runs of one and the same number begin and end.

    >>> runs_of(np.array([7, 7, 2, 7]))
    [(0, 2), (2, 3), (3, 4)]
    """
    return list(pairwise([0, *(np.flatnonzero(np.diff(column)) + 1).tolist(), len(column)])) if len(column) else []


def warm() -> None:
    """Compile, or load what was compiled, before the first frame comes."""
    none, some = np.zeros(0, np.int64), np.zeros((1, _KEPT + 1), np.int64)
    text, slots = np.zeros(1, np.uint8), np.full(2, -1, np.int64)
    _place(text, np.zeros(2, np.int64), 0, 1, slots)
    _durable(none, none, none, some, none)
    Lockstep().march(scan([b"{}"]), np.zeros(1, np.int64), none, none, np.zeros(1), 0)


def _roomy(column: NDArray[Any], least: int) -> NDArray[Any]:
    """The column, with room for so many rows at least."""
    if len(column) >= least:
        return column
    wider = np.zeros((max(least, 2 * len(column)), *column.shape[1:]), column.dtype)
    wider[: len(column)] = column
    return wider


@compiled
def _hash(text: Any, start: int, end: int) -> Any:
    """FNV-1a, mixed once more because only its lowest bits are used."""
    number = np.uint64(14695981039346656037)
    for at in range(start, end):
        number = (number ^ np.uint64(text[at])) * np.uint64(1099511628211)
    return number ^ (number >> np.uint64(32))


@compiled
def _place(text: Any, begins: Any, first: int, end: int, slots: Any) -> None:
    """Make rows found by their names; one whose places are all taken is not found, and its plant stands for itself."""
    mask = np.uint64(len(slots) - 1)
    for row in range(first, end):
        slot = _hash(text, begins[row], begins[row + 1])
        for _ in range(_TRIES):
            if slots[np.int64(slot & mask)] < 0:
                slots[np.int64(slot & mask)] = row
                break
            slot = slot + np.uint64(1)


@compiled
def _find(data: Any, start: int, end: int, slots: Any, text: Any, begins: Any) -> int:
    """The row of a name; -1 when it has none."""
    mask, size = np.uint64(len(slots) - 1), end - start
    slot = _hash(data, start, end)
    for _ in range(_TRIES):
        row: int = slots[np.int64(slot & mask)]
        if row < 0:
            return -1
        at = begins[row]
        if begins[row + 1] - at == size:
            same = True
            for k in range(size):
                if text[at + k] != data[start + k]:
                    same = False
                    break
            if same:
                return row
        slot = slot + np.uint64(1)
    return -1


@compiled
def _march(
    data: Any, names: Any, epochs: Any, seqs: Any, source_us: Any, ends: Any, odd: Any, signals: Any,
    received_us: Any, ats: Any, spans: Any, links: Any, skew_us: int, look: int, slots: Any, text: Any, begins: Any,
    ids: Any, bounds: Any, state: Any, heard: Any, rows: Any, many: Any,
) -> int:  # fmt: skip
    """Fill `rows` and `many`; tells how many telexes were older than the one before of their plant."""
    backward = 0
    for k in range(len(links)):
        for frame in range(spans[k], spans[k + 1]):
            if odd[frame]:
                break
            row = _find(data, names[0, frame], names[1, frame], slots, text, begins)
            if row < 0 or state[row, _KEPT] == 0 or state[row, _LINK] != links[k]:
                break
            if state[row, _NEXT] != seqs[frame] or state[row, _EPOCH] != epochs[frame]:
                break
            if source_us[frame] - received_us[frame] > skew_us:
                break
            begun = ends[frame - 1] if frame else 0
            kind = state[row, _SHAPE]
            at, m = bounds[kind], bounds[kind + 1] - bounds[kind]
            alike = ends[frame] - begun == m
            if alike:
                for place in range(m):
                    if signals[begun + place] != ids[at + place]:
                        alike = False
                        break
            if not alike:
                break
            depth = state[row, _DEPTH] if state[row, _LOOK] == look else 0
            if depth >= DEEPEST:
                break
            state[row, _LOOK], state[row, _DEPTH] = look, depth + 1
            state[row, _NEXT] += 1
            state[row, _TELEXES] += 1
            heard[row] = ats[frame]
            if source_us[frame] < state[row, _SOURCE]:
                backward += 1
            state[row, _SOURCE] = source_us[frame]
            state[row, _DELAY] = received_us[frame] - source_us[frame]
            rows[frame] = row
            many[k] += 1
    return backward


@compiled
def _durable(rows: Any, epochs: Any, seqs: Any, state: Any, link: Any) -> None:
    """Note what is durable, and tell the link of each telex that could be noted."""
    for k in range(len(rows)):
        row = rows[k]
        if state[row, _KEPT] == 0 or state[row, _EPOCH] != epochs[k]:
            link[k] = -1
        else:
            state[row, _DURABLE] = max(state[row, _DURABLE], seqs[k])
            link[k] = state[row, _LINK]
