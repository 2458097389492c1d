"""A motion at a seat: its parts, its options beside the ballot, and a refusal where it was caused."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, Served, press

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

OUTSIDE = """() => [...document.querySelectorAll('#proposed .option, #cast, .seven, #parts')].filter(n => {
  const box = n.getBoundingClientRect();
  return box.width === 0 || box.top < 0 || box.bottom > innerHeight + 1 || box.right > innerWidth + 1;
}).map(n => n.id || n.className)"""


def seat(opened: Open, fake: Served, number: int, *scenes: str) -> Page:
    fake.scene("quiet", *scenes)
    page = opened(fake, f"/seat/{number}", account=f"seat-{number}", size=(1366, 768))
    expect(page.locator("#choice label").first).to_be_visible()
    return page


def test_all_options_and_the_ballot_are_seen_at_once_on_a_small_screen_and_the_parts_turn_by_keyboard(
    opened: Open, fake: Served
) -> None:
    page = seat(opened, fake, 3, "motion")
    expect(page.locator("#proposed .fan").first).to_be_visible()
    assert page.evaluate(OUTSIDE) == []
    page.locator("#tab-proposed").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#tab-said")).to_be_focused()
    expect(page.locator("#said")).to_contain_text("Where do the twelve come from?")
    expect(page.locator("#proposed")).to_be_hidden()
    fake.scene("votes")
    expect(page.locator(".seven [data-choice=sealed]")).to_have_count(3)
    expect(page.locator("#part-said")).to_be_visible()
    # Once it is decided, what came of it is what people come for.
    fake.scene("carried")
    expect(page.locator("#outcome .chosen")).to_contain_text("Twelve more hands")
    expect(page.locator("#outcome .ordered")).to_contain_text("sent, no answer yet")


def test_a_substitute_votes_for_itself_and_then_for_the_seat_that_named_it(opened: Open, fake: Served) -> None:
    page = seat(opened, fake, 7, "motion", "substitute")
    expect(page.locator("#for-seat")).to_contain_text("seat 6, which named you")
    for _ in range(2):
        page.locator('#choice input[value="a"]').check()
        page.locator("#ballot-reason").fill("The looms stand still.")
        press(page.locator("#cast"))
        expect(page.locator("#choice input:checked")).to_have_count(0)
        expect(page.locator("#for-seat")).not_to_contain_text("your own")
    expect(page.locator(".seven [data-choice=sealed]")).to_have_count(2)
    expect(page.locator("#cast")).to_be_hidden()


def test_a_refusal_stands_at_the_button_that_was_pressed(opened: Open, fake: Served) -> None:
    page = seat(opened, fake, 6, "motion")
    press(page.locator("#cast"))
    expect(page.locator(".form:has(#cast) .refusal")).to_contain_text("Something is missing.")
    assert page.locator(".refusal").count() == 1
    page.locator("#choice label").first.click()
    press(page.locator("#cast"))
    expect(page.locator("#result")).to_contain_text("sealed")
    expect(page.locator(".refusal")).to_have_count(0)


def test_words_of_several_lines_are_sent_by_enter_and_the_answer_covers_no_control(opened: Open, fake: Served) -> None:
    page = seat(opened, fake, 3, "motion")
    page.locator("#speech").focus()
    page.keyboard.type("First the looms.")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("Then the people.")
    page.keyboard.press("Enter")
    expect(page.locator("#speech")).to_have_value("")
    press(page.locator("#tab-said"))
    expect(page.locator("#said")).to_contain_text("First the looms.\nThen the people.")
    # The answer stands over the forms until the next thing is begun, and covers nothing then.
    expect(page.locator("#result .done")).to_be_visible()
    press(page.locator("#ballot-reason"), "a")
    expect(page.locator("#result")).to_have_css("position", "static")


def test_who_takes_up_a_line_in_one_column_is_brought_to_the_matter(opened: Open, fake: Served) -> None:
    fake.scene("quiet", "motion")
    page = opened(fake, "/seat/3", account="seat-3", size=(1024, 420))
    expect(page.locator("#sheet h2")).to_be_attached()
    press(page.locator("#agenda [data-pick]").first)
    expect(page.locator("#sheet h2")).to_be_in_viewport()
