"""Which regimes hold for which signal, by number: most signals share theirs. Pure."""

from __future__ import annotations

from cyberstride import Regimes
from opsroom.constitution.judging import SignalSettings
from opsroom.judgement import tuning


class Paces:
    """The regimes in use, numbered as they come."""

    def __init__(self, base: Regimes) -> None:
        self._base = base
        self.regimes: list[Regimes] = []
        self._by_period: dict[float, int] = {}

    def of(self, said: SignalSettings, period_s: float) -> int:
        """The number of the regimes of a signal that is read every `period_s` seconds."""
        known = self._by_period.get(period_s) if said is tuning.PLAIN else None
        if known is not None:
            return known
        regimes = tuning.regimes_for(said, period_s, self._base)
        if regimes not in self.regimes:
            self.regimes.append(regimes)
        number = self.regimes.index(regimes)
        if said is tuning.PLAIN:
            self._by_period[period_s] = number
        return number
