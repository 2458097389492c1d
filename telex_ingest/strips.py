"""Plain telexes of a link, taken as columns while each is in its place; what is not goes the way of single frames. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

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
        yield from _told(desk, waiting, scanned, self._shapes)


def _told(
    desk: Desk, waiting: Sequence[_Waiting], scanned: Scanned, shapes: dict[tuple[int, ...], tuple[int, ...]]
) -> Iterator[tuple[Link, StripAccepted | Odd]]:
    """Tell what was scanned, link by link: the hot path of single frames."""
    skew_us, speaking = desk.skew_us, PlantState.SPEAKING
    ats = [at for mine in waiting for at in mine.ats]
    received = (np.array(ats) * 1e6).astype(np.int64)
    columns = (scanned.source_us, received, scanned.ends, scanned.odd, scanned.alike)
    rows = zip(
        range(len(ats)),
        scanned.plants,
        scanned.epochs,
        scanned.seqs,
        *(column.tolist() for column in columns),
        ats,
        strict=True,
    )
    shape: tuple[int, ...] = ()
    known = False
    before = 0
    for link, _, _, mine in waiting:
        plants = link.plants
        link.apart()
        begun, deep, depth, start = -1, dict[str, int](), 0, before
        """Where the strip begins, how often it names each plant, the most, and where its readings begin."""
        place = -1
        for place, name, epoch, seq, source_us, received_us, end, odd, alike, at in islice(rows, len(mine)):
            plant = None if odd else plants.get(name)
            known = known and not odd  # the next frame may be alike to the odd one, whose signals nobody took
            if not (odd or (known and alike)):
                told = tuple(scanned.signals[before:end].tolist())
                if begun >= 0 and (told != shape or not known):
                    yield link, _strip(desk, link, scanned, received, shape, slice(begun, place), start, before, depth)
                    begun, deep, depth = -1, {}, 0
                shape, known = shapes.setdefault(told, told), True
            # Whether it is the next one of a plant that speaks, of signals it declares, nothing waits, its clock not far ahead.
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
                    yield link, _strip(desk, link, scanned, received, shape, slice(begun, place), start, before, depth)
                    begun, deep, depth, count = -1, {}, 0, 1
                if begun < 0:
                    begun, start = place, before
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
            else:
                if begun >= 0:
                    yield link, _strip(desk, link, scanned, received, shape, slice(begun, place), start, before, depth)
                    begun, deep, depth = -1, {}, 0
                yield link, Odd(scanned.whole[scanned.bounds[place] : scanned.bounds[place + 1]], at)
                plants = link.plants
                link.apart()  # it may have been a sheet, behind which its plants are kept together again
            before = end
        if begun >= 0:
            yield link, _strip(desk, link, scanned, received, shape, slice(begun, place + 1), start, before, depth)


def acknowledged(desk: Desk, plants: Mapping[str, Plant], strip: StripAccepted) -> None:
    """A strip is durable: say so of each of its plants, by the link that speaks for it now, of the last telex of each."""
    told: Link | None = None
    reached: dict[str, tuple[int, int]] = {}
    for name, epoch, seq in zip(strip.plants, strip.epochs, strip.seqs, strict=True):
        plant = plants[name]
        sequence, speaker = plant.sequence, plant.speaker
        if epoch == sequence.epoch and seq > sequence.durable:
            sequence.durable = seq
        if speaker is not told:
            _say(desk, told, reached)
            told, reached = speaker, {}
        reached[name] = (epoch, seq)
    _say(desk, told, reached)


def _say(desk: Desk, link: Link | None, reached: dict[str, tuple[int, int]]) -> None:
    if link is not None and reached:
        link.outbox.acks(reached)
        desk.ready[link.number] = link


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
    received: NDArray[np.int64],
    shape: tuple[int, ...],
    rows: slice,
    start: int,
    end: int,
    depth: int,
) -> StripAccepted:
    telexes = rows.stop - rows.start
    link.telexes += telexes
    desk.tally.telexes += telexes
    desk.tally.readings += end - start
    return StripAccepted(
        tuple(scanned.plants[rows]),
        tuple(scanned.epochs[rows]),
        tuple(scanned.seqs[rows]),
        scanned.source_us[rows],
        received[rows],
        shape,
        scanned.values[start:end],
        depth,
        link.number,
    )
