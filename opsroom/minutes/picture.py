"""A picture as a list of simple shapes, and how it is written as SVG. Pure.

Lengths are in points, the origin is top left. The same shapes are drawn on the PDF's pages.
"""

from __future__ import annotations

from html import escape
from typing import NamedTuple

Point = tuple[float, float]


class Stroke(NamedTuple):
    """A line through points."""

    points: tuple[Point, ...]
    colour: str
    width: float = 1.5
    dash: float = 0.0


class Area(NamedTuple):
    """A filled polygon."""

    points: tuple[Point, ...]
    colour: str
    opacity: float = 0.25


class Dot(NamedTuple):
    """A reading."""

    at: Point
    colour: str
    radius: float = 1.6


class Label(NamedTuple):
    """Words; `anchor` is start, middle or end."""

    at: Point
    text: str
    colour: str = "#222222"
    size: float = 9.0
    anchor: str = "start"


Shape = Stroke | Area | Dot | Label


class Picture(NamedTuple):
    """Shapes on a canvas, and what they show in words, for people who do not see them."""

    width: float
    height: float
    shapes: tuple[Shape, ...]
    title: str


def svg(picture: Picture) -> str:
    """Write a picture as SVG that asks nothing of anybody: no script, no font, no address; every text is escaped.

    >>> svg(Picture(10.0, 5.0, (Label((1.0, 2.0), "<b>"),), 'a "quote"'))[:96]
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 5" role="img" aria-label="a &quot;quote&'
    """
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {picture.width:g} {picture.height:g}" role="img" '
        f'aria-label="{escape(picture.title)}" font-family="sans-serif">'
    )
    return head + "".join(_shape(shape) for shape in picture.shapes) + "</svg>"


def _shape(shape: Shape) -> str:
    match shape:
        case Stroke(points, colour, width, dash):
            dashed = f' stroke-dasharray="{dash:g}"' if dash else ""
            drawn = f'points="{_points(points)}" fill="none" stroke="{escape(colour)}" stroke-width="{width:g}"{dashed}'
            return f"<polyline {drawn}/>"
        case Area(points, colour, opacity):
            return f'<polygon points="{_points(points)}" fill="{escape(colour)}" fill-opacity="{opacity:g}"/>'
        case Dot((x, y), colour, radius):
            return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{escape(colour)}"/>'
        case Label((x, y), text, colour, size, anchor):
            return (
                f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{escape(colour)}" '
                f'text-anchor="{escape(anchor)}">{escape(text)}</text>'
            )


def _points(points: tuple[Point, ...]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
