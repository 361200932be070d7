"""The table of formats: one row each, most specific first. Adding one is one file and one row (CONTRIBUTING.md)."""

from interlith import plugins
from interlith.cycling.formats import (
    arbin_res,
    arbin_table,
    bdf,
    biologic_mpr,
    biologic_text,
    eis_chi,
    eis_csv,
    eis_gamry,
    eis_powersuite,
    eis_zview,
    generic_csv,
    land_ccs,
    land_text,
    land_xls,
    maccor_text,
    neware_binary,
    neware_csv,
    neware_nested,
    novonix_csv,
)
from interlith.cycling.formats.format import Format, Head, Raw, ReadOptions

FORMATS: tuple[Format, ...] = (
    neware_binary.FORMAT,
    land_ccs.FORMAT,
    arbin_res.FORMAT,
    arbin_table.XLSX,
    land_xls.FORMAT,
    neware_nested.FORMAT,
    novonix_csv.FORMAT,
    maccor_text.FORMAT,
    arbin_table.CSV,
    land_text.FORMAT,
    neware_csv.FORMAT,
    biologic_mpr.FORMAT,
    biologic_text.FORMAT,
    eis_gamry.FORMAT,
    eis_zview.FORMAT,
    eis_chi.FORMAT,
    eis_powersuite.FORMAT,
    eis_csv.FORMAT,
    bdf.FORMAT,
    generic_csv.FORMAT,
)


def all_formats() -> tuple[Format, ...]:
    """The formats of plug-ins, then the table."""
    return (*plugins.load(plugins.FORMATS), *FORMATS)


__all__ = ["FORMATS", "Format", "Head", "Raw", "ReadOptions", "all_formats"]
