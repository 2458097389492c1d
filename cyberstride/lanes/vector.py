"""One figure of all lanes of a block as one value: arithmetic on it is vector instructions, whatever the compiler thinks.

`Row` is what a numba function gets from `load`: `LANES` numbers. It adds, subtracts, multiplies and divides with its like and
with single numbers; comparisons give a `Which`, which `where` takes. Products and sums may be fused, nothing is reordered, so
a lane's bits do not depend on its neighbours. Works in compiled functions alone.
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
    "ROW", "WHICH", "alike", "bits", "exp2", "expect", "farther", "fetch", "get_byte", "get_long", "get_real", "get_word",
    "greatest", "load", "load_from", "log2", "magnitude", "nearer", "place_of", "put", "root", "set_byte", "set_long",
    "set_real", "set_word", "some", "store", "store_bytes", "store_real", "store_words", "where",
]  # fmt: skip

intrinsic: Any = extending.intrinsic
_FUSED = ("contract", "arcp")
_DOUBLE, _BIT, _LONG = ir.DoubleType(), ir.IntType(1), ir.IntType(64)
_DOUBLES, _BITS, _LONGS = (ir.VectorType(kind, LANES) for kind in (_DOUBLE, _BIT, _LONG))


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
        super().__init__(dmm, fe_type, _DOUBLES)


@register_model(_Which)
class _WhichModel(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: Any) -> None:
        super().__init__(dmm, fe_type, _BITS)


def _spread(builder: Any, value: Any) -> Any:
    """A single number in all lanes."""
    if isinstance(value.type, ir.VectorType):
        return value
    if isinstance(value, ir.Constant):
        return ir.Constant(_DOUBLES, [value.constant] * LANES)
    one = builder.insert_element(ir.Constant(_DOUBLES, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    order = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(one, ir.Constant(_DOUBLES, ir.Undefined), order)


def _all(number: float) -> Any:
    return ir.Constant(_DOUBLES, [float(number)] * LANES)


def _whole(number: int) -> Any:
    return ir.Constant(_LONGS, [number] * LANES)


def _operator(function: Any, result: Any, build: Callable[[Any, Any, Any], Any]) -> None:
    @infer_global(function)
    class Template(AbstractTemplate):
        def generic(self, args: Any, kws: Any) -> Any:
            if len(args) == 2 and ROW in args and all(arg in (ROW, types.float64) for arg in args):
                return signature(result, *args)
            return None

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return build(builder, _spread(builder, args[0]), _spread(builder, args[1]))

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
        return build(builder, *(_spread(builder, arg) for arg in args))

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
        form = ir.FunctionType(_DOUBLES, [_DOUBLES])
        return b.call(cgutils.get_or_insert_function(b.module, form, f"{name}.v{LANES}f64"), [x])

    return build


nearer = _of_rows(2, _least)
"""The smaller of two."""
farther = _of_rows(2, _most)
"""The greater of two."""
root = _of_rows(1, _unary("llvm.sqrt"))
magnitude = _of_rows(1, _unary("llvm.fabs"))


def _series(b: Any, x: Any, terms: tuple[float, ...]) -> Any:
    """A polynomial in `x`, the highest term first."""
    total = _all(terms[0])
    for term in terms[1:]:
        total = b.fadd(b.fmul(total, x, flags=_FUSED), _all(term), flags=_FUSED)
    return total


def _log2(b: Any, x: Any) -> Any:
    bits = b.bitcast(x, _LONGS)
    shifted = b.add(bits, _whole(0x4000000000000000 - 0x3FE6A09E00000000))
    top = b.and_(shifted, _whole(-0x10000000000000))
    m = b.bitcast(b.add(b.sub(bits, top), _whole(0x4000000000000000)), _DOUBLES)
    power = b.bitcast(b.or_(b.lshr(shifted, _whole(52)), _whole(0x4330000000000000)), _DOUBLES)
    power = b.fsub(power, _all(4503599627371520.0))
    s = b.fdiv(b.fsub(m, _all(1.0)), b.fadd(m, _all(1.0)))
    z = b.fmul(s, s)
    p = _series(
        b, z, (0.2828915085688545, 0.3199064108304371, 0.4122092315553886, 0.5770779426197091, 0.9617966941121754,
               2.8853900817778517),
    )  # fmt: skip
    return b.fadd(power, b.fmul(s, p, flags=_FUSED), flags=_FUSED)


def _exp2(b: Any, x: Any) -> Any:
    x = _least(b, _most(b, x, _all(-1000.0)), _all(1000.0))
    k = b.fadd(x, _all(6755399441055744.0))
    bits = b.bitcast(k, _LONGS)
    r = b.fsub(x, b.fsub(k, _all(6755399441055744.0)))
    p = _series(
        b, r, (1.0204903651952689e-07, 1.3259675766161839e-06, 1.5252679058983774e-05, 0.0001540343361513708,
               0.0013333558187465905, 0.009618129194116096, 0.05550410866477537, 0.24022650695639752, 0.6931471805599418, 1.0),
    )  # fmt: skip
    return b.bitcast(b.add(b.bitcast(p, _LONGS), b.shl(bits, _whole(52))), _DOUBLES)


log2 = _of_rows(1, _log2)
"""Logarithm to base two, right to 3e-14; the argument must be positive, finite and no denormal."""
exp2 = _of_rows(1, _exp2)
"""Two to the power of `x`; beyond 1000 it is that of 1000."""


@intrinsic
def where(typingctx: Any, which: Any, x: Any, y: Any) -> Any:
    """`x` in the lanes of `which`, `y` in the others; rows or single numbers."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.select(args[0], _spread(builder, args[1]), _spread(builder, args[2]))

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
        return builder.zext(builder.bitcast(args[0], ir.IntType(LANES)), _LONG)

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


