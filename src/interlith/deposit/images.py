"""A segmented image stack of a host (X-ray CT, FIB-SEM) as a box of solid and pores.

What a file is, its content says, not its name. A library is imported while a file is read that needs it, and everything
a file declares is weighed against what is there before any of it is read.
"""

from __future__ import annotations

import bz2
import gzip
import importlib
import logging
import math
import os
import re
import struct
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import IO, Any, Literal
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from interlith.deposit.memory import free_bytes
from interlith.deposit.network import Network
from interlith.errors import CorruptFile, EnvironmentError_, InputError, InterlithError, UnsupportedFormat, first_line
from interlith.units import M_PER_A, M_PER_UM, MM_PER_CM, MM_PER_M, NM_PER_UM, UM_PER_MM

Said = dict[str, tuple[float, str]]  # axis of the image -> a length per voxel and its unit, as the file has them

AXES = "zyx"
SAME_LENGTH = 0.01  # relative
FEW_VALUES, COUNTED_VALUES = 16, 65_536
HEADER_BYTES, CHUNK_BYTES, GB = 1 << 20, 1 << 24, 1e9
UM_PER_INCH = 25.4 * UM_PER_MM  # international inch, 1959
PRINTED_DPI = (72, 96, 150, 300, 600, 1200)  # what programs write that have measured nothing

LENGTHS_UM = {
    **dict.fromkeys(("um", "micron", "micrometer"), 1.0),
    **dict.fromkeys(("nm", "nanometer"), 1 / NM_PER_UM),
    **dict.fromkeys(("mm", "millimeter"), UM_PER_MM),
    **dict.fromkeys(("cm", "centimeter"), UM_PER_MM * MM_PER_CM),
    **dict.fromkeys(("m", "meter"), UM_PER_MM * MM_PER_M),
    **dict.fromkeys(("å", "angstrom"), M_PER_A / M_PER_UM),
    "inch": UM_PER_INCH,
}
NRRD_TYPES = {"char": "i1", "short": "i2", "int": "i4", "longlong": "i8"}
NRRD_TYPES |= {f"int{8 * n}": f"i{n}" for n in (1, 2, 4, 8)}
NRRD_TYPES |= {f"u{name}": f"u{code[1:]}" for name, code in NRRD_TYPES.items()} | {"float": "f4", "double": "f8"}
NRRD_STREAMS: dict[str, Callable[[IO[bytes]], Any]] = {
    "raw": lambda stream: stream,
    **dict.fromkeys(("gz", "gzip"), lambda stream: gzip.GzipFile(fileobj=stream)),
    **dict.fromkeys(("bz2", "bzip2"), bz2.BZ2File),
}
SPATIAL_KINDS = {"domain", "space", "none", "???"}
TIFF_AXES = {"C": "channels", "T": "time", "S": "colours"}


@dataclass(frozen=True)
class _Stack:
    """voxels: [z, y, x], any numbers. is_white_zero: whether the file shows its smaller values brighter."""

    voxels: NDArray[Any]
    said: Said = field(default_factory=dict)
    is_white_zero: bool = False


def read_stack(
    path: Path,
    *,
    voxel_um: float | None = None,
    solid_values: Sequence[float] = (),
    axis: Literal["z", "y", "x"] = "z",
    is_flipped: bool = False,
    is_periodic: bool = False,
) -> Network:
    """A segmented stack in a TIFF, NRRD (.nrrd, .nhdr), .npy or .npz file as a Network.

    voxel_um: edge of a voxel, needed where the file does not say it, checked to 1 % where it does. solid_values: values
    of the voxels that are solid, all others being pore; without it the image has two values and the larger is solid.
    axis: the axis of the image (an array is z, y, x; pages of a TIFF are z) that runs through the sheet, its first
    slice at the current collector, or its last if is_flipped. is_periodic: whether the other two axes repeat.
    Raises InputError, UnsupportedFormat, CorruptFile or EnvironmentError_, with the name of the file in front.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "felt.npy"
    ...     np.save(file, np.array([[[255, 0]], [[0, 0]]], dtype=np.uint8))
    ...     felt = read_stack(file, voxel_um=0.5)
    >>> felt.porosity, felt.thickness_um
    (0.75, 1.0)
    >>> felt.source
    'felt.npy: solid 255 (25 %), the larger value; pore 0 (75 %); voxel of 0.5 um as given; sheet along z'
    """
    with _named(path):
        _check_arguments(path, axis)
        stack = _opened(path)
        edge_um = _voxel_um(stack.said, voxel_um)
        shares = _shares(stack.voxels)
        solid = _solid(shares, solid_values, stack.is_white_zero)
        turned = np.moveaxis(stack.voxels, AXES.index(axis), 0)[:: -1 if is_flipped else 1]
        size = f"voxel of {edge_um:.6g} um as {'the file says' if voxel_um is None else 'given'}"
        phases, sheet = _phases_said(shares, solid, solid_values), f"sheet along {axis}{', flipped' * is_flipped}"
        return Network(_solid_share(turned, solid), edge_um, is_periodic, f"{path.name}: {phases}; {size}; {sheet}")


@contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except InterlithError as problem:
        raise type(problem)(f"{path.name}: {problem}") from problem


def _check_arguments(path: Path, axis: str) -> None:
    if axis not in AXES or len(axis) != 1:
        raise InputError(f"axis = {axis!r}: z, y or x")
    if not path.is_file():
        raise InputError("a folder; stack its slices in one TIFF" if path.is_dir() else "no such file")


def _opened(path: Path) -> _Stack:
    with _damage_told():
        with path.open("rb") as stream:
            magic = stream.read(8)
        if not magic:
            raise CorruptFile("empty")
        for start, read in READERS:
            if magic.startswith(start):
                return read(path)
    raise UnsupportedFormat("neither TIFF, NRRD nor NumPy (.npy, .npz); export the segmented stack as one TIFF")


@contextmanager
def _damage_told() -> Iterator[None]:
    """What libraries raise, as errors of interlith; what they log, not at all."""
    log = logging.getLogger("tifffile")
    was_disabled, log.disabled = log.disabled, True
    try:
        yield
    except InterlithError:
        raise
    except MemoryError as problem:
        raise EnvironmentError_("more than fits in memory; crop or bin it") from problem
    except PermissionError as problem:
        raise InputError(f"cannot be opened ({problem.strerror})") from problem
    except ImportError as problem:
        raise EnvironmentError_(f"{problem.name} is not installed: pip install 'interlith[images]'") from problem
    except Exception as problem:
        if "requires the 'imagecodecs'" in str(problem):
            how = "pip install imagecodecs, or save it uncompressed"
            raise EnvironmentError_(f"{first_line(problem)}: {how}") from problem
        raise CorruptFile(f"cannot be read ({first_line(problem)}); damaged or cut off") from problem
    finally:
        log.disabled = was_disabled


def _check_declared(shape: Sequence[int], dtype: np.dtype[Any]) -> int:
    """Bytes of an array that a file says it holds, before any of it is read."""
    if dtype.kind not in "buif":
        what = "Python objects, which are never opened" if dtype.hasobject else f"{dtype}, not one number per voxel"
        raise InputError(f"holds {what}; save the segmented stack as uint8")
    if len(shape) != 3 or min(shape) < 1:
        what = "one image, " if len(shape) == 2 else ""
        raise InputError(f"{what}{_product(shape) or 'one number'}; a stack has z, y and x, and voxels along each")
    n_voxels = math.prod(shape)
    needed, free = n_voxels * (dtype.itemsize + np.dtype(np.float32).itemsize), free_bytes()
    if needed > free:
        sizes = f"{needed / GB:.3g} GB of memory, {free / GB:.3g} GB are free"
        raise EnvironmentError_(f"{_product(shape)} voxels need {sizes}; crop or bin it")
    return n_voxels * dtype.itemsize


def _product(numbers: Sequence[float]) -> str:
    return " x ".join(f"{one:.6g}" if isinstance(one, float) else str(one) for one in numbers)


