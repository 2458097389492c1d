"""A bridge that is killed again and again never writes an order twice, and always tells an end."""

from __future__ import annotations

import asyncio
import random
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from telex_ingest.bridges.settings import Trust
from telex_ingest.proof import name_of, prove
from telex_ingest.telex import Order

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
ROUNDS = 12


async def life(folder: Path, slow_s: float, until_s: float | None) -> list[str]:
    """Run the bridge; kill it so long after its first word, or let it end. Gives its answers."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.telex_ingest.bridges.bridge_to_kill", str(folder), str(slow_s)),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    assert process.stdout is not None
    if until_s is not None:
        first = await process.stdout.readline()
        with_time = asyncio.create_task(process.wait())
        await asyncio.wait([with_time], timeout=until_s)
        if not with_time.done():
            process.kill()
        await with_time
        return [first.decode().strip(), *(await process.stdout.read()).decode().split()]
    said, _ = await process.communicate()
    return said.decode().split()


@pytest.mark.long
async def test_kills_at_random_moments_never_write_twice(tmp_path: Path) -> None:
    moments = random.Random(1972)
    ends: list[str] = []
    for number in range(ROUNDS):
        folder = tmp_path / str(number)
        folder.mkdir()
        trust = Trust(room="room-1", key=name_of(KEY.public_key()), ledger=folder / "ledger")
        (folder / "trust.json").write_bytes(msgspec.json.encode(trust, enc_hook=str))
        now = datetime.now(UTC)
        order = Order(
            id=f"room-1-{number}",
            room="room-1",
            plant="mill",
            motion="m-1",
            name="speed",
            parameters={"speed": 7},
            not_before=now,
            expires=now + timedelta(minutes=5),
        )
        (folder / "order.json").write_bytes(msgspec.json.encode(prove(order, KEY)))
        said = await life(folder, 0.03, moments.uniform(0.0, 0.12))
        said += await life(folder, 0.0, None)
        written = (folder / "written").read_text(encoding="utf-8").split() if (folder / "written").exists() else []
        assert len(written) <= 1
        assert said[0] == "accepted"
        assert said[-1] == ("done" if written else "refused"), "the end tells the truth"
        ends.append(said[-1])
    assert set(ends) == {"done", "refused"}, "the kills fell before and after the write"
