"""One figure of all lanes of a block as one value: arithmetic on it is vector instructions, whatever the compiler thinks.

`Row` is what a numba function gets from `memory.load`: `LANES` numbers. It adds, subtracts, multiplies and divides with its
like and with single numbers; comparisons give a `Which`, which `where` takes. Products and sums may be fused, nothing is
reordered, so a lane's bits do not depend on its neighbours. Works in compiled functions alone.
"""

# mypy: disable-error-code="no-untyped-call, untyped-decorator, misc"
# numba says nothing of its types.
from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import extending, types
from numba.core import cgutils
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import lower_builtin, models, register_model

from cyberstride.lanes.rows import LANES

__all__ = [
    "DOUBLE",
    "DOUBLES",
    "LONG",
    "LONGS",
    "ROW",
    "WHICH",
    "bits",
    "exp2",
    "farther",
    "greatest",
    "intrinsic",
    "log2",
    "magnitude",
    "nearer",
    "raised",
    "root",
    "some",
    "spread",
    "where",
]  # fmt: skip

intrinsic: Any = extending.intrinsic
_FUSED = ("contract", "arcp")
DOUBLE, _BIT, LONG = ir.DoubleType(), ir.IntType(1), ir.IntType(64)
DOUBLES, _BITS, LONGS = (ir.VectorType(kind, LANES) for kind in (DOUBLE, _BIT, LONG))


class _Row(types.Type):
    def __init__(self) -> None:
        super().__init__(name="Row")


class _Which(types.Type):
    def __init__(self) -> None:
        super().__init__(name="Which")


ROW, WHICH = _Row(), _Which()


@register_model(_Row)
class _RowModel(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: Any) -> None:
        super().__init__(dmm, fe_type, DOUBLES)


@register_model(_Which)
class _WhichModel(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: Any) -> None:
        super().__init__(dmm, fe_type, _BITS)


