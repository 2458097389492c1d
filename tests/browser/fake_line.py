"""The wire of the fake room: every plant with figures of its own, a few in trouble, two links more than speak."""

from __future__ import annotations

import msgspec
from msgspec.structs import fields

from opsroom import views as v
from opsroom.judgement.bank import Bank
from opsroom.showing import line
from opsroom.showing.staleness import Stale
from opsroom.views import LineBook, LineRequest
from telex_ingest.line import Attempt, LineCounts, LinkLine, PlantLine

EMPTY: dict[str, object] = {"int": 0, "dict": {}, "Mapping": {}, "tuple": ()}
NOTHING = msgspec.convert(
    {field.name: EMPTY.get(getattr(field.type, "__name__", "")) for field in fields(LineCounts) if field.required},
    LineCounts,
)
"""A line on which nothing has happened."""
REFUSED = {"not-yours": 3, "unknown-signal": 12, "too-far-ahead": 1}
STALE = Stale(2, ("Raw stock", "Absence"))


def counts(plants: list[v.UnitView], telexes: int, now: float, *, troubled: bool) -> LineCounts:
    """The line of these plants, all calm or every ninth in some trouble."""
    each, links = {}, max(1, len(plants) // 20)
    for place, plant in enumerate(plants):
        row = PlantLine(
            plant.id, f"link-{place % links + 1}", "speaking", 1, telexes, telexes, 0, place % 3, now - 20.0 - place % 40,
            telexes, 0, 0, 0, births=1, version=1, delay_s=0.08 + place % 7 / 50,
        )  # fmt: skip
        each[plant.id] = msgspec.structs.replace(row, **_amiss(place // 9, now)) if troubled and not place % 9 else row
    open_links = tuple(
        LinkLine(
            f"link-{n + 1}", n, "speaking", len(plants) // links, now - 9e4, now - 1.0, telexes, telexes * 900, telexes,
            1, {"not-yours": 3} if troubled and n == 0 else {}, 40 if troubled and n == 2 else 0,
        )
        for n in range(links)
    )  # fmt: skip
    tried = (
        Attempt(now - 4000.0, "", "unauthorised", "", "this link or its token is not known here"),
        Attempt(now - 900.0, "link-1", "not-yours", "gas-works", "link-1 may not speak for gas-works"),
    )
    return msgspec.structs.replace(
        NOTHING,
        links=links,
        silent=sum(row.state == "silent" for row in each.values()),
        telexes=telexes * len(plants),
        readings=telexes * len(plants) * 8,
        duplicates=17 * troubled,
        late=41 * troubled,
        gaps=5 * troubled,
        given_up=12 * troubled,
        waiting=6 * troubled,
        skewed=2 * troubled,
        refused=REFUSED if troubled else {},
        plants=each,
        attempts=tried if troubled else (),
        each=open_links,
        births=len(plants) + 1,
        changed_births=1,
    )


def _amiss(number: int, now: float) -> dict[str, object]:
    every: tuple[dict[str, object], ...] = (
        {"state": "silent", "link": "", "silent_since": now - 5400.0, "heard_at": now - 5400.0},
        {"spooled": 412, "delay_s": 2580.0},
        {"waiting": 6, "gaps": 1, "late": 41},
        {"delay_s": -4000.0},
        {"link": ""},
        {"given_up": 12, "gaps": 4, "duplicates": 17, "version": 2, "births": 2},
        {"refused": {"not-yours": 3, "unknown-signal": 12}},
        {"delay_s": 9e7},
    )
    return every[number % len(every)]


def page(
    plants: list[v.UnitView], told: LineCounts, asked: LineRequest, now: float, speed: float, *, troubled: bool
) -> LineBook:
    """The page that a screen asked for."""
    behind = {plants[1].id: STALE} if troubled and len(plants) > 1 else {}
    view = msgspec.structs.replace(
        line.summary(told, behind, v.LineView()), delay_p50_s=0.02, delay_p99_s=0.06, oldest_s=1.4
    )
    rows = line.plants(told, Bank(), behind, {plant.id: plant.title for plant in plants}, speed)
    rows = [msgspec.structs.replace(row, signals=8) for row in rows]
    known = [one.link for one in told.each] + (["port-radio"] if troubled else [])
    return line.book(told, view, rows, known, asked, now)
