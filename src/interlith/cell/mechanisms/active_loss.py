"""How much active material of a positive electrode has lost contact, and how much lithium it took along.

    a = 1 - l n        dS/dt = sum of q_k (-da/dt) / a        n = throughput / (2 Q)

a: share of the active material still connected, S: lithium stranded in what is not, q_k: lithium in the shells of the
particles, n: equivalent full cycles. Material is lost at the lithium content that it has at that moment. The linear law
and l are assumed, and l is 0 as shipped. Switched off by l = 0.
"""

from __future__ import annotations

from interlith.cell.compiled import compiled

LEAST = 1e-3  # an electrode of which less is left is at its end


@compiled
def connected(throughput_C_per_m2: float, per_C: float) -> float:
    """Share of the active material still connected; per_C: share lost for each C/m2 passed."""
    return max(1.0 - per_C * throughput_C_per_m2, LEAST)


@compiled
def stranding_per_s(current_A_per_m2: float, per_C: float, connected_share: float) -> float:
    """Share of the lithium in connected material that is stranded, per second."""
    return per_C * abs(current_A_per_m2) / connected_share if connected_share > LEAST else 0.0
