"""Which share of the plated charge becomes SEI, and what happens when the additive that makes a good one is used up.

    dS/dt = gamma m plate        m = 1 + (m_end - 1) / (1 + exp(-(x - 1) / w))

gamma: SEI per plated lithium, about (1 - beta) q_sei 4 / (d C_vol) for features of diameter d; x: charge of SEI formed
in the whole cell over the inventory of its additive (LiNO3: 8 electrons a molecule). Past x = 1 the SEI grows m_end
times as fast. m_end and w are assumed. Switched off by gamma = 0; the inventory by m_end = 1.
"""

from __future__ import annotations

import numpy as np

from interlith.cell.compiled import compiled


@compiled
def growth_factor(used: float, factor_at_end: float, width: float) -> float:
    """How many times faster SEI forms when this fraction of the additive is used."""
    return 1.0 + (factor_at_end - 1.0) / (1.0 + np.exp(-min(max((used - 1.0) / width, -50.0), 50.0)))
