"""Where a block's figures come from and go to: its scratch, the signals' records and the columns of verdicts, by address.

Works in compiled functions alone; nothing is checked there, so an address that is wrong ends the process.
"""

# mypy: disable-error-code="no-untyped-call, untyped-decorator, misc"
# numba says nothing of its types.
from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from cyberstride.lanes.rows import LANES
from cyberstride.lanes.vector import DOUBLE, DOUBLES, LONG, ROW, intrinsic, spread

__all__ = [
    "alike", "behind", "bytes_at", "expect", "fetch", "get_byte", "get_long", "get_real", "get_word", "lives", "load",
    "load_from", "place_of", "put", "reals_at", "set_byte", "set_long", "set_real", "set_word", "store", "store_bytes",
    "store_real", "store_words", "words_at",
]  # fmt: skip


def _row_at(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    place = builder.mul(args[1], ir.Constant(LONG, LANES), flags=("nsw",))
    return builder.bitcast(builder.gep(args[0], [place]), DOUBLES.as_pointer())


@intrinsic
def place_of(typingctx: Any, array: Any) -> Any:
    """Where an array begins, as a pointer: it can be indexed like the array, and is handed on as one word; see `lives`."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return context.make_array(sig.args[0])(context, builder, args[0]).data

    return types.CPointer(array.dtype)(array), codegen


@intrinsic
def lives(typingctx: Any, array: Any) -> Any:
    """Keep an array that the function itself made until here: it is freed behind its last name, whatever points to it."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return context.get_dummy_value()

    return types.void(array), codegen


@intrinsic
def behind(typingctx: Any, pointer: Any, many: Any) -> Any:
    """The pointer to what lies so many figures behind."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.gep(args[0], [args[1]])

    return pointer(pointer, types.int64), codegen


def _at(kind: Any) -> Any:
    @intrinsic
    def pointer(typingctx: Any, address: Any) -> Any:
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return builder.inttoptr(args[0], context.get_data_type(kind).as_pointer())

        return types.CPointer(kind)(types.uint64), codegen

    return pointer


reals_at, words_at, bytes_at = _at(types.float64), _at(types.int32), _at(types.int8)
"""An address as the pointer to numbers, whole numbers or bytes."""


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
        builder.store(spread(builder, args[2]), _row_at(context, builder, sig, args), align=8)
        return context.get_dummy_value()

    return types.void(rows, types.int64, value), codegen


def _narrow(width: int) -> Any:
    """Storing a row as `LANES` neighbouring whole numbers of so many bits at an address."""
    kind = ir.VectorType(ir.IntType(width), LANES)
    words = ir.VectorType(ir.IntType(32), LANES)

    @intrinsic
    def store_narrow(typingctx: Any, address: Any, value: Any) -> Any:
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            value = builder.fptosi(spread(builder, args[1]), words)
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
    kind = ir.VectorType(DOUBLE, 4)

    @intrinsic
    def copy(typingctx: Any, rows: Any, row: Any, addresses: Any, off: Any) -> Any:
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            for half in range(0, LANES, 4):
                records, places = [], []
                for k in range(4):
                    one = builder.load(builder.gep(args[2], [ir.Constant(LONG, half + k)]))
                    records.append(builder.inttoptr(builder.add(one, args[3]), kind.as_pointer()))
                    place = builder.mul(builder.add(args[1], ir.Constant(LONG, k)), ir.Constant(LONG, LANES))
                    place = builder.add(place, ir.Constant(LONG, half))
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
    kind = ir.VectorType(LONG, 4)

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        like, other = builder.bitcast(args[2], kind.as_pointer()), ir.Constant(kind, [0] * 4)
        for k in range(4):
            asked = builder.load(builder.gep(like, [ir.Constant(LONG, k)]), align=8)
            for lane in range(LANES):
                one = builder.load(builder.gep(args[0], [ir.Constant(LONG, lane)]))
                there = builder.inttoptr(builder.add(one, args[1]), kind.as_pointer())
                is_ = builder.load(builder.gep(there, [ir.Constant(LONG, k)]), align=8)
                other = builder.or_(other, builder.xor(is_, asked))
        word = ir.IntType(32)
        ends = ir.Constant(word, 0)
        for lane in range(LANES):
            one = builder.add(builder.load(builder.gep(args[0], [ir.Constant(LONG, lane)])), args[1])
            end = builder.load(builder.inttoptr(builder.add(one, ir.Constant(LONG, 128)), word.as_pointer()), align=1)
            ends = builder.or_(ends, builder.xor(end, builder.trunc(args[3], word)))
        ends = builder.zext(builder.and_(ends, ir.Constant(word, 0xFFFFFF)), LONG)
        # As one wide number it would be compared bit by bit.
        order = (
            ir.Constant(ir.VectorType(ir.IntType(32), 2), [0, 1]),
            ir.Constant(ir.VectorType(ir.IntType(32), 2), [2, 3]),
        )
        low, high = (builder.shuffle_vector(other, ir.Constant(kind, ir.Undefined), o) for o in order)
        both = builder.or_(low, high)
        first, second = (builder.extract_element(both, ir.Constant(ir.IntType(32), k)) for k in (0, 1))
        return builder.icmp_unsigned("==", builder.or_(builder.or_(first, second), ends), ir.Constant(LONG, 0))

    return types.boolean(addresses, types.uint64, pattern, types.int64), codegen


@intrinsic
def store_real(typingctx: Any, address: Any, value: Any) -> Any:
    """Store a row as `LANES` neighbouring doubles at an address."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        builder.store(args[1], builder.inttoptr(args[0], DOUBLES.as_pointer()), align=8)
        return context.get_dummy_value()

    return types.void(types.uint64, ROW), codegen


@intrinsic
def load_from(typingctx: Any, column: Any, place: Any) -> Any:
    """`LANES` neighbours of a column, from `place` on."""

    def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.load(builder.bitcast(builder.gep(args[0], [args[1]]), DOUBLES.as_pointer()), align=8)

    return ROW(column, types.int64), codegen


def _single(kind: Any) -> tuple[Any, Any]:
    """Getting and setting one number so many bytes behind an address, whatever its kind, as a double."""

    def at(builder: Any, args: Any) -> Any:
        return builder.inttoptr(builder.add(args[0], args[1]), kind.as_pointer())

    @intrinsic
    def get(typingctx: Any, address: Any, place: Any) -> Any:
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            value = builder.load(at(builder, args))
            return value if kind == DOUBLE else builder.sitofp(value, DOUBLE)

        return types.float64(types.uint64, types.int64), codegen

    @intrinsic
    def set_(typingctx: Any, address: Any, place: Any, value: Any) -> Any:
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            value = args[2] if kind == DOUBLE else builder.fptosi(args[2], kind)
            builder.store(value, at(builder, args))
            return context.get_dummy_value()

        return types.void(types.uint64, types.int64, types.float64), codegen

    return get, set_


get_real, set_real = _single(DOUBLE)
get_byte, set_byte = _single(ir.IntType(8))
get_word, set_word = _single(ir.IntType(32))
get_long, set_long = _single(LONG)


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
