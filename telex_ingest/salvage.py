"""Read a frame part by part when it is not in good order as a whole: keep what is good, refuse the rest with its reason. Pure."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NamedTuple

import msgspec

from telex_ingest.refusals import WireError, refusal, show
from telex_ingest.telex import (
    Count,
    Death,
    ExpectedEffect,
    FromPlant,
    Hello,
    OrderBirth,
    PlantBirth,
    PlantCall,
    PlantStatement,
    Quality,
    Reading,
    Receipt,
    Refusal,
    Sheet,
    SignalBirth,
    Slug,
    Spool,
    Telex,
    TelexKind,
    Zoned,
)

UNDECODABLE = (msgspec.MsgspecError, ValueError, TypeError, RecursionError, OverflowError)
"""Whatever a parser may raise on bytes that somebody made up."""

MISTAKES = 500
"""After so many malformed parts the rest of a frame is not read: the work that a hostile frame can cause is bounded."""

SAID = 32
"""Refusals of one frame that are told; more are only counted."""

_HALF = re.compile("[\ud800-\udfff]")

PARTS: dict[str, type[msgspec.Struct]] = {
    "births": PlantBirth,
    "spools": Spool,
    "telexes": Telex,
    "sheets": Sheet,
    "receipts": Receipt,
    "calls": PlantCall,
    "statements": PlantStatement,
    "deaths": Death,
}

INNER: dict[tuple[type, str], type[msgspec.Struct]] = {
    (PlantBirth, "signals"): SignalBirth,
    (PlantBirth, "orders"): OrderBirth,
    (OrderBirth, "effects"): ExpectedEffect,
}


class Decoded(NamedTuple):
    """A frame's good parts, and what was refused in it.

    `spent` are refused telexes whose identity was readable: their numbers take their place without readings. `unsaid` counts
    the refusals by code that are not told because the frame had too many.
    """

    frame: FromPlant
    refusals: tuple[Refusal, ...] = ()
    spent: tuple[tuple[str, int, int], ...] = ()
    unsaid: int = 0


class _Identity(msgspec.Struct):
    """What is needed of a malformed telex to spend its number."""

    plant: Slug
    seq: Count
    epoch: Count = 1


class _Envelope(msgspec.Struct):
    """A telex without its readings."""

    plant: Slug
    seq: Count
    time: Zoned
    epoch: Count = 1
    kind: TelexKind = TelexKind.LIVE


class _Enough(Exception):  # noqa: N818 - a signal between two functions, no error
    """The frame has more mistakes than are worth reading on for."""


def salvage(frame: str | bytes, *, packed: bool) -> Decoded:
    """Decode a frame loosely. Raises `WireError` when it is no JSON object or MessagePack map at all."""
    raw = _parse(frame, packed=packed)
    if not isinstance(raw, dict):
        raise WireError("unreadable", "frame", f"expected an object, found {show(raw)}")
    reading = _Reading()
    try:
        return reading.frame(raw)
    except _Enough:
        reading.refusals.append(refusal("too-many-mistakes", f"stopped reading after {MISTAKES} mistakes"))
        return reading.decoded()


def unfit(value: object) -> str:
    """Tell what a decoded value holds, at any depth, that nobody could write down again; empty when it is fit.

    >>> unfit({"text": ["\\ud800"]}), unfit([float("nan")]), unfit({"text": "\U0001f3ed"})
    ('a text has half a character (a lone surrogate)', 'a figure is NaN or infinite', '')
    """
    stack: list[Any] = [value]
    while stack:
        part = stack.pop()
        if isinstance(part, float):
            if not math.isfinite(part):
                return "a figure is NaN or infinite"
        elif isinstance(part, str):
            # The standard parser takes the escape of half a character; no file, no wire and no screen would.
            if not part.isascii() and _HALF.search(part):
                return "a text has half a character (a lone surrogate)"
        elif isinstance(part, dict):
            stack.extend(part)
            stack.extend(part.values())
        elif isinstance(part, list | tuple):
            stack.extend(part)
    return ""


def _parse(frame: str | bytes, *, packed: bool) -> object:
    try:
        if packed and not isinstance(frame, str):
            return msgspec.msgpack.decode(frame)
        text = frame if isinstance(frame, str) else frame.decode("utf-8")
        # The standard parser takes NaN and Infinity, which many languages' writers emit; they have a rule of their own.
        return json.loads(text)
    except UNDECODABLE as error:
        raise WireError("unreadable", "frame", show(error)) from error


class _Reading:
    """One loose reading of one frame: what was good so far, and what was not."""

    def __init__(self) -> None:
        self.good: dict[str, list[Any]] = {name: [] for name in PARTS}
        self.hello: Hello | None = None
        self.refusals: list[Refusal] = []
        self.spent: list[tuple[str, int, int]] = []
        self.mistakes = 0

    def decoded(self) -> Decoded:
        frame = FromPlant(hello=self.hello, **{name: tuple(parts) for name, parts in self.good.items()})
        return Decoded(frame, tuple(self.refusals), tuple(self.spent), max(0, self.mistakes - SAID))

    def refuse(self, code: str, reason: str, identity: _Identity | None = None) -> None:
        self.mistakes += 1
        if self.mistakes > MISTAKES:
            self.mistakes -= 1
            raise _Enough
        if self.mistakes <= SAID:
            if identity is None:
                self.refusals.append(refusal(code, reason))
            else:
                self.refusals.append(
                    refusal(code, reason, plant=identity.plant, epoch=identity.epoch, seq=identity.seq)
                )

    def frame(self, raw: dict[Any, Any]) -> Decoded:
        known = [name for name in raw if name == "hello" or name in PARTS]
        if not known:
            raise WireError("empty", "frame", f"found {show(list(raw)[:5])}" if raw else "found nothing")
        for name in raw:
            if name not in known:
                self.refuse("unknown-member", f"{show(name)} in the frame")
        if raw.get("hello") is not None:
            self.hello = self.part(Hello, "hello", raw["hello"])
        for name, form in PARTS.items():
            parts = raw.get(name)
            if parts is None:
                continue
            if not isinstance(parts, list | tuple):
                self.refuse("malformed", f"{name}: expected a list, found {show(parts)}")
                continue
            good = self.good[name]
            for place, part in enumerate(parts):
                where = f"{name}[{place}]"
                whole = self.telex(where, part) if form is Telex else self.part(form, where, part)
                if whole is not None:
                    good.append(whole)
        return self.decoded()

    def part(self, form: type[msgspec.Struct], where: str, raw: object) -> Any:
        try:
            whole = msgspec.convert(raw, form)
        except UNDECODABLE as error:
            self.refuse("malformed", f"{where}: {show(error)}")
            return None
        if wrong := unfit(raw):
            self.refuse("malformed", f"{where}: {wrong}")
            return None
        self.unknown(form, where, raw)
        return whole

    def unknown(self, form: type[msgspec.Struct], where: str, raw: object) -> None:
        """Name the members that nobody reads: a misspelt one would else be lost in silence."""
        if not isinstance(raw, dict):
            return
        for name, value in raw.items():
            if name not in form.__struct_encode_fields__:
                self.refuse("unknown-member", f"{show(name)} in {where}")
            inner = INNER.get((form, name))
            if inner is not None:
                for place, part in enumerate(value):
                    self.unknown(inner, f"{where}.{name}[{place}]", part)

    def telex(self, where: str, raw: object) -> Telex | None:
        identity: _Identity | None = None
        try:
            identity = msgspec.convert(raw, _Identity)
            envelope = msgspec.convert(raw, _Envelope)
        except UNDECODABLE as error:
            if identity is not None:
                self.spent.append((identity.plant, identity.epoch, identity.seq))
            self.refuse("malformed", f"{where}: {show(error)}", identity)
            return None
        if not isinstance(raw, dict):
            return None
        for name in raw:
            if name not in Telex.__struct_encode_fields__:
                self.refuse("unknown-member", f"{show(name)} in {where}", identity)
        listed = raw.get("readings", ())
        if not isinstance(listed, list | tuple):
            self.spent.append((identity.plant, identity.epoch, identity.seq))
            self.refuse("malformed", f"{where}.readings: expected a list, found {show(listed)}", identity)
            return None
        return Telex(
            plant=envelope.plant,
            epoch=envelope.epoch,
            seq=envelope.seq,
            time=envelope.time,
            readings=self.readings(where, listed, identity),
            kind=envelope.kind,
        )

    def readings(self, where: str, listed: list[Any] | tuple[Any, ...], identity: _Identity) -> tuple[Reading, ...]:
        good: list[Reading] = []
        for place, raw in enumerate(listed):
            try:
                one = msgspec.convert(raw, Reading)
            except UNDECODABLE as error:
                self.refuse("bad-reading", f"{where}.readings[{place}]: {show(error)}", identity)
                continue
            if one.value is not None and not math.isfinite(one.value):
                self.refuse("not-finite", f"{where}.readings[{place}]: signal {one.signal} is {one.value}", identity)
                one = Reading(one.signal, None, Quality.BAD)
            good.append(one)
        return tuple(good)
