"""A tick's telexes as columns: one row a reading, none a Python object. Pure.

Telexes are sorted by shard, stably, so that those of one plant keep the order of their sequence and each shard is one span.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, groupby
from operator import attrgetter, itemgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cyberstride.crew import Crew
from opsroom.judgement.passes import gather
from opsroom.judgement.table import shares
from opsroom.record.store import KINDS, QUALITIES, shard_of
from telex_ingest.heard import Accepted, SheetAccepted, StripAccepted
from telex_ingest.telex import Quality, TelexKind

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_QUALITY = {quality: code for code, quality in enumerate(QUALITIES)}
_KIND = {kind: code for code, kind in enumerate(KINDS)}
_GOOD = {Quality.GOOD}
_MOST_SHAPES = 100_000
"""Shapes of telexes that are remembered; a room that sees more forgets them all and begins again."""

_FIGURE = {8: "<f8", 4: "<f4"}
"""Figures of so many bytes, as numpy names them."""

_signals_of = attrgetter("signals")
_value_of, _quality_of = itemgetter(1), itemgetter(2)


class Telexes(NamedTuple):
    """Columns of one row a telex, sorted by shard."""

    shard: Ints
    plant: Ints
    epoch: Ints
    seq: Ints
    source_us: Ints
    received_us: Ints
    kind: Ints
    ends: Ints
    """Where each one's readings end among the readings."""

    def __len__(self) -> int:
        return len(self.plant)


class Columns(NamedTuple):
    """Columns of one row a reading, in the order of their telexes; `telex` is the index of its own."""

    telex: Ints
    lane: Ints
    source_us: Ints
    kind: Ints
    value: Floats
    quality: Ints


class _Run(NamedTuple):
    """Some telexes before they are sorted: columns of telexes, how many readings each has, columns of readings."""

    shard: Ints
    plant: Ints
    epoch: Ints
    seq: Ints
    source_us: Ints
    received_us: Ints
    kind: Ints
    size: Ints
    lane: Ints
    value: Floats
    quality: Ints


class _Places:
    """Where the readings of telexes of one shape go: a row for each plant that told one."""

    def __init__(self) -> None:
        self.row: dict[str, int] = {}
        self.home: Ints = np.empty((0, 2), np.int64)
        """(p, 2) shard and number of each."""
        self.lanes: Ints = np.empty((0, 0), np.int64)
        """(p, m) the lanes of its readings."""

    def learn(self, plants: Iterable[tuple[str, int, int, Ints]]) -> None:
        """Take up plants (name, shard, number, lanes) that were not seen yet."""
        new = {plant: (shard, number, lanes) for plant, shard, number, lanes in plants if plant not in self.row}
        self.row.update(zip(new, range(len(self.row), len(self.row) + len(new)), strict=True))
        home = np.array([one[:2] for one in new.values()], np.int64)
        lanes = np.stack([one[2] for one in new.values()])
        self.home = np.concatenate((self.home, home))
        self.lanes = np.concatenate((self.lanes, lanes)) if len(self.lanes) else lanes


