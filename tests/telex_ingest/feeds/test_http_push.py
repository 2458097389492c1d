"""The HTTP push feed as a sender sees it: who may post, what is kept of a body, when the answer comes."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telex_ingest.feed import FeedError, FeedReading
from telex_ingest.feed_settings import SettingsError
from telex_ingest.feeds.http_body import Declared, FieldPoint
from telex_ingest.feeds.http_push import HttpPush, PushSettings
from telex_ingest.telex import TelexKind
from tests.telex_ingest.conftest import until

SIGNALS = {
    "output": FieldPoint(unit="t/h", measurement="mill", tags={"line": "1"}),
    "stock": FieldPoint(unit="t", scale=0.001),
}
NOW_US = 1_767_254_400_000_000


def a_feed(**settings: Any) -> HttpPush:
    fields: dict[str, Any] = {"plant": "mill", "signals": SIGNALS, "port": 0, "token_env": "TOKEN"} | settings
    return HttpPush(PushSettings(**fields), now_us=lambda: NOW_US, environment={"TOKEN": "secret", "": ""})


class Taker:
    """Takes what the feed gives, as the runner does, when it may."""

    def __init__(self, feed: HttpPush) -> None:
        self.feed = feed
        self.taken: list[FeedReading] = []
        self.may = asyncio.Event()
        self.may.set()

    async def take(self, cursor: str | None) -> None:
        source = cast(AsyncGenerator[list[FeedReading], None], self.feed.readings(cursor))
        try:
            async for given in source:
                await self.may.wait()
                self.taken += given
        finally:
            await source.aclose()


@asynccontextmanager
async def listening(feed: HttpPush, cursor: str | None = None) -> AsyncIterator[tuple[Taker, httpx.AsyncClient]]:
    taker = Taker(feed)
    taking = asyncio.create_task(taker.take(cursor))
    await until(lambda: feed.port)
    headers = {"authorization": "Token secret"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{feed.port}", headers=headers, timeout=60) as client:
        try:
            yield taker, client
        finally:
            taking.cancel()
            await asyncio.gather(taking, return_exceptions=True)


async def test_lines_and_json_become_readings_and_204_comes_when_they_are_taken() -> None:
    async with listening(a_feed()) as (taker, client):
        lines = b"mill,line=1,site=x output=17.5 1000\nmill,line=2 output=9 1000\nmill stock=2000i 1001"
        told = await client.post(
            "/write?precision=s", content=gzip.compress(lines, mtime=0), headers={"content-encoding": "gzip"}
        )
        assert (told.status_code, told.content) == (204, b"")
        body = {"time": "1970-01-01T00:20:00Z", "values": {"output": None, "stock": 5}, "qualities": {"stock": "bad"}}
        assert (await client.post("/json", json=body)).status_code == 204
        assert (await client.post("/json", json={"values": {"output": True}})).status_code == 204
    assert [(one.source_us, one.values) for one in taker.taken] == [
        (1_000_000_000, {"output": 17.5}),
        (1_001_000_000, {"stock": 2.0}),
        (1_200_000_000, {"output": None, "stock": 0.005}),
        (NOW_US, {"output": 1.0}),
    ]
    assert {name: word.value for name, word in taker.taken[2].qualities.items()} == {"stock": "bad"}
    assert taker.feed.undeclared["mill output"] == 1


async def test_of_a_bad_body_the_good_lines_are_kept_and_the_bad_ones_are_told_by_number() -> None:
    async with listening(a_feed()) as (taker, client):
        told = await client.post(
            "/api/v2/write", content=b'mill stock=1 1\nmill stock=\n\nmill stock="x" 1\nmill stock=4 4000'
        )
        assert told.status_code == 400
        said = told.json()
        assert [bad["line"] for bad in said["lines"]] == [2, 4]
        assert said["message"].startswith("partial write: line 2: field 'stock' has no value")
        told = await client.post(
            "/json", content=b'{"values": {"stock": 1}}\n{"values": \n[]\n{"values": {"stock": "?"}}'
        )
        assert [bad["line"] for bad in told.json()["lines"]] == [2, 3, 4]
    assert [one.values["stock"] for one in taker.taken] == [0.001, 0.004, 0.001]


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ("Token secret", 204),
        ("Bearer secret", 204),
        ("Basic dXNlcjpzZWNyZXQ=", 204),
        ("Basic !", 401),
        ("Token wrong", 401),
        ("secret", 401),
        ("", 401),
    ],
)
async def test_only_who_has_the_token_may_post(authorization: str, status: int) -> None:
    async with listening(a_feed()) as (taker, client):
        told = await client.post("/write", content=b"mill stock=1", headers={"authorization": authorization})
        assert told.status_code == status
    assert len(taker.taken) == (status == 204)


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("GET", "/ping", b"", {}, 204),
        ("GET", "/health", b"", {}, 200),
        ("GET", "/write", b"", {}, 405),
        ("POST", "/elsewhere", b"", {}, 404),
        ("POST", "/write?precision=weeks", b"mill stock=1", {}, 400),
        ("POST", "/write", b"x" * 2000, {}, 413),
        ("POST", "/write", gzip.compress(b"\n" * 1_000_000, mtime=0), {"content-encoding": "gzip"}, 413),
        ("POST", "/write", b"no gzip", {"content-encoding": "gzip"}, 400),
        ("POST", "/write", gzip.compress(b"mill stock=1", mtime=0)[:-9], {"content-encoding": "gzip"}, 400),
        ("POST", "/write", b"", {"content-encoding": "br"}, 415),
        ("POST", "/write", b"", {}, 204),
        ("POST", "/json", b"[" * 900, {}, 400),
    ],
)
async def test_what_is_no_post_is_answered_with_its_status(
    method: str, path: str, body: bytes, headers: dict[str, str], status: int
) -> None:
    async with listening(a_feed(body_bytes=1000)) as (taker, client):
        told = await client.request(method, path, content=body, headers=headers)
        assert told.status_code == status
        assert (await client.post("/write", content=b"mill stock=1")).status_code == 204, "and it goes on"
    assert len(taker.taken) == 1


async def test_what_cannot_be_taken_now_is_sent_back_and_not_held() -> None:
    async with listening(a_feed(waiting=2)) as (taker, client):
        taker.may.clear()
        posts = [asyncio.create_task(client.post("/write", content=b"mill stock=%d" % n)) for n in range(6)]
        await until(lambda: sum(post.done() for post in posts) == 4)
        refused = [post.result() for post in posts if post.done()]
        assert {(told.status_code, told.headers["retry-after"]) for told in refused} == {(503, "1")}
        taker.may.set()
        assert sorted(told.status_code for told in await asyncio.gather(*posts)) == [204, 204, 503, 503, 503, 503]
    assert len(taker.taken) == 2


async def test_a_body_that_comes_again_is_told_once_also_after_a_restart() -> None:
    body = b"mill stock=1 1000000000"
    async with listening(a_feed()) as (first, client):
        for _ in range(2):
            assert (await client.post("/write", content=body)).status_code == 204
    assert len(first.taken) == 1
    async with listening(a_feed(), first.taken[-1].cursor) as (second, client):
        assert (await client.post("/write", content=body)).status_code == 204
        assert (await client.post("/write", content=b"mill stock=1")).status_code == 204
        assert (await client.post("/write", content=b"mill stock=1")).status_code == 204, "without times both count"
    assert len(second.taken) == 2
    assert second.feed.counts["doubled"] == 1


async def test_figures_older_than_the_newest_are_backfill() -> None:
    async with listening(a_feed()) as (taker, client):
        await client.post(
            "/write?precision=s", content=b"mill stock=1 20\nmill stock=2 10\nmill,line=1 output=1 15\nmill stock=3 30"
        )
    kinds = [(one.source_us // 1_000_000, one.kind is TelexKind.BACKFILL) for one in taker.taken]
    assert kinds == [(20, False), (10, True), (15, False), (30, False)]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"host": "0.0.0.0"}, "is not loopback"),
        ({"token_env": "NOT_SET"}, "the environment has no NOT_SET"),
    ],
)
def test_an_open_door_is_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(FeedError, match=said):
        a_feed(**settings)


def test_behind_a_proxy_and_with_a_token_it_may_listen_elsewhere() -> None:
    a_feed(host="0.0.0.0", behind_proxy=True)
    with pytest.raises(SettingsError, match="neither TLS nor a token"):
        a_feed(host="0.0.0.0", behind_proxy=True, token_env="")


async def test_a_port_that_is_taken_is_said() -> None:
    async with listening(a_feed()) as (taker, _):
        with pytest.raises(FeedError, match="choose another host or port"):
            await anext(cast(AsyncGenerator[Any, None], a_feed(port=taker.feed.port).readings(None)))


DECLARED = Declared("mill", SIGNALS)
good = st.fixed_dictionaries(
    {"time": st.integers(0, 10**9), "values": st.fixed_dictionaries({"stock": st.integers(0, 9)})}
)
rubbish = st.binary(max_size=40).map(lambda raw: raw.replace(b"\n", b""))


@given(st.lists(good | rubbish, min_size=2, max_size=8))
def test_every_good_object_is_kept_whatever_stands_on_the_other_lines(lines: list[Any]) -> None:
    body = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    if body.strip().startswith(b"["):
        body = b"#\n" + body
    kept = [
        (one.source_us, one.values["stock"]) for one in DECLARED.json(body, NOW_US).readings if "stock" in one.values
    ]
    for line in lines:
        if isinstance(line, dict):
            assert (line["time"] * 1_000_000, line["values"]["stock"] * 0.001) in kept


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["time", "values", "quality", "qualities", "stock"]), inner)
        ),
    ).map(lambda told: json.dumps(told).encode())
)
def test_no_body_does_any_harm(body: bytes) -> None:
    for read in (DECLARED.json(body, NOW_US), DECLARED.lines(body, "ns", NOW_US)):
        assert all(set(one.values) <= set(SIGNALS) for one in read.readings)
