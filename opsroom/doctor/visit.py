"""`opsroom doctor`: looks at a room, prints what it found with how to mend it, tells by its exit code. I/O."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from opsroom.doctor.finding import Finding, exit_code


def findings(
    data: Path | None, url: str, certificates: list[Path], spools: list[Path], store: str = ""
) -> Iterator[Finding]:
    """Look at the folder, at the room that runs in it or at the address, at certificates and spools."""
    from opsroom.doctor import address, folder
    from opsroom.doctor.finding import well
    from opsroom.doors.presence import Running, running

    now = time.time()
    if data is not None:
        yield from folder.look(data, now, store)
    room = Running(address=url, pid=0) if url else running(data) if data is not None else None
    if room is not None:
        yield from address.look(room, time.time())  # a large folder takes minutes to look at
    elif data is not None:
        yield well("room", "it does not run")
    if room is not None and room.cert:
        certificates = [Path(room.cert), *certificates]
    for path in certificates:
        yield folder.certificate(path, now)
    for path in spools:
        yield folder.spool(path)


def command(
    data: Annotated[Path | None, typer.Option("--data", metavar="DIR", help="the room's folder")] = None,
    url: Annotated[str, typer.Option("--url", help="the address of a running room")] = "",
    tls_cert: Annotated[list[Path] | None, typer.Option(metavar="FILE", help="a certificate, PEM")] = None,
    spool: Annotated[list[Path] | None, typer.Option(metavar="FILE", help="a plant's spool")] = None,
    store: Annotated[str, typer.Option(metavar="URL", help="where the readings are, if not where room.toml says")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="print JSON lines")] = False,
) -> None:
    """Look whether a room is well, running or not, and say how to mend what is not; exit code 1 when something is ill."""
    if data is None and not url and not tls_cert and not spool:
        raise typer.BadParameter("name a folder with --data, or an address with --url", param_hint="--data")
    found: list[Finding] = []
    looked = findings(data, url, tls_cert or [], spool or [], store)
    if as_json:
        for finding in looked:
            found.append(finding)
            typer.echo(msgspec.json.encode(finding).decode())
    else:
        found = _printed(looked)
    raise typer.Exit(exit_code(found))


def _printed(looked: Iterator[Finding]) -> list[Finding]:
    from rich.console import Console
    from rich.text import Text

    console, found = Console(soft_wrap=True), []
    styles = {"well": "green", "watch": "yellow", "ill": "bold red"}
    for finding in looked:
        found.append(finding)
        told = Text.assemble((f"{finding.verdict:<6}", styles[finding.verdict]), f"{finding.what}: ", finding.seen)
        console.print(told)
        if finding.cure:
            console.print(Text(f"      mend: {finding.cure}", style="dim"))
    count = {word: sum(finding.verdict == word for finding in found) for word in styles}
    console.print(f"{count['well']} well, {count['watch']} to watch, {count['ill']} ill")
    return found
