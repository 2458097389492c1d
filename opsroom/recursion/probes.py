"""Probes (System 3*): a sporadic look at a raw sample, asked of a unit with a purpose, and shown to it at once.

A probe needs no consent, which is what makes it an audit; it is small, it ends soon, and nobody looks in secret.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from opsroom.commands import Actor, AskProbe
from opsroom.moments import BEHIND_S, within
from opsroom.recursion.pact_events import ProbeAsked, ProbeEnded
from opsroom.recursion.pacts import Probe
from opsroom.recursion.recursion import owner
from opsroom.room.authority import account, said
from opsroom.room.events import AnyEvent
from opsroom.room.refusal import Refused
from opsroom.room.state import Room, count, put

LONGEST_S = 86400.0
"""The longest span of one sample, in seconds of source time."""

READABLE_S = 3600.0
"""How long the sample can be read after it was asked for."""

OPEN = 3
"""The most probes of one plant that are readable at once: more would be a window, not a sample."""


def ask(room: Room, asked: AskProbe, actor: Actor, now: float) -> tuple[AnyEvent, ...]:
    """Ask for a sample."""
    if asked.signal not in room.signals or owner(asked.signal) not in room.plants:
        raise Refused("unknown-signal", f"there is no signal {asked.signal[:80]!r} of a plant", "say plant/signal")
    if not (math.isfinite(asked.start) and math.isfinite(asked.end) and asked.start < asked.end):
        raise Refused("bad-time", "the sample does not end after it begins", "give start and end as epoch seconds UTC")
    if not (within(asked.start, now, BEHIND_S, 0.0) and asked.end <= now + LONGEST_S):
        raise Refused(
            "bad-time",
            f"a sample from {asked.start:g} to {asked.end:g} lies too far from now",
            "give epoch seconds UTC (not milliseconds), of what was told in the last hundred years",
        )
    if asked.end - asked.start > LONGEST_S:
        raise Refused("too-long", "the sample is longer than a day", f"ask for at most {LONGEST_S:g} seconds")
    plant = owner(asked.signal)
    waiting = [probe.id for probe in room.probes.values() if not probe.over() and owner(probe.signal) == plant]
    if len(waiting) >= OPEN:
        raise Refused(
            "too-many", f"{', '.join(waiting)} of {plant} are open", "read those, or ask the plant for a grant"
        )
    return (
        ProbeAsked(
            at=now,
            probe=room.next_id("probe"),
            signal=asked.signal,
            start=asked.start,
            end=asked.end,
            purpose=said(asked.purpose, "the purpose", 500),
            until=now + READABLE_S,
        ),
    )


def run_out(room: Room, probe: Probe, now: float) -> tuple[AnyEvent, ...]:
    """Its sample can be read no more."""
    return (ProbeEnded(at=now, probe=probe.id),)


def readable(room: Room, name: str, actor: Actor, now: float) -> Probe:
    """The probe whose sample somebody wants to read; refused to all but who asked, and after its time."""
    probe = room.probes.get(name)
    if probe is None:
        raise Refused("unknown-probe", f"there is no probe {name[:80]!r}", "look for its id among the probes")
    if probe.account != account(actor):
        raise Refused("not-your-probe", f"{probe.id} was asked by {probe.account}", "ask for one of your own")
    if probe.over() or now >= probe.until:
        raise Refused("probe-over", f"{probe.id} could be read for an hour", "ask again, with its purpose")
    return probe


def _asked(room: Room, event: ProbeAsked) -> Room:
    probe = Probe(
        id=event.probe,
        signal=event.signal,
        start=event.start,
        end=event.end,
        purpose=event.purpose,
        account=event.by,
        asked_by=event.occupant or event.by,
        asked_at=event.at,
        until=event.until,
    )
    return put(count(room, "probe"), "probes", probe)


def _ended(room: Room, event: ProbeEnded) -> Room:
    return put(room, "probes", msgspec.structs.replace(room.probes[event.probe], closed=True))


APPLY: Mapping[type[Any], Callable[[Room, Any], Room]] = {ProbeAsked: _asked, ProbeEnded: _ended}
"""How each event on a probe changes the room."""
