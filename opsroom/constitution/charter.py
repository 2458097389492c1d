"""`room.toml`: the room's constitution as a file that people write; every mistake is answered with line, value and cure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any, Literal, cast, get_args

import msgspec

from opsroom.constitution.alarm_tables import alarms_of, kinds_of, notices_of
from opsroom.constitution.charts import charts_of, readings_of
from opsroom.constitution.example import TEMPLATE
from opsroom.constitution.judging import Judging, judging_of
from opsroom.constitution.keeping import Keeping, keeping_of
from opsroom.constitution.tables import Mistake, Reading, Sheet, nearest, shown
from opsroom.constitution.toml_lines import lines_of
from opsroom.constitution.tree import agreements_of, calendar_of, tree_of
from opsroom.notices.channel import Channel
from opsroom.recursion.recursion import Charter, CouncilRules, Mode, Seat, Unit
from opsroom.room.refusal import RoomError

__all__ = ["CharterError", "Mistake", "RoomFile", "check", "read", "render", "template"]

SEATS = range(1, 8)

_LONGEST = 4_000_000
_AT_LINE = re.compile(r" \(at line (\d+), column \d+\)$")
_TOML_CURES = (
    ("twice", "Write each table and each key once; several units are several [[unit]]."),
    ("overwrite", "Write each key once."),
    ("Invalid value", 'Put text into double quotes: clock = "15 min".'),
    ("Expected '='", "Write `key = value`."),
    ("date", "Write a moment as 2030-01-06T22:00:00Z."),
    ("Unescaped", "Write a backslash in double quotes twice, or use single quotes."),
    ("Illegal character", "Close the string on the line on which it begins, and leave control characters out."),
    ("Unterminated", "Close the string."),
    ("array", "Close the array with ]."),
)


class RoomFile(msgspec.Struct, frozen=True, kw_only=True):
    """What a room.toml says: the room's id, its charter, who occupies which account (`{"seat-1": "Ada", ...}`), how is judged."""

    id: str
    charter: Charter
    occupants: dict[str, str] = {}
    judging: Judging = Judging()
    keeping: Keeping = Keeping()
    channels: tuple[Channel, ...] = ()


class CharterError(RoomError):
    """A room.toml that cannot be used; `mistakes` says all of them."""

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        super().__init__(mistakes)
        self.mistakes = mistakes

    def __str__(self) -> str:
        return "room.toml cannot be used:\n" + "\n".join(f"  {mistake}" for mistake in self.mistakes)


def read(text: str) -> RoomFile:
    """Read a room.toml; raises `CharterError` with every mistake in it."""
    found, mistakes = _read(text)
    if found is None or mistakes:
        raise CharterError(tuple(mistakes))
    return found


def check(text: str) -> list[Mistake]:
    """Tell every mistake of a room.toml, by line; an empty list means that `read` will read it."""
    return _read(text)[1]


def template() -> str:
    """Tell a commented example with every key, which `check` finds without mistake."""
    return TEMPLATE


def render(outline: Mapping[str, Any]) -> str:
    """Write a room.toml from a plain outline of the same shape as the file; `None` members are left out.

    >>> print(render({"room": {"id": "a"}, "seat": [{"number": 1, "occupant": "Ada"}]}), end="")
    [room]
    id = "a"
    <BLANKLINE>
    [[seat]]
    number = 1
    occupant = "Ada"
    """
    parts = []
    for name, table in outline.items():
        tables, header = ([table], f"[{_key(name)}]") if isinstance(table, Mapping) else (table, f"[[{_key(name)}]]")
        for row in tables:
            lines = [f"{_key(key)} = {_value(value)}\n" for key, value in row.items() if value is not None]
            parts.append(f"{header}\n" + "".join(lines))
    return "\n".join(parts)


