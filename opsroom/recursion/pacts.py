"""What units have agreed beyond signals' figures: grants, requests, accords, probes, and what agreements were before. Frozen."""

from __future__ import annotations

from typing import Literal

import msgspec
from immutables import Map

from opsroom.alarms.deadlines import Due
from opsroom.recursion.pact_events import OfferEnding, Side, Sights, Subject
from opsroom.recursion.recursion import Agreement
from opsroom.room.thing import Thing

VERSIONS_KEPT = 50
"""How many versions of one agreement the room remembers; the journal keeps all."""


TURNED_DOWN_KEPT = 20
"""How many proposals of figures that a unit did not come to agree on the room remembers; the journal keeps all."""


class Grant(Thing, frozen=True, kw_only=True):
    """A unit's word that others may look at its readings."""

    unit: str
    sights: Sights
    made_at: float
    made_by: str
    request: str = ""
    ended_at: float | None = None
    ended_reason: str = ""

    def clocks(self) -> tuple[Due, ...]:
        """End, when an end was said."""
        until = self.sights.until
        return (Due(until, "end-grant", self.id),) if until is not None and self.ended_at is None else ()

    def over(self) -> bool:
        """Revoked, or its time is over."""
        return self.ended_at is not None

    def holds(self, now: float) -> bool:
        """Tell whether it still lets anybody look: by its own end, whether or not the room has noted it yet."""
        return self.ended_at is None and (self.sights.until is None or now < self.sights.until)

    def covers(self, name: str) -> bool:
        """Tell whether it is about a signal of the unit."""
        return not self.sights.signals or name in self.sights.signals


class Request(Thing, frozen=True, kw_only=True):
    """Something that one side asked and the other has not answered yet."""

    unit: str
    side: Side
    about: Literal["sight", "orders"]
    sights: Sights | None
    declines: tuple[str, ...]
    reason: str
    asked_by: str
    asked_at: float
    answered_at: float | None = None
    accepted: bool = False
    answer: str = ""
    answered_by: str = ""

    def clocks(self) -> tuple[Due, ...]:
        """What it asks for is over: nothing is left to answer."""
        until = self.sights.until if self.sights is not None else None
        return () if until is None or self.over() else (Due(until, "end-request", self.id),)

    def over(self) -> bool:
        """Answered."""
        return self.answered_at is not None


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """A party's word for an accord."""

    unit: str
    by: str
    at: float
    reason: str = ""


class Accord(Thing, frozen=True, kw_only=True):
    """Units of one level that help each other, for a time: `state` is proposed, in-force, refused or ended."""

    parties: tuple[str, ...]
    subject: Subject
    words: str
    until: float
    proposed_by: str
    proposed_at: float
    alarms: tuple[str, ...] = ()
    source: str = ""
    consents: tuple[Consent, ...] = ()
    state: Literal["proposed", "in-force", "refused", "ended"] = "proposed"
    ended_at: float | None = None
    ended_reason: str = ""

    def clocks(self) -> tuple[Due, ...]:
        """End."""
        return () if self.over() else (Due(self.until, "end-accord", self.id),)

    def over(self) -> bool:
        """Refused or ended."""
        return self.state in ("refused", "ended")

    @property
    def waits_for(self) -> tuple[str, ...]:
        """The parties that have not said anything yet."""
        said = {consent.unit for consent in self.consents}
        return tuple(unit for unit in self.parties if unit not in said) if self.state == "proposed" else ()


class Probe(Thing, frozen=True, kw_only=True):
    """A raw sample that the room asked of a unit: one signal, a span of source time, a purpose."""

    signal: str
    start: float
    end: float
    purpose: str
    account: str
    asked_by: str
    asked_at: float
    until: float
    closed: bool = False

    def clocks(self) -> tuple[Due, ...]:
        """Its sample can be read no more."""
        return () if self.closed else (Due(self.until, "end-probe", self.id),)

    def over(self) -> bool:
        """Closed."""
        return self.closed


class Offer(Thing, frozen=True, kw_only=True):
    """What a carried motion proposed to a plant: `state` is waiting, or how it ended. `proposal` is what the plant answers."""

    motion: str
    option: str
    place: int
    unit: str
    about: Literal["figures", "orders", "sight"]
    signal: str
    proposal: str
    made_at: float
    until: float
    state: Literal["waiting"] | OfferEnding = "waiting"
    reason: str = ""
    ended_at: float | None = None
    answered_by: str = ""
    version: int = 0

    def clocks(self) -> tuple[Due, ...]:
        """Nobody has answered in time."""
        return () if self.over() else (Due(self.until, "end-offer", self.id),)

    def over(self) -> bool:
        """Answered, or not to be answered any more."""
        return self.state != "waiting"


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One version of an agreement: a signal's figures, or the orders that a unit declines; who agreed, when, why."""

    version: int
    agreed_by: str
    agreed_at: float
    reason: str = ""
    agreement: Agreement | None = None
    declines: tuple[str, ...] = ()


class TurnedDown(msgspec.Struct, frozen=True, kw_only=True):
    """Figures that one side proposed and the other refused, or did not answer in time; `answer` says why."""

    id: str
    signal: str
    side: Side
    by: str
    terms: Agreement
    reason: str
    at: float
    answered_at: float
    answered_by: str
    answer: str


class Pact(msgspec.Struct, frozen=True, kw_only=True):
    """What stands with one plant beyond its signals: the orders that it declines, and whether the charter's grant was made."""

    version: int = 0
    declines: tuple[str, ...] = ()
    seeded: bool = False


Versions = Map[str, tuple[Version, ...]]
"""The versions of each agreement, oldest first, by signal ("plant/name") or by plant for its orders."""


def with_version(versions: Versions, of: str, version: Version) -> Versions:
    """Give the versions with one more; the oldest beyond `VERSIONS_KEPT` is forgotten."""
    return versions.set(of, (*versions.get(of, ()), version)[-VERSIONS_KEPT:])
