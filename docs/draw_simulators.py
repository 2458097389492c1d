"""Draw the tables of `docs/simulators.md` anew: `.venv/bin/python docs/draw_simulators.py`."""

from __future__ import annotations

import re
from pathlib import Path

from simulators.factory import Indicator
from simulators.outline import all_works, room_outline
from simulators.scenario import load, shipped

PAGE = Path(__file__).with_name("simulators.md")


def drawings() -> dict[str, str]:
    """Every drawn block of the page by name."""
    return {
        "tree": tree(),
        "plants": plants(),
        "indicators": indicators(),
        "orders": orders(),
        "scenarios": scenarios(),
    }


def tree() -> str:
    """The recursion tree, indented."""
    children: dict[str, list[tuple[str, str]]] = {}
    for line in room_outline(waterworks=True):
        children.setdefault(line.parent, []).append((line.unit, line.title))

    def under(parent: str, depth: int) -> list[str]:
        return [
            text
            for unit, title in children.get(parent, [])
            for text in (f"{'    ' * depth}{title} ({unit})", *under(unit, depth + 1))
        ]

    return "\n".join(["```text", *under("", 0), "```"])


def plants() -> str:
    """What each plant makes of what."""
    rows = [
        f"| {works.title} | {_figure(works.normal)} {works.indicators[0].unit} | "
        f"{', '.join(f'{product} {_figure(each * works.normal)} t/h' for product, each in works.uses.items()) or 'nothing'} | "
        f"{_figure(works.power_mw)} MW |"
        for works in all_works()
    ]
    return "\n".join(["| plant | makes | uses | draws |", "| --- | --- | --- | --- |", *rows])


def indicators() -> str:
    """Every signal with its level, noise and good direction."""
    rows = [f"| `{works.id}/{row.name}` | {_row(row)} |" for works in all_works() for row in works.indicators]
    head = (
        "| signal | normal | noise sd | unit | good | capability, potentiality |\n| --- | --- | --- | --- | --- | --- |"
    )
    return "\n".join([head, *rows])


def _row(row: Indicator) -> str:
    agreed = " / ".join(_figure(figure) for figure in row.agreed)
    return f"{_figure(row.normal)} | {_figure(row.noise)} | {row.unit} | {row.good.value} | {agreed}"


def orders() -> str:
    """Every order with its parameters and times."""
    rows = [
        f"| {works.title} | `{kind.name}` | {', '.join(kind.properties)} | {kind.danger} | {kind.crew} | "
        f"{kind.delay_s / 60:g} + {kind.work_s / 60:g} min |"
        for works in all_works()
        for kind in works.orders
    ]
    head = (
        "| plant | order | parameters | danger | crew | begins after + takes |\n| --- | --- | --- | --- | --- | --- |"
    )
    return "\n".join([head, *rows])


def scenarios() -> str:
    """The shipped scenarios."""
    rows = [
        f"| `{name}` | {load(name).title} | {load(name).duration_s / 3600:g} h | "
        f"{', '.join(sorted({fault.kind for fault in load(name).faults})) or 'none'} |"
        for name in shipped()
    ]
    return "\n".join(["| scenario | title | lasts | faults |", "| --- | --- | --- | --- |", *rows])


def renewed(page: str) -> str:
    """Put the drawings between their marks."""
    drawn = drawings()
    missing = set(drawn) ^ set(re.findall(r"<!-- drawn: (\S+) -->", page))
    if missing:
        raise SystemExit(f"the page and the drawings differ in {sorted(missing)}")
    for name, block in drawn.items():
        mark = re.compile(rf"(<!-- drawn: {name} -->\n).*?(\n<!-- end -->)", re.DOTALL)
        page = mark.sub(lambda found, block=block: f"{found[1]}{block}{found[2]}", page)  # type: ignore[misc] # text
    return page


def _figure(number: float) -> str:
    return f"{number:.4g}" if abs(number) < 10_000 else f"{number:,.0f}"


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
