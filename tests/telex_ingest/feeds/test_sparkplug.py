"""Sparkplug B: births give meaning, numbers show gaps, death is silence and never a flat line."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telex_ingest.feed import SourceLostError, run_feed
from telex_ingest.feeds import sparkplug
from telex_ingest.feeds.mqtt_broker import Broker
from telex_ingest.feeds.mqtt_example import MiniatureBroker, serving
from telex_ingest.feeds.sparkplug import MetricPoint, SparkplugFeed, SparkplugSettings
from telex_ingest.feeds.sparkplug_example import T0_MS, EdgeNodeInMiniature, figure
from telex_ingest.feeds.sparkplug_node import NODE, EdgeNode, Heard
from telex_ingest.feeds.sparkplug_payload import DATATYPES, Metric, Payload, SparkplugError, decode, encode
from telex_ingest.plant_link import PlantLink
from telex_ingest.telex import PlantBirth, Quality, TelexKind
from tests.telex_ingest.conftest import MiniatureRoom, room, until
from tests.telex_ingest.feeds.peers import Peer, peer

__all__ = ["room"]

OF_FLOW = MappingProxyType({"engUnit": "t/h", "engLow": 0.0, "engHigh": 50.0})
DEVICE = (figure("Outputs/Flow", 17.0, 0, properties=OF_FLOW), figure("Stock", 2.0, 0), Metric("Name", "P1", 12))
BITS = {"int8": 8, "int16": 16, "int32": 32, "int64": 64, "uint8": 8, "uint16": 16, "uint32": 32, "uint64": 64}


# ---- payloads


@given(st.sampled_from(sorted(BITS)), st.data())
def test_whole_numbers_of_every_datatype_keep_their_sign(datatype: str, data: st.DataObject) -> None:
    bits = BITS[datatype]
    low = -(1 << (bits - 1)) if datatype.startswith("int") else 0
    value = data.draw(st.integers(low, low + (1 << bits) - 1))
    metric = Metric("n", value, DATATYPES[datatype], time_ms=5)
    assert decode(encode(Payload((metric,), seq=255, time_ms=9))) == Payload((metric,), seq=255, time_ms=9)


@given(st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.text(max_size=9), st.booleans())
def test_the_other_datatypes_come_through(real: float, switch: bool, text: str, historical: bool) -> None:
    single = struct.unpack("<f", struct.pack("<f", max(min(real, 1e38), -1e38)))[0]
    properties = MappingProxyType({"engUnit": "t", "engLow": -1.5, "Quality": 192})
    metrics = (
        Metric("d", real, 10, historical=historical, properties=properties),
        Metric("f", single, 9),
        Metric(None, switch, 11, alias=7),
        Metric("s", text, 12),
        Metric("n", None, 3, null=True),
    )
    assert decode(encode(Payload(metrics))).metrics == metrics


@given(st.binary())
def test_any_bytes_are_a_payload_or_a_sparkplug_error(payload: bytes) -> None:
    try:
        found = decode(payload)
    except SparkplugError:
        return
    assert isinstance(found, Payload)


def test_field_numbers_are_those_of_the_specification() -> None:
    """Bytes written by hand: timestamp 1, metrics 2 (name 1, alias 2, timestamp 3, datatype 4, double 13), seq 3."""
    metric = b"\x0a\x01t\x10\x07\x18\x05\x20\x0a\x69" + struct.pack("<d", 2.5)
    raw = b"\x08\x09\x12" + bytes([len(metric)]) + metric + b"\x18\x02"
    assert decode(raw) == Payload((Metric("t", 2.5, 10, alias=7, time_ms=5),), seq=2, time_ms=9)


def test_what_the_schema_leaves_out_is_skipped() -> None:
    dataset = b"\x12\x08\x0a\x01d\x8a\x01\x02\x08\x01"  # a metric with field 17, a data set
    assert decode(dataset).metrics == (Metric("d"),)


# ---- the node


def born(device: str = "press", seq: int = 0, life: int = 3) -> EdgeNode:
    node = EdgeNode(device)
    node.hear("NBIRTH", NODE, Payload((Metric("bdSeq", life, 4),), seq=seq))
    return node


def birth(seq: int, alias: int = 5) -> Payload:
    return Payload((Metric("flow", 1, 3, alias=alias), Metric("stock", 2.0, 10, alias=6)), seq=seq, time_ms=1)


def data(seq: int, alias: int = 5, value: int = 4) -> Payload:
    return Payload((Metric(None, value, alias=alias),), seq=seq, time_ms=2)


def test_an_alias_means_what_the_birth_says_and_the_datatype_is_the_births() -> None:
    node = born()
    node.hear("DBIRTH", "press", birth(1))
    (metric,) = node.hear("DDATA", "press", data(2, value=0xFFFFFFFE)).metrics
    assert (metric.name, metric.value, metric.time_ms) == ("flow", -2, 2)
    node.hear("DBIRTH", "press", birth(3, alias=8))
    assert node.hear("DDATA", "press", data(4, alias=8)).metrics[0].name == "flow"
    assert node.hear("DDATA", "press", data(5, alias=5)) == Heard(ask="a metric is not in the birth")


@given(st.integers(0, 255), st.lists(st.sampled_from(["DDATA", "NDATA", "DDATA of another"]), max_size=600))
def test_a_sequence_without_gaps_never_asks_for_a_rebirth(seq: int, kinds: list[str]) -> None:
    node = born(seq=seq)
    node.hear("DBIRTH", "press", birth((seq + 1) % 256))
    for number, kind in enumerate(kinds, start=seq + 2):
        device = {"DDATA": "press", "NDATA": NODE}.get(kind, "saw")
        assert node.hear(kind[:5], device, data(number % 256)).ask == ""
    assert not node.counts


@given(st.integers(2, 255), st.sampled_from(["press", "saw"]))
def test_every_gap_asks_for_a_rebirth_and_figures_are_uncertain_until_then(jump: int, device: str) -> None:
    node = born()
    node.hear("DBIRTH", "press", birth(1))
    assert "where 2 was due" in node.hear("DDATA", device, data((1 + jump) % 256 if jump != 1 else 3)).ask
    assert not node.hear("DDATA", "press", data((2 + jump) % 256)).sure
    node.hear("NBIRTH", NODE, Payload((Metric("bdSeq", 3, 4),), seq=0))
    assert node.hear("DBIRTH", "press", birth(1)).sure
    assert node.hear("DDATA", "press", data(2)) == node.hear("DDATA", "press", data(3))


def test_data_before_a_birth_mean_nothing() -> None:
    node = EdgeNode("press")
    assert node.hear("DDATA", "press", data(7)) == Heard(ask="the edge node has no birth yet")
    node = born()
    assert node.hear("DDATA", "press", data(1)) == Heard(ask="press has no birth yet")


def test_a_death_counts_for_its_own_life_alone() -> None:
    node = born(life=3)
    node.hear("DBIRTH", "press", birth(1))
    assert node.hear("NDEATH", NODE, Payload((Metric("bdSeq", 2, 4),))) == Heard()
    assert node.alive()
    assert node.hear("NDEATH", NODE, Payload((Metric("bdSeq", 3, 4),))).died
    assert not node.alive()
    assert node.hear("DDATA", "press", data(2)).ask, "the dead tell nothing"


# ---- the feed, with amqtt in a process of its own


@pytest.fixture
async def miniature() -> AsyncIterator[MiniatureBroker]:
    async with serving() as broker:
        yield broker


def feed(broker: Broker, **more: Any) -> SparkplugFeed:
    settings = SparkplugSettings(plant="mill", broker=broker, group="works", node="edge", device="press", **more)
    return SparkplugFeed(settings, now_us=lambda: (T0_MS + 99_000) * 1000)


def user(of: Peer, name: str) -> Broker:
    return Broker(host="127.0.0.1", port=of.port, username=name)


@asynccontextmanager
async def heard(one: SparkplugFeed, cursor: str | None = None) -> AsyncIterator[list[Any]]:
    """Collect what the feed gives, in the background."""
    given: list[Any] = []

    async def collect() -> None:
        async with aclosing(one.readings(cursor)) as source:  # type: ignore[type-var] # an async generator
            async for each in source:
                given.append(each)  # noqa: PERF401 - the test looks on meanwhile

    collecting = asyncio.create_task(collect())
    try:
        yield given
    finally:
        collecting.cancel()
        await asyncio.gather(collecting, return_exceptions=True)


async def test_the_plants_birth_is_the_devices(miniature: MiniatureBroker) -> None:
    async with EdgeNodeInMiniature(miniature.broker(), DEVICE):
        birth = await feed(miniature.broker()).birth()
        flow, stock = sorted(birth.signals, key=lambda signal: signal.name)
        assert (flow.name, flow.unit, flow.low, flow.high, flow.title) == ("outputs-flow", "t/h", 0, 50, "Outputs/Flow")
        assert (stock.name, stock.unit) == ("stock", "1")
        signals = {"flow": MetricPoint(metric="Outputs/Flow", high=40.0)}
        (declared,) = (await feed(miniature.broker(), signals=signals).birth()).signals
        assert (declared.name, declared.unit, declared.low, declared.high) == ("flow", "t/h", 0, 40)


async def test_a_device_that_is_never_born_is_a_lost_source(
    miniature: MiniatureBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sparkplug, "BIRTH_S", 0.05)
    with pytest.raises(SourceLostError, match="press was not born"):
        await feed(miniature.broker()).birth()


async def test_data_history_quality_and_death_are_told(
    miniature: MiniatureBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sparkplug, "ASK_AGAIN_S", 0.0)
    one = feed(miniature.broker())
    async with EdgeNodeInMiniature(miniature.broker(), DEVICE) as edge, heard(one) as given:
        await until(lambda: len(given) == 2)
        assert isinstance(given[0], PlantBirth)
        t0 = T0_MS * 1000
        assert (given[1].source_us, given[1].values) == (t0, {"outputs-flow": 17.0, "stock": 2.0})
        await edge.tell(figure("Stock", 3.0, 2), figure("Outputs/Flow", None, 1))
        await edge.tell(figure("Stock", 1.0, -9, historical=True))
        edge.skip()
        await edge.tell(figure("Stock", 4.0, 3))
        # Every request for a rebirth has been answered, however many there were.
        await until(lambda: edge.births == 1 + one.counts["rebirths asked"] >= 3 and len(given) == 6)
        assert [(one.source_us - t0, dict(one.values), one.kind, dict(one.qualities)) for one in given[2:]] == [
            (2_000_000, {"stock": 3.0}, TelexKind.LIVE, {"stock": Quality.GOOD}),
            (1_000_000, {"outputs-flow": None}, TelexKind.LIVE, {"outputs-flow": Quality.BAD}),
            (-9_000_000, {"stock": 1.0}, TelexKind.BACKFILL, {"stock": Quality.GOOD}),
            (3_000_000, {"stock": 4.0}, TelexKind.LIVE, {"stock": Quality.UNCERTAIN}),
        ]
        await edge.die()
        await until(lambda: len(given) == 7)
        assert given[-1].values == {"outputs-flow": None, "stock": None}
        assert given[-1].quality is Quality.BAD
    assert one.node.counts["gaps"] == 1


async def test_a_birth_with_other_metrics_is_a_new_birth_of_the_plant(miniature: MiniatureBroker) -> None:
    async with EdgeNodeInMiniature(miniature.broker(), DEVICE) as edge, heard(feed(miniature.broker())) as given:
        await until(lambda: len(given) == 2)
        edge.metrics["Heat"] = figure("Heat", 80.0, 5)
        await edge.be_born()
        await until(lambda: len(given) == 4)
        assert [signal.name for signal in given[2].signals] == ["heat", "outputs-flow", "stock"]
        assert given[2].signals[1:] == given[0].signals, "the others keep their numbers"
        assert given[3].values == {"heat": 80.0}, "what was told before is not told again"


async def test_noise_on_its_topics_is_counted(miniature: MiniatureBroker) -> None:
    from telex_ingest.feeds.mqtt_example import Message

    one = feed(miniature.broker())
    async with EdgeNodeInMiniature(miniature.broker(), DEVICE) as edge, heard(one) as given:
        await until(lambda: len(given) == 2)
        miniature.publish(Message("spBv1.0/works/DDATA/edge/press", b"\xff\xff\xff"))
        miniature.publish(Message("spBv1.0/works/ODD/edge/press/more", b""))
        await edge.tell(figure("Stock", 5.0, 1))
        await until(lambda: len(given) == 3)
    assert one.counts["bad"] == 1


async def test_the_primary_host_says_when_it_is_there_and_when_it_goes(miniature: MiniatureBroker) -> None:
    async with heard(feed(miniature.broker(), primary_host="opsroom")):
        await until(lambda: miniature.retained)
        assert b'"online":true' in miniature.retained["spBv1.0/STATE/opsroom"].payload
    await until(lambda: b'"online":false' in miniature.retained["spBv1.0/STATE/opsroom"].payload)
    async with heard(feed(miniature.broker(), primary_host="opsroom")):
        await until(lambda: b'"online":true' in miniature.retained["spBv1.0/STATE/opsroom"].payload)
        miniature.cut_off("anonymous")
        await until(lambda: b'"online":false' in miniature.retained["spBv1.0/STATE/opsroom"].payload)


async def test_broker_and_edge_node_are_killed_and_come_back(room: MiniatureRoom) -> None:
    async with peer("broker.py") as amqtt:
        one = feed(user(amqtt, "room"))
        async with EdgeNodeInMiniature(user(amqtt, "edge"), DEVICE):
            birth = await one.birth()
        async with PlantLink(room.address, "link-1", "secret-1", [birth]) as link:
            running = asyncio.create_task(run_feed(one, link, back_off_s=(0.01, 0.05)))
            for life in (1, 2):
                metrics = (figure("Stock", life, life), figure("Outputs/Flow", 17, life))
                async with EdgeNodeInMiniature(user(amqtt, "edge"), metrics, life=life) as edge:
                    await until(lambda n=life: n in _stock(room, birth), 60)  # type: ignore[misc] # bound now
                    await edge.tell(figure("Stock", life + 0.5, life + 0.5))
                    await until(lambda n=life: n + 0.5 in _stock(room, birth), 60)  # type: ignore[misc] # bound now
                    if life == 1:
                        await amqtt.kill()
                if life == 1:
                    await amqtt.start()
            # the edge node has hung up, so the broker has sent its will
            await until(lambda: None in _stock(room, birth), 60)
            told = len(room.of_accepted("mill"))
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        assert _stock(room, birth)[-1] is None
        assert len(room.of_accepted("mill")) == told, "after its death a plant is silent"


def _stock(room: MiniatureRoom, birth: PlantBirth) -> list[float | None]:
    number = next(signal.id for signal in birth.signals if signal.name == "stock")
    return [reading.value for item in room.of_accepted("mill") for reading in item.readings if reading.signal == number]
