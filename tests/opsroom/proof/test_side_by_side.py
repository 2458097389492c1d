"""The one file that checks an export puts it beside heads, proofs and a noted key: two histories do not pass for one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from opsroom.proof.verify_journal import BrokenError, check_proof, main
from opsroom.record.proving import prove, prove_beginning
from tests.opsroom.proof.test_verify_journal import EVENTS, Kept


class Desk:
    """A reader's folder: what was kept of rooms, and the program's answer to it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys
        self.room = Kept(folder / "room")
        shutil.copytree(folder / "room", folder / "twin")
        self.twin = Kept.__new__(Kept)  # the same room with the same keys, which tells another reader something else
        self.twin.folder, self.twin.path = folder / "twin", folder / "twin" / "journal.sqlite"
        self.twin.keys, self.twin.heads = self.room.keys, []
        self.twin.write([70, 71])
        self.room.write([80, 81])

    def head(self, kept: Kept, place: int) -> str:
        return self.file(f"head-{kept.folder.name}-{place}.json", kept.heads[place].line())

    def export(self, kept: Kept) -> str:
        return self.file(f"export-{kept.folder.name}.jsonl", b"".join(kept.lines()))

    def proof(self, name: str, proof: dict[str, Any]) -> str:
        return self.file(name, msgspec.json.encode(proof))

    def file(self, name: str, raw: bytes) -> str:
        (self.folder / name).write_bytes(raw)
        return str(self.folder / name)

    def says(self, *arguments: str) -> tuple[int, str]:
        code = main(arguments)
        return code, self.capsys.readouterr().out


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, capsys)


def test_two_readers_who_were_told_two_histories_find_it_by_their_heads_alone(desk: Desk) -> None:
    mine, yours = desk.head(desk.room, -1), desk.head(desk.twin, -1)
    for together in ((mine, yours), (yours, mine)):
        code, said = desk.says("--head", together[0], "--head", together[1])
        assert code == 1
        assert f"two heads of {EVENTS + 2} events differ" in said
        assert "two readers were shown two histories" in said
    assert desk.says("--head", mine)[0] == 0
    for order in ((mine, yours), (yours, mine)):
        code, said = desk.says(desk.export(desk.room), "--head", order[0], "--head", order[1])
        assert code == 1, "whichever was named last"
        assert "two histories" in said


def test_an_export_of_one_history_does_not_pass_with_a_proof_from_the_other(desk: Desk) -> None:
    export = desk.export(desk.room)
    own = desk.proof("own.json", prove(desk.room.path, EVENTS + 1))
    foreign = desk.proof("foreign.json", prove(desk.twin.path, EVENTS + 1))
    assert desk.says(export, "--proof", own)[0] == 0
    assert desk.says("--proof", foreign)[0] == 0, "well signed by itself"
    code, said = desk.says(export, "--proof", foreign)
    assert code == 1
    assert "history was written anew" in said


def test_a_proof_that_is_newer_than_the_export_is_no_reproach_to_it(desk: Desk) -> None:
    export = desk.export(desk.room)
    desk.room.write([90])
    newer = desk.proof("newer.json", prove(desk.room.path, 3))
    code, said = desk.says(export, "--proof", newer, "--key", desk.room.first_key)
    assert code == 0, said
    assert f"event 3 is in the journal of 'mill' as it was signed with {EVENTS + 3} events" in said
    assert desk.says(export, "--head", desk.head(desk.room, -1))[0] == 1, "a head that was kept must be in it"


def test_a_proof_that_another_key_signed_is_found_by_the_key_that_was_noted(desk: Desk, tmp_path: Path) -> None:
    stranger = Kept(tmp_path / "stranger")
    stranger.write([99])
    proof = desk.proof("stranger.json", prove(stranger.path, 4))
    code, said = desk.says("--proof", proof)
    assert code == 0
    assert "only a --key tells" in said
    code, said = desk.says("--proof", proof, "--key", desk.room.first_key)
    assert code == 1
    assert "has not handed over" in said
    own = desk.file("own-head.json", msgspec.json.encode(desk.room.head(EVENTS)))
    code, said = desk.says("--head", own, "--proof", proof)
    assert code == 1
    assert "one of them is not this room's" in said


def test_a_key_that_begins_with_a_dash_is_a_key(desk: Desk) -> None:
    code, said = desk.says(desk.export(desk.room), "--key", "-abc")
    assert code == 1
    assert "to which the key -abc has not handed over" in said


def test_a_changed_key_is_followed_when_an_export_carries_the_handover(desk: Desk) -> None:
    desk.room.keys.rotate("journal", 5.0)
    desk.room.write([95])
    export, key = desk.export(desk.room), desk.room.first_key
    desk.room.write([96])
    proof = desk.proof("after.json", prove(desk.room.path, 2))
    assert desk.says(export, "--proof", proof, "--key", key)[0] == 0
    code, said = desk.says("--proof", proof, "--key", key)
    assert code == 1
    assert "name an export too" in said


def test_heads_of_different_rooms_are_told_apart(desk: Desk) -> None:
    other = desk.room.head(3) | {"room": "elsewhere"}
    path = desk.file("other.json", json.dumps(other).encode())
    code, said = desk.says("--head", path)
    assert (code, "is not that of its key" in said) == (1, True)


def test_proofs_over_rest_are_checked_with_the_export_and_the_kept_head(desk: Desk) -> None:
    """Over REST a proof comes without the words of its event, and a beginning without the reader's own head."""
    full = prove(desk.room.path, 6)
    bare = {name: full[name] for name in ("event", "path", "signed")}
    proof = desk.proof("bare.json", bare)
    code, said = desk.says("--proof", proof)
    assert code == 1
    assert "does not carry the event: name an export" in said
    code, said = desk.says(desk.export(desk.room), "--proof", proof)
    assert code == 0
    assert "event 6 is in the journal" in said
    assert desk.says(desk.export(desk.room), "--proof", desk.proof("bare7.json", bare | {"event": 7}))[0] == 1
    beginning = desk.proof("first.json", prove_beginning(desk.room.path, 4))
    code, said = desk.says("--proof", beginning)
    assert code == 1
    assert "earlier head of 4 events: name it with --head" in said
    code, said = desk.says("--proof", beginning, "--head", desk.head(desk.room, 3))
    assert code == 0
    assert f"the journal of {EVENTS + 2} events begins with that of 4" in said


def test_what_a_false_proof_is_accused_of_is_said_once_and_plainly(desk: Desk) -> None:
    proof = msgspec.json.decode(msgspec.json.encode(prove(desk.room.path, 5)))
    with pytest.raises(BrokenError) as broken:
        check_proof(proof | {"event": 6})
    assert str(broken.value) == f"event 6 is not in the journal of {EVENTS + 2} events with this head"
