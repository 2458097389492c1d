"""The orderly at a plant's end of the wire: brings each order whose proof is good to the plant's program once. I/O."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime

from telex_ingest.proof import TOLERANCE_S, Pin, follow, verify
from telex_ingest.tape import Tape
from telex_ingest.telex import Order, Receipt, ReceiptState, microseconds, moment

OnOrder = Callable[[Order], Awaitable[None] | None]
Say = Callable[[Receipt], Awaitable[None]]

ANSWERS_AGAIN_US = 3_600_000_000
"""After a cut, the answers of the last hour are sent again: the room knows them by their order."""

_log = logging.getLogger(__name__)


class Orderly:
    """Knows whom to obey, which orders were heard and what was answered; all of it lives in the spool and outlives the process.

    An order counts as heard once it has an answer: a plant that is killed between hearing and answering hears it again. So
    answer `accepted` before you act. An order whose proof is not good is refused with the reason and never reaches the program.
    `now` is the room's clock as the plant reads it, epoch seconds.
    """

    def __init__(
        self,
        tape: Tape,
        on_order: OnOrder | None,
        say: Say,
        plants: Callable[[], Collection[str]],
        pin: Pin | None,
        now: Callable[[], float],
        tolerance_s: float = TOLERANCE_S,
    ) -> None:
        self.orders = 0
        self.doubts: dict[str, int] = {}
        """Orders that were refused on their proof, by reason."""
        self.pin = pin
        self._tape = tape
        self._on_order = on_order
        self._say = say
        self._plants = plants
        self._now = now
        self._tolerance_s = tolerance_s
        self._in_hand: set[tuple[str, bool]] = set()
        self._taken_back: set[str] = set()
        """Orders whose revocation the program is being told of: it may take its time, and the order may come meanwhile."""

    async def begin(self) -> None:
        """Take up where the spool ends: the room may have changed its key since the ticket was made."""
        kept = await self._tape.work(self._tape.spool.pin)
        if self.pin is not None and kept is not None and self.pin.room == kept.room:
            old = {*kept.retired, kept.key}
            if self.pin.key in old:
                self.pin = kept
            else:  # a new ticket, by hand: what it says counts, and the keys before it stay retired
                self.pin = Pin(room=kept.room, key=self.pin.key, retired=tuple(sorted(old)))

    async def answer(self, receipt: Receipt) -> None:
        """Remember an answer, then say it."""
        await self._tape.work(self._tape.spool.remember, receipt)
        await self._say(receipt)

    async def recent(self) -> tuple[Receipt, ...]:
        """The answers to say again after a cut."""
        since = microseconds(datetime.now(UTC)) - ANSWERS_AGAIN_US
        return tuple(await self._tape.work(self._tape.spool.answers_since, since))

    async def hear(self, order: Order) -> None:
        """Bring an order to the plant's program, or give the remembered answer to a second copy."""
        receipt, revoked = await self._tape.work(self._tape.spool.answered, order.id)
        if receipt is not None and (revoked or not order.revoked):
            await self._say(receipt)
            return
        key = (order.id, order.revoked)
        if key in self._in_hand:
            return
        self._in_hand.add(key)
        if self._on_order is not None:
            await self._follow(order)
            doubt = verify(
                order,
                self.pin,
                {(order.id, True)} if revoked or (order.id in self._taken_back and not order.revoked) else (),
                self._now(),
                plants=self._plants(),
                tolerance_s=self._tolerance_s,
            )
            if doubt is not None:
                self.doubts[doubt.code] = self.doubts.get(doubt.code, 0) + 1
                _log.warning("order %.100r refused (%s): %s", order.id, doubt.code, doubt.reason)
                # Said and not remembered: an id that somebody made up must neither block the true order nor crowd out an answer.
                await self._say(self._refused(order, f"{doubt.code}: {doubt.reason}; {doubt.cure}"))
                self._in_hand.discard(key)
                return
        self.orders += 1
        if order.revoked:
            self._taken_back.add(order.id)
        try:
            if self._on_order is None:
                await self.answer(self._refused(order, "this plant takes no orders over this link"))
            else:
                waiting = self._on_order(order)
                if waiting is not None:
                    await waiting
        except Exception as error:
            _log.exception("order %s failed", order.id)
            await self.answer(self._refused(order, f"the plant's program failed: {error!r}"))
        if order.revoked:
            await self._tape.work(self._tape.spool.revoke, order.id)
            self._taken_back.discard(order.id)

    async def _follow(self, order: Order) -> None:
        if self.pin is None or order.proof is None:
            return
        pin = follow(self.pin, order.proof.chain)
        if pin != self.pin:
            _log.info("the room signs its orders with the key %s now", pin.key)
            self.pin = pin
            await self._tape.work(self._tape.spool.keep_pin, pin)

    def _refused(self, order: Order, reason: str) -> Receipt:
        at = moment(round(self._now() * 1e6))
        return Receipt(order=order.id, plant=order.plant, state=ReceiptState.REFUSED, time=at, reason=reason)
