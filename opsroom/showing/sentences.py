"""Plain English for operators: figures with units, moments, lengths of time, probabilities in words, one sentence an alarm."""

from __future__ import annotations

import math

from opsroom.commands import Citation
from opsroom.council.motion import Motion
from opsroom.moments import calendared, zoned
from opsroom.recursion.focus import title_of
from opsroom.recursion.recursion import owner
from opsroom.room.events import EffectAttributed
from opsroom.room.state import Alarm, Room

_WORDS = (
    (0.99, "almost certain"),
    (0.9, "very likely"),
    (0.66, "likely"),
    (0.33, "about as likely as not"),
    (0.1, "unlikely"),
    (0.0, "very unlikely"),
)


def percent(probability: float) -> str:
    """Tell a probability in whole percent, never claiming more certainty than there is.

    >>> percent(0.993), percent(0.9999), percent(0.004)
    ('99 %', 'over 99 %', 'under 1 %')
    """
    if probability >= 0.995:
        return "over 99 %"
    return "under 1 %" if probability < 0.01 else f"{100 * probability:.0f} %"


def surely(probability: float) -> str:
    """Tell a probability in words and number, after the scale that the IPCC uses.

    >>> surely(0.99), surely(0.7)
    ('almost certain (99 %)', 'likely (70 %)')
    """
    word = next((word for least, word in _WORDS if probability >= least), "very unlikely")
    return f"{word} ({percent(probability)})"


def figure(value: float, uom: str = "") -> str:
    """Tell a figure to three digits (whole numbers in full), with its unit.

    >>> figure(18.2345, "m/h"), figure(1234567.0), figure(0.00123, "t"), figure(-0.0), figure(41.96)
    ('18.2 m/h', '1234567', '0.00123 t', '0', '42')
    """
    if value == 0 or not math.isfinite(value):
        text = "0" if value == 0 else "unknown"
    elif abs(value) >= 100:
        text = f"{value:.0f}"
    else:
        text = f"{value:.{max(2 - math.floor(math.log10(abs(value))), 0)}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{text} {uom}" if uom else text


def lasting(seconds: float) -> str:
    """Tell a length of time in its two largest units.

    >>> lasting(59), lasting(90), lasting(3600), lasting(93784)
    ('59 s', '1 min 30 s', '1 h', '1 d 2 h')
    """
    left = max(round(calendared(seconds)), 0)
    parts = []
    for size, name in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        if left >= size:
            parts.append((size, f"{left // size} {name}"))
            left %= size
    if not parts:
        return "0 s"
    kept = [text for size, text in parts[:2] if size * 60 >= parts[0][0]]
    return " ".join(kept)


def moment(at: float, now: float | None = None) -> str:
    """Tell a moment in UTC: the time of day, with the date when it is not that of `now`.

    >>> moment(1700000000.0), moment(1700000000.0, now=1700000300.0)
    ('2023-11-14 22:13 UTC', '22:13 UTC')
    """
    then = zoned(at)
    same_day = now is not None and then.date() == zoned(now).date()
    return f"{then:%H:%M} UTC" if same_day else f"{then:%Y-%m-%d %H:%M} UTC"


def signal_title(room: Room, signal: str) -> str:
    """A signal's title and its plant's, for people; a silent plant's is the plant's own."""
    plant = title_of(room, owner(signal))
    known = room.signals.get(signal)
    if known is None:
        return plant if "/" not in signal else signal
    return f"{known.birth.title or known.birth.name} of {plant}"


def person(room: Room, by: str) -> str:
    """Who somebody is: a name as it is, an account without one by the place for which it speaks; nobody stays nobody."""
    kind, _, place = by.partition("-")
    if kind in ("unit", "wire") and place in room.tree.units:
        return f"{title_of(room, place)}{' over the wire' if kind == 'wire' else ''}"
    return f"seat {place}" if kind == "seat" and place.isdigit() else by


def order_title(room: Room, order: str) -> str:
    """An order as people call it: by its plant's title for it, and the plant; with its id where another is called the same.

    One that the room has forgotten keeps its id alone.
    """
    known = room.orders.get(order)
    if known is None:
        return order
    told = known.asked.birth.title if known.asked is not None else ""
    alike = (one.id for one in room.orders.values() if (one.plant, one.name) == (known.plant, known.name))
    which = f" ({order})" if any(other != order for other in alike) else ""
    return f"{quoted(told or known.name)} at {title_of(room, known.plant)}{which}"


def uom(room: Room, signal: str) -> str:
    """The unit in which a signal is measured; empty when it has none."""
    known = room.signals.get(signal)
    return known.birth.unit if known is not None else ""


