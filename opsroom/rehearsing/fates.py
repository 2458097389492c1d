"""What became of orders, in a line each: from the carried motion to how they ended. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from opsroom.minutes.gather import Matter
from opsroom.room import events as happened
from opsroom.showing.foretelling import ENDINGS


def fates(matters: Iterable[Matter], since: float | None = None) -> tuple[str, ...]:
    """A line for each order of these motions: what it was, who confirmed it, what the plant said, its ending.

    With `since` (epoch seconds) those that were issued more than an hour before are left out.
    """
    lines: dict[str, list[str]] = {}
    for event in (kept.event for matter in matters for kept in matter.events):
        match event:
            case happened.OrderIssued() if since is None or event.at >= since - 3600.0:
                figures = ", ".join(f"{name} {value}" for name, value in event.parameters.items())
                lines[event.order] = [f"{event.name} at {event.plant}{f' ({figures})' if figures else ''}"]
                if event.unconfirmed:
                    lines[event.order].append("marked dangerous")
            case happened.OrderConfirmed() if event.order in lines:
                lines[event.order].append(f"confirmed by seat {event.seat}")
            case happened.OrderAnswered() if event.order in lines:
                said = {"accepted": "taken", "done": "done", "refused": "refused"}[event.state]
                lines[event.order].append(f"{said}{f' ({event.reason})' if event.reason else ''}")
            case happened.OrderExpired() if event.order in lines:
                lines[event.order].append("expired: nobody took it")
            case happened.OrderEnded() if event.order in lines:
                lines[event.order] = [one for one in lines[event.order] if not one.startswith("in the end ")]
                because = f" ({event.reason})" if event.reason else ""
                lines[event.order].append(f"in the end {ENDINGS[event.ending]}{because}")
            case _:
                pass
    return tuple("; ".join(line) for line in lines.values())
