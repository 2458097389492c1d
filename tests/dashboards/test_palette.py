from __future__ import annotations

import re
from pathlib import Path

import pytest

from dashboards import palette, words

SHEET = Path(palette.__file__).parent / "assets" / "room.css"


@pytest.mark.parametrize(("ink", "ground"), palette.TEXT_PAIRS)
def test_text_keeps_the_contrast_that_it_needs(ink: str, ground: str) -> None:
    assert palette.contrast(palette.COLOURS[ink], palette.COLOURS[ground]) >= 4.5


@pytest.mark.parametrize(("shape", "ground"), palette.SHAPE_PAIRS)
def test_shapes_that_mean_something_keep_the_contrast_that_they_need(shape: str, ground: str) -> None:
    assert palette.contrast(palette.COLOURS[shape], palette.COLOURS[ground]) >= 3.0


def test_every_state_has_a_shape_of_its_own_and_a_word() -> None:
    assert len({look.shape for look in palette.LOOKS.values()}) == len(palette.LOOKS)
    for state, look in palette.LOOKS.items():
        assert f"state.{state}" in words.WORDS
        assert palette.contrast(palette.COLOURS[look.ink], palette.COLOURS[look.fill]) >= 4.5


def test_the_style_sheet_declares_the_palette() -> None:
    declared = dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6});", SHEET.read_text()))
    assert declared == palette.COLOURS


def test_no_style_sheet_asks_another_machine() -> None:
    for sheet in SHEET.parent.glob("*.css"):
        assert not re.search(r"https?:|//", re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.S)), sheet.name
        for font in re.findall(r"url\(([^)]+)\)", sheet.read_text()):
            assert (SHEET.parent / font).exists()


def test_each_bundled_font_brings_its_licence() -> None:
    fonts = SHEET.parent / "fonts"
    for font in fonts.glob("*.woff2"):
        licence = fonts / f"{font.stem.removesuffix('-ext')}-LICENSE.txt"
        assert "SIL Open Font License" in licence.read_text()
