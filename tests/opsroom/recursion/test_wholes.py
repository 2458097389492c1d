"""The units' own series: told period by period, judged and stored like any signal, exact after a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import structlog

from opsroom.clock import SystemClock
from opsroom.constitution.charter import read
from opsroom.loop.hall import ROOM, Hall, open_hall
from opsroom.loop.tick import fold
from opsroom.room.news import PlantBorn
from opsroom.views import Viewer
from telex_ingest.heard import Accepted
from telex_ingest.plant_link import PlantLink
from telex_ingest.telex import PlantBirth, Reading, SignalBirth, TelexKind
from tests.opsroom.rooms import MILL, TOML, figures, make_folder, served, tell

START = 1_700_000_100.0
CHARTED = (
    TOML
    + """
[[unit]]
id = "loom-1"
level = "plant"
parent = "textiles"
[[chart]]
unit = "textiles"
measure = "m/h"
period = "60 s"
patience = "5 min"
[[part]]
chart = "textiles"
part = "mill-1/yarn"
worth = 0
[[part]]
chart = "textiles"
part = "loom-1/cloth"
[[flow]]
from = "mill-1/yarn"
to = "loom-1/cloth"
product = "yarn"
per = 0.5
[[chart]]
unit = "works"
measure = "m/h"
period = "60 s"
[[part]]
chart = "works"
part = "textiles"
worth = 2
"""
)
BIRTHS = tuple(
    PlantBirth(
        plant=plant,
        signals=(SignalBirth(id=1, name=name, unit="/h", period_s=60, capability=able, potentiality=best),),
    )
    for plant, name, able, best in (("mill-1", "yarn", 60.0, 80.0), ("loom-1", "cloth", 100.0, 150.0))
)


WHOLES = ("textiles/actuality", "works/actuality")


class Looms:
    """A hall without doors, told minute by minute."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / ROOM).write_text(CHARTED, encoding="utf-8")
        self.minute = 0
        self.made_up: list[tuple[str, TelexKind, int, float | None]] = []
        self.seq = {"mill-1": 0, "loom-1": 0}
        self.hall = self._open()
        for birth in BIRTHS:
            self.hall.admit(birth)
            self.hall.store.save_births([birth])
        births = [PlantBorn(birth=birth, link="looms") for birth in BIRTHS]
        tick = fold(self.hall.room, births, START, self.hall.sight)
        self.hall.journal.append(tick.entries, judged_up_to=None)
        self.hall.become(tick)

    def _open(self) -> Hall:
        return open_hall(self.folder, lambda last: SystemClock(last), structlog.get_logger("test"))

    def restart(self) -> None:
        self.hall.close()
        self.hall = self._open()

    def tell(self, late: Sequence[tuple[str, int, float]] = (), **values: float | None) -> None:
        """One minute: what each plant says in it, then what the wholes make of the minute before.

        `late` are readings (plant, minute, value) that come only now.
        """
        at = START + 60.0 * self.minute
        telexes = [self._late(*one, at) for one in late]
        for plant, value in ((name.replace("_", "-"), value) for name, value in values.items()):
            self.seq[plant] += 1
            readings = (Reading(1, value),)
            stamp = int(at * 1e6)
            telexes.append(Accepted(plant, 1, self.seq[plant], stamp, stamp, TelexKind.LIVE, (1,), readings))
        own = self.hall.wholes.due(self.hall.room, self.hall.bank, at)
        self.own = {telex.plant: telex.readings[0].value for telex in own if telex.kind is TelexKind.LIVE}
        self.made_up += [
            (telex.plant, telex.kind, round(telex.source_us / 1e6 - START) // 60, telex.readings[0].value)
            for telex in own
            if telex.kind is not TelexKind.LIVE
        ]
        self.last = self.hall.bank.judge((*telexes, *own), at, self.hall.numbers)
        self.hall.store.append(self.last.blocks)
        self.minute += 1

    def _late(self, plant: str, minute: int, value: float, at: float) -> Accepted:
        self.seq[plant] += 1
        stamp, readings = int((START + 60.0 * minute) * 1e6), (Reading(1, value),)
        return Accepted(plant, 1, self.seq[plant], stamp, int(at * 1e6), TelexKind.BACKFILL, (1,), readings)


@pytest.fixture
def looms(tmp_path: Path) -> Iterator[Looms]:
    told = Looms(tmp_path)
    yield told
    told.hall.close()


def test_a_whole_is_told_once_a_period_and_follows_from_its_parts(looms: Looms) -> None:
    looms.tell(mill_1=40.0, loom_1=90.0)
    assert looms.own == {"textiles": None, "works": None}, "nobody had spoken before"
    looms.tell(mill_1=30.0, loom_1=90.0)
    assert looms.own == {"textiles": pytest.approx(80.0), "works": pytest.approx(160.0)}
    assert looms.hall.wholes.due(looms.hall.room, looms.hall.bank, START + 60.0 + 59.0) == (), "once a period"
    looms.tell(mill_1=30.0, loom_1=50.0)
    assert looms.own["textiles"] == pytest.approx(60.0)
    looms.tell(mill_1=30.0, loom_1=50.0)
    assert looms.own["textiles"] == pytest.approx(50.0)


def test_a_silent_part_makes_the_whole_unknown_after_its_patience_and_the_whole_of_wholes_too(looms: Looms) -> None:
    looms.tell(mill_1=40.0, loom_1=90.0)
    for _ in range(5):
        looms.tell(loom_1=90.0)
        assert looms.own["textiles"] == pytest.approx(80.0)
    looms.tell(loom_1=90.0)
    assert looms.own == {"textiles": None, "works": None}
    drawing = looms.hall.wholes.drawing(looms.hall.room, looms.hall.bank, "textiles", START + 360.0)
    assert drawing.told.missing == ("mill-1/yarn",)
    assert drawing.told.low == 0.0
    assert drawing.told.high == pytest.approx(90.0)


def test_each_level_has_its_own_triple_vector(looms: Looms) -> None:
    looms.tell(mill_1=40.0, loom_1=90.0)
    looms.tell(mill_1=40.0, loom_1=90.0)
    units = {unit.id: unit for unit in looms.hall.scene.units()}
    # 60 t of yarn make 120 m, the loom can do 100; with 80 t and the best loom 150.
    assert units["textiles"].productivity == pytest.approx(80 / 100)
    assert units["textiles"].latency == pytest.approx(100 / 150)
    assert units["works"].performance == pytest.approx(80 / 150)
    assert units["mill-1"].productivity == pytest.approx(40 / 60), "a plant is as good as its first signal"
    drawing = looms.hall.wholes.drawing(looms.hall.room, looms.hall.bank, "textiles", START + 61.0)
    assert drawing.gain == {"mill-1/yarn": 0.0, "loom-1/cloth": pytest.approx(1.0)}
    assert drawing.held_back == {"mill-1/yarn": pytest.approx(10.0), "loom-1/cloth": 0.0}


def test_without_charts_a_unit_is_as_good_as_its_weakest_part(looms: Looms) -> None:
    looms.hall.scene.wholes = type(looms.hall.wholes)((), {})
    looms.tell(mill_1=30.0, loom_1=90.0)
    units = {unit.id: unit for unit in looms.hall.scene.units()}
    assert units["textiles"].performance == units["mill-1"].performance == pytest.approx(30 / 80)


def test_a_restart_goes_on_exactly_where_the_wholes_were(looms: Looms, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    steady = Looms(other)
    rng = np.random.default_rng(7)
    try:
        for minute in range(60):
            yarn, cloth = float(rng.normal(40, 1)), float(rng.normal(90 if minute < 45 else 60, 1))
            for room in (looms, steady):
                room.tell(mill_1=yarn, loom_1=cloth)
            if minute in (20, 47):
                looms.restart()
            assert looms.own == steady.own
        one, two = (room.hall.bank.snapshot() for room in (looms, steady))
        assert one == two, "beliefs are the same to the bit"
    finally:
        steady.hall.close()


def test_moments_at_which_the_room_was_away_are_told_when_the_parts_have_caught_up_and_open_nothing(
    looms: Looms,
) -> None:
    for _ in range(12):
        looms.tell(mill_1=40.0, loom_1=90.0)
    looms.made_up.clear()
    looms.hall.close()
    looms.minute += 4  # the plants go on telling their spools
    looms.hall = looms._open()
    spools = [
        (plant, minute, value) for minute in (12, 13, 14, 15) for plant, value in (("mill-1", 20.0), ("loom-1", 70.0))
    ]
    looms.tell(late=spools, mill_1=40.0, loom_1=90.0)
    judged = looms.hall.bank.by_key["textiles/actuality"].lane
    for _ in range(24):
        looms.tell(mill_1=40.0, loom_1=90.0)
        assert judged not in [one.lane for one in looms.last.announced]
    told = [one[1:] for one in looms.made_up if one[0] == "textiles" and one[1] is TelexKind.BACKFILL]
    assert told == [(TelexKind.BACKFILL, minute, pytest.approx(40.0)) for minute in (12, 13, 14, 15)]
    above = [one[2] for one in looms.made_up if one[0] == "works" and one[1] is TelexKind.BACKFILL]
    assert above == [12, 13, 14, 15], "the whole above follows"
    assert looms.hall.bank.level[judged] == pytest.approx(80.0), "what was judged is what was known then"
    start = round((START + 12 * 60.0) * 1e6)
    kept = looms.hall.store.between("textiles/actuality", start, start + 4 * 60_000_000)
    assert kept.value.tolist() == pytest.approx([40.0] * 4)
    looms.made_up.clear()
    looms.restart()
    for _ in range(12):
        looms.tell(mill_1=40.0, loom_1=90.0)
    assert not [one for one in looms.made_up if one[1] is TelexKind.BACKFILL], "no moment is made up for twice"


def test_a_whole_that_was_told_without_a_part_is_corrected_when_its_readings_come_late(looms: Looms) -> None:
    for _ in range(8):
        looms.tell(mill_1=40.0, loom_1=90.0)
    looms.made_up.clear()
    for _ in range(8):
        looms.tell(loom_1=90.0)
    assert looms.own["textiles"] is None
    unknown = [looms.minute - 2, looms.minute - 1]
    spool = [("mill-1", minute, 40.0) for minute in range(8, looms.minute)]
    looms.tell(late=spool, mill_1=40.0, loom_1=90.0)
    for _ in range(8):
        looms.tell(mill_1=40.0, loom_1=90.0)
    corrected = [one[1:] for one in looms.made_up if one[0] == "textiles" and one[2] in unknown]
    assert corrected == [(TelexKind.CORRECTION, minute, pytest.approx(80.0)) for minute in unknown]
    shown = looms.hall.bank.rings.past(looms.hall.bank.by_key["textiles/actuality"].lane)
    assert np.isfinite(shown.value).all(), "nothing is missing on the chart any more"


async def test_what_the_room_tells_of_its_own_units_was_on_no_line_and_has_no_delay(tmp_path: Path) -> None:
    async with served(make_folder(tmp_path / "room", CHARTED)) as room:
        while not room.hall.pulse.readings:  # noqa: ASYNC110 - the first whole is told at once
            await asyncio.sleep(0.01)
        pulse = room.hall.pulse
        assert (pulse.telexes, pulse.quantile(0.5)) == (0, None)
        token = room.hall.links.add("north", ["mill-1"])
        async with PlantLink(room.telex, "north", token, [MILL]) as link:
            await tell(link, 1_772_431_200.0, figures(2, seed=3))
            assert await link.drained(60)
        while not pulse.telexes:  # noqa: ASYNC110 - counted after the Ack
            await asyncio.sleep(0.01)
        assert pulse.quantile(0.5) is not None


def test_a_slip_of_the_whole_is_judged_like_any_signal_and_its_alarm_is_owned_by_the_unit(looms: Looms) -> None:
    rng = np.random.default_rng(8)
    named = set()
    for minute in range(120):
        looms.tell(mill_1=float(rng.normal(40, 0.5)), loom_1=float(rng.normal(90 if minute < 80 else 55, 1)))
        named.add(looms.hall.bank.word(looms.hall.bank.by_key["textiles/actuality"].lane))
    assert "step" in named
    signal = looms.hall.room.signals["textiles/actuality"]
    assert (signal.plant, signal.birth.unit) == ("textiles", "m/h")
    anybody = Viewer(role="viewer")
    seen = looms.hall.scene.signal(looms.hall.bank.by_key["textiles/actuality"], anybody, START)
    assert (seen.ground, seen.capability) == ("index", 100.0)
    assert seen.unit == "textiles"


def test_a_chart_that_is_taken_out_takes_its_signal_along(looms: Looms) -> None:
    (looms.folder / ROOM).write_text(CHARTED[: CHARTED.index("[[chart]]")], encoding="utf-8")
    assert read(CHARTED).charter.charts
    looms.restart()
    assert "textiles/actuality" not in looms.hall.room.signals
    looms.tell(mill_1=40.0, loom_1=90.0)
    assert looms.own == {}


def test_a_chart_that_is_drawn_anew_is_another_figure_and_no_step(looms: Looms, tmp_path: Path) -> None:
    rng = np.random.default_rng(8)

    def minutes(many: int) -> set[str]:
        named = set()
        for _ in range(many):
            looms.tell(mill_1=float(rng.normal(60, 0.5)), loom_1=float(rng.normal(90, 1)))
            named |= {looms.hall.bank.word(looms.hall.bank.by_key[key].lane) for key in WHOLES}
        return named

    minutes(80)
    (looms.folder / ROOM).write_text(CHARTED.replace('part = "loom-1/cloth"', 'part = "loom-1/cloth"\nworth = 0.5'))
    looms.restart()
    assert not minutes(60) & {"step", "slope", "transient"}, "the unit makes half of what it made, by another reckoning"
    assert looms.own["textiles"] == pytest.approx(45, abs=3)
    knew = looms.hall.bank.snapshot()
    looms.restart()
    assert looms.hall.bank.snapshot() == knew
    (looms.folder / ROOM).write_text((looms.folder / ROOM).read_text().replace("5 min", "7 min"))
    looms.restart()
    assert looms.hall.bank.snapshot() == knew, "how long a part may be silent is no other figure"
