"""Secondary ions: what a name means, its exact mass, and the mass resolution that tells two apart."""

from __future__ import annotations

import re
from collections import Counter

# Masses of neutral atoms in u: AME2020, Wang et al., Chin. Phys. C 45, 030003 (2021), doi:10.1088/1674-1137/abddaf
ATOM_U = {
    "H": 1.00782503,
    "Li": 7.01600343,
    "C": 12.0,
    "N": 14.00307400,
    "O": 15.99491462,
    "F": 18.99840316,
    "S": 31.97207117,
}
ELECTRON_U = 0.00054858  # CODATA 2018
COMMON = {"H": 1, "Li": 7, "C": 12, "N": 14, "O": 16, "F": 19, "S": 32}  # the isotope that a name without number means
PIECE = re.compile(r"(?:\^(\d+))?([A-Z][a-z]?)_?(\d*)")
ION = re.compile(r"((?:(?:\^\d+)?[A-Z][a-z]?_?\d*)+)([+-])")

# Of the reference paper (Shen et al. 2025, doi:10.1038/s41467-025-60609-4): what tells of SEI, salt and lithium
NEGATIVE = ("F-", "OH-", "C_2-", "C_2H-", "CN-", "LiNO_3-", "LiSNOF-")
POSITIVE = ("Li+", "Li_2+")
INTERFERENCES = {"Li_2+": "CH_2+", "CN-": "C_2H_2-"}

Composition = tuple[tuple[tuple[str, int], ...], str]  # ((element and isotope, count), ...), sign


def composition(name: str) -> Composition | None:
    """Atoms and sign of an ion, whatever the order of its letters; None for a name that is no single ion.

    >>> composition("OH-") == composition("HO-"), composition("^7Li+") == composition("Li+")
    (True, True)
    >>> composition("^13CN-") == composition("CN-"), composition("A- / B-")
    (False, None)
    """
    found = ION.fullmatch(name.strip())
    if found is None:
        return None
    atoms: Counter[str] = Counter()
    for isotope, element, count in PIECE.findall(found[1]):
        special = isotope and int(isotope) != COMMON.get(element)
        atoms[f"{isotope if special else ''}{element}"] += int(count or 1)
    return tuple(sorted(atoms.items())), found[2]


def ion_mass_u(name: str) -> float:
    """Exact mass of an ion of the common isotopes, of the elements in ATOM_U.

    >>> round(ion_mass_u("Li_2+"), 4), round(ion_mass_u("CN-"), 4)
    (14.0315, 26.0036)
    """
    known = composition(name)
    if known is None:
        raise KeyError(name)
    atoms, sign = known
    return sum(ATOM_U[element] * n for element, n in atoms) + (ELECTRON_U if sign == "-" else -ELECTRON_U)


def resolution_needed(name: str, other: str) -> float:
    """m/dm at which the peaks of two ions are one full width apart.

    >>> round(resolution_needed("Li_2+", "CH_2+")), round(resolution_needed("CN-", "C_2H_2-"))
    (858, 2068)
    """
    mass = ion_mass_u(name)
    return mass / abs(ion_mass_u(other) - mass)


def plain_name(name: str) -> str:
    """An ion as people write it.

    >>> plain_name("LiNO_3-")
    'LiNO3-'
    """
    return name.replace("_", "")
