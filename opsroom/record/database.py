"""What a store of blocks asks of a database: transactions, reading at one moment's state, and a few statements that differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

from opsroom.record.disk import StoreError


class Row(NamedTuple):
    """A block as it is stored: `id` is mark times shards plus shard, `plants` rising little-endian words."""

    id: int
    shard: int
    at: float
    first_us: int
    last_us: int
    plants: bytes
    body: bytes


class Rows(Protocol):
    """What a statement gives."""

    def fetchone(self) -> Any:
        """The next row, or None."""

    def fetchall(self) -> list[Any]:
        """All that are left."""

    def __iter__(self) -> Iterator[Any]: ...

    @property
    def rowcount(self) -> int:
        """How many rows were changed."""


class Session(Protocol):
    """One transaction; values are marked by `?` in every database."""

    def execute(self, sql: str, values: Sequence[Any] = ()) -> Rows:
        """Run one statement."""

    def executemany(self, sql: str, values: Iterable[Sequence[Any]]) -> object:
        """Run one statement for each row of values."""


class Database(Protocol):
    """Where the tables of a store are. Every method raises `StoreError`, after which the database goes on working."""

    @property
    def where(self) -> str:
        """The file or the address, without a password, for messages."""

    def written(self) -> AbstractContextManager[Session]:
        """Do all of the block or nothing of it; durable when it ends."""

    def lent(self) -> AbstractContextManager[Session]:
        """Read at one moment's state, while others read and write."""

    def has(self, session: Session, table: str) -> bool:
        """Whether there is such a table."""

    def put(self, session: Session, rows: Sequence[Row]) -> None:
        """Store blocks."""

    def having(
        self, session: Session, shard: int, ids: tuple[int, int], plant: int, span_us: tuple[int, int]
    ) -> Iterator[tuple[int, bytes]]:
        """Blocks (id, body) of a shard with `ids[0] <= id < ids[1]` that hold a plant and touch a span, newest first."""

    def drop(self, session: Session, below: int, most: int) -> tuple[int, int]:
        """Delete some of the blocks with ids below, oldest first, about `most`; tell how many, and their last source time."""

    def used(self, session: Session) -> int:
        """How many bytes are used, without what was freed."""

    def tidy(self) -> bool:
        """Give a little of what was freed back to the disk, and tell whether there was something; nobody writes meanwhile."""

    def settle(self) -> None:
        """Move what was written to its lasting place, beside the writer; it is durable already."""

    def examine(self) -> None:
        """Begin to look, beside all else and once, whether what is stored is whole; `ails` tells."""

    @property
    def ails(self) -> StoreError | None:
        """What the examination found damaged and still finds so."""

    def close(self) -> None:
        """Let go of it; another room may write then."""
