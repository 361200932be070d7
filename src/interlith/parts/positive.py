"""A positive electrode against lithium: how much lithium it holds, at which voltage, and how fast it gives it.

Everything is at 25 C. The shipped sets are published ones, tabulated once from PyBaMM (positives.toml); the electrodes
of Shen et al., Nat. Commun. (2025), doi:10.1038/s41467-025-60609-4, rest on them (electrodes.toml).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache, cached_property
from importlib import resources
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from interlith.errors import InputError, did_you_mean
from interlith.parts.part import STATED, Origin, Part, with_origins
from interlith.units import (
    FARADAY_C_PER_MOL,
    M_PER_UM,
    C_PER_M2_PER_mAh_PER_CM2,
)

Floats = NDArray[np.float64]
# Halvings of a stoichiometry range: 2 ** -52 of it is the spacing of floats
HALVINGS = 52
FARTHEST = 2.0  # end widths beyond `lithiated`; from there on the open circuit falls no further
CURVES = ("open_circuit", "diffusivity")


class Curve(BaseModel):
    """A property over the stoichiometry of lithium, as a table; one point is a constant.

    Between the points a cubic that never overshoots them: slopes of the parabola through three neighbours, limited to
    three times the lesser secant as by Fritsch and Carlson, SIAM J. Numer. Anal. 17, 238 (1980), doi:10.1137/0717021.
    Outside of the table the value of its end. Refuses tables of unequal length, unsorted or not finite ones.

    >>> curve = Curve(stoichiometry=(0.2, 0.5, 1.0), value=(4.4, 4.0, 3.5))
    >>> curve([0.0, 0.2, 0.35, 1.0]).round(3).tolist(), curve.holds(0.1)
    ([4.4, 4.4, 4.191, 3.5], False)
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    stoichiometry: tuple[float, ...] = Field(min_length=1)
    value: tuple[float, ...] = Field(min_length=1)
    origin: Origin = Origin(kind="stated", source=STATED)

    @model_validator(mode="after")
    def _table(self) -> Self:
        if len(self.stoichiometry) != len(self.value):
            raise ValueError(f"{len(self.stoichiometry)} stoichiometries and {len(self.value)} values: as many of each")
        if np.any(np.diff(self.stoichiometry) <= 0):
            raise ValueError("stoichiometry must rise from point to point")
        if not 0 <= self.stoichiometry[0] <= self.stoichiometry[-1] <= 1:
            raise ValueError("stoichiometry: fractions between 0 and 1, lithium per site")
        return self

    @cached_property
    def slopes(self) -> Floats:
        """d value / d stoichiometry at the points, one each; 0 for a constant."""
        x, y = np.array(self.stoichiometry), np.array(self.value)
        if len(x) < 3:
            return np.full(len(x), np.diff(y)[0] / np.diff(x)[0] if len(x) == 2 else 0.0)
        h, secant = np.diff(x), np.diff(y) / np.diff(x)
        inner = (h[:-1] * secant[1:] + h[1:] * secant[:-1]) / (h[:-1] + h[1:])
        slope = np.array([2.0 * secant[0] - inner[0], *inner, 2.0 * secant[-1] - inner[-1]])
        left, right = np.r_[secant[0], secant], np.r_[secant, secant[-1]]
        limit = 3.0 * np.minimum(np.abs(left), np.abs(right))
        rising = np.where(left * right > 0, np.sign(left), 0.0)
        limited: Floats = rising * np.clip(rising * slope, 0.0, limit)
        return limited

    def __call__(self, stoichiometry: ArrayLike) -> Floats:
        """The property at one or more stoichiometries, in the shape given; NaN where NaN is given."""
        x, y = np.array(self.stoichiometry), np.array(self.value)
        asked = np.asarray(stoichiometry, dtype=np.float64)
        at = np.clip(asked, x[0], x[-1])
        if len(x) == 1:
            return y[0] + 0.0 * at
        i = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(x) - 2)
        h = x[i + 1] - x[i]
        t = (at - x[i]) / h
        rise = y[i + 1] - y[i]
        first, last = self.slopes[i] * h, self.slopes[i + 1] * h
        value: Floats = y[i] + t * (first + t * (3.0 * rise - 2.0 * first - last + t * (first + last - 2.0 * rise)))
        return value

    def holds(self, stoichiometry: ArrayLike) -> bool:
        """Whether every point lies inside the table; a constant holds everywhere."""
        at = np.asarray(stoichiometry)
        inside = (self.stoichiometry[0] <= at) & (at <= self.stoichiometry[-1])
        return len(self.stoichiometry) == 1 or bool(np.all(inside))


