"""A broker in miniature and a plant that speaks to it: the peers of the MQTT examples, for the checks. I/O.

It keeps what MQTT 3.1.1 asks for of sessions: QoS 1 with a window, subscriptions and unacknowledged messages that outlive a
connection, DUP on what is sent again, retained messages, wills. No authentication, no QoS 2; on loopback alone.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import Any, NamedTuple, cast

from telex_ingest.feed import Example
from telex_ingest.feeds.mqtt_broker import Broker

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, PINGREQ, PINGRESP, DISCONNECT = 1, 2, 3, 4, 8, 9, 12, 13, 14


class Message(NamedTuple):
    """What is published."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False


class Session:
    """What the broker remembers of one reader."""

    def __init__(self, lasting: bool) -> None:
        self.lasting = lasting
        self.topics: dict[str, int] = {}
        self.queue: deque[Message] = deque()
        self.unconfirmed: dict[int, Message] = {}
        self.numbers = count(1)
        self.writer: asyncio.StreamWriter | None = None
        self.will: Message | None = None


class MiniatureBroker:
    """A broker on a free port of loopback; `cut` aborts every connection, `stop` and `start` are its death and return."""

    def __init__(self, window: int = 20, tls: ssl.SSLContext | None = None) -> None:
        self.port = 0
        self.sessions: dict[str, Session] = {}
        self.retained: dict[str, Message] = {}
        self.published: list[Message] = []
        self.window = window
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._serving: dict[asyncio.Task[Any], asyncio.StreamWriter] = {}
        self._anonymous = count(1)

    async def start(self) -> None:
        """Listen: on a free port the first time, on the same port later."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self, *, forget: bool = False) -> None:
        """Die; `forget` loses the sessions and what was retained."""
        if self._server is not None:
            self._server.close()
            self.cut()
            await asyncio.gather(*self._serving, return_exceptions=True)
        if forget:
            self.sessions.clear()
            self.retained.clear()

    def cut(self) -> None:
        """Abort every connection."""
        for writer in self._serving.values():
            writer.transport.abort()

    def cut_off(self, name: str) -> None:
        """Abort the connections of readers whose names begin so."""
        for one, session in self.sessions.items():
            if one.startswith(name) and session.writer is not None:
                session.writer.transport.abort()

    def broker(self) -> Broker:
        """Where it is."""
        return Broker(host="127.0.0.1", port=self.port)

    def publish(self, message: Message) -> None:
        """Give a message to every session that listens to its topic; keep a retained one."""
        from paho.mqtt.client import topic_matches_sub

        self.published.append(message)
        if message.retain:
            self.retained[message.topic] = message
        for session in self.sessions.values():
            wanted = [qos for topic, qos in session.topics.items() if topic_matches_sub(topic, message.topic)]
            if wanted:
                session.queue.append(message._replace(qos=min(message.qos, max(wanted)), retain=False))
                self._send(session)

    def _send(self, session: Session) -> None:
        while session.queue and len(session.unconfirmed) < self.window:
            if session.writer is None or session.writer.transport.is_closing():
                return
            message = session.queue.popleft()
            number = 0
            if message.qos:
                number = 1 + next(session.numbers) % 65_535
                session.unconfirmed[number] = message
            session.writer.write(_publish(message, number))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session: Session | None = None
        task = cast(asyncio.Task[Any], asyncio.current_task())
        self._serving[task] = writer
        try:
            while True:
                kind, flags, body = await _packet(reader)
                if kind == CONNECT:
                    session = self._connect(body, writer)
                elif session is None or kind == DISCONNECT:
                    if session is not None:
                        session.will = None
                    break
                else:
                    self._hear(session, kind, flags, body, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            if session is not None and session.writer is writer:
                session.writer = None
                if session.will is not None:
                    self.publish(session.will)
                if not session.lasting:
                    self.sessions = {name: one for name, one in self.sessions.items() if one is not session}
            writer.close()
            with suppress(OSError):  # a sealed line says farewell first; a TimeoutError is an OSError
                async with asyncio.timeout(1.0):
                    await writer.wait_closed()
            writer.transport.abort()
            del self._serving[task]

    def _connect(self, body: bytes, writer: asyncio.StreamWriter) -> Session:
        flags = body[7]
        name, place = _text(body, 10)
        will = None
        if flags & 4:
            topic, place = _text(body, place)
            length = int.from_bytes(body[place : place + 2])
            will = Message(topic, body[place + 2 : place + 2 + length], flags >> 3 & 3, bool(flags & 32))
        name = name or f"anonymous-{next(self._anonymous)}"
        lasting = not flags & 2
        known = self.sessions.get(name)
        if known is not None and known.writer is not None:
            known.writer.transport.abort()
        session = known if known is not None and lasting else Session(lasting)
        self.sessions[name] = session
        session.writer, session.will = writer, will
        writer.write(bytes([CONNACK << 4, 2, int(session is known), 0]))
        for number, message in session.unconfirmed.items():
            writer.write(_publish(message, number, again=True))
        self._send(session)
        return session

    def _hear(self, session: Session, kind: int, flags: int, body: bytes, writer: asyncio.StreamWriter) -> None:
        if kind == PUBLISH:
            topic, place = _text(body, 0)
            qos = flags >> 1 & 3
            if qos:
                writer.write(bytes([PUBACK << 4, 2]) + body[place : place + 2])
                place += 2
            self.publish(Message(topic, body[place:], qos, bool(flags & 1)))
        elif kind == PUBACK:
            session.unconfirmed.pop(int.from_bytes(body[:2]), None)
            self._send(session)
        elif kind == SUBSCRIBE:
            self._subscribe(session, body, writer)
        elif kind == PINGREQ:
            writer.write(bytes([PINGRESP << 4, 0]))

    def _subscribe(self, session: Session, body: bytes, writer: asyncio.StreamWriter) -> None:
        from paho.mqtt.client import topic_matches_sub

        place, granted, topics = 2, bytearray(), []
        while place < len(body):
            topic, place = _text(body, place)
            session.topics[topic] = min(body[place], 1)
            granted.append(session.topics[topic])
            topics.append(topic)
            place += 1
        writer.write(_frame(SUBACK << 4, body[:2] + granted))
        session.queue.extend(
            message
            for message in self.retained.values()
            if any(topic_matches_sub(topic, message.topic) for topic in topics)
        )
        self._send(session)


async def _packet(reader: asyncio.StreamReader) -> tuple[int, int, bytes]:
    head = (await reader.readexactly(1))[0]
    length, shift = 0, 0
    while True:
        digit = (await reader.readexactly(1))[0]
        length |= (digit & 127) << shift
        shift += 7
        if digit < 128:
            return head >> 4, head & 15, await reader.readexactly(length)


def _text(body: bytes, place: int) -> tuple[str, int]:
    end = place + 2 + int.from_bytes(body[place : place + 2])
    return body[place + 2 : end].decode(), end


def _publish(message: Message, number: int, *, again: bool = False) -> bytes:
    topic = message.topic.encode()
    flags = PUBLISH << 4 | again << 3 | message.qos << 1 | message.retain
    numbered = number.to_bytes(2) if message.qos else b""
    return _frame(flags, len(topic).to_bytes(2) + topic + numbered + message.payload)


def _frame(head: int, body: bytes) -> bytes:
    frame, length = bytearray([head]), len(body)
    while True:
        length, digit = divmod(length, 128)
        frame.append(digit | (128 if length else 0))
        if not length:
            return bytes(frame) + body


@asynccontextmanager
async def serving() -> AsyncIterator[MiniatureBroker]:
    """Run a broker in miniature."""
    broker = MiniatureBroker()
    await broker.start()
    try:
        yield broker
    finally:
        await broker.stop()


@asynccontextmanager
async def plain() -> AsyncIterator[Example]:
    """Run a broker and a plant that has spoken eight times while its reader was away."""
    from telex_ingest.feeds.mqtt import MqttFeed, MqttSettings, TopicPoint

    async with serving() as broker:
        signals = {
            "output": TopicPoint(unit="t/h", title="Output", low=0.0),
            "stock": TopicPoint(unit="t", title="Stock", low=0.0, topic="example/store"),
        }
        settings = MqttSettings(plant="example", title="The example", broker=broker.broker(), signals=signals)
        away = broker.sessions["opsroom-example"] = Session(lasting=True)
        away.topics |= {"example/output": 1, "example/store": 1}
        for second in range(1, 5):
            time = f"1972-03-01T00:00:0{second}Z"
            broker.publish(Message("example/output", f'{{"value": {second / 2}, "time": "{time}"}}'.encode()))
            broker.publish(Message("example/store", f'{{"value": null, "time": "{time}", "quality": 0}}'.encode()))

        async def cut() -> None:
            broker.cut()

        async def flood() -> None:
            while True:
                broker.publish(Message("example/output", b"[" + b"1," * 400 + b"1]"))
                await asyncio.sleep(0)

        yield Example(lambda: MqttFeed(settings), 8, cut, flood)
