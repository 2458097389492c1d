"""View -> component, pure: the rows of the room as they stand on a seat's or a plant's own screen.

Text from the wire is only ever a text child, never markup. Clocks are empty elements with their moment in `data-until` or
`data-from`: the screen's script runs them on the room's clock.
"""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from dashboards.agreement import compared
from dashboards.evidence import Points
from dashboards.markup import facts
from dashboards.matter import BACK, Entry, Matter, about, name
from dashboards.printed import date_of, number, percent, time_of, uom_of
from dashboards.rows import clock, fact, mark
from dashboards.words import say, sure
from opsroom.views import (
    AlarmView,
    Answer,
    ClimbView,
    ProposalView,
    RequestView,
    SignalView,
    Snapshot,
    StopView,
    UnitView,
)


def agenda(entries: Sequence[Entry], picked: str) -> list[Component]:
    """List the agenda as buttons; the one that is picked says so."""
    if not entries:
        return [html.P(say("desk.nothing"), className="empty")]
    items = []
    for position, entry in enumerate(entries, 1):
        line = [html.Span(say(entry.word, who=entry.who))]
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
    if matter.request:
        return wanted(matter.request, name(snapshot, matter.request.unit))
    if matter.stop:
        return planned(matter.stop, name(snapshot, matter.stop.unit), snapshot.now)
    if matter.alarm is None:
        title = matter.motion.title if matter.motion else matter.order.title if matter.order else ""
        return [html.H2(title)]
    alarm = matter.alarm
    told = [
        fact(say("desk.kind"), say("kind." + alarm.kind)),
        fact(say("desk.size"), _size(alarm)) if alarm.size is not None else None,
        fact(sure(alarm.probability), say("wall.percent", percent=percent(alarm.probability))),
        fact(say("desk.stands_at"), name_of(units, alarm.at_unit)),
        fact(say("desk.owner"), name_of(units, alarm.unit)),
        fact(say("desk.state"), say("alarm." + alarm.state)),
    ]
    running = alarm.deadline is not None and not alarm.waits and alarm.state not in ("closed", *BACK)
    until = (
        clock(alarm.deadline, say("wall.until_council" if alarm.arrived else "wall.until_climb")) if running else None
    )
    story = [html.Li(climbed(climb, units)) for climb in alarm.climbs]
    if alarm.shelved_until is not None and alarm.state == "shelved":
        story.append(html.Li(say("desk.shelved", at=time_of(alarm.shelved_until), reason=alarm.shelved_reason)))
    lead = html.Div([html.H2(alarm.title), html.P(uom_of(alarm.sentence), className="sentence")])
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
            rows.append(fact(say("terms." + field), say("terms.from_to", now=number(now), then=number(value)) + uom))
    if proposal.recovery_s is not None:
        minutes = [None if s is None else s / 60 for s in (agreed[2], proposal.recovery_s)]
        told = say("terms.from_to", now=number(minutes[0]), then=number(minutes[1]))
        rows.append(fact(say("terms.recovery"), say("terms.minutes", minutes=told)))
    if proposal.normal_low is not None and proposal.normal_high is not None:
        low, high = number(proposal.normal_low), number(proposal.normal_high)
        rows.append(fact(say("terms.normal"), say("terms.interval", low=low, high=high) + uom))
    by = say("terms.by_unit" if proposal.side == "unit" else "terms.by_room", by=proposal.by, at=time_of(proposal.at))
    why = html.P(say("desk.because", reason=proposal.reason), className="sentence") if proposal.reason else None
    lead = [html.H2(say("terms.title", title=title)), html.P(by, className="sentence"), why]
    return [html.Div([part for part in lead if part is not None]), html.Dl(rows, className="facts")]


def wanted(request: RequestView, title: str) -> list[Component]:
    """Say what one side asks of the other: who asks, for what, until when it holds, and until when it can be answered."""
    told = say("request.by", who=request.asked_by, at=date_of(request.asked_at))
    lead = [html.H2(say("request." + request.about, title=title)), html.P(told, className="sentence")]
    if request.reason:
        lead.append(html.P(say("desk.because", reason=request.reason), className="sentence"))
    until = clock(request.answer_until, say("request.answer")) if request.answer_until is not None else None
    parts: list[Component] = [html.Div([html.Div(lead), until], className="lead")]
    if request.about == "orders":
        diff = html.P(compared(request.diff), className="diff")
        return [*parts, html.Div([html.P(say("request.change"), className="who"), diff], className="terms-of")]
    ends = date_of(request.until) if request.until is not None else say("chart.for_ever")
    rows = [
        fact(say("request.what"), ", ".join(request.signals) or say("chart.all_signals")),
        fact(say("request.to"), request.to_title or request.to),
        fact(say("request.until"), ends),
    ]
    return [*parts, html.Dl(rows, className="facts")]


def planned(stop: StopView, title: str, now: float) -> list[Component]:
    """Say when a unit stops, and why."""
    day = 86_400.0
    far = stop.start - now > day or stop.end - stop.start > day
    rows = [
        fact(say("stop.from"), date_of(stop.start) if far else time_of(stop.start)),
        fact(say("stop.to"), date_of(stop.end) if far else time_of(stop.end)),
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


def _size(alarm: AlarmView) -> str:
    sign = "+" if (alarm.size or 0.0) > 0 else ""
    return f"{sign}{number(alarm.size)} {uom_of(alarm.uom)}"


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