class Positive(Part):
    """A porous electrode of round particles that take lithium, against lithium metal and at 25 C.

    areal_capacity_mAh_per_cm2: what it gives at equilibrium between lower_voltage_V and upper_voltage_V; the thickness
    follows from it. lithiated: lithium per site as made, the most there is. end_width: lithium per site within which
    the open circuit falls to lower_voltage_V at `lithiated`, where the table ends higher; 0: the table as it is.
    Resistance growth and loss of active material are for each full cycle, charge and discharge; 0: none.
    solid_conductivity_S_per_m: of the whole electrode, pores included. double_layer_uF_per_cm2: per area of particles.
    Exchange current density per area of particles: exchange_current_density_A_per_m2 c^a x^b (1 - x)^d, with c the salt
    in mol/L, x the stoichiometry at the surface, and a, b, d the exponents of salt, lithium and vacant sites.
    open_circuit in V, diffusivity in m2/s.

    Refuses porosity and active_fraction that sum to more than 1, an open_circuit that does not fall throughout or ends
    before `lithiated`, a diffusivity of 0 or less, and a window in which it gives nothing.
    """

    kind: Literal["positive"] = "positive"
    name: str
    areal_capacity_mAh_per_cm2: float = Field(gt=0)
    lower_voltage_V: float = Field(gt=0, lt=6)
    upper_voltage_V: float = Field(gt=0, lt=6)
    lithiated: float = Field(ge=0.5, le=1)
    end_width: float = Field(ge=0, lt=0.2)
    resistance_growth_ohm_cm2_per_cycle: float = Field(ge=0)
    active_loss_per_cycle: float = Field(ge=0, lt=0.5)
    porosity: float = Field(gt=1e-4, lt=1)
    bruggeman: float = Field(ge=1, le=10)
    active_fraction: float = Field(gt=0, lt=1)
    particle_radius_um: float = Field(gt=0)
    most_lithium_mol_per_m3: float = Field(gt=0)
    solid_conductivity_S_per_m: float = Field(gt=0)
    double_layer_uF_per_cm2: float = Field(gt=0)
    exchange_current_density_A_per_m2: float = Field(gt=0)
    exchange_exponent_salt: float = Field(ge=0, le=2)
    exchange_exponent_lithium: float = Field(ge=0, le=2)
    exchange_exponent_vacant: float = Field(ge=0, le=2)
    open_circuit: Curve
    diffusivity: Curve

    @model_validator(mode="after")
    def _sound(self) -> Self:
        total = self.porosity + self.active_fraction
        if total > 1 + 1e-12:
            raise ValueError(f"porosity + active_fraction = {total:g}: at most 1, all of the volume")
        if len(self.open_circuit.value) < 2 or np.any(np.diff(self.open_circuit.value) >= 0):
            raise ValueError("open_circuit must fall from point to point as lithium goes in")
        if self.lithiated > self.open_circuit.stoichiometry[-1]:
            raise ValueError(f"open_circuit ends at {self.open_circuit.stoichiometry[-1]:g}, before lithiated")
        if min(self.diffusivity.value) <= 0:
            raise ValueError("diffusivity must be above 0 m2/s everywhere")
        if not self.lower_voltage_V < self.upper_voltage_V:
            raise ValueError("lower_voltage_V must lie below upper_voltage_V")
        if not self.charged < self.discharged:
            window = f"{self.lower_voltage_V:g} to {self.upper_voltage_V:g} V"
            raise ValueError(f"the electrode gives nothing at equilibrium from {window}")
        return self

    def open_circuit_V(self, stoichiometry: ArrayLike) -> Floats:
        """Equilibrium voltage against lithium; outside of the table the value of its end.

        With an end_width w, U(x) - (U(lithiated) - lower voltage) exp((x - lithiated) / w), assumed.

        >>> positive("nmc811-chen2020").open_circuit_V([0.2661, 0.9084]).round(3).tolist()
        [4.285, 3.561]
        >>> positive("ncm811").open_circuit_V([0.2661, 0.9084]).round(3).tolist()
        [4.285, 2.8]
        """
        plain = self.open_circuit(stoichiometry)
        if self.end_width == 0.0:
            return plain
        above_V = max(float(self.open_circuit(self.lithiated)) - self.lower_voltage_V, 0.0)
        over = (np.asarray(stoichiometry, dtype=np.float64) - self.lithiated) / self.end_width
        fallen: Floats = plain - above_V * np.exp(np.minimum(over, FARTHEST))
        return fallen

    def stoichiometry_at(self, voltage_V: ArrayLike) -> Floats:
        """Lithium per site at an equilibrium voltage, within the table and at most `lithiated`; any shape.

        Raises InputError for a voltage that is not finite.

        >>> positive("lco").stoichiometry_at([4.6, 4.2, 1.0]).round(3).tolist()
        [0.189, 0.495, 0.967]
        """
        wanted = np.asarray(voltage_V, dtype=np.float64)
        if not np.all(np.isfinite(wanted)):
            raise InputError(f"{self.name}: voltage_V = {wanted}: a finite voltage against lithium, in V")
        low = np.full(wanted.shape, self.open_circuit.stoichiometry[0])
        high = np.full(wanted.shape, self.lithiated)
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            above = self.open_circuit_V(middle) > wanted
            low, high = np.where(above, middle, low), np.where(above, high, middle)
        return 0.5 * (low + high)

    @cached_property
    def charged(self) -> float:
        """Lithium per site at equilibrium at upper_voltage_V, the least in use.

        >>> round(positive("ncm811").charged, 3)
        0.261
        """
        return float(self.stoichiometry_at(self.upper_voltage_V))

    @cached_property
    def discharged(self) -> float:
        """Lithium per site at equilibrium at lower_voltage_V; `lithiated` where that voltage is not reached before.

        >>> electrode = positive("ncm811")
        >>> round(electrode.discharged, 4), electrode.lithiated
        (0.9084, 0.9084)
        """
        return float(self.stoichiometry_at(self.lower_voltage_V))

    @property
    def thickness_um(self) -> float:
        """From the areal capacity: Q / (F c_max active_fraction (discharged - charged)).

        >>> round(positive("ncm811").thickness_um, 1)
        61.8
        """
        moles = self.most_lithium_mol_per_m3 * self.active_fraction * (self.discharged - self.charged)
        charge_C_per_m2 = self.areal_capacity_mAh_per_cm2 * C_PER_M2_PER_mAh_PER_CM2
        return charge_C_per_m2 / (FARADAY_C_PER_MOL * moles) / M_PER_UM

    @property
    def particle_area_m2_per_m2(self) -> float:
        """Area of the particles per area of the electrode, of round ones: 3 active_fraction thickness / radius.

        >>> round(positive("ncm811").particle_area_m2_per_m2, 1)
        23.6
        """
        return 3.0 * self.active_fraction * self.thickness_um / self.particle_radius_um

    def exchange_A_per_m2(self, stoichiometry: ArrayLike, salt_mol_per_L: ArrayLike = 1.0) -> Floats:
        """Exchange current density per area of particles; 0 without lithium, vacant sites or salt. Shapes broadcast.

        Raises InputError for a stoichiometry outside of 0 to 1 and a negative concentration.

        >>> round(float(positive("nmc811-chen2020").exchange_A_per_m2(0.5)), 3)
        3.412
        """
        x, c = np.asarray(stoichiometry, dtype=np.float64), np.asarray(salt_mol_per_L, dtype=np.float64)
        if not (np.all((x >= 0) & (x <= 1)) and np.all((c >= 0) & np.isfinite(c))):
            raise InputError(f"{self.name}: a stoichiometry from 0 to 1 and a salt_mol_per_L of 0 or more")
        sites = x**self.exchange_exponent_lithium * (1.0 - x) ** self.exchange_exponent_vacant
        value: Floats = self.exchange_current_density_A_per_m2 * c**self.exchange_exponent_salt * sites
        return value


