"""Where a running room can be asked: a note in its folder that the room's own command line reads. I/O.

The note holds an errand, a secret of this run that opens what the operator may look at, and nothing that anybody may do. Only the
room's account can read it (mode 0600); it goes when the room goes, and is worth nothing afterwards.
"""

from __future__ import annotations

import json
import os
import secrets
import ssl
import urllib.error
import urllib.request
from contextlib import suppress
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from opsroom.record.disk import explained, private_file
from opsroom.room.refusal import RoomError

NOTE = "running.json"
PATIENCE_S = 5.0


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """A running room: its address, its process, the errand of this run, and the certificate that it shows (may be empty)."""

    address: str
    pid: int
    errand: str = ""
    cert: str = ""


class NoAnswerError(RoomError):
    """A running room does not answer: `address`, `why`."""

    def __init__(self, address: str, why: str) -> None:
        super().__init__(address, why)
        self.address, self.why = address, why

    def __str__(self) -> str:
        return f"the room at {self.address} does not answer as it should ({self.why}): see its log, or `opsroom doctor`"


class Told(NamedTuple):
    """What a room answered: status, body, the moment that its server wrote on it (epoch seconds, None if it did not)."""

    status: int
    body: Any
    at: float | None


def announce(folder: Path, address: str, cert: str = "") -> str:
    """Leave the note of a room that begins to serve, and tell its errand."""
    errand = secrets.token_urlsafe(32)
    note = Running(address=address, pid=os.getpid(), errand=errand, cert=str(Path(cert).absolute()) if cert else "")
    path = private_file(folder / NOTE)
    with explained(path):
        path.write_bytes(msgspec.json.encode(note))
    return errand


def leave(folder: Path) -> None:
    """Take the note away."""
    with suppress(OSError):
        (folder / NOTE).unlink()


def running(folder: Path) -> Running | None:
    """The room that runs in a folder, None if none does; a note that a killed room left behind is none."""
    try:
        note = msgspec.json.decode((folder / NOTE).read_bytes(), type=Running)
        os.kill(note.pid, 0)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    return note


def ask(room: Running, path: str) -> Told:
    """Ask a running room for something to look at; raises `NoAnswerError`."""
    request = urllib.request.Request(room.address.rstrip("/") + path)
    if room.errand:
        request.add_header("authorization", f"Bearer {room.errand}")
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S, context=_trust(room)) as answer:
            return _told(answer.status, answer.read(), answer.headers.get("date"))
    except urllib.error.HTTPError as error:
        return _told(error.code, error.read(), error.headers.get("date"))
    except (OSError, ValueError) as error:
        raise NoAnswerError(room.address, str(error)) from None


def _trust(room: Running) -> ssl.SSLContext | None:
    if not room.address.startswith("https"):
        return None
    if not room.cert:
        return ssl.create_default_context()
    # The room's own certificate, as it lies on this disk, is the one to expect; its names are for other machines.
    context = ssl.create_default_context(cafile=room.cert)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.check_hostname = False
    return context


def _told(status: int, body: bytes, date: str | None) -> Told:
    at = None
    if date:
        with suppress(ValueError):
            at = parsedate_to_datetime(date).timestamp()
    try:
        return Told(status, json.loads(body), at)
    except ValueError:
        return Told(status, body.decode("utf-8", "replace"), at)
