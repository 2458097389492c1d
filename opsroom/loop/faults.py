"""Which errors are answers to a user, and which are defects of the program. Pure."""

from __future__ import annotations

import reprlib
from errno import EADDRINUSE, EADDRNOTAVAIL

LONGEST = 1000
"""Characters of a message that stand in the log beside the error that it caused."""


def shortly(message: object) -> str:
    """A message for the log, its middle left out if it is long: a birth can be a megabyte."""
    short = reprlib.Repr()
    short.maxother = LONGEST
    return short.repr(message)


def sentence_of(error: Exception) -> str | None:
    """The sentence that a user should read, `None` for a defect that deserves its traceback."""
    from opsroom.record.chain import JournalError
    from opsroom.record.disk import StoreError
    from opsroom.room.events import UnknownEventError
    from opsroom.room.refusal import RoomError
    from telex_ingest.refusals import TelexError

    if isinstance(error, RoomError | TelexError | StoreError | JournalError | UnknownEventError):
        return str(error)
    if isinstance(error, UnicodeDecodeError):
        line = bytes(error.object[: error.start]).count(b"\n") + 1
        return f"line {line}: byte {error.object[error.start]:#04x} is not UTF-8 ({error.reason}): save the file as UTF-8 text"
    if isinstance(error, OverflowError) and "port" in str(error):
        return "a port is a number from 0 to 65535: --port chooses one, 0 a free one"
    if isinstance(error, OSError) and error.errno in (EADDRINUSE, EADDRNOTAVAIL):
        return f"{error}: is another program on this port? --port chooses another"
    if isinstance(error, OSError):
        return f"{error}: check the path and its owner" if error.filename else str(error)
    if isinstance(error, KeyError) and error.args:
        return f"{str(error.args[0])!s} is not known here: the command `list` beside this one tells what is"
    if isinstance(error, ValueError):
        return str(error)
    return None
