"""The states of an alarm as one written table, in the words of ISA-18.2 and OPC UA Part 9. Pure.

An alarm is in three regions at once, as in OPC UA Part 9: its `condition` (what it is), its `shelf` (whether somebody put it
aside for a time) and its `voice` (whether a planned stop or work on the instrument keeps it quiet). `LIFE` says for each
region, state and happening which state follows; the room folds its events by this table, and `docs/room.md` is drawn from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

Region = Literal["condition", "shelf", "voice"]
Table = Mapping[str, Mapping[str, str]]

LATCHED_RETURN = "alarm-returned, latched"
"""The happening when the signal of an alarm that latches is back: it stays until somebody resets it."""

LIFE: Mapping[Region, Table] = {
    "condition": {
        "normal": {"alarm-opened": "unacknowledged"},
        "unacknowledged": {
            "alarm-acknowledged": "acknowledged",
            "alarm-climbed": "unacknowledged",
            "alarm-returned": "returned",
            LATCHED_RETURN: "latched",
            "alarm-closed": "normal",
        },
        "acknowledged": {
            "alarm-climbed": "unacknowledged",
            "alarm-returned": "recovered",
            LATCHED_RETURN: "latched-acknowledged",
            "alarm-closed": "normal",
        },
        "returned": {
            "alarm-acknowledged": "recovered",
            "alarm-relapsed": "unacknowledged",
            "alarm-closed": "normal",
        },
        "recovered": {"alarm-relapsed": "unacknowledged", "alarm-closed": "normal"},
        "latched": {
            "alarm-acknowledged": "latched-acknowledged",
            "alarm-reset": "returned",
            "alarm-relapsed": "unacknowledged",
            "alarm-closed": "normal",
        },
        "latched-acknowledged": {
            "alarm-reset": "recovered",
            "alarm-relapsed": "unacknowledged",
            "alarm-closed": "normal",
        },
    },
    "shelf": {
        "unshelved": {"alarm-shelved": "shelved"},
        "shelved": {"alarm-unshelved": "unshelved", "alarm-climbed": "unshelved", "alarm-closed": "unshelved"},
    },
    "voice": {
        "speaking": {"alarm-suppressed": "suppressed", "alarm-out-of-service": "out-of-service"},
        "suppressed": {
            "alarm-suppressed": "suppressed",
            "alarm-out-of-service": "out-of-service",
            "alarm-released": "speaking",
            "alarm-closed": "speaking",
        },
        "out-of-service": {
            "alarm-out-of-service": "out-of-service",
            "alarm-suppressed": "suppressed",
            "alarm-released": "speaking",
            "alarm-closed": "speaking",
        },
    },
}
"""Region, state and happening (the kind of an event) to the state that follows.

A happening without a row in a region changes nothing there.
"""

BEGINNING: Mapping[Region, str] = {"condition": "normal", "shelf": "unshelved", "voice": "speaking"}

STATES = (
    "unacknowledged",
    "acknowledged",
    "returned",
    "recovered",
    "latched",
    "latched-acknowledged",
    "shelved",
    "suppressed",
    "out-of-service",
    "closed",
)
"""The words that a screen shows: what hides an alarm stands before what it is; a record that is normal again is closed."""

KNOWN = frozenset(happening for table in LIFE.values() for row in table.values() for happening in row)
"""Every happening that changes a state somewhere."""

OF_CONDITION = frozenset(happening for row in LIFE["condition"].values() for happening in row)
"""Those that can follow only where the condition has a row for them."""


class LifeError(RuntimeError):
    """An event that cannot follow: `happening` has no place in the table at `life`."""

    def __init__(self, happening: str, life: Life) -> None:
        super().__init__(happening, life)
        self.happening, self.life = happening, life

    def __str__(self) -> str:
        where = ", ".join(f"{region} {getattr(self.life, region)}" for region in LIFE)
        return f"{self.happening} cannot follow where an alarm has {where}: the journal or a rule of the room is wrong"


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """Where an alarm stands in each region of the table."""

    condition: str = BEGINNING["condition"]
    shelf: str = BEGINNING["shelf"]
    voice: str = BEGINNING["voice"]

    def may(self, happening: str) -> bool:
        """Tell whether a happening has a place in the table here.

        >>> Life(condition="acknowledged").may("alarm-acknowledged"), Life(condition="latched").may("alarm-reset")
        (False, True)
        """
        if happening in OF_CONDITION or self.condition == "normal":
            return happening in LIFE["condition"][self.condition]
        return any(happening in table[getattr(self, region)] for region, table in LIFE.items())

    def after(self, happening: str) -> Life:
        """Give where it stands after a happening; raises `LifeError` for one that cannot follow.

        >>> Life().after("alarm-opened").after("alarm-acknowledged").after("alarm-returned").condition
        'recovered'
        """
        if happening not in KNOWN:
            return self
        if not self.may(happening):
            raise LifeError(happening, self)
        follow = {region: table[getattr(self, region)].get(happening) for region, table in LIFE.items()}
        return msgspec.structs.replace(self, **{region: state for region, state in follow.items() if state is not None})

    @property
    def quiet(self) -> bool:
        """Whether a planned stop or work on the instrument keeps it quiet: no telex, no clock."""
        return self.voice != "speaking"

    @property
    def back(self) -> bool:
        """Whether the signal is back where it was."""
        return self.condition in ("returned", "recovered", "latched", "latched-acknowledged")

    @property
    def latches(self) -> bool:
        """Whether it waits for somebody to reset it."""
        return self.condition in ("latched", "latched-acknowledged")

    @property
    def word(self) -> str:
        """The one word that a screen shows.

        >>> Life(condition="acknowledged", shelf="shelved").word, Life().word
        ('shelved', 'closed')
        """
        if self.condition == "normal":
            return "closed"
        if self.quiet:
            return self.voice
        return "shelved" if self.shelf == "shelved" else self.condition
