"""The table of formats: one row each, most specific first. Adding one is one file and one row (CONTRIBUTING.md)."""

from interlith.cycling.formats import neware_binary
from interlith.cycling.formats.format import Format, Head, Raw, ReadOptions

FORMATS: tuple[Format, ...] = (neware_binary.FORMAT,)

__all__ = ["FORMATS", "Format", "Head", "Raw", "ReadOptions"]
