"""The numbers that every model writes for each row: two electrodes' lithium and what passed. SI, C/m2 of lithium.

    0..9    working electrode      active in pores, active on top, active in foil, dead in pores, dead on top, SEI,
    10..19  counter electrode      converted, alloyed, u (V against the electrolyte), revived; per its area
    20 charge passed, 21 charge through a short (C/m2 of the working electrode), 22 time (s), 23 what the short carried,
    both directions added

A lumped cell's state is its account. A resolved cell's account holds sums over depth, and the mean of its potentials.
"""

from __future__ import annotations

PORES, TOP, FOIL, DEAD_PORES, DEAD_TOP, SEI, CONVERTED, ALLOYED, POTENTIAL, REVIVED = range(10)
N_ELECTRODE = 10
COUNTER = N_ELECTRODE
PASSED, SHORTED, TIME, CARRIED = 20, 21, 22, 23
N_ACCOUNT = 24
N_ROW = N_ACCOUNT + 2  # after voltage and current
