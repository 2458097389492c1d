"""The four regimes, their priors and how the state evolves under each."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

__all__ = ["DEFAULT", "REGIMES", "Four", "Regimes", "cp6", "default_regimes", "harrison_stevens_1971", "paced"]

REGIMES = ("steady", "transient", "step", "slope")
"""The order of the regimes, the same everywhere in the room."""

Four = tuple[float, float, float, float]


class Regimes(NamedTuple):
    """How often each regime comes and what it does to a signal; every setting of the filter, frozen.

    `priors` (4,): probability of each regime at a reading, one nominal period after the last.
    `law`: "ratios": `level` and `slope` (4,) are the variances of the changes of level and slope, in units of
    the observation variance (Harrison & Stevens 1971); "discounts": they are discount factors in (0, 1]
    (West & Harrison 1997, section 12.4). `noise` (4,): observation variance in units of the steady one.
    """

    priors: Four
    law: Literal["ratios", "discounts"]
    noise: Four
    level: Four
    slope: Four
    variance_discount: float = 1.0
    """Share of its degrees of freedom that the learned variance keeps from one reading to the next."""
    stretch: float = math.inf
    """Transients and steps beyond so many of their own standard deviations are met with a wider prior."""
    clip: float = math.inf
    """The most that one reading's squared standardised error may weigh in the learned variance."""
    least_scale: float = 0.0
    """Floor of the learned variance, in squares of the signal's internal unit (near its first noise)."""
    quiet: float = math.inf
    """Two events at two readings in a row are not weighed where steady was at least so probable at the first of them."""
    naming: bool = False
    """Whether changes are named from the evidence of the window of the last readings."""
    event_priors: Four = (0.0, 0.02, 0.008, 0.002)
    """Probability a nominal period that an event of each kind begins, in the window's judgement."""
    event_sizes: Four = (0.0, 6.0, 3.0, 0.4)
    """Prior standard deviation of an event's size, in noise standard deviations (slope: a period)."""
    variance_prior: float = 0.0005
    """Probability a nominal period that the noise takes another variance."""
    suspect: float = 0.5
    """A change is suspected when the window's probability that something happened passes this."""
    sure: float = 0.9
    """A change is named when the window's probability of its kind passes this."""
    lasting: float = 0.8
    """A change that has lasted is named, step or slope, when their joint probability passes this."""
    acquit: float = 0.2
    """A suspicion is withdrawn when the probability that something happened falls below this."""
    stands: int = 8
    """For how many readings a name stands after it was given."""
    reference_readings: int = 50
    """Readings after warm-up from which the frozen reference is learned, unless one is agreed."""
    unmoved: float = 1e-6
    """A signal is stuck when its repeated value had a smaller probability than this, by its own habit of repeating."""
    drift_slack: float = 0.1
    """Noise standard deviations a reading that an excursion must keep up to last."""
    drift_limit: float = 11.5
    """A drift is named when the evidence that an excursion is a ramp, in natural logarithms, passes this."""
    away_prior: float = 0.01
    """Prior probability that a signal is away from its reference."""


def harrison_stevens_1971() -> Regimes:
    """The defaults of the 1971 paper: variance ratios, and a noise variance that the caller knows.

    Source: Harrison & Stevens, Operational Research Quarterly 22(4), 1971, 341-362. Priors as described by
    Duncan, Gorr & Szczypula 1993.
    """
    return Regimes(
        priors=(0.900, 0.094, 0.003, 0.003),
        law="ratios",
        noise=(1.0, 101.0, 1.0, 1.0),
        level=(0.0, 0.0, 100.0, 0.0),
        slope=(0.0, 0.0, 0.0, 1.0),
    )


def cp6() -> Regimes:
    """The settings with which West & Harrison (1997, section 12.4) judge the series CP6: discounts."""
    return Regimes(
        priors=(0.85, 0.07, 0.05, 0.03),
        law="discounts",
        noise=(1.0, 100.0, 1.0, 1.0),
        level=(0.9, 0.9, 0.01, 0.9),
        slope=(0.9, 0.9, 0.9, 0.01),
    )


DEFAULT = Regimes(
    priors=(0.970, 0.020, 0.007, 0.003),
    law="ratios",
    noise=(1.0, 60.0, 1.0, 1.0),
    level=(0.004, 0.004, 30.0, 0.004),
    slope=(0.000002, 0.000002, 0.000002, 0.25),
    variance_discount=0.99,
    stretch=3.0,
    clip=9.0,
    least_scale=2.0**-10,
    quiet=0.95,
    naming=True,
)
"""The frozen configuration for plant indicators."""


CHANGES_EVERY_S = 750_000.0
"""How many seconds pass between two steps of one signal, as the priors have it: about nine days."""

_RAREST = 1e-4


def paced(regimes: Regimes, period_s: float) -> Regimes:
    """The same regimes for a signal with a reading every `period_s` seconds of source time.

    How often a plant changes does not depend on how often it is asked: the priors of steps, slopes and changes of variance
    belong to time, not to readings. They are those of a step every `CHANGES_EVERY_S`, and never more than those of
    `regimes`, which are for slow series. A transient belongs to the reading and keeps its prior.

    >>> [round(paced(DEFAULT, period).event_priors[2], 7) for period in (1.0, 60.0, 86400.0)]
    [1.3e-06, 8e-05, 0.008]
    """
    share = min(max(period_s / (CHANGES_EVERY_S * regimes.event_priors[2]), _RAREST), 1.0)
    nothing, transient, step, slope = regimes.event_priors
    return regimes._replace(
        event_priors=(nothing, transient, step * share, slope * share), variance_prior=regimes.variance_prior * share
    )


def default_regimes() -> Regimes:
    """The frozen configuration for plant indicators, the same that `DEFAULT` holds."""
    return DEFAULT
