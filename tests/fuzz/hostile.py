"""Frames that a hostile program might send: whole ones, mutated by bytes and by structure. Deterministic from a generator."""

from __future__ import annotations

import json
import random
from typing import Any

import msgspec

from telex_ingest.telex import FromPlant, Hello
from telex_ingest.wire import encode
from tests.telex_ingest.conftest import NOON, birth
from tests.telex_ingest.session_line import telex

ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**53, 2**63, 2**64, -(2**70), 1e308, -0.0, float("nan"), float("inf")),
    *("", "mill-1", "mill-2", "*", "\x00", "\ud800", "x" * 300, "1972-11-01T08:00:00Z", "9999-12-31T23:59:59.9999999Z"),
    *("0001-01-01T00:00:00+14:00", "2020-13-01T00:00:00Z", "live", "backfill", "good", "../..", "{}", "NaN"),
    *([], {}, [[]], [1, 2], [[1, 2.0]], {"plant": "mill-1"}),
)
NAMES = (
    *("hello", "births", "spools", "telexes", "receipts", "calls", "deaths", "link", "token", "plant", "epoch", "seq"),
    *(
        "time",
        "readings",
        "kind",
        "signals",
        "id",
        "name",
        "unit",
        "period_s",
        "first",
        "last",
        "order",
        "state",
        "pace",
    ),
)


def whole(rng: random.Random, epoch: int, seq: int) -> dict[str, Any]:
    """A frame that is in order, near the number that the room awaits."""
    first = max(1, seq + rng.choice([0, 0, 0, 0, 1, 2, 5, 20, -1, -3]))
    frame = FromPlant(
        hello=Hello(link="link-1", token="secret-1") if rng.random() < 0.05 else None,
        births=(birth(rng.choice(["mill-1", "mill-2"]), epoch=epoch + (rng.random() < 0.02)),)
        if rng.random() < 0.2
        else (),
        telexes=tuple(
            telex(first + n, epoch=epoch, at=NOON + rng.choice([-1e9, 0.0, 1.0, 1e5, 1e9])) for n in range(3)
        ),
    )
    return dict(json.loads(encode(frame)))


def bent(rng: random.Random, part: Any, depth: int = 0) -> Any:
    """Change something somewhere in a structure."""
    if rng.random() < 0.15 or depth > 5:
        return rng.choice(ODD)
    if isinstance(part, dict) and part:
        bending = dict(part)
        name = rng.choice(list(bending))
        act = rng.random()
        if act < 0.15:
            del bending[name]
        elif act < 0.3:
            bending[rng.choice(NAMES)] = rng.choice(ODD)
        elif act < 0.4:
            bending[rng.choice(NAMES)] = bending.pop(name)
        else:
            bending[name] = bent(rng, bending[name], depth + 1)
        return bending
    if isinstance(part, list) and part:
        bending_list = list(part)
        place = rng.randrange(len(part))
        if rng.random() < 0.2:
            bending_list.insert(place, bending_list[place])
        else:
            bending_list[place] = bent(rng, bending_list[place], depth + 1)
        return bending_list
    return rng.choice(ODD)


def broken(rng: random.Random, raw: bytes) -> bytes:
    """Change bytes: flip, cut, double, insert."""
    out = bytearray(raw)
    for _ in range(rng.randint(1, 4)):
        if not out:
            break
        place = rng.randrange(len(out))
        act = rng.randrange(4)
        if act == 0:
            out[place] = rng.randrange(256)
        elif act == 1:
            del out[place:]
        elif act == 2:
            out[place:place] = out[: rng.randint(0, 40)]
        else:
            out[place:place] = rng.randbytes(rng.randint(1, 8))
    return bytes(out)


def frame(rng: random.Random, epoch: int, seq: int, *, packed: bool) -> str | bytes:
    """One hostile frame; now and then one in good order, so that states change."""
    made: Any = whole(rng, epoch, seq)
    for _ in range(rng.choice([0, 0, 1, 2, 3])):
        made = bent(rng, made)
    try:
        raw = msgspec.msgpack.encode(made) if packed else json.dumps(made).encode("utf-8", "surrogatepass")
    except (ValueError, OverflowError, UnicodeError, TypeError):
        raw = b"\xff"
    if rng.random() < 0.25:
        raw = broken(rng, raw)
    return raw if packed or rng.random() < 0.2 else raw.decode("utf-8", "replace")
