"""What waits to be said to one link: bounded, coalesced, and what does not fit is counted. Pure."""

from __future__ import annotations

from telex_ingest.line import Limits, Tally
from telex_ingest.refusals import refusal
from telex_ingest.telex import Ack, FromRoom, Invitation, Notice, Order, Refusal, Welcome


class Outbox:
    """Says everything in one frame when the link is ready: one Ack a plant (the newest), one notice an alarm (the newest)."""

    __slots__ = (
        "_acks",
        "_invitations",
        "_limits",
        "_notices",
        "_orders",
        "_refusals",
        "_sheets",
        "_tally",
        "_unsaid",
        "_welcome",
    )

    def __init__(self, limits: Limits, tally: Tally) -> None:
        self._limits = limits
        self._tally = tally
        self._welcome: Welcome | None = None
        self._acks: dict[str, tuple[int, int]] = {}
        self._sheets: list[int] = []
        self._refusals: list[Refusal] = []
        self._orders: dict[tuple[str, bool], Order] = {}
        self._notices: dict[tuple[str, str], Notice] = {}
        self._invitations: dict[tuple[str, str], Invitation] = {}
        self._unsaid = 0

    def __bool__(self) -> bool:
        return bool(self._acks) or self._says_more

    @property
    def _says_more(self) -> bool:
        """Whether anything but acks waits."""
        return bool(
            self._sheets
            or self._refusals
            or self._orders
            or self._notices
            or self._invitations
            or self._welcome
            or self._unsaid
        )

    def welcome(self, welcome: Welcome) -> None:
        """Answer the hello."""
        self._welcome = welcome

    def ack(self, plant: str, epoch: int, seq: int) -> None:
        """Say how far a plant is durable; the furthest takes the place of the others, in whichever order they come."""
        self._acks[plant] = max((epoch, seq), self._acks.get(plant, (0, 0)))

    def acks(self, reached: dict[str, tuple[int, int]]) -> None:
        """Say the same of several plants at once, each at its (epoch, seq); the mapping is kept."""
        if not self._acks:
            self._acks = reached
            return
        for plant, (epoch, seq) in reached.items():
            self.ack(plant, epoch, seq)

    def sheet(self, number: int) -> None:
        """Say that a sheet is durable, every row of it."""
        self._sheets.append(number)

    def refuse(self, refused: Refusal) -> None:
        """Tell a refusal, or count it when too many wait."""
        if len(self._refusals) < self._limits.answers:
            self._refusals.append(refused)
        else:
            self.unsaid(1)

    def unsaid(self, count: int) -> None:
        """Count refusals that are not told one by one."""
        self._unsaid += count
        self._tally.dropped += count

    def order(self, order: Order) -> None:
        """Telex an order; the same order again takes its own place. When too many wait it is dropped: the room sends it again."""
        if len(self._orders) < self._limits.orders or (order.id, order.revoked) in self._orders:
            self._orders[order.id, order.revoked] = order
        else:
            self._tally.dropped += 1

    def notice(self, notice: Notice) -> None:
        """Telex a notice; the newest of an alarm takes the place of an older one that was not sent yet."""
        key = (notice.plant, notice.alarm)
        self._notices.pop(key, None)
        if len(self._notices) >= self._limits.answers:
            del self._notices[next(iter(self._notices))]
            self._tally.dropped += 1
        self._notices[key] = notice

    def invite(self, invitation: Invitation) -> None:
        """Telex an invitation; the newest to a motion takes the place of an older one that was not sent yet."""
        key = (invitation.plant, invitation.motion)
        if len(self._invitations) < self._limits.answers or key in self._invitations:
            self._invitations[key] = invitation
        else:
            self._tally.dropped += 1

    def take_acks(self) -> dict[str, tuple[int, int]] | None:
        """Take the acks where nothing else waits, the (epoch, seq) of each plant; None: take all of it, as one frame."""
        acks = self._acks
        if not acks or self._says_more:
            return None
        self._acks = {}
        return acks

    def take(self) -> FromRoom:
        """Take everything that waits, as one frame."""
        refusals = self._refusals
        if self._unsaid:
            refusals.append(refusal("more", f"{self._unsaid} more"))
        frame = FromRoom(
            welcome=self._welcome,
            acks=tuple([Ack(plant=plant, epoch=epoch, seq=seq) for plant, (epoch, seq) in self._acks.items()]),
            sheets=tuple(self._sheets),
            refusals=tuple(refusals),
            orders=tuple(self._orders.values()),
            notices=tuple(self._notices.values()),
            invitations=tuple(self._invitations.values()),
        )
        self._sheets = []
        self._welcome, self._acks, self._refusals, self._orders, self._notices = None, {}, [], {}, {}
        self._invitations, self._unsaid = {}, 0
        return frame
