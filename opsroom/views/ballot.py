"""The row of one's own ballot: it goes to its seat alone."""

from __future__ import annotations

from opsroom.views.view import View


class OwnBallotView(View, frozen=True, kw_only=True):
    """What a seat has sealed in a round: the options that it names, the preferred one first, objections, reason; epoch s."""

    seat: int
    round: int
    at: float
    cast_by: int
    options: tuple[str, ...] = ()
    objections: tuple[str, ...] = ()
    abstain: bool = False
    reason: str = ""
