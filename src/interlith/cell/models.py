"""The models of a cell by name: a system for the integrator, its first state, and how exact it must be."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import interlith.cell.blocks
import interlith.cell.bordered  # noqa: F401 - the duties of a resolved cell
from interlith.cell import account, duties, layers, layout
from interlith.cell.advance import AMOUNT, FREE, VOLTS, Tolerance
from interlith.cell.full import SURFACE, U_P, VOLUME, Full, salt_of, stranded_of
from interlith.cell.layout import Mesh, record
from interlith.cell.liquid import liquid
from interlith.cell.lumped import Circuit, Electrode, Lumped
from interlith.cell.mechanisms.active_loss import connected
from interlith.cell.profiles import salt_mol_per_m3
from interlith.cell.resolved import N_TOTALS, SALT, Resolved
from interlith.cell.translate import full_kernel, kelvin_of, kernel
from interlith.errors import InputError, did_you_mean
from interlith.parts.cell import Cell, Foil
from interlith.parts.positive import Positive
from interlith.units import C_PER_M2_PER_mAh_PER_CM2

DEFAULT_RELATIVE = 1e-4
ABSOLUTE_CHARGE_mAh_PER_CM2, ABSOLUTE_POTENTIAL_V, ABSOLUTE_TIME_S, ABSOLUTE_SALT_SHARE = 1e-7, 1e-5, 1e-3, 1e-4
OF_ONE_NODE = 10.0  # what each of many nodes may be wrong by, over what a whole electrode may


class Model(NamedTuple):
    """A cell for the integrator: what serves its duties, its state before the test, how exact it must be."""

    system: Any
    y: NDArray[np.float64]
    tolerance: Tolerance

    @property
    def has_depth(self) -> bool:
        """Whether anything in it varies with depth."""
        return isinstance(self.system, Resolved)

    def surface_share(self) -> float | None:
        """Lithium per site at the surface of the positive's particles; None without a positive."""
        if not isinstance(self.system, Full):
            return None
        p, throughput = self.system.counter, self.y[stranded_of(self.system) + 1]
        sites = p.sites_C_per_m2 * connected(throughput, p.loss_per_C) * self.system.shells[VOLUME, 0]
        return float(self.y[SURFACE] / sites)

    def least_salt_share(self) -> float:
        """The lowest concentration now, over that of the electrolyte as filled in; 1 where salt is not followed."""
        if isinstance(self.system, Lumped):
            return 1.0
        return float(salt_mol_per_m3(self.system, self.y).min() / self.system.liquid.salt_mol_per_m3)


def _lumped(cell: Cell, without: Collection[str], relative: float, mesh: Mesh) -> Model:
    working, counter, circuit = kernel(cell, without)
    system = Lumped(record(working), record(counter), record(circuit), _active_states(working, counter, circuit))
    return Model(system, initial(cell), _tolerance(relative, np.concatenate([_ELECTRODE, _ELECTRODE, _TOTALS])))


def _resolved(cell: Cell, without: Collection[str], relative: float, mesh: Mesh) -> Model:
    working, counter, circuit = kernel(cell, without)
    foil = cell.counter
    assert isinstance(foil, Foil)  # as `kernel` has checked
    followed = circuit._replace(resistance_ohm_m2=0.0)  # the electrolyte's own is followed over depth
    w = layout.depth(cell.working, working, 0, mesh)
    c = layout.depth(foil, counter, w.n_nodes, mesh)
    gap, salt = layout.gap(cell.separator, mesh), cell.electrolyte.salt_mol_per_m3
    known = liquid(cell.electrolyte, kelvin_of(cell))
    system = Resolved(record(working), record(counter), record(followed), w, c, gap, known, layout.pattern(w, c, gap))
    node = np.concatenate([_ELECTRODE * (OF_ONE_NODE, 1), [(ABSOLUTE_SALT_SHARE * salt, FREE)]])
    n_nodes, n_inner = w.n_nodes + c.n_nodes, gap.n_edges - 1
    exact = np.concatenate([np.tile(node, (n_nodes, 1)), np.tile(node[SALT:], (n_inner, 1)), _TOTALS])
    return Model(system, layout.spread(initial(cell), w, c, gap, salt), _tolerance(relative, exact))


def _full(cell: Cell, without: Collection[str], relative: float, mesh: Mesh) -> Model:
    """A full cell is lumped in its electrodes, and its salt is followed over the depth of all layers."""
    working, positive, particles, circuit = full_kernel(cell, without)
    made, parts = layers.layers(cell, positive, mesh), layers.shells(positive, mesh)
    salt, known = cell.electrolyte.salt_mol_per_m3, liquid(cell.electrolyte, kelvin_of(cell))
    active = np.array(layout.solved(working, front=True, back=True))
    seen = layers.watched(made, parts)
    system = Full(
        record(working), record(particles), record(circuit), known, made, parts, layers.material(positive), active, seen
    )
    exact = np.tile(_ELECTRODE[account.PORES], (layers.n_states(made, parts), 1))
    exact[: account.N_ELECTRODE] = _ELECTRODE
    exact[U_P] = _ELECTRODE[account.POTENTIAL]
    exact[salt_of(system) :] = ABSOLUTE_SALT_SHARE * salt, FREE
    exact[-N_TOTALS:] = _TOTALS
    y = layers.laid_out(initial(cell), positive, particles.sites_C_per_m2, made, parts, salt)
    return Model(system, y, _tolerance(relative, exact))


