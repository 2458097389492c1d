"""A screen of a seat before a room that is slower than its news: it is asked again only when the last answer is drawn."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Open, Served, settle

QUESTION = "**/_dash-update-component?*"

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_an_answer_that_takes_long_is_drawn_though_news_come_meanwhile(opened: Open, fake: Served) -> None:
    fake.scene("quiet")
    page: Page = opened(fake, "/seat/3", account="seat-3", size=(1366, 768))
    expect(page.locator("#parts[data-pulse]:not([data-pulse=''])")).to_have_count(1)
    settle(page, fake)
    expect(page.locator("#parts[data-dash-is-loading]")).to_have_count(0)
    held: list[Route] = []

    def hold(route: Route) -> None:
        if "agenda.children" in (route.request.post_data or ""):
            held.append(route)
        else:
            route.continue_()

    page.route(QUESTION, hold)
    lines = page.evaluate("opsroom.state.snapshots")
    fake.scene("motion")
    while not held:
        page.wait_for_timeout(20)
    for scene in ("votes", "rest"):
        fake.scene(scene)
        settle(page, fake)
        page.wait_for_timeout(400)  # longer than the screen waits between two questions
    # Asked again, the answer to come would be thrown away; only a new line to the room is a reason.
    assert len(held) <= 1 + page.evaluate("opsroom.state.snapshots") - lines
    late, held = held, []
    for route in late:
        route.continue_()
    expect(page.locator("#agenda .entry")).not_to_have_count(0)
    while not held:
        page.wait_for_timeout(20)  # what came meanwhile is asked for now
    page.route(QUESTION, lambda route: route.continue_())
    held[0].continue_()
    expect(page.locator("#parts[data-dash-is-loading]")).to_have_count(0)
    expect(page.locator("#forms.mode-voting")).to_have_count(0)  # it has voted by now
