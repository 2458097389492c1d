from __future__ import annotations

import re
import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsroom.constitution.charter import CharterError, Mistake, check, read, render, template
from opsroom.constitution.durations import seconds, written
from opsroom.constitution.toml_lines import lines_of
from opsroom.recursion.recursion import Tree

HEAD = '[room]\nid = "r"\n'
LEVELS = '[[level]]\nname = "total"\nclock = "1 d"\n[[level]]\nname = "plant"\nclock = "15 min"\n'
SEATS = "".join(f'[[seat]]\nnumber = {number}\noccupant = "Name {number}"\n' for number in range(1, 8))
TREE = '[[unit]]\nid = "top"\nlevel = "total"\n[[unit]]\nid = "mill"\nlevel = "plant"\nparent = "top"\n'
WHOLE = HEAD + LEVELS + SEATS + TREE


def only(text: str) -> Mistake:
    (mistake,) = check(text)
    return mistake


def line_of(text: str, written_there: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if written_there in line)


def test_the_example_is_without_mistake_and_says_what_it_says() -> None:
    assert check(template()) == []
    room = read(template())
    charter = room.charter
    assert room.id == "example"
    assert [unit.id for unit in charter.units] == ["total", "textiles", "mill-1", "mill-2"]
    assert [unit.clock_s for unit in charter.units] == [14400.0, 3600.0, 900.0, 1800.0]
    assert charter.agreements["mill-1/output"].recovery_s == 1200.0
    assert charter.council.unit == "total"
    assert charter.calendar[0].every_s == 7 * 86400.0
    assert room.occupants["seat-4"] == "Diego Duarte"
    assert room.occupants["operator"] == "Olga Ortiz"
    assert room.occupants["unit-mill-1"] == "Marta Molina"
    assert Tree.of(charter.units).path("mill-1") == ("mill-1", "textiles", "total")


NAMED = {
    "seconder": '"no"',
    "rounds": "1",
    "mode_order": '"ranked"',
    "mode_choice": '"majority"',
    "mode_dangerous": '"consent"',
    "mode_time": '"ranked"',
    "mode_agreement": '"ranked"',
    "motions_a_seat": "6",
    "readings": '"home"',
    "missing": '"hold"',
    "part": '"mill-2/other"',
    "from": '"mill-1/other"',
    "to": '"mill-2/other"',
    "stock": '"mill-2/other"',
    "share": "0.5",
    "extensions": "6",
    "priority": '"low"',
    "kind": '"step"',
    "consequence": '"severe"',
    "latched": "true",
    "only_logged": '["drift"]',
}
"""Other values for keys that hold a word or a name."""


def test_every_key_of_the_example_changes_what_is_read() -> None:
    usual = read(template())
    text = template()
    changed = 0
    for number, line in enumerate(text.splitlines()):
        found = re.match(r"^(\w+) = (\"[^\"]*\"|[0-9.]+|\[.*\]|\S+)", line)
        if not found or found.group(1) in (
            "id",
            "parent",
            "name",
            "level",
            "unit",
            "signal",
            "plant_level",
            "number",
            "chart",
        ):
            continue
        lines = text.splitlines()
        value = found.group(2)
        other = {'"': '"77 s"', "[": "[1.0, 2.0]", "2": "2030-01-06T23:30:00Z"}.get(value[0], "7")
        if value.startswith('"') and found.group(1) == "unassigned":
            other = '"textiles"'
        if found.group(1) in ("quorum", "readings_to_recover", "open_motions"):
            other = "6"
        if found.group(1) == "deliberation_max":
            other = '"3 h"'
        if found.group(1) == "every":
            other = '"8 d"'
        if found.group(1) == "stop_max":
            other = '"30 d"'
        other = NAMED.get(found.group(1), other)
        named = found.group(1) in NAMED
        written = other if named or not value[0].isdigit() or "T" in value or value.isdigit() else "7.5"
        lines[number] = f"{found.group(1)} = {written}"
        assert read("\n".join(lines)) != usual, line
        changed += 1
    assert changed > 30


def test_parents_come_before_their_children_whatever_the_order_of_the_file() -> None:
    text = (
        HEAD
        + LEVELS
        + SEATS
        + '[[unit]]\nid = "mill"\nlevel = "plant"\nparent = "top"\n[[unit]]\nid = "top"\nlevel = "total"\n'
    )
    assert [unit.id for unit in read(text).charter.units] == ["top", "mill"]


