"""What has happened to who may look at readings, which orders a unit accepts, accords of siblings, and probes (see `events`)."""

from __future__ import annotations

from typing import Literal

import msgspec

from opsroom.room.event import Event

Side = Literal["unit", "room"]
Subject = Literal["power", "shifts", "stock", "transport", "other"]


class Sights(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who may look at what: the names of a unit's signals (none means all), the unit `to`, the purpose, and until when.

    `to` at the root is the room itself: its seats, its operator and the wall. `until` is epoch seconds UTC, `None` until revoked.
    """

    signals: tuple[str, ...] = ()
    to: str = ""
    purpose: str = ""
    until: float | None = None


class GrantMade(Event, frozen=True, kw_only=True, omit_defaults=True, tag="grant-made"):
    """A unit lets others look at its readings; `request` when it was asked to, `seeded` when the charter did at first birth."""

    grant: str
    unit: str
    sights: Sights
    request: str = ""
    seeded: bool = False


class GrantRevoked(Event, frozen=True, kw_only=True, omit_defaults=True, tag="grant-revoked"):
    """The unit took a grant back: nobody looks by it any more."""

    grant: str
    reason: str = ""


class GrantEnded(Event, frozen=True, kw_only=True, omit_defaults=True, tag="grant-ended"):
    """A grant's time was over."""

    grant: str


class RequestMade(Event, frozen=True, kw_only=True, omit_defaults=True, tag="request-made"):
    """One side asked the other: the room or another unit to look at readings, either side that orders be accepted or not."""

    request: str
    unit: str
    side: Side
    about: Literal["sight", "orders"]
    sights: Sights | None = None
    declines: tuple[str, ...] = ()
    reason: str = ""


class RequestAnswered(Event, frozen=True, kw_only=True, omit_defaults=True, tag="request-answered"):
    """The other side accepted or refused, or a newer request took its place; `version` is that of the orders agreed."""

    request: str
    accepted: bool
    reason: str = ""
    version: int = 0


class AccordProposed(Event, frozen=True, kw_only=True, omit_defaults=True, tag="accord-proposed"):
    """An accord of units of one level was proposed, by one of them, by the room's people, or by the room itself.

    The room does so when their `alarms` share the cause `source` in the flow graph.
    """

    accord: str
    parties: tuple[str, ...]
    subject: Subject
    words: str
    until: float
    alarms: tuple[str, ...] = ()
    source: str = ""


class AccordAnswered(Event, frozen=True, kw_only=True, omit_defaults=True, tag="accord-answered"):
    """One party accepted or refused; with the last party's consent the accord is in force, with one refusal it is over."""

    accord: str
    unit: str
    accepted: bool
    reason: str = ""


class AccordEnded(Event, frozen=True, kw_only=True, omit_defaults=True, tag="accord-ended"):
    """An accord is over: its time had come, or a party left it."""

    accord: str
    reason: str = ""


class ProbeAsked(Event, frozen=True, kw_only=True, omit_defaults=True, tag="probe-asked"):
    """The room asked a unit for a raw sample of one signal, from `start` to `end` (source time), and said what for.

    The unit is told at once. Whoever asked may read that sample, and nothing else, until `until`.
    """

    probe: str
    signal: str
    start: float
    end: float
    purpose: str
    until: float


class ProbeEnded(Event, frozen=True, kw_only=True, omit_defaults=True, tag="probe-ended"):
    """The time in which a probe's sample could be read is over."""

    probe: str


OfferEnding = Literal["accepted", "refused", "unanswered", "superseded", "void"]
"""How an offer ended: the plant consented; it refused, with a reason; it said nothing in time; a newer proposal took its place;
or there was nothing left to propose."""


class OfferMade(Event, frozen=True, kw_only=True, omit_defaults=True, tag="offer-made"):
    """A carried motion proposed to a plant what its option says about its agreement; nothing holds without its consent.

    `proposal` is the proposal or request that waits for the plant until `until`; `place` counts the terms of the option from 1.
    """

    offer: str
    motion: str
    option: str
    place: int
    unit: str
    about: Literal["figures", "orders", "sight"]
    signal: str = ""
    proposal: str = ""
    until: float = 0.0


class OfferEnded(Event, frozen=True, kw_only=True, omit_defaults=True, tag="offer-ended"):
    """How an offer ended: accepted (then `version` holds), refused with a reason, unanswered in its time, superseded, void."""

    offer: str
    motion: str
    unit: str
    ending: OfferEnding
    reason: str = ""
    version: int = 0


PACT_EVENTS = (
    GrantMade
    | GrantRevoked
    | GrantEnded
    | RequestMade
    | RequestAnswered
    | AccordProposed
    | AccordAnswered
    | AccordEnded
    | ProbeAsked
    | ProbeEnded
    | OfferMade
    | OfferEnded
)
"""Every event of this file, as a part of `events.AnyEvent`."""
