"""The commands of feeds: `opsroom feed list|new|check|run`; `cli.py` adds them to its own."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Coroutine, Mapping
from contextlib import aclosing
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from opsroom.cli_numbers import whole

if TYPE_CHECKING:
    from opsroom.feeding.dry import DryRoom, Echo
    from opsroom.feeding.notes import Notes
    from telex_ingest.feed import Feed
    from telex_ingest.line import LinkCounts

feed_app = typer.Typer(help="Where readings come from: files, HTTP, MQTT, OPC UA, Modbus, NATS.", no_args_is_help=True)

LOOK_S = 1.0
"""How often is looked what a running feed counts."""

Name = Annotated[str, typer.Argument(metavar="NAME", help="an installed feed, or module:Class")]


def _kind(name: str) -> type[Feed]:
    """The class of a feed, by its entry point or as module:Class."""
    from telex_ingest.feed import ENTRY_POINTS, FeedError, load_feed

    if ":" in name:
        sys.path.insert(0, "")  # a feed under work in this folder, as `python -m` finds it
        return load_feed(EntryPoint(name, name, ENTRY_POINTS))
    for entry in entry_points(group=ENTRY_POINTS):
        if entry.name == name:
            return load_feed(entry)
    known = ", ".join(sorted(entry.name for entry in entry_points(group=ENTRY_POINTS)))
    raise FeedError(name, "no package offers a feed of this name", f"use one of {known}, or install its package")


@feed_app.command("list")
def feed_list(name: Annotated[str, typer.Argument(metavar="[NAME]", help="this feed with its settings")] = "") -> None:
    """Every installed feed; with a name, its settings."""
    from telex_ingest.feed import ENTRY_POINTS, FeedError, load_feed
    from telex_ingest.feed_settings import explained

    if name:
        kind = _kind(name)
        typer.echo(f"{name}: {_first_line(kind)}")
        for row in explained(kind):
            typer.echo(f"  {row}")
        return
    for entry in sorted(entry_points(group=ENTRY_POINTS), key=lambda one: one.name):
        try:
            says = _first_line(load_feed(entry))
        except FeedError as error:
            says = f"does not load: {error.what}"
        typer.echo(f"{entry.name:12} {says}")


def _first_line(kind: type[Feed]) -> str:
    return (kind.__doc__ or kind.__name__).strip().splitlines()[0].partition("; `")[0].rstrip(".")


@feed_app.command("new")
def feed_new(
    name: Annotated[str, typer.Argument(help="its name: small letters, digits, hyphens")],
    into: Annotated[
        Path | None, typer.Option("--into", metavar="DIR", help="the folder to make; NAME if left out")
    ] = None,
) -> None:
    """Write a package with a feed that works, its test and a README."""
    from opsroom.feeding.scaffold import package

    files = package(name)
    folder = into or Path(f"opsroom-feed-{name}")
    if folder.exists() and any(folder.iterdir()):
        raise ValueError(f"{folder} is there and not empty: name another folder with --into")
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
        typer.echo(str(folder / path))
    typer.echo(f"\nNext: pip install -e {folder}, then opsroom feed check {name}")


@feed_app.command("check")
def feed_check(
    name: Name,
    tier: Annotated[str, typer.Option(metavar="TIER", help="fail below: bronze, silver or gold")] = "bronze",
    only: Annotated[list[str] | None, typer.Option(metavar="PROMISE", help="look at this promise alone")] = None,
    logs: Annotated[bool, typer.Option("--logs", help="show what the feed and its libraries log meanwhile")] = False,
) -> None:
    """Look at every promise of a feed, and tell which tier it reaches and why not the next."""
    import logging

    from telex_ingest.feed_check import Tier, check

    if tier.upper() not in Tier.__members__:
        raise typer.BadParameter(f"{tier!r} is no tier: bronze, silver or gold", param_hint="--tier")
    # A check cuts lines and breaks off feeds: what libraries say of that with tracebacks is no finding.
    logging.basicConfig(handlers=[logging.StreamHandler() if logs else logging.NullHandler()])
    kind = _kind(name)
    runner = asyncio.Runner()
    with tempfile.TemporaryDirectory() as folder:
        report = runner.run(check(kind, Path(folder), name=name, only=only or ()))
        typer.echo(str(report))
    code = 0 if report.tier >= Tier[tier.upper()] and (report.whole or all(one.kept for one in report.results)) else 1
    if report.stuck:  # the runner would wait for ever for what cannot be cancelled
        sys.stdout.flush()
        os._exit(code)
    runner.close()
    raise typer.Exit(code)


@feed_app.command("run")
def feed_run(
    name: Name,
    settings: Annotated[Path | None, typer.Option(metavar="FILE.toml", help="the feed's settings")] = None,
    sets: Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="one setting; wins")] = None,
    dry: Annotated[bool, typer.Option("--dry", help="touch no room: tell each reading's fate and verdict")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="with --dry: a JSON object a reading")] = False,
    readings: Annotated[
        int, typer.Option(parser=whole(0, 2**53), metavar="N", help="with --dry: stop after so many")
    ] = 0,
    url: Annotated[str, typer.Option(metavar="URL", help="the room: ws://HOST:PORT/telex")] = "",
    link: Annotated[str, typer.Option(metavar="NAME", help="the link that may speak for the plant")] = "",
    token_file: Annotated[Path | None, typer.Option(metavar="FILE", help="the ticket that the room printed")] = None,
    spool: Annotated[Path | None, typer.Option(metavar="FILE", help="PLANT.spool if left out")] = None,
    msgpack: Annotated[bool, typer.Option(help="speak MessagePack instead of JSON")] = False,
    tls_ca: Annotated[Path | None, typer.Option(metavar="FILE", help="the authority to trust on wss://, PEM")] = None,
    tls_cert: Annotated[Path | None, typer.Option(metavar="FILE", help="the certificate to show, PEM")] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="FILE", help="its key, PEM")] = None,
) -> None:
    """Carry a feed to a room until it ends or is stopped; or, with --dry, only tell what would become of its readings."""
    from opsroom.feeding.notes import Notes, left_behind
    from telex_ingest.feed import carry, first_birth
    from telex_ingest.feed_settings import make_feed, options_from
    from telex_ingest.trust import trust

    options = options_from("" if settings is None else settings.read_text(encoding="utf-8-sig"), sets or ())
    feed = make_feed(name, _kind(name), options)
    if dry:
        _run(feed, _dry_run(feed, readings, as_json=as_json))
        return
    if not (url and link and token_file):
        raise typer.BadParameter("a room needs --url, --link and --token-file; without one say --dry", param_hint="run")
    if not url.startswith(("ws://", "wss://")):
        raise typer.BadParameter(
            f"{url} is no websocket: write ws://HOST:PORT/telex, or wss:// with TLS", param_hint="--url"
        )
    token = token_file.read_text(encoding="utf-8").strip()
    tls = trust(tls_ca, tls_cert, tls_key)

    async def carrying() -> None:
        ends: list[LinkCounts] = []
        notes = Notes()
        looking = asyncio.create_task(_look_after(feed, notes))
        path = spool
        try:
            birth = await first_birth(feed)
            path = path or Path(f"{birth.plant}.spool")
            framing: Literal["json", "msgpack"] = "msgpack" if msgpack else "json"
            told = await carry(
                *(feed, url, link, token, path),
                subprotocol=framing,
                tls=tls,
                birth=birth,
                on_refusal=lambda refused: _say(notes.refused(refused)),
                on_end=ends.append,
            )
        except asyncio.CancelledError:
            _say(f"stopped: {left_behind(ends, path)}{_left_out(feed)}{notes.left_out()}")
            raise
        finally:
            looking.cancel()
        _say(f"{told} telexes told and acknowledged; the feed has ended{_left_out(feed)}{notes.left_out()}")

    _run(feed, carrying())


async def _look_after(feed: Feed, notes: Notes) -> None:
    """Say what the feed counts for the first time: a payload that is no figure, a node that the server refuses."""
    while True:
        counts = getattr(feed, "counts", None)
        _say(notes.counted(counts) if isinstance(counts, Mapping) else "")
        await asyncio.sleep(LOOK_S)


def _say(sentence: str) -> None:
    if sentence:
        typer.echo(sentence, err=True)


def _run(feed: Feed, work: Coroutine[Any, Any, None]) -> None:
    import logging

    from opsroom.feeding.notes import Libraries
    from opsroom.feeding.stopping import run_until_told

    told = logging.StreamHandler(sys.stderr)
    told.addFilter(Libraries(feed))
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.WARNING, handlers=[told])
    for name in ("plant_link", "feed"):  # why the room is not reached, and when the source is there again
        logging.getLogger(f"telex_ingest.{name}").setLevel(logging.INFO)
    run_until_told(work)


async def _dry_run(feed: Feed, most: int, *, as_json: bool) -> None:
    """Read the feed as the runner would, and echo; a lost source ends it."""
    from opsroom.feeding.dry import DryRoom
    from telex_ingest.feed import birth_of, steps_of
    from telex_ingest.telex import PlantBirth

    birth = await birth_of(feed)
    room = DryRoom(birth, time.time())
    count = 0
    try:
        async with aclosing(steps_of(feed, None)) as source:
            async for step in source:
                if isinstance(step, PlantBirth):
                    room.born(step, time.time())
                    continue
                for one in step:
                    for echo in room.tell(one, time.time()):
                        typer.echo(_told(echo, as_json=as_json))
                    count += 1
                    if count == most:
                        return
    finally:
        _sum_up(room, feed)


def _told(echo: Echo, *, as_json: bool) -> str:
    from opsroom.feeding.dry import members

    if as_json:
        return json.dumps(members(echo))
    told = members(echo)
    value = "missing" if echo.value is None else f"{echo.value:g} {'' if echo.unit == '1' else echo.unit}"
    learning = echo.verdict == "not_yet"  # the screens' word; how sure it is tells nothing yet
    verdict = "learning" if learning else f"{echo.verdict} {100 * echo.sure:.0f} %" if echo.verdict else ""
    fate = echo.fate.word + (f" ({echo.fate.why})" if echo.fate.why else "")
    return f"{told['time']}  {echo.signal:20} {value:>18}  {echo.quality:9}  {verdict:16}  {fate}"


def _sum_up(room: DryRoom, feed: Feed) -> None:
    told = ", ".join(f"{many} {word}" for word, many in sorted(room.fates.items())) or "no reading came"
    typer.echo(told + _left_out(feed), err=True)


def _left_out(feed: Feed) -> str:
    """What the feed itself counted: rows or lines that it could not read, and what else became of its source's words."""
    skipped = getattr(feed, "skipped", 0)
    counts = getattr(feed, "counts", None)
    said = f"; {skipped} skipped, which could not be read" if skipped else ""
    if isinstance(counts, Mapping) and any(counts.values()):
        said += "; the feed counted " + ", ".join(f"{many} {word}" for word, many in counts.items() if many)
    return said
