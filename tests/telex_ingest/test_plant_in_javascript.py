"""The plant in JavaScript of `docs/examples` against a real gateway: login, birth, telexes, Acks, a resend, orders."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from playwright._impl._driver import compute_driver_executable

import telex_ingest
from telex_ingest.heard import PlantBorn, ReceiptCame, StatementCame
from telex_ingest.invitation import prove as prove_invitation
from telex_ingest.line import Limits
from telex_ingest.proof import prove
from telex_ingest.telex import Order
from tests.telex_ingest.conftest import MiniatureRoom, serving, until
from tests.telex_ingest.test_invitation import an_invitation
from tests.telex_ingest.test_orderly import ONE, TICKET

PLANT = Path(telex_ingest.__file__).parents[1] / "docs" / "examples" / "plant.mjs"
NODE = compute_driver_executable()[0]
"""The Node that comes with Playwright: its websockets are built in."""


@asynccontextmanager
async def plant(address: str, memory: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    program = await asyncio.create_subprocess_exec(
        *(NODE, str(PLANT), address, TICKET.line(), "20", str(memory)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield program
    finally:
        program.kill()
        await program.communicate()


def order(number: int) -> Order:
    now = datetime.now(UTC)
    return Order(
        id=f"o-{number}",
        room="room-1",
        plant="bakery",
        motion="m-1",
        name="bake",
        parameters={"trays": 3, "ovens": [1, 2.5, {"é": None, "a": 1e21}]},
        not_before=now,
        expires=now + timedelta(minutes=5),
        tally={"yes": 5, "no": 1},
    )


def test_it_has_sixty_lines() -> None:
    assert len(PLANT.read_text(encoding="utf-8").splitlines()) <= 60


async def test_it_tells_resends_after_a_cut_and_answers_an_order(tmp_path: Path) -> None:
    room = MiniatureRoom(Limits(), acks=False)
    room.clock.at = datetime.now(UTC).timestamp()
    async with serving(room) as address:
        port = urlsplit(address).port
        async with plant(address, tmp_path / "memory.json"):
            await until(lambda: len(room.accepted("bakery")) >= 3, 60)
            [born] = room.of(PlantBorn)
            assert born.birth.signals[0].name == "loaves"
            room.store("bakery", room.accepted("bakery")[1][0], 2)
            before = len(room.accepted("bakery"))
            await room.gateway.close()
            room.heard.clear()
            room.begin()  # it remembers only what was durable: two telexes
            assert port is not None
            await until(lambda: len(room.accepted("bakery")) > before, 60)
            assert [seq for _, seq in room.accepted("bakery")][:before] == list(range(3, before + 3))

            assert room.gateway.send("bakery", orders=[prove(order(1), ONE)])
            assert room.gateway.send("bakery", orders=[order(2)])
            await until(lambda: len(room.of(ReceiptCame)) >= 3)
            states = {(one.receipt.order, one.receipt.state.value, one.receipt.reason) for one in room.of(ReceiptCame)}
            assert states == {
                ("o-1", "accepted", ""),
                ("o-1", "done", ""),
                ("o-2", "refused", "it is not signed by my room"),
            }
            await until(lambda: 270.0 in room.values("bakery"))

            forged = an_invitation(plant="bakery", motion="m-0")
            assert room.gateway.send(
                "bakery", invitations=[forged, prove_invitation(an_invitation(plant="bakery"), ONE)]
            )
            await until(lambda: room.of(StatementCame))
            [came] = room.of(StatementCame)
            assert (came.statement.plant, came.statement.motion) == ("bakery", "motion-3")
            assert came.statement.text.startswith("We bake 270 loaves")
        room.store_all()
    assert room.refused() == {}


async def test_it_obeys_an_order_once_also_when_it_begins_anew(tmp_path: Path) -> None:
    room, memory = MiniatureRoom(Limits(), acks=True), tmp_path / "memory.json"
    room.clock.at = datetime.now(UTC).timestamp()
    signed = prove(order(1), ONE)
    async with serving(room) as address:
        async with plant(address, memory):
            await until(lambda: room.accepted("bakery"))
            assert room.gateway.send("bakery", orders=[signed])
            await until(lambda: len(room.of(ReceiptCame)) == 2)
        await until(lambda: not room.gateway.send("bakery"))  # what it told last has come
        room.heard.clear()
        async with plant(address, memory):
            await until(lambda: room.accepted("bakery"))
            assert room.gateway.send("bakery", orders=[signed])
            await until(lambda: room.of(ReceiptCame))
            [again] = room.of(ReceiptCame)
            assert (again.receipt.order, again.receipt.state.value) == ("o-1", "done")
            known = len(room.accepted("bakery"))
            await until(lambda: len(room.accepted("bakery")) > known + 3)
            assert set(room.values("bakery")) == {240.0}, "what was done before the restart is not done again"
        room.store_all()
    assert not memory.with_name("memory.json.new").exists()
