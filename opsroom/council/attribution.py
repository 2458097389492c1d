"""What may be said of an order's effect: one struct, carried by the news, the event and the view of it. Pure."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Word = Literal["told", "none", "cannot_tell", "too_early"]


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A mean effect with its 95 % interval, in the signal's unit."""

    mean: float
    low: float
    high: float

    @property
    def sure(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low > 0 or self.high < 0


class Attribution(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whether an order may be called the cause of what came after it, and how large its effect was, in the signal's unit.

    `word` is told, none, cannot_tell, or too_early (`until` then says when there will be enough readings, epoch seconds),
    `reason` says why. `mean` with its 95 % interval `low..high` is the effect over `after`
    readings; `early` and `late` are those over the first and the last part of them, so that an effect that was undone shows.
    `delay_s` is how long after the order half of a told effect had come. `dates` and `false_dates` count the placebos at
    earlier times, `sisters` are the signals that nobody touched, `disturbed` those of them that changed at the same time.
    `band` holds what would have come without the order, as (at, mean, low, high).
    """

    word: Word
    reason: str
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    before: int = 0
    after: int = 0
    dates: int = 0
    false_dates: int = 0
    sisters: tuple[str, ...] = ()
    disturbed: tuple[str, ...] = ()
    band: tuple[tuple[float, float, float, float], ...] = ()
    early: Span | None = None
    late: Span | None = None
    delay_s: float | None = None
    until: float | None = None

    @property
    def whole(self) -> Span | None:
        """The effect over all readings behind the order, if it could be reckoned."""
        if self.mean is None or self.low is None or self.high is None:
            return None
        return Span(mean=self.mean, low=self.low, high=self.high)


def nested(flat: dict[str, Any]) -> dict[str, Any]:
    """Read an event as the first version of `effect-attributed` wrote it, with the attribution's members among its own.

    >>> nested({"kind": "effect-attributed", "order": "o-1", "word": "none", "reason": "nothing came"})
    {'kind': 'effect-attributed', 'order': 'o-1', 'told': {'word': 'none', 'reason': 'nothing came'}}
    """
    names = set(Attribution.__struct_fields__)
    told = {name: value for name, value in flat.items() if name in names}
    return {name: value for name, value in flat.items() if name not in names} | {"told": told}
