"""View -> component, pure: the rows of the room as they stand on a seat's or a plant's own screen.

Text from the wire is only ever a text child, never markup. Clocks are empty elements with their moment in `data-until` or
`data-from`: the screen's script runs them on the room's clock.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

from dash import html
from dash.development.base_component import Component

from dashboards import deliberation
from dashboards.evidence import EPOCH, Points
from dashboards.markup import facts
from dashboards.matter import Entry, Matter, about, name
from dashboards.words import say, sure
from opsroom.views import (
    AlarmView,
    Answer,
    ClimbView,
    EffectView,
    MotionView,
    OrderView,
    ProposalView,
    SignalView,
    Snapshot,
    StopView,
    UnitView,
)

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float | None) -> str:
    """Tell a figure as people read it, about three digits, a thin space between thousands.

    >>> number(1234.5), number(71.128), number(-0.5), number(None)
    ('1\\u2009234', '71.1', '\\u22120.50', '–')
    """
    if value is None:
        return "–"
    size = abs(value)
    digits = 0 if size >= 100 or size == 0 else 1 if size >= 10 else 2
    return f"{value:,.{digits}f}".replace(",", "\u2009").replace("-", "\u2212")


def percent(probability: float) -> str:
    """Tell a probability in per cent; what is nearly sure is not called sure.

    >>> percent(0.97), percent(0.9999)
    ('97', '> 99')
    """
    return "> 99" if probability >= 0.995 else str(round(100 * probability))


def uom_of(unit: str) -> str:
    """Write a unit of measure as people print it.

    >>> uom_of("10^8 m3"), uom_of("degC"), uom_of("t/h")
    ('10⁸ m³', '°C', 't/h')
    """
    raised = re.sub(r"\^(-?\d+)", lambda found: found[1].translate(RAISED), unit)
    return re.sub(r"\bdeg(?=[CF]\b)", "°", re.sub(r"(?<=m)([23])\b", lambda found: found[1].translate(RAISED), raised))


def time_of(at: float, seconds: bool = False) -> str:
    """Tell the time of day of epoch seconds, UTC.

    >>> time_of(45_000.0)
    '12:30'
    """
    return (EPOCH + timedelta(seconds=at)).strftime("%H:%M:%S" if seconds else "%H:%M")


def date_of(at: float) -> str:
    """Tell day and time of epoch seconds, UTC.

    >>> date_of(45_000.0)
    '1970-01-01 12:30'
    """
    return (EPOCH + timedelta(seconds=at)).strftime("%Y-%m-%d %H:%M")


def mark(state: str) -> Component:
    """Draw the shape of a state; the word stands beside it, never only the shape."""
    return html.Span(className="mark", **facts(data_shape=state, aria_hidden="true"))


def clock(until: float | None, caption: str) -> Component | None:
    """Draw a clock that runs down to `until` (epoch seconds on the room's clock)."""
    if until is None:
        return None
    return html.P([html.Strong(className="clock", **facts(data_until=until)), html.Span(caption)], className="runs")


def agenda(entries: Sequence[Entry], picked: str) -> list[Component]:
    """List the agenda as buttons; the one that is picked says so."""
    if not entries:
        return [html.P(say("desk.nothing"), className="empty")]
    items = []
    for position, entry in enumerate(entries, 1):
        line = [html.Span(say(entry.word))]
        if entry.deadline is not None:
            line.append(html.Span(className="clock", **facts(data_until=entry.deadline)))
        current = "true" if entry.id == picked else "false"
        key = str(position) if position < 10 else ""
        what = html.Span([html.Strong(entry.title), html.Span(line, className="line")], className="what")
        named = facts(data_pick=entry.id, data_key=key, data_state=entry.state, aria_current=current)
        button = html.Button([mark(entry.state), what], type="button", className="entry", **named)
        items.append(html.Li(button))
    return [html.Ol(items)]


def head(matter: Matter, snapshot: Snapshot, signal: SignalView | None = None) -> list[Component]:
    """Say what the matter is: title, sentence, how sure, where it stands, its clock."""
    units = {u.id: u for u in snapshot.units}
    if matter.mode == "none":
        quiet = [mark("calm"), html.H2(say("desk.quiet")), html.P(say("desk.quiet_why"), className="sentence")]
        return [html.Div(quiet, className="allquiet")]
    if matter.proposal:
        return terms(matter.proposal, about(snapshot, matter.proposal.signal), signal)
    if matter.stop:
        return planned(matter.stop, name(snapshot, matter.stop.unit), snapshot.now)
    if matter.alarm is None:
        title = matter.motion.title if matter.motion else matter.order.title if matter.order else ""
        return [html.H2(title)]
    alarm = matter.alarm
    told = [
        _fact(say("desk.kind"), say("kind." + alarm.kind)),
        _fact(say("desk.size"), _size(alarm)) if alarm.size is not None else None,
        _fact(sure(alarm.probability), say("wall.percent", percent=percent(alarm.probability))),
        _fact(say("desk.stands_at"), name_of(units, alarm.at_unit)),
        _fact(say("desk.owner"), name_of(units, alarm.unit)),
        _fact(say("desk.state"), say("alarm." + alarm.state)),
    ]
    running = alarm.deadline is not None and alarm.state not in ("closed", "returned", "recovered")
    until = (
        clock(alarm.deadline, say("wall.until_council" if alarm.arrived else "wall.until_climb")) if running else None
    )
    story = [html.Li(climbed(climb, units)) for climb in alarm.climbs]
    if alarm.shelved_until is not None and alarm.state == "shelved":
        story.append(html.Li(say("desk.shelved", at=time_of(alarm.shelved_until), reason=alarm.shelved_reason)))
    lead = html.Div([html.H2(alarm.title), html.P(alarm.sentence, className="sentence")])
    parts: list[Component] = [
        html.Div([lead, until], className="lead"),
        html.Dl([fact for fact in told if fact is not None], className="facts"),
    ]
    return [*parts, html.Ul(story, className="story")] if story else parts


def terms(proposal: ProposalView, title: str, signal: SignalView | None) -> list[Component]:
    """Say what is proposed for a signal, beside what is agreed now."""
    uom = f" {uom_of(signal.uom)}" if signal else ""
    rows: list[Component] = []
    agreed = (signal.capability, signal.potentiality, signal.recovery_s) if signal else (None, None, None)
    for field, now in zip(("capability", "potentiality"), agreed, strict=False):
        value = getattr(proposal, field)
        if value is not None:
            rows.append(_fact(say("terms." + field), say("terms.from_to", now=number(now), then=number(value)) + uom))
    if proposal.recovery_s is not None:
        minutes = [None if s is None else s / 60 for s in (agreed[2], proposal.recovery_s)]
        told = say("terms.from_to", now=number(minutes[0]), then=number(minutes[1]))
        rows.append(_fact(say("terms.recovery"), say("terms.minutes", minutes=told)))
    if proposal.normal_low is not None and proposal.normal_high is not None:
        low, high = number(proposal.normal_low), number(proposal.normal_high)
        rows.append(_fact(say("terms.normal"), say("terms.interval", low=low, high=high) + uom))
    by = say("terms.by_unit" if proposal.side == "unit" else "terms.by_room", by=proposal.by, at=time_of(proposal.at))
    why = html.P(say("desk.because", reason=proposal.reason), className="sentence") if proposal.reason else None
    lead = [html.H2(say("terms.title", title=title)), html.P(by, className="sentence"), why]
    return [html.Div([part for part in lead if part is not None]), html.Dl(rows, className="facts")]


def planned(stop: StopView, title: str, now: float) -> list[Component]:
    """Say when a unit stops, and why."""
    day = 86_400.0
    far = stop.start - now > day or stop.end - stop.start > day
    rows = [
        _fact(say("stop.from"), date_of(stop.start) if far else time_of(stop.start)),
        _fact(say("stop.to"), date_of(stop.end) if far else time_of(stop.end)),
    ]
    lead = html.Div([html.H2(say("stop.title", title=title)), html.P(stop.reason, className="sentence")])
    until = clock(stop.start, say("stop.begins")) if stop.start > now else clock(stop.end, say("stop.ends"))
    return [html.Div([lead, until], className="lead"), html.Dl(rows, className="facts")]


def climbed(climb: ClimbView, units: dict[str, UnitView]) -> str:
    """Tell one rung that an alarm climbed: when, from where to where, and why."""
    source, target = name_of(units, climb.source), name_of(units, climb.target)
    return say(
        "desk.climbed", at=time_of(climb.at), source=source, target=target, reason=climb.words or reason(climb.reason)
    )


def reason(text: str) -> str:
    """Tell why an alarm climbed: the room's own word `expired`, or what the unit said."""
    return say("desk.expired") if text == "expired" else text


def name_of(units: dict[str, UnitView], unit: str) -> str:
    """Tell a unit's title, or its id when the viewer does not see it."""
    row = units.get(unit)
    return row.title or row.id if row else unit


def _fact(term: str, value: str) -> Component:
    return html.Div([html.Dt(term), html.Dd(value)])


def _size(alarm: AlarmView) -> str:
    sign = "+" if (alarm.size or 0.0) > 0 else ""
    return f"{sign}{number(alarm.size)} {uom_of(alarm.uom)}"


def sheet(matter: Matter, snapshot: Snapshot) -> list[Component]:
    """Lay out the motion: order and parameters, who said what, the seven ballots, the count, order and effect."""
    motion = matter.motion
    if motion is None:
        if matter.order:
            return [order_card(matter.order)]
        idle = snapshot.viewer.role == "seat" and matter.mode == "watching"
        return [html.P(say("desk.nothing_to_do"), className="hint")] if idle else []
    word = say("desk.motion") if motion.state == "open" else say("motion." + motion.state)
    until = motion.deadline if motion.round_ends is None else motion.round_ends
    opened = say("desk.opened_by", seat=motion.opened_by, at=time_of(motion.opened_at))
    # Once decided, what became of it is what people come for: it stands above the options.
    became: list[Component | None] = []
    for order in matter.orders:
        became += [order_card(order), effect(order.effect) if order.effect else None]
    parts: list[Component | None] = [
        html.H2([html.Span(word, className="word"), motion.title]),
        clock(until, say("until." + ("last_call" if motion.last_call else motion.phase))) if motion.state == "open" else None,
        html.P(opened, className="hint"),
        deliberation.stands(motion, turn(matter, snapshot)) if motion.state == "open" else deliberation.tally(motion),
        *became,
        html.Div([deliberation.option(one, motion) for one in motion.options], className="options"),
        *foreseen(motion),
        deliberation.seven(motion, snapshot),
        deliberation.reasons(motion),
        deliberation.amendments(motion),
        deliberation.minority(motion),
    ]  # fmt: skip
    return [part for part in parts if part is not None]


def turn(matter: Matter, snapshot: Snapshot) -> str:
    """Name the form that waits for the viewer: to second, to vote, or none."""
    if matter.mode == "voting":
        return "cast"
    own = matter.motion is not None and matter.motion.opened_by == snapshot.viewer.seat
    return "second" if matter.mode == "seconding" and not own else ""


def foreseen(motion: MotionView) -> list[Component]:
    """Draw what is expected of each option on the same axes, with the way to the minutes."""
    parts: list[Component] = []
    if any(one.forecast and one.forecast.get("rows") for one in motion.options):
        words = " ".join(one.expected for one in motion.options if one.expected)
        parts.append(html.Img(src=f"/minutes/{motion.id}/options.svg", alt=words, className="fans"))
        parts.append(html.P(say("desk.fans"), className="hint"))
    parts.append(html.P(html.A(say("desk.minutes"), href=f"/minutes/{motion.id}", target="_blank")))
    return parts


def order_card(order: OrderView) -> Component:
    """Tell how an order fares, with the plant's reason."""
    lines = [html.Strong(say("desk.order", title=order.title or order.name)), html.Span(say("order." + order.state))]
    if order.reason:
        lines.append(html.Span(say("desk.because", reason=order.reason), className="hint"))
    if order.ending:
        ended = say("ending." + order.ending, reason=order.ending_reason)
        lines.append(html.Span(ended, className="ending", **facts(data_ending=order.ending)))
    return html.P(lines, className="ordered", **facts(data_state=order.state))


def effect(seen: EffectView) -> Component:
    """Tell what an order did: before, after, and what the filter had expected without it."""
    rows = [
        _fact(say("desk.before"), number(seen.before)),
        _fact(say("desk.after"), number(seen.after)),
        _fact(say("desk.without"), number(seen.expected_without)),
    ]
    if seen.change is not None:
        rows.append(_fact(say("desk.change"), number(seen.change)))
    parts = [html.H3(say("desk.effect")), html.Dl(rows, className="facts")]
    if not seen.final:
        parts.append(html.P(say("desk.so_far"), className="hint"))
    told = seen.attribution
    if told is not None:
        parts.append(html.P(told.said, className="attribution", **facts(data_word=told.told.word)))
        found = told.told
        looked = say("desk.attribution", after=found.after, sisters=len(found.sisters), dates=found.dates)
        parts.append(html.P(looked, className="hint"))
    return html.Section(parts, className="effect")


def statements(motion: MotionView | None) -> Component | None:
    """List what seats and plants said on a motion, each with its number."""
    if motion is None:
        return None
    if not motion.statements:
        return None
    items = []
    for number, one in enumerate(motion.statements, start=1):
        stance = say("stance." + one.stance)
        who = (
            say("desk.plant_said", number=number, plant=one.plant_title or one.plant, stance=stance)
            if one.plant
            else say("desk.said", number=number, seat=one.seat, occupant=one.occupant, stance=stance)
        )
        cites = [html.Span(say("desk.cites", what="; ".join(one.cites)), className="hint")] if one.cites else []
        of = "plant" if one.plant else "seat"
        items.append(
            html.Li(
                [html.Span(who, className="who"), html.P(one.text), *cites],
                **facts(data_stance=one.stance, data_of=of),
            )
        )
    return html.Section([html.H3(say("desk.statements")), html.Ul(items)], className="statements")


def table(rows: Points, uom: str) -> Component:
    """The last readings as a table, for who cannot see the figure."""
    header = html.Tr([html.Th(say(key), scope="col") for key in ("table.at", "table.value", "table.low", "table.high")])
    body = [
        html.Tr([html.Td(time_of(row[0] or 0.0, seconds=True)), *(html.Td(number(v)) for v in row[1:4])])
        for row in list(rows)[-12:]
    ]
    return html.Table([html.Caption(say("table.caption", uom=uom_of(uom))), html.Thead(header), html.Tbody(body)])


def result(answer: Answer, done: str) -> Component:
    """Tell what the room answered: done, or refused with the reason and the cure."""
    if answer.ok:
        return html.P([mark("yes"), html.Span(done)], className="done")
    told = [html.Strong(answer.reason), html.Span(answer.cure)]
    return html.P([mark("no"), html.Span(told)], className="refused", role="alert")
