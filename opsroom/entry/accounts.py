"""Accounts, sessions and passphrases as plain values."""

from __future__ import annotations

import re
import secrets
from typing import Literal, NamedTuple

import msgspec

from opsroom.commands import Actor, Role
from opsroom.room.refusal import RoomError
from opsroom.views import Viewer

_CONSONANTS = "bdfghjklmnprstvz"
_VOWELS = "aiou"
_GROUPS = 5
"""Groups of a passphrase, 16 random bits each: 80 bits."""

_SEPARATORS = re.compile(r"[\s_-]+")
_LONGEST = 256


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
        role: Literal["unit", "operator", "seat"] = "operator"
        if self.role is Role.SEAT:
            role = "seat"
        elif self.role is Role.UNIT:
            role = "unit"
        return Viewer(role=role, unit=self.unit, seat=self.seat, occupant=self.occupant)

    @property
    def actor(self) -> Actor:
        """Who asks when this account gives a command."""
        return Actor(role=self.role, unit=self.unit, seat=self.seat, occupant=self.occupant)


class Session(NamedTuple):
    """A live session: whose, since when, until when (epoch seconds)."""

    account: Account
    made_at: float
    expires_at: float


class LoginRefused(RoomError):  # noqa: N818  a refusal is an answer, not a fault
    """Somebody was not let in: `code` is `wrong` or `too-many`, `retry_s` says how long to wait, `cure` what to do."""

    def __init__(self, code: str, retry_s: float) -> None:
        super().__init__(code, retry_s)
        self.code = code
        self.retry_s = retry_s
        self.reason = (
            "this account and passphrase do not belong together"
            if code == "wrong"
            else "too many tries, or too many at once"
        )
        self.cure = (
            "Type the passphrase as it was told, in any case, with or without hyphens; the operator can make a new one."
            if code == "wrong"
            else f"Wait {max(1, round(retry_s))} s and try again; nobody is locked out for ever."
        )

    def __str__(self) -> str:
        return f"{self.reason}. {self.cure}"


def account_of(name: str, occupant: str = "") -> Account:
    """Tell an account by its name; raises ValueError for a name that is none.

    >>> account_of("seat-3", "Ada").seat, account_of("unit-mill-1").unit
    (3, 'mill-1')
    """
    kind, _, rest = name.partition("-")
    if kind == "seat" and rest in {"1", "2", "3", "4", "5", "6", "7"}:
        return Account(name=name, role=Role.SEAT, seat=int(rest), occupant=occupant)
    if kind == "unit" and rest:
        return Account(name=name, role=Role.UNIT, unit=rest, occupant=occupant)
    if name == "operator":
        return Account(name=name, role=Role.OPERATOR, occupant=occupant)
    raise ValueError(f"{name!r} is no account: they are seat-1 to seat-7, operator, and unit-<id>")


def new_passphrase() -> str:
    """Make a passphrase that can be read out: five groups of consonant-vowel-consonant-vowel-consonant, 80 random bits."""
    return "-".join(_group(secrets.randbits(16)) for _ in range(_GROUPS))


def told(passphrase: str) -> str:
    """Tell what is hashed of a passphrase: case, hyphens and spaces do not count; more than 256 characters are cut.

    >>> told("Lusab babad-GUTIH")
    'lusabbabadgutih'
    """
    return _SEPARATORS.sub("", passphrase[:_LONGEST]).lower().encode("utf-8", "replace").decode()


def _group(bits: int) -> str:
    letters = ""
    for shift, alphabet in ((12, _CONSONANTS), (10, _VOWELS), (6, _CONSONANTS), (4, _VOWELS), (0, _CONSONANTS)):
        letters += alphabet[(bits >> shift) % len(alphabet)]
    return letters