class Intake:
    """Makes columns of telexes, and remembers which lanes the readings of each shape of telex have."""

    def __init__(self, lane_of: Mapping[str, Mapping[int, int]], numbers: Mapping[str, int], crew: Crew) -> None:
        self._lane_of, self._numbers, self._crew = lane_of, numbers, crew
        self._shapes: dict[tuple[str, tuple[int, ...]], Ints] = {}
        self._sheets: dict[tuple[tuple[str, ...], tuple[int, ...]], tuple[Ints, Ints, Ints]] = {}
        self._homes: dict[str, tuple[int, int]] = {}
        self._places: dict[tuple[int, ...], _Places] = {}

    def forget(self) -> None:
        """A birth may have moved an id to another lane."""
        self._shapes.clear()
        self._sheets.clear()
        self._places.clear()

    def columns(self, items: Sequence[Accepted | SheetAccepted | StripAccepted]) -> tuple[Telexes, Columns]:
        """Columns of all telexes of a tick whose plants are known."""
        runs: list[_Run] = []
        for kind, some in groupby(items, type):
            if kind is SheetAccepted:
                runs += self._sheet_runs([sheet for sheet in some if isinstance(sheet, SheetAccepted)])
            elif kind is StripAccepted:
                runs += self._strips([strip for strip in some if isinstance(strip, StripAccepted)])
            else:
                runs += self._singles(
                    [telex for telex in some if isinstance(telex, Accepted) and telex.plant in self._lane_of]
                )
        return _sorted(runs, self._crew)

    def _sheet_runs(self, sheets: Sequence[SheetAccepted]) -> Iterable[_Run]:
        """Sheets one after another; those whose rows are of one length together, with a few copies of whole columns."""
        for (m, width), some in groupby(sheets, _row_of):
            alike: list[SheetAccepted] = []
            known: list[tuple[Ints, Ints, Ints]] = []
            for sheet in some:
                places = self._places_of(sheet)
                if places is not None:
                    alike.append(sheet)
                    known.append(places)
                    continue
                if alike:
                    yield _joined(alike, known, m, width)
                    alike, known = [], []
                yield from self._singles([telex for telex in sheet.rows() if telex.plant in self._lane_of])
            if alike:
                yield _joined(alike, known, m, width)

    def _places_of(self, sheet: SheetAccepted) -> tuple[Ints, Ints, Ints] | None:
        """Lanes of the readings, shards and numbers of the plants of a sheet; None when a plant is not known."""
        key = (sheet.plants, sheet.signals)
        known = self._sheets.get(key)
        if known is None:
            if not all(plant in self._lane_of for plant in sheet.plants):
                return None
            if len(self._sheets) >= _MOST_SHAPES // 100:
                self._sheets.clear()
            homes = np.array([self._home(plant) for plant in sheet.plants], np.int64)
            lanes = [self._lane_of[plant][number] for plant in sheet.plants for number in sheet.signals]
            known = self._sheets[key] = (np.array(lanes, np.int64), homes[:, 0].copy(), homes[:, 1].copy())
        return known

    def _strips(self, strips: Sequence[StripAccepted]) -> Iterable[_Run]:
        """Strips of one shape after another, those of one shape together."""
        for signals, some in groupby(strips, _signals_of):
            alike = list(some)
            known = self._places.get(signals)
            if known is None:
                if len(self._places) >= _MOST_SHAPES // 100:
                    self._places.clear()
                known = self._places[signals] = _Places()
            plants = [plant for strip in alike for plant in strip.plants]
            try:
                rows = [known.row[plant] for plant in plants]
            except KeyError:
                if not all(map(self._lane_of.__contains__, plants)):
                    yield from self._singles(
                        [telex for strip in alike for telex in strip.rows() if telex.plant in self._lane_of]
                    )
                    continue
                known.learn((plant, *self._home(plant), self._shape(plant, signals)) for plant in plants)
                rows = [known.row[plant] for plant in plants]
            t, m, at = len(plants), len(signals), np.array(rows, np.int64)
            yield _Run(
                known.home[at, 0],
                known.home[at, 1],
                np.concatenate([strip.epochs for strip in alike]),
                np.concatenate([strip.seqs for strip in alike]),
                np.concatenate([strip.source_us for strip in alike]),
                np.concatenate([strip.received_us for strip in alike]),
                np.full(t, _KIND[TelexKind.LIVE], np.int64),
                np.full(t, m, np.int64),
                known.lanes[at].reshape(t * m),
                np.concatenate([strip.values for strip in alike]),
                np.zeros(t * m, np.int64),
            )

    def _singles(self, telexes: Sequence[Accepted]) -> Iterable[_Run]:
        t = len(telexes)
        if not t:
            return ()
        homes = np.array([self._home(telex.plant) for telex in telexes], np.int64)
        lane = np.concatenate([self._shape(telex.plant, telex.signals) for telex in telexes])
        listed = [telex.readings for telex in telexes]
        try:
            value = np.fromiter(map(_value_of, chain.from_iterable(listed)), np.float64, len(lane))
        except TypeError:  # a missing reading
            nan = float("nan")
            value = np.array([nan if one[1] is None else one[1] for one in chain.from_iterable(listed)])
        quality = np.zeros(len(lane), np.int64)
        if not set(map(_quality_of, chain.from_iterable(listed))) <= _GOOD:
            quality[:] = [_QUALITY[one[2]] for one in chain.from_iterable(listed)]
        numbers = np.array(
            [
                (telex.epoch, telex.seq, telex.source_us, telex.received_us, _KIND[telex.kind], len(telex.readings))
                for telex in telexes
            ],
            np.int64,
        ).T
        epoch, seq, source_us, received_us, kind, size = numbers
        return (_Run(homes[:, 0], homes[:, 1], epoch, seq, source_us, received_us, kind, size, lane, value, quality),)

    def _home(self, plant: str) -> tuple[int, int]:
        home = self._homes.get(plant)
        if home is None:
            home = self._homes[plant] = (shard_of(plant), self._numbers[plant])
        return home

    def _shape(self, plant: str, signals: tuple[int, ...]) -> Ints:
        key = (plant, signals)
        lanes = self._shapes.get(key)
        if lanes is None:
            if len(self._shapes) >= _MOST_SHAPES:
                self._shapes.clear()
            # The session has refused what the birth does not declare, so every id is known here.
            lane_of = self._lane_of[plant]
            lanes = self._shapes[key] = np.array([lane_of[number] for number in signals], np.int64)
        return lanes


