"""Which store a room has: its own file, or a PostgreSQL named by a URL. I/O."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from opsroom.record.backup_note import refuse_elsewhere
from opsroom.record.block_store import BlockStore
from opsroom.record.database import Database
from opsroom.record.sqlite_store import SqliteDatabase
from opsroom.room.refusal import RoomError

READINGS = "readings.sqlite"
"""The file of the embedded store in a room's folder."""

PATIENCE_S = 2.0
"""How long a statement waits for what another program holds."""


class StoreAddressError(RoomError):
    """An address that names no store: the `address` (without a password), `what` is wrong, the `cure`."""

    def __init__(self, address: str, what: str, cure: str) -> None:
        super().__init__(address, what, cure)
        self.address = address
        self.what = what
        self.cure = cure

    def __str__(self) -> str:
        return f"the store {self.address!r}: {self.what}. {self.cure}"


def wrong_with(address: str) -> tuple[str, str] | None:
    """Tell what is wrong with a store's address, and the cure; None when nothing is.

    >>> wrong_with("postgresql://room@db.example/plants"), wrong_with("mysql://x")[0]
    (None, 'there is no such kind of store')
    """
    try:
        parts = urlsplit(address)
        secret = parts.password is not None or "password" in parse_qs(parts.query)
    except ValueError:
        return "this is no address", "Write postgresql://USER@HOST:PORT/DATABASE."
    if parts.scheme not in ("postgresql", "postgres"):
        cure = "Write postgresql://USER@HOST:PORT/DATABASE, or leave it out for the room's own file."
        return "there is no such kind of store", cure
    if secret:
        return "a password does not belong here", "Leave it out and give it by PGPASSWORD or ~/.pgpass."
    return None


def shown(address: str) -> str:
    """An address without its password, for messages."""
    try:
        parts = urlsplit(address)
        name = parts.hostname or ""
        return parts._replace(netloc=f"{parts.username}@{name}" if parts.username else name, query="").geturl()
    except ValueError:
        return "..."


def open_store(folder: Path, address: str = "", *, reading: bool = False) -> BlockStore:
    """Open the store of a room's folder, or the one at an address, or begin one.

    Opened for `reading` alone, a room may write there meanwhile. Raises `StoreError`, also when another room writes there,
    when the folder is a backup with other readings than these, and `StoreAddressError`.
    """
    refuse_elsewhere(folder, shown(address) if address else "")
    return BlockStore(open_database(folder, address, reading=reading))


def open_database(folder: Path, address: str = "", *, reading: bool = False) -> Database:
    """Open the tables of a store alone, also where what is moved into them is not all there; raises as `open_store`."""
    if not address:
        return SqliteDatabase(folder / READINGS, PATIENCE_S, reading=reading)
    wrong = wrong_with(address)
    if wrong is not None:
        raise StoreAddressError(shown(address), *wrong)
    try:
        from opsroom.record.postgres_store import PostgresDatabase
    except ImportError as error:
        raise StoreAddressError(
            shown(address), f"psycopg is not installed ({error})", "Install it: pip install 'opsroom[postgres]'."
        ) from None
    return PostgresDatabase(address, PATIENCE_S, reading=reading)
