"""What the room's own people type: what nobody would see is refused at the door, and every language's writing comes in."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.commands import AnyCommand, OpenMotion, ProposedOption, ProposedOrder, WriteLog
from opsroom.doors.answers import unfit
from telex_ingest.legible import legible, unseen
from tests.opsroom.rooms import make_folder, served

HIDDEN = {
    "\x00": "U+0000",
    "\x1b": "U+001B",
    "\x9b": "U+009B",
    "\r": "U+000D",
    "\u00ad": "U+00AD",
    "\u200b": "U+200B",
    "\u2028": "U+2028",
    "\u202e": "U+202E",
    "\u2060": "U+2060",
    "\u2066": "U+2066",
    "\ufeff": "U+FEFF",
    "\ue000": "U+E000",
    "\U000e0041": "U+E0041",
}
SEEN = "Grüße, 12\u202f000 kg\u00a0·\tʼn\r\nzweite Zeile\nنمی\u200cدانم क्\u200dष 保守 👩\u200d🔧 ❤\ufe0f \u200fשלום 12\u200e “so”"


@pytest.mark.parametrize(("hidden", "name"), HIDDEN.items())
def test_what_nobody_sees_has_a_name(hidden: str, name: str) -> None:
    assert unseen(f"valve{hidden}3") == name


def test_the_writing_of_people_comes_in() -> None:
    assert unseen(SEEN) == ""
    assert unfit(WriteLog(unit="mill-1", text=SEEN), "k") is None


@given(st.text())
def test_a_text_that_comes_in_shows_nothing_else_in_one_line_than_it_has(text: str) -> None:
    if not unseen(text):
        assert all(
            shown == c or c.isspace() or not c.isprintable() for shown, c in zip(legible(text), text, strict=False)
        )
        assert "\x1b" not in text


def with_hidden() -> list[tuple[str, AnyCommand]]:
    """Each text of each command that can be made of texts and numbers alone, with a space of no width in it."""
    made: list[tuple[str, AnyCommand]] = []
    given = {"accept": True, "aye": True, "minutes": 5.0, "start": 1.0, "end": 2.0, "substitute": 2, "stance": "for"}
    for kind in get_args(AnyCommand):
        parts = msgspec.structs.fields(kind)
        for part in (part for part in parts if part.type is str):
            said = {one.name: given.get(one.name, "x") for one in parts if one.required} | {part.name: "a\u200bb"}
            with suppress(msgspec.ValidationError):
                made.append((f"{kind.__name__}.{part.name}", msgspec.convert(said, kind)))
    return made


def test_what_nobody_would_see_is_refused_in_every_text_of_every_command() -> None:
    commands = with_hidden()
    names = {name for name, _ in commands}
    assert names >= {"WriteLog.text", "StateMinority.text", "Speak.text", "ReviewMotion.text", "ShelveAlarm.reason"}, (
        names
    )
    for name, command in commands:
        refused = unfit(command, "k")
        assert refused is not None, name
        assert "U+200B" in refused.reason, name


def test_what_is_deep_in_a_motion_is_found() -> None:
    order = ProposedOrder(plant="mill-1", name="service", parameters={"note": ["\u202eevil"]})
    motion = OpenMotion(title="Service", options=(ProposedOption(title="Do it", orders=(order,)),))
    refused = unfit(motion, "k")
    assert refused is not None
    assert "U+202E" in refused.reason


async def test_what_a_seat_hides_in_a_text_is_refused_by_its_name_and_not_stored(tmp_path: Path) -> None:
    async with served(make_folder(tmp_path / "room")) as room, room.person("operator") as operator:

        async def written(text: str) -> dict[str, str]:
            command = {"command": "write-log", "unit": "mill-1", "text": text}
            return dict(
                (await operator.post("/api/commands", json={"command": command, "key": f"k{len(text)}"})).json()
            )

        for hidden, name in HIDDEN.items():
            answer = await written(f"valve{hidden}3")
            assert answer["code"] == "bad-body", answer
            assert f"({name})" in answer["reason"]
        answer = await written(SEEN)
        assert answer.get("code") != "bad-body", answer
        journal = (await operator.get("/api/journal")).text
    assert "valve" not in journal
