"""Coverage-guided fuzzing of the wire, the session, the gateway and the plant's end: what `make fuzz` runs.

One case is a conversation: its first byte chooses the subprotocol, the rest are frames. Its checksum chooses who listens: if the
first byte did, the corpus would soon be of those alone that cost most, for they have most to be discovered. Whatever comes, only
`WireError` may leave the decoder, a session keeps every promise, the gateway goes on, and no order is obeyed that nobody signed.

    python -m tests.fuzz.guided FOLDER -runs=100000     (libFuzzer's own options follow the folder of the corpus)
"""

from __future__ import annotations

import asyncio
import gc
import random
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zlib import crc32

SEPARATOR = b"\x1e\x1e"
"""Between two frames of a case."""

MOST = 8
"""Frames of a case."""


COMPILED = ("telex_ingest.lockstep", "telex_ingest.mailbag", "telex_ingest.scanner", "telex_ingest.sockets")
"""Their passes are compiled, and the compiler cannot read what has been instrumented."""

TELL_EVERY = 250_000
"""Whenever a listener has had so many cases more it is told how many each has had."""


def seed(folder: Path) -> None:
    """Begin a corpus with conversations in order and a little out of order."""
    from tests.fuzz.hostile import frame

    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(1972)
    for number in range(200):
        packed = bool(number % 2)
        frames = [frame(rng, 1, 1 + n, packed=packed) for n in range(4)]
        raw = [one.encode("utf-8", "replace") if isinstance(one, str) else one for one in frames]
        (folder / f"seed-{number:03}").write_bytes(bytes([number % 128]) + SEPARATOR.join(raw))


