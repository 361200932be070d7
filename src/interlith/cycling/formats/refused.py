"""Files that are known and not read: what to export instead."""

from __future__ import annotations

from interlith.cycling.formats.format import Head

BY_SUFFIX = {
    ".cex": "LAND .cex has no open description. Open it in LANDdt and export the record layer as .csv or .txt",
    ".nox": "Autolab .nox has no open description. In NOVA, export the data as ASCII (.txt) or ZView (.z)",
    ".mps": "an EC-Lab settings file, not data. Give it with --settings beside a file that lacks the current",
}
BY_BEGINNING = {
    "VMP EXPERIMENT LOOP INDEXES": "an EC-Lab loop index, not data. Analyze the .txt or .mpr of the same name",
    "EC-LAB SETTING FILE": BY_SUFFIX[".mps"],
}


def refusal(head: Head) -> str | None:
    """Why this file is refused although it is known, with the way out; None when it is not one of these."""
    for beginning, reason in BY_BEGINNING.items():
        if head.text.startswith(beginning):
            return reason
    return BY_SUFFIX.get(head.suffix)
