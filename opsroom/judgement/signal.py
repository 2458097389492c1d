"""A signal as the bank knows it: a value. Pure."""

from __future__ import annotations

from typing import NamedTuple

from opsroom.record.store import Place
from telex_ingest.telex import SignalBirth


class Signal(NamedTuple):
    """One signal of the bank: its lane in the arrays, its key "plant/name", its place, and what its plant declared."""

    lane: int
    key: str
    plant: str
    place: Place
    birth: SignalBirth
