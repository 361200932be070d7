"""What lies where over the depth of a resolved cell, at the end of each step of the protocol."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from interlith.cell import duties
from interlith.cell.account import DEAD_PORES, PORES, POTENTIAL
from interlith.cell.full import Full
from interlith.cell.layout import gap_states, nodes
from interlith.cell.mechanisms.filling import free_share, widened
from interlith.cell.resolved import N_TOTALS, SALT, Depth, Resolved
from interlith.ledger import CYCLE, STEP, TIME
from interlith.units import M_PER_UM, MOL_PER_M3_PER_MOL_PER_L

Columns = dict[str, NDArray[np.float64] | str]


def salt_mol_per_m3(system: Resolved | Full, y: NDArray[np.float64]) -> NDArray[np.float64]:
    """c everywhere, from the back of the working electrode on: float64[..., place]."""
    if isinstance(system, Full):
        return y[..., -system.layers.shape[1] - N_TOTALS : -N_TOTALS]
    return y[..., [k for k, _ in _salt_states(system)]]


def profiles(system: Resolved, y: NDArray[np.float64], step: Sequence[int], cycle: Sequence[int]) -> pl.DataFrame:
    """One row per step and place, from the states at the ends of steps, float64[step, state].

    Columns: step_count, cycle_count, test_time_second; place (working, separator, counter), depth_um from the back of
    the working electrode, widths as made; salt_mol_per_L; in an electrode potential_volt (against the electrolyte
    there); in a host active_share and dead_share (of the pores as made) and void_fraction.
    """
    number = np.arange(len(y))
    index = {STEP: np.asarray(step), CYCLE: np.asarray(cycle), TIME: y[:, duties.TIME]}
    tables = [
        pl.DataFrame({"row": number, **index, "depth_um": np.full(len(y), depth_um), **columns})
        for depth_um, columns in _places(system, y)
    ]
    return pl.concat(tables, how="diagonal").sort("row", "depth_um").drop("row")


def _salt_states(system: Resolved) -> list[tuple[int, float]]:
    """State and depth in um of c at each place."""
    w, c, gap = system.depth_w, system.depth_c, system.gap
    found = [(node.state(SALT), j * w.edge_m / M_PER_UM) for j, node in enumerate(nodes(w))]
    begin = found[-1][1]
    inner = gap_states(w, c, gap)[1:-1]
    found += [(k, begin + (j + 1) * gap.edge_m / M_PER_UM) for j, k in enumerate(inner)]
    begin += gap.n_edges * gap.edge_m / M_PER_UM
    return found + [(node.state(SALT), begin + j * c.edge_m / M_PER_UM) for j, node in enumerate(nodes(c)[::-1])]


def _places(system: Resolved, y: NDArray[np.float64]) -> Iterator[tuple[float, Columns]]:
    line = [*nodes(system.depth_w), *[None] * (system.gap.n_edges - 1), *nodes(system.depth_c)[::-1]]
    for (k, depth_um), node in zip(_salt_states(system), line, strict=True):
        salt = y[:, k] / MOL_PER_M3_PER_MOL_PER_L
        if node is None:
            yield depth_um, {"place": "separator", "salt_mol_per_L": salt}
            continue
        place = "working" if node.electrode.first == 0 else "counter"
        columns: Columns = {"place": place, "salt_mol_per_L": salt, "potential_volt": y[:, node.state(POTENTIAL)]}
        if node.electrode.n_nodes > 1:
            columns |= _pores(node.electrode, y[:, node.state(PORES)], y[:, node.state(DEAD_PORES)])
        yield depth_um, columns


def _pores(d: Depth, active: NDArray[np.float64], dead: NDArray[np.float64]) -> Columns:
    capacity, stretching, wet = d.inner.pore_C_per_m2, d.inner.stretching, d.inner.wet_when_full
    void = [
        d.porosity * free_share(held, capacity, stretching, wet) / widened(held, capacity, stretching, d.porosity)
        for held in active + dead
    ]
    return {"active_share": active / capacity, "dead_share": dead / capacity, "void_fraction": np.array(void)}
