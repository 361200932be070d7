"""The parts of a cell: surfaces on which lithium is plated, foil, separator, and the cell of them.

The positive electrode of full and anode-free cells stands in parts/positive.py.

All per geometric area. What a surface does with lithium (SEI, isolation, revival) belongs to the pair of surface and
electrolyte; it stands with the surface because a person changes it there.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from interlith.parts.electrolyte import Electrolyte
from interlith.parts.part import Part
from interlith.parts.positive import Positive
from interlith.units import (
    FARADAY_C_PER_MOL,
    SECONDS_PER_HOUR,
    ZINC_OXIDE_G_PER_MOL,
    LITHIUM_mAh_PER_CM2_PER_UM,
    mAh_PER_Ah,
)

Reach = Literal["pores", "everywhere"]


class Surface(Part):
    """What every surface has on which lithium is plated: areas, kinetics, and what becomes of the lithium.

    The exchange current density is that at 1 mol/L of salt. film_resistance_ohm_cm2: of the film on lithium, per real
    area.
    """

    name: str
    top_area_m2_per_m2: float = Field(gt=0)
    exchange_current_density_A_per_m2: float = Field(ge=1e-6, le=1e6)
    nucleation_overpotential_mV: float = Field(ge=0, lt=500)
    nucleation_capacity_mAh_per_cm2: float = Field(gt=0)
    fade_capacity_mAh_per_cm2: float = Field(gt=0)
    wetted_area_m2_per_m2: float = Field(gt=0)
    double_layer_uF_per_cm2: float = Field(gt=0)
    sei_per_plated: float = Field(ge=0, lt=1)
    isolated_per_stripped: float = Field(ge=0, lt=10)
    isolation_exponent: float = Field(ge=0, le=2)
    revival_rate_per_s: float = Field(ge=0)
    revival_reach: Reach
    cap_porosity: float = Field(ge=0, lt=1)
    dead_porosity: float = Field(gt=0, lt=1)
    dead_tortuosity: float = Field(ge=1)
    film_resistance_ohm_cm2: float = Field(ge=0)


class Coating(Part):
    """Zinc oxide on the fibres of a host."""

    zinc_oxide_mg_per_cm2: float = Field(ge=0)
    conversion_voltage_V: float
    alloy_voltage_V: float
    reaction_time_s: float = Field(gt=0)

    @property
    def conversion_mAh_per_cm2(self) -> float:
        """Charge of ZnO + 2 Li+ + 2 e- -> Zn + Li2O; the alloy LiZn takes half of it on top."""
        moles = self.zinc_oxide_mg_per_cm2 / mAh_PER_Ah / ZINC_OXIDE_G_PER_MOL
        return 2.0 * moles * FARADAY_C_PER_MOL / SECONDS_PER_HOUR * mAh_PER_Ah


class Host(Surface):
    """A conducting paper whose pores take lithium; `porosity` and `thickness_um` as made.

    swelling: share of the volume of the lithium in its pores by which the paper grows; 0 rigid, 1 its void is kept.
    wet_when_full: share of the void that still conducts where lithium fills the pores.
    """

    kind: Literal["host"] = "host"
    thickness_um: float = Field(gt=0)
    porosity: float = Field(gt=1e-4, lt=1)
    thickness_at_5_mAh_per_cm2_um: float | None = Field(default=None, gt=0)
    pore_area_m2_per_m2: float = Field(gt=0)
    pore_edge: float = Field(gt=0, lt=1)
    swelling: float = Field(ge=0, le=10)
    wet_when_full: float = Field(gt=0, lt=1)
    coating: Coating | None = None

    @property
    def pore_capacity_mAh_per_cm2(self) -> float:
        """Dense lithium that fills the pores of the paper as made."""
        return self.porosity * self.thickness_um * LITHIUM_mAh_PER_CM2_PER_UM


class Collector(Surface):
    """A bare metal sheet, for instance copper."""

    kind: Literal["collector"] = "collector"


class Foil(Surface):
    """Lithium foil of finite thickness, with or without a host lying on it."""

    kind: Literal["foil"] = "foil"
    thickness_um: float = Field(gt=0)
    interlayer: Host | None = None

    @property
    def areal_capacity_mAh_per_cm2(self) -> float:
        """All lithium of the foil."""
        return self.thickness_um * LITHIUM_mAh_PER_CM2_PER_UM


class Separator(Part):
    """A porous film between the electrodes; its conductivity falls as porosity ** bruggeman."""

    name: str
    thickness_um: float = Field(gt=0)
    porosity: float = Field(gt=1e-4, le=1)
    bruggeman: float = Field(ge=1, le=10)


class Cell(Part):
    """Host, collector or foil against a counter electrode, and what lies between.

    half: host or collector against foil; symmetric: two equal foils, with or without host; full: foil, with or without
    host, against a positive electrode; anode-free: host or collector against one. `working` is always the electrode on
    which lithium is plated and whose lithium the ledger follows; in the last two it is the negative.

    contact_resistance_ohm_cm2: all that is neither electrolyte nor lithium. initial_voltage_V: of the working
    electrode against lithium before the test; a host that was never plated has its open-circuit voltage.
    solvent_used_uL_per_mAh: electrolyte that SEI takes with it; 0: no drying out.
    """

    kind: Literal["half", "symmetric", "full", "anode-free"]
    working: Host | Collector | Foil = Field(discriminator="kind")
    counter: Foil | Positive = Field(discriminator="kind")
    electrolyte: Electrolyte
    separator: Separator
    area_cm2: float = Field(gt=0)
    counter_area_cm2: float = Field(gt=0)
    electrolyte_volume_uL: float = Field(gt=0)
    temperature_C: float = Field(gt=-60, lt=120)
    contact_resistance_ohm_cm2: float = Field(ge=0)
    initial_voltage_V: float = Field(ge=-0.5, le=5)
    sei_factor_after_additive: float = Field(ge=1)
    additive_end_width: float = Field(gt=0)
    solvent_used_uL_per_mAh: float = Field(ge=0)
    short_conductance_S_per_cm2: float = Field(ge=0)
    short_onset_mAh_per_cm2: float = Field(ge=0)
    short_scale_mAh_per_cm2: float = Field(gt=0)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        foil, positive = isinstance(self.working, Foil), isinstance(self.counter, Positive)
        if self.kind == "symmetric" and not foil:
            raise ValueError("a symmetric cell has lithium on both sides: working.kind = 'foil', with an interlayer")
        if self.kind in ("half", "anode-free") and foil:
            raise ValueError(
                f"{self.kind}: lithium is plated on a host or a collector: working.kind = 'host' or 'collector'"
            )
        if self.kind == "full" and not foil:
            raise ValueError("a full cell has lithium foil as its negative: working.kind = 'foil'; without, anode-free")
        if positive != (self.kind in ("full", "anode-free")):
            raise ValueError(f"{self.kind}: counter.kind = '{'foil' if positive else 'positive'}'")
        if positive and self.area_cm2 != self.counter_area_cm2:
            raise ValueError("full and anode-free: area_cm2 = counter_area_cm2, the facing area of both electrodes")
        return self

    @property
    def polarity(self) -> int:
        """1 where the working electrode is the positive terminal, -1 where it is the negative."""
        return -1 if isinstance(self.counter, Positive) else 1

    @property
    def host(self) -> Host | None:
        """The host under test, wherever it lies."""
        if isinstance(self.working, Foil):
            return self.working.interlayer
        return self.working if isinstance(self.working, Host) else None

    @property
    def additive_mAh_per_cm2(self) -> float:
        """Charge of the electrolyte's additives per area of the working electrode; 0 without any."""
        return self.electrolyte.inventory_mAh(self.electrolyte_volume_uL) / self.area_cm2
