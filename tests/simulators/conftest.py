"""What the tests of the simulators share: short stages, orders, and the figures of one signal."""

from __future__ import annotations

from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from simulators.faults import Report
from simulators.scenario import Scenario, read
from simulators.stage import Stage
from telex_ingest.proof import name_of, prove
from telex_ingest.telex import Order, Receipt, moment
from telex_ingest.ticket import Ticket

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
TICKET = Ticket("plants", "secret", "room-1", name_of(KEY.public_key())).line()
"""What the room of these tests signs with, and the ticket that makes its plants believe it."""
START = "2026-03-02T06:00:00Z"


def stage(text: str = "", *, seed: int = 7, hours: float = 6.0, shadow: bool = False, **more: Any) -> Stage:
    """A stage of a scenario written in the test; `hours` long, from six in the morning."""
    return Stage(scenario(text, hours=hours), seed=seed, shadow=shadow, **more)


def scenario(text: str = "", *, hours: float = 6.0) -> Scenario:
    return read(f'title = "In a test"\nduration = "{hours:g}h"\nstart = {START}\n{text}')


def order(
    on: Stage, plant: str, name: str, *, number: str = "order-1", lives_s: float = 3600.0, **parameters: Any
) -> Order:
    """An order as the room would telex it at the second that the stage has reached."""
    asked = Order(
        id=number,
        room="room-1",
        plant=plant,
        motion="motion-1",
        name=name,
        parameters=parameters,
        not_before=moment(round(on.now * 1e6)),
        expires=moment(round((on.now + lives_s) * 1e6)),
    )
    return prove(asked, KEY)


def play(on: Stage, hours: float) -> list[Report | Receipt]:
    """Everything that the stage gives until `hours` after its start."""
    return list(on.until(on.start_s + hours * 3600.0))


def told(out: list[Report | Receipt], plant: str, on: Stage, signal: str) -> np.ndarray:
    """What a plant told of one signal, oldest first."""
    number = on.economy.factory(plant).number[signal]
    return np.array([item.values[number] for item in out if isinstance(item, Report) and item.plant == plant])


def answers(out: list[Report | Receipt]) -> list[tuple[str, str]]:
    return [(item.state.value, item.reason) for item in out if isinstance(item, Receipt)]


def noise_of(on: Stage, plant: str, signal: str) -> float:
    factory = on.economy.factory(plant)
    return float(factory.noise[factory.number[signal]])
