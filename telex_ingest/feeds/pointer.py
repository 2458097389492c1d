"""JSON pointers (RFC 6901): where in a page a figure stands. Pure."""

from __future__ import annotations

from typing import Any

from telex_ingest.feeds.mqtt_payload import MISSING


def pointed(page: Any, pointer: str) -> Any:
    """Find what a pointer points to; `MISSING` where nothing stands.

    >>> pointed({"a": [{"b/c": 1}]}, "/a/0/b~1c"), pointed([1], "/1") is MISSING, pointed(17.5, "")
    (1, True, 17.5)
    """
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(page, dict) and name in page:
            page = page[name]
        elif isinstance(page, list) and name.isascii() and name.isdigit() and int(name) < len(page):
            page = page[int(name)]
        else:
            return MISSING
    return page
