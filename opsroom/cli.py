"""The command line: `opsroom NOUN VERB`; every part is imported only by the command that needs it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from opsroom.cli_alarm import alarm_app
from opsroom.cli_council import council_app
from opsroom.cli_council import drill as drill_command
from opsroom.cli_council import minutes as minutes_command
from opsroom.cli_council import rehearse as rehearse_command
from opsroom.cli_feed import feed_app
from opsroom.cli_link import link_app
from opsroom.cli_load import council_report
from opsroom.cli_numbers import PORT, SPEED, figure, whole
from opsroom.cli_record import journal_app, key_app
from opsroom.cli_store import backup_command, export_command, migrate_command
from opsroom.doctor.visit import command as doctor_command

app = typer.Typer(
    name="opsroom",
    help="The open operations room: plants tell, a filter judges, a council decides, the effect is measured.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
seat_app = typer.Typer(help="Who sits where: accounts, passphrases, occupants.", no_args_is_help=True)
app.add_typer(seat_app, name="seat")
app.add_typer(link_app, name="link")
app.add_typer(alarm_app, name="alarm")
app.add_typer(feed_app, name="feed")
app.add_typer(journal_app, name="journal")
app.add_typer(key_app, name="key")
app.add_typer(council_app, name="council")
council_app.command("report")(council_report)
app.command("minutes")(minutes_command)
app.command("rehearse")(rehearse_command)
app.command("drill")(drill_command)
bench_app = typer.Typer(help="Measure this machine, from a checkout of the repository.", no_args_is_help=True)
app.add_typer(bench_app, name="bench")

app.command("backup")(backup_command)
app.command("export")(export_command)
app.command("migrate")(migrate_command)

Data = Annotated[Path, typer.Option("--data", metavar="DIR", help="the room's folder")]


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; a mistake of its user is one sentence on standard error and exit code 2."""
    # Before numpy comes: on a room's small matrices the threads of BLAS only wait for each other, and take the loop's core.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from opsroom.loop.faults import sentence_of

    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["detect"]:
        _add_detect()
    if arguments[:1] == ["calibrate"]:
        _add_calibrate()
    try:
        app(arguments)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        sentence = sentence_of(error)
        if sentence is None:
            raise
        typer.echo(f"opsroom: {sentence}", err=True)
        sys.exit(2)


def _add_detect() -> None:
    from opsroom.detection.detect import command

    app.registered_commands = [known for known in app.registered_commands if known.name != "detect"]
    app.command("detect")(command)


def _add_calibrate() -> None:
    from opsroom.detection.calibrate import command

    app.registered_commands = [known for known in app.registered_commands if known.name != "calibrate"]
    app.command("calibrate")(command)


def _run(work: Callable[[], Coroutine[Any, Any, int]]) -> None:
    """Run a coroutine on a fast event loop and leave with its exit code."""
    import asyncio

    try:
        import uvloop
    except ImportError:
        loop_factory = None
    else:
        loop_factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        code = runner.run(work())
    raise typer.Exit(code)


@app.command("init")
def init(
    data: Data,
    room: Annotated[Path | None, typer.Option(metavar="ROOM.toml", help="begin with this file")] = None,
) -> None:
    """Make a room's folder: a room.toml to edit, the accounts, and their passphrases, told once."""
    from opsroom.loop.founding import found
    from opsroom.loop.hall import read_file
    from opsroom.panel import made

    fresh = found(data, room.read_text(encoding="utf-8-sig") if room else None)
    made(data, fresh, read_file(data).occupants)


