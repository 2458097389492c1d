"""The tree: any depth, one root, an owner for every signal."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsroom.recursion.recursion import Tree, Unit, owner
from tests.opsroom.play import charter


@given(st.lists(st.integers(0, 10_000), max_size=60))
def test_a_tree_of_any_depth_leads_from_every_unit_to_the_root(choices: list[int]) -> None:
    units = [Unit(id="u0", title="", level="l")]
    for number, choice in enumerate(choices, 1):
        units.append(Unit(id=f"u{number}", title="", level="l", parent=f"u{choice % number}"))
    tree = Tree.of(units)
    for unit in units:
        path = tree.path(unit.id)
        assert path[0] == unit.id
        assert path[-1] == tree.root == "u0"
        assert all(tree.units[low].parent == high for low, high in pairwise(path))
        assert all(tree.covers(high, unit.id) for high in path)
    assert sum(len(below) for below in tree.children.values()) == len(units) - 1
    assert tree.inner == {unit for unit, below in tree.children.items() if below}


def test_a_plant_that_joins_hangs_where_it_is_put_and_leaves_the_old_tree_alone() -> None:
    tree = Tree.of(charter().units)
    grown = tree.grown(Unit(id="forge", title="Forge", level="plant", parent="mill-1"))
    assert grown.path("forge") == ("forge", "mill-1", "total")
    assert "forge" not in tree.units
    assert grown.listed == (*tree.listed, "forge")
    assert "mill-1" in grown.inner
    assert "mill-1" not in tree.inner
    assert grown != tree
    assert hash(tree) == hash(Tree.of(charter().units))


def test_a_tree_without_a_root_says_how_to_mend_it() -> None:
    with pytest.raises(ValueError, match=r"room\.toml"):
        Tree.of([Unit(id="a", title="", level="l", parent="b")])


def test_nobody_covers_what_is_not_in_the_tree() -> None:
    tree = Tree.of(charter().units)
    assert tree.path("nowhere") == ()
    assert not tree.covers("total", "nowhere")


def test_the_plant_in_a_signals_address_owns_it() -> None:
    assert owner("mill-1/output") == "mill-1"
    assert owner("mill-1") == "mill-1"
