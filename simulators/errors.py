"""What can go wrong among the simulators.

SimulatorError
 |- ScenarioMistake     a scenario's text is wrong: file, line, where, value, cure
 |- UnknownPlant        somebody named a plant that is not in the economy
 `- LedgerTorn          goods appeared or vanished: the economy's own bookkeeping is broken
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class SimulatorError(Exception):
    """The root of this package's errors; each carries its facts as attributes."""


@dataclass(frozen=True)
class Mistake:
    """One mistake in a scenario: 1-based line (0 = the whole file), the place as a path, the value found, the cure."""

    line: int
    where: str
    value: object
    cure: str

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        return f"{place}{self.where} = {self.value!r}: {self.cure}"


class ScenarioMistake(SimulatorError):  # noqa: N818 - a mistake is what the writer of a scenario made
    """A scenario cannot be played; `mistakes` lists everything that is wrong with it, in the order of the text."""

    def __init__(self, source: str, mistakes: Sequence[Mistake]) -> None:
        super().__init__(source, tuple(mistakes))
        self.source = source
        self.mistakes = tuple(mistakes)

    def __str__(self) -> str:
        return "\n".join(f"{self.source}: {mistake}" for mistake in self.mistakes)


class UnknownPlant(SimulatorError):  # noqa: N818 - named for what it is
    """A plant was named that the economy does not have."""

    def __init__(self, plant: str, known: Sequence[str]) -> None:
        super().__init__(plant, tuple(known))
        self.plant = plant
        self.known = tuple(known)

    def __str__(self) -> str:
        return f"there is no plant {self.plant!r}: name one of {', '.join(self.known)}"


class LedgerTorn(SimulatorError):  # noqa: N818 - named for what it is
    """Goods of one product appeared or vanished: opening + made + imported is not used + shipped + held."""

    def __init__(self, product: str, surplus: float) -> None:
        super().__init__(product, surplus)
        self.product = product
        self.surplus = surplus

    def __str__(self) -> str:
        return f"{self.surplus:+.6g} of {self.product} cannot be accounted for: a process moved goods past the ledger"
