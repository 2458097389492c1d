"""The room's side of the protocol as a pure function of frames and times: who may speak, and what a birth says."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from telex_ingest.desk import ATTEMPTS
from telex_ingest.heard import (
    Accepted,
    PlantBorn,
)
from telex_ingest.refusals import GROUNDS
from telex_ingest.states import LINK, PLANT, LinkEvent, LinkState, PlantEvent, PlantState
from telex_ingest.telex import (
    Ack,
    Hello,
    Reading,
    SignalBirth,
)
from tests.telex_ingest.conftest import NOON, birth
from tests.telex_ingest.session_line import EVERY, Line, telex


def test_the_tables_are_total_and_refuse_with_known_codes() -> None:
    assert set(LINK) == {(state, event) for state in LinkState for event in LinkEvent}
    assert set(PLANT) == {(state, event) for state in PlantState for event in PlantEvent}
    codes = {cell for cell in (*LINK.values(), *PLANT.values()) if not isinstance(cell, LinkState | PlantState)}
    assert codes <= set(GROUNDS)


def test_login_birth_and_readings_may_share_one_frame() -> None:
    line = Line()
    link = line.link(hello=False)
    heard = line.says(link, hello=Hello(link="by-hand"), births=[birth()], telexes=[telex(1), telex(2)])
    assert [type(item) for item in heard] == [PlantBorn, Accepted, Accepted]
    welcome = line.answers(link).welcome
    assert welcome is not None
    assert welcome.room == "room-1"


def test_nothing_is_heard_before_the_hello() -> None:
    line = Line()
    link = line.link(hello=False)
    assert line.says(link, births=[birth()], telexes=[telex(1)]) == []
    assert line.codes(link) == ["hello-first", "hello-first"]
    assert line.says(link, telexes=[telex(1)]) == []
    assert link.early == 3


def test_a_wrong_token_and_a_wrong_protocol_close_the_link() -> None:
    line = Line()
    link = line.link(hello=False)
    assert not line.session.greet(link, Hello(link="link-1"), None, NOON)
    assert line.codes(link) == ["unauthorised"]
    assert link.state is LinkState.CLOSED
    other = line.link(hello=False)
    assert not line.session.greet(other, Hello(link="link-1", protocol="telex.v9"), EVERY, NOON)
    assert line.codes(other) == ["wrong-protocol"]


def test_a_second_hello_is_refused_and_changes_nothing() -> None:
    line = Line()
    link = line.born()
    line.says(link, hello=Hello(link="somebody-else"), telexes=[telex(1)])
    assert line.codes(link) == ["hello-twice"]
    assert link.name == "link-1"
    assert line.seqs() == [1]


def test_a_link_speaks_only_for_its_own_plants() -> None:
    line = Line()
    link = line.link(plants=frozenset({"mill-2"}))
    assert line.says(link, births=[birth("mill-1")]) == []
    assert line.codes(link) == ["not-yours"]
    line.says(link, births=[birth("mill-2")], telexes=[telex(1), telex(1, plant="mill-2")])
    assert line.codes(link) == ["not-yours"]
    assert line.seqs("mill-2") == [1]
    assert line.session.line().attempts[-1].plant == "mill-1"


def test_one_bad_sender_leaves_the_others_their_share_of_the_refusals_that_are_shown_and_all_are_counted() -> None:
    line = Line()
    quiet, loud = line.link(plants=frozenset({"mill-2"})), line.link("link-2", plants=frozenset({"mill-3"}))
    line.says(quiet, births=[birth("mill-1")])
    line.says(quiet, telexes=[telex(1, plant="mill-2")])
    for number in range(500):
        line.says(loud, telexes=[telex(1 + number, plant="mill-1")])
    for number in range(500):
        line.says(line.link(hello=False), hello=Hello(link=f"made-up-{number}"), allowed=None)
    shown = line.session.line()
    assert [one.code for one in shown.attempts if one.link == "link-1"] == ["not-yours", "unborn"]
    assert len(shown.attempts) == ATTEMPTS
    assert {one.link for one in shown.attempts} > {"link-1", "link-2", "made-up-499"}
    assert shown.attempts[-1].link == "made-up-499"
    assert shown.refused == {"not-yours": 501, "unborn": 1, "unauthorised": 500}


def test_a_telex_without_a_birth_is_refused() -> None:
    line = Line()
    link = line.link()
    line.says(link, telexes=[telex(1)])
    assert line.codes(link) == ["unborn"]
    line.says(link, births=[birth()], telexes=[telex(1, epoch=2)])
    assert line.codes(link) == ["unborn"]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (birth(signals=0), "bad-birth"),
        (birth(epoch=1).__class__(plant="mill-1", signals=birth().signals * 2), "bad-birth"),
    ],
)
def test_a_birth_that_contradicts_itself_is_refused(wrong: Any, code: str) -> None:
    line = Line()
    link = line.link()
    assert line.says(link, births=[wrong]) == []
    assert line.codes(link) == [code]


def test_a_birth_with_a_signal_of_a_person_is_refused_and_none_of_its_telexes_is_taken() -> None:
    line = Line()
    link = line.link()
    pulse = SignalBirth(id=3, name="pulse", unit="1/min", period_s=1.0, personal=True)
    personal = msgspec.structs.replace(birth(), signals=(*birth().signals, pulse))
    assert line.says(link, births=[personal], telexes=[telex(1, readings=(Reading(3, 70.0),))]) == []
    assert line.codes(link) == ["personal-signal", "unborn"]
    line.says(link, births=[birth()])
    assert line.says(link, births=[personal]) == [], "nor does a plant that speaks become one"
    line.says(link, telexes=[telex(1), telex(2, readings=(Reading(3, 70.0),))])
    assert [item.readings for item in line.heard if isinstance(item, Accepted)] == [(Reading(1, 1.0),), ()]


def test_an_id_keeps_its_meaning_within_an_epoch() -> None:
    line = Line()
    link = line.born()
    swapped = birth(signals=2)
    swapped = type(swapped)(
        plant="mill-1",
        signals=tuple(type(s)(id=3 - s.id, name=s.name, unit=s.unit, period_s=1.0) for s in swapped.signals),
    )
    assert line.says(link, births=[swapped]) == []
    assert line.codes(link) == ["id-reused"]
    heard = line.says(link, births=[type(swapped)(plant="mill-1", epoch=2, signals=swapped.signals)])
    assert isinstance(heard[0], PlantBorn)


def test_a_changed_birth_is_a_new_version_and_not_a_reset() -> None:
    line = Line()
    link = line.born()
    line.says(link, telexes=[telex(1), telex(2)])
    again, changed = line.says(link, births=[birth(), birth(signals=3)])
    assert isinstance(again, PlantBorn)
    assert isinstance(changed, PlantBorn)
    assert (again.changed, changed.changed) == (False, True)
    line.says(link, telexes=[telex(3, readings=(Reading(3, 9.0),))])
    assert line.seqs() == [1, 2, 3]
    line.says(link, births=[birth(signals=3, epoch=2)])
    counts = line.session.line()
    assert (counts.births, counts.changed_births) == (4, 1), (
        "neither the first birth nor a new epoch declares anything else"
    )


def test_a_welcome_tells_where_to_resume_and_who_is_new() -> None:
    line = Line()
    first = line.born("mill-1", "mill-2")
    line.says(first, telexes=[telex(1), telex(2), telex(3)])
    line.session.acknowledge({"mill-1": (1, 2)})
    again = line.link(hello=False)
    line.says(again, hello=Hello(link="link-1", plants=("mill-1", "mill-2", "mill-3")))
    welcome = line.answers(again).welcome
    assert welcome is not None
    assert welcome.resume == (Ack(plant="mill-1", epoch=1, seq=2),)


def test_a_room_that_begins_again_goes_on_after_what_is_durable() -> None:
    line = Line()
    line.session.restore({"mill-1": (2, 40)}, [birth(epoch=2)], NOON)
    link = line.link(hello=False)
    heard = line.says(
        link, hello=Hello(link="link-1"), births=[birth(epoch=2)], telexes=[telex(n, epoch=2) for n in (39, 40, 41)]
    )
    born = heard[0]
    assert isinstance(born, PlantBorn)
    assert not born.changed
    welcome = line.answers(link).welcome
    assert welcome is not None
    assert welcome.resume == (Ack(plant="mill-1", epoch=2, seq=40),)
    assert line.seqs() == [41]


def test_of_two_links_that_claim_one_plant_the_newest_speaks() -> None:
    line = Line()
    old = line.born()
    line.says(old, telexes=[telex(1)])
    new = line.link("link-2")
    line.says(new, births=[birth()], telexes=[telex(2)])
    assert line.codes(old) == ["superseded"]
    assert old.state is LinkState.GREETED
    line.says(old, telexes=[telex(3, value=666.0)])
    assert line.codes(old) == ["superseded"]
    line.session.acknowledge({"mill-1": (1, 2)})
    assert line.answers(old).acks == ()
    assert line.answers(new).acks == (Ack(plant="mill-1", epoch=1, seq=2),)
    line.session.close(old)
    line.says(new, telexes=[telex(3)])
    assert line.seqs() == [1, 2, 3]


def test_the_number_of_plants_is_bounded() -> None:
    line = Line(plants=2)
    link = line.born("mill-1", "mill-2", "mill-3")
    line.says(link, births=[birth("mill-3")])
    assert line.codes(link) == ["too-many-plants"]
