"""What an electrolyte carries and holds: its transport properties over concentration and temperature, its additives.

Inside, c is in mol/L and T in K, the units of the published fits; outside, c is in mol/m3. All functions take arrays.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from interlith.errors import InputError, did_you_mean
from interlith.parts.part import Origin, Part, with_origins
from interlith.units import (
    FARADAY_C_PER_MOL,
    GAS_CONSTANT_J_PER_MOL_K,
    M2_PER_CM2,
    MICRO,
    MILLI,
    MOL_PER_M3_PER_MOL_PER_L,
    SECONDS_PER_HOUR,
    ZERO_CELSIUS_K,
    CM3_PER_uL,
    S_PER_M_PER_mS_PER_CM,
    mAh_PER_Ah,
)

Floats = NDArray[np.float64]
Form = Literal[
    "polynomial", "power-exponential", "landesfeind-conductivity", "landesfeind-diffusivity", "landesfeind-cubic"
]
REFERENCE_K = 25.0 + ZERO_CELSIUS_K
# No organic electrolyte is a liquid outside of these; a temperature in Celsius given for kelvin falls below.
COLDEST_K, HOTTEST_K = 150.0, 450.0


def _polynomial(c: Floats, T: Floats, p: tuple[float, ...]) -> Floats:
    return np.polynomial.polynomial.polyval(c, p) + 0.0 * T


def _power_exponential(c: Floats, T: Floats, p: tuple[float, ...]) -> Floats:
    return p[0] * c ** p[1] * np.exp(-p[2] * c) + 0.0 * T


def _landesfeind_conductivity(c: Floats, T: Floats, p: tuple[float, ...]) -> Floats:
    # Landesfeind and Gasteiger 2019, conductivity in mS/cm
    warm = np.exp(1000.0 / T)
    numerator = p[0] * (1.0 + (T - p[1])) * c * (1.0 + p[2] * np.sqrt(c) + p[3] * (1.0 + p[4] * warm) * c)
    return numerator / (1.0 + c**4 * p[5] * warm) * S_PER_M_PER_mS_PER_CM


def _landesfeind_diffusivity(c: Floats, T: Floats, p: tuple[float, ...]) -> Floats:
    # Landesfeind and Gasteiger 2019, binary diffusion coefficient in 1e-6 cm2/s
    return p[0] * np.exp(p[1] * c + p[2] / T + p[3] * c / T) * MICRO * M2_PER_CM2


def _landesfeind_cubic(c: Floats, T: Floats, p: tuple[float, ...]) -> Floats:
    # Landesfeind and Gasteiger 2019, transference number and thermodynamic factor
    terms = (np.ones_like(c), c, T, c**2, c * T, T**2, c**3, c**2 * T, c * T**2)
    return sum((a * term for a, term in zip(p, terms, strict=True)), np.zeros_like(c + T))


# form -> function and how many coefficients it takes (None: any)
_FORMS: Mapping[str, tuple[Callable[[Floats, Floats, tuple[float, ...]], Floats], int | None]] = {
    "polynomial": (_polynomial, None),
    "power-exponential": (_power_exponential, 3),
    "landesfeind-conductivity": (_landesfeind_conductivity, 6),
    "landesfeind-diffusivity": (_landesfeind_diffusivity, 4),
    "landesfeind-cubic": (_landesfeind_cubic, 9),
}


class Correlation(BaseModel):
    """One property as a function of c (mol/L) and T (K), with where it comes from and where it holds.

    form "polynomial":        sum p_n c^n
         "power-exponential": p0 c^p1 exp(-p2 c)
         "landesfeind-conductivity", "-diffusivity", "-cubic": Landesfeind and Gasteiger, J. Electrochem. Soc. 166,
                              A3079 (2019), doi:10.1149/2.0571912jes, coefficients in their order
    The first two are times exp(-E/R (1/T - 1/298.15 K)). `origin` with low and high: bounds at 1 mol/L and 25 C.

    >>> constant = Correlation(form="polynomial", coefficients=(0.4,), valid_mol_per_L=(0, 2), valid_C=(0, 50))
    >>> float(constant(1.0, 298.15)), constant.origin.kind
    (0.4, 'stated')
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    form: Form
    coefficients: tuple[float, ...] = Field(min_length=1)
    activation_energy_kJ_per_mol: float = Field(default=0.0, ge=0)
    valid_mol_per_L: tuple[float, float]
    valid_C: tuple[float, float]
    origin: Origin = Origin(kind="stated", source="stated by the user")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        wanted = _FORMS[self.form][1]
        if wanted is not None and len(self.coefficients) != wanted:
            raise ValueError(f"form {self.form} takes {wanted} coefficients, got {len(self.coefficients)}")
        if self.form.startswith("landesfeind") and self.activation_energy_kJ_per_mol:
            raise ValueError(f"form {self.form} has its own temperature dependence: no activation_energy_kJ_per_mol")
        for name, (low, high) in (("valid_mol_per_L", self.valid_mol_per_L), ("valid_C", self.valid_C)):
            if not low < high:
                raise ValueError(f"{name} = [{low:g}, {high:g}]: the lower bound comes first")
        return self

    def __call__(self, c_mol_per_L: ArrayLike, temperature_K: ArrayLike) -> Floats:
        """The property in SI; shapes broadcast."""
        c, T = np.asarray(c_mol_per_L, dtype=np.float64), np.asarray(temperature_K, dtype=np.float64)
        activation_K = self.activation_energy_kJ_per_mol / MILLI / GAS_CONSTANT_J_PER_MOL_K
        plain = _FORMS[self.form][0](c, T, self.coefficients)
        return plain * np.exp(-activation_K * (1.0 / T - 1.0 / REFERENCE_K))

    def holds(self, c_mol_per_L: ArrayLike, temperature_K: ArrayLike) -> bool:
        """Whether every point lies in the range where the correlation is vouched for."""
        c, celsius = np.asarray(c_mol_per_L), np.asarray(temperature_K) - ZERO_CELSIUS_K
        within = [
            np.all((low <= x) & (x <= high)) for x, (low, high) in ((c, self.valid_mol_per_L), (celsius, self.valid_C))
        ]
        return bool(all(within))


