"""The state of the line for operators: limits that bound it, counters that nothing escapes, at the room's end and at the plant's.

Pure values; the gateway and the plant's link fill them, screens and `/metrics` read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import msgspec


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds a gateway. Sizes in bytes, durations in seconds; those marked * run on the room's clock."""

    frame_bytes: int = 1 << 20
    """Largest frame that is read; a larger one is refused as `too-large`."""
    handshake_s: float = 10.0
    """From the opening of a websocket to an authorised hello."""
    send_s: float = 30.0
    """How long a link may take none of what the room sends before it is cut."""
    links: int = 20_000
    """Open websockets, those before their hello included."""
    unheard: int = 4096
    """Open websockets that have said no hello; one more, and the one that has waited longest is cut."""
    unheard_bytes: int = 64 << 20
    """What they may hold together of frames that are not whole; the one that has waited longest is cut."""
    early_refusals: int = 16
    """Malformed frames before the hello, after which the websocket is closed."""
    plants_per_link: int = 10_000
    plants: int = 50_000
    readings_per_telex: int = 4096
    reorder: int = 1024
    """Telexes of one plant that wait for a missing one before the gap is closed."""
    reorder_total: int = 200_000
    """Telexes of all plants that wait for missing ones."""
    ahead: int = 100_000
    """A telex farther ahead of the next expected number is refused as `too-far-ahead`."""
    ask_s: float = 2.0
    """* A gap this old makes the room ask the plant to send again from the missing number."""
    gap_s: float = 30.0
    """* A gap this old, with its plant connected, is closed without the missing telexes."""
    skew_s: float = 5.0
    """* Source time this far ahead of the room's clock is counted as skewed (and believed)."""
    future_s: float = 3600.0
    """* Source time farther ahead than this is replaced by the received time, and the readings become uncertain."""
    silence_periods: float = 5.0
    """Nominal periods (the plant's shortest, divided by its pace) without a telex, after which it is silent."""
    silence_floor_s: float = 5.0
    """* No plant is called silent sooner than this."""
    sweep_s: float = 0.25
    """* How often gaps and silence are looked at."""
    answers: int = 256
    """Refusals, and as many notices, that wait for a slow link; more are counted as dropped."""
    orders: int = 1024
    """Orders that wait for a slow link."""

    def at_speed(self, speed: float) -> Limits:
        """Give the limits for a room whose clock runs `speed` times faster than the network does."""
        return replace(
            self,
            ask_s=self.ask_s * speed,
            gap_s=self.gap_s * speed,
            skew_s=self.skew_s * speed,
            future_s=self.future_s * speed,
            silence_floor_s=self.silence_floor_s * speed,
            sweep_s=self.sweep_s * speed,
        )


class PlantLine(msgspec.Struct, frozen=True):
    """One plant on the line: who speaks for it, where its sequence stands, when it was last heard.

    `link` is empty while no link speaks for it; `state` is a word of `states.PlantState`; `spooled` is how many telexes its
    spool still holds, after what the plant told last and what was acknowledged since; `heard_at` is the room's clock,
    `silent_since` too, None while it is not silent. `delay_s` is received minus source time of its newest live telex.
    `births` counts the births of this process, `version` is the wording of the newest; `refused` counts by code.
    """

    plant: str
    link: str
    state: str
    epoch: int
    heard: int
    durable: int
    waiting: int
    spooled: int
    heard_at: float
    telexes: int
    duplicates: int
    late: int
    gaps: int
    given_up: int = 0
    births: int = 0
    version: int = 0
    delay_s: float | None = None
    silent_since: float | None = None
    refused: dict[str, int] = {}


class LinkLine(msgspec.Struct, frozen=True):
    """One websocket of a link: its state (a word of `states.LinkState`), for how many plants it speaks, what it has said.

    `since` and `heard_at` are the room's clock. `held` is 1 while the room reads no more from it, because it is behind with it.
    """

    link: str
    number: int
    state: str
    plants: int
    since: float
    heard_at: float
    frames: int
    bytes: int
    telexes: int
    births: int
    refused: dict[str, int] = {}
    held: int = 0


class Attempt(msgspec.Struct, frozen=True):
    """One refusal that an operator should see: when, which link, which code, about which plant, in words."""

    at: float
    link: str
    code: str
    plant: str
    reason: str
    stranger: bool = False
    """Nobody has proven to be this link: it was not let in."""

    @property
    def sender(self) -> str:
        """Whose refusal it is; all strangers are one, whatever names they give themselves."""
        return "" if self.stranger else self.link


class LineCounts(msgspec.Struct, frozen=True):
    """The whole line at one moment; every counter counts since the room's process began.

    `given_up` are sequence numbers in closed gaps; `dropped` are answers a slow link did not take (refusals, notices, orders);
    `refused` counts by code; `attempts` are the latest refusals, of each link its share, the
    newest last. `paused` links are not read from because the room is behind.
    """

    links: int
    frames_in: int
    frames_out: int
    bytes_in: int
    bytes_out: int
    telexes: int
    readings: int
    duplicates: int
    late: int
    gaps: int
    given_up: int
    waiting: int
    skewed: int
    backward: int
    dropped: int
    refused: dict[str, int]
    plants: Mapping[str, PlantLine]
    """Each plant's line is made when it is asked for."""
    attempts: tuple[Attempt, ...]
    each: tuple[LinkLine, ...] = ()
    """Every open websocket, the oldest first."""
    silent: int = 0
    """Plants that are silent or said farewell."""
    oldest: float | None = None
    """When that plant was heard, of those with a link, that was not heard for longest."""
    sheets: int = 0
    """Sheets taken whole."""
    paused: int = 0
    births: int = 0
    changed_births: int = 0
    statements: int = 0
    """What plants stated on motions."""


class LinkCounts(NamedTuple):
    """What a link did since it began; `pending` telexes are spooled and not acknowledged, `given_up` fell out of a full spool."""

    sent: int
    acknowledged: int
    resent: int
    refused: int
    pending: int
    reconnects: int
    given_up: int
    orders: int
    plants: dict[str, tuple[int, int, int]]
    """Per plant (epoch, last told seq, last acknowledged seq)."""


@dataclass(slots=True)
class Tally:
    """The running counters behind `LineCounts`."""

    frames_in: int = 0
    frames_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    telexes: int = 0
    readings: int = 0
    duplicates: int = 0
    late: int = 0
    gaps: int = 0
    given_up: int = 0
    waiting: int = 0
    skewed: int = 0
    backward: int = 0
    dropped: int = 0
    sheets: int = 0
    births: int = 0
    changed_births: int = 0
    statements: int = 0
    refused: dict[str, int] = field(default_factory=dict)
