"""Play a scenario over real websockets, N times faster than real time. I/O.

python -m simulators loom-slows --url ws://127.0.0.1:8000/telex --link plants --token-env TOKEN --speed 60
python -m simulators nile --url ws://127.0.0.1:8000/telex --link water --token-env TOKEN --per-second 2
python -m simulators many-faults --plants textile-mill --csv textile-mill.csv --truth truth.json
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec

from simulators.errors import SimulatorError
from simulators.faults import Report
from simulators.performance import Ran, run, run_nile, write_private
from simulators.scenario import Scenario, load, seconds, shipped
from simulators.stage import Stage
from telex_ingest.refusals import TelexError
from telex_ingest.telex import moment
from telex_ingest.ticket import Ticket
from telex_ingest.trust import trust

__all__ = ["Ran", "main", "run", "run_nile"]

NILE = "nile"


def write_csv(stage: Stage, path: Path) -> int:
    """Play a stage offline into a CSV, one row a period, a column a signal; returns the rows written."""
    reports: dict[str, list[Report]] = {plant: [] for plant in stage.plants}
    for item in stage.until(stage.ends_s):
        if isinstance(item, Report):
            reports[item.plant].append(item)
    names = [f"{plant}/{row.name}" for plant in stage.plants for row in stage.economy.factory(plant).works.indicators]
    rows = list(zip(*reports.values(), strict=False))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["timestamp", *names])
        for row in rows:
            figures = [value for report in row for value in report.values]
            writer.writerow([moment(row[0].source_us).isoformat(), *figures])
    return len(rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and play; 0 when the scenario was played, 2 when it cannot be."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if chosen.list or not chosen.scenario:
        for name in shipped():
            sys.stdout.write(f"{name:14} {load(name).title}\n")
        sys.stdout.write(f"{NILE:14} The Nile at Aswan, 1871 to 1970 (a real series)\n")
        return 0
    try:
        if chosen.csv:
            stage = Stage(
                _shortened(load(chosen.scenario), chosen.duration), seed=chosen.seed, plants=chosen.plants or None
            )
            rows = write_csv(stage, chosen.csv)
            if chosen.truth:
                document = stage.truth.document(
                    scenario=stage.scenario.name, seed=stage.seed, period_s=stage.scenario.period_s
                )
                write_private(chosen.truth, msgspec.json.format(msgspec.json.encode(document), indent=1))
            sys.stdout.write(f"{rows} rows in {chosen.csv}\n")
            return 0
        if not chosen.url:
            parser.error("say where the room is, --url ws://host:port/telex, or where to write, --csv FILE")
        return asyncio.run(_play(chosen, _token(parser, chosen)))
    except (SimulatorError, TelexError) as error:
        sys.stderr.write(f"{error}\n")
        return 2


async def _play(chosen: argparse.Namespace, token: str) -> int:
    chosen.link = chosen.link or Ticket.read(token).link or "plants"
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    tls = trust(chosen.tls_ca, chosen.tls_cert, chosen.tls_key)
    subprotocol: Literal["json", "msgpack"] = "msgpack" if chosen.msgpack else "json"
    if chosen.scenario == NILE:
        told = await run_nile(
            url=chosen.url,
            link=chosen.link,
            token=token,
            per_second=chosen.per_second,
            room_speed=chosen.room_speed or 1.0,
            spool=chosen.spool,
            subprotocol=subprotocol,
            stop=stop,
            tls=tls,
        )
        sys.stdout.write(f'{{"scenario": "{NILE}", "told": {told}}}\n')
        return 0
    ran = await run(
        chosen.scenario,
        url=chosen.url,
        link=chosen.link,
        token=token,
        speed=chosen.speed,
        start=chosen.start,
        anchor=chosen.anchor,
        room_speed=chosen.room_speed,
        warm_s=chosen.warm,
        duration_s=chosen.duration,
        seed=chosen.seed,
        plants=chosen.plants or None,
        truth=chosen.truth,
        spool=chosen.spool,
        subprotocol=subprotocol,
        stop=stop,
        complain=lambda why: _say(f"link {chosen.link}: {why}"),
        tls=tls,
    )
    sys.stdout.write(msgspec.json.encode(asdict(ran)).decode() + "\n")
    return 0


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _shortened(scenario: Scenario, duration_s: float | None) -> Scenario:
    return scenario if duration_s is None else replace(scenario, duration_s=duration_s)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="opsroom simulate", description="Play a scenario to a room.")
    parser.add_argument("scenario", nargs="?", help="a shipped scenario, a TOML file, or nile")
    parser.add_argument("--list", action="store_true", help="name the shipped scenarios")
    parser.add_argument("--url", help="the room's telex address, ws://host:port/telex")
    parser.add_argument("--link", help="the name of this link (the ticket's, or plants)")
    parser.add_argument("--token-file", type=Path, help="a file that holds the link's ticket, or its bare token")
    parser.add_argument("--token-env", help="the environment variable that holds the link's ticket, or its bare token")
    parser.add_argument("--speed", type=_factor, default=60.0, help="simulated seconds a real second (60)")
    parser.add_argument("--start", type=_moment, help="the simulated moment at which the scenario begins, ISO 8601")
    parser.add_argument("--anchor", type=_second, help="the real epoch second at which that moment is reached (now)")
    parser.add_argument("--room-speed", type=_factor, help="how fast the room's own clock runs (as fast as the plants)")
    parser.add_argument("--warm", type=_span, default=0.0, help="tell so much history before it as backfill, e.g. 6h")
    parser.add_argument("--duration", "--until", type=_span, help="play so much of it, e.g. 2h")
    parser.add_argument("--seed", type=int, help="another seed than the scenario's")
    parser.add_argument("--plants", type=_names, default=(), help="only these plants report, e.g. cannery,port")
    parser.add_argument("--truth", type=Path, help="where to write what really happened")
    parser.add_argument("--spool", type=Path, help="the folder of the link's spool (in memory)")
    parser.add_argument("--msgpack", action="store_true", help="MessagePack frames instead of JSON")
    parser.add_argument("--tls-ca", type=Path, help="trust this authority (PEM) on wss:// instead of the system's")
    parser.add_argument("--tls-cert", type=Path, help="show this certificate (PEM), where the link has one")
    parser.add_argument("--tls-key", type=Path, help="its key (PEM), where it is in a file of its own")
    parser.add_argument("--per-second", type=_factor, default=2.0, help="years a real second, for nile (2)")
    parser.add_argument("--csv", type=Path, help="play offline into this file instead of to a room")
    return parser


def _token(parser: argparse.ArgumentParser, chosen: argparse.Namespace) -> str:
    if chosen.token_file:
        return str(chosen.token_file.read_text(encoding="utf-8")).strip()
    if not chosen.token_env:
        parser.error("give the link's token by --token-file or --token-env; never on the command line")
    if chosen.token_env not in os.environ:
        parser.error(f"the environment has no {chosen.token_env}")
    return os.environ[str(chosen.token_env)]


def _span(text: str) -> float:
    span = seconds(float(text) if text.replace(".", "", 1).isdigit() else text)
    if span is None:
        raise argparse.ArgumentTypeError(f"{text!r}: write a time such as 90s or 1h30m")
    return span


def _moment(text: str) -> datetime:
    when = datetime.fromisoformat(text)
    if when.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r}: name the zone, such as 2026-03-02T06:00:00Z")
    return when


def _second(text: str) -> float:
    second = float(text)
    if not abs(second) < 1e12:
        raise argparse.ArgumentTypeError(f"{text!r}: write a moment in epoch seconds")
    return second


def _factor(text: str) -> float:
    factor = float(text)
    if not 0.0 < factor < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r}: write a number over 0 and below a million")
    return factor


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


if __name__ == "__main__":
    sys.exit(main())
