"""Scenarios over real websockets: everything arrives once, orders come back as receipts, the truth stays at home."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from simulators.__main__ import run, run_nile
from simulators.crowd import Crowd, CrowdRefused, run_crowd
from simulators.scenario import load
from simulators.stage import Stage
from telex_ingest.heard import Accepted, GapClosed, PlantBorn, PlantDied, ReceiptCame
from telex_ingest.line import Limits
from telex_ingest.telex import TelexKind
from tests.telex_ingest.conftest import MiniatureRoom, serving, until

from .conftest import TICKET, order, scenario


class TappedRoom(MiniatureRoom):
    """A room that keeps every byte that comes over its wire, and lives on the scenario's time."""

    def __init__(self) -> None:
        super().__init__(Limits(), acks=True)
        self.tap: list[bytes] = []
        self.tokens = dict.fromkeys(("plants", "water", *Crowd(links=2).link_names()), "secret")
        self.clock.at = 1_772_431_200.0 + 86_400.0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def tapped() -> Any:
            message = await receive()
            frame = message.get("text") or message.get("bytes") or b""
            self.tap.append(frame.encode() if isinstance(frame, str) else frame)
            return message

        await self.gateway(scope, tapped, send)

    def everything(self) -> list[tuple[str, int, int]]:
        return [(item.plant, item.epoch, item.seq) for item in self.heard if isinstance(item, Accepted)]


@pytest.fixture
async def tapped() -> AsyncIterator[TappedRoom]:
    made = TappedRoom()
    async with serving(made) as made.address:
        yield made
        await made.gateway.close()


async def play(room: TappedRoom, what: Any, **more: Any) -> Any:
    return await run(
        what, url=room.address, link="plants", token=TICKET, **{"speed": 50_000.0, "patience_s": 60.0, **more}
    )


async def test_a_scenario_arrives_whole_and_the_truth_stays_at_home(tapped: TappedRoom, tmp_path: Path) -> None:
    truth = tmp_path / "truth" / "truth.json"
    ran = await play(tapped, "many-faults", duration_s=6 * 3600.0, truth=truth)
    assert ran.told == ran.acknowledged == len(tapped.everything()) == 6 * 60 * 12
    assert ran.pending == 0
    assert len(set(tapped.everything())) == len(tapped.everything())
    document = json.loads(truth.read_text())
    assert {row["id"] for row in document["entries"] if row["primary"]} >= {"spark", "slipped-belt", "clogged-filter"}
    assert truth.stat().st_mode & 0o777 == 0o600
    wire = b"".join(tapped.tap)
    assert b"textile-mill" in wire
    for secret in (
        *(fault.id for fault in load("many-faults").faults),
        '"expected"',
        '"fault',
        "truth",
        "shadow",
        "size_sd",
    ):
        assert secret.encode() not in wire, f"{secret} went over the wire"
    assert {item.plant for item in tapped.heard if isinstance(item, PlantDied)} == {line.plant for line in ran_births()}


def ran_births() -> Any:
    return Stage(load("many-faults")).births()


async def test_what_arrives_is_what_the_stage_gives(tapped: TappedRoom) -> None:
    await play(tapped, "quiet-day", duration_s=3600.0, plants=("cannery",), subprotocol="msgpack")
    alone = Stage(load("quiet-day"), plants=("cannery",))
    measured = [item.values for item in alone.until(alone.start_s + 3600.0)]  # type: ignore[union-attr] # reports only
    heard = [tuple(one.value for one in item.readings) for item in tapped.heard if isinstance(item, Accepted)]
    assert heard == measured


async def test_every_trouble_of_the_line_loses_nothing_but_what_was_silent(tapped: TappedRoom) -> None:
    begun: list[float] = []

    def wall() -> float:
        """The clock stands still until the line is up: what is cut before that is no line that was cut."""
        if not begun and tapped.gateway.line().links:
            begun.append(time.monotonic())
        return time.monotonic() - begun[0] if begun else 0.0

    ran = await play(tapped, "line-trouble", duration_s=4 * 3600.0, speed=8_000.0, anchor=0.0, wall=wall)
    heard = tapped.everything()
    assert len(heard) == len(set(heard)) == ran.told == 4 * 60 * 12 - 40
    assert not tapped.of(GapClosed)
    assert ran.reconnects == 1
    line = tapped.gateway.line()
    assert line.duplicates > 60
    times = [item.source_us for item in tapped.of_accepted("copper-mine")]
    assert times == sorted(times)
    assert len(times) == 240


async def test_history_is_told_as_backfill_and_the_present_as_live(tapped: TappedRoom) -> None:
    await play(tapped, "quiet-day", duration_s=600.0, warm_s=1200.0, plants=("port",))
    kinds = [item.kind for item in tapped.of_accepted("port")]
    assert kinds == [TelexKind.BACKFILL] * 20 + [TelexKind.LIVE] * 10


LONG_H = 72.0
"""Longer than any machine stands still, at an hour in a second: neither the play nor an order is over before it is told to."""


