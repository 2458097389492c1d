"""How much of the page's main thread an update takes, with a room of any size: `python -m tests.browser.measure --url http://...`.

Without `--url` it starts a room of moving rows with `--plants` plants. Prints JSON: milliseconds of the main thread an update and
in a second, updates, from message to paint, long tasks (over 50 ms), the heap at start and end (forced collection), and
the load of the machine.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from playwright.sync_api import CDPSession, Page, sync_playwright

from tests.browser.conftest import FLAGS, Served, chromium

WATCH_LONG = """() => {
  window.longTasks = [];
  const note = list => list.getEntries().forEach(entry => longTasks.push(entry.duration));
  new PerformanceObserver(note).observe({ entryTypes: ['longtask'] });
  // From the message's arrival in the page to the task after the frame that drew it.
  window.toPaint = [];
  const painted = new MessageChannel(), waiting = [];
  let last = 0;
  painted.port1.onmessage = () => toPaint.push(performance.now() - waiting.shift());
  opsroom.draw(state => {
    if (state.heardAt !== last) { last = state.heardAt; waiting.push(last); painted.port2.postMessage(0); }
  });
}"""


def figures(session: CDPSession) -> dict[str, float]:
    """The browser's own counters, seconds and bytes."""
    return {row["name"]: row["value"] for row in session.send("Performance.getMetrics")["metrics"]}


def measured(page: Page, seconds: float) -> dict[str, Any]:
    """Let the page live for so long, and tell what that took."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    page.wait_for_function("window.opsroom && opsroom.state.ready")
    page.wait_for_timeout(5000)
    page.evaluate(WATCH_LONG)
    session.send("HeapProfiler.collectGarbage")
    before, heard = figures(session), page.evaluate("opsroom.counts().received")
    page.wait_for_timeout(1000 * seconds)
    after, then = figures(session), page.evaluate("opsroom.counts().received")
    session.send("HeapProfiler.collectGarbage")
    busy, updates = after["TaskDuration"] - before["TaskDuration"], then - heard
    long, paints = page.evaluate("longTasks"), sorted(page.evaluate("toPaint"))
    return {
        "seconds": seconds,
        "updates": updates,
        "main_ms_per_update": round(1000 * busy / max(1, updates), 1),
        "main_ms_per_second": round(1000 * busy / seconds, 1),
        "paint_ms": {f"p{share}": round(paints[len(paints) * share // 100]) for share in (50, 95, 99)}
        if paints
        else {},
        "long_tasks": len(long),
        "longest_ms": round(max(long, default=0.0)),
        "heap_mb": [round(one["JSHeapUsedSize"] / 1e6, 1) for one in (before, figures(session))],
        "nodes": round(after["Nodes"]),
        "load": [round(one, 1) for one in os.getloadavg()],
    }


def main() -> None:
    """Measure a page of a running room, or of one of moving rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="")
    parser.add_argument("--path", default="/")
    parser.add_argument("--plants", type=int, default=1000)
    parser.add_argument("--alarms", type=int, default=0, help="that many plants in alarm")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--picture", type=Path)
    asked = parser.parse_args()
    served = None if asked.url else Served("-m", "tests.browser.fake_room", "--plants", str(asked.plants))
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), headless=True, args=FLAGS)
            page = browser.new_page(viewport={"width": 1920, "height": 1080})
            page.goto((asked.url or (served.address if served else "")) + asked.path)
            if served and asked.alarms:
                served.ask(f"flood/{asked.alarms}")
            print(json.dumps(measured(page, asked.seconds)))  # noqa: T201 - a program that tells figures
            if asked.picture:
                page.screenshot(path=asked.picture)
            browser.close()
    finally:
        if served is not None:
            served.close()


if __name__ == "__main__":
    main()
