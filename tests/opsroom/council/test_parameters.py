"""Parameters fit what the plant declared, and no schema makes the room ask the net."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.council.parameters import SCHEMA_BYTES, parameter_fault, schema_fault
from telex_ingest.birth import NESTED, deeper
from tests.opsroom.play import SPEED


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"rpm": 90}, ""),
        ({"rpm": 101}, "rpm"),
        ({}, "rpm is missing"),
        ({"rpm": "fast"}, "rpm"),
        ({"rpm": None}, "rpm"),
    ],
)
def test_parameters_fit_the_declared_schema_or_the_fault_says_where(parameters: dict[str, Any], words: str) -> None:
    fault = parameter_fault(SPEED, parameters)
    assert bool(fault) == bool(words)
    assert words in fault


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "thing"},
        {"$ref": "http://127.0.0.1:1/schema.json"},
        {"properties": {"a": {"anyOf": [{"$ref": "file:///etc/passwd"}]}}},
        {"description": "x" * SCHEMA_BYTES},
    ],
)
def test_a_schema_that_is_wrong_or_leads_outside_is_faulty(schema: dict[str, Any]) -> None:
    assert schema_fault(schema)


def test_a_schema_as_deep_as_a_birth_may_have_it_is_none() -> None:
    schema: dict[str, Any] = {"type": "object", "properties": {"rpm": {"type": "number"}}}
    parameters: dict[str, Any] = {"rpm": "fast"}
    for _ in range(14):
        schema, parameters = {"type": "object", "properties": {"a": schema}}, {"a": parameters}
    assert not deeper(schema, NESTED)
    assert deeper(schema, NESTED - 2)
    assert schema_fault(schema) == ""
    assert "'fast' is not of type 'number'" in parameter_fault(schema, parameters)


def test_a_reference_that_leads_nowhere_or_in_a_circle_is_a_fault_and_no_crash() -> None:
    assert parameter_fault({"$ref": "#/$defs/missing"}, {"a": 1})
    circle = {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}
    assert parameter_fault(circle, {"a": 1})
    assert parameter_fault(SPEED, {"rpm": 1, "note": "x" * SCHEMA_BYTES})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.dictionaries(st.sampled_from(["type", "properties", "required", "minimum", "x"]), JSON, max_size=3),
    st.dictionaries(st.text(max_size=3), JSON, max_size=2),
)
def test_whatever_a_plant_declares_the_answer_is_words(schema: dict[str, Any], parameters: dict[str, Any]) -> None:
    if not schema_fault(schema):
        assert isinstance(parameter_fault(schema, parameters), str)
