"""The evidence as one large figure: readings on the forecast band, the moment of change, what was expected without the order.

Gives plain Plotly JSON. Titles from the wire are escaped: Plotly reads a little markup in its text.
"""

from __future__ import annotations

import html as markup
from collections.abc import Sequence
from typing import Any

from dashboards import palette
from dashboards.printed import uom_of
from dashboards.words import say
from opsroom.views import AlarmView, MotionView, SignalView, zoned

FONT = "Atkinson, Verdana, sans-serif"
DOTTED = 120
"""The most readings that are drawn with a dot each."""

Points = Sequence[Sequence[float | None]]
"""Rows of (at, value, low, high), epoch seconds UTC and the signal's unit."""


def moment(at: float) -> str:
    """Tell epoch seconds as Plotly reads them, UTC; years before 1970 are fine.

    >>> moment(-2208988800.0)
    '1900-01-01 00:00:00'
    """
    return zoned(at).strftime("%Y-%m-%d %H:%M:%S")


def points(signal: SignalView | None, motion: MotionView | None) -> Points:
    """Take the readings frozen in a motion, or the newest of a signal when nothing is frozen yet."""
    if motion and motion.evidence.get("readings"):
        return [tuple(row) for row in motion.evidence["readings"]]
    return signal.recent if signal else ()


def figure(signal: SignalView | None, alarm: AlarmView | None, motion: MotionView | None) -> dict[str, Any]:
    """Draw the evidence of an alarm or of the motion on it.

    Bone is what was read, the blue ribbon where the filter expected it (90 %), the amber line the moment of change; dotted
    sky is what was to come without the order, and what came after the freeze is drawn thin.
    """
    rows = points(signal, motion)
    traces: list[dict[str, Any]] = []
    at = [moment(row[0]) for row in rows if row[0] is not None]
    if rows:
        traces += _band(at, [r[2] for r in rows], [r[3] for r in rows], palette.BLUE, say("evidence.band"))
        # Dots would run into each other where there are many readings.
        few = len(rows) <= DOTTED
        line = {"color": palette.BONE, "width": 2.5 if few else 1.6}
        mode = "lines+markers" if few else "lines"
        traces.append(_line(at, [r[1] for r in rows], line, say("evidence.readings"), mode=mode))
    forecast = motion.evidence.get("forecast", ()) if motion else ()
    if forecast:
        ahead = [moment(row[0]) for row in forecast]
        traces += _band(
            ahead,
            [r[2] for r in forecast],
            [r[3] for r in forecast],
            palette.SKY,
            say("evidence.without_band"),
            named=False,
        )
        line = {"color": palette.SKY, "width": 2.5, "dash": "dot"}
        traces.append(_line(ahead, [r[1] for r in forecast], line, say("evidence.without")))
    if motion and signal and rows:
        last = rows[-1][0] or 0.0
        later = [r for r in signal.recent if r[0] > last]
        if later:
            line = {"color": palette.ORANGE, "width": 2}
            traces.append(_line([moment(r[0]) for r in later], [r[1] for r in later], line, say("evidence.since")))
    if not rows:
        home = signal is not None and not signal.ground
        return {"data": [], "layout": _blank(say("evidence.home" if home else "evidence.none"))}
    shapes, notes = _marks(alarm, motion, rows[0][0] or 0.0)
    named = sum(1 for trace in traces if trace.get("showlegend", True))
    return {"data": traces, "layout": _layout(signal, alarm, shapes, notes, named)}


