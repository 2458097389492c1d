"""The room's keys: private, one for each purpose, changed only by a message that the old one signs."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from opsroom.proof.keys import FOLDER, PUBLIC, PURPOSES, Keyring, KeysError
from opsroom.record.disk import StoreError
from telex_ingest.proof import Pin, follow, signed, verify
from telex_ingest.telex import Order, moment

NOW = 1_000.0


@pytest.fixture
def ring(tmp_path: Path) -> Keyring:
    return Keyring.open(tmp_path, "room-1", NOW)


def an_order() -> Order:
    return Order(
        id="room-1-1",
        room="room-1",
        plant="mill-1",
        motion="motion-1",
        name="restaff",
        not_before=moment(0),
        expires=moment(2_000_000_000),
    )


def test_a_room_without_keys_gets_one_for_orders_and_one_for_the_journal(ring: Keyring, tmp_path: Path) -> None:
    assert (ring.made, ring.lost) == (("orders", "journal"), "")
    assert ring.key("orders") != ring.key("journal")
    again = Keyring.open(tmp_path, "room-1", NOW)
    assert again.made == ()
    assert again.known() == ring.known()


def test_nobody_else_can_read_the_secrets(ring: Keyring) -> None:
    assert stat.S_IMODE(ring.folder.stat().st_mode) == 0o700
    secrets = list(ring.folder.glob("*.pem"))
    assert len(secrets) == 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in ring.folder.iterdir()} == {0o600}


def test_what_others_may_read_is_not_used(ring: Keyring, tmp_path: Path) -> None:
    for path in ring.folder.glob("orders-*.pem"):
        path.chmod(0o640)
    with pytest.raises(KeysError, match="chmod 600"):
        Keyring.open(tmp_path, "room-1", NOW).sign_order(an_order())


def test_a_plant_follows_the_room_from_key_to_key(ring: Keyring, tmp_path: Path) -> None:
    pin = Pin(room="room-1", key=ring.key("orders"))
    assert verify(ring.sign_order(an_order()), pin, (), NOW) is None
    running = Keyring.open(tmp_path, "room-1", NOW)
    for _ in range(3):
        ring.rotate("orders", NOW)
    order = running.sign_order(an_order())
    assert order.proof is not None
    assert order.proof.key == ring.key("orders"), "a running room takes up the new key"
    assert verify(order, pin, (), NOW) is None
    assert len(follow(pin, order.proof.chain).retired) == 3


@pytest.mark.parametrize("again", ["open", "rotate"])
def test_a_secret_that_a_killed_change_of_keys_left_behind_is_forgotten_later(
    ring: Keyring, tmp_path: Path, again: str
) -> None:
    left = {path: path.read_bytes() for path in ring.folder.glob("*.pem")}
    for purpose in PURPOSES:
        ring.rotate(purpose, NOW)
    for path, secret in left.items():  # as a kill leaves it between the new key and the end of the old one
        path.write_bytes(secret)
        path.chmod(0o600)
    if again == "open":
        Keyring.open(tmp_path, "room-1", NOW)
    else:
        Keyring.of(tmp_path, "room-1").rotate("orders", NOW)
    assert not any(path.exists() for path in left)
    assert Keyring.open(tmp_path, "room-1", NOW).made == (), "the current keys are here"


def test_the_old_secret_is_gone_and_the_other_purpose_untouched(ring: Keyring) -> None:
    journal = ring.key("journal")
    old = ring.key("orders")
    ring.rotate("orders", NOW)
    assert ring.key("journal") == journal
    assert [(one.key == old, one.current, one.here) for one in ring.known() if one.purpose == "orders"] == [
        (True, False, False),
        (False, True, True),
    ]


def test_a_room_that_lost_its_secrets_begins_anew_and_its_plants_do_not_follow(ring: Keyring, tmp_path: Path) -> None:
    pin = Pin(room="room-1", key=ring.key("orders"))
    for path in ring.folder.glob("*.pem"):
        path.unlink()
    anew = Keyring.open(tmp_path, "room-1", NOW)
    assert anew.made == ("orders", "journal")
    assert anew.lost.startswith("the secret keys for orders and journal were not here")
    assert [one.handed_over for one in anew.known()] == [False] * 4, "a lost key has signed for nobody"
    assert anew.chain("orders") == ()
    refused = verify(anew.sign_order(an_order()), pin, (), NOW)
    assert refused is not None
    assert refused.code == "foreign"


def test_a_public_part_that_was_tampered_with_is_refused(ring: Keyring, tmp_path: Path) -> None:
    ring.rotate("journal", NOW)
    path = tmp_path / FOLDER / PUBLIC
    rows = json.loads(path.read_text())
    rows[-1]["new"] = rows[0]["new"]
    path.write_text(json.dumps(rows))
    with pytest.raises(KeysError, match="not signed"):
        Keyring.open(tmp_path, "room-1", NOW)


@pytest.mark.parametrize("text", ["", "{", "[1]", "\ud800"])
def test_a_public_part_that_cannot_be_read_is_told_in_a_sentence(ring: Keyring, tmp_path: Path, text: str) -> None:
    (tmp_path / FOLDER / PUBLIC).write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(KeysError, match="cannot be read"):
        Keyring.of(tmp_path, "room-1")


def test_a_secret_that_is_none_is_told_in_a_sentence(ring: Keyring, tmp_path: Path) -> None:
    for path in ring.folder.glob("*.pem"):
        path.write_text("no key")
    with pytest.raises(KeysError, match="it is no key"):
        Keyring.open(tmp_path, "room-1", NOW).sign_journal(b"said")


def test_two_programs_do_not_change_the_keys_at_once(ring: Keyring, tmp_path: Path) -> None:
    with ring._alone(), pytest.raises(StoreError):
        Keyring.of(tmp_path, "room-1").rotate("orders", NOW)


def test_the_journals_key_signs_and_every_key_is_public(ring: Keyring) -> None:
    key, signature = ring.sign_journal(b"head")
    assert signed(key, b"head", signature)
    assert key in {one.new for one in ring.public()}
