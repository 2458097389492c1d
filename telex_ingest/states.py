"""The state machine of the line, as two tables: what a link may do, and what a plant is. Pure.

Everything that decides whether something is allowed in a state stands here; `docs/telex.md` draws its diagrams from these tables.
A cell is the next state, or the code of a refusal (see `refusals.py`). Both tables are total.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar


class LinkState(StrEnum):
    """A link: opened (no hello yet), greeted (hello accepted), speaking (for one plant at least), closed."""

    OPENED = "opened"
    GREETED = "greeted"
    SPEAKING = "speaking"
    CLOSED = "closed"


class LinkEvent(StrEnum):
    """What happens to a link: hello accepted or denied, a plant becomes its own, speech, its last plant is lost, its end."""

    HELLO = "hello"
    DENIED = "denied"
    BIRTH = "birth"
    SPEECH = "speech"
    LOSS = "loss"
    END = "end"


class PlantState(StrEnum):
    """A plant: unborn, born (not heard yet), speaking, silent (not heard for too long), dead (said farewell)."""

    UNBORN = "unborn"
    BORN = "born"
    SPEAKING = "speaking"
    SILENT = "silent"
    DEAD = "dead"


class PlantEvent(StrEnum):
    """What happens to a plant: a birth, a telex in its place, too long a silence, a farewell."""

    BIRTH = "birth"
    TELEX = "telex"
    SILENCE = "silence"
    DEATH = "death"


_L, _E = LinkState, LinkEvent
LINK: Mapping[tuple[LinkState, LinkEvent], LinkState | str] = MappingProxyType(
    {
        (_L.OPENED, _E.HELLO): _L.GREETED,
        (_L.OPENED, _E.DENIED): _L.CLOSED,
        (_L.OPENED, _E.BIRTH): "hello-first",
        (_L.OPENED, _E.SPEECH): "hello-first",
        (_L.OPENED, _E.LOSS): _L.OPENED,
        (_L.OPENED, _E.END): _L.CLOSED,
        (_L.GREETED, _E.HELLO): "hello-twice",
        (_L.GREETED, _E.DENIED): "hello-twice",
        (_L.GREETED, _E.BIRTH): _L.SPEAKING,
        (_L.GREETED, _E.SPEECH): "unborn",
        (_L.GREETED, _E.LOSS): _L.GREETED,
        (_L.GREETED, _E.END): _L.CLOSED,
        (_L.SPEAKING, _E.HELLO): "hello-twice",
        (_L.SPEAKING, _E.DENIED): "hello-twice",
        (_L.SPEAKING, _E.BIRTH): _L.SPEAKING,
        (_L.SPEAKING, _E.SPEECH): _L.SPEAKING,
        (_L.SPEAKING, _E.LOSS): _L.GREETED,
        (_L.SPEAKING, _E.END): _L.CLOSED,
        (_L.CLOSED, _E.HELLO): _L.CLOSED,
        (_L.CLOSED, _E.DENIED): _L.CLOSED,
        (_L.CLOSED, _E.BIRTH): _L.CLOSED,
        (_L.CLOSED, _E.SPEECH): _L.CLOSED,
        (_L.CLOSED, _E.LOSS): _L.CLOSED,
        (_L.CLOSED, _E.END): _L.CLOSED,
    }
)

_P, _H = PlantState, PlantEvent
PLANT: Mapping[tuple[PlantState, PlantEvent], PlantState | str] = MappingProxyType(
    {
        (_P.UNBORN, _H.BIRTH): _P.BORN,
        (_P.UNBORN, _H.TELEX): "unborn",
        (_P.UNBORN, _H.SILENCE): _P.UNBORN,
        (_P.UNBORN, _H.DEATH): "unborn",
        (_P.BORN, _H.BIRTH): _P.BORN,
        (_P.BORN, _H.TELEX): _P.SPEAKING,
        (_P.BORN, _H.SILENCE): _P.SILENT,
        (_P.BORN, _H.DEATH): _P.DEAD,
        (_P.SPEAKING, _H.BIRTH): _P.SPEAKING,
        (_P.SPEAKING, _H.TELEX): _P.SPEAKING,
        (_P.SPEAKING, _H.SILENCE): _P.SILENT,
        (_P.SPEAKING, _H.DEATH): _P.DEAD,
        # A birth is no figure: a silent plant speaks again with its first telex.
        (_P.SILENT, _H.BIRTH): _P.SILENT,
        (_P.SILENT, _H.TELEX): _P.SPEAKING,
        (_P.SILENT, _H.SILENCE): _P.SILENT,
        (_P.SILENT, _H.DEATH): _P.DEAD,
        (_P.DEAD, _H.BIRTH): _P.BORN,
        (_P.DEAD, _H.TELEX): "dead",
        (_P.DEAD, _H.SILENCE): _P.DEAD,
        (_P.DEAD, _H.DEATH): _P.DEAD,
    }
)


S = TypeVar("S", LinkState, PlantState)
E = TypeVar("E", LinkEvent, PlantEvent)


def diagram(table: Mapping[tuple[S, E], S | str]) -> str:
    """Draw a table as a Mermaid state diagram: one arrow for each pair of states with all its events; refusals are left out.

    >>> diagram({(LinkState.OPENED, LinkEvent.HELLO): LinkState.GREETED}).splitlines()[-1]
    '    opened --> greeted: hello'
    """
    arrows: dict[tuple[str, str], list[str]] = {}
    for (state, event), following in table.items():
        if isinstance(following, StrEnum) and following is not state:
            arrows.setdefault((state.value, following.value), []).append(event.value)
    lines: list[str] = [f"    {a} --> {b}: {', '.join(events)}" for (a, b), events in arrows.items()]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {next(iter(table))[0].value}", *lines])
