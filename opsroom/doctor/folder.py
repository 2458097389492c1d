"""A room's folder, looked at from outside: nothing is changed, a running room is not disturbed. I/O."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

from opsroom.constitution.charter import check
from opsroom.doctor.finding import Finding, ill, measured, watch, well
from opsroom.loop.hall import JOURNAL, PEOPLE, READINGS, ROOM, read_file
from opsroom.proof.keys import PURPOSES, Keyring
from opsroom.record import slices
from opsroom.record.backup_note import refuse_half
from opsroom.record.disk import StoreError
from opsroom.record.journal import verify
from opsroom.record.migration import MOVING
from opsroom.record.opening import StoreAddressError, open_database, open_store, shown
from opsroom.record.store import Held
from opsroom.room.refusal import RoomError

LOOKS, BALLOTS = "looks.sqlite", "ballots.sqlite"
WRITES = 20
LEAST_BYTES = 2 << 30
"""Free bytes below which an eye is needed; a tenth of it is too little to go on."""

DAY_S = 86_400.0
CERTIFICATE_DAYS = 30.0
PACKAGES = ("opsroom", "numpy", "msgspec", "fastapi", "uvicorn", "websockets", "dash", "cryptography")


def look(folder: Path, now: float, store_at: str = "") -> Iterator[Finding]:
    """Look at everything that a folder holds; `now` in epoch seconds of this machine; `store_at`: not where room.toml says."""
    yield from versions()
    try:
        refuse_half(folder)
    except StoreError as error:
        yield ill("backup", f"{error.what} ({error.why})", error.cure)
        return
    if not (folder / ROOM).exists():
        yield ill("room.toml", f"there is none in {folder}", f"opsroom init --data {folder}, or name the right folder")
        return
    yield constitution(folder)
    yield modes(folder)
    yield space(folder)
    yield speed(folder)
    yield synchronised()
    address = store_at or store_address(folder)
    for name in (JOURNAL, READINGS, PEOPLE, LOOKS):
        if name != READINGS or not address:
            yield integrity(folder / name)
    if address:
        yield database(address)
    if (folder / BALLOTS).exists():
        yield integrity(folder / BALLOTS)
    yield from readings(folder, address)
    yield from memory(folder, now)
    yield from keys(folder)


def versions() -> Iterator[Finding]:
    """The program, Python and SQLite."""
    python = ".".join(map(str, sys.version_info[:3]))
    yield well("python", python)
    library = sqlite3.sqlite_version
    if sqlite3.sqlite_version_info < (3, 37):
        yield ill("sqlite", library, "use a Python with SQLite 3.37 or newer: tables are STRICT")
    else:
        yield well("sqlite", library)
    found, missing = [], []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        yield ill("versions", f"not installed: {', '.join(missing)}", "make install")
    else:
        yield well("versions", ", ".join(found))


def constitution(folder: Path) -> Finding:
    """The room.toml."""
    try:
        mistakes = check((folder / ROOM).read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        return ill("room.toml", str(error), "check its owner, and that it is UTF-8 text")
    if mistakes:
        cure = f"opsroom check {folder / ROOM}"
        return ill("room.toml", f"{len(mistakes)} mistakes, the first: {mistakes[0]}", cure)
    return well("room.toml", "no mistake found")


def modes(folder: Path) -> Finding:
    """Owner and mode of the folder and of everything in it that is not meant for others."""
    wrong = []
    for path in (folder, *sorted(folder.rglob("*"))):
        try:
            state = path.lstat()
        except OSError:
            continue  # it went while we looked
        if state.st_uid != os.geteuid() or (not stat.S_ISLNK(state.st_mode) and state.st_mode & 0o077):
            wrong.append(path)
    if not wrong:
        return well("file modes", "only the room's account can read its files")
    named = ", ".join(str(path.relative_to(folder.parent)) for path in wrong[:3])
    more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
    cure = f"as the account that runs the room: chmod -R go= {folder}"
    secret = any(path.suffix in (".pem", ".sqlite", ".key") or path.name == PEOPLE for path in wrong)
    return (ill if secret else watch)("file modes", f"others can read, or own, {named}{more}", cure)


def space(folder: Path) -> Finding:
    """Free space on the room's disk."""
    disk = shutil.disk_usage(folder)
    seen = f"{disk.free / 1e9:.3g} GB free of {disk.total / 1e9:.3g} GB"
    cure = "set [retention] in room.toml, free some space, or move the room to a larger disk"
    if disk.free < LEAST_BYTES / 10:
        return ill("disk space", seen, cure)
    return watch("disk space", seen, cure) if disk.free < LEAST_BYTES else well("disk space", seen)


