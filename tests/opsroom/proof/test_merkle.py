"""The tree over the events against the samples of Certificate Transparency, and every proof against every change of it."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsroom.proof import merkle
from opsroom.proof.verify_journal import Peaks, consistent, included, leaf_hash, node_hash

# The leaves and roots with which the implementations of RFC 6962 and RFC 9162 are tested.
LEAVES = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
MOST = 40


def by_definition(leaves: list[bytes]) -> bytes:
    """The tree as RFC 9162, 2.1.1, defines it."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    return node_hash(by_definition(leaves[:middle]), by_definition(leaves[middle:]))


class Tree:
    def __init__(self, size: int) -> None:
        self.leaves = [leaf_hash(b"%d" % number) for number in range(size)]
        self.nodes: dict[tuple[int, int], bytes] = {}
        for number, leaf in enumerate(self.leaves):
            for node in merkle.grown(number, leaf, self.node):
                assert (node.height, node.place) not in self.nodes, "each is stored once"
                self.nodes[node.height, node.place] = node.hash

    def node(self, height: int, place: int) -> bytes:
        return self.nodes[height, place]

    def root(self, size: int) -> bytes:
        return merkle.root(size, self.node)


TREE = Tree(MOST)


@pytest.mark.parametrize("size", range(len(ROOTS)))
def test_the_roots_are_those_of_certificate_transparency(size: int) -> None:
    peaks = Peaks()
    for leaf in LEAVES[:size]:
        peaks.add(leaf_hash(bytes.fromhex(leaf)))
    assert peaks.root().hex() == ROOTS[size]


def test_the_stored_tree_is_that_of_the_definition_at_every_size() -> None:
    peaks = Peaks()
    for size in range(MOST + 1):
        assert TREE.root(size) == by_definition(TREE.leaves[:size]) == peaks.root()
        if size < MOST:
            peaks.add(TREE.leaves[size])
    assert len(TREE.nodes) < 2 * MOST


def test_every_event_is_proven_in_every_tree_that_holds_it() -> None:
    for size in range(1, MOST + 1):
        for index in range(size):
            path = merkle.inclusion(index, size, TREE.node)
            assert len(path) <= (size - 1).bit_length()
            assert included(TREE.leaves[index], index, size, path, TREE.root(size))


def test_every_tree_is_proven_to_begin_with_every_smaller_one() -> None:
    for second in range(MOST + 1):
        for first in range(second + 1):
            path = merkle.consistency(first, second, TREE.node)
            assert consistent(first, second, path, TREE.root(first), TREE.root(second))


sizes = st.integers(1, MOST)


@settings(max_examples=100)
@given(sizes, st.data())
def test_a_proof_of_inclusion_proves_nothing_else(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    path, root = merkle.inclusion(index, size, TREE.node), TREE.root(size)
    leaf = TREE.leaves[index]
    other = data.draw(st.integers(0, size - 1).filter(lambda one: one != index) if size > 1 else st.just(size))
    assert not included(leaf, other, size, path, root)
    assert not included(leaf_hash(b"forged"), index, size, path, root)
    assert not included(leaf, index, size, [*path, leaf], root)
    assert not included(leaf, index, size, path, leaf_hash(b"forged"))
    if path:
        place = data.draw(st.integers(0, len(path) - 1))
        assert not included(leaf, index, size, [*path[:place], leaf_hash(b"x"), *path[place + 1 :]], root)
        assert not included(leaf, index, size, path[:place] + path[place + 1 :], root)


@settings(max_examples=100)
@given(sizes, st.data())
def test_a_proof_of_consistency_proves_nothing_else(second: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, second))
    path, old, new = merkle.consistency(first, second, TREE.node), TREE.root(first), TREE.root(second)
    forged = leaf_hash(b"forged")
    assert not consistent(first, second, path, forged, new)
    assert not consistent(first, second, path, old, forged) or first == second == 0
    assert not consistent(first, second, [*path, forged], old, new)
    if path:
        place = data.draw(st.integers(0, len(path) - 1))
        assert not consistent(first, second, [*path[:place], forged, *path[place + 1 :]], old, new)
        assert not consistent(first, second, path[:-1], old, new)
    if first > 1:
        assert not consistent(first - 1, second, path, old, new)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 3)])
def test_there_is_no_proof_of_what_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        merkle.inclusion(index, size, TREE.node)
    assert not included(TREE.leaves[0], index, size, [], TREE.root(size))
    with pytest.raises(ValueError, match="cannot begin"):
        merkle.consistency(size + 1, size, TREE.node)
