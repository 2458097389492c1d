"""The JSON Schema and the AsyncAPI document say what the code does: in both directions, for frames that nobody thought of."""

from __future__ import annotations

import base64
import json
import runpy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from telex_ingest.telex import FromPlant, FromRoom
from telex_ingest.wire import decode, decode_room, encode
from tests.telex_ingest.strategies import plant_frames, room_frames

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA: dict[str, Any] = json.loads((DOCS / "telex.schema.json").read_text(encoding="utf-8"))
ASYNCAPI: dict[str, Any] = json.loads((DOCS / "telex.asyncapi.json").read_text(encoding="utf-8"))


def validator(part: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/$defs/{part}", "$defs": SCHEMA["$defs"]})


FROM_PLANT, FROM_ROOM = validator("FromPlant"), validator("FromRoom")


@pytest.mark.parametrize("name", ["telex.schema.json", "telex.asyncapi.json"])
def test_the_documents_are_those_of_the_code(name: str) -> None:
    drawn = runpy.run_path(str(DOCS / "draw_wire.py"))["documents"]()
    assert drawn[name] == (DOCS / name).read_text(encoding="utf-8"), "run .venv/bin/python docs/draw_wire.py"


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@given(plant_frames)
@settings(max_examples=60)
def test_every_frame_of_a_plant_is_valid(frame: FromPlant) -> None:
    FROM_PLANT.validate(json.loads(encode(frame)))


@given(room_frames)
@settings(max_examples=60)
def test_every_frame_of_the_room_is_valid(frame: FromRoom) -> None:
    FROM_ROOM.validate(json.loads(encode(frame)))


@pytest.mark.parametrize(
    "frame",
    [
        {"telexes": [{"plant": "mill", "seq": 0, "time": "2026-01-01T00:00:00Z"}]},
        {"telexes": [{"plant": "Mill", "seq": 1, "time": "2026-01-01T00:00:00Z"}]},
        {"telexes": [{"plant": "mill", "seq": 1}]},
        {"telexes": [{"plant": "mill", "seq": 1, "time": "2026-01-01T00:00:00Z", "readings": [[1]]}]},
        {"telexes": [{"plant": "mill", "seq": 1, "time": "2026-01-01T00:00:00Z", "readings": [[1, 2, "fine"]]}]},
        {"births": [{"plant": "mill", "signals": [{"id": 70000, "name": "a", "unit": "t", "period_s": 1}]}]},
        {"births": [], "birth": []},
    ],
)
def test_what_the_room_refuses_the_schema_refuses(frame: dict[str, Any]) -> None:
    assert not FROM_PLANT.is_valid(frame)
    assert decode(json.dumps(frame)).refusals


def of(part: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that a part of the schema allows."""
    if "$ref" in part:
        return st.deferred(lambda: of(SCHEMA["$defs"][part["$ref"].rpartition("/")[2]]))
    if "anyOf" in part:
        return st.one_of([of(one) for one in part["anyOf"]])
    if "enum" in part:
        return st.sampled_from(part["enum"])
    kind = part.get("type")
    if kind == "object":
        members = part.get("properties")
        if members is None:
            return st.dictionaries(st.text(max_size=5), st.none() | st.booleans() | st.text(max_size=5), max_size=2)
        required = set(part.get("required", ()))
        return st.fixed_dictionaries(
            {name: of(one) for name, one in members.items() if name in required},
            optional={name: of(one) for name, one in members.items() if name not in required},
        )
    if kind == "array":
        if "prefixItems" in part:
            parts = [of(one) for one in part["prefixItems"]]
            sizes = range(part["minItems"], part["maxItems"] + 1)
            return st.one_of([st.tuples(*parts[:size]).map(list) for size in sizes])
        return st.lists(of(part["items"]), max_size=2)
    if kind == "integer":
        return st.integers(part.get("minimum", -(2**53)), part.get("maximum", 2**53))
    if kind == "number":
        low = part.get("minimum", part.get("exclusiveMinimum"))
        return st.floats(low, exclude_min="exclusiveMinimum" in part, allow_nan=False, allow_infinity=False)
    if part.get("format") == "date-time":
        return st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=st.just(UTC)).map(datetime.isoformat)  # noqa: DTZ001 - the zone comes beside
    if part.get("contentEncoding") == "base64":
        return st.binary(max_size=20).map(lambda raw: base64.b64encode(raw).decode())
    if "pattern" in part:
        return st.from_regex(part["pattern"].replace("$", r"\Z"))
    return {"string": st.text(max_size=10), "boolean": st.booleans(), "null": st.none()}[str(kind)]


NOT_FORM = {"unknown-member", "empty", "bad-birth", "not-finite"}
"""Grounds that are about sense, not about form: what a schema cannot say."""


@given(of(SCHEMA["$defs"]["FromPlant"]).filter(bool))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_every_valid_frame_of_a_plant_is_read(frame: dict[str, Any]) -> None:
    FROM_PLANT.validate(frame)
    read = decode(json.dumps(frame))
    sheets = len(frame.get("sheets", ()))
    assert [one for one in read.refusals if one.code not in NOT_FORM][sheets:] == []
    assert len(read.frame.telexes) >= len(frame.get("telexes", ()))
    assert len(read.frame.births) == len(frame.get("births", ()))


@given(of(SCHEMA["$defs"]["FromRoom"]))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_every_valid_frame_of_the_room_is_read(frame: dict[str, Any]) -> None:
    FROM_ROOM.validate(frame)
    assert isinstance(decode_room(json.dumps(frame)), FromRoom)


def references(document: Any) -> list[str]:
    if isinstance(document, dict):
        own = [document["$ref"]] if isinstance(document.get("$ref"), str) else []
        return own + [found for one in document.values() for found in references(one)]
    return [found for one in document for found in references(one)] if isinstance(document, list) else []


@pytest.mark.parametrize("document", [SCHEMA, ASYNCAPI], ids=["schema", "asyncapi"])
def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    found = references(document)
    assert found
    for reference in found:
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def test_the_asyncapi_document_has_what_version_3_asks_for() -> None:
    assert ASYNCAPI["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= set(ASYNCAPI["info"])
    for operation in ASYNCAPI["operations"].values():
        assert operation["action"] in ("send", "receive")
        assert set(operation["channel"]) == {"$ref"}
    actions = {name: one["action"] for name, one in ASYNCAPI["operations"].items()}
    assert actions == {"hear": "receive", "tell": "send"}
    assert {struct.__name__ for struct in (FromPlant, FromRoom)} <= set(ASYNCAPI["components"]["schemas"])
    assert set(ASYNCAPI["components"]["schemas"]) == set(SCHEMA["$defs"])
    assert msgspec.structs.fields(FromPlant)[0].name in ASYNCAPI["components"]["schemas"]["FromPlant"]["properties"]
