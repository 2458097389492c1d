"""What every test shares: one thread for algebra, and how hypothesis looks for examples.

Time is no assertion, so a busy machine fails no property.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# Before anything imports numpy: on small matrices the threads of BLAS only wait for each other, five times as long.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

settings.register_profile("opsroom", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# For the long tests; a property that says its own number keeps it.
settings.register_profile("many", settings.get_profile("opsroom"), max_examples=400)
settings.load_profile("opsroom")
