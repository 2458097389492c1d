"""A feed that runs says each kind of trouble once, and all of it at the end."""

from __future__ import annotations

import logging

import pytest

from opsroom.feeding.notes import Libraries, Notes, left_behind
from telex_ingest.refusals import refusal


def test_each_kind_of_trouble_is_said_when_it_comes_first_and_counted_from_then_on() -> None:
    notes = Notes()
    assert notes.left_out() == ""
    said = notes.refused(refusal("future", "1 h ahead of the room's clock", plant="mill"))
    assert said.startswith("the room refuses mill (future): 1 h ahead of the room's clock; set the plant's clock")
    assert notes.refused(refusal("future", "2 h ahead of the room's clock", plant="mill")) == ""
    assert "(unborn)" in notes.refused(refusal("unborn", "no birth"))
    assert notes.left_out() == "; the room refused 2 future, 1 unborn"


def test_what_a_feed_counts_is_said_when_it_is_new() -> None:
    notes = Notes()
    assert notes.counted({"messages": 3, "bad": 0}) == "the feed counts for the first time: 3 messages"
    assert notes.counted({"messages": 9, "bad": 0}) == ""
    assert notes.counted({"messages": 12, "bad": 2}) == "the feed counts for the first time: 2 bad"


def test_a_run_that_was_stopped_before_it_opened_a_link_says_so() -> None:
    assert "nothing was told" in left_behind([], None)


def test_what_a_library_logs_is_said_once_of_a_kind_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    libraries = Libraries(Notes())  # whose module is our own
    caplog.handler.addFilter(libraries)
    try:
        for _ in range(3):
            logging.getLogger("pymodbus.logging").error("nonsense:\n%s", "0xff " * 500)
            logging.getLogger("telex_ingest.feed").warning("the line was cut")
        try:
            raise OSError("gone")
        except OSError:
            logging.getLogger("asyncua.client").exception("crashed")
    finally:
        caplog.handler.removeFilter(libraries)
    said = [record.getMessage() for record in caplog.records]
    assert said[0].startswith("nonsense: 0xff 0xff")
    assert len(said[0]) < 350
    assert said[1:] == ["the line was cut"] * 3 + ["crashed (OSError('gone')); more of these are left out"]
    assert "Traceback" not in caplog.text
