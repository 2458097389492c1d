"""The wall while the line breaks, and before a crowd."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open, Served

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

LINE_DOWN = ("WebSocket connection", "ERR_CONNECTION_REFUSED", "Failed to load resource")


def test_two_tabs_come_back_after_the_room_was_restarted(opened: Open, fake: Served) -> None:
    fake.scene("quiet")
    pages = [opened(fake, allowed=LINE_DOWN) for _ in range(2)]
    for page in pages:
        page.wait_for_function("window.opsroom && opsroom.state.ready")
    fake.stop()
    for page in pages:
        expect(page.locator(".down")).to_contain_text("The line to the room is down. What you see is")
        expect(page.locator(".quiet")).to_contain_text("It was quiet")
    fake.start()
    for page in pages:
        page.wait_for_function("opsroom.state.connected && opsroom.state.ready")
        expect(page.locator(".down")).to_be_hidden()
    fake.ask("say", "the room is back")
    for page in pages:
        expect(page.locator(".ticker")).to_contain_text("the room is back")


def test_a_thousand_plants_stand_on_one_wall(opened: Open) -> None:
    crowd = Served("-m", "tests.browser.fake_room", "--plants", "1000")
    try:
        page = opened(crowd)
        page.wait_for_function("window.opsroom && opsroom.state.ready")
        expect(page.locator(".hive .cell")).to_have_count(1000)
        expect(page.locator(".hive .island")).to_have_count(10)
        expect(page.locator(".quiet")).to_contain_text("plants: 1\u2009000")
    finally:
        crowd.close()
