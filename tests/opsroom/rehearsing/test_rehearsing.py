"""A rehearsal is marked everywhere and can reach no plant; a drill scores the room."""

from __future__ import annotations

import tomllib
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from opsroom.clock import FastClock
from opsroom.constitution.charter import read as read_charter
from opsroom.constitution.charter import render
from opsroom.demo import charter_text, check_played, staged
from opsroom.loop.hall import JOURNAL, ROOM, open_hall
from opsroom.loop.logs import logger
from opsroom.minutes.gather import Kept, Matter
from opsroom.minutes.page import page
from opsroom.proof.keys import Keyring
from opsroom.record.chain import Recorded
from opsroom.rehearsal import NotRehearsedError, announcement, check_apart, drill, known_of, prepare
from opsroom.rehearsing.card import Wrong, card, card_rows, truth_of
from opsroom.rehearsing.compare import beside, report
from opsroom.rehearsing.fates import fates
from opsroom.rehearsing.mark import DRILL, REHEARSAL, mark_of, marked_outline
from opsroom.room import events as happened
from opsroom.room.refusal import RoomError
from opsroom.story import SCRIPT_PACE, tell
from telex_ingest.proof import Pin, verify
from telex_ingest.telex import Order, moment
from tests.opsroom.rooms import make_folder

START = 1_772_431_200.0


def outline() -> dict[str, object]:
    return tomllib.loads(charter_text(SCRIPT_PACE))


def test_a_rehearsals_room_says_so_and_takes_nothing_over_that_leads_outside() -> None:
    real = outline() | {"keeping": {"store": "postgresql://db/plants"}, "notices": {"mail": "x@example.org"}}
    marked = marked_outline(real, REHEARSAL)
    assert set(marked) <= {"room", "level", "unit", "agreement", "alarms", "council", "seat"}
    file = read_charter(render(marked))
    assert file.id == "rehearsal-demo"
    assert file.charter.title.startswith("REHEARSAL · ")
    assert file.keeping.store == ""
    assert file.charter.council == read_charter(charter_text(SCRIPT_PACE)).charter.council


def test_no_plant_that_has_pinned_the_room_obeys_an_order_of_its_rehearsal(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "scratch").mkdir()
    real = Keyring.open(tmp_path / "real", "demo", START)
    other = Keyring.open(tmp_path / "scratch", "rehearsal-demo", START)
    assert real.key("orders") != other.key("orders")
    order = Order(
        id="rehearsal-demo-order-1", room="rehearsal-demo", plant="textile-mill", motion="motion-1", name="x",
        parameters={}, not_before=moment(round(START * 1e6)), expires=moment(round((START + 60) * 1e6)),
    )  # fmt: skip
    pin = Pin(room="demo", key=real.key("orders"))
    forged = [order, Order(**{name: getattr(order, name) for name in order.__struct_fields__} | {"room": "demo"})]
    for one in forged:
        assert not believed(pin, other.sign_order(one))
    assert believed(pin, real.sign_order(forged[1]))


def believed(pin: Pin, order: Order) -> bool:
    return verify(order, pin, (), START + 1.0) is None


