"""/metrics: everything that the dashboard asks for is there, and no label grows with plants or links."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from opsroom.constitution.charter import read
from opsroom.doors import council_metrics
from opsroom.doors.line_metrics import LINKS, line_metrics
from opsroom.entry.tally import REASONS
from opsroom.judgement.bank import Bank
from opsroom.loop.inbox import Batch
from opsroom.loop.line_log import LineLog
from opsroom.record.chain import Recorded
from opsroom.room.room import newborn
from opsroom.showing.scene import Scene
from telex_ingest.heard import GapClosed, PlantDied, PlantSilent, PlantSpeaks
from telex_ingest.line import Attempt, LineCounts, LinkLine, PlantLine
from telex_ingest.plant_link import PlantLink
from telex_ingest.refusals import GROUNDS
from tests.browser.fake_line import NOTHING
from tests.opsroom.rooms import MILL, TOML, figures, make_folder, served, tell

DASHBOARD = Path(__file__).parents[3] / "docs" / "grafana-opsroom.json"


async def test_every_metric_that_the_dashboard_asks_for_exists(tmp_path: Path) -> None:
    async with served(make_folder(tmp_path / "room")) as room, room.person() as client:
        token = room.hall.links.add("north", ["mill-1"])
        async with PlantLink(room.telex, "north", token, [MILL]) as link:
            await tell(link, 1_772_431_200.0, figures(2, seed=3))
            text = (await client.get("/metrics")).text
            async with asyncio.timeout(60):
                while "opsroom_store_bytes" not in text:  # the store is looked at beside all else
                    text = (await client.get("/metrics")).text
    samples = {sample.name for family in text_string_to_metric_families(text) for sample in family.samples}
    families = {family.name for family in text_string_to_metric_families(text)}
    board = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    asked = {
        name
        for panel in board["panels"]
        for target in panel["targets"]
        for name in re.findall(r"opsroom_[a-z_]+", target["expr"])
    }
    assert len(asked) > 25
    assert {"opsroom_store_bytes", "opsroom_write_seconds_sum", "opsroom_store_let_go_timestamp_seconds"} <= asked
    assert {name for name in asked if name not in samples and name.removesuffix("_total") not in families} == set()
    told = {sample.name: sample for family in text_string_to_metric_families(text) for sample in family.samples}
    assert told["opsroom_births_total"].value == 1
    assert told["opsroom_link_plants"].labels == {"link": "north"}


@pytest.mark.parametrize("size", [1, 400])
def test_no_label_grows_with_links_or_plants(size: int) -> None:
    file = read(TOML)
    scene = Scene(newborn(file.id, file.charter), Bank())
    plants = {
        f"p-{n}": PlantLine(f"p-{n}", f"link-{n}", "speaking", 1, 9, 9, 0, n, 5.0, 9, 0, 0, 0, delay_s=n / 10)
        for n in range(size)
    }
    each = tuple(LinkLine(f"link-{n}", n, "speaking", 1, 0.0, 0.0, 9, 9, 2, 1) for n in range(size))
    counts = msgspec.structs.replace(NOTHING, plants=plants, each=each)
    scene.hear(counts, [link.link for link in each])
    found = {family.name: family for family in line_metrics(scene, counts)}
    assert all(len(family.samples) <= LINKS + 1 for family in found.values())
    assert sum(sample.value for sample in found["opsroom_link_telexes"].samples) == 2 * size
    assert sum(sample.value for sample in found["opsroom_plants_by_trouble"].samples) == size
    assert not any("plant" in sample.labels for family in found.values() for sample in family.samples)


def test_everything_that_the_line_counts_is_told() -> None:
    names = [one.name for one in msgspec.structs.fields(LineCounts) if one.type in (int, float | None)]
    values = {name: 1_000_003 + 7 * n for n, name in enumerate(names)}
    file = read(TOML)
    counts = msgspec.structs.replace(NOTHING, **values, refused={"not-yours": 17})
    scene = Scene(newborn(file.id, file.charter), Bank())
    told = [sample for family in line_metrics(scene, counts) for sample in family.samples]
    assert {name for name, value in values.items() if value not in {sample.value for sample in told}} == set()
    assert ("opsroom_line_refused_total", {"code": "not-yours"}, 17) in [
        (one.name, one.labels, one.value) for one in told
    ]


async def test_who_asks_does_not_wait_for_a_long_journal_and_is_told_its_load_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may, looks = threading.Event(), list[int]()

    class Long:
        """A journal that takes long to read."""

        events = 3

        def read(self) -> Iterator[Recorded]:
            looks.append(threading.get_ident())
            assert may.wait(600.0)
            return iter(())

    monkeypatch.setattr(council_metrics, "PATIENCE_S", 0.01)
    async with served(make_folder(tmp_path / "room")) as room:
        glance = council_metrics.Glance(dataclasses.replace(room.hall, journal=Long()))  # type: ignore[arg-type]

        def told() -> bool:
            return any(metric.name == "opsroom_council_motions" for metric in glance.collect())

        for _ in range(3):
            await asyncio.wait_for(glance.look(), 60.0)
            assert not told()
        may.set()
        async with asyncio.timeout(60):
            while not told():
                await glance.look()
        await glance.look()
        assert len(looks) == 1, "one look is enough for all who ask"
        assert threading.get_ident() not in looks


async def test_a_room_that_ends_does_not_read_a_long_journal_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, ended, enough = threading.Event(), threading.Event(), threading.Event()

    class Endless:
        """A journal without an end."""

        events = 3

        def read(self) -> Iterator[Recorded]:
            begun.set()
            try:
                while not enough.is_set():
                    yield SimpleNamespace(body={"kind": "clock-tick", "at": 0.0})  # type: ignore[misc]
            finally:
                ended.set()

    monkeypatch.setattr(council_metrics, "PATIENCE_S", 0.01)
    async with served(make_folder(tmp_path / "room")) as room:
        await council_metrics.Glance(dataclasses.replace(room.hall, journal=Endless())).look()  # type: ignore[arg-type]
        [looking] = [task for task in asyncio.all_tasks() if task.get_name() == "council load"]
        try:
            assert await asyncio.to_thread(begun.wait, 60.0)
            looking.cancel()  # as the loop does with all tasks when it ends, before it waits for its threads
            assert await asyncio.to_thread(ended.wait, 60.0)
        finally:
            enough.set()


async def test_everything_that_the_council_load_measures_is_told(tmp_path: Path) -> None:
    async with served(make_folder(tmp_path / "room")) as room, room.person("operator") as client:
        load = (await client.get("/api/council/load")).json()
        text = (await client.get("/metrics")).text
        async with asyncio.timeout(60):
            while "opsroom_council_motions" not in text:  # on a busy machine it comes later
                text = (await client.get("/metrics")).text
    told = {sample.name for family in text_string_to_metric_families(text) for sample in family.samples}
    names = ("motions", "motions_per_session", "busiest_session_motions", "repeated_motions", "reversed_motions")
    assert told >= {f"opsroom_council_{name}" for name in (*names, "amendments", "ballots", "offers")}
    assert load["motions"] == 0
    assert 'opsroom_council_motions{outcome="expired"} 0.0' in text


class Pen:
    """A log that keeps what is written."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, object]]] = []

    def warning(self, event: str, **facts: object) -> None:
        self.lines.append((event, facts))

    info = warning


