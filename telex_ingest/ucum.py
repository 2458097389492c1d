"""Whether a unit is written as UCUM has it, and how it should be. Pure.

The grammar and the atoms are those of the Unified Code for Units of Measure, version 2.1 (case sensitive); any atom in square
brackets passes, since there are hundreds.
"""

from __future__ import annotations

import re

PREFIXES = ("Y", "Z", "E", "P", "T", "G", "M", "k", "h", "da", "d", "c", "m", "u", "n", "p", "f", "a", "z", "y")
BINARY = ("Ki", "Mi", "Gi", "Ti")
METRIC = frozenset(
    re.split(
        " ",
        "m s g rad K C cd mol sr Hz N Pa J W A V F Ohm S Wb Cel T H lm lx Bq Gy Sv l L ar t bar u eV pc st cal "
        "kat U eq osm g% B Np bit By Bd P St Gal dyn erg G Mx Ci R mho Ky Bi Gb Oe sb Lmb ph tex",
    )
)
"""Atoms that may carry a prefix."""
PLAIN = frozenset(
    re.split(" ", "10* 10^ % deg ' '' gon min h d a a_t a_j a_g wk mo mo_s mo_j mo_g AU atm sph circ REM RAD")
)
"""Atoms that carry none."""

MEANT = {
    "°c": "Cel", "℃": "Cel", "ºc": "Cel", "degc": "Cel", "deg c": "Cel", "celsius": "Cel", "°f": "[degF]", "degf": "[degF]",
    "fahrenheit": "[degF]", "°": "deg", "kelvin": "K", "rpm": "1/min", "kwh": "kW.h", "mwh": "MW.h", "wh": "W.h",
    "kva": "kV.A", "kvar": "kV.A", "ppm": "[ppm]", "ppb": "[ppb]", "psi": "[psi]", "percent": "%", "pct": "%", "ohm": "Ohm",
    "ohms": "Ohm", "sec": "s", "secs": "s", "seconds": "s", "hr": "h", "hrs": "h", "hour": "h", "hours": "h",
    "minutes": "min", "days": "d", "ton": "t", "tons": "t", "tonnes": "t", "liter": "l", "litre": "l", "litres": "l",
    "liters": "l", "barg": "bar", "volts": "V", "amps": "A", "watts": "W", "mh": "m/h", "kmh": "km/h", "kph": "km/h",
    "lpm": "l/min", "gpm": "[gal_us]/min", "ph": "[pH]", "mwc": "m[H2O]", "mmhg": "mm[Hg]", "pcs": "{piece}", "pieces": "{piece}",
    "units": "{unit}", "count": "1", "none": "1", "-": "1", "kg": "kg", "nm3": "m3{normal}", "nm³": "m3{normal}",
    "n/a": "1", "bytes": "By", "byte": "By",
}  # fmt: skip
"""What people write, in small letters, and what UCUM writes."""

_FACTOR = re.compile(
    r"(?P<atom>10[*^]|\d+(?![*^\d])|[^\d.()/{}+\[\]-]*\[[^\[\]]*\]|[^\d.()/{}+-]+|)(?P<power>[+-]?\d+)?(?P<note>\{[^{}]*\})?"
)
_NOTED = str.maketrans({"²": "2", "³": "3", "·": ".", "µ": "u", "μ": "u", "\u03a9": "Ohm", "\u2126": "Ohm", " ": ""})


def cure(unit: str) -> str:
    """Tell how the unit should be written, or what in it UCUM does not know; empty when it is well.

    >>> cure("m3/h"), cure("10*8.m3"), cure("{loaf}/h")
    ('', '', '')
    >>> cure("°C")
    'write Cel'
    >>> cure("loaves/h")
    "UCUM has no 'loaves'; counted things stand in braces, {loaves}, and 1 is a pure number"
    """
    unknown = _unknown(unit)
    if unknown is None:
        return ""
    meant = MEANT.get(unit.strip().lower()) or "/".join(
        MEANT.get(part.strip().lower(), part.strip()).translate(_NOTED)
        for part in re.sub(r"(?<!10)\^", "", unit).split("/")
    )
    if meant != unit and _unknown(meant) is None:
        return f"write {meant}"
    named = re.sub(r"[{}\[\]]", "", unknown)
    return f"UCUM has no {unknown!r}; counted things stand in braces, {{{named}}}, and 1 is a pure number"


def _unknown(unit: str) -> str | None:
    """The first part of a unit that UCUM does not read; None when it reads all."""
    text = unit.removeprefix("/")
    if not text or not text.isascii() or re.search(r"\s", re.sub(r"\{[^{}]*\}", "", text)):
        return unit
    while (inner := re.search(r"\(([^()]*)\)(?![^{]*\})", text)) is not None:
        wrong = _unknown(inner[1])
        if wrong is not None:
            return wrong
        text = f"{text[: inner.start()]}1{text[inner.end() :]}"
    for factor in re.split(r"[./](?![^{]*\})(?![^\[]*\])", text):
        read = _FACTOR.fullmatch(factor)
        if not factor or read is None or not _known(read["atom"], read["note"]):
            return factor or unit
    return None


def _known(atom: str, note: str | None) -> bool:
    if not atom:
        return note is not None
    if atom.isdigit() or atom in PLAIN or atom in METRIC or re.fullmatch(r"(?:[a-zA-Z]{0,3})\[[^\[\]]+\]", atom):
        return True
    if any(atom.startswith(one) and atom[len(one) :] in ("By", "bit") for one in BINARY):
        return True
    return any(atom.startswith(one) and atom[len(one) :] in METRIC for one in PREFIXES)
