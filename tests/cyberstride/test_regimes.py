"""The settings."""

from __future__ import annotations

import numpy as np
import pytest

from cyberstride.mixture import priors_over
from cyberstride.regimes import DEFAULT, REGIMES, Regimes, cp6, default_regimes, harrison_stevens_1971


@pytest.mark.parametrize("regimes", [DEFAULT, cp6(), harrison_stevens_1971()])
def test_priors_are_probabilities_in_the_order_of_the_regimes(regimes: Regimes) -> None:
    assert REGIMES == ("steady", "transient", "step", "slope")
    assert sum(regimes.priors) == pytest.approx(1.0)
    assert max(regimes.priors) == regimes.priors[0]


def test_the_default_is_frozen_and_the_same_every_time() -> None:
    assert default_regimes() is DEFAULT
    with pytest.raises(AttributeError):
        DEFAULT.law = "discounts"  # type: ignore[misc] # wrong on purpose


def test_over_a_longer_wait_a_step_and_a_slope_are_likelier_a_transient_is_not() -> None:
    prior = priors_over(np.array([0.5, 1.0, 3.0, 1000.0]), DEFAULT)
    assert prior.sum(axis=0) == pytest.approx(1.0)
    assert prior[:, 1] == pytest.approx(DEFAULT.priors)
    assert prior[2, 2] == pytest.approx(1 - (1 - DEFAULT.priors[2]) ** 3, rel=1e-9)
    assert prior[1, :3] == pytest.approx(DEFAULT.priors[1])
    assert (np.diff(prior[2]) > 0).all()
