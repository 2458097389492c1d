"""How long a room keeps what it stores, and where: the tables [retention] and [store] of room.toml. Pure."""

from __future__ import annotations

import re
from itertools import pairwise

import msgspec

from opsroom.constitution.tables import Reading, Sheet
from opsroom.record.opening import wrong_with
from opsroom.record.retention import Retention
from opsroom.record.rollups import RESOLUTIONS

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(kB|MB|GB|TB)")
_BYTES = {"kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_LEAST_SIZE = 10**6


class Keeping(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept and where: `store` is the address of a database, empty for the file in the room's own folder."""

    retention: Retention = Retention()
    store: str = ""


def keeping_of(sheet: Sheet) -> Keeping:
    """Read [retention] and [store]; mistakes are noted in the sheet."""
    table = sheet.table("retention")
    readings_s = _age(table, "readings")
    size_bytes = _size(table, "size")
    ages = {name: _age(table, f"rollups_{name}") for name in RESOLUTIONS}
    table.done()
    for name, age_s in ages.items():
        if age_s is not None and age_s < (readings_s or 0.0):
            cure = "Keep rollups at least as long as the readings, or leave the key out to keep them for ever."
            table.wrong(f"rollups_{name}", "rollups cannot go before the readings", cure)
    for finer, coarser in pairwise(ages):
        if ages[coarser] is not None and (ages[finer] is None or ages[finer] > ages[coarser]):  # type: ignore[operator] # not None here
            cure = f"Keep rollups_{coarser} at least as long as rollups_{finer}, for it is summed up from it."
            table.wrong(f"rollups_{coarser}", f"it is kept shorter than rollups_{finer}", cure)
    kept = {name: age_s for name, age_s in ages.items() if age_s is not None}
    return Keeping(
        retention=Retention(readings_s=readings_s, size_bytes=size_bytes, rollups_s=kept), store=_store(sheet)
    )


def _age(table: Reading, key: str) -> float | None:
    return table.duration(key, 0.0, least=60.0) or None


def _size(table: Reading, key: str) -> int | None:
    text = table.text(key, example="200 GB")
    if not text:
        return None
    found = _SIZE.fullmatch(text)
    if found is None:
        table.wrong(key, "this is no size", f'Write {key} = "200 GB" (kB, MB, GB, TB).')
        return None
    size = int(float(found.group(1)) * _BYTES[found.group(2)])
    if size < _LEAST_SIZE:
        table.wrong(key, "a room does not fit into this", f'Write {key} = "1 MB" or more.')
        return None
    return size


def _store(sheet: Sheet) -> str:
    table = sheet.table("store")
    address = table.text("url", example="postgresql://room@127.0.0.1:5432/plants")
    table.done()
    wrong = wrong_with(address) if address else None
    if wrong is not None:
        table.wrong("url", *wrong)
    return address
