"""Whoever was told of an alarm outside the wall hears once that it is back, and that it has come again."""

from __future__ import annotations

from opsroom import commands as ask
from opsroom.notices.back import KEPT_S
from opsroom.notices.channel import Channel
from opsroom.notices.message import mail, message, push
from opsroom.notices.notice_events import NoticeEnded, NoticeRaised
from opsroom.room.news import LeftAgain, NoticeTaken, Returned
from tests.opsroom.notices.test_raising import PASS_ON_S, taken, told
from tests.opsroom.play import HYSTERESIS_S, OPERATOR, Play, kinds, only


def returned(play: Play, alarm: str = "alarm-1") -> None:
    play.hear(Returned(alarm=alarm, at=play.now, value=60.0, readings=3))


def relapsed(play: Play, alarm: str = "alarm-1") -> list[str]:
    return kinds(play.hear(LeftAgain(alarm=alarm, at=play.now, value=40.0)))


def reached() -> Play:
    """An alarm of which Ada has taken a copy, then Ben; Ben twice."""
    play = told()
    play.alarm()
    taken(play, "notice-1", "ada")
    play.wait(PASS_ON_S)
    taken(play, "notice-1", "ben", turn=2)
    return play


def test_those_whose_channel_took_the_alarm_are_told_once_that_it_is_back() -> None:
    play = reached()
    returned(play)
    assert "notice-raised" not in kinds(play.wait(HYSTERESIS_S - 1)), "it may relapse"
    events = play.wait(1)
    raised = only(NoticeRaised, events)
    assert (raised.dedup, raised.back) == ("opsroom-x/alarm-1/back", True)
    notice = play.room.notices[raised.notice]
    assert notice.pending() == ((1, "ada"), (2, "ben"))
    assert taken(play, notice.id, "ada") == ["notice-delivered"]
    assert taken(play, notice.id, "ben", turn=2) == ["notice-delivered"]
    assert play.room.notices[notice.id].over()
    assert "notice-raised" not in kinds(play.wait(5 * HYSTERESIS_S)), "once"
    assert "notice-raised" not in kinds(play.ask(ask.AcknowledgeAlarm(alarm="alarm-1"), OPERATOR))
    assert play.room.alarms["alarm-1"].closed_at is not None
    assert play.replayed() == play.room


def test_it_is_told_in_words_that_ask_for_nothing() -> None:
    play = reached()
    returned(play)
    raised = only(NoticeRaised, play.wait(HYSTERESIS_S))
    said = message("opsroom-x", play.room.notices[raised.notice], 1, "https://room")
    assert (said.state, said.key) == ("back", "opsroom-x/alarm-1/back")
    letter = mail(Channel(name="ada", kind="mail", sender="room@example.org", to=("ada@example.org",)), said)
    assert str(letter["Subject"]).startswith("[back to normal] ")
    assert "Back to normal since" in letter.get_content()
    assert "so that the next" not in letter.get_content()
    request = push(Channel(name="ada", kind="push", url="https://push"), said, "")
    assert (request.headers["Priority"], request.headers["Tags"]) == ("2", "white_check_mark")


def test_an_alarm_that_is_acknowledged_is_told_to_be_back_when_it_closes_and_not_twice() -> None:
    play = reached()
    play.ask(ask.AcknowledgeAlarm(alarm="alarm-1"), OPERATOR)
    returned(play)
    events = play.wait(HYSTERESIS_S)
    assert play.room.alarms["alarm-1"].closed_at is not None
    only(NoticeRaised, events)


def test_who_was_not_reached_is_not_told_that_it_is_back() -> None:
    play = told()
    play.alarm()
    taken(play, "notice-1", "ada", reason="no route")
    returned(play)
    assert "notice-raised" not in kinds(play.wait(2 * HYSTERESIS_S))


def test_who_is_reached_after_the_end_is_told_that_too() -> None:
    play = told()
    play.alarm()
    play.ask(ask.AcknowledgeAlarm(alarm="alarm-1"), OPERATOR)
    returned(play)
    play.wait(HYSTERESIS_S)
    assert play.room.alarms["alarm-1"].closed_at is not None
    assert taken(play, "notice-1", "ada") == ["notice-delivered", "notice-raised", "notice-addressed"]


def test_a_relapse_within_the_hysteresis_is_no_news_and_the_notice_goes_on_to_the_next() -> None:
    play = told()
    play.alarm()
    taken(play, "notice-1", "ada")
    returned(play)
    assert play.room.notices["notice-1"].over()
    play.wait(HYSTERESIS_S / 2)
    assert relapsed(play) == ["alarm-relapsed", "notice-addressed"]
    assert play.room.notices["notice-1"].pending() == ((2, "ben"),)
    assert play.replayed() == play.room


def test_a_relapse_after_it_was_told_back_is_told_again_and_so_is_its_end() -> None:
    play = reached()
    returned(play)
    play.wait(HYSTERESIS_S)
    taken(play, "notice-2", "ada")
    events = relapsed(play)
    assert events[:3] == ["alarm-relapsed", "notice-ended", "notice-raised"], (
        "Ben is not told any more that it was back"
    )
    again = play.room.notices["notice-3"]
    assert (again.dedup, again.pending()) == ("opsroom-x/alarm-1/0/again-1", ((1, "ada"),))
    taken(play, "notice-3", "ada")
    returned(play)
    raised = only(NoticeRaised, play.wait(HYSTERESIS_S))
    assert raised.dedup == "opsroom-x/alarm-1/back-2"
    assert play.room.notices[raised.notice].pending() == ((1, "ada"),), "Ben was not told again"
    assert play.replayed() == play.room


def test_a_channel_that_never_takes_it_is_let_go_after_a_day() -> None:
    play = reached()
    returned(play)
    raised = only(NoticeRaised, play.wait(HYSTERESIS_S))
    play.hear(NoticeTaken(notice=raised.notice, turn=1, channel="ada", reason="no route"))
    ended = [event for event in play.wait(KEPT_S) if isinstance(event, NoticeEnded)]
    assert [event.notice for event in ended] == [raised.notice]
    assert play.room.notices[raised.notice].pending() == ()
