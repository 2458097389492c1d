"""Looks at all units of a room: the room's own marks joined with the bank's readings, as columns. Pure.

What follows from the tree, the births and the agreements alone is kept from look to look.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import repeat
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cyberstride.achievement import achieve
from cyberstride.verdict import SUSPECTED
from opsroom.judgement.bank import Bank, Signal
from opsroom.judgement.passes import NEVER
from opsroom.recursion.focus import WORST, marks, standing, state_of
from opsroom.recursion.wholes import Wholes
from opsroom.room.room import Room
from opsroom.showing.look import Columns, Family, Look, Units
from telex_ingest.telex import Direction

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Agreed(NamedTuple):
    """Capability and potentiality of some signals, NaN where nothing is agreed, and whether less is better."""

    capability: Floats
    potentiality: Floats
    down: NDArray[np.bool_]


class _Firsts(NamedTuple):
    """The first signal of each plant that is a unit: for which units, of which births; its lane, and the plant's place."""

    units: Units
    plants: list[str]
    births: list[dict[int, Signal]]
    lanes: Ints
    places: Ints


class Lookout:
    """Sees all units."""

    def __init__(self) -> None:
        self._units: tuple[object, object, Units] | None = None
        """The units, and of which tree and plants they are."""
        self._firsts: _Firsts | None = None
        self._agreed: tuple[object, _Firsts, Agreed] | None = None
        """What is agreed of the first signals, and in which state of the room's signals."""

    def look(self, room: Room, bank: Bank, wholes: Wholes, before: Look | None = None) -> Look:
        """All units with their state and their triple vector."""
        n = len(bank)
        suspected = {bank.signals[lane].plant for lane in np.flatnonzero(bank.named[:n] == SUSPECTED).tolist()}
        units = self._units_of(room)
        state, alarms = _marked(room, suspected, units)
        triple = self._triples(room, bank, wholes, units)
        heard = map(bank.heard_us.get, units.names, repeat(NEVER))
        return Look(units, Columns(state, alarms, triple, np.fromiter(heard, np.int64, len(units))), before)

    def _units_of(self, room: Room) -> Units:
        known, tree, plants = self._units, room.tree, room.plants
        if known is None or known[0] is not tree or known[1] is not plants:
            self._units = known = (tree, plants, Units(standing(room)))
        return known[2]

    def _triples(self, room: Room, bank: Bank, wholes: Wholes, units: Units) -> Floats:
        """(n, 3) the triple vector: of a unit's flowchart; without one of a plant's first signal, else of the weakest part."""
        triple, found = np.full((len(units), 3), np.nan), np.zeros(len(units), np.bool_)
        if not len(bank):
            return triple
        first = self._firsts_of(bank, units)
        if len(first.lanes):
            vector = vector_of(bank, first.lanes, self._agreements(room, bank, first))
            vector[~np.isfinite(vector)] = np.nan
            triple[first.places] = vector
            found[first.places] = ~np.isnan(vector).all(axis=1)
        for unit, whole in wholes.triples(room, bank).items():
            place = units.place.get(unit)
            if place is not None:
                ratios = (whole.productivity, whole.latency, whole.performance)
                triple[place], found[place] = [_or_nan(ratio) for ratio in ratios], True
        if found.any():
            for family in units.families:
                _follow(family, triple, found)
        return triple

    def _firsts_of(self, bank: Bank, units: Units) -> _Firsts:
        known, born = self._firsts, dict(bank.by_plant)
        plants, births = list(born), list(born.values())
        if known is None or known.units is not units or known.births != births or known.plants != plants:
            some = [
                (place, next(iter(signals.values())).lane)
                for plant, signals in born.items()
                if signals and (place := units.place.get(plant)) is not None
            ]
            places, lanes = np.array(some, np.int64).reshape(-1, 2).T
            self._firsts = known = _Firsts(units, plants, births, lanes, places)
        return known

    def _agreements(self, room: Room, bank: Bank, first: _Firsts) -> Agreed:
        known = self._agreed
        if known is None or known[0] is not room.signals or known[1] is not first:
            signals = [bank.signals[lane] for lane in first.lanes.tolist()]
            self._agreed = known = (room.signals, first, agreed(room, signals))
        return known[2]


def agreed(room: Room, signals: Iterable[Signal]) -> Agreed:
    """What is agreed of some signals."""
    rows = []
    for signal in signals:
        known = room.signals.get(signal.key)
        capability, potentiality = (
            (known.agreement.capability, known.agreement.potentiality) if known is not None else (None, None)
        )
        rows.append((_or_nan(capability), _or_nan(potentiality), signal.birth.good == Direction.DOWN))
    columns = np.array(rows, np.float64).reshape(-1, 3).T
    return Agreed(columns[0], columns[1], columns[2].astype(np.bool_))


def vector_of(bank: Bank, lanes: Ints, said: Agreed) -> Floats:
    """(m, 3) productivity, latency, performance of some signals; what is not known is not finite."""
    actuality = bank.rings.newest(lanes)[1]
    vector = achieve(actuality, said.capability, said.potentiality, down_is_good=said.down)
    return np.stack((vector.productivity, vector.latency, vector.performance), axis=1)


def _marked(room: Room, suspected: Iterable[str], units: Units) -> tuple[NDArray[np.int8], Ints]:
    """The state of each unit, and how many alarms stand at it; only those that something colours are looked at."""
    seen = marks(room, suspected)
    state, alarms = units.state.copy(), np.zeros(len(units), np.int64)
    for name, many in seen.alarms.items():
        if (place := units.place.get(name)) is not None:
            alarms[place] = many
    coloured, below = set(seen.states), list(seen.stopped)
    while below:
        name = below.pop()
        coloured.add(name)
        below += room.tree.children.get(name, ())
    for name in coloured:
        if (place := units.place.get(name)) is not None:
            state[place] = WORST.index(state_of(units.rows[place], room, seen))
    return state, alarms


def _follow(family: Family, triple: Floats, found: NDArray[np.bool_]) -> None:
    """Let units of which nothing is known be as good as the weakest that stands right below.

    By performance, then by productivity, then the one that stands first; what is not known is not the weakest.
    """
    theirs = triple[family.children]
    performance, productivity = (np.where(np.isnan(theirs[:, ratio]), np.inf, theirs[:, ratio]) for ratio in (2, 0))
    weakest = found[family.children]
    for figure in (performance, productivity):
        least = np.minimum.reduceat(np.where(weakest, figure, np.inf), family.begins)
        weakest &= figure == np.repeat(least, family.sizes)
    none = len(weakest)
    which = np.minimum.reduceat(np.where(weakest, np.arange(none), none), family.begins)
    some = (which < none) & ~found[family.parents]
    triple[family.parents[some]] = theirs[which[some]]
    found[family.parents[some]] = True


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value
