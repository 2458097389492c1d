"""The orders that most plants know, as functions of what they do to which signal."""

from __future__ import annotations

from typing import Literal

from simulators.factory import Effect, OrderKind

Danger = Literal["none", "caution", "dangerous"]


def service_machine(
    machines: tuple[str, ...], *promised: Effect, title: str, crew: Literal["any", "day"] = "any", work_s: float = 900.0
) -> OrderKind:
    """Have the fitters service one machine: heals what is worn; the gain stands only if something was broken."""
    return OrderKind(
        name="service-machine",
        title=title,
        properties={
            "machine": {"type": "string", "enum": list(machines), "default": machines[0], "title": "Which machine"},
        },
        danger="caution",
        effects=promised,
        delay_s=300.0,
        work_s=work_s,
        crew=crew,
    )


def restaff_shift(signal: str, change: float, *, hands: int, title: str = "Call more hands to the shift") -> OrderKind:
    """Call hands for some hours: `change` is what `hands` of them do to the signal."""
    return OrderKind(
        name="restaff-shift",
        title=title,
        properties={
            "hands": {"type": "integer", "minimum": 1, "maximum": 3 * hands, "default": hands, "title": "Hands"},
            "hours": {"type": "integer", "minimum": 1, "maximum": 8, "default": 4, "title": "For how many hours"},
        },
        effects=(Effect(signal=signal, change=change, per="hands", per_each=float(hands), lasts="hours"),),
        delay_s=600.0,
        work_s=900.0,
    )


def reallot_power(signal: str, change: float, *, megawatts: float) -> OrderKind:
    """Give the plant more of the grid's reserve for some hours: `change` is what `megawatts` do to the signal."""
    return OrderKind(
        name="reallot-power",
        title="Allot more power from the grid's reserve",
        properties={
            "megawatts": {
                "type": "number",
                "exclusiveMinimum": 0,
                "maximum": 4 * megawatts,
                "default": megawatts,
                "title": "Megawatts",
            },
            "hours": {"type": "integer", "minimum": 1, "maximum": 8, "default": 4, "title": "For how many hours"},
        },
        danger="caution",
        effects=(Effect(signal=signal, change=change, per="megawatts", per_each=megawatts, lasts="hours"),),
        delay_s=120.0,
        work_s=300.0,
        power="megawatts",
    )


def change_set_point(
    signal: str, low: float, high: float, now: float, *also: Effect, title: str, danger: Danger = "caution"
) -> OrderKind:
    """Move a set point within low..high: the signal follows it, and the signals in `also` follow by what they say."""
    return OrderKind(
        name="change-set-point",
        title=title,
        properties={
            "set_point": {
                "type": "number",
                "minimum": low,
                "maximum": high,
                "default": now,
                "title": f"New set point of {signal}",
            },
        },
        danger=danger,
        effects=(Effect(signal=signal, change=0.0, toward="set_point"), *also),
        delay_s=60.0,
        work_s=1200.0,
    )
