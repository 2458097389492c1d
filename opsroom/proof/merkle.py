"""The tree over the events (RFC 9162, section 2.1): how it grows, its root, and its proofs, from stored perfect subtrees. Pure.

A node is named by its height and its place: node (h, p) is the hash over leaves p * 2^h to (p + 1) * 2^h - 1. Only perfect
subtrees are stored, each once: a leaf more costs two of them on average, and a proof reads some two for each doubling of size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from opsroom.proof.verify_journal import Peaks, node_hash

Nodes = Callable[[int, int], bytes]
"""(height, place) -> the hash of a perfect subtree."""


class Node(NamedTuple):
    """One perfect subtree: its height, its place among those of its height, its hash."""

    height: int
    place: int
    hash: bytes


def grown(size: int, leaf: bytes, node: Nodes) -> Iterator[Node]:
    """The nodes that are new when a leaf is added to a tree of `size`; `node` gives those of the tree before."""
    height, place, found = 0, size, leaf
    yield Node(0, size, leaf)
    while place & 1:
        found = node_hash(node(height, place - 1), found)
        height, place = height + 1, place >> 1
        yield Node(height, place, found)


def root(size: int, node: Nodes) -> bytes:
    """The hash of a tree of `size` leaves."""
    return _subtree(0, size, node) if size else Peaks().root()


def inclusion(index: int, size: int, node: Nodes) -> list[bytes]:
    """Prove that the leaf at `index` is in the tree of `size` leaves (2.1.3.1); raises ValueError for an index outside."""
    if not 0 <= index < size:
        raise ValueError(f"there is no leaf {index} among {size}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_subtree(middle, end, node))
            end = middle
        else:
            path.append(_subtree(start, middle, node))
            start = middle
    return path[::-1]


def consistency(first: int, second: int, node: Nodes) -> list[bytes]:
    """Prove that the tree of `second` leaves begins with that of `first` (2.1.4.1); raises ValueError when it cannot."""
    if not 0 <= first <= second:
        raise ValueError(f"a tree of {second} leaves cannot begin with one of {first}")
    path: list[bytes] = []
    start, end, whole = 0, second, True
    while first and end != first:
        middle = start + _split(end - start)
        if first <= middle:
            path.append(_subtree(middle, end, node))
            end = middle
        else:
            path.append(_subtree(start, middle, node))
            start, whole = middle, False
    if not whole:
        path.append(_subtree(start, end, node))
    return path[::-1]


def _subtree(start: int, end: int, node: Nodes) -> bytes:
    length = end - start
    if length & (length - 1) == 0 and start % length == 0:
        height = length.bit_length() - 1
        return node(height, start >> height)
    middle = start + _split(length)
    return node_hash(_subtree(start, middle, node), _subtree(middle, end, node))


def _split(length: int) -> int:
    """The largest power of two below a length of two or more."""
    return 1 << ((length - 1).bit_length() - 1)
