"""`make compiled` leaves nothing to compile: neither a room's first start nor a first test waits for it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LEFT = """
import json, sys
from opsroom import ready
ready.judgement(), ready.beside()
ours = [one for name, one in sys.modules.items() if name.startswith(("opsroom.", "telex_ingest.", "cyberstride.recall"))]
made = {(one.__module__, name): one for module in ours for name, one in vars(module).items() if hasattr(one, "py_func")}
within = {name for one in made.values() for name in one.py_func.__code__.co_names}
print(json.dumps([[module, name, bool(one.signatures) or name in within] for (module, name), one in made.items()]))
"""
"""Tells every compiled function and whether it is there: called by now, or part of another one."""


def test_everything_that_is_compiled_on_first_use_is_made_ready() -> None:
    done = subprocess.run([sys.executable, "-c", LEFT], cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert [f"{module}.{name}" for module, name, there in made if not there] == []
    written = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for package in ("opsroom", "telex_ingest", "simulators", "dashboards", "cyberstride")
        for path in (ROOT / package).rglob("*.py")
        if re.search(r"^@(compiled$|njit\(.*cache=True)", path.read_text(encoding="utf-8"), re.MULTILINE)
        and path.parent.name != "lanes"  # its one entry is called by every judgement
    }
    assert written
    assert written <= {module for module, _, _ in made}