def _row_at(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    place = builder.mul(args[1], ir.Constant(_LONG, LANES), flags=("nsw",))
    return builder.bitcast(builder.gep(args[0], [place]), _DOUBLES.as_pointer())


@intrinsic
def place_of(typingctx: Any, array: Any) -> Any:
    """Where an array begins, as a pointer: it can be indexed like the array, and is handed on as one word."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return context.make_array(sig.args[0])(context, builder, args[0]).data

    return types.CPointer(array.dtype)(array), codegen


@intrinsic
def load(typingctx: Any, rows: Any, row: Any) -> Any:
    """Row number `row` of a block's scratch."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.load(_row_at(context, builder, sig, args), align=8)

    return ROW(rows, types.int64), codegen


@intrinsic
def store(typingctx: Any, rows: Any, row: Any, value: Any) -> Any:
    """Write a row, or a single number into all of its lanes."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        builder.store(_spread(builder, args[2]), _row_at(context, builder, sig, args), align=8)
        return context.get_dummy_value()

    return types.void(rows, types.int64, value), codegen


def _narrow(width: int) -> Any:
    """Storing a row as `LANES` neighbouring whole numbers of so many bits at an address."""
    kind = ir.VectorType(ir.IntType(width), LANES)
    words = ir.VectorType(ir.IntType(32), LANES)

    @intrinsic
    def store_narrow(typingctx: Any, address: Any, value: Any) -> Any:
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            value = builder.fptosi(_spread(builder, args[1]), words)
            value = value if width == 32 else builder.trunc(value, kind)
            builder.store(value, builder.inttoptr(args[0], kind.as_pointer()), align=1)
            return context.get_dummy_value()

        return types.void(types.uint64, value), codegen

    return store_narrow


store_bytes, store_words = _narrow(8), _narrow(32)


def _turned(b: Any, four: list[Any]) -> list[Any]:
    """Four vectors of four, rows and columns exchanged."""

    def mixed(x: Any, y: Any, *places: int) -> Any:
        return b.shuffle_vector(x, y, ir.Constant(ir.VectorType(ir.IntType(32), 4), places))

    one, other = four[:2], four[2:]
    even, odd = ((mixed(*one, *k), mixed(*other, *k)) for k in ((0, 4, 2, 6), (1, 5, 3, 7)))
    return [mixed(*even, 0, 1, 4, 5), mixed(*odd, 0, 1, 4, 5), mixed(*even, 2, 3, 6, 7), mixed(*odd, 2, 3, 6, 7)]


def _fours(inwards: bool) -> Any:
    """Four neighbouring doubles of each lane, so many bytes behind its address, as four rows of scratch; or back."""
    kind = ir.VectorType(_DOUBLE, 4)

    @intrinsic
    def copy(typingctx: Any, rows: Any, row: Any, addresses: Any, off: Any) -> Any:
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            for half in range(0, LANES, 4):
                records, places = [], []
                for k in range(4):
                    one = builder.load(builder.gep(args[2], [ir.Constant(_LONG, half + k)]))
                    records.append(builder.inttoptr(builder.add(one, args[3]), kind.as_pointer()))
                    place = builder.mul(builder.add(args[1], ir.Constant(_LONG, k)), ir.Constant(_LONG, LANES))
                    place = builder.add(place, ir.Constant(_LONG, half))
                    places.append(builder.bitcast(builder.gep(args[0], [place]), kind.as_pointer()))
                source, to = (records, places) if inwards else (places, records)
                turned = _turned(builder, [builder.load(one, align=8) for one in source])
                for value, place in zip(turned, to, strict=True):
                    builder.store(value, place, align=8)
            return context.get_dummy_value()

        return types.void(rows, types.int64, addresses, types.uint64), codegen

    return copy


fetch, put = _fours(True), _fours(False)


@intrinsic
def alike(typingctx: Any, addresses: Any, off: Any, pattern: Any, last: Any) -> Any:
    """Whether 128 bytes so far behind the address of every lane are those of `pattern`, and the next three those of `last`."""
    kind = ir.VectorType(_LONG, 4)

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        like, other = builder.bitcast(args[2], kind.as_pointer()), ir.Constant(kind, [0] * 4)
        for k in range(4):
            asked = builder.load(builder.gep(like, [ir.Constant(_LONG, k)]), align=8)
            for lane in range(LANES):
                one = builder.load(builder.gep(args[0], [ir.Constant(_LONG, lane)]))
                there = builder.inttoptr(builder.add(one, args[1]), kind.as_pointer())
                is_ = builder.load(builder.gep(there, [ir.Constant(_LONG, k)]), align=8)
                other = builder.or_(other, builder.xor(is_, asked))
        word = ir.IntType(32)
        ends = ir.Constant(word, 0)
        for lane in range(LANES):
            one = builder.add(builder.load(builder.gep(args[0], [ir.Constant(_LONG, lane)])), args[1])
            end = builder.load(builder.inttoptr(builder.add(one, ir.Constant(_LONG, 128)), word.as_pointer()), align=1)
            ends = builder.or_(ends, builder.xor(end, builder.trunc(args[3], word)))
        ends = builder.zext(builder.and_(ends, ir.Constant(word, 0xFFFFFF)), _LONG)
        # As one wide number it would be compared bit by bit.
        order = (
            ir.Constant(ir.VectorType(ir.IntType(32), 2), [0, 1]),
            ir.Constant(ir.VectorType(ir.IntType(32), 2), [2, 3]),
        )
        low, high = (builder.shuffle_vector(other, ir.Constant(kind, ir.Undefined), o) for o in order)
        both = builder.or_(low, high)
        first, second = (builder.extract_element(both, ir.Constant(ir.IntType(32), k)) for k in (0, 1))
        return builder.icmp_unsigned("==", builder.or_(builder.or_(first, second), ends), ir.Constant(_LONG, 0))

    return types.boolean(addresses, types.uint64, pattern, types.int64), codegen


@intrinsic
def store_real(typingctx: Any, address: Any, value: Any) -> Any:
    """Store a row as `LANES` neighbouring doubles at an address."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        builder.store(args[1], builder.inttoptr(args[0], _DOUBLES.as_pointer()), align=8)
        return context.get_dummy_value()

    return types.void(types.uint64, ROW), codegen


@intrinsic
def load_from(typingctx: Any, column: Any, place: Any) -> Any:
    """`LANES` neighbours of a column, from `place` on."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.load(builder.bitcast(builder.gep(args[0], [args[1]]), _DOUBLES.as_pointer()), align=8)

    return ROW(column, types.int64), codegen


def _single(kind: Any) -> tuple[Any, Any]:
    """Getting and setting one number so many bytes behind an address, whatever its kind, as a double."""

    def at(builder: Any, args: Any) -> Any:
        return builder.inttoptr(builder.add(args[0], args[1]), kind.as_pointer())

    @intrinsic
    def get(typingctx: Any, address: Any, place: Any) -> Any:
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            value = builder.load(at(builder, args))
            return value if kind == _DOUBLE else builder.sitofp(value, _DOUBLE)

        return types.float64(types.uint64, types.int64), codegen

    @intrinsic
    def set_(typingctx: Any, address: Any, place: Any, value: Any) -> Any:
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            value = args[2] if kind == _DOUBLE else builder.fptosi(args[2], kind)
            builder.store(value, at(builder, args))
            return context.get_dummy_value()

        return types.void(types.uint64, types.int64, types.float64), codegen

    return get, set_


get_real, set_real = _single(_DOUBLE)
get_byte, set_byte = _single(ir.IntType(8))
get_word, set_word = _single(ir.IntType(32))
get_long, set_long = _single(_LONG)


@intrinsic
def expect(typingctx: Any, address: Any) -> Any:
    """Ask the memory for what will be needed soon."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        word, pointer = ir.IntType(32), ir.IntType(8).as_pointer()
        form = ir.FunctionType(ir.VoidType(), [pointer, word, word, word])
        call = cgutils.get_or_insert_function(builder.module, form, "llvm.prefetch.p0")
        builder.call(call, [builder.inttoptr(args[0], pointer), *(ir.Constant(word, k) for k in (0, 3, 1))])
        return context.get_dummy_value()

    return types.void(types.uint64), codegen
