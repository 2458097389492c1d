"""What every test shares: one thread for algebra, how hypothesis looks for examples, which tests go to one worker, and that
nothing is left open.

Time is no assertion, so a busy machine fails no property.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# Before anything imports numpy: on small matrices the threads of BLAS only wait for each other, five times as long.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Derandomised: the same code gets the same examples, so that what a run says is due to what was changed.
settings.register_profile(
    "opsroom", derandomize=True, deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
# For the long tests; a property that says its own number keeps it.
settings.register_profile("many", settings.get_profile("opsroom"), max_examples=400)
settings.register_profile("new", settings.get_profile("many"), derandomize=False)
settings.load_profile("opsroom")


TOGETHER = ("tests/browser/", "tests/opsroom/record/")
"""Folders whose tests share what is dear to start: a browser with its room, a PostgreSQL. One worker has them all."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give the tests of a file to one worker, as `--dist loadfile` does, and those of some folders too."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class ByFolder(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return next((folder for folder in TOGETHER if file.startswith(folder)), file)

    return ByFolder(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect nothing while code is read: what is imported stays."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


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
