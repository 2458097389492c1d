"""The plants of a sheet together: whether a whole sheet is in its place, and taking it at once. Pure.

A sheet is taken whole when every row is the next telex of a plant that speaks, nothing waits, and no clock is far ahead. Any
other sheet is taken row by row, by the same rules as single telexes; what the room hears is the same.

While one such sheet follows the other nothing but the numbers, the times and what is durable moves on. A roster keeps these as
columns then, so that a sheet costs a few looks at whole columns; each plant is told when somebody wants to change it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from telex_ingest.desk import Desk, Link
from telex_ingest.heard import SheetAccepted
from telex_ingest.plant import Plant
from telex_ingest.sheet import FIRST_US, LAST_US, MOST_SEQ, WIDTHS, Rows
from telex_ingest.standing import Standing
from telex_ingest.states import PlantState
from telex_ingest.telex import Sheet, TelexKind

MOST = 256
"""Rosters that a link may have; a link that changes them all the time has its sheets taken row by row."""

ENOUGH = 16
"""Fewer plants stand each for itself: columns pay for many."""

_WORTH = 4
"""So many sheets in a row are worth keeping the plants together for."""

Ints = NDArray[np.int64]

_NEVER = np.iinfo(np.int64).min
"""Stands for no source time."""


class Roster:
    """Plants that stand together in sheets of one shape, all declared by one link, each once.

    `together` says whether it keeps their standing. Then all of them speak, nothing waits, and no other roster keeps any.
    """

    __slots__ = (
        "_awaited", "_durable", "_epochs", "_first", "_idle", "_most", "_next", "_received_us", "_sheets", "_source_us",
        "_wait", "heard_at", "names", "plants", "signals", "together",
    )  # fmt: skip

    def __init__(self, names: tuple[str, ...], signals: tuple[int, ...], plants: tuple[Plant, ...]) -> None:
        self.names, self.signals, self.plants = names, signals, plants
        self.together = False
        none = np.empty(0, np.int64)
        self._next, self._durable, self._source_us = none, none, none
        self._awaited = self._epochs = b""
        """The numbers awaited, and the epochs, as a sheet tells them."""
        self._first = False
        """Whether all are in their first epoch, of which a sheet need not tell."""
        self._most = 0
        """The highest number awaited."""
        self.heard_at = 0.0
        """When the newest sheet came."""
        self._received_us, self._sheets = _NEVER, 0
        self._wait = self._idle = 0
        """So many sheets it lets pass before it keeps the plants together, and so many it has let pass."""

    def begin(self) -> None:
        """Keep the standing of the plants from now on."""
        plants = self.plants
        if len(plants) < ENOUGH or self._idle < self._wait:
            self._idle += 1
            return
        self._next = np.array([plant.sequence.next for plant in plants], "<i8")
        self._awaited = self._next.tobytes()
        epochs = np.array([plant.sequence.epoch for plant in plants], "<i8")
        self._epochs, self._first, self._most = epochs.tobytes(), bool((epochs == 1).all()), int(self._next.max())
        self._durable = np.array([plant.sequence.durable for plant in plants], "<i8")
        self._source_us = np.array([_NEVER if one.source_us is None else one.source_us for one in plants], "<i8")
        self.heard_at = max([plant.heard_at for plant in plants])
        self._received_us, self._sheets = _NEVER, 0
        self.together = True
        for place, plant in enumerate(plants):
            plant.place, plant.keeper = place, self

    def part(self, plant: Plant | None = None) -> None:
        """Tell each plant how it stands, whichever of them asks; from now on each stands for itself."""
        if not self.together:
            return
        self.together = False
        # Of plants that stand in several sheets in turn none keeps them for long, and to begin and to part has its price.
        self._idle, self._wait = 0, min(2 * self._wait + 1, MOST) if self._sheets < _WORTH else 0
        live, moved = self._received_us != _NEVER, self._sheets
        columns = (self._next.tolist(), self._durable.tolist(), self._source_us.tolist())
        for plant, following, durable, source_us in zip(self.plants, *columns, strict=True):
            sequence = plant.sequence
            sequence.next = following
            if durable > sequence.durable:
                sequence.durable = durable
            plant.telexes += moved
            if moved:
                plant.heard_at = self.heard_at
            if live:
                plant.source_us, plant.delay_us = source_us, self._received_us - source_us
            plant.keeper = None

    def heard(self, place: int) -> float:
        """When they were heard, all at once."""
        return self.heard_at

    def standing(self, place: int, own: Standing) -> Standing:
        """How the plant at a place stands, which for itself stands as it was in the beginning."""
        live, moved = self._received_us != _NEVER, self._sheets
        return Standing(
            int(self._next[place]),
            max(int(self._durable[place]), own.durable),
            self.heard_at if moved else own.heard_at,
            own.telexes + moved,
            self._received_us - int(self._source_us[place]) if live else own.delay_us,
        )

    def following(self, desk: Desk, link: Link, sheet: Sheet, now: float) -> SheetAccepted | None:
        """Take a sheet, all rows in their places; None when it must be looked at closely, and nothing has changed."""
        t, m = len(self.names), len(self.signals)
        if not self.together or sheet.seqs != self._awaited or len(sheet.times) != 8 * t:
            return None
        if not self._of_these_epochs(sheet.epochs):
            return None
        width, rest = divmod(len(sheet.values), t * m)
        times, received_us = np.frombuffer(sheet.times, "<i8"), int(now * 1e6)
        newest = int(times.max())
        if rest or width not in WIDTHS or newest - received_us > desk.skew_us or newest > LAST_US:
            return None
        if int(times.min()) < FIRST_US or self._most > MOST_SEQ:
            return None
        self._next += 1
        self._most += 1
        self._awaited = self._next.tobytes()
        self.heard_at = now
        self._sheets += 1
        if sheet.kind is TelexKind.LIVE:
            desk.tally.backward += int(np.count_nonzero(times < self._source_us))
            self._source_us, self._received_us = times, received_us
        return _accepted(desk, link, self, sheet, width, received_us)

    def kept(self, sheet: SheetAccepted) -> bool:
        """Take note that a sheet is durable; False when each plant must be told."""
        if not self.together or not self._of_these_epochs(sheet.epochs):
            return False
        np.maximum(self._durable, np.frombuffer(sheet.seqs, "<i8"), out=self._durable)
        return True

    def _of_these_epochs(self, epochs: bytes) -> bool:
        """Whether a sheet's epochs are those in which the plants are; none are all the first."""
        return epochs == self._epochs if epochs else self._first


