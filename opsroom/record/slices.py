"""Beliefs of a shard in slices: written one by one between two ticks, and counting from the moment when the last one is there.

A shard has two slots. Slices go into the one that does not count; the row of the shard in `belief_slots` then tells that it does.
A shard whose beliefs were written in one piece has its row in `beliefs` instead: what was written last is in one of them alone.
"""

from __future__ import annotations

from opsroom.record.database import Database, Session
from opsroom.record.store import Mark

SLICE = 512 * 1024
"""Bytes of a slice."""

SLOTS, SLICES = "belief_slots", "belief_slices"


def of(data: bytes) -> list[bytes]:
    """The slices of some beliefs, at least one.

    >>> [len(one) for one in of(bytes(SLICE + 1))], of(b"")
    ([524288, 1], [b''])
    """
    return [data[begin : begin + SLICE] for begin in range(0, max(1, len(data)), SLICE)]


def free_slot(session: Session, shard: int) -> int:
    """The slot of a shard that does not count."""
    row = session.execute(f"SELECT slot FROM {SLOTS} WHERE shard = ?", (shard,)).fetchone()
    return 0 if row is None else 1 - int(row[0])


def put(session: Session, shard: int, slot: int, number: int, data: bytes) -> None:
    """Write a slice."""
    session.execute(
        f"INSERT INTO {SLICES} VALUES (?, ?, ?, ?)"
        " ON CONFLICT (shard, slot, number) DO UPDATE SET data = excluded.data",
        (shard, slot, number, data),
    )


def turn(session: Session, shard: int, slot: int, mark: int, many: int) -> None:
    """From now on the slices of this slot are the beliefs of the shard."""
    session.execute(
        f"INSERT INTO {SLOTS} VALUES (?, ?, ?, ?)"
        " ON CONFLICT (shard) DO UPDATE SET slot = excluded.slot, mark = excluded.mark, many = excluded.many",
        (shard, slot, mark, many),
    )
    session.execute("DELETE FROM beliefs WHERE shard = ?", (shard,))


def put_whole(session: Session, mark: int, shard: int, data: bytes) -> None:
    """Write the beliefs of a shard in one piece."""
    session.execute(
        "INSERT INTO beliefs VALUES (?, ?, ?)"
        " ON CONFLICT (shard) DO UPDATE SET mark = excluded.mark, data = excluded.data",
        (shard, mark, data),
    )
    session.execute(f"DELETE FROM {SLOTS} WHERE shard = ?", (shard,))


def kept(database: Database, session: Session) -> dict[int, Mark]:
    """The beliefs of every shard as they count."""
    rows = session.execute("SELECT shard, mark, data FROM beliefs").fetchall()
    found = {shard: Mark(mark, bytes(data)) for shard, mark, data in rows}
    if database.has(session, SLOTS):  # a file that was only read since an older version wrote it has none
        for shard, slot, mark, many in session.execute(f"SELECT shard, slot, mark, many FROM {SLOTS}").fetchall():
            slices = session.execute(
                f"SELECT data FROM {SLICES} WHERE shard = ? AND slot = ? AND number < ? ORDER BY number",
                (shard, slot, many),
            ).fetchall()
            found[shard] = Mark(mark, b"".join([bytes(data) for (data,) in slices]))
    return dict(sorted(found.items()))


def oldest(session: Session) -> int | None:
    """The oldest mark of a shard's beliefs; None when there are none."""
    (mark,) = session.execute(
        f"SELECT min(mark) FROM (SELECT mark FROM beliefs UNION ALL SELECT mark FROM {SLOTS}) AS marks"
    ).fetchone()
    return None if mark is None else int(mark)
