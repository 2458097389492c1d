"""Where an answer or a picture may be written: refused before anything is judged, not after. I/O."""

from __future__ import annotations

from pathlib import Path

from opsroom.detection.counts import TableError

__all__ = ["PICTURES", "drawable", "writable"]

PICTURES = (".png", ".svg", ".pdf", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".eps")


def writable(out: Path, source: Path) -> None:
    """Refuse an output that is the input, a folder, or in a folder that does not exist; raises `TableError`."""
    if source.exists() and out.exists() and out.samefile(source):
        raise TableError(f"{out} is the input itself", "give another name for the output")
    if out.is_dir():
        raise TableError(f"{out} is a folder", "give the name of a file in it")
    if not out.resolve().parent.is_dir():
        raise TableError(f"the folder {out.resolve().parent} does not exist", "make it, or give another output")


def drawable(plot: Path, source: Path) -> None:
    """Refuse a picture that cannot be written; raises `TableError`."""
    if plot.is_dir() or not plot.resolve().parent.is_dir():
        raise TableError(f"the picture cannot be written to {plot}", "give the name of a file in a folder that exists")
    if plot.suffix.lower() not in PICTURES or plot.resolve() == source.resolve():
        raise TableError(f"{plot.name} is no name for a picture", f"let it end in one of {' '.join(PICTURES)}")
