"""Orders at the plant's end, over a real gateway on loopback: heard once, answered, and refused unless their proof is good."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from telex_ingest.heard import ReceiptCame
from telex_ingest.plant_link import PlantLink
from telex_ingest.proof import Pin, hand_over, name_of, prove
from telex_ingest.telex import Handover, Order, Receipt, ReceiptState, moment
from telex_ingest.ticket import Ticket, TicketError
from tests.telex_ingest.conftest import MiniatureRoom, birth, until

ONE, TWO = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2))
KEY, NEXT = name_of(ONE.public_key()), name_of(TWO.public_key())
TICKET = Ticket("link-1", "secret-1", "room-1", KEY)
CHANGED = hand_over(Handover(room="room-1", purpose="orders", old=KEY, new=NEXT, at=moment(0)), ONE)


def a_link(room: MiniatureRoom, path: Path | None, ticket: str = TICKET.line(), **more: Any) -> PlantLink:
    return PlantLink(room.address, "link-1", ticket, [birth()], path, **more)


def unsigned(number: int, **more: Any) -> Order:
    members: dict[str, Any] = {
        "id": f"o-{number}",
        "room": "room-1",
        "plant": "mill-1",
        "motion": "m-1",
        "name": "restaff",
        "not_before": moment(0),
        "expires": moment(10**16),
    }
    return Order(**members | more)


def an_order(number: int, **more: Any) -> Order:
    return prove(unsigned(number, **more), ONE)


def states(room: MiniatureRoom) -> list[tuple[str, str]]:
    return [(item.receipt.order, item.receipt.state.value) for item in room.of(ReceiptCame)]


async def gone(room: MiniatureRoom) -> None:
    """Wait until the room has seen the last link end, so that what it sends next goes to the next one."""
    await until(lambda: not room.gateway.send("mill-1"))


class Program:
    """A plant's program: notes what it is told, and does it."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, bool]] = []
        self.link: PlantLink | None = None

    async def obey(self, order: Order) -> None:
        self.heard.append((order.id, order.revoked))
        state = ReceiptState.REFUSED if order.revoked else ReceiptState.DONE
        assert self.link is not None
        await self.link.answer(Receipt(order=order.id, plant="mill-1", state=state, time=moment(0), reason="said"))


async def test_an_order_is_heard_once_and_a_second_copy_gets_the_same_answer(
    room: MiniatureRoom, tmp_path: Path
) -> None:
    program = Program()
    for times in (1, 2):
        async with a_link(room, tmp_path / "spool", on_order=program.obey) as program.link:
            await until(lambda: room.gateway.send("mill-1", orders=[an_order(1)]))
            await until(lambda: states(room).count(("o-1", "done")) >= times)  # noqa: B023 - awaited here
        await gone(room)
    assert program.heard == [("o-1", False)], "also after its process began again"


async def test_a_revocation_is_heard_although_the_order_was_answered(room: MiniatureRoom, tmp_path: Path) -> None:
    program = Program()
    async with a_link(room, tmp_path / "spool", on_order=program.obey) as program.link:
        await until(lambda: room.gateway.send("mill-1", orders=[an_order(1)]))
        await until(lambda: ("o-1", "done") in states(room))
        for _ in range(2):
            room.gateway.send("mill-1", orders=[an_order(1, revoked=True)])
            await until(lambda: ("o-1", "refused") in states(room))
            room.heard.clear()
    assert program.heard == [("o-1", False), ("o-1", True)]


async def test_an_order_that_comes_after_its_revocation_is_not_obeyed(room: MiniatureRoom, tmp_path: Path) -> None:
    """Whoever stands on the line may hold an order back and let it go when the council has taken it back."""
    heard: list[bool] = []
    async with a_link(room, tmp_path / "spool", on_order=lambda order: heard.append(order.revoked)) as link:
        await until(lambda: room.gateway.send("mill-1", orders=[an_order(1, revoked=True)]))
        await until(lambda: heard)
        room.gateway.send("mill-1", orders=[unsigned(2)])
        await until(lambda: states(room) == [("o-2", "refused")])  # and so the revocation before it is in the spool
    room.heard.clear()
    await gone(room)
    async with a_link(room, tmp_path / "spool", on_order=lambda order: heard.append(order.revoked)) as link:
        await until(lambda: room.gateway.send("mill-1", orders=[an_order(1)]))
        await until(lambda: states(room) == [("o-1", "refused")])
        assert link.doubts == {"replayed": 1}
    assert heard == [True]


async def test_an_order_that_comes_while_its_revocation_is_being_heard_is_not_obeyed(room: MiniatureRoom) -> None:
    heard: list[bool] = []
    over = asyncio.Event()

    async def slowly(order: Order) -> None:
        heard.append(order.revoked)
        await over.wait()

    async with a_link(room, None, on_order=slowly) as link:
        await until(lambda: room.gateway.send("mill-1", orders=[an_order(1, revoked=True)]))
        await until(lambda: heard)
        room.gateway.send("mill-1", orders=[an_order(1)])
        await until(lambda: states(room) == [("o-1", "refused")])
        assert link.doubts == {"replayed": 1}
        over.set()
    assert heard == [True]


async def test_an_order_that_breaks_the_plants_program_is_refused_with_its_reason(
    room: MiniatureRoom, caplog: pytest.LogCaptureFixture
) -> None:
    def obey(order: Order) -> None:
        raise ZeroDivisionError("no machine")

    async with a_link(room, None, on_order=obey):
        await until(lambda: room.gateway.send("mill-1", orders=[an_order(1)]))
        await until(lambda: states(room) == [("o-1", "refused")])
    assert "no machine" in room.of(ReceiptCame)[0].receipt.reason


