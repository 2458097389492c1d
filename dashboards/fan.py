"""What is expected of an option, drawn as a small fan: every option of a motion on the same axes. Pure.

A picture holds figures alone, no text from the wire; what it says stands beside it in words.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from dashboards import palette
from dashboards.printed import number, time_of
from opsroom.views import AlarmView, MotionView

WIDTH, HEIGHT = 250.0, 104.0
LEFT, RIGHT, TOP, BOTTOM = 42.0, 6.0, 6.0, 18.0
BEFORE_SHARE = 0.8
"""How much of the past is drawn before a forecast, in parts of how far that looks ahead."""

Rows = Sequence[Sequence[float]]
"""Rows of (at, mean, low 50, high 50, low 90, high 90), epoch seconds UTC and the signal's unit."""


class Scale(NamedTuple):
    """The axes that all options of a motion share: from when to when, from what to what, and when the forecasts begin."""

    since: float
    until: float
    low: float
    high: float
    start: float

    def x(self, at: float) -> float:
        """Where a moment stands."""
        return LEFT + (at - self.since) / (self.until - self.since) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """Where a value stands, kept within the axes."""
        share = (self.high - value) / (self.high - self.low)
        return TOP + min(max(share, 0.0), 1.0) * (HEIGHT - TOP - BOTTOM)


def rows_of(forecast: Mapping[str, Any] | None) -> Rows:
    """The rows of an option's forecast, none where nobody knows."""
    return [tuple(row) for row in (forecast or {}).get("rows", ())]


def past_of(motion: MotionView, start: float, end: float) -> list[tuple[float, float]]:
    """The frozen readings that lie close enough before the forecasts."""
    least = start - BEFORE_SHARE * (end - start)
    rows = motion.evidence.get("readings", ())
    return [(row[0], row[1]) for row in rows if row[1] is not None and row[0] >= least]


def scale_of(motion: MotionView, alarm: AlarmView | None) -> Scale | None:
    """The axes of a motion's options, or `None` where nothing was foreseen; what was normal lies within them."""
    known = [rows for one in motion.options if (rows := rows_of(one.forecast))]
    if not known:
        return None
    step = known[0][1][0] - known[0][0][0] if len(known[0]) > 1 else 60.0
    start, end = min(rows[0][0] for rows in known) - step, max(rows[-1][0] for rows in known)
    past = past_of(motion, start, end)
    values = [cell for rows in known for row in rows for cell in row[1:]] + [value for _, value in past]
    values += [level for level in normal(alarm) if math.isfinite(level)]
    low, high = min(values), max(values)
    room = 0.04 * (high - low) or 1.0
    return Scale(min([start, *(at for at, _ in past)]), end, low - room, high + room, start)


def normal(alarm: AlarmView | None) -> tuple[float, ...]:
    """The interval that was normal when the alarm opened."""
    if alarm is None or alarm.normal_low is None or alarm.normal_high is None:
        return ()
    return alarm.normal_low, alarm.normal_high


def picture(rows: Rows, scale: Scale, past: Sequence[tuple[float, float]], alarm: AlarmView | None) -> str:
    """Draw one option as an SVG in a `data:` address: bone the readings, pale nine times in ten, darker every second time."""
    parts = []
    for value in ticks(scale.low, scale.high):
        y = scale.y(value)
        parts.append(f'<path d="M{LEFT:g} {y:.1f}H{WIDTH - RIGHT:g}" stroke="#3a302a"/>')
        parts.append(f'<text x="{LEFT - 5:g}" y="{y + 4:.1f}" text-anchor="end">{number(value)}</text>')
    usual = normal(alarm)
    if usual:
        top, bottom = scale.y(usual[1]), scale.y(usual[0])
        height = max(bottom - top, 1.0)
        parts.append(
            f'<rect x="{LEFT:g}" y="{top:.1f}" width="{WIDTH - LEFT - RIGHT:g}" height="{height:.1f}"'
            f' fill="{palette.LINE}" fill-opacity=".28"/>'
        )
    fan = [(scale.start, *([past[-1][1]] * 5 if past else rows[0][1:])), *rows]
    for low, high, opacity in ((4, 5, 0.24), (2, 3, 0.5)):
        above = [f"{scale.x(row[0]):.1f} {scale.y(row[high]):.1f}" for row in fan]
        below = [f"{scale.x(row[0]):.1f} {scale.y(row[low]):.1f}" for row in reversed(fan)]
        parts.append(f'<path d="M{" L".join(above + below)}Z" fill="{palette.SKY}" fill-opacity="{opacity}"/>')
    parts.append(_stroke([(row[0], row[1]) for row in fan], scale, palette.SKY, 2.5))
    parts.append(_stroke(past, scale, palette.BONE, 1.5))
    x = scale.x(scale.start)
    parts.append(f'<path d="M{x:.1f} {TOP:g}V{HEIGHT - BOTTOM:g}" stroke="{palette.ORANGE}" stroke-dasharray="4 4"/>')
    parts += [
        f'<text x="{x:.1f}" y="{HEIGHT - 5:g}" text-anchor="middle">{time_of(scale.start)}</text>',
        f'<text x="{WIDTH - RIGHT:g}" y="{HEIGHT - 5:g}" text-anchor="end">{time_of(scale.until)}</text>',
    ]
    drawn = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" fill="none"'
        f' font-family="Verdana,sans-serif" font-size="12"><g>{"".join(parts)}</g></svg>'
    )
    return "data:image/svg+xml," + quote(drawn.replace("<text", f'<text fill="{palette.GREY}"'), safe="/:=,;' ")


def _stroke(line: Sequence[tuple[float, float]], scale: Scale, colour: str, width: float) -> str:
    if not line:
        return ""
    way = " L".join(f"{scale.x(at):.1f} {scale.y(value):.1f}" for at, value in line)
    return f'<path d="M{way}" stroke="{colour}" stroke-width="{width:g}" stroke-linejoin="round"/>'


def ticks(low: float, high: float) -> list[float]:
    """Two to four round values between two.

    >>> ticks(291.0, 446.0), ticks(0.1, 0.93)
    ([300.0, 350.0, 400.0], [0.2, 0.4, 0.6, 0.8])
    """
    size = 10.0 ** math.floor(math.log10(high - low))
    step = next(size * part for part in (0.2, 0.25, 0.5, 1.0, 2.0, 2.5) if (high - low) / (size * part) < 4.5)
    first = math.ceil(low / step)
    return [round(step * n, 10) for n in range(first, math.floor(high / step) + 1)]