def test_a_refusal_is_logged_once_with_its_link_and_plant() -> None:
    pen, tried = Pen(), tuple(Attempt(float(n), "north", "not-yours", "port", "no") for n in range(3))
    log = LineLog(pen)
    log.refused(msgspec.structs.replace(NOTHING, attempts=tried[:2]))
    log.refused(msgspec.structs.replace(NOTHING, attempts=tried[:2]))
    log.refused(msgspec.structs.replace(NOTHING, attempts=tried))
    assert [facts["at"] for _, facts in pen.lines] == [0.0, 1.0, 2.0]
    assert {(facts["link"], facts["plant"], facts["code"]) for _, facts in pen.lines} == {
        ("north", "port", "not-yours")
    }
    log.refused(msgspec.structs.replace(NOTHING, attempts=(tried[0], Attempt(3.0, "south", "unborn", "port", "no"))))
    assert [facts["at"] for _, facts in pen.lines] == [0.0, 1.0, 2.0, 3.0], "the newest are gone, the old is not new"


def test_what_happens_on_the_line_is_logged_with_its_link_and_plant() -> None:
    pen = Pen()
    log = LineLog(pen, {"mill": "north"}.__getitem__)
    messages = (PlantSilent("mill", 1.0, 9.0), PlantSpeaks("mill", 1.0, 10.0), PlantDied("mill", "repair", 11.0))
    log.note(Batch(11.0, (), (), messages, (), (GapClosed("mill", 1, 3, 4, 11.0, "never-came"),)))
    assert [event for event, _ in pen.lines] == ["silent", "speaks", "left", "gap closed"]
    assert {(facts["link"], facts["plant"]) for _, facts in pen.lines} == {("north", "mill")}


def test_links_that_come_and_go_are_logged_once() -> None:
    pen = Pen()
    log = LineLog(pen)
    north, south, unknown = (
        LinkLine(name, n, "speaking", 1, 0.0, 0.0, 9, 9, 2, 1) for n, name in enumerate(("north", "south", ""))
    )
    for each in ((unknown,), (north,), (north, south), (north, south), (south,)):
        log.links(msgspec.structs.replace(NOTHING, each=each))
    said = [(event, facts["link"]) for event, facts in pen.lines]
    assert said == [("link came", "north"), ("link came", "south"), ("link went", "north")]


async def test_whatever_may_be_refused_is_counted_from_zero_so_that_the_first_raises_an_alert(tmp_path: Path) -> None:
    async with served(make_folder(tmp_path / "room")) as room, room.person() as client:
        text = (await client.get("/metrics")).text
    told = {
        (family.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.endswith("_total")
    }
    assert {told["opsroom_line_refused", code] for code in GROUNDS} == {0.0}
    assert {told["opsroom_turned_away", reason] for reason in REASONS} == {0.0}
    asked = r"opsroom_(?:line_refused|turned_away)_total\{\w+=~?\"([^\"]+)\""
    named = re.findall(asked, (DASHBOARD.parent / "operating.md").read_text(encoding="utf-8"))
    assert {code for each in named for code in each.split("|")} == {"unauthorised", "not-yours"} <= GROUNDS.keys()


def test_every_reason_for_which_the_door_turns_away_is_known_to_the_metrics() -> None:
    root = DASHBOARD.parents[1]
    files = [*(root / "opsroom" / "entry").glob("*.py"), root / "dashboards" / "threshold.py"]
    said = "\n".join(file.read_text(encoding="utf-8") for file in files if file.name != "tally.py")
    ways = r'turn_away\(scope, receive, send, \d+, "([a-z-]+)"|_cut(?:\(|, )"([a-z-]+)"|turned_away\["([a-z-]+)"\]'
    words = {word for found in re.findall(ways, said) for word in found if word}
    words |= set(re.findall(r'\("((?:tls|certificate)-[a-z-]+)"', said))
    assert words == set(REASONS)
