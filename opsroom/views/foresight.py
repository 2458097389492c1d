"""The rows of foresight: how forecasts did, kind by kind, and how orders ended."""

from __future__ import annotations

from opsroom.views.view import View


class ForecastKindView(View, frozen=True, kw_only=True):
    """One kind of forecast: how many were scored, how many fell in their bands, the mean CRPS in the signal's unit.

    `said` tells it in a sentence; `void` counts those that could not be scored.
    """

    kind: str
    said: str
    scored: int
    in50: int
    in90: int
    void: int
    crps: float | None = None


class ForecastsView(View, frozen=True, kw_only=True):
    """How the council's forecasts did, and how its orders ended, as the filter saw it (obeyed, refused, ignored ...)."""

    kinds: tuple[ForecastKindView, ...]
    endings: dict[str, int]
