"""The line as it is shown: every plant with the gravest thing that is so on it now, sorted by it; links; refusals. Pure.

A screen asks for a page; what it does not show is counted, never sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from opsroom.judgement.bank import Bank
from opsroom.showing.staleness import NONE, Stale
from opsroom.views import (
    LINKS_SHOWN,
    PLANTS_SHOWN,
    TROUBLE_WORDS,
    AttemptOnLine,
    LineBook,
    LineRequest,
    LineView,
    LinkOnLine,
    PlantOnLine,
)
from telex_ingest.line import Attempt, LineCounts, LinkLine, PlantLine

TROUBLES = tuple(TROUBLE_WORDS)
"""What can be so of a plant now, the gravest last.

`past`: something was given up or refused, nothing is wrong now; `left`: it said farewell; `stale`: a signal is behind the plant;
`delayed`: telexes come late; `spooling`: it has telexes that are not acknowledged; `waiting`: telexes wait for a missing one;
`ahead`: its clock is ahead of ours; `cut`: no link speaks for it; `silent`: not heard for too long.
"""

SPOOLING = 30
"""Telexes in a plant's spool from which on it is said to spool: a few always wait for the next tick."""

DELAYED_S = 30.0
"""Delay from which on a plant is said to be late, in seconds of the world; a slow plant has three of its periods."""

HISTORY_S = 86_400.0
"""Delay from which on telexes are taken for history that is replayed, which is no trouble; seconds of the world."""

ATTEMPTS_SHOWN = 20

ASKED = "gap"
"""The refusal that asks a plant for missing telexes: nobody tried anything, and it is asked again every few seconds."""

_RANK = {word: place for place, word in enumerate(TROUBLES)}


def trouble(row: PlantLine, behind: int, period_s: float, speed: float = 1.0) -> str:
    """The gravest thing that is so of a plant now, a word of `TROUBLES`.

    >>> calm = PlantLine("mill-1", "north", "speaking", 1, 9, 9, 0, 0, 5.0, 9, 0, 0, 0, delay_s=0.2)
    >>> trouble(calm, 0, 1.0), trouble(msgspec.structs.replace(calm, spooled=400), 2, 1.0)
    ('calm', 'spooling')
    """
    if row.state == "silent":
        return "silent"
    if row.state == "dead":
        return "left"
    if not row.link:
        return "cut"
    delay = row.delay_s or 0.0
    if delay < -max(5.0, period_s) * speed:
        return "ahead"
    if row.waiting:
        return "waiting"
    if row.spooled >= SPOOLING:
        return "spooling"
    if max(DELAYED_S * speed, 3 * period_s) < delay < HISTORY_S * speed:
        return "delayed"
    if behind:
        return "stale"
    return "past" if row.given_up or row.refused else "calm"


def summary(counts: LineCounts, behind: Mapping[str, Stale], before: LineView) -> LineView:
    """The counts of the whole line, in the view that every screen has; what the wire does not know stays as it was."""
    newest = next((one for one in reversed(counts.attempts) if one.code != ASKED), None)
    return msgspec.structs.replace(
        before,
        links=counts.links,
        plants=len(counts.plants),
        silent=counts.silent,
        telexes=counts.telexes,
        readings=counts.readings,
        duplicates=counts.duplicates,
        late=counts.late,
        refused=sum(counts.refused.values()),
        births=counts.births,
        changed_births=counts.changed_births,
        gaps=counts.gaps,
        given_up=counts.given_up,
        waiting=counts.waiting,
        skewed=counts.skewed,
        backward=counts.backward,
        dropped=counts.dropped,
        paused=counts.paused,
        stale=sum(one.signals for one in behind.values()),
        attempt="" if newest is None else newest.reason,
        attempt_at=None if newest is None else newest.at,
    )


def plants(
    counts: LineCounts,
    bank: Bank,
    behind: Mapping[str, Stale],
    titles: Mapping[str, str],
    speed: float = 1.0,
) -> list[PlantOnLine]:
    """Every plant on the line that `titles` knows, in the order of the wire."""
    rows = []
    for name, row in counts.plants.items():
        if name not in titles:
            continue
        signals = bank.by_plant.get(name, {})
        mine = behind.get(name, NONE)
        period = min((signal.birth.period_s for signal in signals.values()), default=1.0)
        rows.append(
            PlantOnLine(
                plant=name,
                title=titles[name],
                link=row.link,
                state=row.state,
                trouble=trouble(row, mine.signals, period, speed),
                since=row.silent_since,
                heard_at=row.heard_at if row.heard_at > 0 else None,
                delay_s=row.delay_s,
                history=(row.delay_s or 0.0) > HISTORY_S * speed,
                telexes=row.telexes,
                spooled=row.spooled,
                waiting=row.waiting,
                gaps=row.gaps,
                given_up=row.given_up,
                late=row.late,
                duplicates=row.duplicates,
                births=row.births,
                version=row.version,
                refused=row.refused,
                signals=len(signals),
                stale=mine.signals,
                stalest=mine.names,
            )
        )
    return rows


