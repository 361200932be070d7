"""The resolved cell in the expressions of PyBaMM: the equations of cell.resolved, node by node, from the parts anew.

`pybamm` is handed on: only pybamm_bridge.py imports it. The electrolyte's functions are PyBaMM's own interpolants.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

from interlith.cell import account
from interlith.cell.layout import Mesh
from interlith.cell.liquid import most_salt_mol_per_m3, properties
from interlith.cell.lumped import Electrode
from interlith.cell.mechanisms.kinetics import SALT_EXPONENT
from interlith.cell.models import initial
from interlith.cell.pybamm_electrode import NAMES, Electrical, Held, amount, barrier, isolation, rates, surface
from interlith.cell.translate import HOST_BRUGGEMAN, kelvin_of
from interlith.parts.cell import Cell, Foil, Host
from interlith.units import FARADAY_C_PER_MOL, M_PER_UM, MOL_PER_M3_PER_MOL_PER_L

N_POINTS = 600
PROPERTIES = ("conductivity", "diffusivity", "anions", "gradient")


@dataclass(frozen=True)
class Fluid:
    """The electrolyte at the cell's temperature: four properties as interpolants over c in mol/m3."""

    pybamm: Any
    c: np.ndarray
    values: np.ndarray
    salt: float

    def at(self, c: Any) -> dict[str, Any]:
        """The properties, and ln(c / c as filled in)."""
        of = {
            name: self.pybamm.Interpolant(self.c, values, c, name=name, interpolator="cubic")
            for name, values in zip(PROPERTIES, self.values, strict=True)
        }
        return {**of, "log": self.pybamm.log(c / self.salt)}


def _fluid(pybamm: Any, cell: Cell) -> Fluid:
    c = np.linspace(0.0, most_salt_mol_per_m3(cell.electrolyte), N_POINTS)
    values = properties(cell.electrolyte, c, kelvin_of(cell))
    return Fluid(pybamm, c, values, cell.electrolyte.salt_mol_per_m3)


def _series(a: Any, b: Any) -> Any:
    return 2 * a * b / (a + b)


def _salt(pybamm: Any, name: str) -> Held:
    label = f"{name} salt [mol.l-1]"
    return Held(label, pybamm.Variable(label), MOL_PER_M3_PER_MOL_PER_L)


@dataclass(frozen=True)
class Depth:
    """One electrode: its nodes from the back, each with its states, and what the host is made of (None: bare)."""

    pybamm: Any
    side: str
    part: Electrode
    host: Host | None
    nodes: list[dict[str, Held]]
    fluid: Fluid
    begin: np.ndarray
    half_gap_m: float

    def weight(self, j: int) -> float:
        """Share of the depth for which node j stands."""
        last = len(self.nodes) - 1
        return 1.0 if last == 0 else (0.5 if j in (0, last) else 1.0) / last

    def mean(self, name: str) -> Any:
        """A state over the depth; top and foil lie at one node each."""
        if name in ("top", "dead top"):
            return self.nodes[-1][name].value
        if name == "foil":
            return self.nodes[0][name].value
        return sum(self.weight(j) * node[name].value for j, node in enumerate(self.nodes))

    def at(self, j: int) -> Electrode:
        """What the electrode is at node j."""
        last = len(self.nodes) - 1
        top = self.part.area_top if j == last else 0.0
        return self.part._replace(area_top=top, area_foil=self.part.area_foil if j == 0 else 0.0)

    def _local(self, j: int) -> dict[str, Any]:
        """Properties of the electrolyte in the pores at node j."""
        node = self.nodes[j]
        of = self.fluid.at(node["salt"].value)
        if self.host is None:
            return of
        full = (node["pores"].value + node["dead pores"].value) / self.part.pore_C_per_m2
        room = self.pybamm.maximum(1 - (1 - self.part.stretching) * full, 0)
        wet = self.part.wet_when_full
        wide = 1 + self.part.stretching * self.host.porosity * self.pybamm.maximum(full, 0)
        share = (self.host.porosity * (wet + (1 - wet) * room) / wide) ** HOST_BRUGGEMAN / wide
        return {**of, "conductivity": of["conductivity"] * share, "diffusivity": of["diffusivity"] * share}

    def _edges(self) -> list[tuple[Any, Any]]:
        """Current and anions from each node to the next."""
        if self.host is None:
            return []
        edge_m = self.host.thickness_um * M_PER_UM / (len(self.nodes) - 1)
        local, found = [self._local(j) for j in range(len(self.nodes))], []
        for j in range(len(self.nodes) - 1):
            here, there, a, b = local[j], local[j + 1], self.nodes[j], self.nodes[j + 1]
            steep = (here["gradient"] + there["gradient"]) / 2 * (there["log"] - here["log"])
            driven = b["potential"].value - a["potential"].value + steep
            i = _series(here["conductivity"], there["conductivity"]) * driven / edge_m
            carried = (here["anions"] + there["anions"]) / 2 * i / FARADAY_C_PER_MOL
            spread = _series(here["diffusivity"], there["diffusivity"]) * (b["salt"].value - a["salt"].value) / edge_m
            found.append((i, -spread - carried))
        return found

    def put(self, made: Any, f: float, oxidizing: Any, factor: Any, to_separator: Any, ratio: float) -> None:
        """Adds all nodes to the model; to_separator: anions that leave the front, per area of this electrode."""
        extra_V = barrier(self.pybamm, self.mean("pores") + self.mean("top") + self.mean("foil"), self.part)
        edges = [(0, 0), *self._edges(), (oxidizing, to_separator)]
        own = [{name: held.value for name, held in node.items()} for node in self.nodes]
        surfaces = []
        for j, y in enumerate(own):
            salt = self.pybamm.exp(SALT_EXPONENT * self.pybamm.log(y["salt"] / self.fluid.salt))
            exchange = self.part.exchange_A_per_m2 * salt
            surfaces.append(surface(self.pybamm, y, self.at(j), f, exchange, extra_V))
        stripped = sum(self.weight(j) * s["strip_pores"] + s["strip_top"] for j, s in enumerate(surfaces))
        chi = isolation(self.part, stripped)
        stores_m = self.host.porosity * self.host.thickness_um * M_PER_UM if self.host else 0.0
        for j, (y, s) in enumerate(zip(own, surfaces, strict=True)):
            w, node = self.weight(j), self.nodes[j]
            given = (edges[j + 1][0] - edges[j][0]) / w
            found = rates(self.pybamm, y, self.at(j), Electrical(f, given, chi, factor), s, w)
            for place, name in enumerate(NAMES):
                begins = self.begin[place] if self._has(j, name) else 0.0
                node[name].put(made, found[name], begins)
            volume_m = w * stores_m + (self.half_gap_m / ratio if j == len(own) - 1 else 0.0)
            node["salt"].put(made, (edges[j][1] - edges[j + 1][1]) / volume_m, self.fluid.salt)
            made.variables |= {held.label: held.variable for held in node.values()}
        for name in NAMES:
            label = amount(self.pybamm, f"{self.side} {name}", name)
            made.variables[label.label] = self.mean(name) / label.scale

    def _has(self, j: int, name: str) -> bool:
        if name in ("top", "dead top"):
            return j == len(self.nodes) - 1
        return j == 0 if name == "foil" else True


