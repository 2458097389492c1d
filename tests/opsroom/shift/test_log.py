"""The shift log is signed and never changed; a hand-over tells what has changed since somebody left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import structlog

from opsroom import commands as ask
from opsroom.proof.keys import Keyring
from opsroom.room import events as happened
from opsroom.room.events import decode
from opsroom.room.news import LogProven
from opsroom.shift.entry import signed_bytes
from opsroom.shift.handover import handover, log_of
from opsroom.shift.scribe import Scribe
from opsroom.views.shift import HandoverView
from telex_ingest.proof import signed
from tests.opsroom.play import OPERATOR, PLANT_S, Play, kinds, only, people, seat

LOG = structlog.wrap_logger(structlog.ReturnLogger())


def told(play: Play, unit: str, since: float, taken: float | None = None) -> HandoverView:
    events = [decode(kind, 1, raw) for kind, raw in play.journal if kind not in ("room-founded", "effect-attributed")]
    return handover(play.room, events, unit, since, play.now, taken)


def test_an_entry_is_signed_by_the_room_over_its_writer_its_moment_and_its_words(tmp_path: Path) -> None:
    play = Play()
    keys = Keyring.open(tmp_path, play.room.id, play.now)
    scribe = Scribe(keys.sign_journal, LOG)
    events = play.ask(ask.WriteLog(unit="loom-1", text="  The belt was changed.  "), people("loom-1"))
    scribe.watch(play.room, events)
    (news,) = scribe.heard()
    assert kinds(play.hear(news)) == ["log-signed"]
    assert play.hear(news) == (), "one entry, one signature"
    entry = play.room.log["log-1"]
    assert (entry.text, entry.occupant) == ("The belt was changed.", "People of loom-1")
    assert signed(entry.key, signed_bytes(play.room.id, entry), entry.signature)
    for other in (msgspec.structs.replace(entry, text="Not so."), msgspec.structs.replace(entry, at=entry.at + 1)):
        assert not signed(entry.key, signed_bytes(play.room.id, other), entry.signature)
    assert not signed(entry.key, signed_bytes("another-room", entry), entry.signature)
    assert play.replayed() == play.room


def test_what_was_not_signed_before_the_room_went_down_is_signed_at_the_next_start(tmp_path: Path) -> None:
    play = Play()
    play.ask(ask.WriteLog(unit="loom-1", text="One."), people("loom-1"))
    scribe = Scribe(Keyring.open(tmp_path, play.room.id, play.now).sign_journal, LOG)
    scribe.take_up(play.replayed())
    assert [news.entry for news in scribe.heard()] == ["log-1"]


def test_an_entry_is_never_changed_and_a_correction_refers_to_it() -> None:
    play = Play()
    play.ask(ask.WriteLog(unit="loom-1", text="Forty bobbins."), people("loom-1"))
    play.ask(ask.WriteLog(unit="loom-1", text="Fourteen bobbins.", corrects="log-1"), people("loom-1"))
    first, second = log_of(play.room, "loom-1")
    assert (first.text, first.corrected_by, second.corrects) == ("Forty bobbins.", "log-2", "log-1")
    again = ask.WriteLog(unit="loom-1", text="Four.", corrects="log-1")
    assert play.refusal(again, people("loom-1")).code == "already-corrected"
    other = ask.WriteLog(unit="loom-2", text="Four.", corrects="log-1")
    assert play.refusal(other, people("loom-2")).code == "unknown-entry"
    assert play.refusal(ask.WriteLog(unit="loom-1", text="  "), OPERATOR).code == "reason-missing"
    assert play.refusal(ask.WriteLog(unit="loom-1", text="Mine."), people("loom-2")).code == "not-your-unit"
    forged = LogProven(entry="log-1", key="00", signature="00")
    play.hear(forged)
    assert play.hear(LogProven(entry="log-1", key="11", signature="11")) == ()


def test_a_hand_over_tells_what_has_changed_for_a_unit_and_what_stands(tmp_path: Path) -> None:
    play = Play()
    play.alarm("loom-2/output")
    play.ask(ask.TakeOver(unit="textiles"), people("textiles"))
    left = play.room.shifts[("unit-textiles", "textiles")]
    play.now += 60
    name = play.alarm("loom-1/heat")
    play.ask(ask.WriteLog(unit="loom-1", text="It smells of oil."), people("loom-1"))
    play.alarm("mill-1/output")
    play.wait(PLANT_S)
    view = told(play, "textiles", left + 1, left)
    parts: dict[str, Any] = {part.name: part.lines for part in view.parts}
    assert [line.about for line in parts["alarms opened"]] == [name], "neither what was before nor another's"
    assert {line.about for line in parts["alarms that climbed"]} == {"alarm-1", name}
    assert len([line for line in view.standing if line.about]) == 2
    assert [entry.text for entry in view.log] == ["It smells of oil."]
    assert view.taken_at == left
    everything = told(play, "total", 0.0)
    assert len({line.about for part in everything.parts if part.name == "alarms opened" for line in part.lines}) == 3


def test_who_takes_over_says_so_for_units_that_are_ones_own() -> None:
    play = Play()
    taken = only(happened.ShiftTaken, play.ask(ask.TakeOver(unit="total"), seat(2)))
    assert play.room.shifts[("seat-2", "total")] == taken.at
    assert play.refusal(ask.TakeOver(unit="nowhere"), seat(2)).code == "unknown-unit"
    assert play.refusal(ask.TakeOver(unit="mill-1"), people("loom-1")).code == "not-your-unit"
