"""What makes a birth sound: the rules that types alone cannot say. Pure."""

from __future__ import annotations

from collections import Counter
from typing import Any

from telex_ingest.refusals import TelexError
from telex_ingest.telex import PlantBirth

NESTED = 32
"""How deep the parameters of an order may be nested: programs that check, store and sign them go one step down for each."""


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

    Ids and names of signals and names of orders are unique, there is at least one signal, `low` is below `high`, an
    expected effect names a declared signal, and no parameters are nested deeper than `NESTED`.
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
    found += [
        f"order {order.name}: its parameters are nested deeper than {NESTED}, write them flatter"
        for order in birth.orders
        if deeper(order.parameters, NESTED)
    ]
    return tuple(found)


def deeper(value: Any, most: int) -> bool:
    """Whether JSON is nested deeper than so much; looked at layer by layer, since what is too deep breaks recursion."""
    layer = [value]
    for _ in range(most):
        inner = [part for one in layer for part in (one.values() if isinstance(one, dict) else one)]
        layer = [part for part in inner if isinstance(part, dict | list)]
    return bool(layer)


def sound(birth: PlantBirth) -> PlantBirth:
    """Give the birth back, or raise `BirthError`."""
    found = mistakes(birth)
    if found:
        raise BirthError(birth.plant, found)
    return birth
