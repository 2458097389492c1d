"""The system in focus: every unit in one word, and nobody above is coloured by what is still the plant's own affair."""

from __future__ import annotations

from opsroom import commands as ask
from opsroom.recursion.focus import units
from opsroom.room.news import PlantBorn, PlantDied, PlantSilent, Returned
from tests.opsroom.play import OPERATOR, PLANT_S, START, Play, birth


def words(play: Play, *suspected: str) -> dict[str, str]:
    return {row.id: row.state for row in units(play.room, suspected)}


def test_an_alarm_colours_its_plant_alone_until_it_has_climbed() -> None:
    play = Play()
    assert set(words(play).values()) == {"calm"}
    name = play.alarm()
    assert words(play) == {"total": "calm", "textiles": "calm", "loom-1": "alarm", "loom-2": "calm", "mill-1": "calm"}
    play.wait(PLANT_S)
    assert words(play)["textiles"] == "called"
    assert words(play)["total"] == "calm"
    assert {row.id: row.alarms for row in units(play.room)}["textiles"] == 1
    play.hear(Returned(alarm=name, at=play.now, value=60.0, readings=3))
    assert set(words(play).values()) == {"calm"}


def test_suspicion_silence_farewell_stop_and_the_unborn_have_words_of_their_own() -> None:
    play = Play("loom-1", "loom-2")
    assert words(play)["mill-1"] == "unknown"
    assert words(play, "loom-1/output")["loom-1"] == "suspected"
    play.hear(PlantSilent(plant="loom-1", since=START))
    assert words(play, "loom-1/output")["loom-1"] == "silent"
    play.hear(PlantDied(plant="loom-2"))
    assert words(play)["loom-2"] == "silent"
    play.hear(PlantBorn(birth=birth("mill-1")))
    play.ask(ask.PlanStop(unit="mill-1", start=play.now, end=play.now + 60, reason="x"), OPERATOR)
    play.wait(0)
    play.alarm("mill-1/output")
    assert words(play)["mill-1"] == "stopped"


def test_a_stop_of_a_unit_above_stops_all_below_it_and_nobody_beside() -> None:
    play = Play()
    play.ask(ask.PlanStop(unit="textiles", start=play.now, end=play.now + 60, reason="x"), OPERATOR)
    play.wait(0)
    stopped = {"textiles", "loom-1", "loom-2"}
    assert {name for name, state in words(play).items() if state == "stopped"} == stopped


def test_rows_follow_the_tree() -> None:
    play = Play("loom-1", "forge-9")
    rows = {row.id: row for row in units(play.room, last_at={"loom-1": 5.0})}
    assert list(rows) == ["total", "textiles", "loom-1", "loom-2", "mill-1", "forge-9"]
    assert rows["total"].children == ("textiles", "mill-1", "forge-9")
    assert (rows["loom-1"].last_at, rows["loom-1"].signals, rows["loom-1"].parent) == (5.0, 3, "textiles")
