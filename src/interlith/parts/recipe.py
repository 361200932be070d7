"""The making of a host: powder, doses of atomic layer deposition, growth, and the paper that is made of the powder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from interlith.errors import PhysicsError
from interlith.parts.layer import Material, Sized, material, wrong
from interlith.parts.part import Origin
from interlith.units import M3_PER_CM3, M_PER_NM, TORR_PER_ATM

Weighed = Literal["wet", "dried", "carbonized"]
FRACTION = "fraction_"
MOST_CYCLES, MOST_STEPS, MOST_PULSES = 10_000, 1000, 1000
LEAST_STEP_Torr = 1e-6


class Assuming(Sized):
    """Base of the parts that assume a value where none is given: with its range, as if a file had said so."""

    assumed: ClassVar[Mapping[str, tuple[float, float, float, str]]] = {}  # value, low, high, source

    @model_validator(mode="before")
    @classmethod
    def _filled_in(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        missing = {name: held for name, held in cls.assumed.items() if name not in given}
        origins = {
            name: Origin(kind="assumed", source=source, low=low, high=high)
            for name, (_, low, high, source) in missing.items()
        }
        values = {name: held[0] for name, held in missing.items()}
        return {**given, **values, "origins": {**given.get("origins", {}), **origins}}


class Powder(Assuming):
    """Tubes or fibres that are coated: by their diameters, or by their area as measured (BET).

    inner_diameter_nm: of a tube's bore; 0: solid. surface_area_m2_per_g: goes before the area of the diameters.
    ash_wt_fraction: what is left of the bare powder when it is burnt. lump_diameter_mm: of its largest lumps.

    >>> round(Powder(outer_diameter_nm=20, inner_diameter_nm=7).geometric_area_m2_per_g, 1)
    108.5
    """

    assumed: ClassVar[Mapping[str, tuple[float, float, float, str]]] = {
        "heat_capacity_J_per_g_K": (1.07, 0.9, 1.2, "judgement: carbon at 200 C"),
        "lump_density_g_per_cm3": (0.1, 0.05, 0.3, "judgement: loose powder"),
    }

    material: Material = Field(default_factory=lambda: material("carbon-nanotubes"))
    outer_diameter_nm: float | None = None
    inner_diameter_nm: float = Field(default=0.0, ge=0)
    surface_area_m2_per_g: float | None = None
    ash_wt_fraction: float = Field(default=0.0, lt=1)
    lump_diameter_mm: float | None = None
    lump_density_g_per_cm3: float
    heat_capacity_J_per_g_K: float

    @model_validator(mode="after")
    def _has_an_area(self) -> Self:
        if self.outer_diameter_nm is None and self.surface_area_m2_per_g is None:
            raise ValueError("outer_diameter_nm or surface_area_m2_per_g: at least one")
        if self.outer_diameter_nm is None and self.inner_diameter_nm:
            raise wrong("inner_diameter_nm", "inner_diameter_nm: goes with outer_diameter_nm; give both, or neither")
        if self.outer_diameter_nm is not None and self.inner_diameter_nm >= self.outer_diameter_nm:
            said = f"inner_diameter_nm = {self.inner_diameter_nm:g}: below outer_diameter_nm"
            raise wrong("inner_diameter_nm", f"{said} = {self.outer_diameter_nm:g}")
        if self.lump_density_g_per_cm3 >= self.material.density_g_per_cm3:
            said = f"lump_density_g_per_cm3 = {self.lump_density_g_per_cm3:g}: below that of {self.material.name}"
            raise wrong("lump_density_g_per_cm3", f"{said}, {self.material.density_g_per_cm3:g}")
        return self

    @property
    def geometric_area_m2_per_g(self) -> float | None:
        """Outer area of the tubes over their mass, 2 r / (rho (r^2 - r_i^2)); None without diameters."""
        if self.outer_diameter_nm is None:
            return None
        outer, inner = self.outer_diameter_nm / 2.0, self.inner_diameter_nm / 2.0
        return 2.0 * outer / (self.material.density_g_per_cm3 * (outer**2 - inner**2)) * M3_PER_CM3 / M_PER_NM

    @property
    def area_m2_per_g(self) -> float:
        """Area as measured, else that of the diameters."""
        if self.surface_area_m2_per_g is not None:
            return self.surface_area_m2_per_g
        found = self.geometric_area_m2_per_g
        assert found is not None
        return found


class Dose(Sized):
    """One gas let into the closed chamber, held, and pumped away; then the chamber is purged.

    pressure_steps_Torr: by how much each step raises the pressure; their sum is what is held. source_temperature_C: of
    the vessel that the gas comes from. fill_s: of one step. n_pulses: how often the gas is let in, held and pumped away
    before the purge; gas and times multiply.
    """

    pressure_steps_Torr: tuple[float, ...] = Field(min_length=1, max_length=MOST_STEPS)
    source_temperature_C: float = Field(gt=-50, lt=300)
    n_pulses: int = Field(default=1, ge=1, le=MOST_PULSES)
    fill_s: float = 0.0
    hold_s: float = 0.0
    pump_s: float = 0.0
    purge_s: float = 0.0

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        if min(self.pressure_steps_Torr) <= 0:
            raise wrong("pressure_steps_Torr", "pressure_steps_Torr: each step raises the pressure: above 0")
        if min(self.pressure_steps_Torr) < LEAST_STEP_Torr:
            said = (
                f"pressure_steps_Torr: a step of {min(self.pressure_steps_Torr):g} Torr: at least {LEAST_STEP_Torr:g}"
            )
            raise wrong("pressure_steps_Torr", said)
        if self.pressure_Torr > TORR_PER_ATM:
            said = f"pressure_steps_Torr: {self.pressure_Torr:g} Torr in all, above one atmosphere; they are rises"
            raise wrong("pressure_steps_Torr", said)
        return self

    @property
    def pressure_Torr(self) -> float:
        """What is held: the sum of the steps."""
        return sum(self.pressure_steps_Torr)

    @property
    def time_s(self) -> float:
        """From the first fill to the end of the purge."""
        pulse_s = self.fill_s * len(self.pressure_steps_Torr) + self.hold_s + self.pump_s
        return self.n_pulses * pulse_s + self.purge_s


class Growth(Sized):
    """How zinc oxide grows: nuclei on the powder, and how much one saturating cycle adds to them.

    nuclei_per_um2: there at the first cycle. Instead nuclei_at_most_per_um2 and ozone_constant_min, of which ozone for
    t minutes makes nuclei_at_most (1 - exp(-t / constant)); both are yours to fit. nuclei_per_um2_per_cycle: that come
    with each later cycle.
    """

    growth_per_cycle_nm: float
    nuclei_per_um2: float | None = None
    nuclei_at_most_per_um2: float | None = None
    ozone_constant_min: float | None = None
    nuclei_per_um2_per_cycle: float = 0.0

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        by_ozone = (self.nuclei_at_most_per_um2, self.ozone_constant_min)
        if self.nuclei_per_um2 is None and by_ozone == (None, None):
            raise ValueError("nuclei_per_um2, or nuclei_at_most_per_um2 with ozone_constant_min: must be given")
        if by_ozone != (None, None) and (self.nuclei_per_um2 is not None or None in by_ozone):
            raise ValueError("nuclei_at_most_per_um2 and ozone_constant_min: both, and then no nuclei_per_um2")
        return self


class Prices(Sized):
    """What things cost, in the currency of the file; none is shipped."""

    diethylzinc_per_kg: float
    powder_per_kg: float
    argon_per_m3: float = 0.0
    argon_m3_per_cycle: float = 0.0
    reactor_per_h: float = 0.0


class Paper(Sized):
    """A sheet filtered from coated powder and a fibre that binds it, dried and carbonized.

    powder_fraction: of the coated powder in the dry sheet before carbonizing; the rest is the fibre, of which
    char_yield is left. weighed: the state in which areal_mass_mg_per_cm2 was weighed; solvent_fraction: of the mass of
    the wet sheet. thickness_um: as finished. conductivity_S_per_cm: of the sheet (four probes); else that of its solid
    and of a percolation law, sigma_0 (phi - phi_c)^t.
    """

    areal_mass_mg_per_cm2: float
    thickness_um: float
    weighed: Weighed = "carbonized"
    powder_fraction: float
    char_yield: float
    solvent_fraction: float = Field(default=0.0, ge=0, le=0.999)
    conductivity_S_per_cm: float | None = None
    solid_conductivity_S_per_cm: float | None = None
    percolation_threshold: float = Field(default=0.0, ge=0, lt=1)
    percolation_exponent: float | None = Field(default=None, ge=0, le=10)

    @model_validator(mode="after")
    def _weighed_somehow(self) -> Self:
        if self.weighed == "wet" and not self.solvent_fraction:
            raise wrong("solvent_fraction", 'solvent_fraction: goes with weighed = "wet"; must be given, above 0')
        if self.weighed != "wet" and self.solvent_fraction:
            said = f'solvent_fraction = {self.solvent_fraction:g}: goes with weighed = "wet" alone'
            raise wrong("solvent_fraction", f"{said}; a {self.weighed} sheet holds none")
        return self

    @model_validator(mode="after")
    def _conducts_somehow(self) -> Self:
        if self.solid_conductivity_S_per_cm is not None and self.percolation_exponent is None:
            said = "percolation_exponent: goes with solid_conductivity_S_per_cm; about 2, from 1.3 to 2.5"
            raise wrong("percolation_exponent", said)
        for name in ("percolation_exponent", "percolation_threshold"):
            if getattr(self, name) and self.solid_conductivity_S_per_cm is None:
                raise wrong(name, f"{name}: goes with solid_conductivity_S_per_cm")
        if self.conductivity_S_per_cm is not None and self.solid_conductivity_S_per_cm is not None:
            said = "conductivity_S_per_cm: of the sheet, by four probes; then no solid_conductivity_S_per_cm"
            raise wrong("conductivity_S_per_cm", said)
        return self

    @property
    def finished_per_dried(self) -> float:
        """Mass after carbonizing over that before: f + (1 - f) y, f the powder's share and y the char yield."""
        return self.powder_fraction + (1.0 - self.powder_fraction) * self.char_yield

    @property
    def finished_mg_per_cm2(self) -> float:
        """Areal mass of the finished paper, whenever it was weighed.

        >>> sheet = Paper(areal_mass_mg_per_cm2=1, thickness_um=20, powder_fraction=0.9, char_yield=0.2,
        ...               weighed="dried")
        >>> round(sheet.finished_mg_per_cm2, 3)
        0.92
        """
        if self.weighed == "carbonized":
            return self.areal_mass_mg_per_cm2
        return self.areal_mass_mg_per_cm2 * (1.0 - self.solvent_fraction) * self.finished_per_dried

    @property
    def powder_share(self) -> float:
        """Coated powder in the finished paper, by mass; the rest is char."""
        return self.powder_fraction / self.finished_per_dried


