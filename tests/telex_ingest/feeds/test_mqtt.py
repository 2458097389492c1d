"""Plain MQTT: nothing lost, nothing doubled, no old figure for a new one, no bad payload fatal."""

from __future__ import annotations

import asyncio
import ssl
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from telex_ingest.feed import FeedError, FeedReading, SourceLostError, run_feed
from telex_ingest.feed_settings import SettingsError
from telex_ingest.feeds.mqtt import BATCH, MqttFeed, MqttSettings, TopicPoint
from telex_ingest.feeds.mqtt_broker import Broker
from telex_ingest.feeds.mqtt_example import Message, MiniatureBroker, serving
from telex_ingest.feeds.mqtt_line import QUEUE, Line
from telex_ingest.feeds.mqtt_payload import PayloadError, read
from telex_ingest.plant_link import PlantLink
from telex_ingest.telex import Quality
from tests.telex_ingest.conftest import MiniatureRoom, room, until
from tests.telex_ingest.feeds.peers import Peer, peer

__all__ = ["room"]

ARRIVAL_US = 1_000_000_000


def feed(broker: Broker, **more: Any) -> MqttFeed:
    signals = more.pop("signals", {"output": TopicPoint(unit="t/h"), "stock": TopicPoint(unit="t")})
    settings = MqttSettings(plant="mill", broker=broker, signals=signals, **more)
    return MqttFeed(settings, now_us=lambda: ARRIVAL_US)


async def take(one: MqttFeed, many: int, cursor: str | None = None, *, go_on: bool = False) -> list[FeedReading]:
    """Take so many readings; the feed is killed before it acknowledges the last of them, unless it may go on."""
    taken: list[FeedReading] = []
    async with asyncio.timeout(60), aclosing(one.readings(cursor)) as source:  # type: ignore[type-var] # an async generator
        async for given in source:
            assert isinstance(given, list)
            taken += given
            if len(taken) >= many:
                break
        if go_on:
            following = asyncio.ensure_future(anext(source))
            await asyncio.sleep(0)  # its first step is to acknowledge
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
    return taken


@pytest.fixture
async def miniature() -> AsyncIterator[MiniatureBroker]:
    async with serving() as broker:
        yield broker


async def listening(broker: MiniatureBroker, name: str = "opsroom-mill") -> None:
    await until(lambda: name in broker.sessions and broker.sessions[name].topics)


@given(st.binary())
def test_any_bytes_are_a_payload_or_a_payload_error(payload: bytes) -> None:
    try:
        read(payload, time="time", quality="quality")
    except PayloadError:
        return


@given(st.floats(allow_nan=False, allow_infinity=False), st.datetimes(), st.sampled_from(list(Quality)))
def test_what_an_object_says_is_read(value: float, when: Any, quality: Quality) -> None:
    text = msgspec.json.encode({"v": {"now": value}, "at": when.isoformat() + "Z", "q": quality.value.upper()})
    said = read(text, time="at", quality="q")
    assert said.whole["v"]["now"] == value
    assert said.quality is quality
    assert said.dated


async def test_numbers_and_objects_become_readings_and_what_is_neither_is_counted(miniature: MiniatureBroker) -> None:
    signals = {
        "output": TopicPoint(unit="t/h", scale=0.5, offset=1.0),
        "heat": TopicPoint(unit="Cel", topic="mill/boiler", value="state.heat"),
        "pressure": TopicPoint(unit="bar", topic="mill/boiler", value="state.pressure"),
    }
    one = feed(miniature.broker(), signals=signals, time_unit="ms")
    taking = asyncio.create_task(take(one, 4))
    await listening(miniature)
    for topic, payload in [
        ("mill/output", b"{"),
        ("mill/output", b"\xff\xfe"),
        ("mill/output", b'"on"'),
        ("mill/output", b"17"),
        ("mill/output", b"null"),
        ("mill/boiler", b'{"state": {"heat": "80.5", "pressure": [1]}, "time": 2500, "quality": 68}'),
        ("mill/boiler", b'{"state": {}}'),
        ("mill/boiler", b'{"state": {"heat": 81, "pressure": 2}, "time": "noon"}'),
    ]:
        miniature.publish(Message(topic, payload))
    assert [given._replace(cursor="") for given in await taking] == [
        FeedReading(ARRIVAL_US, {"output": 9.5}),
        FeedReading(ARRIVAL_US, {"output": None}),
        FeedReading(2_500_000, {"heat": 80.5}, quality=Quality.UNCERTAIN),
        FeedReading(ARRIVAL_US, {"heat": 81.0, "pressure": 2.0}, quality=Quality.UNCERTAIN),
    ]
    assert one.counts == {"messages": 8, "bad": 4, "undated": 1}


