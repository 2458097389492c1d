"""A look at all units is what a plain walk over them gives, whatever has changed since the look before."""

from __future__ import annotations

import math
from collections.abc import Iterator

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cyberstride.achievement import achieve
from cyberstride.verdict import SUSPECTED
from opsroom import commands as ask
from opsroom.constitution.charter import read
from opsroom.judgement.bank import Bank
from opsroom.record.store import Place
from opsroom.recursion.focus import marks, standing, state_of
from opsroom.recursion.wholes import Wholes
from opsroom.room.news import PlantBorn, PlantDied, PlantSilent, PlantSpeaks, Returned
from opsroom.showing.look import Look
from opsroom.showing.scene import Scene
from opsroom.views import UnitView
from telex_ingest.heard import Accepted
from telex_ingest.telex import Direction, PlantBirth, Reading, SignalBirth, TelexKind
from tests.opsroom.play import OPERATOR, Play, verdict
from tests.opsroom.rooms import TOML

TEXT = (
    TOML
    + """
[[unit]]
id = "metal"
level = "enterprise"
parent = "works"
[[unit]]
id = "forge-1"
level = "plant"
parent = "metal"
[[unit]]
id = "forge-2"
level = "plant"
parent = "metal"
[[chart]]
unit = "textiles"
measure = "m/h"
period = "60 s"
[[part]]
chart = "textiles"
part = "mill-1/output"
"""
)
PLANTS = ("mill-1", "forge-1", "forge-2", "saw-1", "elsewhere")
SIGNALS = ("output", "dust")
FIGURES = (0.0, 5.0, 20.0, 35.0, 45.0, 50.0, 55.0, 65.0, 75.0, 85.0, 95.0, 100.0)
"""So few that many plants do equally well."""
Triple = tuple[float | None, float | None, float | None]


def plain(scene: Scene) -> Iterator[UnitView]:
    """All units, one after the other."""
    room, bank = scene.room, scene.bank
    seen = marks(room, [signal.key for signal in bank.signals if bank.named[signal.lane] == SUSPECTED])
    rows, triples = standing(room), plain_triples(scene)
    for row in rows:
        heard = bank.heard_us.get(row.id)
        productivity, latency, performance = triples.get(row.id, (None, None, None))
        yield msgspec.structs.replace(
            row,
            state=state_of(row, room, seen),
            productivity=productivity,
            latency=latency,
            performance=performance,
            alarms=seen.alarms.get(row.id, 0),
            last_at=None if heard is None else heard / 1e6,
        )


def plain_triples(scene: Scene) -> dict[str, Triple]:
    """The triple vector of each unit: of its flowchart; without one a plant's first signal, else the weakest part below."""
    found: dict[str, Triple] = {}
    if not len(scene.bank):
        return found
    for plant, signals in scene.bank.by_plant.items():
        first = next(iter(signals.values()), None)
        if first is None:
            continue
        known = scene.room.signals.get(first.key)
        capability, potentiality = (
            (known.agreement.capability, known.agreement.potentiality) if known is not None else (None, None)
        )
        three = [math.nan if figure is None else figure for figure in (capability, potentiality)]
        value = scene.bank.rings.newest(np.array([first.lane]))[1][0]
        said = achieve(value, *three, down_is_good=first.birth.good == Direction.DOWN)
        ratios = [float(one) for one in (said.productivity, said.latency, said.performance)]
        if any(map(math.isfinite, ratios)):
            told = [ratio if math.isfinite(ratio) else None for ratio in ratios]
            found[plant] = (told[0], told[1], told[2])
    for unit, whole in scene.wholes.triples(scene.room, scene.bank).items():
        found[unit] = (whole.productivity, whole.latency, whole.performance)
    for row in reversed(standing(scene.room)):
        if row.children and row.id not in found:
            below = [found[child] for child in row.children if child in found]
            if below:
                found[row.id] = min(below, key=weakness)
    return found


def weakness(triple: Triple) -> tuple[float, float]:
    """By performance, then by productivity; what is not known is not the weakest."""
    productivity, _, performance = triple
    return (
        math.inf if performance is None else performance,
        math.inf if productivity is None else productivity,
    )


