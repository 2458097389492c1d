"""What every screen has: it finds, it leads back, it says when it is cut off; and one signal through time."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, Served, settle

ENDED = "Your session has ended. Nothing that you do here is sent."


def test_a_few_letters_find_a_plant_and_the_way_back_leads_back(wall: Page) -> None:
    wall.keyboard.press("/")
    wall.keyboard.type("vina")
    expect(wall.locator(".finder [aria-selected=true] strong")).to_have_text("Mill at Viña")
    wall.keyboard.press("Enter")
    expect(wall.locator(".crumbs [aria-current]")).to_have_text("Mill at Viña")
    expect(wall.locator(".finder")).to_be_hidden()
    wall.go_back()
    expect(wall.locator(".crumbs [aria-current]")).to_have_text("Industry")
    wall.keyboard.press("?")
    expect(wall.get_by_role("dialog")).to_contain_text("find a unit, a signal, an alarm or a screen")
    wall.keyboard.press("Escape")
    expect(wall.get_by_role("dialog")).to_have_count(0)


def test_many_alarms_are_told_by_where_they_are_and_few_are_spoken(wall: Page, fake: Served) -> None:
    fake.ask("flood/12")
    settle(wall, fake)
    expect(wall.locator(".exceptions .flood")).to_have_text("flood: 12 in ten minutes")
    expect(wall.locator(".exceptions .more")).to_contain_text(re.compile(r"and 6 more: \w[\w ]*: \d · \w[\w ]*: \d"))
    expect(wall.locator(".unseen")).to_contain_text("and 5 more")
    expect(wall.locator(".island .word").first).to_contain_text("alarms below: 4")
    overlaps = """() => {
      const boxes = [...document.querySelectorAll('.status li, .status .more > *')].map(n => n.getBoundingClientRect());
      return boxes.filter(b => b.right > innerWidth || b.bottom > innerHeight + 1).length;
    }"""
    assert wall.evaluate(overlaps) == 0


def test_a_moment_of_a_signal_is_pointed_at_by_keyboard_and_stands_in_the_address(opened: Open, fake: Served) -> None:
    fake.scene("quiet", "alarm")
    page = opened(fake, "/signal/mill-at-tom/output")
    expect(page.locator(".signal .lines a")).to_have_text("Output · Mill at Tomé")
    page.locator(".signal canvas").focus()
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("ArrowRight")
    page.wait_for_url(re.compile(r"\?span=28800&at=\d+"))
    told = page.locator(".signal .figures > div > p").first.text_content()
    page.reload()
    expect(page.locator(".signal .figures > div > p").first).to_have_text(told or "")
    page.get_by_role("button", name="Copy the figure").click()
    expect(page.locator(".signal .said")).to_contain_text(
        re.compile(r"Output, Mill at Tomé: \d+\.\d t/h at 20\d\d-|by hand")
    )
    expect(page.get_by_role("link", name="Output · Mill at Tomé")).to_have_attribute("href", "/alarms?alarm=alarm-1")


def test_a_signal_that_is_not_there_is_told_so_with_the_way_to_find_one(opened: Open, fake: Served) -> None:
    page = opened(fake, "/signal/mill-at-tom/nothing", allowed=("404",))
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no such signal here")
    expect(page.locator(".told")).to_contain_text("Press / to look for it")
    expect(page.locator("#signal canvas")).to_be_hidden()


def test_a_seat_that_left_in_another_tab_is_told_so_and_comes_back(opened: Open, fake: Served) -> None:
    allowed = ("WebSocket", "401", "403", "404")
    desk = opened(fake, "/seat/3", account="seat-3", allowed=allowed)
    expect(desk.locator("#room-line")).to_contain_text("line up")
    expect(desk.locator(".band-down")).to_be_hidden()
    token = desk.context.cookies()
    desk.context.request.post(f"{fake.address}/api/logout")
    fake.ask("gap")
    expect(desk.locator(".band-down strong")).to_have_text(ENDED)
    expect(desk.locator("#desk .armrest")).to_be_hidden()
    expect(desk.get_by_role("link", name="Log in again")).to_have_attribute("href", "/seat/3")
    # Whoever logs in again, in whichever tab, finds this one as it was.
    desk.context.add_cookies(token)  # type: ignore[arg-type] # what the browser gives, it takes
    known = {"account": "seat-3", "passphrase": "seven chairs in a ring"}
    desk.context.request.post(f"{fake.address}/api/login", data=known)
    fake.ask("gap")
    expect(desk.locator(".band-down")).to_be_hidden()
    expect(desk.locator("#desk .armrest")).to_be_visible()


def test_who_leaves_leaves_no_draft_behind_in_any_tab(opened: Open, fake: Served) -> None:
    fake.scene("quiet", "climbed")
    desk = opened(fake, "/seat/3", account="seat-3", allowed=("WebSocket", "401", "403"))
    desk.locator("#motion-title").fill("Half a thought")
    other = desk.context.new_page()
    other.goto(f"{fake.address}/seat/3")
    expect(other.locator("#room-line")).to_contain_text("line up")
    other.get_by_role("button", name="Leave").click()
    expect(other.locator("#wall")).to_be_visible()
    expect(desk.locator("#login")).to_be_visible()
    assert "Half a thought" not in desk.content()
    other.go_back()
    expect(other.locator("#desk")).to_have_count(0)
