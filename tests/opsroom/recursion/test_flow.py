"""The flow graph: who is upstream, who downstream, along which ways; against brute force."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from opsroom.recursion.flow import FlowGraph
from opsroom.recursion.flowchart import Chart, Flow, Part, parts_first

UNITS = ("a", "b", "c", "d", "e")
EDGES = st.lists(st.tuples(st.sampled_from(UNITS), st.sampled_from(UNITS)), max_size=12)


def graph_of(edges: list[tuple[str, str]]) -> FlowGraph:
    return FlowGraph((), (Flow(source=f"{one}/out", target=other, product="goods") for one, other in edges))


@settings(deadline=None)
@given(EDGES)
def test_downstream_is_what_can_be_reached_and_upstream_its_mirror(edges: list[tuple[str, str]]) -> None:
    graph = graph_of(edges)
    reached = {unit: {other for one, other in edges if one == unit} for unit in UNITS}
    for _ in UNITS:
        reached = {unit: mine.union(*(reached[other] for other in mine)) for unit, mine in reached.items()}
    for unit in UNITS:
        assert set(graph.downstream(unit)) == reached[unit] - {unit}
        assert set(graph.upstream(unit)) == {other for other in UNITS if unit in reached[other]} - {unit}
        for other in UNITS:
            assert graph.feeds_into(unit, other) == (other in graph.downstream(unit))
            ways = graph.paths(unit, other)
            assert bool(ways) == (unit != other and other in reached[unit])
            for way in ways:
                assert (way[0], way[-1]) == (unit, other)
                assert len(set(way)) == len(way), "a way has no circle"
                assert all((one, next_one) in edges for one, next_one in pairwise(way))
            assert list(map(len, ways)) == sorted(map(len, ways))


def test_the_nearest_come_first_and_hops_bound_the_reach() -> None:
    graph = graph_of([("a", "b"), ("b", "c"), ("c", "d"), ("a", "c")])
    assert graph.downstream("a") == ("b", "c", "d")
    assert graph.downstream("a", hops=1) == ("b", "c")
    assert graph.upstream("d", hops=1) == ("c",)


def test_a_whole_is_fed_by_its_parts_and_a_stock_belongs_to_its_flow() -> None:
    yarn = Flow(source="mill/yarn", target="loom/cloth", product="yarn", stock="loom/yarn-stock")
    parts = (Part(part="mill/yarn", worth=0.0), Part(part="loom/cloth"))
    graph = FlowGraph((Chart(unit="textiles", measure="m/h", parts=parts, flows=(yarn,)),))
    assert graph.between("mill", "loom") == (yarn,)
    assert graph.downstream("mill") == ("loom", "textiles")
    assert graph.upstream("textiles") == ("mill", "loom")


def test_a_shared_source_is_the_likely_origin_of_both() -> None:
    graph = graph_of([("coal", "power"), ("coal", "smelter"), ("power", "smelter"), ("port", "smelter")])
    assert graph.common_sources(["power", "smelter"])[0] == "power", "what is upstream of the other and itself alarmed"
    assert graph.common_sources(["coal", "port"]) == ()
    assert graph.common_sources([]) == ()


def test_charts_are_ordered_parts_first_and_circles_are_left_out() -> None:
    charts = {
        unit: Chart(unit=unit, measure="t/h", parts=tuple(Part(part=part) for part in parts))
        for unit, parts in {"all": ["mill"], "mill": ["mill-1/out"], "x": ["y"], "y": ["x"]}.items()
    }
    assert [chart.unit for chart in parts_first(charts.values())] == ["mill", "all"]
