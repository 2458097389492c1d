"""The commands of the record: `opsroom journal` and `opsroom key`; `cli.py` adds them to its own."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from opsroom.cli_numbers import EVENTS
from opsroom.moments import zoned

if TYPE_CHECKING:
    from opsroom.record.heads import SignedHead

Data = Annotated[Path, typer.Option("--data", metavar="DIR", help="the room's folder")]

journal_app = typer.Typer(help="The room's memory of decisions, offline.", no_args_is_help=True)
key_app = typer.Typer(help="The keys with which the room signs its orders and its journal.", no_args_is_help=True)


@journal_app.command("verify")
def journal_verify(
    data: Data,
    head: Annotated[
        str, typer.Option(metavar="HASH|FILE", help="a head that was noted earlier: its hash, or a signed head's file")
    ] = "",
) -> None:
    """Check every byte of the journal; exit code 1 when it is broken, with the event that does not fit."""
    from opsroom.loop.founding import journal_of
    from opsroom.record.journal import verify

    earlier = _earlier(head) if head else ""
    result = verify(journal_of(data), earlier or None)
    typer.echo(str(result), err=not result.ok)
    raise typer.Exit(0 if result.ok else 1)


@journal_app.command("export")
def journal_export(
    data: Data, out: Annotated[str, typer.Option("--out", "-o", metavar="FILE", help="- for standard output")] = "-"
) -> None:
    """Write the journal as JSON lines and a last line that seals them; beside a FILE, the program that checks it."""
    from opsroom.loop.founding import journal_of, public_keys_of
    from opsroom.record.carrying import ship_verifier
    from opsroom.record.journal import export

    keys = public_keys_of(data).public()
    if out == "-":
        export(journal_of(data), sys.stdout.buffer, keys)
        return
    with Path(out).open("wb") as file:
        count = export(journal_of(data), file, keys)
    verifier = ship_verifier(Path(out).parent)
    typer.echo(f"{count} events in {out}; check them anywhere: python {verifier} {out}", err=True)


@journal_app.command("head")
def journal_head(data: Data) -> None:
    """Print the newest signed head: keep it outside this machine, and nobody can cut or rewrite what it covers unseen."""
    typer.echo(_newest(data).line().decode())


@journal_app.command("prove")
def journal_prove(event: Annotated[int, typer.Argument(parser=EVENTS, metavar="EVENT")], data: Data) -> None:
    """Prove that an event is in the journal, for somebody who has only a signed head: python verify_journal.py --proof FILE."""
    import msgspec

    from opsroom.loop.founding import journal_of
    from opsroom.record.proving import prove

    typer.echo(msgspec.json.encode(prove(journal_of(data), event)).decode())


@journal_app.command("consistency")
def journal_consistency(
    data: Data, head: Annotated[Path, typer.Option(metavar="FILE", help="a signed head that was kept earlier")]
) -> None:
    """Prove that the journal begins with the one of an earlier signed head; exit code 1 when it does not."""
    import msgspec

    from opsroom.loop.founding import journal_of
    from opsroom.proof.verify_journal import BrokenError, check_proof
    from opsroom.record.heads import SignedHead
    from opsroom.record.proving import prove_consistency

    proof: dict[str, Any] = prove_consistency(journal_of(data), SignedHead.read(head.read_bytes()))
    plain = msgspec.json.encode(proof)
    typer.echo(plain.decode())
    try:
        typer.echo(check_proof(msgspec.json.decode(plain)), err=True)
    except BrokenError as broken:
        typer.echo(f"history was written anew: {broken}", err=True)
        raise typer.Exit(1) from None


@key_app.command("list")
def key_list(data: Data) -> None:
    """Every public key that the room had, what it signs, since when, and which is the current one."""
    from opsroom.loop.founding import public_keys_of

    known = public_keys_of(data).known()
    for one in known:
        since = zoned(one.since).isoformat(timespec="seconds")
        state = "current" if one.current else "handed over" if one.handed_over else "lost"
        gone = ", its secret is not here" if one.current and not one.here else ""
        typer.echo(f"{one.purpose:8} {one.key}  since {since}  {state}{gone}")
    if not known:
        typer.echo("there is no key yet: the room makes its keys when it opens", err=True)


@key_app.command("rotate")
def key_rotate(purpose: Annotated[str, typer.Argument(metavar="orders|journal")], data: Data) -> None:
    """Make a new key; the old one signs that it takes over, so that plants and auditors follow, and is then forgotten."""
    from opsroom.clock import SystemClock
    from opsroom.loop.founding import keys_of
    from opsroom.proof.keys import PURPOSES

    for known in PURPOSES:
        if known == purpose:
            keys = keys_of(data)
            if keys.lost:
                typer.echo(keys.lost, err=True)
            handover = keys.rotate(known, SystemClock().now())
            typer.echo(f"{purpose} are signed with {handover.new} now; {handover.old} has signed that it takes over")
            return
    raise typer.BadParameter(f"{purpose!r} is not one of {', '.join(PURPOSES)}", param_hint="PURPOSE")


def _newest(data: Path) -> SignedHead:
    from opsroom.loop.founding import journal_of
    from opsroom.record.proving import signed_head

    head = signed_head(journal_of(data))
    if head is None:
        raise ValueError("nobody has signed this journal yet: a room does when it opens")
    return head


def _earlier(text: str) -> str:
    """The hash of a head that was noted: itself, or that of a signed head's file."""
    from opsroom.record.heads import SignedHead

    if re.fullmatch("[0-9a-f]{64}", text):
        return text
    if Path(text).is_file():
        return SignedHead.read(Path(text).read_bytes()).head
    raise typer.BadParameter(
        f"{text[:80]!r} is no head: it has 64 hexadecimal digits, or is the file of a signed head", param_hint="--head"
    )
