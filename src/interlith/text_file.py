"""Text files as instruments really write them: their encoding, their line ends, and what is no text at all."""

from __future__ import annotations

import re
from pathlib import Path

from interlith.errors import CorruptFile, UnsupportedFormat

WEB_PAGE = re.compile(r"^\s*(<\?xml[^>]*>\s*)?<(!doctype html|html|head|body)", re.IGNORECASE)
NULS = re.compile("\0+")
MARKS_OF_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
SAMPLE_BYTES = 4096
MOSTLY = 0.95  # of the bytes of a text that stand for letters


def looks_binary(data: bytes) -> bool:
    """True for bytes that no text export holds. UTF-16 text is text, with its mark or without."""
    if data[:2] in MARKS_OF_UTF_16 or _is_bare_utf_16(data):
        return False
    return b"\0" in data[:4096]


def decode(data: bytes) -> tuple[str, str]:
    """Text and the encoding it was in: UTF-8 or UTF-16 by their mark, else UTF-8, else GB 18030 or Latin-1.

    A cut-off multi-byte character at the end is dropped, so that the beginning of a file can be decoded alone.

    >>> decode("Spannung;1,5".encode("utf-16"))[0]
    'Spannung;1,5'
    """
    even = data[: len(data) // 2 * 2]
    if data[:2] in MARKS_OF_UTF_16:
        return even.decode("utf-16", errors="replace"), "utf-16"
    if _is_bare_utf_16(data):
        return even.decode("utf-16-le", errors="replace"), "utf-16"
    if data[:3] == b"\xef\xbb\xbf":
        return data[3:].decode("utf-8", errors="replace"), "utf-8"
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as problem:
        if problem.start >= len(data) - 3 and "end of data" in problem.reason:
            return data[: problem.start].decode("utf-8"), "utf-8"
    # Chinese comes in pairs of high bytes; a lone one is the µ or ² of Latin-1, where "µA" would be one character
    if len(re.findall(rb"[\x81-\xfe][\xa1-\xfe]", data[:8192])) >= 4:
        chinese = data.decode("gb18030", errors="ignore")
        if sum("一" <= c <= "鿿" for c in chinese[:4096]) >= 4:
            return chinese, "gb18030"
    return data.decode("latin-1"), "latin-1"


def read_text(path: Path) -> str:
    """The whole file as text with "\\n" line ends. Refuses empty files, binary data and web pages."""
    data = path.read_bytes()
    if not data.strip():
        raise CorruptFile(f"{path.name}: the file is empty")
    if looks_binary(data):
        raise CorruptFile(f"{path.name}: binary data where text was expected; was it renamed or cut?")
    text = decode(data)[0]
    if WEB_PAGE.match(text[:500]):
        raise UnsupportedFormat(
            f"{path.name}: a web page, not data. Was it saved from a log-in page? Download it again."
        )
    text = unified(text).rstrip("\0")
    # where a block of a file was never written the digits on both sides must not join into a number
    return NULS.sub("\ufffd", text) if "\0" in text else text


def unified(text: str) -> str:
    """The text with "\\n" as its line ends.

    >>> unified("a\\r\\r\\nb\\r\\nc")
    'a\\nb\\nc'
    """
    return text.replace("\r\r\n", "\n").replace("\r\n", "\n").replace("\r", "\n")


def _is_bare_utf_16(data: bytes) -> bool:
    """Whether every second byte is mostly nothing, and those between are mostly plain letters: Latin text as UTF-16.

    >>> _is_bare_utf_16("Temperature;Mass".encode("utf-16-le")), _is_bare_utf_16(bytes(range(1, 9)) * 4)
    (True, False)
    """
    letters, highs = data[:SAMPLE_BYTES:2], data[1:SAMPLE_BYTES:2]
    if len(highs) < 4 or highs.count(0) < MOSTLY * len(highs):
        return False
    return sum(byte in b"\t\n\r" or 32 <= byte < 127 for byte in letters) >= MOSTLY * len(letters)
