"""What a plain MQTT payload says: a number, or a JSON object with value, time and quality. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple

import msgspec

from telex_ingest.refusals import TelexError, show
from telex_ingest.telex import Quality, microseconds, moment

PAYLOAD_BYTES = 65_536
"""A larger payload is no reading."""

TimeUnit = Literal["s", "ms", "us"]
_A_UNIT_US: Mapping[TimeUnit, float] = {"s": 1e6, "ms": 1e3, "us": 1.0}

MISSING = object()
"""What a path finds where nothing stands."""


class PayloadError(TelexError):
    """A payload that says nothing: `what` is wrong with it."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what

    def __str__(self) -> str:
        return f"the payload {self.what}; send a number, or a JSON object with the members of the settings"


class Said(NamedTuple):
    """A payload as an object: `whole` is it, `source_us` its time (None: it tells none), `dated` false if its time is no time."""

    whole: Any
    source_us: int | None
    quality: Quality
    dated: bool = True


def read(payload: bytes, *, time: str, quality: str, time_unit: TimeUnit = "s") -> Said:
    """Read a payload; `time` and `quality` are paths of members. Raises `PayloadError`.

    >>> read(b"17.5", time="time", quality="quality").whole
    17.5
    >>> said = read(b'{"value": 3, "time": "1970-01-01T00:00:01Z", "quality": 64}', time="time", quality="quality")
    >>> said.source_us, said.quality.value
    (1000000, 'uncertain')
    """
    if len(payload) > PAYLOAD_BYTES:
        raise PayloadError(f"has {len(payload)} bytes, more than {PAYLOAD_BYTES}")
    try:
        whole = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PayloadError(f"is no JSON: {show(error)}") from error
    if not isinstance(whole, dict):
        return Said(whole, None, Quality.GOOD)
    told = member(whole, time)
    source_us = None if told is MISSING or told is None else read_time(told, time_unit)
    dated = told is MISSING or told is None or source_us is not None
    return Said(whole, source_us, read_quality(member(whole, quality)), dated)


def member(whole: Any, path: str) -> Any:
    """Find a member by its path (`a.b` for a member of a member); `MISSING` where nothing stands.

    >>> member({"a": {"b": 1}}, "a.b"), member({"a": 1}, "b") is MISSING
    (1, True)
    """
    for step in path.split(".") if path else ():
        if not isinstance(whole, dict) or step not in whole:
            return MISSING
        whole = whole[step]
    return whole


def read_time(told: object, unit: TimeUnit = "s") -> int | None:
    """Read ISO 8601 with a zone, or a number of `unit`s since 1970, as microseconds UTC; None for what is no time.

    >>> read_time("1970-01-01T01:00:00+01:00"), read_time(1.5), read_time(1500, "ms"), read_time("noon")
    (0, 1500000, 1500000, None)
    """
    try:
        if isinstance(told, str):
            when = datetime.fromisoformat(told)
            return microseconds(when) if when.tzinfo else None
        if isinstance(told, int | float) and not isinstance(told, bool):
            return microseconds(moment(round(told * _A_UNIT_US[unit])))
    except (ValueError, OverflowError):
        pass
    return None


def read_quality(told: object) -> Quality:
    """Read a quality by its word, or as an OPC code: 192 and above good, 64 to 191 uncertain, below bad; unknown is uncertain.

    >>> [read_quality(told).value for told in (MISSING, "Good", 192, 68, 0, False, "odd")]
    ['good', 'good', 'good', 'uncertain', 'bad', 'bad', 'uncertain']
    """
    if told is MISSING or told is None:
        return Quality.GOOD
    if isinstance(told, bool):
        return Quality.GOOD if told else Quality.BAD
    if isinstance(told, int | float):
        return Quality.GOOD if told >= 192 else Quality.UNCERTAIN if told >= 64 else Quality.BAD
    try:
        return Quality(str(told).lower())
    except ValueError:
        return Quality.UNCERTAIN
