"""The REST interface as an OpenAPI 3.1 document, made from the very structs that are read and written. Pure."""

from __future__ import annotations

from typing import Any, get_args

import msgspec

from opsroom.alarms.performance import Performance
from opsroom.commands import AnyCommand
from opsroom.doors.alarm_routes import ROUTES as ALARM_ROUTES
from opsroom.doors.ballot_routes import ROUTES as BALLOT_ROUTES
from opsroom.doors.council_routes import ROUTES as COUNCIL_ROUTES
from opsroom.doors.foresight_routes import ROUTES as FORESIGHT_ROUTES
from opsroom.doors.machine_routes import Health
from opsroom.doors.recursion_routes import ROUTES as RECURSION_ROUTES
from opsroom.doors.signal_routes import ROUTES as SIGNAL_ROUTES
from opsroom.record.heads import SignedHead
from opsroom.views import (
    PLANTS_SHOWN,
    AlarmView,
    Answer,
    LineBook,
    LineView,
    MotionView,
    OrderChoice,
    OrderView,
    ProposalView,
    SeatView,
    SignalView,
    Snapshot,
    Sort,
    StopView,
    UnitView,
    Viewer,
)


class Login(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /api/login`."""

    account: str
    passphrase: str


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /api/commands`; the key may stand in the header `Idempotency-Key` instead."""

    command: AnyCommand
    key: str = ""


class Who(msgspec.Struct, frozen=True):
    """Who is logged in."""

    viewer: Viewer


class Problem(msgspec.Struct, frozen=True):
    """The one shape of every error: a code for programs, a reason and a cure for people."""

    code: str
    reason: str
    cure: str = ""


class JournalEntry(msgspec.Struct, frozen=True):
    """One event as the journal holds it, with its hash."""

    room_id: str
    event_id: int
    kind: str
    version: int
    actor: Any
    cause: str
    at: float
    prev: str
    body: Any
    hash: str


class JournalPage(msgspec.Struct, frozen=True):
    """Some events of the journal, its head, and how many there are."""

    head: str
    events: int
    entries: list[JournalEntry]


class EventProof(msgspec.Struct, frozen=True):
    """The way from an event's hash up to the root of the signed head, lowest first, hexadecimal."""

    event: int
    path: list[str]
    signed: SignedHead


class BeginningProof(msgspec.Struct, frozen=True):
    """The nodes that show that the tree of the signed head begins with the one of `first` events, hexadecimal."""

    first: int
    path: list[str]
    signed: SignedHead


_FOCUS = ("focus", "query", "the unit in focus; the viewer's own or the root if left out", {"type": "string"})

_Parameter = tuple[str, str, str, dict[str, Any]]
_ROUTES: tuple[tuple[str, str, str, tuple[_Parameter, ...], Any, Any, tuple[int, ...]], ...] = (
    ("post", "/api/login", "Begin a session; its token comes back as a cookie", (), Login, Who, (401, 413, 422, 429)),
    ("post", "/api/logout", "End the session of the cookie", (), None, dict[str, Any], ()),
    ("get", "/api/me", "Who is logged in", (), None, Who, (401,)),
    (
        "post",
        "/api/commands",
        "Ask the room for something; the answer comes when it is durable",
        (
            (
                "Idempotency-Key",
                "header",
                "the same key of the same account is answered, not done again",
                {"type": "string"},
            ),
        ),
        Wish,
        Answer,
        (401, 403, 404, 409, 413, 422, 503),
    ),
    ("get", "/api/snapshot", "Everything that a screen shows", (_FOCUS,), None, Snapshot, (401,)),
    ("get", "/api/units", "The units of the tree, each with its state", (), None, list[UnitView], (401,)),
    ("get", "/api/signals", "The signals of the unit in focus", (_FOCUS,), None, list[SignalView], (401,)),
    ("get", "/api/alarms", "The alarms in scope, most urgent first", (), None, list[AlarmView], (401,)),
    ("get", "/api/motions", "The motions in scope", (), None, list[MotionView], (401,)),
    ("get", "/api/orders", "The orders in scope", (), None, list[OrderView], (401,)),
    ("get", "/api/seats", "The seven seats", (), None, list[SeatView], (401,)),
    ("get", "/api/stops", "Planned stops in scope", (), None, list[StopView], (401,)),
    ("get", "/api/proposals", "Proposed agreements that wait", (), None, list[ProposalView], (401,)),
    ("get", "/api/choices", "The orders that plants declared", (), None, list[OrderChoice], (401,)),
    (
        "get",
        "/api/alarms/{alarm}",
        "One alarm",
        (("alarm", "path", "its id", {"type": "string"}),),
        None,
        AlarmView,
        (401, 404),
    ),
    (
        "get",
        "/api/motions/{motion}",
        "One motion with its evidence",
        (("motion", "path", "its id", {"type": "string"}),),
        None,
        MotionView,
        (401, 404),
    ),
    (
        "get",
        "/api/units/{unit}/performance",
        "How well a unit's alarms serve its people, as ISA-18.2 measures it",
        (
            ("unit", "path", "the unit", {"type": "string"}),
            ("days", "query", "how far back (30)", {"type": "number"}),
        ),
        None,
        Performance,
        (401, 404),
    ),
    (
        "get",
        "/api/journal",
        "Events of the journal, oldest first; ballots of open motions are sealed",
        (
            ("after", "query", "later than this event", {"type": "integer"}),
            ("limit", "query", "at most so many", {"type": "integer", "maximum": 1000}),
        ),
        None,
        JournalPage,
        (401, 403, 422),
    ),
    ("get", "/journal/head", "The newest signed head of the journal, for everybody", (), None, SignedHead, (404,)),
    ("get", "/api/journal/head", "The newest signed head of the journal, for everybody", (), None, SignedHead, (404,)),
    (
        "get",
        "/api/journal/events/{event}/proof",
        "A proof that an event is in the journal with this signed head (RFC 9162)",
        (("event", "path", "its number", {"type": "integer"}),),
        None,
        EventProof,
        (401, 403, 404, 422),
    ),
    (
        "get",
        "/api/journal/consistency",
        "A proof that the journal begins with an earlier one (RFC 9162)",
        (("first", "query", "how many events the earlier signed head had", {"type": "integer"}),),
        None,
        BeginningProof,
        (401, 403, 422),
    ),
    *(
        ("get", path, summary, asked, None, answer, errors)
        for path, summary, asked, answer, errors in (
            *ALARM_ROUTES,
            *COUNCIL_ROUTES,
            *BALLOT_ROUTES,
            *FORESIGHT_ROUTES,
            *RECURSION_ROUTES,
            *SIGNAL_ROUTES,
        )
    ),
    ("get", "/api/line", "The state of the line", (), None, LineView, (401,)),
    (
        "get",
        "/api/line/book",
        "A page of the line: plants sorted by trouble, links, refusals",
        (
            ("search", "query", "words that stand in plant, title, link or trouble", {"type": "string"}),
            ("sort", "query", "the order", {"type": "string", "enum": list(get_args(Sort))}),
            ("first", "query", "from this place on", {"type": "integer"}),
            ("most", "query", "at most so many plants", {"type": "integer", "maximum": PLANTS_SHOWN}),
        ),
        None,
        LineBook,
        (401, 422, 503),
    ),
    ("get", "/healthz", "The process lives", (), None, Health, ()),
    ("get", "/readyz", "The room takes telexes and commands", (), None, Health, (503,)),
    (
        "get",
        "/metrics",
        "The room's figures for Prometheus: for this machine, or with the token of --metrics-token",
        (),
        None,
        "text/plain",
        (401,),
    ),
    (
        "get",
        "/minutes/{motion}",
        "The minutes of one motion as a page that stands alone, from the journal",
        (("motion", "path", "its id", {"type": "string"}),),
        None,
        "text/html",
        (401, 404),
    ),
    ("get", "/api/openapi.json", "This document", (), None, dict[str, Any], ()),
    ("get", "/api/asyncapi.json", "What the websocket /watch tells, as AsyncAPI", (), None, dict[str, Any], ()),
)

DESCRIPTION = """An operations room. docs/api.md tells it for people.

Two websockets stand beside these paths, each with an AsyncAPI document of its own: `/watch`, what screens are told
(`/api/asyncapi.json`), and `/telex`, what plants tell (docs/telex.asyncapi.json)."""

_STATUS = {
    401: "nobody is logged in, or the passphrase is wrong",
    403: "this account may not",
    404: "there is no such thing",
    409: "the room refuses, with the reason and the cure",
    413: "too large",
    422: "this cannot be read",
    429: "too many tries",
    503: "the room has trouble; ask again",
}


def describe(title: str) -> dict[str, Any]:
    """Describe the interface of a room; every path, body, answer and error. An answer that is a text is a media type."""
    kinds = [k for *_, body, answer, _ in _ROUTES for k in (body, answer) if k is not None and not isinstance(k, str)]
    kinds.append(Problem)
    schemas, components = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    known = iter(schemas)
    paths: dict[str, dict[str, Any]] = {}
    for method, path, summary, parameters, body, answer, errors in _ROUTES:
        route: dict[str, Any] = {
            "summary": summary,
            "parameters": [
                {"name": name, "in": place, "required": place == "path", "description": text, "schema": schema}
                for name, place, text, schema in parameters
            ],
        }
        if body is not None:
            route["requestBody"] = {"required": True, "content": {"application/json": {"schema": next(known)}}}
        route["responses"] = {
            "200": {
                "description": "done",
                "content": {answer: {"schema": {"type": "string"}}}
                if isinstance(answer, str)
                else {"application/json": {"schema": next(known)}},
            },
            **{
                str(status): {
                    "description": _STATUS[status],
                    "content": {
                        "application/json": {
                            "schema": {"$ref": f"#/components/schemas/{_shape(path, status)}"},
                        }
                    },
                }
                for status in errors
            },
        }
        paths.setdefault(path, {})[method] = route
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": "1", "description": DESCRIPTION},
        "paths": paths,
        "components": {"schemas": components},
    }


def _shape(path: str, status: int) -> str:
    """A refused command is an `Answer`, which has the members of a `Problem`."""
    return "Answer" if path == "/api/commands" and status in (403, 404, 409) else "Problem"
