"""How a plant stands on the line, and who may keep that for it while its telexes simply follow one another. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from telex_ingest.plant import Plant


class Standing(NamedTuple):
    """What every telex of a plant moves on: the number awaited, the one stored for good, when it was heard, telexes, delay."""

    next: int
    durable: int
    heard_at: float
    telexes: int
    delay_us: int | None

    @classmethod
    def of(cls, plant: Plant) -> Standing:
        """What a plant keeps itself."""
        sequence = plant.sequence
        return cls(sequence.next, sequence.durable, plant.heard_at, plant.telexes, plant.delay_us)


class Keeper(Protocol):
    """Keeps how plants stand together, so that a telex of one is no look at that plant."""

    def part(self, plant: Plant) -> None:
        """Tell a plant, and whoever cannot be kept without it, how it stands; from now on it stands for itself."""
        ...

    def heard(self, place: int) -> float:
        """When the plant at a place was heard, on the room's clock."""
        ...

    def standing(self, place: int, own: Standing) -> Standing:
        """How the plant at a place stands, which for itself stands as it was when its keeper began."""
        ...
