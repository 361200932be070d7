"""How lithium is plated on and stripped from a host in voxels: kinetics, nucleation, migration, contact, SEI."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from pydantic import Field

from interlith.errors import InputError, did_you_mean
from interlith.parts.part import Part, with_origins

LAYERS, OXIDE = ("common", "coated"), "cp-zno"  # of the file: under all sets, and under those whose names begin so
NOTE = "note"


class Deposition(Part):
    """What the surfaces in a host do with lithium. Three classes of bare surface: fibre, oxide on fibres, collector.

    exchange_current_density_A_per_m2: on lithium at 1 mol/L. fibre_ease, oxide_ease, collector_ease: exchange current
    on bare surface over that on lithium. *_nucleation_mV: overpotential below which nothing plates on bare surface.
    nucleus_um: mean thickness of lithium from which on a surface counts as lithium.
    grain_um: size of the patches over which rates vary. ease_spread: standard deviation of the logarithm of the
    exchange current from patch to patch; nucleation_spread: of the nucleation overpotential, over its mean.
    *_migration_um: length over which adatoms even out a rate before they are built in; on lithium itself the last.
    contact_grain_um: size of a body of lithium that hangs together by itself; lithium_contact: probability that two
    such bodies that touch conduct through their SEI; fibre_contact, oxide_contact, collector_contact: that lithium
    which grew elsewhere and touches a surface conducts to it. Where lithium was plated it conducts.
    oxide_coverage: share of the patches of fibre that carry oxide. sei_per_plated: share of the plated charge;
    sei_um: lithium that the SEI of a surface takes, as a thickness: with it the surface per volume of moss follows.
    sei_volume_per_lithium: volume of SEI over that of the lithium whose charge went into it, without its pores.
    void_per_sei: void between the lithium over the host (moss) over its volume, on a scale that the voxels do not show,
    per share of the charge that goes into SEI, at 1 mA/cm2; it grows with the current to the power of void_exponent.
    fill_before_swelling: share of the pores of a layer that lithium and SEI fill before they push the layer apart; SEI
    over the host packs likewise.
    stiffness_MPa: pressure over strain of a layer that is pushed apart; it costs lithium its molar volume times that.

    >>> deposition("cp-zno-002").origin("oxide_contact").kind
    'assumed'
    """

    name: str
    exchange_current_density_A_per_m2: float = Field(ge=1e-6, le=1e6)
    fibre_ease: float = Field(gt=0, le=1e3)
    oxide_ease: float = Field(gt=0, le=1e3)
    collector_ease: float = Field(gt=0, le=1e3)
    fibre_nucleation_mV: float = Field(ge=0, lt=500)
    oxide_nucleation_mV: float = Field(ge=0, lt=500)
    collector_nucleation_mV: float = Field(ge=0, lt=500)
    nucleus_um: float = Field(gt=0, le=10)
    grain_um: float = Field(gt=0)
    ease_spread: float = Field(ge=0, le=3)
    nucleation_spread: float = Field(ge=0, le=1)
    fibre_migration_um: float = Field(ge=0, le=1e3)
    oxide_migration_um: float = Field(ge=0, le=1e3)
    lithium_migration_um: float = Field(ge=0, le=1e3)
    contact_grain_um: float = Field(gt=0)
    lithium_contact: float = Field(ge=0, le=1)
    fibre_contact: float = Field(ge=0, le=1)
    oxide_contact: float = Field(ge=0, le=1)
    collector_contact: float = Field(ge=0, le=1)
    oxide_coverage: float = Field(ge=0, le=1)
    sei_per_plated: float = Field(ge=0, lt=1)
    sei_um: float = Field(gt=0, le=1)
    sei_volume_per_lithium: float = Field(ge=0, le=20)
    void_per_sei: float = Field(ge=0, le=1e5)
    void_exponent: float = Field(ge=0, le=2)
    fill_before_swelling: float = Field(gt=0.05, le=1)
    stiffness_MPa: float = Field(ge=0, le=1e6)
    temperature_C: float = Field(gt=-60, lt=120)


@cache
def _file() -> Mapping[str, Any]:
    return tomllib.loads(resources.files("interlith.parts").joinpath("deposition.toml").read_text(encoding="utf-8"))


def deposition_names() -> tuple[str, ...]:
    """Names of the shipped sets.

    >>> deposition_names()
    ('cp', 'cp-zno-002', 'cp-zno-020', 'cp-zno-202', 'cp-zno-mixed', 'cu')
    """
    return tuple(name for name in _file() if name not in LAYERS)


@cache
def deposition(name: str) -> Deposition:
    """A shipped set by name. Raises InputError naming the nearest."""
    known = deposition_names()
    if name not in known:
        hint = did_you_mean(name, known)
        raise InputError(f"{name}: no shipped set for deposition; these are: {', '.join(known)}.{hint}")
    layers = LAYERS if name.startswith(OXIDE) else LAYERS[:1]
    held = {key: value for layer in (*layers, name) for key, value in _file()[layer].items() if key != NOTE}
    return Deposition(name=name, **with_origins(held))


def deposition_note(name: str) -> str:
    """What must be said wherever a shipped set is used; empty for most."""
    return str(_file().get(name, {}).get(NOTE, ""))
