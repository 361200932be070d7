"""Where the lithium lies, voxel by voxel, as Zarr: what xarray, napari and others open without interlith.

A group for each network with the arrays lithium [picture, z_um, y_um, x_um], share of each voxel; is_dead, likewise;
host [z_um, y_um, x_um], share of each voxel; height_um and sei [picture, z_um], of each plane; and along `picture`, one
at the end of each step of the protocol, step, cycle and plated_mAh_per_cm2.
Shares are of a voxel that is not stretched. z_um, y_um, x_um: middles of the voxels over the current collector and from
its corner.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from interlith import __version__, ledger
from interlith.deposit.follow import Deposited
from interlith.errors import EnvironmentError_, InputError

FIELDS = "fields.zarr"
FORMAT: Final = 3  # of Zarr: names of dimensions are part of it
WRITER = "interlith"  # the attribute by which a folder of ours is known
MOST_ACROSS = 128  # voxels of a chunk, in y and x
SPACE = ("z_um", "y_um", "x_um")
MEANINGS = {
    "lithium": "share of the voxel that is lithium",
    "is_dead": "its lithium does not conduct to the current collector",
    "host": "share of the voxel that is host",
    "plated_mAh_per_cm2": "charge that has passed, positive when plated",
    "step": "of the protocol, from 0, at whose end this is",
    "cycle": "from 1",
    "height_um": "of each plane, with which the layers of a host that swells are stretched",
    "sei": "volume of SEI in the plane over that of its voxels; it is known by plane alone",
    "z_um": "middle of the plane over the current collector, as if no layer were stretched",
    "y_um": "middle of the voxel",
    "x_um": "middle of the voxel",
}


@dataclass(frozen=True)
class Field:
    """One network: its name in the store, its host float[z, y, x], and what was found."""

    name: str
    host: NDArray[Any]
    found: Deposited


def fields_need() -> str | None:
    """What must be installed before fields can be written; None when nothing."""
    if importlib.util.find_spec("zarr") is None:
        return "zarr is not installed: pip install 'interlith[fields]'"
    return None


def refuse_foreign(path: Path) -> None:
    """Raises InputError where such a folder is there that interlith has not written: it would be replaced."""
    if not path.exists():
        return
    try:
        held = json.loads((path / "zarr.json").read_text(encoding="utf-8"))
        is_ours = WRITER in held["attributes"]
    except (OSError, ValueError, KeyError, TypeError):
        is_ours = False
    if not is_ours:
        raise InputError(f"{path}: is not interlith's, and stays; give another --out")


def write_fields(path: Path, fields: Sequence[Field], about: Mapping[str, Any]) -> None:
    """Write a folder of Zarr that takes the place of an older one when it is whole. about: attributes of all of it.

    Raises EnvironmentError_ without the extra `fields`, InputError as `refuse_foreign`, OSError where it cannot be
    written; what was there before is there then.
    """
    if (missing := fields_need()) is not None:
        raise EnvironmentError_(missing)
    import zarr

    refuse_foreign(path)
    partial, old = (path.with_name(f"{path.name}.{end}") for end in ("partial", "old"))
    for left in (partial, old):
        shutil.rmtree(left, ignore_errors=True)
    try:
        root = zarr.open_group(str(partial), mode="w", zarr_format=FORMAT, attributes={WRITER: __version__, **about})
        for field in fields:
            _write_network(root, field)
        if path.exists():
            path.replace(old)
        partial.replace(path)
    except BaseException:
        if old.exists() and not path.exists():
            with contextlib.suppress(OSError):
                old.replace(path)
        raise
    finally:
        for left in (partial, old):
            shutil.rmtree(left, ignore_errors=True)


def _write_network(root: Any, field: Field) -> None:
    found = field.found
    n_planes = max(len(field.host), *(len(one.lithium) for one in found.pictures))
    steps = found.ledger.steps()
    plated = -steps["passed"].to_numpy()
    middles = [(np.arange(n) + 0.5) * found.voxel_um for n in (n_planes, *field.host.shape[1:])]
    attributes = {
        "voxel_um": found.voxel_um,
        "n_host_planes": found.n_host,
        "plane_um": middles[0].tolist(),
        "plated_mAh_per_cm2": plated.tolist(),
    }
    group = root.create_group(field.name, attributes=attributes)
    for name, along in zip(SPACE, middles, strict=True):
        _put(group, name, along, (name,))
    _put(group, "step", np.array([one.step for one in found.pictures]), ("picture",))
    _put(group, "cycle", steps[ledger.CYCLE].to_numpy() + 1, ("picture",))
    _put(group, "plated_mAh_per_cm2", plated, ("picture",))
    heights = [np.pad(one.heights_um, (0, n_planes - len(one.heights_um)), mode="edge") for one in found.pictures]
    _put(group, "height_um", np.stack(heights), ("picture", "z_um"))
    sei = [np.pad(one.sei, (0, n_planes - len(one.sei))) for one in found.pictures]
    _put(group, "sei", np.stack(sei), ("picture", "z_um"))
    _put(group, "host", _high(field.host, n_planes), SPACE)
    for name in ("lithium", "is_dead"):
        stack = np.stack([_high(getattr(one, name), n_planes) for one in found.pictures])
        _put(group, name, stack, ("picture", *SPACE))


def _high(field: NDArray[Any], n_planes: int) -> NDArray[Any]:
    """With planes of electrolyte over it."""
    return np.pad(field, ((0, n_planes - len(field)), (0, 0), (0, 0)))


def _put(group: Any, name: str, values: NDArray[Any], dimensions: Sequence[str]) -> None:
    """An array with the names of its dimensions; one chunk for each picture, or for a part of it."""
    most = {"picture": 1, "y_um": MOST_ACROSS, "x_um": MOST_ACROSS} if values.ndim > 1 else {}
    pairs = zip(dimensions, values.shape, strict=True)
    attributes = {"long_name": MEANINGS[name]}
    if "picture" in most and "picture" in dimensions:
        attributes["coordinates"] = "plated_mAh_per_cm2 step cycle"
    group.create_array(
        name,
        data=np.ascontiguousarray(values),
        chunks=tuple(min(n, most.get(dimension, n)) for dimension, n in pairs),
        dimension_names=tuple(dimensions),
        attributes=attributes,
    )
