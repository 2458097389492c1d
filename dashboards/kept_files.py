"""The files that Dash's packages bring to a page, read once and kept: Dash reads and hashes them anew for each request. ASGI."""

from __future__ import annotations

import hashlib
import mimetypes
import pkgutil
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

import msgspec

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

FOREVER = b"public, max-age=31536000"
"""How long a browser keeps a file whose address has its version in it."""


class KeptFile(msgspec.Struct, frozen=True):
    """A file in memory, with its kind and the mark by which a browser asks whether it is still the same."""

    body: bytes
    kind: str
    etag: str


class KeptFiles:
    """What has been asked for once, by package and path: no more than the packages hold."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], KeptFile] = {}

    def find(self, package: str, path: str) -> KeptFile | None:
        """A file of a package that is installed, or None where it is not there.

        >>> KeptFiles().find("dash", "no-such-file.js") is None
        True
        """
        if (package, path) not in self._kept:
            try:
                body = pkgutil.get_data(package, path)
            except OSError:
                body = None
            if body is None:
                return None
            kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
            kind += "; charset=utf-8" if kind.startswith("text/") else ""
            self._kept[package, path] = KeptFile(body, kind, hashlib.blake2b(body, digest_size=16).hexdigest())
        return self._kept[package, path]

    async def give(self, file: KeptFile, versioned: bool, asked: Iterable[tuple[bytes, bytes]], send: Send) -> None:
        """Answer with a file; with 304 and no body to a browser that has it."""
        etag = f'"{file.etag}"'.encode()
        same = not versioned and any(name == b"if-none-match" and etag in value for name, value in asked)
        headers = [(b"cache-control", FOREVER)] if versioned else [(b"etag", etag), (b"cache-control", b"no-cache")]
        if not same:
            headers += [(b"content-type", file.kind.encode()), (b"content-length", str(len(file.body)).encode())]
        await send({"type": "http.response.start", "status": 304 if same else 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if same else file.body})
