"""Somebody at the room's door: logs in, watches, gives commands; knows nothing but the public interface. I/O."""

from __future__ import annotations

import asyncio
import http.client
import itertools
import secrets
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import msgspec
from websockets.asyncio.client import connect

from opsroom.room.refusal import RoomError
from opsroom.views import AlarmView, Delta, MotionView, OrderChoice, OrderView, Snapshot, TickerLine, UnitView, Viewer

_MESSAGES = msgspec.json.Decoder(Snapshot | Delta)


class RefusedByRoomError(RoomError):
    """The room answered with an error: `status`, `code`, `reason`."""

    def __init__(self, status: int, code: str, reason: str) -> None:
        super().__init__(status, code, reason)
        self.status, self.code, self.reason = status, code, reason

    def __str__(self) -> str:
        return f"the room answered {self.status} {self.code}: {self.reason}"


class Picture:
    """What a screen shows: the snapshot with every delta since."""

    def __init__(self) -> None:
        self.n = -1
        self.alarms: dict[str, AlarmView] = {}
        self.motions: dict[str, MotionView] = {}
        self.orders: dict[str, OrderView] = {}
        self.units: dict[str, UnitView] = {}
        self.choices: tuple[OrderChoice, ...] = ()
        self.lines: asyncio.Queue[TickerLine] = asyncio.Queue()
        self._changed = asyncio.Event()

    def take(self, message: Snapshot | Delta) -> bool:
        """Take a message; False when one before it is missing, and a snapshot is needed."""
        if isinstance(message, Snapshot):
            self.alarms, self.motions, self.orders, self.units = {}, {}, {}, {}
        elif message.n != self.n + 1:
            return False
        self.n = message.n
        self.alarms.update((row.id, row) for row in message.alarms)
        self.motions.update((row.id, row) for row in message.motions)
        self.orders.update((row.id, row) for row in message.orders)
        self.units.update((row.id, row) for row in message.units)
        if message.choices is not None:
            self.choices = message.choices
        if isinstance(message, Delta):
            for line in message.ticker:
                self.lines.put_nowait(line)
        self._changed.set()
        return True

    async def changed(self, at_most_s: float) -> None:
        """Wait for the next message, or so many seconds."""
        self._changed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(at_most_s):
                await self._changed.wait()


class Visitor:
    """One person with a session of one's own, and with keys that no earlier session of the same account has used."""

    def __init__(self, address: str, viewer: Viewer) -> None:
        self.address, self.viewer = address, viewer
        self._cookie = ""
        self._keys = (f"{secrets.token_hex(8)}-{n}" for n in itertools.count(1))

    async def login(self, account: str, passphrase: str) -> None:
        """Begin a session."""
        headers, _ = await self._call("POST", "/api/login", {"account": account, "passphrase": passphrase})
        self._cookie = headers.split(";")[0]

    async def ask(self, command: str, **members: Any) -> dict[str, Any]:
        """Give a command and wait for the room's answer; raises `RefusedByRoomError`."""
        body = {"command": {"command": command, **members}, "key": next(self._keys)}
        answer: dict[str, Any] = (await self._call("POST", "/api/commands", body))[1]
        return answer

    async def get(self, path: str) -> Any:
        """Read a view."""
        return (await self._call("GET", path, None))[1]

    async def watch(self, picture: Picture, focus: str = "") -> None:
        """Keep a picture up to date for ever."""
        url = f"{self.address.replace('http', 'ws', 1)}/watch?focus={focus}"
        async for socket in connect(url, additional_headers={"Cookie": self._cookie}, max_size=1 << 24):
            async for text in socket:
                if not picture.take(_MESSAGES.decode(text)):
                    await socket.send('{"resume": true}')

    async def _call(self, method: str, path: str, body: Any) -> tuple[str, Any]:
        return await asyncio.to_thread(self._blocking, method, path, body)

    def _blocking(self, method: str, path: str, body: Any) -> tuple[str, Any]:
        parts = urlsplit(self.address)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.netloc, timeout=30)
        try:
            headers = {"Cookie": self._cookie, "Content-Type": "application/json", "Origin": self.address}
            connection.request(method, path, None if body is None else msgspec.json.encode(body), headers)
            response = connection.getresponse()
            raw = response.read()
            answer = msgspec.json.decode(raw) if raw else {}
            if response.status >= 400:
                raise RefusedByRoomError(response.status, answer.get("code", ""), answer.get("reason", ""))
            return response.getheader("set-cookie") or "", answer
        finally:
            connection.close()