@pytest.mark.parametrize(
    ("wrong", "at", "value", "what"),
    [
        (WHOLE.replace('clock = "15 min"', 'clock = "15 minutes"'), 'clock = "15 minutes"', "15 minutes", "no time"),
        (WHOLE.replace('clock = "15 min"', "clock = -900"), "clock = -900", "-900", "cannot be negative"),
        (WHOLE.replace('parent = "top"', 'parent = "tpo"'), 'parent = "tpo"', "tpo", "no such unit"),
        (WHOLE.replace('level = "plant"', 'level = "plants"'), 'level = "plants"', "plants", "no such level"),
        (WHOLE.replace('id = "mill"', 'id = "Mill 1"'), 'id = "Mill 1"', "Mill 1", "lower-case"),
        (WHOLE + '[[unit]]\nid = "mill"\nlevel = "plant"\nparent = "top" # again\n', None, "mill", "two units"),
        (WHOLE + "[alarms]\nhysteresys = 5\n", "hysteresys", "5", "no such key"),
        (WHOLE + "[[alarms]]\nhysteresis = 5\n", "[[alarms]]", None, "must be one table"),
        (WHOLE + '[alarm]\nhysteresis = "5 min"\n', "[alarm]", None, "no such table"),
        (WHOLE + '[council]\nlevel = "totale"\n', 'level = "totale"', "totale", "no such level"),
        (WHOLE + '[council]\nunit = "toop"\n', 'unit = "toop"', "toop", "no such unit"),
        (WHOLE + "[council]\nquorum = 8\n", "quorum", "8", "does not fit"),
        (WHOLE + "[council]\nquorum = true\n", "quorum", "True", "does not fit"),
        (WHOLE + '[[agreement]]\nsignal = "mil/output"\n', "mil/output", "mil/output", "no plant 'mil'"),
        (WHOLE + '[[agreement]]\nsignal = "top/output"\n', "top/output", "top/output", "'top' is no plant"),
        (
            WHOLE + '[[agreement]]\nsignal = "mill/a"\nnormal = [\n  5.0,\n  1.0,\n]\n',
            "normal",
            "[5.0, 1.0]",
            "lower one first",
        ),
        (WHOLE + '[[agreement]]\nsignal = "mill/a"\ncapability = inf\n', "capability", "inf", "finite"),
        (
            WHOLE + '[[stop]]\nunit = "mill"\nreason = "x"\nstart = 2030-01-01T00:00:00\nend = 2030-01-01T00:00:00Z\n',
            "start =",
            None,
            "zone",
        ),
        (WHOLE.replace('occupant = "Name 3"', 'occupant = ""'), 'occupant = ""', "", "empty"),
        (WHOLE.replace('number = 7\noccupant = "Name 7"', 'number = 6\noccupant = "Name 7"'), None, "6", "twice"),
        (WHOLE.replace('id = "r"', 'id = "r"\nunassigned = "mill"'), "unassigned", "mill", "no plants below it"),
        (WHOLE.replace('parent = "top"', ""), None, "nothing", "topmost unit already"),
    ],
)
def test_a_mistake_is_answered_with_its_line_its_value_and_a_cure(
    wrong: str, at: str | None, value: str | None, what: str
) -> None:
    mistake = only(wrong)
    assert what in mistake.what
    assert mistake.cure
    if at is not None:
        assert mistake.line == line_of(wrong, at)
    if value is not None:
        assert mistake.value == value
    with pytest.raises(CharterError, match=re.escape(mistake.what)):
        read(wrong)


def test_the_nearest_known_word_is_suggested() -> None:
    assert only(WHOLE + "[alarms]\nhysteresys = 5\n").cure == "Did you mean 'hysteresis'?"
    assert only(WHOLE.replace('parent = "top"', 'parent = "topp"')).cure == "Did you mean 'top'?"
    assert "total, plant" in only(WHOLE.replace('level = "plant"', 'level = "xyz"')).cure


def test_all_mistakes_are_told_at_once_by_line() -> None:
    text = (
        WHOLE.replace('clock = "15 min"', 'clock = "soon"').replace('parent = "top"', 'parent = "tip"')
        + "[council]\nquorum = 0\n"
    )
    mistakes = check(text)
    assert [mistake.where for mistake in mistakes] == ["level[2].clock", "unit[2].parent", "council.quorum"]
    assert [mistake.line for mistake in mistakes] == sorted(mistake.line for mistake in mistakes)


def test_missing_seats_are_named() -> None:
    text = WHOLE.replace('[[seat]]\nnumber = 7\noccupant = "Name 7"\n', "").replace(
        '[[seat]]\nnumber = 2\noccupant = "Name 2"\n', ""
    )
    assert only(text).value == "seat 2, 7"


