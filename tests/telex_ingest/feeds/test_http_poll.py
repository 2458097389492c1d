"""The HTTP poll feed before a real server: what a page says, what it is asked, and what becomes of a page that fails."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from telex_ingest.feed import FeedError, FeedReading, SourceLostError
from telex_ingest.feed_settings import SettingsError
from telex_ingest.feeds.http_poll import HttpPoll, PointerPoint, PollSettings
from telex_ingest.feeds.http_serving import Answer, Receive, Scope, Send, say, serving

Said = Callable[[dict[str, str]], Answer]
NOW_US = 1_767_254_400_000_000


@asynccontextmanager
async def page(*answers: Answer) -> AsyncIterator[tuple[str, list[dict[str, str]]]]:
    """A page that gives these answers in turn, the last one for ever; and the headers that it was asked with."""
    asked: list[dict[str, str]] = []

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append({name.decode(): value.decode() for name, value in scope["headers"]})
        await say(send, answers[min(len(asked), len(answers)) - 1])

    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    async with serving(listener, answer):
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/", asked


def a_feed(url: str, **settings: Any) -> HttpPoll:
    fields: dict[str, Any] = {"signals": {"level": PointerPoint(unit="m", scale=0.01)}, "every_s": 0.01} | settings
    environment = {"TOKEN": "secret"}
    return HttpPoll(PollSettings(url=url, plant="tank", **fields), now_us=lambda: NOW_US, environment=environment)


async def first(feed: HttpPoll, many: int = 1, cursor: str | None = None) -> list[FeedReading]:
    given: list[FeedReading] = []
    source = cast(AsyncGenerator[list[FeedReading], None], feed.readings(cursor))
    try:
        async for some in source:
            given += some
            if len(given) >= many:
                break
    finally:
        await source.aclose()
    return given


async def test_a_record_without_a_time_is_of_now_and_scaled() -> None:
    async with page(Answer(200, {"level": 250})) as (url, _):
        assert await first(a_feed(url)) == [FeedReading(NOW_US, {"level": 2.5})]


async def test_pointers_find_figures_time_and_quality() -> None:
    said = {"a/b": [{"level": "7"}, {"level": 9}], "when": 1_767_254_400_000, "state": "uncertain"}
    points = {"one": PointerPoint(unit="1", pointer="/a~1b/0/level"), "two": PointerPoint(unit="1", pointer="/a~1b/2")}
    async with page(Answer(200, said)) as (url, _):
        feed = a_feed(url, signals=points, time="/when", time_unit="ms", quality="/state")
        [one] = await first(feed)
    assert (one.source_us, one.values, one.quality.value) == (NOW_US, {"one": 7.0}, "uncertain")


async def test_an_unchanged_page_is_asked_for_by_its_etag_and_not_told_again() -> None:
    answers = [Answer(200, {"level": 1}, {"etag": '"a"'}), Answer(304), Answer(200, {"level": 2}, {"etag": '"b"'})]
    async with page(*answers) as (url, asked):
        assert [one.values["level"] for one in await first(a_feed(url, token_env="TOKEN"), 2)] == [0.01, 0.02]
    assert [one.get("if-none-match") for one in asked[:3]] == [None, '"a"', '"a"']
    assert asked[0]["authorization"] == "Bearer secret"


async def test_records_are_told_once_in_order_of_time_and_from_the_cursor_on() -> None:
    def records(*seconds: int) -> Answer:
        return Answer(200, {"all": [{"t": n, "level": n} for n in seconds]})

    async with page(
        records(30, 10), records(30, 40), Answer(200, {"all": [7, {"t": "noon"}, {"t": 50, "level": 1}]})
    ) as (url, _):
        feed = a_feed(url, items="/all", time="/t")
        assert [one.source_us // 1_000_000 for one in await first(feed, 4)] == [10, 30, 40, 50]
    assert feed.counts["bad"] == 2
    async with page(records(10, 30, 40)) as (url, _):
        assert [one.cursor for one in await first(a_feed(url, items="/all", time="/t"), 1, "30000000")] == ["40000000"]


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (Answer(500), SourceLostError, "answers 500"),
        (Answer(429), SourceLostError, "answers 429"),
        (Answer(401), FeedError, "check the token"),
        (Answer(404), FeedError, "check the url"),
        (Answer(302, None, {"location": "/x"}), FeedError, "redirects"),
        (Answer(200, "x" * 3000), FeedError, "more than 2000 bytes"),
        (Answer(200, {"other": 1}), SourceLostError, "has no array at '/all'"),
    ],
)
async def test_a_page_that_fails_is_lost_for_now_or_ends_the_feed(
    answer: Answer, kind: type[Exception], said: str
) -> None:
    async with page(answer) as (url, _):
        with pytest.raises(kind, match=said) as caught:
            await first(a_feed(url, items="/all", time="/t", page_bytes=2000))
    assert type(caught.value) is kind


async def test_a_page_that_asks_for_time_gets_it() -> None:
    async with page(Answer(503, None, {"retry-after": "0"}), Answer(200, {"level": 1})) as (url, asked):
        assert len(await first(a_feed(url))) == 1
    assert len(asked) == 2


async def test_nobody_there_and_no_answer_in_time_are_lost_for_now() -> None:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    with pytest.raises(SourceLostError):
        await first(a_feed(url))
    listener.listen()  # it takes the connection, and never answers
    with pytest.raises(SourceLostError):
        await first(a_feed(url, timeout_s=0.1))
    listener.close()


async def test_the_certificates_of_authorities_are_read_beside_the_loop_and_for_https_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[int] = []
    load = ssl.SSLContext.load_verify_locations

    def noted(context: ssl.SSLContext, *given: Any, **named: Any) -> None:
        read.append(threading.get_ident())
        load(context, *given, **named)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", noted)
    async with page(Answer(200, {"level": 1})) as (url, _):
        assert len(await first(a_feed(url))) == 1
        assert read == []
        with pytest.raises(SourceLostError):
            await first(a_feed(url.replace("http:", "https:")))
    assert read
    assert threading.get_ident() not in read


def test_records_without_times_are_asked_about() -> None:
    with pytest.raises(SettingsError, match="records in an array need times"):
        a_feed("http://127.0.0.1/", items="/all")


def test_without_httpx_a_sentence_names_the_extra() -> None:
    program = (
        "import sys, asyncio; sys.modules['httpx'] = None\n"
        "from telex_ingest.feeds.http_poll import HttpPoll, PollSettings, PointerPoint\n"
        "feed = HttpPoll(PollSettings(url='http://x', plant='p', signals={'a': PointerPoint(unit='1')}))\n"
        "try:\n    asyncio.run(feed.readings(None).__anext__())\nexcept Exception as error:\n    print(error)\n"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert told.stdout == "feed http-poll: it needs the package httpx; install opsroom[http]\n"
    assert json.dumps(told.stderr) == '""'
