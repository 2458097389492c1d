"""Real servers on loopback for notices: a small SMTP server with STARTTLS, and an HTTP server that says no for a while."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import trustme


@dataclass
class Letters:
    """What an SMTP server was given: (sender, receivers, text of the mail), and how it was reached."""

    port: int = 0
    mails: list[tuple[str, list[str], str]] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    refuse: int = 0
    """How many mails it refuses for now before it takes one."""


async def _smtp(
    letters: Letters, tls: ssl.SSLContext, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    sender, receivers, secure = "", [], False

    async def say(text: str) -> None:
        writer.write(text.encode() + b"\r\n")
        await writer.drain()

    await say("220 room.test")
    while line := (await reader.readline()).decode().strip():
        verb = line.split(" ")[0].upper()
        if verb == "EHLO":
            await say(
                "250-room.test\r\n250-AUTH PLAIN\r\n250 STARTTLS" if not secure else "250-room.test\r\n250 AUTH PLAIN"
            )
        elif verb == "STARTTLS":
            await say("220 go ahead")
            await writer.start_tls(tls)
            secure = True
        elif verb == "AUTH":
            letters.logins.append(line.split(" ")[-1])
            await say("235 welcome")
        elif verb == "MAIL":
            sender, receivers = line, []
            await say("250 ok")
        elif verb == "RCPT":
            receivers.append(line)
            await say("250 ok")
        elif verb == "DATA":
            await say("354 go on")
            text = (await reader.readuntil(b"\r\n.\r\n")).decode()
            if letters.refuse:
                letters.refuse -= 1
                await say("451 later")
                continue
            letters.mails.append((sender, receivers, text))
            letters.encrypted.append(secure)
            await say("250 taken")
        elif verb == "QUIT":
            await say("221 bye")
            break
        else:
            await say("250 ok")


@asynccontextmanager
async def _answering(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[int]:
    """Answer whoever calls, and leave no line open behind; tells the port."""
    talking: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talking.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):  # the caller has hung up
                await answer(reader, writer)
        finally:
            writer.close()
            with suppress(OSError):  # a TimeoutError is one
                async with asyncio.timeout(1.0):
                    await writer.wait_closed()
            writer.transport.abort()
            talking.discard(task)

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
    for task in talking:
        task.cancel()
    await asyncio.gather(*talking, return_exceptions=True)


@asynccontextmanager
async def smtp(folder: Path) -> AsyncIterator[Letters]:
    """An SMTP server that wants STARTTLS; `folder/ca.pem` is the authority to trust."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(tls)
    letters = Letters()
    async with _answering(lambda reader, writer: _smtp(letters, tls, reader, writer)) as letters.port:
        yield letters


@dataclass
class Posts:
    """What an HTTP server was given: (path, headers in lower case, body); `refuse` answers 503 so often first."""

    port: int = 0
    posts: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    refuse: int = 0
    refused: int = 0
    came: asyncio.Event = field(default_factory=asyncio.Event)


async def _http(posts: Posts, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    if posts.refuse:
        posts.refuse -= 1
        posts.refused += 1
        writer.write(b"HTTP/1.1 503 Not now\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    else:
        posts.posts.append((first.split(" ")[1], headers, body))
        posts.came.set()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    await writer.drain()


@asynccontextmanager
async def http() -> AsyncIterator[Posts]:
    """An HTTP server on a free port of loopback."""
    posts = Posts()
    async with _answering(lambda reader, writer: _http(posts, reader, writer)) as posts.port:
        yield posts