@cache
def _file() -> Mapping[str, Any]:
    """All shipped positives by name: the published sets, then the electrodes that rest on them."""
    folder = resources.files("interlith.parts")
    sets, electrodes = (
        tomllib.loads(folder.joinpath(file).read_text(encoding="utf-8"))
        for file in ("positives.toml", "electrodes.toml")
    )
    return {**sets, **electrodes}


def positive_names() -> tuple[str, ...]:
    """Names of the shipped positive electrodes: five published sets and three electrodes of the reference paper.

    >>> positive_names()[-3:]
    ('ncm811', 'lco', 'ncm90')
    """
    return tuple(_file())


def note(name: str) -> str:
    """What must be said wherever a shipped positive is used. Raises InputError naming the nearest.

    >>> note("ncm90")[:43]
    'stand-in: NMC811 of Chen2020 for NCM90; its'
    """
    return str(_entry(name)["note"])


def positive(
    name: str,
    *,
    areal_capacity_mAh_per_cm2: float | None = None,
    lower_voltage_V: float | None = None,
    upper_voltage_V: float | None = None,
) -> Positive:
    """A shipped positive by name, its capacity and window as shipped or as given; what is given counts as stated.

    A new window keeps the areal capacity and so changes the thickness. Raises InputError naming the nearest name, and
    pydantic's ValidationError for values that are out of range.

    >>> positive("ncm90", areal_capacity_mAh_per_cm2=4.0).origin("areal_capacity_mAh_per_cm2").kind
    'stated'
    >>> positive("ncm811", upper_voltage_V=4.2).thickness_um > positive("ncm811").thickness_um
    True
    """
    given = {
        "areal_capacity_mAh_per_cm2": areal_capacity_mAh_per_cm2,
        "lower_voltage_V": lower_voltage_V,
        "upper_voltage_V": upper_voltage_V,
    }
    return _shipped(name).with_values(**{key: value for key, value in given.items() if value is not None})