def _read(text: str) -> tuple[RoomFile | None, list[Mistake]]:
    if len(text) > _LONGEST:
        cure = "Give the file that `opsroom init` wrote, with your changes."
        return None, [
            Mistake(line=0, where="the file", value=f"{len(text)} characters", what="it is too long", cure=cure)
        ]
    try:
        raw = tomllib.loads(text)
    except RecursionError:
        return None, [_broken(text, "it is nested too deeply", 0)]
    except ValueError as error:  # tomllib.TOMLDecodeError is one; a number of ten thousand digits is another
        line = _AT_LINE.search(str(error))
        number = int(line.group(1)) if line else text.count("\n") + 1
        return None, [_broken(text, _AT_LINE.sub("", str(error)).removesuffix(" (at end of document)"), number)]
    sheet = Sheet(raw, lines_of(text))
    found = _room_file(sheet)
    mistakes = sorted(sheet.mistakes, key=lambda mistake: (mistake.line, mistake.where))
    return (None if mistakes else found), mistakes


def _broken(text: str, what: str, line: int) -> Mistake:
    rows = text.splitlines()
    value = shown(rows[line - 1].strip()) if 0 < line <= len(rows) else "the end of the file" if line else "the file"
    cure = next((cure for word, cure in _TOML_CURES if word in what), "Compare the line with `opsroom init`'s example.")
    return Mistake(line=line, where="the file", value=value, what=f"this is not TOML: {what}", cure=cure)


def _room_file(sheet: Sheet) -> RoomFile | None:
    sheet.only(
        *("room", "level", "unit", "agreement", "alarms", "council", "seat", "stop"),
        *("signal", "alarm_budget", "calibration", "retention", "store"),
        *("alarm_kind", "notices", "rota", "channel"),
        *("chart", "part", "flow", "visibility"),
    )
    room = sheet.table("room", needed=True)
    room_id = room.slug("id", needed=True)
    title = room.text("title") or room_id
    plant_clock_s = room.duration("plant_clock", 900.0)
    operator = room.text("operator")
    unassigned, plant_level = room.text("unassigned"), room.text("plant_level")
    room.done()
    units, levels, occupants = tree_of(sheet)
    ids = {unit.id: unit for unit in units}
    plant_level = _plant_level(room, plant_level, levels)
    if unassigned and unassigned not in ids:
        room.wrong("unassigned", "there is no such unit", nearest(unassigned, ids))
    elif unassigned and plant_level and ids[unassigned].level == plant_level:
        room.wrong("unassigned", "a plant has no plants below it", "Name a unit of a level above the plants.")
    plants = {unit.id for unit in units if unit.level == plant_level}
    for table in sheet.tables("unit"):
        if table.raw.get("parent") in tuple(plants):
            table.wrong("parent", "a plant has no units below it", "Name a unit of a level above the plants.")
    agreements = agreements_of(sheet, ids, plants)
    alarms = alarms_of(sheet)
    calendar = calendar_of(sheet, ids, alarms.stop_max_s)
    council = _council(sheet, units, levels)
    seats = _seats(sheet)
    judging = judging_of(sheet, ids)
    keeping = keeping_of(sheet)
    charts, feeds = charts_of(sheet, ids, plants)
    readings = readings_of(sheet)
    rationales = kinds_of(sheet, plants)
    notices, channels = notices_of(sheet, ids)
    if sheet.mistakes:
        return None
    occupants |= {f"seat-{seat.seat}": seat.occupant for seat in seats}
    charter = Charter(
        title=title,
        units=units,
        agreements=agreements,
        alarms=alarms,
        council=council,
        seats=seats,
        calendar=calendar,
        unassigned=unassigned,
        plant_level=plant_level,
        plant_clock_s=plant_clock_s,
        charts=charts,
        feeds=feeds,
        readings=readings,
        rationales=rationales,
        notices=notices,
    )
    named = occupants | ({"operator": operator} if operator else {})
    return RoomFile(id=room_id, charter=charter, occupants=named, judging=judging, keeping=keeping, channels=channels)


def _plant_level(room: Reading, plant_level: str, levels: tuple[str, ...]) -> str:
    if plant_level and levels and plant_level != levels[-1]:
        cure = (
            f"Plants are leaves: name the last level, {levels[-1]!r}."
            if plant_level in levels
            else nearest(plant_level, levels)
        )
        room.wrong("plant_level", "it is not the last of the levels", cure)
    return levels[-1] if levels else ""


