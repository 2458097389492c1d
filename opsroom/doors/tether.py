"""Run a module as a child that ends with its parent: `python -m opsroom.doors.tether MODULE [ARGUMENT ...]`. I/O.

The parent holds the other end of the child's standard input. When the parent is gone, for whatever reason (kill -9
included), that end closes, and the child is told to stop as by SIGTERM.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time

PATIENCE_S = 3.0
"""How long a child may take to stop by itself once its parent is gone."""


def _watch() -> None:
    while os.read(0, 4096):
        continue
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(PATIENCE_S)
    os._exit(1)


def main() -> None:
    """Watch the parent from a thread and run the module that the first argument names."""
    threading.Thread(target=_watch, name="tether", daemon=True).start()
    module = sys.argv[1]
    del sys.argv[1]
    sys.argv[0] = module
    runpy.run_module(module, run_name="__main__", alter_sys=False)


if __name__ == "__main__":
    main()
