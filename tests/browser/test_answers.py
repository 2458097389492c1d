"""What is asked of a unit stands on its agenda, and a refusal leaves what was typed."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open, Served, press

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_what_is_asked_of_a_unit_stands_on_its_agenda_and_is_answered_there_by_keyboard(
    opened: Open, fake: Served
) -> None:
    fake.scene("quiet", "asked")
    page = opened(fake, "/unit/mill-at-tom", account="unit-mill-at-tom", size=(1366, 768))
    expect(page.locator("#agenda .entry")).to_have_count(2)
    expect(page.locator("#head h2")).to_contain_text("Mill at Tomé")
    expect(page.locator("#head")).to_contain_text("To see where the yarn goes")
    expect(page.locator("#head .facts")).to_contain_text("The economy")
    press(page.locator("#decline"))
    expect(page.get_by_role("alert")).to_contain_text("Something is missing.")
    press(page.locator("#accept"))
    expect(page.locator("#result")).to_contain_text("They may look at these readings from now on")
    expect(page.locator("#agenda .entry")).to_have_count(1)
    expect(page.locator("#head .diff ins")).to_have_text("does not accept restaff-shift")
    page.locator("#decline-reason").fill("The third shift is paid for.")
    press(page.locator("#decline"))
    expect(page.locator("#result")).to_contain_text("is refused")
    expect(page.locator("#agenda .entry")).to_have_count(0)


def test_a_ballot_that_is_refused_keeps_what_was_typed(opened: Open, fake: Served) -> None:
    fake.scene("quiet", "motion")
    page = opened(fake, "/seat/6", account="seat-6", size=(1366, 768))
    page.locator('#choice input[value="a"]').check()
    page.locator("#ballot-reason").fill("The looms stand still for want of hands.")
    fake.scene("behind")
    press(page.locator("#ballot-reason"))
    expect(page.get_by_role("alert")).to_contain_text("The motion is decided.")
    expect(page.locator("#ballot-reason")).to_have_value("The looms stand still for want of hands.")
    expect(page.locator('#choice input[value="a"]')).to_be_checked()
