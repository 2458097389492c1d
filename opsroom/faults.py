"""Which errors are answers to a user, and which are defects of the program. Pure."""

from __future__ import annotations


def sentence_of(error: Exception) -> str | None:
    """The sentence that a user should read, `None` for a defect that deserves its traceback."""
    from opsroom.chain import JournalError
    from opsroom.disk import StoreError
    from opsroom.events import UnknownEventError
    from opsroom.refusal import RoomError

    if isinstance(error, RoomError | StoreError | JournalError | UnknownEventError):
        return str(error)
    if isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError | UnicodeDecodeError):
        return f"{error}: check the path and its owner"
    if isinstance(error, OSError):
        return f"{error}: is another program on this port? --port chooses another"
    if isinstance(error, KeyError) and error.args:
        return f"{str(error.args[0])!s} is not known here: the command `list` beside this one tells what is"
    if isinstance(error, ValueError):
        return str(error)
    return None
