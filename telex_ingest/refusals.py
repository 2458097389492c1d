"""Every reason for which the room refuses something on the wire, with its cure; `docs/telex.md` prints this table.

Pure. A refusal never takes the link down, except where the table says so. The errors of this package:

    TelexError              their root
    +-- WireError           a frame as a whole is not a frame: what the other side sent is at fault
    +-- LinkRefusedError    the room does not take the link
    +-- LinkCutError        the line was cut by its own user
    +-- TellError           a telex that no birth declares (`told.py`)
    +-- SpoolError          a plant's spool cannot be opened or written (`spool.py`)
    +-- StatementError      a statement that the room would not take (`witness.py`)
    +-- BirthError          a birth contradicts itself (`birth.py`)
    +-- FeedError           a feed does not load, or cannot read its source (`feed.py`)
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from telex_ingest.telex import Refusal


class Ground(NamedTuple):
    """Why something is refused: what it means, what becomes of the telex, how to mend it."""

    meaning: str
    fate: str
    cure: str


GROUNDS: Mapping[str, Ground] = MappingProxyType(
    {
        "unreadable": Ground(
            "the frame is not a JSON object (or MessagePack map)",
            "the frame is dropped",
            "send one JSON object in a text frame, or one MessagePack map in a binary frame of telex.v1.msgpack",
        ),
        "too-large": Ground("the frame is larger than the room reads", "the frame is dropped", "send smaller frames"),
        "empty": Ground(
            "the frame has no member that the room knows",
            "nothing to take",
            "use hello, births, spools, telexes, sheets, receipts, calls, statements, deaths",
        ),
        "malformed": Ground(
            "a part of the frame has the wrong form",
            "that part is dropped; the number of a telex, if readable, is spent; the parts beside it are taken",
            "compare it with docs/telex.md and send it again under a new number",
        ),
        "too-many-mistakes": Ground(
            "the frame has so many malformed parts that the room stopped reading it",
            "the rest of the frame is dropped",
            "mend the sender; compare its frames with docs/telex.md",
        ),
        "unknown-member": Ground(
            "a member's name is not known", "the rest is taken", "correct the name, or leave the member out"
        ),
        "bad-reading": Ground(
            "a reading is not [id, number or null] with an optional quality",
            "the telex is taken without that reading",
            'write readings as [1, 17.5] or [1, null] or [1, 17.5, "uncertain"]',
        ),
        "not-finite": Ground(
            "a value is NaN or infinite", "the telex is taken, the value counts as missing", "write null for missing"
        ),
        "unknown-signal": Ground(
            "a reading's id is not in the birth, or stands twice in the telex",
            "the telex is taken without that reading",
            "declare the signal in a birth first; one reading for a signal in a telex",
        ),
        "too-many-readings": Ground(
            "a telex has more readings than the room takes", "its number is spent", "tell them in several telexes"
        ),
        "future": Ground(
            "the source time is far ahead of the room's clock",
            "the telex is taken at its received time, its readings as uncertain",
            "set the plant's clock",
        ),
        "hello-first": Ground(
            "a link must say hello before anything else",
            "the frame is dropped; after some of them the room closes the link",
            'begin with {"hello": {"link": "...", "token": "..."}}',
        ),
        "unauthorised": Ground(
            "the token is not the link's",
            "the room closes the link",
            "check the link's id and token, or ask the room for a new one",
        ),
        "wrong-protocol": Ground(
            "the room does not speak that version", "the room closes the link", "say protocol telex.v1"
        ),
        "hello-twice": Ground("the link has said hello", "the hello is dropped", "say hello once"),
        "not-yours": Ground(
            "the link may not speak for that plant",
            "that part is dropped",
            "let the room bind the plant to the link",
        ),
        "bad-birth": Ground("a birth contradicts itself", "the birth is dropped", "mend the birth and send it again"),
        "personal-signal": Ground(
            "a birth declares a signal of a person",
            "the birth is dropped; a plant that has no other is unborn",
            "declare figures of machines, stock, energy or product, or of a shift as a whole",
        ),
        "not-a-leaf": Ground(
            "a birth takes the name of one of the room's own units, which has others below it",
            "the birth is dropped",
            "name the plant otherwise, or put it into the tree of room.toml as a leaf",
        ),
        "id-reused": Ground(
            "a birth gives a used numeric id to another signal within one epoch",
            "the birth is dropped",
            "give the new signal a new id, or begin a new epoch",
        ),
        "too-many-plants": Ground("the room's limit of plants is reached", "the birth is dropped", "raise the limit"),
        "unborn": Ground("the plant has no birth on this link", "that part is dropped", "send the plant's birth first"),
        "dead": Ground("the plant said farewell", "that part is dropped", "send a birth to come back"),
        "superseded": Ground(
            "another link has declared this plant and speaks for it now",
            "this link's later parts for the plant are dropped",
            "let one link speak for a plant; a new birth takes it back",
        ),
        "old-epoch": Ground(
            "the epoch is over; the refusal tells the one the room is in",
            "that part is dropped",
            "begin a higher epoch, with a birth and number 1",
        ),
        "late": Ground(
            "the number was given up when its gap was closed",
            "the telex is dropped",
            "tell the figures again as a backfill under a new number",
        ),
        "too-far-ahead": Ground(
            "the number is far beyond the next one that the room expects",
            "the telex is dropped",
            "count from 1 without holes, tell the spool's first number, or begin a new epoch",
        ),
        "too-fast": Ground(
            "the link told more readings a second than its share",
            "nothing is dropped; the room reads no more from it for a while",
            "tell less, or let the room's operator give the link a larger share",
        ),
        "gap": Ground(
            "numbers are missing, later ones wait",
            "nothing is dropped yet",
            "send again from the number in the refusal",
        ),
        "overloaded": Ground(
            "too many telexes wait for missing ones", "the telex is dropped", "send again from the last Ack"
        ),
        "not-stored": Ground(
            "the room cannot store what is told: its disk or its database says no",
            "nothing is acknowledged, nothing is dropped; the room soon reads no more until it can",
            "go on telling: the plant's spool keeps it, and the room takes it up by itself",
        ),
        "busy": Ground(
            "the room has as many links as it takes, or is behind with its work",
            "the websocket is not opened (503)",
            "try again later; the plant's spool keeps what is told meanwhile",
        ),
        "more": Ground("more was refused than a slow link could be told", "see the first refusals", "mend those first"),
    }
)


def refusal(code: str, reason: str, *, plant: str = "", epoch: int | None = None, seq: int | None = None) -> Refusal:
    """Compose the refusal of a known code with the cure of the table.

    >>> refusal("gap", "5 to 6 are missing", plant="mill-1", epoch=1, seq=5).cure
    'send again from the number in the refusal'
    """
    return Refusal(code=code, reason=reason, cure=GROUNDS[code].cure, plant=plant, epoch=epoch, seq=seq)


class TelexError(Exception):
    """The root of all errors of the wire."""


class WireError(TelexError):
    """A frame that cannot be read at all: `code` of the refusal, `where` in it, `what` was wrong, the `cure`."""

    def __init__(self, code: str, where: str, what: str) -> None:
        super().__init__(code, where, what)
        self.code = code
        self.where = where
        self.what = what
        self.cure = GROUNDS[code].cure

    def __str__(self) -> str:
        return f"{self.where}: {self.what}; {self.cure}"

    def refusal(self) -> Refusal:
        """Tell the error to the other side."""
        return refusal(self.code, f"{self.where}: {self.what}")


class LinkRefusedError(TelexError):
    """The room does not take the link: the `refusal` it told."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal

    def __str__(self) -> str:
        return f"the room refused the link ({self.refusal.code}): {self.refusal.reason}; {self.refusal.cure}"


class LinkCutError(TelexError):
    """The line was cut by its own user."""

    def __str__(self) -> str:
        return "the line is cut; mend it"


def show(value: object) -> str:
    """Quote what somebody sent, short and in plain ASCII, for a refusal's reason.

    >>> show("a" * 200)[-4:]
    "...'"
    """
    text = str(value) if isinstance(value, BaseException) else value
    if isinstance(text, str) and len(text) > 120:
        text = text[:117] + "..."
    try:
        quoted = ascii(text)
    except (RecursionError, ValueError):
        quoted = type(value).__name__
    if isinstance(value, BaseException):
        quoted = quoted[1:-1]
    return quoted if len(quoted) <= 160 else quoted[:157] + "..."
