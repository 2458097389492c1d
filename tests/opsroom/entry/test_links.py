from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsroom.clock import HandClock
from opsroom.entry.links import Links
from opsroom.entry.people import People


@pytest.fixture
def clock() -> HandClock:
    return HandClock(1e9)


@pytest.fixture
def links(tmp_path: Path, clock: HandClock) -> Links:
    return Links.open(tmp_path / "people.sqlite", clock)


def test_a_link_speaks_for_its_plants_with_its_own_token_alone(links: Links) -> None:
    one, other = links.add("mills", ["mill-1", "mill-2"]), links.add("mines", ["mine-1"])
    assert len(one) >= 43
    assert links.authorise("mills", one) == {"mill-1", "mill-2"}
    assert links.authorise("mines", other) == {"mine-1"}
    for link, token in [("mills", other), ("mines", one), ("mills", ""), ("mills", one[:-1]), ("none", one), ("", "")]:
        assert links.authorise(link, token) is None
    links.close()


def test_a_link_may_speak_for_any_plant(links: Links) -> None:
    assert links.authorise("all", links.add("all", ["*"])) == {"*"}
    links.close()


def test_a_token_is_changed_without_a_gap(links: Links, clock: HandClock) -> None:
    old = links.add("mills", ["mill-1"])
    new = links.rotate("mills", grace_s=60.0)
    assert links.authorise("mills", old) == links.authorise("mills", new) == {"mill-1"}
    clock.wind(60.0)
    assert links.authorise("mills", old) is None
    assert links.authorise("mills", new) == {"mill-1"}
    links.close()


def test_a_token_keeps_the_time_that_it_was_given_however_often_the_next_one_is_changed(
    links: Links, clock: HandClock
) -> None:
    first = links.add("mills", ["mill-1"])
    lost = links.rotate("mills", grace_s=60.0)  # the ticket was never read: the command was killed, the paper was lost
    third = links.rotate("mills", grace_s=600.0)
    assert all(links.authorise("mills", token) for token in (first, lost, third)), "no telex waits"
    clock.wind(60.0)
    assert [links.authorise("mills", token) is not None for token in (first, lost, third)] == [False, True, True]
    newest = links.rotate("mills", grace_s=0.0)
    assert [links.authorise("mills", token) is not None for token in (lost, third, newest)] == [False, False, True]
    links.close()


def test_what_has_changed_is_told_once_and_what_has_ended_too(tmp_path: Path, clock: HandClock) -> None:
    room, shell = (Links.open(tmp_path / "people.sqlite", clock) for _ in range(2))
    token = shell.add("mills", ["mill-1"])
    told = [room.standing()]
    room.authorise("mills", token)
    clock.wind(120.0)
    room.authorise("mills", token)  # when it was heard is noted, which ends nothing
    room.list()
    assert room.standing() == told[0]
    shell.rotate("mills", grace_s=60.0)
    told.append(room.standing())
    clock.wind(60.0)
    told.append(room.standing())
    shell.revoke("mills")
    told.append(room.standing())
    assert len(set(told)) == 4
    room.close()
    shell.close()


def test_a_revoked_link_is_out_for_good(links: Links) -> None:
    token = links.add("mills", ["mill-1"])
    links.rotate("mills")
    links.revoke("mills")
    assert links.authorise("mills", token) is None
    for act in (links.rotate, links.revoke):
        with pytest.raises(KeyError):
            act("mills")
    with pytest.raises(ValueError, match="already, and it was revoked for good: choose another id"):
        links.add("mills", ["mill-1"])
    assert [link.revoked_at for link in links.list()] == [1e9]
    links.close()


def test_an_open_connection_can_be_asked_about_without_its_token(links: Links) -> None:
    links.add("mills", ["mill-1"])
    assert links.allowed("mills") == {"mill-1"}
    assert links.allowed("mines") is None
    links.revoke("mills")
    assert links.allowed("mills") is None
    links.close()


