"""The line as a screen asks for it: the counts of the whole, one row a plant, one a link, and a page of both.

Times are epoch seconds UTC on the room's clock, counts run since the room's process began. `docs/operating.md` tells what each
word means and what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import msgspec

Sort = Literal["trouble", "plant", "link", "delay", "spooled", "gaps", "refused", "stale"]

TROUBLE_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "calm": "calm",
        "past": "was amiss",
        "left": "left",
        "stale": "stale signals",
        "delayed": "delayed",
        "spooling": "spooling",
        "waiting": "gap",
        "ahead": "clock ahead",
        "cut": "no link",
        "silent": "silent",
    }
)
"""What can be so of a plant now, the gravest last, and the word that people read for it, on the screen as in a terminal."""

PLANTS_SHOWN = 200
"""The most plants that one page of the line holds."""

LINKS_SHOWN = 200
"""The most links that a page of the line holds, those in trouble first."""


class LineView(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the line: who is connected, what came, what was refused.

    `silent` plants are silent or have said farewell; `waiting` telexes wait for a missing one, `given_up` are missing for good;
    `spooled` telexes wait at plants (told in a book alone); `stale` signals are behind their plant; `delay_p50_s` and
    `delay_p99_s` are from a telex's arrival to its durable verdict, in seconds of the world; `attempt` is the newest refusal.
    """

    links: int = 0
    plants: int = 0
    silent: int = 0
    telexes: int = 0
    readings: int = 0
    duplicates: int = 0
    late: int = 0
    refused: int = 0
    coalesced: int = 0
    oldest_s: float | None = None
    trouble: str = ""
    births: int = 0
    changed_births: int = 0
    gaps: int = 0
    given_up: int = 0
    waiting: int = 0
    skewed: int = 0
    backward: int = 0
    dropped: int = 0
    paused: int = 0
    spooled: int = 0
    stale: int = 0
    delay_p50_s: float | None = None
    delay_p99_s: float | None = None
    attempt: str = ""
    attempt_at: float | None = None
    journal_events: int = 0
    journal_head: str = ""
    """The newest head that the room has signed: to be noted by whoever looks, it proves later what was there."""


class PlantOnLine(msgspec.Struct, frozen=True, kw_only=True):
    """One plant on the line. `trouble` is the gravest thing that is so now, a key of `TROUBLE_WORDS`.

    `delay_s` is received minus source time of its newest live telex, and `history` says that it is so long because old readings
    are replayed; `since` says how long it has been silent; `versions` counts the wordings of its birth; `stale` of its
    `signals` are behind the plant, the longest of them named.
    """

    plant: str
    title: str
    link: str
    state: str
    trouble: str
    since: float | None = None
    heard_at: float | None = None
    delay_s: float | None = None
    history: bool = False
    telexes: int = 0
    spooled: int = 0
    waiting: int = 0
    gaps: int = 0
    given_up: int = 0
    late: int = 0
    duplicates: int = 0
    births: int = 0
    version: int = 0
    refused: dict[str, int] = {}
    signals: int = 0
    stale: int = 0
    stalest: tuple[str, ...] = ()


class LinkOnLine(msgspec.Struct, frozen=True, kw_only=True):
    """One link: an open websocket, or a link that may speak and is away (`state` is away then, `number` 0)."""

    link: str
    state: str
    number: int = 0
    plants: int = 0
    since: float | None = None
    heard_at: float | None = None
    frames: int = 0
    bytes: int = 0
    telexes: int = 0
    births: int = 0
    held: int = 0
    refused: dict[str, int] = {}


class AttemptOnLine(msgspec.Struct, frozen=True, kw_only=True):
    """One refusal: when, which link, which code, about which plant, in words."""

    at: float
    link: str
    code: str
    plant: str
    reason: str


class LineBook(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the line: `plants` from place `first` on of the `matched` that the search has found, of `total`.

    `attempts` are the newest refusal of each sender (all who were not let in are one), then the one before it of each, and so on.
    """

    now: float
    search: str
    sort: str
    first: int
    matched: int
    total: int
    troubled: int
    line: LineView
    plants: tuple[PlantOnLine, ...]
    links: tuple[LinkOnLine, ...]
    refused: dict[str, int]
    attempts: tuple[AttemptOnLine, ...]


class LineRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Which page of the line a screen looks at: words that must stand in plant, title or link, the order, the place."""

    search: str = ""
    sort: Sort = "trouble"
    first: int = 0
    most: int = 40