def _voxel_um(said: Said, given_um: float | None) -> float:
    known = {one: size * LENGTHS_UM[_unit(unit)] for one, (size, unit) in said.items() if _unit(unit) in LENGTHS_UM}
    sizes = list(known.values()) if len(known) == len(said) else [size for size, _ in said.values()]
    if sizes and max(sizes) > min(sizes) * (1 + SAME_LENGTH):
        what = f"{_product(sizes)}{' um' if len(known) == len(said) else ''} ({', '.join(said)})"
        raise InputError(f"voxels of {what} are no cubes; resample it to cubes")
    if given_um is None:
        return _all_said(said, known)
    stated = fmean(known.values()) if known else given_um
    if abs(stated - given_um) > SAME_LENGTH * given_um:
        raise InputError(f"voxel_um = {given_um:g}, but the file says {stated:.6g} um; leave voxel_um out or mend it")
    return given_um


def _all_said(said: Said, known: dict[str, float]) -> float:
    if len(known) == len(AXES):
        return fmean(known.values())
    if known:
        there, missing = (" and ".join(one for one in AXES if (one in known) is is_known) for is_known in (True, False))
        size = f"{fmean(known.values()):.6g}"
        mend = f"give voxel_um = {size} if its voxels are cubes"
        raise InputError(f"says {size} um along {there}, nothing along {missing}; {mend}")
    units = sorted({unit for _, unit in said.values()})
    why = f" (its {_product([size for size, _ in said.values()])} is in {units}, no unit of length)" if said else ""
    raise InputError(f"does not say the size of its voxels{why}; give voxel_um")


def _unit(text: str) -> str:
    """As in LENGTHS_UM; a micro sign comes as ImageJ escapes it, as one of two letters, or as a byte of Latin-1."""
    return re.sub(r"\\u00b5|[\u00b5\u03bc\udcb5]", "u", text.strip().lower()).replace("metre", "meter").rstrip("s")


def _shares(voxels: NDArray[Any]) -> dict[Any, float]:
    """Share of all voxels by value, for a segmented image: at least two values, and few."""
    counts: Counter[Any] = Counter()
    for plane in voxels:
        counts.update(_counts(plane))
        if len(counts) > COUNTED_VALUES:
            break
    if len(counts) > FEW_VALUES:
        n = f"over {COUNTED_VALUES}" if len(counts) > COUNTED_VALUES else str(len(counts))
        raise InputError(f"not segmented: {n} grey levels; segment it first")
    if len(counts) == 1:
        raise InputError(f"every voxel is {next(iter(counts))!s}; all solid or all pore is no host")
    return {value: counts[value] / voxels.size for value in sorted(counts)}


def _counts(plane: NDArray[Any]) -> dict[Any, int]:
    if plane.dtype == np.uint8:
        n = np.bincount(plane.ravel(), minlength=1)
        return {np.uint8(value): int(n[value]) for value in np.flatnonzero(n)}
    if plane.dtype.kind == "f" and not np.isfinite(plane).all():
        raise InputError("some voxels are not numbers (NaN or infinite); crop them or make them pore")
    values, numbers = np.unique(plane, return_counts=True)
    return dict(zip(values, numbers.tolist(), strict=True))


def _solid(shares: dict[Any, float], wanted: Sequence[float], is_white_zero: bool) -> list[Any]:
    has = _listed(shares)
    if not wanted and len(shares) > 2:
        mend = "name those that are solid by solid_values, the others are pore"
        raise InputError(f"{len(shares)} values: {has}; {mend}")
    if not wanted and is_white_zero:
        raise InputError(f"{has}, of which it shows the smaller brighter; name the solid by solid_values")
    for one in wanted:
        if not any(_is_same(value, one) for value in shares):
            raise InputError(f"solid_values: {one:g} is not in it; it has {has}")
    solid = [value for value in shares if any(_is_same(value, one) for one in wanted or [max(shares)])]
    if len(solid) == len(shares):
        raise InputError(f"solid_values names all of its values, {has}; no pore is left")
    return solid


def _is_same(value: Any, wanted: float) -> bool:
    """Whether a voxel holds a number, as far as its type can hold it."""
    with np.errstate(over="ignore"):
        return bool(value == value.dtype.type(wanted)) if value.dtype.kind == "f" else int(value) == wanted


def _listed(shares: dict[Any, float]) -> str:
    return ", ".join(f"{value!s} ({100 * share:.3g} %)" for value, share in shares.items())


def _phases_said(shares: dict[Any, float], solid: list[Any], wanted: Sequence[float]) -> str:
    solids = _listed({value: shares[value] for value in solid})
    pores = _listed({value: share for value, share in shares.items() if value not in solid})
    return f"solid {solids}{'' if wanted else ', the larger value'}; pore {pores}"