def roster_of(link: Link, sheet: Sheet) -> Roster | None:
    """The roster of a sheet; None when its rows must be looked at one by one."""
    key = (sheet.plants, sheet.signals)
    known = link.rosters.get(key)
    if known is not None:
        return known
    mine: Mapping[str, Plant] = link.plants
    plants = tuple([mine[name] for name in sheet.plants if name in mine])
    asked = set(sheet.signals)
    if (
        len(link.rosters) >= MOST
        or not 0 < len(plants) == len(set(sheet.plants)) == len(sheet.plants)
        or not 0 < len(asked) == len(sheet.signals)
        or any(len(asked) > plant.desk.limits.readings_per_telex or not asked <= plant.ids.keys() for plant in plants)
    ):
        return None
    roster = link.rosters[key] = Roster(sheet.plants, sheet.signals, plants)
    return roster


def taken(desk: Desk, link: Link, roster: Roster, sheet: Sheet, rows: Rows, now: float) -> SheetAccepted | None:
    """Take a sheet whole; None when it must be taken row by row, and nothing has changed."""
    received_us = int(now * 1e6)
    if max(rows.times) - received_us > desk.skew_us:
        return None
    speaking, plants = PlantState.SPEAKING, roster.plants
    for plant, epoch, seq in zip(plants, rows.epochs, rows.seqs, strict=True):
        if plant.keeper is not None:
            plant.apart()
        sequence = plant.sequence
        if sequence.next != seq or sequence.epoch != epoch or plant.state is not speaking or sequence.waiting:
            return None
    live = sheet.kind is TelexKind.LIVE
    for plant, seq, source_us in zip(plants, rows.seqs, rows.times, strict=True):
        plant.sequence.next = seq + 1
        plant.heard_at = now
        plant.telexes += 1
        if live:
            if plant.source_us is not None and source_us < plant.source_us:
                desk.tally.backward += 1
            plant.source_us = source_us
            plant.delay_us = received_us - source_us
    roster.begin()
    return _accepted(desk, link, roster, sheet, rows.width, received_us)


def _accepted(desk: Desk, link: Link, roster: Roster, sheet: Sheet, width: int, received_us: int) -> SheetAccepted:
    """Count a sheet that is taken whole."""
    t, m = len(roster.names), len(roster.signals)
    link.telexes += t
    desk.tally.sheets += 1
    desk.tally.telexes += t
    desk.tally.readings += t * m
    return SheetAccepted(
        roster.names,
        sheet.epochs,
        sheet.seqs,
        sheet.times,
        received_us,
        sheet.kind,
        roster.signals,
        sheet.values,
        width,
        link.number,
        sheet.number,
    )
