"""Whether a box fits into the memory that is free; asked before it is made."""

from __future__ import annotations

import re
from pathlib import Path

from interlith.errors import EnvironmentError_

BYTES_PER_VOXEL = 150.0  # of a box while it conducts: counted, arrays of the solver 90, its input and labels the rest
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


def check_memory(n_voxels: float) -> None:
    """Raises EnvironmentError_ where so many voxels do not fit, with how many do.

    >>> check_memory(1000)
    """
    has = KEPT_FREE * free_bytes()
    if n_voxels * BYTES_PER_VOXEL > has:
        fits = int((has / BYTES_PER_VOXEL) ** (1.0 / 3.0))
        raise EnvironmentError_(
            f"{n_voxels:.3g} voxels need about {n_voxels * BYTES_PER_VOXEL / BYTES_PER_GB:.3g} GB, and "
            f"{has / BYTES_PER_GB:.3g} GB are free: a box of about {fits} x {fits} x {fits} voxels fits"
        )
