"""How the parts of the step are compiled; logarithm and exponential of one number in plain arithmetic.

Both are right to 3e-14, relative. The argument of the logarithm must be positive, finite and no denormal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

__all__ = ["CONTRACT", "LN2", "apart", "claim", "compiled", "exact", "exp2", "ln", "log2", "within"]

LN2 = 0.6931471805599453
CONTRACT = {"contract", "arcp"}
"""What the compiler may do to the arithmetic: fuse a product and a sum, divide by a reciprocal."""
_njit: Any = njit
Made = TypeVar("Made", bound=Callable[..., Any])


def compiled(function: Made) -> Made:
    """For what is called from compiled code alone and makes no array: so no references are counted, which threads would share."""
    made: Made = _njit(error_model="numpy", fastmath=CONTRACT, _nrt=False)(function)
    return made


def exact(function: Made) -> Made:
    """The same, but every product and sum is rounded by itself, as in numpy."""
    made: Made = _njit(error_model="numpy", _nrt=False)(function)
    return made


def within(function: Made) -> Made:
    """The same, merged into its callers."""
    made: Made = _njit(error_model="numpy", fastmath=CONTRACT, _nrt=False, forceinline=True)(function)
    return made


@within
def log2(x: float) -> float:
    """Logarithm to base two."""
    bits = np.float64(x).view(np.uint64)
    shifted = bits - np.uint64(0x3FE6A09E00000000) + np.uint64(0x4000000000000000)
    top = shifted & np.uint64(0xFFF0000000000000)
    m = np.uint64(bits - top + np.uint64(0x4000000000000000)).view(np.float64)
    power = np.uint64((shifted >> np.uint64(52)) | np.uint64(0x4330000000000000)).view(np.float64) - 4503599627371520.0
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    p = 0.3199064108304371 + z * 0.2828915085688545
    p = 0.4122092315553886 + z * p
    p = 0.5770779426197091 + z * p
    p = 0.9617966941121754 + z * p
    p = 2.8853900817778517 + z * p
    return power + s * p


@within
def ln(x: float) -> float:
    """Natural logarithm."""
    return log2(x) * LN2


@within
def exp2(x: float) -> float:
    """Two to the power of `x`; beyond 1000 it is that of 1000."""
    x = min(max(x, -1000.0), 1000.0)
    k = x + 6755399441055744.0
    bits = np.float64(k).view(np.int64)
    r = x - (k - 6755399441055744.0)
    p = 1.3259675766161839e-06 + r * 1.0204903651952689e-07
    p = 1.5252679058983774e-05 + r * p
    p = 0.0001540343361513708 + r * p
    p = 0.0013333558187465905 + r * p
    p = 0.009618129194116096 + r * p
    p = 0.05550410866477537 + r * p
    p = 0.24022650695639752 + r * p
    p = 0.6931471805599418 + r * p
    p = 1.0 + r * p
    return np.int64(np.float64(p).view(np.int64) + (bits << 52)).view(np.float64)


@intrinsic
def _apart(typingctx: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.void(), codegen


apart: Any = _apart
"""Called in a function, keeps that function from being merged into its callers."""


@intrinsic
def _claim(typingctx: Any, turn: Any) -> Any:
    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        place = context.make_array(sig.args[0])(context, builder, args[0]).data
        return builder.atomic_rmw("add", place, ir.Constant(ir.IntType(64), 1), "monotonic")

    return types.int64(turn), codegen


claim: Any = _claim
"""The first number of an array of whole numbers, which becomes one more, whatever other threads do to it."""
