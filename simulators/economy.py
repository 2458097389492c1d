"""Plants that feed each other: coal, ore, yarn and wheat move by rail, power by wire, and nothing appears or vanishes.

Every flow passes the `Ledger`. Buyers call trains that bring back their store to what they hold when all is well; what a
yard has too much of goes to the towns or abroad. Generation follows its plan, the exchange with the neighbours' grid
fills the gap up to `EXCHANGE_MW`, and what is short beyond that is shed from the plants in equal parts.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from simulators.clockwork import Clockwork, Steps
from simulators.errors import UnknownPlant
from simulators.factory import Factory, Works
from simulators.ledger import Ledger
from simulators.outline import all_works

STEP_S = 60.0
"""How often plants draw material and grids balance, seconds."""

HEADWAY_S = 600.0
"""The time between two trains on a route, seconds."""

SHIP_S = 1800.0
"""The time between two ships of a product, seconds."""

SETTLE_S = 6 * 3600.0
"""The time in which calls for trains bring a store back to what it should hold, seconds."""

TOWN_MW = 811.3
TOWN_WAVE_MW = 2.0
"""What the towns draw, and how far their day swings around it, MW."""

EXCHANGE_MW = 120.0
"""The most that the neighbours' grid gives or takes, MW."""

RESERVE_MW = 12.0
"""What the grid can give to orders beyond what plants draw, MW."""

RAIL_SHARE = 0.75
"""The part of the railway's freight that it can give to the plants' goods when they need it."""


POWER_STATION, RAILWAY, PORT = "power-station", "railway", "port"


class Route(NamedTuple):
    """One way of a product: from a yard (or from the port's imports) to a plant's store, in `transit_s` seconds."""

    product: str
    source: str
    target: str
    transit_s: float


ROUTES = (
    Route("coal", "coal-mine", "power-station", 5400.0),
    Route("coal", "coal-mine", "railway", 1800.0),
    Route("coal", "coal-mine", "copper-smelter", 9000.0),
    Route("coal", "coal-mine", "cement-works", 7200.0),
    Route("coal", "coal-mine", "brick-works", 6600.0),
    Route("concentrate", "copper-mine", "copper-smelter", 5400.0),
    Route("cotton", PORT, "spinning-mill", 7200.0),
    Route("wheat", PORT, "flour-mill", 4800.0),
    Route("tinplate", PORT, "cannery", 2400.0),
    Route("yarn", "spinning-mill", "textile-mill", 2400.0),
)

IMPORTS = {"cotton": 500.0, "wheat": 9000.0, "tinplate": 220.0}
"""What comes by ship, and how much of it lies in the port's sheds when all is well, tonnes."""


