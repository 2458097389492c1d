"""The gateway under random hostile frames: wire, session and outbox together, without a socket between, so that it goes fast."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

import telex_ingest
from telex_ingest.heard import Accepted, GapClosed, Heard
from telex_ingest.line import Limits
from telex_ingest.refusals import GROUNDS, WireError
from telex_ingest.session import Session
from telex_ingest.states import LinkState
from telex_ingest.telex import FromPlant, Hello
from telex_ingest.wire import Subprotocol, decode, decode_room, encode
from tests.fuzz.guided import COMPILED
from tests.fuzz.hostile import frame
from tests.telex_ingest.conftest import NOON, birth
from tests.telex_ingest.session_line import telex


def play(seed: int, frames: int) -> Session:
    """Send hostile frames over links that come and go, and hold every promise after each."""
    rng = random.Random(seed)
    limits = Limits(reorder=8, reorder_total=20, plants=3, readings_per_telex=4, answers=8)
    session = Session("room-1", limits)
    link = session.open()
    now = NOON
    places: dict[tuple[str, int], int] = {}
    heard: list[Heard] = []
    for _ in range(frames):
        now += rng.choice([0.0, 0.1, 3.0, 40.0])
        if rng.random() < 0.02 or link.state is LinkState.CLOSED:
            session.close(link)
            link = session.open()
            if rng.random() < 0.8:
                session.greet(link, Hello(link="link-1"), frozenset({"mill-1", "mill-2"}), now)
        subprotocol = rng.choice(list(Subprotocol))
        try:
            stands = session.line().plants.get("mill-1")
            epoch, seq = (stands.epoch, stands.heard + 1) if stands else (1, 1)
            decoded = decode(frame(rng, epoch, seq, packed=subprotocol is Subprotocol.MSGPACK), subprotocol)
        except WireError as error:
            session.misheard(link, error, now)
        else:
            if decoded.frame.hello is not None:
                allowed = frozenset({"mill-1", "mill-2"}) if decoded.frame.hello.token == "secret-1" else None
                if not session.greet(link, decoded.frame.hello, allowed, now):
                    continue
            heard = session.hear(link, decoded, now)
        heard = [*heard, *session.tick(now)]
        for item in heard:
            if isinstance(item, Accepted | GapClosed):
                first, last = (item.seq, item.seq) if isinstance(item, Accepted) else (item.first, item.last)
                assert first == places.get((item.plant, item.epoch), 0) + 1, "in order, without holes, once"
                places[item.plant, item.epoch] = last
        heard = []
        if rng.random() < 0.1:
            session.acknowledge({plant: (epoch, seq) for (plant, epoch), seq in places.items()})
        for ready in session.take_ready():
            answer = ready.outbox.take()
            assert decode_room(encode(answer)) == answer
            assert {one.code for one in answer.refusals} <= set(GROUNDS)
        line = session.line()
        assert line.waiting == sum(plant.waiting for plant in line.plants.values()) <= limits.reorder_total
        assert len(line.plants) <= limits.plants
    return session


def goes_on(session: Session) -> None:
    """After all that a plain plant is heard."""
    link = session.open()
    assert session.greet(link, Hello(link="link-1"), frozenset({"*"}), NOON)
    known = session.line().plants
    name = next(iter(known), "mill-1")
    epoch = known[name].epoch + 1 if name in known else 1
    said = encode(FromPlant(births=(birth(name, epoch=epoch),), telexes=(telex(1, plant=name, epoch=epoch),)))
    heard = session.hear(link, decode(said), NOON)
    assert isinstance(heard[-1], Accepted)


def test_a_thousand_hostile_frames_break_no_promise() -> None:
    session = play(seed=1972, frames=1000)
    line = session.line()
    assert line.telexes > 100, "the storm is not so wild that nothing gets through"
    assert len(line.refused) > 8, "and it finds many grounds"
    goes_on(session)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(8))
def test_many_hostile_frames_break_no_promise(seed: int) -> None:
    goes_on(play(seed, frames=20_000))


def test_the_guided_fuzzer_leaves_alone_what_is_compiled() -> None:
    files = sorted(Path(telex_ingest.__file__).parent.glob("*.py"))
    compiled = [one.stem for one in files if re.search("^@compiled", one.read_text(encoding="utf-8"), re.MULTILINE)]
    assert [f"telex_ingest.{name}" for name in compiled] == list(COMPILED)
