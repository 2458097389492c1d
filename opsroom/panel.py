"""What the command line shows to people: panels and tables. I/O (writes to the terminal)."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from pathlib import Path
from urllib.parse import urlencode

import msgspec
from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from opsroom.doors.presence import NoAnswerError, Running, ask
from opsroom.entry.accounts import Account
from opsroom.entry.links import Link
from opsroom.moments import zoned
from opsroom.showing.line_table import line_table, plain
from opsroom.views import LineBook


def seats_table(passphrases: Mapping[str, str], occupants: Mapping[str, str], *, shown: tuple[str, ...] = ()) -> Table:
    """Accounts, who occupies them, and their passphrases."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("account", "occupant", "passphrase"):
        table.add_column(column, no_wrap=True)
    for name in shown or sorted(passphrases):
        if name in passphrases:
            table.add_row(*plain(name, occupants.get(name, ""), passphrases[name]))
    return table


def welcome(
    address: str,
    passphrases: Mapping[str, str],
    occupants: Mapping[str, str],
    folder: Path,
    speed: float,
    *,
    kept: bool,
) -> None:
    """Tell where the demo's room is, who may come in, and what to look at."""
    seats = tuple(f"seat-{number}" for number in range(1, 8))
    units = ("operator", "unit-textile-mill", "unit-textiles", "unit-consumer-goods", "unit-aswan-waterworks")
    look = _pairs(
        (f"{address}/", "the wall: twelve plants and the Nile at Aswan; nobody need log in"),
        ("/seat/1 to /seat/7", "the council; log in with the seat's passphrase"),
        ("/unit/textile-mill", "what the mill's own people see"),
        ("/operator", "the operator"),
    )
    happens = _pairs(
        (f"after {_minutes(3600 / speed)}", "a bearing wears out at the textile mill: suspected, then an alarm"),
        ("then", "the mill's own time runs out; the alarm climbs to its company, its branch, the council"),
        (
            "then it is yours",
            "open a motion at one seat, vote at four: the order goes to the mill, and you see its effect",
        ),
        ("meanwhile", "the Nile is told from 1871 on, a year every two seconds: watch 1899"),
    )
    foot = f"The room lies in {folder}{'' if kept else ', thrown away at the end'}. Ctrl-C ends it."
    content = Group(
        look,
        Text(f"\nWhat happens (a second is {speed:g} simulated seconds)", style="bold"),
        happens,
        Text(""),
        seats_table(passphrases, occupants, shown=(*seats, *units)),
        Text(f"\n{foot}", style="dim"),
    )
    Console().print(Panel(content, title="opsroom demo", border_style="orange3", width=min(Console().width, 100)))


def _pairs(*rows: tuple[str, str]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, style="orange3")
    grid.add_column()
    for left, right in rows:
        grid.add_row(*plain(left, right))
    return grid


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def made(folder: Path, passphrases: Mapping[str, str], occupants: Mapping[str, str]) -> None:
    """Tell the passphrases of a room that was just made; they are kept nowhere in clear."""
    console = Console(soft_wrap=True, markup=False, emoji=False)
    console.print(f"The room lies in {folder}; its constitution is {folder}/room.toml.")
    console.print("These passphrases are shown once, and kept nowhere in clear:\n")
    console.print(seats_table(passphrases, occupants))
    console.print(f"\nNext: opsroom link add LINK PLANT --data {folder}, then opsroom serve --data {folder}")


def accounts(rows: Iterable[Account], present: Container[str]) -> None:
    """Print accounts as a table."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("account", "role", "occupant", "logged in"):
        table.add_column(column, no_wrap=True)
    for row in rows:
        table.add_row(*plain(row.name, str(row.role), row.occupant, "yes" if row.name in present else ""))
    Console().print(table)


def links(rows: Iterable[Link]) -> None:
    """Print links as a table."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("link", "plants", "made", "last came in", "state"):
        table.add_column(column)
    for row in rows:
        state = "revoked" if row.revoked_at is not None else "valid"
        table.add_row(*plain(row.id, " ".join(row.plants), _moment(row.made_at), _moment(row.seen_at), state))
    Console().print(table)


def line(room: Running, search: str, most: int) -> None:
    """Print the line of a running room; raises `NoAnswerError`."""
    query = urlencode({"search": search, "most": most})
    told = ask(room, f"/api/line/book?{query}")
    if told.status != 200:
        raise NoAnswerError(room.address, f"status {told.status}")
    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, 160)  # a file or a pipe has no edge
    console.print(line_table(msgspec.convert(told.body, LineBook)))


def _moment(at: float | None) -> str:
    return "never" if at is None else zoned(at).isoformat(sep=" ", timespec="seconds")