async def test_a_message_is_acknowledged_only_when_its_reading_is_in_the_spool(miniature: MiniatureBroker) -> None:
    source = feed(miniature.broker()).readings(None)
    async with aclosing(source):  # type: ignore[type-var] # an async generator
        reading = asyncio.ensure_future(anext(source))
        await listening(miniature)
        miniature.publish(Message("mill/output", b"1"))
        await reading
        session = miniature.sessions["opsroom-mill"]
        assert len(session.unconfirmed) == 1
        following = asyncio.ensure_future(anext(source))
        await until(lambda: not session.unconfirmed)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def test_a_killed_reader_gets_again_what_it_had_in_hand_and_knows_what_it_had_spooled(
    miniature: MiniatureBroker,
) -> None:
    taking = asyncio.create_task(take(feed(miniature.broker()), 2))
    await listening(miniature)
    miniature.publish(Message("mill/output", b"1"))
    miniature.publish(Message("mill/output", b"1"))  # the same figure again is a reading of its own
    spooled = await taking
    session = miniature.sessions["opsroom-mill"]
    await until(lambda: session.writer is None)
    in_hand = len(session.unconfirmed)
    assert in_hand, "it was killed after the spool and before the acknowledgement"
    for figure in (2, 3, 4):
        miniature.publish(Message("mill/stock", str(figure).encode()))
    again = feed(miniature.broker())
    assert (await take(again, 1, spooled[-1].cursor))[0].values == {"stock": 2.0}
    assert again.counts["doubled"] == in_hand
    await until(lambda: session.writer is None)
    anew = feed(miniature.broker())
    assert [one.values["stock"] for one in await take(anew, 3, spooled[-1].cursor)] == [2, 3, 4], "it was never spooled"


async def test_a_retained_message_is_told_only_when_it_says_a_later_time(miniature: MiniatureBroker) -> None:
    miniature.publish(Message("mill/output", b"1", retain=True))
    miniature.publish(Message("mill/stock", b'{"value": 5, "time": 10}', retain=True))
    first = feed(miniature.broker())
    (old,) = await take(first, 1)
    assert (old.source_us, old.values) == (10_000_000, {"stock": 5.0})
    assert first.counts["retained"] == 1
    second = feed(miniature.broker(), client_id="another")
    taking = asyncio.create_task(take(second, 1, old.cursor))
    await listening(miniature, "another")
    miniature.publish(Message("mill/output", b"2"))
    assert [one.values for one in await taking] == [{"output": 2.0}]
    assert second.counts["retained"] == 2


async def test_a_flood_waits_at_the_broker_and_none_of_it_is_lost(miniature: MiniatureBroker) -> None:
    many = 3 * QUEUE
    async with Line("mqtt", miniature.broker(), None) as line:
        line.listen([("flood", 0)])
        await until(lambda: not line._asked)
        for number in range(many):
            miniature.publish(Message("flood", str(number).encode(), qos=0))
        await until(lambda: len(line._heard) == QUEUE)
        figures: list[int] = []
        while len(figures) < many:
            figures.append(int((await line.next()).payload))
            assert len(line._heard) <= QUEUE
    assert figures == list(range(many))


