"""A deposition as a person writes it: a host as fibres or as an image, and the box of voxels that is computed.

title = "my paper"
sample = "cp-zno-002"          # a shipped sample, whose porosity and thickness hold where [network] gives none
electrolyte = "litfsi-dol-dme-lino3"   # counts its resistance; without it lithium ions are everywhere alike
[gap]                          # length_um, porosity: to a counter electrode; salt is used up, with that electrolyte
[network]                      # fibres: bundle_diameter_um, fibre_length_um, tilt_deg; alignment
[box]                          # width_um, voxel_um, seeds = [1, 2, 3]
[image]                        # instead of [network] and [box]: file = "stack.tif" beside this one
[protocol]                     # constant currents and rests: name, [[protocol.steps]]
[deposition]                   # values changed in the set of the sample, for instance lithium_contact = 0.5
[[published]]                  # what was measured, beside which results are shown: never an input
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from interlith.deposit.fibres import fibre_network
from interlith.deposit.images import read_stack
from interlith.deposit.network import Network
from interlith.errors import InputError
from interlith.parts.cell import Host
from interlith.parts.changes import HERE, changed
from interlith.parts.deposition import Deposition, deposition, deposition_names
from interlith.parts.fibres import FibreNetwork
from interlith.parts.from_file import part_of, tables_of
from interlith.parts.layer import wrong
from interlith.parts.part import Part
from interlith.parts.samples import sample
from interlith.protocol import Protocol
from interlith.written import File, Written, opened, shipped, validated_table

PACKAGE = "interlith.deposit"
FITTED = "reference-deposit"  # whose values were fitted to heights
OF_THE_SAMPLE = ("porosity", "thickness_um")
MOST_SEEDS = 100


class Box(Written):
    """The box that is computed: its width, both ways, its voxels, and one network for each seed."""

    width_um: float = Field(gt=0, le=10_000)
    voxel_um: float = Field(gt=0, le=100)
    seeds: tuple[int, ...] = Field(min_length=1, max_length=MOST_SEEDS)

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if len(set(self.seeds)) < len(self.seeds) or min(self.seeds) < 0:
            raise wrong("seeds", "seeds: whole numbers from 0 on, each once")
        return self


class Image(Written):
    """A segmented stack: what `read_stack` takes."""

    file: str
    voxel_um: float | None = Field(default=None, gt=0)
    solid_values: tuple[float, ...] = ()
    axis: Literal["z", "y", "x"] = "z"
    is_flipped: bool = False
    is_periodic: bool = False


class Gap(Written):
    """The gap between a host and a counter electrode of lithium: salt is used up in it. It needs `electrolyte`.

    length_um: from the host's top as made. porosity: of what fills it; 1 is electrolyte alone.
    """

    length_um: float = Field(gt=0, le=10_000)
    porosity: float = Field(default=1.0, gt=0, le=1)


class Published(Written):
    """What was measured of a sample, beside which ours is shown: low and high the same where it is one number.

    plated_mAh_per_cm2: what is plated at a thickness; after_cycles: whose last strip leaves a stripped thickness.
    is_fitted: the shipped set of the sample was fitted to it.
    """

    sample: str
    quantity: Literal["thickness_um", "stripped_thickness_um", "onset_mAh_per_cm2"]
    plated_mAh_per_cm2: float | None = Field(default=None, gt=0)
    after_cycles: int | None = Field(default=None, gt=0)
    low: float
    high: float
    source: str
    is_fitted: bool = False

    @model_validator(mode="after")
    def _when(self) -> Self:
        if self.sample not in (known := deposition_names()):
            raise wrong("sample", f"sample = {self.sample!r}: one of {', '.join(known)}")
        if not self.low <= self.high:
            raise wrong("low", f"low = {self.low:g} and high = {self.high:g}: low comes first")
        if (self.quantity == "thickness_um") != (self.plated_mAh_per_cm2 is not None):
            raise wrong("plated_mAh_per_cm2", "plated_mAh_per_cm2: goes with a thickness, and with it alone")
        if (self.quantity == "stripped_thickness_um") != (self.after_cycles is not None):
            raise wrong("after_cycles", "after_cycles: goes with a stripped thickness, and with it alone")
        return self


class _Fibres(Part):
    network: FibreNetwork


class Asked(Written):
    """What a file holds besides its fibres. electrolyte: a shipped one, whose resistance then counts."""

    title: str
    source: str = HERE
    note: str = ""
    sample: str | None = None
    electrolyte: str | None = None
    gap: Gap | None = None
    box: Box | None = None
    image: Image | None = None
    protocol: Protocol | None = None
    published: tuple[Published, ...] = Field(default=(), max_length=100)

    @model_validator(mode="after")
    def _salt(self) -> Self:
        if self.gap is not None and self.electrolyte is None:
            raise wrong("gap", "gap: needs electrolyte, a shipped one, whose salt is used up in it")
        return self

    @model_validator(mode="after")
    def _published_once(self) -> Self:
        """Of two numbers for one thing only one could stand beside ours."""
        of = [(one.sample, one.quantity, one.plated_mAh_per_cm2, one.after_cycles) for one in self.published]
        for name, quantity, *_ in (one for n, one in enumerate(of) if one in of[:n]):
            raise wrong("published", f"published: {quantity} of {name} stands there twice; give low and high of both")
        return self


@dataclass(frozen=True)
class DepositFile:
    """A file as read: fibres with their box, or an image with the folder in which it lies; changes: [deposition]."""

    name: str
    asked: Asked
    fibres: FibreNetwork | None
    changes: Mapping[str, Any]
    folder: Path

    @property
    def is_of_the_sample(self) -> bool:
        """Whether fibres have the porosity and the thickness of the sample's paper; an image is taken to have them."""
        if self.fibres is None or self.asked.sample is None:
            return True
        host = sample(self.asked.sample)
        return all(getattr(host, name) == getattr(self.fibres, name) for name in OF_THE_SAMPLE)

    def published(self, quantity: str) -> list[Published]:
        """What was published of the sample; nothing where the paper is another one than the sample's."""
        own = self.asked.sample if self.is_of_the_sample else None
        return [one for one in self.asked.published if (one.sample, one.quantity) == (own, quantity)]

    @property
    def seeds(self) -> tuple[int, ...]:
        """One for each network; an image is one, and has none."""
        return () if self.asked.box is None else self.asked.box.seeds

    @property
    def n_networks(self) -> int:
        """One for each seed, or that of the image."""
        return max(1, len(self.seeds))

    @property
    def n_voxels(self) -> float:
        """Of a box of fibres; 0 for an image, whose voxels are known when it is read."""
        if self.fibres is None or self.asked.box is None:
            return 0.0
        return self.fibres.thickness_um * self.asked.box.width_um**2 / self.asked.box.voxel_um**3

    def deposition(self) -> Deposition:
        """What the surfaces do with lithium: the set of the sample, as the file changes it. Raises InputError."""
        if self.asked.sample is None:
            raise InputError(f"{self.name}: plating needs sample = one of {', '.join(deposition_names())}")
        return changed(deposition(self.asked.sample), self.changes)

    @cached_property
    def is_changed(self) -> bool:
        """Whether values, host or currents are not those that were fitted; where they are from does not count."""
        if self.asked.sample is None:
            return False
        fitted = read_deposit(FITTED, other_sample=self.asked.sample)
        return self._fits != fitted._fits

    @property
    def _fits(self) -> tuple[Any, ...]:
        """What a height depends on, but the voxels."""
        steps = () if self.asked.protocol is None else self.asked.protocol.executed()
        currents = {abs(getattr(step, "signed_mA_per_cm2", 0.0)) for step in steps} - {0.0}
        parts = (self.deposition(), self.fibres)
        return currents, self.asked.gap, *(part and part.model_dump(exclude={"origins"}) for part in parts)

    def network(self, place: int) -> Network:
        """The network of that place. Raises InputError where fibres, box or image cannot be used."""
        asked = self.asked
        if asked.image is not None:
            given = asked.image.model_dump(exclude={"file"})
            return read_stack(self.folder / asked.image.file, **given)
        assert self.fibres is not None
        assert asked.box is not None
        seed = asked.box.seeds[place]
        return fibre_network(self.fibres, width_um=asked.box.width_um, voxel_um=asked.box.voxel_um, seed=seed)


