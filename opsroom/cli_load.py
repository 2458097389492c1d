"""`opsroom council report`: how much is asked of the council; `cli.py` adds it to its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from opsroom.cli_numbers import DAYS

Data = Annotated[Path, typer.Option("--data", metavar="DIR", help="the room's folder")]


def council_report(
    data: Data,
    days: Annotated[float, typer.Option(parser=DAYS, metavar="DAYS", help="how far back")] = 30.0,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="figures for programs")] = False,
) -> None:
    """Print the council's load: motions a session, time from deviation to decision, expired, repeated, reversed."""
    import msgspec

    from opsroom.council.load import council_load, said
    from opsroom.loop.hall import JOURNAL, read_file
    from opsroom.record.journal import read

    session_s = read_file(data).charter.council.session_s
    entries = list(read(data / JOURNAL))
    load = council_load(entries, entries[-1].at if entries else 0.0, days, session_s)
    if as_json:
        typer.echo(msgspec.json.encode(load).decode())
        return
    for line in said(load):
        typer.echo(line)
