"""The whole follows from its parts: against brute force, scipy's linear programmes and its maximum flow."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow

from opsroom.recursion.flowchart import Chart, Flow, Missing, Part
from opsroom.recursion.simplex import UnboundedError, most
from opsroom.recursion.whole import bottleneck, gains, held_back, idle, losses, reckon, tell, triple

AMOUNT = st.integers(0, 60)


def chart_of(parts: list[float], flows: list[Flow], **more: object) -> Chart:
    """Parts p0, p1 ... with these worths."""
    boxes = tuple(Part(part=f"p{number}", worth=worth) for number, worth in enumerate(parts))
    fields: dict[str, object] = {"unit": "whole", "measure": "t/h", "parts": boxes, "flows": tuple(flows)} | more
    return Chart(**fields)  # type: ignore[arg-type] # names of its fields


@st.composite
def layered(draw: st.DrawFn) -> tuple[Chart, dict[str, float]]:
    """A chart in which every part may feed every later one, all of one product: its truth is a maximum flow."""
    n = draw(st.integers(1, 6))
    pairs = [pair for pair in itertools.combinations(range(n), 2) if draw(st.booleans())]
    sources = {source for source, _ in pairs}
    flows = [Flow(source=f"p{a}", target=f"p{b}", product="goods") for a, b in pairs]
    worths = [0.0 if number in sources else 1.0 for number in range(n)]
    return chart_of(worths, flows), {f"p{number}": float(draw(AMOUNT)) for number in range(n)}


@st.composite
def any_chart(draw: st.DrawFn) -> tuple[Chart, dict[str, float], dict[str, float]]:
    """A chart with recipes, shares, stocks, worths and circles."""
    n = draw(st.integers(1, 5))
    flows = []
    for number in range(draw(st.integers(0, 6)) if n > 1 else 0):
        a, b = draw(st.permutations(range(n)))[:2]
        share = draw(st.none() | st.sampled_from([0.0, 0.25, 0.5, 1.0]))
        stock = draw(st.sampled_from(["", f"s{number}"]))
        per = draw(st.sampled_from([0.001, 0.5, 1.0, 3.0, 400.0]))
        product = draw(st.sampled_from(["coal", "ore"]))
        flows.append(Flow(source=f"p{a}", target=f"p{b}", product=product, per=per, share=share, stock=stock))
    worths = [draw(st.sampled_from([0.0, 0.5, 1.0, 20.0])) for _ in range(n)]
    can = {f"p{number}": float(draw(AMOUNT)) for number in range(n)}
    stocks = {flow.stock: float(draw(AMOUNT)) for flow in flows if flow.stock}
    return chart_of(worths, flows), can, stocks


def truth(chart: Chart, can: dict[str, float], stocks: dict[str, float]) -> float:
    """The same chart as a linear programme of its own making, solved by scipy."""
    names = [part.part for part in chart.parts]
    p, f = len(names), len(chart.flows)
    gain = np.zeros(p + 2 * f)
    gain[:p] = [part.worth for part in chart.parts]
    rows, limits = [], []
    for number, flow in enumerate(chart.flows):
        gain[p + number] -= chart.parts[names.index(flow.source)].worth
        if flow.share is not None:
            row = np.zeros(p + 2 * f)
            row[p + number], row[names.index(flow.source)] = 1.0, -flow.share
            rows.append(row)
            limits.append(0.0)
    for target, product in {(flow.target, flow.product) for flow in chart.flows}:
        row = np.zeros(p + 2 * f)
        row[names.index(target)] = 1.0
        for number, flow in enumerate(chart.flows):
            if (flow.target, flow.product) == (target, product):
                row[p + number] = row[p + f + number] = -1.0 / flow.per
        rows.append(row)
        limits.append(0.0)
    for source in {flow.source for flow in chart.flows}:
        row = np.zeros(p + 2 * f)
        row[names.index(source)] = -1.0
        for number, flow in enumerate(chart.flows):
            row[p + number] += float(flow.source == source)
        rows.append(row)
        limits.append(0.0)
    hours = chart.horizon_s / chart.per_s
    bounds = [(0.0, can[name]) for name in names] + [(0.0, None)] * f
    bounds += [(0.0, stocks.get(flow.stock, 0.0) / hours) for flow in chart.flows]
    solved = linprog(-gain, A_ub=np.array(rows) if rows else None, b_ub=limits or None, bounds=bounds)
    assert solved.status == 0
    return float(-solved.fun)


@settings(max_examples=40, deadline=None)
@given(layered())
def test_the_whole_of_one_product_is_the_maximum_flow(given_chart: tuple[Chart, dict[str, float]]) -> None:
    chart, can = given_chart
    n = len(chart.parts)
    # Every part is two nodes, its way in and its way out, with what it can do between them.
    capacity = np.zeros((2 * n + 2, 2 * n + 2), np.int32)
    for number in range(n):
        capacity[2 * number, 2 * number + 1] = can[f"p{number}"]
        if not any(flow.target == f"p{number}" for flow in chart.flows):
            capacity[2 * n, 2 * number] = 10_000
        if chart.parts[number].worth:
            capacity[2 * number + 1, 2 * n + 1] = 10_000
    for flow in chart.flows:
        capacity[2 * int(flow.source[1:]) + 1, 2 * int(flow.target[1:])] = 10_000
    best = maximum_flow(csr_array(capacity), 2 * n, 2 * n + 1).flow_value
    assert reckon(chart, can).whole == pytest.approx(best, abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(any_chart())
def test_any_chart_is_reckoned_as_scipy_reckons_it(one: tuple[Chart, dict[str, float], dict[str, float]]) -> None:
    chart, can, stocks = one
    found = reckon(chart, can, stocks)
    assert found.whole == pytest.approx(truth(chart, can, stocks), rel=1e-7, abs=1e-7)
    for name, gives in found.parts.items():
        assert -1e-9 <= gives <= can[name] * (1 + 1e-9) + 1e-9, "no part gives more than it can"
    for flow, along, drawn in zip(chart.flows, found.flows, found.drawn, strict=True):
        assert along <= found.parts[flow.source] * (1.0 if flow.share is None else flow.share) + 1e-7
        assert drawn <= stocks.get(flow.stock, 0.0) / 8.0 + 1e-9


@settings(max_examples=50, deadline=None)
@given(any_chart(), st.data())
def test_a_better_part_or_a_fuller_stock_never_makes_the_whole_worse(
    one: tuple[Chart, dict[str, float], dict[str, float]], data: st.DataObject
) -> None:
    chart, can, stocks = one
    part = data.draw(st.sampled_from(sorted(can)))
    more = float(data.draw(st.integers(1, 50)))
    before = reckon(chart, can, stocks).whole
    assert reckon(chart, {**can, part: can[part] + more}, stocks).whole >= before - 1e-7 * max(1.0, before)
    fuller = {name: level + more for name, level in stocks.items()}
    assert reckon(chart, can, fuller).whole >= before - 1e-7 * max(1.0, before)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 100), min_size=1, max_size=6, unique=True))
def test_in_a_series_the_bottleneck_decides_and_is_named(can: list[int]) -> None:
    flows = [Flow(source=f"p{n}", target=f"p{n + 1}", product="goods") for n in range(len(can) - 1)]
    chart = chart_of([0.0] * (len(can) - 1) + [1.0], flows)
    does = {f"p{n}": float(one) for n, one in enumerate(can)}
    assert reckon(chart, does).whole == pytest.approx(min(can))
    assert bottleneck(gains(chart, does)) == f"p{can.index(min(can))}"


@settings(max_examples=30, deadline=None)
@given(layered())
def test_the_bottleneck_is_a_part_whose_gain_no_other_part_exceeds_by_brute_force(
    one: tuple[Chart, dict[str, float]],
) -> None:
    chart, can = one
    named = bottleneck(gains(chart, can))
    now = reckon(chart, can).whole
    if not named:
        assert now == 0.0 or max(losses(chart, can).values()) == 0.0
        return
    raised = {part: reckon(chart, {**can, part: can[part] * 1.01}).whole - now for part in can}
    if max(raised.values()) > 1e-6:
        assert raised[named] == pytest.approx(max(raised.values()), rel=1e-6)
    else:
        lowered = {part: now - reckon(chart, {**can, part: can[part] * 0.99}).whole for part in can}
        assert lowered[named] == pytest.approx(max(lowered.values()), rel=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 100), min_size=1, max_size=8))
def test_parallel_parts_add(can: list[int]) -> None:
    chart = chart_of([1.0] * len(can), [])
    assert reckon(chart, {f"p{n}": float(one) for n, one in enumerate(can)}).whole == pytest.approx(sum(can))


def test_a_share_splits_and_a_free_split_does_what_is_best() -> None:
    shares = [
        Flow(source="p0", target="p1", product="coal", share=0.25),
        Flow(source="p0", target="p2", product="coal", share=0.75),
    ]
    free = [Flow(source=flow.source, target=flow.target, product="coal") for flow in shares]
    can = {"p0": 40.0, "p1": 100.0, "p2": 5.0}
    assert reckon(chart_of([0, 1, 1], shares), can).whole == pytest.approx(10 + 5)
    assert reckon(chart_of([0, 1, 1], free), can).whole == pytest.approx(40)


def test_of_several_products_the_scarcest_decides() -> None:
    recipe = [
        Flow(source="p0", target="p2", product="ore", per=3.0),
        Flow(source="p1", target="p2", product="coal", per=0.5),
    ]
    chart = chart_of([0, 0, 1], recipe)
    assert reckon(chart, {"p0": 90.0, "p1": 10.0, "p2": 50.0}).whole == pytest.approx(20.0)
    assert bottleneck(gains(chart, {"p0": 90.0, "p1": 10.0, "p2": 50.0})) == "p1"


def test_a_stock_buffers_for_its_length_and_no_longer() -> None:
    series = [Flow(source="p0", target="p1", product="yarn", stock="yarn")]
    day, hour = (chart_of([0, 1], series, horizon_s=hours * 3600.0) for hours in (24.0, 1.0))
    can = {"p0": 2.0, "p1": 10.0}
    assert reckon(hour, can, {"yarn": 6.0}).whole == pytest.approx(8.0)
    assert reckon(day, can, {"yarn": 6.0}).whole == pytest.approx(2.25)
    assert reckon(day, can, {"yarn": 1e6}).whole == pytest.approx(10.0)
    assert reckon(day, can).whole == pytest.approx(2.0)


def test_a_bottleneck_holds_something_up_and_a_plain_sum_has_none() -> None:
    series = chart_of([0, 1], [Flow(source="p0", target="p1", product="yarn")])
    both = chart_of([1, 1], [])
    can = {"p0": 9.0, "p1": 6.0}
    assert idle(series, can, reckon(series, can))
    assert not idle(both, can, reckon(both, can))
    assert not idle(series, {"p0": 6.0, "p1": 6.0}, reckon(series, {"p0": 6.0, "p1": 6.0}))


def test_who_holds_the_whole_back_is_told_in_its_measure() -> None:
    chart = chart_of([0, 1], [Flow(source="p0", target="p1", product="yarn")])
    held = held_back(chart, {"p0": 4.0, "p1": 8.0}, {"p0": 9.0, "p1": 10.0})
    assert held == {"p0": pytest.approx(4.0), "p1": 0.0}


@pytest.mark.parametrize(
    ("rule", "value"), [("unknown", None), ("nothing", 5.0), ("hold", 12.0)], ids=["unknown", "nothing", "hold"]
)
def test_a_silent_part_counts_by_the_written_rule(rule: Missing, value: float | None) -> None:
    chart = chart_of([1, 1], [], missing=rule)
    told = tell(chart, {"p0": 5.0, "p1": None}, {}, {"p1": 7.0})
    assert told.value == value
    assert told.missing == ("p1",)
    assert told.low <= told.high


def test_a_silent_part_that_cannot_matter_does_not_silence_the_whole() -> None:
    chart = chart_of([0, 0, 1], [Flow(source=f"p{n}", target="p2", product="yarn") for n in (0, 1)])
    told = tell(chart, {"p0": 50.0, "p1": None, "p2": 10.0}, {}, {"p1": 7.0})
    assert told.value == pytest.approx(10.0)
    assert told.missing == ("p1",)
    assert tell(chart, {"p0": 5.0, "p1": None, "p2": 10.0}, {}, {"p1": 7.0}).value is None
    assert tell(chart, {"p0": 50.0, "p1": None, "p2": 10.0}, {}, {}).value is None, (
        "what was never heard may be anything"
    )


def test_the_triple_vector_of_a_whole_is_beers() -> None:
    assert triple(40_000.0, 60_000.0, 100_000.0)[3:] == pytest.approx((2 / 3, 0.6, 0.4))
    silent = triple(None, 60.0, 100.0)
    assert silent.productivity is silent.performance is None
    assert silent.latency == pytest.approx(0.6)


def test_a_sum_without_bounds_is_said_and_not_looped_over() -> None:
    with pytest.raises(UnboundedError, match="variable 0"):
        most(np.array([1.0]), np.array([[-1.0]]), np.array([0.0]))


CIRCLE = chart_of(
    [0.0, 1.0, 0.5, 20.0],
    [
        Flow(source="p2", target="p0", product="ore", per=3.0, share=0.25),
        Flow(source="p0", target="p2", product="ore", per=400.0, share=0.25),
        Flow(source="p0", target="p2", product="coal", per=0.5, share=0.25),
        Flow(source="p0", target="p3", product="coal", per=400.0, stock="s3"),
        Flow(source="p2", target="p1", product="ore", per=0.001, stock="s4"),
        Flow(source="p0", target="p2", product="ore", per=0.001, share=0.25, stock="s5"),
    ],
)
FOUR_HUNDRED_THOUSAND = chart_of(
    [0.0, 0.0, 20.0, 20.0],
    [
        Flow(source="p3", target="p0", product="coal", per=0.001),
        Flow(source="p0", target="p2", product="ore", per=400.0),
        Flow(source="p2", target="p0", product="coal", per=3.0, stock="s2"),
        Flow(source="p0", target="p3", product="ore", per=0.001, stock="s3"),
        Flow(source="p0", target="p2", product="coal", per=0.001, share=0.5, stock="s4"),
        Flow(source="p3", target="p0", product="coal", share=1.0, stock="s5"),
    ],
)


@pytest.mark.parametrize(
    ("chart", "can", "stocks"),
    [
        (CIRCLE, (14.0, 46.0, 12.0, 53.0), {"s3": 40.0, "s4": 12.0, "s5": 20.0}),
        (FOUR_HUNDRED_THOUSAND, (18.0, 39.0, 39.0, 15.0), {"s2": 22.0, "s3": 26.0, "s4": 4.0, "s5": 58.0}),
    ],
    ids=["a circle of unlike recipes", "recipes that differ 400,000 times"],
)
def test_unlike_recipes_in_a_circle_do_not_spoil_the_reckoning(
    chart: Chart, can: tuple[float, ...], stocks: dict[str, float]
) -> None:
    able = {f"p{number}": most for number, most in enumerate(can)}
    found = reckon(chart, able, stocks)
    assert found.whole == pytest.approx(truth(chart, able, stocks), rel=1e-9, abs=1e-9)
    assert all(gives <= able[name] * (1.0 + 1e-9) for name, gives in found.parts.items())


def test_what_rounding_leaves_without_a_proof_is_solved_all_the_same() -> None:
    rows = np.vstack(([1e-6, 1e4, 0.0], np.eye(3)))
    best = most(np.array([1.0, 3.0, 3.0]), rows, np.array([0.0, 1.0, 1.0, 1.0]))
    assert best.value == pytest.approx(3.0)
    assert best.x.tolist() == pytest.approx([0.0, 0.0, 1.0])
