"""Plain telexes, taken as columns while each is in its place; what is not goes the way of single frames. Pure.

Those of plants that are kept in step are taken first, of all links in one pass, each link's up to the first that is anything
else. What is left is looked at link by link and frame by frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from telex_ingest.compiled import COMPILES
from telex_ingest.desk import Desk, Link
from telex_ingest.heard import MANY, StripAccepted
from telex_ingest.lockstep import DEEPEST, Ints, Marched, runs_of
from telex_ingest.plant import Plant
from telex_ingest.scanner import Scanned, scan
from telex_ingest.states import PlantState

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

    def take(
        self, desk: Desk, only: Link | None = None, together: int = 0
    ) -> Iterator[tuple[Link | None, StripAccepted | Odd]]:
        """Take what waits, of all links or one: strips as they were accepted, and the frames that are odd, in their order.

        Strips are of one link each, but of several, and given with none, where they have at most `together` readings in all.
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
        look = _Look(desk, waiting, scanned)
        if COMPILES:
            yield from look.in_step(together)
        yield from look.left(self._shapes)


class _Look:
    """Frames of several links that were scanned together."""

    def __init__(self, desk: Desk, waiting: Sequence[_Waiting], scanned: Scanned) -> None:
        self.desk, self.waiting, self.scanned = desk, waiting, scanned
        self.ats = np.array([at for mine in waiting for at in mine.ats])
        self.received_us = (self.ats * 1e6).astype(np.int64)
        self.spans = np.cumsum([0, *[len(mine.sizes) for mine in waiting]])
        self.taken = [0] * len(waiting)
        """How many frames of each link have been taken, its first ones."""

    def in_step(self, together: int) -> Iterator[tuple[Link | None, StripAccepted]]:
        """Take what is in step, of all links."""
        desk, step, scanned = self.desk, self.desk.step, self.scanned
        links = np.array([mine.link.number for mine in self.waiting], np.int64)
        marched = step.march(scanned, self.spans, links, self.received_us, self.ats, desk.skew_us)
        self.taken = marched.many.tolist()
        desk.tally.backward += marched.backward
        frames = np.flatnonzero(marched.row >= 0)
        if not len(frames):
            return
        for mine, many in zip(self.waiting, self.taken, strict=True):
            mine.link.telexes += many
        desk.tally.telexes += len(frames)
        readings = int(_sizes(scanned.ends)[frames].sum())
        desk.tally.readings += readings
        for some, strip in self._strips(frames, marched):
            if 0 < together >= readings:  # telexes without readings overtake nothing that waits, either
                yield None, strip
                continue
            bounds = np.searchsorted(some, self.spans).tolist()
            for mine, first, end in zip(self.waiting, bounds, bounds[1:], strict=False):
                if first < end:
                    yield mine.link, strip.part(first, end, mine.link.number)

    def _strips(self, frames: Ints, marched: Marched) -> Iterator[tuple[Ints, StripAccepted]]:
        """Frames that were taken, those of one shape together: no plant in step has told more than one."""
        step = self.desk.step
        kinds = step.kinds(marched.row[frames])
        first = int(kinds[0])
        alike = bool((kinds == first).all())
        for kind in (first,) if alike else np.unique(kinds).tolist():
            some = frames if alike else frames[kinds == kind]
            yield some, self._strip(some, marched, step.shape(kind))

    def _strip(self, frames: Ints, marched: Marched, shape: tuple[int, ...]) -> StripAccepted:
        scanned, step, rows = self.scanned, self.desk.step, marched.row[frames]
        m, first = len(shape), int(frames[0])
        if int(frames[-1]) - first == len(frames) - 1:
            end = int(scanned.ends[frames[-1]])
            values = scanned.values[end - m * len(frames) : end]
        else:
            values = scanned.values[((scanned.ends[frames] - m)[:, None] + np.arange(m)).reshape(-1)]
        return StripAccepted(
            step.names(rows),
            scanned.epochs[frames],
            scanned.seqs[frames],
            scanned.source_us[frames],
            self.received_us[frames],
            shape,
            values,
            step.depth(rows),
            MANY,
            rows,
        )

    def left(self, shapes: dict[tuple[int, ...], tuple[int, ...]]) -> Iterator[tuple[Link, StripAccepted | Odd]]:
        """Take what is left, link by link."""
        joining: list[tuple[Link, Plant, tuple[int, ...]]] = []
        for mine, many, begin, end in zip(
            self.waiting, self.taken, self.spans[:-1].tolist(), self.spans[1:].tolist(), strict=True
        ):
            if begin + many < end:
                yield from self._left_of(mine.link, begin + many, end, shapes, joining)
        step = self.desk.step
        for link, plant, shape in joining if COMPILES else ():
            if plant.speaker is link and plant.shape is shape:  # no birth came in between
                step.join(plant, shape)

    def _left_of(
        self,
        link: Link,
        first: int,
        last: int,
        shapes: dict[tuple[int, ...], tuple[int, ...]],
        joining: list[tuple[Link, Plant, tuple[int, ...]]],
    ) -> Iterator[tuple[Link, StripAccepted | Odd]]:
        """Tell the frames of a link one by one: those of plants that are not in step, or out of it, or anything else."""
        desk, scanned, speaking = self.desk, self.scanned, PlantState.SPEAKING
        skew_us, ends, plants = desk.skew_us, scanned.ends, link.plants
        some = slice(first, last)
        rows = zip(
            range(first, last),
            scanned.plants(first, last),
            *(
                column[some].tolist()
                for column in (
                    *(scanned.epochs, scanned.seqs, scanned.source_us, self.received_us),
                    *(ends, scanned.odd, scanned.alike, self.ats),
                )
            ),
            strict=True,
        )
        link.apart()
        shape: tuple[int, ...] = ()
        known = False
        before = int(ends[first - 1]) if first else 0
        begun, deep, depth, start = -1, dict[str, int](), 0, before
        """Where the strip begins, how often it names each plant, the most, and where its readings begin."""
        for place, name, epoch, seq, source_us, received_us, end, odd, alike, at in rows:
            plant = None if odd else plants.get(name)
            known = known and not odd  # the next frame may be alike to the odd one, whose signals nobody took
            if not (odd or (known and alike)):
                told = tuple(scanned.signals[before:end].tolist())
                if begun >= 0 and (told != shape or not known):
                    yield link, self._single(link, shape, slice(begun, place), start, before, depth)
                    begun, deep, depth = -1, {}, 0
                shape, known = shapes.setdefault(told, told), True
            if plant is not None and plant.keeper is not None:
                plant.apart()
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
                    yield link, self._single(link, shape, slice(begun, place), start, before, depth)
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
                joining.append((link, plant, shape))
                deep[name] = count
                if count > depth:
                    depth = count
            else:
                if begun >= 0:
                    yield link, self._single(link, shape, slice(begun, place), start, before, depth)
                    begun, deep, depth = -1, {}, 0
                yield link, Odd(scanned.whole[int(scanned.bounds[place]) : int(scanned.bounds[place + 1])], at)
                plants = link.plants
                link.apart()  # it may have been a sheet, behind which its plants are kept together again
            before = end
        if begun >= 0:
            yield link, self._single(link, shape, slice(begun, last), start, before, depth)

    def _single(
        self, link: Link, shape: tuple[int, ...], rows: slice, start: int, end: int, depth: int
    ) -> StripAccepted:
        """A strip of one link, of frames that follow one another."""
        scanned, telexes = self.scanned, rows.stop - rows.start
        link.telexes += telexes
        self.desk.tally.telexes += telexes
        self.desk.tally.readings += end - start
        return StripAccepted(
            tuple(scanned.plants(rows.start, rows.stop)),
            scanned.epochs[rows],
            scanned.seqs[rows],
            scanned.source_us[rows],
            self.received_us[rows],
            shape,
            scanned.values[start:end],
            depth,
            link.number,
        )


