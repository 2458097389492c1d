"""What `opsroom feed run` says to whoever started it: each kind of trouble when it comes first, all of it at the end. Pure."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from telex_ingest.line import LinkCounts
from telex_ingest.telex import Refusal


class Notes:
    """Remembers what was said, so that a source that is wrong all day fills no log."""

    def __init__(self) -> None:
        self._refused: Counter[str] = Counter()
        self._counted: set[str] = set()

    def refused(self, refused: Refusal) -> str:
        """The sentence for a refusal of the room; empty when its code was told before."""
        self._refused[refused.code] += 1
        if self._refused[refused.code] > 1:
            return ""
        about = f" {refused.plant}" if refused.plant else ""
        cure = f"; {refused.cure}" if refused.cure else ""
        return f"the room refuses{about} ({refused.code}): {refused.reason}{cure}; more of these are counted"

    def counted(self, counts: Mapping[str, int]) -> str:
        """The sentence for what the feed counts for the first time; empty when nothing is new."""
        new = {word: many for word, many in counts.items() if many and word not in self._counted}
        self._counted |= set(new)
        told = ", ".join(f"{many} {word}" for word, many in new.items())
        return f"the feed counts for the first time: {told}" if told else ""

    def left_out(self) -> str:
        """What the room refused in all, for the end."""
        told = ", ".join(f"{many} {code}" for code, many in self._refused.items())
        return f"; the room refused {told}" if told else ""


class Libraries(logging.Filter):
    """Lets through what our own code and the feed's log; of a library each kind of message once, in one line.

    Some print every byte of an answer that is nonsense, or a traceback for every cut; what comes of it the feed says itself.
    """

    LONGEST = 300

    def __init__(self, feed: object) -> None:
        super().__init__()
        self._own = {"telex_ingest", "opsroom", type(feed).__module__.partition(".")[0]}
        self._said: set[tuple[str, int]] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to say it; what a library says is shortened on the way."""
        part = record.name.partition(".")[0]
        if part in self._own or (part == "asyncio" and record.levelno >= logging.ERROR):  # a task's own defect
            return True
        kind = (record.name, record.lineno)
        if kind in self._said:
            return False
        self._said.add(kind)
        text = " ".join(record.getMessage().split())
        if record.exc_info and record.exc_info[1] is not None:
            text += f" ({record.exc_info[1]!r})"
        short = text if len(text) <= self.LONGEST else f"{text[: self.LONGEST]}..."
        record.msg, record.args, record.exc_info, record.exc_text = (
            f"{short}; more of these are left out",
            (),
            None,
            None,
        )
        return True


def left_behind(ends: Sequence[LinkCounts], spool: Path | None) -> str:
    """What a run that was stopped did, from its link's last counts; none, when it never came to open one."""
    if not ends:
        return "its source has not told yet what it is, so that nothing was told to the room"
    return f"the room acknowledged {ends[-1].acknowledged} telexes, {ends[-1].pending} wait in {spool} for the next run"