class MeasuredHost(Sized):
    """What was measured of the coated powder or of the paper; it goes before what is computed.

    loading_wt_fraction: of what was weighed, the paper where the recipe has one. fraction_hkl: shares of orientations,
    of a stated set of lines, as `interlith characterize` gives them.
    """

    loading_wt_fraction: float | None = None
    particle_diameter_nm: float | None = None
    coverage: float | None = Field(default=None, ge=0, le=1)
    crystallite_size_nm: float | None = None
    fraction_100: float | None = Field(default=None, ge=0, le=1)
    fraction_002: float | None = Field(default=None, ge=0, le=1)
    fraction_101: float | None = Field(default=None, ge=0, le=1)
    fraction_102: float | None = Field(default=None, ge=0, le=1)
    fraction_110: float | None = Field(default=None, ge=0, le=1)
    fraction_103: float | None = Field(default=None, ge=0, le=1)
    fraction_112: float | None = Field(default=None, ge=0, le=1)

    @property
    def fractions(self) -> dict[str, float]:
        """Shares of orientations by their Miller indices, as text."""
        names = [name for name in type(self).model_fields if name.startswith(FRACTION)]
        held = {name.removeprefix(FRACTION): getattr(self, name) for name in names}
        return {hkl: share for hkl, share in held.items() if share is not None}