class Changing:
    """A room, a bank and what is seen of them, changed by chance."""

    def __init__(self) -> None:
        file = read(TEXT)
        self.play = Play("mill-1", rules=file.charter)
        self.bank = Bank()
        self.wholes = Wholes(file.charter.charts, {})
        self.scene = Scene(self.play.room, self.bank, 1.0, self.wholes)
        self.numbers: dict[str, int] = {}
        self.rows = 0
        self.seq = 0

    def admit(self, birth: PlantBirth) -> None:
        places = {}
        for signal in birth.signals:
            places[f"{birth.plant}/{signal.name}"] = Place(1, self.rows)
            self.rows += 1
        self.numbers[birth.plant] = len(self.numbers)
        known = {key: signal.place for key, signal in self.bank.by_key.items()}
        self.bank.admit(birth, places | {key: place for key, place in known.items() if key in places})

    def step(self, action: str, plant: str, figure: float) -> None:
        """Change something."""
        getattr(self, action)(plant, figure)
        self.scene.room = self.play.room

    def born(self, plant: str, figure: float) -> None:
        signals = tuple(
            SignalBirth(
                id=number,
                name=name,
                unit="t",
                period_s=60.0,
                good=Direction.DOWN if figure > 50.0 else Direction.UP,
                capability=100.0,
                potentiality=120.0 if figure > 20.0 else None,
            )
            for number, name in enumerate(reversed(SIGNALS) if figure > 70.0 else SIGNALS)
        )
        birth = PlantBirth(plant=plant, title=plant.title(), signals=signals[: 1 if figure < 10.0 else 2])
        self.admit(birth)
        self.play.hear(PlantBorn(birth=birth, link="test"))

    def wholes_are_born(self, plant: str, figure: float) -> None:
        for birth in self.wholes.births():
            self.admit(birth)

    def heard(self, plant: str, figure: float) -> None:
        ids = tuple(self.bank.by_plant.get(plant, {}))
        if not ids:
            return
        self.seq += 1
        value = None if 30.0 < figure < 40.0 else figure - 20.0
        stamp = int(self.play.now * 1e6) + self.seq
        readings = tuple(Reading(one, value) for one in ids)
        told = Accepted(plant, 1, self.seq, stamp, stamp, TelexKind.LIVE, ids, readings)
        self.bank.judge((told,), self.play.now, self.numbers)

    def whole_is_told(self, plant: str, figure: float) -> None:
        self.heard("textiles", figure)

    def suspected(self, plant: str, figure: float) -> None:
        for signal in self.bank.by_plant.get(plant, {}).values():
            self.bank.lanes.named[signal.lane] = SUSPECTED if figure > 50.0 else 1

    def agreed(self, plant: str, figure: float) -> None:
        key, signals = f"{plant}/{SIGNALS[int(figure) % 2]}", self.play.room.signals
        if key in signals:
            capability = None if figure > 90.0 else figure
            agreement = msgspec.structs.replace(signals[key].agreement, capability=capability)
            signal = msgspec.structs.replace(signals[key], agreement=agreement)
            self.play.room = msgspec.structs.replace(self.play.room, signals=signals.set(key, signal))

    def alarmed(self, plant: str, figure: float) -> None:
        key = f"{plant}/{SIGNALS[int(figure) % 2]}"
        if key in self.play.room.signals:
            self.play.hear(verdict(key))

    def alarm_is_over(self, plant: str, figure: float) -> None:
        for name, alarm in self.play.room.alarms.items():
            if alarm.unit == plant:
                self.play.hear(Returned(alarm=name, at=self.play.now, value=60.0, readings=3))

    def silent(self, plant: str, figure: float) -> None:
        if plant in self.play.room.plants:
            self.play.hear(PlantSilent(plant=plant, since=self.play.now))

    def speaks(self, plant: str, figure: float) -> None:
        if plant in self.play.room.plants:
            self.play.hear(PlantSpeaks(plant=plant, at=self.play.now))

    def died(self, plant: str, figure: float) -> None:
        if plant in self.play.room.plants:
            self.play.hear(PlantDied(plant=plant, reason="test"))

    def stopped(self, plant: str, figure: float) -> None:
        if figure < 60.0:
            return
        unit = plant if figure < 80.0 and plant in self.play.room.tree.units else "metal" if figure < 95.0 else "works"
        end = self.play.now + 10.0 + figure
        self.play.ask(ask.PlanStop(unit=unit, start=self.play.now, end=end, reason="test"), OPERATOR)
        self.play.wait(0)

    def time_passes(self, plant: str, figure: float) -> None:
        self.play.wait(20.0 * figure)


STEPS = tuple(
    name for name, what in vars(Changing).items() if not name.startswith("_") and name not in ("admit", "step")
)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 5]))
def test_a_look_gives_the_rows_that_a_plain_walk_gives(seed: int, every: int) -> None:
    chance, changing, look = np.random.default_rng(seed), Changing(), Look()
    for number in range(60):
        plant = PLANTS[int(chance.integers(len(PLANTS)))]
        changing.step(STEPS[int(chance.integers(len(STEPS)))], plant, float(chance.choice(FIGURES)))
        if number % every:
            continue
        before, look = look, changing.scene.look(look)
        known = {row.id: row for row in before.rows()} if look.units is before.units else {}
        assert msgspec.json.encode(look.rows()) == msgspec.json.encode(tuple(plain(changing.scene)))
        for row in look.rows():
            assert row != known.get(row.id) or row is known[row.id], "what is as it was is not made anew"
