"""Check an exported journal without the room, its program or its word: this one file, Python and the package `cryptography`.

    python verify_journal.py [journal.jsonl] [--key KEY] [--head HEAD.json]... [--proof PROOF.json|MINUTES.html]...

It checks that every event follows the one before it (SHA-256), that the tree over all of them (RFC 9162) has the root that the
room signed (Ed25519), and that the signing key comes from KEY, noted when the room was young, by handovers that each old key
signed. With an earlier signed head it finds a journal that was cut, rewritten or rolled back since; a proof is checked against
the signed head that it carries, and that head against the export, the KEY and the other heads: two readers who were shown two
histories find it when they put their heads side by side, with or without an export. What is printed on minutes is not checked
here, only the events that they carry: `opsroom minutes --check` compares the words with the journal.
Exit code 0: whole; 1: broken, with the first thing that does not fit; 2: a file cannot be read.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

GENESIS = "0" * 64
HEAD, HANDOVER = b"opsroom head v1\n", b"opsroom handover v1\n"
SEAL = b'{"journal":'
PROOFS = b'<script type="application/json" id="opsroom-proofs">'
KIND = "opsroom.journal.v1"
SEALED = {"journal", "room_id", "events", "head", "signed", "keys"}
HANDED = ("at", "new", "old", "purpose", "room")


class BrokenError(ValueError):
    """Something does not fit: the words say what."""


def leaf_hash(line: bytes) -> bytes:
    """The hash of an event's bytes as a leaf (RFC 9162, 2.1.1)."""
    return hashlib.sha256(b"\x00" + line).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees (RFC 9162, 2.1.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Peaks:
    """The tree over a growing list, as its perfect subtrees alone: 32 bytes for each bit of the size."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """Add a leaf's hash."""
        size, self.size = self.size, self.size + 1
        while size & 1:
            leaf, size = node_hash(self._peaks.pop(), leaf), size >> 1
        self._peaks.append(leaf)

    def root(self) -> bytes:
        """The hash of the whole tree; that of nothing for an empty one."""
        if not self._peaks:
            return hashlib.sha256().digest()
        *others, root = self._peaks
        for peak in reversed(others):
            root = node_hash(peak, root)
        return root


def included(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Tell whether a leaf stands at an index of the tree with this size and root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf
    for beside in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(beside, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, beside)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


def consistent(first: int, second: int, path: Sequence[bytes], old: bytes, new: bytes) -> bool:
    """Tell whether the tree of `second` leaves begins with that of `first` (RFC 9162, 2.1.4.2)."""
    if not 0 <= first <= second:
        return False
    if first in (0, second):
        return not path and (first == 0 or old == new)
    steps = [old, *path] if first & (first - 1) == 0 else list(path)
    if not steps:
        return False
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    found_old = found_new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            found_old, found_new = node_hash(step, found_old), node_hash(step, found_new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found_new = node_hash(found_new, step)
        place, last = place >> 1, last >> 1
    return last == 0 and (found_old, found_new) == (old, new)


def head_bytes(head: dict[str, Any]) -> bytes:
    """The bytes of a head that are signed: canonical JSON (RFC 8785), which for text and counts is this."""
    return HEAD + _plain({name: head[name] for name in ("room", "events", "head", "root", "at")})


def check_head(head: dict[str, Any]) -> None:
    """Check the signature under a head; raises `BrokenError`."""
    kinds = {"room": str, "events": int, "head": str, "root": str, "at": str, "key": str, "signature": str}
    if not all(type(head.get(name)) is kind for name, kind in kinds.items()):
        raise BrokenError("a signed head lacks a member")
    if not _signed(head["key"], head_bytes(head), head["signature"]):
        raise BrokenError(f"the signature under the head of {head['events']} events is not that of its key")


def check_keys(keys: Iterable[dict[str, Any]], trusted: str, signer: str, room: str) -> None:
    """Follow the journal keys from one that is trusted; the one that signed must be among them. Raises `BrokenError`."""
    followed = [trusted]
    for one in keys:
        follows = (one.get("room"), one.get("purpose"), one.get("old")) == (room, "journal", followed[-1])
        if follows and _handed_over(one, followed[-1]):
            followed.append(str(one.get("new")))
    if signer not in followed:
        raise BrokenError(f"the head is signed by {signer[:12]}, to which the key {trusted[:12]} has not handed over")


def check_handovers(keys: Any, room: str) -> None:
    """Check that each key was signed by the one before it, and the first of a purpose by itself. Raises `BrokenError`."""
    newest: dict[str, str] = {}
    for place, one in enumerate(keys if isinstance(keys, list) else [None], 1):
        if (
            not isinstance(one, dict)
            or set(one) != {*HANDED, "signature"}
            or one["purpose"] not in ("orders", "journal")
        ):
            raise BrokenError(f"key {place} of the last line is no handover")
        before = newest.get(one["purpose"], "")
        if (one["room"], one["old"]) != (room, before) or not _handed_over(one, before or str(one["new"])):
            raise BrokenError(f"key {place} of the last line is not signed by the key before it")
        newest[one["purpose"]] = str(one["new"])


def _handed_over(one: dict[str, Any], by: str) -> bool:
    return _signed(by, HANDOVER + _plain({name: one.get(name) for name in HANDED}), str(one.get("signature")))


def check_agreed(heads: Sequence[dict[str, Any]]) -> None:
    """Check that signed heads are of one room and, where they count the same events, of one history. Raises `BrokenError`."""
    by_events: dict[int, dict[str, Any]] = {}
    for head in heads:
        check_head(head)
        if head["room"] != heads[0]["room"]:
            raise BrokenError(f"the heads are of different rooms: {heads[0]['room']!r} and {head['room']!r}")
        other = by_events.setdefault(head["events"], head)
        if (head["head"], head["root"]) == (other["head"], other["root"]):
            continue
        if head["key"] != other["key"]:
            who = f"by two keys, {other['key'][:12]} and {head['key'][:12]}: one of them is not this room's"
        else:
            who = f"by the same key {head['key'][:12]}: two readers were shown two histories"
        raise BrokenError(f"two heads of {head['events']} events differ, signed {who}")


class Export:
    """An export that was read and found whole: its room, last hash, tree, and signed head if there is one.

    `earlier` are signed heads that it must contain, `beside` such that it must contain unless they are newer than it; `leaves`
    are the hashes of the events in `proven`.
    """

    def __init__(
        self,
        lines: Iterable[bytes],
        earlier: Sequence[dict[str, Any]] = (),
        key: str = "",
        beside: Sequence[dict[str, Any]] = (),
        proven: Iterable[int] = (),
    ) -> None:
        self.room, self.head = "", GENESIS
        self.signed: dict[str, Any] | None = None
        self.keys: list[dict[str, Any]] = []
        self.tree = Peaks()
        self.leaves: dict[int, bytes] = dict.fromkeys(proven, b"")
        check_agreed([*earlier, *beside])
        wanted = {one["events"]: one for one in (*beside, *earlier)}
        must = max((one["events"] for one in earlier), default=0)
        self._compare(wanted)
        seal: bytes | None = None
        for number, line in enumerate(lines, 1):
            if seal is not None:
                raise BrokenError("there is something behind the last line")
            if line.startswith(SEAL):
                seal = line.rstrip(b"\n")
            elif not line.endswith(b"\n"):
                raise BrokenError(f"line {number} is cut off")
            else:
                self._follow(number, line[:-1])
                self._compare(wanted)
        if must > self.events:
            raise BrokenError(f"an earlier head has {must} events, the export {self.events}: the end was cut off")
        self._sealed(seal, key)

    @property
    def events(self) -> int:
        """How many events there are."""
        return self.tree.size

    def _follow(self, number: int, line: bytes) -> None:
        event = _json(line, f"line {number}")
        for name, value in (
            ("event_id", number),
            ("prev", self.head),
            ("room_id", self.room or str(event.get("room_id"))),
        ):
            if event.get(name) != value:
                raise BrokenError(
                    f"event {number} has {name} {event.get(name)!r}, not {value!r}: events were changed, dropped or moved"
                )
        self.room = str(event["room_id"])
        self.head = hashlib.sha256(line).hexdigest()
        leaf = leaf_hash(line)
        self.tree.add(leaf)
        if number in self.leaves:
            self.leaves[number] = leaf

    def _compare(self, wanted: dict[int, dict[str, Any]]) -> None:
        head = wanted.pop(self.events, None)
        if head is None:
            return
        if self.room and head["room"] != self.room:
            raise BrokenError(f"an earlier head is of the room {head['room']!r}, the export of {self.room!r}")
        if (head["head"], head["root"]) != (self.head, self.tree.root().hex()):
            by = f"signed by {head['key'][:12]}"
            raise BrokenError(
                f"history was written anew: after {self.events} events an earlier head, {by}, says otherwise"
            )

    def _sealed(self, seal: bytes | None, key: str) -> None:
        if seal is None:
            raise BrokenError("the last line, which seals the events, is missing: the end was cut off")
        said = _json(seal, "the last line")
        if said.get("journal") != KIND or not SEALED.issuperset(said):
            raise BrokenError(f"the last line is not one of {KIND}: it was changed, or is of another version")
        self.room = self.room or str(said.get("room_id"))
        if (said.get("room_id"), said.get("events"), said.get("head")) != (self.room, self.events, self.head):
            raise BrokenError("the last line does not seal the events before it: the end was cut off or changed")
        signed = said.get("signed")
        if signed is None:
            if key:
                raise BrokenError("nobody has signed this export")
            return
        if not isinstance(signed, dict):
            raise BrokenError("the signed head is none")
        check_head(signed)
        said_of = (self.room, self.events, self.head, self.tree.root().hex())
        if tuple(signed[name] for name in ("room", "events", "head", "root")) != said_of:
            raise BrokenError(f"the signed head is that of {signed['events']} events, these are {self.events}")
        keys = said.get("keys", [])
        check_handovers(keys, self.room)
        if key:
            check_keys(keys, key, signed["key"], self.room)
        self.signed, self.keys = signed, keys


def heads_of(proof: dict[str, Any]) -> list[dict[str, Any]]:
    """The signed heads that a proof carries; raises `BrokenError`."""
    heads = [proof[name] for name in ("earlier", "signed") if name in proof]
    if not heads or not all(isinstance(head, dict) for head in heads):
        raise BrokenError("this is no proof (it carries no signed head)")
    for head in heads:
        check_head(head)
    return heads


def check_signers(heads: Iterable[dict[str, Any]], key: str, keys: Iterable[dict[str, Any]]) -> None:
    """Check that every head was signed by the trusted key, or by one to which it handed over. Raises `BrokenError`."""
    handed = list(keys)
    for head in heads:
        try:
            check_keys(handed, key, head["key"], head["room"])
        except BrokenError as broken:
            cure = (
                "" if handed else "; if the room changed its key, name an export too: handovers stand in its last line"
            )
            raise BrokenError(f"{broken}{cure}") from None


def check_proof(proof: dict[str, Any], leaf: bytes = b"") -> str:
    """Check a proof as the room gives it, of inclusion or of consistency; says what it proves, raises `BrokenError`.

    A proof over REST does not carry its event: `leaf` is the event's hash from an export.
    """
    try:
        path = [bytes.fromhex(one) for one in proof["path"]]
        head, index = proof["signed"], proof.get("event")
        check_head(head)
        new, size = bytes.fromhex(head["root"]), head["events"]
        if index is not None:
            leaf = leaf_hash(proof["line"].encode()) if "line" in proof else leaf
            if not leaf:
                raise BrokenError(f"the proof of event {index} does not carry the event: name an export that holds it")
            if not included(leaf, index - 1, size, path, new):
                raise BrokenError(f"event {index} is not in the journal of {size} events with this head")
            return f"event {index} is in the journal of {head['room']!r} as it was signed with {size} events"
        if "earlier" not in proof:
            raise BrokenError(
                f"the proof does not carry the earlier head of {proof['first']} events: name it with --head"
            )
        earlier = proof["earlier"]
        check_head(earlier)
        if earlier["room"] != head["room"]:
            raise BrokenError("the two heads are of different rooms")
        if not consistent(earlier["events"], size, path, bytes.fromhex(earlier["root"]), new):
            raise BrokenError(f"the journal of {size} events does not begin with that of {earlier['events']}")
        return f"the journal of {size} events begins with that of {earlier['events']}"
    except BrokenError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BrokenError(f"this is no proof ({error!r})") from None


def proofs_in(raw: bytes, where: str) -> list[dict[str, Any]]:
    """The proofs of a file: one, a list of them, or those that minutes carry; raises `BrokenError` when there is none."""
    if b"<html" in raw[:200]:
        _, _, held = raw.partition(PROOFS)
        raw, end, _ = held.partition(b"</script>")
        if not end:
            raise BrokenError(f"{where} carries no proofs")
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise BrokenError(f"{where} is no JSON ({error})") from None
    proofs = found if isinstance(found, list) else [found]
    if not proofs or not all(isinstance(proof, dict) for proof in proofs):
        raise BrokenError(f"{where} holds no proof")
    return proofs


def _signed(key: str, said: bytes, signature: str) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(_read(key)).verify(_read(signature), said)
    except (InvalidSignature, ValueError):
        return False
    return True


def _read(text: str) -> bytes:
    raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if urlsafe_b64encode(raw).rstrip(b"=").decode() != text:
        raise ValueError("not the one spelling of these bytes")
    return raw


def _plain(value: dict[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def _json(line: bytes, where: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BrokenError(f"{where} is no JSON ({error})") from None
    if not isinstance(value, dict):
        raise BrokenError(f"{where} is no object")
    return value


def checked(export: Path | None, key: str, heads: Sequence[Path], proofs: Sequence[Path]) -> Iterable[str]:
    """Check files against each other and against a key; says what was found, raises `BrokenError` and OSError."""
    earlier = [_json(path.read_bytes(), str(path)) for path in heads]
    carried = [proof for path in proofs for proof in proofs_in(path.read_bytes(), str(path))]
    for proof in carried:
        begun = [head for head in earlier if "first" in proof and head["events"] == proof["first"]]
        if begun and "earlier" not in proof:
            proof["earlier"] = begun[0]
    beside = [head for proof in carried for head in heads_of(proof)]
    check_agreed([*earlier, *beside])
    leaves: dict[int, bytes] = {}
    loose, signers, keys = [*earlier, *beside], {head["key"] for head in (*earlier, *beside)}, []
    if export is not None:
        with export.open("rb") as lines:
            numbers = [proof["event"] for proof in carried if type(proof.get("event")) is int]
            whole = Export(lines, earlier, key, beside, numbers)
        by = f"signed by {whole.signed['key']}" if whole.signed else "not signed"
        yield f"whole: {whole.events} events of the room {whole.room!r}, head {whole.head}, {by}"
        leaves = whole.leaves
        loose, keys = [head for head in loose if head["events"] > whole.events], whole.keys
        signers |= {whole.signed["key"]} if whole.signed else set()
    if key:
        check_signers(loose, key, keys)
    for proof in carried:
        yield check_proof(proof, leaves.get(proof["event"], b"") if type(proof.get("event")) is int else b"")
    if export is None and earlier:
        counts = ", ".join(str(head["events"]) for head in earlier)
        yield f"heads of {counts} events: well signed, none against another; only an export or a proof tells that one leads on"
    if signers and not key:
        yield f"whether {' '.join(sorted(signers))} is the room's own key, only a --key tells that you noted earlier"


def _keyed(arguments: Sequence[str]) -> list[str]:
    """Join `--key` and what follows it: one key in sixty-four begins with a dash, and would be taken for an option."""
    found = list(arguments)
    while "--key" in found[:-1]:
        place = found.index("--key")
        found[place : place + 2] = [f"--key={found[place + 1]}"]
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Check what the command line names."""
    parser = argparse.ArgumentParser(description="Check an exported journal offline.")
    parser.add_argument("export", type=Path, nargs="?", help="the export, JSON lines")
    parser.add_argument("--key", default="", help="a public key of the journal that was noted earlier")
    parser.add_argument("--head", type=Path, action="append", default=[], help="a signed head that was kept earlier")
    parser.add_argument(
        "--proof", type=Path, action="append", default=[], help="a proof, a list of them, or minutes as HTML"
    )
    chosen = parser.parse_args(_keyed(sys.argv[1:] if arguments is None else arguments))
    if chosen.export is None and not chosen.proof and not chosen.head:
        parser.error("name an export, a --proof or a --head")
    try:
        for said in checked(chosen.export, chosen.key, chosen.head, chosen.proof):
            sys.stdout.write(f"{said}\n")
    except BrokenError as broken:
        sys.stdout.write(f"broken: {broken}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
