"""TLS for real: a room with a certificate, links that come in by one instead of a token, and those who may not."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import structlog
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.client import connect

from opsroom.app import Served, doors_open
from opsroom.clock import HandClock, SystemClock
from opsroom.entry.certificates import names_of, shown
from opsroom.entry.guard import AddressRefusedError, Doors
from opsroom.entry.links import Links
from opsroom.loop.hall import Hall, open_hall
from simulators.performance import run as simulate
from telex_ingest.plant_link import PlantLink
from telex_ingest.trust import trust
from tests.opsroom.rooms import MILL, make_folder
from tests.telex_ingest.conftest import until


class Authority:
    """A certificate authority and what it signed, as files."""

    def __init__(self, folder: Path) -> None:
        self.ca = trustme.CA()
        self.folder = folder
        self.ca.cert_pem.write_to_path(folder / "ca.pem")
        server = self.ca.issue_cert("127.0.0.1", "localhost")
        server.cert_chain_pems[0].write_to_path(folder / "server.pem")
        server.private_key_pem.write_to_path(folder / "server.key")

    def doors(self, **more: Any) -> Doors:
        return Doors(
            port=0,
            tls_cert=str(self.folder / "server.pem"),
            tls_key=str(self.folder / "server.key"),
            client_ca=str(self.folder / "ca.pem"),
            **more,
        )

    def client(self, name: str = "", by: trustme.CA | None = None) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self.ca.configure_trust(context)
        if name:
            (by or self.ca).issue_cert(name).configure_cert(context)
        return context


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    made = open_hall(
        make_folder(tmp_path / "room"), SystemClock, structlog.wrap_logger(structlog.ReturnLogger()), "test"
    )
    yield made
    made.close()


@asynccontextmanager
async def opened(hall: Hall, doors: Doors) -> AsyncIterator[Served]:
    async with doors_open(hall, doors) as served:
        yield served


async def test_a_room_with_tls_takes_links_and_people_and_nobody_in_clear(hall: Hall, authority: Authority) -> None:
    ticket = hall.ticket("mill", hall.links.add("mill", ["mill-1"]))
    async with opened(hall, authority.doors()) as served:
        url = f"wss://127.0.0.1:{served.port}/telex"
        async with PlantLink(url, "mill", ticket, [MILL], tls=authority.client()) as link:
            assert await link.connected(60)
        async with httpx.AsyncClient(verify=authority.client(), base_url=served.address, timeout=60) as person:
            assert (await person.get("/healthz")).json() == {"ok": True}
        async with PlantLink(url, "mill", ticket, [MILL], tls=ssl.create_default_context()) as stranger:
            await until(lambda: "certificate" in stranger.trouble.lower())
            assert not await stranger.connected(0.01)
        async with PlantLink(url.replace("wss", "ws"), "mill", ticket, [MILL]) as clear:
            await until(lambda: clear.trouble)
            assert not await clear.connected(0.01)


async def test_a_link_comes_in_by_its_certificate_and_by_no_other(hall: Hall, authority: Authority) -> None:
    empty = hall.ticket("mill", hall.links.add("mill", ["mill-1"], "dns:mill.example"))
    async with opened(hall, authority.doors()) as served:
        url = f"wss://127.0.0.1:{served.port}/telex"
        async with PlantLink(url, "mill", empty, [MILL], tls=authority.client("mill.example")) as link:
            assert await link.connected(60)
            assert link.pin is not None
        for context in (authority.client("other.example"), authority.client()):
            async with PlantLink(url, "mill", empty, [MILL], tls=context) as other:
                await until(lambda: other.refusals)
                assert other.refusals[-1].code == "unauthorised"
                assert not await other.connected(0.01)
        foreign = trustme.CA()
        async with PlantLink(url, "mill", empty, [MILL], tls=authority.client("mill.example", foreign)) as forged:
            await until(lambda: forged.trouble)
            assert not await forged.connected(0.01)


async def test_simulated_plants_come_in_by_a_certificate(hall: Hall, authority: Authority, tmp_path: Path) -> None:
    ticket = hall.ticket("plants", hall.links.add("plants", ["textile-mill"], "dns:plants.example"))
    shown = authority.ca.issue_cert("plants.example")
    shown.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "plants.pem"))
    async with opened(hall, authority.doors()) as served:
        ran = await simulate(
            "quiet-day",
            url=f"wss://127.0.0.1:{served.port}/telex",
            link="plants",
            token=ticket,
            speed=3600.0,
            duration_s=600.0,
            plants=["textile-mill"],
            patience_s=60.0,
            tls=trust(authority.folder / "ca.pem", tmp_path / "plants.pem"),
        )
    assert ran.told == ran.acknowledged == 10


async def test_a_link_whose_certificate_is_taken_back_is_cut(hall: Hall, authority: Authority) -> None:
    hall.links.add("mill", ["mill-1"], "dns:mill.example")
    async with opened(hall, authority.doors()) as served:
        url = f"wss://127.0.0.1:{served.port}/telex"
        context = authority.client("mill.example")
        async with connect(url, subprotocols=["telex.v1"], ssl=context) as socket:  # type: ignore[list-item] # a string is one
            await socket.send(json.dumps({"hello": {"link": "mill"}}))
            assert "welcome" in json.loads(await socket.recv())
            hall.links.revoke("mill")
            await socket.wait_closed()
            assert socket.close_code == 1008


def test_a_fingerprint_a_common_name_and_other_names_are_known(authority: Authority) -> None:
    issued = authority.ca.issue_cert("mill.example", common_name="Mill 1")
    names = names_of(issued.cert_chain_pems[0].bytes().decode())
    assert "dns:mill.example" in names
    assert "cn:Mill 1" in names
    assert any(name.startswith("sha256:") and len(name) == 71 for name in names)


def test_a_proxys_header_counts_only_when_the_room_was_told_so(authority: Authority) -> None:
    pem = authority.ca.issue_cert("mill.example").cert_chain_pems[0].bytes().decode()
    header = (b"x-client-cert", quote(pem).encode())
    assert shown({"headers": [header]}) == frozenset()
    assert "dns:mill.example" in shown({"headers": [header]}, "X-Client-Cert")
    assert shown({"headers": [header, header]}, "X-Client-Cert") == frozenset()


@given(st.text(max_size=200))
def test_what_is_no_certificate_has_no_name(text: str) -> None:
    assert names_of(text) == frozenset()
    assert shown({"headers": [(b"x", text.encode())]}, "x") == frozenset()


def test_a_certificate_belongs_to_one_link(tmp_path: Path) -> None:
    links = Links.open(tmp_path / "people.sqlite", SystemClock())
    assert links.add("mill", ["mill-1"], "cn:mill") == ""
    assert links.vouched("mill", ["cn:mill"]) == {"mill-1"}
    assert links.vouched("mill", ["cn:other"]) is None
    assert links.vouched("nobody", ["cn:mill"]) is None
    assert links.authorise("mill", "") is None, "an empty token is none"
    with pytest.raises(ValueError, match="belongs to a link"):
        links.add("other", ["mill-2"], "cn:mill")
    links.revoke("mill")
    assert links.vouched("mill", ["cn:mill"]) is None
    links.close()


def test_a_certificate_is_changed_without_a_gap_and_never_becomes_a_token(tmp_path: Path) -> None:
    clock = HandClock(1e9)
    links = Links.open(tmp_path / "people.sqlite", clock)
    links.add("mill", ["mill-1"], "cn:old")
    assert links.rotate("mill") == "", "a link that comes in by a certificate has no token"
    assert (links.list()[0].tokens, links.list()[0].certificates) == (0, ("cn:old",))
    with pytest.raises(ValueError, match="no certificate's name"):
        links.rotate("mill", certificate="new")
    assert links.rotate("mill", 60.0, "cn:new") == ""
    assert {name: links.vouched("mill", [name]) for name in ("cn:old", "cn:new")} == dict.fromkeys(
        ("cn:old", "cn:new"), frozenset({"mill-1"})
    )
    before = links.standing()
    clock.wind(60.0)
    assert links.vouched("mill", ["cn:old"]) is None
    assert links.vouched("mill", ["cn:new"]) == frozenset({"mill-1"})
    assert links.standing() != before, "who came in by the old one is looked at again"
    assert links.list()[0].certificates == ("cn:new",)
    links.rotate("mill", 0.0, "cn:old")
    assert links.vouched("mill", ["cn:old"]) == frozenset({"mill-1"})
    assert links.vouched("mill", ["cn:new"]) is None
    token = links.add("loom", ["loom-1"])
    links.rotate("loom", 0.0, "dns:loom.example")
    assert links.authorise("loom", token) is None, "from now on it comes in by its certificate alone"
    assert links.vouched("loom", ["dns:loom.example"]) == frozenset({"loom-1"})
    links.close()


async def test_who_came_in_by_what_has_been_changed_at_once_is_cut(hall: Hall, authority: Authority) -> None:
    hall.links.add("mill", ["mill-1"], "dns:mill.example")
    token = hall.links.add("loom", ["loom-1"])
    async with opened(hall, authority.doors()) as served:
        url = f"wss://127.0.0.1:{served.port}/telex"
        for link, said, name, following in (
            ("mill", {}, "mill.example", "dns:next.example"),
            ("loom", {"token": token}, "", ""),
        ):
            async with connect(url, ssl=authority.client(name)) as socket:
                await socket.send(json.dumps({"hello": {"link": link} | said}))
                assert "welcome" in json.loads(await socket.recv())
                hall.links.rotate(link, 0.0, following)
                assert json.loads(await socket.recv())["refusals"][0]["code"] == "unauthorised"
                await socket.wait_closed()
                assert socket.close_code == 1008


@pytest.mark.parametrize(
    ("doors", "what"),
    [
        (Doors(client_ca="ca.pem"), "needs TLS"),
        (Doors(certificate_header="x-client-cert"), "anybody could write"),
        (Doors(proxies=("10.0.0.1",)), "names no proxy"),
        (Doors(host="0.0.0.0"), "other machines could read"),
    ],
)
def test_doors_that_would_let_in_more_than_they_say_are_refused(doors: Doors, what: str) -> None:
    with pytest.raises(AddressRefusedError, match=what):
        doors.check()


async def test_the_figures_are_for_this_machine_or_for_the_token(hall: Hall) -> None:
    near = Doors(port=0)
    async with opened(hall, near) as served, httpx.AsyncClient(base_url=served.address, timeout=60) as client:
        assert (await client.get("/metrics")).status_code == 200


async def test_behind_a_proxy_the_figures_need_the_token_and_each_person_has_an_allowance(hall: Hall) -> None:
    doors = Doors(port=0, behind_proxy=True, metrics_token="let me see")
    async with opened(hall, doors) as served, httpx.AsyncClient(base_url=served.address, timeout=60) as client:
        assert (await client.get("/metrics")).status_code == 401
        assert (await client.get("/metrics", headers={"authorization": "Bearer no"})).status_code == 401
        assert (await client.get("/metrics", headers={"authorization": "Bearer let me see"})).status_code == 200

        async def tried(whence: str) -> int:
            body = {"account": "seat-1", "passphrase": "wrong"}
            return (await client.post("/api/login", json=body, headers={"x-forwarded-for": whence})).status_code

        assert [await tried("192.0.2.1") for _ in range(6)] == [401] * 5 + [429]
        assert await tried("192.0.2.2") == 401, "the proxy's word on who asks counts"


def test_files_with_which_the_room_could_not_speak_tls_are_told_before_it_opens(
    authority: Authority, tmp_path: Path
) -> None:
    good = authority.doors()
    good.check()
    other, folder = trustme.CA(), authority.folder
    other.issue_cert("127.0.0.1").private_key_pem.write_to_path(tmp_path / "other.key")
    (tmp_path / "none.pem").write_text("no certificate")
    key = load_pem_private_key((folder / "server.key").read_bytes(), None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"open sesame"))
    (tmp_path / "locked.key").write_bytes(locked)
    for change, what in (
        ({"tls_key": str(tmp_path / "other.key")}, "is not the key of"),
        ({"tls_key": str(tmp_path / "locked.key")}, "has a password"),
        ({"tls_key": str(tmp_path / "missing.key")}, "cannot be read"),
        ({"tls_cert": str(tmp_path / "none.pem")}, "no certificate with its key"),
        ({"tls_key": ""}, "no certificate with its key"),
        ({"client_ca": str(tmp_path / "none.pem")}, "holds no certificate of an authority"),
        ({"client_ca": str(tmp_path)}, "cannot be read"),
        ({"tls_cert": "", "client_ca": ""}, "speaks no TLS"),
    ):
        with pytest.raises(AddressRefusedError, match=what):
            replace(good, **change).check()


@pytest.mark.long
async def test_a_handshake_of_tls_that_never_begins_is_cut_in_time(hall: Hall, authority: Authority) -> None:
    async with opened(hall, authority.doors()) as room:
        reader, writer = await asyncio.open_connection("127.0.0.1", room.port)
        async with asyncio.timeout(45):  # the library's own patience is a minute
            assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()


async def shaken(served: Served, context: ssl.SSLContext) -> None:
    """A handshake of TLS that the room does not take, and a byte that finds out."""
    with suppress(OSError):
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port, ssl=context)
        try:
            writer.write(b"GET /healthz HTTP/1.1\r\n\r\n")
            assert await reader.read() == b"", "who is not let in hears nothing"
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


def refusing(port: int) -> None:
    """Somebody who does not trust the room, and says so in TLS's own words, as asyncio does not."""
    with socket.create_connection(("127.0.0.1", port)) as plain, pytest.raises(ssl.SSLCertVerificationError):
        ssl.create_default_context().wrap_socket(plain, server_hostname="127.0.0.1")


