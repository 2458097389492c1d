"""A Sparkplug B payload: what its bytes say, and how a command is written. Pure; needs the extra `mqtt`.

The schema is that of the Sparkplug specification 3.0, chapter 6 (the file `sparkplug_b.proto` of Eclipse Tahu gives the same
field numbers), cut down to what a figure needs; what it leaves out (data sets, templates) is skipped by protobuf's rules for
unknown fields. The message classes are built from it at run time, so that no generated code is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

from telex_ingest.refusals import TelexError, show
from telex_ingest.telex import Quality

PAYLOAD_BYTES = 1 << 20
"""A larger payload is not read."""

Scalar = bool | int | float | str

_SCHEMA = {
    "PropertyValue": (
        ("type", 1, "uint32"),
        ("is_null", 2, "bool"),
        ("int_value", 3, "uint32"),
        ("long_value", 4, "uint64"),
        ("float_value", 5, "float"),
        ("double_value", 6, "double"),
        ("boolean_value", 7, "bool"),
        ("string_value", 8, "string"),
    ),
    "PropertySet": (("keys", 1, "*string"), ("values", 2, "*PropertyValue")),
    "Metric": (
        ("name", 1, "string"),
        ("alias", 2, "uint64"),
        ("timestamp", 3, "uint64"),
        ("datatype", 4, "uint32"),
        ("is_historical", 5, "bool"),
        ("is_transient", 6, "bool"),
        ("is_null", 7, "bool"),
        ("properties", 9, "PropertySet"),
        ("int_value", 10, "uint32"),
        ("long_value", 11, "uint64"),
        ("float_value", 12, "float"),
        ("double_value", 13, "double"),
        ("boolean_value", 14, "bool"),
        ("string_value", 15, "string"),
    ),
    "Payload": (("timestamp", 1, "uint64"), ("metrics", 2, "*Metric"), ("seq", 3, "uint64")),
}
"""Messages of proto2: (member, number, type); a star is `repeated`, members that end in `_value` are one `oneof`."""

_ONE_VALUE = (
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float", "double", "boolean", "string", "datetime", "text"),
)
DATATYPES: Mapping[str, int] = MappingProxyType({name: number for number, name in enumerate(_ONE_VALUE, start=1)})
"""The specification's datatypes that have one value."""

_SIGNED_BITS = {1: 8, 2: 16, 3: 32, 4: 64}
_FIGURES = frozenset(range(1, 12))
_MEMBER = {**dict.fromkeys((1, 2, 3, 5, 6), "int_value"), **dict.fromkeys((4, 7, 8, 13), "long_value")} | {
    9: "float_value",
    10: "double_value",
    11: "boolean_value",
    12: "string_value",
    14: "string_value",
}


class SparkplugError(TelexError):
    """A payload that cannot be read: `what` is wrong with it."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what

    def __str__(self) -> str:
        return f"the payload {self.what}; send what the Sparkplug B specification says"


class Metric(NamedTuple):
    """One metric; `value` is None when it is null or no scalar. Times are milliseconds since 1970 UTC.

    In data messages a metric may have an alias instead of its name, and no datatype: both stand in the birth.
    """

    name: str | None = None
    value: Scalar | None = None
    datatype: int | None = None
    alias: int | None = None
    time_ms: int | None = None
    historical: bool = False
    transient: bool = False
    null: bool = False
    properties: Mapping[str, Scalar] = MappingProxyType({})

    def is_figure(self) -> bool:
        """Say whether the metric is a number or a boolean, by its datatype."""
        return self.datatype in _FIGURES

    def quality(self) -> Quality:
        """Read the property `Quality`: 192 good, 500 stale and so uncertain, 0 bad (specification, 6.4.13)."""
        told = self.properties.get("Quality")
        if told is None or told == 192:
            return Quality.GOOD
        return Quality.UNCERTAIN if told == 500 else Quality.BAD


class Payload(NamedTuple):
    """One message's payload; `seq` is its number in its edge node, 0 to 255."""

    metrics: tuple[Metric, ...]
    seq: int | None = None
    time_ms: int | None = None


