"""Minutes from a journal's file: gathered, proven, written as HTML and PDF, and compared with the journal later. I/O."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import msgspec

from opsroom.minutes.blocks import Document, Proof
from opsroom.minutes.compose import minutes
from opsroom.minutes.gather import gather, told_events
from opsroom.minutes.likeness import unlike
from opsroom.minutes.page import page
from opsroom.proof.verify_journal import BrokenError, check_agreed, check_proof, heads_of, proofs_in
from opsroom.record.heads import SignedHead
from opsroom.record.journal import read
from opsroom.record.proving import begins_with, prove, signed_head
from opsroom.rehearsing.mark import mark_of


def written(
    journal: Path,
    *,
    motion: str = "",
    session: int = 0,
    since: float | None = None,
    until: float | None = None,
    as_of: SignedHead | None = None,
) -> Document:
    """Write minutes from a journal, with a proof for each event that they tell; those of a rehearsal or a drill say so.

    They tell what is signed: up to the newest head, or up to the one of `as_of`. Raises `StoreError` and `JournalError` for a
    journal that cannot be read, `NothingToTellError`.
    """
    head = signed_head(journal) if as_of is None else as_of
    recorded = read(journal) if head is None else islice(read(journal), head.events)
    found = gather(recorded, motion=motion, session=session, since=since, until=until)
    numbers = sorted({kept.number for matter in found.matters for kept in told_events(matter)})
    proofs = (
        Proof(number, msgspec.json.encode(prove(journal, number, head)).decode())
        for number in numbers
        if head is not None
    )
    return minutes(
        found, signed=head.line().decode() if head is not None else "", proofs=proofs, marked=mark_of(found.room.id)
    )


def compared(
    html: bytes,
    journal: Path,
    *,
    motion: str = "",
    session: int = 0,
    since: float | None = None,
    until: float | None = None,
) -> str:
    """Compare every word of minutes with those that the journal gives as of their own head; says that they are the same.

    Raises `BrokenError` with the first words that differ, and as `written`.
    """
    proofs = proofs_in(html, "the page")
    heads = [head for proof in proofs for head in heads_of(proof)]
    check_agreed(heads)
    for proof in proofs:
        check_proof(proof)
    head = msgspec.convert(heads[-1], SignedHead)
    if not begins_with(journal, head):
        raise BrokenError(f"the page is signed with a head of {head.events} events that this journal does not contain")
    document = written(journal, motion=motion, session=session, since=since, until=until, as_of=head)
    words = unlike(html.decode("utf-8", "replace"), page(document))
    if words is not None:
        raise BrokenError(words)
    return f"every word is that of the journal as it was signed with {head.events} events"