def _solid_share(voxels: NDArray[Any], solid: list[Any]) -> NDArray[np.float32]:
    share = np.empty(voxels.shape, dtype=np.float32)  # [z, y, x], z = 0 at the current collector
    for place, plane in zip(share, voxels, strict=True):
        place[...] = plane == solid[0] if len(solid) == 1 else np.isin(plane, solid)
    return share


def _read_tiff(path: Path) -> _Stack:
    # kinds that look for further files beside this one: read as the plain TIFF that they are besides
    alone = {"is_ome": False, "is_mmstack": False, "is_ndtiff": False}
    with importlib.import_module("tifffile").TiffFile(path, **alone) as tiff:
        _check_whole(tiff)
        series = _one_series(tiff)
        said = _tiff_says(tiff, series)
        start, n_bytes = series.dataoffset, _check_declared(series.shape, series.dtype)
        n_pages = len(tiff.pages)
        is_mixed = start is not None and any(start <= page.offset < start + n_bytes for page in tiff.pages)
        if is_mixed or n_pages not in (1, series.shape[0]):
            raise CorruptFile(f"{series.shape[0]} slices were written, {n_pages} pages are there; cut off or damaged")
        return _Stack(series.asarray(), said, is_white_zero=series.keyframe.photometric == 0)


def _one_series(tiff: Any) -> Any:
    if len(tiff.series) != 1:
        shapes = ", ".join(_product(one.shape) for one in tiff.series)
        raise InputError(f"{len(tiff.series)} images of different kinds: {shapes}; keep the stack alone")
    series = tiff.series[0]
    others = [TIFF_AXES[one] for one in series.axes if one in TIFF_AXES]
    if others:
        axes = _product([TIFF_AXES.get(one, one.lower()) for one in series.axes])
        mend = "keep one, or if they are its slices, say so: in Fiji, Image > Properties"
        raise InputError(f"{axes} = {_product(series.shape)}; a stack has z, y and x; {mend}")
    return series