def decode(payload: bytes) -> Payload:
    """Read a payload. Raises `SparkplugError`."""
    if len(payload) > PAYLOAD_BYTES:
        raise SparkplugError(f"has {len(payload)} bytes, more than {PAYLOAD_BYTES}")
    message = classes()["Payload"]()
    try:
        message.ParseFromString(payload)
    except Exception as error:  # protobuf's DecodeError, and UnicodeDecodeError in some versions
        raise SparkplugError(f"is no Sparkplug B: {show(error)}") from error
    return Payload(
        tuple([_metric(metric) for metric in message.metrics]), _given(message, "seq"), _given(message, "timestamp")
    )


def encode(payload: Payload) -> bytes:
    """Write a payload."""
    message = classes()["Payload"](metrics=[_message(metric) for metric in payload.metrics])
    if payload.seq is not None:
        message.seq = payload.seq
    if payload.time_ms is not None:
        message.timestamp = payload.time_ms
    written: bytes = message.SerializeToString()
    return written


def signed(value: int, datatype: int | None) -> int:
    """Take an unsigned field for the signed number of a datatype that it stands for, in two's complement.

    >>> signed(0xFFFFFFFF, DATATYPES["int32"]), signed(0xFF, DATATYPES["int8"]), signed(0xFF, DATATYPES["uint8"])
    (-1, -1, 255)
    """
    bits = _SIGNED_BITS.get(datatype or 0)
    if bits is None:
        return value
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def _metric(message: Any) -> Metric:
    member = message.WhichOneof("value")
    value = None if member is None or message.is_null else getattr(message, member)
    datatype = _given(message, "datatype")
    properties = {
        key: getattr(one, one.WhichOneof("value"))
        for key, one in zip(message.properties.keys, message.properties.values, strict=False)
        if one.WhichOneof("value") is not None
    }
    return Metric(
        name=_given(message, "name"),
        value=signed(value, datatype) if member in ("int_value", "long_value") and value is not None else value,
        datatype=datatype,
        alias=_given(message, "alias"),
        time_ms=_given(message, "timestamp"),
        historical=message.is_historical,
        transient=message.is_transient,
        null=message.is_null,
        properties=MappingProxyType(properties),
    )


def _message(metric: Metric) -> Any:
    message = classes()["Metric"](is_historical=metric.historical or None, is_null=metric.null or None)
    for member, value in (
        ("name", metric.name),
        ("alias", metric.alias),
        ("timestamp", metric.time_ms),
        ("datatype", metric.datatype),
    ):
        if value is not None:
            setattr(message, member, value)
    if metric.value is not None:
        member = _MEMBER[metric.datatype or 10]
        bits = {"int_value": 32, "long_value": 64}.get(member)
        setattr(message, member, metric.value if bits is None else int(metric.value) & ((1 << bits) - 1))
    for key, told in metric.properties.items():
        message.properties.keys.append(key)
        one = message.properties.values.add()
        if isinstance(told, str):
            one.type, one.string_value = 12, told
        elif isinstance(told, float):
            one.type, one.double_value = 10, told
        else:
            one.type, one.int_value = 3, int(told) & 0xFFFFFFFF
    return message


def _given(message: Any, member: str) -> Any:
    return getattr(message, member) if message.HasField(member) else None


@cache
def classes() -> dict[str, Any]:
    """Build the message classes of the schema, by name."""
    from google.protobuf import (  # type: ignore[import-untyped] # it tells no types
        descriptor_pb2,
        descriptor_pool,
        message_factory,
    )

    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="sparkplug.proto", package="sparkplug", syntax="proto2")
    for name, members in _SCHEMA.items():
        message = file.message_type.add(name=name)
        if any(member.endswith("_value") for member, _, _ in members):
            message.oneof_decl.add(name="value")
        for member, number, kind in members:
            field = message.field.add(name=member, number=number)
            field.label = kinds.LABEL_REPEATED if kind.startswith("*") else kinds.LABEL_OPTIONAL
            kind = kind.removeprefix("*")
            if kind in _SCHEMA:
                field.type, field.type_name = kinds.TYPE_MESSAGE, f".sparkplug.{kind}"
            else:
                field.type = getattr(kinds, f"TYPE_{kind.upper()}")
            if member.endswith("_value"):
                field.oneof_index = 0
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"sparkplug.{name}")) for name in _SCHEMA}
