"""What minutes say, in words that need no statistics: a document of blocks from what was gathered. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from opsroom.council import terms
from opsroom.council.options import Option, OptionOrder, OptionTerms
from opsroom.minutes.balloting import amendments, ballot_row, options_now, why_so
from opsroom.minutes.blocks import Block, Document, Drawn, Exact, Facts, Heading, Para, Proof, Quote, Table
from opsroom.minutes.charts import effect_picture, evidence_picture, fans_picture
from opsroom.minutes.gather import Matter, Session, told_events
from opsroom.minutes.proceedings import parameters, proceedings
from opsroom.recursion.focus import title_of
from opsroom.recursion.recursion import owner
from opsroom.room import events as happened
from opsroom.room.state import Room
from opsroom.showing.foretelling import forecast_words, record_words, score_words
from opsroom.showing.sentences import (
    alarm_sentence,
    attribution_sentence,
    figure,
    lasting,
    moment,
    order_title,
    signal_title,
    surely,
    uom,
)

OUTCOMES = {
    "carried": "carried",
    "lost": "lost: nothing was ordered",
    "expired": "expired without a decision: nothing was ordered",
    "withdrawn": "withdrawn by its mover",
}


def minutes(session: Session, *, signed: str = "", proofs: Iterable[Proof] = (), marked: str = "") -> Document:
    """The minutes of the motions that were gathered; `signed` is the journal's signed head as JSON."""
    room, matters = session.room, session.matters
    first, last = matters[0].opened.at, max(kept.at for matter in matters for kept in matter.events)
    blocks: list[Block] = [
        Heading(1, "Agenda"),
        Table(
            ("motion", "moved by", "outcome"),
            tuple((f"{one.motion}: {one.opened.title}", _who(one.opened), _outcome(one)) for one in matters),
        ),
    ]
    for matter in matters:
        blocks += _motion(room, matter)
    proven = tuple(proofs)
    blocks += _record(session, signed, proven)
    title = room.charter.title or room.id
    span = f"{moment(first)} to {moment(last, first)}"
    return Document(
        f"Minutes of the council: {title}", f"{span}. Written from the journal alone.", tuple(blocks), proven, marked
    )


def _who(event: happened.AnyEvent) -> str:
    seat = getattr(event, "seat", None)
    if seat and event.occupant in ("", f"seat-{seat}") and event.by in ("", f"seat-{seat}"):
        return f"seat {seat}"
    name = event.occupant or event.by or "the room"
    return f"seat {seat}, {name}" if seat else name


def _closed(matter: Matter) -> happened.MotionClosed | None:
    return next((one.event for one in matter.events if isinstance(one.event, happened.MotionClosed)), None)


def _outcome(matter: Matter) -> str:
    closed = _closed(matter)
    if closed is None:
        return "still open"
    option = options_now(matter).get(closed.option)
    won = f": option {option.id}, {option.title}" if option is not None and closed.outcome == "carried" else ""
    return f"{OUTCOMES[closed.outcome]}{won}"


def _motion(room: Room, matter: Matter) -> Iterator[Block]:
    opened, closed = matter.opened, _closed(matter)
    alarms = [*([opened.alarm] if opened.alarm else []), *(one.alarm for one in opened.also)]
    yield Heading(1, f"{matter.motion}: {opened.title}")
    yield Facts(
        (
            ("moved by", f"{_who(opened)}, {moment(opened.at)}"),
            # As it stood then: what the filter made of it since, and how it ended, nobody knew who moved and voted.
            *(("answers", _alarm(matter.then or room, alarm)) for alarm in alarms),
            *(() if alarms else (("is about", f"the agreement on {signal_title(room, opened.signal)}"),)),
            _deadline(matter),
            ("outcome", _outcome(matter)),
        )
    )
    yield from _evidence(room, opened)
    yield from _options(room, opened)
    yield from _statements(room, matter)
    yield from amendments(matter, _who, lambda plant: title_of(room, plant), lambda order: order_title(room, order))
    yield from _ballots(room, matter, closed)
    yield from proceedings(room, matter)
    yield from _effects(room, matter)


def _deadline(matter: Matter) -> tuple[str, str]:
    """Until when it was to be decided: that time begins with the second seat; before, there was a time for finding one."""
    backed = next((one.event for one in matter.events if isinstance(one.event, happened.MotionSeconded)), None)
    if backed is None:
        return "to be seconded by", moment(matter.opened.deadline)
    return "to be decided by", f"{moment(backed.deadline)}, with a quorum of {matter.opened.quorum}"


def _alarm(room: Room, name: str) -> str:
    alarm = room.alarms.get(name)
    return f"{name}: {alarm_sentence(room, alarm)}" if alarm is not None else name


