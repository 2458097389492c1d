"""Every mistake of a user has its own cure, and a defect keeps its traceback."""

from __future__ import annotations

import errno

import pytest

from opsroom.doors.visitor import RefusedByRoomError
from opsroom.loop.faults import LONGEST, sentence_of, shortly
from opsroom.loop.logs import logger
from opsroom.story import StoryError, tell
from telex_ingest.telex import OrderBirth, PlantBirth


@pytest.mark.parametrize(
    ("error", "cure"),
    [
        (OSError(errno.EADDRINUSE, "in use"), "--port"),
        (OverflowError("bind(): port must be 0-65535."), "0 to 65535"),
        (FileExistsError(errno.EEXIST, "File exists", "room"), "check the path"),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory", "room"), "check the path"),
        (UnicodeDecodeError("utf-8", b"one\ntwo\xff", 7, 8, "invalid start byte"), "line 2: byte 0xff"),
        (StoryError("an alarm", 68.0), "an alarm"),
        (RefusedByRoomError(409, "motion-over", "motion-1 is carried"), "motion-1 is carried"),
    ],
)
def test_a_mistake_is_answered_with_the_cure_that_mends_it(error: Exception, cure: str) -> None:
    sentence = sentence_of(error)
    assert sentence is not None
    assert cure in sentence
    assert ("--port" in sentence) == ("port" in cure or "65535" in cure)


def test_a_defect_keeps_its_traceback() -> None:
    assert sentence_of(AssertionError("never")) is None
    assert sentence_of(OverflowError("math range error")) is None


def test_a_message_that_broke_the_room_stands_shortly_in_the_log_however_long_or_deep_it_is() -> None:
    endless: list[object] = []
    endless.append(endless)
    long = PlantBirth(plant="mill", title="x" * 5000 + "end", signals=())
    deep = OrderBirth(name="stop", title="Stop", parameters={"a": endless})
    assert shortly(long).startswith("PlantBirth(plant='mill'")
    assert len(shortly(long)) <= LONGEST
    assert shortly(deep)


def test_a_log_level_that_is_none_is_answered_with_those_that_are() -> None:
    with pytest.raises(ValueError, match="debug, info, warning, error"):
        logger("loud")


async def test_a_script_that_is_none_is_refused_before_a_room_is_made() -> None:
    with pytest.raises(ValueError, match="loom-slows"):
        await tell("loom-flies", None, None)