def deposit_names() -> list[str]:
    """Names of the shipped files.

    >>> deposit_names()
    ['optical-cell', 'reference-deposit', 'two-hundred-cycles']
    """
    return shipped(PACKAGE)


def read_deposit(given: str, other_sample: str | None = None, n_voxels: int | None = None) -> DepositFile:
    """A file by its path, or a shipped one by its name, with another sample, or so many voxels across the box.

    Raises InputError with file, line and key.

    >>> read_deposit("reference-deposit", n_voxels=64).asked.box.voxel_um
    0.5
    """
    file = opened(given, PACKAGE)
    known = (*Asked.model_fields, "network", "deposition")
    table = tables_of(file, known, "a deposition")
    asked = validated_table(file, Asked, {key: table[key] for key in table if key in Asked.model_fields})
    changes = table.get("deposition", {})
    if not isinstance(changes, Mapping):
        raise file.at(("deposition",), "deposition: a table, [deposition]")
    _check_one(file, table, other_sample, n_voxels)
    _check_changes(file, other_sample or asked.sample, changes)
    name = file.name.removesuffix(".toml")
    if "image" in table:
        return DepositFile(name, asked, None, changes, file.folder)
    box = asked.box
    assert box is not None
    named = other_sample or asked.sample
    held = {**_of_sample(file, table["network"], named, is_other=other_sample is not None), **table["network"]}
    fibres = part_of(file, _Fibres, {"network": held}, {}).network
    if n_voxels is not None:
        box = box.model_copy(update={"voxel_um": box.width_um / n_voxels})
    return DepositFile(name, asked.model_copy(update={"sample": named, "box": box}), fibres, changes, file.folder)


