"""Flowcharts in room.toml: what the file says stands in the charter, and every mistake has a line and a cure."""

from __future__ import annotations

import pytest

from opsroom.constitution.charter import check, read, template
from opsroom.recursion.flowchart import Flow, Part


def mistakes(old: str, new: str) -> list[str]:
    text = template()
    assert old in text, old
    return [str(one) for one in check(text.replace(old, new, 1))]


def test_the_example_has_a_chart_whose_every_key_is_read() -> None:
    charter = read(template()).charter
    (chart,) = charter.charts
    assert (chart.unit, chart.measure, chart.key) == ("textiles", "kg/h", "textiles/actuality")
    assert (chart.period_s, chart.horizon_s, chart.per_s, chart.patience_s) == (300.0, 28800.0, 3600.0, 900.0)
    assert chart.parts == (Part(part="mill-1/output", worth=0.0), Part(part="mill-2/output"))
    yarn = Flow(
        source="mill-1/output",
        target="mill-2/output",
        product="yarn",
        per=1.1,
        share=1.0,
        stock="mill-2/yarn-stock",
        delay_s=2400.0,
    )
    assert chart.flows == (yarn,)
    assert charter.readings == "room"
    assert charter.graph().downstream("mill-1") == ("mill-2", "textiles")


def test_a_file_that_says_nothing_of_readings_keeps_them_at_home() -> None:
    text = template().replace('[visibility]\nreadings = "room"\n', "")
    assert read(text).charter.readings == "home"


def test_a_flow_between_parts_of_no_common_chart_is_a_feed() -> None:
    text = template().replace('to = "mill-2/output"', 'to = "textiles"')
    charter = read(text).charter
    assert charter.charts[0].flows == ()
    assert [flow.target for flow in charter.feeds] == ["textiles"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('unit = "textiles"\nmeasure', 'unit = "textile"\nmeasure', "there is no such unit"),
        ('unit = "textiles"\nmeasure', 'unit = "mill-1"\nmeasure', "a plant has no chart"),
        ('part = "mill-2/output"', 'part = "mill-3/output"', "there is no plant 'mill-3'"),
        ('part = "mill-2/output"', 'part = "mill-2"', "counts by one of its signals"),
        ('part = "mill-2/output"', 'part = "total"', "no unit with a chart"),
        ('part = "mill-2/output"', 'part = "mill-1/output"', "stands in this chart already"),
        ("worth = 0.0", "worth = -1.0", "worth less than nothing"),
        ('part = "mill-2/output"', 'part = "mill-2/output"\nworth = 0', "nothing in this chart is worth anything"),
        ('to = "mill-2/output"', 'to = "mill-9/output"', "there is no such unit"),
        ('to = "mill-2/output"', 'to = "mill-1/output"', "nothing feeds itself"),
        ("per = 1.1", "per = 0", "more than nothing"),
        ("share = 1.0", "share = 1.5", "a share is from 0 to 1"),
        ('stock = "mill-2/yarn-stock"', 'stock = "mill-x/yarn"', "there is no plant 'mill-x'"),
        ('missing = "unknown"', 'missing = "guess"', "no such word"),
        ('readings = "room"', 'readings = "all"', "no such word"),
        ('product = "yarn" ', 'product = "yarn"\nchart = "total"', "are not both parts of it"),
    ],
)  # fmt: skip
def test_every_mistake_is_said_with_its_line_and_cure(old: str, new: str, said: str) -> None:
    found = mistakes(old, new)
    assert any(said in one and one.startswith("line ") for one in found), found


def test_shares_of_one_part_are_at_most_one_together() -> None:
    text = template() + '[[flow]]\nfrom = "mill-1/output"\nto = "mill-2/output"\nproduct = "waste"\nshare = 0.5\n'
    assert any("are 1.5 together" in str(one) for one in check(text))


def test_a_chart_that_counts_on_itself_is_a_mistake() -> None:
    text = template() + (
        '[[chart]]\nunit = "total"\nmeasure = "kg/h"\n[[part]]\nchart = "total"\npart = "textiles"\n'
        '[[part]]\nchart = "textiles"\npart = "total"\n'
    )
    assert any("it is not below textiles" in str(one) for one in check(text))