def test_a_circle_in_the_tree_is_shown() -> None:
    circle = '[[unit]]\nid = "a"\nlevel = "total"\nparent = "b"\n[[unit]]\nid = "b"\nlevel = "total"\nparent = "a"\n'
    whats = [mistake.what for mistake in check(HEAD + LEVELS + SEATS + TREE + circle)]
    assert whats == ["it stands above itself: a > b > a", "it stands above itself: b > a > b"]


def test_a_unit_below_one_of_a_lower_level_is_a_mistake() -> None:
    text = (
        HEAD
        + LEVELS
        + '[[level]]\nname = "leaf"\n'
        + SEATS
        + TREE.replace('"total"', '"leaf"').replace('"plant"', '"total"')
    )
    assert any("which is not above" in mistake.what for mistake in check(text))


@pytest.mark.parametrize(
    ("text", "line", "cure"),
    [
        ('[room]\nid = "a\n', 2, "Close the string"),
        ("[room]\nid = soon\n", 2, "double quotes"),
        ('[room]\nid = "a"\nid = "b"\n', 3, "once"),
        ("[room]\n[room]\n", 2, "once"),
        ("[room]\nid\n", 2, "key = value"),
        ("[room]\nx = " + "9" * 5000, 2, ""),
        ("[room]\nx = " + "[" * 5000, 0, ""),
        ("x = 2030-13-45\n", 1, ""),
    ],
)
def test_what_is_not_toml_is_told_with_its_line(text: str, line: int, cure: str) -> None:
    mistake = only(text)
    assert mistake.line == line
    assert "not TOML" in mistake.what
    assert cure in mistake.cure


def test_an_empty_file_says_what_is_missing() -> None:
    assert {mistake.where for mistake in check("")} >= {"room", "level", "unit", "seat"}


fragments = st.sampled_from(
    [
        *template().splitlines(keepends=True),
        *WHOLE.splitlines(keepends=True),
        "[[",
        "]]",
        '"""',
        "'''",
        "=",
        "[unit]\n",
        "#",
        "\\",
        "\x00",
    ]
)


@settings(deadline=None, max_examples=300)
@given(st.one_of(st.text(), st.lists(fragments, max_size=40).map("".join)))
def test_any_text_is_a_charter_or_mistakes(text: str) -> None:
    mistakes = check(text)
    if mistakes:
        assert all(mistake.cure and mistake.what and 0 <= mistake.line <= text.count("\n") + 1 for mistake in mistakes)
        with pytest.raises(CharterError):
            read(text)
    else:
        assert Tree.of(read(text).charter.units).root


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_a_change_of_the_example_is_a_charter_or_mistakes(data: st.DataObject) -> None:
    text = template()
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 40)))
        text = text[:start] + data.draw(st.one_of(st.text(max_size=6), fragments)) + text[end:]
    if not check(text):
        read(text)


plain = st.recursive(
    st.one_of(st.text(), st.integers(-(2**62), 2**62), st.booleans(), st.floats(allow_nan=False), st.datetimes()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
    max_leaves=4,
)
tables = st.dictionaries(st.text(), plain, max_size=4)


@settings(deadline=None)
@given(st.dictionaries(st.text(), st.one_of(tables, st.lists(tables, min_size=1, max_size=3)), max_size=4))
def test_what_is_rendered_is_read_again(outline: dict) -> None:
    assert tomllib.loads(render(outline)) == outline


def test_a_rendered_outline_of_the_example_is_the_example() -> None:
    outline = tomllib.loads(template())
    assert read(render(outline)) == read(template())


def test_lines_are_told_past_strings_arrays_and_comments() -> None:
    text = 'a = """\n[x]\n"""\nb = [\n  1, # ]\n  "]",\n]\n[t]\n"odd key".c = {d = 1}\n  [[u.v]]\n[[u.v]]\ne = \'#\' # f = 1\n'
    tomllib.loads(text)
    assert lines_of(text) == {
        ("a",): 1,
        ("b",): 4,
        ("t",): 8,
        ("t", "odd key"): 9,
        ("t", "odd key", "c"): 9,
        ("u", "v"): 10,
        ("u", "v", 0): 10,
        ("u", "v", 1): 11,
        ("u", "v", 1, "e"): 12,
    }


@settings(deadline=None)
@given(st.floats(0.001, 1e8))
def test_a_written_time_is_read_again(time_s: float) -> None:
    time_s = round(time_s, 3) if time_s < 1000 else float(round(time_s))
    assert seconds(written(time_s)) == pytest.approx(time_s, rel=1e-5)