def speed(folder: Path) -> Finding:
    """How long the disk takes to keep 4 kB for good; a tick (40 ms) waits for one such write."""
    path = folder / f".doctor-{os.getpid()}"
    took = []
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            for _ in range(WRITES):
                began = time.perf_counter()
                os.write(handle, b"." * 4096)
                os.fsync(handle)
                took.append(1000 * (time.perf_counter() - began))
        finally:
            os.close(handle)
            path.unlink()
    except OSError as error:
        return ill("disk speed", f"the folder cannot be written ({error})", "check the disk, its mount and the owner")
    cure = "put the room on a local solid-state disk; network and SD-card disks keep every telex waiting"
    return measured("disk speed", median(took), "ms to keep 4 kB", 20.0, 50.0, cure)


def synchronised() -> Finding:
    """Whether this machine's clock follows a time server, as the kernel knows it."""
    if not sys.platform.startswith("linux"):
        return watch("clock", "this system does not tell whether its clock is set", "see that it follows a time server")
    import ctypes

    answer = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(512))
    said = datetime.now(UTC).isoformat(sep=" ", timespec="seconds")
    if answer == 5:  # TIME_ERROR of adjtimex(2): nobody disciplines this clock
        return watch("clock", f"{said}, not set by a time server", "run chrony, ntpd or systemd-timesyncd")
    return well("clock", f"{said}, set by a time server" if answer >= 0 else said)


def integrity(path: Path, wait_s: float = 5.0) -> Finding:
    """Every page of a database, read; one that another program holds is waited for so long."""
    if not path.exists():
        return watch(path.name, "not there yet", "it is made when the room opens for the first time")
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=wait_s)) as connection:
            said = [str(row[0]) for row in connection.execute("PRAGMA quick_check(3)")]
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            cure = "end the program that holds it (a copy, a database browser: fuser FILE names it); nothing is lost meanwhile"
            return ill(path.name, f"another program holds it: {error}", cure)
        if getattr(error, "sqlite_errorname", "").startswith("SQLITE_CANTOPEN"):
            cure = f"see that this account may read the file and write in {path.parent}; what is in it is not harmed by that"
            return ill(path.name, f"it cannot be opened: {error}", cure)
        said = [str(error)]
    if said == ["ok"]:
        return well(path.name, f"{path.stat().st_size / 1e6:.1f} MB, every page reads")
    if path.name == BALLOTS:
        cure = "stop the room, move the file away: the ballots that are sealed in it are told as lost and do not count"
        return ill(path.name, "; ".join(said), cure)
    cure = "stop the room, keep a copy of the folder, restore the last backup; docs/operating.md"
    return ill(path.name, "; ".join(said), cure)


def store_address(folder: Path) -> str:
    """The address of the store that room.toml names; empty for the room's own file, or when room.toml cannot be read."""
    try:
        return read_file(folder).keeping.store
    except RoomError:
        return ""


def database(address: str) -> Finding:
    """A store that is not in the folder: whether it answers."""
    try:
        with closing(open_store(Path(), address, reading=True)) as store:
            counts = store.telex_counts()
    except StoreAddressError as error:
        return ill("store", f"{shown(address)}: {error.what}", error.cure)
    except StoreError as error:
        return ill("store", str(error), error.cure)
    return well("store", f"{shown(address)} answers, {counts.stored} telexes")


def readings(folder: Path, address: str) -> Iterator[Finding]:
    """Whether all readings are there, and whether this program can take up the filter's beliefs as they were kept last."""
    if not address and not (folder / READINGS).exists():
        return
    try:
        with closing(open_database(folder, address, reading=True)) as tables, tables.lent() as session:
            kept = [(shard, mark.data) for shard, mark in slices.kept(tables, session).items()]
            all_here = not tables.has(session, MOVING)
    except (StoreError, StoreAddressError):
        return  # told above
    if all_here:
        yield from beliefs(kept)
        try:
            with closing(open_store(folder, address, reading=True)) as store:
                held = store.held()
        except StoreError as error:  # a page that nobody has read above: all else is looked at all the same
            yield ill("readings", f"{error.what} ({error.why})", error.cure)
        else:
            yield kept_since(held)
    else:
        cure = "run the same opsroom migrate again, it goes on where it ended; of a backup, make another one"
        yield ill("readings", "a move into this store was cut short: what is here is not all", cure)


def kept_since(held: Held) -> Finding:
    """From when on readings are kept, and whether older ones were let go."""
    if held.let_go is None:
        return well("retention", "no reading has been let go")
    gone = datetime.fromtimestamp(held.let_go, UTC).isoformat(sep=" ", timespec="seconds")
    return well(
        "retention", f"readings measured up to {gone} were let go; their rollups stay as long as room.toml says"
    )


