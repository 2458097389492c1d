"""A real Chromium and a room to look at: a test fails on any console error, page error or request that leaves the machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Locator, Page, expect, sync_playwright

from telex_ingest.feeds.kept_port import KeptPort

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PASSPHRASE = "seven chairs in a ring"
PATIENCE_S = 100.0
NAMELESS = """() => {
  const labels = n => (n.labels ? [...n.labels].map(l => l.textContent).join('') : '');
  const named = n => (n.getAttribute('aria-label') || labels(n) || n.textContent || n.title || '').trim();
  const shown = n => n.getClientRects().length > 0 && !n.closest('[aria-hidden=true]');
  const controls = document.querySelectorAll('a, button, input, select, textarea, [role=button], summary');
  return [...controls].filter(shown).filter(n => !named(n)).map(n => n.outerHTML.slice(0, 200));
}"""
"""Finds the controls of a screen that have no name to be spoken."""
DRAWN = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done())))"
"""Waits until what a page knows stands on it."""

# Long enough for a machine that does other work beside; what must be quick says so itself.
expect.set_options(timeout=60_000)


class Served:
    """A room in a process of its own, which can be ended and started again at the same address."""

    def __init__(self, *arguments: str) -> None:
        self._kept = KeptPort()
        self.port = self._kept.number
        self.arguments = arguments
        self.process: subprocess.Popen[bytes] | None = None
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.process = subprocess.Popen([sys.executable, *self.arguments, "--port", str(self.port)])
        patience = time.monotonic() + PATIENCE_S
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > patience:
                raise AssertionError(f"the room at {self.address} did not start")
            time.sleep(0.1)

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.address}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def ask(self, path: str, body: str = "") -> str:
        request = urllib.request.Request(f"{self.address}/fake/{path}", method="POST", data=body.encode())
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return str(answer.read().decode())

    def scene(self, *names: str) -> None:
        for name in names:
            self.ask(f"scene/{name}")

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def close(self) -> None:
        """End the room for good."""
        self.stop()
        self._kept.close()


def chromium() -> str | None:
    """Where a browser is: named by `CHROMIUM`, or a system's own; None leaves it to Playwright's."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("CHROMIUM") or next((path for name in names if (path := shutil.which(name))), None)


# Playwright's sync interface keeps an event loop running in its thread, so it must be closed before other packages' tests.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        path = chromium()
        if path is None and not Path(playwright.chromium.executable_path).exists():
            pytest.skip("no Chromium here: sh tests/browser/get_chromium.sh gets one")
        launched = playwright.chromium.launch(executable_path=path, headless=True, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="package")
def fake() -> Iterator[Served]:
    served = Served("-m", "tests.browser.fake_room")
    yield served
    served.close()


Open = Callable[..., Page]


class Tabs:
    """Browsers that wait for their next user, each with a page that has read the room's scripts already.

    A fresh one parses Dash and Plotly for three seconds; one that was used before takes a third of that. What its last user
    left (cookies, storage) is thrown away, so that each user finds it as new.
    """

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.waiting: dict[str, list[Page]] = {}

    def take(self, address: str) -> Page:
        """Take one that waits, or a new one."""
        if waiting := self.waiting.get(address):
            return waiting.pop()
        context = self.browser.new_context(reduced_motion="reduce", base_url=address)
        context.set_default_timeout(60_000)
        return context.new_page()

    def give_back(self, address: str, page: Page) -> None:
        """Clear what its user left; one whose room has gone is closed."""
        page.context.clear_cookies()
        try:
            page.goto(f"{address}/healthz")
            page.evaluate("sessionStorage.clear(), localStorage.clear()")
        except Error:
            page.context.close()
        else:
            self.waiting.setdefault(address, []).append(page)


@pytest.fixture(scope="package")
def tabs(browser: Browser) -> Tabs:
    return Tabs(browser)


class Pages:
    """Pages, each a person's own browser, and what went wrong in them: anything that is not `allowed`."""

    def __init__(self, tabs: Tabs) -> None:
        self.tabs = tabs
        self.opened: list[tuple[str, Page, dict[str, Any]]] = []
        self.bad: list[str] = []

    def open(
        self,
        served: Served,
        path: str = "/",
        *,
        account: str = "",
        size: tuple[int, int] = (1920, 1080),
        allowed: tuple[str, ...] = (),
    ) -> Page:
        """Open a page; with an account, in its session at the fake room."""
        page = self.tabs.take(served.address)
        page.set_viewport_size({"width": size[0], "height": size[1]})
        if account:
            token = f"{account}:{PASSPHRASE}".encode().hex()
            page.context.add_cookies([{"name": "opsroom_session", "value": token, "url": served.address}])

        def note(text: str) -> None:
            if not any(part in text for part in allowed):
                self.bad.append(text)

        def leaves(url: str) -> bool:
            return not url.startswith((served.address, served.address.replace("http", "ws"), "data:", "blob:"))

        ears: dict[str, Any] = {
            "pageerror": lambda error: note(f"page error: {error}"),
            "console": lambda said: note(f"console: {said.text}") if said.type in ("error", "warning") else None,
            "request": lambda request: self.bad.append(f"leaves: {request.url}") if leaves(request.url) else None,
            "websocket": lambda ws: self.bad.append(f"leaves: {ws.url}") if leaves(ws.url) else None,
        }
        for event, ear in ears.items():
            page.on(event, ear)  # type: ignore[call-overload] # an overload for each name
        self.opened.append((served.address, page, ears))
        page.goto(path)
        return page

    def close(self) -> None:
        """Give all pages back, and fail if anything went wrong in one of them."""
        for address, page, ears in self.opened:
            for event, ear in ears.items():
                page.remove_listener(event, ear)
            self.tabs.give_back(address, page)
        self.opened.clear()
        assert not self.bad, self.bad


@pytest.fixture
def opened(tabs: Tabs) -> Iterator[Open]:
    pages = Pages(tabs)
    yield pages.open
    pages.close()


@pytest.fixture(scope="module")
def projector(tabs: Tabs, fake: Served) -> Iterator[tuple[Page, Pages]]:
    """One wall that stays open for a module's tests, as on a projector."""
    pages = Pages(tabs)
    page = pages.open(fake)
    page.wait_for_function("window.opsroom && opsroom.state.ready")
    yield page, pages
    pages.close()


@pytest.fixture
def wall(projector: tuple[Page, Pages], fake: Served) -> Iterator[Page]:
    """The open wall of a quiet room."""
    page, pages = projector
    fake.scene("quiet")
    settle(page, fake)
    assert page.evaluate("opsroom.state.motions.size") == 0
    yield page
    assert not pages.bad, pages.bad


def settle(page: Page, fake: Served) -> None:
    """Wait until a page has folded everything that the fake room had to tell, and asks for nothing.

    Messages keep their order: once a line that was said last stands in the page's ticker, all before it has arrived too.
    """
    text = f"settled {time.monotonic_ns()}"
    fake.ask("say", text)
    page.wait_for_function("text => opsroom.state.ready && opsroom.state.ticker.some(l => l.text === text)", arg=text)


def press(where: Locator, key: str = "Enter") -> None:
    """Press a key where it is seen: Playwright presses at what is still hidden too, and then nobody hears it."""
    expect(where).to_be_visible()
    where.press(key)


def log_in(page: Page, account: str, passphrase: str = PASSPHRASE) -> None:
    """Log in by keyboard alone."""
    page.wait_for_selector("#login-form")
    page.fill("#account", account)
    page.locator("#account").press("Tab")
    page.keyboard.type(passphrase)
    page.keyboard.press("Enter")
    page.wait_for_selector("#desk")
