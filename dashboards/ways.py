"""The addresses of the room's pages: one that names none is answered 404 with a page that leads on. Pure but for ASGI."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Match, Route
from starlette.types import Scope

from dashboards.door import COOKIE, SEATS, screen_at
from dashboards.words import say

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

WAYS = (
    ("/", "The wall"),
    ("/council", "The council"),
    ("/alarms", "Alarms"),
    ("/line", "The line"),
    ("/handover", "Hand-over"),
    ("/operator", "Operator"),
    ("/login", "Log in"),
)
"""Where somebody who is lost may want to go."""

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="dark">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/assets/desk.css">
<link rel="stylesheet" href="/assets/room.css">
</head>
<body>
<main id="room"><div id="lost" class="login">
<div class="who"><h1>{title}</h1><p>{why}</p><p>{ways}</p><p>{seats}</p></div>
</div></main>
</body>
</html>
"""


class Lost(Route):
    """Every address that names no page, and what it is answered; an address that does is left to the page.

    `may_ask(cookie)` tells whether somebody may know which units there are, `is_unit(unit)` whether it is one.
    """

    def __init__(self, title: str, may_ask: Callable[[str], bool], is_unit: Callable[[str], bool]) -> None:
        super().__init__("/{path:path}", self.answer, methods=METHODS, include_in_schema=False)
        self.title, self.may_ask, self.is_unit = title, may_ask, is_unit

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match what names no page."""
        found, inner = super().matches(scope)
        return (Match.NONE, {}) if found is not Match.NONE and self.stands(scope) else (found, inner)

    def stands(self, scope: Scope) -> bool:
        """Whether a page stands at an address; who may see nothing is not told which units there are."""
        asked = screen_at(scope["path"])
        if asked.name == "lost":
            return False
        return not asked.unit or not self.may_ask(Request(scope).cookies.get(COOKIE, "")) or self.is_unit(asked.unit)

    async def answer(self, _: Request) -> Response:
        """Say that nothing stands here, and what does stand where."""
        return HTMLResponse(page(self.title), 404, {"cache-control": "no-store"})


def page(title: str) -> str:
    """The page of an address that names none."""
    ways = " · ".join(f'<a href="{way}">{escape(words)}</a>' for way, words in WAYS)
    seats = " · ".join(f'<a href="/seat/{seat}">Seat {seat}</a>' for seat in range(1, SEATS + 1))
    return PAGE.format(title=escape(title), why=escape(say("lost.why")), ways=ways, seats=seats)
