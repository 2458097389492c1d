"""Times that no calendar has: a command that names one is refused, and a journal that holds one opens and is shown."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec
import pytest

from opsroom import commands as ask
from opsroom.loop.hall import JOURNAL
from opsroom.minutes.page import page
from opsroom.minutes.writing import written
from opsroom.recursion import sights
from opsroom.recursion.wire_answers import asked as asked_of_plants
from opsroom.room.events import AnyEvent
from opsroom.room.room import evolve
from opsroom.showing import show, unit_rows
from opsroom.showing.ticker import ticker
from opsroom.views import Viewer
from telex_ingest.plant_link import PlantLink
from tests.opsroom.play import OPERATOR, START, Play, people, seat
from tests.opsroom.rooms import MILL, make_folder, served

FAR = (1.8e12, -1e18, 1e300)
"""What JSON can carry."""

WORSE = (*FAR, math.nan, math.inf, -math.inf)

LOOM = "loom-1/output"
SEAT = Viewer(role="seat", seat=1)


def sight_motion(until: float) -> ask.OpenMotion:
    terms = ask.ProposedSight(unit="loom-1", purpose="to see", until=until)
    return ask.OpenMotion(title="See it", options=(ask.ProposedOption(title="Look", terms=(terms,)),))


def figures_motion(seconds: float) -> ask.OpenMotion:
    terms = ask.ProposedFigures(signal=LOOM, recovery_s=seconds)
    return ask.OpenMotion(title="More time", options=(ask.ProposedOption(title="Do", terms=(terms,)),))


@pytest.mark.parametrize("far", WORSE)
def test_no_command_takes_a_time_beyond_all_reason_and_the_room_goes_on(far: float) -> None:
    play = Play()
    alarm = play.arrived()
    motion = play.motion(alarm)
    loom = people("loom-1")
    for command, actor in (
        (ask.AskForSight(unit="loom-1", purpose="to see", until=far), seat(1)),
        (ask.GrantSight(to="total", purpose="to see", until=far), loom),
        (sight_motion(far), seat(1)),
        (figures_motion(far), seat(1)),
        (ask.ProposeAgreement(signal=LOOM, recovery_s=far, reason="so"), loom),
        (ask.AskProbe(signal=LOOM, start=far, end=far + 60.0, purpose="to see"), seat(1)),
        (ask.AskProbe(signal=LOOM, start=START - 60.0, end=far, purpose="to see"), seat(1)),
        (ask.AskProbe(signal=LOOM, start=far, end=START, purpose="to see"), seat(1)),
        (ask.AskProbe(signal=LOOM, start=1.7e12, end=1.7e12 + 60.0, purpose="to see"), seat(1)),
        (ask.PlanStop(unit="loom-1", start=far, end=far + 60.0, reason="rest"), loom),
        (ask.PlanStop(unit="loom-1", start=START, end=far, reason="rest"), loom),
        (ask.PlanStop(unit="loom-1", start=far, end=START + 3600.0, reason="rest"), loom),
        (ask.PlanStop(unit="loom-1", start=1.8e12, end=1.8e12 + 3600.0, reason="rest"), loom),
        (ask.ProposeAccord(parties=("loom-1", "loom-2"), subject="power", words="half", until=far), OPERATOR),
        (ask.TakeOut(signal=LOOM, until=far, reason="calibration"), OPERATOR),
        (ask.ShelveAlarm(alarm=alarm, minutes=far, reason="later"), OPERATOR),
        (ask.AskForTime(alarm=alarm, minutes=far, reason="later"), loom),
        (ask.NameSubstitute(substitute=2, minutes=far), seat(1)),
        (
            ask.ProposeRationale(
                signal=LOOM, consequence="minor", means="a", response="b", respond_minutes=far, owner="c", reason="d"
            ),
            loom,
        ),
        (msgspec.structs.replace(sight_motion(START + 7200.0), more_time_s=far), seat(1)),
        (
            ask.Speak(
                motion=motion,
                stance="for",
                text="look",
                cites=(ask.Citation(kind="readings", signal=LOOM, start=min(far, START), end=max(far, START)),),
            ),
            seat(2),
        ),
    ):
        refused = play.refusal(command, actor)
        assert refused.code
        assert refused.cure, command
        assert refused.code not in ("not-your-role", "unknown-signal", "reason-missing"), (command, refused)
    play.wait(60.0)
    assert show.motions(play.room, SEAT)


def test_moments_that_can_be_are_taken() -> None:
    play = Play()
    play.ask(ask.AskForSight(unit="loom-1", purpose="to see", until=START + 86_400.0), seat(1))
    play.ask(ask.AskProbe(signal=LOOM, start=START - 3600.0, end=START, purpose="to see"), seat(1))
    play.ask(ask.PlanStop(unit="loom-1", start=START + 60.0, end=START + 3600.0, reason="rest"), people("loom-1"))
    play.ask(ask.ProposeAgreement(signal=LOOM, recovery_s=86_400.0, reason="so"), people("loom-1"))
    assert (len(play.room.requests), len(play.room.probes), len(play.room.stops)) == (1, 1, 1)


def older(event: AnyEvent, far: float) -> AnyEvent:
    """The event as an older journal may hold it: with a time that the room took then."""
    for name in ("until", "start", "end"):
        if getattr(event, name, None) is not None:
            event = msgspec.structs.replace(event, **{name: far})
    sights = getattr(event, "sights", None)
    return (
        event if sights is None else msgspec.structs.replace(event, sights=msgspec.structs.replace(sights, until=far))
    )


@pytest.mark.parametrize("far", FAR)
def test_a_kept_event_with_such_a_time_is_shown_told_and_noticed(far: float) -> None:
    play = Play()
    kept: list[AnyEvent] = []
    for command, actor in (
        (ask.AskForSight(unit="loom-1", purpose="to see", until=START + 7200.0), seat(1)),
        (ask.GrantSight(to="total", purpose="to see", until=START + 7200.0), people("loom-1")),
        (ask.AskProbe(signal=LOOM, start=START - 3600.0, end=START, purpose="to see"), seat(1)),
        (ask.PlanStop(unit="loom-2", start=START + 60.0, end=START + 3600.0, reason="rest"), OPERATOR),
    ):
        before = play.room
        events = tuple(older(event, far) for event in play.ask(command, actor))
        play.room = evolve(before, events)
        kept += events
    for event in kept:
        assert ticker(play.room, event).text
    assert show.stops(play.room, Viewer(role="operator"))
    assert unit_rows.waiting(play.room, Viewer(role="unit", unit="loom-1"))
    assert asked_of_plants(play.room, kept)
    play.wait(60.0)


@pytest.mark.parametrize("far", [1.8e12, 1e300])
async def test_a_room_whose_journal_holds_such_a_motion_opens_shows_it_and_writes_its_minutes(
    far: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_folder(tmp_path / "room")
    terms = {"about": "sight", "unit": "mill-1", "purpose": "x", "until": far}
    motion = {"title": "See it", "alarms": [], "options": [{"title": "Look", "terms": [terms]}]}
    with monkeypatch.context() as before:
        before.setattr(sights, "within", lambda *_: True)  # as rooms did
        async with served(folder) as room:
            people_of = room.passphrases
            token = room.hall.links.add("mill", ["mill-1"])
            async with PlantLink(room.telex, "mill", token, [MILL]) as link:
                assert await link.connected(60)
                async with room.person("seat-1") as client:
                    for command in (
                        {"command": "open-motion"} | motion,
                        {"command": "ask-for-sight", "unit": "mill-1", "purpose": "x", "until": far},
                    ):
                        body = {"command": command, "key": command["command"]}
                        answer = await client.post("/api/commands", json=body)
                        assert answer.status_code == 200, answer.text
                    assert (await client.get("/api/snapshot")).status_code == 200
            assert room.hall.failure is None
    async with served(folder, passphrases=people_of) as room, room.person("seat-1") as client:
        shown = await client.get("/api/snapshot")
        assert shown.status_code == 200, shown.text
        assert "31 Dec 9999" in shown.text
        assert (await client.get("/api/motions/motion-1")).status_code == 200
    assert "31 Dec 9999" in page(written(folder / JOURNAL))


async def test_a_served_room_refuses_them_and_answers_afterwards(tmp_path: Path) -> None:
    async with served(make_folder(tmp_path / "room")) as room:
        token = room.hall.links.add("mill", ["mill-1"])
        async with PlantLink(room.telex, "mill", token, [MILL]) as link:
            assert await link.connected(60)
            async with room.person("seat-1") as client:
                for number, far in enumerate(FAR):
                    for place, command in enumerate(
                        (
                            {"command": "ask-for-sight", "unit": "mill-1", "purpose": "x", "until": far},
                            {
                                "command": "ask-probe",
                                "signal": "mill-1/output",
                                "start": far,
                                "end": 2 * far,
                                "purpose": "x",
                            },
                            {"command": "name-substitute", "substitute": 2, "minutes": far},
                        )
                    ):
                        body = {"command": command, "key": f"key-{number}-{place}"}
                        answer = await client.post("/api/commands", json=body)
                        assert 400 <= answer.status_code < 500, answer.text
                        assert answer.json()["code"] not in ("unknown-plant", "unknown-signal"), answer.text
                assert (await client.get("/api/snapshot")).status_code == 200
        assert room.hall.failure is None