class Additive(Part):
    """A substance in small amount that lithium uses up; `mass_fraction` of the whole electrolyte."""

    name: str
    mass_fraction: float = Field(gt=0, lt=1)
    molar_mass_g_per_mol: float = Field(gt=0)
    electrons_per_molecule: float = Field(ge=0)


class Electrolyte(Part):
    """A lithium salt in a solvent: four transport properties, and the charge that its additives can take.

    The methods take c in mol/m3 and T in K, scalars or arrays that broadcast, and raise InputError for a negative or
    non-finite c, a temperature at which no electrolyte is a liquid, and a correlation that leaves physical sense there.
    Beyond its range of validity a correlation still answers; `outside` says so.

    >>> ether = electrolyte("litfsi-dol-dme-lino3")
    >>> round(float(ether.conductivity_S_per_m(1000.0, 298.15)), 2), ether.conductivity.origin.kind
    (1.2, 'assumed')
    """

    name: str
    salt: str
    solvent: str
    salt_mol_per_L: float = Field(gt=0, le=10)
    density_g_per_cm3: float = Field(gt=0.5, lt=3)
    conductivity: Correlation
    diffusivity: Correlation
    transference: Correlation
    activity: Correlation
    additives: tuple[Additive, ...] = ()

    @property
    def salt_mol_per_m3(self) -> float:
        """The salt concentration as made."""
        return self.salt_mol_per_L * MOL_PER_M3_PER_MOL_PER_L

    def conductivity_S_per_m(self, c_mol_per_m3: ArrayLike, temperature_K: ArrayLike) -> Floats:
        """Ionic conductivity of the free liquid; 0 without salt.

        >>> carbonate = electrolyte("lipf6-ec-dmc-vc")
        >>> carbonate.conductivity_S_per_m([500.0, 1000.0], 298.15).round(3).tolist()
        [1.023, 1.182]
        """
        return self._value("conductivity", c_mol_per_m3, temperature_K, at_least=0.0)

    def diffusivity_m2_per_s(self, c_mol_per_m3: ArrayLike, temperature_K: ArrayLike) -> Floats:
        """Diffusion coefficient of the salt in the free liquid, with respect to the gradient of c.

        >>> f"{electrolyte('lipf6-ec-dmc-vc').diffusivity_m2_per_s(1000.0, 298.15):.2e}"
        '2.90e-10'
        """
        return self._value("diffusivity", c_mol_per_m3, temperature_K, above=0.0)

    def transference_number(self, c_mol_per_m3: ArrayLike, temperature_K: ArrayLike) -> Floats:
        """Share of the current that lithium ions carry, relative to the solvent; may be below 0, never 1.

        >>> round(float(electrolyte("lipf6-ec-dmc-vc").transference_number(1000.0, 298.15)), 2)
        0.33
        """
        return self._value("transference", c_mol_per_m3, temperature_K, below=1.0)

    def thermodynamic_factor(self, c_mol_per_m3: ArrayLike, temperature_K: ArrayLike) -> Floats:
        """1 + d ln f / d ln c, with f the mean molar activity coefficient of the salt.

        >>> round(float(electrolyte("lipf6-ec-dmc-vc").thermodynamic_factor(1000.0, 298.15)), 1)
        2.2
        """
        return self._value("activity", c_mol_per_m3, temperature_K, above=0.0)

    def outside(self, c_mol_per_m3: ArrayLike, temperature_K: ArrayLike) -> tuple[str, ...]:
        """Which properties are asked for beyond their range of validity.

        >>> electrolyte("litfsi-dol-dme-lino3").outside(1000.0, 343.15)
        ('conductivity', 'diffusivity', 'transference', 'activity')
        """
        c, T = _point(self.name, c_mol_per_m3, temperature_K)
        properties = ("conductivity", "diffusivity", "transference", "activity")
        return tuple(name for name in properties if not getattr(self, name).holds(c, T))

    def inventory_mAh(self, volume_uL: float) -> float:
        """Charge that all additives in a volume can take: sum of V rho w n F / M.

        >>> round(electrolyte("litfsi-dol-dme-lino3").inventory_mAh(50.0), 1)
        3.5
        """
        if not (np.isfinite(volume_uL) and volume_uL >= 0):
            raise InputError(f"volume_uL = {volume_uL}: a volume of electrolyte in uL, 0 or more")
        mass_g = volume_uL * CM3_PER_uL * self.density_g_per_cm3
        moles = (
            sum(a.mass_fraction * a.electrons_per_molecule / a.molar_mass_g_per_mol for a in self.additives) * mass_g
        )
        return moles * FARADAY_C_PER_MOL / SECONDS_PER_HOUR * mAh_PER_Ah

    def _value(
        self,
        name: str,
        c_mol_per_m3: ArrayLike,
        temperature_K: ArrayLike,
        *,
        at_least: float = -np.inf,
        above: float = -np.inf,
        below: float = np.inf,
    ) -> Floats:
        c, T = _point(self.name, c_mol_per_m3, temperature_K)
        correlation: Correlation = getattr(self, name)
        value = correlation(c, T)
        bad = ~((value >= at_least) & (value > above) & (value < below))
        if np.any(bad):
            where = [np.broadcast_to(x, bad.shape)[bad].flat[0] for x in (value, c, T)]
            (c_low, c_high), (t_low, t_high) = correlation.valid_mol_per_L, correlation.valid_C
            raise InputError(
                f"{self.name}: {name} = {where[0]:.3g} at {where[1]:g} mol/L and {where[2]:g} K is not physical; "
                f"its correlation holds from {c_low:g} to {c_high:g} mol/L and {t_low:g} to {t_high:g} C"
            )
        return value


