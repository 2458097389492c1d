"""Whether two pages of minutes are the same, and the first words in which they are not. Pure."""

from __future__ import annotations

from itertools import zip_longest

_AROUND = 30
"""So many characters are told before the place where two lines part, and twice as many behind it."""


def unlike(page: str, anew: str) -> str | None:
    """Tell where a page first differs from the one that the journal gives; `None` when they are the same.

    >>> unlike("<p>We wait.</p>", "<p>We wait.</p>")
    >>> unlike("<p>We wait.</p>", "<p>We act.</p>")
    "line 1 of the page was changed: it says '<p>We wait.</p>', the journal says '<p>We act.</p>'"
    >>> unlike("a", "a\\nb")
    "line 2 of the page was changed: it says nothing, the journal says 'b'"
    """
    if page == anew:
        return None
    for number, (mine, wanted) in enumerate(zip_longest(page.split("\n"), anew.split("\n")), 1):
        if mine == wanted:
            continue
        place = next((at for at, (a, b) in enumerate(zip(mine or "", wanted or "", strict=False)) if a != b), 0)
        place = place or min(len(mine or ""), len(wanted or ""))
        return f"line {number} of the page was changed: it says {_told(mine, place)}, the journal says {_told(wanted, place)}"
    return None


def _told(line: str | None, place: int) -> str:
    if line is None:
        return "nothing"
    begin, end = max(0, place - _AROUND), place + 2 * _AROUND
    before, behind = "…" if begin else "", "…" if end < len(line) else ""
    return f"{before}{line[begin:end]}{behind}".join("''") if line else "nothing"