def test_many_open_connections_are_asked_about_as_the_standing_was_read(tmp_path: Path) -> None:
    room, line = (Links.open(tmp_path / "people.sqlite", HandClock(1e9)) for _ in range(2))
    line.add("mills", ["mill-1"])
    room.standing()
    assert room.allowed_as_read("mills") == frozenset({"mill-1"})
    assert room.allowed_as_read("mines") is None
    line.revoke("mills")
    room.standing()
    assert room.allowed_as_read("mills") is None
    room.close()
    line.close()


def test_a_link_is_listed_with_when_it_was_last_heard(links: Links, tmp_path: Path, clock: HandClock) -> None:
    token = links.add("mills", ["mill-2", "mill-1", "mill-1"])
    (link,) = links.list()
    assert (link.plants, link.made_at, link.seen_at, link.revoked_at) == (("mill-1", "mill-2"), 1e9, None, None)
    for _ in range(100):
        links.authorise("mills", token)
        clock.wind(1.0)
    links.authorise("mills", "wrong")
    assert links.list()[0].seen_at == 1e9 + 99
    links.close()
    links = Links.open(tmp_path / "people.sqlite", clock)
    assert links.list()[0].seen_at == 1e9 + 99
    links.close()


def test_a_link_that_came_in_is_noted_before_a_kill(
    tmp_path: Path, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opsroom.entry.links._GATHER_S", 0.0)
    room = Links.open(tmp_path / "people.sqlite", clock)
    for name in ("mills", "mines"):
        assert room.authorise(name, room.add(name, ["*"]))
        room._thread.submit(lambda: None).result()
        with closing(Links.open(tmp_path / "people.sqlite", clock)) as after:
            assert {link.id: link.seen_at for link in after.list()}[name] == 1e9
    room.close()


def test_a_token_lies_nowhere_in_the_files(links: Links, tmp_path: Path) -> None:
    token = links.add("mills", ["mill-1"])
    assert token.encode() not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    links.close()


def test_what_the_command_line_changes_the_running_room_sees_at_once(
    links: Links, tmp_path: Path, clock: HandClock
) -> None:
    token = links.add("mills", ["mill-1"])
    assert links.authorise("mills", token) is not None
    command_line = Links.open(tmp_path / "people.sqlite", clock)
    command_line.revoke("mills")
    assert links.authorise("mills", token) is None
    new = command_line.add("mines", ["mine-1"])
    assert links.authorise("mines", new) == {"mine-1"}
    command_line.close()
    links.close()


def test_links_and_people_share_a_file(links: Links, tmp_path: Path, clock: HandClock) -> None:
    people = People.open(tmp_path / "people.sqlite", clock, time_cost=1, memory_kib=8)
    people.enrol([])
    token = links.add("mills", ["mill-1"])
    people.rename("seat-1", "Ada")
    assert links.authorise("mills", token) == {"mill-1"}
    assert {account.name: account.occupant for account in people.accounts()}["seat-1"] == "Ada"
    people.close()
    links.close()


@pytest.mark.parametrize(
    ("link", "plants"), [("Mill", ["a"]), ("", ["a"]), ("m", []), ("m", ["A b"]), ("*", ["a"]), ("m", [""])]
)
def test_a_link_with_a_wrong_id_or_no_plants_is_refused(links: Links, link: str, plants: list[str]) -> None:
    with pytest.raises(ValueError, match=r"is no id|needs plants"):
        links.add(link, plants)
    assert links.list() == ()
    links.close()


@settings(deadline=None)
@given(link=st.text(), token=st.text())
def test_no_text_opens_a_link(tmp_path_factory: pytest.TempPathFactory, link: str, token: str) -> None:
    folder = tmp_path_factory.getbasetemp() / "links"
    folder.mkdir(exist_ok=True)
    links = Links.open(folder / "people.sqlite", HandClock(1.0))
    if not links.list():
        links.add("mills", ["mill-1"])
    assert links.authorise(link, token) is None
    assert links.authorise("mills", token) is None
    links.close()
