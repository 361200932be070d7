"""What a deposition is asked before it is followed: whether it can be, and whether it fits into the memory."""

from __future__ import annotations

import math
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from interlith.deposition_run import Warn
from interlith.errors import InputError
from interlith.units import LITHIUM_mAh_PER_CM2_PER_UM

if TYPE_CHECKING:
    from interlith.deposit.deposit_file import DepositFile
    from interlith.deposit.network import Network
    from interlith.deposit.solver.team import Device
    from interlith.parts.electrolyte import Electrolyte
    from interlith.parts.fibres import FibreNetwork

MOST_mA_PER_CM2 = 10.0  # the limiting current of a gap of 0.9 mm is 11 to 26
MOST_PLANES = 4096  # of dense lithium, as many as voxels across


def check(written: DepositFile, n_cycles: int, device: Device, n_processes: int) -> None:
    """Raises InputError for what cannot be followed, EnvironmentError_ where it does not fit or without its GPU."""
    if written.asked.protocol is None:
        raise InputError(f"{written.name}: plating needs a [protocol]; --network-only needs none")
    if n_cycles < 1:
        raise InputError(f"--cycles {n_cycles}: 1 or more")
    if not list(written.asked.protocol.executed()):
        raise InputError(f"{written.name}: protocol.steps: at least one is needed")
    written.deposition()
    electrolyte_of(written)
    currents = _currents(written)
    if next((current for current in currents if current), -1.0) > 0.0:
        raise InputError("protocol: it strips before anything is plated; plating has a negative current")
    for current in currents:
        if written.asked.gap is None and abs(current) > MOST_mA_PER_CM2:
            raise InputError(
                f"{abs(current):g} mA/cm2: at most {MOST_mA_PER_CM2:g}; beyond, salt is used up, which is computed "
                "with electrolyte and [gap]"
            )
    if written.asked.box is not None:
        assert written.fibres is not None
        check_box(written, n_cycles, written.fibres, written.asked.box.voxel_um, written.n_voxels, n_processes)
    if device == "cuda":
        from interlith.deposit.solver.gpu import check_gpu

        check_gpu()


def check_box(
    written: DepositFile,
    n_cycles: int,
    host: FibreNetwork | Network,
    voxel_um: float,
    n_voxels: float,
    n_processes: int = 1,
) -> None:
    """Refused where a protocol plates too much for any box, or where a box as high as that does not fit into memory.

    host: whose porosity and thickness it is; n_voxels: of the host. Each process holds a box.
    """
    _check_charge(written, n_cycles, voxel_um)
    _check_memory(written, n_cycles, host, n_voxels, n_processes)


def _check_charge(written: DepositFile, n_cycles: int, voxel_um: float) -> None:
    """Refused where a protocol plates more than could stand in so many planes if it were dense."""
    most, limit = _most_plated(written, n_cycles), MOST_PLANES * voxel_um * LITHIUM_mAh_PER_CM2_PER_UM
    if most > limit:
        high_um = most / LITHIUM_mAh_PER_CM2_PER_UM
        raise InputError(
            f"protocol: it plates {most:.4g} mAh/cm2, {high_um:.4g} um of dense lithium; at most {limit:.4g} mAh/cm2, "
            f"{MOST_PLANES} planes of voxels of {voxel_um:g} um. Is a unit wrong?"
        )


def can_write_fields(out: Path, warn: Warn) -> bool:
    """Whether fields can be written there; says how they could be."""
    from interlith.deposit.fields import FIELDS, fields_need, refuse_foreign

    refuse_foreign(out / FIELDS)
    if (missing := fields_need()) is not None:
        warn(f"{FIELDS}, where the lithium lies in each voxel, will not be written: {missing}")
    return missing is None


def electrolyte_of(written: DepositFile) -> Electrolyte | None:
    """The one that is asked for; None where it costs nothing."""
    from interlith.parts.electrolyte import electrolyte

    return None if written.asked.electrolyte is None else electrolyte(written.asked.electrolyte)


def _currents(written: DepositFile) -> list[float]:
    assert written.asked.protocol is not None
    return [getattr(step, "signed_mA_per_cm2", 0.0) for step in written.asked.protocol.executed()]


def _most_plated(written: DepositFile, n_cycles: int) -> float:
    """The most lithium that a protocol holds at one time, mAh/cm2."""
    from interlith.deposit.follow import planned_charges

    assert written.asked.protocol is not None
    steps = tuple(written.asked.protocol.executed()) * n_cycles
    signs = [math.copysign(1.0, getattr(step, "signed_mA_per_cm2", 0.0)) for step in steps]
    charges = [-sign * charge for sign, charge in zip(signs, planned_charges(steps), strict=True)]
    return max(accumulate(charges), default=0.0)


def _check_memory(
    written: DepositFile, n_cycles: int, host: FibreNetwork | Network, n_voxels: float, n_processes: int
) -> None:
    """A box is as high as its lithium may get."""
    from interlith.deposit.memory import check_memory, while_plating

    assert written.asked.protocol is not None
    n_pictures = n_cycles * len(list(written.asked.protocol.executed()))
    has_potential = written.asked.electrolyte is not None and written.asked.gap is None
    per_voxel = while_plating(n_pictures, has_potential=has_potential)
    times_as_high = highest_um(written, n_cycles, host) / host.thickness_um
    check_memory(times_as_high * n_voxels, per_voxel, n_processes)


def highest_um(written: DepositFile, n_cycles: int, host: FibreNetwork | Network) -> float:
    """How high lithium may get, from above: what pores take before they are pushed apart lies in them, all other over
    the host, as porous as the protocol's highest current makes it.
    """
    values = written.deposition()
    void = values.void_per_sei * values.sei_per_plated * max(map(abs, _currents(written))) ** values.void_exponent
    in_pores_um = values.fill_before_swelling * host.porosity * host.thickness_um
    most_um = _most_plated(written, n_cycles) / LITHIUM_mAh_PER_CM2_PER_UM
    return host.thickness_um + max(most_um - in_pores_um, 0.0) * (1.0 + void)
