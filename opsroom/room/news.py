"""What the room hears: verdicts, silence, births, receipts, calls, the recovery watch, the clock. `decide` takes them one by one.

News is handed in by the loop and is not stored; what the room makes of it (`events`) is. Times are epoch seconds UTC; `at` of a
verdict is source time, everything that runs a clock uses the `now` that is handed to `decide`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from opsroom.council.attribution import Attribution
from opsroom.recursion.recursion import Charter
from telex_ingest.telex import PlantBirth, ReceiptState


class News(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The root of everything that the room hears."""


class VerdictNews(News, frozen=True, kw_only=True, tag="verdict"):
    """An announced verdict on one signal ("plant/name"), in the signal's unit.

    `named` is suspected, transient, step or slope (or a word that the filter learns later); `since` is the source time of
    the onset, `suspected_at` that of the first suspicion of this event, if there was one. `p_now` is the probability of
    steady, transient, step, slope at `at`; `probability` that of the named thing. `normal_low..normal_high` is the interval
    frozen from the reference *before* the onset. `speed` is by how much a slope has moved a reading since its onset; `slope` is
    the filter's own figure, which follows slowly. `backfill` marks history: it never opens an alarm.
    """

    signal: str
    at: float
    named: str
    since: float
    probability: float
    direction: Literal["up", "down", ""] = ""
    p_now: tuple[float, float, float, float] | None = None
    suspected_at: float | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    level: float | None = None
    level_sd: float | None = None
    slope: float | None = None
    slope_sd: float | None = None
    speed: float | None = None
    size: float | None = None
    size_low: float | None = None
    size_high: float | None = None
    normal_low: float | None = None
    normal_high: float | None = None
    sentence: str = ""
    backfill: bool = False


class EffectReckoned(News, frozen=True, kw_only=True, tag="effect-reckoned"):
    """What an order did against what would have come without it, reckoned beside the loop (see `events.EffectAttributed`)."""

    motion: str
    order: str
    signal: str
    told: Attribution
    until: float = 0.0
    final: bool = False


class SealedBallot(msgspec.Struct, frozen=True, kw_only=True):
    """What a ballot box holds of one ballot: its commitment, and the salt and text that open it."""

    commitment: str
    salt: bytes
    said: str

    def __repr__(self) -> str:
        return f"SealedBallot({self.commitment[:8]}, sealed)"


class BallotsFound(News, frozen=True, kw_only=True, tag="ballots-found"):
    """The ballots of a round that is over were taken out of the box; those that are not here cannot be opened."""

    motion: str
    round: int
    ballots: tuple[SealedBallot, ...] = ()


class PlantSilent(News, frozen=True, kw_only=True, tag="plant-silent"):
    """A plant has not spoken for longer than its periods allow: `since` when, and what came `last`, both received times."""

    plant: str
    since: float
    last: float | None = None


class PlantSpeaks(News, frozen=True, kw_only=True, tag="plant-speaks"):
    """A silent plant speaks again."""

    plant: str
    at: float


class PlantBorn(News, frozen=True, kw_only=True, tag="plant-born"):
    """A link declared a plant: its signals and the orders that it accepts."""

    birth: PlantBirth
    link: str = ""

    @property
    def plant(self) -> str:
        """Whose birth it is, and who is told when it is refused."""
        return self.birth.plant


class PlantDied(News, frozen=True, kw_only=True, tag="plant-died"):
    """A plant said farewell: it stops talking by intention."""

    plant: str
    reason: str = ""


class ReceiptCame(News, frozen=True, kw_only=True, tag="receipt"):
    """A plant answered an order; `at` is the plant's own time."""

    order: str
    plant: str
    state: ReceiptState
    at: float
    reason: str = ""


class CallCame(News, frozen=True, kw_only=True, tag="call"):
    """A plant's own people spoke over the wire: about their alarm, or in answer to what the room asked (`alarm` is its id)."""

    plant: str
    alarm: str
    call: Literal["acknowledge", "early", "accept", "refuse"]
    reason: str = ""


class StatementCame(News, frozen=True, kw_only=True, tag="statement"):
    """A plant stated over the wire what it knows on a motion."""

    plant: str
    motion: str
    text: str
    stance: Literal["for", "against", "question", "answer"] = "answer"


class Returned(News, frozen=True, kw_only=True, tag="returned"):
    """The recovery watch saw a signal back inside its interval for `readings` readings in a row; `at` is source time."""

    alarm: str
    at: float
    value: float
    readings: int


class LeftAgain(News, frozen=True, kw_only=True, tag="left-again"):
    """The recovery watch saw a recovered signal leave its interval again."""

    alarm: str
    at: float
    value: float


class NoticeTaken(News, frozen=True, kw_only=True, tag="notice-taken"):
    """A channel took a notice of a turn, or did not: then `reason` says why."""

    notice: str
    turn: int
    channel: str
    reason: str = ""
    attempts: int = 1


class LogProven(News, frozen=True, kw_only=True, tag="log-proven"):
    """The room has signed an entry of the shift log with its journal key."""

    entry: str
    key: str
    signature: str


class CharterRead(News, frozen=True, kw_only=True, tag="charter-read"):
    """The room's file was read at start: the tree, rules and seats follow it, agreements already in the journal do not."""

    charter: Charter


class Tick(News, frozen=True, kw_only=True, tag="tick"):
    """The clock moved on: whatever has run out by `at` happens."""

    at: float


AnyNews = (
    VerdictNews
    | PlantSilent
    | PlantSpeaks
    | PlantBorn
    | PlantDied
    | ReceiptCame
    | EffectReckoned
    | BallotsFound
    | CallCame
    | StatementCame
    | Returned
    | LeftAgain
    | NoticeTaken
    | LogProven
    | CharterRead
    | Tick
)


class Evidence(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the filter knows of one signal at a moment; a motion freezes it, an order freezes its forecast as the outlook.

    `readings` holds `(source time, value or None, low, high)`, oldest first; `forecast` `(time, mean, low, high)` for the
    next readings without any order, both at 90 %. `ahead` holds the same forecast far ahead as `(time, mean, scale)` of Student t
    distributions with `dof` degrees of freedom. `verdict` and `belief` are plain JSON (words, probabilities, moments).
    """

    signal: str
    at: float
    uom: str = ""
    readings: tuple[tuple[float, float | None, float | None, float | None], ...] = ()
    verdict: dict[str, Any] = {}
    level: float | None = None
    level_sd: float | None = None
    slope: float | None = None
    slope_sd: float | None = None
    belief: dict[str, Any] = {}
    forecast: tuple[tuple[float, float, float, float], ...] = ()
    ahead: tuple[tuple[float, float, float], ...] = ()
    dof: float | None = None
    software: str = ""


Sight = Callable[[str], Evidence | None]
"""A read-only look at the filter: evidence of one signal ("plant/name") now, or `None` when nothing is known."""


def blind(signal: str) -> Evidence | None:
    """See nothing: a `Sight` for rooms and tests without a filter."""
    return None
