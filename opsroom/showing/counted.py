"""Why a count came out as it did, in sentences: each mode is told by what decided in it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from opsroom.council.counting import Count, Vote, acts, prefers
from opsroom.council.deliberation import tally, votes
from opsroom.council.motion import Motion


def counted_words(motion: Motion) -> tuple[str, ...]:
    """Tell why a decided motion carried what it did, or nothing; empty while it is open and where nothing was counted."""
    if motion.state not in ("carried", "lost"):
        return ()
    ballots = {seat: one.vote for seat, one in votes(motion).items() if one.vote is not None and not one.vote.abstain}
    if not ballots:
        return ("Nobody named an option.",) if motion.ballots or motion.first else ()
    counted = tally(motion)
    if motion.mode == "ranked":
        return _ranked(motion, counted, tuple(ballots.values()))
    objected = [
        f"Seat {seat} objects to {name.upper()}: “{vote.reason}” One objection with a reason stops an option."
        for seat, vote in ballots.items()
        for name in vote.objections
        if motion.mode == "consent"
    ]
    return (*objected, _approved(motion, counted))


def _approved(motion: Motion, counted: Count) -> str:
    """Tell a count by approval: who was named how often, and how often was needed."""
    won, most = counted.winner, max(counted.named.values())
    rule = "" if motion.mode == "consent" else f"; {counted.needed} {_were(counted.needed)} needed"
    if not won:
        if motion.mode == "consent":
            return "No option was left that somebody named and nobody objects to."
        named = " and ".join(name.upper() for name, seats in counted.named.items() if seats == most)
        return f"No option was named often enough: {named} by {most} of {counted.cast} votes{rule}."
    told = f"{won.upper()} was named by {counted.named[won]} of {counted.cast} votes{rule}."
    level = [
        name.upper()
        for name, seats in counted.named.items()
        if seats == counted.named[won] and name != won and name not in counted.objected
    ]
    return f"{told} {' and '.join(level)} as often: {LEAST}." if level else told


LEAST = "of options that stand level the one that acts least is taken"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def _ranked(motion: Motion, counted: Count, ballots: Sequence[Vote]) -> tuple[str, ...]:
    """Tell a ranked count as duels: the winner against each other option, seat by seat."""
    won = counted.winner
    duels = []
    for other in sorted((one for one in motion.options if one.id != won), key=lambda one: one.id):
        ahead = sum(prefers(vote.options, won, other.id) for vote in ballots)
        behind = sum(prefers(vote.options, other.id, won) for vote in ballots)
        duels.append((other, ahead, behind))
    listed = ", ".join(f"{other.id.upper()} by {ahead} to {behind}" for other, ahead, behind in duels)
    told = [f"Each two options are compared: how many seats put one before the other. {won.upper()} against {listed}."]
    if any(ahead < behind for _, ahead, behind in duels):
        told.append(
            f"The options beat each other in a circle; {won.upper()} has the strongest chain of wins (Schulze's rule)."
        )
    elif all(ahead > behind for _, ahead, behind in duels):
        told.append(f"{won.upper()} wins against every other option.")
    else:
        winner = motion.option(won)
        level = [other for other, ahead, behind in duels if ahead == behind]
        # A level duel may be settled by a chain through a third option; only where the winner acts less was it the tie rule.
        by_rule = winner is not None and all(acts(winner) < acts(other) for other in level)
        names = " and ".join(other.id.upper() for other in level)
        told.append(f"{won.upper()} loses to none and stands level with {names}{': ' + LEAST if by_rule else ''}.")
    return tuple(told)
