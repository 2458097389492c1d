"""How a route answers and how it reads: JSON with one shape for errors, bodies into types, numbers of a query. I/O."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from opsroom.commands import AnyCommand
from opsroom.record.disk import StoreError
from opsroom.views import Answer
from telex_ingest.legible import unseen

LARGEST_BODY = 1 << 20

T = TypeVar("T")


class ProblemError(Exception):
    """Something that a caller is told with a status: `status`, `code`, `reason`, `cure`, seconds to wait."""

    def __init__(self, status: int, code: str, reason: str, cure: str, wait_s: float = 0.0) -> None:
        super().__init__(status, code, reason, cure)
        self.status, self.code, self.reason, self.cure, self.wait_s = status, code, reason, cure, wait_s

    def __str__(self) -> str:
        return f"{self.reason}: {self.cure}"


def told(view: Any, status: int = 200) -> Response:
    """Answer with JSON that no cache keeps."""
    return Response(msgspec.json.encode(view), status, {"cache-control": "no-store"}, "application/json")


def problem(status: int, code: str, reason: str, cure: str = "", wait_s: float = 0.0) -> Response:
    """Answer with an error in the one shape."""
    response = told({"code": code, "reason": reason, "cure": cure}, status)
    if wait_s > 0:
        response.headers["retry-after"] = str(int(wait_s) + 1)
    return response


async def body(request: Request, kind: type[T]) -> T:
    """Read a body; anything that is not what is asked for is answered, never raised."""
    raw = bytearray()
    async for piece in request.stream():
        raw += piece
        if len(raw) > LARGEST_BODY:
            raise ProblemError(413, "too-large", "a body holds at most 1 MB", "send less at once")
    try:
        return msgspec.json.decode(bytes(raw), type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise ProblemError(422, "bad-body", str(error)[:300], "see /api/openapi.json for what is read here") from None


def number(text: str | None, otherwise: float) -> float:
    """A number of a query; raises `ProblemError` where it is none."""
    if text is None or text == "":
        return otherwise
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not abs(number) <= 1e12:
        raise ProblemError(
            422, "bad-number", f"{text[:40]!r} is not a number that can be used here", "give a plain number"
        )
    return number


def unfit(command: AnyCommand, key: str) -> Answer | None:
    """The refusal of a command that no form could honestly have made; None for every other.

    One that was put together from a form may hold other types than it would over REST. A text may hold no character that
    cannot be seen or that turns the order of those beside it: minutes and walls show what people said to people.
    """
    try:
        plain = msgspec.to_builtins(command)
        msgspec.convert(plain, AnyCommand)
    except (msgspec.ValidationError, OverflowError) as error:
        return _refused(key, str(error)[:300])
    hidden = next((name for text in _texts(plain) if (name := unseen(text))), "")
    if hidden:
        cure = "it often comes along when text is copied: delete that place and type it again"
        return _refused(key, f"a text holds a character that cannot be seen ({hidden})", cure)
    return None


def _refused(key: str, reason: str, cure: str = "write it again, in a page that is loaded anew") -> Answer:
    return Answer(ok=False, key=key, code="bad-body", reason=reason, cure=cure)


def _texts(plain: Any) -> Iterator[str]:
    if isinstance(plain, str):
        yield plain
    elif isinstance(plain, dict | list | tuple):
        for one in (*plain.keys(), *plain.values()) if isinstance(plain, dict) else plain:
            yield from _texts(one)


def attach(server: FastAPI) -> None:
    """Tell every error in the one shape."""
    server.add_exception_handler(ProblemError, _on_problem)
    server.add_exception_handler(StoreError, _on_store)
    server.add_exception_handler(HTTPException, _on_http)
    server.add_exception_handler(RequestValidationError, _on_invalid)


async def _on_problem(_: Request, error: Any) -> Response:
    return problem(error.status, error.code, error.reason, error.cure, error.wait_s)


async def _on_store(_: Request, error: Exception) -> Response:
    return problem(503, "trouble", str(error), "ask again later")


async def _on_http(_: Request, error: Any) -> Response:
    return problem(error.status_code, f"http-{error.status_code}", str(error.detail), "see /api/openapi.json")


async def _on_invalid(_: Request, error: Exception) -> Response:
    return problem(422, "bad-query", "a value in the query cannot be read", "see /api/openapi.json")
