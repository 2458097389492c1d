"""Who may talk to the room's web server at all: Host allow-list, Origin check, security headers.

Plain ASGI around the whole application, so that REST, screens and both websockets stand behind the same door.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec

from opsroom.entry.handshakes import unfit_files
from opsroom.entry.tally import Tally
from opsroom.room.refusal import RoomError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
READS = frozenset({"GET", "HEAD", "OPTIONS"})
LARGEST_BODY = 1 << 20
"""The largest request body in bytes; a command is a few hundred."""
BODY_S = 20.0
"""How long a request's body may take."""
TOO_LARGE = f"a request holds at most {LARGEST_BODY} bytes"


class AddressRefusedError(RoomError):
    """A room may not be served at this address: `host`, `reason`, `cure`."""

    def __init__(self, host: str, reason: str, cure: str) -> None:
        super().__init__(host, reason, cure)
        self.host, self.reason, self.cure = host, reason, cure

    def __str__(self) -> str:
        return f"the room is not served at {self.host}: {self.reason}; {self.cure}"


def check_address(host: str, *, tls: bool, behind_proxy: bool) -> None:
    """Refuse an address that other machines reach without TLS; raises `AddressRefusedError`."""
    if host in LOOPBACK or tls or behind_proxy:
        return
    raise AddressRefusedError(
        host,
        "other machines could read passphrases on the way",
        "give --tls-cert and --tls-key, or --behind-proxy when a proxy in front speaks TLS",
    )


def hosts_of(host: str, extra: Iterable[str] = ()) -> frozenset[str]:
    """The names under which a room that listens on `host` may be addressed; ports do not matter.

    >>> sorted(hosts_of("127.0.0.1", ["ops.example"]))
    ['127.0.0.1', '::1', 'localhost', 'ops.example']
    """
    names = set(LOOPBACK) if host in LOOPBACK else {host, *LOOPBACK}
    return frozenset(names | {name.lower() for name in extra} - {""})


def name_of(authority: str) -> str:
    """The host name in a Host header or an Origin, without its port.

    >>> name_of("[::1]:8080"), name_of("localhost:1"), name_of("https://ops.example:8443")
    ('::1', 'localhost', 'ops.example')
    """
    try:
        return urlsplit(authority if "//" in authority else f"//{authority}").hostname or ""
    except ValueError:
        return ""


