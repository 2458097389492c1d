"""The threat model names tests: each of them exists, and each kind of visitor is in the table."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
CODE = re.compile(
    r"(?<![\w.])(eval|exec|compile|__import__)\(|^\s*(import|from) (pickle|_pickle|marshal|shelve|dill|cloudpickle|joblib|yaml)\b"
    r"|allow_pickle=True|shell=True|os\.(system|popen)\(|read_pickle|new Function\(",
    re.MULTILINE,
)
"""What makes code of text or of bytes."""
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))


@pytest.mark.parametrize(("file", "test"), NAMED, ids=lambda name: name.rpartition("/")[2])
def test_every_test_that_the_threat_model_names_exists(file: str, test: str) -> None:
    assert re.search(rf"^(async )?def {test}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)


def test_every_row_of_the_threat_model_names_a_test() -> None:
    table = PAGE.partition("## The table")[2].partition("## What")[0]
    rows = [line for line in table.splitlines() if line.startswith("|")][2:]
    assert len(rows) > 20
    for row in rows:
        assert re.search(r"`tests/[\w/]+\.py::test_\w+`", row), row


@pytest.mark.parametrize(
    "who",
    [
        "stranger",
        "plant",
        "thief of a link",
        "unit",
        "seat",
        "operator",
        "administrator",
        "thief of a backup",
        "network",
    ],
)
def test_everybody_who_might_interfere_is_in_the_table(who: str) -> None:
    assert re.search(rf"^\| [^|]*{who}", PAGE, re.MULTILINE)


@pytest.mark.parametrize("package", ["simulators", "telex_ingest", "cyberstride", "opsroom", "dashboards"])
def test_nothing_makes_code_of_what_somebody_sends(package: str) -> None:
    files = [path for path in (ROOT / package).rglob("*") if path.suffix in (".py", ".js")]
    assert files
    for path in files:
        found = CODE.search(path.read_text(encoding="utf-8"))
        assert found is None, f"{path.relative_to(ROOT)}: {found and found.group()}"


@pytest.mark.parametrize(
    "line", ["x = eval(text)", "import pickle", "    from yaml import load", "np.load(f, allow_pickle=True)"]
)
def test_what_makes_code_of_text_is_found(line: str) -> None:
    assert CODE.search(f"pass\n{line}\n")
    assert not CODE.search("re.compile(pattern)\nmodel.eval()\nevaluated(1)\n")
