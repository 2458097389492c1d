"""What lies in a room's folder: what a backup takes along, what it leaves behind on purpose, what it does not know. I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal, NamedTuple

DATABASES = ("journal.sqlite", "people.sqlite", "looks.sqlite", "readings.sqlite")
"""In the order in which they are copied.

The counts of what was absorbed (in `looks.sqlite`) say how far in the readings they have come, the journal how far it has
decided: what the readings hold beyond either is taken up again, as after a kill.
"""

COPIED = ("room.toml", "*.toml", "keys/*.json")
SECRET = ("keys/*.pem", "secrets.toml")
"""What opens doors: only when asked for."""

LEFT_OUT: Mapping[str, str] = {
    "ballots.sqlite": "sealed ballots stay sealed: a restored room tells those of an open motion as lost",
    "*.sqlite-wal": "SQLite's own, while the room runs: what it holds is in the copy",
    "*.sqlite-shm": "SQLite's own, while the room runs",
    "*.lock": "says that a room writes here; it is made anew",
    "*.lock-journal": "says that a room writes here; it is made anew",
    "keys/*.lock": "says that a program changes the keys; it is made anew",
    "backup.json": "says of a folder that it is a backup, and whether it is whole; each has its own",
    "running.json": "where the room runs now, and for how long its command line may look",
    "room.log": "what the program said of itself: it binds nobody",
    "truth.json": "the simulators' own book of what really was wrong: a demo's, not the room's",
    ".doctor-*": "what the doctor wrote to time the disk",
}
"""What a backup leaves behind on purpose, by pattern, and why."""

Fate = Literal["copied", "secret", "left out", "unknown"]


class Belonging(NamedTuple):
    """A file of a room's folder: its name from there, what a backup does with it, and why when it is left behind."""

    name: str
    fate: Fate
    why: str = ""


def fate_of(name: str, named: Iterable[str] = ()) -> Belonging:
    """What a backup does with a file; `named` are the files that room.toml names.

    >>> [fate_of(name).fate for name in ("looks.sqlite", "secrets.toml", "ballots.sqlite-wal", "notes.txt")]
    ['copied', 'secret', 'left out', 'unknown']
    """
    if any(fnmatchcase(name, pattern) for pattern in SECRET):
        return Belonging(name, "secret", "it opens doors: --with-keys takes it along")
    why = next((why for pattern, why in LEFT_OUT.items() if _fits(name, pattern)), "")
    if why:
        return Belonging(name, "left out", why)
    if name in DATABASES or name in set(named) or any(_fits(name, pattern) for pattern in COPIED):
        return Belonging(name, "copied")
    return Belonging(name, "unknown", "the room does not know it: copy it yourself if it is yours")


def _fits(name: str, pattern: str) -> bool:
    return name.count("/") == pattern.count("/") and fnmatchcase(name, pattern)


def belongings(folder: Path, named: Iterable[str] = ()) -> tuple[Belonging, ...]:
    """Every file of a room's folder and what a backup does with it; an unknown subfolder by its name alone."""
    known, found = set(named), []
    for path in sorted(folder.iterdir()):
        if path.is_file():
            found.append(fate_of(path.name, known))
        elif path.is_dir():
            inside = [f"{path.name}/{one.relative_to(path)}" for one in sorted(path.rglob("*")) if one.is_file()]
            fates = [fate_of(name, known) for name in inside]
            strange = [one for one in fates if one.fate == "unknown"]
            found += [one for one in fates if one.fate != "unknown"]
            if strange:
                found.append(Belonging(f"{path.name}/ ({len(strange)} files)", "unknown", strange[0].why))
    return tuple(found)
