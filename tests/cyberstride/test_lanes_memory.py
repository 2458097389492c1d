"""The compiled judgement's scratch lives as long as it is worked on: what is freed is filled with odd bytes at once."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from cyberstride import budget as budgets
from cyberstride import judge as judging
from cyberstride.whole import Whole

pytest.importorskip("numba", reason="numba runs on CPython alone")
from numba.core import compiler

from cyberstride.lanes import budget, step

pytestmark = [pytest.mark.timeout(600)]  # the first run on a machine compiles

FILLED = "glibc.malloc.perturb=165:glibc.malloc.tcache_count=0"
"""Has glibc fill what is freed, and keep nothing of it for the next who asks."""


def judge_alike() -> None:
    """Judge with a budget, readings missing now and then, compiled and readably."""
    rng, n = np.random.default_rng(7), 21
    table = rng.normal(size=(160, n))
    table[90:, ::4] += 12.0
    table[rng.uniform(size=table.shape) < 0.02] = np.nan
    settings = judging.plain(n)
    state = judging.newborn(n)._replace(budget=budgets.afford(budgets.newborn(n), np.arange(n), 1e-2))
    with Whole(judging.take(state, np.arange(n)), threads=1) as whole:
        for t, row in enumerate(table):
            said = whole.advance(row, 1.0, float(t), settings)
            state, expected = judging.judge(state, row, np.ones(n), np.full(n, float(t)), settings)
            for name in ("named", "announced", "level", "low", "high", "size"):
                np.testing.assert_allclose(
                    getattr(said, name), getattr(expected, name), rtol=1e-8, atol=1e-8, err_msg=f"{t} {name}"
                )


def test_what_judges_works_in_memory_that_is_not_freed() -> None:
    work = "from tests.cyberstride.test_lanes_memory import judge_alike; judge_alike()"
    ended = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", work],
        env=os.environ | {"GLIBC_TUNABLES": FILLED},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]


@pytest.mark.parametrize(
    ("function", "last", "made"),
    [
        (step._judge, "write", ("room", "places", "addresses", "told_room", "told_words_room")),
        (budget.spend.py_func, "_spent", ("e", "f_kept", "g_kept")),
    ],
)
def test_what_a_function_makes_and_points_into_is_freed_behind_its_last_work(
    function: Any, last: str, made: tuple[str, ...]
) -> None:
    said = io.StringIO()
    front: Any = compiler.run_frontend  # numba says nothing of its types
    front(function, emit_dels=True).dump(said)
    lines = [line.strip().split() for line in said.getvalue().splitlines()]
    named = {line[0] for line in lines if any(part.startswith(f"global({last}:") for part in line)}
    worked = max(
        at for at, line in enumerate(lines) if "call" in line and any(name in "".join(line[2:]) for name in named)
    )
    freed = {line[1]: at for at, line in enumerate(lines) if line[:1] == ["del"]}
    assert [name for name in made if freed[name] < worked] == []
