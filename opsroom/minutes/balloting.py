"""What minutes say of amendments and ballots: old words beside new ones, each ballot, and why the count came out so. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

from immutables import Map

from opsroom.council.amendments import wording
from opsroom.council.counting import Vote, mirrored
from opsroom.council.deliberation import tally
from opsroom.council.motion import Ballot, Motion
from opsroom.council.options import Option
from opsroom.minutes.blocks import Block, Heading, Table
from opsroom.minutes.gather import Matter
from opsroom.recursion.recursion import Mode
from opsroom.room import events as happened
from opsroom.showing.counted import counted_words

HOW = {
    "friendly": "taken over by the mover",
    "adopted": "adopted by the seats",
    "rejected": "rejected by the seats",
    "fell": "fell: it was open when the vote was over",
}
"""How an amendment ended, in words."""


def options_now(matter: Matter) -> dict[str, Option]:
    """The options of a motion as they stood at last: what was taken over or adopted has changed them."""
    options = {one.id: one for one in matter.opened.options}
    moved: dict[str, Option] = {}
    for one in matter.events:
        match one.event:
            case happened.AmendmentMoved(amendment=name, option=option):
                moved[name] = option
            case happened.AmendmentSettled(amendment=name, how="friendly" | "adopted") if name in moved:
                options[moved[name].id] = moved[name]
    return options


def amendments(
    matter: Matter, who: Callable[[happened.AnyEvent], str], named: Callable[[str], str], ordered: Callable[[str], str]
) -> Iterator[Block]:
    """Tell every amendment: who moved it and why, the words before and after, how it ended, who wanted it and who did not."""
    options = {one.id: one for one in matter.opened.options}
    moved: dict[str, tuple[happened.AmendmentMoved, Option]] = {}
    said: dict[str, dict[int, bool]] = {}
    ended: dict[str, str] = {}
    for one in matter.events:
        match one.event:
            case happened.AmendmentMoved() as event:
                moved[event.amendment] = (event, options.get(event.option.id, event.option))
            case happened.AmendmentAnswered(amendment=name, seat=seat, aye=aye):
                said.setdefault(name, {})[seat] = aye
            case happened.AmendmentSettled(amendment=name, how=how):
                ended[name] = how
                if how in ("friendly", "adopted") and name in moved:
                    new = moved[name][0].option
                    # What was open meanwhile is compared with the words as they stood when it ended.
                    moved[name] = (moved[name][0], options.get(new.id, new))
                    options[new.id] = new
    if not moved:
        return
    yield Heading(2, "Amendments")
    rows = []
    for name, (event, before) in moved.items():
        answers = [
            f"{word}: {', '.join(str(seat) for seat, aye in sorted(said.get(name, {}).items()) if aye is wanted)}"
            for wanted, word in ((True, "wanted by seats"), (False, "not wanted by seats"))
            if wanted in said.get(name, {}).values()
        ]
        fared = "; ".join([HOW.get(ended.get(name, ""), "still open"), *answers])
        mover = f"option {event.option.id.upper()}, {who(event)}: {event.reason}"
        told = [wording(option, named, ordered) for option in (before, event.option)]
        rows.append((mover, *told, fared))
    yield Table(("moved by", "before", "after", "outcome"), tuple(rows))


def ballot_row(matter: Matter, event: happened.BallotsOpened, one: happened.OpenedBallot) -> tuple[str, str, str]:
    """A row of the table of opened ballots: who, what it names, why."""
    vote = mirrored(one.said, event.motion, event.round, one.seat)
    listed = ", ".join(option.upper() for option in vote.options)
    objected = f" (objects to {', '.join(option.upper() for option in vote.objections)})" if vote.objections else ""
    sealed = next(
        (
            row.event
            for row in matter.events
            if isinstance(row.event, happened.BallotSealed)
            and (row.event.seat, row.event.round) == (one.seat, event.round)
        ),
        None,
    )
    name = f", {sealed.occupant}" if sealed is not None and sealed.occupant else ""
    # Who seals is who votes: a substitute's name is not that of the seat for which it votes.
    by = f", voted by seat {sealed.cast_by}" if sealed is not None and sealed.cast_by not in (0, one.seat) else ""
    who = f"seat {one.seat}{by}{name}"
    return who, "abstains" if vote.abstain else listed + objected, vote.reason


def why_so(matter: Matter, closed: happened.MotionClosed) -> tuple[str, ...]:
    """Why the count came out as it did, reckoned anew from the opened ballots; nothing where that gives another outcome."""
    if closed.outcome not in ("carried", "lost"):
        return ()
    mode = matter.opened.mode
    ballots: dict[int, dict[int, Ballot]] = {1: {}, 2: {}}
    recused: dict[int, str] = {}
    for one in matter.events:
        match one.event:
            case happened.AmendmentSettled(how="friendly" | "adopted") as settled:
                mode = settled.mode or mode
                ballots = {1: {}, 2: {}}
            case happened.SeatRecused(seat=seat, reason=reason, voids=voids):
                recused[seat] = reason
                for gone in voids:
                    ballots[1].pop(gone, None)
                    ballots[2].pop(gone, None)
            case happened.BallotsOpened() as opened:
                for row in opened.ballots:
                    vote: Vote = mirrored(row.said, opened.motion, opened.round, row.seat)
                    # Each counts as a person of its own: whether there was a quorum is in the outcome already.
                    ballots[min(opened.round, 2)][row.seat] = Ballot(
                        seat=row.seat, occupant="", at=opened.at, cast_by=row.seat, round=opened.round, vote=vote
                    )
    began = matter.opened
    motion = Motion(
        id=matter.motion,
        alarm=began.alarm,
        signal=began.signal,
        title=began.title,
        options=tuple(options_now(matter).values()),
        seat=began.seat,
        occupant="",
        opened_at=began.at,
        deadline=began.deadline,
        quorum=0,
        evidence=None,
        mode=cast(Mode, mode or "majority"),
        state=closed.outcome,
        recused=Map(recused),
        first=Map(ballots[1]),
        ballots=Map(ballots[2]),
    )
    return counted_words(motion) if tally(motion).winner == closed.option else ()
