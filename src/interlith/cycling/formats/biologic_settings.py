"""EC-Lab settings (.mps): what the instrument was told to do, for exports that lack the current."""

from __future__ import annotations

import re
from pathlib import Path

from interlith.errors import InputError
from interlith.text_file import read_text
from interlith.units import SECONDS_PER_HOUR, SECONDS_PER_MINUTE, unit

BEGINNING = "EC-LAB SETTING FILE"
GALVANOSTATIC = "Galvanostatic Cycling with Potential Limitation"
COLUMN_WIDTH = 20
# technique -> parameter -> its value in each sequence (Ns)
Technique = tuple[str, dict[str, list[str]]]


def read_settings(path: Path) -> list[Technique]:
    """The techniques of an .mps file. Raises InputError when it is none."""
    if not path.is_file():
        raise InputError(f"{path}: no such file; --settings wants the EC-Lab settings (.mps) of the measurement")
    text = read_text(path)
    if not text.lstrip().startswith(BEGINNING):
        raise InputError(f"{path.name}: not an EC-Lab settings file; its first line should be {BEGINNING}")
    return techniques(text)


def techniques(text: str) -> list[Technique]:
    """Name and parameters of each linked technique, one value per sequence.

    >>> techniques("Technique : 1\\nLoop\\ngoto Ne             2                   \\n")
    [('Loop', {'goto Ne': ['2']})]
    """
    found: list[Technique] = []
    for section in re.split(r"^Technique : \d+[ \t]*\n", text, flags=re.MULTILINE)[1:]:
        name, *lines = section.split("\n")
        found.append((name.strip(), dict(_parameter(line) for line in lines if line[:COLUMN_WIDTH].strip())))
    return found


def constant_current_A(listed: list[Technique], source: str) -> float:
    """The one current that all galvanostatic techniques apply, zeros apart.

    Raises InputError, listing the candidates, when there is none or more than one.
    """
    currents = {current for name, parameters in listed for current in _currents_A(name, parameters)}
    candidates = sorted(currents - {0.0})
    if len(candidates) == 1:
        return candidates[0]
    if not candidates:
        raise InputError(f"{source}: no galvanostatic technique with a current in it; give it with --current-mA")
    shown = ", ".join(f"{current:g} A" for current in candidates)
    raise InputError(f"{source}: more than one current ({shown}); say which holds for this file with --current-mA")


def durations_s(listed: list[Technique]) -> list[float]:
    """How long each galvanostatic sequence with a current lasts at most, longest first."""
    found = set()
    for name, parameters in listed:
        for current, written in zip(_currents_A(name, parameters), parameters.get("t1 (h:m:s)", []), strict=False):
            if current:
                found.add(_seconds(written))
    return sorted(found - {0.0}, reverse=True)


def _parameter(line: str) -> tuple[str, list[str]]:
    cells = [line[place : place + COLUMN_WIDTH].strip() for place in range(0, len(line), COLUMN_WIDTH)]
    return cells[0], [cell for cell in cells[1:] if cell]


def _currents_A(name: str, parameters: dict[str, list[str]]) -> list[float]:
    if not name.startswith(GALVANOSTATIC):
        return []
    ways = parameters.get("Set I/C", [])
    if any(way != "I" for way in ways):
        raise InputError("the settings give the current as C / N, a rate, not a current; give it with --current-mA")
    return [_ampere(*pair) for pair in zip(parameters.get("Is", []), parameters.get("unit Is", []), strict=False)]


def _ampere(written: str, unit_written: str) -> float:
    known = unit(unit_written)
    try:
        value = float(written.replace(",", "."))
    except ValueError:
        known = None
    if known is None or known[0] != "current":
        raise InputError(f"the settings give a current as {written!r} {unit_written!r}; give it with --current-mA")
    return value * known[1]


def _seconds(written: str) -> float:
    """Seconds of h:m:s.

    >>> _seconds("1:00:0,0000")
    3600.0
    """
    try:
        hours, minutes, seconds = (float(part.replace(",", ".")) for part in written.split(":"))
    except ValueError:
        return 0.0
    return hours * SECONDS_PER_HOUR + minutes * SECONDS_PER_MINUTE + seconds