def beliefs(kept: Sequence[tuple[int, bytes]]) -> Iterator[Finding]:
    """Whether snapshots of beliefs, each with its shard, can be taken up by this program."""
    from opsroom.judgement.snapshots import SnapshotError, unpack

    lost = []
    for shard, data in kept:
        try:
            unpack(data)
        except SnapshotError as wrong:
            lost.append((shard, wrong.reason))
    if lost:
        seen = f"{len(lost)} of {len(kept)} snapshots cannot be used; of shard {lost[0][0]} {lost[0][1]}"
        cure = "nothing is lost: opsroom serve relearns them from the stored readings when it starts, which takes a little longer"
        yield watch("beliefs", seen, cure)
    else:
        yield well("beliefs", f"{len(kept)} snapshots, all readable by this program")


def memory(folder: Path, now: float) -> Iterator[Finding]:
    """The journal's chain, and that this machine's clock is not behind it."""
    path = folder / JOURNAL
    if not path.exists():
        return
    try:
        result = verify(path)
    except RoomError as error:
        if isinstance(error, StoreError) and not error.damaged:
            yield ill("journal", f"{error.what} ({error.why})", error.cure)
        else:
            yield ill("journal", str(error), "keep a copy of the folder, restore the last backup")
        return
    if not result.ok:
        yield ill("journal", str(result), "somebody or something changed it: keep a copy, compare it with a backup")
        return
    yield well("journal", str(result))
    changed = max(one.stat().st_mtime for one in (path, *folder.glob(f"{JOURNAL}-wal")))
    if changed > now + 5.0:
        seen = f"the journal was written {changed - now:.0f} s in this machine's future"
        yield ill("clock and journal", seen, "the clock was set back: set it right before you open the room")
    else:
        yield well("clock and journal", "the clock is not behind the journal")


def keys(folder: Path) -> Iterator[Finding]:
    """The room's signing keys."""
    try:
        ring = Keyring.of(folder, read_file(folder).id)
        known = ring.known()
    except RoomError as error:
        yield ill("keys", str(error), "restore the folder keys from a backup that was made with its keys")
        return
    for purpose in PURPOSES:
        mine = [key for key in known if key.purpose == purpose and key.current]
        if not mine:
            yield watch(f"key for {purpose}", "there is none yet", "it is made when the room opens for the first time")
        elif not mine[0].here:
            cure = "restore its secret, or open the room: it makes a new one, and the plants need new tickets"
            yield ill(f"key for {purpose}", f"the secret of {mine[0].key[:12]} is not here", cure)
        else:
            yield well(f"key for {purpose}", f"{mine[0].key[:12]}, its secret is here")


def certificate(path: Path, now: float) -> Finding:
    """How long a certificate still holds."""
    from cryptography import x509

    what = f"certificate {path.name}"
    try:
        read = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        return ill(what, str(error), "name a PEM certificate that this account can read")
    return expiry(what, read.not_valid_before_utc.timestamp(), read.not_valid_after_utc.timestamp(), now)


def expiry(what: str, begins: float, ends: float, now: float) -> Finding:
    """Judge the span in which a certificate holds, epoch seconds.

    >>> [expiry("c", 0.0, days * 86_400.0, 86_400.0).verdict for days in (400, 20, 1)]
    ['well', 'watch', 'ill']
    """
    left = (ends - now) / DAY_S
    until = datetime.fromtimestamp(ends, UTC).date().isoformat()
    cure = "renew it, and start the room again with the new one"
    if begins > now:
        return ill(what, "it does not hold yet", "set the clock right, or wait")
    if left <= 0:
        return ill(what, f"it ended on {until}", cure)
    seen = f"it holds until {until}, {left:.0f} days"
    return watch(what, seen, cure) if left < CERTIFICATE_DAYS else well(what, seen)


def spool(path: Path) -> Finding:
    """A plant's spool: whether every page reads, and how much waits in it."""
    what = f"spool {path.name}"
    if not path.exists():
        return ill(what, "there is no such file", "name the file that the plant's link was given")
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5.0)) as connection:
            said = [str(row[0]) for row in connection.execute("PRAGMA quick_check(3)")]
            waits = connection.execute("SELECT count(*) FROM telexes").fetchone()[0]
    except sqlite3.Error as error:
        said, waits = [str(error)], 0
    if said != ["ok"]:
        return ill(what, "; ".join(said), "move it away: the plant begins a new epoch, what it held is lost")
    if waits >= 1000:
        return watch(what, f"{waits} telexes wait", "see that the link reaches the room: opsroom link list")
    return well(what, f"{waits} telexes wait")