async def test_a_plant_that_takes_no_orders_says_so(room: MiniatureRoom) -> None:
    async with a_link(room, None):
        await until(lambda: room.gateway.send("mill-1", orders=[an_order(1)]))
        await until(lambda: states(room) == [("o-1", "refused")])


DOUBTFUL: dict[str, Callable[[], Order]] = {
    "unsigned": lambda: unsigned(1),
    "altered": lambda: msgspec.structs.replace(an_order(1), parameters={"hours": 9}),
    "expired": lambda: an_order(1, expires=moment(1_000_000)),
    "not-yet-valid": lambda: an_order(1, not_before=moment(9 * 10**15)),
    "foreign": lambda: prove(unsigned(1), TWO),
    "foreign room": lambda: an_order(1, room="room-2"),
}


@pytest.mark.parametrize(("code", "order"), DOUBTFUL.items(), ids=DOUBTFUL)
async def test_an_order_whose_proof_is_not_good_never_reaches_the_plants_program(
    room: MiniatureRoom, caplog: pytest.LogCaptureFixture, code: str, order: Callable[[], Order]
) -> None:
    program = Program()
    code = code.split()[0]
    async with a_link(room, None, on_order=program.obey) as program.link:
        await until(lambda: room.gateway.send("mill-1", orders=[order()]))
        await until(lambda: states(room) == [("o-1", "refused")])
        assert program.link.doubts == {code: 1}
        room.gateway.send("mill-1", orders=[an_order(2)])
        await until(lambda: ("o-2", "done") in states(room))
    assert room.of(ReceiptCame)[0].receipt.reason.startswith(f"{code}: ")
    assert program.heard == [("o-2", False)]


async def test_a_forged_order_neither_blocks_the_true_one_of_its_id_nor_crowds_out_what_was_answered(
    room: MiniatureRoom, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telex_ingest.spool.ANSWERS", 3)
    program = Program()
    async with a_link(room, tmp_path / "spool", on_order=program.obey) as program.link:
        await until(lambda: room.gateway.send("mill-1", orders=[an_order(1)]))
        await until(lambda: ("o-1", "done") in states(room))
        room.gateway.send("mill-1", orders=[unsigned(number) for number in range(2, 9)])
        await until(lambda: program.link is not None and program.link.doubts == {"unsigned": 7})
    await gone(room)
    async with a_link(room, tmp_path / "spool", on_order=program.obey) as program.link:
        await until(lambda: room.gateway.send("mill-1", orders=[an_order(1), an_order(2)]))
        await until(lambda: ("o-2", "done") in states(room))
    assert program.heard == [("o-1", False), ("o-2", False)], "the copy of the first one is not obeyed again"


async def test_a_plant_with_a_bare_token_obeys_nobody(room: MiniatureRoom) -> None:
    program = Program()
    async with a_link(room, None, "secret-1", on_order=program.obey) as program.link:
        await until(lambda: room.gateway.send("mill-1", orders=[an_order(1)]))
        await until(lambda: states(room) == [("o-1", "refused")])
        assert program.link.doubts == {"unpinned": 1}
    assert program.heard == []


async def test_a_plant_keeps_to_the_new_key_after_its_process_began_again(room: MiniatureRoom, tmp_path: Path) -> None:
    program = Program()
    async with a_link(room, tmp_path / "spool", on_order=program.obey) as program.link:
        await until(lambda: room.gateway.send("mill-1", orders=[prove(unsigned(1), TWO, (CHANGED,))]))
        await until(lambda: ("o-1", "done") in states(room))
        assert program.link.pin == Pin(room="room-1", key=NEXT, retired=(KEY,))
    await gone(room)
    async with a_link(room, tmp_path / "spool", on_order=program.obey) as program.link:
        await until(lambda: room.gateway.send("mill-1", orders=[an_order(2)]))
        await until(lambda: ("o-2", "refused") in states(room))
        assert program.link.doubts == {"retired": 1}, "the ticket names the old key, which has handed over"
        room.gateway.send("mill-1", orders=[prove(unsigned(3), TWO)])
        await until(lambda: ("o-3", "done") in states(room))


async def test_a_new_ticket_by_hand_is_believed(room: MiniatureRoom, tmp_path: Path) -> None:
    program = Program()
    async with a_link(room, tmp_path / "spool", on_order=program.obey) as program.link:
        await until(lambda: room.gateway.send("mill-1", orders=[prove(unsigned(1), TWO, (CHANGED,))]))
        await until(lambda: ("o-1", "done") in states(room))
    await gone(room)
    three = Ed25519PrivateKey.from_private_bytes(bytes([3]) * 32)
    ticket = TICKET._replace(key=name_of(three.public_key())).line()
    async with a_link(room, tmp_path / "spool", ticket, on_order=program.obey) as program.link:
        await until(lambda: room.gateway.send("mill-1", orders=[prove(unsigned(2), three)]))
        await until(lambda: ("o-2", "done") in states(room))


def test_a_ticket_is_read_as_it_was_written() -> None:
    assert Ticket.read(f"  {TICKET.line()}\n") == TICKET
    assert Ticket.read(TICKET._replace(token="").line()).token == ""
    assert Ticket.read("secret-1") == Ticket("", "secret-1", "", "")
    assert Ticket.read("secret-1").pin is None


@pytest.mark.parametrize("cut", range(7, len(TICKET.line()), 5))
def test_a_ticket_that_lost_a_part_is_refused_without_telling_its_token(cut: int) -> None:
    with pytest.raises(TicketError) as caught:
        Ticket.read(TICKET.line()[:cut])
    assert "secret" not in str(caught.value)
