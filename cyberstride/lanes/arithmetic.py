"""Logarithm and exponential in plain arithmetic, so that several lanes are worked out at once; and rows by their address.

Both are right to 3e-14, relative. The argument of the logarithm must be positive, finite and no denormal.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from cyberstride.lanes.rows import LANES

__all__ = ["CONTRACT", "LN2", "apart", "bring", "doubles", "exp2", "fetch", "int8s", "int32s", "int64s", "ln", "log2"]

LN2 = 0.6931471805599453
CONTRACT = {"contract", "arcp"}
"""What the compiler may do to the arithmetic: fuse a product and a sum, divide by a reciprocal."""


@njit(forceinline=True, error_model="numpy", fastmath=CONTRACT)
def log2(x: float) -> float:  # pragma: no cover
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


@njit(forceinline=True, error_model="numpy", fastmath=CONTRACT)
def ln(x: float) -> float:  # pragma: no cover
    """Natural logarithm."""
    return log2(x) * LN2


@njit(forceinline=True, error_model="numpy", fastmath=CONTRACT)
def exp2(x: float) -> float:  # pragma: no cover
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


def _pointer(kind: Any) -> Any:
    @intrinsic
    def at(typingctx: Any, address: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.inttoptr(args[0], context.get_value_type(signature.return_type))

        return types.CPointer(kind)(types.uint64), codegen  # type: ignore[no-untyped-call]

    return at


@intrinsic
def _apart(typingctx: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.function.attributes.add("noinline")
        return context.get_dummy_value()

    return types.void(), codegen


def _copied(inwards: bool) -> Any:
    @intrinsic
    def copy(typingctx: Any, rows: Any, place: Any, address: Any) -> Any:
        """Copy a row of a block between the scratch `rows`, where it begins at `place`, and an address."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            array = context.make_array(signature.args[0])(context, builder, args[0])
            here = builder.gep(array.data, [args[1]])
            there = builder.inttoptr(args[2], here.type)
            to, source = (here, there) if inwards else (there, here)
            cgutils.raw_memcpy(builder, to, source, ir.Constant(ir.IntType(64), LANES), 8)  # type: ignore[no-untyped-call]
            return context.get_dummy_value()

        return types.void(rows, types.int64, types.uint64), codegen

    return copy


apart: Any = _apart
"""Called in a function, keeps that function from being merged into its callers."""
fetch, bring = _copied(True), _copied(False)
doubles = _pointer(types.float64)
int64s = _pointer(types.int64)
int32s = _pointer(types.int32)
int8s = _pointer(types.int8)
