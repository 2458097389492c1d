"""A motion, its statements, ballots and amendments, a substitute, and an order: the council's things in the room. Pure."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from immutables import Map

from opsroom.alarms.deadlines import Due
from opsroom.commands.council import Citation
from opsroom.council.counting import Vote
from opsroom.council.options import Option, OptionOrder
from opsroom.recursion.recursion import Mode
from opsroom.room.events import (
    Dissent,
    EffectAttributed,
    EffectMeasured,
    Exhibit,
    ForecastScored,
    MotionClosed,
    Outlook,
)
from opsroom.room.news import Evidence
from opsroom.room.thing import Thing


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a seat, or a plant that is concerned, said on a motion; over the `wire`, by the plant itself."""

    seat: int
    occupant: str
    stance: str
    text: str
    at: float
    plant: str = ""
    cites: tuple[Citation, ...] = ()
    wire: bool = False


class Ballot(msgspec.Struct, frozen=True, kw_only=True):
    """One seat's ballot: while it is sealed a `commitment` alone, afterwards the `vote`; a `void` one does not count.

    `cast_by` is the seat that voted, another one for a substitute.
    """

    seat: int
    occupant: str
    at: float
    cast_by: int
    round: int = 1
    commitment: str = ""
    vote: Vote | None = None
    void: bool = False


class Amendment(msgspec.Struct, frozen=True, kw_only=True):
    """A proposed other wording of one option; `state` is open, friendly, adopted, rejected or fell."""

    id: str
    seat: int
    occupant: str
    before: Option
    option: Option
    reason: str
    at: float
    ayes: tuple[int, ...] = ()
    noes: tuple[int, ...] = ()
    state: Literal["open", "friendly", "adopted", "rejected", "fell"] = "open"


class Motion(Thing, frozen=True, kw_only=True):
    """A motion with its frozen evidence; `state` is open, carried, lost, expired or withdrawn.

    While it is open `phase` says where its deliberation stands (`deliberation.LIFE`). `ballots` are those of the running round,
    `first` the opened ones of the first; `mode` is empty for a motion of an older journal, counted by majority.
    """

    alarm: str
    signal: str
    title: str
    options: tuple[Option, ...]
    seat: int
    occupant: str
    opened_at: float
    deadline: float
    quorum: int
    evidence: Evidence | None
    also: tuple[Exhibit, ...] = ()
    mode: Mode = "majority"
    rounds: int = 1
    responsible: int = 0
    state: Literal["open", "carried", "lost", "expired", "withdrawn"] = "open"
    phase: Literal["seconding", "blind", "opening", "revision", "counting", "closed"] = "blind"
    seconded_by: int = 0
    round: int = 1
    round_ends: float | None = None
    statements: tuple[Statement, ...] = ()
    amendments: tuple[Amendment, ...] = ()
    recused: Map[int, str] = Map()
    ballots: Map[int, Ballot] = Map()
    first: Map[int, Ballot] = Map()
    last_call: bool = False
    closed_at: float | None = None
    closed_reason: str = ""
    chosen: str = ""
    closing: MotionClosed | None = None
    minority: tuple[Dissent, ...] = ()
    orders: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    review_at: float | None = None
    review: Statement | None = None

    @property
    def alarms(self) -> tuple[str, ...]:
        """The alarms that it answers, the one that it was opened on first; none where it is about an agreement alone."""
        return (*((self.alarm,) if self.alarm else ()), *(exhibit.alarm for exhibit in self.also))

    @property
    def plants(self) -> tuple[str, ...]:
        """The plants that one of its options would order or propose something, each once."""
        return tuple(dict.fromkeys(plant for option in self.options for plant in option.plants))

    def option(self, name: str) -> Option | None:
        """The option of an id."""
        return next((option for option in self.options if option.id == name), None)

    def clocks(self) -> tuple[Due, ...]:
        """When nobody has seconded it, when a round ends, when its outcome is reviewed; opening ballots waits for no clock."""
        if self.phase == "seconding":
            return (Due(self.deadline, "close-motion", self.id),)
        if self.phase in ("blind", "revision"):
            return (Due(self.deadline if self.round_ends is None else self.round_ends, "end-round", self.id),)
        return (Due(self.review_at, "review-motion", self.id),) if self.review_at is not None else ()

    def over(self) -> bool:
        """Decided, one way or another, and nothing left to look at again."""
        return self.state != "open" and self.review_at is None


