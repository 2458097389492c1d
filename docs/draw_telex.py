"""Draw the tables and diagrams of `docs/telex.md` anew: `.venv/bin/python docs/draw_telex.py`."""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import msgspec

from telex_ingest import line, telex
from telex_ingest.refusals import GROUNDS
from telex_ingest.states import LINK, PLANT, diagram

PARTS = [
    *(telex.FromPlant, telex.Hello, telex.PlantBirth, telex.SignalBirth, telex.OrderBirth, telex.ExpectedEffect),
    *(telex.Spool, telex.Telex, telex.Sheet, telex.Receipt, telex.PlantCall),
    *(telex.PlantStatement, telex.Death),
    *(telex.FromRoom, telex.Welcome, telex.Ack, telex.Refusal, telex.Order, telex.Proof, telex.Handover, telex.Notice),
    *(telex.Invitation, telex.InvitedOption, telex.InvitedOrder),
]


def drawings() -> dict[str, str]:
    """Every drawn block of the page by name."""
    return {
        "link": f"```mermaid\n{diagram(LINK)}\n```",
        "plant": f"```mermaid\n{diagram(PLANT)}\n```",
        "refusals": refusals(),
        "limits": limits(),
        **{part.__name__: members(part) for part in PARTS},
    }


def renewed(page: str) -> str:
    """Put the drawings between their marks."""
    drawn = drawings()
    named = re.findall(r"<!-- drawn: (\S+) -->", page)
    missing = set(drawn) ^ set(named)
    if missing:
        raise SystemExit(f"docs/telex.md and its drawings differ in {sorted(missing)}")
    for name in named:
        block = f"<!-- drawn: {name} -->\n{drawn[name]}\n<!-- end -->"
        page = re.sub(rf"<!-- drawn: {name} -->.*?<!-- end -->", lambda _, b=block: b, page, flags=re.DOTALL)  # type: ignore[misc] # text
    return page


def refusals() -> str:
    """The table of grounds."""
    rows = [f"| `{code}` | {g.meaning} | {g.fate} | {g.cure} |" for code, g in GROUNDS.items()]
    return "\n".join(["| code | it means | what becomes of it | cure |", "| --- | --- | --- | --- |", *rows])


def members(part: type[msgspec.Struct]) -> str:
    """The table of a part's members."""
    _, components = msgspec.json.schema_components([part])
    schema: dict[str, Any] = components[part.__name__]
    required = schema.get("required", [])
    rows = []
    for name, form in schema["properties"].items():
        default = "required" if name in required else f"`{msgspec.json.encode(form.get('default')).decode()}`"
        rows.append(f"| `{name}` | {kind(form)} | {default} |")
    return "\n".join(["| member | is | default |", "| --- | --- | --- |", *rows])


def kind(form: dict[str, Any]) -> str:
    """A JSON Schema in a few words."""
    if "$ref" in form:
        name = str(form["$ref"]).rpartition("/")[2]
        return "reading" if name == "Reading" else enumerated(name)
    if "anyOf" in form:
        return " or ".join(kind(one) for one in form["anyOf"])
    if "enum" in form:
        return ", ".join(f"`{one}`" for one in form["enum"])
    if form.get("type") == "array":
        return "list of " + kind(form["items"]) if "items" in form else "list"
    if form.get("pattern"):
        return "id"
    if form.get("format") == "date-time":
        return "time"
    if form.get("contentEncoding") == "base64":
        return "bytes"
    words = {"object": "object", "null": "null", "boolean": "true or false", "string": "text", "number": "number"}
    if form.get("type") == "integer":
        low, high = form.get("minimum"), form.get("maximum")
        if low is None:
            return "whole number"
        return f"whole number from {low}" + (f" to {high}" if high is not None and high < 2**53 - 1 else "")
    over = form.get("exclusiveMinimum", form.get("minimum"))
    return words[form["type"]] + (f" above {over}" if "exclusiveMinimum" in form else "")


def enumerated(name: str) -> str:
    """The words of an enumeration, or a link to the part."""
    known = getattr(telex, name)
    if issubclass(known, msgspec.Struct):
        return f"[{name}](#{name.lower()})"
    return ", ".join(f"`{one.value}`" for one in known)


def limits() -> str:
    """The table of limits, with the words that stand below them in the code."""
    [tree] = ast.parse(inspect.getsource(line.Limits)).body
    assert isinstance(tree, ast.ClassDef)
    words: dict[str, str] = {}
    for before, node in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(before, ast.AnnAssign) and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            assert isinstance(before.target, ast.Name)
            words[before.target.id] = " ".join(str(node.value.value).split())
    rows = [f"| `{one.name}` | {one.default} | {words.get(one.name, '')} |" for one in fields(line.Limits)]
    return "\n".join(["| limit | default | what it bounds |", "| --- | --- | --- |", *rows])


if __name__ == "__main__":
    page = Path(__file__).parent / "telex.md"
    page.write_text(renewed(page.read_text(encoding="utf-8")), encoding="utf-8")