def _band(
    at: list[str], low: list[Any], high: list[Any], colour: str, name: str, named: bool = True
) -> list[dict[str, Any]]:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    edge = {"type": "scatter", "x": at, "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    fill = {"fill": "tonexty", "fillcolor": f"rgba({red},{green},{blue},0.26)", "name": name, "showlegend": named}
    return [{**edge, "y": low}, {**edge, "y": high, **fill}]


def _line(at: list[str], values: list[Any], line: dict[str, Any], name: str, mode: str = "lines") -> dict[str, Any]:
    trace: dict[str, Any] = {"type": "scatter", "x": at, "y": values, "mode": mode, "line": line, "name": name}
    if "markers" in mode:
        trace["marker"] = {"size": 5, "color": line["color"]}
    return trace


def _marks(
    alarm: AlarmView | None, motion: MotionView | None, first: float
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Draw the moments and the interval; a moment before the `first` reading is told at the edge, or it would squeeze them."""
    shapes: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    since = (motion.evidence.get("verdict") or {}).get("since") if motion else None
    since = since if isinstance(since, int | float) else alarm.since if alarm else None
    moments = [
        (since, palette.AMBER, say("evidence.change")),
        (motion.opened_at if motion else None, palette.ORANGE, say("evidence.motion")),
    ]
    for at, colour, text in moments:
        if at is None:
            continue
        if at < first:
            told = say("evidence.before", what=text, at=f"{zoned(at):%H:%M}")
            notes.append({"x": 0, "xref": "paper", "y": 1.0, "yref": "paper", "text": told, "showarrow": False,
                          "xanchor": "left", "yanchor": "bottom", "font": {"color": colour, "size": 15}})  # fmt: skip
            continue
        line = {"color": colour, "width": 2, "dash": "dash"}
        shapes.append(
            {"type": "line", "x0": moment(at), "x1": moment(at), "y0": 0, "y1": 1, "yref": "paper", "line": line}
        )
        anchor = "right" if not notes else "left"
        notes.append({"x": moment(at), "y": 1.0, "yref": "paper", "text": text, "showarrow": False, "xanchor": anchor,
                      "yanchor": "bottom", "font": {"color": colour, "size": 15}})  # fmt: skip
    if alarm and alarm.normal_low is not None and alarm.normal_high is not None:
        dotted = {"color": palette.LINE, "width": 1.5, "dash": "dot"}
        shapes += [
            {"type": "line", "x0": 0, "x1": 1, "xref": "paper", "y0": y, "y1": y, "line": dotted}
            for y in (alarm.normal_low, alarm.normal_high)
        ]
        note = {"x": 0, "xref": "paper", "y": alarm.normal_low, "text": say("evidence.normal"), "showarrow": False}
        look = {"font": {"color": palette.GREY, "size": 14}, "bgcolor": palette.PANEL, "opacity": 0.86}
        notes.append({**note, **look, "xanchor": "left", "yanchor": "top"})
    return shapes, notes


def _blank(text: str) -> dict[str, Any]:
    note = {
        "x": 0.5,
        "y": 0.5,
        "xref": "paper",
        "yref": "paper",
        "text": text,
        "showarrow": False,
        "font": {"size": 20},
    }
    font = {"family": FONT, "color": palette.GREY}
    clear = {"paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "font": font}
    return {**clear, "xaxis": {"visible": False}, "yaxis": {"visible": False}, "annotations": [note]}


def _layout(
    signal: SignalView | None,
    alarm: AlarmView | None,
    shapes: list[dict[str, Any]],
    notes: list[dict[str, Any]],
    named: int,
) -> dict[str, Any]:
    unit = uom_of(signal.uom if signal else alarm.uom if alarm else "")
    name = signal.title or signal.name if signal else ""
    axis = {
        "gridcolor": "#2e2722",
        "zeroline": False,
        "linecolor": palette.LINE,
        "tickcolor": palette.LINE,
        "ticks": "outside",
    }
    return {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 15, "color": palette.GREY},
        "margin": {"l": 76, "r": 24, "t": 34, "b": 62 + 24 * ((named + 1) // 2)},
        "xaxis": {**axis, "type": "date", "nticks": 7, "tickangle": 0},
        "yaxis": {**axis, "title": {"text": markup.escape(f"{name} ({unit})" if unit else name), "standoff": 12}},
        "legend": {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0, "xanchor": "left"},
        "hovermode": "x unified",
        "hoverlabel": {"bgcolor": palette.RAISED, "font": {"color": palette.BONE}},
        "dragmode": "pan",
        "shapes": shapes,
        "annotations": notes,
        "uirevision": (alarm.id if alarm else name) or "none",
    }
