"""Draw the tables and diagrams of `docs/room.md` anew: `.venv/bin/python docs/draw.py`."""

from __future__ import annotations

from pathlib import Path

from opsroom.showing.diagrams import renewed

if __name__ == "__main__":
    page = Path(__file__).parent / "room.md"
    page.write_text(renewed(page.read_text(encoding="utf-8")), encoding="utf-8")
