"""A cell as it is built: electrodes, stack, electrolyte and case, so that masses, volumes and energy can be counted.

What is derived (facing pairs, areas, faces) is never asked for, so that no factor of two can be forgotten. A cell of
parts/cell.py is what the electrochemistry sees of it; this is what a scale and a caliper see.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from interlith.parts.layer import Layer, Material, Sized, wrong
from interlith.units import MM_PER_CM, UM_PER_MM, mAh_PER_Ah

Basis = Literal["coated", "delivered", "rated"]
FOIL = "foil"
MOST_LAYERS = 40
AMOUNTS = ("g_per_Ah", "volume_mL", "overfill")
MORE_THAN_COATED = 0.05  # by which more may be delivered than was coated: rounding
MOST_RATED_RATIO = 3.0  # of two capacities of one cell; beyond, one of them has another unit


class Plane(Sized):
    """A flat shape: width_cm and height_cm, or diameter_mm of a disc."""

    width_cm: float | None = None
    height_cm: float | None = None
    diameter_mm: float | None = None

    @model_validator(mode="after")
    def _one_shape(self) -> Self:
        sides = (self.width_cm, self.height_cm)
        if (self.diameter_mm is None) == (None in sides) or (self.diameter_mm is not None and any(sides)):
            raise ValueError("width_cm and height_cm, or diameter_mm: one shape")
        return self

    @property
    def across_cm(self) -> tuple[float, float]:
        """Width and height of the rectangle, or the diameter twice."""
        if self.diameter_mm is not None:
            return self.diameter_mm / MM_PER_CM, self.diameter_mm / MM_PER_CM
        assert self.width_cm is not None
        assert self.height_cm is not None
        return self.width_cm, self.height_cm

    @property
    def area_cm2(self) -> float:
        """Of one face.

        >>> round(Plane(diameter_mm=12.0).area_cm2, 3), Plane(width_cm=4.5, height_cm=6.2).area_cm2
        (1.131, 27.900000000000002)
        """
        width, height = self.across_cm
        return width * height * (math.pi / 4.0 if self.diameter_mm is not None else 1.0)


class Electrode(Plane):
    """A sheet: a current collector, and on each face the same layers, listed from the collector outwards.

    two_sided: False leaves one face bare. foil: None where the innermost layer carries itself. flag_cm2: bare collector
    of each sheet that leads to the tab.
    """

    foil: Layer | None = None
    layers: tuple[Layer, ...] = Field(default=(), max_length=MOST_LAYERS)
    two_sided: bool = True
    flag_cm2: float = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def _named(self) -> Self:
        names = [layer.name for layer in self.layers]
        for place, name in enumerate(names, start=1):
            if name == FOIL:
                raise wrong("layers", f"layers: layer {place} has no name, or that of the foil; give it one of its own")
            if names.count(name) > 1:
                raise wrong("layers", f"layers: {names.count(name)} are called {name}; each has a name of its own")
        if self.foil is None and not self.layers:
            raise ValueError("an electrode needs a foil or a layer")
        return self

    @property
    def n_faces(self) -> int:
        """Faces of one sheet that carry layers."""
        return 2 if self.two_sided else 1

    @property
    def face_mAh_per_cm2(self) -> float:
        """What the layers of one face hold."""
        return sum((layer.mAh_per_cm2 for layer in self.layers), 0.0)


class Stack(Plane):
    """How many sheets, and the separator between them: its layer, and its own width and height or diameter.

    sheets: n_separators single sheets, by default one per facing pair; z-fold: one band with n_separators passes, and
    at each turn fold_mm of it along its height.
    """

    n_positive: int = Field(ge=1, le=10_000)
    n_negative: int = Field(ge=1, le=10_000)
    separator: Layer
    scheme: Literal["sheets", "z-fold"] = "sheets"
    n_separators: int | None = Field(default=None, ge=1, le=20_001)
    fold_mm: float = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def _alternates(self) -> Self:
        if abs(self.n_positive - self.n_negative) > 1:
            raise wrong(
                "n_negative",
                f"n_positive = {self.n_positive} and n_negative = {self.n_negative}: they alternate, so the numbers "
                "differ by 1 at most",
            )
        if (self.fold_mm > 0) != (self.scheme == "z-fold"):
            need = "a z-fold has folds: give their length" if self.scheme == "z-fold" else "only a z-fold has folds"
            raise wrong("fold_mm", f"fold_mm: {need}")
        if self.n_separators is not None and self.n_separators < self.n_pairs:
            said = f"n_separators = {self.n_separators}: {self.n_pairs} facing pairs need as many at least"
            raise wrong("n_separators", said)
        return self

    @property
    def n_pairs(self) -> int:
        """Facing pairs of a positive and a negative face: one less than there are sheets."""
        return self.n_positive + self.n_negative - 1

    @property
    def n_passes(self) -> int:
        """Passes of the separator."""
        return self.n_pairs if self.n_separators is None else self.n_separators

    @property
    def separator_cm2(self) -> float:
        """All separator in the cell, folds included."""
        _, height = self.across_cm
        folds = height * self.fold_mm / MM_PER_CM * np.maximum(self.n_passes - 1, 0)
        return self.n_passes * self.area_cm2 + folds


class Filling(Sized):
    """The electrolyte and its amount, by exactly one rule.

    g_per_Ah, of the capacity that `basis` names: coated (all that faces), delivered, or rated (what 1C is
    made of); volume_mL; or overfill, volume over that of all pores.
    """

    material: Material
    g_per_Ah: float | None = None
    basis: Basis | None = None
    volume_mL: float | None = None
    overfill: float | None = None

    @model_validator(mode="after")
    def _one_amount(self) -> Self:
        given = [name for name in AMOUNTS if getattr(self, name) is not None]
        if len(given) != 1:
            got = f"{' and '.join(given)} are given" if given else "none is given"
            raise wrong(given[-1] if given else "material", f"exactly one of {', '.join(AMOUNTS)}: {got}")
        if self.g_per_Ah is not None and self.basis is None:
            raise wrong("g_per_Ah", "of which capacity? basis = coated, delivered or rated")
        if self.g_per_Ah is None and self.basis is not None:
            raise wrong("basis", f"basis: belongs to g_per_Ah; the amount is given as {given[0]}")
        return self


class Tabs(Sized):
    """Two strips of metal that lead out, of one size."""

    positive: Material
    negative: Material
    width_mm: float
    length_mm: float
    thickness_mm: float

    @property
    def mass_g(self) -> float:
        """Of both: width times length times thickness times the densities."""
        volume_cm3 = self.width_mm * self.length_mm * self.thickness_mm / MM_PER_CM**3
        return volume_cm3 * (self.positive.density_g_per_cm3 + self.negative.density_g_per_cm3)


class Pouch(Sized):
    """Two sheets of laminate around the stack, two tabs, tape.

    margin_width_mm, margin_height_mm: by how much a sheet is wider and higher than the larger electrode, both sides
    together. A formed cup is stretched, so its walls add no mass. most_depth_mm: of the cup, or of both cups together.
    """

    kind: Literal["pouch"] = "pouch"
    laminate: tuple[Layer, ...] = Field(min_length=1, max_length=MOST_LAYERS)
    margin_width_mm: float = Field(ge=0)
    margin_height_mm: float = Field(ge=0)
    tabs: Tabs
    tape_g: float = Field(default=0.0, ge=0)
    most_depth_mm: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _named(self) -> Self:
        names = [layer.name for layer in self.laminate]
        if len(set(names)) < len(names):
            raise wrong("laminate", "laminate: each layer has a name of its own")
        return self

    @property
    def laminate_mg_per_cm2(self) -> float:
        """Of one sheet, all its layers."""
        return sum((layer.mg_per_cm2 for layer in self.laminate), 0.0)

    @property
    def laminate_um(self) -> float:
        """Of one sheet, all its layers."""
        return sum((layer.um for layer in self.laminate), 0.0)


class Coin(Sized):
    """The parts of a coin cell that hold no charge, and the room within and without.

    size: in a file, the name of a shipped one (CR2032), from which all that is not given is taken.
    """

    kind: Literal["coin"] = "coin"
    size: str = ""
    case_g: float = Field(gt=0)
    spacers_g: float = Field(ge=0)
    spring_g: float = Field(ge=0)
    spacers_mm: float = Field(ge=0)
    inner_diameter_mm: float = Field(gt=0)
    inner_height_mm: float = Field(gt=0)
    outer_diameter_mm: float = Field(gt=0)
    outer_height_mm: float = Field(gt=0)

    @model_validator(mode="after")
    def _has_walls(self) -> Self:
        for name in ("diameter_mm", "height_mm"):
            inner, outer = getattr(self, f"inner_{name}"), getattr(self, f"outer_{name}")
            if inner >= outer:
                raise wrong(f"outer_{name}", f"outer_{name} = {outer:g}: the room within is {inner:g} mm")
        return self


@cache
def coin_sizes() -> Mapping[str, Any]:
    """Tables of the shipped sizes of coin cells, as a file would hold them.

    >>> list(coin_sizes())
    ['CR2032']
    """
    return tomllib.loads(resources.files("interlith.parts").joinpath("coins.toml").read_text(encoding="utf-8"))


class CellDesign(Sized):
    """A cell as built.

    rated_capacity_Ah: what its maker calls 1C times an hour. delivered_capacity_Ah: what it delivers; None: all that
    the positive was coated with. polarization_mV: of the mean discharge voltage below the open circuit, at the rate of
    the energy; curve_offset_mV: added to the open circuit, for a curve of another material.

    Refuses an overhang below 0, a case that does not hold the stack, amounts that contradict each other by their unit.
    """

    positive: Electrode
    negative: Electrode
    stack: Stack
    electrolyte: Filling
    case: Pouch | Coin = Field(discriminator="kind")
    lower_voltage_V: float
    upper_voltage_V: float
    polarization_mV: float = Field(ge=0)
    curve_offset_mV: float = Field(default=0.0, ge=-300, le=300)
    rated_capacity_Ah: float | None = None
    delivered_capacity_Ah: float | None = None
    pressure_MPa: float | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not self.lower_voltage_V < self.upper_voltage_V:
            raise wrong("lower_voltage_V", "lower_voltage_V must lie below upper_voltage_V")
        if not any(layer.holds_lithium for layer in self.positive.layers):
            raise wrong("positive.layers", "positive: no layer has a capacity; a positive needs one")
        if self.coating.material.open_circuit is None:
            name = self.coating.material.name
            raise wrong(
                f"materials.{name}", f"{name}: no open_circuit; the energy needs one (a shipped name, or a curve)"
            )
        self._porous()
        self._overhangs()
        self._two_sided()
        self._within_case()
        self._capacities()
        return self

    @property
    def coating(self) -> Layer:
        """The layer of the positive that holds the lithium."""
        return next(layer for layer in self.positive.layers if layer.holds_lithium)

    @property
    def coated_Ah(self) -> float:
        """What all facing area of the positive holds; coating on outer faces is no part of it."""
        return self.facing_cm2 * self.positive.face_mAh_per_cm2 * self.stack.n_pairs / mAh_PER_Ah

    @property
    def facing_cm2(self) -> float:
        """Area of one pair that faces: of the smaller electrode, which is the positive."""
        return self.positive.area_cm2

    def n_outer(self, electrode: Electrode, n_sheets: int) -> int:
        """Faces with layers that look at no counter electrode."""
        return electrode.n_faces * n_sheets - self.stack.n_pairs

    def _overhangs(self) -> None:
        pairs = (("negative", self.negative, self.positive), ("stack", self.stack, self.negative))
        for place, outer, inner in pairs:
            key = "width_cm" if outer.diameter_mm is None else "diameter_mm"
            if (outer.diameter_mm is None) != (inner.diameter_mm is None):
                raise wrong(f"{place}.{key}", f"{place}: a disc and a rectangle in one stack")
            for name, large, small in zip(("width_cm", "height_cm"), outer.across_cm, inner.across_cm, strict=True):
                if large < small:
                    what = "separator" if place == "stack" else place
                    inside = "negative" if place == "stack" else "positive"
                    key = name if outer.diameter_mm is None else "diameter_mm"
                    raise wrong(
                        f"{place}.{key}",
                        f"{place}.{key} = {large:g} cm: the {what} must reach beyond the {inside}, {small:g} cm; the "
                        f"overhang would be {(large - small) / 2:.3g} cm on each side",
                    )

    def _porous(self) -> None:
        """A coating and a separator without pores would hold no electrolyte: their porosity is asked for."""
        asked = [(f"positive.{layer.name}", layer) for layer in self.positive.layers if layer.holds_lithium]
        for place, layer in (*asked, ("stack.separator", self.stack.separator)):
            if not layer.void_possible:
                more = "thickness_um" if layer.thickness_um is None else "areal_mass_mg_per_cm2"
                raise wrong(f"{place}.porosity", f"{place}.porosity: must be given, or {more}, from which it follows")

        layers = (*self.positive.layers, *self.negative.layers, self.stack.separator)
        if self.electrolyte.overfill is not None and not any(layer.void_um > 0 for layer in layers):
            raise wrong("electrolyte.overfill", "electrolyte.overfill: there are no pores that it could fill")

    def _two_sided(self) -> None:
        n_sheets = self.stack.n_positive + self.stack.n_negative
        for place, electrode in (("positive", self.positive), ("negative", self.negative)):
            if electrode.two_sided and isinstance(self.case, Coin) and n_sheets == 2 and electrode.layers:
                said = f"{place}.two_sided: the one sheet of a coin cell faces to one side; two_sided = false"
                raise wrong(f"{place}.two_sided", said)
            if not electrode.two_sided and n_sheets > 2:
                raise wrong(
                    f"{place}.two_sided",
                    f"{place}.two_sided = false: an inner sheet of {n_sheets} has two facing sides",
                )

    def _within_case(self) -> None:
        stack_mm = self.stack_um / UM_PER_MM
        most, place = (
            (self.case.inner_height_mm - self.case.spacers_mm, "case.inner_height_mm")
            if isinstance(self.case, Coin)
            else (self.case.most_depth_mm, "case.most_depth_mm")
        )
        if most is not None and stack_mm > most:
            held = self.stack.n_positive * most / stack_mm
            raise wrong(
                place,
                f"{place}: the stack of {self.stack.n_positive} positive sheets is {stack_mm:.2f} mm thick, the case "
                f"holds {most:g} mm, about {math.floor(held)} positive sheets",
            )
        if isinstance(self.case, Pouch):
            margins = (self.case.margin_width_mm, self.case.margin_height_mm)
            for name, larger, separator, margin in zip(
                ("margin_width_mm", "margin_height_mm"),
                self.negative.across_cm,
                self.stack.across_cm,
                margins,
                strict=True,
            ):
                if larger + margin / MM_PER_CM < separator:
                    said = f"case.{name} = {margin:g}: the laminate would be smaller than the separator"
                    raise wrong(f"case.{name}", said)
        if isinstance(self.case, Coin):
            width, _ = self.stack.across_cm
            if width * MM_PER_CM > self.case.inner_diameter_mm:
                raise wrong("case.inner_diameter_mm", f"stack.diameter_mm = {width * MM_PER_CM:g}: wider than the case")

    def _capacities(self) -> None:
        for place in ("rated_capacity_Ah", "delivered_capacity_Ah"):
            given = getattr(self, place)
            if given is None:
                continue
            ratio = given / self.coated_Ah
            if place.startswith("delivered") and 1.0 + MORE_THAN_COATED < ratio < MOST_RATED_RATIO:
                raise wrong(
                    place, f"{place} = {given:g}: more than the {self.coated_Ah:.4g} Ah that the positive holds"
                )
            if not 1 / MOST_RATED_RATIO < ratio < MOST_RATED_RATIO:
                slip = next((f for f in (1e-3, 1e3) if 1 / MOST_RATED_RATIO < ratio * f < MOST_RATED_RATIO), None)
                hint = f" Did you mean {given * slip:g}?" if slip else ""
                raise wrong(place, f"{place} = {given:g}: the positive is coated with {self.coated_Ah:.4g} Ah.{hint}")
        if self.electrolyte.basis == "rated" and self.rated_capacity_Ah is None:
            raise wrong("electrolyte.basis", "electrolyte.basis = rated: rated_capacity_Ah is not given")

    @property
    def stack_um(self) -> float:
        """Thickness of all sheets, coatings and separators, as built and uncompressed.

        On an outer face lie the layers that are there; a z-fold counts its passes.
        """
        total = self.stack.n_passes * self.stack.separator.um
        for electrode, n_sheets in ((self.positive, self.stack.n_positive), (self.negative, self.stack.n_negative)):
            total = total + n_sheets * (0.0 if electrode.foil is None else electrode.foil.um)
            outer = self.n_outer(electrode, n_sheets)
            for layer in electrode.layers:
                total = total + layer.um * (self.stack.n_pairs + outer * layer.on_outer_faces)
        return total
