"""The line screen: what the wire says of itself, the gravest first, with a thousand plants as with twelve."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, Pages, Served, Tabs, press

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

TROUBLES = "[...document.querySelectorAll('#line .space .row:not([hidden]) .trouble')].map(n => n.textContent)"
OUTSIDE = """() => {
  const bad = [], root = document.documentElement;
  if (root.scrollWidth > innerWidth) bad.push('the page scrolls sideways');
  for (const node of document.querySelectorAll('#line .head > span, #line .space .row:not([hidden]) > span')) {
    const box = node.getBoundingClientRect(), table = document.querySelector('#line .table').getBoundingClientRect();
    if (box.width && box.right > table.right + 1) bad.push(node.className + ' is cut');
  }
  return bad;
}"""


@pytest.fixture(scope="module")
def crowd() -> Iterator[Served]:
    served = Served("-m", "tests.browser.fake_room", "--plants", "1000")
    yield served
    served.close()


@pytest.fixture(scope="module")
def opened_line(tabs: Tabs, crowd: Served) -> Iterator[tuple[Page, Pages]]:
    pages = Pages(tabs)
    crowd.scene("quiet", "amiss")
    page = pages.open(crowd, "/line")
    expect(page.locator("#line .space .row").first).to_be_visible()
    yield page, pages
    pages.close()


@pytest.fixture
def line(opened_line: tuple[Page, Pages]) -> Page:
    page, pages = opened_line
    assert not pages.bad, pages.bad
    return page


def test_the_gravest_of_a_thousand_plants_stand_first_and_few_are_drawn(line: Page) -> None:
    expect(line.locator("#line .found")).to_have_text("71 of 1\u2009000 in trouble")
    shown = line.evaluate(TROUBLES)
    assert [text.split()[0] for text in shown[:14]] == ["silent"] * 14
    assert "no" in {text.split()[0] for text in shown}
    assert len(shown) < 60
    assert line.locator("#line .table").get_attribute("aria-rowcount") == "1001"


def test_scrolling_brings_the_rows_that_come_into_sight(line: Page) -> None:
    press(line.locator("#line .scroll"), "End")
    expect(line.locator("#line .row:not([hidden])[aria-rowindex='1001']")).to_be_visible()
    assert line.evaluate(f"{TROUBLES}.length") < 60
    press(line.locator("#line .scroll"), "Home")
    expect(line.locator("#line .row:not([hidden])[aria-rowindex='2']")).to_be_visible()


def test_a_search_finds_plants_by_name_link_and_trouble(line: Page) -> None:
    line.get_by_label("Search").fill("link-7 nowhere")
    expect(line.locator("#line .found")).to_contain_text("0 of 1\u2009000 found")
    expect(line.locator("#line .nothing")).to_contain_text("No plant, link or trouble")
    line.get_by_label("Search").fill("spooling")
    expect(line.locator("#line .found")).to_have_text("14 of 1\u2009000 found")
    expect(line.locator("#line .space .row:visible")).to_have_count(14)
    line.get_by_label("Search").fill("clock ahead")
    expect(line.locator("#line .found")).to_have_text("14 of 1\u2009000 found")
    line.get_by_label("Search").fill("")
    expect(line.locator("#line .found")).to_contain_text("in trouble")


def test_a_column_sorts_by_keyboard_and_says_so(line: Page) -> None:
    press(line.get_by_role("button", name="spooled"))
    expect(line.locator("#line .space .row").first.locator(".spooled")).to_have_text("412")
    assert line.locator("[role=columnheader].spooled").get_attribute("aria-sort") == "descending"
    assert line.locator("[role=columnheader].trouble").get_attribute("aria-sort") == "none"
    press(line.get_by_role("button", name="trouble"))
    expect(line.locator("#line .space .row").first.locator(".trouble")).to_contain_text("silent")


def test_links_refusals_and_who_tried_stand_beside_the_plants(line: Page) -> None:
    expect(line.locator("#line .links li").first).to_contain_text("port-radio")
    expect(line.locator("#line .links li").first).to_contain_text("away")
    expect(line.locator("#line .codes")).to_contain_text("unknown-signal")
    expect(line.locator("#line .tried li").first).to_contain_text("link-1 may not speak for gas-works")
    assert line.locator("#line .tiles .tile").count() == 7


@pytest.mark.parametrize("size", [(1920, 1080), (1366, 768), (1200, 800), (400, 860)])
def test_nothing_of_the_line_is_cut(line: Page, size: tuple[int, int]) -> None:
    line.set_viewport_size({"width": size[0], "height": size[1]})
    line.wait_for_function("opsroom.state.book && document.querySelector('#line .space .row')")
    assert line.evaluate(OUTSIDE) == []


def test_the_wall_tells_who_tried_what_is_not_theirs_and_leads_to_the_line(opened: Open, fake: Served) -> None:
    fake.scene("quiet", "amiss")
    wall = opened(fake)
    expect(wall.locator(".status .trouble")).to_have_text("refused: link-1 may not speak for gas-works")
    press(wall.get_by_role("link", name="The line"))
    wall.wait_for_url("**/line")
    expect(wall.locator("#line .space .row:visible")).to_have_count(12)
    fake.scene("quiet")


READ_WHOLE = """node => {
  const text = node.querySelector('strong') || node, box = node.getBoundingClientRect(), others = node.ownerDocument;
  const bad = text.scrollHeight > text.clientHeight + 8 || text.scrollWidth > text.clientWidth + 1 ? ['the sentence is cut'] : [];
  for (const other of others.querySelectorAll('.wall .now, .wall .people, #line h1, #line .now')) {
    const its = other.getBoundingClientRect();
    if (its.left < box.right && box.left < its.right && its.top < box.bottom && box.top < its.bottom) bad.push(other.className);
  }
  return bad;
}"""


@pytest.mark.parametrize(("scene", "cure"), [("full", "Free some space; the room"), ("away", "the room tries again.")])
@pytest.mark.parametrize("size", [(1920, 1080), (1366, 768)])
def test_a_room_that_cannot_write_says_so_with_the_cure_on_the_wall_and_hides_nothing_that_goes_on(
    opened: Open, fake: Served, size: tuple[int, int], scene: str, cure: str
) -> None:
    fake.scene("quiet", scene)
    wall = opened(fake, size=size)
    for path, place in (("/", ".wall .down"), ("/line", "#line .top .trouble")):
        if path != "/":
            wall.goto(fake.address + path)
        said = wall.locator(place)
        expect(said).to_be_visible()
        expect(said).to_contain_text(cure)
        assert said.evaluate(READ_WHOLE) == []
        if path == "/":
            expect(wall.locator(".wall .quiet .calmword")).to_have_text("It was quiet")
            expect(wall.locator(".wall p.unseen[role=status]")).to_contain_text(cure)
    fake.scene("quiet")
    expect(wall.locator("#line .top .trouble")).to_be_hidden()
