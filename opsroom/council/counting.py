"""Counting ballots over options: by approval (majority, two thirds), by consent, and by rank (Schulze). Pure.

A ballot names options: those that the seat can agree to, the preferred one first. Counting by approval looks at which are named,
counting by rank at their order; what is not named stands last, side by side. Whatever the mode, nothing is decided without a
quorum of people, and a tie goes to the option that acts least: nothing before more time before an agreement before orders, fewer
orders before more, the earlier letter before the later.

Schulze, M. (2011): A new monotonic, clone-independent, reversal symmetric, and Condorcet-consistent single-winner election
method. Social Choice and Welfare 36, 267-303; strongest paths by winning votes (section 2.3.1, algorithm 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec

from opsroom.council.options import Option
from opsroom.recursion.recursion import Mode


class Vote(msgspec.Struct, frozen=True, kw_only=True):
    """What a ballot says: the options that the seat can agree to, the preferred one first; those that it objects to; or that
    it abstains. It is sealed as the bytes of `words`."""

    options: tuple[str, ...] = ()
    objections: tuple[str, ...] = ()
    abstain: bool = False
    reason: str = ""


class Count(NamedTuple):
    """The ballots counted: `named` tells how many votes name each option, `cast` how many votes are no abstentions, `people` how
    many people voted, `needed` how many votes an option needs, `objected` which options somebody objects to."""

    outcome: Literal["carried", "lost", "expired"]
    winner: str
    named: dict[str, int]
    cast: int
    abstain: int
    people: int
    quorum: int
    needed: int
    objected: tuple[str, ...] = ()


def count(mode: Mode, options: Sequence[Option], votes: Sequence[Vote], people: int, quorum: int) -> Count:
    """Count votes on options; `people` is how many different people cast them.

    >>> slow, nothing = Option(id="a", title="Slow down"), Option(id="b", kind="nothing", title="Do nothing")
    >>> votes = [Vote(options=("a",))] * 3 + [Vote(options=("b",))] * 2
    >>> count("majority", [slow, nothing], votes, people=5, quorum=4)[:2]
    ('carried', 'a')
    >>> count("two-thirds", [slow, nothing], votes, people=5, quorum=4)[:2]
    ('lost', '')
    >>> count("majority", [slow, nothing], votes, people=3, quorum=4)[:2]
    ('expired', '')
    """
    cast = [vote for vote in votes if not vote.abstain]
    named = {option.id: sum(option.id in vote.options for vote in cast) for option in options}
    objected = tuple(option.id for option in options if any(option.id in vote.objections for vote in cast))
    needed = needed_of(mode, len(cast))

    def told(outcome: Literal["carried", "lost", "expired"], winner: str = "") -> Count:
        return Count(
            outcome, winner, named, len(cast), len(votes) - len(cast), people, quorum, needed,
            objected if mode == "consent" else (),
        )  # fmt: skip

    if people < quorum:
        return told("expired")
    if not cast:
        return told("lost")
    if mode == "ranked":
        best = schulze([option.id for option in options], [vote.options for vote in cast])
    else:
        able = [
            name for name, seats in named.items() if seats >= needed and not (mode == "consent" and name in objected)
        ]
        most = max((named[name] for name in able), default=0)
        best = [name for name in able if named[name] == most]
    winner = min((option for option in options if option.id in best), key=acts, default=None)
    if winner is None:
        return told("lost")
    return told("lost" if winner.kind == "nothing" else "carried", winner.id)


def needed_of(mode: Mode, cast: int) -> int:
    """How many of the votes cast an option needs: more than half, two thirds, or one that nobody objects to.

    >>> needed_of("majority", 6), needed_of("two-thirds", 7), needed_of("consent", 7)
    (4, 5, 1)
    """
    if mode == "majority":
        return cast // 2 + 1
    return -(-2 * cast // 3) if mode == "two-thirds" else 1


def acts(option: Option) -> tuple[int, int, str]:
    """How much an option acts, for breaking ties: the least wins."""
    weight = ("nothing", "time", "agreement", "orders").index(option.kind)
    return weight, len(option.orders) or len(option.terms), option.id


def schulze(options: Sequence[str], ballots: Sequence[Sequence[str]]) -> list[str]:
    """The options that no other one beats on strongest paths, in the given order; at least one whenever there are options.

    >>> schulze(["a", "b", "c"], [("a", "b")] * 3 + [("b", "c")] * 2 + [("c", "a")] * 2)
    ['a']
    """
    before = {
        (one, other): sum(prefers(ballot, one, other) for ballot in ballots) for one in options for other in options
    }
    path = {pair: votes if votes > before[pair[::-1]] else 0 for pair, votes in before.items()}
    for middle in options:
        for one in options:
            for other in options:
                if len({one, middle, other}) == 3:
                    through = min(path[one, middle], path[middle, other])
                    path[one, other] = max(path[one, other], through)
    return [one for one in options if all(path[one, other] >= path[other, one] for other in options)]


def prefers(ballot: Sequence[str], one: str, other: str) -> bool:
    """Whether a ballot puts one option before another; what it does not name stands last."""
    if one not in ballot:
        return False
    return other not in ballot or ballot.index(one) < ballot.index(other)


def kind_of(options: Sequence[Option]) -> Literal["order", "agreement", "choice", "dangerous", "time"]:
    """What a motion is about, for its mode: a dangerous order, a choice between proposals, one proposal (of orders, or of an
    agreement alone), or time alone."""
    proposed = [option for option in options if option.kind in ("orders", "agreement")]
    if any(option.dangerous for option in proposed):
        return "dangerous"
    if len(proposed) > 1:
        return "choice"
    if not proposed:
        return "time"
    return "order" if proposed[0].kind == "orders" else "agreement"


def words(vote: Vote, motion: str, number: int, seat: int) -> str:
    """What is sealed of a vote: plain JSON that names motion, round and seat, so that it opens no other commitment.

    >>> words(Vote(options=("a",), reason="it fell"), "motion-1", 1, 3)
    '{"motion":"motion-1","round":1,"seat":3,"options":["a"],"objections":[],"abstain":false,"reason":"it fell"}'
    """
    plain = {"motion": motion, "round": number, "seat": seat, **msgspec.to_builtins(vote)}
    return msgspec.json.encode(plain).decode()


def read(said: str, motion: str, number: int, seat: int) -> Vote | None:
    """Read what was sealed back; `None` when it is not about this motion, round and seat."""
    try:
        plain = msgspec.json.decode(said, type=dict)
        if (plain.pop("motion"), plain.pop("round"), plain.pop("seat")) != (motion, number, seat):
            return None
        return msgspec.convert(plain, Vote)
    except (msgspec.MsgspecError, KeyError):
        return None


def mirrored(said: str, motion: str, number: int, seat: int) -> Vote:
    """Read what was sealed, or raise `ValueError`: for a journal that must hold what it says."""
    vote = read(said, motion, number, seat)
    if vote is None:
        raise ValueError(
            f"{motion} has a ballot that does not belong there: the journal is not one that this room wrote"
        )
    return vote
