"""Orders reach real peers: a Modbus device, an OPC UA server, an MQTT plant, a Sparkplug edge node."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from telex_ingest.bridges.modbus import RegisterTarget
from telex_ingest.bridges.mqtt import TopicTarget
from telex_ingest.bridges.opcua import NodeTarget
from telex_ingest.bridges.settings import Trust
from telex_ingest.bridges.sparkplug import MetricTarget
from telex_ingest.feed import Bridge, carry
from telex_ingest.feeds.modbus import ModbusFeed, ModbusSettings
from telex_ingest.feeds.modbus_line import Device
from telex_ingest.feeds.modbus_registers import RegisterPoint
from telex_ingest.feeds.mqtt import MqttFeed, MqttSettings, TopicPoint
from telex_ingest.feeds.mqtt_broker import Broker
from telex_ingest.feeds.mqtt_example import serving
from telex_ingest.feeds.mqtt_line import Line
from telex_ingest.feeds.opcua import NodePoint, OpcuaFeed, OpcuaSettings
from telex_ingest.feeds.opcua_line import Server
from telex_ingest.feeds.sparkplug import SparkplugFeed, SparkplugSettings
from telex_ingest.feeds.sparkplug_example import EdgeNodeInMiniature, figure
from telex_ingest.heard import PlantBorn, ReceiptCame
from telex_ingest.telex import Receipt
from telex_ingest.ticket import Ticket
from tests.telex_ingest.bridges.orders import proven, trusting
from tests.telex_ingest.conftest import MiniatureRoom, room, until
from tests.telex_ingest.feeds.peers import peer

__all__ = ["room"]


@pytest.fixture
def trust(tmp_path: Path) -> Trust:
    return trusting(tmp_path)


@pytest.fixture
def numbers() -> Iterator[int]:
    return iter(range(1, 100))


async def obeyed(feed: Bridge, number: int, name: str, **parameters: Any) -> list[tuple[str, str]]:
    """Give an order to a feed; tells its answers, states and reasons."""
    answers: list[Receipt] = []

    async def answer(receipt: Receipt) -> None:
        answers.append(receipt)

    await feed.obey(proven(name, parameters, number), answer)
    return [(receipt.state.value, receipt.reason) for receipt in answers]


DONE = [("accepted", ""), ("done", "")]


async def test_modbus_registers_and_coils(trust: Trust, numbers: Iterator[int]) -> None:
    async with peer("modbus_device.py") as device:
        settings = ModbusSettings(
            plant="mill",
            device=Device(host="127.0.0.1", port=device.port, answer_s=60.0),
            signals={"output": RegisterPoint(unit="t/h", address=0, type="float32")},
            trust=trust,
            orders={
                "speed": RegisterTarget(
                    title="Speed", parameter="speed", address=6, type="float32", words="low-first", within_s=60.0
                ),
                "count": RegisterTarget(
                    title="Count", parameter="count", address=8, type="int16", scale=0.1, within_s=60.0
                ),
                "start": RegisterTarget(title="Start", constant=1, table="coil", address=3, within_s=60.0),
                "lost": RegisterTarget(title="Lost", constant=1, address=50),
                "blind": RegisterTarget(title="Blind", constant=9, address=9, read_address=5, within_s=3.0),
            },
        )
        feed = ModbusFeed(settings)
        assert [order.name for order in feed.birth().orders] == ["speed", "count", "start", "lost", "blind"]
        assert await obeyed(feed, next(numbers), "speed", speed=17.35) == DONE
        assert await obeyed(feed, next(numbers), "count", count=-12.5) == DONE
        assert await obeyed(feed, next(numbers), "start") == DONE
        _, too_much = await obeyed(feed, next(numbers), "count", count=40_000)
        assert too_much == ("refused", "nothing was written: 400000 does not fit int16")
        assert (await obeyed(feed, next(numbers), "lost"))[1][
            1
        ] == "nothing was written: the device answered with exception 2"
        assert "plant shows 7, not 9" in (await obeyed(feed, next(numbers), "blind"))[1][1]


@pytest.mark.long
async def test_opcua_nodes_and_methods(trust: Trust, numbers: Iterator[int]) -> None:
    async with peer("opcua_server.py") as server:
        settings = OpcuaSettings(
            plant="mill",
            server=Server(url=f"opc.tcp://127.0.0.1:{server.port}/opsroom"),
            signals={"output": NodePoint(node="ns=2;s=Output", unit="t/h")},
            trust=trust,
            orders={
                "speed": NodeTarget(
                    title="Speed", parameter="speed", node="nsu=urn:opsroom:example;s=Output", within_s=60.0
                ),
                "fill": NodeTarget(
                    title="Fill",
                    parameter="amount",
                    object="i=85",
                    method="ns=2;s=Fill",
                    read_back="ns=2;s=Stock",
                    within_s=60.0,
                ),
                "clock": NodeTarget(title="Clock", constant=1, node="i=2258"),
                "serve": NodeTarget(title="Serve", constant=1, node="i=2267"),
            },
        )
        feed = OpcuaFeed(settings)
        assert await obeyed(feed, next(numbers), "speed", speed=17.5) == DONE
        assert await obeyed(feed, next(numbers), "fill", amount=300) == DONE
        clock = (await obeyed(feed, next(numbers), "clock"))[1]
        assert clock == ("refused", "nothing was written: the node is of the type DateTime, no figure")
        serve = (await obeyed(feed, next(numbers), "serve"))[1]
        assert serve[1].startswith("nothing was written: the server refuses: ")


@asynccontextmanager
async def mqtt_plant(broker: Broker, *, shows: bool) -> AsyncIterator[list[bytes]]:
    """A plant that shows on one topic what it is told on another."""
    told: list[bytes] = []
    async with Line("plant", broker, None) as line:
        line.listen([("mill/set", 1)])
        await line.listening()

        async def obey() -> None:
            while True:
                message = await line.next()
                line.confirm(message)
                told.append(bytes(message.payload))
                if shows:
                    await line.say("mill/shows", bytes(message.payload), retain=True)

        obeying = asyncio.create_task(obey())
        try:
            yield told
        finally:
            obeying.cancel()
            await asyncio.gather(obeying, return_exceptions=True)


def mqtt_feed(broker: Broker, trust: Trust, within_s: float = 60.0) -> MqttFeed:
    target = TopicTarget(
        title="Speed",
        parameter="speed",
        topic="mill/set",
        payload='{"speed": {value}}',
        read_back="mill/shows",
        read_value="speed",
        within_s=within_s,
    )
    signals = {"output": TopicPoint(unit="t/h")}
    return MqttFeed(MqttSettings(plant="mill", broker=broker, signals=signals, trust=trust, orders={"speed": target}))


async def test_mqtt_topics(trust: Trust, numbers: Iterator[int]) -> None:
    async with peer("broker.py") as amqtt:
        room, plant = [Broker(host="127.0.0.1", port=amqtt.port, username=name) for name in ("room", "plant")]
        async with mqtt_plant(plant, shows=True) as told:
            assert await obeyed(mqtt_feed(room, trust), next(numbers), "speed", speed=17.5) == DONE
            assert told == [b'{"speed": 17.5}']


async def test_a_retained_answer_to_an_earlier_order_proves_nothing(trust: Trust, numbers: Iterator[int]) -> None:
    async with serving() as broker:
        async with mqtt_plant(broker.broker(), shows=True):
            assert await obeyed(mqtt_feed(broker.broker(), trust), next(numbers), "speed", speed=17.5) == DONE
        async with mqtt_plant(broker.broker(), shows=False) as told:
            feed = mqtt_feed(broker.broker(), trust, within_s=0.5)
            _, (state, reason) = await obeyed(feed, next(numbers), "speed", speed=17.5)
            await until(lambda: len(told) == 1)
            assert state == "refused"
            assert "the plant shows None" in reason


async def test_sparkplug_metrics(trust: Trust, numbers: Iterator[int]) -> None:
    async with peer("broker.py") as amqtt:
        device = (figure("Speed", 1.0, 0), figure("Locked", 5.0, 0))
        async with EdgeNodeInMiniature(Broker(host="127.0.0.1", port=amqtt.port, username="edge"), device) as edge:
            edge.frozen.add("Locked")
            settings = SparkplugSettings(
                plant="mill",
                broker=Broker(host="127.0.0.1", port=amqtt.port, username="room"),
                group="works",
                node="edge",
                device="press",
                trust=trust,
                orders={
                    "speed": MetricTarget(
                        title="Speed", parameter="speed", metric="Speed", low=0, high=100, within_s=60.0
                    ),
                    "unlock": MetricTarget(title="Unlock", constant=5, metric="Locked", within_s=0.3),
                    "dance": MetricTarget(title="Dance", constant=1, metric="Dance"),
                },
            )
            feed = SparkplugFeed(settings)
            assert [order.name for order in (await feed.birth()).orders] == ["speed", "unlock", "dance"]
            assert await obeyed(feed, next(numbers), "speed", speed=42) == DONE
            assert [(one.name, one.value) for one in edge.commands] == [("Speed", 42.0)]
            _, (state, reason) = await obeyed(feed, next(numbers), "unlock")
            assert (state, "the plant shows None" in reason) == ("refused", True), (
                "it was 5 before: that proves nothing"
            )
            assert (await obeyed(feed, next(numbers), "dance"))[1][
                1
            ] == "nothing was written: the device has no metric Dance"


async def test_an_order_goes_from_the_room_to_the_register_and_its_receipt_comes_back(
    room: MiniatureRoom, trust: Trust, tmp_path: Path
) -> None:
    async with peer("modbus_device.py") as device:
        settings = ModbusSettings(
            plant="mill",
            device=Device(host="127.0.0.1", port=device.port, answer_s=60.0),
            poll_s=0.02,
            signals={"speed": RegisterPoint(unit="1/min", address=6)},
            trust=trust,
            orders={"set-speed": RegisterTarget(title="Speed", parameter="speed", address=6, within_s=60.0)},
        )
        ticket = Ticket("link-1", "secret-1", "room-1", trust.key).line()
        carrying = asyncio.create_task(carry(ModbusFeed(settings), room.address, "link-1", ticket, tmp_path / "spool"))
        await until(lambda: 0.0 in room.values("mill"), 60)
        (born,) = room.of(PlantBorn)
        assert [order.name for order in born.birth.orders] == ["set-speed"]
        room.gateway.send("mill", orders=[proven("set-speed", {"speed": 850})])
        await until(lambda: len(room.of(ReceiptCame)) == 2, 60)
        assert [item.receipt.state.value for item in room.of(ReceiptCame)] == ["accepted", "done"]
        await until(lambda: 850.0 in room.values("mill"), 60)
        carrying.cancel()
        await asyncio.gather(carrying, return_exceptions=True)