def counted(count: int, noun: str) -> str:
    """So many of a thing, by its English word.

    >>> counted(1, "alarm"), counted(0, "alarm")
    ('1 alarm', '0 alarms')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def quoted(words: str) -> str:
    """Words as a name within a sentence.

    >>> quoted("Output of Loom 1 stepped down")
    '“Output of Loom 1 stepped down”'
    """
    return f"“{words}”"


def title(room: Room, alarm: Alarm) -> str:
    """An alarm in a few words."""
    said = alarm.deviation
    if said.named == "silence":
        return f"{title_of(room, alarm.unit)} is silent"
    way = {"up": "up", "down": "down"}.get(said.direction, "")
    word = {
        "step": f"stepped {way}".strip(),
        "slope": f"is sliding {way}".strip(),
        "drift": f"is drifting {way}".strip(),
        "stuck": "does not move",
        "variance": "swings less than it did"
        if said.size is not None and said.size < 1.0
        else "swings more than it did",
        "out_of_range": "tells what cannot be",
    }.get(said.named, f"shows a {said.named}")
    return f"{signal_title(room, alarm.signal)} {word}"


def _deviation(room: Room, alarm: Alarm) -> str:
    said, unit = alarm.deviation, uom(room, alarm.signal)
    since = f" since {moment(said.since, alarm.opened_at)}" if said.since is not None else ""
    if said.named == "silence":
        return f"{title_of(room, alarm.unit)} has said nothing{since}."
    told = _of_an_instrument(alarm, unit)
    if told:
        return f"{signal_title(room, alarm.signal)} {told}{since}: {surely(said.probability)}."
    verb = {"up": "has risen", "down": "has fallen"}.get(said.direction, "has changed")
    if said.named == "slope":
        verb = {"up": "has been rising", "down": "has been falling"}.get(said.direction, "has been changing")
    size = ""
    if said.named == "slope":
        # Its size is by how much it changed: a rise that became less steep has not risen by that.
        speed = said.slope if said.speed is None else said.speed
        if speed and said.direction == ("up" if speed > 0 else "down"):
            size = f" by about {figure(abs(speed), unit)} a reading"
    elif said.size is not None:
        size = f" by {figure(abs(said.size), unit)}"
        if said.size_low is not None and said.size_high is not None and said.size_low * said.size_high > 0:
            low, high = sorted((abs(said.size_low), abs(said.size_high)))
            size += f" ({figure(low)} to {figure(high)})"
    where = said.level if said.level is not None else said.value
    level = f" to about {figure(where, unit)}" if where is not None else ""
    return f"{signal_title(room, alarm.signal)} {verb}{size}{level}{since}: a {said.named}, {surely(said.probability)}."


def _of_an_instrument(alarm: Alarm, unit: str) -> str:
    """What is wrong with how a signal is told; empty for what is told of where it is."""
    said = alarm.deviation
    match said.named:
        case "stuck":
            at = f" from {figure(said.level, unit)}" if said.level is not None else ""
            return f"has not moved{at}"
        case "variance" if said.size is not None:
            return f"swings {'less' if said.size < 1.0 else 'more'} than it did, by a factor of {figure(said.size)}"
        case "out_of_range":
            at = f" ({figure(said.value, unit)})" if said.value is not None else ""
            return f"tells what is physically impossible{at}"
        case "drift" if said.size is not None:
            return f"drifts away from its normal, {figure(abs(said.size), unit)} {said.direction or 'off'} so far"
        case _:
            return ""


def _standing(room: Room, alarm: Alarm) -> str:
    where = title_of(room, alarm.at_unit)
    if alarm.closed_at is not None:
        return f"Closed: {alarm.closed_reason}."
    if alarm.life.quiet:
        return "Suppressed by a planned stop." if alarm.stop else "Quiet: its signal is out of service."
    if alarm.recovered_at is not None:
        return f"Back to normal since {moment(alarm.recovered_at, alarm.opened_at)}."
    if alarm.deadline is None:
        return f"It stands at {where}."
    if alarm.waits:
        origin = room.alarms.get(alarm.waits)
        began = quoted(title(room, origin)) if origin is not None else alarm.waits
        return (
            f"The time of {where} has run out; it waits for the alarm where it began, {began}, which climbs for both."
        )
    if alarm.at_unit == room.tree.root:
        return f"It stands at {where}, with nobody above; the next reminder comes at {moment(alarm.deadline, alarm.opened_at)}."
    return f"{where} has until {moment(alarm.deadline, alarm.opened_at)} before it goes one level up."


def alarm_sentence(room: Room, alarm: Alarm) -> str:
    """What has happened, how surely, since when, and whose turn it is, in two sentences."""
    return f"{_deviation(room, alarm)} {_standing(room, alarm)}"


def attribution_sentence(room: Room, event: EffectAttributed) -> str:
    """Whether the order may be called the cause, in words that need no statistics."""
    unit, name, told = uom(room, event.signal), signal_title(room, event.signal), event.told
    whole = told.whole
    if told.word == "told" and whole is not None:
        way = "raised" if whole.mean > 0 else "lowered"
        low, high = sorted((abs(whole.low), abs(whole.high)))
        return (
            f"The order {way} {name} by about {figure(abs(whole.mean), unit)}, very likely by {figure(low, unit)} "
            f"to {figure(high, unit)}: {told.reason}."
        )
    if told.word == "too_early":
        when = f" before {moment(told.until, event.at)}" if told.until is not None else " yet"
        return f"What the order does to {name} cannot be told{when}: it is too early."
    if told.word == "none":
        if not event.final:
            return f"So far the order has done nothing to {name} that matters: {told.reason}."
        return f"The order did nothing to {name} that matters: {told.reason}."
    others = f" ({', '.join(title_of(room, owner(key)) for key in told.disturbed)})" if told.disturbed else ""
    return f"Whether the order moved {name} cannot be told: {told.reason}{others}."


def citation_words(room: Room, motion: Motion, cited: Citation) -> str:
    """What a statement points at, in a few words."""
    name = signal_title(room, cited.signal or motion.signal)
    if cited.kind == "readings" and cited.start is not None and cited.end is not None:
        return f"readings of {name}, {moment(cited.start)} to {moment(cited.end, cited.start)}"
    if cited.kind == "statement":
        return f"statement {cited.number}"
    if cited.kind == "forecast" and (option := motion.option(cited.option)) is not None:
        return f"forecast of {name} with {option.title}"
    return f"{cited.kind} of {name}"
