"""The room's tables as Markdown: the documents are drawn from the tables that the program runs on (`docs/room.md`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, get_args

from opsroom.alarms import algedonic
from opsroom.alarms.life import BEGINNING, LIFE
from opsroom.alarms.rationale import PRIORITY
from opsroom.commands import AnyCommand
from opsroom.council import deliberation, order
from opsroom.room.authority import MAY
from opsroom.room.events import KINDS, VERSIONS


def life(table: Mapping[Any, Mapping[str, str | tuple[str, ...]]], start: Iterable[str] = ()) -> str:
    """Draw a table of states as a Mermaid state diagram; `start` are the states in which a life may begin.

    >>> print(life({"open": {"carried": "carried"}, "carried": {}}, start=["open"]))
    stateDiagram-v2
        [*] --> open
        open --> carried: carried
        carried --> [*]
    """
    lines = ["stateDiagram-v2", *(f"    [*] --> {state}" for state in start)]
    for state, row in table.items():
        for cause, after in row.items():
            afters = (after,) if isinstance(after, str) else after
            lines += [f"    {state or '[*]'} --> {target}: {cause}" for target in afters]
        if not row:
            lines.append(f"    {state} --> [*]")
    return "\n".join(lines)


def _rows(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines)


def _first_line(thing: type) -> str:
    return (thing.__doc__ or "").strip().splitlines()[0]


def _fenced(diagram: str) -> str:
    return f"```mermaid\n{diagram}\n```"


def verdicts() -> str:
    """From verdict to reaction."""
    rows = ((f"`{named}`", row["bad"], row["good"]) for named, row in algedonic.TABLE.items())
    return _rows(("the filter says", "in the bad direction", "in the good direction"), rows)


def regions() -> str:
    """Draw the three regions of an alarm's life side by side, as one composite state."""
    lines = ["stateDiagram-v2", "    state alarm {"]
    for place, (region, table) in enumerate(LIFE.items()):
        lines += ["        --"] if place else []
        lines.append(f"        [*] --> {_plain(BEGINNING[region])}")
        for state, row in table.items():
            lines += [f"        {_plain(state)} --> {_plain(after)}: {cause}" for cause, after in row.items()]
    return "\n".join([*lines, "    }"])


def _plain(state: str) -> str:
    return state.replace("-", "_")


def transitions() -> str:
    """The same table in rows: region, state, happening, next state."""
    rows = (
        (region, state, f"`{cause}`", after)
        for region, table in LIFE.items()
        for state, row in table.items()
        for cause, after in row.items()
    )
    return _rows(("region", "from", "what happens", "to"), rows)


def priorities() -> str:
    """The priority by consequence and time to respond."""
    heads = tuple(next(iter(PRIORITY.values())))
    rows = ((when, *(row[one] for one in heads)) for when, row in PRIORITY.items())
    return _rows(("time to respond", *heads), rows)


def authority() -> str:
    """Who may give which command."""
    rows = []
    for command in get_args(AnyCommand):
        may = ", ".join(sorted(str(role) for role in MAY[command]))
        rows.append((f"`{command.__struct_config__.tag}`", may, _first_line(command)))
    return _rows(("command", "roles", "what it does"), rows)


def kinds() -> str:
    """Every kind of event."""
    return _rows(
        ("kind", "version", "what has happened"),
        ((f"`{k}`", str(VERSIONS[k]), _first_line(c)) for k, c in KINDS.items()),
    )


DRAWN: Mapping[str, Callable[[], str]] = {
    "verdicts": verdicts,
    "alarm": lambda: _fenced(regions()),
    "alarm-table": transitions,
    "priorities": priorities,
    "motion": lambda: _fenced(life(deliberation.LIFE, start=["seconding", "blind"])),
    "order": lambda: _fenced(life(order.LIFE, start=["issued", "held", "unconfirmed"])),
    "authority": authority,
    "events": kinds,
}
"""What is drawn, by the name of its place in the page."""


def renewed(page: str) -> str:
    """Give a page with everything between `<!-- drawn: name -->` and `<!-- end -->` drawn anew."""
    head, *parts = page.split("<!-- drawn: ")
    for part in parts:
        name, _, rest = part.partition(" -->")
        _, end, tail = rest.partition("<!-- end -->")
        head += f"<!-- drawn: {name} -->\n{DRAWN[name]()}\n{end}{tail}"
    return head
