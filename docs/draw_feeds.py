"""Draw the table of `docs/feeds.md` anew from the code: `.venv/bin/python docs/draw_feeds.py`."""

from __future__ import annotations

import re
from pathlib import Path

from telex_ingest.feed_promises import PROMISES


def renewed(page: str) -> str:
    """The page with the table of promises as the code has them."""
    rows = [f"| {one.tier.name.lower()} | `{one.name}` | {one.says} |" for one in PROMISES]
    table = "\n".join(["| tier | promise | what it says |", "| --- | --- | --- |", *rows])
    return re.sub(
        r"(<!-- drawn: promises -->\n).*?(<!-- end -->)",
        lambda mark: f"{mark[1]}{table}\n{mark[2]}",
        page,
        flags=re.DOTALL,
    )


if __name__ == "__main__":
    page = Path(__file__).parent / "feeds.md"
    page.write_text(renewed(page.read_text(encoding="utf-8")), encoding="utf-8")
