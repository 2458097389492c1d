"""What has become of forecasts and of orders: scored, ended (see `events`)."""

from __future__ import annotations

from typing import Literal

from opsroom.room.event import Event

Ending = Literal["obeyed", "refused", "ignored", "reversed", "cannot-tell", "revoked", "superseded", "unanswered"]
"""How an order ended, as the filter saw it."""


class ForecastScored(Event, frozen=True, kw_only=True, omit_defaults=True, tag="forecast-scored"):
    """The time that a forecast was for has come: what was read then, and how the forecast stands beside it.

    `of` is the kind of forecast (see `options.OptionForecast`). `value` and `crps` are `None` when it cannot be scored, and
    `reason` says why: something else was done, or nothing was read.
    """

    motion: str
    option: str
    of: str
    signal: str
    due: float
    mean: float
    band50: tuple[float, float]
    band90: tuple[float, float]
    value: float | None = None
    crps: float | None = None
    reason: str = ""


class OrderEnded(Event, frozen=True, kw_only=True, omit_defaults=True, tag="order-ended"):
    """How an order ended: obeyed only when the filter saw the change, whatever the plant said; refused, ignored, reversed ..."""

    order: str
    motion: str
    ending: Ending
    reason: str = ""
