"""A unit's quantified flowchart: its parts, what they feed each other, the stocks between them, and what leaves it.

Beer's teams drew such charts of plants, enterprises and sectors to find what each could do and where it was held up; a box was as
large as its capability, a line as wide as its flow. Here a chart is plain data of the charter. `whole` reckons with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from telex_ingest.telex import PlantBirth, SignalBirth

OWN = "actuality"
"""The name of the one signal that a charted unit has of its own: "textiles/actuality"."""

Missing = Literal["unknown", "nothing", "hold"]


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One box of a chart: a signal ("mill-1/output") or a unit with a chart of its own ("textiles").

    `worth` is how much of the chart's measure one unit of what leaves the part makes; 0 for a part that only feeds others.
    """

    part: str
    worth: float = 1.0


class Flow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line: what `source` makes and `target` needs.

    `per` is how much of the source's unit one of the target's unit takes, so it is no sum where one is lacking. `share` is the
    most of what the source makes that goes this way; without one the split is free. `stock` is the signal of what lies between
    the two ("mill-2/yarn-stock"), in the source's unit without its "per hour". Flows of one `product` into one target add up;
    of several products the scarcest decides. `delay_s` is how long it is on its way, in seconds.
    """

    source: str
    target: str
    product: str
    per: float = 1.0
    share: float | None = None
    stock: str = ""
    delay_s: float = 0.0


class Chart(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The flowchart of one unit; times in seconds.

    `measure` is the unit of its own series, `period_s` how often that is told. A stock buffers for `horizon_s`: so long it must
    last at the rate at which it is counted on; rates are per `per_s`. `missing` says what a part counts as that was not heard for
    `patience_s`: unknown (then the whole is, where it matters), nothing, or hold (its last word).
    """

    unit: str
    measure: str
    title: str = ""
    parts: tuple[Part, ...]
    flows: tuple[Flow, ...] = ()
    period_s: float = 300.0
    horizon_s: float = 8 * 3600.0
    per_s: float = 3600.0
    patience_s: float = 900.0
    missing: Missing = "unknown"

    @property
    def key(self) -> str:
        """The signal that is the unit's own series.

        >>> Chart(unit="textiles", measure="m/h", parts=()).key
        'textiles/actuality'
        """
        return f"{self.unit}/{OWN}"

    def birth(self) -> PlantBirth:
        """The unit's own series as a birth, so that it is judged like any other."""
        own = SignalBirth(id=0, name=OWN, unit=self.measure, period_s=self.period_s, title=self.title or "Actuality")
        return PlantBirth(plant=self.unit, title=self.title, signals=(own,))


def parts_first(charts: Iterable[Chart]) -> tuple[Chart, ...]:
    """Charts in an order in which each comes after those of its parts; those that count on themselves are left out.

    >>> lower = Chart(unit="mill", measure="t/h", parts=(Part(part="mill-1/output"),))
    >>> upper = Chart(unit="all", measure="t/h", parts=(Part(part="mill"),))
    >>> [chart.unit for chart in parts_first((upper, lower))]
    ['mill', 'all']
    """
    waiting = {chart.unit: chart for chart in charts}
    ordered: list[Chart] = []
    while ready := [chart for chart in waiting.values() if not any(part.part in waiting for part in chart.parts)]:
        ordered += ready
        for chart in ready:
            del waiting[chart.unit]
    return tuple(ordered)


def redrawn(before: Iterable[Chart], now: Iterable[Chart]) -> frozenset[str]:
    """The units whose own series is another figure `now`: their chart reckons otherwise, or that of a part does, or it is new.

    What only says how it is told, or for how long a part may be silent, leaves the figure what it is.

    >>> mill = Chart(unit="mill", measure="t/h", parts=(Part(part="mill-1/output"),))
    >>> whole = Chart(unit="all", measure="t/h", parts=(Part(part="mill"),))
    >>> twice = msgspec.structs.replace(mill, parts=(Part(part="mill-1/output", worth=2.0),))
    >>> sorted(redrawn((mill, whole), (twice, whole)))
    ['all', 'mill']
    >>> redrawn((mill, whole), (msgspec.structs.replace(mill, title="Yarn"), whole))
    frozenset()
    """
    known = {chart.unit: _figure(chart) for chart in before}
    found: set[str] = set()
    for chart in parts_first(now):
        if known.get(chart.unit) != _figure(chart) or any(part.part in found for part in chart.parts):
            found.add(chart.unit)
    return frozenset(found)


def _figure(chart: Chart) -> Chart:
    return msgspec.structs.replace(chart, title="", patience_s=0.0, missing="unknown")
