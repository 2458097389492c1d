"""A feed's settings: from TOML and options, and every mistake is answered with its value and its cure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telex_ingest.birth import mistakes
from telex_ingest.feed import FeedError
from telex_ingest.feed_settings import (
    SettingsError,
    SignalSetting,
    declared,
    make_feed,
    numbered,
    options_from,
    settings_of,
)
from telex_ingest.telex import Direction, Slug


class Spindle(SignalSetting, frozen=True, kw_only=True, forbid_unknown_fields=True):
    topic: str


class LoomSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    plant: Slug
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 1883
    wait_s: float = 1.0
    folder: Path | None = None
    zone: ZoneInfo = ZoneInfo("UTC")
    signals: dict[Slug, Spindle] = {}


class Loom:
    Settings = LoomSettings

    def __init__(self, settings: LoomSettings) -> None:
        self.settings = settings


TOML = """
plant = "loom-1"
zone = "America/Santiago"
[signals.speed]
unit = "1/min"
good = "none"
topic = "loom/speed"
"""


def test_toml_and_options_make_typed_settings() -> None:
    read = settings_of(
        "loom", LoomSettings, options_from(TOML, ["port=1884", "folder=/var/loom", "signals.speed.high=900"])
    )
    assert read.port == 1884
    assert read.folder == Path("/var/loom")
    assert read.zone.key == "America/Santiago"
    assert read.signals["speed"].high == 900.0
    assert read.signals["speed"].good is Direction.NONE


@pytest.mark.parametrize(
    ("changes", "where", "value", "what"),
    [
        (["port=0"], "port", 0, "expected `int` >= 1"),
        (["port=many"], "port", "many", "expected `int`, got `str`"),
        (["plant=Loom 1"], "plant", "Loom 1", "matching regex"),
        (["prot=1"], "prot", 1, "no such setting"),
        (["zone=Atlantis/Main"], "zone", "Atlantis/Main", "no time zone"),
        (["signals.speed.unit="], "signals.speed.unit", "", "length >= 1"),
        (["signals.speed.colour=red"], "signals.speed", None, "unknown field `colour`"),
        (["signals.Heat Z.unit=Cel"], "signals.Heat Z", None, "matching regex"),
        (["signals.heat.unit=Cel"], "signals.heat.topic", None, "it is missing"),
    ],
)
def test_a_mistake_is_answered_with_its_place_its_value_and_its_cure(
    changes: list[str], where: str, value: object, what: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        make_feed("loom", Loom, options_from(TOML, changes))  # type: ignore[arg-type] # half a feed will do
    error = caught.value
    assert (error.where, error.value) == (where, value)
    assert what in error.what
    assert error.cure in str(error)
    assert where in str(error)


def test_a_whole_number_is_text_where_text_is_asked_for() -> None:
    options = options_from("", ["plant=7", "signals.share.unit=1", "signals.share.topic=t", "signals.sum.unit=1"])
    read = settings_of("loom", LoomSettings, {**options, "signals": {"share": options["signals"]["share"]}})
    assert (read.plant, read.signals["share"].unit) == ("7", "1")
    with pytest.raises(SettingsError, match=r"signals\.sum\.topic: it is missing"):
        settings_of("loom", LoomSettings, options)


def test_a_setting_that_is_required_is_asked_for() -> None:
    with pytest.raises(SettingsError, match="setting plant: it is missing"):
        make_feed("loom", Loom, {})  # type: ignore[arg-type] # half a feed will do


def test_a_feed_without_settings_takes_none() -> None:
    class Bell:
        pass

    assert isinstance(make_feed("bell", Bell), Bell)  # type: ignore[arg-type] # half a feed will do
    with pytest.raises(SettingsError, match="has no settings"):
        make_feed("bell", Bell, {"loud": True})  # type: ignore[arg-type] # half a feed will do


@pytest.mark.parametrize(
    ("text", "sets", "said"),
    [
        ("plant = ", [], "the TOML cannot be read"),
        ("", ["plant"], "write --set name=value"),
        ("", ["=1"], "write --set name=value"),
        ("plant = 'a'", ["plant.x=1"], "goes through a value"),
    ],
)
def test_text_that_is_no_settings_is_said(text: str, sets: list[str], said: str) -> None:
    with pytest.raises(FeedError, match=said):
        options_from(text, sets)


names = st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}", fullmatch=True)


@given(st.lists(names, unique=True, max_size=60), names)
def test_numbers_of_signals_are_unique_and_one_more_changes_none(known: list[str], one_more: str) -> None:
    before = numbered(known)
    assert len(set(before.values())) == len(known)
    assert all(1 <= number <= 65535 for number in before.values())
    after = numbered([*known, one_more])
    assert {name: after[name] for name in known} == before


@given(st.dictionaries(names, st.none() | st.integers(0, 65535), max_size=20))
def test_given_numbers_stand_and_the_birth_is_sound(wanted: dict[str, int | None]) -> None:
    given_ids = [number for number in wanted.values() if number is not None]
    signals = {name: SignalSetting(unit="t", id=number) for name, number in wanted.items()}
    birth = declared("mill-1", signals)
    assert {signal.name: signal.id for signal in birth.signals if wanted[signal.name] is not None} == {
        name: number for name, number in wanted.items() if number is not None
    }
    twice: Any = len(set(given_ids)) < len(given_ids)
    assert bool(mistakes(birth)) == (twice or not wanted)
