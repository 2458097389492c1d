"""What is sent outside the wall, in each channel's form: a mail, a signed webhook, a push. Pure."""

from __future__ import annotations

import hashlib
import hmac
from email.message import EmailMessage
from email.utils import format_datetime
from typing import NamedTuple

import msgspec

from opsroom.moments import zoned
from opsroom.notices.channel import Channel
from opsroom.notices.record import NoticeRecord

PUSH_PRIORITY = {"low": "3", "medium": "4", "high": "5"}
"""The priorities of ntfy: 3 is usual, 5 the most urgent."""

AGENT = "opsroom"


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One notice for one person: `key` is the same in every copy; `state` is alarm or back (to normal)."""

    key: str
    room: str
    alarm: str
    unit: str
    priority: str
    title: str
    text: str
    who: str
    turn: int
    at: float
    link: str = ""
    state: str = "alarm"


class Request(NamedTuple):
    """An HTTP POST: address, headers, body."""

    url: str
    headers: dict[str, str]
    body: bytes


def message(room: str, notice: NoticeRecord, turn: int, link: str) -> Message:
    """What one turn of a notice says."""
    told = notice.turns[turn - 1]
    return Message(
        key=notice.dedup,
        room=room,
        alarm=notice.alarm,
        unit=notice.unit,
        priority=notice.priority,
        title=notice.title,
        text=notice.text,
        who=told.who,
        turn=turn,
        at=notice.raised_at,
        link=f"{link}/alarms?alarm={notice.alarm}" if link else "",
        state="back" if notice.back else "alarm",
    )


def _words(said: Message) -> str:
    if said.state == "back":
        return f"{said.text}\n\nYou were told of this alarm; nothing is left to do. Key: {said.key}\n"
    lines = [said.text, "", f"Priority {said.priority}. Key: {said.key}"]
    if said.link:
        lines.append(f"Open it, so that the next in the rota is not told: {said.link}")
    return "\n".join(lines) + "\n"


def mail(channel: Channel, said: Message) -> EmailMessage:
    """The notice as a mail; its `Message-ID` follows from the key, so that a reader that knows ids shows one copy."""
    letter = EmailMessage()
    letter["From"], letter["To"] = channel.sender, ", ".join(channel.to)
    mark = "back to normal" if said.state == "back" else said.priority
    letter["Subject"] = _line(f"[{mark}] {said.title}")
    letter["Date"] = format_datetime(zoned(said.at))
    digest = hashlib.sha256(f"{said.key}/{said.turn}/{channel.name}".encode()).hexdigest()[:32]
    letter["Message-ID"] = f"<{digest}@{AGENT}.{_line(said.room)}>"
    letter["X-Opsroom-Key"] = _line(said.key)
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(_words(said))
    return letter


def webhook(channel: Channel, said: Message, secret: str, now: float) -> Request:
    """The notice as signed JSON: `X-Opsroom-Signature` is the HMAC-SHA256 of `timestamp.body`, hexadecimal.

    `now` is epoch seconds of the world, so that whoever gets it can tell an old copy from a fresh one.
    """
    body = msgspec.json.encode(said)
    stamp = str(int(now))
    return Request(
        channel.url,
        {
            "Content-Type": "application/json",
            "User-Agent": AGENT,
            "Idempotency-Key": _line(said.key),
            "X-Opsroom-Timestamp": stamp,
            "X-Opsroom-Signature": signature(secret, stamp, body),
        },
        body,
    )


def signature(secret: str, stamp: str, body: bytes) -> str:
    """The signature of a webhook.

    >>> signature("k", "1", b"{}")[:16]
    '3dd49b2593d0f9a3'
    """
    return hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def push(channel: Channel, said: Message, secret: str) -> Request:
    """The notice as ntfy reads it: the text as body, title, priority and key in headers."""
    back = said.state == "back"
    headers = {
        "Content-Type": "text/plain; charset=utf-8",
        "User-Agent": AGENT,
        "Title": _line(f"{'Back to normal: ' if back else ''}{said.title}").encode("ascii", "replace").decode(),
        "Priority": "2" if back else PUSH_PRIORITY.get(said.priority, "3"),
        "Tags": "white_check_mark" if back else "rotating_light" if said.priority == "high" else "warning",
        "X-Opsroom-Key": _line(said.key),
    }
    if said.link:
        headers["Click"] = said.link
    if secret:
        headers["Authorization"] = f"Bearer {secret}"
    return Request(channel.url, headers, _words(said).encode())


def _line(text: str) -> str:
    """One line without control characters, as headers want it."""
    return "".join(c if c.isprintable() else " " for c in text)[:200]