def spread(builder: Any, value: Any) -> Any:
    """A single number in all lanes."""
    if isinstance(value.type, ir.VectorType):
        return value
    if isinstance(value, ir.Constant):
        return ir.Constant(DOUBLES, [value.constant] * LANES)
    one = builder.insert_element(ir.Constant(DOUBLES, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    order = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(one, ir.Constant(DOUBLES, ir.Undefined), order)


def _all(number: float) -> Any:
    return ir.Constant(DOUBLES, [float(number)] * LANES)


def _whole(number: int) -> Any:
    return ir.Constant(LONGS, [number] * LANES)


def _operator(function: Any, result: Any, build: Callable[[Any, Any, Any], Any]) -> None:
    @infer_global(function)
    class Template(AbstractTemplate):
        def generic(self, args: Any, kws: Any) -> Any:
            if len(args) == 2 and ROW in args and all(arg in (ROW, types.float64) for arg in args):
                return signature(result, *args)
            return None

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return build(builder, spread(builder, args[0]), spread(builder, args[1]))

    for one, other in ((ROW, ROW), (ROW, types.float64), (types.float64, ROW)):
        lower_builtin(function, one, other)(lower)


def _between_which(function: Any, build: Callable[[Any, Any, Any], Any]) -> None:
    @infer_global(function)
    class Template(AbstractTemplate):
        def generic(self, args: Any, kws: Any) -> Any:
            return signature(WHICH, WHICH, WHICH) if tuple(args) == (WHICH, WHICH) else None

    @lower_builtin(function, WHICH, WHICH)
    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return build(builder, args[0], args[1])


_operator(operator.add, ROW, lambda b, x, y: b.fadd(x, y, flags=_FUSED))
_operator(operator.sub, ROW, lambda b, x, y: b.fsub(x, y, flags=_FUSED))
_operator(operator.mul, ROW, lambda b, x, y: b.fmul(x, y, flags=_FUSED))
_operator(operator.truediv, ROW, lambda b, x, y: b.fdiv(x, y, flags=_FUSED))
for _function, _sign in (
    (operator.lt, "<"), (operator.le, "<="), (operator.gt, ">"), (operator.ge, ">="), (operator.eq, "=="),
):  # fmt: skip
    _operator(_function, WHICH, lambda b, x, y, sign=_sign: b.fcmp_ordered(sign, x, y))
_operator(operator.ne, WHICH, lambda b, x, y: b.fcmp_unordered("!=", x, y))
_between_which(operator.and_, lambda b, x, y: b.and_(x, y))
_between_which(operator.or_, lambda b, x, y: b.or_(x, y))


@infer_global(operator.invert)
class _Not(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:
        return signature(WHICH, WHICH) if tuple(args) == (WHICH,) else None


@lower_builtin(operator.invert, WHICH)
def _lower_not(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return builder.not_(args[0])


@infer_global(operator.neg)
class _Negative(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:
        return signature(ROW, ROW) if tuple(args) == (ROW,) else None


@lower_builtin(operator.neg, ROW)
def _lower_negative(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return builder.fneg(args[0])


def _of_rows(many: int, build: Callable[..., Any], result: Any = ROW) -> Any:
    """A function of `many` rows or single numbers, at least one of them a row."""

    def lowered(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return build(builder, *(spread(builder, arg) for arg in args))

    if many == 1:

        @intrinsic
        def one(typingctx: Any, x: Any) -> Any:
            return (result(x), lowered) if x is ROW or x == ROW else None

        return one

    @intrinsic
    def two(typingctx: Any, x: Any, y: Any) -> Any:
        return result(x, y), lowered

    return two


def _least(b: Any, x: Any, y: Any) -> Any:
    return b.select(b.fcmp_ordered("<", x, y), x, y)


def _most(b: Any, x: Any, y: Any) -> Any:
    return b.select(b.fcmp_ordered(">", x, y), x, y)


def _unary(name: str) -> Callable[..., Any]:
    def build(b: Any, x: Any) -> Any:
        form = ir.FunctionType(DOUBLES, [DOUBLES])
        return b.call(cgutils.get_or_insert_function(b.module, form, f"{name}.v{LANES}f64"), [x])

    return build


nearer = _of_rows(2, _least)
"""The smaller of two."""
farther = _of_rows(2, _most)
"""The greater of two."""
root = _of_rows(1, _unary("llvm.sqrt"))
magnitude = _of_rows(1, _unary("llvm.fabs"))


def _series(b: Any, xs: list[Any], terms: tuple[float, ...]) -> list[Any]:
    """A polynomial in each of `xs`, the highest term first."""
    totals = [_all(terms[0])] * len(xs)
    for term in terms[1:]:
        totals = [b.fmul(total, x, flags=_FUSED) for total, x in zip(totals, xs, strict=True)]
        totals = [b.fadd(total, _all(term), flags=_FUSED) for total in totals]
    return totals


def _logarithms(b: Any, xs: list[Any]) -> list[Any]:
    bits = [b.bitcast(x, LONGS) for x in xs]
    shifted = [b.add(one, _whole(0x4000000000000000 - 0x3FE6A09E00000000)) for one in bits]
    tops = [b.and_(one, _whole(-0x10000000000000)) for one in shifted]
    ms = [b.add(b.sub(one, top), _whole(0x4000000000000000)) for one, top in zip(bits, tops, strict=True)]
    ms = [b.bitcast(m, DOUBLES) for m in ms]
    powers = [b.bitcast(b.or_(b.lshr(one, _whole(52)), _whole(0x4330000000000000)), DOUBLES) for one in shifted]
    powers = [b.fsub(power, _all(4503599627371520.0)) for power in powers]
    ss = [b.fdiv(b.fsub(m, _all(1.0)), b.fadd(m, _all(1.0))) for m in ms]
    ps = _series(
        b, [b.fmul(s, s) for s in ss],
        (0.2828915085688545, 0.3199064108304371, 0.4122092315553886, 0.5770779426197091, 0.9617966941121754,
         2.8853900817778517),
    )  # fmt: skip
    return [b.fadd(k, b.fmul(s, p, flags=_FUSED), flags=_FUSED) for k, s, p in zip(powers, ss, ps, strict=True)]


def _exponentials(b: Any, xs: list[Any]) -> list[Any]:
    ks = [b.fadd(x, _all(6755399441055744.0)) for x in xs]
    ps = _series(
        b, [b.fsub(x, b.fsub(k, _all(6755399441055744.0))) for x, k in zip(xs, ks, strict=True)],
        (1.0204903651952689e-07, 1.3259675766161839e-06, 1.5252679058983774e-05, 0.0001540343361513708,
         0.0013333558187465905, 0.009618129194116096, 0.05550410866477537, 0.24022650695639752, 0.6931471805599418, 1.0),
    )  # fmt: skip
    shifts = [b.shl(b.bitcast(k, LONGS), _whole(52)) for k in ks]
    return [b.bitcast(b.add(b.bitcast(p, LONGS), shift), DOUBLES) for p, shift in zip(ps, shifts, strict=True)]


def _log2(b: Any, x: Any) -> Any:
    return _logarithms(b, [x])[0]


def _exp2(b: Any, x: Any) -> Any:
    return _exponentials(b, [_least(b, _most(b, x, _all(-1000.0)), _all(1000.0))])[0]


def raised(b: Any, xs: list[Any], power: Any) -> list[Any]:
    """Rows of 1 and more, raised to a power that is not positive, side by side."""
    logs = [b.fmul(power, one, flags=_FUSED) for one in _logarithms(b, xs)]
    return _exponentials(b, [_most(b, one, _all(-1000.0)) for one in logs])


log2 = _of_rows(1, _log2)
"""Logarithm to base two, right to 3e-14; the argument must be positive, finite and no denormal."""
exp2 = _of_rows(1, _exp2)
"""Two to the power of `x`; beyond 1000 it is that of 1000."""


@intrinsic
def where(typingctx: Any, which: Any, x: Any, y: Any) -> Any:
    """`x` in the lanes of `which`, `y` in the others; rows or single numbers."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.select(args[0], spread(builder, args[1]), spread(builder, args[2]))

    return ROW(which, x, y), codegen


@intrinsic
def some(typingctx: Any, which: Any) -> Any:
    """Whether it holds in any lane."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        whole = builder.bitcast(args[0], ir.IntType(LANES))
        return builder.icmp_unsigned("!=", whole, ir.Constant(ir.IntType(LANES), 0))

    return types.boolean(which), codegen


@intrinsic
def bits(typingctx: Any, which: Any) -> Any:
    """The lanes in which it holds, as the bits of a whole number."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.zext(builder.bitcast(args[0], ir.IntType(LANES)), LONG)

    return types.int64(which), codegen


@intrinsic
def greatest(typingctx: Any, row: Any) -> Any:
    """The greatest of a row's numbers."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        whole, many = args[0], LANES
        while many > 1:
            many //= 2
            order = ir.Constant(ir.VectorType(ir.IntType(32), many), list(range(many)))
            other = ir.Constant(ir.VectorType(ir.IntType(32), many), list(range(many, 2 * many)))
            whole = _most(
                builder,
                *(builder.shuffle_vector(whole, ir.Constant(whole.type, ir.Undefined), o) for o in (order, other)),
            )
        return builder.extract_element(whole, ir.Constant(ir.IntType(32), 0))

    return types.float64(ROW), codegen
