"""The picture that `opsroom detect --plot` writes: readings, forecast band, named changes, news."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from opsroom.detection.judging import PLANT
from opsroom.detection.sketch import Sketch

__all__ = ["draw"]

Floats = NDArray[np.float64]
MOST_PANELS = 12
"""Signals shown; of more the plant as a whole and those with the most news."""
_COLOURS = {
    "transient": "#7a7a7a",
    "step": "#d1495b",
    "slope": "#e08e2b",
    "variance": "#6a4c93",
    "stuck": "#3d5a80",
    "drift": "#b5651d",
    "out_of_range": "#000000",
}
_MARKS = {"transient": ":", "step": "-", "slope": "--", "variance": "-.", "stuck": "-.", "drift": "--"}


def draw(
    path: Path,
    title: str,
    signals: list[str],
    sketch: Sketch,
    changes: list[tuple[int, int, str]],
    ends: tuple[str, str],
) -> None:
    """Write the picture to `path`; its format follows from the name's ending. `ends`: first and last timestamp."""
    names = [*signals, *([PLANT] if len(signals) > 1 else [])]
    lanes = list(range(len(names)))
    if len(lanes) > MOST_PANELS:
        total = {lane: float(sum(sketch.column("news", lane) > 0.5)) for lane in lanes[:-1]}
        lanes = [*sorted(sorted(total, key=lambda lane: -total[lane])[: MOST_PANELS - 1]), lanes[-1]]
    with mpl.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(12, 1.2 + 2.6 * len(lanes)), layout="constrained")
        FigureCanvasAgg(figure)
        grid = figure.subplots(
            2 * len(lanes), 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": [4, 1] * len(lanes)}
        )
        places = sketch.places()
        for number, lane in enumerate(lanes):
            upper, lower = grid[2 * number, 0], grid[2 * number + 1, 0]
            upper.fill_between(
                places,
                sketch.column("low", lane),
                sketch.column("high", lane),
                color="#9ecae1",
                alpha=0.6,
                linewidth=0,
                label="forecast, 90 %",
            )
            upper.plot(places, sketch.column("value_high", lane), color="#222222", linewidth=0.7, label="readings")
            if sketch.stride > 1:
                upper.plot(places, sketch.column("value_low", lane), color="#222222", linewidth=0.7)
            upper.set_ylim(*_span(sketch.column("value_low", lane), sketch.column("value_high", lane)))
            told: set[str] = set()
            for row, of, name in changes:
                if of == lane:
                    label = None if name in told else name
                    upper.axvline(row, color=_COLOURS[name], linestyle=_MARKS.get(name, "-"), linewidth=1, label=label)
                    told.add(name)
            upper.set_title(names[lane] if names[lane] != PLANT else "the plant as a whole", loc="left")
            if len(places):
                upper.legend(loc="upper left", ncols=5, frameon=False, fontsize=7)
            lower.fill_between(places, 0, sketch.column("news", lane), color="#d1495b", step="mid", label="news")
            lower.plot(places, sketch.column("wrong", lane), color="#3d5a80", linewidth=0.8, label="wrong")
            lower.axhline(0.5, color="#999999", linewidth=0.5)
            lower.set_ylim(0, 1)
            if number == 0:
                lower.legend(loc="upper left", ncols=2, frameon=False, fontsize=7)
        grid[-1, 0].set_xlabel(f"row, from {ends[0]} to {ends[1]}" if ends[0] else "row")
        figure.suptitle(title)
        figure.savefig(path, dpi=110)


def _span(low: Floats, high: Floats) -> tuple[float, float]:
    """The range of the readings with some air: a band that is wide for a moment must not flatten them."""
    known = np.concatenate([low, high])
    known = known[np.isfinite(known)]
    if not known.size:
        return 0.0, 1.0
    least, most = float(known.min()), float(known.max())
    air = 0.35 * (most - least) or abs(most) * 0.1 or 1.0
    return least - 0.5 * air, most + air
