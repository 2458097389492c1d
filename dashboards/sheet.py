"""View -> component, pure: the sheet of a motion in its parts: its head, what is asked, what was said, the outcome."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboards import agreement, deliberation
from dashboards.markup import facts
from dashboards.matter import Matter, may_confirm, review_due
from dashboards.printed import number, time_of
from dashboards.rows import clock, fact
from dashboards.words import say
from opsroom.views import EffectView, MotionView, OrderView, Snapshot, StatementView


def head(matter: Matter, snapshot: Snapshot) -> list[Component]:
    """Say which motion it is, which alarms it answers, how long its round still runs, and who has voted."""
    motion = matter.motion
    if motion is None:
        return [order_card(matter.order)] if matter.order else []
    word = say("desk.motion") if motion.state == "open" else say("motion." + motion.state)
    until = motion.deadline if motion.round_ends is None else motion.round_ends
    titles = [one.title for one in snapshot.alarms if one.id in motion.also]
    told = say("desk.opened_by", seat=motion.opened_by, at=time_of(motion.opened_at))
    if titles:
        told += " · " + say("desk.also", alarms=", ".join(titles))
    lead = html.Div([html.H2([html.Span(word, className="word"), motion.title]), html.P(told, className="hint")])
    running = motion.state == "open"
    ends = clock(until, say("until." + ("last_call" if motion.last_call else motion.phase))) if running else None
    return [html.Div([lead, ends], className="lead"), deliberation.seven(motion, snapshot)]


def asked(matter: Matter, snapshot: Snapshot) -> list[Component]:
    """Say in a sentence where the matter stands and what is asked of the viewer, and what holds for all orders."""
    motion, viewer = matter.motion, snapshot.viewer
    parts: list[Component] = []
    if snapshot.held:
        parts.append(html.P(say("hand.held"), className="handed"))
    for one in snapshot.seats if viewer.role in ("seat", "operator") else ():
        if one.hand:
            until = time_of(one.hand_until) if one.hand_until is not None else ""
            key = f"hand.own_{one.hand}" if one.seat == viewer.seat else f"hand.{one.hand}"
            parts.append(html.P(say(key, seat=one.seat, until=until), className="handed"))
    if motion is not None and motion.state == "open":
        parts.append(deliberation.stands(motion, len(snapshot.seats), turn(matter, snapshot)))
    elif way := turn(matter, snapshot):
        parts.append(html.Div(deliberation.way_to(way), className="stands"))
    elif viewer.role == "seat" and matter.mode == "watching":
        parts.append(html.P(say("desk.nothing_to_do"), className="hint"))
    return parts


def turn(matter: Matter, snapshot: Snapshot) -> str:
    """Name the form that waits for the viewer: to second, to vote, to confirm, to look back, or none."""
    if matter.mode == "voting":
        return "cast"
    motion, seat = matter.motion, snapshot.viewer.seat
    if motion is not None and motion.state != "open" and seat:
        if any(one.state == "unconfirmed" for one in matter.orders) and may_confirm(motion, seat):
            return "confirm"
        return "review" if review_due(motion, seat) and matter.mode == "decided" else ""
    own = matter.motion is not None and matter.motion.opened_by == snapshot.viewer.seat
    return "second" if matter.mode == "seconding" and not own else ""


def parts_of(motion: MotionView | None) -> dict[str, str]:
    """Name the matter whose parts are shown and the part that stands open first; nothing where there is no motion."""
    if motion is None:
        return {"of": "", "first": "happened", "decided": "no"}
    decided = motion.state != "open"
    return {
        "of": f"{motion.id} {motion.state}",
        "first": "outcome" if decided else "proposed",
        "decided": "yes" if decided else "no",
    }


def said(motion: MotionView | None) -> list[Component]:
    """Lay out what was said: the opened reasons, statements, amendments, who stepped back or wanted something else."""
    if motion is None:
        return []
    parts = [
        deliberation.amendments(motion),
        deliberation.reasons(motion),
        statements(motion),
        agreement.invited(motion),
        deliberation.minority(motion),
    ]
    return [part for part in parts if part is not None] or [html.P(say("desk.silence"), className="empty")]


def many_said(motion: MotionView | None) -> str:
    """Tell how much was said, as a figure in brackets, or nothing.

    >>> many_said(None)
    ''
    """
    if motion is None:
        return ""
    count = len(motion.statements) + len(motion.amendments) + len(motion.first)
    return f"({count})" if count else ""


def outcome(matter: Matter) -> list[Component]:
    """Tell the count of a decided motion, its orders and their effects, and the way to the minutes."""
    motion = matter.motion
    if motion is None or motion.state == "open":
        return []
    chosen = next((one for one in motion.options if one.id == motion.chosen), None)
    parts: list[Component | None] = []
    if chosen is not None:
        named = [html.Span(chosen.id.upper(), className="letter"), html.Strong(chosen.title)]
        parts.append(html.P([html.Span(say("outcome.chosen"), className="caption"), *named], className="chosen"))
    else:
        parts.append(html.P(say("outcome.none"), className="chosen"))
    parts.append(deliberation.tally(motion))
    parts += agreement.outcome(motion)
    for order in matter.orders:
        parts += [order_card(order), effect(order.effect) if order.effect else None]
    parts.append(html.P(html.A(say("desk.minutes"), href=f"/minutes/{motion.id}", target="_blank")))
    return [part for part in parts if part is not None]


def order_card(order: OrderView) -> Component:
    """Tell how an order fares, with the plant's reason."""
    lines = [html.Strong(say("desk.order", title=order.title or order.name)), html.Span(say("order." + order.state))]
    # How it ended says the plant's reason once more: it is told once.
    if order.reason and order.reason != order.ending_reason:
        lines.append(html.Span(say("desk.because", reason=order.reason), className="hint"))
    if order.ending:
        ended = say("ending." + order.ending, reason=order.ending_reason.rstrip("."))
        lines.append(html.Span(ended, className="ending", **facts(data_ending=order.ending)))
    return html.P(lines, className="ordered", **facts(data_state=order.state))


