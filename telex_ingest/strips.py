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
        pieces = [piece for mine in waiting for piece in mine.pieces]
        scanned = scan(pieces, [size for mine in waiting for size in mine.sizes])
        first = 0
        for mine in waiting:
            for item in _told(desk, mine.link, scanned, first, mine.ats):
                yield mine.link, item
            first += len(mine.sizes)


def _told(desk: Desk, link: Link, scanned: Scanned, first: int, ats: list[float]) -> Iterator[StripAccepted | Odd]:
    """Tell one link's frames, which begin at place `first` of what was scanned."""
    places = range(first, first + len(ats))
    odd, alike = scanned.odd[first : places.stop].tolist(), scanned.alike[first : places.stop].tolist()
    times, skew_us, mine = scanned.source_us[first : places.stop].tolist(), desk.skew_us, link.plants
    ends = scanned.ends[first : places.stop].tolist()
    begun, deep, depth, start = 0, dict[str, int](), 0, int(scanned.ends[first - 1]) if first else 0
    shape: tuple[int, ...] = ()
    known = False
    before = start
    received: list[int] = []
    for k, place in enumerate(places):
        end, name, at = ends[k], scanned.plants[place], ats[k]
        if odd[k]:
            taken = False
        else:
            if not (known and alike[k]):
                told = tuple(scanned.signals[before:end].tolist())
                if told != shape or not known:
                    if received:
                        yield _strip(
                            desk, link, scanned, shape, range(first + begun, place), start, before, received, depth
                        )
                    begun, deep, depth, start, received = k, {}, 0, before, []
                shape, known = told, True
            taken = _takes(mine.get(name), shape, scanned.epochs[place], scanned.seqs[place], times[k], at, skew_us)
        count = deep.get(name, 0) + 1
        if not taken or count > DEEPEST:
            if received:
                yield _strip(desk, link, scanned, shape, range(first + begun, place), start, before, received, depth)
            begun, deep, depth, start, received, count = k, {}, 0, before, [], 1
        if taken:
            plant = mine[name]
            received_us = int(at * 1e6)
            plant.sequence.next += 1
            plant.heard_at = at
            plant.telexes += 1
            if plant.source_us is not None and times[k] < plant.source_us:
                desk.tally.backward += 1
            plant.source_us = times[k]
            plant.delay_us = received_us - times[k]
            deep[name] = count
            depth = max(depth, count)
            received.append(received_us)
        else:
            yield Odd(scanned.whole[scanned.bounds[place] : scanned.bounds[place + 1]], at)
            mine = link.plants
            begun, start = k + 1, end
        before = end
    if received:
        yield _strip(desk, link, scanned, shape, range(first + begun, places.stop), start, before, received, depth)


def _takes(
    plant: Plant | None, shape: tuple[int, ...], epoch: int, seq: int, source_us: int, at: float, skew_us: int
) -> bool:
    """Whether a telex is the next one of a plant that speaks, nothing waits, and its clock is not far ahead."""
    if plant is None or plant.state is not PlantState.SPEAKING or shape not in plant.shapes:
        return False
    sequence = plant.sequence
    return (
        seq == sequence.next
        and epoch == sequence.epoch
        and not sequence.waiting
        and source_us - int(at * 1e6) <= skew_us
    )


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
