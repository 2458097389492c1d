"""The rows of the council: motions, ballots, orders, effects, seats."""

from __future__ import annotations

from typing import Any

import msgspec

from opsroom.council.attribution import Attribution
from opsroom.views.view import View


class InvitedView(View, frozen=True, kw_only=True):
    """A plant that was invited to a motion: how many statements it made over the wire, and whether it has left the line."""

    plant: str
    plant_title: str
    stated: int = 0
    away: bool = False


class StatementView(View, frozen=True, kw_only=True):
    """Something that a seat, or a plant that is concerned (`plant`), said on a motion; `cites` is what it points at.

    `wire` marks the plant's own word, said over the wire.
    """

    seat: int
    occupant: str
    stance: str
    text: str
    at: float
    plant: str = ""
    plant_title: str = ""
    cites: tuple[str, ...] = ()
    wire: bool = False


class BallotView(View, frozen=True, kw_only=True):
    """One seat's ballot in a round: `choice` is sealed, named (then `options`, the preferred one first), abstain or lost.

    Sealed means that it was cast, not how; `cast_by` is another seat when a substitute voted; a `void` one does not count.
    """

    seat: int
    occupant: str
    choice: str
    reason: str
    at: float
    options: tuple[str, ...] = ()
    objections: tuple[str, ...] = ()
    round: int = 1
    cast_by: int = 0
    void: bool = False


class DissentView(View, frozen=True, kw_only=True):
    """Why a seat recused itself, or wanted something else than what was carried."""

    seat: int
    text: str
    occupant: str = ""


class AmendmentView(View, frozen=True, kw_only=True):
    """A proposed other wording of one option: `diff` compares word by word as `[same | gone | new, words]`.

    `state` is open, friendly, adopted, rejected or fell; `ayes` and `noes` are the seats that said so.
    """

    id: str
    seat: int
    occupant: str
    option: OptionView
    diff: tuple[tuple[str, str], ...]
    reason: str
    at: float
    state: str
    ayes: tuple[int, ...] = ()
    noes: tuple[int, ...] = ()


class TallyView(View, frozen=True, kw_only=True):
    """The count: votes that name the winner, others, seats that leave the denominator, quorum and what is needed to carry.

    `named` counts the votes that name each option. While the motion is open only `present` (how many seats have voted in the
    running round) and `quorum` are told.
    """

    yes: int = 0
    no: int = 0
    abstain: int = 0
    recused: int = 0
    quorum: int = 4
    present: int = 0
    needed: int = 1
    named: dict[str, int] = msgspec.field(default_factory=dict)


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


class TermsView(View, frozen=True, kw_only=True):
    """What an option would change in a plant's agreement: `about` is figures (of a `signal`), orders or sight.

    `diff` compares what was agreed with what would be, word by word as `[same | gone | new, words]`. Once the motion is carried
    `state` is waiting (for the plant, until `until`), accepted, refused, unanswered, superseded or void, with the `reason`.
    """

    about: str
    plant: str
    plant_title: str
    title: str
    diff: tuple[tuple[str, str], ...]
    signal: str = ""
    version: int = 0
    state: str = ""
    reason: str = ""
    until: float | None = None
    ended_at: float | None = None
    answered_by: str = ""
    agreed_version: int = 0


class OptionView(View, frozen=True, kw_only=True):
    """One option of a motion: `kind` is orders, agreement, time (for the unit, `extra_s` seconds) or nothing; `terms` are what it
    would propose to plants; `forecast` is plain JSON.

    `supersedes` are the ids of earlier orders that it would end, `replaces` what people call them. `expected` says in words what
    the option is expected to do, `record` how forecasts of its kind did before.
    """

    id: str
    kind: str
    title: str
    orders: tuple[OptionOrderView, ...] = ()
    extra_s: float = 0.0
    supersedes: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    terms: tuple[TermsView, ...] = ()
    forecast: dict[str, Any] | None = None
    expected: str = ""
    record: str = ""


class MotionView(View, frozen=True, kw_only=True):
    """One motion with its options, frozen evidence, statements, ballots, tally; `chosen` is the option that it carried.

    `state` is open, carried, lost, expired or withdrawn; while it is open `phase` is seconding, blind, opening, revision or
    counting, and `round_ends` when the running round ends. `ballots` are those of that round, then the last of each seat;
    `first` those of the first round once they are open. `counted` tells in sentences why a decided motion came out so.
    `review_at` is when the responsible seat is asked what became of it, gone once it is asked. `evidence` holds plain JSON:
    `readings` as `[at, value, low, high]`, `verdict` (words and probabilities), `level`, `slope`, `forecast` as
    `[at, mean, low, high]`.
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
    invited: tuple[InvitedView, ...] = ()
    mode: str = "majority"
    rounds: int = 1
    round: int = 1
    phase: str = "blind"
    round_ends: float | None = None
    seconded_by: int = 0
    responsible: int = 0
    ballots: tuple[BallotView, ...] = ()
    first: tuple[BallotView, ...] = ()
    recused: tuple[DissentView, ...] = ()
    amendments: tuple[AmendmentView, ...] = ()
    minority: tuple[DissentView, ...] = ()
    review_at: float | None = None
    review: str = ""
    tally: TallyView = TallyView()
    counted: tuple[str, ...] = ()
    closed_at: float | None = None
    closed_reason: str = ""
    last_call: bool = False
    chosen: str = ""
    also: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
    evidence: dict[str, Any] = msgspec.field(default_factory=dict)


class OrderView(View, frozen=True, kw_only=True):
    """One order with its reason: unconfirmed, held, issued, accepted, refused, done, revoked, superseded or expired.

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
    """One of the seven seats: who occupies it and whether somebody is logged in there.

    `substitute` is the seat that votes in its place; `hand` is hold or release while that waits for a second seat.
    """

    seat: int
    occupant: str
    present: bool = False
    substitute: int = 0
    hand: str = ""
    hand_until: float | None = None
