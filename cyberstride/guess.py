"""A guess at a figure: mean, spread and how heavy its tails are, so that uncertain figures add up and can be scored. Pure.

A guess is kept as its first moments, which add; where bands or a score are wanted it is the Student t distribution with the
same mean, variance and kurtosis. The score is the continuous ranked probability score (Gneiting & Raftery 2007, "Strictly
proper scoring rules, prediction, and estimation", JASA 102, section 4.2), in closed form for the t distribution (Jordan, Krüger
& Lerch 2019, "Evaluating probabilistic forecasts with scoringRules", Journal of Statistical Software 90, appendix A).
"""

from __future__ import annotations

import math
from typing import NamedTuple

from scipy.special import betaln, stdtr, stdtrit

_HEAVIEST = 12.0
"""The largest excess kurtosis: that of a Student t with 4.5 degrees of freedom; beyond it moments tell nothing."""
_NORMAL = 1e-3
"""Below this excess kurtosis a guess is as good as normal."""


class Guess(NamedTuple):
    """A figure that is not known: its mean, its variance, its excess kurtosis (0 for a normal one)."""

    mean: float
    variance: float
    excess: float = 0.0

    @classmethod
    def student(cls, mean: float, scale: float, dof: float) -> Guess:
        """The guess of a Student t distribution; one whose moments do not exist counts as the heaviest that has some.

        >>> Guess.student(10.0, 2.0, math.inf), Guess.student(0.0, 1.0, 10.0)
        (Guess(mean=10.0, variance=4.0, excess=0.0), Guess(mean=0.0, variance=1.25, excess=1.0))
        """
        if math.isinf(dof):
            return cls(mean, scale * scale)
        dof = max(dof, 4.0 + 6.0 / _HEAVIEST)
        return cls(mean, scale * scale * dof / (dof - 2.0), 6.0 / (dof - 4.0))

    @property
    def dof(self) -> float:
        """The degrees of freedom of the Student t with this kurtosis."""
        return math.inf if self.excess < _NORMAL else 4.0 + 6.0 / min(self.excess, _HEAVIEST)

    @property
    def scale(self) -> float:
        """The scale of that distribution."""
        dof = self.dof
        return math.sqrt(self.variance if math.isinf(dof) else self.variance * (dof - 2.0) / dof)

    def plus(self, other: Guess) -> Guess:
        """The sum of two independent figures.

        >>> Guess(1.0, 4.0, 1.0).plus(Guess(2.0, 0.0))
        Guess(mean=3.0, variance=4.0, excess=1.0)
        """
        variance = self.variance + other.variance
        if variance <= 0:
            return Guess(self.mean + other.mean, 0.0)
        excess = (self.excess * self.variance**2 + other.excess * other.variance**2) / variance**2
        return Guess(self.mean + other.mean, variance, excess)

    def perhaps(self, share: float) -> Guess:
        """The figure with this probability, else nothing: an effect that may have come already.

        >>> Guess(8.0, 0.0).perhaps(0.5)
        Guess(mean=4.0, variance=16.0, excess=-2.0)
        """
        share = min(max(share, 0.0), 1.0)
        mean, left = share * self.mean, 1.0 - share
        if share == 1.0:
            return self
        off = self.mean - mean
        variance = share * (self.variance + off * off) + left * mean * mean
        if variance * variance <= 0:
            return Guess(mean, max(variance, 0.0))
        around = (3.0 + self.excess) * self.variance**2 + 6 * self.variance * off**2 + off**4
        return Guess(mean, variance, (share * around + left * mean**4) / variance**2 - 3.0)

    def interval(self, coverage: float) -> tuple[float, float]:
        """The band that is to hold the figure with this probability.

        >>> low, high = Guess(10.0, 4.0).interval(0.9)
        >>> round(low, 2), round(high, 2)
        (6.71, 13.29)
        """
        half = self.scale * float(stdtrit(min(self.dof, 1e9), 0.5 + coverage / 2))
        return self.mean - half, self.mean + half

    def crps(self, came: float) -> float:
        """The score of the guess when this came, in the figure's own unit: 0 for a sure hit, smaller is better.

        A guess without spread is scored by how far it is off. For a standard normal guess and 0 it is (sqrt 2 - 1) / sqrt pi.

        >>> round(Guess(0.0, 1.0).crps(0.0), 4), Guess(3.0, 0.0).crps(5.0)
        (0.2337, 2.0)
        """
        scale, dof = self.scale, min(self.dof, 1e6)
        if scale <= 0:
            return abs(came - self.mean)
        z = (came - self.mean) / scale
        density = math.exp(-(dof + 1) / 2 * math.log1p(z * z / dof) - 0.5 * math.log(dof) - float(betaln(0.5, dof / 2)))
        flat = (
            2 * math.sqrt(dof) / (dof - 1) * math.exp(float(betaln(0.5, dof - 0.5)) - 2 * float(betaln(0.5, dof / 2)))
        )
        below = float(stdtr(dof, z))
        return scale * (z * (2 * below - 1) + 2 * density * (dof + z * z) / (dof - 1) - flat)
