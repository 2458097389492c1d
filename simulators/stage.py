"""One run of a scenario, driven by the time handed in: reports and receipts come out, orders go in.

The same scenario, seed and orders at the same times give the same figures bit for bit, however often `until` is called.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from simulators.clockwork import Clockwork, Steps
from simulators.economy import Economy
from simulators.factory import Factory
from simulators.faults import LINE_FAULTS, Fault, Line, Report
from simulators.foreman import Foreman
from simulators.scenario import Scenario
from simulators.spokesman import statement
from simulators.truth import Truth
from telex_ingest.telex import Invitation, Order, PlantBirth, Receipt

Out = Report | Receipt


class Stage:
    """A scenario that runs from `warm_s` seconds before its start; times handed in are epoch seconds UTC.

    `start_s` moves the scenario's start, `plants` names those that report (all are simulated), `shadow` says whether
    consequences are worked out for the truth, which doubles the cost.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        seed: int | None = None,
        start_s: float | None = None,
        warm_s: float = 0.0,
        plants: Iterable[str] | None = None,
        shadow: bool = True,
    ) -> None:
        self.scenario = scenario
        self.seed = scenario.seed if seed is None else seed
        self.start_s = scenario.start.timestamp() if start_s is None else start_s
        chosen = tuple(plants) if plants is not None else scenario.plants
        self._played = _Cast(self, -warm_s, disturbed=True)
        self._shadow = _Cast(self, -warm_s, disturbed=False) if shadow else None
        self.economy = self._played.economy
        self.plants = tuple(self.economy.factory(plant).works.id for plant in chosen) or tuple(self.economy.factories)
        self.truth = Truth(self.economy.factories, scenario.faults, self.start_s)
        self.line = Line(scenario.faults, np.random.default_rng([self.seed, 3]))
        self._foremen = {
            plant: Foreman(plant, self.economy, self._played.out.append, scenario.refusals)
            for plant in self.economy.factories
        }

    @property
    def now(self) -> float:
        """The epoch second that the run has reached."""
        return self.start_s + self._played.clockwork.now

    @property
    def ends_s(self) -> float:
        """The epoch second at which the scenario is over."""
        return self.start_s + self.scenario.duration_s

    def births(self, pace: float = 1.0) -> tuple[PlantBirth, ...]:
        """Declare the plants that report; `pace` is how many simulated seconds pass in a second of the room's clock."""
        return tuple(self.economy.factories[plant].works.birth(self.scenario.period_s, pace) for plant in self.plants)

    def until(self, now: float) -> tuple[Out, ...]:
        """Run to epoch second `now` and give, in order of time, what the plants reported and answered since."""
        seconds = now - self.start_s
        out = self._played.advance(seconds)
        shadows = self._shadow.advance(seconds) if self._shadow else []
        pairs = iter(shadows)
        for item in out:
            if isinstance(item, Report):
                shadow = next(pairs, None)
                beside = shadow.expected if isinstance(shadow, Report) else None
                self.truth.see(item.plant, item.source_us, item.expected, beside)
        self.truth.pass_time(seconds)
        return tuple(item for item in out if not isinstance(item, Report) or item.plant in self.plants)

    def obey(self, order: Order) -> None:
        """Hand an order to its plant at the second that the run has reached; an unknown plant raises `UnknownPlant`."""
        self._foremen[self.economy.factory(order.plant).works.id].obey(order)

    def state(self, invitation: Invitation) -> str:
        """What a plant states on a motion to which it is invited; an unknown plant raises `UnknownPlant`."""
        factory = self.economy.factory(invitation.plant)
        return statement(factory, self._foremen[factory.works.id], invitation)


class _Cast:
    """One economy with its reports and disturbances: the run itself, or the shadow in which nothing goes wrong."""

    def __init__(self, stage: Stage, from_s: float, *, disturbed: bool) -> None:
        scenario = stage.scenario
        self.out: list[Out] = []
        self.clockwork = Clockwork(from_s)
        self.economy = Economy(self.clockwork, seed=stage.seed, start_s=stage.start_s, period_s=scenario.period_s)
        factories = tuple(self.economy.factories.values())
        if disturbed:
            for fault in scenario.faults:
                if fault.kind not in LINE_FAULTS:
                    self.clockwork.process(self._disturb(fault))
        for index, factory in enumerate(factories):
            # Plants speak one after another within the period, so that the line is never hit by all at once.
            offset = scenario.period_s * (index + 0.5) / len(factories)
            self.clockwork.process(self._report(factory, from_s + offset, scenario.period_s))

    def advance(self, seconds: float) -> list[Out]:
        """Run to a simulated second and hand over what came out."""
        self.clockwork.advance(seconds)
        out, self.out[:] = list(self.out), []
        return out

    def _report(self, factory: Factory, first_s: float, period_s: float) -> Steps:
        number = 0
        while True:
            yield self.clockwork.wait(first_s + number * period_s - self.clockwork.now)
            self.out.append(factory.measure(self.clockwork.now))
            number += 1

    def _disturb(self, fault: Fault) -> Steps:
        yield self.clockwork.wait(fault.at_s - self.clockwork.now)
        self.economy.factory(fault.plant).suffer(fault)
