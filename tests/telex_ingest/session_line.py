"""A session with links that a test speaks through."""

from __future__ import annotations

from typing import Any

from telex_ingest.desk import Link
from telex_ingest.heard import (
    Accepted,
    Heard,
)
from telex_ingest.line import Limits
from telex_ingest.salvage import Decoded
from telex_ingest.session import Session
from telex_ingest.telex import (
    FromPlant,
    FromRoom,
    Hello,
    Reading,
    Telex,
    moment,
)
from tests.telex_ingest.conftest import NOON, birth

EVERY = frozenset({"*"})


def telex(
    seq: int, *, plant: str = "mill-1", epoch: int = 1, value: float = 1.0, at: float = NOON, **more: Any
) -> Telex:
    readings = more.pop("readings", (Reading(1, value),))
    return Telex(plant=plant, epoch=epoch, seq=seq, time=moment(int(at * 1e6)), readings=readings, **more)


class Line:
    """A session with links that a test speaks through."""

    def __init__(self, **limits: Any) -> None:
        self.session = Session("room-1", Limits(**limits))
        self.now = NOON
        self.heard: list[Heard] = []

    def link(self, name: str = "link-1", plants: frozenset[str] = EVERY, hello: bool = True) -> Link:
        link = self.session.open()
        if hello:
            self.says(link, hello=Hello(link=name), allowed=plants)
        return link

    def says(self, link: Link, allowed: frozenset[str] | None = EVERY, spent: Any = (), **members: Any) -> list[Heard]:
        parts: dict[str, Any] = {name: part if name == "hello" else tuple(part) for name, part in members.items()}
        frame = FromPlant(**parts)
        if frame.hello is not None and not self.session.greet(link, frame.hello, allowed, self.now):
            return []
        heard = self.session.hear(link, Decoded(frame, spent=tuple(spent)), self.now)
        self.heard += heard
        return heard

    def born(self, *plants: str, **more: Any) -> Link:
        link = self.link()
        self.says(link, births=[birth(plant, **more) for plant in plants or ("mill-1",)])
        self.answers(link)
        return link

    def answers(self, link: Link) -> FromRoom:
        self.session.take_ready()
        return link.outbox.take()

    def codes(self, link: Link) -> list[str]:
        return [refused.code for refused in self.answers(link).refusals]

    def tick(self, seconds: float) -> list[Heard]:
        self.now += seconds
        heard = self.session.tick(self.now)
        self.heard += heard
        return heard

    def seqs(self, plant: str = "mill-1") -> list[int]:
        return [item.seq for item in self.heard if isinstance(item, Accepted) and item.plant == plant]
