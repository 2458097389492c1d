"""When a plant is silent, when it has left, and when nobody may say so."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from telex_ingest.heard import (
    PlantDied,
    PlantSilent,
    PlantSpeaks,
)
from telex_ingest.telex import (
    Death,
    PlantBirth,
    SignalBirth,
)
from tests.telex_ingest.conftest import NOON, birth
from tests.telex_ingest.session_line import Line, telex


def test_a_plant_that_stops_talking_is_silent_once_and_speaks_again() -> None:
    line = Line(silence_periods=5.0, silence_floor_s=2.0)
    link = line.born()
    line.says(link, telexes=[telex(1)])
    assert line.tick(4.9) == []
    assert line.tick(0.2) == [PlantSilent("mill-1", NOON, line.now)]
    assert line.tick(100.0) == []
    assert line.says(link, births=[birth()])[-1:] != [], "a birth is no figure"
    assert line.session.line().plants["mill-1"].state == "silent"
    heard = line.says(link, telexes=[telex(2)])
    assert heard[0] == PlantSpeaks("mill-1", NOON, line.now)


def test_a_plant_that_waits_for_a_missing_number_is_not_silent_while_it_goes_on_talking() -> None:
    line = Line(silence_periods=5.0, silence_floor_s=2.0, gap_s=30.0)
    link = line.born()
    line.says(link, telexes=[telex(1)])
    for seq in range(3, 10):
        assert line.tick(4.0) == []
        line.says(link, telexes=[telex(seq)])
        row = line.session.line().plants["mill-1"]
        assert (row.state, row.heard_at, row.heard) == ("speaking", line.now, 1)
    said = line.now
    assert line.tick(5.1) == [PlantSilent("mill-1", said, line.now)], "now it talks no more"


def test_silence_goes_by_the_pace_that_a_replay_declares() -> None:
    line = Line(silence_periods=5.0, silence_floor_s=2.0)
    year = 365.0 * 86400.0
    yearly = birth(pace=year)
    yearly = type(yearly)(
        plant="nile", pace=year, signals=(type(yearly.signals[0])(id=1, name="flow", unit="m3", period_s=year),)
    )
    link = line.link()
    line.says(link, births=[yearly], telexes=[telex(1, plant="nile")])
    assert line.tick(4.9) == []
    assert [type(item) for item in line.tick(0.2)] == [PlantSilent]


def test_a_plant_that_never_comes_back_after_a_restart_is_silent() -> None:
    line = Line()
    line.session.restore({"mill-1": (1, 4)}, [birth()], NOON)
    assert [type(item) for item in line.tick(6.0)] == [PlantSilent]


def test_a_farewell_is_no_silence_and_a_birth_brings_the_plant_back() -> None:
    line = Line()
    link = line.born()
    line.says(link, telexes=[telex(1)], deaths=[Death(plant="mill-1", reason="holidays")])
    assert line.heard[-1] == PlantDied("mill-1", "holidays", NOON)
    assert line.tick(1000.0) == []
    line.says(link, telexes=[telex(1), telex(2)])
    assert line.codes(link) == ["dead"]
    line.session.acknowledge({"mill-1": (1, 1)})
    assert line.answers(link).acks != ()
    line.says(link, births=[birth()], telexes=[telex(2)])
    assert line.seqs() == [1, 2]


def test_nobody_is_called_silent_while_the_room_itself_is_deaf() -> None:
    line = Line()
    line.born()
    line.session.deaf_until = NOON + 100.0
    assert line.tick(99.0) == []
    assert [type(item) for item in line.tick(1.0)] == [PlantSilent]


NAMES = ("mill-1", "mill-2", "mill-3")


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("birth"), st.sampled_from(NAMES), st.sampled_from((0.5, 1.0, 7.0, 60.0))),
            st.tuples(st.just("telex"), st.sampled_from(NAMES), st.just(0.0)),
            st.tuples(st.just("wait"), st.just(""), st.sampled_from((0.5, 1.0, 2.5, 5.0, 35.0, 300.0))),
        ),
        max_size=40,
    )
)
def test_each_silence_is_found_at_the_first_look_after_it_whoever_comes_is_heard_or_declares_anew_before(
    steps: list[tuple[str, str, float]],
) -> None:
    line = Line(silence_periods=5.0, silence_floor_s=2.0)
    link = line.link()
    after: dict[str, float] = {}
    since: dict[str, float] = {}
    seqs = dict.fromkeys(NAMES, 0)
    for what, plant, much in steps:
        if what == "birth":
            signal = SignalBirth(id=1, name="output", unit="t", period_s=much)
            line.says(link, births=[PlantBirth(plant=plant, signals=(signal,))])
            if plant not in after:
                since[plant] = line.now
            after[plant] = max(2.0, 5.0 * much)
        elif what == "telex" and plant in after:
            seqs[plant] += 1
            line.says(link, telexes=[telex(seqs[plant], plant=plant)])
            since[plant] = line.now
        elif what == "wait":
            late = {name: at for name, at in since.items() if line.now + much - at > after[name]}
            found = line.tick(much)
            assert {item.plant: item.since for item in found if isinstance(item, PlantSilent)} == late
            assert len(found) == len(late)
            for name in late:
                del since[name]