def _point(name: str, c_mol_per_m3: ArrayLike, temperature_K: ArrayLike) -> tuple[Floats, Floats]:
    """Concentration in mol/L and temperature in K, refused where no solution is."""
    c, T = np.asarray(c_mol_per_m3, dtype=np.float64), np.asarray(temperature_K, dtype=np.float64)
    bad = ~((c >= 0) & np.isfinite(c))
    if np.any(bad):
        raise InputError(f"{name}: c_mol_per_m3 = {c[bad].flat[0]:g}: a concentration in mol/m3, 0 or more")
    bad = ~((T >= COLDEST_K) & (T <= HOTTEST_K))
    if np.any(bad):
        got = T[bad].flat[0]
        mend = f" Did you mean {got + ZERO_CELSIUS_K:g}?" if COLDEST_K <= got + ZERO_CELSIUS_K <= HOTTEST_K else ""
        raise InputError(f"{name}: temperature_K = {got:g}: between {COLDEST_K:g} and {HOTTEST_K:g} K.{mend}")
    return c / MOL_PER_M3_PER_MOL_PER_L, T


@cache
def _file() -> Mapping[str, Any]:
    return tomllib.loads(resources.files("interlith.parts").joinpath("electrolytes.toml").read_text(encoding="utf-8"))


def electrolyte_names() -> tuple[str, ...]:
    """Names of the shipped electrolytes.

    >>> electrolyte_names()
    ('litfsi-dol-dme-lino3', 'lipf6-ec-dmc-vc')
    """
    return tuple(_file())


@cache
def electrolyte(name: str) -> Electrolyte:
    """A shipped electrolyte by name. Raises InputError naming the nearest.

    >>> electrolyte("lipf6-ec-dmc-vc").additives[0].origin("electrons_per_molecule").kind
    'assumed'
    """
    if name not in _file():
        hint = did_you_mean(name.lower(), electrolyte_names(), cutoff=0.3)
        raise InputError(f"{name}: not a shipped electrolyte; these are: {', '.join(electrolyte_names())}.{hint}")
    entry = dict(_file()[name])
    additives = tuple(Additive(**with_origins(additive)) for additive in entry.pop("additives", ()))
    return Electrolyte(name=name, additives=additives, **with_origins(entry))
