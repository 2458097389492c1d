"""The commands about what the council did: `opsroom minutes` and `opsroom council`; `cli.py` adds them to its own."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from opsroom.cli_numbers import figure, whole

Data = Annotated[Path, typer.Option("--data", metavar="DIR", help="the room's folder")]

council_app = typer.Typer(help="What the council foresaw, and what came of it.", no_args_is_help=True)


def minutes(
    data: Data,
    motion: Annotated[str, typer.Option(metavar="MOTION", help="of one motion, such as motion-3")] = "",
    session: Annotated[
        int, typer.Option(parser=whole(0, 1_000_000), metavar="N", help="of a session, counted from 1; 0: the last")
    ] = 0,
    since: Annotated[str, typer.Option("--from", metavar="TIME", help="motions opened from this UTC time on")] = "",
    until: Annotated[str, typer.Option("--to", metavar="TIME", help="and before this one")] = "",
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="minutes.html or minutes.pdf")] = Path(
        "minutes.html"
    ),
    check: Annotated[
        Path | None, typer.Option(metavar="FILE", help="compare minutes.html with the journal, word by word")
    ] = None,
) -> None:
    """Write the council's minutes from the journal alone, as HTML (with the proofs) or PDF; beside them the verifier."""
    from opsroom.loop.founding import journal_of
    from opsroom.minutes.page import page
    from opsroom.minutes.sheet import sheet
    from opsroom.minutes.writing import compared, written
    from opsroom.proof.verify_journal import BrokenError
    from opsroom.record.carrying import ship_verifier

    if check is not None:
        try:
            typer.echo(
                compared(
                    *(check.read_bytes(), journal_of(data)),
                    motion=motion,
                    session=session,
                    since=moment(since),
                    until=moment(until),
                )
            )
        except BrokenError as broken:
            typer.echo(f"broken: {broken}")
            raise typer.Exit(1) from None
        return
    if out.suffix.lower() not in (".html", ".htm", ".pdf"):
        raise typer.BadParameter(f"{out} is neither minutes.html nor minutes.pdf", param_hint="--out")
    document = written(journal_of(data), motion=motion, session=session, since=moment(since), until=moment(until))
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
    """Every forecast of an option that was scored or could not be, how each kind of them did, and how orders ended."""
    import msgspec

    from opsroom.loop.founding import journal_of
    from opsroom.record.journal import read
    from opsroom.room.events import ForecastScored, decode
    from opsroom.showing.foretelling import endings_words, kind_words, tally_of

    told = [
        decode(one.kind, one.version, msgspec.json.encode(one.body))
        for one in read(journal_of(data))
        if one.kind in ("forecast-scored", "order-ended", "order-answered")
    ]
    scored = [event for event in told if isinstance(event, ForecastScored)]
    for event in scored if as_json else ():
        typer.echo(msgspec.json.encode(event).decode())
    if as_json:
        return
    if not scored:
        typer.echo("no forecast has been scored yet")
    for kind, record in tally_of(scored).items():
        typer.echo(kind_words(kind, record))
    if ended := endings_words(told):
        typer.echo(ended)


def rehearse(
    data: Data,
    at: Annotated[str, typer.Option(metavar="TIME", help="the moment of the other decision, UTC")],
    option: Annotated[str, typer.Option(help="the option to rehearse: its letter, or nothing")] = "nothing",
    motion: Annotated[
        str, typer.Option(metavar="MOTION", help="the motion; else the one that was open, or the next")
    ] = "",
    scenario: Annotated[str, typer.Option(metavar="NAME", help="the plants' world; a demo's room knows it")] = "",
    start: Annotated[str, typer.Option(metavar="TIME", help="when that world began; a demo's room knows it")] = "",
    speed: Annotated[
        float, typer.Option(parser=figure(1, 1e6), metavar="X", help="simulated seconds a second")
    ] = 200.0,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="a new folder for the rehearsal")] = Path(
        "rehearsal"
    ),
) -> None:
    """Rehearse another decision in the simulators, beside what really happened; marked as such, and out of any plant's reach."""
    import asyncio

    from opsroom.minutes.blocks import Facts
    from opsroom.rehearsal import rehearse as play

    moment_at = moment(at)
    if moment_at is None:
        raise typer.BadParameter("say when", param_hint="--at")
    if out.exists() and any(out.iterdir()):
        raise typer.BadParameter(f"{out} is not empty: name a new folder", param_hint="--out")
    began = moment(start)
    path, document = asyncio.run(
        play(data, moment_at, option=option, motion=motion, scenario=scenario, start=began, speed=speed, out=out)
    )
    typer.echo(document.marked)
    for block in document.blocks:
        for name, value in block.rows if isinstance(block, Facts) else ():
            typer.echo(f"{name:34} {value}")
    typer.echo(path)


def drill(
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", help="a scenario of the simulators")] = "",
    data: Annotated[Path | None, typer.Option("--data", metavar="DIR", help="keep the drill's room here")] = None,
    score: Annotated[
        Path | None, typer.Option(metavar="DIR", help="score a drill that people held in this folder")
    ] = None,
    out: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="write the score card here")] = None,
) -> None:
    """Hold a drill with scripted seats and print the room's score card; --score DIR scores one that people held in a demo."""
    import asyncio

    import msgspec

    from opsroom.rehearsal import drill as hold
    from opsroom.rehearsal import scored
    from opsroom.rehearsing.card import card_rows
    from opsroom.rehearsing.mark import DRILL

    if score is None and not scenario:
        raise typer.BadParameter("name a scenario, or a folder with --score", param_hint="SCENARIO")
    told = scored(score) if score is not None else asyncio.run(hold(scenario, data))
    typer.echo(f"{DRILL} · score card of the room, never of a person")
    for name, value in card_rows(told):
        typer.echo(f"{name:34} {value}")
    if out is not None:
        out.write_bytes(msgspec.json.format(msgspec.json.encode(told)) + b"\n")
