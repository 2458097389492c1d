"""The door of the room: what the screens are given, and who may enter which screen.

Takes the room's views and its answer to commands as arguments, so that no screen knows how they come about.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from opsroom.commands import AnyCommand
from opsroom.views import Answer, Snapshot, Viewer

COOKIE = "opsroom_session"
"""The name of the session's cookie."""

SEATS = 7
"""The seats of the council."""

Views = Callable[[Viewer, str], Snapshot]
Ask = Callable[[Viewer, AnyCommand, str], Awaitable[Answer]]
Who = Callable[[str], Viewer | None]

ANYBODY = Viewer(role="viewer")
"""The viewer without a name, who sees the wall when the room allows it."""

ScreenName = Literal[
    "wall", "line", "alarms", "handover", "council", "chart", "signal", "seat", "unit", "operator", "login", "lost"
]


class Screen(NamedTuple):
    """One screen as its address names it: which kind, of which seat, unit or signal (`plant/name`)."""

    name: ScreenName
    seat: int = 0
    unit: str = ""
    signal: str = ""

    @property
    def account(self) -> str:
        """The account that this screen belongs to, or an empty text."""
        if self.name == "seat":
            return f"seat-{self.seat}"
        if self.name == "unit":
            return f"unit-{self.unit}"
        return "operator" if self.name == "operator" else ""


def screen_at(path: str) -> Screen:
    """Read a path as the screen that it names; an unknown one is the screen `lost`.

    >>> screen_at("/seat/3")
    Screen(name='seat', seat=3, unit='', signal='')
    >>> screen_at("/seat/8").name, screen_at("/").name, screen_at("/unit/mill-1/").unit
    ('lost', 'wall', 'mill-1')
    """
    path = path.rstrip("/") or "/"
    if path == "/":
        return Screen("wall")
    if path == "/line":
        return Screen("line")
    if path == "/alarms":
        return Screen("alarms")
    if path in ("/handover", "/council"):
        return Screen("handover" if path == "/handover" else "council")
    if path in ("/operator", "/login"):
        return Screen("operator" if path == "/operator" else "login")
    if found := re.fullmatch(r"/seat/([1-7])", path):
        return Screen("seat", seat=int(found[1]))
    if found := re.fullmatch(r"/chart/([a-z0-9][a-z0-9-]{0,62})", path):
        return Screen("chart", unit=found[1])
    if found := re.fullmatch(r"/signal/([a-z0-9][a-z0-9-]{0,62}/[a-z0-9][a-z0-9._-]{0,62})", path):
        return Screen("signal", signal=found[1])
    if found := re.fullmatch(r"/unit/([a-z0-9][a-z0-9-]{0,62})", path):
        return Screen("unit", unit=found[1])
    return Screen("lost")


def home(viewer: Viewer) -> str:
    """Tell the address of a viewer's own screen.

    >>> home(Viewer(role="seat", seat=4)), home(Viewer(role="unit", unit="mill-1"))
    ('/seat/4', '/unit/mill-1')
    """
    if viewer.role == "seat":
        return f"/seat/{viewer.seat}"
    if viewer.role == "unit":
        return f"/unit/{viewer.unit}"
    return "/operator" if viewer.role == "operator" else "/"


@dataclass(frozen=True)
class Door:
    """What the room hands to its screens: title, views, the answer to a command, and whose session a cookie is."""

    title: str
    views: Views
    ask: Ask
    who: Who
    anonymous_wall: bool

    def viewer(self, cookies: dict[str, str]) -> Viewer | None:
        """Tell whose session stands in a request's cookies, None when there is none."""
        token = cookies.get(COOKIE, "")
        return self.who(token) if token else None

    def admits(self, screen: Screen, viewer: Viewer | None) -> bool:
        """Tell whether a viewer may see a screen; everybody named sees wall and line, a seat only its own armrest."""
        if screen.name in ("login", "lost"):
            return True
        if screen.name in ("wall", "line", "alarms", "chart", "signal"):
            return self.anonymous_wall or viewer is not None
        if screen.name == "council":
            return self.anonymous_wall if viewer is None else viewer.role != "unit"
        if viewer is None:
            return False
        if screen.name == "handover":
            return viewer.role != "viewer"
        if screen.name == "seat":
            return viewer.role == "seat" and viewer.seat == screen.seat
        if screen.name == "unit":
            return viewer.role == "operator" or (viewer.role == "unit" and viewer.unit == screen.unit)
        return viewer.role == "operator"
