"""How signals are judged and how many false alarms are afforded, as `room.toml` and the file of `opsroom calibrate` say. Pure."""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Iterator, Mapping

import msgspec

from opsroom.constitution.durations import seconds
from opsroom.constitution.tables import Mistake, Reading, Sheet, nearest, shown
from opsroom.constitution.toml_lines import lines_of

__all__ = ["AlarmBudget", "CalibrationFile", "Judging", "SignalSettings", "TailSettings", "merged", "read_calibration"]

SCALES = ("none", "log", "sqrt")
_MOST_PERIODS = 4
_YEAR = 366 * 86400.0


class SignalSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How one signal is judged; figures in the scale of `transform`, but centre and spread in the signal's own unit."""

    transform: str = "none"
    sampling_s: float = 0.0
    """Usual seconds between readings; 0: as the plant declared."""
    seasons_s: tuple[float, ...] = ()
    patterns: tuple[tuple[float, ...], ...] = ()
    """What each season adds over its course, one list a season; empty: learned on the way."""
    pattern_variances: tuple[float, ...] = ()
    centre: float | None = None
    spread: float | None = None
    level_ratio: float | None = None
    slope_ratio: float | None = None
    priors: tuple[float, ...] = ()
    tail_start: tuple[float, ...] = ()
    tail_width: tuple[float, ...] = ()


class TailSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the signals of one history have in common: the shape of their tails, and how often which score comes."""

    shape: tuple[float, ...]
    scores: tuple[float, ...]
    rates: tuple[float, ...]


class AlarmBudget(msgspec.Struct, frozen=True, kw_only=True):
    """So many false episodes a day that a unit, or the unit where a seat sits, affords over all signals below it."""

    unit: str = ""
    seat: int = 0
    episodes_a_day: float


class CalibrationFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that `opsroom calibrate` wrote; `plant` stands before the names of its signals that name none."""

    file: str
    plant: str = ""


