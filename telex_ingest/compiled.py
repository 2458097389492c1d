"""Compiles a function on its first call and keeps the result on disk; where numba does not run it is left as it stands. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def _compiler() -> tuple[Callable[[Callable[..., Any]], Callable[..., Any]], bool]:
    try:
        from numba import njit
    except ImportError:
        return (lambda function: function), False

    def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
        try:
            return njit(cache=True, error_model="numpy", nogil=True)(function)
        except RuntimeError:  # no folder can be written: compiled anew in every process
            return njit(error_model="numpy", nogil=True)(function)

    return compiled, True


compiled, COMPILES = _compiler()
