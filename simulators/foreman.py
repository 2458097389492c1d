"""Who hears a plant's orders: refuses with a reason, or accepts, has the work done and says so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jsonschema
import simpy

from simulators.clockwork import Steps
from simulators.economy import Economy
from simulators.factory import Effect, OrderKind
from simulators.faults import Influence
from telex_ingest.telex import Order, Receipt, ReceiptState, microseconds, moment

FADES_S = 600.0
"""How long the effect of called hands or of power takes to go when its hours are over, seconds."""

NIGHT_H = (22.0, 6.0)


@dataclass(frozen=True, kw_only=True)
class Refuses:
    """A plant that says no, as a scenario writes it: which order, why, from when to when in simulated seconds."""

    plant: str
    order: str
    reason: str
    from_s: float = 0.0
    until_s: float = float("inf")


class Foreman:
    """One plant's foreman: `obey` takes an order, `answer` gets every receipt at its simulated time.

    An order that has been heard is never carried out twice; its second copy is passed over in silence.
    """

    def __init__(
        self, plant: str, economy: Economy, answer: Callable[[Receipt], None], refuses: Sequence[Refuses] = ()
    ) -> None:
        self.plant = plant
        self._economy = economy
        self._factory = economy.factory(plant)
        self._clockwork = economy.clockwork
        self._answer = answer
        self._refuses = tuple(row for row in refuses if row.plant == plant)
        self._kinds = {kind.name: kind for kind in self._factory.works.orders}
        self._heard: dict[str, simpy.Process | None] = {}
        self._busy: dict[tuple[str, str], float] = {}
        self._set_points: dict[str, float] = {}

    def obey(self, order: Order) -> None:
        """Hear an order at the clockwork's now."""
        if order.revoked:
            self._revoke(order)
            return
        if order.id in self._heard:
            return
        self._heard[order.id] = None
        reason = self._why_not(order)
        if reason:
            self._tell(order, ReceiptState.REFUSED, reason)
            return
        kind = self._kinds[order.name]
        self._busy[self._place(order)] = self._begins(order) + kind.delay_s + self._holds(order, kind)
        self._tell(order, ReceiptState.ACCEPTED, f"the work begins in {self._wait(order, kind) / 60:.0f} min")
        self._heard[order.id] = self._clockwork.process(self._carry_out(order, kind))

    def _why_not(self, order: Order) -> str:
        if order.plant != self.plant:
            return f"this is {self.plant}, the order is for {order.plant}"
        if self._seconds(order.expires) <= self._clockwork.now:
            return f"the order expired at {order.expires.isoformat()}"
        objection = self.objection(order.name, order.parameters, self._begins(order))
        kind = self._kinds.get(order.name)
        if objection or kind is None or not kind.power:
            return objection
        return self._economy.grant(float(order.parameters[kind.power]))

    def objection(self, name: str, parameters: dict[str, Any], begins_s: float | None = None) -> str:
        """Say why an order could not be carried out that began at a simulated second (now), as far as the plant itself knows."""
        now = self._clockwork.now
        kind = self._kinds.get(name)
        if kind is None:
            return f"{self.plant} knows no order {name!r}, only {', '.join(sorted(self._kinds))}"
        wrong = _wrong_parameter(kind, parameters)
        if wrong:
            return wrong
        for row in self._refuses:
            if row.order == name and row.from_s <= now < row.until_s:
                return row.reason
        hour = self._factory.hour((now if begins_s is None else begins_s) + kind.delay_s)
        if kind.crew == "day" and (hour >= NIGHT_H[0] or hour < NIGHT_H[1]):
            return f"no crew for {name} on the night shift, which ends at {NIGHT_H[1]:.0f} o'clock UTC"
        until = self._busy.get((name, str(parameters.get("machine", ""))), -1.0)
        if now < until:
            return f"{parameters.get('machine', name)} is in hand already, for {(until - now) / 60:.0f} min more"
        return ""

    def takes_s(self, name: str) -> float:
        """How long it takes from an order until its work is done, seconds."""
        kind = self._kinds[name]
        return kind.delay_s + kind.work_s

    def _carry_out(self, order: Order, kind: OrderKind) -> Steps:
        try:
            yield self._clockwork.wait(self._wait(order, kind))
        except simpy.Interrupt:
            return
        self._heard[order.id] = None
        healed = self._factory.heal(
            order.name, str(order.parameters.get("machine", "")), self._clockwork.now, kind.work_s
        )
        for effect in kind.effects:
            if not effect.promised:
                self._bring_about(order, kind, effect)
        for effect in kind.effects:
            if effect.toward:
                self._set_points[effect.signal] = float(order.parameters[effect.toward])
        if kind.power:
            self._clockwork.process(self._return_power(order, kind))
        yield self._clockwork.wait(kind.work_s)
        found = "worn parts replaced" if healed else "nothing found worn"
        repair = any(effect.promised for effect in kind.effects)
        self._tell(order, ReceiptState.DONE, found if repair else "in effect")

    def _bring_about(self, order: Order, kind: OrderKind, effect: Effect) -> None:
        now = self._clockwork.now
        parameters = order.parameters
        moved = next((e for e in kind.effects if e.toward), None)
        if effect.toward:
            size = float(parameters[effect.toward]) - self._set_point(effect.signal)
        elif effect.per and moved is not None:
            size = effect.change * (float(parameters[effect.per]) - self._set_point(moved.signal)) / effect.per_each
        elif effect.per:
            size = effect.change * float(parameters[effect.per]) / effect.per_each
        else:
            size = effect.change
        hours = float(parameters[effect.lasts]) if effect.lasts else float("inf")
        self._factory.influences.append(
            Influence(
                because=f"order {order.id}",
                signal=self._factory.number[effect.signal],
                size=size,
                begins_s=now,
                rise_s=kind.work_s,
                ends_s=now + 3600.0 * hours,
                fade_s=FADES_S,
            )
        )

    def _return_power(self, order: Order, kind: OrderKind) -> Steps:
        yield self._clockwork.wait(3600.0 * float(order.parameters.get("hours", 4)))
        self._economy.give_back(float(order.parameters[kind.power]))

    def _revoke(self, order: Order) -> None:
        if order.id not in self._heard:
            self._heard[order.id] = None
            self._tell(order, ReceiptState.REFUSED, "revoked before it was heard")
            return
        waiting = self._heard[order.id]
        if waiting is not None:
            self._heard[order.id] = None
            waiting.interrupt()
            kind = self._kinds[order.name]
            if kind.power:
                self._economy.give_back(float(order.parameters[kind.power]))
            self._busy.pop(self._place(order), None)
            self._tell(order, ReceiptState.REFUSED, "revoked before the work began")
            return
        for influence in self._factory.influences:
            if influence.because == f"order {order.id}" and influence.ends_s < float("inf"):
                influence.end(self._clockwork.now, FADES_S)

    def _set_point(self, signal: str) -> float:
        return self._set_points.get(signal, self._factory.works.indicators[self._factory.number[signal]].normal)

    def _place(self, order: Order) -> tuple[str, str]:
        return order.name, str(order.parameters.get("machine", ""))

    def _holds(self, order: Order, kind: OrderKind) -> float:
        lasts = {effect.lasts for effect in kind.effects if effect.lasts}
        return max([kind.work_s, *(3600.0 * float(order.parameters[name]) for name in lasts)])

    def _begins(self, order: Order) -> float:
        return max(self._clockwork.now, self._seconds(order.not_before))

    def _wait(self, order: Order, kind: OrderKind) -> float:
        return self._begins(order) - self._clockwork.now + kind.delay_s

    def _seconds(self, when: Any) -> float:
        return microseconds(when) / 1e6 - self._factory.start_s

    def _tell(self, order: Order, state: ReceiptState, reason: str) -> None:
        time = moment(round((self._factory.start_s + self._clockwork.now) * 1e6))
        self._answer(Receipt(order=order.id, plant=self.plant, state=state, time=time, reason=reason))


def _wrong_parameter(kind: OrderKind, parameters: dict[str, Any]) -> str:
    """Say in one sentence what is wrong with an order's parameters, or nothing."""
    error = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(kind.schema).iter_errors(parameters))
    if error is None:
        return ""
    where = ".".join(str(part) for part in error.absolute_path) or "parameters"
    return f"{kind.name}: {where}: {error.message}"
