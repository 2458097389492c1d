"""What is irregular in a table: counted and told, a sentence each. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from opsroom.room.refusal import RoomError

__all__ = ["Counts", "TableError"]


class TableError(RoomError):
    """A table that cannot be read as readings; `what` is wrong, `cure` mends it."""

    def __init__(self, what: str, cure: str) -> None:
        super().__init__(what, cure)
        self.what, self.cure = what, cure

    def __str__(self) -> str:
        return f"{self.what}; {self.cure}"


@dataclass
class Counts:
    """What was met on the way; every irregularity is counted here, none is passed over in silence."""

    rows: int = 0
    readings: int = 0
    blank: int = 0
    not_a_number: int = 0
    infinite: int = 0
    short_rows: int = 0
    damaged_lines: int = 0
    unreadable_times: int = 0
    backwards: int = 0
    repeated: int = 0
    zones: int = 0
    commas: int = 0
    thousands: int = 0
    ignored: list[str] = field(default_factory=list)
    """Columns that hold no numbers."""
    remarks: list[str] = field(default_factory=list)
    """What is worth saying once of the whole table."""
    examples: dict[str, str] = field(default_factory=dict)
    """The first cell of each kind of trouble, with its row."""

    def note(self, kind: str, row: int, cell: str) -> None:
        """Remember the first example of a kind of trouble."""
        self.examples.setdefault(kind, f"row {row}: {cell[:40]!r}")

    def told_day_first(self, said: bool | None, stamps: Sequence[str]) -> bool | None:
        """What was decided of dates like 02/03/2026, remarked where it is a guess."""
        if said is None:
            example = next((text.strip() for text in stamps if text.strip()), "")
            self.remarks.append(
                f"dates such as {example[:20]!r} were read with the month first; write 2026-01-31 to be sure"
            )
        return said

    def sentences(self) -> list[str]:
        """What a person should know about the input; empty when there was nothing irregular."""
        told = (
            (self.blank, "blank cell", "taken as missing", ""),
            (self.not_a_number, "cell that is not a number", "taken as missing", "not_a_number"),
            (self.infinite, "infinite value", "or one beyond 1e150, taken as missing", "infinite"),
            (self.short_rows, "row with fewer cells than the header", "the rest taken as missing", "short_rows"),
            (self.damaged_lines, "line that is no CSV", "left out", "damaged_lines"),
            (self.unreadable_times, "timestamp that cannot be read", "one usual period assumed", "unreadable_times"),
            (self.backwards, "time that runs backwards", "one usual period assumed", "backwards"),
            (self.zones, "timestamp unlike the others in naming a time zone", "those without taken as UTC", "zones"),
            (self.commas, "cell with a decimal comma", "read as such", "commas"),
            (self.thousands, "cell with parted thousands", "read as such", "thousands"),
            (self.repeated, "repeated timestamp", "no time assumed between", ""),
        )
        out = [
            f"{many:,} {what if many == 1 else _plural(what)}, {done}"
            + (f" (first in {self.examples[kind]})" if kind in self.examples else "")
            for many, what, done, kind in told
            if many
        ]
        if self.rows > 2 and 2 * self.backwards > self.rows:
            out.append("the newest row seems to come first: sort the table by time")
        if self.ignored:
            out.append(f"columns without numbers in their first rows, left out: {', '.join(self.ignored)}")
        return out + self.remarks


def _plural(what: str) -> str:
    first, *rest = what.split(" ", 1)
    if first in ("blank", "infinite", "repeated"):
        return what + "s"
    return " ".join([first + "s", *(part.replace("that is", "that are").replace("runs", "run") for part in rest)])
