"""The push: a snapshot, numbered deltas, newest reading wins, no event dropped, no session outlived."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import msgspec
import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from opsroom.constitution.charter import read
from opsroom.doors import watch as watch_module
from opsroom.doors.panorama import Panorama
from opsroom.doors.watch import Subscriber, Watchers
from opsroom.judgement.bank import Bank
from opsroom.record.store import Place
from opsroom.room.events import PlantJoined
from opsroom.room.room import newborn
from opsroom.showing.look import Look
from opsroom.showing.scene import Scene
from opsroom.views import Delta, LineBook, Snapshot, TickerLine, UnitView, Viewer
from telex_ingest.plant_link import PlantLink
from telex_ingest.telex import PlantBirth, SignalBirth
from tests.opsroom.rooms import MILL, TOML, figures, make_folder, served, tell

ANYBODY = Viewer(role="viewer")


def line(text: str) -> TickerLine:
    return TickerLine(at=0.0, kind="alarm", unit="mill-1", text=text)


def unit(name: str) -> UnitView:
    return UnitView(id=name, title="", level="", parent="", children=(), state="calm")


@pytest.fixture
def watchers() -> Watchers:
    bank = Bank()
    signals = tuple(SignalBirth(id=n, name=f"s-{n}", unit="t", period_s=1.0) for n in range(4))
    bank.admit(PlantBirth(plant="mill-1", signals=signals), {f"mill-1/s-{n}": Place(2, n) for n in range(4)})
    file = read(TOML)
    return Watchers(Scene(newborn(file.id, file.charter), bank), lambda: 5.0)


def told(watchers: Watchers, subscriber: Subscriber) -> Snapshot | Delta:
    return msgspec.json.decode(watchers.message(subscriber), type=Snapshot | Delta)


async def test_a_screen_that_falls_behind_gets_a_snapshot_and_never_grows(watchers: Watchers) -> None:
    subscriber = Subscriber(ANYBODY, "")
    watchers.subscribers.add(subscriber)
    assert isinstance(told(watchers, subscriber), Snapshot)
    for number in range(watch_module.LINES + 50):
        watchers.push((), np.array([0, 1], np.int64), [line(str(number))])
    assert len(subscriber.lines) <= watch_module.LINES + 1
    assert isinstance(told(watchers, subscriber), Snapshot)


async def test_a_screen_is_not_told_how_units_were_before_its_snapshot(watchers: Watchers) -> None:
    earlier, later = Subscriber(ANYBODY, ""), Subscriber(ANYBODY, "")
    assert isinstance(told(watchers, earlier), Snapshot)
    assert isinstance(told(watchers, earlier), Delta)  # here all units are looked at for those who have their snapshot
    watchers.scene.bank.heard_us["mill-1"] = 4_000_000
    seen = told(watchers, later)
    assert isinstance(seen, Snapshot)
    assert [row.last_at for row in seen.units if row.id == "mill-1"] == [4.0]
    assert told(watchers, later).units == ()


async def test_lines_are_never_dropped_and_messages_are_numbered_without_a_gap(watchers: Watchers) -> None:
    subscriber = Subscriber(ANYBODY, "mill-1")
    watchers.subscribers.add(subscriber)
    first = told(watchers, subscriber)
    heard, n = [], first.n
    for number in range(100):
        watchers.push((), np.array([3], np.int64), [line(str(number))])
        if number % 7 == 0:
            delta = told(watchers, subscriber)
            assert isinstance(delta, Delta)
            assert delta.n == n + 1
            n = delta.n
            heard += [row.text for row in delta.ticker]
    heard += [row.text for row in told(watchers, subscriber).ticker]
    assert heard == [str(number) for number in range(100)]


async def test_only_signals_in_focus_are_sent(watchers: Watchers) -> None:
    subscriber = Subscriber(ANYBODY, "nowhere-yet")
    watchers.subscribers.add(subscriber)
    told(watchers, subscriber)
    subscriber.lanes[:] = [True, False, False, False]
    watchers.push((), np.array([0, 1, 2, 3], np.int64), [])
    assert (subscriber.points, watchers.coalesced) == ({0}, 0)
    watchers.push((), np.array([0, 2], np.int64), [])
    assert (subscriber.points, watchers.coalesced) == ({0}, 1), "a newer point has replaced one that nobody took"


async def first_of(socket: ClientConnection) -> Snapshot | Delta:
    return msgspec.json.decode(await socket.recv(), type=Snapshot | Delta)


async def all_of(socket: ClientConnection) -> None:
    while True:
        await socket.recv()


async def test_a_screen_chooses_its_focus_and_asks_for_what_it_missed(tmp_path: Path) -> None:
    async with served(make_folder(tmp_path / "room"), anonymous_wall=True) as room:
        url = f"ws://127.0.0.1:{room.port}/watch"
        async with asyncio.timeout(60), connect(url) as socket:
            assert isinstance(await first_of(socket), Snapshot)
            await socket.send("this is no request")
            await socket.send('{"focus": "mill-1"}')
            while not isinstance(found := await first_of(socket), Snapshot):
                continue
            assert found.focus == "mill-1"
            await socket.send('{"resume": true}')
            while not isinstance(found := await first_of(socket), Snapshot):
                continue
            assert found.focus == "mill-1"
        with pytest.raises(InvalidStatus) as refused:
            await connect(url, origin="https://evil.example").__aenter__()  # type: ignore[arg-type] # a string is one
        assert refused.value.response.status_code == 403


async def test_a_screen_ends_with_its_session(tmp_path: Path) -> None:
    async with served(make_folder(tmp_path / "room")) as room, room.person("seat-2") as client:
        url = f"ws://127.0.0.1:{room.port}/watch"
        async with asyncio.timeout(60):
            async with connect(url) as stranger:
                with pytest.raises(ConnectionClosed) as closed:
                    await stranger.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 4401
            cookie = {"cookie": f"opsroom_session={client.cookies['opsroom_session']}"}
            async with connect(url, additional_headers=cookie) as socket:
                snapshot = await first_of(socket)
                assert isinstance(snapshot, Snapshot)
                assert snapshot.viewer.seat == 2
                room.hall.people.revoke("seat-2")
                with pytest.raises(ConnectionClosed) as closed:
                    await all_of(socket)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 4401


async def test_a_screen_turns_to_a_page_of_the_line_and_keeps_it_after_a_snapshot(tmp_path: Path) -> None:
    async with served(make_folder(tmp_path / "room"), anonymous_wall=True) as room:
        token = room.hall.links.add("north", ["mill-1"])
        async with asyncio.timeout(60), PlantLink(room.telex, "north", token, [MILL]) as link:
            await tell(link, 1_772_431_200.0, figures(2, seed=3))
            async with connect(f"ws://127.0.0.1:{room.port}/watch") as socket:
                await socket.send('{"line": {"search": "spinning"}}')
                while (page := await page_of(socket)).links[0].state != "speaking":
                    continue  # on a busy machine it may just have come back
                assert [(row.plant, row.link, row.telexes) for row in page.plants] == [("mill-1", "north", 2)]
                assert [(one.link, one.state, one.plants) for one in page.links] == [("north", "speaking", 1)]
                await socket.send('{"resume": true}')
                assert (await page_of(socket)).search == "spinning"
                await socket.send('{"line": {"search": "nowhere", "sort": "spooled"}}')
                while (page := await page_of(socket)).search != "nowhere":
                    continue
                assert (page.matched, page.total) == (0, 1)
            async with room.person() as client:
                told = (await client.get("/api/line/book?search=mill")).json()
                assert told["plants"][0]["title"] == "Spinning mill"
                assert (await client.get("/api/line/book?sort=luck")).status_code == 422


async def page_of(socket: ClientConnection) -> LineBook:
    while True:
        heard = await first_of(socket)
        if isinstance(heard, Delta) and heard.book is not None:
            return heard.book


async def test_a_dear_look_for_a_snapshot_is_made_beside_the_loop_and_knows_what_was_there_when_it_was_asked_for() -> (
    None
):
    here, looked, known = threading.get_ident(), list[int](), [unit("mill-1")]

    def look(before: Look) -> Look:
        looked.append(threading.get_ident())
        return Look.of(known)

    panorama = Panorama(look)
    assert await panorama.anew() is None, "nobody knows yet that it is dear"
    panorama._take(Look(), 1.0)
    first = asyncio.create_task(panorama.anew())
    await asyncio.sleep(0)
    known.append(unit("mill-2"))
    second = asyncio.create_task(panorama.anew())
    older, newer = await asyncio.gather(first, second)
    assert older is not None
    assert newer is not None
    assert newer.rows() == tuple(known)
    assert len(looked) == 2
    assert here not in looked


async def test_a_look_that_a_birth_came_in_the_way_of_is_left_to_the_loop() -> None:
    def look(before: Look) -> Look:
        raise RuntimeError("dictionary changed size during iteration")

    panorama = Panorama(look)
    panorama._take(Look.of((unit("mill-1"),)), 1.0)
    assert await panorama.anew() is None


async def test_what_is_born_during_the_look_for_a_snapshot_gets_another_one(watchers: Watchers) -> None:
    subscriber = Subscriber(ANYBODY, "")
    watchers.subscribers.add(subscriber)
    joined = PlantJoined(at=5.0, plant="mill-2", title="", link="", parent="", signals=())
    subscriber.fresh, subscriber.born = True, False  # as it stands while the units are looked at
    watchers.push((joined,), np.empty(0, np.int64), [])
    looked_at = watchers.scene.look()
    assert isinstance(
        msgspec.json.decode(watchers.message(subscriber, looked_at, 0.0), type=Snapshot | Delta), Snapshot
    )
    assert subscriber.born
    subscriber.again_at = 0.0
    assert isinstance(told(watchers, subscriber), Snapshot)
    assert isinstance(told(watchers, subscriber), Delta)


async def test_a_flood_of_births_takes_a_small_share_of_the_time_in_snapshots(watchers: Watchers) -> None:
    subscriber = Subscriber(ANYBODY, "")
    watchers.subscribers.add(subscriber)
    joined = PlantJoined(at=5.0, plant="mill-2", title="", link="", parent="", signals=())
    assert isinstance(told(watchers, subscriber), Snapshot)
    subscriber.again_at = asyncio.get_running_loop().time() + 3600.0  # the one before was dear
    for _ in range(3):
        watchers.push((joined,), np.empty(0, np.int64), [line("born")])
        assert subscriber.wake.is_set()
        assert isinstance(delta := told(watchers, subscriber), Delta)
        assert len(delta.ticker) == 1
    subscriber.again_at = 0.0
    assert isinstance(told(watchers, subscriber), Snapshot), "what was born is shown, only later"
    assert subscriber.again_at > 0.0
    assert isinstance(told(watchers, subscriber), Delta)
    subscriber.again_at = asyncio.get_running_loop().time() + 3600.0
    subscriber.focus("mill-1")
    assert isinstance(told(watchers, subscriber), Snapshot), "who asks gets it at once"