def _check_whole(tiff: Any) -> None:
    """Raises CorruptFile where the chain of pages or the voxels of one of them end outside the file."""
    handle, form, first, last = tiff.filehandle, tiff.tiff, tiff.pages[0], tiff.pages[len(tiff.pages) - 1]
    handle.seek(first.offset)
    if struct.unpack(form.tagnoformat, handle.read(form.tagnosize))[0] != len(first.tags):
        raise CorruptFile("cut off: some of what it says of itself is missing; save it again as a plain TIFF")
    handle.seek(last.offset)
    n_tags = struct.unpack(form.tagnoformat, handle.read(form.tagnosize))[0]
    handle.seek(n_tags * form.tagsize, os.SEEK_CUR)
    if handle.read(form.offsetsize) != bytes(form.offsetsize):  # where the next page should be
        raise CorruptFile(f"cut off: more than its {len(tiff.pages)} pages were written")
    for number, page in enumerate(tiff.pages, start=1):
        row_bytes = -(-page.imagewidth * page.samplesperpixel * page.bitspersample // 8)
        is_short = page.compression == 1 and sum(page.databytecounts) < row_bytes * page.imagelength
        if is_short or not all(page.databytecounts):
            raise CorruptFile(f"voxels are missing in page {number}; damaged or cut off")
        end = max(a + b for a, b in zip(page.dataoffsets, page.databytecounts, strict=True))
        if end > handle.size:
            raise CorruptFile(f"cut off: {handle.size} of {end} bytes are there")


def _tiff_says(tiff: Any, series: Any) -> Said:
    page = tiff.pages[0]
    if page.is_ome:
        return _ome_says(page.description, series.shape)
    imagej = tiff.imagej_metadata or {}
    unit = str(imagej.get("unit") or {2: "inch", 3: "cm", 4: "mm", 5: "um"}.get(int(page.resolutionunit), ""))
    planes = {"y": page.resolution[1], "x": page.resolution[0]} if unit else {}
    said = {one: (1 / pixels, str(imagej.get(f"{one}unit", unit))) for one, pixels in planes.items() if pixels > 0.0}
    said = {one: (size, its) for one, (size, its) in said.items() if not _is_printed(size, its)}
    if "spacing" in imagej and unit:
        said["z"] = (abs(float(imagej["spacing"])), str(imagej.get("zunit", unit)))
    return said


def _is_printed(size: float, unit: str) -> bool:
    um = size * LENGTHS_UM.get(_unit(unit), 0.0)
    is_print = size == 1.0 or any(math.isclose(um * dpi, UM_PER_INCH, rel_tol=1e-3) for dpi in PRINTED_DPI)
    return _unit(unit) in ("inch", "cm") and is_print


def _ome_says(description: str, shape: Sequence[int]) -> Said:
    pixels = [one.attrib for one in ElementTree.fromstring(description).iter() if one.tag.endswith("}Pixels")]
    if len(pixels) != 1:
        raise InputError(f"{len(pixels)} images in its OME metadata; keep the stack alone")
    said, keys = pixels[0], {one.lower(): f"PhysicalSize{one}" for one in "ZYX"}
    sizes = [int(said[f"Size{one}"]) for one in "TCZYX"]
    if sizes[0] * sizes[1] != 1:
        raise InputError(f"time x channels x z x y x x = {_product(sizes)}; a stack has z, y and x")
    if tuple(sizes[2:]) != tuple(shape) and sizes[2] != 1:
        raise CorruptFile(f"{_product(sizes[2:])} voxels were written, {_product(shape)} are in this file")
    return {one: (float(said[key]), said.get(f"{key}Unit", "um")) for one, key in keys.items() if key in said}


def _read_nrrd(path: Path) -> _Stack:
    lines, header_bytes = _header_lines(path)
    header = importlib.import_module("nrrd").read_header(lines)
    for key in ("type", "dimension", "sizes", "encoding"):
        if key not in header:
            raise CorruptFile(f"its header says no {key}")
    dtype, shape = _nrrd_type(header), [int(one) for one in header["sizes"]][::-1]
    n_bytes = _check_declared(shape, dtype)
    said = _nrrd_says(header)
    place, start = _data_place(path, header, header_bytes)
    skipped, encoding = int(header.get("byte skip", header.get("byteskip", 0))), header["encoding"].lower()
    if encoding not in NRRD_STREAMS or (skipped < 0 and encoding != "raw"):
        raise UnsupportedFormat(f"encoding {encoding}, byte skip {skipped}; write it as raw or gzip")
    if skipped < 0:  # the voxels are the last bytes
        start, skipped = max(place.stat().st_size - n_bytes, start), 0
    with place.open("rb") as stream:
        stream.seek(start)
        data = _data(NRRD_STREAMS[encoding](stream), n_bytes, skipped)
    return _Stack(data.view(dtype).reshape(shape), said)


def _header_lines(path: Path) -> tuple[list[str], int]:
    """Lines before the first empty one, and where the data begin; as text, for of bytes pynrrd drops a micro sign."""
    with path.open("rb") as stream:
        start = stream.read(HEADER_BYTES)
    end = re.search(rb"\r?\n\r?\n", start)
    if end is None and len(start) == HEADER_BYTES:
        raise CorruptFile(f"its header does not end in {HEADER_BYTES} bytes")
    text = (start[: end.start()] if end else start).decode("utf-8", errors="surrogateescape")
    if re.search(r"^data ?file:\s*(LIST\b|.*%)", text, re.MULTILINE):
        raise UnsupportedFormat("its slices are in several files; write them in one")
    return text.split("\n"), end.end() if end else len(start)


def _nrrd_type(header: dict[str, Any]) -> np.dtype[Any]:
    name, endian = header["type"].lower(), header.get("endian")
    plain = name.removesuffix("_t").replace("unsigned ", "u").replace("signed ", "").replace(" int", "")
    if plain.replace(" ", "") not in NRRD_TYPES:
        raise InputError(f"holds {name}, not one number per voxel; save the segmented stack as uint8")
    dtype = np.dtype(NRRD_TYPES[plain.replace(" ", "")])
    if endian not in ("little", "big") and dtype.itemsize > 1:
        raise CorruptFile(f"its header does not say endian, little or big, which {name} needs")
    return dtype.newbyteorder(">" if endian == "big" else "<")


def _nrrd_says(header: dict[str, Any]) -> Said:
    """Sizes of voxels along its axes, which NRRD lists from the fastest on: x, y, z."""
    kinds = sorted(set(map(str.lower, header.get("kinds", ()))) - SPATIAL_KINDS)
    vectors = np.array(header["space directions"], dtype=float) if "space directions" in header else None
    if kinds or (vectors is not None and np.isnan(vectors).any()):
        raise InputError(f"an axis of kind {', '.join(kinds) or 'none'}; a stack has z, y and x")
    if vectors is None:
        sizes = np.abs(header.get("spacings", [math.nan] * len(AXES)))
        units = header.get("units", [""] * len(AXES))
    else:
        sizes, products = np.linalg.norm(vectors, axis=1), vectors @ vectors.T
        units = header.get("space units", [""] * len(AXES))
        if len({_unit(one) for one in units}) > 1:
            raise InputError(f"space units {', '.join(units)}; write them in one unit")
        if (np.abs(products - np.diag(np.diag(products))) > SAME_LENGTH * np.outer(sizes, sizes)).any():
            raise InputError("its axes are not at right angles; resample it to cubes")
    both = zip(reversed(AXES), sizes.tolist(), units, strict=True)
    return {one: (size, unit) for one, size, unit in both if 0.0 < size < math.inf}


def _data_place(path: Path, header: dict[str, Any], header_bytes: int) -> tuple[Path, int]:
    """The file that holds the voxels, and the byte from which on."""
    if header.get("line skip", header.get("lineskip", 0)):
        raise UnsupportedFormat("line skip is not read; write the voxels after the header, in one file")
    name = header.get("data file", header.get("datafile"))
    if name is None:
        return path, header_bytes
    folder = path.parent.resolve()
    place = (folder / name).resolve()
    if not place.is_relative_to(folder):
        raise InputError(f"data file {name} is outside its folder; put the two side by side")
    if not place.is_file():
        raise InputError(f"its data file {name} is missing; put the two side by side")
    return place, 0


def _data(stream: Any, wanted: int, skipped: int) -> NDArray[np.uint8]:
    """As many bytes as the header declares, neither fewer nor more."""
    stream.seek(skipped, os.SEEK_CUR)
    data = np.empty(wanted, dtype=np.uint8)
    place = 0
    while place < wanted and (n := stream.readinto(data[place : place + CHUNK_BYTES].data)):
        place += n
    if place < wanted:
        raise CorruptFile(f"cut off: {place} of {wanted} bytes of voxels are there")
    if stream.read(1):
        raise CorruptFile("more voxels than the sizes in its header say")
    return data


def _read_npy(path: Path) -> _Stack:
    with path.open("rb") as stream:
        return _array(stream, path.stat().st_size)


def _read_npz(path: Path) -> _Stack:
    with zipfile.ZipFile(path) as archive:
        arrays = [one for one in archive.infolist() if one.filename.endswith(".npy")]
        if not arrays:
            raise UnsupportedFormat("a zip archive without a NumPy array; unpack it and give the stack")
        if len(arrays) > 1:
            names = ", ".join(one.filename.removesuffix(".npy") for one in arrays[:FEW_VALUES])
            raise InputError(f"{len(arrays)} arrays: {names}; save the segmented stack alone")
        with archive.open(arrays[0]) as stream:
            return _array(stream, arrays[0].file_size)


def _array(stream: IO[bytes], n_bytes: int) -> _Stack:
    version = np.lib.format.read_magic(stream)
    headers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in headers:
        raise UnsupportedFormat(f"version {version[0]}.{version[1]} of .npy; save it by numpy.save")
    shape, _, dtype = headers[version](stream)
    wanted = _check_declared(shape, dtype) + stream.tell()
    if n_bytes != wanted:
        raise CorruptFile(f"{n_bytes} of {wanted} bytes are there; cut off or damaged")
    stream.seek(0)
    return _Stack(np.lib.format.read_array(stream, allow_pickle=False))


READERS: tuple[tuple[bytes, Callable[[Path], _Stack]], ...] = (
    *((magic, _read_tiff) for magic in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    (b"NRRD", _read_nrrd),
    (b"\x93NUMPY", _read_npy),
    *((magic, _read_npz) for magic in (b"PK\x03\x04", b"PK\x05\x06")),
)
