"""The words of what `/` and `?` open on every screen, and of the page of one signal."""

from __future__ import annotations

FIND_WORDS: dict[str, str] = {
    "find.title": "Find a unit, a signal, an alarm or a screen",
    "find.button": "Find",
    "find.hint": "A few letters of its name",
    "find.found": "What fits",
    "find.none": "Nothing here has these letters. Signals are found at the unit that is in focus.",
    "find.screen": "screen",
    "find.whole": "the whole",
    "find.slash": "/",
    "find.slash_does": "find a unit, a signal, an alarm or a screen",
    "find.question": "?",
    "find.question_does": "this list",
    "find.enter": "Enter",
    "find.enter_does": "on a hexagon: go in",
    "find.back": "Alt ←",
    "find.back_does": "back to where you were",
    "find.arrows": "← →",
    "find.arrows_does": "on the picture: move from reading to reading; with Shift by ten",
    "find.tab_does": "to the next control",
    "find.escape": "Esc",
    "find.escape_does": "closes what was opened",
}
