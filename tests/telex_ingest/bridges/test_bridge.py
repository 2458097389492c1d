"""A bridge writes what the room has proved, once, and believes only what it reads back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from telex_ingest.bridges import bridge as bridges
from telex_ingest.bridges.bridge import Bridge, NotWrittenError
from telex_ingest.bridges.ledger import Ledger
from telex_ingest.bridges.settings import Target, Trust, order_births
from telex_ingest.feed import SourceLostError
from telex_ingest.feed_settings import SettingsError
from telex_ingest.proof import hand_over, name_of, prove
from telex_ingest.spool import SpoolError
from telex_ingest.telex import Handover, Order, Receipt, ReceiptState
from tests.telex_ingest.bridges.orders import KEY, proven, trusting

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
OTHER = Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32)
SPEED = Target(title="Set the speed", parameter="speed", low=0.0, high=100.0, scale=0.5, offset=1.0, within_s=0.05)


def order(number: int = 1, speed: float = 21.0, *, name: str = "speed", **more: Any) -> Order:
    return proven(name, more.pop("parameters", {"speed": speed}), number, **({"not_before": NOW} | more))


class Plant:
    """A plant in memory that obeys, refuses, dawdles or dies."""

    def __init__(self, folder: Path) -> None:
        self.trust = trusting(folder)
        self.written: list[float] = []
        self.shown: object = None
        self.obeys = True
        self.fails: Exception | None = None
        self.away: Exception | None = None
        self.answers: list[Receipt] = []
        self.at = NOW.timestamp()
        self.while_reaching: Any = None

    def bridge(self) -> Bridge:
        """The bridge of a process that has just begun."""
        return Bridge("mill", {"speed": SPEED}, self.trust, self.reach, now=lambda: self.at)

    @asynccontextmanager
    async def reach(self, target: Target) -> AsyncIterator[Plant]:
        if self.while_reaching is not None:
            await self.while_reaching()
        if self.away is not None:
            raise self.away
        yield self

    async def write(self, raw: float) -> None:
        if not isinstance(self.fails, NotWrittenError):
            self.written.append(raw)
            if self.obeys:
                self.shown = raw
        if self.fails is not None:
            raise self.fails

    async def read(self) -> object:
        return self.shown

    async def answer(self, receipt: Receipt) -> None:
        self.answers.append(receipt)

    async def gets(self, one: Order) -> list[str]:
        """Hand an order to a new process of the bridge; gives what it answers to it."""
        self.answers.clear()
        await self.bridge().obey(one, self.answer)
        return [receipt.state.value for receipt in self.answers]


@pytest.fixture
def plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plant:
    monkeypatch.setattr(bridges, "LOOK_S", 0.001)
    return Plant(tmp_path)


async def test_it_is_done_only_when_the_plant_shows_it(plant: Plant) -> None:
    assert await plant.gets(order()) == ["accepted", "done"]
    assert plant.written == [40.0], "(21 - 1) / 0.5"
    plant.obeys = False
    assert await plant.gets(order(2, speed=11.0)) == ["accepted", "refused"]
    assert "the plant shows 40.0, not 20" in plant.answers[-1].reason


@pytest.mark.parametrize("ends", ["done", "refused"])
async def test_no_copy_of_an_order_writes_twice(plant: Plant, ends: str) -> None:
    plant.obeys = ends == "done"
    await plant.gets(order())
    plant.obeys = True
    assert await plant.gets(order()) == [ends]
    assert await plant.gets(order()) == [ends]
    assert len(plant.written) == 1


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"parameters": {"speed": 99.0}}, "altered"),
        ({"proof": None}, "unsigned"),
        ({"room": "room-2"}, "foreign"),
        ({"expires": NOW + timedelta(days=9)}, "altered"),
    ],
)
async def test_what_is_not_proved_is_refused_and_does_not_use_up_the_id(
    plant: Plant, changed: dict[str, Any], code: str
) -> None:
    assert await plant.gets(msgspec.structs.replace(order(), **changed)) == ["refused"]
    assert plant.answers[0].reason.startswith(code)
    assert plant.written == []
    assert await plant.gets(order()) == ["accepted", "done"]


async def test_an_order_of_another_key_plant_or_time_is_refused(plant: Plant) -> None:
    assert await plant.gets(prove(order(), OTHER)) == ["refused"]
    assert await plant.gets(order(plant="saw")) == ["refused"]
    plant.at += 301
    assert await plant.gets(order()) == ["refused"]
    assert "expired" in plant.answers[0].reason
    plant.at -= 1000
    assert await plant.gets(order()) == ["refused"]
    assert "not-yet-valid" in plant.answers[0].reason
    assert plant.written == []


async def test_an_order_that_expires_while_the_plant_is_reached_is_not_written(plant: Plant) -> None:
    async def dawdle() -> None:
        plant.at += 400

    plant.while_reaching = dawdle
    assert await plant.gets(order()) == ["accepted", "refused"]
    assert "expired" in plant.answers[-1].reason
    assert plant.written == []


@given(st.one_of(st.floats(), st.booleans(), st.text(max_size=4), st.none(), st.lists(st.integers(), max_size=2)))
def test_the_plants_own_limits_hold_whatever_the_room_says(told: object) -> None:
    try:
        assert 0.0 <= SPEED.wanted({"speed": told}) <= 100.0
    except ValueError as error:
        assert str(error)  # noqa: PT017 - a value in the limits raises nothing


@pytest.mark.parametrize("parameters", [{}, {"speed": 101.0}, {"speed": 5.0, "more": 1}, {"pace": 5.0}])
async def test_what_is_beyond_its_limits_is_refused_with_the_reason(plant: Plant, parameters: dict[str, Any]) -> None:
    assert await plant.gets(order(parameters=parameters)) == ["refused"]
    assert "speed" in plant.answers[0].reason
    assert plant.written == []


async def test_an_order_that_the_plant_does_not_have_is_refused(plant: Plant) -> None:
    assert await plant.gets(order(name="dance")) == ["refused"]


async def test_what_the_source_refuses_is_refused_with_its_reason(plant: Plant) -> None:
    plant.fails = NotWrittenError("BadUserAccessDenied")
    assert await plant.gets(order()) == ["accepted", "refused"]
    assert plant.answers[-1].reason == "nothing was written: BadUserAccessDenied"
    plant.fails, plant.away = None, ConnectionError("no route")
    assert await plant.gets(order(2)) == ["accepted", "refused"]
    assert plant.answers[-1].reason == "nothing was written: no route"
    plant.away, plant.fails = None, ConnectionError("cut")
    assert await plant.gets(order(3)) == ["accepted", "refused"]
    assert plant.answers[-1].reason == "it is not known whether it was written: cut"


@pytest.mark.parametrize(
    ("state", "shows", "ends"), [("taken", 40.0, "refused"), ("writing", 40.0, "done"), ("writing", 7.0, "refused")]
)
async def test_after_a_kill_nothing_is_written_again_and_the_plant_tells_the_end(
    plant: Plant, state: Any, shows: float, ends: str
) -> None:
    ledger = Ledger(plant.trust.ledger)
    ledger.take(order())
    ledger.turn(order().id, state)
    ledger.close()
    plant.shown = shows
    await plant.bridge().settle(plant.answer)
    assert [receipt.state.value for receipt in plant.answers] == [ends]
    assert plant.written == []
    assert await plant.gets(order()) == [ends]
    await plant.bridge().settle(plant.answer)
    assert len(plant.answers) == 1, "it is settled"


@pytest.mark.parametrize("away", [SourceLostError("modbus", "the device is not there"), ConnectionResetError("cut")])
async def test_after_a_kill_a_plant_that_is_away_leaves_it_unknown_and_nobody_is_told_that_it_is_tried_again(
    plant: Plant, away: Exception
) -> None:
    ledger = Ledger(plant.trust.ledger)
    ledger.take(order())
    ledger.turn(order().id, "writing")
    ledger.close()
    plant.away = away
    await plant.bridge().settle(plant.answer)
    told = "the bridge was stopped while it wrote, and it is not known whether it was written: "
    assert plant.answers[-1].reason == told + (away.what if isinstance(away, SourceLostError) else "cut")
    await plant.bridge().obey(order(2), plant.answer)
    assert plant.answers[-1].reason.startswith("nothing was written: ")
    assert "tried again" not in plant.answers[-1].reason


async def test_a_revoked_order_is_taken_back_while_nothing_is_written(plant: Plant) -> None:
    assert await plant.gets(order(revoked=True)) == ["refused"]
    assert await plant.gets(order()) == ["refused"], "the order that comes after its revocation"
    assert plant.written == []
    assert await plant.gets(order(2)) == ["accepted", "done"]
    assert await plant.gets(order(2, revoked=True)) == ["done"]

    async def revoke() -> None:
        plant.while_reaching = None
        await plant.bridge().obey(order(3, revoked=True), plant.answer)

    plant.while_reaching = revoke
    assert await plant.gets(order(3)) == ["accepted", "refused"]
    assert len(plant.written) == 1


async def test_a_key_that_has_handed_over_is_never_believed_again(plant: Plant) -> None:
    said = Handover(
        room="room-1", purpose="orders", old=name_of(KEY.public_key()), new=name_of(OTHER.public_key()), at=NOW
    )
    chain = (hand_over(said, KEY),)
    assert await plant.gets(prove(order(), OTHER, chain)) == ["accepted", "done"]
    assert await plant.gets(order(2)) == ["refused"]
    assert plant.answers[0].reason.startswith("retired")


async def test_without_trust_it_takes_no_orders(plant: Plant) -> None:
    await Bridge("mill", {}, None, plant.reach).obey(order(), plant.answer)
    assert [receipt.state for receipt in plant.answers] == [ReceiptState.REFUSED]


def test_the_ledger_is_for_its_owner_alone_and_says_when_it_cannot_be_used(tmp_path: Path) -> None:
    Ledger(tmp_path / "ledger").close()
    assert (tmp_path / "ledger").stat().st_mode & 0o777 == 0o600
    (tmp_path / "noise").write_bytes(b"no database" * 100)
    with pytest.raises(SpoolError, match="the ledger"):
        Ledger(tmp_path / "noise")
    with pytest.raises(SpoolError):
        Ledger(tmp_path / "no such folder" / "ledger")


def test_a_target_declares_its_order_and_one_that_writes_nothing_is_a_mistake(tmp_path: Path) -> None:
    trust = Trust(room="room-1", key="k", ledger=tmp_path / "ledger")
    (birth,) = order_births("modbus", {"speed": SPEED}, trust)
    assert birth.parameters["properties"] == {"speed": {"type": "number", "minimum": 0.0, "maximum": 100.0}}
    with pytest.raises(SettingsError, match="believes nobody"):
        order_births("modbus", {"speed": SPEED}, None)
    with pytest.raises(SettingsError, match="nothing to write"):
        order_births("modbus", {"stop": Target(title="Stop")}, trust)
