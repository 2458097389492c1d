"""What the scripted seats of a story make of what they see: which order to move, how to vote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from opsroom.doors.visitor import RefusedByRoomError, Visitor
from opsroom.views import AlarmView, MotionView, OrderChoice


@dataclass
class Plan:
    """What a seat makes of what it sees: which order to move, with what words."""

    choice: OrderChoice
    parameters: dict[str, Any]
    change: float

    def option(self) -> dict[str, Any]:
        """The option of a motion that this plan makes."""
        figures = ", ".join(str(value) for value in self.parameters.values())
        title = f"{self.choice.title}: {figures}" if figures else self.choice.title
        order = {"plant": self.choice.plant, "name": self.choice.name, "parameters": self.parameters}
        return {"title": title, "orders": [order]}


async def voted(seat: Visitor, motion: str, options: list[str], reason: str) -> bool:
    """Cast a ballot; False when the round was over before it came, which a last call may do to a slow seat."""
    try:
        await seat.ask("cast-ballot", motion=motion, options=options, abstain=not options, reason=reason)
    except RefusedByRoomError as refusal:
        if refusal.code not in ("motion-over", "round-over"):
            raise
        return False
    return True


def vote(alarm: AlarmView, motion: MotionView, plan: Plan, seat: int, now: MotionView) -> tuple[list[str], str]:
    """How a seat votes by what it sees: the surer the room and the smaller the danger, the sooner it agrees.

    Who stood alone in the first round goes with the others once it has read their reasons.
    """
    acting = [option.id for option in motion.options if option.kind == "orders"]
    time = next(option.id for option in motion.options if option.kind == "time")
    nothing = next(option.id for option in motion.options if option.kind == "nothing")
    if seat == 7 and plan.choice.danger != "none":
        return [], f"The plant marks this order: {plan.choice.danger}."
    if alarm.probability < 0.5:
        return [nothing], "I am not sure enough of what I see."
    if now.round == 2:
        return acting, "I have read the others' reasons."
    if seat == 6:
        return [time, *acting], "The plant's own people may still find it."
    if seat == 5:
        return acting[::-1], "The gentler order first."
    return acting, f"A {alarm.kind}, {alarm.probability_words}, and the plant's time is over."


def parameter_sets(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The parameters to try: every choice of the first enumeration, defaults for the rest."""
    properties: dict[str, Any] = schema.get("properties", {})
    defaults = {name: rule["default"] for name, rule in properties.items() if "default" in rule}
    for name, rule in properties.items():
        if "enum" in rule:
            return [{**defaults, name: value} for value in rule["enum"]]
    return [defaults]
