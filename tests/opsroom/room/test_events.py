"""Events are written words that outlive the program's classes."""

from __future__ import annotations

import re
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import inspect

from opsroom.room.events import (
    KINDS,
    VERSIONS,
    AnyEvent,
    BallotCast,
    EffectAttributed,
    UnknownEventError,
    decode,
    encode,
    kind_of,
)

FINITE = st.sampled_from([0.0, 1.5, -0.1, 1e-300, 1.7976931348623157e308]) | st.floats(
    allow_nan=False, allow_infinity=False
)
LEAF = st.sampled_from([None, True, 0, -3, 1.5, 1e300, "", "ö"])
JSON = LEAF | st.lists(LEAF, max_size=2) | st.dictionaries(st.sampled_from(["a", "b"]), LEAF, max_size=2)


def any_of(kind: inspect.Type) -> st.SearchStrategy[Any]:
    """Any value of a declared type, as JSON can hold it."""
    match kind:
        case inspect.StructType(cls=struct, fields=fields):
            columns = {field.name: any_of(field.type) for field in fields}
            return st.fixed_dictionaries(columns).map(lambda row: struct(**row))
        case inspect.UnionType(types=types):
            return st.one_of([any_of(one) for one in types])
        case inspect.Metadata(type=inner):
            return any_of(inner)
        case inspect.VarTupleType(item_type=item):
            return st.lists(any_of(item), max_size=2).map(tuple)
        case inspect.TupleType(item_types=items):
            return st.tuples(*(any_of(item) for item in items))
        case inspect.DictType(value_type=value):
            return st.dictionaries(st.sampled_from(["a", "b/c"]), any_of(value), max_size=2)
        case inspect.LiteralType(values=values):
            return st.sampled_from(values)
        case inspect.EnumType(cls=enum):
            return st.sampled_from(list(enum))
        case inspect.StrType(pattern=pattern):
            return st.sampled_from(["loom-1", "x"]) if pattern else st.sampled_from(["", "so", "ö\n\x00☃"])
        case inspect.IntType(ge=least, le=most):
            return st.sampled_from([least or 0, most if most is not None else 2**53])
        case inspect.FloatType(ge=least, gt=above):
            return FINITE if least is None and above is None else FINITE.map(lambda value: abs(value) + 0.5)
    return {inspect.BoolType: st.booleans(), inspect.NoneType: st.none(), inspect.AnyType: JSON}[type(kind)]


@pytest.mark.parametrize("kind", sorted(KINDS))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_event_survives_its_own_bytes(kind: str, data: st.DataObject) -> None:
    event = data.draw(any_of(inspect.type_info(KINDS[kind])))
    assert kind_of(event) == kind
    assert decode(kind, VERSIONS[kind], encode(event)) == event


def test_what_this_program_cannot_read_stops_it_and_says_how_to_go_on() -> None:
    raw = encode(BallotCast(at=1.0, motion="motion-1", seat=1, choice="yes"))
    for kind, version, body in (
        ("ballot-cast", 2, raw),
        ("a-kind-of-tomorrow", 1, raw),
        ("last-call", 1, raw),
        ("ballot-cast", 1, b'{"kind":"ballot-cast"}'),
        ("ballot-cast", 1, b"\xff"),
    ):
        with pytest.raises(UnknownEventError, match="cannot read"):
            decode(kind, version, body)


def test_kinds_are_written_words_and_never_names_of_classes() -> None:
    assert len(KINDS) == len(get_args(AnyEvent))
    for kind in KINDS:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind)
    assert encode(BallotCast(at=1.0, motion="m", seat=1, choice="yes")).startswith(b'{"kind":"ballot-cast"')


def test_an_attribution_of_an_older_journal_is_read_as_one_of_now() -> None:
    body = (
        b'{"kind":"effect-attributed","at":9.0,"motion":"motion-1","order":"o-1","signal":"loom-1/output",'
        b'"word":"told","reason":"so","mean":2.0,"low":1.0,"high":3.0,"after":30,"sisters":["loom-2/output"],"final":true}'
    )
    event = decode("effect-attributed", 1, body)
    assert isinstance(event, EffectAttributed)
    assert (event.told.word, event.told.mean, event.told.sisters, event.final) == (
        "told",
        2.0,
        ("loom-2/output",),
        True,
    )
    assert decode("effect-attributed", VERSIONS["effect-attributed"], encode(event)) == event
