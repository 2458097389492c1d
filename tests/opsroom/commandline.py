"""The command line inside the test's own process: what it prints and its exit code, without the start of an interpreter."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from subprocess import CompletedProcess

from opsroom.cli import main


def run(*arguments: str | Path) -> CompletedProcess[str]:
    """Run `opsroom` with these arguments, as its program would."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    command = [str(one) for one in arguments]
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main(command)
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
    return CompletedProcess(command, code, out.getvalue(), err.getvalue())