async def test_a_cancelled_feed_leaves_no_task_and_no_thread(miniature: MiniatureBroker) -> None:
    tasks, threads = asyncio.all_tasks(), {one for one in threading.enumerate() if "paho" in one.name}
    waiting = asyncio.create_task(take(feed(miniature.broker()), 1))
    await listening(miniature)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await until(lambda: miniature.sessions["opsroom-mill"].writer is None)
    await until(lambda: {one for one in asyncio.all_tasks() if "_serve" not in repr(one)} <= tasks)
    assert {one for one in threading.enumerate() if "paho" in one.name} == threads


async def test_a_broker_that_is_not_there_is_a_lost_source() -> None:
    with pytest.raises(SourceLostError, match="is not there"):
        await take(feed(Broker(host="127.0.0.1", port=1)), 1)


@pytest.mark.parametrize("topic", ["mill/+", "#"])
def test_a_signal_has_one_topic(topic: str) -> None:
    with pytest.raises(SettingsError, match="single topic"):
        feed(Broker(host="127.0.0.1"), signals={"output": TopicPoint(unit="t/h", topic=topic)})


async def test_without_the_extra_it_says_which_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "paho.mqtt", None)
    monkeypatch.delitem(sys.modules, "telex_ingest.feeds.mqtt_line")
    with pytest.raises(FeedError, match=r"install opsroom\[mqtt\]"):
        await take(feed(Broker(host="127.0.0.1", port=1)), 1)


async def test_without_its_password_it_says_which_variable() -> None:
    with pytest.raises(FeedError, match="the environment has no OPSROOM_NO_SUCH"):
        await take(feed(Broker(host="127.0.0.1", username="room", password_env="OPSROOM_NO_SUCH")), 1)


async def test_a_sealed_line_believes_only_the_certificate_that_it_is_told(tmp_path: Path) -> None:
    authority = trustme.CA()
    sealed = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(sealed)
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    broker = MiniatureBroker(tls=sealed)
    await broker.start()
    where = Broker(host="127.0.0.1", port=broker.port, tls=True, tls_ca=str(tmp_path / "authority.pem"))
    taking = asyncio.create_task(take(feed(where), 1))
    await listening(broker)
    broker.publish(Message("mill/output", b"1"))
    assert [one.values for one in await taking] == [{"output": 1.0}]
    await broker.stop()
    context = where.context()
    assert context is not None
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)


# ---- amqtt, a broker of others, in a process of its own


def user(of: Peer, name: str) -> Broker:
    return Broker(host="127.0.0.1", port=of.port, username=name)


async def test_it_goes_on_with_a_broker_that_was_killed_and_started_again(room: MiniatureRoom, tmp_path: Path) -> None:
    async with peer("broker.py") as amqtt:
        one = feed(user(amqtt, "room"))
        async with PlantLink(room.address, "link-1", "secret-1", [one.birth()], tmp_path / "spool") as link:
            running = asyncio.create_task(run_feed(one, link, back_off_s=(0.01, 0.1)))
            for life in (1, 2):
                async with Line("plant", user(amqtt, "plant"), None) as plant:
                    await _tell_until_heard(plant, room, life)
                if life == 1:
                    await amqtt.kill()
                    await amqtt.start()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def _tell_until_heard(plant: Line, room: MiniatureRoom, life: int) -> None:
    """Tell figures of a life until the room has one: amqtt forgets in a kill who listens, so the first may go nowhere."""
    async with asyncio.timeout(60):
        while not [value for value in room.values("mill") if value is not None and value // 1000 == life]:
            await plant.say("mill/output", str(life * 1000).encode())
            await asyncio.sleep(0.02)


async def test_nothing_is_lost_while_the_reader_is_away() -> None:
    async with peer("broker.py") as amqtt, Line("plant", user(amqtt, "plant"), None) as plant:
        async with Line("mqtt", user(amqtt, "room"), None, identifier="opsroom-mill") as reader:
            reader.listen([("mill/output", 1), ("mill/stock", 1)])
            await until(lambda: not reader._asked)
        for second in range(1, BATCH + 11):
            await plant.say("mill/output", b'{"value": %d, "time": %d}' % (second, second))
        taken = await take(feed(user(amqtt, "room")), BATCH + 10, go_on=True)
        assert [one.source_us for one in taken] == [second * 1_000_000 for second in range(1, BATCH + 11)]
