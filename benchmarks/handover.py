"""How long a hand-over takes on a long journal: what has changed in the last shift, beside reading the whole journal.

`python -m benchmarks.handover [EVENTS] [--whole]` writes a journal of a million events over a year of a room (alarms, five
events each), then asks for the last twelve hours, and for the last year, as the page does.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from opsroom.constitution.charter import read as read_charter
from opsroom.constitution.charter import template
from opsroom.doors.alarm_routes import SHIFT_S, handed_since
from opsroom.record.chain import Entry
from opsroom.record.journal import Journal, read
from opsroom.room import events as happened
from opsroom.room.events import VERSIONS, encode, kind_of
from opsroom.room.room import newborn
from opsroom.shift.handover import handover

YEAR_S = 365 * 86400.0
TIMES = 9


def events(count: int) -> Iterator[happened.AnyEvent]:
    """A year of alarms at one plant, five events each."""
    deviation = happened.Deviation(
        named="step", probability=0.97, direction="down", since=0.0, named_at=0.0, level=41.0
    )
    for n in range(count):
        at, alarm = n * YEAR_S / count, f"alarm-{n // 5 + 1}"
        match n % 5:
            case 0:
                yield happened.AlarmOpened(
                    at=at, alarm=alarm, signal="mill-1/output", unit="mill-1", deviation=deviation, clock_s=900.0
                )
            case 1:
                yield happened.AlarmAcknowledged(at=at, alarm=alarm)
            case 2:
                yield happened.AlarmClimbed(
                    at=at, alarm=alarm, source="mill-1", target="textiles", reason="expired", clock_s=900.0, deadline=at
                )
            case 3:
                yield happened.AlarmReturned(at=at, alarm=alarm, seen_at=at, readings=5)
            case _:
                yield happened.AlarmClosed(at=at, alarm=alarm, reason="recovered, held and acknowledged")


def write(path: Path, count: int) -> None:
    """Write a journal of so many events."""
    journal = Journal.open(path, "bench")
    rows: list[Entry] = []
    for event in events(count):
        kind = kind_of(event)
        rows.append(
            Entry(kind=kind, version=VERSIONS[kind], body=msgspec.Raw(encode(event)), actor="room", at=event.at)
        )
        if len(rows) == 5_000:
            journal.append(rows)
            rows = []
    journal.append(rows)
    journal.close()


def main() -> None:
    """Print the table."""
    arguments = [one for one in sys.argv[1:] if not one.startswith("--")]
    count = int(arguments[0]) if arguments else 1_000_000
    file = read_charter(template())
    room = newborn(file.id, file.charter)
    with tempfile.TemporaryDirectory(prefix="opsroom-handover-") as folder:
        path = Path(folder) / "journal.sqlite"
        began = time.perf_counter()
        write(path, count)
        print(f"{count:,} events, {path.stat().st_size / 1e6:.0f} MB, written in {time.perf_counter() - began:.0f} s")
        for title, span in (("the last 12 h", SHIFT_S), ("the last year", YEAR_S)):
            took = []
            for _ in range(TIMES):
                began = time.perf_counter()
                since, found = handed_since(path, YEAR_S - span)
                told = handover(room, found, "mill-1", since, YEAR_S, None)
                took.append(1000.0 * (time.perf_counter() - began))
            lines = sum(len(part.lines) + part.more for part in told.parts)
            print(
                f"{title:16} {sorted(took)[TIMES // 2]:8.1f} ms in the middle, {max(took):8.1f} ms at worst, {lines} lines"
            )
        if "--whole" in sys.argv:
            began = time.perf_counter()
            many = sum(1 for _ in read(path))
            print(f"reading all of it {1000.0 * (time.perf_counter() - began):8.1f} ms, {many:,} events, each checked")


if __name__ == "__main__":
    main()
