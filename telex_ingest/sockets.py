"""What lies in many sockets, read one behind the other in one compiled call: the interpreter is let go once, not for each. I/O.

What is not plain is left to the caller: where nothing came, the line ended or failed, there is only "nothing was read".
"""

from __future__ import annotations

import os
from typing import Any

from telex_ingest.compiled import COMPILES, compiled

SOCKETS_ARE_FILES = os.name == "posix"


def _system_read() -> Any:
    """How the system reads; None where nothing compiled can ask it."""
    if COMPILES and SOCKETS_ARE_FILES:
        import numba

        settings: Any = numba.config
        if not settings.DISABLE_JIT:
            return numba.types.ExternalFunction(
                "read", numba.types.intp(numba.types.intc, numba.types.uintp, numba.types.uintp)
            )
    return None


_read = _system_read()
TOGETHER = _read is not None
"""Whether sockets are read together; else all are read in vain, and so by themselves."""


@compiled
def read_all(numbers: Any, into: Any, each: int, until: int, came: Any) -> tuple[int, int]:
    """Read at most `each` bytes of every socket until there are `until`; tells how many sockets it came to and the bytes of all.

    `came` becomes the bytes of each, or -1 for one that was read in vain and for a negative number, which is left out. `into`
    must have room for `each` bytes more than `until`.
    """
    at = 0
    for k in range(len(numbers)):
        if at >= until:
            return k, at
        came[k] = -1
        if TOGETHER and numbers[k] >= 0:
            size = _read(numbers[k], into.ctypes.data + at, each)
            if size > 0:
                came[k], at = size, at + size
    return len(numbers), at
