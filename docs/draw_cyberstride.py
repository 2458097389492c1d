"""Draw the pictures of `docs/cyberstride.md` anew, into `docs/pictures`: `.venv/bin/python docs/draw_cyberstride.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from cyberstride import Filter
from cyberstride import budget as budgets
from cyberstride import watch as watches
from cyberstride.verdict import STEP, SUSPECTED, Verdicts

FOLDER = Path(__file__).parent / "pictures"
BLUE, RED, ORANGE, GREY, GREEN = "#3d5a80", "#d1495b", "#e08e2b", "#9a9a9a", "#4f8f5b"
REGIME_COLOURS = {"steady": GREY, "transient": BLUE, "step": RED, "slope": ORANGE}


def picture(rows: int, height: float) -> tuple[Figure, Any]:
    """A figure with `rows` panels below each other."""
    figure = Figure(figsize=(8, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, 1, sharex=True, squeeze=False)[:, 0]


def banded(axis: Any, at: Any, values: Any, verdicts: Verdicts, lane: int = 0) -> None:
    """Readings and the band that was forecast for them."""
    low, high = verdicts.low[:, lane], verdicts.high[:, lane]
    axis.fill_between(at, low, high, color="#9ecae1", alpha=0.6, lw=0, label="forecast, 90 %")
    axis.plot(at, values, ".", ms=3, color="#222222", label="readings")


def nile() -> None:
    """The flow of the Nile: what the filter believes year by year, and what it names."""
    from statsmodels.datasets import nile as data

    table = data.load_pandas().data
    year, flow = table["year"].to_numpy(int), table["volume"].to_numpy(float)
    verdicts = Filter().run(flow)
    figure, (upper, lower) = picture(2, 4.2)
    banded(upper, year, flow, verdicts)
    for t in np.flatnonzero(verdicts.announced[:, 0] & (verdicts.named[:, 0] > SUSPECTED)):
        since = year[t] - verdicts.onset_back[t, 0]
        upper.axvline(since, color=RED, lw=1, label=f"step of {since}, named in {year[t]}")
    upper.set_ylabel("10^8 m3 a year")
    upper.legend(fontsize=7, frameon=False, ncols=3)
    p = np.nan_to_num(verdicts.p_back[:, 0])
    lower.stackplot(year, p.T, colors=list(REGIME_COLOURS.values()), labels=list(REGIME_COLOURS), lw=0)
    lower.set_ylim(0, 1)
    lower.set_ylabel("P(regime), a year later")
    lower.legend(fontsize=7, frameon=True, ncols=4, loc="lower left")
    figure.savefig(FOLDER / "nile.png", dpi=90)


def regimes() -> None:
    """One series with a transient, a step and a slope, and their names."""
    rng = np.random.default_rng(1971)
    values = rng.normal(20, 1, 120)
    values[30] += 8
    values[55:] += 5
    values[85:] -= 0.8 * np.arange(1, 36)
    verdicts = Filter().run(values)
    figure, (axis,) = picture(1, 2.6)
    banded(axis, np.arange(120), values, verdicts)
    for change in Filter().changes(values):
        axis.axvline(change.since, color=REGIME_COLOURS.get(change.what, GREEN), lw=1)
        axis.annotate(
            f"{change.what}\nnamed {change.row - change.since} later",
            (change.since, 1),
            xycoords=("data", "axes fraction"),
            fontsize=7,
            va="top",
        )
    axis.set_ylim(-12, 40)
    figure.savefig(FOLDER / "regimes.png", dpi=90)


def season() -> None:
    """A daily sine without and with its season."""
    rng = np.random.default_rng(7)
    day = 2 * np.pi * np.arange(48 * 14) / 48
    values = 100 + 8 * np.sin(day) + rng.normal(size=len(day))
    values[-20:] += 6
    figure, axes = picture(2, 4.2)
    for axis, periods, title in zip(
        axes, ((), (48,)), ("without a season", "with a season of 48 readings"), strict=True
    ):
        one = Filter(periods=periods)
        verdicts = one.run(values)
        banded(axis, np.arange(len(day)) / 48, values, verdicts)
        told = np.flatnonzero(verdicts.announced[:, 0] & (verdicts.named[:, 0] == STEP))
        for t in told:
            axis.axvline(t / 48, color=RED, lw=0.8)
        axis.set_title(f"{title}: {len(told)} steps named", loc="left", fontsize=9)
        axis.set_ylim(80, 122)
    axes[-1].set_xlabel("days; one step is real, in the last ten hours")
    figure.savefig(FOLDER / "season.png", dpi=90)


def tails() -> None:
    """How often which score comes, for three kinds of noise: calibrated tails make them agree."""
    rng = np.random.default_rng(3)
    figure, (axis,) = picture(1, 2.8)
    kinds = {
        "Gaussian": rng.normal(size=(3000, 60)),
        "Student t5": rng.standard_t(5, size=(3000, 60)),
        "counts": rng.poisson(3.0, size=(3000, 60)).astype(float),
    }
    for (name, table), colour in zip(kinds.items(), (BLUE, RED, ORANGE), strict=True):
        watch, kept = watches.newborn(60), []
        for row in table:
            watch, evidence = watches.attend(watch, row)
            kept.append(evidence)
        said = np.array(kept)
        size = np.sort(np.abs(said[300:, :, watches.LEVEL]).ravel())[::-1]
        axis.semilogy(size, np.arange(1, len(size) + 1) / len(size), ":", color=colour, label=f"{name}, evidence")
        found = budgets.tails_of(said[300:])
        axis.semilogy(found.scores, found.rate, "-", color=colour, label=f"{name}, episodes above a score")
    axis.set_xlim(0, 14)
    axis.set_ylim(1e-6, 1)
    axis.set_xlabel("evidence in learned deviations (dotted), score (full)")
    axis.set_ylabel("share of readings")
    axis.legend(fontsize=7, frameon=False, ncols=3)
    figure.savefig(FOLDER / "tails.png", dpi=90)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    with mpl.rc_context({"font.size": 8, "axes.spines.top": False, "axes.spines.right": False}):
        for draw in (nile, regimes, season, tails):
            draw()
