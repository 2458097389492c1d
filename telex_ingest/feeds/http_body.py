"""What a posted body says: lines of the line protocol, or JSON, made into readings; what is bad by its line, the rest kept. Pure.

JSON is an object `{"time": "2026-01-01T08:00:00Z", "values": {"output": 17.5, "stock": null}, "quality": "good"}`, an
array of them, or one a line. `qualities` may name signals of another quality; a number as time counts seconds since 1970.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from telex_ingest.feed import FeedReading
from telex_ingest.feeds.line_protocol import BAD_LINES, BadLine, parse
from telex_ingest.feeds.mqtt_payload import MISSING, read_quality, read_time
from telex_ingest.feeds.points import Point, number
from telex_ingest.refusals import show

SERIES_NAMED = 100
"""Undeclared series that are named; more are counted."""


class FieldPoint(Point, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A signal in a body: in lines the `field` of a `measurement` whose tags are at least `tags`, in JSON its name.

    An empty `measurement` is the plant's id, an empty `field` the signal's name.
    """

    measurement: str = ""
    field: str = ""
    tags: dict[str, str] = msgspec.field(default_factory=dict)


class Read(NamedTuple):
    """What a body says: its readings, what was bad, undeclared series and how often each, and whether each reading has a time."""

    readings: list[FeedReading]
    bad: list[BadLine]
    more_bad: int
    undeclared: dict[str, int]
    timed: bool


class BodyError(Exception):
    """A body that cannot be read at all, with the HTTP status to answer."""

    def __init__(self, status: int, problem: str) -> None:
        super().__init__(status, problem)
        self.status = status
        self.problem = problem

    def __str__(self) -> str:
        return self.problem


class Declared:
    """The signals of the settings, found by what a body calls them."""

    def __init__(self, plant: str, signals: Mapping[str, FieldPoint]) -> None:
        self.signals = signals
        self._fields: dict[tuple[str, str], list[tuple[str, FieldPoint]]] = {}
        for name, point in signals.items():
            key = (point.measurement or plant, point.field or name)
            self._fields.setdefault(key, []).append((name, point))

    def lines(self, body: bytes, precision: str, now_us: int) -> Read:
        """Read the line protocol; a line without a time is of now."""
        read = parse(body, precision)
        bad, more = list(read.bad), read.more_bad
        readings: list[FeedReading] = []
        undeclared: dict[str, int] = {}
        timed = True
        for point in read.points:
            values: dict[str, float | None] = {}
            for field, raw in point.fields.items():
                found = self._fields.get((point.measurement, field), ())
                mine = [one for one in found if one[1].tags.items() <= point.tags.items()]
                if not mine:
                    _count(undeclared, f"{point.measurement} {field}")
                for name, signal in mine:
                    value = signal.figure(raw)
                    if raw is not None and value is None:
                        more += not _complain(bad, point.line, f"field {show(field)} is {show(raw)}, no number", "")
                    else:
                        values[name] = value
            if values:
                timed = timed and point.source_us is not None
                _add(readings, FeedReading(now_us if point.source_us is None else point.source_us, values))
        return Read(readings, sorted(bad), more, undeclared, timed)

    def json(self, body: bytes, now_us: int) -> Read:
        """Read an object, an array of objects, or an object a line; in an array the place of the object is its line."""
        readings: list[FeedReading] = []
        bad: list[BadLine] = []
        undeclared: dict[str, int] = {}
        more = 0
        timed = True
        for line, told in _objects(body):
            try:
                if isinstance(told, msgspec.DecodeError):
                    raise ValueError(f"it is no JSON: {show(told)}")
                reading, problems = self._object(told, now_us, undeclared)
            except ValueError as error:
                more += not _complain(bad, line, str(error), told)
                continue
            for problem in problems:
                more += not _complain(bad, line, problem, told)
            if reading is not None:
                timed = timed and told.get("time") is not None
                _add(readings, reading)
        return Read(readings, bad, more, undeclared, timed)

    def _object(self, told: Any, now_us: int, undeclared: dict[str, int]) -> tuple[FeedReading | None, list[str]]:
        if not isinstance(told, dict) or not isinstance(told.get("values"), dict):
            raise ValueError('it has no values; write {"time": ..., "values": {"signal": 17.5}}')
        time = told.get("time")
        source_us = now_us if time is None else read_time(time)
        if source_us is None:
            raise ValueError(f"its time is {show(time)}; write ISO 8601 with a zone, or seconds since 1970")
        values: dict[str, float | None] = {}
        problems: list[str] = []
        for name, raw in told["values"].items():
            signal = self.signals.get(name)
            if signal is None:
                _count(undeclared, name)
            elif raw is not None and number(raw) is None:
                problems.append(f"{name} is {show(raw)}, no number")
            else:
                values[name] = signal.figure(raw)
        if not values:
            return None, problems
        own = told.get("qualities")
        qualities = {name: read_quality(word) for name, word in own.items()} if isinstance(own, dict) else {}
        quality = read_quality(told.get("quality", MISSING))
        return FeedReading(
            source_us,
            values,
            quality=quality,
            qualities={name: word for name, word in qualities.items() if name in values},
        ), problems


def unpacked(body: bytes, encoding: str, limit: int) -> bytes:
    """Unpack a body by its Content-Encoding; raises `BodyError` for one that grows beyond the limit or is damaged."""
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "deflate"):
        raise BodyError(415, f"the Content-Encoding {encoding[:20]!r} is not known; use gzip, deflate or none")
    unpacking = zlib.decompressobj(wbits=47 if encoding == "gzip" else 15)
    try:
        whole = unpacking.decompress(body, limit + 1)
    except zlib.error as error:
        raise BodyError(400, f"the body is no {encoding}: {error}") from None
    if len(whole) > limit:
        raise BodyError(413, f"the body unpacks to more than {limit} bytes; send smaller ones")
    if not unpacking.eof:
        raise BodyError(400, f"the body ends in the middle of its {encoding}")
    return whole


def _objects(body: bytes) -> Iterable[tuple[int, Any]]:
    try:
        whole = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        for line, raw in enumerate(body.split(b"\n"), start=1):
            if raw.strip():
                yield line, _decoded(raw)
    else:
        yield from enumerate(whole, start=1) if isinstance(whole, list) else [(1, whole)]


def _decoded(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (UnicodeDecodeError, RecursionError) as error:
        return msgspec.DecodeError(str(error))
    except msgspec.DecodeError as error:
        return error


def _add(readings: list[FeedReading], one: FeedReading) -> None:
    """Add a reading; one of the same moment about other signals joins the one before."""
    last = readings[-1] if readings else None
    together = last is not None and (last.source_us, last.quality) == (one.source_us, one.quality)
    if last is None or not together or last.values.keys() & one.values.keys():
        readings.append(one)
        return
    values, qualities = {**last.values, **one.values}, {**last.qualities, **one.qualities}
    readings[-1] = last._replace(values=values, qualities=qualities)


def _complain(bad: list[BadLine], line: int, problem: str, told: Any) -> bool:
    if len(bad) >= BAD_LINES:
        return False
    bad.append(BadLine(line, problem, show(told)[:80] if told else ""))
    return True


def _count(undeclared: dict[str, int], series: str) -> None:
    series = series[:80]
    if series in undeclared or len(undeclared) < SERIES_NAMED:
        undeclared[series] = undeclared.get(series, 0) + 1
    else:
        undeclared["(others)"] = undeclared.get("(others)", 0) + 1
