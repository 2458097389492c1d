"""A real series: the Nile at Aswan, told to a room; its level step of 1899 is named within a year, by 1904."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from opsroom.room.events import Deviation
from simulators.nile import NileFeed, flows, source_us
from telex_ingest.heard import Accepted
from telex_ingest.telex import Reading, TelexKind
from tests.journeys.offline import Offline


def year_of(at: float | None) -> int:
    assert at is not None
    return datetime.fromtimestamp(at, UTC).year


def test_the_room_names_the_step_of_1899_by_1904_with_at_most_two_other_steps() -> None:
    birth = NileFeed().birth()
    room = Offline((birth,), 0.0)
    named: list[tuple[int, Deviation]] = []
    for seq, (year, flow) in enumerate(flows(), start=1):
        at = source_us(year)
        readings = (Reading(1, flow),)
        telex = Accepted(birth.plant, 1, seq, at, at, TelexKind.LIVE, (1,), readings)
        events = room.hear([telex], float(seq))
        named += [(year, event.deviation) for event in events if hasattr(event, "deviation")]
    steps = [(year, deviation) for year, deviation in named if deviation.named == "step"]
    great = [(year, deviation) for year, deviation in steps if abs(year_of(deviation.since) - 1899) <= 1]
    assert great, [(year, year_of(deviation.since), deviation.named) for year, deviation in named]
    year, deviation = great[0]
    assert year <= 1904
    assert deviation.direction == "down"
    assert deviation.size is not None
    assert -400 < deviation.size < -150
    others = {year_of(deviation.since) for _, deviation in steps if abs(year_of(deviation.since) - 1899) > 1}
    assert len(others) <= 2, others
    assert msgspec.json.encode(deviation)
