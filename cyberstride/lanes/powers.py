"""Powers of several rows of a block's scratch at once: each term of the polynomials for all of them before the next term.

One logarithm and one exponential are forty products, each of which waits for the one before; four of them wait together.
"""

# mypy: disable-error-code="no-untyped-call, untyped-decorator, misc"
# numba says nothing of its types.
from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types

from cyberstride.lanes.rows import LANES
from cyberstride.lanes.vector import DOUBLES, LONG, ROW, intrinsic, raised

__all__ = ["raise_rows"]

_GROUPS = (range(4), range(4, 7))


@intrinsic
def raise_rows(typingctx: Any, rows: Any, row: Any, power: Any) -> Any:
    """Raise seven rows of scratch, from number `row` on, to a power that is not positive; they must be 1 or more, and finite.

    Where that comes to less than 2^-1000, to that.
    """

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        first = builder.gep(args[0], [builder.mul(args[1], ir.Constant(LONG, LANES), flags=("nsw",))])
        first = builder.bitcast(first, DOUBLES.as_pointer())
        for group in _GROUPS:
            places = [builder.gep(first, [ir.Constant(LONG, k)]) for k in group]
            results = raised(builder, [builder.load(place, align=8) for place in places], args[2])
            for place, result in zip(places, results, strict=True):
                builder.store(result, place, align=8)
            # What belongs to the next group is not begun before, for want of registers.
            builder.asm(ir.FunctionType(ir.VoidType(), []), "", "~{memory}", [], True)
        return context.get_dummy_value()

    return types.void(rows, types.int64, ROW), codegen
