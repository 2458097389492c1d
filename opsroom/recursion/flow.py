"""The flow graph: which unit feeds which, over all charts and feeds; who is upstream, who downstream, along which ways. Pure.

Its nodes are units (plants and the units above them). An end of a flow that is a signal stands for the plant that owns it. A
unit with a chart is fed by its parts, since its own series follows from theirs. Circles are allowed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from opsroom.recursion.flowchart import Chart, Flow

PATHS = 64
"""The most ways that are told between two units."""


class FlowGraph:
    """Who feeds whom.

    >>> chart = Chart(unit="textiles", measure="m/h", parts=(), flows=(
    ...     Flow(source="spinning/yarn", target="weaving/cloth", product="yarn"),))
    >>> graph = FlowGraph((chart,), (Flow(source="port", target="spinning", product="cotton"),))
    >>> graph.upstream("weaving"), graph.downstream("port"), graph.paths("port", "weaving")
    (('spinning', 'port'), ('spinning', 'weaving'), (('port', 'spinning', 'weaving'),))
    """

    def __init__(self, charts: Iterable[Chart] = (), feeds: Iterable[Flow] = ()) -> None:
        self.charts = {chart.unit: chart for chart in charts}
        self.feeds = tuple(feeds)

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, FlowGraph) and (self.charts, self.feeds) == (other.charts, other.feeds)
        )

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((tuple(self.charts.values()), self.feeds))

    @cached_property
    def flows(self) -> tuple[Flow, ...]:
        """Every flow, those of charts first, that joins two different units."""
        listed = [flow for chart in self.charts.values() for flow in chart.flows]
        return tuple(flow for flow in (*listed, *self.feeds) if unit_of(flow.source) != unit_of(flow.target))

    @cached_property
    def _edges(self) -> tuple[tuple[str, str], ...]:
        edges = [(unit_of(flow.source), unit_of(flow.target)) for flow in self.flows]
        edges += [
            (unit_of(part.part), chart.unit)
            for chart in self.charts.values()
            for part in chart.parts
            if unit_of(part.part) != chart.unit
        ]
        return tuple(dict.fromkeys(edges))

    @cached_property
    def gives(self) -> Mapping[str, tuple[str, ...]]:
        """The units that each unit feeds directly, wholes included."""
        return _grouped(self._edges)

    @cached_property
    def takes(self) -> Mapping[str, tuple[str, ...]]:
        """The units that feed each unit directly, parts included."""
        return _grouped((target, source) for source, target in self._edges)

    def downstream(self, unit: str, hops: int | None = None) -> tuple[str, ...]:
        """Every unit that `unit` feeds, directly or by others, the nearest first; at most `hops` flows away."""
        return tuple(other for other, _ in _reached(self.gives, unit, hops))

    def upstream(self, unit: str, hops: int | None = None) -> tuple[str, ...]:
        """Every unit that feeds `unit`, directly or by others, the nearest first; at most `hops` flows away."""
        return tuple(other for other, _ in _reached(self.takes, unit, hops))

    def feeds_into(self, source: str, target: str) -> bool:
        """Tell whether `source` feeds `target`, directly or by others; nobody feeds itself."""
        return source != target and target in self._reach.get(source, frozenset())

    def fed(self, unit: str) -> int:
        """How many units a unit feeds, directly or by others: who feeds another, and not in a circle, feeds more than it."""
        return len(self._reach.get(unit, ()))

    @cached_property
    def _reach(self) -> Mapping[str, frozenset[str]]:
        return {unit: frozenset(self.downstream(unit)) for unit in self.gives}

    def between(self, source: str, target: str) -> tuple[Flow, ...]:
        """The flows that go directly from one unit to another."""
        return self._direct.get((source, target), ())

    @cached_property
    def _direct(self) -> Mapping[tuple[str, str], tuple[Flow, ...]]:
        found: dict[tuple[str, str], list[Flow]] = {}
        for flow in self.flows:
            found.setdefault((unit_of(flow.source), unit_of(flow.target)), []).append(flow)
        return {ends: tuple(flows) for ends, flows in found.items()}

    def paths(self, source: str, target: str, most: int = PATHS) -> tuple[tuple[str, ...], ...]:
        """The ways from one unit to another without a circle, the shortest first, at most `most` of them."""
        found: list[tuple[str, ...]] = []
        waiting: deque[tuple[str, ...]] = deque([(source,)])
        while waiting and len(found) < most:
            way = waiting.popleft()
            if way[-1] == target and len(way) > 1:
                found.append(way)
                continue
            near = (unit for unit in self.gives.get(way[-1], ()) if unit not in way)
            waiting += [(*way, unit) for unit in near if unit == target or self.feeds_into(unit, target)]
        return tuple(found)

    def common_sources(self, units: Iterable[str]) -> tuple[str, ...]:
        """The units that each of `units` is, or is fed by: the likely origins of a shared cause, the nearest to all first."""
        listed = list(dict.fromkeys(units))
        if not listed:
            return ()
        far = [{unit: 0} | dict(_reached(self.takes, unit, None)) for unit in listed]
        shared = [name for name in far[0] if all(name in away for away in far[1:])]
        return tuple(sorted(shared, key=lambda name: (sum(away[name] for away in far), name)))


def unit_of(end: str) -> str:
    """The unit for which the end of a flow stands.

    >>> unit_of("mill-1/output"), unit_of("textiles")
    ('mill-1', 'textiles')
    """
    return end.partition("/")[0]


def _grouped(edges: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for one, other in edges:
        found.setdefault(one, []).append(other)
    return {one: tuple(others) for one, others in found.items()}


def _reached(near: Mapping[str, tuple[str, ...]], start: str, hops: int | None) -> Iterator[tuple[str, int]]:
    """Every unit that is reached, with how many flows away it is."""
    seen = {start}
    ring = [start]
    step = 0
    while ring and (hops is None or step < hops):
        step += 1
        ring = list(dict.fromkeys(other for unit in ring for other in near.get(unit, ()) if other not in seen))
        seen.update(ring)
        yield from ((unit, step) for unit in ring)
