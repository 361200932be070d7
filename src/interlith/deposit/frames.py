"""The middle of a box while it is filled and emptied for the first time, at charges equally far apart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interlith.deposit import surfaces
from interlith.deposit.box import Box
from interlith.deposit.checkpoint import arrays_of, value_of

N_FRAMES = 5  # while plating; as many while stripping
NEARLY = 1e-6  # of the charge between two frames


@dataclass(frozen=True)
class Frame:
    """The plane y = n_y // 2 at one moment of the first cycle.

    lithium: float32[z, x], shares. is_dead: bool[z, x]. heights_um: float64[z], height of each plane; packing:
    float64[z], how densely lithium packs in it.
    """

    plated_mAh_per_cm2: float
    is_stripping: bool
    lithium: NDArray[np.float32]
    is_dead: NDArray[np.bool_]
    heights_um: NDArray[np.float64]
    packing: NDArray[np.float64]


@dataclass
class Frames:
    """Looks at a box after each small step and keeps the first look at or beyond each charge; the box is left as it is.

    whole_mAh_per_cm2: what is plated in the first cycle.
    """

    whole_mAh_per_cm2: float
    kept: list[Frame] = field(default_factory=list)
    reached: int = 0

    def look(self, box: Box, plated_mAh_per_cm2: float, cycle: int, current_mA_per_cm2: float) -> None:
        """Keep the middle of the box where a charge has just been reached, upwards while plating, downwards later."""
        if cycle > 0 or current_mA_per_cm2 == 0.0 or not 0.0 < self.whole_mAh_per_cm2 < math.inf:
            return
        part = plated_mAh_per_cm2 / self.whole_mAh_per_cm2 * N_FRAMES
        is_stripping = current_mA_per_cm2 > 0.0
        now = math.ceil(part - NEARLY) if is_stripping else math.floor(part + NEARLY)
        if now == self.reached:
            return
        self.reached = now
        self.kept.append(_frame(box, plated_mAh_per_cm2, is_stripping))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All of it, by name, to be taken up by `restored`."""
        held = {f"frame.{n}.{name}": value for n, one in enumerate(self.kept) for name, value in arrays_of(one).items()}
        return {"frames.reached": np.array(self.reached), "frames.n": np.array(len(self.kept))} | held

    def restored(self, arrays: Mapping[str, NDArray[Any]]) -> Frames:
        """What goes on from there; raises KeyError for arrays that are not of frames."""
        names = [one.name for one in fields(Frame)]
        kept = [
            Frame(**{name: value_of(arrays[f"frame.{n}.{name}"]) for name in names})
            for n in range(int(arrays["frames.n"]))
        ]
        return Frames(self.whole_mAh_per_cm2, kept, int(arrays["frames.reached"]))


def _frame(box: Box, plated_mAh_per_cm2: float, is_stripping: bool) -> Frame:
    middle = (slice(1, -1), 1 + (box.lithium.shape[1] - 2) // 2, slice(1, -1))
    lithium = box.lithium[middle].astype(np.float32)
    is_dead, packing = box.state[middle] == surfaces.DEAD, box.planes[1:-1, surfaces.PACKING].copy()
    return Frame(plated_mAh_per_cm2, is_stripping, lithium, is_dead, box.heights_um, packing)


def first_plated(moved_mAh_per_cm2: Sequence[float]) -> float:
    """Charge of the platings, which are negative, before the first that follows a stripping.

    >>> first_plated([-1.0, -2.0, float("inf"), -3.0])
    3.0
    """
    total, has_stripped = 0.0, False
    for moved in moved_mAh_per_cm2:
        if moved < 0.0 and has_stripped:
            break
        has_stripped = has_stripped or moved > 0.0
        total += max(-moved, 0.0)
    return total
