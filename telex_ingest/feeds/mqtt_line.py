"""A line to an MQTT broker that acknowledges a message only when its reader says so. I/O; needs the extra `mqtt`.

A client that acknowledges (PUBACK) what comes in at once loses what it has in hand when it is killed. This one acknowledges in
`confirm`: with a persistent session and QoS 1 the broker sends again what was not confirmed. paho's thread reads the socket; when
the queue is full it stops reading, so that the broker waits.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from contextlib import suppress
from typing import Any, Self

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from telex_ingest.feed import SourceLostError
from telex_ingest.feeds.mqtt_broker import Broker

QUEUE = 1_000
"""Messages in hand before the socket is no longer read; also the window that an MQTT 5 broker is told."""

SESSION_S = 7 * 86_400
"""How long an MQTT 5 broker keeps the session of a reader that is away."""

ANSWER_S = 10.0
"""How long the broker may take for an answer."""


class Line:
    """One connection; `identifier` names a persistent session, an empty one is a session of this connection alone.

    `will` is (topic, payload, QoS, retain): what the broker publishes when the line is cut.
    """

    def __init__(
        self,
        feed: str,
        broker: Broker,
        password: str | None,
        *,
        identifier: str = "",
        will: tuple[str, bytes, int, bool] | None = None,
    ) -> None:
        five = broker.version == "5"
        self._feed = feed
        self._broker = broker
        self._loop = asyncio.get_running_loop()
        self._heard: deque[paho.MQTTMessage] = deque()
        self._news = asyncio.Event()
        self._room = threading.Condition()
        self._closing = False
        self._cut = ""
        self._up: asyncio.Future[str] = self._loop.create_future()
        self._patience: asyncio.TimerHandle | None = None
        self._asked: dict[int | None, list[tuple[str, int]]] = {}
        self._answers: dict[int, asyncio.Future[None]] = {}
        self._properties = _session(bool(identifier)) if five else None
        self._clean_start = not identifier
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=identifier,
            clean_session=None if five else not identifier,
            protocol=paho.MQTTv5 if five else paho.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        self._client.connect_timeout = ANSWER_S
        if broker.username:
            self._client.username_pw_set(broker.username, password)
        if will is not None:
            self._client.will_set(*will)
        context = broker.context()
        if context is not None:
            self._client.tls_set_context(context)
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_message = self._message
        self._client.on_subscribe = self._subscribed
        self._client.on_publish = self._published

    # ---- life

    async def __aenter__(self) -> Self:
        connecting = self._loop.run_in_executor(None, self._connect)
        try:
            await asyncio.shield(connecting)
        except asyncio.CancelledError:
            connecting.add_done_callback(self._hang_up_late)
            raise
        except (OSError, ValueError) as error:
            raise self._lost(f"the broker at {self._broker.host}:{self._broker.port} is not there: {error}") from error
        self._client.loop_start()
        try:
            async with asyncio.timeout(ANSWER_S):
                refused = await self._up
        except TimeoutError:
            await self._end()
            raise self._lost("the broker does not answer") from None
        except BaseException:
            await self._end()
            raise
        if refused:
            await self._end()
            raise self._lost(f"the broker refuses the line: {refused}", "compare user, password and client id")
        return self

    async def __aexit__(self, *stop: object) -> None:
        await self._end()

    def _connect(self) -> None:
        if self._properties is None:
            self._client.connect(self._broker.host, self._broker.port, self._broker.keepalive_s)
        else:
            self._client.connect(
                self._broker.host,
                self._broker.port,
                self._broker.keepalive_s,
                clean_start=self._clean_start,
                properties=self._properties,
            )

    def _hang_up_late(self, connecting: asyncio.Future[None]) -> None:
        if not connecting.cancelled() and connecting.exception() is None:
            self._client.disconnect()
            self._client.reinitialise()

    async def _end(self) -> None:
        with self._room:
            self._closing = True
            self._room.notify_all()
        self._client.disconnect()
        if self._patience is not None:
            self._patience.cancel()
        for waiting in self._answers.values():
            waiting.cancel()
        await asyncio.shield(self._loop.run_in_executor(None, self._stop))

    def _stop(self) -> None:
        """Wait for paho's thread, and close what paho leaves to the collector, which warns of it or not as chance has it."""
        with suppress(AttributeError):  # the thread ended, and was forgotten, between paho's look for it and its join
            self._client.loop_stop()
        self._client.reinitialise()

    def _lost(self, what: str, cure: str = "it is tried again until it answers") -> SourceLostError:
        return SourceLostError(self._feed, what, cure)

    # ---- talk

    async def next(self) -> paho.MQTTMessage:
        """Wait for a message. Raises `SourceLostError` when the line is cut and everything that came is read."""
        while not self._heard:
            if self._cut:
                raise self._lost(f"the line to the broker is cut: {self._cut}")
            self._news.clear()
            await self._news.wait()
        message = self._heard.popleft()
        with self._room:
            self._room.notify()
        return message

    def waiting(self) -> bool:
        """Say whether a message is at hand without waiting."""
        return bool(self._heard)

    def confirm(self, message: paho.MQTTMessage) -> None:
        """Acknowledge a message: the broker may forget it."""
        self._client.ack(message.mid, message.qos)

    def listen(self, topics: list[tuple[str, int]]) -> None:
        """Subscribe to (topic filter, QoS), without waiting: some brokers answer after what they had kept is acknowledged.

        When the broker refuses one, or does not answer, the line counts as cut.
        """
        _, number = self._client.subscribe(topics)
        self._asked = {number: topics}
        self._patience = self._loop.call_later(ANSWER_S, self._not_answered, number)

    async def listening(self) -> None:
        """Wait until the broker has granted every subscription. Raises `SourceLostError` when it refuses one."""
        while self._asked and not self._cut:  # noqa: ASYNC110 - rare, and short
            await asyncio.sleep(0.01)
        if self._cut:
            raise self._lost(f"the line to the broker is cut: {self._cut}")

    async def say(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Publish, and wait for the broker's acknowledgement. Raises `SourceLostError`."""
        info = self._client.publish(topic, payload, qos, retain)
        if info.rc != paho.MQTT_ERR_SUCCESS:
            raise self._lost(f"the broker did not take {topic}: {paho.error_string(info.rc)}")
        await self._answer(info.mid, topic)

    async def _answer(self, number: int | None, what: str) -> None:
        if number is None or self._cut:
            raise self._lost(f"the broker did not take {what}: {self._cut or 'no line'}")
        waiting = self._answers[number] = self._loop.create_future()
        try:
            async with asyncio.timeout(ANSWER_S):
                await waiting
        except TimeoutError:
            raise self._lost(f"the broker did not take {what} in {ANSWER_S:.0f} s") from None
        finally:
            self._answers.pop(number, None)

    # ---- what paho's thread says

    def _message(self, client: Any, userdata: Any, message: paho.MQTTMessage) -> None:
        with self._room:
            self._room.wait_for(lambda: self._closing or len(self._heard) < QUEUE)
            if not self._closing:
                self._heard.append(message)
        self._tell(self._news.set)

    def _connected(self, client: Any, userdata: Any, flags: Any, reason: Any, properties: Any = None) -> None:
        self._tell(self._settle, str(reason) if reason.is_failure else "")

    def _disconnected(self, client: Any, userdata: Any, flags: Any, reason: Any, properties: Any = None) -> None:
        self._tell(self._hang_up, str(reason))

    def _subscribed(self, client: Any, userdata: Any, number: int, reasons: list[Any], properties: Any = None) -> None:
        self._tell(self._granted, number, [int(reason.value) for reason in reasons])

    def _published(self, client: Any, userdata: Any, number: int, reason: Any, properties: Any = None) -> None:
        self._tell(self._take, number)

    def _tell(self, call: Any, *said: object) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self._loop.call_soon_threadsafe(call, *said)

    # ---- on the loop again

    def _settle(self, refused: str) -> None:
        if not self._up.done():
            self._up.set_result(refused)

    def _hang_up(self, reason: str) -> None:
        self._cut = reason or "it was closed"
        self._settle(self._cut)
        self._news.set()
        for waiting in self._answers.values():
            if not waiting.done():
                waiting.set_exception(self._lost(f"the line to the broker was cut: {self._cut}"))

    def _take(self, number: int) -> None:
        waiting = self._answers.get(number)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    def _granted(self, number: int, answers: list[int]) -> None:
        topics = self._asked.pop(number, [])
        refused = [topic for (topic, _), answer in zip(topics, answers, strict=False) if answer >= 128]
        if refused:
            self._hang_up(f"the broker refuses the topics {', '.join(refused)}: ask for the right to read them")

    def _not_answered(self, number: int | None) -> None:
        if number in self._asked and not self._cut:
            self._hang_up("the broker did not answer the subscription")


def _session(lasting: bool) -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # untyped there
    properties.ReceiveMaximum = QUEUE
    properties.SessionExpiryInterval = SESSION_S if lasting else 0
    return properties