@cache
def _shipped(name: str) -> Positive:
    entry = _entry(name)
    fields = with_origins({key: held for key, held in entry.items() if key not in (*CURVES, "note", "on", "stands_in")})
    on = entry.get("on")
    if on is None:
        fields |= {curve: Curve(**_curve(name, curve)) for curve in CURVES}
        return Positive(name=name, **fields)
    below = _standing_in(_shipped(on)) if entry.get("stands_in") else _shipped(on)
    origins = {**below.origins, **fields.pop("origins")}
    return below.with_values_kept(name=name, origins=origins, **fields)


def _curve(name: str, curve: str) -> dict[str, Any]:
    """The table of a curve; a set may name another whose curve it shares."""
    held = _file()[name][curve]
    return _curve(held, curve) if isinstance(held, str) else held


def _standing_in(part: Positive) -> Positive:
    """The same for another material: every number is assumed and names what it is of."""

    def assumed(origin: Origin) -> Origin:
        return Origin(
            kind="assumed", source=f"stand-in, {part.name}: {origin.source}", low=origin.low, high=origin.high
        )

    def moved(curve: Curve) -> Curve:
        return curve.model_copy(update={"origin": assumed(curve.origin)})

    origins = {key: assumed(origin) for key, origin in part.origins.items()}
    curves = {name: moved(getattr(part, name)) for name in CURVES}
    return part.with_values_kept(origins=origins, **curves)


def _entry(name: str) -> Mapping[str, Any]:
    if name not in _file():
        hint = did_you_mean(name.lower(), positive_names(), cutoff=0.3)
        raise InputError(f"{name}: not a shipped positive; these are: {', '.join(positive_names())}.{hint}")
    return _file()[name]
