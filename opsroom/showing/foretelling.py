"""Forecasts, their scores and the endings of orders in words that need no statistics. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from opsroom.council.foretold import marked
from opsroom.council.options import Option, OptionForecast, Record
from opsroom.room import events as happened
from opsroom.room.state import Room
from opsroom.showing.sentences import figure, lasting, uom

ENDINGS: Mapping[str, str] = {
    "obeyed": "obeyed",
    "refused": "refused",
    "ignored": "ignored",
    "reversed": "reversed",
    "cannot-tell": "cannot be told",
    "revoked": "revoked",
    "superseded": "superseded",
    "unanswered": "unanswered",
}
"""Each ending in a word for people."""


def ending_words(event: happened.OrderEnded) -> str:
    """How an order ended, for the ticker."""
    because = f" ({event.reason})" if event.reason else ""
    if event.ending == "cannot-tell":
        return f"whether it was obeyed cannot be told{because}"
    return f"ended: {ENDINGS[event.ending]}{because}"


def endings_words(events: Iterable[happened.AnyEvent]) -> str:
    """How orders ended, counted, in a line; nothing when none has. What a plant took after all is no longer unanswered."""
    last: dict[str, str] = {}
    for event in events:
        match event:
            case happened.OrderEnded():
                last[event.order] = event.ending
            case happened.OrderAnswered(state="accepted" | "done") if last.get(event.order) == "unanswered":
                del last[event.order]
            case _:
                continue
    said = ", ".join(f"{count} {ENDINGS[ending]}" for ending, count in sorted(Counter(last.values()).items()))
    return f"orders ended: {said}" if said else ""


def span(low: float, high: float, unit: str) -> str:
    """Two figures and their unit.

    >>> span(410.2, 449.7, "m/h"), span(-1.0, 2.0, "")
    ('410 to 450 m/h', '-1 to 2')
    """
    return f"{figure(low)} to {figure(high, unit)}"


def forecast_words(room: Room, option: Option) -> str:
    """What an option is expected to do, in one sentence: likely (50 %), very likely (90 %), from what it is known."""
    told = option.forecast
    if told is None:
        return f"{_if(option)}: the filter does not know the signal well enough to foresee anything."
    if not told.rows:
        names = ", ".join(told.unknown) or option.title
        return f"{_if(option)}: unknown. No plant has declared what {names} does to this signal, and it was never measured."
    at, _, low50, high50, low90, high90 = told.rows[-1]
    unit = uom(room, told.signal)
    ahead = lasting(at - _start(told))
    after = "in" if option.kind != "orders" else "after the order, in"
    return (
        f"{_if(option)}: likely {span(low50, high50, unit)} {after} {ahead}, very likely {span(low90, high90, unit)}; "
        f"{source_words(told)}."
    )


def _start(told: OptionForecast) -> float:
    """When a forecast begins: its moments are evenly spaced and the first stands one step after it."""
    rows = told.rows
    return rows[0][0] - (rows[-1][0] - rows[0][0]) / max(len(rows) - 1, 1)


def _if(option: Option) -> str:
    if option.kind == "nothing":
        return "If nothing is done"
    return "With more time, and nothing ordered" if option.kind == "time" else f"With {option.title!r}"


def source_words(told: OptionForecast) -> str:
    """From what a forecast was reckoned."""
    match told.source:
        case "filter":
            return "as the readings so far let the room expect"
        case "library":
            orders = "1 order" if told.effects == 1 else f"{told.effects} orders"
            plants = "1 plant" if told.plants == 1 else f"{told.plants} plants"
            left = f", {told.left_out} more left out because their cause is doubtful" if told.left_out else ""
            return f"from {orders} of this kind at {plants}{left}"
        case "declared":
            return "as the plant declares it; nobody has measured it yet"
        case "mixed":
            return "partly from earlier orders, partly as the plants declare it"
    return ""


def record_words(record: Record | None) -> str:
    """How forecasts of this kind did before.

    >>> record_words(Record(scored=12, in50=6, in90=11, crps=18.0))
    'Of 12 forecasts of this kind, 11 fell in the 90 % band and 6 in the 50 % band'
    >>> record_words(None)
    'No forecast of this kind has been compared with what came yet'
    """
    if record is None or not record.scored:
        return "No forecast of this kind has been compared with what came yet"
    if record.scored == 1:
        return f"The one forecast of this kind so far fell {'in' if record.in90 else 'outside'} the 90 % band"
    return f"Of {record.scored} forecasts of this kind, {record.in90} fell in the 90 % band and {record.in50} in the 50 % band"


def score_words(room: Room, event: happened.ForecastScored) -> str:
    """How one forecast did."""
    unit = uom(room, event.signal)
    if event.value is None:
        return f"its forecast cannot be scored, {event.reason}"
    inside = "outside both bands"
    if event.band90[0] <= event.value <= event.band90[1]:
        inside = "in the 90 % band"
    if event.band50[0] <= event.value <= event.band50[1]:
        inside = "in the 50 % band"
    return f"forecast {span(*event.band90, unit)}, came {figure(event.value, unit)}, {inside}"


def tally_of(scored: Iterable[happened.ForecastScored]) -> dict[str, Record]:
    """The record of each kind of forecast, by kind."""
    records: dict[str, Record] = {}
    for event in scored:
        records[event.of] = marked(records.get(event.of, Record()), event)
    return dict(sorted(records.items()))


def kind_words(kind: str, record: Record) -> str:
    """One kind of forecast and how it did, in a line.

    >>> kind_words("nothing|output", Record(scored=4, in50=2, in90=4, crps=6.0, void=1))
    'doing nothing, output: 4 scored, 4 in the 90 % band, 2 in the 50 % band, mean CRPS 1.5; 1 could not be scored'
    """
    orders, _, signal = kind.partition("|")
    what = "doing nothing" if orders == "nothing" else orders.replace("+", " and ")
    void = f"; {record.void} could not be scored" if record.void else ""
    if not record.scored:
        return f"{what}, {signal}: none scored{void}"
    mean = record.crps / record.scored
    bands = f"{record.in90} in the 90 % band, {record.in50} in the 50 % band"
    return f"{what}, {signal}: {record.scored} scored, {bands}, mean CRPS {mean:.3g}{void}"
