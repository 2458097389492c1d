"""View -> component, pure: a motion as it is deliberated, from where it stands to reasons, amendments and dissent."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from dashboards import agreement
from dashboards.markup import facts
from dashboards.printed import date_of
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


def stands(motion: MotionView, seats: int, turn: str = "") -> Component:
    """Say where the motion stands, what happens next, and who is counted of so many `seats`; `turn` names the form that
    waits for the viewer."""
    key = "phase." + ("last" if motion.phase == "blind" and motion.rounds < 2 else motion.phase)
    rest = [say("mode." + motion.mode), counting(motion, seats)]
    amended = [one.option.id for one in motion.amendments if one.state in ("friendly", "adopted")]
    if turn == "cast" and amended:
        rest.append(say("amendment.again", options=letters(sorted(set(amended)))))
    told = html.P(
        [html.Span(say(key, seat=motion.opened_by)), *(html.Span(one, className="hint") for one in rest)],
        className="phase",
        **facts(data_phase=motion.phase),
    )
    # On a narrow screen the form stands far below: who reads first must still see that something is asked, and get there.
    return html.Div([told, *way_to(turn)], className="stands")


def way_to(turn: str) -> list[Component]:
    """A button that leads to the form that waits for the viewer, where there is one."""
    if not turn:
        return []
    return [html.Button(say("turn." + turn), type="button", className="lesser", **facts(data_goto=turn))]


def counting(motion: MotionView, seats: int) -> str:
    """Tell how many of the seats that count have voted, how many must, and who stepped back."""
    out = [one.seat for one in motion.recused]
    key = "count.seconding" if motion.phase == "seconding" else "count.running"
    told = say(key, voted=motion.tally.present, seats=seats - len(out), quorum=motion.tally.quorum)
    if not out:
        return told
    return f"{told} {say('count.out' if len(out) == 1 else 'count.outs', seat=', '.join(str(seat) for seat in out))}"


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
        by = ballot.cast_by if ballot is not None and ballot.cast_by not in (0, seat.seat) else 0
        name, other = (
            (seat.occupant, "hint") if not (by or seat.substitute) else (say("seat.voted_by", seat=by), "stead")
        )
        if seat.substitute and not by:
            name = say("seat.stands_in", seat=seat.substitute)
        items.append(
            html.Li(
                [
                    html.Span(str(seat.seat), className="chair"),
                    html.Span(said_of(ballot, motion, recused=recused, stood=seat.seat in stood), className="word"),
                    html.Span(name, className=other),
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
    other = one.cast_by not in (0, one.seat)
    who = say("reasons.for", seat=one.seat, by=one.cast_by) if other else say("seat.seat", seat=one.seat)
    told: list[Component] = [html.Span(who, className="who")]
    if one.objections:
        told.append(html.Strong(say("choice.objects", options=letters(one.objections)), className="objects"))
    return [*told, html.Span(one.reason or say("reasons.none"))]


def amendments(motion: MotionView) -> Component | None:
    """List the amendments with what they would change, word by word."""
    if not motion.amendments:
        return None
    items = [amendment(one) for one in motion.amendments]
    return html.Section([html.H3(say("amendment.title")), html.Ul(items)], className="amendments")


def amendment(one: AmendmentView, rule: str = "") -> Component:
    """One amendment: what goes is struck out, what is new underlined, its reason, how it fares, and by which `rule`."""
    pieces = agreement.compared(one.diff)
    told = say("amendment." + one.state, ayes=len(one.ayes), noes=len(one.noes))
    who = say("amendment.by", seat=one.seat, option=one.option.id.upper(), state=told)
    return html.Li(
        [
            html.Span(who, className="who"),
            html.P(pieces, className="diff"),
            html.P(say("desk.because", reason=one.reason), className="hint"),
            *([html.P(rule, className="rule")] if rule else []),
        ],
        **facts(data_state=one.state),
    )


def rule_of(motion: MotionView, seats: int, seat: int) -> str:
    """Tell the viewer's `seat` what its word on an amendment does, of so many `seats`."""
    if seat and seat == motion.opened_by:
        return say("amendment.mover")
    able = seats - len(motion.recused)
    return say("amendment.voted", needed=able // 2 + 1, seats=able)


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
    rows += [html.P(one, className="why-so") for one in motion.counted]
    if motion.closed_reason:
        rows.append(html.P(motion.closed_reason, className="why-so"))
    if motion.state == "carried" and motion.responsible:
        at = date_of(motion.review_at) if motion.review_at is not None else ""
        key = "review.at" if at else "review.responsible" if motion.review else "review.due"
        rows.append(html.P(say(key, seat=motion.responsible, at=at), className="hint"))
    if motion.review:
        rows.append(html.P(say("review.told", text=motion.review), className="hint"))
    return html.Div(rows)
