"""What may be asked of the shift log."""

from __future__ import annotations

from opsroom.commands.command import Command


class WriteLog(Command, frozen=True, kw_only=True, tag="write-log"):
    """Write an entry into a unit's shift log; it is signed and never changed. `corrects` names an entry that it corrects."""

    unit: str
    text: str
    corrects: str = ""


class TakeOver(Command, frozen=True, kw_only=True, tag="take-over"):
    """Take a unit's shift over: say that one has read what has changed. The next hand-over of this account begins here."""

    unit: str
