"""A sum over the sources that one compiled function is made of, so that what is kept on disk is made anew when any changes."""

from __future__ import annotations

import zlib
from pathlib import Path

__all__ = ["fingerprint"]


def fingerprint(*modules: str) -> int:
    """The sum over the sources of some modules of `cyberstride` ("watch", "lanes/watch").

    numba keeps what it compiled by the text of that function and its free variables, and does not see what it calls.
    """
    home, total = Path(__file__).parent.parent, 0
    for name in modules:
        total = zlib.crc32((home / f"{name}.py").read_bytes(), total)
    return total