@app.command("serve")
def serve(
    data: Data,
    host: Annotated[str, typer.Option(help="the address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(parser=PORT, metavar="N", help="the port; 0 takes a free one")] = 8000,
    allow_host: Annotated[list[str] | None, typer.Option(metavar="NAME", help="another name of this room")] = None,
    tls_cert: Annotated[str, typer.Option(metavar="FILE", help="the certificate, PEM")] = "",
    tls_key: Annotated[str, typer.Option(metavar="FILE", help="its key, PEM")] = "",
    client_ca: Annotated[
        str, typer.Option(metavar="FILE", help="links may come in by certificates of these authorities, PEM")
    ] = "",
    behind_proxy: Annotated[bool, typer.Option(help="a proxy in front speaks TLS")] = False,
    proxy: Annotated[
        list[str] | None, typer.Option(metavar="ADDRESS", help="where the proxy is, if not on this machine")
    ] = None,
    certificate_header: Annotated[
        str, typer.Option(metavar="NAME", help="the header in which the proxy tells a link's certificate")
    ] = "",
    metrics_token: Annotated[
        Path | None, typer.Option(metavar="FILE", help="who asks /metrics from elsewhere says this token")
    ] = None,
    anonymous_wall: Annotated[bool, typer.Option(help="let everybody look at the wall without a login")] = False,
    speed: Annotated[
        float,
        typer.Option(parser=SPEED, metavar="X", help="how fast the room's clock runs; for demo and rehearsal only"),
    ] = 1.0,
    store: Annotated[str, typer.Option(metavar="URL", help="where the readings go: postgresql://USER@HOST/DB")] = "",
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error")] = "info",
    log_json: Annotated[bool, typer.Option(help="log JSON lines")] = False,
) -> None:
    """Run the room of a folder, without simulators, until Ctrl-C."""
    from opsroom.entry.guard import Doors

    doors = Doors(
        host=host,
        port=port,
        names=tuple(allow_host or ()),
        tls_cert=tls_cert,
        tls_key=tls_key,
        client_ca=client_ca,
        behind_proxy=behind_proxy,
        proxies=tuple(proxy or ()),
        certificate_header=certificate_header,
        metrics_token=metrics_token.read_text(encoding="utf-8").strip() if metrics_token else "",
        anonymous_wall=anonymous_wall,
    )
    doors.check()
    from opsroom.app import open_and_serve

    _run(lambda: open_and_serve(data, doors, speed, log_level, as_json=log_json, store_at=store))


@app.command(
    "simulate", context_settings={"allow_extra_args": True, "ignore_unknown_options": True}, add_help_option=False
)
def simulate(context: typer.Context) -> None:
    """Play a scenario to a room: SCENARIO --url ws://HOST:PORT/telex --link NAME --token-file FILE (see simulate --help)."""
    from simulators.__main__ import main as simulators

    raise typer.Exit(simulators(context.args))


@app.command("demo")
def demo(
    script: Annotated[str, typer.Option(metavar="NAME", help="let scripted seats act it out, e.g. loom-slows")] = "",
    headless: Annotated[
        bool, typer.Option("--headless", help="with --script: no browser needed, ends by itself")
    ] = False,
    data: Annotated[Path | None, typer.Option("--data", metavar="DIR", help="keep the room here")] = None,
    report: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="write what happened, with --script")
    ] = None,
    speed: Annotated[
        float, typer.Option(parser=SPEED, metavar="X", help="simulated seconds a second (without --script)")
    ] = 60.0,
    port: Annotated[int, typer.Option(parser=PORT, metavar="N", help="the port; 0 takes a free one")] = 8000,
) -> None:
    """Show a whole room with simulated plants on loopback; or, with --script, tell the whole story in a minute."""
    if script:
        from opsroom.story import tell

        _run(lambda: tell(script, data, report, 0 if headless else port))
    if report or headless:
        raise typer.BadParameter("--json and --headless belong to --script NAME", param_hint="--script")
    from opsroom.demo import run_demo

    _run(lambda: run_demo(data, port=port, speed=speed))


