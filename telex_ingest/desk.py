"""The desk at which links are received: each link's state and outbox, the counters, and the one place that refuses. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telex_ingest.latest import Latest
from telex_ingest.line import Attempt, Limits, LinkLine, Tally
from telex_ingest.lockstep import Lockstep
from telex_ingest.outbox import Outbox
from telex_ingest.refusals import refusal
from telex_ingest.states import LINK, LinkEvent, LinkState
from telex_ingest.telex import Refusal

if TYPE_CHECKING:
    from telex_ingest.plant import Plant
    from telex_ingest.roster import Roster

ATTEMPTS = 50
"""Refusals that are kept for operators to see, of each link its share."""


class Link:
    """One websocket of a link: its state, the plants it may and does speak for, what waits to be said to it."""

    __slots__ = (
        "allowed", "asked", "births", "bytes", "early", "frames", "heard_at", "name", "number", "outbox", "plants",
        "refused", "rosters", "since", "state", "telexes",
    )  # fmt: skip

    def __init__(self, number: int, outbox: Outbox, now: float = 0.0) -> None:
        self.number = number
        self.since = self.heard_at = now
        self.frames = self.bytes = self.telexes = self.births = 0
        self.refused: dict[str, int] = {}
        self.name = ""
        self.state = LinkState.OPENED
        self.allowed: frozenset[str] = frozenset()
        self.plants: dict[str, Plant] = {}
        self.rosters: dict[tuple[tuple[str, ...], tuple[int, ...]], Roster] = {}
        """The sheets that this link has sent: what is known of their plants together; forgotten at every birth."""
        self.asked: tuple[str, ...] | None = None
        """Plants whose resume points the next welcome tells; None when no welcome is due."""
        self.early = 0
        """Frames before the hello."""
        self.outbox = outbox

    def may_speak_for(self, plant: str) -> bool:
        """Tell whether the link's token is bound to the plant."""
        return plant in self.allowed or "*" in self.allowed

    def heard(self, size: int, now: float, frames: int = 1) -> None:
        """Count a frame of so many bytes, or several."""
        self.frames += frames
        self.bytes += size
        self.heard_at = now

    def apart(self) -> None:
        """Each plant stands for itself again."""
        for roster in self.rosters.values():
            roster.part()

    def forget_rosters(self) -> None:
        """The plants of the link, or what they declare, have changed: nothing is known of them together any more."""
        self.apart()
        self.rosters.clear()

    def line(self) -> LinkLine:
        """Tell how the link stands."""
        return LinkLine(
            link=self.name,
            number=self.number,
            state=self.state.value,
            plants=len(self.plants),
            since=self.since,
            heard_at=self.heard_at,
            frames=self.frames,
            bytes=self.bytes,
            telexes=self.telexes,
            births=self.births,
            refused=dict(self.refused),
        )

    def happens(self, event: LinkEvent) -> str | None:
        """Go to the next state, or give the code of the refusal."""
        following = LINK[self.state, event]
        if not isinstance(following, LinkState):
            return following
        self.state = following
        return None


class Desk:
    """Limits, counters, refusals, and which links have something to be sent."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.tally = Tally()
        self.attempts = Latest(ATTEMPTS)
        self.ready: dict[int, Link] = {}
        self.step = Lockstep()
        self.skew_us = int(limits.skew_s * 1e6)
        self.future_us = int(limits.future_s * 1e6)

    def receive(self, number: int, now: float = 0.0) -> Link:
        """Give a new link its outbox."""
        return Link(number, Outbox(self.limits, self.tally), now)

    def refuse(
        self,
        link: Link | None,
        now: float,
        code: str,
        reason: str,
        plant: str = "",
        epoch: int | None = None,
        seq: int | None = None,
    ) -> None:
        """Refuse something: count it, show it to operators, tell the link if there is one."""
        self.tell(link, refusal(code, reason, plant=plant, epoch=epoch, seq=seq), now)

    def tell(self, link: Link | None, refused: Refusal, now: float) -> None:
        """Tell a refusal that is already composed."""
        self.count(refused.code, 1)
        name = "" if link is None else link.name
        stranger = link is None or link.state not in (LinkState.GREETED, LinkState.SPEAKING)
        self.attempts.append(Attempt(now, name, refused.code, refused.plant, refused.reason, stranger))
        if link is not None:
            link.refused[refused.code] = link.refused.get(refused.code, 0) + 1
            plant = link.plants.get(refused.plant)
            if plant is not None:
                plant.refused[refused.code] = plant.refused.get(refused.code, 0) + 1
            link.outbox.refuse(refused)
            self.ready[link.number] = link

    def count(self, code: str, number: int) -> None:
        """Count refusals of a code."""
        if number:
            self.tally.refused[code] = self.tally.refused.get(code, 0) + number

    def ack(self, link: Link, plant: str, epoch: int, seq: int) -> None:
        """Say to a link how far a plant is durable."""
        link.outbox.ack(plant, epoch, seq)
        self.ready[link.number] = link
