"""Who may sit where: accounts with a named occupant, passphrases, sessions.

Accounts are `seat-1`..`seat-7`, `operator` and `unit-<id>`. Passphrases are made by the room, told once, and kept as argon2id.
A session is a random token in the browser's cookie, kept here as a hash. All of it lies in the room's `people.sqlite`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from opsroom.clock import Clock
from opsroom.commands import Role
from opsroom.views import Viewer


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One account: its name, role, the unit or seat it is bound to, and who occupies it."""

    name: str
    role: Role
    unit: str = ""
    seat: int = 0
    occupant: str = ""

    @property
    def viewer(self) -> Viewer:
        """For whom a view is made when this account is logged in."""
        raise NotImplementedError


class LoginRefused(Exception):
    """Somebody was not let in: `code` is `wrong` or `too-many`, `retry_s` says how long to wait."""

    code: str
    retry_s: float


class People:
    """The room's accounts and sessions. `login` is a coroutine (argon2 runs in a thread); everything else is quick."""

    @classmethod
    def open(cls, path: Path, clock: Clock) -> People:
        """Open or begin `people.sqlite`; raises `StoreError`."""
        raise NotImplementedError

    def enrol(self, units: Sequence[str], occupants: Mapping[str, str] = {}) -> dict[str, str]:
        """Make the accounts that are missing (operator, seat-1..7, unit-<id> of each unit) and tell their new passphrases, once.

        `occupants` names people by account (`{"seat-1": "Ada"}`) and is applied to new accounts alone.
        """
        raise NotImplementedError

    def accounts(self) -> tuple[Account, ...]:
        """Every account, by name."""
        raise NotImplementedError

    def renew(self, account: str) -> str:
        """Give an account a new passphrase, end its sessions, and tell the passphrase, once; raises KeyError."""
        raise NotImplementedError

    def rename(self, account: str, occupant: str) -> Account:
        """Name another occupant; its sessions end, for another person sits there now; raises KeyError."""
        raise NotImplementedError

    async def login(self, account: str, passphrase: str, address: str) -> str:
        """Check a passphrase and tell a new session's token for the cookie; raises `LoginRefused`."""
        raise NotImplementedError

    def viewer(self, token: str) -> Viewer | None:
        """Who holds this token now, `None` if nobody (unknown, expired, revoked); cheap enough for every websocket message."""
        raise NotImplementedError

    def present(self) -> frozenset[str]:
        """The accounts that have a live session."""
        raise NotImplementedError

    def logout(self, token: str) -> None:
        """End one session; an unknown token is no error."""
        raise NotImplementedError

    def revoke(self, account: str) -> int:
        """End every session of an account and tell how many there were."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the file."""
        raise NotImplementedError
