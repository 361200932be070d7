"""Novonix UHPC .csv; written from public descriptions of the layout, no real file was at hand, so experimental."""

from __future__ import annotations

import re
from pathlib import Path

from interlith.cycling.formats.format import Format, Head, Raw, ReadOptions
from interlith.cycling.formats.headers import find_header
from interlith.cycling.formats.tables import SERIES, find_in_text, record_table, text_table
from interlith.record import Flag

HEADER = re.compile(r"Run Time \(h\).*Potential \(V\)", re.IGNORECASE)
# the protocol in the preamble may be long
HEADER_WITHIN = 5000


def recognize(head: Head) -> bool:
    """Novonix's header, wherever it stands, or the mark of its summary with its name."""
    if any(HEADER.search(line) for line in head.lines):
        return find_header(head.lines, SERIES, len(SERIES), HEADER_WITHIN) is not None
    return head.text.lstrip().startswith("[Summary]") and "novonix" in head.text.lower()


def read(path: Path, options: ReadOptions) -> Raw:
    """All rows below [Data]; charging is positive."""
    text, layout = find_in_text(path, within=HEADER_WITHIN)
    found = text_table(path, layout, options, text=text)
    made = record_table(found.table, path, options)
    flag = Flag("experimental", "this reader was written without a real Novonix file; compare with Novonix's own plots")
    return Raw(made.table, "Novonix", (flag, *found.flags, *made.flags))


FORMAT = Format(
    name="novonix-csv",
    title="Novonix .csv",
    suffixes=(),
    recognize=recognize,
    read=read,
    experimental=True,
)
