"""The form of an order, made from the JSON Schema that the plant declared, and its values read back. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboards.words import say

YES = "yes"


def fields(schema: Mapping[str, Any], values: Mapping[str, Any] | None = None, of: str = "field") -> list[Component]:
    """Lay out one labelled control for each property of an order's schema.

    A choice (`enum`) is a group of radio buttons, a truth value a box, a number a number field with its limits, and
    anything else a line of text. The id of a control is `{"field": name}`, or with `of` in place of field; `values` stand in it.
    """
    required, known = set(schema.get("required", ())), values or {}
    return [
        _field(name, {**part, "default": known[name]} if name in known else part, name in required, of)
        for name, part in schema.get("properties", {}).items()
    ]


def label_of(name: str, part: Mapping[str, Any]) -> str:
    """Tell what a property is called: the plant's own title, or its name in words.

    >>> label_of("machine-kind", {}), label_of("rpm", {"title": "Speed"})
    ('Machine kind', 'Speed')
    """
    return str(part.get("title") or name.replace("_", " ").replace("-", " ").capitalize())


def missing(schema: Mapping[str, Any], parameters: Mapping[str, Any]) -> list[str]:
    """Tell what an order still needs, by the labels of its form; a figure beyond its limits is not read, and needed too.

    >>> missing({"properties": {"rpm": {"title": "Speed"}, "why": {}}, "required": ["rpm"]}, {"why": "so"})
    ['Speed']
    """
    properties = schema.get("properties", {})
    return [label_of(name, properties.get(name, {})) for name in schema.get("required", ()) if name not in parameters]


def _field(name: str, part: Mapping[str, Any], required: bool, of: str) -> Component:
    label = label_of(name, part)
    caption = [html.Span(label, className="caption")]
    if not required:
        caption.append(html.Span(say("form.optional"), className="hint"))
    if limits := _limits(part):
        caption.append(html.Span(limits, className="hint"))
    if description := part.get("description"):
        caption.append(html.Span(str(description), className="hint"))
    identity = {of: name}
    if part.get("enum"):
        options = [{"label": str(choice), "value": str(choice)} for choice in part["enum"]]
        value = str(part["default"]) if "default" in part else None
        radio = dcc.RadioItems(id=identity, options=options, value=value, className="radios")
        return html.Fieldset([html.Legend(caption), radio], className="field")
    if part.get("type") == "boolean":
        ticked = [YES] if part.get("default") else []
        box = dcc.Checklist(id=identity, options=[{"label": label, "value": YES}], value=ticked, className="radios")
        return html.Fieldset(
            [html.Legend(caption[1:] or [html.Span(label, className="unseen")]), box], className="field"
        )
    kind: dict[str, Any] = {"type": "text", "value": part.get("default")}
    if part.get("type") in ("number", "integer"):
        step = 1 if part["type"] == "integer" else part.get("multipleOf", "any")
        kind = {"type": "number", "value": part.get("default"), "step": step}
        kind |= {key: part[json] for key, json in (("min", "minimum"), ("max", "maximum")) if json in part}
    entry = dcc.Input(id=identity, required=required, autoComplete="off", **kind)
    return html.Label([*caption, entry], className="field")


def _limits(part: Mapping[str, Any]) -> str:
    low = part.get("minimum", part.get("exclusiveMinimum"))
    high = part.get("maximum", part.get("exclusiveMaximum"))
    if low is None and high is None:
        return ""
    if high is None:
        return say("form.least", least=low)
    return say("form.most", most=high) if low is None else say("form.between", least=low, most=high)


def read(schema: Mapping[str, Any], names: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    """Read the values of a form back as an order's parameters, in the types of its schema; what is left empty is left out.

    >>> schema = {"properties": {"people": {"type": "integer"}, "fast": {"type": "boolean"}, "why": {"type": "string"}}}
    >>> read(schema, ["people", "fast", "why"], [12, ["yes"], ""])
    {'people': 12, 'fast': True}
    """
    parameters: dict[str, Any] = {}
    properties = schema.get("properties", {})
    for name, value in zip(names, values, strict=True):
        part = properties.get(name, {})
        if part.get("type") == "boolean":
            parameters[name] = isinstance(value, list) and YES in value
        elif value is None or value == "":
            continue
        elif part.get("enum"):
            parameters[name] = next((choice for choice in part["enum"] if str(choice) == value), value)
        elif part.get("type") == "integer" and isinstance(value, float) and value.is_integer():
            parameters[name] = int(value)
        else:
            parameters[name] = value
    return parameters
