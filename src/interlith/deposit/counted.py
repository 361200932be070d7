"""What each plane of a box holds: sums that do not depend on how threads share the planes."""

from __future__ import annotations

import numpy as np

from interlith.deposit.solver.kernels import kernel
from interlith.deposit.surfaces import DEAD, LEAST_LITHIUM, LIVE, PACKING, STRETCH


@kernel
def held(lithium, found, first, last):  # type: ignore[no-untyped-def]
    """found[k]: whether there is lithium in a plane, rim counted."""
    for k in range(first, last):
        found[k] = False
        for j in range(1, lithium.shape[1] - 1):
            for i in range(1, lithium.shape[2] - 1):
                if lithium[k, j, i] != 0.0:
                    found[k] = True
                    break
            if found[k]:
                break


@kernel
def live_and_dead(lithium, state, found, first, last):  # type: ignore[no-untyped-def]
    """found[k]: lithium of a plane that is not dead, and that is."""
    for k in range(first, last):
        live, dead = 0.0, 0.0
        for j in range(1, lithium.shape[1] - 1):
            for i in range(1, lithium.shape[2] - 1):
                if state[k, j, i] == DEAD:
                    dead += lithium[k, j, i]
                else:
                    live += lithium[k, j, i]
        found[k, 0], found[k, 1] = live, dead


@kernel
def changed(old, old_state, lithium, state, found, first, last):  # type: ignore[no-untyped-def]
    """found[k]: lithium of a plane that was dead and is live; that is dead and was live."""
    for k in range(first, last):
        revived, died = 0.0, 0.0
        for j in range(1, state.shape[1] - 1):
            for i in range(1, state.shape[2] - 1):
                if old_state[k, j, i] == DEAD and state[k, j, i] == LIVE:
                    revived += old[k, j, i]
                if old_state[k, j, i] == LIVE and state[k, j, i] == DEAD:
                    died += lithium[k, j, i]
        found[k, 0], found[k, 1] = revived, died


@kernel
def filled(host, lithium, found, first, last):  # type: ignore[no-untyped-def]
    """found[k]: lithium of a plane, and the most that a voxel of it holds with its host."""
    for k in range(first, last):
        total, most = 0.0, 0.0
        for j in range(1, host.shape[1] - 1):
            for i in range(1, host.shape[2] - 1):
                total += lithium[k, j, i]
                most = max(most, host[k, j, i] + lithium[k, j, i])
        found[k, 0], found[k, 1] = total, most


@kernel
def fronts(host, planes, lithium, found):  # type: ignore[no-untyped-def]
    """found[y, x]: height of the highest lithium of each column in voxels, 0 without any; no rim."""
    under = np.zeros(len(planes))
    for k in range(2, len(planes)):
        under[k] = under[k - 1] + planes[k - 1, STRETCH]
    found[:] = 0.0
    for k in range(1, lithium.shape[0] - 1):
        for j in range(1, lithium.shape[1] - 1):
            for i in range(1, lithium.shape[2] - 1):
                if lithium[k, j, i] > LEAST_LITHIUM:
                    full = min(lithium[k, j, i] / planes[k, PACKING] + host[k, j, i], planes[k, STRETCH])
                    found[j - 1, i - 1] = under[k] + full
