"""Where particles of a coating may sit on a piece of tube: one draw, for a drawing to scale."""

from __future__ import annotations

import numpy as np

from interlith.coating.grow import Batch
from interlith.units import NM_PER_UM

LENGTH_NM = 250.0
MOST_DRAWN = 3000
Row = dict[str, float | bool]


def particles(batch: Batch, seed: int = 0) -> list[Row]:
    """Places of the particles on LENGTH_NM of a tube, random and independent (a Poisson process), radii as computed.

    along: nm from the left end; across: nm from the axis as seen from the side; front: whether the tube hides none of
    it. Empty for a powder without diameters.

    >>> from interlith.coating.grow import grow
    >>> from interlith.coating.recipe_file import read_recipe
    >>> drawn = particles(grow(read_recipe("reference-coating").recipe))
    >>> 15 < len(drawn) < 60
    True
    """
    outer, per_um = batch.recipe.powder.outer_diameter_nm, batch.particles_per_um
    if outer is None or per_um is None:
        return []
    chance = np.random.Generator(np.random.Philox(seed))
    expected = min(per_um * LENGTH_NM / NM_PER_UM, 2.0 * MOST_DRAWN)
    n = min(int(chance.poisson(expected)), MOST_DRAWN)
    along = chance.uniform(0.0, LENGTH_NM, n)
    angle = chance.uniform(-np.pi, np.pi, n)
    radius = float(batch.diameter_nm[-1]) / 2.0
    across, towards = outer / 2.0 * np.sin(angle), np.cos(angle)
    order = np.argsort(towards, kind="stable")  # the nearest are drawn last
    return [
        {
            "along_nm": float(along[i]),
            "across_nm": float(across[i]),
            "radius_nm": radius,
            "front": bool(towards[i] >= 0),
        }
        for i in order
    ]
