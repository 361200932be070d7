"""From the parts that a person writes to the numbers of the kernel: SI, per area, and which mechanisms are off."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple, TypeVar

from interlith.cell.full import Particles
from interlith.cell.layers import HOST_BRUGGEMAN, sites_C_per_m2
from interlith.cell.lumped import Circuit, Electrode
from interlith.cell.mechanisms.kinetics import SALT_EXPONENT
from interlith.errors import InputError
from interlith.parts.cell import Cell, Collector, Foil, Host
from interlith.parts.positive import Positive
from interlith.units import (
    CM_PER_UM,
    FARADAY_C_PER_MOL,
    GAS_CONSTANT_J_PER_MOL_K,
    M2_PER_CM2,
    M_PER_UM,
    MICRO,
    MILLI,
    ZERO_CELSIUS_K,
    C_PER_M2_PER_mAh_PER_CM2,
    CM3_PER_uL,
    LITHIUM_mAh_PER_CM2_PER_UM,
)

PORE_SHARE = 1.0 / 3.0  # of a layer's ohmic resistance that a current spread evenly over its depth sees
UNUSED = 1.0


class Switch(NamedTuple):
    """A mechanism that can be switched off: what it is, and the fields of the kernel that are 0 then."""

    what: str
    fields: tuple[str, ...]


SWITCHES: Mapping[str, Switch] = {
    "nucleation": Switch("extra voltage of the first lithium", ("nucleation_V",)),
    "sei": Switch("lithium that becomes SEI", ("sei_per_plated",)),
    "isolation": Switch("lithium that loses contact while it is stripped", ("isolated_per_stripped",)),
    "revival": Switch("dead lithium that becomes active again", ("revival_pores_per_s", "revival_top_per_s")),
    "conversion": Switch("ZnO that becomes Li2O and LiZn", ("oxide_C_per_m2",)),
    "dead-layer": Switch("voltage lost in a layer of dead lithium", ("dead_ohm_m2_per_C", "dead_per_limit")),
    "film": Switch("resistance of the film (SEI) on lithium", ("film_ohm_m2",)),
    "swelling": Switch("network that stretches for the lithium in its pores", ("stretching",)),
    "additive": Switch("more SEI once the additive is used up", ("inventory_C_per_m2",)),
    "positive-resistance": Switch("resistance of the positive that grows (off as shipped)", ("resistance_per_C",)),
    "active-loss": Switch("material of the positive that loses contact (off as shipped)", ("loss_per_C",)),
    "dry-out": Switch("electrolyte that SEI uses up (off as shipped)", ("dry_per_C",)),
    "soft-short": Switch("leak through lithium in the separator", ("short_S_per_m2",)),
}


def check_mechanisms(without: Collection[str]) -> None:
    """Raises InputError for a mechanism that does not exist."""
    if isinstance(without, str):
        raise InputError(f"without = {without}: a list of names of mechanisms")
    unknown = [name for name in without if name not in SWITCHES]
    if unknown:
        raise InputError(f"without {', '.join(unknown[:3])}: not a mechanism; these are: {', '.join(SWITCHES)}")


Kernel = TypeVar("Kernel", Electrode, Particles, Circuit)


def _switched(part: Kernel, without: Collection[str]) -> Kernel:
    check_mechanisms(without)
    off = {field for name in without for field in SWITCHES[name].fields}
    return part._replace(**{name: 0.0 for name in part._fields if name in off})


def kernel(cell: Cell, without: Collection[str] = ()) -> tuple[Electrode, Electrode, Circuit]:
    """Working electrode, lithium counter electrode and circuit, with some mechanisms off.

    Raises InputError for a cell with a positive.
    """
    if isinstance(cell.counter, Positive):
        raise InputError(f"a {cell.kind} cell has no counter electrode of lithium")
    parts = electrode(cell.working, cell), electrode(cell.counter, cell), _circuit(cell)
    return _switched(parts[0], without), _switched(parts[1], without), _switched(parts[2], without)


def full_kernel(cell: Cell, without: Collection[str] = ()) -> tuple[Electrode, Positive, Particles, Circuit]:
    """Working electrode, positive as a part and for the kernel, circuit, with some mechanisms off.

    Raises InputError for a cell without a positive. The circuit's resistance is that of the positive's solid alone.
    """
    positive = cell.counter
    if not isinstance(positive, Positive):
        raise InputError(f"a {cell.kind} cell has no positive electrode")
    solid_ohm_m2 = positive.thickness_um * M_PER_UM / (3.0 * positive.solid_conductivity_S_per_m)
    circuit = _circuit(cell)._replace(resistance_ohm_m2=solid_ohm_m2)
    parts = electrode(cell.working, cell), particles(positive, cell), circuit
    return _switched(parts[0], without), positive, _switched(parts[1], without), _switched(parts[2], without)


def particles(positive: Positive, cell: Cell) -> Particles:
    """The positive electrode for the kernel."""
    area = positive.particle_area_m2_per_m2
    per_cycle_C = 2.0 * positive.areal_capacity_mAh_per_cm2 * C_PER_M2_PER_mAh_PER_CM2
    host, separator = cell.host, cell.separator
    pores_um = separator.porosity * separator.thickness_um + positive.porosity * positive.thickness_um
    pores_um += host.porosity * host.thickness_um if host else 0.0
    pores_uL = pores_um * CM_PER_UM * cell.area_cm2 / CM3_PER_uL
    sei_mAh_per_C = cell.area_cm2 / C_PER_M2_PER_mAh_PER_CM2
    return Particles(
        area=area,
        exchange_A_per_m2=positive.exchange_current_density_A_per_m2
        * cell.electrolyte.salt_mol_per_L**positive.exchange_exponent_salt,
        salt_exponent=positive.exchange_exponent_salt,
        lithium_exponent=positive.exchange_exponent_lithium,
        vacant_exponent=positive.exchange_exponent_vacant,
        sites_C_per_m2=sites_C_per_m2(positive),
        double_layer_F_per_m2=positive.double_layer_uF_per_cm2 * MICRO / M2_PER_CM2 * area,
        resistance_per_C=positive.resistance_growth_ohm_cm2_per_cycle * M2_PER_CM2 / per_cycle_C,
        loss_per_C=positive.active_loss_per_cycle / per_cycle_C,
        dry_per_C=cell.solvent_used_uL_per_mAh * sei_mAh_per_C / pores_uL,
        filled=cell.electrolyte_volume_uL / pores_uL,
    )


def electrode(part: Host | Collector | Foil, cell: Cell) -> Electrode:
    """One electrode for the kernel; a foil under a host plates and strips in the host, and strips itself."""
    surface = part.interlayer if isinstance(part, Foil) and part.interlayer else part
    host = surface if isinstance(surface, Host) else None
    coating = host.coating if host else None
    pore_C = host.pore_capacity_mAh_per_cm2 * C_PER_M2_PER_mAh_PER_CM2 if host else 0.0
    ohm, per_limit = _dead_layer(surface.dead_porosity, surface.dead_tortuosity, cell)
    real_area = surface.wetted_area_m2_per_m2 / M2_PER_CM2
    return Electrode(
        area_pores=host.pore_area_m2_per_m2 if host else 0.0,
        area_top=surface.top_area_m2_per_m2,
        area_foil=1.0 if isinstance(part, Foil) else 0.0,
        exchange_A_per_m2=surface.exchange_current_density_A_per_m2 * _salt_factor(cell),
        double_layer_F_per_m2=surface.double_layer_uF_per_cm2 * MICRO * real_area,
        pore_C_per_m2=pore_C,
        pore_edge_C_per_m2=host.pore_edge * pore_C if host else UNUSED,
        stretching=host.swelling if host else 0.0,
        wet_when_full=host.wet_when_full if host else UNUSED,
        fade_C_per_m2=surface.fade_capacity_mAh_per_cm2 * C_PER_M2_PER_mAh_PER_CM2,
        nucleation_V=surface.nucleation_overpotential_mV * MILLI,
        nucleation_C_per_m2=surface.nucleation_capacity_mAh_per_cm2 * C_PER_M2_PER_mAh_PER_CM2,
        sei_per_plated=surface.sei_per_plated,
        isolated_per_stripped=surface.isolated_per_stripped,
        isolation_exponent=surface.isolation_exponent,
        revival_pores_per_s=surface.revival_rate_per_s,
        revival_top_per_s=surface.revival_rate_per_s if surface.revival_reach == "everywhere" else 0.0,
        oxide_C_per_m2=coating.conversion_mAh_per_cm2 * C_PER_M2_PER_mAh_PER_CM2 if coating else 0.0,
        conversion_V=coating.conversion_voltage_V if coating else 0.0,
        alloy_V=coating.alloy_voltage_V if coating else 0.0,
        reaction_s=coating.reaction_time_s if coating else UNUSED,
        dead_ohm_m2_per_C=ohm,
        dead_per_limit=per_limit,
        film_ohm_m2=surface.film_resistance_ohm_cm2 * M2_PER_CM2,
    )


def kelvin_of(cell: Cell) -> float:
    """The cell's temperature, K."""
    return cell.temperature_C + ZERO_CELSIUS_K