class Economy:
    """All plants of a table on one clockwork; `factories` by plant id.

    `start_s` is the epoch second at simulated second 0; `period_s` the time between two measurements of a plant.
    """

    def __init__(
        self,
        clockwork: Clockwork,
        *,
        seed: int,
        start_s: float,
        period_s: float,
        works: Iterable[Works] | None = None,
    ) -> None:
        self.clockwork = clockwork
        self.ledger = Ledger(clockwork.env)
        self.factories: dict[str, Factory] = {}
        self.granted_mw = 0.0
        self.exchange_mw = 0.0
        self._power_share = 1.0
        self._material: dict[str, float] = {}
        self._trains: dict[Route, float] = {}
        for plan in all_works() if works is None else works:
            noise, layout = (np.random.default_rng([seed, zlib.crc32(plan.id.encode()), stream]) for stream in (1, 2))
            self._material[plan.id] = 1.0
            self.factories[plan.id] = Factory(
                plan, clockwork, start_s=start_s, period_s=period_s, noise=noise, layout=layout
            )
        self._open_stores()
        self._normal_surplus = {
            plant: factory.works.normal * factory.works.yield_t
            - sum(self._normal_use(route) for route in self._trains if route.source == plant)
            for plant, factory in self.factories.items()
        }
        self._connect_gauges()
        self._balance()
        for factory in self.factories.values():
            clockwork.process(self._work(factory))
        clockwork.process(self._grid())
        clockwork.process(self._dispatch_trains())
        clockwork.process(self._ships())

    def factory(self, plant: str) -> Factory:
        """Give one plant; raises `UnknownPlant`."""
        try:
            return self.factories[plant]
        except KeyError:
            raise UnknownPlant(plant, tuple(self.factories)) from None

    def grant(self, megawatts: float) -> str:
        """Ask the grid's reserve for power; an empty answer grants it, any other is the reason why not."""
        free = RESERVE_MW - self.granted_mw - max(0.0, self.exchange_mw - EXCHANGE_MW)
        if megawatts > free:
            return f"power not available: {megawatts:g} MW asked for, {max(0.0, free):.1f} MW in reserve"
        self.granted_mw += megawatts
        return ""

    def give_back(self, megawatts: float) -> None:
        """Return granted power to the reserve."""
        self.granted_mw = max(0.0, self.granted_mw - megawatts)

    def _routes(self) -> tuple[Route, ...]:
        return tuple(route for route in ROUTES if route.source in self.factories and route.target in self.factories)

    def _open_stores(self) -> None:
        for plant, factory in self.factories.items():
            plan = factory.works
            if plan.makes:
                self.ledger.open(plant, plan.makes, plan.yard)
            for product, amount in plan.holds.items():
                self.ledger.open(plant, product, amount)
        if PORT in self.factories:
            for product, amount in IMPORTS.items():
                self.ledger.open(PORT, product, amount)
        for route in self._routes():
            # Trains are on the rails at the start as on any day, so that no store has to find its level first.
            load = self._normal_use(route) * HEADWAY_S / 3600.0
            self._trains[route] = 0.0
            for number in range(1, int(route.transit_s // HEADWAY_S) + 1):
                self.ledger.under_way(route.product, load)
                self._trains[route] += load
                self.clockwork.process(self._train(route, load, number * HEADWAY_S - HEADWAY_S + STEP_S / 2))

    def _connect_gauges(self) -> None:
        for plant, factory in self.factories.items():
            for index, row in enumerate(factory.works.indicators):
                if row.gauge:
                    factory.gauges[index] = self._gauge(plant, row.gauge)

    def _gauge(self, plant: str, gauge: str) -> Callable[[], float]:
        kind, _, product = gauge.partition(":")
        factory = self.factories[plant]
        if kind == "exchange":
            return lambda: self.exchange_mw
        if kind == "use":
            return lambda: self._rate_of_use(factory, product)
        place_of = factory.works.makes if kind == "yard" else product
        return lambda: self.ledger.level(plant, place_of)

    def _rate_of_use(self, factory: Factory, product: str) -> float:
        return factory.wanted(self.clockwork.now) * factory.supply * factory.works.uses[product]

    def _normal_use(self, route: Route) -> float:
        plan = self.factories[route.target].works
        return plan.normal * plan.uses[route.product]

    def _work(self, factory: Factory) -> Steps:
        """Use material and make goods, a step at a time; short material or power lowers production, never the ledger."""
        plan = factory.works
        hours = STEP_S / 3600.0
        while True:
            units = factory.wanted(self.clockwork.now) * hours
            material = 1.0
            for product, each in plan.uses.items():
                need = units * each
                if need > 0.0:
                    material = min(material, self.ledger.level(plan.id, product) / need)
            supply = material if plan.id == POWER_STATION else min(material, self._power_share)
            factory.supply = supply
            self._material[plan.id] = material
            for product, each in plan.uses.items():
                self.ledger.use(plan.id, product, units * supply * each)
            if plan.makes:
                self.ledger.make(plan.id, plan.makes, units * supply * plan.yield_t)
                self._sell_surplus(plan)
            yield self.clockwork.wait(STEP_S)

    def _sell_surplus(self, plan: Works) -> None:
        """Sell what nobody in the economy calls for, and let the yard come back to what it should hold."""
        over = self.ledger.level(plan.id, plan.makes) - plan.yard
        amount = self._normal_surplus[plan.id] * STEP_S / 3600.0 + over * STEP_S / SETTLE_S
        self.ledger.ship(plan.id, plan.makes, amount)

    def _grid(self) -> Steps:
        while True:
            yield self.clockwork.wait(STEP_S)
            self._balance()

    def _balance(self) -> None:
        """Balance the grid at this moment: plan-driven generation, the towns, the plants, the exchange, what is shed."""
        self._power_share = 1.0
        station = self.factories.get(POWER_STATION)
        if station is None:
            return
        now = self.clockwork.now
        plants = self.granted_mw + sum(
            factory.works.power_mw * (0.4 + 0.6 * self._material[plant] * factory.wanted(now) / factory.works.normal)
            for plant, factory in self.factories.items()
        )
        towns = TOWN_MW + TOWN_WAVE_MW * math.sin(2.0 * math.pi * (station.hour(now) - 13.0) / 24.0)
        gap = plants + towns - station.wanted(now) * station.supply
        self.exchange_mw = max(-EXCHANGE_MW, min(EXCHANGE_MW, gap))
        self._power_share = max(0.0, 1.0 - max(0.0, gap - EXCHANGE_MW) / plants)

    def _dispatch_trains(self) -> Steps:
        """Send a train on every route, loaded with what its buyer uses and what brings the buyer's store back."""
        while True:
            calls = {route: self._call(route) for route in self._trains}
            railway = self.factories.get(RAILWAY)
            can = math.inf
            if railway is not None:
                can = railway.wanted(self.clockwork.now) * railway.supply * RAIL_SHARE * HEADWAY_S / 3600.0
            part = min(1.0, can / max(sum(calls.values()), 1e-9))
            for route, amount in calls.items():
                loaded = self.ledger.load(route.source, route.product, amount * part)
                if loaded > 0.0:
                    self._trains[route] += loaded
                    self.clockwork.process(self._train(route, loaded, route.transit_s + STEP_S / 2))
            yield self.clockwork.wait(HEADWAY_S)

    def _call(self, route: Route) -> float:
        buyer = self.factories[route.target]
        use = self._rate_of_use(buyer, route.product) * HEADWAY_S / 3600.0
        should = buyer.works.holds[route.product] + use * (route.transit_s // HEADWAY_S)
        has = self.ledger.level(route.target, route.product) + self._trains[route]
        return max(0.0, use + (should - has) * HEADWAY_S / SETTLE_S)

    def _train(self, route: Route, amount: float, arrives_in_s: float) -> Steps:
        yield self.clockwork.wait(arrives_in_s)
        self._trains[route] -= amount
        self.ledger.unload(route.target, route.product, amount)

    def _ships(self) -> Steps:
        """Land imports at the port as they are called for; a port that handles less lands less."""
        port = self.factories.get(PORT)
        while port is not None:
            yield self.clockwork.wait(SHIP_S)
            quay = min(1.0, 2.0 * port.rate(self.clockwork.now))
            for product, holds in IMPORTS.items():
                taken = sum(
                    self._rate_of_use(self.factories[route.target], product) * SHIP_S / 3600.0
                    for route in self._trains
                    if route.product == product
                )
                missing = holds - self.ledger.level(PORT, product)
                self.ledger.land(PORT, product, quay * max(0.0, taken + missing * SHIP_S / SETTLE_S))