def _key(sort: str, row: PlantOnLine) -> tuple[object, ...]:
    match sort:
        case "plant":
            return (row.title.casefold(), row.plant)
        case "link":
            return (row.link, row.plant)
        case "delay":
            return (-(row.delay_s if row.delay_s is not None else -1e18), row.plant)
        case "spooled":
            return (-row.spooled, row.plant)
        case "gaps":
            return (-row.gaps - row.waiting, row.plant)
        case "refused":
            return (-sum(row.refused.values()), row.plant)
        case "stale":
            return (-row.stale, row.plant)
        case _:
            amount = row.spooled + row.waiting + row.stale + row.given_up + sum(row.refused.values())
            return (-_RANK[row.trouble], row.since if row.since is not None else 1e18, -amount, row.plant)


def links(open_ones: Iterable[LinkLine], known: Iterable[str]) -> list[LinkOnLine]:
    """Every link: those that are away first, then those that wait or were refused, then the others by name."""
    rows = [
        LinkOnLine(
            link=one.link,
            state=one.state,
            number=one.number,
            plants=one.plants,
            since=one.since,
            heard_at=one.heard_at,
            frames=one.frames,
            bytes=one.bytes,
            telexes=one.telexes,
            births=one.births,
            held=one.held,
            refused=one.refused,
        )
        for one in open_ones
    ]
    there = {row.link for row in rows}
    rows += [LinkOnLine(link=name, state="away") for name in sorted(known) if name not in there]
    return sorted(rows, key=lambda row: (row.state != "away", not row.held, not row.refused, row.link, row.number))


def book(
    counts: LineCounts,
    view: LineView,
    rows: Iterable[PlantOnLine],
    known: Iterable[str],
    asked: LineRequest,
    now: float,
) -> LineBook:
    """One page of the line: the plants that the search finds, sorted; the links; refusals by code and the newest ones."""
    every = list(rows)
    words = asked.search.casefold().split()
    found = [row for row in every if _holds(row, words)] if words else every
    found = sorted(found, key=lambda row: _key(asked.sort, row))
    first = max(0, min(asked.first, max(0, len(found) - 1)))
    return LineBook(
        now=now,
        search=asked.search,
        sort=asked.sort,
        first=first,
        matched=len(found),
        total=len(every),
        troubled=sum(1 for row in every if _RANK[row.trouble] > _RANK["left"]),
        line=msgspec.structs.replace(view, spooled=sum(row.spooled for row in every)),
        plants=tuple(found[first : first + max(1, min(asked.most, PLANTS_SHOWN))]),
        links=tuple(links(counts.each, known)[:LINKS_SHOWN]),
        refused=dict(sorted(counts.refused.items(), key=lambda item: (-item[1], item[0]))),
        attempts=tuple(
            AttemptOnLine(at=one.at, link=one.link, code=one.code, plant=one.plant, reason=one.reason)
            for one in in_turn(counts.attempts)[:ATTEMPTS_SHOWN]
        ),
    )


def in_turn(attempts: Iterable[Attempt]) -> list[Attempt]:
    """The newest refusal of each sender, then the one before it of each: who shows the first few shows every sender."""
    met: Counter[str] = Counter()
    ordered: list[tuple[int, Attempt]] = []
    for one in reversed(tuple(attempts)):
        ordered.append((met[one.sender], one))
        met[one.sender] += 1
    return [one for _, one in sorted(ordered, key=lambda turn: turn[0])]


def part(counts: LineCounts, rows: Iterable[PlantOnLine]) -> LineCounts:
    """What belongs to these plants alone: their links, what was refused of them."""
    mine = {row.plant: row for row in rows}
    speak = {row.link for row in mine.values() if row.link}
    refused: dict[str, int] = {}
    for row in mine.values():
        for code, count in row.refused.items():
            refused[code] = refused.get(code, 0) + count
    return msgspec.structs.replace(
        counts,
        each=tuple(one for one in counts.each if one.link in speak),
        refused=refused,
        attempts=tuple(one for one in counts.attempts if one.plant in mine),
    )


def _holds(row: PlantOnLine, words: Iterable[str]) -> bool:
    text = f"{row.plant} {row.title} {row.link} {row.trouble} {TROUBLE_WORDS[row.trouble]} {row.state}".casefold()
    return all(word in text for word in words)
