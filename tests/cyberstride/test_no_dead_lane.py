"""Whatever a signal has been through, a great step is still seen and named: no lane dies silently."""

from __future__ import annotations

import numpy as np
import pytest

from cyberstride.belief import newborn
from cyberstride.kernel import Kernel
from cyberstride.regimes import DEFAULT
from cyberstride.verdict import NAMES

STEP_AT, UNTIL = 300, 330


def lives() -> dict[str, np.ndarray]:
    """Lives of a signal in units of its noise, each with a great step at last."""
    rng = np.random.default_rng(11)
    lives = {}
    for name in ("plain", "spike", "offset", "constant", "spikes"):
        values = rng.normal(size=UNTIL)
        if name == "spike":
            values[100] = 1e6
        if name == "offset":
            values[100:] += 1e6
        if name == "constant":
            values[50:250] = 0.3
        if name == "spikes":
            values[60:240:40] = 1e6
        values[STEP_AT:] += 2e6 if name in ("offset", "spikes") else 50.0
        lives[name] = values
    return lives


@pytest.mark.parametrize("unit", [1e-200, 1e-9, 1.0, 1e9, 1e150])
def test_a_great_step_is_named_after_every_kind_of_life(unit: float) -> None:
    known = lives()
    belief = newborn(len(known))
    named: dict[str, list[str]] = {name: [] for name in known}
    with Kernel(DEFAULT, threads=1) as kernel:
        for t in range(UNTIL):
            verdicts = kernel.advance(belief, np.array([values[t] * unit for values in known.values()]), 1.0)
            if t > 30:
                assert np.isfinite(verdicts.p_now).all(), f"a lane is not finite at {t}"
            if t >= STEP_AT:
                for lane, name in enumerate(known):
                    if verdicts.announced[lane]:
                        named[name].append(NAMES[int(verdicts.named[lane])])
    for name, words in named.items():
        assert "step" in words, f"{name} at unit {unit:g}: {words}"
