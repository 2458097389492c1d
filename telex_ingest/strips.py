"""Plain telexes of a link, taken as columns while each is in its place; what is not goes the way of single frames. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from telex_ingest.desk import Desk, Link
from telex_ingest.heard import StripAccepted
from telex_ingest.plant import Plant
from telex_ingest.scanner import Scanned, scan
from telex_ingest.states import PlantState

DEEPEST = 8
"""The most telexes of one plant in one strip: the rounds of the filter that it makes."""

MOST_SHAPES = 10_000
"""Sets of signals that are remembered; a room that sees more forgets them all and begins again."""

GATHERED = 2048
"""So many frames are looked at together at most."""


class Odd(NamedTuple):
    """A frame that must be taken on its own: after the strips before it, before those behind it; it came at `at`."""

    frame: bytes
    at: float


class _Waiting(NamedTuple):
    link: Link
    pieces: list[bytes]
    sizes: list[int]
    ats: list[float]


class Strips:
    """Frames of text that wait to be looked at together, by link, each with when it came (room's clock, epoch seconds)."""

    def __init__(self) -> None:
        self._waiting: dict[int, _Waiting] = {}
        self._shapes: dict[tuple[int, ...], tuple[int, ...]] = {}
        """One object for each set of signals, so that a look tells whether two are the same."""
        self.frames = 0

    def add(self, link: Link, frames: bytes, sizes: Sequence[int], ats: Sequence[float]) -> None:
        """Let frames wait that came together: one behind the other in `frames`, of `sizes` bytes, that came at `ats`."""
        mine = self._waiting.get(link.number)
        if mine is None:
            mine = self._waiting[link.number] = _Waiting(link, [], [], [])
        mine.pieces.append(frames)
        mine.sizes.extend(sizes)
        mine.ats.extend(ats)
        self.frames += len(sizes)

    def holds(self, link: Link) -> bool:
        """Whether a frame of a link waits."""
        return link.number in self._waiting

    def take(self, desk: Desk, only: Link | None = None) -> Iterator[tuple[Link, StripAccepted | Odd]]:
        """Take what waits, of all links or one: strips as they were accepted, and the frames that are odd, in their order.

        The caller deals with each before it asks for the next: an odd frame may change what those behind it mean.
        """
        if only is None:
            waiting, self._waiting = list(self._waiting.values()), {}
        else:
            waiting = [self._waiting.pop(only.number)] if self.holds(only) else []
        if not waiting:
            return
        self.frames -= sum(len(mine.sizes) for mine in waiting)
        if len(self._shapes) > MOST_SHAPES:
            self._shapes = {}
        pieces = [piece for mine in waiting for piece in mine.pieces]
        scanned = scan(pieces, [size for mine in waiting for size in mine.sizes])
        first = 0
        for mine in waiting:
            for item in _told(desk, mine.link, scanned, first, mine.ats, self._shapes):
                yield mine.link, item
            first += len(mine.sizes)


def _told(
    desk: Desk,
    link: Link,
    scanned: Scanned,
    first: int,
    ats: list[float],
    shapes: dict[tuple[int, ...], tuple[int, ...]],
) -> Iterator[StripAccepted | Odd]:
    """Tell one link's frames, which begin at place `first` of what was scanned: the hot path of single frames."""
    rows = slice(first, first + len(ats))
    skew_us, mine, speaking = desk.skew_us, link.plants, PlantState.SPEAKING
    begun, deep, depth, start = first, dict[str, int](), 0, int(scanned.ends[first - 1]) if first else 0
    shape: tuple[int, ...] = ()
    known = False
    before = start
    received: list[int] = []
    for place, (name, epoch, seq, source_us, end, odd, alike, at) in enumerate(
        zip(
            scanned.plants[rows],
            scanned.epochs[rows],
            scanned.seqs[rows],
            scanned.source_us[rows].tolist(),
            scanned.ends[rows].tolist(),
            scanned.odd[rows].tolist(),
            scanned.alike[rows].tolist(),
            ats,
            strict=True,
        ),
        first,
    ):
        received_us = int(at * 1e6)
        plant = None if odd else mine.get(name)
        if not (odd or (known and alike)):
            told = tuple(scanned.signals[before:end].tolist())
            if told != shape or not known:
                if received:
                    yield _strip(desk, link, scanned, shape, range(begun, place), start, before, received, depth)
                begun, deep, depth, start, received = place, {}, 0, before, []
            shape, known = shapes.setdefault(told, told), True
        # Whether it is the next one of a plant that speaks, of signals that it declares, nothing waits, its clock not far ahead.
        if (
            plant is not None
            and plant.state is speaking
            and (plant.shape is shape or _fits(plant, shape))
            and (sequence := plant.sequence).next == seq
            and sequence.epoch == epoch
            and not sequence.waiting
            and source_us - received_us <= skew_us
        ):
            count = deep.get(name, 0) + 1
            if count > DEEPEST:
                yield _strip(desk, link, scanned, shape, range(begun, place), start, before, received, depth)
                begun, deep, depth, start, received, count = place, {}, 0, before, [], 1
            sequence.next = seq + 1
            plant.heard_at = at
            plant.telexes += 1
            if plant.source_us is not None and source_us < plant.source_us:
                desk.tally.backward += 1
            plant.source_us = source_us
            plant.delay_us = received_us - source_us
            deep[name] = count
            if count > depth:
                depth = count
            received.append(received_us)
        else:
            if received:
                yield _strip(desk, link, scanned, shape, range(begun, place), start, before, received, depth)
            yield Odd(scanned.whole[scanned.bounds[place] : scanned.bounds[place + 1]], at)
            mine = link.plants
            begun, deep, depth, start, received = place + 1, {}, 0, end, []
        before = end
    if received:
        yield _strip(desk, link, scanned, shape, range(begun, rows.stop), start, before, received, depth)


def _fits(plant: Plant, shape: tuple[int, ...]) -> bool:
    """Whether the plant has told these signals before; the shape that it told last is known without looking it up."""
    if shape not in plant.shapes:
        return False
    plant.shape = shape
    return True


def _strip(
    desk: Desk,
    link: Link,
    scanned: Scanned,
    shape: tuple[int, ...],
    places: range,
    start: int,
    end: int,
    received: list[int],
    depth: int,
) -> StripAccepted:
    rows = slice(places.start, places.stop)
    link.telexes += len(places)
    desk.tally.telexes += len(places)
    desk.tally.readings += end - start
    return StripAccepted(
        tuple(scanned.plants[rows]),
        tuple(scanned.epochs[rows]),
        tuple(scanned.seqs[rows]),
        scanned.source_us[rows],
        np.array(received, np.int64),
        shape,
        scanned.values[start:end].copy(),
        depth,
        link.number,
    )
