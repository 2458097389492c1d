"""Who may sit where: accounts with a named occupant, passphrases, sessions.

Accounts are `seat-1`..`seat-7`, `operator` and `unit-<id>`. Passphrases are made by the room, told once, and kept as argon2id.
A session is a random token in the browser's cookie, kept here as a hash. All of it lies in the room's `people.sqlite`, which
the running room and the command line may write by turns: what one changes the other sees at its next question.

The clock handed in is the world's, never a fast one: sessions and lock-outs belong to people.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from opsroom.clock import Clock
from opsroom.entry.accounts import Account, LoginRefused, Session, account_of, new_passphrase, told
from opsroom.entry.ledger import Ledger
from opsroom.entry.tries import Tries
from opsroom.record.disk import StoreError
from opsroom.views import Viewer

__all__ = ["Account", "LoginRefused", "People"]

SESSION_S = 12 * 3600.0
"""How long a session lasts after it was last used."""

SESSION_MAX_S = 30 * 86400.0
"""How long a session lasts at most."""

SESSIONS = 20
"""The most sessions of one account; a new one ends the oldest."""

WAITING = 16
"""The most logins that wait for a thread; more are asked to come again."""

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS accounts (name TEXT PRIMARY KEY, occupant TEXT NOT NULL, hash TEXT NOT NULL,"
    " made_at REAL NOT NULL, changed_at REAL NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS sessions (token BLOB PRIMARY KEY, account TEXT NOT NULL REFERENCES accounts (name),"
    " made_at REAL NOT NULL, expires_at REAL NOT NULL) STRICT, WITHOUT ROWID",
)


class People:
    """The room's accounts and sessions. `login` is a coroutine (argon2 runs in a thread); everything else is quick."""

    def __init__(self, path: Path, clock: Clock, hasher: PasswordHasher) -> None:
        self.path = path
        self._clock = clock
        self._hasher = hasher
        self._nobody = hasher.hash(secrets.token_urlsafe(32))
        self._tries = Tries()
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="login")
        self._waiting = 0
        self._ledger = Ledger(path, _SCHEMA)
        self._accounts: dict[str, Account] = {}
        self._hashes: dict[str, str] = {}
        self._sessions: dict[bytes, Session] = {}
        with self._ledger.written() as at:
            at.execute("DELETE FROM sessions WHERE expires_at <= ?", (clock.now(),))
        self._look()

    @classmethod
    def open(cls, path: Path, clock: Clock, *, time_cost: int = 2, memory_kib: int = 19456) -> People:
        """Open or begin `people.sqlite`; raises `StoreError`.

        The cost of argon2id is OWASP's first choice (19 MiB, two passes, one lane); the passphrases have 80 random bits, so
        it is a second wall. A higher cost is taken up by each account at its next login.
        """
        return cls(path, clock, PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=1))

    def enrol(self, units: Sequence[str], occupants: Mapping[str, str] | None = None) -> dict[str, str]:
        """Make the accounts that are missing (operator, seat-1..7, unit-<id> of each unit) and tell their new passphrases, once.

        `occupants` names people by account (`{"seat-1": "Ada"}`) and is applied to new accounts alone. Takes some 60 ms of
        a core for each new account.
        """
        wanted = ["operator", *(f"seat-{seat}" for seat in range(1, 8)), *(f"unit-{unit}" for unit in units)]
        named = occupants or {}
        self._look()
        missing = [name for name in dict.fromkeys(wanted) if name not in self._accounts]
        passphrases = {name: new_passphrase() for name in missing}
        hashes = list(self._threads.map(self._hasher.hash, map(told, passphrases.values())))
        now = self._clock.now()
        with self._ledger.written() as at:
            at.executemany(
                "INSERT INTO accounts VALUES (?, ?, ?, ?, ?)",
                [(name, named.get(name, ""), hashed, now, now) for name, hashed in zip(missing, hashes, strict=True)],
            )
        return passphrases

    def accounts(self) -> tuple[Account, ...]:
        """Every account, by name."""
        self._look()
        return tuple(account for _, account in sorted(self._accounts.items()))

    def renew(self, account: str) -> str:
        """Give an account a new passphrase, end its sessions, and tell the passphrase, once; raises KeyError."""
        passphrase = new_passphrase()
        hashed = self._hasher.hash(told(passphrase))
        self._known(account)
        with self._ledger.written() as at:
            at.execute(
                "UPDATE accounts SET hash = ?, changed_at = ? WHERE name = ?", (hashed, self._clock.now(), account)
            )
            at.execute("DELETE FROM sessions WHERE account = ?", (account,))
        return passphrase

    def rename(self, account: str, occupant: str) -> Account:
        """Name another occupant; its sessions end, for another person sits there now; raises KeyError, ValueError.

        Whoever left still knows the passphrase: `renew` it as well.
        """
        self._known(account)
        if not occupant.strip() or not occupant.isprintable():
            raise ValueError(f"{account} needs a named occupant, not {occupant!r}: an empty chair is called 'vacant'")
        with self._ledger.written() as at:
            at.execute(
                "UPDATE accounts SET occupant = ?, changed_at = ? WHERE name = ?",
                (occupant, self._clock.now(), account),
            )
            at.execute("DELETE FROM sessions WHERE account = ?", (account,))
        return self._known(account)

    async def login(self, account: str, passphrase: str, address: str) -> str:
        """Check a passphrase and tell a new session's token for the cookie; raises `LoginRefused`, `StoreError`.

        An account that does not exist takes as long and is answered with the same words. `address` is the other end's; behind
        a proxy it must be the one that the proxy tells, or everybody shares one allowance.
        """
        now = self._clock.now()
        wait_s = self._tries.wait_s(account, address, now)
        if wait_s > 0:
            raise LoginRefused("too-many", wait_s)
        if self._waiting >= WAITING:
            raise LoginRefused("too-many", 1.0)
        self._tries.begin(account, address, now)
        self._waiting += 1
        try:
            token = await asyncio.get_running_loop().run_in_executor(self._threads, self._admit, account, passphrase)
        finally:
            self._waiting -= 1
        if token is None:
            raise LoginRefused("wrong", 0.0)
        self._tries.succeeded(account, address)
        return token

    def viewer(self, token: str) -> Viewer | None:
        """Who holds this token now, `None` if nobody (unknown, expired, revoked); cheap enough for every websocket message."""
        found = self._session(token)
        return found.account.viewer if found is not None else None

    def account(self, token: str) -> Account | None:
        """The account of the session with this token, `None` if there is none."""
        found = self._session(token)
        return found.account if found is not None else None

    def present(self) -> frozenset[str]:
        """The accounts that have a live session."""
        now = self._clock.now()
        self._look()
        with self._ledger.turn:
            return frozenset(held.account.name for held in self._sessions.values() if held.expires_at > now)

    def logout(self, token: str) -> None:
        """End one session; an unknown token is no error."""
        self._look()
        digest = _digest(token)
        if digest in self._sessions:
            with self._ledger.written() as at:
                at.execute("DELETE FROM sessions WHERE token = ?", (digest,))

    def revoke(self, account: str) -> int:
        """End every session of an account and tell how many there were; raises KeyError."""
        self._known(account)
        with self._ledger.written() as at:
            return at.execute("DELETE FROM sessions WHERE account = ?", (account,)).rowcount

    def close(self) -> None:
        """Close the file."""
        self._threads.shutdown()
        self._ledger.close()

    def _admit(self, account: str, passphrase: str) -> str | None:
        """Runs in a thread: check, and make a session unless the passphrase was renewed meanwhile."""
        self._look()
        hashed = self._hashes.get(account)
        try:
            self._hasher.verify(self._nobody if hashed is None else hashed, told(passphrase))
        except (Argon2Error, InvalidHashError):
            return None
        if hashed is None:
            return None
        renewed = self._hasher.hash(told(passphrase)) if self._hasher.check_needs_rehash(hashed) else hashed
        token = secrets.token_urlsafe(32)
        now = self._clock.now()
        with self._ledger.written() as at:
            same = at.execute("SELECT 1 FROM accounts WHERE name = ? AND hash = ?", (account, hashed)).fetchone()
            if same is None:
                return None
            at.execute("UPDATE accounts SET hash = ? WHERE name = ?", (renewed, account))
            at.execute(
                "DELETE FROM sessions WHERE expires_at <= ? OR token IN (SELECT token FROM sessions WHERE account = ?"
                " ORDER BY made_at DESC LIMIT -1 OFFSET ?)",
                (now, account, SESSIONS - 1),
            )
            at.execute("INSERT INTO sessions VALUES (?, ?, ?, ?)", (_digest(token), account, now, now + SESSION_S))
        return token

    def _session(self, token: str) -> Session | None:
        if not token:
            return None
        digest, now = _digest(token), self._clock.now()
        self._look()
        with self._ledger.turn:
            held = self._sessions.get(digest)
            if held is None or held.expires_at <= now:
                return None
            until = min(now + SESSION_S, held.made_at + SESSION_MAX_S)
            if until - held.expires_at > SESSION_S / 12:
                self._sessions[digest] = Session(held.account, held.made_at, until)
                self._threads.submit(self._prolong, digest, until)
            return held

    def _prolong(self, digest: bytes, until: float) -> None:
        """Runs in a thread. A full disk must not log anybody out: the session is then as long as it was."""
        with suppress(StoreError), self._ledger.written() as at:
            at.execute("UPDATE sessions SET expires_at = ? WHERE token = ?", (until, digest))

    def _known(self, account: str) -> Account:
        self._look()
        return self._accounts[account]

    def _look(self) -> None:
        """Read again if anybody has written, this program or another."""
        with self._ledger.look() as changed:
            if changed:
                self._read()

    def _read(self) -> None:
        accounts = self._ledger.rows("SELECT name, occupant, hash FROM accounts")
        sessions = self._ledger.rows("SELECT token, account, made_at, expires_at FROM sessions")
        self._accounts = {name: account_of(name, occupant) for name, occupant, _ in accounts}
        self._hashes = {name: hashed for name, _, hashed in accounts}
        before = self._sessions  # what was prolonged here may not be written yet
        self._sessions = {
            token: Session(self._accounts[name], made, max(until, before[token].expires_at if token in before else 0.0))
            for token, name, made, until in sessions
            if name in self._accounts
        }


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
