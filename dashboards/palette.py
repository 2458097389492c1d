"""The room's colours, what each is for, and the contrast that they keep: pure values, shared by figures and style sheet.

`assets/room.css` declares the same colours as custom properties; a test keeps the two alike. Contrast follows WCAG 2.2
(relative luminance of sRGB): 4.5 for text, 3.0 for large text and for shapes that mean something.
"""

from __future__ import annotations

from typing import NamedTuple

GROUND = "#14110f"
PANEL = "#1e1a17"
RAISED = "#2a2320"
BROWN = "#5b4636"
LINE = "#8a7560"
BONE = "#f2ede4"
GREY = "#b5ada2"
AMBER = "#f0a500"
VERMILION = "#e4572e"
ORANGE = "#f07f2e"
SKY = "#56b4e9"
BLUE = "#3f8fc4"
GREEN = "#35b58c"
INK = "#14110f"

COLOURS: dict[str, str] = {
    "ground": GROUND,
    "panel": PANEL,
    "raised": RAISED,
    "brown": BROWN,
    "line": LINE,
    "bone": BONE,
    "grey": GREY,
    "amber": AMBER,
    "vermilion": VERMILION,
    "orange": ORANGE,
    "sky": SKY,
    "blue": BLUE,
    "green": GREEN,
    "ink": INK,
}
"""Every colour by the name of its custom property; `brown` is decoration and never means anything."""

TEXT_PAIRS: tuple[tuple[str, str], ...] = (
    ("bone", "ground"),
    ("bone", "panel"),
    ("bone", "raised"),
    ("grey", "ground"),
    ("grey", "panel"),
    ("grey", "raised"),
    ("amber", "ground"),
    ("amber", "panel"),
    ("vermilion", "ground"),
    ("vermilion", "panel"),
    ("orange", "ground"),
    ("orange", "panel"),
    ("sky", "ground"),
    ("sky", "panel"),
    ("green", "ground"),
    ("green", "panel"),
    ("ink", "amber"),
    ("ink", "vermilion"),
    ("ink", "orange"),
    ("ink", "bone"),
    ("ink", "sky"),
)
"""(text, ground) pairs that the style sheet sets: each keeps 4.5."""

SHAPE_PAIRS: tuple[tuple[str, str], ...] = (
    ("line", "ground"),
    ("line", "panel"),
    ("blue", "ground"),
    ("blue", "panel"),
    ("sky", "raised"),
    ("amber", "raised"),
    ("vermilion", "raised"),
    ("orange", "raised"),
)
"""(shape, ground) pairs of lines, bars and marks that mean something: each keeps 3.0."""


class Look(NamedTuple):
    """How one state of a unit or signal is drawn: shape, fill and ink by colour name; the word stands in `words`."""

    shape: str
    fill: str
    ink: str


LOOKS: dict[str, Look] = {
    "calm": Look("ring", "panel", "bone"),
    "suspected": Look("diamond", "raised", "amber"),
    "alarm": Look("triangle", "amber", "ink"),
    "called": Look("square", "vermilion", "ink"),
    "silent": Look("dash", "ground", "grey"),
    "stopped": Look("bars", "ground", "grey"),
    "unknown": Look("dot", "ground", "grey"),
}
"""State -> look. No two states share a shape, so that no state is told by colour alone."""


def luminance(colour: str) -> float:
    """Tell the relative luminance (0..1) of a colour written `#rrggbb` (WCAG 2.2).

    >>> round(luminance("#ffffff"), 3)
    1.0
    """
    shares = []
    for start in (1, 3, 5):
        share = int(colour[start : start + 2], 16) / 255
        shares.append(share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4)
    red, green, blue = shares
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Tell the contrast ratio (1..21) of two colours written `#rrggbb` (WCAG 2.2).

    >>> round(contrast("#000000", "#ffffff"))
    21
    """
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def properties() -> str:
    """Tell the colours as the CSS declarations that `assets/room.css` must hold.

    >>> properties().splitlines()[0]
    '--ground: #14110f;'
    """
    return "\n".join(f"--{name}: {colour};" for name, colour in COLOURS.items())
