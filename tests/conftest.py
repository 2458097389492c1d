"""What every test shares: one thread for algebra, how hypothesis looks for examples, and that nothing is left open.

Time is no assertion, so a busy machine fails no property.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# Before anything imports numpy: on small matrices the threads of BLAS only wait for each other, five times as long.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

settings.register_profile("opsroom", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
# For the long tests; a property that says its own number keeps it.
settings.register_profile("many", settings.get_profile("opsroom"), max_examples=400)
settings.load_profile("opsroom")


def pytest_collection_finish() -> None:
    """Count what was imported as eternal: half a million objects that the collector need not look through again."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    """Let the end of the program let go of everything."""
    gc.unfreeze()


@pytest.fixture(scope="module", autouse=True)
def _nothing_left() -> Iterator[None]:
    """Collect after a module, so that a socket or a task that it left open fails it, and not a test somewhere else."""
    yield
    gc.collect()
    gc.freeze()  # what is alive has been looked through once: the next module pays for its own
