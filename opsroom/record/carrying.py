"""What goes with every export: the one file that checks it. I/O."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from opsroom.record.disk import explained

VERIFIER = "verify_journal.py"


def ship_verifier(folder: Path) -> Path:
    """Put the program that checks an export into its folder, and tell where; raises `StoreError`."""
    path = folder / VERIFIER
    with explained(path):
        path.write_bytes(files("opsroom.proof").joinpath(VERIFIER).read_bytes())
    return path
