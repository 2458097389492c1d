"""The parts of `room.toml` that refer to each other: levels, units, agreements, planned stops."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from opsroom.constitution.tables import Reading, Sheet, nearest
from opsroom.recursion.recursion import Agreement, CalendarStop, Unit


def tree_of(sheet: Sheet) -> tuple[tuple[Unit, ...], tuple[str, ...], dict[str, str]]:
    """Tell the units, parents before children, the levels from the top down, and who occupies which unit's account."""
    clocks = _levels(sheet)
    order = list(clocks)
    rows: dict[str, tuple[Reading, Unit]] = {}
    occupants: dict[str, str] = {}
    for table in sheet.tables("unit"):
        unit_id = table.slug("id", needed=True)
        level = table.text("level", needed=True, example=order[0] if order else "plant")
        parent = table.text("parent")
        occupant = table.text("occupant")
        title = table.text("title") or unit_id
        clock_s = table.duration("clock", clocks.get(level, 3600.0))
        table.done()
        if level and clocks and level not in clocks:
            table.wrong("level", "there is no such level", nearest(level, order))
        if unit_id in rows:
            table.wrong("id", "there are two units with this id", "Give each unit an id of its own.")
        elif unit_id:
            rows[unit_id] = (table, Unit(id=unit_id, title=title, level=level, parent=parent, clock_s=clock_s))
            if occupant:
                occupants[f"unit-{unit_id}"] = occupant
    _check_parents(sheet, rows, order)
    return _parents_first([unit for _, unit in rows.values()]), tuple(order), occupants


def _levels(sheet: Sheet) -> dict[str, float]:
    clocks: dict[str, float] = {}
    for table in sheet.tables("level"):
        name = table.text("name", needed=True, example="plant")
        clock_s = table.duration("clock", 3600.0)
        table.done()
        if name in clocks:
            table.wrong(
                "name", "there are two levels with this name", "Give each level a name of its own, from the top down."
            )
        elif name:
            clocks[name] = clock_s
    if "level" not in sheet.raw:
        sheet.wrong(
            "level",
            "nothing",
            "no levels are named",
            "Write a [[level]] with name and clock for each, from the top down.",
        )
    return clocks


def _check_parents(sheet: Sheet, rows: Mapping[str, tuple[Reading, Unit]], order: list[str]) -> None:
    tops = [unit.id for _, unit in rows.values() if not unit.parent]
    if not rows:
        sheet.wrong("unit", "nothing", "there are no units", "Write a [[unit]] without a parent, and others below it.")
    elif not tops:
        sheet.wrong(
            "unit", f"{len(rows)} units", "every unit has a parent", "Leave the parent of the topmost unit out."
        )
    for table, unit in rows.values():
        if not unit.parent:
            if unit.id != tops[0]:
                cure = f"Give it a parent: parent = {tops[0]!r}, or another unit.".replace("'", '"')
                table.wrong("parent", f"there is a topmost unit already, {tops[0]}", cure)
        elif unit.parent not in rows:
            table.wrong(
                "parent", "there is no such unit", nearest(unit.parent, (known for known in rows if known != unit.id))
            )
        elif circle := _circle(unit.id, rows):
            table.wrong(
                "parent",
                f"it stands above itself: {' > '.join(circle)}",
                "Give one of them a parent outside the circle.",
            )
        else:
            above = rows[unit.parent][1].level
            if above in order and unit.level in order and order.index(above) >= order.index(unit.level):
                cure = f"A unit of the level {unit.level!r} hangs below one of a higher level; mend one of the two."
                table.wrong("parent", f"its level is {above!r}, which is not above {unit.level!r}", cure)


def _circle(start: str, rows: Mapping[str, tuple[Reading, Unit]]) -> list[str]:
    """The way from a unit up to itself again; empty if it does not come back."""
    way, at = [start], rows[start][1].parent
    while at in rows and at not in way:
        way.append(at)
        at = rows[at][1].parent
    return [*way, start] if at == start else []


def _parents_first(units: list[Unit]) -> tuple[Unit, ...]:
    """The units in the file's order, but each parent before its children; those in a circle or below nothing are left out."""
    below: dict[str, list[Unit]] = {}
    for unit in units:
        below.setdefault(unit.parent, []).append(unit)
    told, waiting = [], below.get("", [])[::-1]
    while waiting:
        unit = waiting.pop()
        told.append(unit)
        waiting += below.get(unit.id, [])[::-1]
    return tuple(told)


def agreements_of(sheet: Sheet, units: Mapping[str, Unit], plants: Collection[str]) -> dict[str, Agreement]:
    """Tell the agreements by signal."""
    agreements: dict[str, Agreement] = {}
    for table in sheet.tables("agreement"):
        signal = table.signal("signal")
        normal = table.span("normal")
        agreement = Agreement(
            capability=table.number("capability"),
            potentiality=table.number("potentiality"),
            recovery_s=table.duration("recovery", 0.0) or None,
            normal_low=normal[0] if normal else None,
            normal_high=normal[1] if normal else None,
        )
        table.done()
        plant = signal.partition("/")[0]
        if signal in agreements:
            table.wrong("signal", "there are two agreements on this signal", "Write one [[agreement]] for each signal.")
        elif signal and plant not in units:
            table.wrong("signal", f"there is no plant {plant!r} in this file", nearest(plant, plants))
        elif signal and plant not in plants:
            table.wrong(
                "signal", f"{plant!r} is no plant", "Agreements are made with plants, the units of the last level."
            )
        elif signal:
            agreements[signal] = agreement
    return agreements


def calendar_of(sheet: Sheet, units: Mapping[str, Unit], longest_s: float) -> tuple[CalendarStop, ...]:
    """Tell the planned stops."""
    stops = []
    for table in sheet.tables("stop"):
        unit = table.text("unit", needed=True, example="mill-1")
        start, end = table.moment("start"), table.moment("end")
        reason = table.text("reason", needed=True, example="weekly cleaning")
        every_s = table.duration("every", 0.0, least=60.0)
        table.done()
        if unit and unit not in units:
            table.wrong("unit", "there is no such unit", nearest(unit, units))
        if start is None or end is None:
            continue
        if not start < end:
            table.wrong("end", "it is not after the start", "Write the later moment as end.")
        elif end - start > longest_s:
            table.wrong("end", "the stop is longer than alarms.stop_max", "Make the stop shorter, or stop_max longer.")
        elif every_s and every_s < end - start:
            table.wrong("every", "it comes again before it has ended", 'Write a longer time, like "1 d" or "7 d".')
        stops.append(CalendarStop(unit=unit, start=start, end=end, reason=reason, every_s=every_s))
    return tuple(stops)
