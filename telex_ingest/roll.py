"""The roll of a room's plants: who is on it, which link speaks for whom, and why another may not. Pure.

A plant comes onto the roll with its first birth, or when the room takes up where its store ends; it stays for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from msgspec.structs import replace

from telex_ingest.birth import mistakes
from telex_ingest.desk import Desk, Link
from telex_ingest.heard import GapClosed, Heard, PlantBorn
from telex_ingest.legible import legible_birth
from telex_ingest.line import PlantLine
from telex_ingest.plant import Plant
from telex_ingest.states import PLANT, LinkEvent, LinkState, PlantEvent, PlantState
from telex_ingest.telex import FromPlant, PlantBirth


class Lines(Mapping[str, PlantLine]):
    """How each plant stands on the line, told when it is asked for: a room has many plants, and a page shows few."""

    def __init__(self, plants: Mapping[str, Plant]) -> None:
        self._plants = plants

    def __getitem__(self, name: str) -> PlantLine:
        return self._plants[name].line()

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._plants))

    def __len__(self) -> int:
        return len(self._plants)


class Roll:
    """Every plant that a room has heard of, by name."""

    def __init__(self, desk: Desk, inner: Callable[[str], bool]) -> None:
        self.desk = desk
        self.inner = inner
        self.plants: dict[str, Plant] = {}

    def lines(self) -> Lines:
        """How each plant stands on the line."""
        return Lines(self.plants)

    def oldest(self) -> float | None:
        """When that plant was heard, of those with a link, that was not heard for longest."""
        step = self.desk.step
        others = [
            one.heard_at if one.keeper is None else one.keeper.heard(one.place)
            for one in self.plants.values()
            if one.keeper is not step and one.speaker is not None
        ]
        oldest = min(others, default=step.oldest)
        return None if oldest == float("inf") else min(oldest, step.oldest)

    def speaker(self, name: str) -> Link | None:
        """The link that speaks for a plant now, if one does."""
        plant = self.plants.get(name)
        return None if plant is None else plant.speaker

    def restore(
        self,
        durable: Mapping[str, tuple[int, int]],
        births: Iterable[PlantBirth],
        now: float,
        gaps: Iterable[GapClosed] = (),
    ) -> None:
        """Take up where the store ends. Plants with a birth are awaited: they are silent if they do not come.

        Numbers that were given up stay given up: `gaps` come by plant, epoch and number.
        """
        for name, (epoch, seq) in durable.items():
            self.plants[name] = Plant(name, epoch, seq, self.desk, now)
        for gap in gaps:
            plant = self.plants.get(gap.plant)
            if plant is None or plant.sequence.epoch < gap.epoch:
                plant = self.plants[gap.plant] = Plant(gap.plant, gap.epoch, 0, self.desk, now)
            if plant.sequence.epoch == gap.epoch:
                plant.sequence.closed_before((gap.first, gap.last))
        for birth in births:
            plant = self.plants.get(birth.plant)
            if plant is None:
                plant = self.plants[birth.plant] = Plant(birth.plant, birth.epoch, 0, self.desk, now)
            plant.describe(birth)
            plant.state = PlantState.BORN

    def be_born(self, link: Link, birth: PlantBirth, now: float, heard: list[Heard]) -> None:
        """Take a birth: the plant comes onto the roll, and from now on this link speaks for it; or refuse it."""
        name = birth.plant
        if link.state is LinkState.OPENED:
            link.early += 1
            self.desk.refuse(link, now, "hello-first", f"a birth of {name} before the hello", name)
            return
        if not link.may_speak_for(name):
            self.desk.refuse(link, now, "not-yours", f"link {link.name} may not speak for {name}", name)
            return
        wrong = mistakes(birth)
        if wrong:
            self.desk.refuse(link, now, "bad-birth", "; ".join(wrong[:5]), name)
            return
        if personal := [signal.name for signal in birth.signals if signal.personal]:
            reason = f"{name} declares {', '.join(personal[:5])} as personal: people are never signals"
            self.desk.refuse(link, now, "personal-signal", reason, name)
            return
        if self.inner(name):
            reason = f"{name} is a unit with units below it, and a plant is a leaf"
            self.desk.refuse(link, now, "not-a-leaf", reason, name)
            return
        birth = legible_birth(birth)
        plant = self.plants.get(name)
        if plant is not None:
            plant.apart()
        else:
            limits = self.desk.limits
            if len(self.plants) >= limits.plants or len(link.plants) >= limits.plants_per_link:
                self.desk.refuse(link, now, "too-many-plants", f"{len(self.plants)} plants are on the line", name)
                return
            plant = self.plants[name] = Plant(name, birth.epoch, 0, self.desk, now)
        if birth.epoch < plant.sequence.epoch:
            self.other_epoch(link, plant, birth.epoch, None, now)
            return
        if birth.epoch == plant.sequence.epoch:
            reused = [signal.id for signal in birth.signals if plant.ids.get(signal.id, signal.name) != signal.name]
            if reused:
                self.desk.refuse(link, now, "id-reused", f"ids {reused[:5]} of {name} meant other signals", name)
                return
        else:
            plant.begin(birth.epoch, now, heard)
        changed = plant.birth != birth
        if changed:
            before = plant.birth
            if before is not None and replace(before, epoch=birth.epoch) != birth:
                self.desk.tally.changed_births += 1
            plant.describe(birth)
        plant.births += 1
        link.births += 1
        self.desk.tally.births += 1
        self._hand_over(plant, link, now)
        link.forget_rosters()
        if plant.state in (PlantState.UNBORN, PlantState.DEAD):
            plant.heard_at = now
        following = PLANT[plant.state, PlantEvent.BIRTH]
        if isinstance(following, PlantState):
            plant.state = following
        heard.append(PlantBorn(link.name, birth, now, changed, link.number))

    def _hand_over(self, plant: Plant, link: Link, now: float) -> None:
        """Two links that claim one plant: the newest authorised birth wins, the other link is told."""
        before = plant.speaker
        if before is not link:
            if before is not None:
                del before.plants[plant.name]
                before.forget_rosters()
                if not before.plants:
                    before.happens(LinkEvent.LOSS)
                self.desk.refuse(before, now, "superseded", f"link {link.name} speaks for it now", plant.name)
            plant.speaker, plant.wire = link, link.number
            link.plants[plant.name] = plant
            if plant.gap_since is not None:
                plant.gap_since, plant.asked_at = now, None
        link.happens(LinkEvent.BIRTH)

    def speaking(
        self, link: Link, name: str, now: float, epoch: int | None = None, seq: int | None = None
    ) -> Plant | None:
        """The plant, if this link speaks for it; else it is refused with the reason why not."""
        plant = link.plants.get(name)
        if plant is not None:
            return plant
        known = self.plants.get(name)
        if not link.may_speak_for(name):
            self.desk.refuse(link, now, "not-yours", f"link {link.name} may not speak for {name}", name, epoch, seq)
        elif known is not None and known.speaker is not None:
            reason = f"link {known.speaker.name} speaks for it now"
            self.desk.refuse(link, now, "superseded", reason, name, epoch, seq)
        else:
            self.desk.refuse(link, now, "unborn", f"{name} has no birth on this link", name, epoch, seq)
        return None

    def not_speaking(self, link: Link, frame: FromPlant, code: str, now: float) -> None:
        """Refuse a frame of a link that speaks for no plant; `code` is what its state says to it."""
        if code == "unborn" and frame.telexes:
            telex = frame.telexes[0]
            self.speaking(link, telex.plant, now, telex.epoch, telex.seq)
        else:
            self.desk.refuse(link, now, code, "nothing of this frame was taken")

    def other_epoch(self, link: Link, plant: Plant, epoch: int, seq: int | None, now: float) -> None:
        """Refuse a telex or a birth of an epoch that is over, or one that has no birth yet."""
        current = plant.sequence
        if epoch < current.epoch:
            reason = f"epoch {epoch} of {plant.name} is over, the room is in {current.epoch} at {current.durable}"
            self.desk.refuse(link, now, "old-epoch", reason, plant.name, current.epoch, seq)
        else:
            self.desk.refuse(link, now, "unborn", f"epoch {epoch} of {plant.name} has no birth", plant.name, epoch, seq)
