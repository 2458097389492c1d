"""The options of a motion: what the council can choose between, with what each of them promises. Pure.

A motion always holds *do nothing* and *give the unit more time*; each other option is one or several orders to one or several
plants, or a proposal of other terms for a plant's agreement, or both. The letters a, b, c ... are their ids, in the order in
which they stand on the sheet.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from opsroom.recursion.pact_events import Sights
from opsroom.recursion.recursion import Agreement
from telex_ingest.telex import OrderBirth


class OptionOrder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One order of an option: to which plant, as the plant had declared it when the motion was opened, with which parameters."""

    plant: str
    birth: OrderBirth
    parameters: dict[str, Any] = {}


class OptionTerms(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A part of a plant's agreement that an option would propose to it, beside what was agreed when that was written.

    `figures` of a `signal` (then `uom` is their unit): `before` and `terms`; which `orders` it would not accept: `declined` and
    `declines`; or `sight` of its readings. `version` is that of the agreement that stood. The plant consents, or nothing holds.
    """

    about: Literal["figures", "orders", "sight"]
    plant: str
    title: str = ""
    signal: str = ""
    uom: str = ""
    version: int = 0
    before: Agreement | None = None
    terms: Agreement | None = None
    declined: tuple[str, ...] = ()
    declines: tuple[str, ...] = ()
    sights: Sights | None = None

    @property
    def subject(self) -> tuple[str, str]:
        """What it is about: no option proposes two things about the same."""
        return self.about, self.signal or self.plant


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How forecasts of one kind did so far: how many were scored, how many fell in their bands, the sum of their CRPS.

    `void` counts those that could not be scored, because something else was done meanwhile or nothing was read.
    """

    scored: int = 0
    in50: int = 0
    in90: int = 0
    crps: float = 0.0
    void: int = 0


class OptionForecast(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an option is expected to do to one signal, frozen when the motion was opened, in the signal's unit.

    `rows` are (at, mean, low 50, high 50, low 90, high 90). `source` says from what they were reckoned: "filter" (nothing is
    done), "library" (what such orders did before: `effects` of them at `plants`, `left_out` more with a doubtful cause),
    "declared" (the plant's own word), "mixed", or "unknown" (no rows: nobody knows what the orders named in `unknown` do).
    `guesses` hold the same as (at, mean, variance, excess kurtosis), `effect` the orders' part alone, by seconds after them.
    `record` is how forecasts of this `kind` did before.
    """

    signal: str
    source: str = ""
    rows: tuple[tuple[float, float, float, float, float, float], ...] = ()
    kind: str = ""
    guesses: tuple[tuple[float, float, float, float], ...] = ()
    effect: tuple[tuple[float, float, float, float], ...] = ()
    effects: int = 0
    plants: int = 0
    left_out: int = 0
    unknown: tuple[str, ...] = ()
    record: Record | None = None


class Option(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One option of a motion: orders, other terms of agreements, more time for the unit (`extra_s` seconds), or nothing.

    `supersedes` are earlier orders that end when this option's orders are issued. One of `terms` alone is of the kind agreement.
    """

    id: str
    title: str
    kind: Literal["orders", "agreement", "time", "nothing"] = "orders"
    orders: tuple[OptionOrder, ...] = ()
    extra_s: float = 0.0
    supersedes: tuple[str, ...] = ()
    forecast: OptionForecast | None = None
    terms: tuple[OptionTerms, ...] = ()

    @property
    def plants(self) -> tuple[str, ...]:
        """The plants that it would order or propose something, as often as it would."""
        return (*(one.plant for one in self.orders), *(one.plant for one in self.terms))

    @property
    def dangerous(self) -> bool:
        """Whether a plant marked one of its orders dangerous."""
        return any(order.birth.danger == "dangerous" for order in self.orders)
