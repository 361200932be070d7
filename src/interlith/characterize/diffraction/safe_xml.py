"""XML from a file that a stranger wrote: read without entities, without outside references, and not without end."""

from __future__ import annotations

import re
import xml.etree.ElementTree as Tree
from collections.abc import Iterator
from typing import Any

from interlith.errors import CorruptFile

DECLARATION = re.compile(r"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
MOST_DEPTH = 60


def parsed(data: bytes, name: str) -> Tree.Element:
    """The root of an XML document. Raises CorruptFile for what is not XML, declares entities, or nests without end.

    >>> parsed(b"<scan><counts>1 2</counts></scan>", "a.xrdml").tag
    'scan'
    """
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        if DECLARATION.search(data.decode(encoding, errors="ignore")):
            raise CorruptFile(f"{name}: declares a document type or entities, which no instrument writes; not read")
    parser: Any = Tree.XMLPullParser(events=("start", "end"))
    depth = 0
    root: Tree.Element | None = None
    try:
        for start in range(0, len(data), 1 << 16):
            parser.feed(data[start : start + (1 << 16)])
            for event, node in parser.read_events():
                depth += 1 if event == "start" else -1
                root = node if root is None else root
                if depth > MOST_DEPTH:
                    raise CorruptFile(f"{name}: elements within elements too deep to be read")
        parser.close()
    except (Tree.ParseError, ValueError, LookupError) as problem:
        raise CorruptFile(f"{name}: damaged or cut off, not whole XML ({problem})") from problem
    if root is None:
        raise CorruptFile(f"{name}: an empty XML document")
    return root


def local(node: Tree.Element) -> str:
    """The name of an element without its namespace.

    >>> local(Tree.Element("{http://a}scan"))
    'scan'
    """
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""


def every(root: Tree.Element, name: str) -> Iterator[Tree.Element]:
    """Elements of a name anywhere below, whatever the namespace."""
    return (node for node in root.iter() if local(node) == name)


def number(root: Tree.Element, name: str) -> float | None:
    """The first element of a name as a number; None where it is missing or holds none.

    >>> number(parsed(b"<a><b>1.5</b></a>", "a"), "b")
    1.5
    """
    node = next(every(root, name), None)
    try:
        return float((node.text or "").strip()) if node is not None else None
    except ValueError:
        return None
