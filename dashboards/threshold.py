"""What comes to Dash's own routes, held against what the room's screens send, before Dash sees it. Pure but for ASGI.

Dash trusts the page that it made: a request that its own scripts would not have written breaks it, and it answers 500. Anybody
can write such requests. Here a request names a callback that exists, with the inputs and outputs that it has, and values of the
types that the callback's function declares; what does not is answered 400, and a file that no page of ours loads 404.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Annotated, Any, NotRequired, TypedDict

import msgspec
from dash import Dash
from dash.fingerprint import check_fingerprint

from dashboards.kept_files import KeptFile, KeptFiles

CALLBACKS = "/_dash-update-component"
FILES = "/_dash-component-suites/"
ASSETS = "/assets/"

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

UNKEPT = (b"cache-control", b"no-store")
"""What a page or its content is answered with that says nothing of its own: no browser keeps what only its reader may see."""

TurnAway = Callable[[Scope, Receive, Send, int, str, str, str], Awaitable[None]]
"""Answers with an error in the room's one shape: status, code, reason, cure."""


class Place(msgspec.Struct, frozen=True):
    """A property of a component, with its value."""

    id: str | dict[str, str | int]
    property: str
    value: Any = None


class Called(msgspec.Struct, frozen=True):
    """A call of one callback, as Dash's scripts write it."""

    output: str
    outputs: Place | list[Place | list[Place]]
    inputs: list[Place | list[Place]]
    state: list[Place | list[Place]] = []
    changed: list[str] = msgspec.field(name="changedPropIds", default=[])


class Facts(TypedDict):
    """What a form knows of its matter: the store `matter`, as `dashboards.desk` fills it."""

    id: str
    mode: str
    plant: str
    alarm: str
    motion: str
    order: str
    proposal: str
    request: str
    stop: str
    running: list[tuple[str, str]]
    options: list[tuple[str, str, str]]
    round: str
    amendment: str
    chairs: list[int]
    confirm: str
    about: NotRequired[str]
    count: NotRequired[str]
    first: NotRequired[list[str]]
    said: NotRequired[Annotated[int, msgspec.Meta(ge=0, le=5_000)]]
    signal: NotRequired[str]
    mover: NotRequired[bool]


OF_A_MOTION = frozenset(("count", "first", "said", "signal"))
"""What such facts hold besides where the matter is a motion."""


class DraftedOrder(TypedDict):
    """An order of a draft."""

    plant: str
    name: str
    title: str
    parameters: dict[str, str | int | float | bool | list[str] | None]


class DraftedOption(TypedDict):
    """An option of a draft."""

    title: str
    orders: Annotated[list[DraftedOrder], msgspec.Meta(max_length=20)]
    supersedes: list[str]


class Draft(TypedDict):
    """The store `draft`, as `dashboards.proposing` fills it."""

    alarm: str
    options: Annotated[list[DraftedOption], msgspec.Meta(max_length=3)]


ENTERED = str | int | float | bool | list[str]
"""What a control of an order's form may hold."""

NUMBERS = ("substitute", "substitute-minutes", "shelve-minutes", "stop-start", "stop-minutes")
"""Entries that hold a number; all others hold text."""

MOST = Annotated[float, msgspec.Meta(ge=-1e12, le=1e12)]


class Threshold:
    """Stands before the application that Dash is attached to."""

    def __init__(self, inside: Asgi, app: Dash, turn_away: TurnAway) -> None:
        self.inside, self.app, self.turn_away = inside, app, turn_away
        self._kinds: dict[str, list[Any]] = {}
        self._files = KeptFiles()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        path = scope.get("path", "") if scope["type"] == "http" else ""
        if scope["type"] == "http" and not path.startswith(ASSETS):
            send = unkept(send)
        if path.startswith(FILES) and scope["method"] == "GET":
            file, versioned = self._file(path.removeprefix(FILES))
            if file is None:
                cure = "reload the page: the room may have a newer one"
                await self.turn_away(scope, receive, send, 404, "unknown-file", "no page of the room loads this", cure)
            else:
                await self._files.give(file, versioned, scope["headers"], send)
        elif path == CALLBACKS and scope["method"] == "POST":
            messages, body = await _taken(receive)
            if why := self.why_not(body, _kind_of(scope)):
                cure = "reload the page; programs use /api/commands, see /api/openapi.json"
                await self.turn_away(scope, receive, send, 400, "bad-callback", why, cure)
            else:
                waiting = iter(messages)

                async def again() -> Message:
                    return next(waiting, None) or await receive()

                await self.inside(scope, again, send)
        else:
            await self.inside(scope, receive, send)

    def why_not(self, body: bytes, kind: str) -> str:
        """Why a call is none that the room's pages make; empty when it is one."""
        if kind != "application/json":
            return "this is read as application/json alone"
        try:
            called = msgspec.json.decode(body, type=Called)
        except (msgspec.DecodeError, RecursionError, UnicodeError, OverflowError) as error:
            return f"this is no call of a page: {error}"[:300]
        known = self.app.callback_map.get(called.output)
        if known is None or "callback" not in known:
            return "there is no such callback"
        if not _fits(called.outputs, known["output"]):
            return "the outputs are not those of the callback"
        wanted, given = [*known["inputs"], *known["state"]], [*called.inputs, *called.state]
        as_many = (len(called.inputs), len(given)) == (len(known["inputs"]), len(wanted))
        if not as_many or not all(_same(*both) for both in zip(given, wanted, strict=True)):
            return "the inputs are not those of the callback"
        if not all(_is_input(one, known["inputs"]) for one in called.changed):
            return "what has changed is no input of the callback"
        for place, kind_of_value in zip(given, self._declared(called.output, known), strict=True):
            for one in place if isinstance(place, list) else [place]:
                if not _is(one.value, kind_of_value):
                    return f"{one.id!r} cannot be that"[:120]
        return ""

    def _file(self, asked: str) -> tuple[KeptFile | None, bool]:
        """A file that a page may load, and whether its address has its version in it."""
        package, _, rest = asked.partition("/")
        path, versioned = check_fingerprint(rest) if rest else ("", False)  # type: ignore[no-untyped-call] # untyped there
        known = path in self.app.registered_paths.get(package, ())
        return (self._files.find(package, path) if known else None), bool(versioned)

    def _declared(self, output: str, known: dict[str, Any]) -> list[Any]:
        """The type of each input and state of a callback."""
        if output not in self._kinds:
            function = inspect.unwrap(known["callback"])
            hints = typing.get_type_hints(function)
            names: list[str] = []
            for parameter in inspect.signature(function).parameters.values():
                more = len(known["inputs"]) + len(known["state"]) - len(names)
                names += [parameter.name] * (more if parameter.kind is parameter.VAR_POSITIONAL else 1)
            places = [*known["inputs"], *known["state"]]
            self._kinds[output] = [
                _kind(one["id"], one["property"], hints.get(name, Any)) for one, name in zip(places, names, strict=True)
            ]
        return self._kinds[output]