def _evidence(room: Room, opened: happened.MotionOpened) -> Iterator[Block]:
    seen = opened.evidence
    if seen is None:
        return
    yield Heading(2, "Evidence, as it stood when the motion was opened")
    picture = evidence_picture(seen, opened.at)
    if picture is not None:
        caption = (
            f"{signal_title(room, seen.signal)}. Blue: where the filter expected each reading (90 %); "
            "amber: its forecast without any order."
        )
        yield Drawn(picture, caption)
    named = seen.verdict.get("named")
    p = seen.verdict.get("p") or {}
    sure = p.get(named) if isinstance(p, dict) else None
    words = f"{named}, {surely(sure)}" if isinstance(sure, float) else str(named or "nothing yet")
    if named == "steady":  # of the alarm that the motion answers it is told above
        words += ": the newest readings keep to their level"
    level = figure(seen.level, seen.uom) if seen.level is not None else "not known"
    yield Facts(
        (
            ("the filter said", words),
            ("level", level),
            ("readings frozen", str(len(seen.readings))),
            ("software", seen.software or "not noted"),
        )
    )


def _options(room: Room, opened: happened.MotionOpened) -> Iterator[Block]:
    if not opened.options:
        order = opened.order
        if order is not None:
            yield Heading(2, "What was proposed")
            yield Para(f"{order.title or order.name} at {title_of(room, opened.plant)}{parameters(opened.parameters)}")
        return
    yield Heading(2, "Options, and what was expected of each before the ballot")
    picture = fans_picture(opened.evidence, opened.options)
    if picture is not None:
        yield Drawn(
            picture,
            "Pale: nine times in ten it should lie here; darker: every second time. Orders are counted from their issue.",
        )
    yield Table(
        ("", "option", "expected"), tuple((one.id, _option(room, one), _expected(room, one)) for one in opened.options)
    )
    changed = [(option.id, *_terms(one)) for option in opened.options for one in option.terms]
    if changed:
        yield Heading(3, "What would be proposed to plants: nothing of it holds without their consent")
        yield Table(("option", "of", "agreed then", "proposed"), tuple(changed))


def _terms(one: OptionTerms) -> tuple[str, str, str]:
    before, after = terms.lines(one)
    return f"{one.title}, version {one.version}" if one.version else one.title, before or "nothing", after


def _option(room: Room, option: Option) -> str:
    if option.kind == "time":
        return f"{option.title} ({lasting(option.extra_s)})"
    orders = "; ".join(_order(room, order) for order in option.orders)
    if option.supersedes:
        orders += f"; in place of {' and '.join(order_title(room, order) for order in option.supersedes)}"
    return f"{option.title}: {orders}" if orders else option.title


def _order(room: Room, order: OptionOrder) -> str:
    danger = f", marked {order.birth.danger}" if order.birth.danger != "none" else ""
    named = f"{order.birth.title or order.birth.name} at {title_of(room, order.plant)}"
    return f"{named}{parameters(order.parameters, order)}{danger}"


def _expected(room: Room, option: Option) -> str:
    told = option.forecast
    return f"{forecast_words(room, option)} {record_words(told.record)}." if told is not None else "Not foreseen."


def _statements(room: Room, matter: Matter) -> Iterator[Block]:
    said = [one.event for one in matter.events if isinstance(one.event, happened.StatementMade)]
    silent = [plant for plant in _invited(room, matter.opened) if not any(one.plant == plant for one in said)]
    if said or silent:
        yield Heading(2, "Statements")
    for one in said:
        if one.plant and one.by.startswith("wire-"):
            who = f"{title_of(room, one.plant)} itself, over the wire"
        else:
            who = f"{title_of(room, one.plant)} itself, {_who(one)}" if one.plant else _who(one)
        yield Quote(f"{who}, {one.stance}, {moment(one.at)}", one.text)
    if silent:
        yield Para(f"Concerned, and said nothing: {', '.join(title_of(room, plant) for plant in silent)}.")


def _invited(room: Room, opened: happened.MotionOpened) -> tuple[str, ...]:
    """The plants that a motion was about when it was opened."""
    about = [owner(signal) for signal in (opened.signal, *(one.signal for one in opened.also))]
    ordered = [plant for option in opened.options for plant in option.plants]
    return tuple(plant for plant in dict.fromkeys((*about, *ordered)) if plant in room.plants)