def _joined(sheets: Sequence[SheetAccepted], known: Sequence[tuple[Ints, Ints, Ints]], m: int, width: int) -> _Run:
    """Sheets with rows of m values of `width` bytes as one run; `known` are lanes, shards and numbers of each."""
    rows = [len(sheet.plants) for sheet in sheets]
    t = sum(rows)
    lane, shard, plant = (np.concatenate(column) for column in zip(*known, strict=True))
    if any(sheet.epochs for sheet in sheets):
        told = [sheet.epochs or np.ones(many, "<i8").tobytes() for sheet, many in zip(sheets, rows, strict=True)]
        epochs: Ints = np.frombuffer(b"".join(told), "<i8")
    else:
        epochs = np.ones(t, np.int64)
    value = np.frombuffer(b"".join([sheet.values for sheet in sheets]), _FIGURE[width]).astype(np.float64)
    odd = ~np.isfinite(value)
    if odd.any():
        value[odd] = np.nan
    return _Run(
        shard,
        plant,
        epochs,
        np.frombuffer(b"".join([sheet.seqs for sheet in sheets]), "<i8"),
        np.frombuffer(b"".join([sheet.source_us for sheet in sheets]), "<i8"),
        np.repeat(np.array([sheet.received_us for sheet in sheets], np.int64), rows),
        np.repeat(np.array([_KIND[sheet.kind] for sheet in sheets], np.int64), rows),
        np.full(t, m, np.int64),
        lane,
        value,
        np.zeros(t * m, np.int64),
    )


def heard_at(items: Iterable[Accepted | SheetAccepted | StripAccepted]) -> dict[str, int]:
    """When each plant of a tick was heard last, received time in microseconds."""
    heard: dict[str, int] = {}
    for item in items:
        if isinstance(item, Accepted):
            heard[item.plant] = item.received_us
        elif isinstance(item, SheetAccepted):
            heard.update(dict.fromkeys(item.plants, item.received_us))
        else:
            heard.update(zip(item.plants, item.received_us.tolist(), strict=True))
    return heard


def _row_of(sheet: SheetAccepted) -> tuple[int, int]:
    """How many values a row of a sheet has, and of how many bytes."""
    return len(sheet.signals), sheet.width


def _sorted(runs: Sequence[_Run], crew: Crew) -> tuple[Telexes, Columns]:
    """Put runs one behind the other and sort by shard, so that telexes of one shard keep their order."""
    if not runs:
        nothing = np.empty(0, np.int64)
        return Telexes(*[nothing] * 8), Columns(nothing, nothing, nothing, nothing, np.empty(0), nothing)
    whole = runs[0] if len(runs) == 1 else _Run(*map(np.concatenate, zip(*runs, strict=True)))
    order = np.argsort(whole.shard.astype(np.uint8), kind="stable")
    telexes = Telexes(
        whole.shard[order],
        whole.plant[order],
        whole.epoch[order],
        whole.seq[order],
        whole.source_us[order],
        whole.received_us[order],
        whole.kind[order],
        np.cumsum(whole.size[order]),
    )
    n, starts = len(whole.lane), np.cumsum(whole.size) - whole.size
    telex, lane, source_us, kind, quality = (np.empty(n, np.int64) for _ in range(5))
    value = np.empty(n)

    def some(first: int, end: int) -> None:
        gather(
            first, end, order, starts, telexes.ends, telexes.source_us, telexes.kind,
            whole.lane, whole.value, whole.quality, telex, lane, source_us, kind, value, quality,
        )  # fmt: skip

    crew.each(some, shares(len(order), n, crew))
    return telexes, Columns(telex, lane, source_us, kind, value, quality)
