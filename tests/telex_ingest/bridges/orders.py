"""Orders that a room has proven, and the trust of the plant that is to obey them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from telex_ingest.bridges.settings import Trust
from telex_ingest.proof import name_of, prove
from telex_ingest.telex import Order

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))


def trusting(folder: Path) -> Trust:
    """Make the trust of a plant in the room's key, its ledger in a folder."""
    return Trust(room="room-1", key=name_of(KEY.public_key()), ledger=folder / "ledger")


def proven(name: str, parameters: dict[str, Any], number: object = 1, **more: Any) -> Order:
    """Make an order to the mill, with its proof, that holds for five minutes from `not_before`, which is now if not given."""
    not_before = more.get("not_before", datetime.now(UTC))
    fields: dict[str, Any] = {
        "id": f"room-1-{number}",
        "room": "room-1",
        "plant": "mill",
        "motion": "m-1",
        "name": name,
        "parameters": parameters,
        "not_before": not_before,
        "expires": not_before + timedelta(minutes=5),
    }
    return prove(Order(**(fields | more)), KEY)
