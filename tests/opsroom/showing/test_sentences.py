"""Plain English: figures with units, no false certainty, moments that cannot be mistaken."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from opsroom.recursion.focus import title_of
from opsroom.showing.sentences import figure, lasting, moment, percent, signal_title, surely
from opsroom.showing.show import alarm_view
from tests.opsroom.play import PLANT_S, START, Play, verdict


@given(st.floats(0, 1))
def test_no_probability_is_told_as_certain(probability: float) -> None:
    assert percent(probability) not in ("100 %", "0 %")
    assert percent(probability) in surely(probability)


@given(st.floats(0.1, 1), st.floats(0.1, 1))
def test_more_probable_is_never_told_in_a_weaker_word(one: float, other: float) -> None:
    words = ["very unlikely", "unlikely", "about as likely as not", "likely", "very likely", "almost certain"]
    low, high = sorted((one, other))
    assert words.index(surely(low).partition(" (")[0]) <= words.index(surely(high).partition(" (")[0])


@given(st.floats(-1e9, 1e9))
def test_a_figure_is_told_within_half_a_percent(value: float) -> None:
    told = float(figure(value))
    assert abs(told - value) <= max(0.006 * abs(value), 1e-12)


def test_a_figure_that_is_none_is_not_told_as_zero() -> None:
    assert figure(float("nan"), "t") == "unknown t"
    assert figure(0.0, "t") == "0 t"


def test_lengths_of_time_have_two_units_at_most() -> None:
    assert [lasting(seconds) for seconds in (0, -5, 61, 3660, 86_400, 90_000, 200_000)] == [
        "0 s",
        "0 s",
        "1 min 1 s",
        "1 h 1 min",
        "1 d",
        "1 d 1 h",
        "2 d 7 h",
    ]


def test_a_moment_of_another_day_has_its_date() -> None:
    assert moment(START, START + 60) == "22:13 UTC"
    assert moment(START, START + 86_400) == "2023-11-14 22:13 UTC"


def test_titles_fall_back_to_ids() -> None:
    room = Play("loom-1").room
    assert signal_title(room, "loom-1/output") == "Output of Loom 1"
    assert signal_title(room, "nowhere/output") == "nowhere/output"
    assert signal_title(room, "loom-1") == "Loom 1"
    assert title_of(room, "nowhere") == "nowhere"


def test_a_slope_is_told_by_its_own_speed_and_never_against_its_direction() -> None:
    play = Play()
    play.hear(verdict("loom-1/heat", "slope", "up", size=-0.6, slope=0.2, level=70.0))
    assert "has been rising by about 0.2 °C a reading to about 70 °C" in alarm_view(play.room, "alarm-1").sentence
    play.hear(verdict("loom-2/heat", "slope", "down", size=-0.6, slope=0.2, level=70.0))
    told = alarm_view(play.room, "alarm-2").sentence
    assert "has been falling to about 70 °C" in told
    assert "0.2" not in told
    play = Play()
    play.hear(verdict("loom-1/heat", "slope", "up", size=0.9, slope=0.2, speed=0.8, level=75.0))
    assert "has been rising by about 0.8 °C a reading to about 75 °C" in alarm_view(play.room, "alarm-1").sentence


def test_at_the_root_the_next_reminder_is_told() -> None:
    play = Play()
    name = play.alarm("mill-1/output")
    play.wait(PLANT_S)
    assert "the next reminder comes at" in alarm_view(play.room, name).sentence