@app.command("detect", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def detect() -> None:
    """Judge every reading of a table: opsroom detect IN.csv -o OUT.csv."""
    raise AssertionError("main() puts the real command in its place")


@app.command("calibrate", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def calibrate() -> None:
    """Learn each signal's settings from its history: opsroom calibrate HISTORY.csv -o room-calibration.toml."""
    raise AssertionError("main() puts the real command in its place")


@app.command("check")
def check(file: Annotated[Path, typer.Argument(metavar="ROOM.toml")]) -> None:
    """Check a room.toml: every mistake with its line, its value and the cure."""
    from opsroom.constitution.charter import check as mistakes_in
    from opsroom.constitution.charter import read
    from opsroom.loop.calibrations import calibrated

    text = file.read_text(encoding="utf-8-sig")
    mistakes = mistakes_in(text) or calibrated(file.parent, read(text).judging)[1]
    for mistake in mistakes:
        typer.echo(f"{file}: {mistake}", err=True)
    if mistakes:
        raise typer.Exit(1)
    typer.echo(f"{file}: no mistake found")


@seat_app.command("list")
def seat_list(data: Data) -> None:
    """Every account and who occupies it."""
    from opsroom.loop.founding import people_of
    from opsroom.panel import accounts

    with people_of(data) as people:
        accounts(people.accounts(), people.present())


@seat_app.command("passphrase")
def seat_passphrase(account: Annotated[str, typer.Argument(help="seat-1, operator, unit-mill-1")], data: Data) -> None:
    """Make a new passphrase for an account, and tell it once; its sessions end."""
    from opsroom.loop.founding import people_of

    with people_of(data) as people:
        typer.echo(people.renew(account))


@seat_app.command("occupant")
def seat_occupant(account: str, name: Annotated[str, typer.Argument(help="who sits there now")], data: Data) -> None:
    """Name another occupant; the sessions of the old one end."""
    from opsroom.loop.founding import people_of

    with people_of(data) as people:
        people.rename(account, name)
        typer.echo(f"{account} is {name} now; make a new passphrase too: opsroom seat passphrase {account}")


@bench_app.command("ingest")
def bench_ingest(
    plants: Annotated[int, typer.Option(parser=whole(1, 1_000_000), metavar="N")] = 1000,
    indicators: Annotated[int, typer.Option(parser=whole(1, 4096), metavar="N")] = 12,
    rate: Annotated[str, typer.Option(help="telexes a second a plant; max or 0: as fast as it goes")] = "1",
    framing: Annotated[
        str, typer.Option(help="json: a frame a telex; batch: a sheet a link; telexes: a list a link")
    ] = "json",
    seconds: Annotated[float, typer.Option(parser=figure(1, 1e6), metavar="S")] = 30.0,
    links: Annotated[
        int,
        typer.Option(
            parser=whole(0, 100_000),
            metavar="N",
            help="websockets; 0: a hundred, or one for a hundred plants that it tells together",
        ),
    ] = 0,
    window: Annotated[
        int,
        typer.Option(
            parser=whole(0, 100_000),
            metavar="N",
            help="frames of a link on the way, as fast as it goes; 0: a fitting number",
        ),
    ] = 0,
    warm: Annotated[
        float,
        typer.Option(
            parser=figure(0, 1e6),
            metavar="S",
            help="seconds of load before the measuring: a signal's first ten readings are judged otherwise",
        ),
    ] = 15.0,
    to: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="write the figures here")] = None,
    profile: Annotated[Path | None, typer.Option(metavar="FILE", help="profile the room with cProfile; slower")] = None,
) -> None:
    """Put load on a real room and count what became of every telex; fails when one is lost or doubled."""
    import json

    try:
        from benchmarks import ingest
    except ModuleNotFoundError:
        raise ValueError(
            "opsroom bench runs from a checkout of the repository, with its development packages"
        ) from None
    load = ingest.Load(
        plants=plants,
        indicators=indicators,
        rate=0.0 if rate == "max" else figure(0, 1e6)(rate),
        framing=framing,
        seconds=seconds,
        links=links,
        window=window,
        warm=warm,
    )
    result = ingest.measure(load, profile)
    typer.echo(ingest.told(result))
    if to is not None:
        to.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    raise typer.Exit(0 if ingest.right(result) else 1)


app.command("doctor")(doctor_command)


if __name__ == "__main__":
    main()
