"""What leaves the room towards the plants: orders, once a connection and again after each birth; notices; refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from opsroom.alarms.algedonic import notices
from opsroom.council.invitations import invitations
from opsroom.council.order import pending
from opsroom.recursion.wire_answers import asked
from opsroom.room.events import AnyEvent
from opsroom.room.refusal import Refused, RoomError
from opsroom.room.room import Room
from telex_ingest.canonical import CanonicalError
from telex_ingest.telex import Invitation, Notice, Order, Refusal


class Wire(Protocol):
    """The part of the gateway that sends."""

    def send(
        self,
        plant: str,
        orders: Iterable[Order] = (),
        notices: Iterable[Notice] = (),
        invitations: Iterable[Invitation] = (),
    ) -> bool:
        """Telex to the link that speaks for a plant; False when none does."""
        ...

    def refuse(self, plant: str, refusal: Refusal) -> bool:
        """Telex a refusal to the link that speaks for a plant."""
        ...


class Outgoing:
    """Sends what is pending, orders with the room's proof, and remembers what each plant has been sent since it connected.

    A plant ignores an order that it has seen (by its id), so sending twice after a reconnect is safe, and never sending is not.
    """

    def __init__(
        self,
        wire: Wire,
        sign: Callable[[Order], Order],
        log: Any = None,
        invite: Callable[[Invitation], Invitation] = lambda invitation: invitation,
    ) -> None:
        self.wire, self.sign, self.log, self.invite = wire, sign, log, invite
        self._unsigned: set[str] = set()
        self._sent: dict[str, set[tuple[str, bool]]] = {}
        self._fresh: set[str] = set()
        """Plants that have connected and were not yet told what waits for their answer."""
        self._waiting = True
        """Whether something may be pending that has not been sent."""

    def connected(self, plants: Iterable[str]) -> None:
        """Plants were born on a new connection: what is pending for them goes out again."""
        for plant in plants:
            self._sent.pop(plant, None)
            self._fresh.add(plant)
            self._waiting = True

    def send(self, room: Room, events: Sequence[AnyEvent], now: float) -> None:
        """Send the notices of a tick's events, and every pending order that its plant has not been sent."""
        by_plant: dict[str, list[Notice]] = {}
        told = (*notices(room, events), *asked(room, events, self._fresh)) if events or self._fresh else ()
        called = invitations(room, events, self._fresh) if events or self._fresh else ()
        self._fresh.clear()
        self._invite(called)
        for notice in told:
            by_plant.setdefault(notice.plant, []).append(notice)
        for plant, mine in by_plant.items():
            self.wire.send(plant, notices=mine)
        if not events and not self._waiting:
            return
        self._waiting = False
        for order in pending(room, now):
            sent = self._sent.setdefault(order.plant, set())
            if (order.id, order.revoked) in sent:
                continue
            proven = self._proven(order)
            if proven is not None and self.wire.send(order.plant, orders=(proven,)):
                sent.add((order.id, order.revoked))

    def _invite(self, called: Iterable[Invitation]) -> None:
        """Invite plants to motions; while the room cannot sign nobody is invited, and each is again at its next birth."""
        for invitation in called:
            try:
                self.wire.send(invitation.plant, invitations=(self.invite(invitation),))
            except (RoomError, CanonicalError) as error:
                if self.log is not None:
                    self.log.error(
                        "an invitation cannot be signed and is not sent", motion=invitation.motion, why=str(error)
                    )

    def _proven(self, order: Order) -> Order | None:
        """The order with its proof; None, told once in the log and tried again, while the room cannot sign."""
        try:
            return self.sign(order)
        except (RoomError, CanonicalError) as error:
            self._waiting = True
            if order.id not in self._unsigned and self.log is not None:
                self.log.error("an order cannot be signed and is not sent", order=order.id, why=str(error))
            self._unsigned.add(order.id)
            return None

    def refuse(self, plant: str, refusal: Refused) -> None:
        """Tell a plant that what it said was refused by the room."""
        self.wire.refuse(plant, Refusal(code=refusal.code, reason=refusal.reason, cure=refusal.cure, plant=plant))
