"""The plants of a sheet together: whether a whole sheet is in its place, and taking it at once. Pure.

A sheet is taken whole when every row is the next telex of a plant that speaks, nothing waits, and no clock is far ahead. Any
other sheet is taken row by row, by the same rules as single telexes; what the room hears is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from telex_ingest.desk import Desk, Link
from telex_ingest.heard import SheetAccepted
from telex_ingest.plant import Arrived, Plant, Spent
from telex_ingest.sequence import Sequence
from telex_ingest.sheet import Rows
from telex_ingest.states import PlantState
from telex_ingest.telex import Sheet, TelexKind

MOST = 256
"""Rosters that a link may have; a link that changes them all the time has its sheets taken row by row."""


class Roster(NamedTuple):
    """Plants that stand together in sheets of one shape, all declared by one link, each once."""

    names: tuple[str, ...]
    signals: tuple[int, ...]
    plants: tuple[Plant, ...]
    sequences: tuple[Sequence[Arrived | Spent], ...]
    """Where the numbering of each stands; a birth that begins a new one ends the roster."""


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
    sequences = tuple([plant.sequence for plant in plants])
    roster = link.rosters[key] = Roster(sheet.plants, sheet.signals, plants, sequences)
    return roster


def taken(desk: Desk, link: Link, roster: Roster, sheet: Sheet, rows: Rows, now: float) -> SheetAccepted | None:
    """Take a sheet whole; None when it must be taken row by row, and nothing has changed."""
    received_us = int(now * 1e6)
    if max(rows.times) - received_us > desk.skew_us:
        return None
    speaking, plants = PlantState.SPEAKING, roster.plants
    for plant, sequence, epoch, seq in zip(plants, roster.sequences, rows.epochs, rows.seqs, strict=True):
        if sequence.next != seq or sequence.epoch != epoch or plant.state is not speaking or sequence.waiting:
            return None
    live = sheet.kind is TelexKind.LIVE
    for plant, sequence, seq, source_us in zip(plants, roster.sequences, rows.seqs, rows.times, strict=True):
        sequence.next = seq + 1
        plant.heard_at = now
        plant.telexes += 1
        if live:
            if plant.source_us is not None and source_us < plant.source_us:
                desk.tally.backward += 1
            plant.source_us = source_us
            plant.delay_us = received_us - source_us
    t, m = len(plants), len(roster.signals)
    link.telexes += t
    desk.tally.sheets += 1
    desk.tally.telexes += t
    desk.tally.readings += t * m
    return SheetAccepted(
        roster.names,
        rows.epochs,
        rows.seqs,
        sheet.times,
        received_us,
        sheet.kind,
        roster.signals,
        sheet.values,
        rows.width,
        link.number,
        sheet.number,
    )
