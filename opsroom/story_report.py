"""What a story comes to, put together from what lies on disk when it is over. I/O."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from opsroom.loop.hall import JOURNAL, READINGS, read_file
from opsroom.record.disk import StoreError
from opsroom.record.journal import read, verify
from opsroom.record.sqlite_store import SqliteStore
from opsroom.record.store import TelexCounts
from opsroom.views import AlarmView, MotionView

__all__ = ["kept_in", "report_of", "telexes", "write"]


def report_of(
    folder: Path, alarm: AlarmView, motion: MotionView, output: dict[str, tuple[str, str]], kept: TelexCounts
) -> dict[str, Any]:
    """Put the report together from what lies on disk: journal, store, the plants' own counts, and the truth."""
    events = list(read(folder / JOURNAL))
    bodies = [event.body for event in events]
    opened = next(body for body in bodies if body["kind"] == "alarm-opened" and body["alarm"] == alarm.id)
    carried = next(body for body in bodies if body["kind"] == "motion-closed" and body["motion"] == motion.id)
    (order,) = motion.orders
    receipts = [body for body in bodies if body["kind"] == "order-answered" and body["order"] == order]
    measured = [body for body in bodies if body["kind"] == "effect-measured" and body["motion"] == motion.id]
    effect = next((body for body in reversed(measured) if body.get("recovered_at") is not None), measured[-1])
    deviation = opened["deviation"]
    named_at = deviation.get("named_at") or opened["at"]
    checked = verify(folder / JOURNAL, events[-1].hash)
    return {
        "alarm": {
            "signal": alarm.signal,
            "truth": _truth(folder / "truth.json", alarm.signal),
            "named": deviation["named"],
            "suspected_at": _iso(deviation.get("suspected_at") or named_at),
            "named_at": _iso(named_at),
        },
        "escalations": [
            {"from": body["source"], "to": body["target"], "at": _iso(body["at"]), "reason": body["reason"]}
            for body in bodies
            if body["kind"] == "alarm-climbed" and body["alarm"] == alarm.id
        ],
        "motion": {
            "id": motion.id,
            "ballots": _ballots(bodies, motion.id),
            "carried_at": _iso(carried["at"]),
        },
        "order": {"id": order, "motion": motion.id, "receipt": receipts[-1]["state"] if receipts else None},
        "effect": {
            "before": effect.get("before"),
            "after": effect.get("after"),
            "expected_without": effect.get("expected_without"),
            "recovered_at": _iso(effect.get("recovered_at")),
        },
        "journal": {"events": checked.events, "head": checked.head, "verified": checked.ok},
        "telexes": telexes(kept_in(folder / READINGS), kept, output),
    }


def _ballots(bodies: list[Any], motion: str) -> list[dict[str, Any]]:
    """The last ballot of each seat, as it was opened, in short."""
    last = {}
    for body in bodies:
        if body["kind"] == "ballots-opened" and body["motion"] == motion:
            for ballot in body["ballots"]:
                told = msgspec.json.decode(ballot["said"])
                choice = "abstain" if told["abstain"] else " ".join(told["options"])
                last[ballot["seat"]] = {"seat": ballot["seat"], "choice": choice, "reason": told["reason"]}
    return [last[seat] for seat in sorted(last)]


def kept_in(path: Path) -> TelexCounts:
    """Count the plants' telexes in a room's folder by reading every block of its store; none where no room was yet."""
    if not path.exists():
        return TelexCounts(0, 0, 0)
    charted = {chart.unit for chart in read_file(path.parent).charter.charts}
    store = SqliteStore(path)
    try:
        own = sum(seq for unit, (_, seq) in store.durable().items() if unit in charted)
        try:
            found = store.recount()
        except StoreError:
            found = store.telex_counts()
        return TelexCounts(found.stored - own, found.distinct - own, found.doubled)
    finally:
        store.close()


def telexes(after: TelexCounts, before: TelexCounts, output: dict[str, tuple[str, str]]) -> dict[str, int]:
    """Count this story's telexes on both ends: what the plants' processes say they told, and what the store holds more."""
    said = [msgspec.json.decode(text.strip().splitlines()[-1]) for text, _ in output.values() if text.strip()]
    sent = sum(int(one["told"]) for one in said)
    acknowledged = sum(int(one.get("acknowledged", one["told"])) for one in said)
    return {
        "sent": sent,
        "acknowledged": acknowledged,
        "stored": after.stored - before.stored,
        "lost": sent - (after.distinct - before.distinct),
        "doubled": after.doubled - before.doubled,
    }


def _truth(path: Path, signal: str) -> str | None:
    """What really was wrong with a signal, in the verdict's words; read only after the story is over."""
    entries = msgspec.json.decode(path.read_bytes())["entries"]
    mine = [entry for entry in entries if entry["signal"] == signal]
    primary = [entry for entry in mine if entry["primary"]] or mine
    return str(primary[0]["kind"]) if primary else None


def write(report: Path, told: dict[str, Any]) -> None:
    """Write what a story came to as JSON, for people to read too."""
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n")


def _iso(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
