"""Format 1 of stored blocks, which older rooms wrote: transposed records, deflated (packing 1) or not (0). Read only, pure."""

from __future__ import annotations

import zlib

import numpy as np

from opsroom.record.records import HEADER, READING, TELEX, Records

FORMAT = 1


def opened(data: bytes, *, telexes_alone: bool = False) -> tuple[Records, Records]:
    """Unpack telexes and readings (none when the `telexes_alone` are asked for); ValueError for bytes that are no block."""
    _, packing, _, t, n, _ = HEADER.unpack_from(data)
    if packing not in (0, 1):
        raise ValueError(
            f"a block of format {FORMAT}.{packing} is not known here: the room is older than its store, upgrade it"
        )
    n = 0 if telexes_alone else n
    wanted = t * TELEX.itemsize + n * READING.itemsize
    body = data[HEADER.size :]
    try:
        if packing:
            body = zlib.decompressobj().decompress(body, wanted) if telexes_alone else zlib.decompress(body)
    except zlib.error as error:
        raise ValueError(f"these bytes are not a block ({error})") from error
    if len(body) != wanted and not (telexes_alone and len(body) > wanted):
        raise ValueError(f"a block of {t} telexes and {n} readings does not have {len(body)} bytes")
    split = t * TELEX.itemsize
    return _restored(body[:split], TELEX, t), _restored(body[split:wanted], READING, n)


def _restored(data: bytes, dtype: np.dtype[np.void], n: int) -> Records:
    planes = np.frombuffer(data, np.uint8).reshape(dtype.itemsize, n)
    return np.ascontiguousarray(planes.T).view(dtype).reshape(n)
