"""A point: one figure of a foreign plant (a topic, a metric, a node, a register) as a signal of ours, scaled. I/O: secrets."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping

from telex_ingest.feed import FeedError
from telex_ingest.feed_settings import SignalSetting


class Point(SignalSetting, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One figure of a foreign plant as a signal: value = raw x `scale` + `offset`, in `unit`."""

    scale: float = 1.0
    offset: float = 0.0

    def figure(self, raw: object) -> float | None:
        """Make the signal's value of what the source gave; None when it is missing or no finite number."""
        value = number(raw)
        if value is None:
            return None
        scaled = value * self.scale + self.offset
        return scaled if math.isfinite(scaled) else None


def number(raw: object) -> float | None:
    """Read what a source calls a figure: numbers, booleans, numbers in text; None for anything else and for what is not finite.

    >>> number(True), number(" 17.5 "), number("on"), number(float("nan"))
    (1.0, 17.5, None, None)
    """
    if not isinstance(raw, bool | int | float | str):
        return None
    try:
        value = float(raw)
    except (ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None


def secret(feed: str, variable: str, environment: Mapping[str, str] | None = None) -> str | None:
    """Read a secret from the environment; an empty name means that there is none. Raises `FeedError` when it is not set."""
    if not variable:
        return None
    found = (os.environ if environment is None else environment).get(variable)
    if found is None:
        raise FeedError(feed, f"the environment has no {variable}", "set it before the feed starts")
    return found


def missing_extra(feed: str, extra: str, error: ImportError) -> FeedError:
    """Say which extra a feed needs."""
    return FeedError(feed, f"it needs the package {error.name}", f"install opsroom[{extra}]")
