"""What a plant's program tells: figures by signal name or id, made into the readings of its birth. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple, cast

from telex_ingest.birth import sound
from telex_ingest.refusals import TelexError, show
from telex_ingest.telex import PlantBirth, Quality, Reading, TelexKind, moment

Figures = Iterable[Reading] | Mapping[int, float | None] | Mapping[str, float | None] | Mapping[int | str, float | None]
"""Readings to tell: `Reading`s, or values by numeric id, or values by the signal's name in the birth."""

READINGS_A_TELEX = 4096
"""More readings are told in several telexes."""


class TellError(TelexError):
    """A telex that cannot be told: `plant`, `what` is wrong, the `cure`."""

    def __init__(self, plant: str, what: str, cure: str = "compare with the births of the link") -> None:
        super().__init__(plant, what, cure)
        self.plant = plant
        self.what = what
        self.cure = cure

    def __str__(self) -> str:
        return f"cannot tell for {self.plant}: {self.what}; {self.cure}"


class Told(NamedTuple):
    """One telex to tell: plant, source time in microseconds UTC, readings, kind, cursor of its source."""

    plant: str
    source_us: int
    readings: Figures
    kind: TelexKind = TelexKind.LIVE
    cursor: str | None = None


class ToSpool(NamedTuple):
    """A telex that has no number yet."""

    plant: str
    source_us: int
    readings: tuple[Reading, ...]
    kind: TelexKind
    cursor: str | None


class Births:
    """The births of a link: which plants it speaks for and what their signals are called."""

    def __init__(self, births: Iterable[PlantBirth]) -> None:
        self._births: dict[str, PlantBirth] = {}
        self._ids: dict[str, dict[int | str, int]] = {}
        for birth in births:
            self.declare(birth)

    def declare(self, birth: PlantBirth) -> bool:
        """Take a birth; True when its plant is new. Raises `BirthError`."""
        new = birth.plant not in self._births
        self._births[birth.plant] = sound(birth)
        self._ids[birth.plant] = {
            **{signal.id: signal.id for signal in birth.signals},
            **{signal.name: signal.id for signal in birth.signals},
        }
        return new

    def __contains__(self, plant: str) -> bool:
        return plant in self._births

    def __getitem__(self, plant: str) -> PlantBirth:
        return self._births[plant]

    def plants(self) -> tuple[str, ...]:
        """The plants, in the order of their first births."""
        return tuple(self._births)

    def to_spool(self, told: Told) -> ToSpool:
        """Make a telex without a number. Raises `TellError` for what no birth declares."""
        readings = self._readings(told.plant, told.readings)
        try:
            moment(told.source_us)
        except OverflowError:
            raise TellError(told.plant, f"{told.source_us} microseconds are beyond the calendar") from None
        except (TypeError, ValueError):
            what = f"the source time is {show(told.source_us)}, no number"
            raise TellError(
                told.plant, what, "give whole microseconds, telex.microseconds(a datetime with a zone)"
            ) from None
        return ToSpool(told.plant, int(told.source_us), readings, told.kind, told.cursor)

    def _readings(self, plant: str, figures: Figures) -> tuple[Reading, ...]:
        ids = self._ids.get(plant)
        if ids is None:
            raise TellError(plant, f"this link has births of {', '.join(self._births)}")
        if isinstance(figures, Mapping):
            try:
                readings = [Reading(ids[signal], value) for signal, value in figures.items()]
            except KeyError as error:
                raise TellError(plant, f"it declares no signal {error.args[0]!r}") from None
        else:
            readings = list(figures)
        if len(readings) > READINGS_A_TELEX:
            raise TellError(plant, f"{len(readings)} readings in a telex, at most {READINGS_A_TELEX}")
        try:
            return tuple([_finite(reading) for reading in readings])
        except (TypeError, ValueError, OverflowError):
            wrong = next(reading.value for reading in readings if not _numeric(reading.value))
            raise TellError(
                plant, f"a value is {show(wrong)}, no number", "give a float, or None for missing"
            ) from None


def _numeric(value: object) -> bool:
    try:
        return value is None or float(cast(float, value)) is not None
    except (TypeError, ValueError, OverflowError):
        return False


def _finite(reading: Reading) -> Reading:
    """Make plain numbers of whatever counts as one; what is not finite is missing."""
    if reading.value is None:
        return reading
    value = float(reading.value)
    return (
        Reading(reading.signal, value, reading.quality)
        if math.isfinite(value)
        else Reading(reading.signal, None, Quality.BAD)
    )
