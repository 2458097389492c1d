"""The recursion against published and independently computed figures."""

from __future__ import annotations

import numpy as np
import pytest

from cyberstride.belief import informed
from cyberstride.filter import step
from cyberstride.regimes import cp6

# West & Harrison (1997), Table 11.1: monthly sales 1955-59, public data.
CP6 = [
    620, 633, 652, 652, 661, 683, 693, 715, 743, 743, 752, 870, 784, 765, 756, 775, 743, 734, 765, 734,
    752, 793, 756, 784, 911, 852, 879, 879, 829, 852, 875, 852, 879, 852, 870, 852, 961, 966, 929, 980,
    943, 980, 998, 939, 957, 929, 902, 920, 952, 911, 893, 861, 888, 870, 929, 916, 888, 861, 888, 870,
]  # fmt: skip

GOLDEN = {
    12: ((0.000, 0.608, 0.371, 0.021), (0.000, 0.991, 0.008, 0.000)),
    25: ((0.002, 0.530, 0.345, 0.123), (0.001, 0.780, 0.200, 0.020)),
    29: ((0.172, 0.367, 0.283, 0.177), (0.266, 0.080, 0.635, 0.019)),
    37: ((0.001, 0.539, 0.383, 0.077), (0.001, 0.022, 0.968, 0.008)),
    55: ((0.115, 0.379, 0.318, 0.188), (0.177, 0.039, 0.735, 0.048)),
}


def test_cp6_gives_the_published_probabilities_now_and_one_month_back() -> None:
    regimes = cp6()
    belief = informed(1, level=600, slope=10, variances=(10000, 25), noise=144, dof=10, priors=np.array(regimes.priors))
    now, back = [], []
    for t, value in enumerate(CP6):
        belief, verdicts = step(belief, [value], [0.0 if t == 0 else 1.0], regimes)
        now.append(verdicts.p_now[0])
        back.append(verdicts.p_back[0])
    for month, (at_once, later) in GOLDEN.items():
        assert now[month - 1] == pytest.approx(at_once, abs=1e-3)
        assert back[month] == pytest.approx(later, abs=1e-3)
    assert belief.scale[0] == pytest.approx([171.0] * 4, abs=1.0)
