"""The commands of the alarms: `opsroom alarm`; `cli.py` adds them to its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from opsroom.cli_numbers import DAYS
from opsroom.moments import zoned

Data = Annotated[Path, typer.Option("--data", metavar="DIR", help="the room's folder")]

alarm_app = typer.Typer(help="How well the alarms serve the people who get them.", no_args_is_help=True)


@alarm_app.command("report")
def alarm_report(
    data: Data,
    unit: Annotated[str, typer.Option(metavar="UNIT", help="whose alarms; the whole tree's root by default")] = "",
    days: Annotated[float, typer.Option(parser=DAYS, metavar="DAYS", help="how far back")] = 30.0,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="figures for programs")] = False,
) -> None:
    """Print the measures commonly reproduced from ISA-18.2 for one unit, with its bad actors."""
    import msgspec
    from rich.console import Console
    from rich.table import Table

    from opsroom.alarms.report import report
    from opsroom.loop.hall import JOURNAL, read_file
    from opsroom.record.journal import read
    from opsroom.recursion.recursion import Tree

    tree = Tree.of(read_file(data).charter.units)
    where = unit or tree.root
    if where not in tree.units:
        raise typer.BadParameter(f"there is no unit {where!r}; known are {', '.join(tree.listed)}")
    entries = list(read(data / JOURNAL))
    told = report(entries, where, entries[-1].at if entries else 0.0, days)
    if as_json:
        typer.echo(msgspec.json.encode(told).decode())
        return
    span = " to ".join(zoned(at).strftime("%Y-%m-%d %H:%M") for at in (told.start, told.end))
    console = Console(markup=False, emoji=False)
    table = Table(
        title=f"Alarms at {tree.units[where].title or where}, {span} UTC: {told.alarms}", title_justify="left"
    )
    for head in ("", "figure", "good up to", "bearable up to", ""):
        table.add_column(head, justify="left" if not head else "right")
    for one in told.measures:
        table.add_row(one.name, f"{one.value:.3g}", f"{one.good:g}", f"{one.bearable:g}", one.judged)
    console.print(table)
    if told.actors:
        actors = Table(title="Signals that announce most", title_justify="left")
        for head in ("signal", "alarms", "share", "chattered", "fleeting", "stale"):
            actors.add_column(head, justify="left" if head == "signal" else "right")
        for actor in told.actors:
            figures = (actor.alarms, f"{actor.share:.0%}", actor.chattered, actor.fleeting, actor.stale)
            actors.add_row(actor.signal, *map(str, figures))
        console.print(actors)
    if told.warning:
        console.print(told.warning)
