"""Lines of what lies under a coating: silicon wafers, metal foils, graphite and nanotubes, by name and by angle."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from interlith.characterize.diffraction.radiation import (
    COPPER_BETA25_nm,
    Radiation,
    TUNGSTEN_ALPHA1_nm,
    TUNGSTEN_ALPHA2_nm,
    two_theta_deg,
)
from interlith.errors import InputError, did_you_mean

Floats = NDArray[np.float64]

# Cells at room temperature in nm. Si: CODATA 2018. Cu, Al, Ni: Wyckoff, Crystal Structures 1 (1963), 7-83. Austenitic
# steel and ferritic steel: assumed, 0.358-0.360 and 0.2866-0.288 by alloy, which the masks are wide enough for.
SILICON_nm = 0.5431020511
FACE_CENTRED_nm = {"copper": 0.36149, "aluminium": 0.40496, "nickel": 0.35239, "stainless steel": 0.3590}
BODY_CENTRED_nm = {"ferritic steel": 0.2870}
FACE_CENTRED = ((1, 1, 1), (2, 0, 0), (2, 2, 0), (3, 1, 1), (2, 2, 2))
BODY_CENTRED = ((1, 1, 0), (2, 0, 0), (2, 1, 1))
# Spacings of graphite (Trucano & Chen, Nature 258, 136 (1975)) and, assumed, of nanotube walls
GRAPHITE_nm = {"002": 0.3355, "100": 0.2134, "101": 0.2033, "004": 0.1678}
NANOTUBES_nm = {"002": 0.340, "100": 0.2134, "004": 0.170}

HALF_WIDTH_deg, OF_NANOTUBES_deg, OF_WAFER_deg = 0.45, 1.6, 0.6
WIDEST_deg = 6.0
TAIL_deg = 0.055  # of a wafer's main line: its flanks are (this / distance)2 of its height
NEAR_deg = 0.35  # how far a line may lie from where it is expected: sample height, zero of the goniometer
STRONG = 0.5  # of the highest line of all: then it is not one of ZnO where that has a weak one


@dataclass(frozen=True)
class Foreign:
    """A line that is not of the coating.

    main: by it the substrate is recognized. edge: the background jumps under it. weak: a filter takes it out, mostly.
    """

    substrate: str
    name: str
    two_theta_deg: float
    half_width_deg: float
    main: bool = False
    edge: bool = False
    weak: bool = False


@dataclass(frozen=True)
class Mask:
    """Angles that are left out of the fit, and why.

    has_flanks: the line below is so strong that its flanks reach beyond. edge: the background may jump below.
    """

    low_deg: float
    high_deg: float
    name: str
    has_flanks: bool = False
    edge: bool = False

    @property
    def centre_deg(self) -> float:
        """The middle."""
        return (self.low_deg + self.high_deg) / 2

    def holds(self, angle_deg: float) -> bool:
        """Whether an angle lies in it."""
        return self.low_deg <= angle_deg <= self.high_deg


SUBSTRATES = ("silicon", *FACE_CENTRED_nm, *BODY_CENTRED_nm, "graphite", "nanotubes")


def foreign_lines(substrate: str, radiation: Radiation) -> tuple[Foreign, ...]:
    """Lines of a substrate for these wavelengths, K-beta among them. Raises InputError for a name that is not known.

    silicon: a wafer cut (100): Si 400 with K-alpha, with K-beta and with L-alpha of tungsten from the filament, and
    the forbidden Si 200, which comes by two reflections in turn.

    >>> from interlith.characterize.diffraction.radiation import COPPER
    >>> [(line.name, round(line.two_theta_deg, 2)) for line in foreign_lines("silicon", COPPER)][:2]
    [('Si 400', 69.13), ('Si 200, forbidden', 32.96)]
    """
    if substrate == "silicon":
        return _wafer(radiation)
    if substrate == "graphite":
        return _layered(substrate, GRAPHITE_nm, HALF_WIDTH_deg * 1.5, radiation)
    if substrate == "nanotubes":
        return _layered(substrate, NANOTUBES_nm, OF_NANOTUBES_deg, radiation)
    if substrate in FACE_CENTRED_nm:
        return _cubic(substrate, FACE_CENTRED_nm[substrate], FACE_CENTRED, radiation)
    if substrate in BODY_CENTRED_nm:
        return _cubic(substrate, BODY_CENTRED_nm[substrate], BODY_CENTRED, radiation)
    hint = did_you_mean(substrate, SUBSTRATES)
    raise InputError(f"substrate = {substrate!r}: one of {', '.join(SUBSTRATES)}, or none.{hint}")


def _wafer(radiation: Radiation) -> tuple[Foreign, ...]:
    quarter = SILICON_nm / 4
    wanted = [
        ("Si 400", quarter, radiation.kalpha1_nm, OF_WAFER_deg, True),
        ("Si 200, forbidden", 2 * quarter, radiation.kalpha1_nm, HALF_WIDTH_deg, False),
    ]
    if radiation.kbeta_nm is not None:
        wanted.append(("Si 400, K-beta", quarter, radiation.kbeta_nm, HALF_WIDTH_deg, False))
    if radiation.is_copper:
        wanted += [
            ("Si 400, K-beta 2,5", quarter, COPPER_BETA25_nm, HALF_WIDTH_deg / 2, False),
            ("Si 400, W L-alpha 1", quarter, TUNGSTEN_ALPHA1_nm, HALF_WIDTH_deg, False),
            ("Si 400, W L-alpha 2", quarter, TUNGSTEN_ALPHA2_nm, HALF_WIDTH_deg, False),
        ]
    # the crystal reflects the tube's continuum too, at each angle another wavelength of it, cut off beside K-beta
    return tuple(replace(line, edge=line.name.endswith("K-beta")) for line in _reflected("silicon", wanted))


def _layered(
    substrate: str, spacings_nm: dict[str, float], half_deg: float, radiation: Radiation
) -> tuple[Foreign, ...]:
    word = "C" if substrate == "graphite" else "nanotube"
    wanted = [
        (f"{word} {hkl}", spacing, radiation.kalpha1_nm, half_deg, hkl == "002") for hkl, spacing in spacings_nm.items()
    ]
    return _reflected(substrate, wanted)


def _cubic(
    substrate: str, a_nm: float, reflections: Sequence[tuple[int, int, int]], radiation: Radiation
) -> tuple[Foreign, ...]:
    wanted = []
    for place, hkl in enumerate(reflections):
        spacing, name = a_nm / math.sqrt(sum(index**2 for index in hkl)), f"{substrate} {''.join(map(str, hkl))}"
        wanted.append((name, spacing, radiation.kalpha1_nm, HALF_WIDTH_deg, place < 2))
        if radiation.kbeta_nm is not None and place < 3:
            wanted.append((f"{name}, K-beta", spacing, radiation.kbeta_nm, HALF_WIDTH_deg / 1.5, False))
    return tuple(replace(line, weak=line.name.endswith("K-beta")) for line in _reflected(substrate, wanted))


def _reflected(substrate: str, wanted: Sequence[tuple[str, float, float, float, bool]]) -> tuple[Foreign, ...]:
    found = []
    for name, spacing, wavelength, half, main in wanted:
        angle = two_theta_deg(spacing, wavelength)
        if angle is not None:
            found.append(Foreign(substrate, name, angle, half, main))
    return tuple(found)


def candidates(angle_deg: float, radiation: Radiation, within_deg: float = NEAR_deg) -> list[str]:
    """Names of substrate lines that lie at an angle, the nearest first.

    >>> from interlith.characterize.diffraction.radiation import COPPER
    >>> candidates(61.7, COPPER)
    ['Si 400, K-beta']
    """
    every = [line for substrate in SUBSTRATES for line in foreign_lines(substrate, radiation)]
    near = [(abs(line.two_theta_deg - angle_deg), line.name) for line in every]
    return [name for distance, name in sorted(near) if distance <= within_deg]
