"""What a crowd says: frames from parts that were encoded beforehand. Pure."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
import numpy as np

from telex_ingest.telex import FromPlant, Sheet

POOL = 509
"""How many sets of figures are encoded beforehand; prime, so that no two signals repeat together."""


class Frames:
    """The figures of a crowd, and how they are framed: `json`, `batch` or `telexes`."""

    def __init__(self, signals: int, framing: str, seed: int) -> None:
        rng = np.random.default_rng(seed)
        levels = 100.0 + 10.0 * np.arange(signals)
        self.pool = np.round(levels + rng.standard_normal((POOL, signals)), 2)
        self.framing = framing
        self.signals = tuple(range(1, signals + 1))
        rows = [[(number + 1, value) for number, value in enumerate(row)] for row in self.pool.tolist()]
        encode = msgspec.json.encode if framing == "json" else msgspec.msgpack.encode
        self._rows: list[bytes] = [encode(row) for row in rows]
        self._minute = (-1, b"")
        self._encoder = msgspec.msgpack.Encoder()

    def prefix(self, plant: str, epoch: int) -> bytes:
        """Encode what every telex of a plant begins with, up to the place of its sequence number."""
        if self.framing == "json":
            return f'{{"telexes":[{{"plant":"{plant}","epoch":{epoch},"seq":'.encode()
        word = msgspec.msgpack.encode
        five_members = b"\x85"
        return five_members + b"".join((word("plant"), word(plant), word("epoch"), word(epoch), word("seq")))

    def time(self, at: float) -> bytes:
        """Encode a source time and what stands around it in a JSON telex; `at` is epoch seconds.

        >>> Frames(1, "json", 0).time(61.25)
        b',"time":"1970-01-01T00:01:01.250000Z","readings":'
        """
        minute, us = divmod(round(at * 1e6), 60_000_000)
        if minute != self._minute[0]:
            said = datetime.fromtimestamp(60 * minute, UTC).strftime("%Y-%m-%dT%H:%M:")
            self._minute = (minute, f',"time":"{said}'.encode())
        return b'%b%02d.%06dZ","readings":' % (self._minute[1], *divmod(us, 1_000_000))

    def telex(self, prefix: bytes, seq: int, middle: bytes, number: int) -> bytes:
        """Put a JSON frame of one telex together."""
        return b"%b%d%b%b}]}" % (prefix, seq, middle, self._rows[(seq + 31 * number) % POOL])

    def sheet(
        self, plants: tuple[str, ...], epochs: Sequence[int], seqs: Sequence[int], at: float, number: int
    ) -> bytes:
        """Put a frame of one sheet together: a row for every plant."""
        t = len(plants)
        turns = np.array(seqs, np.int64)
        sheet = Sheet(
            plants=plants,
            signals=self.signals,
            seqs=turns.tobytes(),
            times=np.full(t, int(at * 1e6), np.int64).tobytes(),
            values=self.pool[(turns + 31 * np.arange(t)) % POOL].tobytes(),
            epochs=b"" if set(epochs) == {1} else np.array(epochs, np.int64).tobytes(),
            number=number,
        )
        return self._encoder.encode(FromPlant(sheets=(sheet,)))

    def telexes(self, prefixes: Sequence[bytes], seqs: Sequence[int], at: float) -> bytes:
        """Put a MessagePack frame of single telexes together: a map of one member, an array of maps of five."""
        word = msgspec.msgpack.encode
        middle = word("time") + word(datetime.fromtimestamp(at, UTC)) + word("readings")
        parts = [b"\x81", word("telexes"), struct.pack(">BH", 0xDC, len(seqs))]
        for number, (prefix, seq) in enumerate(zip(prefixes, seqs, strict=True)):
            parts += (prefix, struct.pack(">BI", 0xCE, seq), middle, self._rows[(seq + 31 * number) % POOL])
        return b"".join(parts)
