"""The room's two signing keys in the folder `keys`: one for orders, one for the journal. I/O.

Each secret is a file of its own that only the room's account can read (Ed25519, PKCS 8). `keys.json` is public: for each purpose
the first key, signed by itself, and every handover since, signed by the key before (`telex_ingest.proof`). Another program may
change a key while the room runs; the room sees it at its next signature.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from opsroom.record.disk import SoleWriter, explained, private_file, private_folder
from opsroom.room.refusal import RoomError
from telex_ingest.invitation import prove as prove_invitation
from telex_ingest.proof import hand_over, handover_bytes, name_of, prove, sign, signed
from telex_ingest.telex import Handover, Invitation, Order, moment

FOLDER, PUBLIC = "keys", "keys.json"

Purpose = Literal["orders", "journal"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)


class KeysError(RoomError):
    """A key cannot be used: `path`, `what` is wrong, the `cure`."""

    def __init__(self, path: Path, what: str, cure: str) -> None:
        super().__init__(str(path), what, cure)
        self.path, self.what, self.cure = path, what, cure

    def __str__(self) -> str:
        return f"{self.path}: {self.what}; {self.cure}"


LOST: Mapping[Purpose, str] = {
    "orders": "plants refuse the room's orders until their link gets its new ticket (opsroom link rotate LINK)",
    "journal": "whoever checks exports needs the new key from you (opsroom key list)",
}
"""What comes of a key that was lost, and the cure."""


class KnownKey(NamedTuple):
    """One public key of the room: what it signs, since when (epoch seconds), whether it is current, whether its secret is here.

    One that is not current has handed over to the next by its own signature, or was lost.
    """

    purpose: Purpose
    key: str
    since: float
    current: bool
    here: bool
    handed_over: bool


class Keyring:
    """The keys of one room.

    `made` names the purposes for which a first key was made just now; `lost` says so in a sentence where there had been another
    before, and is empty otherwise.
    """

    def __init__(self, folder: Path, room: str) -> None:
        self.folder = folder / FOLDER
        self.room = room
        self.made: tuple[Purpose, ...] = ()
        self.lost = ""
        self._public: tuple[Handover, ...] = ()
        self._stamp: tuple[int, int, int] | None = None
        self._secrets: dict[str, Ed25519PrivateKey] = {}

    @classmethod
    def open(cls, folder: Path, room: str, now: float) -> Keyring:
        """Open the keys of a room's folder and make those that are missing; raises `KeysError`, `StoreError`.

        A room whose secrets were lost (a backup without them) begins anew: its plants need new tickets.
        """
        ring = cls(folder, room)
        private_folder(ring.folder)
        ring.look()
        ring._forget_retired()
        ring.made = tuple(purpose for purpose in PURPOSES if not ring._usable(purpose))
        lost = [purpose for purpose in ring.made if any(one.purpose == purpose for one in ring._public)]
        if lost:
            cures = "; ".join(LOST[purpose] for purpose in lost)
            ring.lost = f"the secret keys for {' and '.join(lost)} were not here, and new ones have been made: {cures}"
        if ring.made:
            with ring._alone():
                for purpose in ring.made:
                    key = Ed25519PrivateKey.generate()
                    first = Handover(room=room, purpose=purpose, old="", new=name_of(key.public_key()), at=_at(now))
                    ring._take(hand_over(first, key), key)
        return ring

    @classmethod
    def of(cls, folder: Path, room: str) -> Keyring:
        """The keys as they are, to be told; makes none."""
        ring = cls(folder, room)
        ring.look()
        return ring

    def look(self) -> None:
        """Read the public part again if another program has changed it."""
        path = self.folder / PUBLIC
        try:
            now = path.stat()
        except FileNotFoundError:
            self._public, self._stamp = (), None
            return
        stamp = (now.st_mtime_ns, now.st_size, now.st_ino)
        if stamp == self._stamp:
            return
        with explained(path):
            raw = path.read_bytes()
        try:
            public = msgspec.json.decode(raw, type=tuple[Handover, ...])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise KeysError(path, f"it cannot be read ({error})", "restore it from the last backup") from None
        for place, one in enumerate(public):
            before = [known.new for known in public[:place] if known.purpose == one.purpose]
            signer = one.old or one.new
            follows = not one.old or (before and before[-1] == one.old)
            if one.room != self.room or not follows or not signed(signer, handover_bytes(one), one.signature):
                raise KeysError(
                    path, f"the key {one.new[:12]} is not signed as it must be", "restore the file from the last backup"
                )
        self._public, self._stamp = public, stamp

    def key(self, purpose: Purpose) -> str:
        """The public key that signs for a purpose now; raises `KeysError` when there is none."""
        self.look()
        named = [one.new for one in self._public if one.purpose == purpose]
        if not named:
            raise KeysError(self.folder, f"there is no key for {purpose} yet", "a room makes it when it opens")
        return named[-1]

    def chain(self, purpose: Purpose) -> tuple[Handover, ...]:
        """How the current key came from its first one: handovers, oldest first; the first key stands in the first of them."""
        chain: list[Handover] = []
        for one in self._public:
            if one.purpose == purpose:
                chain = [*chain, one] if one.old else []
        return tuple(chain)

    def public(self) -> tuple[Handover, ...]:
        """Every key that there ever was, and who signed it; for exports."""
        self.look()
        return self._public

    def known(self) -> tuple[KnownKey, ...]:
        """Every key, for people."""
        current = {one.purpose: one.new for one in self.public()}
        signers = {one.old for one in self._public}
        return tuple(
            KnownKey(
                one.purpose,
                one.new,
                one.at.timestamp(),
                current[one.purpose] == one.new,
                self._path(one.purpose, one.new).exists(),
                one.new in signers,
            )
            for one in self._public
        )

    def sign_order(self, order: Order) -> Order:
        """Put the room's proof under an order; raises `KeysError`, `CanonicalError`."""
        secret = self._secret("orders")
        return prove(order, secret, self.chain("orders"))

    def sign_invitation(self, invitation: Invitation) -> Invitation:
        """Put the room's proof under an invitation; raises `KeysError`, `CanonicalError`."""
        return prove_invitation(invitation, self._secret("orders"), self.chain("orders"))

    def sign_journal(self, said: bytes) -> tuple[str, str]:
        """Sign bytes with the journal's key: (public key, signature); raises `KeysError`."""
        secret = self._secret("journal")
        return name_of(secret.public_key()), sign(secret, said)

    def rotate(self, purpose: Purpose, now: float) -> Handover:
        """Make a new key, let the old one sign that it takes over, forget the old secret; raises `KeysError`, `StoreError`."""
        with self._alone():
            old, key = self._secret(purpose), Ed25519PrivateKey.generate()
            handover = Handover(
                room=self.room,
                purpose=purpose,
                old=name_of(old.public_key()),
                new=name_of(key.public_key()),
                at=_at(now),
            )
            handover = hand_over(handover, old)
            self._take(handover, key)
            self._forget_retired()
        return handover

    def _forget_retired(self) -> None:
        """Forget the secrets of keys that have handed over, those too that a program left that was killed in between."""
        current = {one.purpose: one.new for one in self._public}
        for one in self._public:
            if current[one.purpose] != one.new:
                with explained(self.folder):
                    self._path(one.purpose, one.new).unlink(missing_ok=True)
                self._secrets.pop(one.new, None)

    def _usable(self, purpose: Purpose) -> bool:
        named = [one.new for one in self._public if one.purpose == purpose]
        return bool(named) and self._path(purpose, named[-1]).exists()

    def _secret(self, purpose: Purpose) -> Ed25519PrivateKey:
        name = self.key(purpose)
        if name not in self._secrets:
            self._secrets[name] = self._read(self._path(purpose, name))
            if name_of(self._secrets[name].public_key()) != name:
                del self._secrets[name]
                raise KeysError(self._path(purpose, name), "it is another key than its name says", "restore the file")
        return self._secrets[name]

    def _read(self, path: Path) -> Ed25519PrivateKey:
        with explained(path):
            open_to = stat.S_IMODE(path.stat().st_mode) & 0o077
            raw = path.read_bytes()
        if open_to:
            raise KeysError(path, "others than the room's account may read it", f"chmod 600 {path}")
        try:
            key = serialization.load_pem_private_key(raw, None)
        except (ValueError, TypeError) as error:
            raise KeysError(path, f"it is no key ({error})", "restore the file from the last backup") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise KeysError(path, "it is no Ed25519 key", "restore the file from the last backup")
        return key

    def _take(self, handover: Handover, key: Ed25519PrivateKey) -> None:
        """Keep a new key: its secret first, then its public name, so that no end in between leaves a name without a secret."""
        path = self._path(handover.purpose, handover.new)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        _write(path, pem)
        public = (*self._public, handover)
        beside = self.folder / f".{PUBLIC}"
        _write(beside, msgspec.json.format(msgspec.json.encode(public), indent=1) + b"\n")
        with explained(beside):
            beside.replace(self.folder / PUBLIC)
            _sync(self.folder)  # the new name is on disk before an old secret goes
        self._secrets[handover.new] = key
        self.look()

    def _path(self, purpose: Purpose, name: str) -> Path:
        return self.folder / f"{purpose}-{name[:16]}.pem"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else changes the keys meanwhile."""
        lock = SoleWriter(self.folder / PUBLIC)
        try:
            self.look()
            yield
        finally:
            lock.release()


def _write(path: Path, text: bytes) -> None:
    with explained(path), private_file(path).open("wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    with suppress(OSError):  # a system that opens no folders
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _at(now: float) -> datetime:
    return moment(round(now * 1e6))