class Judging(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is said of judging; `tails` of a history counts for the signals that it knows."""

    signals: dict[str, SignalSettings] = {}
    budgets: tuple[AlarmBudget, ...] = ()
    files: tuple[CalibrationFile, ...] = ()
    tails: dict[str, TailSettings] = {}
    """By signal."""


def judging_of(sheet: Sheet, units: Mapping[str, object]) -> Judging:
    """Tell what the tables signal, alarm_budget and calibration of a room.toml say; mistakes go to the sheet."""
    signals = {}
    for key, table in sheet.named("signal"):
        if "/" not in key:
            sheet.note(("signal", key), f'signal."{key}"', shown(key), "a signal is written plant/name", _HEAD)
        signals[key] = _settings(table)
    return Judging(
        signals=signals, budgets=tuple(_budgets(sheet, units)), files=tuple(_files(sheet.tables("calibration")))
    )


_HEAD = 'Write [signal."mill-1/output"].'


def _files(tables: Iterator[Reading]) -> Iterator[CalibrationFile]:
    for table in tables:
        file, plant = table.text("file", needed=True, example="room-calibration.toml"), table.slug("plant")
        table.done()
        if file:
            yield CalibrationFile(file=file, plant=plant)


def _budgets(sheet: Sheet, units: Mapping[str, object]) -> Iterator[AlarmBudget]:
    seen = set()
    for table in sheet.tables("alarm_budget"):
        unit, seat = table.text("unit"), table.count("seat", 0, 1, 7)
        per_day = table.number("episodes_a_day")
        table.done()
        if bool(unit) == bool(seat):
            table.wrong("unit", "a budget belongs to one unit or one seat", 'Write unit = "works", or seat = 1.')
        elif unit and unit not in units:
            table.wrong("unit", "there is no such unit", nearest(unit, units))
        elif (unit, seat) in seen:
            table.wrong("unit" if unit else "seat", "it has two budgets", "Write one [[alarm_budget]] for each.")
        seen.add((unit, seat))
        if per_day is None:
            if "episodes_a_day" not in table.raw:
                table.wrong("episodes_a_day", "it is missing", "Write episodes_a_day = 2.0.")
        elif not 0 < per_day <= 1e6:
            table.wrong("episodes_a_day", "a budget must be positive", "Write episodes_a_day = 2.0.")
        else:
            yield AlarmBudget(unit=unit, seat=seat, episodes_a_day=per_day)


def _settings(table: Reading, *, calibrated: bool = False) -> SignalSettings:
    transform = table.word("transform", SCALES)
    sampling = table.number("sampling_seconds")
    if sampling is not None and not 0 < sampling <= _YEAR:
        table.wrong("sampling_seconds", "it must be positive, a year at most", "Write sampling_seconds = 60.0.")
    seasons = _seasons(table)
    centre, spread = table.number("centre"), table.number("spread")
    if spread is not None and not spread > 0:
        table.wrong("spread", "it must be positive", "Write the standard deviation of normal readings.")
    if (centre is None) != (spread is None):
        one, other = ("centre", "spread") if spread is None else ("spread", "centre")
        table.wrong(one, f"it stands without {other}", f"Write {other} as well, or leave both out.")
    if centre is not None and ((transform == "log" and centre <= 0) or (transform == "sqrt" and centre < 0)):
        table.wrong("centre", f"the scale {transform!r} cannot hold it", "Choose another transform or centre.")
    ratios = [table.number(key) for key in ("level_ratio", "slope_ratio")]
    for key, ratio in zip(("level_ratio", "slope_ratio"), ratios, strict=True):
        if ratio is not None and ratio < 0:
            table.wrong(key, "it must not be negative", f"Write {key} = 0.004.")
    priors = table.numbers("priors", 0.0, 1.0, count=4)
    if priors and abs(sum(priors) - 1.0) > 0.01:
        table.wrong("priors", f"they sum to {sum(priors):g}", "The four probabilities must sum to 1.")
    variances = table.numbers("pattern_variances", 0.0, 1e300)
    patterns = _patterns(table, len(seasons))
    if patterns and len(variances) != len(patterns):
        table.wrong("pattern_variances", "one figure for each pattern is needed", "Calibrate anew.")
    start, width = table.numbers("tail_start", 0.0, 1e6, count=3), table.numbers("tail_width", 1e-12, 1e6, count=3)
    if bool(start) != bool(width):
        table.wrong("tail_width" if start else "tail_start", "start and width belong together", "Calibrate anew.")
    if calibrated:
        table.number("readings"), table.number("noise_sd"), table.number("correlation"), table.text("model")
    table.done()
    return SignalSettings(
        transform=transform,
        sampling_s=sampling or 0.0,
        seasons_s=seasons,
        patterns=patterns,
        pattern_variances=variances,
        centre=centre,
        spread=spread,
        level_ratio=ratios[0],
        slope_ratio=ratios[1],
        priors=priors,
        tail_start=start,
        tail_width=width,
    )


def _seasons(table: Reading) -> tuple[float, ...]:
    """Periods in seconds, given as `seasons = ["1 d"]` or `seasons_seconds = [86400.0]`."""
    given = table.numbers("seasons_seconds", 1.0, _YEAR)
    words = table.texts("seasons")
    if words and given:
        table.wrong("seasons", "the seasons stand here twice", "Leave seasons or seasons_seconds out.")
    found = list(given)
    for word in words:
        try:
            found.append(seconds(word))
        except ValueError:
            table.wrong("seasons", "this is no list of times", 'Write seasons = ["1 d", "7 d"].')
            break
    if len(found) > _MOST_PERIODS or len(set(found)) != len(found) or any(period <= 0 for period in found):
        table.wrong(
            "seasons" if words else "seasons_seconds", "up to four different periods", 'Write seasons = ["1 d"].'
        )
        return ()
    return tuple(sorted(found))


def _patterns(table: Reading, many: int) -> tuple[tuple[float, ...], ...]:
    rows = [table.numbers(f"pattern_{number + 1}", -1e300, 1e300) for number in range(many)]
    if any(rows) and not all(len(row) >= 3 for row in rows):
        table.wrong("pattern_1", "each season needs a pattern of three figures or more", "Calibrate anew.")
        return ()
    return tuple(rows) if all(rows) else ()


def read_calibration(text: str) -> tuple[Judging, list[Mistake]]:
    """What a file of `opsroom calibrate` says, and every mistake in it."""
    try:
        raw = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        cure = "Write it anew with `opsroom calibrate`."
        return Judging(), [
            Mistake(line=0, where="the file", value="the file", what=f"this is not TOML: {error}", cure=cure)
        ]
    sheet = Sheet(raw, lines_of(text))
    sheet.only("calibration", "signals", "tails")
    head = sheet.table("calibration", needed=True)
    head.count("version", 1, 1, 1)
    head.text("history"), head.number("rows")
    head.done()
    signals = {key: _settings(table, calibrated=True) for key, table in sheet.named("signals")}
    tails = {}
    if "tails" in raw:
        table = sheet.table("tails")
        shape = table.numbers("shape", -2.0, 2.0, count=3)
        scores, rates = table.numbers("scores", 0.0, 1e6), table.numbers("rates", 1e-300, 1.0)
        table.done()
        rising = all(a < b for a, b in itertools.pairwise(scores))
        falling = all(a > b for a, b in itertools.pairwise(rates))
        if len(scores) < 2 or len(scores) != len(rates) or not (rising and falling and shape):
            table.wrong("scores", "rising scores with as many falling rates are needed", "Calibrate anew.")
        else:
            one = TailSettings(shape=shape, scores=scores, rates=rates)
            tails = {key: one for key, said in signals.items() if said.tail_start}
    return Judging(signals=signals, tails=tails), sheet.mistakes


def merged(own: Judging, calibrated: Mapping[CalibrationFile, Judging]) -> Judging:
    """What the room itself says of a signal goes before what its history says, table by table."""
    signals: dict[str, SignalSettings] = {}
    tails: dict[str, TailSettings] = {}
    for file, said in calibrated.items():
        for name, settings in said.signals.items():
            key = f"{file.plant}/{name}" if file.plant else name
            signals[key] = settings
            if name in said.tails:
                tails[key] = said.tails[name]
    return msgspec.structs.replace(own, signals=signals | own.signals, tails=tails)
