"""Troubles that come together, in an order of their own: what is made of a flood must not hang on who was heard first. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable

from opsroom.recursion.flow import FlowGraph
from opsroom.recursion.recursion import owner
from opsroom.room.news import PlantSilent, VerdictNews

Trouble = VerdictNews | PlantSilent


def in_order(graph: FlowGraph, troubles: Iterable[Trouble]) -> tuple[Trouble, ...]:
    """The troubles of one tick by their onset, then upstream first along what flows, then by name.

    Alarms are numbered and put together in this order, so every order of coming gives the same alarms and the same groups.
    What is said of one signal stays in the order in which it was said, at the place of the earliest onset among it.
    """
    told: dict[str, list[Trouble]] = {}
    for one in troubles:
        told.setdefault(_about(one), []).append(one)

    def place(about: str) -> tuple[float, int, str]:
        return min(map(_onset, told[about])), -graph.fed(owner(about)), about

    return tuple(one for about in sorted(told, key=place) for one in told[about])


def _about(one: Trouble) -> str:
    return one.plant if isinstance(one, PlantSilent) else one.signal


def _onset(one: Trouble) -> float:
    return one.since if math.isfinite(one.since) else math.inf
