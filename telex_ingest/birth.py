"""What makes a birth sound: the rules that types alone cannot say. Pure."""

from __future__ import annotations

from collections import Counter

from telex_ingest.refusals import TelexError
from telex_ingest.telex import PlantBirth


class BirthError(TelexError):
    """A birth that contradicts itself; `plant` and its `mistakes`, each a sentence."""

    def __init__(self, plant: str, mistakes: tuple[str, ...]) -> None:
        super().__init__(plant, mistakes)
        self.plant = plant
        self.mistakes = mistakes

    def __str__(self) -> str:
        return f"the birth of {self.plant} contradicts itself: {'; '.join(self.mistakes)}; mend the birth"


def mistakes(birth: PlantBirth) -> tuple[str, ...]:
    """Find what is wrong in a birth; empty when it is sound.

    Ids and names of signals and names of orders are unique, there is at least one signal, `low` is below `high`, and an
    expected effect names a declared signal.
    """
    found: list[str] = []
    if not birth.signals:
        found.append("it declares no signal")
    found += [f"id {i} stands twice" for i, n in Counter(s.id for s in birth.signals).items() if n > 1]
    found += [f"signal {name} stands twice" for name, n in Counter(s.name for s in birth.signals).items() if n > 1]
    found += [f"order {name} stands twice" for name, n in Counter(o.name for o in birth.orders).items() if n > 1]
    found += [
        f"signal {s.name}: low {s.low} is not below high {s.high}"
        for s in birth.signals
        if s.low is not None and s.high is not None and s.low >= s.high
    ]
    names = {s.name for s in birth.signals}
    found += [
        f"order {order.name} expects an effect on {effect.signal}, which is not declared"
        for order in birth.orders
        for effect in order.effects
        if effect.signal not in names
    ]
    return tuple(found)


def sound(birth: PlantBirth) -> PlantBirth:
    """Give the birth back, or raise `BirthError`."""
    found = mistakes(birth)
    if found:
        raise BirthError(birth.plant, found)
    return birth
