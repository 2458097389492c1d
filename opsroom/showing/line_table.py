"""The line as tables for a terminal: the whole in one row, links, plants with the gravest first, refusals."""

from __future__ import annotations

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from opsroom.views import TROUBLE_WORDS, LineBook, LinkOnLine, PlantOnLine

STYLES = {
    "silent": "bold red",
    "cut": "bold red",
    "ahead": "yellow",
    "waiting": "yellow",
    "spooling": "yellow",
    "delayed": "yellow",
    "stale": "yellow",
}


def lasting(seconds: float | None) -> str:
    """Tell a stretch of time as people read it.

    >>> [lasting(s) for s in (None, 0.02, 3.4, 75, 110, 400, 9000, 4e6, -12)]
    ['-', '20 ms', '3.4 s', '75 s', '2 min', '7 min', '2.5 h', '46 d', '-12 s']
    """
    if seconds is None:
        return "-"
    size, sign = abs(seconds), "-" if seconds < 0 else ""
    if size < 1:
        return f"{sign}{1000 * size:.0f} ms"
    if size < 100:
        return f"{sign}{size:.1f} s" if size < 10 else f"{sign}{size:.0f} s"
    if size < 7200:
        return f"{sign}{size / 60:.0f} min"
    return f"{sign}{size / 3600:.1f} h" if size < 172_800 else f"{sign}{size / 86_400:.0f} d"


def plain(*cells: str | Text) -> tuple[Text, ...]:
    """Cells as they were written: what a plant or a person calls something is neither markup nor an emoji's name.

    >>> [cell.plain for cell in plain("[red]mill[/]", ":fire:")]
    ['[red]mill[/]', ':fire:']
    """
    return tuple(cell if isinstance(cell, Text) else Text(cell) for cell in cells)


def line_table(book: LineBook) -> RenderableType:
    """Everything of a page of the line, for a terminal."""
    parts: list[RenderableType] = [_whole(book), Text(""), _links(book), Text(""), _plants(book)]
    shown = len(book.plants)
    if shown < book.matched:
        parts.append(Text(f"and {book.matched - shown} more plants: --most, --search", style="dim"))
    if book.attempts:
        parts += [Text(""), _attempts(book)]
    return Group(*parts)


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False)
    for name in columns:
        number = name in ("plants", "telexes", "refused", "spooled", "gaps", "lost", "late", "twice", "held")
        table.add_column(name, justify="right" if number else "left", no_wrap=name != "why")
    return table


def _whole(book: LineBook) -> RenderableType:
    line = book.line
    said = (
        f"{line.links} links, {line.plants} plants ({line.silent} silent), {line.telexes} telexes; "
        f"delay {lasting(line.delay_p50_s)}, 99 % within {lasting(line.delay_p99_s)}; "
        f"{line.duplicates} twice, {line.late} out of order, {line.gaps} gaps ({line.given_up} lost); "
        f"clocks: {line.skewed} ahead, {line.backward} backward; "
        f"{line.spooled} spooled, {line.stale} signals stale, {line.refused} refused"
    )
    refused = ", ".join(f"{code} {count}" for code, count in book.refused.items())
    text = Text(said)
    if line.trouble:
        text.append(f"\n{line.trouble}", style="bold red")
    if refused:
        text.append(f"\nrefused: {refused}", style="yellow")
    return text


def _links(book: LineBook) -> Table:
    table = _table("link", "state", "plants", "heard", "telexes", "held", "refused")
    for link in book.links:
        table.add_row(*plain(*_link(link, book.now)))
    return table


def _link(link: LinkOnLine, now: float) -> tuple[str | Text, ...]:
    state = Text(link.state, style="bold red" if link.state == "away" else "yellow" if link.held else "")
    if link.state == "away":
        return (link.link, state, "", "", "", "", "")
    refused = ", ".join(f"{code} {count}" for code, count in link.refused.items())
    heard = lasting(None if link.heard_at is None else max(0.0, now - link.heard_at))
    held = str(link.held or "")
    return (link.link or "(no hello yet)", state, str(link.plants), heard, str(link.telexes), held, refused)


COLUMNS = (
    "plant", "trouble", "link", "heard", "delay", "spooled", "gaps", "lost", "late", "twice", "refused", "stale", "birth",
)  # fmt: skip


def _plants(book: LineBook) -> Table:
    """One row a plant; a column in which nothing stands is left out, so that the others have room."""
    rows = [_plant(row, book.now) for row in book.plants]
    kept = [place for place in range(len(COLUMNS)) if place < 3 or any(str(row[place]) for row in rows)]
    table = _table(*(COLUMNS[place] for place in kept))
    for row in rows:
        table.add_row(*plain(*(row[place] for place in kept)))
    return table


def _plant(row: PlantOnLine, now: float) -> tuple[str | Text, ...]:
    word = TROUBLE_WORDS[row.trouble]
    if row.since is not None:
        word += " " + lasting(max(0.0, now - row.since))
    return (
        row.plant,
        Text(word, style=STYLES.get(row.trouble, "dim")),
        row.link or "-",
        lasting(None if row.heard_at is None else max(0.0, now - row.heard_at)),
        "history" if row.history else lasting(row.delay_s),
        str(row.spooled or ""),
        str(row.gaps + row.waiting or ""),
        str(row.given_up or ""),
        str(row.late or ""),
        str(row.duplicates or ""),
        ", ".join(f"{code} {count}" for code, count in row.refused.items()),
        ", ".join(row.stalest),
        f"v{row.version}" if row.version > 1 else "",
    )


def _attempts(book: LineBook) -> Table:
    table = _table("refused", "link", "plant", "code", "why")
    for one in sorted(book.attempts[:10], key=lambda one: -one.at):
        ago = lasting(max(0.0, book.now - one.at)) + " ago"
        table.add_row(*plain(ago, one.link or "-", one.plant, one.code, one.reason))
    return table
