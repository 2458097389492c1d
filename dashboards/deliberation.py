"""View -> component, pure: a motion as it is deliberated, from where it stands to reasons, amendments and dissent."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from dashboards import agreement
from dashboards.markup import facts
from dashboards.words import say
from opsroom.views import AmendmentView, BallotView, MotionView, Snapshot

STILL = ("opening", "counting")
"""Phases in which nobody can do anything for a moment."""


def letters(ids: Sequence[str]) -> str:
    """Tell options by their letters.

    >>> letters(["b", "a"])
    'B, A'
    """
    return ", ".join(name.upper() for name in ids)


def stands(motion: MotionView, turn: str = "") -> Component:
    """Say where the motion stands and what happens next, in one sentence; `turn` names the form that waits for the viewer."""
    key = "phase." + ("last" if motion.phase == "blind" and motion.rounds < 2 else motion.phase)
    count = html.Span(say("mode." + motion.mode), className="hint")
    told = html.P(
        [html.Span(say(key, seat=motion.opened_by)), count], className="phase", **facts(data_phase=motion.phase)
    )
    # On a narrow screen the form stands far below: who reads first must still see that something is asked, and get there.
    way = html.Button(say("turn." + turn), type="button", className="lesser", **facts(data_goto=turn)) if turn else None
    return html.Div([told, way], className="stands")


def mark_of(ballot: BallotView | None, motion: MotionView, *, recused: bool) -> str:
    """Name the mark of a seat's ballot: yes when it names what was carried, no when it names something else."""
    if recused:
        return "recuse"
    if ballot is None:
        return ""
    if ballot.choice == "named":
        return "yes" if motion.chosen in ballot.options else "no" if motion.state != "open" else "named"
    return "abstain" if ballot.choice == "abstain" else "sealed"


def said_of(ballot: BallotView | None, motion: MotionView, *, recused: bool, stood: bool = False) -> str:
    """Tell a seat's ballot in a word: the letters that it names, or that it voted, abstains, stepped back, has not voted.

    `stood` says that a first ballot of the seat stands while the second round runs.
    """
    if recused:
        return say("choice.recuse")
    if ballot is None:
        if motion.state != "open":
            return say("desk.no_ballot")
        return say("choice.stands" if motion.phase == "revision" and stood else "choice.waiting")
    if ballot.choice == "named":
        objected = f" {say('choice.objects', options=letters(ballot.objections))}" if ballot.objections else ""
        return letters(ballot.options) + objected
    return say("choice." + ballot.choice)


def seven(motion: MotionView, snapshot: Snapshot) -> Component:
    """Show the seven seats with their ballots in the running round: while it runs only that one has voted, not how."""
    cast = {ballot.seat: ballot for ballot in motion.ballots}
    out = {one.seat for one in motion.recused}
    stood = {one.seat for one in motion.first if not one.void}
    items = []
    for seat in snapshot.seats:
        ballot, recused = cast.get(seat.seat), seat.seat in out
        name = seat.occupant if not seat.substitute else say("seat.stands_in", seat=seat.substitute)
        by = ballot.cast_by if ballot is not None and ballot.cast_by not in (0, seat.seat) else 0
        name = say("seat.voted_by", seat=by) if by else name
        items.append(
            html.Li(
                [
                    html.Span(str(seat.seat), className="chair"),
                    html.Span(said_of(ballot, motion, recused=recused, stood=seat.seat in stood), className="word"),
                    html.Span(name, className="hint"),
                ],
                **facts(
                    data_choice=mark_of(ballot, motion, recused=recused) or "none",
                    data_mine="yes" if snapshot.viewer.seat == seat.seat else "no",
                ),
            )
        )
    return html.Ol(items, className="seven", **facts(aria_label=say("desk.seats")))


def reasons(motion: MotionView) -> Component | None:
    """List the ballots of the first round with their reasons, once they are open, grouped by what they name."""
    ballots = motion.first or (motion.ballots if motion.state != "open" else ())
    shown = [one for one in ballots if one.choice in ("named", "abstain")]
    if not shown:
        return None
    groups: dict[str, list[BallotView]] = {}
    for one in shown:
        groups.setdefault(letters(one.options) if one.choice == "named" else say("choice.abstain"), []).append(one)
    rows = []
    for named, mine in sorted(groups.items(), key=lambda group: (-len(group[1]), group[0])):
        items = [html.Li([*reason_of(one)], **facts(data_objects="yes" if one.objections else "no")) for one in mine]
        rows.append(html.Div([html.Strong(named, className="letter"), html.Ul(items)], className="group"))
    void = [html.P(say("reasons.void"), className="hint")] if any(one.void for one in shown) else []
    return html.Section([html.H3(say("reasons.title")), *void, *rows], className="reasons")


def reason_of(one: BallotView) -> list[Component]:
    """Tell one ballot: whose it is, what it objects to, and why."""
    told: list[Component] = [html.Span(say("seat.seat", seat=one.seat), className="who")]
    if one.objections:
        told.append(html.Strong(say("choice.objects", options=letters(one.objections)), className="objects"))
    return [*told, html.Span(one.reason or say("reasons.none"))]


def amendments(motion: MotionView) -> Component | None:
    """List the amendments with what they would change, word by word."""
    if not motion.amendments:
        return None
    items = [amendment(one) for one in motion.amendments]
    return html.Section([html.H3(say("amendment.title")), html.Ul(items)], className="amendments")


def amendment(one: AmendmentView) -> Component:
    """One amendment: what goes is struck out, what is new underlined, with its reason and how it fares."""
    pieces = agreement.compared(one.diff)
    told = say("amendment." + one.state, ayes=len(one.ayes), noes=len(one.noes))
    who = say("amendment.by", seat=one.seat, option=one.option.id.upper(), state=told)
    return html.Li(
        [html.Span(who, className="who"), html.P(pieces, className="diff"), html.P(one.reason, className="hint")],
        **facts(data_state=one.state),
    )


def minority(motion: MotionView) -> Component | None:
    """List who stepped back and who wanted something else than what was carried, and why."""
    rows = [("recused", one) for one in motion.recused] + [("minority", one) for one in motion.minority]
    if not rows:
        return None
    items = [
        html.Li([html.Span(say("dissent." + kind, seat=one.seat), className="who"), html.P(one.text)])
        for kind, one in rows
    ]
    return html.Section([html.H3(say("dissent.title")), html.Ul(items)], className="statements dissent")


def tally(motion: MotionView) -> Component | None:
    """Tell the count of a motion that is decided, who looks after the outcome, and what became of it."""
    if motion.state == "open":
        return None
    t = motion.tally
    # Nobody counted what no quorum voted on.
    counted = motion.state in ("carried", "lost")
    told = say("wall.tally", yes=t.yes, no=t.no, abstain=t.abstain, recused=t.recused)
    rows = [html.P(told, className="tally")] if counted else []
    if motion.closed_reason:
        rows.append(html.P(motion.closed_reason, className="hint"))
    if motion.state == "carried" and motion.responsible:
        rows.append(html.P(say("review.responsible", seat=motion.responsible), className="hint"))
    if motion.review:
        rows.append(html.P(say("review.told", text=motion.review), className="hint"))
    return html.Div(rows)
