"""One scan as a file holds it, before it is checked: angles, counts, what each count was multiplied by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from interlith.characterize.diffraction.radiation import Radiation

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scan:
    """Columns of equal length. factor: by which detected photons were multiplied, 1 where nothing is known.

    sigma: errors that the file states, or None. claims_counts: the file says that these are counts.
    """

    two_theta_deg: Floats
    counts: Floats
    factor: Floats
    radiation: Radiation | None = None
    sigma: Floats | None = None
    claims_counts: bool = False
    said: tuple[str, ...] = ()
