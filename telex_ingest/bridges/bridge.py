"""The bridge: verify, check, write once, read back, answer. I/O.

1. The order's proof is verified against the pinned key, and its window, before anything else is believed.
2. Its id goes into the ledger; one that stands there is never written again, whatever copies come.
3. Its parameter is checked against the plant's own limits, and the plant answers `accepted`.
4. It is written, once. What the source refuses is refused with its reason.
5. It is read back until the plant shows it: only then `done`; else `refused`, with what the plant shows.

After a kill between 3 and 5 nobody writes again: the next process reads back, and answers with what it finds.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from telex_ingest.bridges.ledger import Entry, Ledger
from telex_ingest.bridges.settings import Target, Trust
from telex_ingest.feed import Answer, FeedError
from telex_ingest.proof import follow, verify
from telex_ingest.refusals import TelexError
from telex_ingest.telex import Order, Receipt, ReceiptState

LOOK_S = 0.1
"""How often the plant is read back."""

_log = logging.getLogger(__name__)


class NotWrittenError(TelexError):
    """The source did not take a write, for sure: the `reason`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"nothing was written: {self.reason}"


class Grip(Protocol):
    """A line to one target of a foreign plant."""

    async def write(self, raw: float) -> None:
        """Write once. Raises `NotWrittenError` when the source refuses; any other error leaves it unknown."""
        ...

    async def read(self) -> object:
        """Give the raw figure that the plant shows now; None when it shows none."""
        ...


Reach = Callable[[Any], AbstractAsyncContextManager[Grip]]
"""Opens a line to a target. It may raise while opening: then nothing was written."""


