"""The commands of the store: `opsroom backup`, `export`, `migrate`; `cli.py` adds them to its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[Path, typer.Option("--data", metavar="DIR", help="the room's folder")]
StoreAt = Annotated[
    str, typer.Option("--store", metavar="URL", help="where the readings are, if not where room.toml says")
]


@contextmanager
def bar() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on standard error for each thing that is copied; none where nobody looks."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=console, disable=not console.is_terminal) as shown:

        def tell(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = shown.add_task(what)
            shown.update(tasks[what], completed=done, total=of)

        yield tell


def backup_command(
    data: Data,
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="a new folder for the copy")],
    with_keys: Annotated[bool, typer.Option("--with-keys", help="copy the room's secret keys too")] = False,
    without_readings: Annotated[
        bool, typer.Option("--without-readings", help="leave readings in PostgreSQL to its own pg_dump")
    ] = False,
    store: StoreAt = "",
) -> None:
    """Copy a room, running or not, and check the copy; secret keys stay behind unless asked for."""
    from opsroom.loop.hall import read_file
    from opsroom.record.backup import backup

    file = read_file(data)
    named = [one.file for one in file.judging.files] + [one.authority for one in file.channels if one.authority]
    with bar() as progress:
        made = backup(
            data,
            to,
            store_at=store or file.keeping.store,
            keys=with_keys,
            readings=not without_readings,
            named=named,
            progress=progress,
        )
    for name, size in made.files.items():
        typer.echo(f"{size:>14,}  {to / name}")
    telexes = "no telexes" if made.telexes is None else f"{made.telexes} telexes"
    typer.echo(f"{telexes}, {made.events} events, journal verified up to {made.head}")
    for one in made.behind:
        typer.echo(f"{'not in it':>14}  {one.name}: {one.why}")
    if without_readings:
        typer.echo("the readings are not in it: give pg_dump now, after this backup (docs/store.md)")
    if not with_keys:
        typer.echo("the room's secret keys are not in it: keep a copy of them apart (--with-keys)")


def export_command(
    data: Data,
    parquet: Annotated[Path, typer.Option("--parquet", metavar="DIR", help="a new folder for Parquet files")],
    store: StoreAt = "",
) -> None:
    """Write every stored reading as Parquet, by day and plant, for pandas, DuckDB and Spark; each plant sees that it was done."""
    from getpass import getuser

    from opsroom.clock import SystemClock
    from opsroom.loop.hall import LOOKS, read_file
    from opsroom.record.looks import Looks
    from opsroom.record.opening import open_store
    from opsroom.record.parquet import export

    source = open_store(data, store or read_file(data).keeping.store, reading=True)
    try:
        with bar() as progress:
            count = export(source, parquet, progress=progress)
        let_go = source.held().let_go
        plants = [f"{plant}/" for plant in source.plants().values()]
    finally:
        source.close()
    looks = Looks(data / LOOKS)
    try:
        for plant in plants:
            looks.note("the host", getuser(), "export", "", f"exported to {parquet.name}", [plant], SystemClock().now())
    finally:
        looks.close()
    typer.echo(f"{count} readings in {parquet}")
    if let_go is not None:
        gone = datetime.fromtimestamp(let_go, UTC).isoformat(sep=" ", timespec="seconds")
        typer.echo(
            f"not in it: readings measured up to {gone} that were let go ([retention]); of them rollups alone are kept"
        )


def migrate_command(
    data: Data,
    source: Annotated[str, typer.Option("--from", metavar="URL", help="'file' is the file in the room's folder")],
    target: Annotated[str, typer.Option("--to", metavar="URL", help="'file' is the file in the room's folder")],
) -> None:
    """Move the readings of a stopped room from one store to another, and prove that all of them are there."""
    from opsroom.loop.hall import read_file
    from opsroom.record.backup_note import moved_on
    from opsroom.record.migration import copy
    from opsroom.record.opening import StoreAddressError, open_database

    read_file(data)
    if source == target:
        raise StoreAddressError(source, "it is the same on both sides", "Name another store with --to.")
    one = open_database(data, "" if source == "file" else source)
    try:
        two = open_database(data, "" if target == "file" else target)
        try:
            with bar() as progress:
                sums = copy(one, two, progress)
        finally:
            two.close()
    finally:
        one.close()
    moved_on(data)
    for table, (rows, digest) in sums.items():
        typer.echo(f"{table:10} {rows:>12,} rows  {digest}")
    where = "leave [store] out of room.toml" if target == "file" else f'write [store] url = "{target}" into room.toml'
    typer.echo(f"every table is the same on both sides; now {where}")
