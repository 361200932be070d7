"""Whether a box fits into the memory that is free; asked before it is made."""

from __future__ import annotations

import re
from pathlib import Path

from interlith.errors import EnvironmentError_

BYTES_PER_VOXEL = 150.0  # of a box while it conducts: counted, arrays of the solver 90, its input and labels the rest
PLATING = 100.0  # of a box while it is plated or stripped: measured, bench/deposition_cycle.py
POTENTIAL = 200.0  # more where the electrolyte's potential is solved: counted
PER_PICTURE = 5.0  # of each that is kept, at the end of each step of a protocol
KEPT_FREE = 0.9  # share of the free memory that is used
BYTES_PER_GB = 1e9
UNTOLD_MEMORY_BYTES = 1 << 34  # where the system does not say what is free


def free_bytes() -> int:
    """Memory that a program can have without others being pushed out; where the system does not say, a guess."""
    try:
        found = re.search(r"MemAvailable:\s*(\d+) kB", Path("/proc/meminfo").read_text())
    except OSError:
        found = None
    return int(found[1]) * 1024 if found else UNTOLD_MEMORY_BYTES


def while_plating(n_pictures: int, *, has_potential: bool) -> float:
    """Bytes per voxel of a box in which lithium is plated.

    >>> while_plating(4, has_potential=False)
    120.0
    """
    return PLATING + PER_PICTURE * n_pictures + (POTENTIAL if has_potential else 0.0)


def check_memory(n_voxels: float, per_voxel: float = BYTES_PER_VOXEL, n_boxes: int = 1) -> None:
    """Raises EnvironmentError_ where so many boxes of so many voxels do not fit, with how many do.

    >>> check_memory(1000)
    """
    has, needs = KEPT_FREE * free_bytes(), n_boxes * n_voxels * per_voxel
    if needs > has:
        fits = int((has / per_voxel / n_boxes) ** (1.0 / 3.0))
        each = f", {n_boxes} of them at once," if n_boxes > 1 else ""
        raise EnvironmentError_(
            f"{n_voxels:.3g} voxels{each} need about {needs / BYTES_PER_GB:.3g} GB, and "
            f"{has / BYTES_PER_GB:.3g} GB are free: a box of about {fits} x {fits} x {fits} voxels fits"
        )
