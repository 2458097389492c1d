"""What a person writes to set a feed up: a typed struct read from TOML and options, and the birth that it declares. Pure.

A feed's class has `Settings`, a frozen `msgspec.Struct`; a source whose signals are configured declares them by a table of
`SignalSetting`s, or of its own structs that inherit from it and say where each signal's values are found::

    class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
        broker: str
        plant: Slug
        signals: dict[Slug, TopicSignal]
"""

from __future__ import annotations

import re
import tomllib
import typing
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from telex_ingest.feed import Feed, FeedError
from telex_ingest.refusals import show
from telex_ingest.telex import Direction, OrderBirth, PlantBirth, SignalBirth


class SettingsError(FeedError):
    """A mistake in the settings of a feed: `where` it stands, the `value` there (None: missing), `what` is wrong, the `cure`."""

    def __init__(self, feed: str, where: str, value: object, what: str, cure: str) -> None:
        super().__init__(feed, f"setting {where}{'' if value is None else ' = ' + show(value)}: {what}", cure)
        self.where = where
        self.value = value


class SignalSetting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person declares of one signal; a feed adds by inheritance where its values are found.

    The members are those of `telex.SignalBirth`. The numeric `id` follows from the name, unless it is given.
    """

    unit: Annotated[str, msgspec.Meta(min_length=1)]
    period_s: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    kind: Literal["level", "rate", "ratio", "count"] = "level"
    good: Direction = Direction.UP
    title: str = ""
    low: float | None = None
    high: float | None = None
    capability: float | None = None
    potentiality: float | None = None
    personal: bool = False
    id: Annotated[int, msgspec.Meta(ge=0, le=65535)] | None = None


def declared(
    plant: str,
    signals: Mapping[str, SignalSetting],
    *,
    title: str = "",
    pace: float = 1.0,
    orders: Iterable[OrderBirth] = (),
) -> PlantBirth:
    """Make the birth of a plant from its configured signals, by name."""
    ids = numbered({name: setting.id for name, setting in signals.items()})
    return PlantBirth(
        plant=plant,
        title=title,
        signals=tuple(
            SignalBirth(
                id=ids[name],
                name=name,
                unit=setting.unit,
                kind=setting.kind,
                good=setting.good,
                period_s=setting.period_s,
                title=setting.title,
                low=setting.low,
                high=setting.high,
                capability=setting.capability,
                potentiality=setting.potentiality,
                personal=setting.personal,
            )
            for name, setting in signals.items()
        ),
        orders=tuple(orders),
        pace=pace,
    )


def numbered(names: Mapping[str, int | None] | Iterable[str]) -> dict[str, int]:
    """Give each signal a numeric id that follows from its name, so that adding or moving another one does not change it.

    An id that is given stands. Two names that would get one number are told apart in their order.

    >>> numbered(["output", "stock"])
    {'output': 57725, 'stock': 41367}
    """
    wanted: Mapping[str, int | None] = names if isinstance(names, Mapping) else dict.fromkeys(names)
    ids = {name: number for name, number in wanted.items() if number is not None}
    taken = set(ids.values())
    for name in wanted:
        if name not in ids:
            number = 1 + zlib.crc32(name.encode()) % 65535
            while number in taken:
                number = number % 65535 + 1
            ids[name] = number
            taken.add(number)
    return ids


def make_feed(name: str, kind: type[Feed], options: Mapping[str, Any] | None = None) -> Feed:
    """Make a feed from its options; one without `Settings` takes none. Raises `SettingsError`, `FeedError`."""
    shape = getattr(kind, "Settings", None)
    build = cast(Any, kind)
    if shape is None:
        if options:
            raise SettingsError(name, next(iter(options)), None, "this feed has no settings", "leave it out")
        return cast(Feed, build())
    return cast(Feed, build(settings_of(name, shape, options or {})))


def settings_of(feed: str, shape: type[Any], options: Mapping[str, Any]) -> Any:
    """Read options into the feed's `Settings`.

    Text is taken as the number, path or zone that is asked for, and a whole number as the text that is asked for. Raises
    `SettingsError` for the first mistake.
    """
    known = [field.encode_name for field in msgspec.structs.fields(shape)]
    for name, value in options.items():
        if name not in known:
            raise SettingsError(feed, name, value, "there is no such setting", f"use {', '.join(known)}")
    wrong = _converted(shape, options)
    if not isinstance(wrong, msgspec.ValidationError):
        return wrong
    what, _, path = str(wrong).partition(" - at `")
    steps = re.findall(r"[^.\[\]]+|\.\.\.", path.removeprefix("key` in `").rstrip("`").removeprefix("$"))
    steps = _named(shape, options, [*steps, "..."] if path.startswith("key` in `") else steps, what)
    if _NUMBER_FOR_TEXT.match(what) and "..." not in steps:
        return settings_of(feed, shape, _written(options, steps))  # the unit 1, a plant that is called 7
    missing = re.search(r"missing required field `(\w+)`", what)
    where = ".".join([*steps, *([missing[1]] if missing else [])])
    raise SettingsError(
        feed, where or "(all)", _found(options, steps), _sentence(what), f"see opsroom feed list {feed}"
    )


_NUMBER_FOR_TEXT = re.compile(r"Expected `str( \| null)?`, got `int`")


def _written(options: Any, steps: list[str]) -> Any:
    """The options with the number at the path as text."""
    if not steps:
        return str(options)
    if isinstance(options, list):
        return [_written(one, steps[1:]) if str(at) == steps[0] else one for at, one in enumerate(options)]
    return {**options, steps[0]: _written(options[steps[0]], steps[1:])}


def _converted(shape: type[Any], options: Any) -> Any:
    """The settings, or the error that says why not."""
    try:
        return msgspec.convert(options, shape, strict=False, dec_hook=_read_special)
    except msgspec.ValidationError as error:
        return error


def _named(shape: type[Any], options: Mapping[str, Any], steps: list[str], what: str) -> list[str]:
    """Put the keys of tables into a path where the decoder says `...`: those with which the same mistake comes."""
    for place, step in enumerate(steps):
        if step == "...":
            table = _entry(options, steps[:place])
            for key in table if isinstance(table, Mapping) else ():
                alone = _converted(shape, _reduced(options, steps[:place], key))
                if isinstance(alone, msgspec.ValidationError) and str(alone).partition(" - at `")[0] == what:
                    return _named(shape, options, [*steps[:place], key, *steps[place + 1 :]], what)
    return steps


def _reduced(options: Mapping[str, Any], path: list[str], key: str) -> dict[str, Any]:
    """The options with one entry alone in the table at the path."""
    if not path:
        return {key: options[key]}
    return {**options, path[0]: _reduced(options[path[0]], path[1:], key)}


def options_from(text: str, sets: Iterable[str] = ()) -> dict[str, Any]:
    """Read settings from TOML text, then from `name.name=value` options, which win.

    >>> options_from("plant = 'mill'", ["signals.output.unit=t/h", "port=1883"])
    {'plant': 'mill', 'signals': {'output': {'unit': 't/h'}}, 'port': 1883}
    """
    try:
        options = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FeedError("settings", f"the TOML cannot be read: {error}", "mend that line") from None
    for one in sets:
        name, mark, value = one.partition("=")
        steps = [step.strip() for step in name.split(".")]
        if not mark or not all(steps):
            raise FeedError("settings", f"{show(one)} is no setting", "write --set name=value") from None
        place = options
        for step in steps[:-1]:
            following = place.setdefault(step, {})
            if not isinstance(following, dict):
                raise FeedError("settings", f"{show(one)} goes through a value", "name a table before the last dot")
            place = following
        place[steps[-1]] = _toml_value(value.strip())
    return options


def _toml_value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _read_special(kind: type[Any], value: Any) -> Any:
    if kind is Path and isinstance(value, str):
        return Path(value).expanduser()
    if kind is ZoneInfo and isinstance(value, str):
        try:
            return ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("is no time zone that this machine knows; write one like Europe/Vienna") from None
    raise NotImplementedError(f"a setting of type {kind.__name__}")


def _entry(options: Any, steps: Iterable[str]) -> Any:
    """What stands at a path; None when nothing does."""
    for step in steps:
        if isinstance(options, Mapping) and step in options:
            options = options[step]
        elif isinstance(options, list) and step.isdigit() and int(step) < len(options):
            options = options[int(step)]
        else:
            return None
    return options


def _found(options: Any, steps: Iterable[str]) -> object:
    entry = _entry(options, steps)
    return None if isinstance(entry, Mapping) else entry


def _sentence(what: str) -> str:
    return "it is missing" if "missing required field" in what else what[:1].lower() + what[1:]


def explained(kind: type[Any]) -> list[str]:
    """Tell the settings of a feed's class, a line each: name, type, default, what it means."""
    shape = getattr(kind, "Settings", None)
    if shape is None:
        return ["no settings"]
    hints = typing.get_type_hints(shape, include_extras=True)
    rows = []
    for field in msgspec.structs.fields(shape):
        metas = [meta for meta in getattr(hints[field.name], "__metadata__", ()) if isinstance(meta, msgspec.Meta)]
        words = next((meta.description for meta in metas if meta.description), "")
        default = "required" if field.required else f"default {_default(field)!s}"
        rows.append(f"{field.encode_name:16} {words} ({default})")
    return rows


def _default(field: msgspec.structs.FieldInfo) -> object:
    default = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
    return '""' if default == "" else default