def depths(pybamm: Any, cell: Cell, working: Electrode, counter: Electrode, mesh: Mesh) -> tuple[Depth, Depth]:
    """Both electrodes of a cell."""
    fluid, begin = _fluid(pybamm, cell), initial(cell)
    half_gap_m = cell.separator.porosity * cell.separator.thickness_um * M_PER_UM / mesh.n_separator / 2
    made = []
    for side, part, is_made_of, first in (
        ("Working", working, cell.working, 0),
        ("Counter", counter, cell.counter, account.COUNTER),
    ):
        host = is_made_of.interlayer if isinstance(is_made_of, Foil) else is_made_of
        host = host if isinstance(host, Host) else None
        nodes = []
        for j in range(mesh.n_host + 1 if host else 1):
            name = f"{side} node {j}"
            nodes.append({n: amount(pybamm, f"{name} {n}", n) for n in NAMES} | {"salt": _salt(pybamm, name)})
        own = begin[first : first + account.N_ELECTRODE]
        made.append(Depth(pybamm, side, part, host, nodes, fluid, own, half_gap_m))
    return made[0], made[1]


@dataclass(frozen=True)
class Gap:
    """The separator: c at its faces from the working electrode on, the ends being those of the electrodes' fronts."""

    fluid: Fluid
    faces: list[Held]
    edge_m: float
    share: float
    porosity: float

    def leaving(self, k: int, inside: Any) -> Any:
        """Anions over an interval, from the working to the counter electrode; k counts from either end."""
        k = k % (len(self.faces) - 1)
        here, there = (self.fluid.at(self.faces[j].value) for j in (k, k + 1))
        spread = self.share * _series(here["diffusivity"], there["diffusivity"])
        fall = (self.faces[k + 1].value - self.faces[k].value) / self.edge_m
        return -spread * fall - (here["anions"] + there["anions"]) / 2 * inside / FARADAY_C_PER_MOL

    def drop(self, inside: Any) -> Any:
        """Voltage from the working to the counter electrode: ohmic, and less the diffusion potential."""
        at = [self.fluid.at(face.value) for face in self.faces]
        total = 0
        for here, there in itertools.pairwise(at):
            total += inside * self.edge_m / (self.share * _series(here["conductivity"], there["conductivity"]))
            total -= (here["gradient"] + there["gradient"]) / 2 * (there["log"] - here["log"])
        return total

    def put(self, made: Any, inside: Any) -> None:
        """Adds c within the separator to the model."""
        for k in range(1, len(self.faces) - 1):
            change = self.leaving(k - 1, inside) - self.leaving(k, inside)
            self.faces[k].put(made, change / (self.porosity * self.edge_m), self.fluid.salt)
            made.variables[self.faces[k].label] = self.faces[k].variable


def gap_of(pybamm: Any, cell: Cell, mesh: Mesh, w: Depth, c: Depth) -> Gap:
    """The separator of a cell between its electrodes."""
    inner = [_salt(pybamm, f"Separator node {k}") for k in range(1, mesh.n_separator)]
    separator = cell.separator
    return Gap(
        fluid=w.fluid,
        faces=[w.nodes[-1]["salt"], *inner, c.nodes[-1]["salt"]],
        edge_m=separator.thickness_um * M_PER_UM / mesh.n_separator,
        share=separator.porosity**separator.bruggeman,
        porosity=separator.porosity,
    )