class Substitute(msgspec.Struct, frozen=True, kw_only=True):
    """The seat that votes in another's place until a moment."""

    seat: int
    until: float
    reason: str = ""


LOOKS = (1 / 16, 1 / 8, 1 / 4, 3 / 8, 1 / 2, 5 / 8, 3 / 4, 7 / 8)
"""When an order's effect is looked at between its being taken and its review, in parts of that time."""

OrderState = Literal["unconfirmed", "held", "issued", "accepted", "refused", "done", "revoked", "superseded", "expired"]


class OrderRecord(Thing, frozen=True, kw_only=True):
    """An order and where its life stands (`order.LIFE`); `recalled` says that the plant is to be told not to act on it.

    `asked` is what was voted on, as the plant had declared it; `noted` is the last receipt that came out of turn; `effect`
    and `attribution` are what it did, looked at `looks` times since the plant took it at `taken_at`; `ending` is how it ended.
    `guarded` says that it was issued to wait for a second seat's word, `confirmed_by` which seat gave it.
    """

    motion: str
    plant: str
    name: str
    parameters: dict[str, Any]
    issued_at: float
    not_before: float
    expires: float
    state: OrderState
    outlook: Outlook | None
    reason: str = ""
    changed_at: float | None = None
    recalled: bool = False
    noted: str = ""
    review_at: float | None = None
    asked: OptionOrder | None = None
    effect: EffectMeasured | None = None
    attribution: EffectAttributed | None = None
    taken_at: float | None = None
    looks: int = 0
    ending: str = ""
    ending_reason: str = ""
    guarded: bool = False
    confirmed_by: int = 0

    @property
    def kept_back(self) -> bool:
        """Whether it waited for a second seat's word and nobody gave it, so that it has never left the room."""
        return self.guarded and not self.confirmed_by

    def clocks(self) -> tuple[Due, ...]:
        """Expire, while no plant has taken it; be looked at and reviewed, once one has."""
        if self.state in ("unconfirmed", "held", "issued"):
            return (Due(self.expires, "expire-order", self.id),)
        if self.review_at is None:
            return ()
        look = self.look_at(self.looks)
        reviewed = Due(self.review_at, "review", self.id)
        return (reviewed,) if look is None else (Due(look, "look", self.id), reviewed)

    def look_at(self, place: int) -> float | None:
        """When the effect is looked at for the so manieth time before the review; `None` when there is no such look."""
        if self.taken_at is None or self.review_at is None or place >= len(LOOKS):
            return None
        return self.taken_at + LOOKS[place] * (self.review_at - self.taken_at)

    def over(self) -> bool:
        """Taken by a plant or ended, and nothing left to measure."""
        return self.state not in ("unconfirmed", "held", "issued") and self.review_at is None


class Foretold(Thing, frozen=True, kw_only=True):
    """A forecast that waits for `due_at`: a guess as (mean, variance, excess kurtosis); `orders` when it hangs on any."""

    motion: str
    option: str
    kind: str
    signal: str
    made_at: float
    due_at: float
    guess: tuple[float, float, float]
    orders: tuple[str, ...] = ()
    scored: ForecastScored | None = None

    def clocks(self) -> tuple[Due, ...]:
        """Be scored."""
        return (Due(self.due_at, "score", self.id),) if self.scored is None else ()

    def over(self) -> bool:
        """Scored, or found void."""
        return self.scored is not None