def listeners() -> tuple[Callable[[bytes, bool], None], ...]:
    """Everybody who reads what a stranger sends; each takes the rest of a case and whether it is MessagePack."""
    from telex_ingest.gateway import Gateway
    from telex_ingest.heard import Accepted, GapClosed
    from telex_ingest.line import Limits
    from telex_ingest.proof import Pin, verify
    from telex_ingest.refusals import GROUNDS, WireError
    from telex_ingest.session import Session
    from telex_ingest.telex import FromPlant, Hello
    from telex_ingest.ticket import Ticket, TicketError
    from telex_ingest.wire import Subprotocol, decode, decode_room, encode
    from tests.telex_ingest.conftest import NOON, HandClock, birth

    limits = Limits(reorder=8, reorder_total=20, plants=3, readings_per_telex=4, answers=8, handshake_s=1e9)
    both = frozenset({"mill-1", "mill-2"})
    hello, born = Hello(link="link-1", token="secret-1"), birth("mill-1")
    begin = encode(FromPlant(hello=hello, births=(born,)))
    begun = decode(begin)
    pin = Pin(room="room-1", key="11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
    loop = asyncio.new_event_loop()

    def spoken(packed: bool) -> Subprotocol:
        return Subprotocol.MSGPACK if packed else Subprotocol.JSON

    def at_the_session(raw: bytes, packed: bool) -> None:
        session, now = Session("room-1", limits), NOON
        link = session.open()
        session.greet(link, hello, both, now)
        session.hear(link, begun, now)
        places: dict[tuple[str, int], int] = {}
        for part in raw.split(SEPARATOR)[:MOST]:
            now += 1.0
            try:
                decoded = decode(part, spoken(packed))
            except WireError as error:
                session.misheard(link, error, now)
                continue
            for item in (*session.hear(link, decoded, now), *session.tick(now)):
                if isinstance(item, Accepted | GapClosed):
                    first, last = (item.seq, item.seq) if isinstance(item, Accepted) else (item.first, item.last)
                    assert first == places.get((item.plant, item.epoch), 0) + 1, "in order, without holes, once"
                    places[item.plant, item.epoch] = last
            session.acknowledge({plant: (epoch, seq) for (plant, epoch), seq in places.items()})
            for ready in session.take_ready():
                answer = ready.outbox.take()
                assert decode_room(encode(answer)) == answer
                assert {one.code for one in answer.refusals} <= set(GROUNDS)
            assert session.desk.tally.waiting <= limits.reorder_total
        line = session.line()
        assert sum(plant.waiting for plant in line.plants.values()) == line.waiting
        assert len(line.plants) <= limits.plants

    def at_the_gateway(raw: bytes, packed: bool) -> None:
        heard: list[Any] = []

        def deliver(item: Any) -> bool:
            heard.append(item)
            return True

        def authorise(link: str, token: str) -> frozenset[str] | None:
            return both if (link, token) == ("link-1", "secret-1") else None

        gateway = Gateway("room-1", authorise, deliver, HandClock(), limits)
        said = [begin, *raw.split(SEPARATOR)[:MOST]] if raw[:1] > b"\x40" else raw.split(SEPARATOR)[:MOST]
        coming: list[dict[str, Any]] = [{"type": "websocket.connect"}]
        for part in said:
            text = isinstance(part, str) or not packed
            coming.append(
                {
                    "type": "websocket.receive",
                    "text": part if isinstance(part, str) else part.decode("utf-8", "replace"),
                }
                if text
                else {"type": "websocket.receive", "bytes": part}
            )
        coming.append({"type": "websocket.disconnect", "code": 1000})
        coming.reverse()
        told: list[str] = []

        async def receive() -> Any:
            return coming.pop() if coming else await asyncio.Event().wait()

        async def send(message: Any) -> None:
            told.append(message["type"])

        scope = {"type": "websocket", "headers": [], "subprotocols": [spoken(packed).value], "extensions": {}}
        loop.run_until_complete(gateway(scope, receive, send))
        assert told[0] == "websocket.accept"
        assert gateway.line().links == 0, "nothing is left of a link that has gone"

    def at_the_plant(raw: bytes, packed: bool) -> None:
        for part in raw.split(SEPARATOR)[:MOST]:
            try:
                said = decode_room(part, spoken(packed))
            except WireError:
                continue
            for order in said.orders:
                assert verify(order, pin, frozenset(), NOW_S) is not None, "nobody signed this"

    def at_the_desk(raw: bytes, packed: bool) -> None:
        try:
            ticket = Ticket.read(("telex1." if packed else "") + raw.decode("latin-1"))
        except TicketError:
            return
        assert not packed or Ticket.read(ticket.line()) == ticket

    def at_the_wire(raw: bytes, packed: bool) -> None:
        codes: set[str] = set()
        for part in raw.split(SEPARATOR)[:MOST]:
            try:
                decode(part, spoken(packed))
            except WireError as error:
                codes.add(error.code)
        assert codes <= set(GROUNDS)

    # Of 64 cases so many each, whatever the corpus has become: a whole gateway with its tasks costs sixteen times as much as
    # the decoder, a session twice.
    shares = {at_the_session: 18, at_the_gateway: 1, at_the_plant: 10, at_the_desk: 5, at_the_wire: 30}
    return tuple(listener for listener, share in shares.items() for _ in range(share))


NOW_S = 1_000.0


def main() -> None:
    """Fuzz until libFuzzer's own limits (`-runs`, `-max_total_time`) or a broken promise."""
    import atheris

    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit("say where the corpus lies: python -m tests.fuzz.guided FOLDER [-runs=N]")
    with atheris.instrument_imports(include=["telex_ingest"], exclude=list(COMPILED)):
        seed(Path(sys.argv[1]))
        choices = listeners()
    turns: Counter[str] = Counter()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)  # what a case leaves behind is little, and looking for it took a part of each

    def case(raw: bytes) -> None:
        if not raw:
            return
        listener = choices[crc32(raw) % len(choices)]
        turns[listener.__name__] += 1
        if turns[listener.__name__] % TELL_EVERY == 0:
            sys.stderr.write(f"{turns.total()} cases: {dict(turns)}\n")
        listener(raw[1:], bool(raw[0] & 1))

    atheris.Setup(sys.argv, case)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
