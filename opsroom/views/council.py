"""The rows of the council: motions, ballots, orders, effects, seats."""

from __future__ import annotations

from typing import Any

import msgspec

from opsroom.council.attribution import Attribution
from opsroom.views.view import View


class StatementView(View, frozen=True, kw_only=True):
    """Something a seat said on a motion."""

    seat: int
    occupant: str
    stance: str
    text: str
    at: float


class BallotView(View, frozen=True, kw_only=True):
    """One seat's ballot with its reason.

    While the motion is open, another seat's ballot stands with the choice `sealed` and no reason: that it was cast, not how.
    """

    seat: int
    occupant: str
    choice: str
    reason: str
    at: float


class TallyView(View, frozen=True, kw_only=True):
    """The count: votes, seats that leave the denominator, quorum and what is needed to carry.

    While the motion is open only `present` (how many seats have voted) and `quorum` are told.
    """

    yes: int = 0
    no: int = 0
    abstain: int = 0
    recused: int = 0
    quorum: int = 4
    present: int = 0
    needed: int = 1


class AttributionView(View, frozen=True, kw_only=True):
    """Whether the order may be called the cause: `said` is the sentence for people, `told` what it was reckoned from."""

    said: str
    told: Attribution


class EffectView(View, frozen=True, kw_only=True):
    """What an order did, as the filter saw it: before, after, and what it had forecast without the order."""

    signal: str
    before: float | None = None
    after: float | None = None
    expected_without: float | None = None
    expected_low: float | None = None
    expected_high: float | None = None
    change: float | None = None
    recovered_at: float | None = None
    measured_at: float | None = None
    final: bool = False
    attribution: AttributionView | None = None


class OptionOrderView(View, frozen=True, kw_only=True):
    """One order of an option, as the plant declared it when the motion was opened."""

    plant: str
    plant_title: str
    name: str
    title: str
    parameters: dict[str, Any]
    danger: str = "none"
    effects: tuple[dict[str, Any], ...] = ()


class OptionView(View, frozen=True, kw_only=True):
    """One option of a motion: `kind` is orders, time (for the unit, `extra_s` seconds) or nothing; `forecast` is plain JSON.

    `expected` says in words what the option is expected to do, `record` how forecasts of its kind did before.
    """

    id: str
    kind: str
    title: str
    orders: tuple[OptionOrderView, ...] = ()
    extra_s: float = 0.0
    supersedes: tuple[str, ...] = ()
    forecast: dict[str, Any] | None = None
    expected: str = ""
    record: str = ""


class MotionView(View, frozen=True, kw_only=True):
    """One motion with its options, frozen evidence, statements, ballots, tally; `chosen` is the option that it carried.

    `state` is open, carried, lost, expired or withdrawn. `evidence` holds plain JSON: `readings` as
    `[at, value, low, high]`, `verdict` (words and probabilities), `level`, `slope`, `forecast` as `[at, mean, low, high]`.
    """

    id: str
    title: str
    alarm: str
    signal: str
    options: tuple[OptionView, ...]
    opened_by: int
    opened_at: float
    deadline: float
    state: str
    statements: tuple[StatementView, ...] = ()
    ballots: tuple[BallotView, ...] = ()
    tally: TallyView = TallyView()
    closed_at: float | None = None
    closed_reason: str = ""
    last_call: bool = False
    chosen: str = ""
    also: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
    evidence: dict[str, Any] = msgspec.field(default_factory=dict)


class OrderView(View, frozen=True, kw_only=True):
    """One order: `state` is held, issued, accepted, refused, done, revoked or expired, with the plant's reason.

    `ending` is how it ended as the filter saw it: obeyed, refused, ignored, reversed, cannot-tell, revoked, unanswered.
    """

    id: str
    motion: str
    plant: str
    name: str
    title: str
    parameters: dict[str, Any]
    state: str
    issued_at: float
    expires_at: float
    reason: str = ""
    changed_at: float | None = None
    effect: EffectView | None = None
    ending: str = ""
    ending_reason: str = ""


class OrderChoice(View, frozen=True, kw_only=True):
    """An order that a plant declared, so that a seat can only propose what a plant said it can do."""

    plant: str
    name: str
    title: str
    parameters: dict[str, Any]
    danger: str
    effects: tuple[dict[str, Any], ...] = ()


class SeatView(View, frozen=True, kw_only=True):
    """One of the seven seats: who occupies it and whether somebody is logged in there."""

    seat: int
    occupant: str
    present: bool = False
