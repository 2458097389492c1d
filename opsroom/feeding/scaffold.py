"""A package for a new feed, as `opsroom feed new` writes it: it installs, it works, it passes. Pure: text by path."""

from __future__ import annotations

import re
from string import Template

PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "opsroom-feed-$name"
version = "0.1.0"
description = "A feed of $name for opsroom."
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["opsroom"]

[project.optional-dependencies]
dev = ["pytest", "pytest-asyncio"]

[project.entry-points."opsroom.feeds"]
$name = "$module:$kind"

[tool.pytest.ini_options]
asyncio_mode = "auto"
"""

MODULE = '''\
"""$kind: a plant whose program appends lines to a file, `2026-01-01T08:00:00Z 17.5`, one a reading.

A line may end in `uncertain` or `bad`; `-` instead of the figure is a missing one. Change what follows into your own source: the
contract stands in docs/feeds.md of opsroom, and `opsroom feed check $name` says what is kept of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Self

import msgspec
from msgspec import Meta

from telex_ingest.feed import FeedReading, SourceLostError
from telex_ingest.telex import PlantBirth, Quality, SignalBirth, Slug, microseconds


class $kind:
    """A file that grows; the cursor is the byte behind the last line told."""

    class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
        """What a person sets."""

        path: Annotated[Path, Meta(description="the file with the lines")]
        plant: Annotated[Slug, Meta(description="the plant as which it speaks")] = "$name"
        follow: Annotated[bool, Meta(description="wait for more at the end of the file")] = True

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.skipped = 0

    @classmethod
    def example(cls, folder: Path) -> Self:
        """A small file with a missing figure and a doubtful one, for the checks."""
        path = folder / "$name.txt"
        path.write_text(
            "2026-01-01T08:00:00Z 17.5\\n2026-01-01T08:01:00Z -\\n2026-01-01T08:02:00Z 17.25 uncertain\\n", encoding="utf-8"
        )
        return cls(cls.Settings(path=path, follow=False))

    def birth(self) -> PlantBirth:
        """One signal; declare yours, each with its unit, its usual period, and its physical limits."""
        level = SignalBirth(id=1, name="level", title="Level in the tank", unit="m", period_s=60, low=0.0, high=20.0)
        return PlantBirth(plant=self.settings.plant, title="The $name", signals=(level,))

    async def readings(self, cursor: str | None) -> AsyncIterator[FeedReading]:
        """Give every line after the cursor; one that cannot be read is left out and counted."""
        place = int(cursor or 0)
        while True:
            try:
                with self.settings.path.open("rb") as file:
                    file.seek(place)
                    while (line := file.readline()).endswith(b"\\n"):
                        place = file.tell()
                        reading = read(line, place)
                        if reading is None:
                            self.skipped += 1
                        else:
                            yield reading  # when it goes on from here, the reading is in the plant's spool
            except OSError as error:
                raise SourceLostError("$name", f"{self.settings.path}: {error.strerror}") from error
            if not self.settings.follow:
                return
            await asyncio.sleep(1.0)


def read(line: bytes, place: int) -> FeedReading | None:
    """Read a line; None when it says nothing."""
    try:
        time, figure, *rest = line.decode().split()
        value = None if figure == "-" else float(figure)
        quality = Quality(rest[0]) if rest else Quality.GOOD
        return FeedReading(microseconds(datetime.fromisoformat(time)), {"level": value}, str(place), quality)
    except (ValueError, TypeError):
        return None
'''

TEST = '''\
"""The feed keeps the contract, and reads its lines."""

from pathlib import Path

from $module import $kind, read
from telex_ingest.feed_check import Tier, check


async def test_it_keeps_the_contract(tmp_path: Path) -> None:
    report = await check($kind, tmp_path, name="$name")
    assert report.tier >= Tier.GOLD, str(report)


def test_a_line_that_says_nothing_is_left_out() -> None:
    assert read(b"yesterday 17.5\\n", 1) is None
    assert read(b"2026-01-01T08:00:00Z much\\n", 1) is None
'''

README = """\
# opsroom-feed-$name

A feed for opsroom. Install it beside opsroom, and the room's tools know it:

    pip install -e .
    opsroom feed check $name
    opsroom feed run $name --set path=lines.txt --set follow=false --dry
    opsroom feed run $name --set path=lines.txt --url ws://127.0.0.1:8000/telex --link $name --token-file ticket.txt

The ticket is what `opsroom link add $name $name --data DIR` prints in the room. Tests: `pip install -e .[dev]`, then `pytest`.
"""


def package(name: str) -> dict[str, str]:
    """Give the files of the package of a feed, by path. Raises `ValueError` for a name that cannot be one.

    >>> sorted(package("tank-level"))
    ['README.md', 'opsroom_feed_tank_level.py', 'pyproject.toml', 'tests/test_tank_level.py']
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name) or len(name) > 40:
        raise ValueError(f"{name!r} is no name of a feed: write small letters, digits and hyphens, like tank-level")
    snake = name.replace("-", "_")
    words = {
        "name": name,
        "module": f"opsroom_feed_{snake}",
        "kind": "".join(part.capitalize() for part in name.split("-")),
    }
    return {
        path: Template(text).substitute(words)
        for path, text in {
            "pyproject.toml": PYPROJECT,
            "README.md": README,
            f"opsroom_feed_{snake}.py": MODULE,
            f"tests/test_{snake}.py": TEST,
        }.items()
    }