def _council(sheet: Sheet, units: tuple[Unit, ...], levels: tuple[str, ...]) -> CouncilRules:
    table, usual = sheet.table("council"), CouncilRules()
    unit, level = table.text("unit"), table.text("level")
    ids = [known.id for known in units]
    there = [known.id for known in units if known.level == level]
    if unit and level:
        table.wrong("level", "the council sits at a unit and at a level", "Leave one of the two out.")
    elif unit and unit not in ids:
        table.wrong("unit", "there is no such unit", nearest(unit, ids))
    elif level and level not in levels:
        table.wrong("level", "there is no such level", nearest(level, levels))
    elif level and len(there) != 1:
        table.wrong(
            "level", f"{len(there)} units have this level", 'Name the unit where it sits instead: unit = "...".'
        )
    rules = CouncilRules(
        unit=unit or (there[0] if level and there else ""),
        quorum=table.count("quorum", usual.quorum, 1, len(SEATS)),
        deliberation_min_s=table.duration("deliberation_min", usual.deliberation_min_s),
        deliberation_max_s=table.duration("deliberation_max", usual.deliberation_max_s),
        last_call_s=table.duration("last_call", usual.last_call_s),
        order_valid_s=table.duration("order_valid", usual.order_valid_s),
        review_s=table.duration("review", usual.review_s),
        open_motions=table.count("open_motions", usual.open_motions, 1, 1000),
        seconder=cast(Literal["auto", "yes", "no"], table.word("seconder", ("auto", "yes", "no"))),
        seconding_s=table.duration("seconding", usual.seconding_s),
        rounds=table.count("rounds", usual.rounds, 1, 2),
        mode_order=_mode(table, "mode_order", usual.mode_order),
        mode_choice=_mode(table, "mode_choice", usual.mode_choice),
        mode_dangerous=_mode(table, "mode_dangerous", usual.mode_dangerous),
        mode_time=_mode(table, "mode_time", usual.mode_time),
        mode_agreement=_mode(table, "mode_agreement", usual.mode_agreement),
        agreement_valid_s=table.duration("agreement_valid", usual.agreement_valid_s),
        hold_window_s=table.duration("hold_window", usual.hold_window_s),
        session_s=table.duration("session", usual.session_s),
        motions_a_seat=table.count("motions_a_seat", usual.motions_a_seat, 1, 1000),
    )
    if rules.deliberation_min_s > rules.deliberation_max_s:
        table.wrong("deliberation_max", "it is shorter than deliberation_min", "Make it at least as long.")
    table.done()
    return rules


def _mode(table: Reading, key: str, usual: Mode) -> Mode:
    """How one kind of motion is counted; the usual mode stands first, so that it is the one of a file without the key."""
    known = tuple(sorted(get_args(Mode), key=lambda mode: str(mode) != usual))
    return cast(Mode, table.word(key, known))


def _seats(sheet: Sheet) -> tuple[Seat, ...]:
    seats: dict[int, Seat] = {}
    for table in sheet.tables("seat"):
        number = table.count("number", 0, SEATS[0], SEATS[-1], needed=True)
        occupant = table.text("occupant", needed=True)
        table.done()
        if number in seats:
            table.wrong("number", f"seat {number} stands here twice", "Give each of the seven seats one [[seat]].")
        elif number:
            seats[number] = Seat(seat=number, occupant=occupant)
    missing = [str(number) for number in SEATS if number not in seats]
    if missing and len(list(sheet.tables("seat"))) < len(SEATS):
        cure = 'Write a [[seat]] with number and occupant for each; an empty chair needs a name too, like "vacant".'
        sheet.wrong("seat", f"seat {', '.join(missing)}", "seven seats, and these have no occupant", cure)
    return tuple(seats[number] for number in SEATS if number in seats)


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _value(key)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return msgspec.json.encode(value).decode().replace("\x7f", "\\u007f")
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items()) + "}"
    return "[" + ", ".join(_value(item) for item in value) + "]"
