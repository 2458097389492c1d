from __future__ import annotations

import json
import re
from pathlib import Path

from dashboards import words

FOLDER = Path(words.__file__).parent
SOURCES = [*FOLDER.glob("*.py"), *FOLDER.glob("screens/*.py"), *FOLDER.glob("assets/*.js")]
TEXT = {path: path.read_text() for path in SOURCES if not path.name.endswith("words.py")}
FAMILIES = (
    "state.",
    "named.",
    "kind.",
    "alarm.",
    "choice.",
    "phase.",
    "until.",
    "turn.",
    "mode.",
    "amendment.",
    "dissent.",
    "motion.",
    "order.",
    "sure.",
    "stance.",
    "ballot.",
    "danger.",
    "trouble.",
    "column.",
    "line.link_",
    "terms.",
    "ending.",
    "subject.",
    "accord.",
    "part.",
    "hand.",
    "council.",
    "sound.",
    "agenda.request_",
    "request.sight",
    "request.orders",
)
"""Words that are asked for by a row's own value."""


def asked() -> set[str]:
    quoted = re.compile(r"""["']((?:[a-z]+)\.[a-z0-9_.\-]+)["']""")
    return {key for text in TEXT.values() for key in quoted.findall(text)}


def test_every_word_that_is_asked_for_is_there() -> None:
    calls = re.compile(r"""\bsay\(\s*["']([^"']+)["']\s*[,)]""")
    for path, text in TEXT.items():
        for key in calls.findall(text):
            assert key in words.WORDS, f"{path.name} asks for {key}"


def test_every_word_that_is_there_is_asked_for() -> None:
    known = asked()
    phases = {f"wall.{phase}" for phase in ("seconding", "blind", "opening", "revision", "counting")}
    phases |= {f"alarms.{term}" for term in ("capability", "potentiality", "recovery", "low", "high")}
    unused = [key for key in words.WORDS if key not in known | phases and not key.startswith(FAMILIES)]
    assert unused == []


def test_every_value_that_a_row_may_hold_has_its_word() -> None:
    values = {
        "state": "calm suspected alarm called silent stopped unknown",
        "named": "not_yet steady suspected transient step slope variance stuck drift out_of_range",
        "kind": "step slope silence",
        "alarm": "unacknowledged acknowledged returned recovered shelved suppressed closed",
        "motion": "open carried lost expired withdrawn",
        "order": "unconfirmed held issued accepted refused done revoked superseded expired",
        "choice": "abstain recuse sealed lost",
        "phase": "seconding blind last opening revision counting",
        "until": "seconding blind opening revision counting last_call",
        "wall": "seconding blind opening revision counting",
        "mode": "majority two-thirds consent ranked",
        "amendment": "open friendly adopted rejected fell",
        "dissent": "recused minority",
        "trouble": "calm past left stale delayed spooling waiting ahead cut silent",
        "stance": "for against question answer",
    }
    for family, names in values.items():
        for name in names.split():
            assert words.WORDS[f"{family}.{name}"]


def test_the_browser_gets_the_same_words() -> None:
    sent = json.loads(words.for_browser())
    assert sent.pop("sure.scale") == json.dumps(words.SURE)
    assert sent == words.WORDS


def test_the_facts_of_a_word_are_names() -> None:
    for key, text in words.WORDS.items():
        assert re.sub(r"\{[a-z_]+\}", "", text).count("{") == 0, key


def test_no_script_builds_markup_from_text() -> None:
    for path, text in TEXT.items():
        if path.suffix == ".js":
            assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", text), (
                path.name
            )
        else:
            assert "dangerously" not in text.lower(), path.name
