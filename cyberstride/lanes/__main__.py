"""`python -m cyberstride.lanes`: compile the judgement now and keep it on disk, so that no first reading waits for it."""

from __future__ import annotations

import numpy as np

from cyberstride.belief import informed
from cyberstride.budget import afford
from cyberstride.budget import newborn as unlimited
from cyberstride.judge import newborn, plain, seasonal
from cyberstride.regimes import DEFAULT
from cyberstride.season import DAY
from cyberstride.whole import Whole

if __name__ == "__main__":
    one, priors = np.arange(1), np.array(DEFAULT.priors)
    state = seasonal(newborn(1), one, (DAY,), sampling=600.0)
    belief = informed(1, level=0.0, slope=0.0, variances=(1.0, 0.01), noise=1.0, dof=50.0, priors=priors)
    with Whole(state._replace(belief=belief, budget=afford(unlimited(1), one, 1e-4)), threads=1) as whole:
        whole.advance([0.0], 1.0, 0.0, plain(1))
        # The first row of a table, and the rows between two ends of a period.
        whole.run(np.zeros((4, 1)), np.ones(4), np.arange(1.0, 5.0), plain(1))