def _check_one(file: File, table: Mapping[str, Any], other_sample: str | None, n_voxels: int | None) -> None:
    """Fibres in a box, or an image; options that go with fibres only with them."""
    is_image, is_fibres = "image" in table, "network" in table
    if is_image and (is_fibres or "box" in table):
        raise file.at(("image",), "image: instead of [network] and [box], not beside them")
    if not is_image and not (is_fibres and "box" in table):
        raise InputError(f"{file.name}: [network] and [box], or [image], must be given")
    if is_fibres and not isinstance(table["network"], Mapping):
        raise file.at(("network",), "network: a table, [network]")
    given = {"--sample": other_sample, "--voxels": n_voxels}
    for name in (name for name in given if is_image and given[name] is not None):
        raise InputError(f"{name}: goes with fibres; {file.name} has an image")


def _check_changes(file: File, named: str | None, changes: Mapping[str, Any]) -> None:
    """Whether each value can stand in the set of the sample; a contradiction between them is told at the table."""
    if named not in deposition_names():
        return
    for keys, some in [*(((key,), {key: changes[key]}) for key in changes), ((), changes)]:
        try:
            changed(deposition(named), some)
        except InputError as problem:
            raise file.at(("deposition", *keys), f"deposition.{problem}") from problem


def _of_sample(file: File, own: Mapping[str, Any], named: str | None, *, is_other: bool) -> dict[str, Any]:
    """Porosity and thickness of a sample's paper, as a file would say them."""
    if named is None:
        return {}
    said = [name for name in OF_THE_SAMPLE if name in own]
    if is_other and said:
        raise file.at(
            ("network", said[0]), f"--sample {named}: network.{said[0]} is said in the file; leave it out there"
        )
    try:
        host = sample(named)
    except InputError as problem:
        raise problem if is_other else file.at(("sample",), f"sample = {problem}") from problem
    if not isinstance(host, Host):
        raise InputError(f"{named}: a bare collector has no network of fibres")
    return {
        name: {"value": getattr(host, name), **host.origin(name).model_dump(include={"kind", "source"})}
        for name in OF_THE_SAMPLE
    }


def image_file(path: Path, voxel_um: float | None, solid_values: tuple[float, ...]) -> DepositFile:
    """An image by itself, as if a file said it. Raises InputError for voxels of no width."""
    if voxel_um is not None and not 0.0 < voxel_um < math.inf:
        raise InputError(f"--voxel-um {voxel_um:g}: more than 0")
    image = Image(file=path.name, voxel_um=voxel_um, solid_values=solid_values)
    return DepositFile(path.stem, Asked(title=f"Network of {path.name}", image=image), None, {}, path.parent)
