"""Lithium in a box of voxels in three dimensions: `write_volume(scene, ...)` -> volume.html, which needs no network."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from interlith import __version__
from interlith.deposit.layers import AGAIN, DEAD, FIBRES, LIVE, MOSS, Scene
from interlith.findings import replace_file, writing
from interlith.report.deposition_plots import LITHIUM

NAME = "volume.html"
LAYERS = (
    (FIBRES, "fibres", "#8a8a90"),
    *((key, *LITHIUM[key]) for key in (LIVE, MOSS, DEAD)),
    (AGAIN, "live again, was dead", "#009e73"),
)
HELD = (
    "Surfaces of shares in voxels, each at the level at which it takes as much room as its voxels; single voxels that "
    "are hardly filled are drawn smaller than they are, or not at all. Lithium beside a fibre is drawn up to half a "
    "voxel into it, so that both meet: the hollows that hidden fibres leave are a little too narrow.",
    "Live lithium conducts to the collector, dead lithium does not. Moss: live lithium over the host, whose pores are "
    "too small for the voxels; it is drawn with them, as the room that it takes, and its charge is what it holds. Dead "
    "lithium of either sort is drawn as dead.",
    "Live again: voxels whose lithium is live now and was dead at the end of an earlier step, with what was plated "
    "onto it; its charge is counted as dense or as moss. It is a state, and not what the account calls revived so far: "
    "all that was ever joined again, which only grows.",
    "SEI is not drawn: which layer it lies in is known, not where in it.",
    "The box repeats at its sides, where it is cut open. Brown: the collector. Lines: the box, and the host's top as "
    "made.",
)


def write_volume(scene: Scene, title: str, tags: Sequence[str], said: Sequence[str], folder: Path) -> Path:
    """Write folder/volume.html: the states of a scene, to be turned, cut and played. Returns its path.

    said: what must be told with it. Raises EnvironmentError_ when it cannot be written.
    """
    import jinja2
    from markupsafe import Markup

    here = Path(__file__)
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    template = environment.from_string(here.with_name("volume.html").read_text(encoding="utf-8"))
    text = template.render(
        title=title,
        version=__version__,
        tags=list(tags),
        box=_box(scene),
        said=[*HELD, _joined(scene), *said],
        scene=_held(scene),
        script=Markup(here.with_name("volume.js").read_text(encoding="utf-8")),
    )
    with writing(folder):
        replace_file(folder / NAME, text.encode("utf-8", errors="replace"))
    return folder / NAME


def _box(scene: Scene) -> str:
    x, y, z = scene.size_um
    return f"{x:.3g} x {y:.3g} x {z:.3g} um, the collector below."


def _joined(scene: Scene) -> str:
    if scene.n_joined == 1:
        return f"Every voxel, {scene.mesh_voxel_um:g} um wide, is in the surfaces."
    return (
        f"Decimated: {scene.n_joined} x {scene.n_joined} x {scene.n_joined} voxels were joined to one of "
        f"{scene.mesh_voxel_um:g} um, so that the page stays small."
    )


def _held(scene: Scene) -> Mapping[str, Any]:
    """What the page's script reads."""
    return {
        "unit_um": scene.unit_um,
        "size_um": list(scene.size_um),
        "host_um": scene.host_um,
        "voxel_um": scene.mesh_voxel_um,
        "layers": [{"key": key, "name": name, "colour": colour} for key, name, colour in LAYERS],
        "states": [
            {"name": one.name, "meshes": dict(one.meshes), "mAh_per_cm2": dict(one.mAh_per_cm2)} for one in scene.states
        ],
        "meshes": [{"points": _text(points), "faces": _text(faces)} for points, faces in scene.packed],
    }


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