def _exactness() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Absolute tolerance and sort of the states of one electrode, and of the totals: float64[n, 2]."""
    charge = ABSOLUTE_CHARGE_mAh_PER_CM2 * C_PER_M2_PER_mAh_PER_CM2
    electrode = np.tile([charge, AMOUNT], (account.N_ELECTRODE, 1))
    electrode[account.POTENTIAL] = ABSOLUTE_POTENTIAL_V, VOLTS
    totals = np.tile([charge, FREE], (N_TOTALS, 1))
    totals[account.TIME - account.PASSED] = ABSOLUTE_TIME_S, FREE
    return electrode, totals


_ELECTRODE, _TOTALS = _exactness()


def _tolerance(relative: float, exact: NDArray[np.float64]) -> Tolerance:
    """Absolute tolerances are those of the default relative one, and get tighter with it."""
    return Tolerance(relative, exact[:, 0] * min(relative / DEFAULT_RELATIVE, 1.0), exact[:, 1].astype(np.int64))


def for_ramp(system: Any) -> Any:
    """The same system for a voltage that moves: the rates then depend on time."""
    if isinstance(system, Full):
        time = layers.n_states(system.layers, system.shells) + duties.TIME
        return system._replace(watched=np.append(system.watched, time))
    if isinstance(system, Lumped):
        return system._replace(active=np.append(system.active, account.TIME))
    seen = system.pattern
    time = len(seen.place) + duties.TIME
    return system._replace(pattern=seen._replace(watched=np.append(seen.watched, time)))


def initial(cell: Cell) -> NDArray[np.float64]:
    """The account before the test: float64[N_ACCOUNT]."""
    y = np.zeros(account.N_ACCOUNT)
    if isinstance(cell.counter, Foil):
        y[account.COUNTER + account.FOIL] = cell.counter.areal_capacity_mAh_per_cm2 * C_PER_M2_PER_mAh_PER_CM2
    if isinstance(cell.working, Foil):
        y[account.FOIL] = cell.working.areal_capacity_mAh_per_cm2 * C_PER_M2_PER_mAh_PER_CM2
    else:
        y[account.POTENTIAL] = cell.initial_voltage_V
    return y


def _active_states(working: Electrode, counter: Electrode, circuit: Circuit) -> NDArray[np.int64]:
    """The states on which any rate depends: int64[m]. Totals, and what this cell does not have, are left out."""
    found: list[int] = []
    for first, part in ((0, working), (account.COUNTER, counter)):
        found += [first + which for which in layout.solved(part, front=True, back=True)]
        if circuit.inventory_C_per_m2 > 0:
            found.append(first + account.SEI)
    return np.array(found, dtype=np.int64)


_BUILDERS: Mapping[str, Callable[[Cell, Collection[str], float, Mesh], Model]] = {
    "lumped": _lumped,
    "resolved": _resolved,
    "full": _full,
}
DEFAULT_MODEL = "lumped"
MODELS: Mapping[str, str] = {
    "lumped": "one potential for each electrode; in full cells salt over the depth and one particle (SPMe)",
    "resolved": "potential, salt and lithium over the depth of host and separator",
}


def check_model(name: str) -> None:
    """Raises InputError for a model that does not exist, naming the nearest."""
    if name not in MODELS:
        raise InputError(f"model {name}: not one of {', '.join(MODELS)}.{did_you_mean(str(name), MODELS)}")


def model_of(cell: Cell, name: str, without: Collection[str], relative: float, mesh: Mesh | None = None) -> Model:
    """The model of this name for the integrator; a lumped one has no mesh. Raises InputError where there is none."""
    kept = kernel_name(cell, name)
    return _BUILDERS[kept](cell, without, relative, mesh or default_mesh(kept))


def default_mesh(kept: str) -> Mesh:
    """A full cell's salt is smooth: fewer intervals do, within 0.3 mV at 1C."""
    return Mesh(n_host=4, n_separator=4, n_positive=6) if kept == "full" else Mesh()


def kernel_name(cell: Cell, name: str) -> str:
    """Which compiled model serves a cell under the name that a person gives. Raises InputError where none does."""
    check_model(name)
    if not isinstance(cell.counter, Positive):
        return name
    if name == "resolved":
        raise InputError(f"model resolved: a {cell.kind} cell is lumped so far, with salt over the depth of all layers")
    return "full"
