"""The one file that checks an export offline: it finds every kind of tampering, and needs nothing of this program."""

from __future__ import annotations

import ast
import hashlib
import json
import shutil
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from opsroom.proof import verify_journal
from opsroom.proof.keys import Keyring
from opsroom.proof.verify_journal import (
    HANDOVER,
    BrokenError,
    Export,
    Peaks,
    check_keys,
    check_proof,
    head_bytes,
    leaf_hash,
)
from opsroom.record.carrying import ship_verifier
from opsroom.record.disk import StoreError
from opsroom.record.heads import SignedHead
from opsroom.record.journal import Entry, Journal, JournalError, export, verify, verify_export
from opsroom.record.proving import prove, prove_consistency
from tests.opsroom.record.test_journal import entry

EVENTS = 11


class Kept:
    """A journal, its keys, its export, and the signed heads that somebody kept outside."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "journal.sqlite"
        self.keys = Keyring.open(folder, "mill", 1.0)
        self.first_key = self.keys.key("journal")
        self.heads: list[SignedHead] = []
        self.write(range(EVENTS))

    def write(self, numbers: Any) -> None:
        journal = Journal.open(self.path, "mill", self.keys.sign_journal)
        for number in numbers:
            journal.append([entry(number)])
            assert journal.signed is not None
            self.heads.append(journal.signed)
        journal.close()

    def lines(self) -> list[bytes]:
        out = self.folder / "journal.jsonl"
        with out.open("wb") as file:
            export(self.path, file, self.keys.public())
        return out.read_bytes().splitlines(keepends=True)

    def head(self, place: int) -> dict[str, Any]:
        return dict(json.loads(self.heads[place].line()))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    return Kept(tmp_path_factory.mktemp("kept"))


def rewritten(lines: list[bytes], place: int, change: Callable[[dict[str, Any]], None]) -> list[bytes]:
    """History from an event on written anew by a forger who knows how: every hash fits, the old signature stays."""
    *events, seal = lines
    out, prev = [], "0" * 64
    for number, line in enumerate(events):
        event = json.loads(line)
        event["prev"] = prev
        if number == place:
            change(event)
        out.append(json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode())
        prev = hashlib.sha256(out[-1]).hexdigest()
    sealed = json.loads(seal) | {"head": prev}
    return [*(line + b"\n" for line in out), json.dumps(sealed, separators=(",", ":")).encode() + b"\n"]


def test_it_needs_the_standard_library_and_cryptography_alone() -> None:
    tree = ast.parse(Path(verify_journal.__file__).read_text(encoding="utf-8"))
    named = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names])
    }
    assert named <= {*sys.stdlib_module_names, "cryptography"}


def test_it_is_shipped_and_runs_alone(kept: Kept, tmp_path: Path) -> None:
    verifier = ship_verifier(tmp_path)
    (tmp_path / "j.jsonl").write_bytes(b"".join(kept.lines()))
    (tmp_path / "head.json").write_bytes(kept.heads[3].line())
    (tmp_path / "proof.json").write_bytes(msgspec.json.encode(prove(kept.path, 5)))

    def run(*arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-I", verifier, *arguments], cwd=tmp_path, capture_output=True, text=True
        )
        return done.returncode, done.stdout + done.stderr

    code, said = run("j.jsonl", "--head", "head.json", "--proof", "proof.json", "--key", kept.first_key)
    assert code == 0, said
    assert f"whole: {EVENTS} events" in said
    assert "event 5 is in the journal" in said
    (tmp_path / "j.jsonl").write_bytes(b"".join(kept.lines()[1:]))
    code, said = run("j.jsonl")
    assert code == 1
    assert said.startswith("broken: ")
    assert run("nothing.jsonl")[0] == 2


def test_a_whole_export_is_whole_against_every_head_that_was_kept(kept: Kept) -> None:
    lines = kept.lines()
    for place in range(EVENTS):
        export = Export(lines, [kept.head(place)], kept.first_key)
        assert (export.events, export.room) == (EVENTS, "mill")


@settings(deadline=None)
@given(st.data())
def test_any_change_drop_insertion_or_reordering_is_found(kept: Kept, data: st.DataObject) -> None:
    lines = kept.lines()
    kind = data.draw(st.sampled_from(["flip", "drop", "swap", "double", "cut", "cut inside"]))
    at = data.draw(st.integers(0, len(lines) - 1))
    if kind == "flip":
        line = bytearray(lines[at])
        line[data.draw(st.integers(0, len(line) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        lines[at] = bytes(line)
    elif kind == "drop":
        del lines[at]
    elif kind == "swap":
        other = data.draw(st.integers(0, len(lines) - 1).filter(lambda one: one != at))
        lines[at], lines[other] = lines[other], lines[at]
    elif kind == "double":
        lines.insert(at, lines[at])
    elif kind == "cut":
        lines = lines[:at]
    else:
        lines = [*lines[:at], lines[at][: data.draw(st.integers(1, len(lines[at]) - 2))]]
    raw = b"".join(lines)
    with pytest.raises(BrokenError):
        Export(raw.splitlines(keepends=True), [], kept.first_key)


def test_history_that_was_written_anew_with_every_hash_mended_is_found_by_the_signature(kept: Kept) -> None:
    forged = rewritten(kept.lines(), 4, lambda event: event["body"].update(number=99))
    with pytest.raises(BrokenError, match="signed head is that of"):
        Export(forged)


def test_a_forger_with_another_key_is_found_by_the_key_that_was_noted(kept: Kept, tmp_path: Path) -> None:
    other = Kept(tmp_path)
    assert Export(other.lines()).signed is not None, "whole in itself"
    with pytest.raises(BrokenError, match="has not handed over"):
        Export(other.lines(), [], kept.first_key)


def test_an_unsigned_export_does_not_pass_for_a_signed_one(kept: Kept) -> None:
    *events, seal = kept.lines()
    sealed = json.loads(seal)
    del sealed["signed"]
    with pytest.raises(BrokenError, match="nobody has signed"):
        Export([*events, json.dumps(sealed, separators=(",", ":")).encode() + b"\n"], [], kept.first_key)


def test_a_roll_back_is_found_by_a_head_that_was_kept_outside(tmp_path: Path) -> None:
    """Whoever has the machine and its keys can sign a shorter or another history: only a head kept elsewhere tells."""
    folder = tmp_path / "room"
    kept = Kept(folder)
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    kept.write(range(EVENTS, EVENTS + 3))
    rolled_back = Kept.__new__(Kept)
    rolled_back.folder, rolled_back.path, rolled_back.keys = copy, copy / "journal.sqlite", kept.keys
    with pytest.raises(BrokenError, match="the end was cut off"):
        Export(rolled_back.lines(), [kept.head(-1)])
    rolled_back.heads = []
    rolled_back.write(range(100, 103))
    assert Export(rolled_back.lines(), [], kept.first_key).events == EVENTS + 3, "signed, whole, and a lie"
    with pytest.raises(BrokenError, match="written anew"):
        Export(rolled_back.lines(), [kept.head(-1)])


def test_a_journal_cut_in_its_own_file_is_found_when_it_opens_and_when_it_is_checked(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    import sqlite3

    connection = sqlite3.connect(kept.path, isolation_level=None)
    for name in ("no_event_changes", "no_event_goes", "no_event_is_replaced"):
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute("DELETE FROM events WHERE event_id > 5")
    connection.execute("UPDATE progress SET events = 5, head = (SELECT hash FROM events WHERE event_id = 5)")
    connection.close()
    assert not verify(kept.path).ok
    with pytest.raises(JournalError, match="was signed"):
        Journal.open(kept.path, "mill", kept.keys.sign_journal)


def test_every_event_is_proven_and_no_other(kept: Kept) -> None:
    for number in range(1, EVENTS + 1):
        proof = msgspec.json.decode(msgspec.json.encode(prove(kept.path, number)))
        assert f"event {number} " in check_proof(proof)
        with pytest.raises(BrokenError):
            check_proof(proof | {"event": number % EVENTS + 1})
        with pytest.raises(BrokenError):
            check_proof(proof | {"line": proof["line"].replace('"number":', '"number": ')})
        with pytest.raises(BrokenError):
            check_proof(proof | {"signed": proof["signed"] | {"root": "00" * 32}})
    with pytest.raises(ValueError, match="no event 12"):
        prove(kept.path, EVENTS + 1)


def test_every_kept_head_is_proven_to_be_the_beginning(kept: Kept, tmp_path: Path) -> None:
    for head in kept.heads:
        proof = msgspec.json.decode(msgspec.json.encode(prove_consistency(kept.path, head)))
        assert f"begins with that of {head.events}" in check_proof(proof)
    stranger = Kept(tmp_path)
    stranger.keys = kept.keys
    stranger.write([77])
    with pytest.raises(BrokenError, match="does not begin"):
        check_proof(proof | {"signed": json.loads(stranger.heads[-1].line())})


@given(
    st.dictionaries(
        st.sampled_from(["event", "line", "path", "signed", "earlier"]),
        st.none() | st.integers() | st.text(max_size=5) | st.lists(st.text(max_size=3), max_size=2),
    )
)
def test_what_is_no_proof_is_said_to_be_none(proof: dict[str, Any]) -> None:
    with pytest.raises(BrokenError):
        check_proof(proof)


def test_a_journal_from_before_there_were_keys_is_signed_when_it_opens_next(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    journal = Journal.open(path, "mill")
    journal.append([entry(number) for number in range(5)])
    journal.close()
    import sqlite3

    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE tree")
    connection.execute("DROP TABLE signed_head")
    connection.commit()
    connection.close()
    keys = Keyring.open(tmp_path, "mill", 1.0)
    journal = Journal.open(path, "mill", keys.sign_journal)
    assert journal.signed is not None
    assert journal.signed.events == 5
    journal.append([entry(5)])
    journal.close()
    assert verify(path).ok
    assert "event 3 " in check_proof(msgspec.json.decode(msgspec.json.encode(prove(path, 3))))


def test_an_export_from_before_there_were_keys_is_still_whole(kept: Kept, tmp_path: Path) -> None:
    *events, seal = kept.lines()
    old = {name: json.loads(seal)[name] for name in ("journal", "room_id", "events", "head")}
    lines = [*events, json.dumps(old, separators=(",", ":")).encode() + b"\n"]
    assert Export(lines).signed is None
    (tmp_path / "old.jsonl").write_bytes(b"".join(lines))
    assert verify_export(tmp_path / "old.jsonl").ok


def test_the_keys_are_followed_after_a_change(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.keys.rotate("journal", 2.0)
    assert Export(kept.lines(), [], kept.first_key).signed is not None, "signed before the change"
    kept.write([50])
    assert Export(kept.lines(), [kept.head(2)], kept.first_key).events == EVENTS + 1
    assert verify(kept.path).ok


def test_a_key_that_cannot_be_used_writes_nothing_and_the_journal_goes_on(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    journal = Journal.open(kept.path, "mill", kept.keys.sign_journal)
    (secret,) = (tmp_path / "keys").glob("journal-*.pem")
    secret.chmod(0o644)
    kept.keys._secrets.clear()
    with pytest.raises(StoreError, match="cannot be signed"):
        journal.append([entry(60)])
    assert journal.events == EVENTS
    secret.chmod(0o600)
    journal.append([entry(60)])
    assert journal.events == EVENTS + 1
    journal.close()


def test_an_entry_is_told_as_it_is_stored(kept: Kept) -> None:
    assert isinstance(entry(1), Entry)
    assert prove(kept.path, 1)["line"].encode() + b"\n" == kept.lines()[0]


def sealed_with(lines: list[bytes], **changes: Any) -> list[bytes]:
    """The export with another head in its last line: the head that fits these events, and the changes."""
    *events, seal = lines
    tree = Peaks()
    for line in events:
        tree.add(leaf_hash(line[:-1]))
    sealed = json.loads(seal)
    fitting = {"events": len(events), "head": sealed["head"], "root": tree.root().hex()}
    sealed["signed"] = sealed["signed"] | fitting | changes
    return [*events, json.dumps(sealed, separators=(",", ":")).encode() + b"\n"]


def signature_of(secret: Ed25519PrivateKey, said: bytes) -> str:
    return urlsafe_b64encode(secret.sign(said)).rstrip(b"=").decode()


def test_a_forger_who_mends_the_head_as_well_cannot_sign_it(kept: Kept) -> None:
    forged = rewritten(kept.lines(), 4, lambda event: event["body"].update(number=99))
    assert Export(sealed_with(kept.lines())).signed is not None, "what fits is whole"
    with pytest.raises(BrokenError, match="is not that of its key"):
        Export(sealed_with(forged))
    head = json.loads(sealed_with(forged)[-1])["signed"]
    own = signature_of(Ed25519PrivateKey.generate(), head_bytes(head))
    for signature in (own, "A" * 86, "", "not base64 at all"):
        with pytest.raises(BrokenError, match="is not that of its key"):
            Export(sealed_with(forged, signature=signature), [], kept.first_key)


def test_a_key_that_the_old_one_has_not_signed_is_not_followed(kept: Kept) -> None:
    forger = Ed25519PrivateKey.generate()
    key = urlsafe_b64encode(forger.public_key().public_bytes_raw()).rstrip(b"=").decode()
    said = {"at": "2026-01-01T00:00:00Z", "new": key, "old": kept.first_key, "purpose": "journal", "room": "mill"}
    plain = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    for signature in (signature_of(forger, HANDOVER + plain), "A" * 86, ""):
        with pytest.raises(BrokenError, match="has not handed over"):
            check_keys([said | {"signature": signature}], kept.first_key, key, "mill")


def test_no_byte_of_the_last_line_can_be_changed(kept: Kept) -> None:
    *events, seal = kept.lines()
    for place in range(len(seal)):
        line = bytearray(seal)
        line[place] ^= 1 << place % 8
        with pytest.raises(BrokenError):
            Export([*events, bytes(line)], [], kept.first_key)
