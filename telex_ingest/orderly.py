"""The orderly at a plant's end of the wire: brings each order to the plant's program once, and its answers back. I/O."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from telex_ingest.tape import Tape
from telex_ingest.telex import Order, Receipt, ReceiptState, microseconds

OnOrder = Callable[[Order], Awaitable[None] | None]
Say = Callable[[Receipt], Awaitable[None]]

ANSWERS_AGAIN_US = 3_600_000_000
"""After a cut, the answers of the last hour are sent again: the room knows them by their order."""

_log = logging.getLogger(__name__)


class Orderly:
    """Knows which orders were heard and what was answered; the answers live in the spool, so they outlive the process.

    An order counts as heard once it has an answer: a plant that is killed between hearing and answering hears it again. So
    answer `accepted` before you act.
    """

    def __init__(self, tape: Tape, on_order: OnOrder | None, say: Say) -> None:
        self.orders = 0
        self._tape = tape
        self._on_order = on_order
        self._say = say
        self._in_hand: set[tuple[str, bool]] = set()

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
        self.orders += 1
        try:
            if self._on_order is None:
                await self.answer(_refused(order, "this plant takes no orders over this link"))
            else:
                waiting = self._on_order(order)
                if waiting is not None:
                    await waiting
        except Exception as error:
            _log.exception("order %s failed", order.id)
            await self.answer(_refused(order, f"the plant's program failed: {error!r}"))
        if order.revoked:
            await self._tape.work(self._tape.spool.revoke, order.id)


def _refused(order: Order, reason: str) -> Receipt:
    return Receipt(order=order.id, plant=order.plant, state=ReceiptState.REFUSED, time=datetime.now(UTC), reason=reason)
