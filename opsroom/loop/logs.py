"""Structured logs: for people on a terminal, as JSON lines for programs and files. I/O."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Any, TextIO

import structlog

LEVELS = ("debug", "info", "warning", "error")


def private_log(path: Path) -> TextIO:
    """Open a file to append log lines to, readable by its owner alone."""
    return os.fdopen(os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600), "a", encoding="utf-8")


def logger(level: str = "info", stream: TextIO | None = None, *, as_json: bool = False) -> Any:
    """A logger of one's own, to a stream or to standard error; no global configuration is touched.

    Raises ValueError for a level that is not one of `LEVELS`.
    """
    if level.lower() not in LEVELS:
        raise ValueError(f"there is no log level {level!r}: use one of {', '.join(LEVELS)}")
    stream = sys.stderr if stream is None else stream
    last: Any = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback)
    )
    chain: list[Any] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if as_json:
        # Without local variables: they hold whole rooms, and what people said.
        traceback = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        chain.append(structlog.processors.ExceptionRenderer(traceback))
    return structlog.wrap_logger(
        structlog.WriteLogger(stream),
        processors=[*chain, last],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        cache_logger_on_first_use=True,
    )
