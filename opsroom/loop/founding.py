"""A room's beginning and its offline rooms: made, opened, served, asked, from a folder alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from opsroom.clock import Clock, FastClock, SystemClock
from opsroom.constitution.charter import read, template
from opsroom.entry.links import Links
from opsroom.entry.people import People
from opsroom.loop.hall import JOURNAL, PEOPLE, ROOM, Hall, NoRoomError, read_file
from opsroom.proof.keys import Keyring
from opsroom.record.backup_note import refuse_half
from opsroom.record.disk import private_file, private_folder
from opsroom.room.refusal import RoomError
from telex_ingest.ticket import Ticket


class RoomExistsError(RoomError):
    """There is a room in the folder already: `folder`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.folder = folder

    def __str__(self) -> str:
        return f"there is a {ROOM} in {self.folder} already: edit it, or name another folder with --data"


def found(folder: Path, text: str | None = None) -> dict[str, str]:
    """Make a room's folder with its room.toml and accounts; tells the passphrases, once."""
    refuse_half(folder)
    if (folder / ROOM).exists():
        raise RoomExistsError(folder)
    text = template() if text is None else text
    read(text)
    private_folder(folder)
    private_file(folder / ROOM).write_text(text, encoding="utf-8")
    with people_of(folder) as people:
        return enrol(people, folder)


def enrol(people: People, folder: Path) -> dict[str, str]:
    """Make the accounts that the room.toml asks for and that are missing; tells their passphrases, once."""
    file = read_file(folder)
    return people.enrol([unit.id for unit in file.charter.units], file.occupants)


@contextmanager
def people_of(folder: Path) -> Iterator[People]:
    """The accounts of a room's folder, running or not."""
    _look_in(folder)
    people = People.open(folder / PEOPLE, SystemClock())
    try:
        yield people
    finally:
        people.close()


@contextmanager
def links_of(folder: Path) -> Iterator[Links]:
    """The links of a room's folder, running or not."""
    _look_in(folder)
    links = Links.open(folder / PEOPLE, SystemClock())
    try:
        yield links
    finally:
        links.close()


def journal_of(folder: Path) -> Path:
    """The journal of a room's folder, to be read; half a backup may hold half of one, and proves nothing."""
    refuse_half(folder)
    return folder / JOURNAL


def _look_in(folder: Path) -> None:
    """Raise `NoRoomError`, or `StoreError` for half a backup: what is changed there would be gone, or be of no room."""
    refuse_half(folder)
    if not (folder / ROOM).exists():
        raise NoRoomError(folder)


def keys_of(folder: Path) -> Keyring:
    """The keys of a room's folder, made if there are none yet, running or not."""
    return Keyring.open(folder, read_file(folder).id, SystemClock().now())


def public_keys_of(folder: Path) -> Keyring:
    """The keys of a room's folder as they are, to be told: who looks makes none, and loses none that is brought back later."""
    return Keyring.of(folder, read_file(folder).id)


def ticket_of(folder: Path, link: str, token: str, warn: Callable[[str], None]) -> str:
    """The line to hand to a link: its token, and the key by which its plants know the orders of the room in `folder`."""
    keys = keys_of(folder)
    if keys.lost:
        warn(keys.lost)
    return Ticket(link, token, keys.room, keys.key("orders")).line()


def clock_of(last_at: float, speed: float) -> Clock:
    """The room's clock: the machine's, or a fast one that goes on where the journal ends."""
    if speed == 1.0:
        return SystemClock(last_at)
    return FastClock(last_at or SystemClock().now(), speed)


def software() -> str:
    """Which program this is, for evidence."""
    return f"opsroom {version('opsroom')}"


__all__ = [
    "Hall",
    "RoomExistsError",
    "clock_of",
    "enrol",
    "found",
    "journal_of",
    "keys_of",
    "links_of",
    "people_of",
    "public_keys_of",
    "software",
    "ticket_of",
]
