"""A bridge that is killed again and again never writes an order twice, and always tells an end."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import msgspec
import pytest

from tests.telex_ingest.bridges.orders import proven, trusting
from tests.telex_ingest.conftest import until

ROUNDS = 12
Moment = Callable[[], Awaitable[object]]


async def life(folder: Path, before_s: float = 0.0, after_s: float = 0.0, moment: Moment | None = None) -> list[str]:
    """Run the bridge, which is so slow before and after it writes; kill it at a moment after its first word, or let it end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.telex_ingest.bridges.bridge_to_kill", str(folder), str(before_s), str(after_s)),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    assert process.stdout is not None
    if moment is not None:
        first = await process.stdout.readline()
        await moment()
        if process.returncode is None:
            process.kill()
        await process.wait()
        return [first.decode().strip(), *(await process.stdout.read()).decode().split()]
    said, _ = await process.communicate()
    return said.decode().split()


def order_in(folder: Path) -> None:
    """Make a folder with an order, and with whom to believe."""
    folder.mkdir()
    (folder / "trust.json").write_bytes(msgspec.json.encode(trusting(folder), enc_hook=str))
    (folder / "order.json").write_bytes(msgspec.json.encode(proven("speed", {"speed": 7}, folder.name)))


async def killed_and_begun_anew(folder: Path, before_s: float, after_s: float, moment: Moment) -> str:
    """Give the bridge an order, kill it, and begin it anew: it writes once at most, and the end that it tells is the truth."""
    order_in(folder)
    said = await life(folder, before_s, after_s, moment)
    said += await life(folder)
    written = lines(folder)
    assert len(written) <= 1
    assert said[0] == "accepted"
    assert said[-1] == ("done" if written else "refused")
    return said[-1]


def lines(folder: Path) -> list[str]:
    """What was written at the plant."""
    file = folder / "written"
    return file.read_text(encoding="utf-8").split() if file.exists() else []


@pytest.mark.long
async def test_kills_at_random_moments_never_write_twice(tmp_path: Path) -> None:
    moments = random.Random(1972)
    for number in range(ROUNDS):
        folder, pause_s = tmp_path / str(number), moments.uniform(0.0, 0.12)
        await killed_and_begun_anew(folder, 0.03, 0.03, partial(asyncio.sleep, pause_s))


@pytest.mark.long
async def test_a_kill_before_the_write_is_a_refusal_and_one_after_it_is_done(tmp_path: Path) -> None:
    """On a busy machine all of the random moments may fall before the write, or all after it."""
    for_ever = 3600.0
    before, after = tmp_path / "before", tmp_path / "after"
    assert await killed_and_begun_anew(before, for_ever, 0.0, partial(asyncio.sleep, 0)) == "refused"
    written = partial(until, lambda: lines(after))
    assert await killed_and_begun_anew(after, 0.0, for_ever, written) == "done"
