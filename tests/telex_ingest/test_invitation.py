"""A plant is invited to a motion about it, believes only its room, and states what it knows, over every cut of the line."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given

from telex_ingest.heard import StatementCame
from telex_ingest.invitation import STATEMENT, doubt, invitation_bytes, prove
from telex_ingest.legible import legible
from telex_ingest.proof import Pin, order_bytes
from telex_ingest.telex import (
    FromRoom,
    Invitation,
    InvitedOption,
    InvitedOrder,
    Notice,
    PlantStatement,
    Refusal,
    moment,
)
from telex_ingest.wire import Subprotocol, decode_room, encode
from telex_ingest.witness import INVITATIONS, StatementError, Witness
from tests.telex_ingest.conftest import NOON, MiniatureRoom, until
from tests.telex_ingest.strategies import invitations
from tests.telex_ingest.test_plant_link import a_link
from tests.telex_ingest.test_proof import KEYS, PIN, an_order, handed_over


def an_invitation(**more: Any) -> Invitation:
    order = InvitedOrder(plant="mill-1", name="restaff", parameters={"hours": 4})
    members: dict[str, Any] = {
        "motion": "motion-3",
        "room": "room-1",
        "plant": "mill-1",
        "title": "Staff the night",
        "alarm": "alarm-7",
        "signal": "signal-1",
        "options": (InvitedOption(id="a", title="Restaff", kind="orders", orders=(order,)),),
        "until": moment(round((NOON + 600) * 1e6)),
        "letters": STATEMENT,
    }
    return Invitation(**members | more)


def test_only_the_rooms_own_invitation_is_believed() -> None:
    good = prove(an_invitation(), KEYS[0])
    assert doubt(good, PIN, NOON) == ""
    assert doubt(good, None, NOON) == "unpinned"
    assert doubt(an_invitation(), PIN, NOON) == "unsigned"
    assert doubt(prove(an_invitation(), KEYS[1]), PIN, NOON) == "foreign"
    assert doubt(prove(an_invitation(room="room-2"), KEYS[0]), PIN, NOON) == "foreign"
    assert doubt(msgspec.structs.replace(good, title="Staff the day"), PIN, NOON) == "altered"
    assert doubt(good, PIN, NOON + 600) == "expired"
    assert doubt(prove(an_invitation(state="lost"), KEYS[0]), PIN, NOON + 600) == "", "its end may be told later"
    chain = (handed_over(0, 1),)
    assert doubt(prove(an_invitation(), KEYS[1], chain), PIN, NOON) == ""
    assert doubt(prove(an_invitation(), KEYS[0], chain), PIN, NOON) == "retired"


@given(invitations)
def test_an_invitation_keeps_its_proof_on_the_wire_and_never_passes_for_an_order(invitation: Invitation) -> None:
    sent = prove(invitation, KEYS[0])
    for subprotocol in Subprotocol:
        (back,) = decode_room(encode(FromRoom(invitations=(sent,)), subprotocol), subprotocol).invitations
        assert doubt(back, Pin(room=back.room, key=PIN.key), -1e18) == ""
    assert invitation_bytes(invitation).split(b"\n")[0] != order_bytes(an_order()).split(b"\n")[0]


class OlderFromRoom(msgspec.Struct):
    """What a plant that was written before invitations reads of a frame."""

    notices: tuple[Notice, ...] = ()


def test_an_older_plant_reads_past_an_invitation() -> None:
    frame = encode(FromRoom(invitations=(prove(an_invitation(), KEYS[0]),)))
    assert msgspec.json.decode(frame, type=OlderFromRoom) == OlderFromRoom()


async def test_an_invitation_is_answered_and_the_statement_is_said_again_after_a_cut(room: MiniatureRoom) -> None:
    heard: list[Invitation] = []
    more: dict[str, Any] = {"pin": PIN, "now": lambda: NOON, "on_invitation": heard.append}
    async with a_link(room, None, **more) as link:
        invitation = prove(an_invitation(), KEYS[0])
        await until(lambda: room.gateway.send("mill-1", invitations=[invitation]))
        await until(lambda: heard == [invitation])
        room.gateway.send("mill-1", invitations=[prove(an_invitation(stated=1), KEYS[0])])
        room.gateway.send("mill-1", invitations=[prove(an_invitation(motion="motion-4"), KEYS[3])])
        await until(lambda: link.doubts == {"foreign": 1})
        assert heard == [invitation], "what is no news, and what is not the room's, does not reach the program"
        said = PlantStatement(plant="mill-1", motion="motion-3", text="The belt is torn; the new one comes at six.")
        await link.state(said)
        await until(lambda: [one.statement for one in room.of(StatementCame)] == [said])
        link.cut()
        link.mend()
        await until(lambda: [one.statement for one in room.of(StatementCame)] == [said, said])
        over = prove(an_invitation(state="carried", chosen="a"), KEYS[0])
        await until(lambda: room.gateway.send("mill-1", invitations=[over]))
        await until(lambda: heard[1:] == [over])
        await link.state(PlantStatement(plant="mill-9", motion="motion-3", text="We too."))
        await until(lambda: link.counts.refused == 1)
        assert link.refusals[-1].code == "unborn"
        assert room.gateway.line().statements == 2


async def test_what_the_rooms_people_write_commands_no_terminal_of_a_plant(room: MiniatureRoom) -> None:
    evil = "Stop \u202eit\x1b[2J\x07\r\nroom> "
    heard: list[Invitation] = []
    noticed: list[Notice] = []
    option = InvitedOption(id="a", title=evil, kind="nothing", terms=evil)
    signed = prove(an_invitation(title=evil, text=evil, options=(option,)), KEYS[0])
    more: dict[str, Any] = {"pin": PIN, "now": lambda: NOON, "on_invitation": heard.append, "on_notice": noticed.append}
    async with a_link(room, None, **more) as link:
        told = Notice(plant="mill-1", alarm="alarm-7", signal="signal-1", state="opened", text=evil)
        await until(lambda: room.gateway.send("mill-1", invitations=[signed], notices=[told]))
        room.gateway.refuse("mill-1", Refusal(code="late", reason=evil, cure=evil, plant="mill-1"))
        await until(lambda: heard and noticed and link.refusals)
        (invitation,), (notice,), refused = heard, noticed, link.refusals[-1]
        shown = [invitation.title, invitation.text, invitation.options[0].title, invitation.options[0].terms]
        assert {*shown, notice.text, refused.reason, refused.cure} == {legible(evil)}
        assert (invitation.motion, notice.alarm, link.doubts) == ("motion-3", "alarm-7", {}), (
            "the proof held as it came"
        )


@pytest.mark.parametrize("text", ["", "  ", "x" * (STATEMENT + 1)])
async def test_a_statement_that_no_room_takes_is_not_sent(text: str) -> None:
    witness = Witness(None, lambda: PIN, lambda: NOON)
    with pytest.raises(StatementError, match=f"1 to {STATEMENT}"):
        witness.keep(PlantStatement(plant="mill-1", motion="motion-3", text=text))


async def test_a_witness_tells_new_options_and_the_end_once_and_says_nothing_of_what_is_over() -> None:
    heard: list[Invitation] = []

    def confused(invitation: Invitation) -> None:
        heard.append(invitation)
        raise RuntimeError("a program's own defect")

    now = [NOON]
    witness = Witness(confused, lambda: PIN, lambda: now[0])
    said = PlantStatement(plant="mill-1", motion="motion-3", text="So.")
    amended = prove(an_invitation(options=()), KEYS[0])
    for _ in range(2):
        await witness.hear(prove(an_invitation(), KEYS[0]))
    for _ in range(2):
        await witness.hear(amended)
    assert [one.options == () for one in heard] == [False, True]
    witness.keep(said)
    assert witness.recent() == (said,)
    now[0] = NOON + 600
    assert witness.recent() == (), "the room would refuse it as late"
    now[0] = NOON
    await witness.hear(prove(an_invitation(options=(), state="expired"), KEYS[0]))
    assert witness.recent() == ()
    for number in range(INVITATIONS + 5):
        witness.keep(PlantStatement(plant="mill-1", motion=f"motion-{number}", text="So."))
    assert len(witness.recent()) == INVITATIONS
    witness.keep(said)
    assert len(witness.recent()) == INVITATIONS - 1, "motion-3 is over"
