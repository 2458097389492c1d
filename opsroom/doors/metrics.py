"""The room's figures for Prometheus, in a registry of the room's own: read when somebody asks, kept nowhere twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from shutil import disk_usage

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector

from opsroom.doors.council_metrics import Glance
from opsroom.doors.line_metrics import from_zero, line_metrics
from opsroom.entry.tally import REASONS
from opsroom.loop.hall import Hall
from opsroom.loop.pulse import EDGES_S
from opsroom.views import PlantOnLine
from telex_ingest.line import LineCounts


class Figures(Collector):
    """Everything that is counted, as metric families."""

    def __init__(self, hall: Hall, line: Callable[[], LineCounts]) -> None:
        self.hall, self.line, self.council = hall, line, Glance(hall)
        self.looked: tuple[LineCounts, Sequence[PlantOnLine]] | None = None
        """The line and its plants, where somebody has looked at them already; told once."""

    def describe(self) -> Iterator[Metric]:
        """Nothing beforehand: the families are made when they are read."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Read everything now."""
        hall, pulse = self.hall, self.hall.pulse
        for name, help_text, total in (
            ("ticks", "Ticks of the loop", pulse.ticks),
            ("readings", "Readings judged and stored", pulse.readings),
            ("telexes", "Telexes judged and stored", pulse.telexes),
            ("events", "Events written to the journal", pulse.events),
            ("faults", "Messages that the room could not decide on", pulse.faults),
            ("refusals", "Messages of plants that the room refused", pulse.refused),
            ("snapshots", "Snapshots sent to screens", hall.watchers.snapshots),
            ("coalesced_points", "Points that a newer one replaced before a screen took them", hall.watchers.coalesced),
        ):
            yield CounterMetricFamily(f"opsroom_{name}", help_text, value=total)
        for name, help_text, value in (
            ("signals", "Signals that are known", float(len(hall.bank))),
            ("screens", "Screens that watch", float(len(hall.watchers.subscribers))),
            ("inbox_readings", "Readings that wait in the inbox", float(hall.inbox.waiting)),
            ("tick_seconds", "How long the last tick took", pulse.tick_s),
            ("slowest_tick_seconds", "How long the slowest tick took", pulse.slowest_s),
            ("open_alarms", "Alarms that are not closed", float(_open_alarms(hall))),
            ("journal_events", "Events in the journal", float(hall.journal.events)),
            ("trouble", "1 while the room cannot write", float(bool(hall.trouble))),
        ):
            yield GaugeMetricFamily(f"opsroom_{name}", help_text, value=value)
        yield self._processor()
        counts, rows = self.looked or (self.line(), None)
        self.looked = None
        yield from line_metrics(hall.scene, counts, rows)
        yield from self._store()
        yield from self._doors()
        yield from self.council.collect()
        yield self._delays()

    def _doors(self) -> Iterator[Metric]:
        """What the web server answered; its labels are the room's own words, never what came."""
        tally = self.hall.tally
        answers = CounterMetricFamily("opsroom_http_answers", "Answers of the web server, by status", labels=["status"])
        for status, count in sorted(dict(tally.answers).items()):
            answers.add_metric([str(status)], count)
        yield answers
        text = "Requests and connections that were turned away at the door, by reason"
        yield from_zero("turned_away", text, "reason", REASONS, dict(tally.turned_away))
        broken = "Requests that ended in a defect of the room's own; the log has their tracebacks"
        yield CounterMetricFamily("opsroom_http_faults", broken, value=tally.faults)

    def _store(self) -> Iterator[Metric]:
        """How long writing takes, and what the store holds, as it was looked at last; nothing of that before the first look."""
        held, pulse = self.hall.held, self.hall.pulse
        text = "How long ticks took to be durable, waiting for the disk included"
        yield SummaryMetricFamily("opsroom_write_seconds", text, count_value=pulse.writes, sum_value=pulse.write_s)
        text = "How long the slowest tick took to be durable"
        yield GaugeMetricFamily("opsroom_slowest_write_seconds", text, value=pulse.slowest_write_s)
        text = "Free bytes on the disk of the room's folder"
        yield GaugeMetricFamily("opsroom_disk_free_bytes", text, value=float(disk_usage(self.hall.folder).free))
        if held is None:
            return
        yield CounterMetricFamily(
            "opsroom_store_forgotten_blocks", "Blocks that retention has deleted since the start", value=held.forgotten
        )
        for name, help_text, value in (
            ("store_bytes", "Bytes used by readings and rollups", float(held.bytes)),
            ("store_unfolded_deltas", "Deltas of rollups that wait to be folded", float(held.unfolded)),
            ("store_oldest_timestamp_seconds", "When the oldest readings kept came", held.oldest or 0.0),
            ("store_let_go_timestamp_seconds", "Readings measured up to then may be gone; 0: none", held.let_go or 0.0),
        ):
            yield GaugeMetricFamily(f"opsroom_{name}", help_text, value=value)

    def _processor(self) -> CounterMetricFamily:
        pulse = self.hall.pulse
        text = "Processor time of the parts of a tick; part all is that of the whole thread"
        family = CounterMetricFamily("opsroom_processor_seconds", text, labels=("thread", "part"))
        for thread, toll, whole in (("loop", pulse.loop, pulse.loop_ns), ("writer", pulse.writer, pulse.writer_ns)):
            family.add_metric((thread, "all"), whole / 1e9)
            for part, spent in dict(toll.spent).items():
                family.add_metric((thread, part), spent / 1e9)
        return family

    def _delays(self) -> HistogramMetricFamily:
        pulse, so_far = self.hall.pulse, 0
        buckets = []
        for edge, count in zip((*EDGES_S, float("inf")), pulse.delays.tolist(), strict=True):
            so_far += count
            buckets.append(("+Inf" if edge == float("inf") else str(edge), float(so_far)))
        text = "From the arrival of a telex to its durable verdict, in seconds of the world"
        return HistogramMetricFamily(
            "opsroom_telex_to_verdict_seconds", text, buckets=buckets, sum_value=pulse.delay_sum_s
        )


def _open_alarms(hall: Hall) -> int:
    alarms = hall.room.alarms
    return sum(1 for alarm in alarms.values() if alarm.closed_at is None)


def registry(figures: Figures) -> CollectorRegistry:
    """A registry of this room alone."""
    own = CollectorRegistry(auto_describe=False)
    own.register(figures)
    return own