def _transport(cell: Cell) -> tuple[float, float, float, float]:
    """Salt mol/m3, conductivity S/m, diffusivity m2/s, transference number of the electrolyte as filled in."""
    known, kelvin = cell.electrolyte, kelvin_of(cell)
    c = known.salt_mol_per_m3
    kappa = float(known.conductivity_S_per_m(c, kelvin))
    if not kappa > 0:
        raise InputError(f"electrolyte.conductivity: {kappa:g} S/m at {cell.temperature_C:g} C; must be above 0")
    return (
        c,
        kappa,
        float(known.diffusivity_m2_per_s(c, kelvin)),
        float(known.transference_number(c, kelvin)),
    )


def _salt_factor(cell: Cell) -> float:
    """Exchange current with the salt as filled in, over that at 1 mol/L."""
    return float(cell.electrolyte.salt_mol_per_L**SALT_EXPONENT)


def _dead_layer(porosity: float, tortuosity: float, cell: Cell) -> tuple[float, float]:
    """Resistance of a dead layer, and its inverse limiting current, both for each C/m2 of dead lithium on top."""
    c, kappa, diffusivity, transference = _transport(cell)
    per_charge_m = M_PER_UM / (LITHIUM_mAh_PER_CM2_PER_UM * C_PER_M2_PER_mAh_PER_CM2) / (1.0 - porosity)
    ohm = per_charge_m * tortuosity / (kappa * porosity)
    flux = FARADAY_C_PER_MOL * c * diffusivity * porosity
    return ohm, per_charge_m * tortuosity * (1.0 - transference) / flux


