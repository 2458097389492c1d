"""View -> component, pure: what an option would change in agreements, how that ended, and who was invited to speak on it."""

from __future__ import annotations

from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboards.markup import facts
from dashboards.printed import time_of
from dashboards.words import say
from opsroom.views import MotionView, OptionView, TermsView, zoned


def rows(one: OptionView) -> list[Component]:
    """List what an option proposes to plants, word by word beside what is agreed, and how each ended."""
    return [terms(part) for part in one.terms]


def terms(one: TermsView) -> Component:
    """One proposal: to whom, about what, what goes and what is new, and what the plant said."""
    about = one.title if one.about == "figures" else say("terms." + one.about)
    of = say("terms.of", title=about, version=one.version) if one.version else about
    parts: list[Any] = [
        html.Span([say("terms.proposes", plant=one.plant_title or one.plant), " · ", of], className="who"),
        html.P(compared(one.diff), className="diff"),
    ]
    if one.state:
        parts.append(html.P(ended(one), className="ending"))
    return html.Div(parts, className="terms-of", **facts(data_state=one.state, data_about=one.about))


def compared(pieces: tuple[tuple[str, str], ...]) -> list[Any]:
    """Lay out two wordings that were compared: what goes is struck out, what is new underlined."""
    told: list[Any] = []
    for how, words in pieces:
        told += [html.Del(words) if how == "gone" else html.Ins(words) if how == "new" else html.Span(words), " "]
    return told


def ended(one: TermsView) -> str:
    """Tell what became of a proposal, or until when the plant may answer."""
    until = f"{zoned(one.until):%d %b}, {time_of(one.until)}" if one.until is not None else ""
    reason = say("terms.because", reason=one.reason) if one.reason else ""
    plant = one.plant_title or one.plant
    if one.state == "waiting":
        return say("terms.waiting", plant=plant, until=until)
    if one.state == "accepted":
        return say("terms.accepted", plant=plant, reason=reason, version=one.agreed_version)
    return say("terms." + one.state, plant=plant, reason=reason)


def outcome(motion: MotionView) -> list[Component]:
    """What became of the proposals of the option that was carried."""
    chosen = next((one for one in motion.options if one.id == motion.chosen), None)
    return rows(chosen) if chosen is not None else []


def invited(motion: MotionView) -> Component | None:
    """List the plants that were invited to speak: who answered over the wire, who at its page, who not, who is away."""
    if not motion.invited:
        return None
    spoke = {one.plant for one in motion.statements}
    items = []
    for one in motion.invited:
        if one.stated:
            many = say("invited.once") if one.stated == 1 else say("invited.times", count=one.stated)
            state, told = "wire", say("invited.wire", count=many)
        elif one.plant in spoke:
            state, told = "page", say("invited.page")
        else:
            state, told = "silent", say("invited.silent")
        parts: list[Any] = [html.Strong(one.plant_title or one.plant), html.Span(told)]
        if one.away:
            parts.append(html.Span(say("invited.away"), className="away"))
        items.append(html.Li(parts, **facts(data_invited=state, data_away="yes" if one.away else "no")))
    signed = html.P(say("invited.signed"), className="hint")
    return html.Section([html.H3(say("invited.title")), html.Ul(items), signed], className="invited")