def _ballots(room: Room, matter: Matter, closed: happened.MotionClosed | None) -> Iterator[Block]:
    cast = [one.event for one in matter.events if isinstance(one.event, happened.BallotCast)]
    sealed = [one.event for one in matter.events if isinstance(one.event, happened.BallotSealed)]
    opened = [one.event for one in matter.events if isinstance(one.event, happened.BallotsOpened)]
    yield Heading(2, "Ballots")
    for event in opened:
        rows = tuple(ballot_row(matter, event, one) for one in event.ballots)
        yield Table((f"seat, round {event.round}", "options named", "reason"), rows)
    if closed is None:
        yield Para(f"Ballots so far: {len(cast) + len(sealed)}. A round's ballots are sealed until it is over.")
        return
    if cast:
        yield Table(("seat", "choice", "reason"), tuple((_who(one), one.choice, one.reason) for one in cast))
    count = (
        f"{closed.yes} for it, {closed.no} not, {closed.abstain} abstained, {closed.recused} recused; "
        f"quorum {matter.opened.quorum}."
    )
    yield Para(
        f"{count} {_first_large(_outcome(matter))}.{' ' + _first_large(closed.reason) + '.' if closed.reason else ''}"
    )
    for sentence in why_so(matter, closed):
        yield Para(sentence)
    against = {"carried": "no", "lost": "yes"}.get(closed.outcome)
    minority = [(_who(one), one.reason) for one in cast if one.choice == against and one.reason]
    minority += [(f"seat {one.seat}{', ' + one.occupant if one.occupant else ''}", one.text) for one in closed.minority]
    stated = [one.event for one in matter.events if isinstance(one.event, happened.MinorityStated)]
    minority += [(f"{_who(one)}, {moment(one.at)}", one.text) for one in stated]
    if minority:
        yield Heading(2, "In the minority")
    for who, text in minority:
        yield Quote(who, text)
    if closed.outcome == "carried":
        seat = matter.opened.responsible
        who = _who(matter.opened) if seat in (0, matter.opened.seat) else f"seat {seat}"
        yield Para(f"Responsible: {who}.{_review(matter)}")


def _review(matter: Matter) -> str:
    reviews = [one.event.review_at for one in matter.events if isinstance(one.event, happened.OrderAnswered)]
    closed = _closed(matter)
    known = [at for at in (*reviews, closed.review_at if closed is not None else None) if at is not None]
    return f" To be reviewed {moment(max(known))}." if known else ""


def _first_large(text: str) -> str:
    return text[:1].upper() + text[1:]


def _effects(room: Room, matter: Matter) -> Iterator[Block]:
    measured = {one.event.order: one.event for one in matter.events if isinstance(one.event, happened.EffectMeasured)}
    told = {one.event.order: one.event for one in matter.events if isinstance(one.event, happened.EffectAttributed)}
    for order, seen in measured.items():
        yield Heading(2, f"What {order} did")
        yield Facts(tuple(_compared(seen, uom(room, seen.signal))))
        found = told.get(order)
        if found is not None:
            yield Para(attribution_sentence(room, found))
            picture = effect_picture(found.told)
            if picture is not None:
                yield Drawn(picture, "Blue: what would have come without the order, with its 95 % band.")
    scored = [one.event for one in matter.events if isinstance(one.event, happened.ForecastScored)]
    if scored:
        yield Heading(2, "The forecasts, afterwards")
        yield Table(("option", "what came of it"), tuple((one.option, score_words(room, one)) for one in scored))


def _compared(seen: happened.EffectMeasured, unit: str) -> Iterator[tuple[str, str]]:
    """The measurement beside plain before and after, which goes by the name of an effect elsewhere."""
    if seen.before is not None:
        yield "before", figure(seen.before, unit)
    if seen.after is not None:
        yield "after", figure(seen.after, unit)
    if seen.before is not None and seen.after is not None:
        change = seen.after - seen.before
        sign = "+" if change > 0 else ""
        yield "before and after", f"{sign}{figure(change, unit)}: not an effect, the rest of the world went on too"
    if seen.expected_without is not None:
        yield "foreseen without it", figure(seen.expected_without, unit)
    yield "back to normal", moment(seen.recovered_at) if seen.recovered_at is not None else "not by then"


def _record(session: Session, signed: str, proofs: tuple[Proof, ...]) -> Iterator[Block]:
    yield Heading(1, "In the record")
    yield Para(
        f"These minutes are made from the journal of the room {session.room.id!r}, which had {session.events} events then. "
        "Every event that is told here has its number."
    )
    yield Exact(f"head {session.head}")
    kept = [one for matter in session.matters for one in told_events(matter)]
    rows = tuple((f"#{one.number}", one.kind, moment(one.at), one.hash[:16]) for one in kept)
    yield Table(("event", "kind", "when", "hash begins"), rows)
    if signed:
        yield Para("The journal's head, signed by the room:")
        yield Exact(signed)
    if proofs:
        yield Para(
            f"The HTML page carries the proofs that these {len(proofs)} events are in the journal with that head, with their "
            "exact bytes. Anybody can check them, without the room:"
        )
        yield Exact("python verify_journal.py --proof minutes.html")
        yield Para(
            "This proves the events that the page carries, not the words printed above. Who has the journal compares those too, "
            "with the options of these minutes:"
        )
        yield Exact("opsroom minutes --data DIR --check minutes.html")
