"""The commands of links: `opsroom link list|add|rotate|revoke`; `cli.py` adds them to its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from opsroom.cli_numbers import figure, whole

link_app = typer.Typer(help="Which link may speak for which plants.", no_args_is_help=True)

Data = Annotated[Path, typer.Option("--data", metavar="DIR", help="the room's folder")]


@link_app.command("list")
def link_list(
    data: Data,
    search: Annotated[str, typer.Option(help="words that stand in plant, title, link or trouble")] = "",
    most: Annotated[int, typer.Option(parser=whole(1, 200), metavar="N", help="at most so many plants")] = 40,
) -> None:
    """The line as it is now when the room runs: links, plants with the gravest trouble first; else who may speak."""
    from opsroom.doors.presence import running
    from opsroom.loop.founding import links_of
    from opsroom.panel import line
    from opsroom.panel import links as show_links

    room = running(data)
    if room is not None:
        line(room, search, most)
        return
    with links_of(data) as links:
        show_links(links.list())


@link_app.command("add")
def link_add(
    link: str,
    plants: Annotated[list[str], typer.Argument(metavar="PLANT...")],
    data: Data,
    certificate: Annotated[
        str, typer.Option(metavar="NAME", help="no token: the certificate is sha256:HEX, cn:NAME, dns:NAME or uri:NAME")
    ] = "",
    readings: Annotated[
        float | None, typer.Option(parser=figure(1, 1e9), metavar="N", help="at most so many readings a second")
    ] = None,
    websockets: Annotated[
        int, typer.Option(parser=whole(1, 1_000_000), metavar="N", help="at most so many open websockets")
    ] = 1024,
) -> None:
    """Make a link that may speak for these plants ('*': any), and tell its ticket once: token, room and the room's key."""
    from opsroom.loop.founding import links_of, ticket_of
    from telex_ingest.share import Share

    with links_of(data) as links:
        token = links.add(link, plants, certificate, Share(readings, websockets))
        typer.echo(ticket_of(data, link, token, _warn))


@link_app.command("rotate")
def link_rotate(
    link: str,
    data: Data,
    grace: Annotated[
        float,
        typer.Option(
            parser=figure(0, 8784),
            metavar="HOURS",
            help="how long the old token or certificate still holds; 0: no more",
        ),
    ] = 24.0,
    certificate: Annotated[
        str, typer.Option(metavar="NAME", help="no token: the next certificate, as for `link add`")
    ] = "",
) -> None:
    """Make a new token for a link, or bind its next certificate, and tell its new ticket once."""
    from opsroom.loop.founding import links_of, ticket_of

    with links_of(data) as links:
        token = links.rotate(link, grace * 3600.0, certificate)
        typer.echo(ticket_of(data, link, token, _warn))
        if not token and not certificate:
            typer.echo(f"{link} comes in by its certificate: this ticket holds the room's key and no token", err=True)


@link_app.command("revoke")
def link_revoke(link: str, data: Data) -> None:
    """End a link for good."""
    from opsroom.loop.founding import links_of

    with links_of(data) as links:
        links.revoke(link)
        typer.echo(f"{link} may not speak here any more")


def _warn(sentence: str) -> None:
    typer.echo(sentence, err=True)
