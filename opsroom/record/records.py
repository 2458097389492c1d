"""What a stored block holds, once unpacked: a header, a record a telex, a record a reading. Pure."""

from __future__ import annotations

import struct

import numpy as np
import numpy.typing as npt

HEADER = struct.Struct("<BBHIId")
"""Format, packing, shard, telexes, readings, `at`."""

TELEX = np.dtype(
    [
        ("plant", "<u4"),
        ("epoch", "<u4"),
        ("seq", "<u8"),
        ("source_us", "<i8"),
        ("received_us", "<i8"),
        ("kind", "u1"),
        ("readings", "<u4"),
    ]
)
READING = np.dtype(
    [
        ("row", "<u4"),
        ("value", "<f8"),
        ("quality", "u1"),
        ("named", "u1"),
        ("p", "u1", (4,)),
        ("level", "<f4"),
        ("low", "<u2"),
        ("high", "<u2"),
    ]
)
"""`p` are shares of 255, all nought when the reading was not judged; `low` and `high` are the upper halves of float32, counted
from the level (from nought where that is not finite)."""

Records = npt.NDArray[np.void]
