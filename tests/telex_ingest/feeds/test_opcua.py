"""OPC UA: source times, status codes as quality, history after a cut, sealed sessions, a server that comes back."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from telex_ingest.feed import FeedError, FeedReading, SourceLostError, run_feed
from telex_ingest.feeds.opcua import NodePoint, OpcuaFeed, OpcuaSettings
from telex_ingest.feeds.opcua_example import T0, write
from telex_ingest.feeds.opcua_line import Server, find_node, session
from telex_ingest.plant_link import PlantLink
from telex_ingest.telex import Quality, TelexKind, microseconds
from tests.telex_ingest.conftest import MiniatureRoom, room, until
from tests.telex_ingest.feeds.peers import Peer, peer

__all__ = ["room"]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """asyncua logs each lost line as an error of its own."""
    logging.getLogger("asyncua").setLevel(logging.CRITICAL)
    yield
    logging.getLogger("asyncua").setLevel(logging.NOTSET)


def at(server: Peer, **more: Any) -> Server:
    return Server(url=f"opc.tcp://127.0.0.1:{server.port}/opsroom", **more)


def feed(server: Server, **more: Any) -> OpcuaFeed:
    signals = more.pop(
        "signals",
        {
            "output": NodePoint(node="nsu=urn:opsroom:example;s=Output", unit="t/h", scale=2.0),
            "stock": NodePoint(node="ns=2;s=Stock", unit="t"),
        },
    )
    return OpcuaFeed(OpcuaSettings(plant="mill", server=server, publish_ms=20, sample_ms=5, signals=signals, **more))


async def take(one: OpcuaFeed, found: list[FeedReading]) -> None:
    async with aclosing(one.readings(None)) as source:  # type: ignore[type-var] # an async generator
        async for given in source:
            found += given if isinstance(given, list) else [given]


async def test_values_times_and_status_codes_are_told_and_a_wrong_node_costs_itself_alone() -> None:
    async with peer("opcua_server.py") as server:
        signals = {
            "output": NodePoint(node="nsu=urn:opsroom:example;s=Output", unit="t/h", scale=2.0),
            "stock": NodePoint(node="ns=2;s=Stock", unit="t"),
            "ghost": NodePoint(node="ns=2;s=Ghost", unit="t"),
            "name": NodePoint(node="i=2255", unit="1"),
        }
        one = feed(at(server), signals=signals)
        found: list[FeedReading] = []
        taking = asyncio.create_task(take(one, found))
        await until(lambda: len(found) >= 2, 60)
        assert (found[0].values, found[0].quality) == ({"ghost": None}, Quality.BAD)
        async with session(at(server)) as other:
            output, stock = await find_node(other, "ns=2;s=Output"), await find_node(other, "ns=2;s=Stock")
            begun = len(found)
            await write(output, 17.5, 1)
            await write(output, 18.0, 2, uncertain=True)
            await write(output, None, 3)
            await write(stock, 4.0, 3)
            await until(lambda: sum(len(given.values) for given in found[begun:]) == 4, 60)
        taking.cancel()
        await asyncio.gather(taking, return_exceptions=True)
    t0 = microseconds(T0)
    told = [
        (given.source_us - t0, name, value, given.qualities[name].value)
        for given in found[begun:]
        for name, value in given.values.items()
    ]
    assert sorted(told) == [
        (1_000_000, "output", 35.0, "good"),
        (2_000_000, "output", 36.0, "uncertain"),
        (3_000_000, "output", None, "bad"),
        (3_000_000, "stock", 4.0, "good"),
    ]
    assert one.counts["refused nodes"] == 1
    assert one.counts["bad"] == 1, "a list of names is no figure"
    kinds = [given.kind for given in found[begun:] if "output" in given.values]
    assert kinds == [TelexKind.BACKFILL, TelexKind.LIVE, TelexKind.LIVE], "its clock was set back, once"


@pytest.mark.long
async def test_it_goes_on_with_a_server_that_was_killed_and_started_again(room: MiniatureRoom) -> None:
    async with peer("opcua_server.py") as server:
        one = feed(at(server), signals={"stock": NodePoint(node="ns=2;s=Stock", unit="t")})
        async with PlantLink(room.address, "link-1", "secret-1", [one.birth()]) as link:
            running = asyncio.create_task(run_feed(one, link, back_off_s=(0.05, 0.2)))
            for life in (1, 2):
                await until(lambda n=life: len(room.values("mill")) >= n, 60)  # type: ignore[misc] # bound now
                async with session(at(server)) as other:
                    await (await find_node(other, "ns=2;s=Stock")).write_value(float(life))
                await until(lambda n=life: float(n) in room.values("mill"), 60)  # type: ignore[misc] # bound now
                if life == 1:
                    await server.kill()
                    await server.start()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


@pytest.mark.long
async def test_a_sealed_session_with_certificates(tmp_path: Path) -> None:
    from asyncua.client.client import Client

    for name, uri in (("peer", "urn:opsroom:peer"), ("feed", "urn:opsroom:feed")):
        maker = Client("opc.tcp://127.0.0.1:1")
        maker.application_uri = uri
        await maker.setup_self_signed_certificate(
            tmp_path / f"{name}.pem", tmp_path / f"{name}.der", host_name="localhost"
        )
    sealed = {"certificate": str(tmp_path / "feed.der"), "private_key": str(tmp_path / "feed.pem")}
    async with peer("opcua_server.py", str(tmp_path)) as server:
        found: list[FeedReading] = []
        taking = asyncio.create_task(take(feed(at(server, policy="Basic256Sha256", **sealed)), found))
        await until(lambda: found or taking.done(), 60)
        taking.cancel()
        await asyncio.gather(taking, return_exceptions=True)
        assert {name for given in found for name in given.values} == {"output", "stock"}
        with pytest.raises(SourceLostError, match="does not take the session"):
            await take(feed(at(server)), found)
        with pytest.raises(FeedError, match="the certificates cannot be used"):
            await take(feed(at(server, policy="Basic256Sha256", certificate="none.der", private_key="none.pem")), found)


@pytest.mark.long
async def test_what_is_no_node_id_and_a_server_that_is_not_there_are_told_apart() -> None:
    with pytest.raises(SourceLostError, match="does not take the session"):
        await take(feed(Server(url="opc.tcp://127.0.0.1:1/")), [])
    async with peer("opcua_server.py") as server:
        with pytest.raises(FeedError, match="'Output' is no node id"):
            await take(feed(at(server), signals={"output": NodePoint(node="Output", unit="t")}), [])


async def test_without_the_extra_it_says_which_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asyncua.client.client", None)
    with pytest.raises(FeedError, match=r"install opsroom\[opcua\]"):
        await take(feed(Server(url="opc.tcp://127.0.0.1:1/")), [])