def acknowledged(desk: Desk, plants: Mapping[str, Plant], strips: Sequence[StripAccepted]) -> None:
    """Strips are durable: say so of each of their plants, by the link that speaks for it now, of the last telex of each."""
    kept: list[StripAccepted] = []
    parts: list[Ints] = []
    for strip in strips:
        if strip.rows_in_step is None:
            _acknowledged(desk, plants, strip.identities())
        else:
            kept.append(strip)
            parts.append(strip.rows_in_step)
    if not kept:
        return
    rows, epochs = np.concatenate(parts), np.concatenate([strip.epochs for strip in kept])
    seqs = np.concatenate([strip.seqs for strip in kept])
    links = desk.step.durable(rows, epochs, seqs)
    names = kept[0].plants if len(kept) == 1 else [name for strip in kept for name in strip.plants]
    row, link = rows.tolist(), links.tolist()
    told = list(zip(epochs.tolist(), seqs.tolist(), strict=True))
    for first, end in runs_of(links):
        if link[first] < 0:  # they stand for themselves by now
            some = zip(names[first:end], told[first:end], strict=True)
            _acknowledged(desk, plants, ((name, *at) for name, at in some))
            continue
        reached = dict(zip(names[first:end], told[first:end], strict=True))
        _say(desk, desk.step.plant(row[first]).speaker, reached)


def _acknowledged(desk: Desk, plants: Mapping[str, Plant], identities: Iterable[tuple[str, int, int]]) -> None:
    """The same for plants that stand for themselves."""
    told: Link | None = None
    reached: dict[str, tuple[int, int]] = {}
    for name, epoch, seq in identities:
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


def _sizes(ends: Ints) -> Ints:
    """How many readings each frame has."""
    return np.diff(ends, prepend=0)


def _fits(plant: Plant, shape: tuple[int, ...]) -> bool:
    """Whether the plant has told these signals before; the shape that it told last is known without looking it up."""
    if shape not in plant.shapes:
        return False
    plant.shape = shape
    return True
