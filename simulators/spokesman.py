"""Who speaks for a plant when the council deliberates on it: says what its own people see, and what they could not do. Pure.

Knows the plant's own figures, its stores and its crew; never the labelled disturbances.
"""

from __future__ import annotations

from simulators.factory import Factory
from simulators.foreman import Foreman
from telex_ingest.telex import Invitation

SHORT = 0.97
"""The part of what a plant needs below which it says that it is short."""


def statement(factory: Factory, foreman: Foreman, invitation: Invitation) -> str:
    """What a plant states on a motion to which it is invited."""
    return " ".join((*_standing(factory, invitation.signal), *_able(foreman, invitation)))


def _standing(factory: Factory, signal: str) -> list[str]:
    works, told = factory.works, factory.told
    row = next((row for row in works.indicators if row.name == signal), works.indicators[0])
    said = []
    if told is not None:
        now = float(told[works.indicators.index(row)])
        said.append(f"{row.title} is {now:g} {row.unit} now; {row.normal:g} is usual here.")
    if factory.supply < SHORT:
        said.append(f"We get {factory.supply:.0%} of what we need, so the trouble is not ours alone.")
    return said


def _able(foreman: Foreman, invitation: Invitation) -> list[str]:
    said = []
    for option in invitation.options:
        mine = [order for order in option.orders if order.plant == foreman.plant]
        objections = [why for order in mine if (why := foreman.objection(order.name, order.parameters))]
        if objections:
            said.append(f"Option {option.id.upper()}: we could not do it now ({objections[0]}).")
        elif mine:
            minutes = max(foreman.takes_s(order.name) for order in mine) / 60
            said.append(f"Option {option.id.upper()}: we can do it; it takes about {minutes:.0f} min.")
    return said