@dataclass(frozen=True, kw_only=True)
class Doors:
    """How a room is reached: address, names, TLS, whether the wall is open to everybody."""

    host: str = "127.0.0.1"
    port: int = 8000
    names: tuple[str, ...] = ()
    tls_cert: str = ""
    tls_key: str = ""
    behind_proxy: bool = False
    proxies: tuple[str, ...] = ()
    """Addresses of the proxy, when it is not on this machine: whose word counts on where a request came from."""
    client_ca: str = ""
    """A file of authorities: a link may come in by a certificate that one of them signed."""
    certificate_header: str = ""
    """The header in which the proxy tells the certificate that it checked (PEM, percent-encoded)."""
    metrics_token: str = ""
    """Who asks for `/metrics` from elsewhere than this machine says this token."""
    anonymous_wall: bool = False

    def check(self) -> None:
        """Refuse doors that would let in more than they say; raises `AddressRefusedError`."""
        check_address(self.host, tls=self.tls, behind_proxy=self.behind_proxy)
        for given, needed, what, cure in (
            (self.client_ca, self.tls, "--client-ca needs TLS", "give --tls-cert and --tls-key"),
            (self.certificate_header, self.behind_proxy, "anybody could write that header", "give --behind-proxy"),
            (self.proxies, self.behind_proxy, "--proxy names no proxy", "give --behind-proxy"),
            (self.tls_key, self.tls, "--tls-key alone speaks no TLS", "give --tls-cert too"),
        ):
            if given and not needed:
                raise AddressRefusedError(self.host, what, cure)
        wrong = unfit_files(self.tls_cert, self.tls_key, self.client_ca) if self.tls else None
        if wrong is not None:
            raise AddressRefusedError(self.host, *wrong)

    @property
    def tls(self) -> bool:
        """Whether the room itself speaks TLS."""
        return bool(self.tls_cert)

    @property
    def secure(self) -> bool:
        """Whether cookies are for TLS alone."""
        return self.tls or self.behind_proxy

    def address(self, port: int = 0) -> str:
        """The address for people."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{port or self.port}"


class Guard:
    """The door: answers 400 to a foreign Host, 403 to a foreign Origin, 413 to a huge body, 408 to a slow one.

    Counts every answer and adds headers to the rest. `scripts` gives the hashes of the inline scripts that the page may run,
    as CSP sources.
    """

    def __init__(
        self,
        inside: Asgi,
        hosts: frozenset[str],
        *,
        tls: bool = False,
        scripts: Callable[[], Iterable[str]] = tuple,
        tally: Tally | None = None,
        body_s: float = BODY_S,
    ) -> None:
        self.inside, self.hosts, self.tls, self.scripts = inside, hosts, tls, scripts
        self.tally, self.body_s = tally or Tally(), body_s
        self._headers: list[tuple[bytes, bytes]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in ("http", "websocket"):
            await self.inside(scope, receive, send)
            return
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        host, origin = headers.get(b"host", ""), headers.get(b"origin", "")
        called = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if not called or any(name_of(one) not in self.hosts for one in called):
            cure = "use the address that the room printed, or name this one with --allow-host"
            reason = f"this room is not called {host[:100]!r}"
            await self._turn_away(scope, receive, send, 400, "foreign-host", reason, cure)
        elif not self._same(scope, host, origin):
            reason = f"a page from {origin[:100]!r} may not act in this room"
            await self._turn_away(scope, receive, send, 403, "foreign-origin", reason, "open the room's own address")
        elif _length(headers) > LARGEST_BODY:
            await self._turn_away(scope, receive, send, 413, "too-large", TOO_LARGE, "send less at once")
        elif scope["type"] == "websocket":
            await self.inside(scope, receive, send)
        else:
            try:
                async with asyncio.timeout(self.body_s):
                    whole = [] if scope["method"] in READS else await _whole_body(receive)
            except TimeoutError:
                reason = f"a request's body may take {self.body_s:g} s"
                await self._turn_away(scope, receive, send, 408, "too-slow", reason, "send it again")
                return
            if whole is None:
                await self._turn_away(scope, receive, send, 413, "too-large", TOO_LARGE, "send less at once")
            else:
                await self.inside(scope, _again(whole, receive), self._with_headers(send))

    async def _turn_away(
        self, scope: Scope, receive: Receive, send: Send, status: int, code: str, reason: str, cure: str
    ) -> None:
        self.tally.turned_away[code] += 1
        if scope["type"] == "http":
            self.tally.answers[status] += 1
        await turn_away(scope, receive, send, status, code, reason, cure)

    def _same(self, scope: Scope, host: str, origin: str) -> bool:
        if not origin or (scope["type"] == "http" and scope["method"] in READS):
            return True
        try:
            page = urlsplit(origin)
            # Where there is TLS a page that came in clear may be anybody's who sits on the line, whatever name it bears.
            spoken = page.scheme == "https" or (page.scheme == "http" and not self.tls)
            return spoken and page.netloc.lower() == host.lower()
        except ValueError:  # a bracket that is not closed
            return False

    def _with_headers(self, send: Send) -> Send:
        if not self._headers:
            self._headers = _security_headers(self.scripts(), tls=self.tls)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.tally.answers[message["status"]] += 1
                message["headers"] = [*message.get("headers", ()), *self._headers]
            await send(message)

        return sending


def _security_headers(scripts: Iterable[str], *, tls: bool) -> list[tuple[bytes, bytes]]:
    policy = {
        "default-src": "'self'",
        "script-src": " ".join(("'self'", *scripts)),
        # Dash and Plotly write style attributes; they never come from what a person or a plant typed.
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self'",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    headers = {
        "content-security-policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), microphone=(), geolocation=()",
    }
    if tls:
        headers["strict-transport-security"] = "max-age=31536000"
    return [(name.encode(), value.encode()) for name, value in headers.items()]


async def turn_away(scope: Scope, receive: Receive, send: Send, status: int, code: str, reason: str, cure: str) -> None:
    """Answer a request with an error in the room's one shape, or refuse a websocket, before anybody works on it."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 4403, "reason": code})
        return
    body = msgspec.json.encode({"code": code, "reason": reason, "cure": cure})
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),  # so that what is still being sent is not read to its end
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _whole_body(receive: Receive) -> list[Message] | None:
    """Take in a request's body before anybody works on it; None as soon as it outgrows `LARGEST_BODY`, declared or not."""
    messages, length = [], 0
    while True:
        message = await receive()
        messages.append(message)
        length += len(message.get("body", b""))
        if length > LARGEST_BODY:
            return None
        if message["type"] != "http.request" or not message.get("more_body"):
            return messages


def _again(messages: list[Message], receive: Receive) -> Receive:
    """Give what was taken in once more, then what comes."""
    waiting = deque(messages)

    async def receiving() -> Message:
        return waiting.popleft() if waiting else await receive()

    return receiving


def _length(headers: dict[bytes, str]) -> int:
    length = headers.get(b"content-length", "")
    return int(length) if length.isascii() and length.isdigit() else 0