def test_a_rehearsal_leaves_the_real_rooms_folder_as_it_is(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    (scratch / ROOM).write_text(render(marked_outline(outline(), REHEARSAL)), encoding="utf-8")
    hall = open_hall(scratch, lambda _: FastClock(START, 400.0), logger("error"), "rehearsal")
    try:
        assert hall.room.id == "rehearsal-demo"
        assert hall.room.charter.title.startswith(REHEARSAL)
        assert {path.parent for path in (hall.journal.path,)} == {scratch}
        assert list(hall.links.list()) == []
    finally:
        hall.close()
    assert (scratch / JOURNAL).exists()


@pytest.mark.parametrize("held", ["demo", "drill", "story"])
async def test_no_demo_and_no_drill_is_played_in_the_folder_of_a_real_room(tmp_path: Path, held: str) -> None:
    """Its record would hold simulated readings for ever, and everybody's passphrase would be made anew."""
    folder = make_folder(tmp_path / "mill")
    hall = open_hall(folder, lambda _: FastClock(START, 400.0), logger("error"), "real")
    hall.close()
    before = contents(folder)

    async def demo() -> None:
        async with staged(folder, SCRIPT_PACE, "loom-slows"):
            pytest.fail("the demo began")

    plays = {
        "demo": demo,
        "drill": lambda: drill("loom-slows", folder),
        "story": lambda: tell("loom-slows", folder, None),
    }
    with pytest.raises(RoomError, match="'test-room', which is no d"):
        await plays[held]()
    assert contents(folder) == before


async def test_a_drill_is_not_played_in_a_demos_room_which_would_not_say_so(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "demo", charter_text(SCRIPT_PACE))
    with pytest.raises(NotRehearsedError, match="'demo', which is no drill"):
        await drill("loom-slows", folder)
    check_played(folder)
    drilled = make_folder(tmp_path / "drill", render(marked_outline(outline(), DRILL)))
    prepare(drilled)
    check_played(drilled)


@pytest.mark.parametrize("out", [".", "rehearsal", "keys/new", "../mill/x", "../way/x"])
def test_nothing_of_a_rehearsal_lies_in_the_rooms_own_folder(tmp_path: Path, out: str) -> None:
    folder = make_folder(tmp_path / "mill")
    (tmp_path / "way").symlink_to(folder)
    with pytest.raises(NotRehearsedError, match="lies in the folder of the room itself"):
        check_apart(folder, folder / out)
    check_apart(folder, tmp_path / "mill-rehearsed")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("title", ["Wait [/] and see", "[bold]Faster[/bold]", "[link=file:///x]here", "half [of it"])
def test_the_title_of_an_option_is_told_as_it_stands_and_never_as_markup(title: str) -> None:
    console = Console(file=StringIO(), record=True, width=200, highlight=False)
    console.print(announcement(title, START))
    assert repr(title) in console.export_text()


def test_the_page_says_that_it_is_a_rehearsal_and_how_alike_it_was() -> None:
    really = [(START + 60.0 * n, 10.0 + n % 3) for n in range(100)]
    rehearsed = [(at, value + (5.0 if at >= START + 3000 else 0.0)) for at, value in really]
    told = beside(START + 3000, really, rehearsed)
    assert told.off_before == 0.0
    text = page(
        report(
            told,
            room="The mill",
            signal="a/<b>",
            uom="m/h",
            decision="option a",
            really_decided="carried",
            limits=("Not matched: people.",),
        )
    )
    assert text.count("REHEARSAL") >= 4
    assert "<title>REHEARSAL" in text
    assert "no further apart than noise" in text
    assert "difference" in text
    assert "5 m/h" in text
    assert "a/<b>" not in text


def test_nobody_rehearses_in_a_world_that_nobody_has_named(tmp_path: Path) -> None:
    with pytest.raises(NotRehearsedError, match="--scenario"):
        known_of(tmp_path, "", None)
    assert known_of(tmp_path, "loom-slows", START).start.timestamp() == START


def recorded(*bodies: dict[str, object]) -> list[Recorded]:
    return [
        Recorded(
            room_id="r", event_id=n, kind=str(body["kind"]), version=1, actor="", cause="", at=0.0, prev="", body=body
        )
        for n, body in enumerate(bodies, 1)
    ]


def test_the_score_card_counts_what_the_room_noticed_decided_and_brought_about() -> None:
    told = card(
        recorded(
            {"kind": "alarm-opened", "alarm": "alarm-1", "signal": "mill/out", "at": 160.0},
            {"kind": "alarm-opened", "alarm": "alarm-2", "signal": "dam/flow", "at": 10.0},
            {"kind": "alarm-climbed", "alarm": "alarm-1"},
            {"kind": "motion-opened", "motion": "motion-1", "alarm": "alarm-1"},
            {"kind": "motion-closed", "motion": "motion-1", "outcome": "carried", "at": 460.0},
            {"kind": "order-ended", "order": "o-1", "ending": "unanswered"},
            {"kind": "order-ended", "order": "o-1", "ending": "obeyed"},
            {"kind": "forecast-scored", "value": 5.0, "band90": [4.0, 6.0]},
            {"kind": "forecast-scored", "value": 9.0, "band90": [4.0, 6.0]},
            {"kind": "forecast-scored", "band90": [4.0, 6.0]},
        ),
        [Wrong("mill/out", 100.0), Wrong("pit/out", 100.0)],
    )
    assert (told.faults, told.noticed_s, told.missed, told.false) == (2, (60.0,), 1, 1)
    assert (told.decided_s, told.climbs, told.endings) == ((300.0,), 1, {"obeyed": 1})
    assert (told.inside90, told.scored) == (1, 2)
    words = dict(card_rows(told))
    assert words["time to notice"] == "1 min"
    assert words["orders ended"] == "1 obeyed"


def test_the_truth_counts_what_began_by_itself_was_not_good_and_deserves_an_alarm() -> None:
    at = "1970-01-01T00:01:00+00:00"
    entry = {"signal": "m/x", "plant": "m", "kind": "step", "onset": at, "primary": True, "bad": True}
    frozen = entry | {"signal": "m/gauge", "kind": "stuck", "bad": None}
    gone = entry | {"signal": None, "plant": "port", "kind": "silence", "bad": None}
    left = [{"primary": False}, {"bad": False}, {"kind": "transient"}, {"kind": "duplicates", "bad": None}]
    book = {"entries": [entry, frozen, gone, *(entry | other for other in left)]}
    assert truth_of(book) == [Wrong("m/x", 60.0), Wrong("m/gauge", 60.0), Wrong("port", 60.0)]


def test_an_alarm_is_false_only_where_nothing_was_off_its_course_and_the_world_is_known() -> None:
    opened = [
        {"kind": "alarm-opened", "alarm": f"alarm-{n}", "signal": f"{plant}/x", "at": 200.0}
        for n, plant in enumerate(("spinner", "weaver", "nile"))
    ]
    told = card(recorded(*opened), [], disturbed={"weaver": 100.0}, world={"spinner", "weaver"})
    assert told.false == 1, "the weaver's followed from something, the Nile is no plant of the scenario"


def test_what_became_of_an_order_is_one_line_from_its_confirmation_to_its_ending() -> None:
    issued = happened.OrderIssued(
        at=10.0, order="o-1", motion="motion-1", plant="smelter", name="set", parameters={"to": 5}, not_before=10.0,
        expires=20.0, unconfirmed=True,
    )  # fmt: skip
    after: list[happened.AnyEvent] = [
        happened.OrderConfirmed(at=11.0, order="o-1", seat=2),
        happened.OrderAnswered(at=12.0, order="o-1", state="accepted", said_at=12.0),
        happened.OrderEnded(at=13.0, order="o-1", motion="motion-1", ending="obeyed"),
    ]
    opened = happened.MotionOpened(
        at=9.0, motion="motion-1", seat=1, alarm="alarm-1", signal="smelter/heat", title="x", deadline=99.0, quorum=4, options=()
    )  # fmt: skip
    kept = tuple(Kept(n, "", "", one.at, {}, one) for n, one in enumerate([opened, issued, *after]))
    assert fates([Matter("motion-1", opened, 1, kept)]) == (
        "set at smelter (to 5); marked dangerous; confirmed by seat 2; taken; in the end obeyed",
    )


def test_minutes_of_a_rehearsal_and_of_a_drill_carry_the_band() -> None:
    assert mark_of("rehearsal-demo").startswith(REHEARSAL)
    assert mark_of("drill-demo").startswith(DRILL)
    assert mark_of("demo") == ""
