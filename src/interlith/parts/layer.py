"""Materials, and layers of them: of the two or three numbers that fix a layer, each may be given; the rest follows.

Whatever is given is used as given. A layer that has more than it needs is over-determined: `checks` says what does not
close, and nothing is overwritten.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, ClassVar, Self

import numpy as np
from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from interlith.audit import CLOSES_WITHIN
from interlith.errors import InputError, did_you_mean
from interlith.parts.electrolyte import electrolyte, electrolyte_names
from interlith.parts.part import Part, with_origins
from interlith.parts.plausible import slip
from interlith.parts.positive import Curve
from interlith.units import G_PER_KG, MG_PER_CM2_PER_UM_G_PER_CM3, MG_PER_G

EMPTY_WITHIN = 0.1  # relative; of the thickness of a layer in two measurements


def wrong(place: str, message: str) -> PydanticCustomError:
    """A contradiction between values, at one of them: place is the dotted name of the value to look at."""
    return PydanticCustomError("contradiction", "{message}", {"message": message, "place": place})


class Sized(Part):
    """Base of the parts of a design: a value that cannot be meant is refused, with what was likely meant."""

    @field_validator("*")
    @classmethod
    def _meant(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            said = slip(info.field_name or "", float(value))
            if said is not None:
                raise ValueError(said)
        return value


class Material(Sized):
    """What a layer is made of: its density without pores, and what lithium does with it.

    specific_capacity_mAh_per_g: reversible, in the window it is used in. first_charge_mAh_per_g: what a positive gives
    the first time; the difference stays on the negative. conversion_capacity_mAh_per_g: lithium that it takes once and
    keeps; alloy_capacity_mAh_per_g: that it takes besides and gives back. open_circuit: of a positive, the name of a
    shipped one or a curve of your own. price_per_kg: in your currency; none is shipped.
    """

    shared_as: ClassVar[str] = "materials"  # one material in several layers is one value

    name: str
    title: str = ""
    density_g_per_cm3: float = Field(gt=0)
    specific_capacity_mAh_per_g: float | None = Field(default=None, gt=0)
    first_charge_mAh_per_g: float | None = Field(default=None, gt=0)
    conversion_capacity_mAh_per_g: float = Field(default=0.0, ge=0)
    alloy_capacity_mAh_per_g: float = Field(default=0.0, ge=0)
    price_per_kg: float | None = Field(default=None, ge=0)
    open_circuit: str | Curve | None = None


@dataclass(frozen=True)
class Check:
    """A value that is given beside the same value as other given ones have it."""

    what: str
    given: float
    implied: float
    unit: str
    by: str

    @property
    def difference(self) -> float:
        """implied / given - 1."""
        return float(self.implied / self.given - 1.0)

    @property
    def closes(self) -> bool:
        """Whether the two agree as far as people round."""
        return abs(self.difference) <= CLOSES_WITHIN


class Layer(Sized):
    """A sheet or a coating on one face: thickness, porosity and areal mass, of which two fix the third.

    material, active_fraction of the mass; rest: the material of the remainder. A layer with a specific capacity can
    have areal_capacity_mAh_per_cm2 instead of areal_mass_mg_per_cm2; the areal mass then follows from it. Without a
    porosity the layer is dense unless areal mass and thickness say otherwise. on_outer_faces: whether the faces that
    look at no counter electrode carry it too. filled_um: thickness over the lithium plated into it, pairs of mAh/cm2
    and um, the first at 0.

    >>> copper = Layer(material=material("copper"), thickness_um=6.0, porosity=0.0, areal_mass_mg_per_cm2=5.88)
    >>> [(check.what, round(check.implied, 2), check.closes) for check in copper.checks()]
    [('areal_mass_mg_per_cm2', 5.38, False)]
    """

    name: str = "foil"
    material: Material
    active_fraction: float = 1.0
    rest: Material | None = None
    thickness_um: float | None = None
    porosity: float | None = None
    areal_mass_mg_per_cm2: float | None = None
    areal_capacity_mAh_per_cm2: float | None = None
    specific_capacity_mAh_per_g: float | None = None
    on_outer_faces: bool = True
    filled_um: tuple[tuple[float, float], ...] | None = None

    @model_validator(mode="after")
    def _determined(self) -> Self:
        if self.rest is None and self.active_fraction != 1.0:
            raise wrong(
                "active_fraction", f"active_fraction = {self.active_fraction:g}: name the rest, or leave both away"
            )
        by_capacity = self.areal_capacity_mAh_per_cm2 is not None and self.areal_mass_mg_per_cm2 is None
        if by_capacity and self.capacity_mAh_per_g is None:
            said = f"areal_capacity_mAh_per_cm2: {self.material.name} has no specific capacity; give one"
            raise wrong("areal_capacity_mAh_per_cm2", said)
        if self.porosity == 1.0:
            raise wrong("porosity", "porosity = 1: nothing but pores; a layer has some solid")
        given = (self.thickness_um, self.areal_mass_mg_per_cm2, self.areal_capacity_mAh_per_cm2)
        if all(value is None for value in given):
            raise ValueError("thickness_um, areal_mass_mg_per_cm2 or areal_capacity_mAh_per_cm2: at least one")
        if self.filled_um is not None:
            self._filling(self.filled_um)
        return self

    def _filling(self, points: tuple[tuple[float, float], ...]) -> None:
        charges = [charge for charge, _ in points]
        if len(charges) < 2 or charges[0] != 0 or sorted(set(charges)) != charges or min(um for _, um in points) <= 0:
            raise wrong("filled_um", "filled_um: two or more pairs of mAh/cm2 and um above 0, from 0 mAh/cm2 upwards")
        if self.thickness_um is not None and abs(points[0][1] / self.thickness_um - 1.0) > EMPTY_WITHIN:
            said = f"filled_um begins at {points[0][1]:g} um, thickness_um is {self.thickness_um:g}: one empty layer"
            raise wrong("filled_um", said)

    @property
    def solid_g_per_cm3(self) -> float:
        """Density without pores, of the mixture: 1 / sum of mass fraction over density."""
        if self.rest is None:
            return self.material.density_g_per_cm3
        others = (1.0 - self.active_fraction) / self.rest.density_g_per_cm3
        return 1.0 / (self.active_fraction / self.material.density_g_per_cm3 + others)

    @property
    def capacity_mAh_per_g(self) -> float | None:
        """Per mass of the active material: the layer's own, else the material's."""
        own = self.specific_capacity_mAh_per_g
        return self.material.specific_capacity_mAh_per_g if own is None else own

    @property
    def holds_lithium(self) -> bool:
        """Whether it has a reversible capacity."""
        return self.areal_capacity_mAh_per_cm2 is not None or self.capacity_mAh_per_g is not None

    @property
    def mg_per_cm2(self) -> float:
        """Areal mass as given; else of the areal capacity; else of thickness, porosity and density."""
        if self.areal_mass_mg_per_cm2 is not None:
            return self.areal_mass_mg_per_cm2
        if self.areal_capacity_mAh_per_cm2 is not None and self.capacity_mAh_per_g is not None:
            return self.areal_capacity_mAh_per_cm2 * MG_PER_G / (self.capacity_mAh_per_g * self.active_fraction)
        return self._mass_of_thickness

    @property
    def _mass_of_thickness(self) -> float:
        dense = 1.0 - (0.0 if self.porosity is None else self.porosity)
        um = 0.0 if self.thickness_um is None else self.thickness_um
        return um * dense * self.solid_g_per_cm3 * MG_PER_CM2_PER_UM_G_PER_CM3

    @property
    def solid_um(self) -> float:
        """Thickness that it would have without pores."""
        return self.mg_per_cm2 / (self.solid_g_per_cm3 * MG_PER_CM2_PER_UM_G_PER_CM3)

    @property
    def um(self) -> float:
        """Thickness as given, else of areal mass, porosity and density."""
        if self.thickness_um is not None:
            return self.thickness_um
        return self.solid_um / (1.0 - (0.0 if self.porosity is None else self.porosity))

    @property
    def void_possible(self) -> bool:
        """Whether it may have pores: a porosity is given, or thickness and mass apart from each other."""
        apart = self.areal_mass_mg_per_cm2 is not None or self.areal_capacity_mAh_per_cm2 is not None
        return self.porosity is not None or (self.thickness_um is not None and apart)

    @property
    def void_um(self) -> float:
        """Pores as a thickness: um times porosity as given; else what the solid leaves, never below 0."""
        if self.porosity is not None:
            return self.um * self.porosity
        void: float = np.maximum(self.um - self.solid_um, 0.0)
        return void

    @property
    def mAh_per_cm2(self) -> float:
        """Areal capacity as given, else of areal mass and specific capacity; 0 where lithium does not go."""
        if self.areal_capacity_mAh_per_cm2 is not None:
            return self.areal_capacity_mAh_per_cm2
        if self.capacity_mAh_per_g is None:
            return 0.0
        return self.mg_per_cm2 * self.active_fraction * self.capacity_mAh_per_g / MG_PER_G

    @property
    def surplus_mAh_per_cm2(self) -> float:
        """Lithium that the first charge gives and no discharge takes back; 0 where the first charge is not known."""
        first, own = self.material.first_charge_mAh_per_g, self.capacity_mAh_per_g
        if first is None or own is None:
            return 0.0
        surplus: float = np.maximum(first - own, 0.0) * self.mg_per_cm2 * self.active_fraction / MG_PER_G
        return surplus

    def taken_mAh_per_cm2(self, how: str) -> float:
        """Lithium that its materials take by `how`: "conversion" (kept) or "alloy" (given back).

        >>> host = Layer(name="host", material=material("carbon-nanotubes"), active_fraction=0.8759,
        ...              rest=material("zinc-oxide"), areal_mass_mg_per_cm2=1.0, thickness_um=20.0)
        >>> round(host.taken_mAh_per_cm2("conversion"), 3), round(host.taken_mAh_per_cm2("alloy"), 3)
        (0.082, 0.041)
        """
        key = f"{how}_capacity_mAh_per_g"
        other = 0.0 if self.rest is None else (1.0 - self.active_fraction) * getattr(self.rest, key)
        return self.mg_per_cm2 * (self.active_fraction * getattr(self.material, key) + other) / MG_PER_G

    def um_when_filled(self, mAh_per_cm2: float) -> float | None:
        """Thickness with so much lithium plated into it, as measured; None without such data.

        Straight between the points and on beyond the last.
        """
        if self.filled_um is None:
            return None
        charge, um = np.array(self.filled_um).T
        slope = (um[-1] - um[-2]) / (charge[-1] - charge[-2])
        beyond = np.maximum(np.asarray(mAh_per_cm2) - charge[-1], 0.0)
        found: float = np.interp(mAh_per_cm2, charge, um) + slope * beyond
        return found

    @property
    def price_per_cm2(self) -> float | None:
        """In the currency of its materials; None where one of them has no price."""
        shares = [(self.material, self.active_fraction)]
        if self.rest is not None:
            shares.append((self.rest, 1.0 - self.active_fraction))
        per_g = 0.0
        for held, share in shares:
            if held.price_per_kg is None:
                return None
            per_g += held.price_per_kg * share / G_PER_KG
        return per_g * self.mg_per_cm2 / MG_PER_G

    def checks(self) -> list[Check]:
        """Every given number that other given ones have too, whether they agree or not."""
        found = []
        mass, um = self.areal_mass_mg_per_cm2, self.thickness_um
        if mass is None and self.areal_capacity_mAh_per_cm2 is not None:
            mass = self.mg_per_cm2
        if mass is not None and um is not None and self.porosity is not None:
            by = f"{um:g} um, porosity {self.porosity:g}, {self.solid_g_per_cm3:.3g} g/cm3"
            found.append(Check("areal_mass_mg_per_cm2", mass, self._mass_of_thickness, "mg/cm2", by))
        if self.areal_mass_mg_per_cm2 is not None and self.areal_capacity_mAh_per_cm2 is not None:
            active_mg = self.areal_mass_mg_per_cm2 * self.active_fraction
            implied = self.areal_capacity_mAh_per_cm2 * MG_PER_G / active_mg
            if self.capacity_mAh_per_g is not None:
                by = f"{self.areal_capacity_mAh_per_cm2:g} mAh/cm2 of {active_mg:.4g} mg/cm2 active"
                found.append(Check("specific_capacity_mAh_per_g", self.capacity_mAh_per_g, implied, "mAh/g", by))
        return found


@cache
def _file() -> Mapping[str, Any]:
    return tomllib.loads(resources.files("interlith.parts").joinpath("materials.toml").read_text(encoding="utf-8"))


def material_names() -> tuple[str, ...]:
    """Names of the shipped materials; the shipped electrolytes are among them.

    >>> {"lithium", "lipf6-ec-dmc-vc"} <= set(material_names())
    True
    """
    return (*_file(), *electrolyte_names())


@cache
def material(name: str) -> Material:
    """A shipped material by name. Raises InputError naming the nearest.

    >>> material("copper").density_g_per_cm3, material("copper").price_per_kg is None
    (8.96, True)
    """
    if name in electrolyte_names():
        liquid = electrolyte(name)
        origins = {"density_g_per_cm3": liquid.origin("density_g_per_cm3")}
        title = f"{liquid.salt_mol_per_L:g} mol/L {liquid.salt} in {liquid.solvent}"
        return Material(name=name, title=title, density_g_per_cm3=liquid.density_g_per_cm3, origins=origins)
    if name not in _file():
        hint = did_you_mean(name.lower(), material_names(), cutoff=0.5)
        raise InputError(f"{name}: not a known material; shipped are: {', '.join(material_names())}.{hint}")
    return Material(name=name, **with_origins(_file()[name]))
