"""More time by consent, signals out of service, alarms that latch, clocks that jump: what is promised about an alarm's time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from opsroom import commands as ask
from opsroom.alarms.alarm import state
from opsroom.alarms.laid_out import REVIEW_S
from opsroom.alarms.rationale import Rationale
from opsroom.clock import SystemClock
from opsroom.recursion.recursion import CouncilRules
from opsroom.room import events as happened
from opsroom.room.news import Returned, Tick
from opsroom.room.room import newborn
from opsroom.showing.show import alarm_view
from tests.opsroom.play import (
    HYSTERESIS_S,
    OPERATOR,
    PLANT_S,
    SECTOR_S,
    START,
    Play,
    charter,
    kinds,
    only,
    people,
    seat,
)

MORE = ask.AskForTime(alarm="alarm-1", minutes=15, reason="the fitter is on his way")
YES = ask.AnswerTime(alarm="alarm-1", accept=True, reason="good")


def back(play: Play, alarm: str) -> list[str]:
    return kinds(play.hear(Returned(alarm=alarm, at=play.now, value=60.0, readings=3)))


def test_the_next_level_consents_to_more_time_and_the_clock_runs_on_until_it_does() -> None:
    play = Play()
    name = play.alarm()
    deadline = play.room.alarms[name].deadline
    play.ask(MORE, people("loom-1"))
    assert play.room.alarms[name].deadline == deadline
    assert alarm_view(play.room, name).asked_of == "textiles"
    assert play.refusal(YES, people("total")).code == "not-your-unit"
    assert play.refusal(YES, people("loom-1")).code == "not-your-unit"
    granted = only(happened.TimeGranted, play.ask(YES, people("textiles")))
    assert granted.deadline == deadline + 900.0
    assert play.wait(PLANT_S + 899.0) == ()
    assert kinds(play.wait(1.0)) == ["alarm-climbed"]


def test_silence_gives_no_time() -> None:
    play = Play()
    name = play.alarm()
    play.ask(MORE, people("loom-1"))
    assert kinds(play.wait(PLANT_S)) == ["alarm-climbed"]
    assert play.room.alarms[name].asked is None
    assert play.refusal(YES, people("textiles")).code == "nothing-asked"


def test_time_is_asked_for_by_the_unit_where_it_stands_within_bounds_and_not_for_ever() -> None:
    play = Play()
    play.alarm()
    assert play.refusal(MORE, people("textiles")).code == "not-your-alarm"
    for minutes in (0.0, -1.0, 1e9, float("nan")):
        assert play.refusal(ask.AskForTime(alarm="alarm-1", minutes=minutes, reason="x"), people("loom-1")).code == (
            "bad-duration"
        )
    for _ in range(play.room.charter.alarms.extensions):
        play.ask(MORE, people("loom-1"))
        play.ask(YES, OPERATOR)
    assert play.refusal(MORE, people("loom-1")).code == "too-often"
    refused = ask.AnswerTime(alarm="alarm-1", accept=False)
    assert play.refusal(refused, OPERATOR).code == "nothing-asked"


def test_where_the_council_is_asked_a_seat_answers() -> None:
    play = Play()
    play.alarm()
    play.ask(MORE, people("loom-1"))
    assert kinds(play.ask(YES, seat(4))) == ["time-granted"]


def test_an_alarm_that_latches_stays_until_somebody_resets_it() -> None:
    play = Play(rules=charter(rationales=(Rationale(signal="loom-1/*", latched=True, respond_s=60.0),)))
    name = play.alarm()
    assert play.room.alarms[name].priority == "medium"
    assert play.refusal(ask.ResetAlarm(alarm=name), OPERATOR).code == "nothing-to-reset"
    back(play, name)
    assert state(play.room.alarms[name]) == "latched"
    play.ask(ask.AcknowledgeAlarm(alarm=name), people("loom-1"))
    assert play.wait(100 * HYSTERESIS_S) == (), "neither time nor being seen lets it go"
    assert kinds(play.ask(ask.ResetAlarm(alarm=name), people("loom-1"))) == ["alarm-reset", "alarm-closed"]


def test_a_signal_out_of_service_is_quiet_and_what_opens_meanwhile_speaks_afterwards() -> None:
    play = Play()
    play.ask(ask.TakeOut(signal="loom-1/output", until=play.now + 600, reason="new scale"), people("loom-1"))
    name = play.alarm()
    assert (state(play.room.alarms[name]), play.room.alarms[name].deadline) == ("out-of-service", None)
    assert play.refusal(ask.AcknowledgeAlarm(alarm=name), OPERATOR).code == "alarm-out-of-service"
    assert kinds(play.wait(600)) == ["service-restored", "alarm-released"]
    assert kinds(play.wait(PLANT_S)) == ["alarm-climbed"], "it has its whole time afterwards"


def test_work_on_an_instrument_hides_no_open_alarm_but_the_operator_may_and_its_clock_is_kept() -> None:
    play = Play()
    name = play.alarm()
    take = ask.TakeOut(signal="loom-1/output", until=play.now + 7200, reason="it lies")
    assert play.refusal(take, people("loom-1")).code == "alarm-open"
    play.wait(PLANT_S - 100)
    play.ask(take, OPERATOR)
    assert play.refusal(take, OPERATOR).code == "already-aside"
    play.wait(3000)
    play.ask(ask.BringBack(service="service-1"), people("loom-1"))
    assert kinds(play.wait(99)) == []
    assert kinds(play.wait(1)) == ["alarm-climbed"]
    assert play.room.alarms[name].at_unit == "textiles"


def test_what_is_to_be_looked_at_again_is_asked_about_every_day_and_comes_back_by_nobody_but_people() -> None:
    play = Play()
    until = play.now + 600
    play.ask(ask.TakeOut(signal="loom-1", until=until, reason="moved", returns=False), OPERATOR)
    assert kinds(play.wait(600)) == ["service-review-due"]
    assert kinds(play.wait(REVIEW_S)) == ["service-review-due"]
    assert kinds(play.ask(ask.BringBack(service="service-1"), OPERATOR)) == ["service-restored"]
    assert play.refusal(ask.BringBack(service="service-1"), OPERATOR).code == "unknown-service"


def test_what_an_alarm_means_changes_by_consent_alone() -> None:
    play = Play()
    wanted = ask.ProposeRationale(
        signal="loom-1/output", consequence="severe", means="no cloth", response="call the fitter", respond_minutes=3, owner="Ada"
    )  # fmt: skip
    name = only(happened.RationaleProposed, play.ask(wanted, seat(1))).proposal
    assert play.refusal(ask.AnswerRationale(proposal=name, accept=True), OPERATOR).code == "own-proposal"
    assert play.refusal(ask.AnswerRationale(proposal=name, accept=True), people("textiles")).code == "not-your-unit"
    play.ask(ask.AnswerRationale(proposal=name, accept=True), people("loom-1"))
    alarm = play.alarm()
    assert play.room.alarms[alarm].priority == "high"
    shown = alarm_view(play.room, alarm).meaning
    assert shown is not None
    assert (shown.response, shown.owner, shown.agreed) == ("call the fitter", "Ada", True)
    for signal, code in (("*/output", "unknown-plant"), ("loom-1/nothing", "unknown-signal")):
        other = ask.ProposeRationale(
            signal=signal, consequence="minor", means="m", response="r", respond_minutes=3, owner="o"
        )
        assert play.refusal(other, seat(1)).code == code


# ---- clocks of the machine

HOUR = 3600.0
WALLS = {
    "steps forward by five hours": (5 * HOUR, 60.0),
    "steps back by five hours": (-5 * HOUR, 60.0),
    "slept for two days": (2 * 86_400.0, 0.0),
}


@pytest.mark.parametrize("how", WALLS)
def test_a_machine_whose_clock_jumps_loses_no_escalation_and_doubles_none(how: str) -> None:
    jump, steady_step = WALLS[how]
    wall, steady = [START], [0.0]

    def winding() -> Iterator[float]:
        for minute in range(400):
            wall[0] += 60.0
            steady[0] += 60.0
            if minute == 5:
                wall[0] += jump
                steady[0] += steady_step
            yield clock.now()

    clock = SystemClock(0.0, lambda: wall[0], lambda: steady[0])
    play = Play()
    play.now = clock.now()
    name = play.alarm()
    arrived = {"loom-1": play.now}
    for number, now in enumerate(winding()):
        assert now >= play.now, "the room's clock never goes back"
        play.now = now
        for event in play.hear(Tick(at=now)):
            if isinstance(event, happened.AlarmClimbed):
                own = {"loom-1": PLANT_S, "textiles": SECTOR_S}[event.source]
                assert now - arrived[event.source] >= own, "nobody's time is cut short"
                assert event.target not in arrived, "an escalation was doubled"
                arrived[event.target] = now
        if number % 50 == 7:
            again = play.replayed(newborn("opsroom-x", play.charter))
            assert again == play.room
            play.room = again  # a restart in between changes nothing
            clock = SystemClock(play.now, lambda: wall[0], lambda: steady[0])
    assert set(arrived) == {"loom-1", "textiles", "total"}
    assert play.room.alarms[name].at_unit == "total"


def test_a_seat_consents_to_more_time_only_where_the_council_is_asked() -> None:
    play = Play(rules=charter(council=CouncilRules(unit="total")))
    play.alarm()
    play.ask(MORE, people("loom-1"))
    assert play.refusal(YES, seat(1)).code == "not-your-role", "the company is asked, and the council sits above it"
    play.ask(YES, people("textiles"))


def test_a_level_that_an_alarm_comes_to_has_not_seen_it_and_has_all_its_time_before_it() -> None:
    play = Play()
    name = play.alarm()
    for _ in range(play.charter.alarms.extensions):
        play.ask(MORE, people("loom-1"))
        play.ask(YES, people("textiles"))
    play.ask(ask.AcknowledgeAlarm(alarm=name), people("loom-1"))
    assert play.refusal(MORE, people("loom-1")).code == "too-often"
    play.ask(ask.CallEarly(alarm=name, reason="we cannot"), people("loom-1"))
    alarm = play.room.alarms[name]
    assert (alarm.acknowledged_at, alarm.acknowledged_by, alarm_view(play.room, name).acknowledged_by) == (None, "", "")
    play.ask(MORE, people("textiles"))
    play.ask(YES, people("total"))
    assert play.room.alarms[name].extended == 1
    assert play.replayed() == play.room
