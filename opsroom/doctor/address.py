"""A running room, looked at through its own doors. I/O."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

from opsroom.doctor.finding import Finding, ill, measured, watch, well
from opsroom.doctor.folder import expiry
from opsroom.doors.presence import NoAnswerError, Running, ask
from opsroom.views import TROUBLE_WORDS

SKEW_WATCH_S, SKEW_ILL_S = 2.0, 30.0


def look(room: Running, now: float) -> Iterator[Finding]:
    """Look at a running room; `now` in epoch seconds of this machine, when the look begins."""
    entered = time.perf_counter()
    yield from _certificate(room, now)
    try:
        began = time.perf_counter()
        alive = ask(room, "/healthz")
        took = time.perf_counter() - began
    except NoAnswerError as error:
        yield ill("room", str(error), "see whether its process lives, and its log; start it with opsroom serve")
        return
    if alive.status != 200:
        yield ill("room", f"/healthz answered {alive.status}", "this may not be a room: check the address")
        return
    yield measured("answer", took, "s to answer", 0.5, 5.0, "the room is behind, or the way to it is slow")
    if alive.at is not None:
        skew = abs(alive.at + 0.5 - (now + (began - entered) + took / 2))  # the header tells whole seconds
        cure = "let both machines follow a time server"
        yield measured("clock skew", skew, "s between the room and this machine", SKEW_WATCH_S, SKEW_ILL_S, cure)
    ready = ask(room, "/readyz")
    body = ready.body if isinstance(ready.body, dict) else {}
    if ready.status == 200:
        yield well("readiness", f"it takes telexes and commands; {body.get('waiting', 0)} readings wait")
    else:
        yield ill("readiness", str(body.get("reason", ready.status)), str(body.get("cure", "see the room's log")))
    yield from _line(room)


def _line(room: Running) -> Iterator[Finding]:
    told = ask(room, "/api/line/book?most=3")
    if told.status in (401, 403):
        yield watch("line", "only the room's own people may see it", "run it with --data on the room's machine")
        return
    if told.status != 200 or not isinstance(told.body, dict):
        yield watch("line", f"/api/line/book answered {told.status}", "ask again in a second")
        return
    book, line = told.body, told.body["line"]
    worst = ", ".join(
        f"{row['plant']} ({TROUBLE_WORDS.get(row['trouble'], row['trouble'])})"
        for row in book["plants"]
        if row["trouble"] != "calm"
    )
    if book["troubled"]:
        seen = f"{book['troubled']} of {book['total']} plants in trouble: {worst}"
        yield watch("plants", seen, "opsroom link list, and docs/operating.md for what each word asks of you")
    else:
        yield well("plants", f"{book['total']}, none in trouble")
    away = [link["link"] for link in book["links"] if link["state"] == "away"]
    if away:
        yield watch("links", f"away: {', '.join(away[:5])}", "see whether the link's program runs, and its token")
    else:
        yield well("links", f"{line['links']} open")
    if line["spooled"] >= 30 * max(1, line["plants"]):
        yield watch("spools", f"{line['spooled']} telexes wait at plants", "the room is behind, or a link is cut")
    else:
        yield well("spools", f"{line['spooled']} telexes wait at plants")
    lost = f"{line['gaps']} gaps, {line['given_up']} telexes lost, {line['refused']} refused"
    yield watch("line", lost, "/line names the plants") if line["given_up"] else well("line", lost)


def _certificate(room: Running, now: float) -> Iterator[Finding]:
    parts = urlsplit(room.address)
    if parts.scheme != "https":
        return
    from cryptography import x509

    shown = b""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # also one that has ended is looked at
    place = (parts.hostname or "", parts.port or 443)
    with (
        suppress(OSError),
        socket.create_connection(place, 5.0) as plain,
        context.wrap_socket(plain, server_hostname=parts.hostname) as secure,
    ):
        shown = secure.getpeercert(binary_form=True) or b""
    if shown:
        read = x509.load_der_x509_certificate(shown)
        begins, ends = read.not_valid_before_utc.timestamp(), read.not_valid_after_utc.timestamp()
        yield expiry("certificate of the room", begins, ends, now)