def _circuit(cell: Cell) -> Circuit:
    _, kappa, _, transference = _transport(cell)
    kelvin = kelvin_of(cell)
    thermal_V = GAS_CONSTANT_J_PER_MOL_K * kelvin / FARADAY_C_PER_MOL
    factor = float(cell.electrolyte.thermodynamic_factor(cell.electrolyte.salt_mol_per_m3, kelvin))
    separator, host = cell.separator, cell.host
    ohm = separator.thickness_um * M_PER_UM / (kappa * separator.porosity**separator.bruggeman)
    if host is not None:
        layers = 2 if cell.kind == "symmetric" else 1
        ohm += layers * PORE_SHARE * host.thickness_um * M_PER_UM / (kappa * host.porosity**HOST_BRUGGEMAN)
    return Circuit(
        f_per_V=1.0 / thermal_V,
        resistance_ohm_m2=ohm,
        contact_ohm_m2=cell.contact_resistance_ohm_cm2 * M2_PER_CM2,
        counter_per_working=cell.counter_area_cm2 / cell.area_cm2,
        gradient_V=2.0 * thermal_V * (1.0 - transference) * factor,
        inventory_C_per_m2=cell.additive_mAh_per_cm2 * C_PER_M2_PER_mAh_PER_CM2,
        sei_factor_at_end=cell.sei_factor_after_additive,
        sei_width=cell.additive_end_width,
        short_S_per_m2=cell.short_conductance_S_per_cm2 / M2_PER_CM2,
        short_onset_C_per_m2=cell.short_onset_mAh_per_cm2 * C_PER_M2_PER_mAh_PER_CM2,
        short_scale_C_per_m2=cell.short_scale_mAh_per_cm2 * C_PER_M2_PER_mAh_PER_CM2,
    )
