"""What a person writes so that a foreign plant takes orders: whom it believes, and what each order writes. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from telex_ingest.feed_settings import SettingsError
from telex_ingest.feeds.points import number
from telex_ingest.proof import Pin
from telex_ingest.telex import ExpectedEffect, OrderBirth, Slug


class Trust(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose orders are obeyed: the room's id and its public key, from the ticket of `opsroom link add`; and the ledger's file."""

    room: str
    key: str
    ledger: Path

    def pin(self) -> Pin:
        """The pin to verify against."""
        return Pin(room=self.room, key=self.key)


class Target(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order that the plant accepts, and what it writes; a bridge adds by inheritance where.

    Written is the order's `parameter`, a number from `low` to `high` (these limits hold, whatever the room says), or without one
    the `constant`. As for a signal, value = raw x `scale` + `offset`. Done is what the read-back shows within `within_s` seconds,
    to `tolerance`.
    """

    title: str
    danger: Literal["none", "caution", "dangerous"] = "none"
    parameter: Slug | None = None
    low: float | None = None
    high: float | None = None
    constant: float | None = None
    scale: float = 1.0
    offset: float = 0.0
    tolerance: Annotated[float, Meta(ge=0)] = 0.0
    within_s: Annotated[float, Meta(gt=0)] = 10.0
    effects: tuple[ExpectedEffect, ...] = ()

    def birth(self, name: str) -> OrderBirth:
        """Declare the order, with the JSON Schema of its parameter."""
        schema: dict[str, Any] = {}
        if self.parameter is not None:
            limits = {"minimum": self.low, "maximum": self.high}
            shape = {"type": "number"} | {key: value for key, value in limits.items() if value is not None}
            schema = {
                "type": "object",
                "properties": {self.parameter: shape},
                "required": [self.parameter],
                "additionalProperties": False,
            }
        return OrderBirth(name=name, title=self.title, parameters=schema, danger=self.danger, effects=self.effects)

    def wanted(self, parameters: Mapping[str, Any]) -> float:
        """The value that an order asks for. Raises `ValueError` with the reason to refuse it."""
        if self.parameter is None:
            if parameters:
                raise ValueError("the order takes no parameters")
            return float(self.constant or 0.0)
        told = parameters.get(self.parameter)
        if set(parameters) != {self.parameter} or isinstance(told, bool | str) or (value := number(told)) is None:
            raise ValueError(f"the order takes one number, {self.parameter}")
        if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            raise ValueError(
                f"{self.parameter} = {value:g} is beyond the plant's own limits, {self.low} to {self.high}"
            )
        return value

    def raw(self, value: float) -> float:
        """What is written for a value."""
        return (value - self.offset) / self.scale

    def shows(self, value: float, raw: object) -> bool:
        """Say whether a raw figure that was read back is the value, to the tolerance and the precision of 32 bits."""
        read = number(raw)
        return read is not None and math.isclose(
            read * self.scale + self.offset, value, rel_tol=1e-6, abs_tol=max(self.tolerance, 1e-9)
        )


def order_births(feed: str, orders: Mapping[str, Target], trust: Trust | None) -> tuple[OrderBirth, ...]:
    """Declare the orders. Raises `SettingsError` for orders without trust, or one that writes nothing."""
    if orders and trust is None:
        raise SettingsError(feed, "trust", None, "it takes orders, but believes nobody", "add room, key and ledger")
    for name, target in orders.items():
        if (target.parameter is None) == (target.constant is None) or target.scale == 0:
            where = f"orders.{name}"
            raise SettingsError(
                feed, where, None, "it has nothing to write", "give a parameter or a constant, and a scale"
            )
    return tuple(target.birth(name) for name, target in orders.items())
