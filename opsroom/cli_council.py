"""The commands about what the council did: `opsroom minutes` and `opsroom council`; `cli.py` adds them to its own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[Path, typer.Option("--data", metavar="DIR", help="the room's folder")]

council_app = typer.Typer(help="What the council foresaw, and what came of it.", no_args_is_help=True)


def minutes(
    data: Data,
    motion: Annotated[str, typer.Option(metavar="MOTION", help="of one motion, such as motion-3")] = "",
    session: Annotated[int, typer.Option(min=0, help="of a session, counted from 1; 0: the last")] = 0,
    since: Annotated[str, typer.Option("--from", metavar="TIME", help="motions opened from this UTC time on")] = "",
    until: Annotated[str, typer.Option("--to", metavar="TIME", help="and before this one")] = "",
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="minutes.html or minutes.pdf")] = Path(
        "minutes.html"
    ),
) -> None:
    """Write the council's minutes from the journal alone, as HTML (with the proofs) or PDF; beside them the verifier."""
    from opsroom.loop.hall import JOURNAL
    from opsroom.minutes.page import page
    from opsroom.minutes.sheet import sheet
    from opsroom.minutes.writing import written
    from opsroom.record.carrying import ship_verifier

    document = written(data / JOURNAL, motion=motion, session=session, since=moment(since), until=moment(until))
    pdf = out.suffix.lower() == ".pdf"
    out.write_bytes(sheet(document) if pdf else page(document).encode())
    typer.echo(f"{out}: {document.title}; {document.subtitle}", err=True)
    if not pdf and document.proofs:
        verifier = ship_verifier(out.parent)
        typer.echo(f"check them anywhere: python {verifier} --proof {out}", err=True)


def moment(text: str) -> float | None:
    """Epoch seconds of a time on the command line, UTC unless it says otherwise; `None` for none.

    >>> moment("2026-03-02T06:00"), moment("1970-01-01T01:00+01:00"), moment("")
    (1772431200.0, 0.0, None)
    """
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time: write 2026-03-02T06:00", param_hint="TIME") from None
    return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp()


@council_app.command("forecasts")
def forecasts(data: Data, as_json: Annotated[bool, typer.Option("--json", help="as JSON lines")] = False) -> None:
    """Every forecast of an option that was scored or could not be, and how each kind of them did."""
    import msgspec

    from opsroom.loop.hall import JOURNAL
    from opsroom.record.journal import read
    from opsroom.room.events import ForecastScored, decode
    from opsroom.showing.foretelling import kind_words, tally_of

    scored = [
        event
        for one in read(data / JOURNAL)
        if one.kind == "forecast-scored"
        and isinstance(event := decode(one.kind, one.version, msgspec.json.encode(one.body)), ForecastScored)
    ]
    for event in scored if as_json else ():
        typer.echo(msgspec.json.encode(event).decode())
    if as_json:
        return
    if not scored:
        typer.echo("no forecast has been scored yet")
    for kind, record in tally_of(scored).items():
        typer.echo(kind_words(kind, record))
