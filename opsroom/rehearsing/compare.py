"""A rehearsal beside what really happened: one picture, the figures, and what is matched. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from opsroom.minutes.blocks import Block, Document, Drawn, Facts, Heading, Para
from opsroom.minutes.charts import two_ways_picture
from opsroom.rehearsing.mark import REHEARSAL, mark_of
from opsroom.showing.sentences import figure, lasting, moment

Series = Sequence[tuple[float, float]]


class Beside(NamedTuple):
    """Two series of one signal about a moment: what really came, what came in the rehearsal, and how alike they were before."""

    at: float
    really: Series
    rehearsed: Series
    off_before: float
    noise_before: float


def beside(at: float, really: Series, rehearsed: Series) -> Beside:
    """Put two series of (time, value) beside each other: their distance before `at`, and the noise of what really came.

    >>> same = [(float(n), 10.0 + n % 2) for n in range(20)]
    >>> found = beside(10.0, same, same)
    >>> found.off_before, found.noise_before > 0
    (0.0, True)
    """
    before = [(t, v) for t, v in really if t < at]
    theirs = [(t, v) for t, v in rehearsed if t < at]
    if len(before) < 3 or len(theirs) < 3:
        return Beside(at, really, rehearsed, math.nan, math.nan)
    times, values = np.array(before).T
    other = np.interp(times, *np.array(theirs).T)
    noise = float(np.std(np.diff(values))) / math.sqrt(2)
    return Beside(at, really, rehearsed, float(np.mean(np.abs(values - other))), noise)


def report(
    told: Beside,
    *,
    room: str,
    signal: str,
    uom: str,
    decision: str,
    really_decided: str,
    limits: Sequence[str],
    since: float | None = None,
    orders: Sequence[tuple[str, Sequence[str]]] = (),
) -> Document:
    """A page on a rehearsal; `decision` is what was rehearsed, `limits` what could not be matched.

    `orders` tells for each of the two worlds what became of each order. The means are those `since` the rehearsal had decided.
    """
    picture = two_ways_picture(told.really, told.rehearsed, told.at, uom)
    since = told.at if since is None else since
    really, rehearsed = _mean_after(told.really, since), _mean_after(told.rehearsed, since)
    rows = [("rehearsed", decision), ("really decided", really_decided)]
    if really is not None and rehearsed is not None:
        rows += [
            ("mean afterwards, really", figure(really, uom)),
            ("mean afterwards, rehearsed", figure(rehearsed, uom)),
            ("difference", figure(rehearsed - really, uom)),
        ]
    for world, lines in orders:
        rows.append((f"orders {world}", " · ".join(lines) or "none"))
    blocks: list[Block] = [
        Para(
            "This is a rehearsal: simulated plants, another decision, a journal and keys of its own. No real plant has heard of "
            "it, and nothing in it is evidence of what a real plant would do."
        ),
        Facts(tuple(rows)),
        *(
            (Drawn(picture, f"{signal}: black what really came, magenta the rehearsal."),)
            if picture is not None
            else ()
        ),
        Heading(2, "What is matched, and what is not"),
        Para(_matched(told, uom)),
        *(Para(limit) for limit in limits),
    ]
    since = told.really[0][0] if told.really else told.at
    subtitle = f"As it was at {moment(told.at)}; looked at over {lasting(_end(told) - since)}."
    return Document(f"{REHEARSAL}: {room}", subtitle, tuple(blocks), marked=mark_of(REHEARSAL.lower() + "-"))


def _matched(told: Beside, uom: str) -> str:
    if not math.isfinite(told.off_before):
        return "There are too few readings before the moment to say how alike the rehearsal was."
    alike = "no further apart than noise" if told.off_before <= 2 * told.noise_before else "further apart than noise"
    return (
        f"Before the moment the two series were {figure(told.off_before, uom)} apart on average, {alike} "
        f"(what really came has a noise of {figure(told.noise_before, uom)})."
    )


def _end(told: Beside) -> float:
    return max((rows[-1][0] for rows in (told.really, told.rehearsed) if rows), default=told.at)


def _mean_after(rows: Series, at: float) -> float | None:
    after = [value for t, value in rows if t >= at]
    return sum(after) / len(after) if after else None