def _seat_of(one: StatementView) -> str:
    seat = say("seat.seat", seat=one.seat)
    return say("desk.seat_of", seat=one.seat, occupant=one.occupant) if one.occupant else seat


def effect(seen: EffectView) -> Component:
    """Tell what an order did: in a sentence where the cause is known, with the figures one click deeper."""
    rows = [
        fact(say("desk.before"), number(seen.before)),
        fact(say("desk.after"), number(seen.after)),
        fact(say("desk.without"), number(seen.expected_without)),
    ]
    if seen.change is not None:
        rows.append(fact(say("desk.change"), number(seen.change)))
    figures: list[Component] = [html.Dl(rows, className="facts")]
    parts: list[Component] = [html.H3(say("desk.effect"))]
    told = seen.attribution
    if told is not None:
        parts.append(html.P(told.said, className="attribution", **facts(data_word=told.told.word)))
        found = told.told
        looked = say("desk.attribution", after=found.after, sisters=len(found.sisters), dates=found.dates)
        figures.append(html.P(looked, className="hint"))
    if not seen.final:
        parts.append(html.P(say("desk.so_far"), className="hint"))
    # Without a word on the cause the bare figures are all that there is to read.
    deeper = html.Details([html.Summary(say("option.known")), *figures]) if told is not None else figures[0]
    return html.Section([*parts, deeper], className="effect")


def statements(motion: MotionView | None) -> Component | None:
    """List what seats and plants said on a motion, each with its number; a plant's own word says how it came."""
    if motion is None:
        return None
    if not motion.statements:
        return None
    items = []
    for place, one in enumerate(motion.statements, start=1):
        stance = say("stance." + one.stance)
        who = (
            say("desk.plant_said", number=place, plant=one.plant_title or one.plant, stance=stance)
            if one.plant
            else say("desk.said", number=place, who=_seat_of(one), stance=stance)
        )
        own = [html.Span(say("invited.own" if one.wire else "invited.own_page"), className="hint")] if one.plant else []
        cites = [html.Span(say("desk.cites", what="; ".join(one.cites)), className="hint")] if one.cites else []
        of = "plant" if one.plant else "seat"
        items.append(
            html.Li(
                [html.Span(who, className="who"), html.P(one.text), *own, *cites],
                **facts(data_stance=one.stance, data_of=of, data_wire="yes" if one.wire else "no"),
            )
        )
    return html.Section([html.H3(say("desk.statements")), html.Ul(items)], className="statements")
