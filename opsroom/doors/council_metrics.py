"""The council's figures for Prometheus: its load as `/api/council/load` tells it, and how orders ended. I/O (a thread).

The load is measured from the journal, which takes time: beside the loop, and at most every `EVERY_S`, whoever asks how often.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from opsroom.council.load import OUTCOMES, CouncilLoad, council_load
from opsroom.doors.council_routes import DAYS
from opsroom.loop.hall import Hall

EVERY_S = 300.0
"""How old the load may be."""


class Glance:
    """The newest look at the council's load."""

    def __init__(self, hall: Hall) -> None:
        self.hall = hall
        self._load: CouncilLoad | None = None
        self._at = float("-inf")
        self._seen = -1

    async def look(self) -> None:
        """Measure the load anew when it is old and the journal has grown."""
        hall, now = self.hall, time.monotonic()
        if now - self._at < EVERY_S or hall.journal.events == self._seen:
            return
        self._at, self._seen = now, hall.journal.events
        session_s, at = hall.room.charter.council.session_s, hall.clock.now()
        self._load = await asyncio.to_thread(lambda: council_load(hall.journal.read(), at, DAYS, session_s))

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