def unkept(send: Send) -> Send:
    """Give a `send` that forbids every cache what names no rule of its own."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = message.get("headers", ())
            if not any(name.lower() == UNKEPT[0] for name, _ in headers):
                message["headers"] = [*headers, UNKEPT]
        await send(message)

    return sending


def _kind(component: str, name: str, hint: Any) -> Any:
    if (component, name) == ("matter", "data"):
        return Facts
    if (component, name) == ("draft", "data"):
        return Draft
    if component.startswith("{"):
        return ENTERED
    if component in NUMBERS:
        return MOST if component != "substitute" else int
    return str if hint is Any else hint


def _is(value: Any, kind: Any) -> bool:
    """Whether a value has a type; what is not there yet is None or empty."""
    if value is None or (value == "" and kind not in (Facts, Draft)):
        return True
    if kind is Facts and isinstance(value, dict) and value.get("options") and not set(value) >= OF_A_MOTION:
        return False
    try:
        msgspec.convert(value, kind)
    except (msgspec.ValidationError, RecursionError, OverflowError):
        return False
    return True


def _same(place: Place | list[Place], wanted: dict[str, Any]) -> bool:
    """Whether a place is the one that a callback declares; all places of a pattern come as a list."""
    if str(wanted["id"]).startswith("{"):
        pattern = set(msgspec.json.decode(wanted["id"]))
        return isinstance(place, list) and all(
            isinstance(one.id, dict) and set(one.id) == pattern and one.property == wanted["property"] for one in place
        )
    return isinstance(place, Place) and (place.id, place.property) == (wanted["id"], wanted["property"])


def _is_input(changed: str, inputs: list[dict[str, Any]]) -> bool:
    """Whether what has changed is an input: by its name, or one place of a pattern by its number."""
    if any(changed == f"{one['id']}.{one['property']}" for one in inputs):
        return True
    place, _, name = changed.rpartition(".")
    try:
        parts = msgspec.json.decode(place, type=dict[str, int])
    except msgspec.DecodeError:
        return False
    patterns = [one for one in inputs if str(one["id"]).startswith("{") and one["property"] == name]
    return any(set(parts) == set(msgspec.json.decode(one["id"])) for one in patterns)


def _fits(given: Place | list[Place | list[Place]], declared: Any) -> bool:
    several = isinstance(declared, list | tuple)
    wanted = list(declared) if several else [declared]
    places = given if isinstance(given, list) else [given]
    return (
        isinstance(given, list) == several
        and len(places) == len(wanted)
        and all(
            isinstance(one, Place)
            and (one.id, one.property.split("@")[0]) == (out.component_id, out.component_property)
            for one, out in zip(places, wanted, strict=True)
        )
    )


def _kind_of(scope: Scope) -> str:
    kinds = [value for name, value in scope["headers"] if name == b"content-type"]
    return kinds[-1].decode("latin-1").partition(";")[0].strip().lower() if kinds else ""


async def _taken(receive: Receive) -> tuple[list[Message], bytes]:
    """Take in a body; whoever stands before has bounded it."""
    messages, body = [], bytearray()
    while True:
        message = await receive()
        messages.append(message)
        body += message.get("body", b"")
        if message["type"] != "http.request" or not message.get("more_body"):
            return messages, bytes(body)
