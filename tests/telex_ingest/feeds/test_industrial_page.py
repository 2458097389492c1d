"""The settings files on the page are settings of their feeds, and declare sound births with their orders."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from telex_ingest.birth import mistakes
from telex_ingest.feed import birth_of, load_feeds
from telex_ingest.feed_settings import make_feed, options_from
from telex_ingest.feeds import mqtt_line, opcua
from telex_ingest.feeds.modbus_registers import MOST

PAGE = (Path(__file__).parents[3] / "docs" / "feeds-industrial.md").read_text(encoding="utf-8")
FILES = re.findall(r"<!-- settings: (\w+) -->\n```toml\n(.*?)```", PAGE, re.DOTALL)


def test_every_feed_has_its_settings_on_the_page() -> None:
    assert [name for name, _ in FILES] == ["mqtt", "sparkplug", "opcua", "modbus"]


@pytest.mark.parametrize(("name", "text"), FILES, ids=[name for name, _ in FILES])
async def test_the_settings_on_the_page_make_a_feed(name: str, text: str) -> None:
    if name == "sparkplug":  # its unit is asked of the device
        text = text.replace('metric = "Outputs/Flow"', 'metric = "Outputs/Flow"\nunit = "t/h"')
    feed = make_feed(name, load_feeds()[name], options_from(text))
    birth = await birth_of(feed)
    assert mistakes(birth) == ()
    assert birth.title.startswith("The ")
    assert birth.orders
    assert all(order.parameters or order.name == "vent" for order in birth.orders)


def test_the_limits_on_the_page_are_those_of_the_code() -> None:
    assert f"Up to {mqtt_line.QUEUE:,} messages" in PAGE
    assert f"More than {opcua.QUEUE:,} changes" in PAGE
    assert f"a page of {opcua.PAGE:,}" in PAGE
    assert f"{MOST['holding']} registers, {MOST['coil']:,} coils" in PAGE
