"""Sends one message through one channel: SMTP with TLS, or an HTTP POST; follows no redirection. I/O."""

from __future__ import annotations

import http.client
import os
import smtplib
import ssl
import time
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

from opsroom.notices.channel import Channel
from opsroom.notices.message import Message, Request, mail, push, webhook
from opsroom.room.refusal import RoomError

SECRETS = "secrets.toml"
"""The file of secrets in the room's folder: `name = "secret"` a line, readable by the room's account alone."""

PATIENCE_S = 20.0
"""How long a server may take to answer."""


class SendError(RoomError):
    """A channel did not take a notice: `channel`, `why`, `cure`."""

    def __init__(self, channel: str, why: str, cure: str = "") -> None:
        super().__init__(channel, why, cure)
        self.channel, self.why, self.cure = channel, why, cure

    def __str__(self) -> str:
        return f"{self.why}: {self.cure}" if self.cure else self.why


def secret_of(folder: Path, channel: Channel) -> str:
    """The secret that a channel names, from the environment or the file; empty when it names none. Raises `SendError`."""
    if not channel.secret:
        return ""
    variable = f"OPSROOM_SECRET_{channel.secret.upper().replace('-', '_')}"
    if said := os.environ.get(variable):
        return said
    path = folder / SECRETS
    cure = f'write {channel.secret} = "..." into {SECRETS} in the room\'s folder (mode 0600), or set {variable}'
    try:
        if path.stat().st_mode & 0o077:
            raise SendError(channel.name, f"{SECRETS} can be read by others", "chmod 600 it")
        known = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise SendError(channel.name, f"there is no secret {channel.secret!r}", cure) from None
    except (OSError, ValueError) as wrong:
        raise SendError(channel.name, f"{SECRETS} cannot be read ({wrong})", cure) from None
    found = known.get(channel.secret)
    if not isinstance(found, str) or not found:
        raise SendError(channel.name, f"there is no secret {channel.secret!r}", cure)
    return found


def send(folder: Path, channel: Channel, said: Message) -> None:
    """Send a message; returns when the other side has taken it. Blocks; raises `SendError`."""
    secret = secret_of(folder, channel)
    try:
        trusted = ssl.create_default_context()
        if channel.authority:
            trusted.load_verify_locations(folder / channel.authority)
        if channel.kind == "mail":
            _mail(channel, said, secret, trusted)
        elif channel.kind == "webhook":
            _post(channel, webhook(channel, said, secret, time.time()), trusted)
        else:
            _post(channel, push(channel, said, secret), trusted)
    except (OSError, smtplib.SMTPException, http.client.HTTPException, ValueError) as wrong:
        told = " ".join(str(wrong).split())[:200] or type(wrong).__name__
        raise SendError(channel.name, f"{type(wrong).__name__}: {told}") from wrong


def _mail(channel: Channel, said: Message, secret: str, trusted: ssl.SSLContext) -> None:
    parts = urlsplit(f"//{channel.server}")
    host, port = parts.hostname or "", parts.port or 25
    if channel.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=PATIENCE_S, context=trusted)
    else:
        server = smtplib.SMTP(host, port, timeout=PATIENCE_S)
    with server:
        if channel.security == "starttls":
            server.starttls(context=trusted)
        if channel.user:
            server.login(channel.user, secret)
        refused = server.send_message(mail(channel, said))
    if refused:
        raise SendError(channel.name, f"the mail server refuses {', '.join(refused)}")


def _post(channel: Channel, asked: Request, trusted: ssl.SSLContext) -> None:
    parts = urlsplit(asked.url)
    if parts.scheme == "https":
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            parts.hostname or "", parts.port, timeout=PATIENCE_S, context=trusted
        )
    else:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE_S)
    try:
        path = parts.path or "/"
        connection.request("POST", f"{path}?{parts.query}" if parts.query else path, asked.body, asked.headers)
        answer = connection.getresponse()
        answer.read(1 << 16)
        if not 200 <= answer.status < 300:
            raise SendError(channel.name, f"the other side answered {answer.status} {answer.reason}")
    finally:
        connection.close()
