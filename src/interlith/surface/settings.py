"""How a face is searched: slab, starts, forces, paths. All numbers of the method are here, and told in the result."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from interlith.parts.layer import wrong
from interlith.units import LITHIUM_COHESIVE_eV
from interlith.written import Written

MOST_REPEATS = 20


class Settings(Written):
    """Settings of a search; lengths in A, forces in eV/A, energies in eV.

    n_layers, n_fixed: of the slab, planes of atoms from one cut to the next equal one, the fixed ones at its bottom.
    vacuum_A: above it. least_width_A: the adsorbate is at least so far from its own images, by repeating the surface
    cell; repeat: how often, instead. grid_A: spacing of the starts besides those on top of atoms, on bridges and in
    hollows; seed: where that grid lies. coarse_force_eV_per_A: at which starts in one basin are merged. window_eV:
    minima so far above the best are left out. merge_A: an atom so near to an equal place is at the same site.
    reconstructs_A: an atom of the slab that moved farther means that the surface is another one. image_spacing_A,
    most_images: of a path, which is relaxed to path_force_eV_per_A. most_steps: of each relaxation. n_rounds: how often
    lower places on paths are fed back. adsorbate: an element. cohesive_energy_eV: of its bulk, to which the same
    model's bulk energy is added for one free atom.

    >>> Settings().quick().n_rounds
    1
    """

    n_layers: int = Field(default=4, ge=1, le=40)
    n_fixed: int = Field(default=2, ge=0)
    vacuum_A: float = Field(default=20.0, ge=8, le=60)
    least_width_A: float = Field(default=5.0, ge=2.0, le=30)
    repeat: tuple[int, int] | None = None
    grid_A: float = Field(default=1.3, ge=0.4, le=5)
    coarse_force_eV_per_A: float = Field(default=0.2, ge=0.02, le=1)
    force_eV_per_A: float = Field(default=0.02, ge=1e-3, le=0.2)
    path_force_eV_per_A: float = Field(default=0.05, ge=5e-3, le=0.3)
    image_spacing_A: float = Field(default=0.6, ge=0.2, le=2)
    most_images: int = Field(default=9, ge=3, le=25)
    most_steps: int = Field(default=300, ge=10, le=5000)
    window_eV: float = Field(default=1.0, ge=0.0, le=10)
    merge_A: float = Field(default=0.3, ge=0.05, le=1)
    reconstructs_A: float = Field(default=1.2, ge=0.3, le=5)
    n_rounds: int = Field(default=4, ge=0, le=20)
    adsorbate: str = "Li"
    cohesive_energy_eV: float = Field(default=LITHIUM_COHESIVE_eV, gt=0, le=10)
    seed: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _free(self) -> Self:
        if self.n_fixed >= self.n_layers:
            said = f"n_fixed = {self.n_fixed}: below n_layers = {self.n_layers}, or nothing is free to move"
            raise wrong("n_fixed", said)
        if self.adsorbate != "Li" and "cohesive_energy_eV" not in self.model_fields_set:
            said = f"cohesive_energy_eV: must be given for an adsorbate that is not lithium, here {self.adsorbate}"
            raise wrong("adsorbate", said)
        if self.repeat is not None and not (min(self.repeat) >= 1 and max(self.repeat) <= MOST_REPEATS):
            raise wrong("repeat", f"repeat: two whole numbers, 1 to {MOST_REPEATS}")
        if self.adsorbate != "Li":
            self._check_adsorbate()
        return self

    def _check_adsorbate(self) -> None:
        from ase.data import atomic_numbers

        if atomic_numbers.get(self.adsorbate, 0) == 0:
            raise wrong("adsorbate", f"adsorbate = {self.adsorbate}: not an element's symbol")

    @property
    def adsorbed(self) -> str:
        """The adsorbate in words: lithium."""
        from ase.data import atomic_names, atomic_numbers

        number = atomic_numbers.get(self.adsorbate)
        return self.adsorbate if number is None else atomic_names[number].lower()

    def quick(self) -> Settings:
        """Fewer starts, fewer images, one round of feeding back: a first look."""
        return self.model_copy(
            update={"grid_A": max(self.grid_A, 1.8), "image_spacing_A": 0.9, "most_images": 5, "n_rounds": 1}
        )
