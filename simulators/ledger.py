"""The account of all goods: every store, every train, and what passed; nothing appears or vanishes."""

from __future__ import annotations

from typing import NamedTuple

import simpy

from simulators.errors import LedgerTorn


class Flows(NamedTuple):
    """The account of one product, in its unit, since the start."""

    opening: float
    made: float
    imported: float
    used: float
    shipped: float
    stored: float
    on_rails: float

    @property
    def surplus(self) -> float:
        """What is there and should not be (or, below 0, the other way round); 0 but for rounding."""
        return self.stored + self.on_rails - (self.opening + self.made + self.imported - self.used - self.shipped)


class Ledger:
    """Every store and every train of the economy, and the sums of what passed."""

    def __init__(self, env: simpy.Environment) -> None:
        self._env = env
        self._stores: dict[tuple[str, str], simpy.Container] = {}
        self._on_rails: dict[str, float] = {}
        self._sums: dict[tuple[str, str], float] = {}

    def open(self, place: str, product: str, amount: float) -> None:
        """Open a store with an amount in it."""
        self._stores[place, product] = simpy.Container(self._env, init=amount)
        self._add("opening", product, amount)

    def level(self, place: str, product: str) -> float:
        """Tell what lies in a store."""
        return float(self._stores[place, product].level)

    def make(self, place: str, product: str, amount: float) -> None:
        """Put what a plant made into its yard."""
        self._put(place, product, amount)
        self._add("made", product, amount)

    def land(self, place: str, product: str, amount: float) -> None:
        """Put what a ship brought into the port's shed."""
        self._put(place, product, amount)
        self._add("imported", product, amount)

    def use(self, place: str, product: str, amount: float) -> None:
        """Take what a plant uses from its store."""
        self._add("used", product, self._get(place, product, amount))

    def ship(self, place: str, product: str, amount: float) -> float:
        """Take from a yard for the towns or for abroad; tells how much there was to take."""
        taken = self._get(place, product, amount)
        self._add("shipped", product, taken)
        return taken

    def load(self, place: str, product: str, amount: float) -> float:
        """Put goods of a yard on a train; tells how much there was to load."""
        taken = self._get(place, product, amount)
        self._on_rails[product] = self._on_rails.get(product, 0.0) + taken
        return taken

    def unload(self, place: str, product: str, amount: float) -> None:
        """Take goods off a train into a store."""
        self._on_rails[product] -= amount
        self._put(place, product, amount)

    def under_way(self, product: str, amount: float) -> None:
        """Open the account with goods that are on the rails already."""
        self._on_rails[product] = self._on_rails.get(product, 0.0) + amount
        self._add("opening", product, amount)

    def flows(self, product: str) -> Flows:
        """Tell the account of one product."""
        opening, made, imported, used, shipped = (
            self._sums.get((column, product), 0.0) for column in ("opening", "made", "imported", "used", "shipped")
        )
        stored = sum(float(store.level) for (_, name), store in self._stores.items() if name == product)
        return Flows(opening, made, imported, used, shipped, stored, self._on_rails.get(product, 0.0))

    @property
    def products(self) -> tuple[str, ...]:
        """Every product that has an account."""
        return tuple(sorted({product for _, product in self._stores}))

    def audit(self) -> None:
        """Raise `LedgerTorn` for the first product of which more than a millionth cannot be accounted for."""
        for product in self.products:
            flows = self.flows(product)
            if abs(flows.surplus) > 1e-6 * max(1.0, flows.opening + flows.made + flows.imported):
                raise LedgerTorn(product, flows.surplus)

    def _add(self, column: str, product: str, amount: float) -> None:
        self._sums[column, product] = self._sums.get((column, product), 0.0) + amount

    def _put(self, place: str, product: str, amount: float) -> None:
        if amount > 0.0:
            self._stores[place, product].put(amount)

    def _get(self, place: str, product: str, amount: float) -> float:
        store = self._stores[place, product]
        taken = min(max(0.0, amount), float(store.level))
        if taken > 0.0:
            store.get(taken)
        return taken
