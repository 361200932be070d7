"""What lithium does on a surface in the expressions of PyBaMM; line by line the rates of cell.lumped.

`pybamm` is handed on: only pybamm_bridge.py imports it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from interlith.cell.lumped import Electrode
from interlith.cell.mechanisms.isolation import REFERENCE_A_PER_M2, SLOWEST
from interlith.cell.mechanisms.kinetics import MOST_A_PER_M2
from interlith.cell.mechanisms.nucleation import ROUNDED
from interlith.units import C_PER_M2_PER_mAh_PER_CM2

LEAST_V = 1e-12  # a quotient of two zeros is none
NAMES = ("pores", "top", "foil", "dead pores", "dead top", "SEI", "converted", "alloyed", "potential", "revived")


@dataclass(frozen=True)
class Held:
    """A state of the model: its variable in the unit of its label, and its value in SI."""

    label: str
    variable: Any
    scale: float

    @property
    def value(self) -> Any:
        """In SI."""
        return self.variable * self.scale

    def put(self, made: Any, rate: Any, begin: float) -> None:
        """Adds it to a model, rate and first value in SI."""
        made.rhs[self.variable] = rate / self.scale
        made.initial_conditions[self.variable] = begin / self.scale


class Electrical(NamedTuple):
    """What a surface knows of the rest: f = F/RT, the current that oxidizes it, isolation, growth of SEI."""

    f: float
    oxidizing: Any
    chi: Any
    factor: Any


def amount(pybamm: Any, name: str, sort: str) -> Held:
    """A new state: a potential in V, or lithium in mAh/cm2."""
    label = f"{name} [V]" if sort == "potential" else f"{name} [mAh.cm-2]"
    return Held(label, pybamm.Variable(label), 1.0 if sort == "potential" else C_PER_M2_PER_mAh_PER_CM2)


def _one_sided(pybamm: Any, drive: Any, f: float, j: Any) -> Any:
    return j * 2 * pybamm.sinh(f * pybamm.maximum(drive, 0) / 2)


def _left(pybamm: Any, charge: Any, scale: float) -> Any:
    part = charge / scale
    return pybamm.minimum(part, 0) + 1 - pybamm.exp(-pybamm.maximum(part, 0))


def _through_film(current: Any, drive: Any, ohm_m2: float) -> Any:
    return current / (1 + ohm_m2 * current / (drive + LEAST_V)) if ohm_m2 > 0 else current


def barrier(pybamm: Any, metal: Any, e: Electrode) -> Any:
    """Extra voltage of the first lithium."""
    return e.nucleation_V * pybamm.exp(-pybamm.maximum(metal, 0) / e.nucleation_C_per_m2)


def isolation(e: Electrode, stripped: Any) -> Any:
    """Isolated per stripped, at what an electrode strips in all."""
    ratio = stripped / REFERENCE_A_PER_M2
    return e.isolated_per_stripped * (ratio**2 + SLOWEST**2) ** (-e.isolation_exponent / 2)


def surface(
    pybamm: Any, y: dict[str, Any], e: Electrode, f: float, exchange: Any, extra_V: Any = None
) -> dict[str, Any]:
    """Plating and stripping; extra_V: the barrier where it is not that of these states alone."""
    if extra_V is None:
        extra_V = barrier(pybamm, y["pores"] + y["top"] + y["foil"], e)
    over = pybamm.maximum(-y["potential"] - extra_V, 0)
    rounded = over**2 / (over + ROUNDED * extra_V + LEAST_V) if e.nucleation_V > 0 else over
    plating = _through_film(_one_sided(pybamm, rounded, f, exchange), rounded, e.film_ohm_m2)
    free = _one_sided(pybamm, y["potential"], f, exchange)
    limited = free / (1 + free / MOST_A_PER_M2)
    stripping = _through_film(limited, pybamm.maximum(y["potential"], 0), e.film_ohm_m2)
    room = e.pore_C_per_m2 - (1 - e.stretching) * (y["pores"] + y["dead pores"])
    return {
        "plate_pores": e.area_pores * plating * _left(pybamm, room, e.pore_edge_C_per_m2),
        "plate_top": e.area_top * plating,
        "strip_pores": e.area_pores * stripping * _left(pybamm, y["pores"], e.fade_C_per_m2),
        "strip_top": e.area_top * stripping * _left(pybamm, y["top"], e.fade_C_per_m2),
        "strip_foil": e.area_foil * stripping * _left(pybamm, y["foil"], e.fade_C_per_m2),
    }


def rates(
    pybamm: Any, y: dict[str, Any], e: Electrode, known: Electrical, s: dict[str, Any], weight: float
) -> dict[str, Any]:
    """d/dt of the ten states of a surface that stands for this share of an electrode's depth."""
    chi, gamma = known.chi, pybamm.minimum(e.sei_per_plated * known.factor, 1)
    back_pores, back_top = e.revival_pores_per_s * y["dead pores"], e.revival_top_per_s * y["dead top"]
    converting, alloying = _oxide(pybamm, y, e, known.f)
    outer = (s["strip_top"] + s["strip_foil"] - s["plate_top"]) / weight
    net = s["strip_pores"] - s["plate_pores"] - converting - alloying + outer
    return {
        "pores": (1 - gamma) * s["plate_pores"] - (1 + chi) * s["strip_pores"] + back_pores,
        "top": (1 - gamma) * s["plate_top"] - (1 + chi) * s["strip_top"] + back_top,
        "foil": -s["strip_foil"],
        "dead pores": chi * s["strip_pores"] - back_pores,
        "dead top": chi * s["strip_top"] - back_top,
        "SEI": gamma * (s["plate_pores"] + s["plate_top"] / weight),
        "converted": converting,
        "alloyed": alloying,
        "potential": (known.oxidizing - net) / e.double_layer_F_per_m2,
        "revived": back_pores + back_top / weight,
    }


def _oxide(pybamm: Any, y: dict[str, Any], e: Electrode, f: float) -> tuple[Any, Any]:
    if e.oxide_C_per_m2 == 0:
        return pybamm.Scalar(0), pybamm.Scalar(0)

    def driven(drive: Any) -> Any:
        return 1 - pybamm.exp(-f * pybamm.maximum(drive, 0))

    u = y["potential"]
    converting = (e.oxide_C_per_m2 - y["converted"]) / e.reaction_s * driven(e.conversion_V - u)
    taken = (y["converted"] / 2 - y["alloyed"]) * driven(e.alloy_V - u)
    return converting, (taken - y["alloyed"] * driven(u - e.alloy_V)) / e.reaction_s
