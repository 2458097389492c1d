"""`python -m cyberstride.lanes`: compile the filter now and keep it on disk, so that no first reading has to wait for it."""

from __future__ import annotations

import numpy as np

from cyberstride.belief import informed
from cyberstride.kernel import Kernel
from cyberstride.regimes import DEFAULT

if __name__ == "__main__":
    priors = np.array(DEFAULT.priors)
    belief = informed(1, level=0.0, slope=0.0, variances=(1.0, 0.01), noise=1.0, dof=50.0, priors=priors)
    with Kernel(threads=1) as kernel:
        kernel.advance(belief, np.zeros(1), 1.0)
