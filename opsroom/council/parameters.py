"""An order's parameters against the JSON Schema that the plant declared (draft 2020-12), without ever leaving the machine.

An empty schema means that the order takes no parameters. A reference to another document is not fetched: such a schema is faulty.
"""

from __future__ import annotations

from typing import Any

import jsonschema
import msgspec
from jsonschema.exceptions import best_match
from referencing import Registry
from referencing.exceptions import Unresolvable

from telex_ingest.canonical import CanonicalError, canonical

SCHEMA_BYTES = 16_384
"""The largest schema, and the largest set of parameters, as JSON."""


def schema_fault(schema: dict[str, Any]) -> str:
    """Say what is wrong with a declared schema; empty when it can be used.

    >>> schema_fault({"type": "object", "properties": {"speed": {"type": "number", "maximum": 120}}})
    ''
    >>> schema_fault({"type": "thing"})
    "'thing' is not valid under any of the given schemas"
    """
    if len(msgspec.json.encode(schema)) > SCHEMA_BYTES:
        return f"its schema is longer than {SCHEMA_BYTES} bytes"
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as wrong:
        return str(wrong.message)
    for reference in _references(schema):
        if not reference.startswith("#"):
            return f"its schema refers to {reference!r}, outside itself"
    return ""


def parameter_fault(schema: dict[str, Any], parameters: dict[str, Any]) -> str:
    """Say why parameters do not fit a schema; empty when they do.

    >>> parameter_fault({"properties": {"speed": {"type": "number", "maximum": 120}}}, {"speed": 150})
    'speed is 150, and may be 120 at most'
    >>> parameter_fault({"properties": {"speed": {"title": "Speed"}}, "required": ["speed"]}, {})
    'Speed is missing'
    >>> parameter_fault({}, {"speed": 1})
    'the order takes no parameters'
    """
    if not schema:
        return "the order takes no parameters" if parameters else ""
    if len(msgspec.json.encode(parameters)) > SCHEMA_BYTES:
        return f"the parameters are longer than {SCHEMA_BYTES} bytes"
    try:
        canonical(parameters)
    except CanonicalError as error:
        return str(error)
    validator = jsonschema.Draft202012Validator(schema, registry=Registry())
    try:
        wrong = best_match(validator.iter_errors(parameters))
    except (Unresolvable, RecursionError) as lost:
        return f"the declared schema cannot be followed ({type(lost).__name__})"
    if wrong is None:
        return ""
    return _told(schema, wrong)


def _told(schema: dict[str, Any], wrong: jsonschema.ValidationError) -> str:
    """Tell what does not fit in the plant's own words for its parameters, where the rule is a simple one."""
    path = [str(step) for step in wrong.absolute_path]
    properties = schema.get("properties", {})

    def title(name: str) -> str:
        part = properties.get(name)
        return str(part.get("title") or name) if isinstance(part, dict) else name

    if not path and wrong.validator == "required":
        return f"{' and '.join(title(name) for name in wrong.validator_value if name not in wrong.instance)} is missing"
    where = ".".join([title(path[0]), *path[1:]]) if path else ""
    if where and wrong.validator == "maximum":
        return f"{where} is {wrong.instance}, and may be {wrong.validator_value} at most"
    if where and wrong.validator == "minimum":
        return f"{where} is {wrong.instance}, and must be {wrong.validator_value} at least"
    if where and wrong.validator == "enum":
        return (
            f"{where} is {wrong.instance!r}, and must be one of {', '.join(str(one) for one in wrong.validator_value)}"
        )
    return f"{where}: {wrong.message}" if where else str(wrong.message)


def _references(schema: Any) -> list[str]:
    if isinstance(schema, dict):
        own = [str(schema[key]) for key in ("$ref", "$dynamicRef") if key in schema]
        return own + [found for value in schema.values() for found in _references(value)]
    if isinstance(schema, list):
        return [found for value in schema for found in _references(value)]
    return []