def turned_away(text: str) -> dict[str, str]:
    """How many were turned away, by reason, as the metrics tell."""
    return dict(re.findall(r'^opsroom_turned_away_total\{reason="([a-z-]+)"\} ([1-9]\S*)$', text, re.MULTILINE))


async def test_a_certificate_that_fails_in_the_handshake_is_counted_shown_and_told_with_its_reason(
    hall: Hall, authority: Authority
) -> None:
    ended = authority.client()
    past = datetime(2001, 1, 1, tzinfo=UTC)
    authority.ca.issue_cert("mill.example", not_before=past, not_after=past + timedelta(days=1)).configure_cert(ended)
    stranger = ssl.create_default_context()
    stranger.load_verify_locations(authority.folder / "ca.pem")
    trustme.CA().issue_cert("mill.example").configure_cert(stranger)
    async with opened(hall, authority.doors()) as served:
        await shaken(served, ended)
        for _ in range(2):
            await shaken(served, stranger)
        await asyncio.to_thread(refusing, served.port)
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        await reader.read()
        writer.close()
        await writer.wait_closed()
        good = authority.client("good.example")
        async with httpx.AsyncClient(base_url=served.address, verify=good, timeout=60) as client:
            turned = {
                "certificate-ended": "1.0",
                "certificate-untrusted": "2.0",
                "tls-room-untrusted": "1.0",
                "tls-clear": "1.0",
            }
            # The room hears that somebody does not trust it after they have gone.
            async with asyncio.timeout(60):
                while turned_away(text := (await client.get("/metrics")).text) != turned:  # noqa: ASYNC110 - the room's own state
                    await asyncio.sleep(0.05)
    assert 'opsroom_line_refused_total{code="unauthorised"} 3.0' in text, (
        "the line screen and its log tell of certificates"
    )
