"""Who is told what outside the wall, until somebody looks; what was not taken stays in the room."""

from __future__ import annotations

from typing import Any

from opsroom import commands as ask
from opsroom.notices.notice_events import NoticeAddressed, NoticeEnded, NoticeRaised
from opsroom.notices.rota import Duty, NoticeRules, hours, on_duty, turn_order
from opsroom.room.news import NoticeTaken, Returned
from opsroom.showing.alarm_rows import notice_view
from opsroom.showing.show import alarm_view
from tests.opsroom.play import OPERATOR, PLANT_S, START, Play, charter, kinds, only, people, verdict

ADA, BEN, EVE = (Duty(who=who, channels=(who.lower(),)) for who in ("Ada", "Ben", "Eve"))
PASS_ON_S = 120.0


def told(*rota: Duty, **changes: Any) -> Play:
    return Play(rules=charter(notices=NoticeRules(rota=rota or (ADA, BEN), pass_on_s=PASS_ON_S, **changes)))


def taken(play: Play, notice: str, channel: str, turn: int = 1, reason: str = "") -> list[str]:
    return kinds(play.hear(NoticeTaken(notice=notice, turn=turn, channel=channel, reason=reason)))


def test_an_alarm_is_told_to_the_first_on_duty_with_a_key_that_tells_copies_apart() -> None:
    play = told()
    events = play.hear(verdict())
    raised, first = only(NoticeRaised, events), only(NoticeAddressed, events)
    assert raised.dedup == "opsroom-x/alarm-1/0"
    assert (first.who, first.channels, first.turn) == ("Ada", ("ada",), 1)
    assert play.room.notices[raised.notice].pending() == ((1, "ada"),)


def test_without_a_rota_or_below_the_priority_nobody_is_told() -> None:
    for play in (Play(), told(priority="high")):
        play.alarm()
        assert not play.room.notices


def test_when_nobody_looks_the_next_is_told_and_round_again_until_the_turns_are_over() -> None:
    play = told(turns=3)
    play.alarm()
    who = [only(NoticeAddressed, play.wait(PASS_ON_S)).who for _ in range(2)]
    assert who == ["Ben", "Ada"]
    assert "nobody has looked" in only(NoticeEnded, play.wait(PASS_ON_S)).reason


def test_to_acknowledge_or_to_open_the_alarm_is_to_have_looked() -> None:
    for command in (ask.AcknowledgeAlarm, ask.LookAtAlarm):
        play = told()
        alarm = play.alarm()
        assert "notice-seen" in kinds(play.ask(command(alarm=alarm), people("loom-1")))
        assert play.wait(PASS_ON_S) == ()
        (notice,) = play.room.notices.values()
        assert (notice.seen_by, notice.pending()) == ("People of loom-1", ())
        assert alarm_view(play.room, alarm).told == "seen by People of loom-1"
        assert play.ask(ask.LookAtAlarm(alarm=alarm), OPERATOR) == ()


def test_a_climb_is_told_anew_with_a_key_of_its_own_and_a_recovery_ends_it() -> None:
    play = told(Duty(who="Ada", channels=("ada",)), turns=99)
    alarm = play.alarm()
    play.wait(PLANT_S)
    older, newer = sorted(play.room.notices.values(), key=lambda one: one.raised_at)
    assert (older.dedup, newer.dedup) == ("opsroom-x/alarm-1/0", "opsroom-x/alarm-1/1")
    assert older.over()
    play.hear(Returned(alarm=alarm, at=play.now, value=60.0, readings=3))
    assert play.room.notices[newer.id].over()


def test_what_was_not_taken_stays_pending_and_only_a_new_reason_is_news() -> None:
    play = told()
    play.alarm()
    (notice,) = play.room.notices
    assert taken(play, notice, "ada", reason="no route") == ["notice-failed"]
    assert taken(play, notice, "ada", reason="no route") == []
    assert taken(play, notice, "ada", reason="refused") == ["notice-failed"]
    assert play.room.notices[notice].pending() == ((1, "ada"),)
    assert notice_view(play.room.notices[notice]).deliveries[0].reason == "refused"
    assert "cannot reach Ada: refused" in alarm_view(play.room, "alarm-1").told
    assert taken(play, notice, "ada") == ["notice-delivered"]
    assert taken(play, notice, "ada") == [], "a second copy of the same news is nothing"
    assert taken(play, notice, "nobody", turn=7) == []
    assert play.room.notices[notice].pending() == ()


def test_nobody_on_duty_is_said_and_looked_at_again() -> None:
    sunday = Duty(who="Ada", channels=("ada",), hours=(hours("sun 08:00-09:00"),))
    play = told(sunday)
    addressed = only(NoticeAddressed, play.hear(verdict()))
    assert (addressed.who, addressed.channels) == ("", ())
    assert alarm_view(play.room, "alarm-1").told == "nobody is on duty"
    assert kinds(play.wait(PASS_ON_S)) == ["notice-addressed"]


def test_the_people_of_the_unit_are_told_before_those_above_it() -> None:
    above, own = Duty(who="Above", channels=("a",), unit="textiles"), Duty(who="Own", channels=("o",), unit="loom-1")
    path = ("loom-1", "textiles", "total")
    assert [duty.who for duty in turn_order((ADA, above, own), path, START)] == ["Own", "Above", "Ada"]
    assert [duty.who for duty in turn_order((above, own), ("mill-1", "total"), START)] == []


def test_hours_are_those_on_the_wall_of_their_zone_also_where_the_clock_changes() -> None:
    night = Duty(who="Ada", channels=("a",), zone="Europe/Madrid", hours=(hours("22:00-06:00"),))
    at = 1_774_749_600.0  # 2026-03-29 02:00 UTC: the clock in Madrid has just gone from 2 to 3 and shows 4
    assert on_duty(night, at)
    assert on_duty(night, at + 3600.0)
    assert not on_duty(night, at + 2 * 3600.0), "six o'clock comes an hour sooner that night"


def test_a_replayed_room_owes_the_same_notices() -> None:
    play = told()
    play.alarm()
    play.wait(PASS_ON_S)
    again = play.replayed()
    assert again == play.room
    assert [one.pending() for one in again.notices.values()] == [((1, "ada"), (2, "ben"))]
