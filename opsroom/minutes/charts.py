"""The pictures of the minutes: evidence, the options' forecasts on the same axes, what came with and without an order. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from opsroom.council.attribution import Attribution
from opsroom.council.options import Option
from opsroom.minutes.picture import Area, Dot, Label, Picture, Point, Shape, Stroke
from opsroom.moments import zoned
from opsroom.room.news import Evidence
from opsroom.showing.sentences import figure

READ, EXPECTED, MARK, GRID = "#222222", "#2b6cb0", "#b7791f", "#d5d5d5"
COLOURS = ("#c05621", "#6b46c1", "#2f855a", "#b83280", "#2b6cb0")
"""One for each option, told apart also by its label; the last is doing nothing."""
BEFORE_SHARE = 0.8
"""How much of the past is drawn before a forecast, in parts of how far that looks ahead."""


class Canvas(NamedTuple):
    """How large a picture is and how much stays free about its axes, in points; `letter` is the size of its words.

    Without room to the right of the axes the names of the lines stand above their ends.
    """

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    letter: float

    @property
    def beside(self) -> bool:
        """Whether names stand beside the lines."""
        return self.right > 100.0


PAPER = Canvas(680.0, 250.0, 58.0, 150.0, 16.0, 26.0, 9.0)
"""For a page."""


class _Frame(NamedTuple):
    since: float
    until: float
    low: float
    high: float
    canvas: Canvas

    def x(self, at: float) -> float:
        space = self.canvas
        return space.left + (at - self.since) / (self.until - self.since) * (space.width - space.left - space.right)

    def y(self, value: float) -> float:
        space = self.canvas
        return space.top + (self.high - value) / (self.high - self.low) * (space.height - space.top - space.bottom)

    def at(self, at: float, value: float) -> Point:
        return self.x(at), min(max(self.y(value), self.canvas.top), self.canvas.height - self.canvas.bottom)


def evidence_picture(evidence: Evidence, opened_at: float) -> Picture | None:
    """The readings that a motion froze, where the filter had expected them, and what it foresaw without any order."""
    rows = [row for row in evidence.readings if row[1] is not None]
    if len(rows) < 2:
        return None
    forecast = evidence.forecast
    figures = [float(cell) for row in (*rows, *forecast) for cell in row[1:] if cell is not None]
    frame = _frame((row[0] for row in (*rows, *forecast)), figures)
    shapes = [*_axes(frame, evidence.uom)]
    banded = [(at, low, high) for at, _, low, high in rows if low is not None and high is not None]
    shapes += _band(frame, banded, EXPECTED, 0.18)
    shapes += _band(frame, [(at, low, high) for at, _, low, high in forecast], MARK, 0.22)
    if forecast:
        shapes.append(Stroke(tuple(frame.at(at, mean) for at, mean, _, _ in forecast), MARK, 1.5, 4))
        shapes += _names(frame, [(frame.at(0, forecast[-1][1])[1] + 3, "forecast, 90 %", MARK)])
    shapes += _readings(frame, [(at, float(value)) for at, value, _, _ in rows if value is not None])
    shapes += _mark(frame, opened_at, "motion")
    return Picture(
        frame.canvas.width,
        frame.canvas.height,
        tuple(shapes),
        f"Readings of {evidence.signal} when the motion was opened, with forecast",
    )


def fans_picture(evidence: Evidence | None, options: Sequence[Option], canvas: Canvas = PAPER) -> Picture | None:
    """What is expected of each option, on the same axes: the 90 % band pale, the 50 % band darker, the mean as a line."""
    known = [option for option in options if option.forecast is not None and option.forecast.rows]
    shown = [option for option in known if option.kind != "time"]  # nothing is ordered either: the same forecast
    if not shown:
        return None
    start = min(option.forecast.rows[0][0] for option in shown if option.forecast)
    end = max(option.forecast.rows[-1][0] for option in shown if option.forecast)
    past = [
        (at, value)
        for at, value, _, _ in (evidence.readings if evidence is not None else ())
        if value is not None and at >= start - BEFORE_SHARE * (end - start)
    ]
    figures = [cell for option in shown if option.forecast for row in option.forecast.rows for cell in row[1:]]
    frame = _frame([at for at, _ in past] + [start, end], figures + [value for _, value in past], canvas)
    shapes = [*_axes(frame, evidence.uom if evidence is not None else "")]
    labels: list[tuple[float, str, str]] = []
    for place, option in enumerate(sorted(shown, key=lambda one: one.kind == "nothing")):
        colour = COLOURS[-1] if option.kind == "nothing" else COLOURS[place % (len(COLOURS) - 1)]
        rows = option.forecast.rows if option.forecast is not None else ()
        shapes += _band(frame, [(row[0], row[4], row[5]) for row in rows], colour, 0.14)
        shapes += _band(frame, [(row[0], row[2], row[3]) for row in rows], colour, 0.24)
        shapes.append(Stroke(tuple(frame.at(row[0], row[1]) for row in rows), colour, 2.0))
        labels.append((frame.at(end, rows[-1][1])[1] + 3, f"{option.id}  {_short(option.title)}", colour))
    shapes += _readings(frame, past)
    shapes += _names(frame, labels)
    return Picture(frame.canvas.width, frame.canvas.height, tuple(shapes), "What is expected of each option")


def effect_picture(told: Attribution, came: Iterable[tuple[float, float]] = ()) -> Picture | None:
    """What would have come without an order (band of 95 %), and what came."""
    band = told.band
    if len(band) < 2 or told.mean is None:
        return None
    rows = list(came)
    line = [(at, mean + told.mean) for at, mean, _, _ in band]
    figures = [cell for row in band for cell in row[1:]] + [value for _, value in (rows or line)]
    frame = _frame([row[0] for row in band], figures)
    shapes = [*_axes(frame, "")]
    shapes += _band(frame, [(at, low, high) for at, _, low, high in band], EXPECTED, 0.2)
    shapes.append(Stroke(tuple(frame.at(at, mean) for at, mean, _, _ in band), EXPECTED, 1.5, 4))
    if rows:
        shapes += _readings(frame, rows)
    else:
        shapes.append(Stroke(tuple(frame.at(at, value) for at, value in line), READ, 2.0))
    labels = [
        (frame.at(0, band[-1][1])[1] + 3, "without the order", EXPECTED),
        (frame.at(0, line[-1][1])[1] + 3, "what came, on average", READ),
    ]
    shapes += _names(frame, labels)
    return Picture(
        frame.canvas.width,
        frame.canvas.height,
        tuple(shapes),
        "What came after the order, and what would have come without it",
    )


def two_ways_picture(
    really: Sequence[tuple[float, float]], rehearsed: Sequence[tuple[float, float]], at: float, uom: str
) -> Picture | None:
    """What really came and what came in a rehearsal, about the moment at which another decision was taken."""
    rows = [*really, *rehearsed]
    if len(rows) < 2:
        return None
    frame = _frame([t for t, _ in rows], [value for _, value in rows])
    shapes = [*_axes(frame, uom), *_readings(frame, really), *_mark(frame, at, "decision")]
    shapes.append(Stroke(tuple(frame.at(t, value) for t, value in rehearsed), COLOURS[3], 1.6))
    labels = [
        (frame.at(0, rows[-1][1])[1] + 3, text, colour)
        for rows, text, colour in ((really, "really", READ), (rehearsed, "REHEARSAL", COLOURS[3]))
        if rows
    ]
    shapes += _names(frame, labels)
    return Picture(
        frame.canvas.width, frame.canvas.height, tuple(shapes), "What really came, and what came in a rehearsal"
    )


def _frame(times: Iterable[float], figures: Sequence[float], canvas: Canvas = PAPER) -> _Frame:
    moments = list(times)
    low, high = min(figures), max(figures)
    room = (high - low) * 0.06 or max(abs(high), 1.0) * 0.05
    since, until = min(moments), max(moments)
    return _Frame(since, until if until > since else since + 1.0, low - room, high + room, canvas)


def _axes(frame: _Frame, uom: str) -> list[Shape]:
    shapes: list[Shape] = []
    space = frame.canvas
    for value in _ticks(frame.low, frame.high):
        y = frame.y(value)
        shapes.append(Stroke(((space.left, y), (space.width - space.right, y)), GRID, 0.6))
        shapes.append(Label((space.left - 5, y + space.letter / 3), figure(value), size=space.letter, anchor="end"))
    if uom:
        shapes.append(Label((4, space.letter + 1), uom, "#555555", space.letter))
    for share in (0.0, 0.25, 0.5, 0.75, 1.0) if space.beside else (0.12, 0.5, 0.88):
        at = frame.since + share * (frame.until - frame.since)
        words = f"{zoned(at):%H:%M}"
        shapes.append(Label((frame.x(at), space.height - 8), words, size=space.letter, anchor="middle"))
    return shapes


def _names(frame: _Frame, labels: Sequence[tuple[float, str, str]]) -> list[Shape]:
    """The names of lines, at (y, text, colour) of their ends: beside them, or above them where there is no room."""
    space = frame.canvas
    x, anchor, up = (
        (space.width - space.right + 6, "start", 0.0) if space.beside else (space.width - space.right - 3, "end", 8.0)
    )
    placed = _apart([(y - up, text, colour) for y, text, colour in labels], space.letter * 1.35)
    return [Label((x, y), text, colour, space.letter, anchor) for y, text, colour in placed]


def _ticks(low: float, high: float) -> list[float]:
    """Round figures between two ends, about five.

    >>> _ticks(0.0, 1.0), _ticks(41.0, 62.0)
    ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [45.0, 50.0, 55.0, 60.0])
    """
    rough = (high - low) / 5
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * part for part in (1, 2, 5, 10) if size * part >= rough * 0.8)
    first = math.ceil(low / step - 1e-9)
    return [round(step * n, 12) for n in range(first, math.floor(high / step + 1e-9) + 1)]


def _band(frame: _Frame, rows: Sequence[tuple[float, float, float]], colour: str, opacity: float) -> list[Shape]:
    if len(rows) < 2:
        return []
    top = [frame.at(at, high) for at, _, high in rows]
    return [Area((*top, *[frame.at(at, low) for at, low, _ in reversed(rows)]), colour, opacity)]


def _readings(frame: _Frame, rows: Sequence[tuple[float, float]]) -> list[Shape]:
    points = tuple(frame.at(at, value) for at, value in rows)
    if not points:
        return []
    return [Stroke(points, READ, 1.0), *(Dot(point, READ) for point in (points if len(points) <= 90 else ()))]


def _mark(frame: _Frame, at: float, text: str) -> list[Shape]:
    if not frame.since <= at <= frame.until:
        return []
    x = frame.x(at)
    top, bottom = frame.canvas.top, frame.canvas.height - frame.canvas.bottom
    return [Stroke(((x, top), (x, bottom)), MARK, 1.0, 3), Label((x - 3, top + 8), text, MARK, anchor="end")]


def _apart(labels: Sequence[tuple[float, str, str]], least: float = 12.0) -> list[tuple[float, str, str]]:
    """Move labels down until none covers another.

    >>> [y for y, _, _ in _apart([(50.0, "a", ""), (48.0, "b", "")])]
    [48.0, 60.0]
    """
    placed: list[tuple[float, str, str]] = []
    for y, text, colour in sorted(labels, key=lambda one: one[0]):
        placed.append((max(y, placed[-1][0] + least) if placed else y, text, colour))
    return placed


def _short(text: str, most: int = 24) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