class Bridge:
    """Carries orders out at one plant; `now` is the plant's reading of the room's clock, epoch seconds."""

    def __init__(
        self,
        plant: str,
        targets: Mapping[str, Target],
        trust: Trust | None,
        reach: Reach,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._plant = plant
        self._targets = targets
        self._trust = trust
        self._reach = reach
        self._now = now
        self._one_by_one = asyncio.Lock()

    async def obey(self, order: Order, answer: Answer) -> None:
        """Carry an order out, or refuse it with the reason; take a revoked one back while nothing is written."""
        if self._trust is None:
            await answer(self._receipt(order, ReceiptState.REFUSED, "this plant takes no orders"))
            return
        ledger = Ledger(self._trust.ledger)
        try:
            pin = ledger.pin(self._trust.pin())
            doubt = verify(order, pin, (), self._now(), plants={self._plant})
            if doubt is not None:
                # not into the ledger: an id that somebody else made up must not block the true order
                await answer(self._receipt(order, ReceiptState.REFUSED, f"{doubt.code}: {doubt.reason}"))
                return
            if order.proof is not None:
                ledger.keep(follow(pin, order.proof.chain))
            if order.revoked:
                await self._take_back(ledger, order, answer)
                return
            async with self._one_by_one:
                if ledger.take(order):
                    await self._carry_out(ledger, order, answer)
                else:
                    await self._answer_again(ledger, order, answer)
        finally:
            ledger.close()

    async def settle(self, answer: Answer) -> None:
        """Answer what an earlier process left in hand, by what the plant shows; nothing is written."""
        if self._trust is None:
            return
        ledger = Ledger(self._trust.ledger)
        try:
            for entry in ledger.unfinished():
                if entry.order.plant == self._plant:
                    await self._find_out(ledger, entry, answer)
        finally:
            ledger.close()

    # ---- steps

    async def _carry_out(self, ledger: Ledger, order: Order, answer: Answer) -> None:
        target = self._targets.get(order.name)
        if target is None:
            await self._refuse(ledger, order, answer, f"this plant has no order {order.name}")
            return
        try:
            value = target.wanted(order.parameters)
        except ValueError as error:
            await self._refuse(ledger, order, answer, str(error))
            return
        await answer(self._receipt(order, ReceiptState.ACCEPTED))
        written = False
        try:
            async with self._reach(target) as grip:
                late = self._now() - order.expires.timestamp()
                if late >= 0:
                    raise NotWrittenError(f"it expired {late:.0f} s ago, before the plant could be reached")
                known = ledger.find(order.id)
                if known is None or known.state != "taken":
                    return  # it was revoked while the plant was being reached
                ledger.turn(order.id, "writing")
                written = True
                await grip.write(target.raw(value))
                await self._read_back(ledger, order, target, value, grip, answer)
        except NotWrittenError as error:
            await self._refuse(ledger, order, answer, str(error))
        except Exception as error:
            _log.warning("order %s: %r", order.id, error)
            known_not = "nothing was written" if not written else "it is not known whether it was written"
            await self._refuse(ledger, order, answer, f"{known_not}: {_what(error)}")

    async def _read_back(
        self, ledger: Ledger, order: Order, target: Target, value: float, grip: Grip, answer: Answer
    ) -> None:
        shown: list[object] = [None]
        try:
            async with asyncio.timeout(target.within_s):
                await self._shown(target, value, grip, shown)
        except TimeoutError:
            reason = f"it was written, but after {target.within_s:g} s the plant shows {shown[0]!r}, not {target.raw(value):g}"
            await self._refuse(ledger, order, answer, reason)
            return
        ledger.turn(order.id, "done")
        await answer(self._receipt(order, ReceiptState.DONE))

    async def _shown(self, target: Target, value: float, grip: Grip, shown: list[object]) -> None:
        """Read back until the plant shows the value; `shown` keeps what it showed last."""
        while True:
            shown[0] = await grip.read()
            if target.shows(value, shown[0]):
                return
            await asyncio.sleep(LOOK_S)

    async def _find_out(self, ledger: Ledger, entry: Entry, answer: Answer) -> None:
        order, target = entry.order, self._targets.get(entry.order.name)
        reason = "the bridge was stopped before anything was written"
        if entry.state == "writing" and target is not None:
            reason, patience = "the bridge was stopped while it wrote, and ", asyncio.timeout(target.within_s)
            try:
                value = target.wanted(order.parameters)
                async with self._reach(target) as grip, patience:
                    await self._shown(target, value, grip, [None])
            except (TelexError, OSError, ValueError) as error:  # a TimeoutError is an OSError
                _log.warning("order %s: %r", order.id, error)
                unseen = f"it is not known whether it was written: {_what(error)}"
                reason += "the plant does not show it" if patience.expired() else unseen
            else:
                ledger.turn(order.id, "done")
                await answer(self._receipt(order, ReceiptState.DONE))
                return
        await self._refuse(ledger, order, answer, reason)

    async def _take_back(self, ledger: Ledger, order: Order, answer: Answer) -> None:
        ledger.take(msgspec.structs.replace(order, revoked=False))
        entry = ledger.find(order.id)
        if entry is not None and entry.state == "taken":
            await self._refuse(ledger, order, answer, "it was revoked before anything was written")
        else:
            await self._answer_again(ledger, order, answer)

    async def _answer_again(self, ledger: Ledger, order: Order, answer: Answer) -> None:
        entry = ledger.find(order.id)
        if entry is not None and entry.state in ("done", "refused"):
            await answer(self._receipt(order, ReceiptState(entry.state), entry.reason))

    async def _refuse(self, ledger: Ledger, order: Order, answer: Answer, reason: str) -> None:
        ledger.turn(order.id, "refused", reason)
        await answer(self._receipt(order, ReceiptState.REFUSED, reason))

    def _receipt(self, order: Order, state: ReceiptState, reason: str = "") -> Receipt:
        at = datetime.fromtimestamp(self._now(), UTC)
        return Receipt(order=order.id, plant=order.plant, state=state, time=at, reason=reason)


def _what(error: Exception) -> str:
    """What went wrong, for a receipt: that a feed tries its source again is not said of an order, which nobody tries again."""
    return error.what if isinstance(error, FeedError) else str(error) or type(error).__name__
