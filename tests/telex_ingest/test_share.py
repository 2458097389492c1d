"""What one link may take: readings a second, websockets; what is too much is slowed or refused, counted, and never lost."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.client import connect

from telex_ingest.gateway import Gateway
from telex_ingest.line import Limits
from telex_ingest.plant_link import PlantLink, Told
from telex_ingest.share import BURST_S, Allowance, Share
from tests.telex_ingest.conftest import MiniatureRoom, birth, serving, until


class Shared(MiniatureRoom):
    """A room whose first link has a small share."""

    def begin(self) -> Gateway:
        self.shares = {"link-1": Share(readings_per_s=30.0, websockets=1)}
        self.gateway = Gateway(
            *("room-1", self.authorise, self.deliver, self.clock, self.limits),
            allowed=self.still_allowed,
            share=lambda link: self.shares.get(link, Share()),
        )
        return self.gateway


async def test_a_link_that_tells_more_than_its_share_is_slowed_and_loses_nothing(tmp_path: Path) -> None:
    room = Shared(Limits(), acks=True)
    async with serving(room) as address:
        async with (
            PlantLink(address, "link-1", "secret-1", [birth("mill-1")], frame_telexes=10) as slow,
            PlantLink(address, "link-2", "secret-2", [birth("mill-2")]) as quick,
        ):
            await quick.connected(60)
            began = asyncio.get_running_loop().time()
            await slow.tell_all([Told("mill-1", i * 1_000_000, {"signal-1": float(i)}) for i in range(140)])
            await quick.tell_all([Told("mill-2", i * 1_000_000, {"signal-1": float(i)}) for i in range(20)])
            assert await quick.drained(60)
            assert len(room.accepted("mill-1")) < 140, "the others do not wait for it"
            assert await slow.drained(60)
            took = asyncio.get_running_loop().time() - began
            assert took > 140 / 30.0 - BURST_S - 0.7, "only the burst comes at once"
        assert room.accepted("mill-1") == [(1, seq) for seq in range(1, 141)]
        assert room.refused()["too-fast"] > 0
        await room.gateway.close()


async def test_a_link_has_no_more_websockets_than_it_may() -> None:
    room = Shared(Limits(), acks=True)
    hello = json.dumps({"hello": {"link": "link-1", "token": "secret-1"}})
    async with serving(room) as address:
        async with (
            connect(address, subprotocols=["telex.v1"]) as one,
            connect(address, subprotocols=["telex.v1"]) as two,
        ):
            await one.send(hello)
            assert "welcome" in json.loads(await one.recv())
            await two.send(hello)
            said = json.loads(await two.recv())
            assert said["refusals"][0]["code"] == "busy"
            await two.wait_closed()
            assert two.close_code == 1008
        await until(lambda: room.gateway.line().links == 0)
        async with connect(address, subprotocols=["telex.v1"]) as again:  # type: ignore[list-item] # a string is one
            await again.send(hello)
            assert "welcome" in json.loads(await again.recv()), "and once one has gone there is room"
        await room.gateway.close()


@given(
    st.floats(1.0, 1e6),
    st.lists(st.tuples(st.integers(0, 10_000), st.floats(0.0, 10.0)), min_size=1, max_size=50),
)
def test_whoever_waits_as_told_tells_no_more_than_the_rate_and_a_burst(
    per_s: float, told: list[tuple[int, float]]
) -> None:
    allowance, now, taken = Allowance(per_s, 0.0), 0.0, 0
    for readings, pause in told:
        now += pause
        wait_s = allowance.take(readings, now)
        taken += readings
        now += wait_s
    assert taken <= per_s * (BURST_S + now) * (1 + 1e-9) + 1e-6


@pytest.mark.parametrize("readings", [0, 100])
def test_an_allowance_does_not_grow_beyond_its_burst(readings: int) -> None:
    allowance = Allowance(10.0, 0.0)
    allowance.take(readings, 0.0)
    assert allowance.take(20, 1e6) == 0.0
    assert allowance.take(10, 1e6) == pytest.approx(1.0)
