"""The ways along the flow graph that trouble may take from one unit to another, each reckoned once. Pure."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

from opsroom.alarms.origin import Way
from opsroom.recursion.flow import FlowGraph


class Roads:
    """The quickest ways along what flows between units, reckoned when somebody asks; a unit reaches those it feeds."""

    def __init__(self, graph: FlowGraph) -> None:
        self.graph = graph
        self.stocks = frozenset(flow.stock for flow in graph.flows if flow.stock)
        self._known: dict[tuple[str, str], Way | None] = {}
        self._near: dict[str, frozenset[str]] = {}

    def __call__(self, source: str, target: str) -> Way | None:
        """The quickest way from one unit to another, or `None`."""
        asked = (source, target)
        if asked not in self._known:
            self._known[asked] = self._quickest(source, target) if self.graph.feeds_into(source, target) else None
        return self._known[asked]

    def near(self, unit: str) -> frozenset[str]:
        """The units that may share a cause with one: itself, those upstream, those downstream."""
        if unit not in self._near:
            self._near[unit] = frozenset((unit, *self.graph.upstream(unit), *self.graph.downstream(unit)))
        return self._near[unit]

    def _quickest(self, source: str, target: str) -> Way:
        ways = [self._way(units) for units in self.graph.paths(source, target, most=16)]
        return min(ways, key=lambda way: (way.delay_s + (3600.0 if way.stocked else 0.0), len(way.units)))

    def _way(self, units: tuple[str, ...]) -> Way:
        delay_s, stocked = 0.0, False
        for one, other in pairwise(units):
            flows = self.graph.between(one, other)
            if flows:
                delay_s += min(flow.delay_s for flow in flows)
                stocked = stocked or all(flow.stock for flow in flows)
        return Way(units=units, delay_s=delay_s, stocked=stocked)


@lru_cache(maxsize=4)
def roads(graph: FlowGraph) -> Roads:
    """The ways of a room's flow graph; kept, since every alarm asks for the same."""
    return Roads(graph)
