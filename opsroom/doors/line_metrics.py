"""The line's figures for Prometheus: few names, few labels, however many links and plants there are. Pure.

Labels that could grow are bounded: refusals by the codes of the wire, plants by the words of their trouble, links by name up to
`LINKS`, those beyond together as `other`. What single plants do stands on the line screen, not here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from opsroom.showing.line import TROUBLES, links
from opsroom.showing.scene import Scene
from opsroom.views import LinkOnLine, PlantOnLine, Viewer
from telex_ingest.line import LineCounts
from telex_ingest.refusals import GROUNDS

LINKS = 100
"""The most links that have a name of their own here."""

QUANTILES = (0.5, 0.9, 0.99, 1.0)
EVERYBODY = Viewer(role="operator")


def from_zero(name: str, text: str, label: str, known: Iterable[str], counts: Mapping[str, int]) -> CounterMetricFamily:
    """Counts by a label, from zero on: an increase is reckoned from the first figure, so a first one would raise no alert."""
    family = CounterMetricFamily(f"opsroom_{name}", text, labels=[label])
    for kind, count in sorted({**dict.fromkeys(known, 0), **counts}.items()):
        family.add_metric([kind], count)
    return family


def line_metrics(scene: Scene, counts: LineCounts, rows: Sequence[PlantOnLine] | None = None) -> Iterator[Metric]:
    """Everything that the wire tells of itself; `rows` are the plants on the line, where they were looked at already."""
    for name, help_text, total in (
        ("duplicates", "Telexes that had come before", counts.duplicates),
        ("late", "Telexes that came behind their sequence", counts.late),
        ("gaps", "Gaps in a sequence", counts.gaps),
        ("given_up", "Sequence numbers given up", counts.given_up),
        ("skewed", "Telexes whose clock was ahead of the room's", counts.skewed),
        ("backward", "Telexes whose clock went back", counts.backward),
        ("births", "Births of plants", counts.births),
        ("changed_births", "Births that changed what was declared", counts.changed_births),
        ("statements", "Statements of plants on motions", counts.statements),
        ("sheets", "Sheets of telexes taken whole", counts.sheets),
        ("line_telexes", "Telexes that came, before they are judged", counts.telexes),
        ("line_readings", "Readings that came, before they are judged", counts.readings),
        ("dropped_answers", "Answers that a slow link did not take", counts.dropped),
        ("frames_in", "Frames read from links", counts.frames_in),
        ("frames_out", "Frames sent to links", counts.frames_out),
        ("bytes_in", "Bytes read from links", counts.bytes_in),
        ("bytes_out", "Bytes sent to links", counts.bytes_out),
    ):
        yield CounterMetricFamily(f"opsroom_{name}", help_text, value=total)
    yield from_zero("line_refused", "What the gateway refused, by code", "code", GROUNDS, counts.refused)
    for name, help_text, value in (
        ("links", "Open links", counts.links),
        ("plants", "Plants that are known", len(counts.plants)),
        ("silent_plants", "Plants that are silent or said farewell", counts.silent),
        ("waiting_telexes", "Telexes that wait for a missing one", counts.waiting),
        ("paused_links", "Links that the room does not read from because it is behind", counts.paused),
        ("stale_signals", "Signals that are behind their plant", sum(one.signals for one in scene.behind.values())),
    ):
        yield GaugeMetricFamily(f"opsroom_{name}", help_text, value=float(value))
    if counts.oldest is not None:
        text = "When that plant was heard, of those with a link, that was not heard for longest"
        yield GaugeMetricFamily("opsroom_oldest_heard_timestamp_seconds", text, value=counts.oldest)
    yield from _plants(scene.plants_on_line(EVERYBODY, counts) if rows is None else rows)
    yield from _links(links(counts.each, scene.links))


def _plants(rows: Sequence[PlantOnLine]) -> Iterator[Metric]:
    trouble = GaugeMetricFamily("opsroom_plants_by_trouble", "Plants by their gravest trouble", labels=["trouble"])
    found = Counter([row.trouble for row in rows])
    for word in TROUBLES:
        trouble.add_metric([word], float(found[word]))
    yield trouble
    yield GaugeMetricFamily(
        "opsroom_spooled_telexes", "Telexes that wait at plants", value=float(sum(row.spooled for row in rows))
    )
    versions = float(sum(row.version > 1 for row in rows))
    yield GaugeMetricFamily("opsroom_reborn_plants", "Plants whose birth has changed", value=versions)
    yield _spread("opsroom_plant_delay_seconds", "From source to arrival, over plants", [row.delay_s for row in rows])
    yield _spread("opsroom_plant_spooled", "Telexes that wait at a plant, over plants", [row.spooled for row in rows])


def _spread(name: str, text: str, values: Sequence[float | None]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=["quantile"])
    known = np.array([value for value in values if value is not None], np.float64)
    for share in QUANTILES if len(known) else ():
        family.add_metric([str(share)], float(np.quantile(known, share)))
    return family


def _links(rows: Sequence[LinkOnLine]) -> Iterator[Metric]:
    """Each link by its name; a link that is open twice counts together, and those beyond `LINKS` are one."""
    shown = sorted({row.link for row in rows if row.link})[:LINKS]
    place = {name: number for number, name in enumerate(shown)}
    names = [*shown, "other"]
    up, plants, telexes, refused, frames, octets, held, births = np.zeros((8, len(names)))
    for row in rows:
        at = place.get(row.link, len(shown))
        up[at] += row.state != "away"
        plants[at] += row.plants
        telexes[at] += row.telexes
        refused[at] += sum(row.refused.values())
        frames[at] += row.frames
        octets[at] += row.bytes
        held[at] += row.held
        births[at] += row.births
    columns: tuple[tuple[str, str, np.ndarray], ...] = (
        ("opsroom_link_open", "Open websockets of a link; 0 while it is away", up),
        ("opsroom_link_plants", "Plants that a link speaks for now", plants),
        ("opsroom_link_telexes", "Telexes of the websockets that a link has open now", telexes),
        ("opsroom_link_refusals", "Refusals to the websockets that a link has open now", refused),
        ("opsroom_link_frames", "Frames of the websockets that a link has open now", frames),
        ("opsroom_link_bytes", "Bytes of the websockets that a link has open now", octets),
        ("opsroom_link_births", "Births on the websockets that a link has open now", births),
        (
            "opsroom_link_held",
            "Open websockets of a link that the room does not read from because it is behind with it",
            held,
        ),
    )
    for name, text, values in columns:
        family = GaugeMetricFamily(name, text, labels=["link"])
        for link, value in zip(names, values.tolist(), strict=True):
            if link != "other" or any(row.link not in place for row in rows):
                family.add_metric([link], value)
        yield family
