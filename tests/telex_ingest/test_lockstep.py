"""Plants that are kept in step stand, are heard, refused and answered as if each of their telexes had come alone."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from itertools import permutations
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from telex_ingest import lockstep
from telex_ingest.compiled import COMPILES
from telex_ingest.desk import Link
from telex_ingest.heard import MANY, Accepted, Heard, SheetAccepted, StripAccepted
from telex_ingest.lockstep import DEEPEST, Lockstep
from telex_ingest.refusals import WireError
from telex_ingest.sheet import write
from telex_ingest.strips import Odd, Strips
from telex_ingest.telex import Death, FromPlant, Spool, moment
from telex_ingest.wire import decode, encode
from tests.telex_ingest.conftest import NOON, birth
from tests.telex_ingest.session_line import Line

pytestmark = pytest.mark.skipif(not COMPILES, reason="nothing is kept in step where nothing is compiled")

LINKS = (("mill-1", "mill-2", "mill-3"), ("mill-4", "mill-5"))
EVERY = [plant for plants in LINKS for plant in plants]
WIDE = 10_000
"""So many readings of several links may come as one."""


def written(plant: str, epoch: int, seq: int, at: float, readings: object, **more: object) -> bytes:
    time = moment(int(at * 1e6)).isoformat()
    told = {"plant": plant, "epoch": epoch, "seq": seq, "time": time, "readings": readings, **more}
    return json.dumps({"telexes": [told]}).encode()


def said(frame: FromPlant) -> bytes:
    return str(encode(frame)).encode()


def deepest(strip: StripAccepted) -> int:
    return max(Counter(strip.plants).values())


class Room:
    """A session with two links; what each says is looked at together, or frame by frame."""

    def __init__(self, *, single: bool, together: int = WIDE) -> None:
        self.single, self.together = single, together
        self.line = Line(silence_floor_s=2.0)
        self.links = [self.line.link(f"link-{k}") for k in range(len(LINKS))]
        for link, plants in zip(self.links, LINKS, strict=True):
            self.line.says(link, births=[birth(plant) for plant in plants])
        self.strips = Strips()
        self.items: list[Heard] = []
        self.heard: dict[str, list[Heard]] = defaultdict(list)

    def tell(self, item: Heard) -> None:
        self.items.append(item)
        assert not isinstance(item, StripAccepted) or deepest(item) <= item.depth <= DEEPEST
        for row in item.rows() if isinstance(item, SheetAccepted | StripAccepted) else (item,):
            self.heard[row.plant].append(msgspec.structs.replace(row, wire=0) if isinstance(row, Accepted) else row)

    def one(self, link: Link, frame: bytes, at: float) -> None:
        try:
            for item in self.line.session.hear(link, decode(frame), at):
                self.tell(item)
        except WireError as error:
            self.line.session.misheard(link, error, at)

    def says(self, frames: list[tuple[int, bytes]]) -> None:
        """Frames come by their links, and are looked at link by link."""
        for k, link in enumerate(self.links):
            for place, (_, frame) in enumerate([one for one in frames if one[0] == k]):
                at = self.line.now + 0.001 * place
                if self.single:
                    self.one(link, frame, at)
                else:
                    self.strips.add(link, frame, [len(frame)], [at])
        for link, item in self.strips.take(self.line.session.desk, together=self.together):
            if isinstance(item, Odd):
                assert link is not None
                self.one(link, item.frame, item.at)
            else:
                self.tell(item)

    def answers(self) -> list[tuple[Any, Any]]:
        said = [self.line.answers(link) for link in self.links]
        return [({ack.plant: ack for ack in one.acks}, one.refusals) for one in said]


EVENTS = (
    "look", "look", "look", "look", "often", "again", "hole", "ahead", "past", "few", "turned", "missing", "backfill",
    "stranger", "foreign", "birth", "fewer", "epoch", "death", "cut", "lost", "taken over", "spool", "silence", "ack",
    "ack one", "sheet",
)  # fmt: skip


class Twin:
    """The same said to two rooms: looked at together in one, frame by frame in the other."""

    def __init__(self, together: int) -> None:
        self.rooms = (Room(single=False, together=together), Room(single=True))
        self.seqs, self.epochs = dict.fromkeys(EVERY, 0), dict.fromkeys(EVERY, 1)
        self.home = {plant: k for k, plants in enumerate(LINKS) for plant in plants}

    @property
    def now(self) -> float:
        return self.rooms[0].line.now

    def telex(self, plant: str, more: int = 1, late: float = 0.0, readings: object = None, **members: Any) -> bytes:
        self.seqs[plant] = max(1, self.seqs[plant] + more)
        seq = self.seqs[plant]
        readings = [[1, 0.5 * seq], [2, 7]] if readings is None else readings
        return written(plant, self.epochs[plant], seq, self.now + late, readings, **members)

    def all(self, times: int = 1) -> list[tuple[int, bytes]]:
        return [(self.home[plant], self.telex(plant)) for _ in range(times) for plant in EVERY]

    def says(self, *frames: tuple[int, bytes]) -> None:
        for room in self.rooms:
            room.says(list(frames))

    def happens(self, event: str, plant: str) -> None:
        home = self.home[plant]
        odd = {
            "again": {"more": 0},
            "hole": {"more": 2},
            "ahead": {"late": 7200.0},
            "past": {"late": -60.0},
            "few": {"readings": [[1, 4]]},
            "turned": {"readings": [[2, 4], [1, 3]]},
            "missing": {"readings": [[1, None], [2, 3]]},
            "backfill": {"kind": "backfill"},
        }
        match event:
            case "look":
                self.says(*self.all())
            case "often":
                self.says(*self.all(DEEPEST + 2))
            case "stranger":
                self.says(*self.all(), (home, written("stranger", 1, 1, self.now, [[1, 1]])), *self.all())
            case "foreign":
                foreign = written(plant, self.epochs[plant], self.seqs[plant] + 1, self.now, [[1, 1], [2, 2]])
                self.says((1 - home, foreign))
                self.says(*self.all())
            case "fewer":
                told = FromPlant(births=(birth(plant, self.epochs[plant], signals=1),))
                missing = self.telex(plant, readings=[[1, None], [2, 3]])
                self.says((home, missing), (home, self.telex(plant)), (home, said(told)))
                self.says(*self.all())
            case "birth":
                self.says(*self.all(), (home, said(FromPlant(births=(birth(plant, self.epochs[plant]),)))), *self.all())
            case "epoch":
                before = self.all()
                self.epochs[plant], self.seqs[plant] = self.epochs[plant] + 1, 0
                self.says(*before, (home, said(FromPlant(births=(birth(plant, self.epochs[plant]),)))), *self.all())
            case "death":
                self.says(*self.all(), (home, said(FromPlant(deaths=(Death(plant=plant, reason="x"),)))), *self.all())
            case "cut" | "lost":
                for room in self.rooms:
                    room.line.session.close(room.links[home])
                    link = room.links[home] = room.line.link(f"link-{home}")
                    mine = [one for one in EVERY if self.home[one] == home and event == "cut"]
                    room.line.says(link, births=tuple(birth(one, self.epochs[one]) for one in mine))
            case "taken over":
                self.home[plant] = 1 - home
                for room in self.rooms:
                    room.line.says(room.links[1 - home], births=(birth(plant, self.epochs[plant]),))
            case "spool":
                first = self.seqs[plant] + 1
                told = Spool(plant=plant, epoch=self.epochs[plant], first=first, last=first + 3)
                self.says(*self.all(), (home, said(FromPlant(spools=(told,)))), *self.all())
            case "silence":
                for room in self.rooms:
                    for item in room.line.tick(6.0 if self.seqs[plant] % 2 else 0.5):
                        room.tell(item)
            case "ack one":
                for room in self.rooms:
                    room.line.session.acknowledge({plant: (self.epochs[plant], self.seqs[plant])})
            case "sheet":
                mine = [one for one in EVERY if self.home[one] == home] or [plant]
                before = self.all()
                for one in mine:
                    self.seqs[one] += 1
                rows = [(one, self.epochs[one], self.seqs[one], int(self.now * 1e6)) for one in mine]
                sheet = write(rows, (1, 2), [[1.0, 2.0]] * len(mine), number=self.seqs[plant])
                self.says(*before, (home, said(FromPlant(sheets=(sheet,)))), *self.all())
            case "ack":
                self.ack()
            case _:
                self.says(*self.all(), (home, self.telex(plant, **odd[event])), *self.all())

    def ack(self) -> None:
        """All that was heard is durable."""
        for room in self.rooms:
            sheets = [item for item in room.items if isinstance(item, SheetAccepted | StripAccepted)]
            for item in room.items:
                if isinstance(item, Accepted):
                    room.line.session.acknowledge({item.plant: (item.epoch, item.seq)})
            room.line.session.acknowledge_sheets(*sheets)
            room.items.clear()


@settings(max_examples=100, deadline=None)
@example([*[("look", "mill-1")] * 6, ("fewer", "mill-1")], WIDE)
@given(
    st.lists(st.tuples(st.sampled_from(EVENTS), st.sampled_from(EVERY)), max_size=20), st.sampled_from((0, 40, WIDE))
)
def test_plants_in_step_stand_as_if_each_telex_had_come_alone(events: list[tuple[str, str]], together: int) -> None:
    twin = Twin(together)
    for event, plant in [("look", "mill-1"), ("look", "mill-1"), *events, ("look", "mill-1"), ("ack", "mill-1")]:
        twin.happens(event, plant)
        whole, single = twin.rooms
        assert whole.heard == single.heard
        lines = [room.line.session.line() for room in twin.rooms]
        assert dict(lines[0].plants) == dict(lines[1].plants)
        one, other = (msgspec.structs.replace(line, plants={}, each=()) for line in lines)
        assert one == other
        assert [link.telexes for link in whole.links] == [link.telexes for link in single.links]
        assert whole.answers() == single.answers()


def test_what_several_links_tell_in_step_comes_as_one_and_leaves_the_plants_where_they_are() -> None:
    twin = Twin(WIDE)
    for _ in range(3):
        twin.happens("look", "mill-1")
    (room, _), plants = twin.rooms, EVERY
    strip = room.items[-1]
    assert isinstance(strip, StripAccepted)
    assert (strip.plants, strip.wire, strip.depth) == (tuple(plants), MANY, 1)
    assert [row.seq for row in strip.rows()] == [3] * len(plants)
    step = room.line.session.desk.step
    assert all(room.line.session.line().plants[plant].heard == 3 for plant in plants)
    twin.ack()
    assert all(plant.durable == 3 for plant in room.line.session.line().plants.values())
    assert [set(acks) for acks, _ in room.answers()] == [set(mine) for mine in LINKS]
    assert all(step.plant(row).keeper is step for row in range(len(plants))), "looking and answering let them be"


def test_strips_stay_with_their_links_where_they_would_be_too_many_together() -> None:
    twin = Twin(len(EVERY) * 2 - 1)
    for _ in range(2):
        twin.happens("look", "mill-1")
    told = [item for item in twin.rooms[0].items if isinstance(item, StripAccepted)][-2:]
    assert [strip.plants for strip in told] == list(LINKS)
    assert [strip.wire for strip in told] == [link.number for link in twin.rooms[0].links]


def test_telexes_without_readings_overtake_nothing_that_waits() -> None:
    twin = Twin(0)
    for _ in range(3):
        twin.says(*[(twin.home[plant], twin.telex(plant, readings=[])) for plant in EVERY])
    told = [item for item in twin.rooms[0].items if isinstance(item, StripAccepted)]
    assert [strip.rows_in_step is not None for strip in told[-2:]] == [True, True]
    assert MANY not in [strip.wire for strip in told]


def test_a_plant_that_tells_now_this_and_now_that_is_left_to_itself_for_longer_and_longer() -> None:
    twin = Twin(WIDE)
    step: Lockstep = twin.rooms[0].line.session.desk.step
    kept = []
    for _ in range(2):
        twin.says((0, twin.telex("mill-1")))
    for turn in range(40):
        twin.says((0, twin.telex("mill-1", readings=[[1, turn]] if turn % 2 else None)))
        kept.append(step.plant(0).keeper is step)
    assert sum(kept[:10]) > sum(kept[30:])
    for _ in range(100):
        twin.says((0, twin.telex("mill-1")))
    assert step.plant(0).keeper is step


@pytest.mark.parametrize(("shapes", "ids"), [(4, 1000), (1000, 8)])
def test_a_plant_that_tells_ever_new_shapes_keeps_no_other_out(
    shapes: int, ids: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lockstep, "MOST_SHAPES", shapes)
    monkeypatch.setattr(lockstep, "MOST_IDS", ids)
    twin, every = Twin(WIDE), (1, 2, 3)
    step: Lockstep = twin.rooms[0].line.session.desk.step
    for room in twin.rooms:
        for link, plants in zip(room.links, LINKS, strict=True):
            room.line.says(link, births=[birth(plant, signals=3) for plant in plants])
    for told in permutations(every):
        for _ in range(6):
            twin.says((0, twin.telex("mill-1", readings=[[number, 1] for number in told])))
    for _ in range(10):
        twin.says((1, twin.telex("mill-4", readings=[[3, 1], [1, 2], [2, 3]])), (0, twin.telex("mill-2")))
    whole, single = twin.rooms
    assert whole.heard == single.heard
    assert {"mill-2", "mill-4"} <= set(step.names(step._kept()))
    assert len(step._shapes) <= shapes
    assert sum(map(len, step._shapes)) <= ids


def test_a_plant_whose_shape_was_forgotten_is_not_taken_for_one_that_tells_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lockstep, "MOST_SHAPES", 1)
    twin, three = Twin(WIDE), [[1, 1], [2, 2], [3, 3]]
    for room in twin.rooms:
        room.line.says(room.links[1], births=[birth("mill-4", signals=3)])
    for _ in range(6):
        twin.says((0, twin.telex("mill-2")))
    for _ in range(6):
        twin.says((1, twin.telex("mill-4", readings=three)))
    twin.says((0, twin.telex("mill-2", readings=three)))
    whole, single = twin.rooms
    assert whole.heard == single.heard
    assert whole.answers() == single.answers()


@pytest.mark.parametrize("many", [10, 200, 2000])
def test_every_plant_is_found_by_its_name_however_many_there_are(many: int) -> None:
    line, strips = Line(), Strips()
    link = line.link()
    names = [f"{'p' * (1 + k % 40)}-{k}" for k in range(many)]
    line.says(link, births=[birth(name) for name in names])
    for seq in (1, 2, 3):
        items: list[StripAccepted] = []
        frames = [written(name, 1, seq, NOON, [[1, 1], [2, k]]) for k, name in enumerate(names)]
        strips.add(link, b"".join(frames), [*map(len, frames)], [NOON] * many)
        for _, item in strips.take(line.session.desk, together=WIDE * many):
            if isinstance(item, Odd):
                line.session.hear(link, decode(item.frame), item.at)
            else:
                items.append(item)
    (strip,) = items
    assert isinstance(strip, StripAccepted)
    assert strip.plants == tuple(names)
    assert strip.values.reshape(many, 2)[:, 1].tolist() == list(range(many))
