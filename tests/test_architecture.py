"""The three rules of the code's shape, held by reading the source as text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
PACKAGES = ("simulators", "telex_ingest", "cyberstride", "opsroom", "dashboards")
MAY_IMPORT = {
    "simulators": {"telex_ingest"},
    "telex_ingest": set(),
    "cyberstride": set(),
    "opsroom": {"telex_ingest", "cyberstride"},
    "dashboards": {"opsroom"},
}
DASHBOARDS_SEE = {"opsroom.views", "opsroom.commands"}
COMPOSE = {
    "opsroom/app.py",
    "opsroom/cli.py",
    "opsroom/cli_council.py",
    "opsroom/cli_feed.py",
    "opsroom/cli_record.py",
    "opsroom/cli_store.py",
    "opsroom/demo.py",
    "opsroom/rehearsal.py",
    "opsroom/rehearsing/deciding.py",
    "opsroom/story.py",
}
"""The files that put the parts together: they alone may import anything, and nothing imports them but each other."""

DOES_IO = {
    "cyberstride/crew.py",
    "simulators/__main__.py",
    "simulators/performance.py",
    "simulators/crowd.py",
    "simulators/crowd_link.py",
    "telex_ingest/gathering.py",
    "telex_ingest/greeting.py",
    "telex_ingest/gateway.py",
    "telex_ingest/open_wire.py",
    "telex_ingest/restraint.py",
    "telex_ingest/telling.py",
    "telex_ingest/frames.py",
    "telex_ingest/plant_link.py",
    "telex_ingest/spool.py",
    "telex_ingest/tape.py",
    "telex_ingest/orderly.py",
    "telex_ingest/errands.py",
    "telex_ingest/feed.py",
    "telex_ingest/feed_bench.py",
    "telex_ingest/feed_promises.py",
    "telex_ingest/feed_pulse.py",
    "telex_ingest/feed_check.py",
    "telex_ingest/feed_ending.py",
    "telex_ingest/rehearsal.py",
    "telex_ingest/trust.py",
    "telex_ingest/feeds/*",
    "telex_ingest/bridges/*",
    "opsroom/record/store.py",
    "opsroom/record/sqlite_store.py",
    "opsroom/record/block_keeping.py",
    "opsroom/record/block_reading.py",
    "opsroom/record/backup.py",
    "opsroom/record/backup_note.py",
    "opsroom/record/belongings.py",
    "opsroom/record/postgres_store.py",
    "opsroom/record/disk.py",
    "opsroom/record/examination.py",
    "opsroom/loop/writer.py",
    "opsroom/minutes/writing.py",
    "opsroom/loop/inbox.py",
    "opsroom/loop/reckoner.py",
    "opsroom/feeding/stopping.py",
    "opsroom/notices/courier.py",
    "opsroom/notices/sending.py",
    "opsroom/record/carrying.py",
    "opsroom/record/journal.py",
    "opsroom/record/lately.py",
    "opsroom/record/looks.py",
    "opsroom/record/absorbed.py",
    "opsroom/record/proving.py",
    "opsroom/record/tree.py",
    "opsroom/proof/keys.py",
    "opsroom/proof/verify_journal.py",
    "opsroom/entry/people.py",
    "opsroom/entry/ledger.py",
    "opsroom/entry/links.py",
    "opsroom/clock.py",
    "opsroom/doors/api.py",
    "opsroom/doors/answers.py",
    "opsroom/doors/faults.py",
    "opsroom/doors/machine_routes.py",
    "opsroom/doors/signal_routes.py",
    "opsroom/entry/guard.py",
    "opsroom/entry/patience.py",
    "opsroom/entry/handshakes.py",
    "opsroom/entry/server.py",
    "opsroom/doors/journal_routes.py",
    "opsroom/doors/ballot_routes.py",
    "opsroom/doors/council_routes.py",
    "opsroom/doors/council_metrics.py",
    "opsroom/doors/foresight_routes.py",
    "opsroom/doors/recursion_routes.py",
    "opsroom/doors/alarm_routes.py",
    "opsroom/entry/ballot_box.py",
    "opsroom/doors/watch.py",
    "opsroom/doors/panorama.py",
    "opsroom/loop/report.py",
    "opsroom/doors/visitor.py",
    "opsroom/doors/tether.py",
    "opsroom/doors/presence.py",
    "opsroom/doctor/folder.py",
    "opsroom/doctor/address.py",
    "opsroom/doctor/visit.py",
    "opsroom/detection/detect.py",
    "opsroom/detection/opening.py",
    "opsroom/app.py",
    "opsroom/cli.py",
    "opsroom/cli_council.py",
    "opsroom/cli_feed.py",
    "opsroom/cli_store.py",
    "opsroom/demo.py",
    "opsroom/rehearsal.py",
    "opsroom/rehearsing/deciding.py",
    "opsroom/story.py",
    "dashboards/wall.py",
    "dashboards/seat.py",
    "dashboards/screens/*",
}
IMPURE = {"asyncio", "time", "sqlite3", "websockets", "random", "dash", "socket", "subprocess", "threading", "httpx"}
BANNED = {
    *(
        "util",
        "utils",
        "helper",
        "helpers",
        "common",
        "misc",
        "base",
        "core",
        "data",
        "model",
        "models",
        "type",
        "types",
    ),
    *("manager", "managers", "service", "services", "handler", "handlers", "processor"),
}


@cache
def modules() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


class Source(NamedTuple):
    """What the rules ask of a file: every module that it imports, at the top or inside a function, and its classes."""

    imports: frozenset[str]
    classes: tuple[str, ...]


@cache
def source(path: Path) -> Source:
    """Read a file once; its tree, half a million objects for all files, is let go of at once."""
    found: set[str] = set()
    classes: list[str] = []
    for node in statements(ast.parse(path.read_text(encoding="utf-8")).body):
        if isinstance(node, ast.ClassDef):
            classes.append(node.name)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, (
                f"{name_of(path)}:{node.lineno}: imports are absolute, so that a reader sees from where"
            )
            found.add(node.module or "")
            if node.module in PACKAGES:
                found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return Source(frozenset(found), tuple(classes))


def statements(body: Sequence[ast.stmt | ast.ExceptHandler | ast.match_case]) -> Iterator[ast.AST]:
    """Every statement, however deep in others; what only a type checker sees is left out."""
    for node in body:
        yield node
        for_types = isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
        for inner in ("body", "orelse", "finalbody", "handlers", "cases")[1 if for_types else 0 :]:
            yield from statements(getattr(node, inner, ()))


def does_io(name: str) -> bool:
    return any(name == known or (known.endswith("/*") and name.startswith(known[:-1])) for known in DOES_IO)


def test_the_packages_have_modules() -> None:
    assert {name_of(path).split("/")[0] for path in modules()} == set(PACKAGES)


def test_a_package_imports_only_what_lies_downhill() -> None:
    for path in modules():
        name = name_of(path)
        if name in COMPOSE:
            continue
        package = name.split("/")[0]
        for module in source(path).imports:
            other = module.split(".")[0]
            if other not in PACKAGES or other == package:
                continue
            assert other in MAY_IMPORT[package], f"{name} imports {module}, which lies uphill"
            if package == "dashboards" and other == "opsroom" and module != "opsroom":
                assert module in DASHBOARDS_SEE, (
                    f"{name} imports {module}: a screen sees {sorted(DASHBOARDS_SEE)} alone"
                )


def test_nothing_imports_the_files_that_compose() -> None:
    composing = {known.removesuffix(".py").replace("/", ".") for known in COMPOSE}
    for path in modules():
        if name_of(path) not in COMPOSE:
            assert not composing & source(path).imports, f"{name_of(path)} imports a file that composes"


def test_a_pure_module_imports_no_clock_no_chance_and_no_wire() -> None:
    for path in modules():
        name = name_of(path)
        if does_io(name):
            continue
        # A screen's figures are pure functions from a view to a Dash component, which is a value.
        values = {"dash"} if name.startswith("dashboards/") else set()
        seen = ({module.split(".")[0] for module in source(path).imports} - values) & IMPURE
        assert not seen, f"{name} imports {sorted(seen)}: hand the value in, or name the file in DOES_IO"


def test_a_module_has_the_name_of_a_thing() -> None:
    for path in modules():
        parts = {part.removesuffix(".py").strip("_") for part in path.relative_to(ROOT).parts}
        assert not parts & BANNED, f"{name_of(path)}: the function belongs to the noun that it takes as first argument"
        for name in source(path).classes:
            assert not re.search(r"(Manager|Handler|Helper|Processor|Service)$|^Abstract", name), name


def test_the_five_sentences_chain() -> None:
    sentence = re.compile(r"Takes (\w+) from (\w+)\. Gives (\w+) to (\w+)\.")
    said = {}
    for package in PACKAGES:
        docstring = ast.get_docstring(ast.parse((ROOT / package / "__init__.py").read_text(encoding="utf-8"))) or ""
        found = sentence.search(docstring)
        assert found, f"{package}/__init__.py needs the sentence 'Takes X from A. Gives Y to B.'"
        said[package] = found.groups()
    path = ["simulators", "telex_ingest", "cyberstride", "opsroom", "dashboards"]
    for giver, taker in pairwise(path):
        assert said[giver][3] == taker
        assert said[taker][0] == said[giver][2]
        assert said[taker][1] == giver


def test_no_tracked_text_names_a_machine_or_a_registry() -> None:
    forbidden = re.compile(
        "|".join(("pypi" + r"\.org", "python" + "hosted", "npmjs" + r"\.", "/wo" + "rk/", "/ro" + "ot/"))
    )
    for path in [*ROOT.glob("*.*"), *(ROOT / "docs").rglob("*.md"), *modules()]:
        if path.is_file() and path.suffix in {".md", ".toml", ".lock", ".py", ".css", ".js"}:
            found = forbidden.search(path.read_text(encoding="utf-8"))
            assert not found, f"{path.relative_to(ROOT)}: {found and found.group()}"
