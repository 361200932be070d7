"""A cell design in the formats of others: BPX, BattINFO, PyBaMM; each says what of the cell it cannot hold."""

from interlith.parts.design import CellDesign
from interlith.pouch.exports.export import Export
from interlith.pouch.exports.to_battinfo import battinfo
from interlith.pouch.exports.to_bpx import bpx
from interlith.pouch.exports.to_pybamm import pybamm_dictionary


def exports(cell: CellDesign, title: str) -> tuple[Export, ...]:
    """The cell in every format that is known here."""
    return bpx(cell, title), battinfo(cell, title), pybamm_dictionary(cell)


__all__ = ["Export", "battinfo", "bpx", "exports", "pybamm_dictionary"]
