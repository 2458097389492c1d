"""What leaves the room towards the plants: orders under its newest key, and none that it cannot sign."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from opsroom import commands as ask
from opsroom.loop.outgoing import Outgoing
from opsroom.proof.keys import Keyring, KeysError
from telex_ingest.invitation import doubt
from telex_ingest.proof import Pin, follow, verify
from telex_ingest.telex import Invitation, Notice, Order, Refusal
from tests.opsroom.play import Play, moving, seat


class Wire:
    """A line that is up, and keeps what was sent."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.invitations: list[Invitation] = []

    def send(
        self,
        plant: str,
        orders: Iterable[Order] = (),
        notices: Iterable[Notice] = (),
        invitations: Iterable[Invitation] = (),
    ) -> bool:
        self.orders += orders
        self.invitations += invitations
        return True

    def refuse(self, plant: str, refusal: Refusal) -> bool:
        return True


class Log:
    def __init__(self) -> None:
        self.errors: list[str] = []

    def error(self, event: str, **facts: Any) -> None:
        self.errors.append(f"{event}: {facts}")


@pytest.fixture
def keys(tmp_path: Path) -> Keyring:
    return Keyring.open(tmp_path, "opsroom-x", 1.0)


def test_an_order_leaves_with_its_motion_its_votes_and_a_proof_that_its_plant_believes(keys: Keyring) -> None:
    play, wire = Play(), Wire()
    play.order()
    Outgoing(wire, keys.sign_order).send(play.room, (), play.now)
    (order,) = wire.orders
    pin = Pin(room="opsroom-x", key=keys.key("orders"))
    assert verify(order, pin, (), play.now, plants=("loom-1",)) is None
    assert order.motion == "motion-1"
    assert order.tally["yes"] > order.tally["no"]
    assert order.tally["quorum"] == play.room.motions["motion-1"].quorum


def test_a_plant_is_invited_when_its_motion_opens_and_again_when_it_is_born_while_it_is_open(keys: Keyring) -> None:
    play, wire = Play(), Wire()
    outgoing = Outgoing(wire, keys.sign_order, None, keys.sign_invitation)
    events = play.ask(moving(play.arrived()), seat(1))
    outgoing.send(play.room, events, play.now)
    outgoing.send(play.room, (), play.now)
    outgoing.connected(["loom-1", "loom-2"])
    outgoing.send(play.room, (), play.now)
    pin = Pin(room="opsroom-x", key=keys.key("orders"))
    assert [(one.plant, doubt(one, pin, play.now)) for one in wire.invitations] == [("loom-1", "")] * 2
    play.ask(ask.WithdrawMotion(motion="motion-1"), seat(1))
    outgoing.connected(["loom-1"])
    outgoing.send(play.room, (), play.now)
    assert len(wire.invitations) == 2, "nobody is invited to what is over"


def test_without_a_key_nobody_is_invited_and_orders_and_notices_go_on(keys: Keyring) -> None:
    def broken(invitation: Invitation) -> Invitation:
        raise KeysError(Path("keys"), "it is gone", "put it back")

    play, wire, log = Play(), Wire(), Log()
    events = play.ask(moving(play.arrived()), seat(1))
    Outgoing(wire, keys.sign_order, log, broken).send(play.room, events, play.now)
    assert wire.invitations == []
    assert "an invitation cannot be signed" in log.errors[0]


def test_after_a_change_of_keys_a_plant_follows_without_being_told(keys: Keyring, tmp_path: Path) -> None:
    play, wire = Play(), Wire()
    outgoing, pin = Outgoing(wire, keys.sign_order), Pin(room="opsroom-x", key=keys.key("orders"))
    play.order()
    outgoing.send(play.room, (), play.now)
    Keyring.of(tmp_path, "opsroom-x").rotate("orders", 2.0)  # by the command line, beside the room that runs
    outgoing.connected(["loom-1"])
    outgoing.send(play.room, (), play.now)
    before, after = wire.orders
    assert before.proof is not None
    assert after.proof is not None
    assert before.proof.key != after.proof.key
    assert verify(after, pin, (), play.now) is None
    newer = follow(pin, after.proof.chain)
    refused = verify(before, newer, (), play.now)
    assert refused is not None
    assert refused.code == "retired"


def test_an_order_that_cannot_be_signed_waits_is_told_once_and_leaves_when_the_key_is_mended(
    keys: Keyring, tmp_path: Path
) -> None:
    play, wire, log = Play(), Wire(), Log()
    outgoing = Outgoing(wire, keys.sign_order, log)
    (secret,) = (tmp_path / "keys").glob("orders-*.pem")
    secret.chmod(0o644)
    keys._secrets.clear()
    play.order()
    for _ in range(5):
        outgoing.send(play.room, (), play.now)
    assert wire.orders == []
    assert len(log.errors) == 1
    assert "chmod 600" in log.errors[0]
    secret.chmod(0o600)
    outgoing.send(play.room, (), play.now)
    assert len(wire.orders) == 1
