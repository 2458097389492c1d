"""An edge node as its host sees it: born, numbered, silent or dead. Pure, sans I/O.

After the Sparkplug specification 3.0: a birth names every metric with its datatype and alias; data messages carry aliases
alone, so they mean nothing without it. All messages of a node share one sequence number, 0 to 255 and round again. After a gap
the host asks for a rebirth; until then the figures are uncertain, for what was missed may have been a birth that gave the
aliases anew. A death certificate counts only for the life (bdSeq) whose it is.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from telex_ingest.feeds.sparkplug_payload import Metric, Payload, signed

NODE = ""
"""The device id of the edge node itself."""


class Heard(NamedTuple):
    """What a message was for the device: a birth with all its metrics, some of them, or a death; and why to ask for a rebirth."""

    born: bool = False
    died: bool = False
    metrics: tuple[Metric, ...] = ()
    sure: bool = True
    ask: str = ""


class EdgeNode:
    """One edge node and one device of it (`NODE`: itself); other devices only count. `counts` says what went wrong."""

    def __init__(self, device: str = NODE) -> None:
        self.device = device
        self.counts: Counter[str] = Counter()
        self._seq: int | None = None
        self._life: int | None = None
        self._births: dict[str, dict[str, Metric]] = {}
        self._aliases: dict[str, dict[int, str]] = {}
        self._sure = False

    def alive(self) -> bool:
        """Say whether the device has been born and has not died."""
        return self.device in self._births

    def hear(self, kind: str, device: str, payload: Payload) -> Heard:
        """Take a message by its kind (NBIRTH, DDATA, ...) in the order of arrival."""
        if kind == "NDEATH":
            return self._death(payload)
        if kind == "NBIRTH":
            self._births.clear()
            self._seq, self._sure = payload.seq, True
            self._life = _life(payload)
            return self._birth(NODE, payload) if self.device == NODE else Heard()
        if kind not in ("NDATA", "DBIRTH", "DDATA", "DDEATH"):
            return Heard()
        if self._seq is None:
            self.counts["unborn"] += 1
            return Heard(ask="the edge node has no birth yet")
        ask = self._count(payload)
        if (device if kind != "NDATA" else NODE) != self.device:
            return Heard(ask=ask)
        if kind == "DBIRTH":
            return self._birth(device, payload)._replace(ask=ask)
        if kind == "DDEATH":
            return Heard(died=self._births.pop(device, None) is not None, ask=ask)
        return self._data(device, payload, ask)

    def lost(self) -> None:
        """Take note that the line to the broker was cut: nothing is known until the next birth."""
        self._seq = None
        self._births.clear()

    def _count(self, payload: Payload) -> str:
        """Follow the sequence; gives the reason to ask for a rebirth when it has a gap."""
        expected = None if self._seq is None else (self._seq + 1) % 256
        self._seq = payload.seq if payload.seq is not None else expected
        if payload.seq is None or payload.seq == expected:
            return "" if self._sure else "a gap is not mended yet"
        self.counts["gaps"] += 1
        self._sure = False
        return f"message {payload.seq} came where {expected} was due"

    def _birth(self, device: str, payload: Payload) -> Heard:
        metrics = {metric.name: _timed(metric, payload) for metric in payload.metrics if metric.name}
        self._births[device] = metrics
        self._aliases[device] = {metric.alias: name for name, metric in metrics.items() if metric.alias is not None}
        return Heard(born=True, metrics=tuple(metrics.values()), sure=self._sure)

    def _data(self, device: str, payload: Payload, ask: str) -> Heard:
        births = self._births.get(device)
        if births is None:
            self.counts["unborn"] += 1
            return Heard(ask=ask or f"{device or 'the edge node'} has no birth yet")
        told: list[Metric] = []
        for metric in payload.metrics:
            name = metric.name or self._aliases[device].get(-1 if metric.alias is None else metric.alias)
            birth = births.get(name or "")
            if birth is None:
                self.counts["unknown"] += 1
                ask = ask or "a metric is not in the birth"
                continue
            told.append(_typed(_timed(metric, payload), birth))
        return Heard(metrics=tuple(told), sure=self._sure, ask=ask)

    def _death(self, payload: Payload) -> Heard:
        life = _life(payload)
        if life is not None and self._life is not None and life != self._life:
            self.counts["stale deaths"] += 1
            return Heard()
        died = self.alive()
        self.lost()
        return Heard(died=died)


def _life(payload: Payload) -> int | None:
    """The number of the node's life that a birth or death certificate names."""
    found = [metric.value for metric in payload.metrics if metric.name == "bdSeq"]
    return int(found[0]) if found and isinstance(found[0], int | float) else None


def _timed(metric: Metric, payload: Payload) -> Metric:
    return metric if metric.time_ms is not None else metric._replace(time_ms=payload.time_ms)


def _typed(metric: Metric, birth: Metric) -> Metric:
    """Give a data metric the name, datatype and properties of its birth; its value was read without knowing the datatype."""
    value = metric.value
    if metric.datatype is None and isinstance(value, int) and not isinstance(value, bool):
        value = signed(value, birth.datatype)
    properties = {**birth.properties, **metric.properties} if metric.properties else birth.properties
    datatype = birth.datatype if metric.datatype is None else metric.datatype
    return metric._replace(name=birth.name, datatype=datatype, value=value, properties=properties)