async def test_an_order_goes_out_is_obeyed_and_answered(tapped: TappedRoom) -> None:
    worn = scenario(
        '[[fault]]\nkind = "step"\nsignal = "textile-mill/loom-output"\nat = "10m"\nsize_sd = -8.0\n'
        'healed_by = ["service-machine"]',
        hours=LONG_H,
    )
    stop = asyncio.Event()
    playing = asyncio.create_task(play(tapped, worn, speed=3_600.0, stop=stop, plants=("textile-mill", "port")))
    await until(lambda: len(tapped.of_accepted("textile-mill")) > 20)
    stage = Stage(worn)
    stage.until(stage.start_s + 1200.0)
    service = order(stage, "textile-mill", "service-machine", lives_s=LONG_H * 3600.0, machine="drive-shaft")
    tapped.gateway.send("textile-mill", orders=[service, service])
    dance = order(stage, "textile-mill", "dance", number="order-2", lives_s=LONG_H * 3600.0)
    tapped.gateway.send("textile-mill", orders=[dance])
    await until(lambda: len(tapped.of(ReceiptCame)) >= 3)
    states = {(came.receipt.order, came.receipt.state.value) for came in tapped.of(ReceiptCame)}
    assert states >= {("order-1", "accepted"), ("order-1", "done"), ("order-2", "refused")}
    told = len(tapped.of_accepted("textile-mill"))
    await until(lambda: len(tapped.of_accepted("textile-mill")) > told + 20)
    stop.set()
    ran = await playing
    assert ran.orders == 2
    output = [item.readings[0].value or 0.0 for item in tapped.of_accepted("textile-mill")]
    assert sum(output[12:20]) / 8 < 11_600.0
    assert sum(output[-8:]) / 8 > 12_200.0


async def test_a_run_that_begins_again_goes_on_where_its_spool_ends(tapped: TappedRoom, tmp_path: Path) -> None:
    moments = iter([0.0] * 3 + [0.5] * 10_000)
    first = await play(
        tapped,
        "quiet-day",
        duration_s=1800.0,
        anchor=0.0,
        speed=3600.0,
        spool=tmp_path,
        farewell=False,
        wall=lambda: next(moments),
    )
    second = await play(
        tapped,
        "quiet-day",
        duration_s=3600.0,
        anchor=0.0,
        speed=3600.0,
        spool=tmp_path,
        farewell=False,
        wall=lambda: 10.0,
    )
    assert (first.told, second.told) == (360, 360)
    seqs = [seq for _, epoch, seq in tapped.everything() if epoch == 1]
    assert len(seqs) == 720
    times = [item.source_us for item in tapped.of_accepted("port")]
    assert times == sorted(set(times))


async def test_a_link_that_the_room_does_not_take_says_why_and_still_ends_when_told(tapped: TappedRoom) -> None:
    tapped.tokens["plants"] = "another"
    complaints: list[str] = []
    stop = asyncio.Event()
    playing = asyncio.create_task(
        play(tapped, "quiet-day", warm_s=86_400.0, stop=stop, patience_s=0.1, complain=complaints.append)
    )
    # A busy machine may first hear that the line is not up yet.
    await until(lambda: any("unauthorised" in complaint for complaint in complaints))
    stop.set()
    async with asyncio.timeout(60):
        ran = await playing
    assert ran.acknowledged == 0
    assert ran.pending == ran.told > 0


async def test_the_nile_tells_its_hundred_years(tapped: TappedRoom) -> None:
    assert await run_nile(url=tapped.address, link="water", token="secret", per_second=2000.0, room_speed=60.0) == 100
    heard = tapped.of_accepted("aswan-waterworks")
    assert [item.readings[0].value for item in heard][:2] == [1120.0, 1160.0]
    (born, *_) = [item for item in tapped.heard if isinstance(item, PlantBorn)]
    assert born.birth.pace == pytest.approx(365.2425 * 86400.0 * 2000.0 / 60.0)


async def test_the_nile_can_be_stopped_on_its_way(tapped: TappedRoom) -> None:
    stop = asyncio.Event()
    telling = asyncio.create_task(
        run_nile(url=tapped.address, link="water", token="secret", per_second=20.0, stop=stop)
    )
    await until(lambda: len(tapped.of_accepted("aswan-waterworks")) > 3)
    stop.set()
    assert 3 < await telling < 100


@pytest.mark.parametrize("framing", ["json", "batch", "telexes"])
async def test_a_crowd_is_heard_to_the_last_telex_and_goes_on_where_it_ended(tapped: TappedRoom, framing: str) -> None:
    tapped.clock.at = time.time()  # a crowd tells what it measures now
    crowd = Crowd(plants=30, signals=12, seconds=0.3, per_second=10.0, links=2, framing=framing)
    for turn in (1, 2):
        load = await run_crowd(crowd, url=tapped.address, token="secret")
        assert load.sent == load.acknowledged == 90
        assert load.refused == 0
        assert 0.0 < load.ack_p50_ms <= load.ack_p99_ms <= load.ack_max_ms < 60_000.0
        assert len(tapped.everything()) == len(set(tapped.everything())) == 90 * turn
    assert [seq for _, seq in tapped.accepted("crowd-00030")] == [1, 2, 3, 4, 5, 6]
    readings = tapped.of_accepted("crowd-00001")[0].readings
    assert [one.signal for one in readings] == list(range(1, 13))
    assert all(90.0 < (one.value or 0.0) < 230.0 for one in readings)
    assert tapped.gateway.line().gaps == 0


async def test_a_crowd_with_a_wrong_token_says_so(tapped: TappedRoom) -> None:
    with pytest.raises(CrowdRefused, match="crowd-link-"):
        await run_crowd(Crowd(plants=4, links=2, seconds=0.1), url=tapped.address, token="wrong")
