"""LAND and Landt text exports: Landt .csv with its preamble, LANDdt .txt and .csv with English or Chinese headers."""

from __future__ import annotations

import re
from pathlib import Path

from interlith.cycling.formats.format import Format, Head, Raw, ReadOptions
from interlith.cycling.formats.tables import find_in_text, header_of, record_table, text_table

PREAMBLE = re.compile(r"^cell model:.*\ncell id:", re.IGNORECASE | re.MULTILINE)
# LANDdt writes units after a slash, also behind Chinese names, and sets names off by "-" or nothing
HEADERS = re.compile(
    r"\b(TestTime/(Sec|Min|Hour|h|s)\b|Cycle-Index\b|Step-Index\b|SysTime\b)|"
    r"(测试时间|工步时间|电压|电流|容量|能量)/|系统时间|循环序号",
    re.IGNORECASE,
)


def is_land_header(line: str) -> bool:
    """True for a line with the names that only LANDdt gives its columns."""
    return len({found[0].lower() for found in HEADERS.finditer(line)}) >= 2


def recognize(head: Head) -> bool:
    """Landt's preamble, or a header in LANDdt's own names."""
    if not (PREAMBLE.search(head.text[:2000]) or any(is_land_header(line) for line in head.lines[:100])):
        return False
    return header_of(head) is not None


def read(path: Path, options: ReadOptions) -> Raw:
    """All rows of the record layer."""
    text, layout = find_in_text(path)
    found = text_table(path, layout, options, text=text)
    made = record_table(found.table, path, options)
    return Raw(made.table, "LAND", (*found.flags, *made.flags))


FORMAT = Format(
    name="land-text",
    title="LAND and Landt text export",
    suffixes=(),
    recognize=recognize,
    read=read,
)