class Recipe(Assuming):
    """Everything that is done to a batch of powder, and, if it is made into one, to the paper.

    reactor_volume_L: that the gases fill. temperature_C: of the powder during deposition. ozone_min: of ozone before
    the first cycle. reaction_heat_kJ_per_mol: set free by one mole of zinc oxide.
    """

    assumed: ClassVar[Mapping[str, tuple[float, float, float, str]]] = {
        "reaction_heat_kJ_per_mol": (
            332.0,
            300.0,
            360.0,
            "judgement: Zn(C2H5)2 + H2O -> ZnO + 2 C2H6, of enthalpies of formation; that of the gas was not confirmed",
        )
    }

    powder: Powder
    oxide: Material = Field(default_factory=lambda: material("zinc-oxide"))
    batch_mass_kg: float
    reactor_volume_L: float
    temperature_C: float = Field(gt=0, lt=600)
    n_cycles: int = Field(ge=1, le=MOST_CYCLES)
    heating_h: float = 0.0
    ozone_min: float = 0.0
    reaction_heat_kJ_per_mol: float
    zinc: Dose
    water: Dose
    growth: Growth
    prices: Prices | None = None
    paper: Paper | None = None
    measured: MeasuredHost | None = None

    def weighed_loading(self, powder_loading: float) -> float:
        """Mass fraction of oxide in what a TGA weighs: the finished paper, or the powder where there is no paper."""
        return powder_loading * (1.0 if self.paper is None else self.paper.powder_share)

    def residue(self, powder_loading: float) -> float:
        """What a TGA in air leaves of what it weighs: the oxide, and the ash of the bare powder in it."""
        bare = self.weighed_loading(1.0) - self.weighed_loading(powder_loading)
        return self.weighed_loading(powder_loading) + self.powder.ash_wt_fraction * bare

    def powder_loading(self, weighed_loading: float) -> float:
        """The loading of the powder, of that of what a TGA weighs.

        Raises PhysicsError where the paper would hold more oxide than powder.
        """
        found = weighed_loading / (1.0 if self.paper is None else self.paper.powder_share)
        if not 0.0 <= found < 1.0:
            raise PhysicsError(f"a loading of {weighed_loading:.3g} of the paper: more oxide than coated powder in it")
        return found
