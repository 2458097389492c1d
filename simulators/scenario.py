"""What happens when, from TOML: every mistake is answered with its line, its value and the cure.

title = "A loom slows"
seed = 11
start = 2026-03-02T06:00:00Z
duration = "6h"

[[fault]]
id = "worn-bearing"
kind = "step"
signal = "textile-mill/loom-output"
at = "1h"
size_sd = -6.0
healed_by = ["service-machine"]
"""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

from simulators.errors import Mistake, ScenarioMistake
from simulators.factory import Works
from simulators.faults import EVERY_PLANT, KINDS, LINE_FAULTS, PLANT_FAULTS, Fault, FaultKind
from simulators.foreman import Refuses
from simulators.outline import all_works

DEFAULT_START = datetime(2026, 3, 2, 6, tzinfo=UTC)

_SPAN = re.compile(r"(?:\d+(?:\.\d+)?[dhms])+")
_PIECE = re.compile(r"(\d+(?:\.\d+)?)([dhms])")
_SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}

_TOP = {"title", "seed", "start", "duration", "period", "plants", "fault", "refuse"}
_FAULT = {
    *("id", "kind", "plant", "signal", "at", "lasts", "size_sd", "grows", "fade", "healed_by", "machine", "share"),
}
_REFUSE = {"plant", "order", "reason", "from", "until"}


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A scenario that can be played; times in simulated seconds after its start, which is a zoned moment."""

    title: str
    seed: int = 1
    start: datetime = DEFAULT_START
    duration_s: float = 86400.0
    period_s: float = 60.0
    plants: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    refusals: tuple[Refuses, ...] = ()
    name: str = ""


def seconds(span: object) -> float | None:
    """Read a span of time as seconds: a number of seconds, or text such as "1h30m"; None for anything else.

    >>> seconds("1h30m"), seconds(90), seconds("0.5d"), seconds("soon"), seconds(True)
    (5400.0, 90.0, 43200.0, None, None)
    """
    if isinstance(span, bool):
        return None
    if isinstance(span, int | float):
        return float(span) if math.isfinite(span) else None
    if isinstance(span, str) and _SPAN.fullmatch(span):
        return sum(float(amount) * _SECONDS[unit] for amount, unit in _PIECE.findall(span))
    return None


def shipped() -> tuple[str, ...]:
    """Name the scenarios that come with the package."""
    return tuple(
        sorted(
            path.name[:-5]
            for path in files("simulators").joinpath("scenarios").iterdir()
            if path.name.endswith(".toml")
        )
    )


def load(name: str | Path) -> Scenario:
    """Read a shipped scenario by name, or a file by path; raises `ScenarioMistake`."""
    if isinstance(name, str) and name in shipped():
        text = files("simulators").joinpath("scenarios", f"{name}.toml").read_text(encoding="utf-8")
        return read(text, source=f"{name}.toml", name=name)
    path = Path(name)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        cure = f"{error}; name a readable file or one of {', '.join(shipped())}"
        raise ScenarioMistake(str(name), [Mistake(0, "scenario", str(name), cure)]) from error
    return read(text, source=str(path), name=path.stem)


def read(text: str, *, source: str = "scenario", name: str = "") -> Scenario:
    """Read a scenario's text; raises `ScenarioMistake` with every mistake in it.

    >>> read('title = "Calm"\\nseed = 5').seed
    5
    """
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        line = int(found[1]) if found else 0
        value = text.splitlines()[line - 1] if 0 < line <= len(text.splitlines()) else ""
        raise ScenarioMistake(source, [Mistake(line, "TOML", value, f"not TOML: {error}")]) from error
    reader = _Reader(tree, text)
    scenario = reader.scenario(name)
    if reader.mistakes:
        raise ScenarioMistake(source, sorted(reader.mistakes, key=lambda mistake: mistake.line))
    return scenario


class _Reader:
    """Reads one document and gathers its mistakes instead of stopping at the first."""

    def __init__(self, tree: Mapping[str, Any], text: str) -> None:
        self.tree = tree
        self.mistakes: list[Mistake] = []
        self.works: dict[str, Works] = {plan.id: plan for plan in all_works()}
        self._lines = _lines(text)

    def scenario(self, name: str) -> Scenario:
        top = self.tree
        self._unknown(top, _TOP, "", 0)
        duration = self._span(top, "duration", 86400.0, "", 0, positive=True)
        start = top.get("start", DEFAULT_START)
        if not isinstance(start, datetime) or start.tzinfo is None:
            self._wrong("", 0, "start", start, "write a moment with its zone, such as start = 2026-03-02T06:00:00Z")
            start = DEFAULT_START
        seed = top.get("seed", 1)
        if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
            self._wrong("", 0, "seed", seed, "write a whole number of 0 or more")
            seed = 1
        title = top.get("title")
        if not isinstance(title, str) or not title:
            self._wrong("", 0, "title", title, 'give the scenario a title, such as title = "A loom slows"')
            title = ""
        plants = top.get("plants", [])
        if not isinstance(plants, list):
            self._wrong("", 0, "plants", plants, 'write a list of plants, such as plants = ["textile-mill"]')
            plants = []
        for plant in plants:
            self._plant(plant, "", 0, "plants")
        faults = [self._fault(row, number, duration) for number, row in self._rows("fault")]
        refusals = [self._refusal(row, number) for number, row in self._rows("refuse")]
        ids = [fault.id for fault in faults]
        for number, fault in enumerate(faults):
            if fault.id in ids[:number]:
                self._wrong("fault", number, "id", fault.id, "two faults have this id: give each its own")
        return Scenario(
            title=title,
            seed=seed,
            start=start,
            duration_s=duration,
            period_s=self._span(top, "period", 60.0, "", 0, positive=True),
            plants=tuple(plants),
            faults=tuple(faults),
            refusals=tuple(refusals),
            name=name,
        )

    def _rows(self, table: str) -> Iterable[tuple[int, Mapping[str, Any]]]:
        rows = self.tree.get(table, [])
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            self._wrong("", 0, table, rows, f"write each one under a line [[{table}]]")
            return []
        return enumerate(rows)

    def _fault(self, row: Mapping[str, Any], number: int, duration: float) -> Fault:
        self._unknown(row, _FAULT, "fault", number)
        kind = row.get("kind")
        if kind not in KINDS:
            self._wrong("fault", number, "kind", kind, f"write one of {', '.join(KINDS)}")
            kind = "step"
        at = self._span(row, "at", 0.0, "fault", number)
        if at >= duration:
            self._wrong(
                "fault",
                number,
                "at",
                row.get("at"),
                f"the scenario is over after {duration:g} s: let it begin earlier or last longer",
            )
        lasts = self._span(row, "lasts", 0.0, "fault", number, positive=True) if "lasts" in row else None
        if lasts is None and kind == "transient":
            lasts = self._span(self.tree, "period", 60.0, "", 0)
        plant, signal = self._target(row, str(kind), number)
        size = self._number(row, "size_sd", number)
        if kind in (*PLANT_FAULTS, "transient"):
            self._fits(plant, signal, size, number)
        grows = self._span(row, "grows", 0.0, "fault", number, positive=kind == "slope")
        if kind == "slope" and "grows" not in row:
            self._wrong(
                "fault", number, "grows", None, 'say in which time the slope reaches its size, such as grows = "2h"'
            )
        share = self._number(row, "share", number) if "share" in row else 0.2
        if not 0.0 < share <= 1.0:
            self._wrong(
                "fault",
                number,
                "share",
                row.get("share"),
                "write the part of the telexes that it strikes, over 0 and at most 1",
            )
        healed_by = row.get("healed_by", [])
        known = [order.name for order in self.works[plant].orders] if plant in self.works else []
        if not isinstance(healed_by, list) or not set(healed_by) <= set(known):
            self._wrong(
                "fault",
                number,
                "healed_by",
                healed_by,
                f"write a list of orders that {plant} knows: {', '.join(known)}",
            )
            healed_by = []
        return Fault(
            id=str(row.get("id", f"{kind}-{number + 1}")),
            kind=cast(FaultKind, kind),
            plant=plant,
            signal=signal,
            at_s=at,
            lasts_s=lasts,
            size_sd=size,
            grows_s=grows,
            fade_s=self._span(row, "fade", 600.0, "fault", number),
            healed_by=tuple(healed_by),
            machine=str(row.get("machine", "")),
            share=share,
        )

    def _target(self, row: Mapping[str, Any], kind: str, number: int) -> tuple[str, str]:
        if kind in LINE_FAULTS:
            plant = row.get("plant")
            if "signal" in row:
                self._wrong(
                    "fault",
                    number,
                    "signal",
                    row["signal"],
                    f"a fault of the line strikes a plant: write plant = ... for {kind}",
                )
            if plant != EVERY_PLANT:
                self._plant(plant, "fault", number, "plant")
            return str(plant), ""
        key = row.get("signal")
        plant, _, signal = key.partition("/") if isinstance(key, str) else ("", "", "")
        keys = [f"{plan.id}/{indicator.name}" for plan in self.works.values() for indicator in plan.indicators]
        if key not in keys:
            self._wrong("fault", number, "signal", key, f"write plant/signal{_nearest(key, keys)}")
            return "", ""
        if "plant" in row:
            self._wrong("fault", number, "plant", row["plant"], "the signal names its plant already: leave this out")
        return plant, signal

    def _fits(self, plant: str, signal: str, size: float, number: int) -> None:
        if size == 0.0:
            self._wrong(
                "fault",
                number,
                "size_sd",
                size,
                "say how large, in the signal's noise standard deviations: size_sd = -6.0",
            )
        for row in self.works[plant].indicators if plant in self.works else ():
            reached = row.normal + size * row.noise
            if row.name == signal and not row.limits[0] < reached < row.limits[1]:
                cure = f"takes {signal} to {reached:g} {row.unit}; keep it inside {row.limits[0]:g}..{row.limits[1]:g}"
                self._wrong("fault", number, "size_sd", size, cure)

    def _refusal(self, row: Mapping[str, Any], number: int) -> Refuses:
        self._unknown(row, _REFUSE, "refuse", number)
        plant, order, reason = row.get("plant"), row.get("order"), row.get("reason")
        self._plant(plant, "refuse", number, "plant")
        known = [kind.name for kind in self.works[str(plant)].orders] if plant in self.works else []
        if order not in known:
            self._wrong("refuse", number, "order", order, f"write an order that the plant knows: {', '.join(known)}")
        if not isinstance(reason, str) or not reason:
            self._wrong("refuse", number, "reason", reason, "say why, in the plant's words")
        return Refuses(
            plant=str(plant),
            order=str(order),
            reason=str(reason),
            from_s=self._span(row, "from", 0.0, "refuse", number),
            until_s=self._span(row, "until", math.inf, "refuse", number),
        )

    def _plant(self, plant: object, table: str, number: int, key: str) -> None:
        if plant not in self.works:
            self._wrong(table, number, key, plant, f"write a plant{_nearest(plant, list(self.works))}")

    def _span(
        self, row: Mapping[str, Any], key: str, default: float, table: str, number: int, *, positive: bool = False
    ) -> float:
        if key not in row:
            return default
        span = seconds(row[key])
        if span is None or span < 0.0 or (positive and span == 0.0):
            least = "over 0" if positive else "of 0 or more"
            self._wrong(
                table, number, key, row[key], f'write a time {least} such as "90s", "1h30m" or a number of seconds'
            )
            return default
        return span

    def _number(self, row: Mapping[str, Any], key: str, number: int) -> float:
        value = row.get(key, 0.0)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self._wrong("fault", number, key, value, "write a finite number")
            return 0.0
        return float(value)

    def _unknown(self, row: Mapping[str, Any], known: set[str], table: str, number: int) -> None:
        for key in row:
            if key not in known:
                self._wrong(table, number, key, row[key], f"there is no such setting{_nearest(key, sorted(known))}")

    def _wrong(self, table: str, number: int, key: str, value: object, cure: str) -> None:
        where = f"{table}[{number}].{key}" if table else key
        line = self._lines.get((table, number, key)) or self._lines.get((table, number, ""), 0)
        self.mistakes.append(Mistake(line, where, value, cure))


def _lines(text: str) -> dict[tuple[str, int, str], int]:
    """Find on which line each (table, number in its array, key) stands; the empty key is the table's own line."""
    found: dict[tuple[str, int, str], int] = {}
    counts: dict[str, int] = {}
    table, number = "", 0
    for line, raw in enumerate(text.splitlines(), start=1):
        header = re.match(r"\s*\[\[?\s*([\w-]+)\s*\]", raw)
        key = re.match(r"\s*([\w-]+)\s*=", raw)
        if header:
            table = header[1]
            number = counts.get(table, 0)
            counts[table] = number + 1
            found[table, number, ""] = line
            found.setdefault(("", 0, table), line)
        elif key:
            found.setdefault((table, number, key[1]), line)
    return found


def _nearest(word: object, known: list[str]) -> str:
    near = difflib.get_close_matches(str(word), known, n=1, cutoff=0.5)
    return f": perhaps {near[0]}" if near else f", one of {', '.join(known[:20])}" if len(known) <= 20 else ""
