"""Modbus: registers mean what the settings say, a refused one costs itself alone, a device comes back."""

from __future__ import annotations

import asyncio
import sys
from contextlib import aclosing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telex_ingest.feed import FeedError, FeedReading, SourceLostError, run_feed
from telex_ingest.feeds.modbus import ModbusFeed, ModbusSettings
from telex_ingest.feeds.modbus_line import Device
from telex_ingest.feeds.modbus_registers import MOST, RegisterPoint, blocks
from telex_ingest.plant_link import PlantLink
from telex_ingest.telex import Quality
from tests.telex_ingest.conftest import MiniatureRoom, room, until
from tests.telex_ingest.feeds.peers import peer

__all__ = ["room"]

WHOLE = {
    "int16": (-(2**15), 2**15 - 1),
    "uint16": (0, 2**16 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "uint32": (0, 2**32 - 1),
}


@given(st.sampled_from(sorted(WHOLE)), st.sampled_from(["high-first", "low-first"]), st.data())
def test_what_is_written_is_read_back(kind: Any, words: Any, data: st.DataObject) -> None:
    value = data.draw(st.integers(*WHOLE[kind]))
    point = RegisterPoint(unit="1", address=0, type=kind, words=words)
    assert point.raw(point.registers(value)) == value
    with pytest.raises(ValueError, match="does not fit"):
        point.registers(WHOLE[kind][1] + 1)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False), st.sampled_from(["high-first", "low-first"]))
def test_a_float_is_read_back_exactly(value: float, words: Any) -> None:
    point = RegisterPoint(unit="1", address=0, type="float32", words=words)
    assert point.raw(point.registers(value)) == value


@given(st.dictionaries(st.sampled_from("abcdefghij"), st.integers(0, 400)), st.integers(0, 50))
def test_every_signal_is_in_one_block_that_a_device_can_answer(addresses: dict[str, int], gap: int) -> None:
    points = {name: RegisterPoint(unit="1", address=at, type="int32") for name, at in addresses.items()}
    planned = blocks(points, gap)
    assert sorted(name for block in planned for name in block.names) == sorted(points)
    for block in planned:
        assert block.span <= MOST[block.table]
        assert all(block.address <= addresses[name] <= block.address + block.span - 2 for name in block.names)


def feed(port: int, answer_s: float = 60.0, **more: Any) -> ModbusFeed:
    signals = more.pop("signals", {"output": RegisterPoint(unit="t/h", address=0, type="float32")})
    device = Device(host="127.0.0.1", port=port, answer_s=answer_s)
    return ModbusFeed(
        ModbusSettings(plant="mill", device=device, poll_s=0.01, signals=signals, **more), now_us=lambda: 5
    )


async def polls(one: ModbusFeed, many: int) -> list[FeedReading]:
    taken: list[FeedReading] = []
    async with asyncio.timeout(60), aclosing(one.readings(None)) as source:  # type: ignore[type-var] # an async generator
        async for given in source:
            assert isinstance(given, FeedReading)
            taken.append(given)
            if len(taken) == many:
                break
    return taken


async def test_registers_bits_coils_scales_and_missing_marks_are_read_and_an_exception_is_bad() -> None:
    signals = {
        "output": RegisterPoint(unit="t/h", address=0, type="float32", scale=2.0, offset=1.0),
        "level": RegisterPoint(unit="m", address=2, type="int32", words="low-first"),
        "store": RegisterPoint(unit="t", address=4, missing=0x8000),
        "flag": RegisterPoint(unit="1", address=5, type="bit", bit=1),
        "inlet": RegisterPoint(unit="1", table="input", address=5),
        "valve": RegisterPoint(unit="1", table="coil", address=2),
        "gate": RegisterPoint(unit="1", table="discrete", address=1),
        "absent": RegisterPoint(unit="1", address=12),
    }
    async with peer("modbus_device.py") as device:
        one = feed(device.port, signals=signals)
        first, second = await polls(one, 2)
    good = {"output": 35.0, "level": -2.0, "store": None, "flag": 1.0, "inlet": 7.0, "valve": 1.0, "gate": 0.0}
    assert {first.values[name] for name in ("output", "level", "absent")} == {None}, "one block, one exception"
    assert first.qualities["output"] is Quality.BAD
    assert second.values == {**good, "absent": None}, "after it the others are read alone"
    assert second.qualities == {"store": Quality.BAD, "absent": Quality.BAD}
    assert one.counts["exception 2"] == 2


async def test_it_goes_on_with_a_device_that_was_killed_and_started_again(room: MiniatureRoom) -> None:
    async with peer("modbus_device.py") as device:
        one = feed(device.port, answer_s=1.0)  # what was asked when it was killed is waited for so long
        async with PlantLink(room.address, "link-1", "secret-1", [one.birth()]) as link:
            running = asyncio.create_task(run_feed(one, link, back_off_s=(0.01, 0.05)))
            await until(lambda: room.values("mill"), 60)
            await device.kill()
            told = len(room.values("mill"))
            await device.start()
            await until(lambda: len(room.values("mill")) > told + 2, 60)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    assert set(room.values("mill")) == {17.0}


async def test_a_device_that_is_not_there_is_a_lost_source() -> None:
    with pytest.raises(SourceLostError, match="is not there"):
        await polls(feed(1), 1)


async def test_without_the_extra_it_says_which_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymodbus.client", None)
    with pytest.raises(FeedError, match=r"install opsroom\[modbus\]"):
        await polls(feed(1), 1)
