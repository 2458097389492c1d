"""View -> component, pure: the options of a motion side by side, each with what is expected of it on the same axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboards import agreement, fan
from dashboards.markup import facts
from dashboards.printed import number, uom_of
from dashboards.words import say
from opsroom.views import AlarmView, MotionView, OptionView, OrderChoice


def lasting(seconds: float) -> str:
    """Tell how long something lasts, in hours from two hours on, in days from three days on.

    >>> lasting(1800.0), lasting(43200.0), lasting(9000.0), lasting(604800.0)
    ('30 minutes', '12 hours', '2 h 30 min', '7 days')
    """
    if seconds >= 3 * 86_400:
        return f"{seconds / 86_400:.0f} days"
    hours, minutes = divmod(round(seconds / 60), 60)
    if hours < 2:
        least = round(seconds / 60)
        return "1 minute" if least == 1 else f"{least} minutes"
    return f"{hours} h {minutes} min" if minutes else f"{hours} hours"


def proposed(motion: MotionView | None, alarm: AlarmView | None, known: Sequence[OrderChoice] = ()) -> list[Component]:
    """Lay out all options of a motion and say how to read their pictures; `known` are the orders as plants declare them."""
    if motion is None:
        return []
    scale = fan.scale_of(motion, alarm)
    cards = [option(one, motion, alarm, scale, known) for one in motion.options]
    parts: list[Component] = [html.Div(cards, className="options")]
    if scale is not None:
        told = [say("desk.fans"), *([say("desk.fans_normal")] if fan.normal(alarm) else [])]
        parts.append(html.P(" ".join(told), className="hint"))
    return parts


def option(
    one: OptionView,
    motion: MotionView,
    alarm: AlarmView | None,
    scale: fan.Scale | None,
    known: Sequence[OrderChoice] = (),
) -> Component:
    """Lay out one option: its orders, what is likely, its fan; one click deeper from what that is known.

    The one that was carried is marked, and once counted how many named it.
    """
    head = [html.Span(one.id.upper(), className="letter"), html.Strong(one.title)]
    if motion.state != "open" and one.id in motion.tally.named:
        head.append(html.Span(say("option.named", count=motion.tally.named[one.id]), className="hint"))
    rows: list[Component] = [html.P(head)]
    if one.kind == "time":
        word = "option.time" if motion.alarm else "agree.time"
        rows.append(html.P(say(word, span=lasting(one.extra_s)), className="hint"))
    rows += [*orders(one, known), *agreement.rows(one)]
    if one.supersedes:
        told = ", ".join(one.replaces or one.supersedes)
        rows.append(html.P(say("option.supersedes", orders=told), className="hint"))
    rows += foreseen(one, motion, alarm, scale)
    chosen = "yes" if one.id == motion.chosen else "no"
    return html.Div(rows, className="option", **facts(data_option=one.id, data_kind=one.kind, data_chosen=chosen))


def orders(one: OptionView, known: Sequence[OrderChoice] = ()) -> list[Component]:
    """List the orders of an option, with their figures and what the plant says of their danger."""
    rows: list[Component] = []
    schemas = {(choice.plant, choice.name): choice.parameters for choice in known}
    for order in one.orders:
        schema = schemas.get((order.plant, order.name), {}).get("properties", {})
        parts: list[Any] = [
            html.Span(order.title or order.name),
            html.Span(order.plant_title, className="hint"),
            parameters(order.parameters, schema),
        ]
        if order.danger != "none":
            parts.append(
                html.Span(say("danger." + order.danger), className="danger", **facts(data_danger=order.danger))
            )
        rows.append(html.Div(parts, className="does"))
    return rows


def foreseen(one: OptionView, motion: MotionView, alarm: AlarmView | None, scale: fan.Scale | None) -> list[Component]:
    """Tell what is likely of an option and draw it; nobody may know."""
    if not one.expected:
        return []
    rows = fan.rows_of(one.forecast)
    deeper = html.Details(
        [
            html.Summary(say("option.known")),
            html.P(one.expected, className="expected"),
            html.P(one.record, className="hint"),
        ]
    )
    if not rows or scale is None:
        return [html.P(say("option.unknown"), className="likely none"), deeper]
    at, _, low, high, *_ = rows[-1]
    uom = uom_of(str(motion.evidence.get("uom", "")))
    span = lasting(at - scale.start)
    likely = html.P(
        [
            html.Strong(say("option.between", low=number(low), high=number(high), uom=uom)),
            html.Span(say("option.likely", span=span), className="hint"),
        ],
        className="likely",
    )
    drawn = fan.picture(rows, scale, fan.past_of(motion, scale.start, scale.until), alarm)
    return [likely, html.Img(src=drawn, alt=one.expected, className="fan"), deeper]


def parameters(values: Mapping[str, Any], schema: Mapping[str, Any] = MappingProxyType({})) -> Component:
    """List an order's parameters, by the titles that the plant gave them."""
    rows = []
    for key, value in values.items():
        part = schema.get(key)
        title = part.get("title") if isinstance(part, dict) else None
        rows.append(html.Div([html.Dt(str(title or key.replace("_", " "))), html.Dd(str(value))]))
    return html.Dl(rows, className="parameters")
