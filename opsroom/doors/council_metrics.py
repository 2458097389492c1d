"""The council's figures for Prometheus: its load as `/api/council/load` tells it, and how orders ended. I/O (a thread).

The load is measured from the journal, which takes time: beside the loop, a few events at a time, and at most every `EVERY_S`,
whoever asks how often. Who asks waits for it a little, and is told else what was seen before.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from opsroom.council.load import OUTCOMES, CouncilLoad, council_load
from opsroom.doors.council_routes import DAYS
from opsroom.loop.hall import Hall
from opsroom.record.chain import Recorded

EVERY_S = 300.0
"""How old the load may be."""

PATIENCE_S = 1.0
"""How long whoever asks waits for a new look, in seconds of the world."""

PIECE = 20
"""So many events are read before others are let in: whoever runs holds the interpreter meanwhile."""

REST_S = 0.005
"""How long they are let in, in seconds of the world."""


class Glance:
    """The newest look at the council's load."""

    def __init__(self, hall: Hall) -> None:
        self.hall = hall
        self._load: CouncilLoad | None = None
        self._at = float("-inf")
        self._seen = -1
        self._looking: asyncio.Task[CouncilLoad] | None = None

    async def look(self) -> None:
        """Measure the load anew when it is old and the journal has grown; raises what was met when the journal was read."""
        hall, now = self.hall, time.monotonic()
        if self._looking is None and now - self._at >= EVERY_S and hall.journal.events != self._seen:
            self._at, self._seen = now, hall.journal.events
            self._looking = asyncio.create_task(self._measure(), name="council load")
        looking = self._looking
        if looking is None:
            return
        await asyncio.wait({looking}, timeout=PATIENCE_S)
        if looking.done() and self._looking is looking:
            self._looking = None
            self._load = looking.result()

    async def _measure(self) -> CouncilLoad:
        hall = self.hall
        session_s, at = hall.room.charter.council.session_s, hall.clock.now()
        given_up = threading.Event()
        try:
            return await asyncio.to_thread(
                lambda: council_load(_rested(hall.journal.read(), given_up), at, DAYS, session_s)
            )
        finally:
            given_up.set()  # a room that ends waits for its threads

    def collect(self) -> Iterator[Metric]:
        """What was seen last; nothing before the first look."""
        endings = CounterMetricFamily("opsroom_orders_ended", "Orders that are over, by ending", labels=["ending"])
        for ending, count in sorted(self.hall.room.endings.items()):
            endings.add_metric([ending], count)
        yield endings
        load = self._load
        if load is None:
            return
        motions = GaugeMetricFamily(
            "opsroom_council_motions", f"Motions opened in the last {DAYS:g} days, by outcome", labels=["outcome"]
        )
        for outcome in ("open", *OUTCOMES):
            motions.add_metric([outcome], float(getattr(load, outcome)))
        yield motions
        decided = GaugeMetricFamily(
            "opsroom_council_decision_seconds", "From the deviation to the decision", labels=["quantile"]
        )
        for quantile, seconds in (("0.5", load.decide_s), ("0.9", load.decide_s_90)):
            if seconds is not None:
                decided.add_metric([quantile], seconds)
        yield decided
        offers = GaugeMetricFamily(
            "opsroom_council_offers",
            "Terms of agreements that motions proposed to plants, by ending",
            labels=["ending"],
        )
        for ending in ("agreed", "refused", "unanswered"):
            offers.add_metric([ending], float(getattr(load, ending)))
        yield offers
        for name, text, value in (
            ("motions_per_session", "Motions opened a session", load.a_session),
            ("busiest_session_motions", "Motions opened in the busiest session", float(load.busiest)),
            ("repeated_motions", "Motions on an alarm that had one before", float(load.repeated)),
            ("reversed_motions", "Carried motions one of whose orders was revoked or superseded", float(load.reversed)),
            ("amendments", "Amendments that were adopted", float(load.amended)),
            ("ballots", "Ballots that were cast", float(load.ballots)),
            ("window_seconds", "How far back the council's load is measured", load.days * 86_400.0),
            ("session_seconds", "How long a session is", load.session_s),
        ):
            yield GaugeMetricFamily(f"opsroom_council_{name}", text, value=value)


def _rested(entries: Iterable[Recorded], given_up: threading.Event) -> Iterator[Recorded]:
    """Events as they are read, with rests in between, until nobody wants them any more."""
    for place, entry in enumerate(entries, 1):
        if place % PIECE == 0 and given_up.wait(REST_S):
            return
        yield entry
