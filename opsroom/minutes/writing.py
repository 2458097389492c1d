"""Minutes from a journal's file: gathered, proven, written as HTML and PDF. I/O."""

from __future__ import annotations

from pathlib import Path

import msgspec

from opsroom.minutes.blocks import Document, Proof
from opsroom.minutes.compose import minutes
from opsroom.minutes.gather import gather, told_events
from opsroom.record.journal import read
from opsroom.record.proving import prove, signed_head
from opsroom.rehearsing.mark import mark_of


def written(
    journal: Path,
    *,
    motion: str = "",
    session: int = 0,
    since: float | None = None,
    until: float | None = None,
) -> Document:
    """Write minutes from a journal, with a proof for each event that they tell; those of a rehearsal or a drill say so.

    Raises `StoreError` and `JournalError` for a journal that cannot be read, `NothingToTellError`.
    """
    found = gather(read(journal), motion=motion, session=session, since=since, until=until)
    head = signed_head(journal)
    numbers = sorted({kept.number for matter in found.matters for kept in told_events(matter)})
    proofs = (
        Proof(number, msgspec.json.encode(prove(journal, number)).decode())
        for number in numbers
        if head is not None and number <= head.events
    )
    return minutes(
        found, signed=head.line().decode() if head is not None else "", proofs=proofs, marked=mark_of(found.room.id)
    )
