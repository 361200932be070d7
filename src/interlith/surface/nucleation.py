"""From surface energies to nuclei: a CALIBRATED closure, with the relations of the classical theory of nucleation.

Energies of a bare face in vacuum say nothing of a covered one in an electrolyte. So no number here is a prediction: one
length, one overpotential or one wetting angle must be given as measured, and what follows are ratios between hosts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from interlith.errors import InputError, PhysicsError
from interlith.parts.quantity import Quantity
from interlith.units import (
    ELEMENTARY_CHARGE_C,
    FARADAY_C_PER_MOL,
    LITHIUM_MOLAR_VOLUME_M3,
    M_PER_A,
    M_PER_NM,
    ZERO_CELSIUS_K,
    A_PER_M2_PER_mA_PER_CM2,
    BOLTZMANN_eV_PER_K,
    LITHIUM_COHESIVE_eV,
)

VENABLES_EXPONENT, VENABLES_FACTOR = 1.0 / 3.0, 0.25  # critical nucleus of one atom, complete condensation
CLOSURE = "CALIBRATED closure of classical nucleation, no prediction"


def adsorption_potential_V(binding_energy_eV: float) -> float:
    """Potential against lithium at which one atom is held by a face: (E_bind - E_cohesive) / e.

    Above 0 lithium is laid down on the face before it is on lithium metal, as far as the face is still there: zinc
    oxide becomes zinc and Li2O below 1.25 V, by the standard free energies of formation, and zinc an alloy.

    >>> adsorption_potential_V(1.63)
    0.0
    """
    return binding_energy_eV - LITHIUM_COHESIVE_eV


def wetting_angle_deg(adhesion_J_per_m2: float, surface_energy_J_per_m2: float) -> float:
    """Angle of a film or drop on a face by Young and Dupre: W = gamma (1 + cos theta). W is of a FILM, not of an atom.

    Raises PhysicsError for an adhesion that is negative. Above 2 gamma the film spreads: 0.

    >>> wetting_angle_deg(0.5, 0.5)
    90.0
    """
    if adhesion_J_per_m2 < 0 or surface_energy_J_per_m2 <= 0:
        raise PhysicsError("adhesion at least 0 and surface energy above 0, both in J/m2")
    cosine = min(1.0, adhesion_J_per_m2 / surface_energy_J_per_m2 - 1.0)
    return round(math.degrees(math.acos(cosine)), 9)


def shape_factor(angle_deg: float) -> float:
    """Volume of a cap over that of its sphere, (2 + cos) (1 - cos)^2 / 4; 1 without wetting, 0 when it spreads.

    >>> shape_factor(90.0), shape_factor(180.0)
    (0.5, 1.0)
    """
    cosine = math.cos(math.radians(angle_deg))
    return round((2.0 + cosine) * (1.0 - cosine) ** 2 / 4.0, 12)


def critical_radius_nm(surface_energy_J_per_m2: float, overpotential_V: float) -> float:
    """Radius above which a nucleus grows, 2 gamma V_m / (F |eta|). Raises PhysicsError without an overpotential.

    >>> round(critical_radius_nm(0.5, 0.1), 2)
    1.35
    """
    driven_J_per_mol = FARADAY_C_PER_MOL * _driven(overpotential_V)
    return 2.0 * surface_energy_J_per_m2 * LITHIUM_MOLAR_VOLUME_M3 / driven_J_per_mol / M_PER_NM


def nucleation_barrier_eV(surface_energy_J_per_m2: float, overpotential_V: float, angle_deg: float = 180.0) -> float:
    """Work to make a critical nucleus, 16 pi gamma^3 V_m^2 f(theta) / (3 (F eta)^2).

    >>> round(nucleation_barrier_eV(0.5, 0.1, 180.0) / nucleation_barrier_eV(0.5, 0.2, 180.0), 9)
    4.0
    """
    pressure = FARADAY_C_PER_MOL * _driven(overpotential_V) / LITHIUM_MOLAR_VOLUME_M3  # J/m3
    work_J = 16.0 * math.pi * surface_energy_J_per_m2**3 * shape_factor(angle_deg) / (3.0 * pressure**2)
    return work_J / ELEMENTARY_CHARGE_C


def surface_diffusion_m2_per_s(barrier_eV: float, hop_A: float, temperature_C: float, attempt_per_s: float) -> float:
    """Diffusion by hops in a plane, a^2 nu exp(-E / kT) / 4.

    >>> surface_diffusion_m2_per_s(0.0, 1.0, 25.0, 4e12)
    1e-08
    """
    kT_eV = BOLTZMANN_eV_PER_K * (temperature_C + ZERO_CELSIUS_K)
    return (hop_A * M_PER_A) ** 2 * attempt_per_s * math.exp(-barrier_eV / kT_eV) / 4.0


def island_spacing_nm(
    barrier_eV: float,
    hop_A: float,
    current_density_mA_per_cm2: float,
    temperature_C: float = 25.0,
    attempt_per_s: float = 1e13,
) -> float:
    """Distance between islands, N^-1/2 with N = N0 (Phi / (D N0^2))^(1/3) / 4, N0 = a^-2 and Phi = i / e.

    Venables, Rep. Prog. Phys. 47, 399 (1984), critical nucleus of one atom. An upper bound of the order: electrolyte
    and interphase are absent, so only ratios between faces mean anything. Raises InputError for a current of 0.

    >>> island_spacing_nm(0.05, 3.0, 1.0) > island_spacing_nm(0.5, 3.0, 1.0)
    True
    """
    if current_density_mA_per_cm2 <= 0:
        raise InputError("current_density_mA_per_cm2: above 0")
    sites = (hop_A * M_PER_A) ** -2
    flux = current_density_mA_per_cm2 * A_PER_M2_PER_mA_PER_CM2 / ELEMENTARY_CHARGE_C
    diffusion = surface_diffusion_m2_per_s(barrier_eV, hop_A, temperature_C, attempt_per_s)
    density = VENABLES_FACTOR * sites * (flux / (diffusion * sites**2)) ** VENABLES_EXPONENT
    return max(density**-0.5, hop_A * M_PER_A) / M_PER_NM


def calibrated_spacing(
    barrier: Quantity, reference: Quantity, reference_spacing: Quantity, temperature_C: float = 25.0
) -> Quantity:
    """Distance between nuclei on one face from a measured one on another: the measured one times the ratio of both.

    barrier, reference: percolating barriers (eV) of the face and of that on which reference_spacing (nm) was measured.
    The ratio is exp(-(E - E_ref) / (6 kT)): flux, attempts and length of a hop are taken to be the same. Its bounds are
    those of both barriers and of the measurement together. Kind: calibrated.

    >>> same = Quantity("barrier_eV", 0.3, "a model", kind="derived")
    >>> round(calibrated_spacing(same, same, Quantity("spacing_nm", 200.0, "SEM")).value, 9)
    200.0
    """
    kT_eV = BOLTZMANN_eV_PER_K * (temperature_C + ZERO_CELSIUS_K)

    def spacing(of: float, to: float, measured: float) -> float:
        return measured * math.exp(-(of - to) * VENABLES_EXPONENT / (2.0 * kT_eV))

    ends = [one.interval or (one.value, one.value) for one in (barrier, reference, reference_spacing)]
    return Quantity(
        "nucleus_spacing_nm",
        spacing(barrier.value, reference.value, reference_spacing.value),
        f"{CLOSURE}; calibrated to {reference_spacing.source}; barriers: {barrier.source}; {reference.source}",
        low=spacing(ends[0][1], ends[1][0], ends[2][0]),
        high=spacing(ends[0][0], ends[1][1], ends[2][1]),
        kind="calibrated",
    )


def told_of(rows: Sequence[Mapping[str, Any]], temperature_C: float = 25.0) -> list[dict[str, Any]]:
    """For rows of a screening: the potential that holds one atom, and the spacing of nuclei over that on the slowest.

    A ratio of classical nucleation in vacuum, and no prediction: `calibrated_spacing` turns it into a length, from one
    that was measured. The barriers are those with which every copy of a site is reached: the relations are those of
    motion in two dimensions. None for a face that is not ranked, and where no such barrier is known.

    >>> rows = [{"key": "a", "binding_energy_eV": 2.63, "barrier_2d_eV": 0.1, "not_ranked": None}]
    >>> told_of(rows)[0]["adsorption_potential_V"], told_of(rows)[0]["spacing_over_slowest"]
    (1.0, 1.0)
    """
    known = [row["barrier_2d_eV"] for row in rows if row["barrier_2d_eV"] is not None and not row["not_ranked"]]
    slowest = Quantity("barrier_eV", max(known, default=0.0), "the slowest face of these", kind="derived")
    unit = Quantity("nucleus_spacing_nm", 1.0, "a ratio", kind="assumed")
    found = []
    for row in rows:
        energy, barrier = (None if row["not_ranked"] else row[name] for name in ("binding_energy_eV", "barrier_2d_eV"))
        own = None if barrier is None else Quantity("barrier_eV", barrier, row["key"], kind="derived")
        ratio = None if own is None else calibrated_spacing(own, slowest, unit, temperature_C).value
        potential = None if energy is None else round(adsorption_potential_V(energy), 4)
        found.append({"key": row["key"], "adsorption_potential_V": potential, "spacing_over_slowest": ratio})
    return found


def _driven(overpotential_V: float) -> float:
    if overpotential_V == 0.0:
        raise PhysicsError("overpotential_V: without one there is no critical nucleus")
    return abs(overpotential_V)
