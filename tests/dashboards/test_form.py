from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dashboards import form
from tests.dashboards.test_figures import properties, text

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "people": {"type": "integer", "minimum": 1, "maximum": 40, "title": "People to add"},
        "hours": {"type": "number", "minimum": 0.5},
        "shift": {"type": "string", "enum": ["morning", "night"]},
        "level": {"enum": [1, 2]},
        "overtime": {"type": "boolean", "title": "With overtime"},
        "note": {"type": "string", "description": "for the foreman"},
    },
    "required": ["people"],
}


def test_each_property_gets_a_labelled_control_with_its_limits() -> None:
    tree = form.fields(SCHEMA)
    assert [found["field"] for found in properties(tree, "id")] == list(SCHEMA["properties"])
    told = text(tree)
    for words in ("People to add", "1 to 40", "0.5 or more", "Hours", "may stay empty", "for the foreman"):
        assert words in told
    assert properties(tree, "min") == [1, 0.5]


def test_values_come_back_in_the_types_of_the_schema() -> None:
    names = list(SCHEMA["properties"])
    assert form.read(SCHEMA, names, [12.0, 7.5, "night", "2", ["yes"], ""]) == {
        "people": 12,
        "hours": 7.5,
        "shift": "night",
        "level": 2,
        "overtime": True,
    }


@given(
    st.lists(
        st.one_of(st.none(), st.integers(), st.floats(), st.text(), st.just([]), st.just(["yes"])),
        min_size=6,
        max_size=6,
    )
)
def test_no_value_that_a_browser_may_send_raises(values: list[Any]) -> None:
    form.read(SCHEMA, list(SCHEMA["properties"]), values)
