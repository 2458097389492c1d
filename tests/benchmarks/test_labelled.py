"""The standing table of what the filter finds may not get worse."""

from __future__ import annotations

import pytest

from benchmarks.labelled import check


@pytest.mark.long
def test_no_figure_of_the_labelled_simulations_has_become_worse() -> None:
    assert check() == []
