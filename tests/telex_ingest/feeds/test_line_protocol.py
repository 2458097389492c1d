"""The line protocol: what a line says, and that no bad line loses a good one."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telex_ingest.feeds.line_protocol import PRECISIONS, Point, Value, parse


def only(line: str, precision: str = "ns") -> Point:
    read = parse(line.encode(), precision)
    assert read.bad == []
    [point] = read.points
    return point


@pytest.mark.parametrize(
    ("line", "measurement", "tags", "fields"),
    [
        ("m f=1", "m", {}, {"f": 1.0}),
        ("m,a=b,c=d f=1.5,g=-2i,h=7u", "m", {"a": "b", "c": "d"}, {"f": 1.5, "g": -2.0, "h": 7.0}),
        ("m f=1e3,g=.5,h=5.,i=-1.5E-2", "m", {}, {"f": 1000.0, "g": 0.5, "h": 5.0, "i": -0.015}),
        ("m f=t,g=False", "m", {}, {"f": True, "g": False}),
        ("m f=NaN,g=-inf,h=1e999", "m", {}, {"f": None, "g": None, "h": None}),
        (r"my\ mill,room\ no=a\,b\=c out\ put=1", "my mill", {"room no": "a,b=c"}, {"out put": 1.0}),
        (r'm f="a, \"quoted\" \\ text=1 ",g=2', "m", {}, {"f": 'a, "quoted" \\ text=1 ', "g": 2.0}),
        ("  m   f=1  ", "m", {}, {"f": 1.0}),
        ("säge,ort=köln größe=1", "säge", {"ort": "köln"}, {"größe": 1.0}),
    ],
)
def test_a_line_says_what_the_reference_says(
    line: str, measurement: str, tags: dict[str, str], fields: dict[str, Value]
) -> None:
    point = only(line)
    assert (point.measurement, point.tags, point.fields, point.source_us) == (measurement, tags, fields, None)


@pytest.mark.parametrize(
    ("text", "precision", "us"),
    [
        ("1700000000123456789", "ns", 1_700_000_000_123_456),
        ("1700000000123456", "us", 1_700_000_000_123_456),
        ("1700000000123", "ms", 1_700_000_000_123_000),
        ("-1", "s", -1_000_000),
        ("-1", "ns", -1),
        ("2", "h", 7_200_000_000),
    ],
)
def test_a_time_is_exact_in_every_precision(text: str, precision: str, us: int) -> None:
    assert only(f"m f=1 {text}", precision).source_us == us


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("m", "there is no field"),
        ("m ", "there is no field"),
        (",a=b f=1", "there is no measurement"),
        ("m,a f=1", "tag 'a' has no value"),
        ("m,a= f=1", "has no value that can be read"),
        ("m,a=b=c f=1", "has no value that can be read"),
        ("m f", "field 'f' has no value"),
        ("m f=", "field 'f' has no value"),
        ("m f= 1700000000", "field 'f' has no value"),
        ("m f=1_0", "'1_0', no number"),
        ("m f=0x1", "no number"),
        ("m f=1,", "there is no field"),
        ("m f=1 noon", "'noon', no whole number"),
        ("m f=1 99999999999999999999", "beyond the calendar"),
        ('m f="open', "no closing quote"),
        ('m f="a"b', "behind its closing quote"),
        ("m f=1\x00", "no number"),
    ],
)
def test_a_bad_line_is_told_by_its_number_and_the_lines_beside_it_are_kept(line: str, problem: str) -> None:
    read = parse(f"first f=1\n{line}\nlast f=2\n".encode(), "s")
    assert [(point.line, point.measurement) for point in read.points] == [(1, "first"), (3, "last")]
    assert [bad.line for bad in read.bad] == [2]
    assert problem in read.bad[0].problem
    assert read.bad[0].text == line.rstrip("\r")[:80]


def test_bytes_that_are_no_utf_8_cost_only_their_line() -> None:
    read = parse(b"m f=1\nm f=\xff\nm f=3")
    assert [point.fields["f"] for point in read.points] == [1.0, 3.0]
    assert read.bad[0].problem == "byte 0xff is not UTF-8"


def test_comments_and_empty_lines_are_counted_and_passed_over() -> None:
    assert [point.line for point in parse(b"# a comment\r\n\r\nm f=1\r\n\n").points] == [3]


def test_a_text_in_quotes_may_run_over_lines() -> None:
    read = parse(b'm f="one\ntwo\nthree",g=1 5\nm g=2')
    assert [(point.line, point.fields.get("g")) for point in read.points] == [(1, 1.0), (4, 2.0)]
    assert read.bad == []


def test_an_open_quote_swallows_no_good_line() -> None:
    read = parse(b'a s="x\nb t=",k="\nd s="\ne f=1')
    assert [point.measurement for point in read.points] == ["b", "e"]
    assert [bad.line for bad in read.bad] == [1, 3]


def test_of_very_many_bad_lines_the_first_hundred_are_told_and_the_rest_counted() -> None:
    read = parse(b"?\n" * 1000 + b"m f=1")
    assert (len(read.points), len(read.bad), read.more_bad) == (1, 100, 900)


words = st.text(string.ascii_letters + string.digits + "_ ,=äß€", min_size=1, max_size=8)
figures = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=10),
)


def written(word: str) -> str:
    return "".join("\\" + sign if sign in ", =" else sign for sign in word)


def cited(value: Any) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return repr(value)


@st.composite
def good_lines(draw: st.DrawFn) -> tuple[str, Point]:
    measurement = draw(words.filter(lambda word: not word.startswith(("#", " "))))
    tags = draw(st.dictionaries(words, words, max_size=2))
    fields = draw(st.dictionaries(words, figures, min_size=1, max_size=3))
    us = draw(st.none() | st.integers(-(10**15), 10**16))
    series = ",".join([written(measurement), *(f"{written(key)}={written(value)}" for key, value in tags.items())])
    values = ",".join(f"{written(key)}={cited(value)}" for key, value in fields.items())
    line = f"{series} {values}" + ("" if us is None else f" {us}")
    return line, Point(0, measurement, tags, fields, us)


rubbish = st.binary(max_size=30).map(lambda raw: raw.replace(b"\n", b"")) | st.sampled_from(
    [b'm f="', b'"', b'm f=",', b"m,a=b", b'm f="a" "', b"\\", b'm f="a\\']
)


@given(st.lists(good_lines() | rubbish, max_size=12))
def test_every_good_line_is_read_exactly_whatever_stands_beside_it(lines: list[Any]) -> None:
    body = b"\n".join(line if isinstance(line, bytes) else line[0].encode() for line in lines)
    read = parse(body, "us")
    found = {point.line: point._replace(line=0) for point in read.points}
    for number, line in enumerate(lines, start=1):
        if isinstance(line, tuple):
            assert found[number] == line[1]
    assert all(1 <= bad.line <= len(lines) for bad in read.bad)


@given(st.binary(max_size=300), st.sampled_from(sorted(PRECISIONS)))
def test_no_bytes_at_all_do_any_harm(body: bytes, precision: str) -> None:
    read = parse(body, precision)
    assert len(read.points) + len(read.bad) <= body.count(b"\n") + 1
