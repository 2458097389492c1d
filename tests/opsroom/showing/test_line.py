"""The line as it is shown: the gravest thing first, pages that hold what was asked for, nothing of another's plants."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from opsroom.constitution.charter import read
from opsroom.judgement.bank import Bank
from opsroom.judgement.passes import NEVER
from opsroom.record.store import Place
from opsroom.recursion.focus import title_of
from opsroom.recursion.plant_events import PlantJoined
from opsroom.room.room import evolve, newborn
from opsroom.showing.line import TROUBLES, book, in_turn, plants, summary, trouble
from opsroom.showing.line_table import line_table
from opsroom.showing.scene import Scene
from opsroom.showing.staleness import STALE_PERIODS, places, stale
from opsroom.views import TROUBLE_WORDS, LineRequest, LineView, Viewer
from telex_ingest.line import Attempt, LineCounts, LinkLine, PlantLine
from telex_ingest.telex import PlantBirth, SignalBirth
from tests.browser.fake_line import NOTHING
from tests.opsroom.rooms import TOML

CALM = PlantLine("mill-1", "north", "speaking", 1, 9, 9, 0, 0, 50.0, 9, 0, 0, 0, delay_s=0.2)
COUNTS = msgspec.structs.replace(NOTHING, links=1, telexes=9)
FIELDS = st.fixed_dictionaries(
    {
        "state": st.sampled_from(["born", "speaking", "silent", "dead"]),
        "link": st.sampled_from(["north", "south", ""]),
        "delay_s": st.one_of(st.none(), st.floats(-1e9, 1e10)),
        "waiting": st.integers(0, 9),
        "spooled": st.integers(0, 999),
        "given_up": st.integers(0, 9),
        "gaps": st.integers(0, 9),
        "refused": st.dictionaries(st.sampled_from(["not-yours", "unborn"]), st.integers(1, 9)),
    }
)


def line_of(rows: list[dict[str, object]]) -> LineCounts:
    each = {f"p-{n}": msgspec.structs.replace(CALM, plant=f"p-{n}", **row) for n, row in enumerate(rows)}
    return msgspec.structs.replace(COUNTS, plants=each)


@pytest.mark.parametrize(
    ("changed", "behind", "word"),
    [
        ({}, 0, "calm"),
        ({"given_up": 4}, 0, "past"),
        ({"refused": {"not-yours": 1}}, 0, "past"),
        ({"state": "dead", "link": ""}, 0, "left"),
        ({}, 2, "stale"),
        ({"delay_s": 120.0}, 0, "delayed"),
        ({"delay_s": 4e9}, 0, "calm"),
        ({"spooled": 60, "delay_s": 120.0}, 0, "spooling"),
        ({"waiting": 1, "spooled": 60}, 0, "waiting"),
        ({"delay_s": -9.0, "waiting": 1}, 0, "ahead"),
        ({"link": "", "waiting": 1}, 0, "cut"),
        ({"state": "silent", "link": ""}, 3, "silent"),
    ],
)
def test_a_plant_is_said_to_be_in_its_gravest_trouble(changed: dict[str, object], behind: int, word: str) -> None:
    assert trouble(msgspec.structs.replace(CALM, **changed), behind, 1.0) == word


@given(rows=st.lists(FIELDS, max_size=12), first=st.integers(-5, 20), most=st.integers(-5, 300))
def test_the_pages_of_a_search_hold_every_plant_once_the_gravest_first(
    rows: list[dict[str, object]], first: int, most: int
) -> None:
    counts, bank = line_of(rows), Bank()
    titles = {name: f"Plant {name}" for name in counts.plants}
    shown = plants(counts, bank, {}, titles)
    asked = LineRequest(first=first, most=most)
    page = book(counts, LineView(), shown, (), asked, 60.0)
    assert (page.total, page.matched) == (len(rows), len(rows))
    assert len(page.plants) <= max(1, min(most, 200))
    whole, place = [], 0
    while place < page.matched:
        part = book(counts, LineView(), shown, (), LineRequest(first=place, most=5), 60.0)
        whole += part.plants
        place += len(part.plants)
    ranks = [TROUBLES.index(row.trouble) for row in whole]
    assert ranks == sorted(ranks, reverse=True)
    assert sorted(row.plant for row in whole) == sorted(counts.plants)


def test_a_search_finds_by_plant_title_link_and_trouble() -> None:
    counts = line_of([{}, {"link": "south"}, {"state": "silent", "silent_since": 10.0}])
    shown = plants(counts, Bank(), {}, {"p-0": "Mill at Tomé", "p-1": "Gas works", "p-2": "Port"})
    found = {
        words: [row.plant for row in book(counts, LineView(), shown, (), LineRequest(search=words), 60.0).plants]
        for words in ("tomé", "SOUTH", "silent port", "p-1 gas", "nowhere")
    }
    assert found == {"tomé": ["p-0"], "SOUTH": ["p-1"], "silent port": ["p-2"], "p-1 gas": ["p-1"], "nowhere": []}


def test_the_words_of_a_screen_are_those_of_a_search_of_the_terminal_and_of_the_page_for_operators() -> None:
    counts = line_of([{"link": ""}, {"delay_s": -4000.0}, {"waiting": 3}, {"given_up": 2}, {"delay_s": 9e7}])
    shown = plants(counts, Bank(), {}, {f"p-{n}": f"Plant {n}" for n in range(5)})
    for words, plant in (("no link", "p-0"), ("clock ahead", "p-1"), ("gap", "p-2"), ("was amiss", "p-3")):
        found = book(counts, LineView(), shown, (), LineRequest(search=words), 60.0).plants
        assert [row.plant for row in found] == [plant]
    console = Console(width=200)
    with console.capture() as printed:
        console.print(line_table(book(counts, LineView(), shown, (), LineRequest(), 60.0)))
    rows = {line.split()[0]: line for line in printed.get().splitlines() if line.startswith("p-")}
    assert "no link" in rows["p-0"]
    assert "clock ahead" in rows["p-1"]
    assert "history" in rows["p-4"]
    page = (Path(__file__).parents[3] / "docs" / "operating.md").read_text(encoding="utf-8")
    table = page.partition("| word | it is so when |")[2]
    said = re.findall(r"^\| ([a-z ]+?)(?: \(`([a-z]+)`\))? \|", table, re.MULTILINE)[: len(TROUBLE_WORDS)]
    assert [(key or word, word) for word, key in said] == list(TROUBLE_WORDS.items())[::-1]


def test_links_that_are_away_stand_first_and_the_newest_refusal_is_told() -> None:
    open_one = LinkLine("north", 4, "speaking", 3, 1.0, 9.0, 5, 500, 5, 3)
    refusals = tuple(Attempt(float(n), "north", "not-yours", "p-9", f"number {n}") for n in range(30))
    asked = Attempt(
        30.0, "north", "gap", "p-8", "number 8 is missing"
    )  # nobody tried anything: the wall does not tell of it
    counts = msgspec.structs.replace(
        COUNTS, each=(open_one,), attempts=(*refusals, asked), refused={"unborn": 2, "not-yours": 30}
    )
    page = book(counts, summary(counts, {}, LineView()), [], ("north", "south"), LineRequest(), 60.0)
    assert [(row.link, row.state) for row in page.links] == [("south", "away"), ("north", "speaking")]
    assert [row.reason for row in page.attempts[:2]] == ["number 8 is missing", "number 29"]
    assert list(page.refused) == ["not-yours", "unborn"]
    assert (page.line.refused, page.line.attempt, page.line.attempt_at) == (32, "number 29", 29.0)


def test_a_link_that_is_refused_without_end_hides_the_refusals_of_no_other() -> None:
    tried = [
        Attempt(0.0, "south", "bad-birth", "p-1", "once"),
        Attempt(1.0, "west", "unauthorised", "", "no token", True),
    ]
    tried += [Attempt(2.0 + n, "north", "not-yours", "p-9", f"number {n}") for n in range(40)]
    counts = msgspec.structs.replace(COUNTS, attempts=tuple(tried), refused={"not-yours": 4_000})
    page = book(counts, summary(counts, {}, LineView()), [], (), LineRequest(), 60.0)
    assert [row.reason for row in page.attempts[:4]] == ["number 39", "no token", "once", "number 38"]
    strangers = [Attempt(9.0 + n, f"made-up-{n}", "unauthorised", "", f"stranger {n}", True) for n in range(40)]
    assert [one.reason for one in in_turn([*tried, *strangers])[:3]] == ["stranger 39", "number 39", "once"]
    assert page.line.refused == 4_000
    console = Console(width=200)
    with console.capture() as printed:
        console.print(line_table(page))
    told = printed.get()
    assert "no token" in told
    assert told.index("number 38") < told.index("no token") < told.index("once")


def mill(bank: Bank, periods: tuple[float, ...]) -> None:
    signals = tuple(
        SignalBirth(id=n, name=f"s-{n}", title=f"Signal {n}", unit="t", period_s=period)
        for n, period in enumerate(periods)
    )
    bank.admit(PlantBirth(plant="mill-1", signals=signals), {f"mill-1/s-{n}": Place(2, n) for n in range(len(signals))})


def heard(bank: Bank, lane: int, at_s: float) -> None:
    one, ones = np.array([lane]), np.array([1.0])
    bank.rings.write(one, np.array([int(at_s * 1e6)]), ones, ones, ones, np.array([0], np.int8))
    bank.lanes.last_us[lane] = int(at_s * 1e6)


def test_places_that_are_looked_at_again_after_births_are_those_of_a_first_look() -> None:
    bank = Bank()
    assert len(places(bank).lane) == 0
    mill(bank, (60.0, 30.0))
    before = places(bank)
    mill(bank, (60.0, 10.0, 5.0))  # born again, in other words
    signals = tuple(SignalBirth(id=n, name=f"t-{n}", unit="t", period_s=2.0) for n in range(2))
    bank.admit(PlantBirth(plant="mill-2", signals=signals), {f"mill-2/t-{n}": Place(2, n + 9) for n in range(2)})
    again, anew = places(bank, before), places(bank)
    assert again.plants == anew.plants == ("mill-1", "mill-2")
    for one, other in zip(again[:3], anew[:3], strict=True):
        assert np.array_equal(one, other)
    assert anew.period_us.tolist() == [6e7, 1e7, 5e6, 2e6, 2e6]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_what_is_stale_of_many_plants_is_what_each_signal_says_of_itself(seed: int) -> None:
    chance, bank = np.random.default_rng(seed), Bank()
    expected: dict[str, int] = {}
    for number in range(int(chance.integers(1, 6))):
        plant = f"mill-{number}"
        periods = chance.choice([1e-7, 0.5, 1.0, 60.0], int(chance.integers(0, 5)))
        signals = tuple(SignalBirth(id=n, name=f"s-{n}", unit="t", period_s=period) for n, period in enumerate(periods))
        bank.admit(
            PlantBirth(plant=plant, signals=signals), {f"{plant}/{one.name}": Place(number, one.id) for one in signals}
        )
        at = chance.choice([NEVER, 0, 600_000, 4_900_000, 5_000_001, 300_000_000, 300_000_001], len(signals))
        bank.lanes.last_us[[bank.by_key[f"{plant}/{one.name}"].lane for one in signals]] = at
        heard = [int(one) for one in at if one != NEVER]
        behind = [
            (max(heard) - int(one)) / max(period * 1e6, 1.0) > STALE_PERIODS
            for one, period in zip(at, periods, strict=True)
            if one != NEVER
        ]
        if any(behind):
            expected[plant] = sum(behind)
    found = stale(bank, places(bank))
    assert {plant: one.signals for plant, one in found.items()} == expected


def test_a_signal_is_stale_by_its_own_period_against_its_plant_also_in_1899() -> None:
    bank, then = Bank(), -2_208_988_800.0
    mill(bank, (60.0, 60.0, 3600.0, 60.0))
    for lane, late_s in ((0, 0.0), (1, 301.0), (2, 301.0)):
        heard(bank, lane, then - late_s)
    assert stale(bank, places(bank)) == {"mill-1": (1, ("Signal 1",))}
    heard(bank, 1, then - 299.0)
    assert stale(bank, places(bank)) == {}


def test_a_units_people_see_their_own_part_of_the_line() -> None:
    file, bank = read(TOML), Bank()
    scene = Scene(newborn(file.id, file.charter), bank)
    other = msgspec.structs.replace(CALM, plant="port", link="south", refused={"unborn": 7})
    mine = msgspec.structs.replace(CALM, refused={"not-yours": 2})
    each = tuple(LinkLine(link, 1, "speaking", 1, 0.0, 0.0, 1, 1, 1, 1) for link in ("north", "south"))
    tried = tuple(Attempt(1.0, "x", "not-yours", plant, "") for plant in ("mill-1", "port", ""))
    counts = msgspec.structs.replace(
        COUNTS, plants={"mill-1": mine, "port": other}, each=each, attempts=tried, refused={"unborn": 7, "not-yours": 2}
    )
    assert scene.book(Viewer(role="operator"), LineRequest(), 9.0) is None
    scene.hear(counts, ("north", "south", "west"))
    every = scene.book(Viewer(role="operator"), LineRequest(), 9.0)
    own = scene.book(Viewer(role="unit", unit="mill-1"), LineRequest(), 9.0)
    assert every is not None
    assert own is not None
    assert (every.total, len(every.links), len(every.attempts)) == (2, 3, 3)
    assert [row.title for row in every.plants if row.plant == "mill-1"] == ["Spinning mill"]
    assert [row.plant for row in own.plants] == ["mill-1"]
    assert [row.link for row in own.links] == ["north"]
    assert [row.plant for row in own.attempts] == ["mill-1"]
    assert own.refused == {"not-yours": 2}


def test_a_plant_without_a_title_in_the_charter_is_called_as_it_calls_itself() -> None:
    file = read(TOML.replace('title = "Spinning mill"\nlevel', "level"))
    room = newborn(file.id, file.charter)
    assert title_of(room, "mill-1") == "mill-1"
    room = evolve(room, [PlantJoined(at=1.0, plant="mill-1", title="The old spinning mill")])
    assert title_of(room, "mill-1") == "The old spinning mill"
    assert {row.id: row.title for row in Scene(room, Bank()).units()}["mill-1"] == "The old spinning mill"
    assert title_of(room, "nowhere") == "nowhere"
