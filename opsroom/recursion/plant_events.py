"""What has happened to the room's charter, its plants and their agreements (see `events`)."""

from __future__ import annotations

from typing import Literal

import msgspec

from opsroom.recursion.recursion import Agreement, Charter
from opsroom.room.event import Event
from telex_ingest.telex import OrderBirth, SignalBirth


class RoomFounded(Event, frozen=True, kw_only=True, omit_defaults=True, tag="room-founded"):
    """The room began with this charter."""

    charter: Charter


class CharterAmended(Event, frozen=True, kw_only=True, omit_defaults=True, tag="charter-amended"):
    """The file's tree, rules or seats differ from before and hold from now on; agreements that stand are not touched."""

    charter: Charter


class SeededAgreement(msgspec.Struct, frozen=True, array_like=True):
    """An agreement that a first birth brought into force: the signal's name and the terms."""

    name: str
    agreement: Agreement


class PlantJoined(Event, frozen=True, kw_only=True, omit_defaults=True, tag="plant-joined"):
    """A plant was born, or born anew with another wording; `parent` is set when the tree did not know it.

    `unusable` are declared orders that nobody could ever propose, and `faults` the sentences that say why.
    """

    plant: str
    title: str = ""
    link: str = ""
    version: int = 1
    parent: str = ""
    signals: tuple[SignalBirth, ...] = ()
    orders: tuple[OrderBirth, ...] = ()
    seeded: tuple[SeededAgreement, ...] = ()
    unusable: tuple[OrderBirth, ...] = ()
    faults: tuple[str, ...] = ()


class PlantLeft(Event, frozen=True, kw_only=True, omit_defaults=True, tag="plant-left"):
    """A plant said farewell; that explains its silence but does not excuse it: a planned stop does."""

    plant: str
    reason: str = ""


class AgreementProposed(Event, frozen=True, kw_only=True, omit_defaults=True, tag="agreement-proposed"):
    """One side ("unit" or "room") proposed other terms for a signal; nothing changes until the other side accepts."""

    proposal: str
    signal: str
    side: Literal["unit", "room"]
    terms: Agreement
    reason: str = ""


class AgreementAccepted(Event, frozen=True, kw_only=True, omit_defaults=True, tag="agreement-accepted"):
    """The other side accepted: the agreement holds from now on; `deadline` moves when the plant's own clock was running."""

    proposal: str
    signal: str
    agreement: Agreement
    reason: str = ""
    alarm: str = ""
    deadline: float | None = None


class AgreementRefused(Event, frozen=True, kw_only=True, omit_defaults=True, tag="agreement-refused"):
    """The other side refused, or a newer proposal took its place; the old agreement stands."""

    proposal: str
    reason: str = ""
    signal: str = ""
