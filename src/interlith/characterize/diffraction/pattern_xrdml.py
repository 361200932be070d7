"""PANalytical .xrdml: one scan as XML, schemas 1.x and 2.x."""

from __future__ import annotations

import xml.etree.ElementTree as Tree
from pathlib import Path

import numpy as np

from interlith.characterize.diffraction.radiation import NM_PER_ANGSTROM, HIGHEST_nm, LOWEST_nm, Radiation, stated
from interlith.characterize.diffraction.safe_xml import every, number, parsed
from interlith.characterize.diffraction.scan import Floats, Scan
from interlith.errors import CorruptFile, InputError, UnsupportedFormat

MOST_BYTES = 64 * 1024**2
HEAD_BYTES = 4096


def is_xrdml(path: Path) -> bool:
    """Whether a file begins as XRDML does."""
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    return b"xrdMeasurement" in head.replace(b"\0", b"")


def read_xrdml(path: Path) -> Scan:
    """The scan over 2 theta. `intensities` are already corrected for attenuators, `counts` are not.

    Raises CorruptFile for damaged or cut-off XML and for entities, InputError where no scan over 2 theta is in it,
    UnsupportedFormat for several scans in one file.
    """
    if path.stat().st_size > MOST_BYTES:
        raise CorruptFile(f"{path.name}: more than {MOST_BYTES // 1024**2} MB; not one pattern")
    root = parsed(path.read_bytes(), path.name)
    points = list(every(root, "dataPoints"))
    if not points:
        raise CorruptFile(f"{path.name}: no data points inside; was the measurement stopped before it began?")
    if len(points) > 1:
        raise UnsupportedFormat(f"{path.name}: {len(points)} scans in one file; export the one you mean alone")
    measured, kind = _intensities(path.name, points[0])
    angles = _angles(path.name, points[0], len(measured))
    factor = _factors(path.name, points[0], len(measured))
    counts = measured * factor if kind == "counts" else measured
    radiation, said = _radiation(path.name, root)
    if (factor != 1).any():
        said = (*said, f"{int((factor != 1).sum())} points were counted through an attenuator; its factor is applied")
    return Scan(angles, counts, factor, radiation, None, claims_counts=True, said=said)


def _numbers(name: str, node: Tree.Element) -> Floats:
    try:
        return np.array((node.text or "").split(), dtype=np.float64)
    except ValueError as problem:
        raise CorruptFile(f"{name}: a list of numbers holds what is none ({problem})") from problem


def _intensities(name: str, points: Tree.Element) -> tuple[Floats, str]:
    for kind in ("counts", "intensities"):
        if (node := next(every(points, kind), None)) is not None:
            if kind == "counts" and next(every(points, "divergenceCorrections"), None) is not None:
                raise UnsupportedFormat(f"{name}: counts with divergence corrections; export intensities")
            unit = node.get("unit", "counts")
            if unit not in ("counts", "cps"):
                raise InputError(f"{name}: intensities in {unit!r}; counts are needed")
            return _numbers(name, node), kind
    raise CorruptFile(f"{name}: neither counts nor intensities inside")


def _angles(name: str, points: Tree.Element, n: int) -> Floats:
    axes = [node for node in every(points, "positions") if node.get("axis", "").lower().replace(" ", "") == "2theta"]
    if not axes:
        known = ", ".join(sorted({node.get("axis", "?") for node in every(points, "positions")})) or "none"
        raise InputError(f"{name}: no positions of 2Theta (found {known}); a theta-2theta scan is needed")
    listed = next(every(axes[0], "listPositions"), None)
    if listed is not None:
        angles = _numbers(name, listed)
        if len(angles) != n:
            raise CorruptFile(f"{name}: {len(angles)} positions and {n} intensities; was the file cut?")
        return angles
    start, end = number(axes[0], "startPosition"), number(axes[0], "endPosition")
    if start is None or end is None:
        raise InputError(f"{name}: 2Theta stands still; this is a scan over another axis (a rocking curve?)")
    return np.linspace(start, end, n)


def _factors(name: str, points: Tree.Element, n: int) -> Floats:
    common = number(points, "commonBeamAttenuationFactor")
    node = next(every(points, "beamAttenuationFactors"), None)
    factor = np.full(n, 1.0 if common is None else common) if node is None else _numbers(name, node)
    if len(factor) != n:
        raise CorruptFile(f"{name}: {len(factor)} attenuation factors for {n} points")
    if not (factor > 0).all():
        raise CorruptFile(f"{name}: an attenuation factor that is not above 0")
    return factor


def _radiation(name: str, root: Tree.Element) -> tuple[Radiation | None, tuple[str, ...]]:
    first, second = number(root, "kAlpha1"), number(root, "kAlpha2")
    ratio = number(root, "ratioKAlpha2KAlpha1")
    if first is None or not LOWEST_nm < first * NM_PER_ANGSTROM < HIGHEST_nm:
        return None, ("the file states no wavelength that an X-ray tube gives",)
    if ratio is not None and not 0 <= ratio <= 1:
        ratio = None
    alpha2 = None if second is None or not 1 <= second / first < 1.01 else second * NM_PER_ANGSTROM
    return stated(first * NM_PER_ANGSTROM, alpha2, ratio, f"stated in {name}"), ()
