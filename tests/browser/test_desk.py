"""The screens of a seat, a plant and the operator, worked by keyboard."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DRAWN, NAMELESS, Open, Served, log_in, press, settle

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def seat(opened: Open, fake: Served, number: int, *scenes: str, size: tuple[int, int] = (1366, 768)) -> Page:
    fake.scene("quiet", *scenes)
    page = opened(fake, f"/seat/{number}", account=f"seat-{number}", size=size)
    page.wait_for_selector("#desk")
    return page


def what_happened(page: Page) -> None:
    """Open the part with the evidence, once the motion is there: it opens a part of its own when it comes."""
    expect(page.locator("#desk")).to_have_attribute("data-motion", "yes")
    press(page.locator("#tab-happened"))
    expect(page.locator("#desk")).to_have_attribute("data-part", "happened")


def test_a_seat_is_entered_only_with_its_own_passphrase(opened: Open, fake: Served) -> None:
    page = opened(fake, "/seat/2", allowed=("403",))
    page.wait_for_selector("#login-form")
    assert page.input_value("#account") == "seat-2"
    page.fill("#passphrase", "seven stools in a row")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("do not fit")
    log_in(page, "seat-2")
    expect(page.get_by_role("heading", level=1)).to_have_text("Seat 2")
    page.goto("/seat/3")
    page.wait_for_selector("#login-form")
    assert page.locator("#desk").count() == 0


def test_the_evidence_is_one_figure_with_band_readings_and_moment_of_change(opened: Open, fake: Served) -> None:
    page = seat(opened, fake, 3, "motion")
    what_happened(page)
    page.wait_for_selector("#evidence .js-plotly-plot .legend")
    for words in ("readings", "expected (90 %)", "expected without the order"):
        expect(page.locator("#evidence .legend")).to_contain_text(words)
    expect(page.locator("#evidence")).to_contain_text("change")
    press(page.locator("#part-happened summary"))
    expect(page.locator("#table tbody tr")).to_have_count(12)


def test_the_last_ballot_by_keyboard_closes_the_motion_and_the_order_goes_out(opened: Open, fake: Served) -> None:
    fake.scene("quiet", "motion", "votes", "rest")
    wall = opened(fake)
    page = opened(fake, "/seat/7", account="seat-7", size=(1366, 768))
    expect(page.locator("#choice label").first).to_be_visible()
    page.keyboard.press("a")
    expect(page.locator("#choice input:checked")).to_be_focused()
    page.locator("#ballot-reason").fill("The looms stand still for want of hands.")
    press(page.locator("#ballot-reason"))
    expect(page.locator("#result")).to_contain_text("Your ballot is cast and sealed.")
    expect(page.locator("#cast")).to_be_hidden()
    expect(wall.locator(".council")).to_contain_text("5 for it · 1 not · 0 abstained · 1 recused")
    expect(wall.locator(".council")).to_contain_text("sent, no answer yet")


def test_a_seat_proposes_an_order_by_keyboard_with_the_plants_own_form(opened: Open, fake: Served) -> None:
    page = seat(opened, fake, 4, "climbed")
    expect(page.locator("#orders input").first).to_be_visible()
    expect(page.locator("#parameters input[type=number]").first).to_have_value("12")
    page.locator('#orders input[value="restaff-shift"]').focus()
    page.keyboard.press("Tab")
    people = page.get_by_label("People to add")
    people.fill("9")
    page.locator('#parameters input[value="morning"]').focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator('#parameters input[value="evening"]')).to_be_checked()
    page.locator("#motion-title").fill("Nine more hands")
    press(page.locator("#propose"))
    expect(page.locator("#result")).to_contain_text("The motion is open.")
    expect(page.locator("#sheet")).to_contain_text("Nine more hands")
    expect(page.locator("#proposed .parameters")).to_contain_text("People to add9")
    expect(page.locator("#proposed .parameters")).to_contain_text("evening")
    expect(page.locator("#propose")).to_be_hidden()


def test_a_seat_speaks_and_its_words_reach_the_other_seats(opened: Open, fake: Served) -> None:
    page = seat(opened, fake, 1, "motion")
    other = opened(fake, "/seat/2", account="seat-2")
    page.locator('#stance input[value="against"]').check()
    page.locator("#speech").fill("The looms are worn, not the people. <b>Look</b>")
    page.keyboard.press("Enter")
    expect(other.locator("#said")).to_contain_text("The looms are worn, not the people. <b>Look</b>")
    expect(page.locator("#speech")).to_have_value("")


def test_a_ballot_without_a_choice_is_not_sent(opened: Open, fake: Served) -> None:
    page = seat(opened, fake, 6, "motion")
    expect(page.locator("#cast")).to_be_visible()
    press(page.locator("#cast"))
    expect(page.get_by_role("alert")).to_contain_text("Something is missing.")
    expect(page.locator("#cast")).to_be_visible()


def test_single_keys_can_be_switched_off_and_never_act_while_somebody_writes(opened: Open, fake: Served) -> None:
    page = seat(opened, fake, 5, "motion")
    expect(page.locator("#cast")).to_be_visible()
    page.locator("#ballot-reason").fill("")
    press(page.locator("#ballot-reason"), "a")
    assert page.locator("#choice input:checked").count() == 0
    press(page.locator("#keys"))
    page.get_by_label("Single keys are on").uncheck()
    press(page.locator("#keys"), "a")
    assert page.locator("#choice input:checked").count() == 0


def test_a_plant_acknowledges_calls_early_and_plans_a_stop(opened: Open, fake: Served) -> None:
    fake.scene("quiet", "alarm")
    page = opened(fake, "/unit/mill-at-tom", account="unit-mill-at-tom")
    expect(page.locator("#head")).to_contain_text("Output · Mill at Tomé")
    expect(page.locator("#head .clock")).to_contain_text(":")
    press(page.locator("#acknowledge"))
    expect(page.locator("#result")).to_contain_text("The room knows")
    expect(page.locator("#acknowledge")).to_be_hidden()
    press(page.locator("#call"))
    expect(page.get_by_role("alert")).to_contain_text("Something is missing.")
    page.locator("#call-reason").fill("no spindles left")
    press(page.locator("#call"))
    expect(page.locator("#head .facts")).to_contain_text("Textiles")
    page.locator("#stop-reason").fill("new bearings")
    press(page.locator("#stop"))
    expect(page.locator("#result")).to_contain_text("The stop is planned.")


def test_a_plant_takes_a_stop_back_and_answers_a_proposed_agreement(opened: Open, fake: Served) -> None:
    fake.scene("quiet", "proposed")
    page = opened(fake, "/unit/mill-at-tom", account="unit-mill-at-tom")
    expect(page.locator("#head h2")).to_have_text("New agreement: Output · Mill at Tomé")
    expect(page.locator("#head .facts")).to_contain_text("→ 104 t/h")
    press(page.locator("#decline"))
    expect(page.get_by_role("alert")).to_contain_text("Something is missing.")
    press(page.locator("#accept"))
    expect(page.locator("#result")).to_contain_text("The agreement holds from now on.")
    expect(page.locator("#head")).to_contain_text("All quiet")
    page.locator("#stop-start").fill("45")
    page.locator("#stop-reason").fill("new bearings")
    press(page.locator("#stop"))
    expect(page.locator("#head h2")).to_have_text("Planned stop: Mill at Tomé")
    expect(page.locator("#agenda")).to_contain_text("stop planned")
    press(page.locator("#cancel"))
    expect(page.locator("#result")).to_contain_text("The stop is taken back.")
    expect(page.locator("#agenda .entry")).to_have_count(0)


def test_who_comes_to_a_login_can_write_at_once(opened: Open, fake: Served) -> None:
    page = opened(fake, "/seat/2")
    expect(page.locator("#passphrase")).to_be_focused()


def test_a_plant_refuses_an_order_with_a_reason(opened: Open, fake: Served) -> None:
    fake.scene("quiet", "carried")
    page = opened(fake, "/unit/mill-at-tom", account="unit-mill-at-tom")
    press(page.locator(".entry[data-state=order]"))
    page.locator("#refuse-reason").fill("Nobody is left to be called in.")
    press(page.locator("#refuse"))
    expect(page.locator("#outcome")).to_contain_text("Nobody is left to be called in.")
    expect(page.locator("#refuse")).to_be_hidden()


def test_the_focus_stays_on_its_line_when_the_agenda_is_drawn_anew(opened: Open, fake: Served) -> None:
    fake.scene("quiet", "carried")
    page = opened(fake, "/unit/mill-at-tom", account="unit-mill-at-tom")
    entry = page.locator(".entry[data-state=order]")
    entry.focus()
    fake.scene("second")
    expect(page.locator(".entry", has_text="Mill at Viña")).to_be_visible()
    expect(entry).to_be_focused()


def test_the_operator_shelves_an_alarm_and_holds_all_orders(opened: Open, fake: Served) -> None:
    fake.scene("quiet", "alarm")
    page = opened(fake, "/operator", account="operator")
    page.locator("#shelve-reason").fill("sensor is being changed")
    press(page.locator("#shelve"))
    expect(page.locator("#head")).to_contain_text("sensor is being changed")
    expect(page.locator("#unshelve")).to_be_visible()
    page.locator("#hold-reason").fill("strike at the port")
    press(page.locator("#hold"))
    expect(page.locator("#release")).to_be_visible()
    expect(page.locator("#hold")).to_be_hidden()


@pytest.mark.parametrize("place", ["/", "/seat/3", "/unit/mill-at-tom", "/operator"])
def test_every_control_has_a_name_and_shows_its_focus(opened: Open, fake: Served, place: str) -> None:
    fake.scene("quiet", "climbed" if place == "/seat/3" else "alarm")
    account = {"/": "", "/seat/3": "seat-3", "/operator": "operator"}.get(place, "unit-mill-at-tom")
    page = opened(fake, place, account=account)
    page.wait_for_selector(".entry" if account else ".hive .cell")
    if account:  # what is drawn anew takes the focus along
        expect(page.locator("#parts[data-pulse]:not([data-pulse=''])")).to_have_count(1)
    settle(page, fake)
    expect(page.locator("[data-dash-is-loading]")).to_have_count(0)
    page.evaluate(DRAWN)
    assert page.evaluate(NAMELESS) == []
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.locator("main").count() == 1
    assert page.get_by_role("heading", level=1).count() == 1
    for _ in range(6):
        page.keyboard.press("Tab")
        seen = page.evaluate("""() => {
          const n = document.activeElement, label = n.closest('label');
          if (n === document.body) return 'nothing has the focus';
          const style = e => getComputedStyle(e);
          const outlined = e => e && style(e).outlineStyle !== 'none' && parseFloat(style(e).outlineWidth) >= 2;
          const ring = n.querySelector && n.querySelector('.ring');
          const ringed = ring && style(ring).stroke !== 'none';
          return outlined(n) || outlined(label) || ringed ? '' : n.outerHTML.slice(0, 200);
        }""")
        assert seen == ""


def test_markup_from_the_wire_stays_text_at_a_seat(opened: Open, fake: Served) -> None:
    page = seat(opened, fake, 7, "hostile")
    what_happened(page)
    expect(page.locator("#head h2")).to_have_text('<img src=x onerror="window.hacked=1"><b>bold</b>')
    page.wait_for_selector("#evidence .js-plotly-plot .legend")
    drawn = page.evaluate("[...document.querySelectorAll('#desk img')].map(n => n.src)")
    assert all(address.startswith("data:image/svg+xml,") for address in drawn)
    assert page.evaluate("window.hacked") is None


def test_an_address_that_is_none_says_so(opened: Open, fake: Served) -> None:
    page = opened(fake, "/seat/8")
    expect(page.locator("#lost")).to_contain_text("Nothing stands at this address.")
