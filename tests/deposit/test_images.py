"""A segmented stack as a file: what it says of its voxels, which of them are solid, and what is refused."""

import bz2
import gzip
import importlib.util
import io
import os
import struct
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import nrrd
import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pytest import approx

from interlith.deposit import images, memory
from interlith.deposit.images import read_stack
from interlith.errors import CorruptFile, EnvironmentError_, InputError, InterlithError, UnsupportedFormat

FELT = np.zeros((3, 4, 5), dtype=np.uint8)  # [z, y, x], no two axes alike
FELT[0, :2] = 255
FELT[1, 0, :3] = 255


def refusal(kind, path, **keys):
    """What it says when it refuses, behind the name of the file."""
    with pytest.raises(InterlithError) as caught:
        read_stack(path, **keys)
    assert type(caught.value) is kind, repr(caught.value)
    name, said = str(caught.value).split(": ", 1)
    assert name == path.name
    assert "\n" not in said
    return said


def npy(folder, array, name="felt.npy"):
    np.save(folder / name, array)
    return folder / name


def tiff(folder, array, name="felt.tif", **keys):
    tifffile.imwrite(folder / name, array, photometric=keys.pop("photometric", "minisblack"), **keys)
    return folder / name


def in_nrrd(folder, array, header=None, name="felt.nrrd"):
    nrrd.write(str(folder / name), array, header or {}, index_order="C", detached_header=name.endswith(".nhdr"))
    return folder / name


def by_hand(folder, lines, data=b"", name="felt.nrrd"):
    """An NRRD as its standard has it; lines that are not given are those of FELT."""
    usual = {"type": "uint8", "dimension": "3", "sizes": "5 4 3", "encoding": "raw"}
    text = "".join(f"{key}: {value}\n" for key, value in {**usual, **lines}.items() if value is not None)
    (folder / name).write_bytes(f"NRRD0004\n{text}\n".encode() + data)
    return folder / name


def npz(folder, **arrays):
    np.savez_compressed(folder / "felt.npz", **arrays)
    return folder / "felt.npz"


WRITERS = [
    npy,
    lambda folder, array: npz(folder, felt=array),
    tiff,
    lambda folder, array: tiff(folder, array, bigtiff=True),
    lambda folder, array: tiff(folder, array, byteorder=">"),
    lambda folder, array: tiff(folder, array, compression="zlib"),
    lambda folder, array: tiff(folder, array, imagej=True, metadata={"axes": "ZYX"}),
    lambda folder, array: tiff(folder, array, tile=(16, 16)),
    lambda folder, array: tiff(folder, array, ome=True, metadata={"axes": "ZYX"}),
    in_nrrd,
    lambda folder, array: in_nrrd(folder, array, {"encoding": "raw"}),
    lambda folder, array: in_nrrd(folder, array, {"encoding": "bzip2"}),
    lambda folder, array: in_nrrd(folder, array, name="felt.nhdr"),
]


@pytest.mark.parametrize("write", WRITERS)
def test_every_format_gives_the_array_that_was_written(tmp_path, write):
    network = read_stack(write(tmp_path, FELT), voxel_um=0.4, is_periodic=True)
    assert np.array_equal(network.solid, FELT == 255)
    assert network.solid.dtype == np.float32
    assert (network.voxel_um, network.is_periodic) == (0.4, True)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    is_solid=hnp.arrays(bool, hnp.array_shapes(min_dims=3, max_dims=3, min_side=2, max_side=5)),
    dtype=st.sampled_from(["bool", "u1", "i1", "<i2", ">u2", ">i4", "u8", "<f2", ">f4", "f8"]),
    values=st.sampled_from([(0, 1), (1, 2), (0, 100)]),
    axis=st.sampled_from("zyx"),
    is_flipped=st.booleans(),
    is_fortran=st.booleans(),
)
def test_any_type_and_any_direction(is_solid, dtype, values, axis, is_flipped, is_fortran):
    is_solid[0, 0, 0], is_solid[-1, -1, -1] = True, False
    array = np.where(is_solid, *values[::-1]).astype(dtype) if dtype != "bool" else is_solid
    with tempfile.TemporaryDirectory() as folder:
        path = npy(Path(folder), np.asfortranarray(array) if is_fortran else array)
        network = read_stack(path, voxel_um=1.0, axis=axis, is_flipped=is_flipped)
    order = {"z": (0, 1, 2), "y": (1, 0, 2), "x": (2, 0, 1)}[axis]
    wanted = np.transpose(is_solid, order)
    assert np.array_equal(network.solid, np.flip(wanted, axis=0) if is_flipped else wanted)


@settings(max_examples=15, deadline=None)
@given(damage=st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), max_size=4), keep=st.floats(0, 1))
@pytest.mark.parametrize("write", [npy, WRITERS[1], tiff, WRITERS[5], WRITERS[6], WRITERS[8], in_nrrd, WRITERS[10]])
def test_a_damaged_file_is_read_or_refused_in_words(write, damage, keep):
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder), FELT)
        data = bytearray(path.read_bytes())
        for place, byte in damage:
            data[place % len(data)] = byte
        path.write_bytes(data[: max(1, round(len(data) * keep))])
        try:
            read_stack(path, voxel_um=1.0)
        except InterlithError as problem:
            assert str(problem).startswith(f"{path.name}: ")  # noqa: PT017


@pytest.mark.parametrize("write", WRITERS)
def test_a_file_that_was_cut_off_is_never_read_in_part(tmp_path, write):
    array = np.random.default_rng(1).integers(0, 2, (5, 11, 12)).astype(np.uint8)
    path = write(tmp_path, array)
    place = next(tmp_path.glob("*.raw*"), path)
    data = place.read_bytes()
    n_refused = 0
    for n_bytes in range(8, len(data), 97):
        place.write_bytes(data[:n_bytes])
        try:
            network = read_stack(path, voxel_um=1.0)
        except CorruptFile:
            n_refused += 1
        else:  # the resolution of the last page, which nobody asks for, is the last 16 bytes of a TIFF
            assert len(data) - n_bytes <= 16
            assert np.array_equal(network.solid, array)
    assert n_refused >= len(range(8, len(data), 97)) - 1


def big_endian_tiff(path, n_pages=2, **tags):
    """A TIFF of 1 x 2 pixels a page, byte by byte; tags replace those of the same number."""
    data = bytearray(b"MM\0*" + struct.pack(">I", 8 + 2 * n_pages))
    data += b"\xff\0" * n_pages
    for page in range(n_pages):
        entries = {256: 2, 257: 1, 258: 8, 259: 1, 262: 1, 273: 8 + 2 * page, 277: 1, 278: 1, 279: 2}
        entries |= {int(key[1:]): value for key, value in tags.items()}
        body = b"".join(struct.pack(">HHII", tag, 4, 1, value) for tag, value in sorted(entries.items()))
        following = len(data) + 2 + len(body) + 4
        data += struct.pack(">H", len(entries)) + body + struct.pack(">I", following if page + 1 < n_pages else 0)
    path.write_bytes(data)
    return path


def test_a_big_endian_tiff_by_hand(tmp_path):
    network = read_stack(big_endian_tiff(tmp_path / "felt.tif"), voxel_um=1.0)
    assert network.solid.tolist() == [[[1.0, 0.0]], [[1.0, 0.0]]]


def test_a_tiff_whose_pages_are_short_or_lead_nowhere(tmp_path):
    path = big_endian_tiff(tmp_path / "felt.tif", t279=1)
    assert refusal(CorruptFile, path, voxel_um=1.0) == "voxels are missing in page 1; damaged or cut off"
    assert "voxels are missing" in refusal(CorruptFile, big_endian_tiff(path, t279=0), voxel_um=1.0)
    assert (
        refusal(CorruptFile, big_endian_tiff(path, t273=4000), voxel_um=1.0) == "cut off: 240 of 4002 bytes are there"
    )
    assert "missing in page 1" in refusal(CorruptFile, big_endian_tiff(path, t259=8, t279=0), voxel_um=1.0)
    data = bytearray(big_endian_tiff(path).read_bytes())
    for following in (9_000_000, 12):  # outside the file, and into the voxels
        path.write_bytes(data[:-4] + struct.pack(">I", following))
        said = refusal(CorruptFile, path, voxel_um=1.0)
        assert "cut off" in said
    path.write_bytes(data[:-4] + data[4:8])
    assert "cut off: more than its 2 pages were written" in refusal(CorruptFile, path, voxel_um=1.0)


def test_no_byte_of_a_tiff_may_be_missing(tmp_path):
    path = big_endian_tiff(tmp_path / "felt.tif", n_pages=3)
    data = path.read_bytes()
    for n_bytes in range(len(data) // 2, len(data)):
        path.write_bytes(data[:n_bytes])
        assert "cut off" in refusal(CorruptFile, path, voxel_um=1.0)


def test_a_tiff_that_shows_the_smaller_value_brighter_wants_its_solid_named(tmp_path):
    path = big_endian_tiff(tmp_path / "felt.tif", t262=0)
    said = refusal(InputError, path, voxel_um=1.0)
    assert said == "0 (50 %), 255 (50 %), of which it shows the smaller brighter; name the solid by solid_values"
    assert read_stack(path, voxel_um=1.0, solid_values=[0]).solid[0, 0].tolist() == [0.0, 1.0]


@pytest.mark.skipif(importlib.util.find_spec("imagecodecs") is not None, reason="imagecodecs is installed")
def test_a_compression_that_needs_another_library(tmp_path):
    said = refusal(EnvironmentError_, big_endian_tiff(tmp_path / "felt.tif", t259=5), voxel_um=1.0)
    assert "LZW" in said
    assert said.endswith("pip install imagecodecs, or save it uncompressed")


# Voxel sizes

IMAGEJ = [("um", 1.0), ("micron", 1.0), ("Micrometres", 1.0), ("\\u00B5m", 1.0), ("nm", 1e-3), ("mm", 1e3)]


@pytest.mark.parametrize(("unit", "um"), [*IMAGEJ, ("cm", 1e4), ("Angstrom", 1e-4)])
def test_imagej_says_the_size_of_its_voxels(tmp_path, unit, um):
    path = tiff(
        tmp_path, FELT, imagej=True, resolution=(4.0, 4.0), metadata={"axes": "ZYX", "spacing": 0.25, "unit": unit}
    )
    network = read_stack(path)
    assert network.voxel_um == approx(0.25 * um, rel=1e-12)
    assert network.source.endswith(f"voxel of {0.25 * um:.6g} um as the file says; sheet along z")


@pytest.mark.parametrize(("unit", "um"), [("µm", 1.0), ("nm", 1e-3), ("mm", 1e3), (None, 1.0)])
def test_ome_says_the_size_of_its_voxels(tmp_path, unit, um):
    sizes = {f"PhysicalSize{one}": 0.3 for one in "XYZ"}
    units = {f"PhysicalSize{one}Unit": unit for one in "XYZ"} if unit else {}
    path = tiff(tmp_path, FELT, "felt.ome.tif", ome=True, metadata={"axes": "ZYX", **sizes, **units})
    assert read_stack(path).voxel_um == approx(0.3 * um, rel=1e-12)


DIRECTIONS = {"space dimension": 3, "space directions": np.diag([0.2, -0.2, 0.2])[[1, 0, 2]]}


@pytest.mark.parametrize(("unit", "um"), [("um", 1.0), ("µm", 1.0), ("μm", 1.0), ("nm", 1e-3), ("mm", 1e3)])
def test_an_nrrd_says_the_size_of_its_voxels(tmp_path, unit, um):
    said = "(0,-0.2,0) (0.2,0,0) (0,0,0.2)"
    lines = {"space dimension": "3", "space directions": said, "space units": " ".join([f'"{unit}"'] * 3)}
    assert read_stack(by_hand(tmp_path, lines, FELT.tobytes())).voxel_um == approx(0.2 * um, rel=1e-12)
    spaced = {"spacings": "0.2 0.2 -0.2", "units": " ".join([f'"{unit}"'] * 3)}
    assert read_stack(by_hand(tmp_path, spaced, FELT.tobytes())).voxel_um == approx(0.2 * um, rel=1e-12)


def test_an_nrrd_in_latin_1_says_micrometres_and_no_metres(tmp_path):
    path = by_hand(tmp_path, {"spacings": "2 2 2", "units": '"@" "@" "@"'}, FELT.tobytes())
    path.write_bytes(path.read_bytes().replace(b'"@"', b'"\xb5m"'))
    assert read_stack(path).voxel_um == 2.0


def test_an_nrrd_of_pynrrd_with_directions(tmp_path):
    path = in_nrrd(tmp_path, FELT, {**DIRECTIONS, "space units": ["um", "um", "um"]}, name="felt.nhdr")
    assert read_stack(path).voxel_um == approx(0.2, rel=1e-12)


NOTHING = "does not say the size of its voxels"


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"resolution": (72, 72), "resolutionunit": "INCH"},
        {"resolution": (300, 300), "resolutionunit": "INCH"},
        {"resolution": (72 / 2.54, 72 / 2.54), "resolutionunit": "CENTIMETER"},
        {"resolution": (1, 1), "resolutionunit": "CENTIMETER"},
        {"resolution": (0, 0), "resolutionunit": "CENTIMETER"},
        {"resolution": (5000, 5000), "resolutionunit": "NONE"},
        {"imagej": True, "resolution": (72, 72), "metadata": {"axes": "ZYX", "unit": "inch"}},
    ],
)
def test_a_tiff_that_says_nothing_of_its_voxels(tmp_path, keys):
    path = tiff(tmp_path, FELT, **keys)
    assert refusal(InputError, path) == f"{NOTHING}; give voxel_um"
    assert read_stack(path, voxel_um=3.0).voxel_um == 3.0


def test_units_that_are_no_length(tmp_path):
    path = tiff(
        tmp_path, FELT, imagej=True, resolution=(2, 2), metadata={"axes": "ZYX", "spacing": 0.5, "unit": "pixel"}
    )
    assert (
        refusal(InputError, path)
        == f"{NOTHING} (its 0.5 x 0.5 x 0.5 is in ['pixel'], no unit of length); give voxel_um"
    )
    path = by_hand(tmp_path, {"spacings": "2 2 2"}, FELT.tobytes())
    assert refusal(InputError, path) == f"{NOTHING} (its 2 x 2 x 2 is in [''], no unit of length); give voxel_um"
    assert read_stack(path, voxel_um=3.0).voxel_um == 3.0


def test_planes_alone_do_not_say_how_far_apart_they_are(tmp_path):
    keys = {"resolution": (20_000, 20_000), "resolutionunit": "CENTIMETER"}
    path = tiff(tmp_path, FELT, **keys)
    said = refusal(InputError, path)
    assert said == "says 0.5 um along y and x, nothing along z; give voxel_um = 0.5 if its voxels are cubes"
    assert read_stack(path, voxel_um=0.5).voxel_um == 0.5
    assert "voxel_um = 0.6, but the file says 0.5 um" in refusal(InputError, path, voxel_um=0.6)


@settings(max_examples=40, deadline=None)
@given(stated=st.floats(0.01, 100), ratio=st.floats(0.9, 1.1).filter(lambda r: abs(abs(r - 1) - 0.01) > 1e-3))
def test_file_and_key_agree_within_a_hundredth(stated, ratio):
    with tempfile.TemporaryDirectory() as folder:
        lines = {"spacings": " ".join([f"{stated!r}"] * 3), "units": '"um" "um" "um"'}
        path = by_hand(Path(folder), lines, FELT.tobytes())
        if abs(ratio - 1) < 0.01:
            assert read_stack(path, voxel_um=stated * ratio).voxel_um == stated * ratio
        else:
            said = refusal(InputError, path, voxel_um=stated * ratio)
            assert f"voxel_um = {stated * ratio:g}, but the file says {stated:.6g} um" in said


@pytest.mark.parametrize("spacing", [(0.5, 0.5, 0.506), (0.5, 0.494, 0.5), (0.5, 0.5, 2)])
def test_voxels_that_are_no_cubes(tmp_path, spacing):
    said = f"voxels of {' x '.join(map(str, spacing))}"
    for units in ('"um" "um" "um"', None):
        path = by_hand(tmp_path, {"spacings": " ".join(map(str, spacing)), "units": units}, FELT.tobytes())
        for key in (None, 0.5):
            got = refusal(InputError, path, voxel_um=key)
            assert got == f"{said}{' um' if units else ''} (x, y, z) are no cubes; resample it to cubes"


def test_voxels_that_are_cubes_within_a_hundredth(tmp_path):
    path = by_hand(tmp_path, {"spacings": "0.5 0.5 0.5045", "units": '"um" "um" "um"'}, FELT.tobytes())
    assert read_stack(path).voxel_um == approx(0.5015, rel=1e-12)


def test_an_nrrd_of_other_spaces(tmp_path):
    lines = {"space dimension": "3", "space directions": "(1,0,0) (0.5,1,0) (0,0,1)"}
    assert "not at right angles" in refusal(InputError, by_hand(tmp_path, lines, FELT.tobytes()), voxel_um=1.0)
    lines |= {"space directions": "(1,0,0) (0,1,0) (0,0,1)", "space units": '"mm" "um" "um"'}
    assert "space units mm, um, um; write them in one unit" in refusal(InputError, by_hand(tmp_path, lines))
    lines |= {"space directions": "none (0,1,0) (0,0,1)"}
    assert "an axis of kind none" in refusal(InputError, by_hand(tmp_path, lines))
    lines = {"kinds": "RGB-color domain domain", "sizes": "3 4 5"}
    assert "an axis of kind rgb-color; a stack has z, y and x" in refusal(InputError, by_hand(tmp_path, lines))


# Values


def test_the_larger_of_two_values_is_solid_unless_named(tmp_path):
    path = npy(tmp_path, np.where(FELT > 0, 3, 7))
    assert read_stack(path, voxel_um=1.0).source == (
        "felt.npy: solid 7 (78.3 %), the larger value; pore 3 (21.7 %); voxel of 1 um as given; sheet along z"
    )
    network = read_stack(path, voxel_um=1.0, solid_values=[3], axis="y", is_flipped=True)
    assert network.porosity == approx(1 - 13 / 60, rel=1e-12)
    assert network.source == (
        "felt.npy: solid 3 (21.7 %); pore 7 (78.3 %); voxel of 1 um as given; sheet along y, flipped"
    )


THREE = FELT.copy()
THREE[2, 3, :3] = 128


def test_three_values_are_never_taken_as_two(tmp_path):
    path = npy(tmp_path, THREE)
    assert refusal(InputError, path, voxel_um=1.0) == (
        "3 values: 0 (73.3 %), 128 (5 %), 255 (21.7 %); name those that are solid by solid_values, the others are pore"
    )
    both = read_stack(path, voxel_um=1.0, solid_values=(255, 128))
    assert np.array_equal(both.solid, THREE > 0)
    assert "solid 128 (5 %), 255 (21.7 %); pore 0 (73.3 %)" in both.source
    fibre = read_stack(path, voxel_um=1.0, solid_values=(255,))
    assert np.array_equal(fibre.solid, THREE == 255)
    assert "solid 255 (21.7 %); pore 0 (73.3 %), 128 (5 %)" in fibre.source


@pytest.mark.parametrize("wanted", [(254,), (255, 1), (float("nan"),), (254.9999999,)])
def test_a_named_value_that_is_not_there(tmp_path, wanted):
    said = refusal(InputError, npy(tmp_path, FELT), voxel_um=1.0, solid_values=wanted)
    assert said.startswith(
        f"solid_values: {next(w for w in wanted if w != 255):g} is not in it; it has 0 (78.3 %), 255 ("
    )


def test_a_named_value_counts_as_its_type_holds_it(tmp_path):
    path = npy(tmp_path, np.where(FELT > 0, 0.1, 0.7).astype(np.float32))
    assert "solid 0.1 (21.7 %); pore 0.7" in read_stack(path, voxel_um=1.0, solid_values=[0.1]).source
    large = npy(tmp_path, np.where(FELT > 0, 2**60 + 1, 2**60))
    assert read_stack(large, voxel_um=1.0, solid_values=[2**60 + 1]).porosity == approx(47 / 60, rel=1e-12)


def test_nothing_left_to_be_pore_or_solid(tmp_path):
    said = refusal(InputError, npy(tmp_path, FELT), voxel_um=1.0, solid_values=[0, 255])
    assert said == "solid_values names all of its values, 0 (78.3 %), 255 (21.7 %); no pore is left"
    for value in (0, 255):
        alone = npy(tmp_path, np.full_like(FELT, value))
        assert refusal(InputError, alone, voxel_um=1.0) == f"every voxel is {value}; all solid or all pore is no host"


@pytest.mark.parametrize("dtype", ["u1", "u2", "i4", "f4"])
def test_grey_levels_are_no_phases(tmp_path, dtype):
    grey = np.arange(240).reshape(4, 6, 10).astype(dtype)
    path = npy(tmp_path, grey)
    assert refusal(InputError, path, voxel_um=1.0) == "not segmented: 240 grey levels; segment it first"
    assert "not segmented" in refusal(InputError, path, voxel_um=1.0, solid_values=[7])
    few = npy(tmp_path, grey % 16)
    assert refusal(InputError, few, voxel_um=1.0).startswith("16 values: 0")
    assert "not segmented: 17 grey" in refusal(InputError, npy(tmp_path, grey % 17), voxel_um=1.0)


def test_many_grey_levels_are_not_counted_to_the_end(tmp_path):
    path = npy(tmp_path, np.arange(3 * 200 * 400, dtype=np.float32).reshape(3, 200, 400))
    assert refusal(InputError, path, voxel_um=1.0) == "not segmented: over 65536 grey levels; segment it first"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_voxels_that_are_not_numbers(tmp_path, value):
    array = FELT.astype(np.float32)
    array[2, 0, 0] = value
    assert "some voxels are not numbers" in refusal(InputError, npy(tmp_path, array), voxel_um=1.0)


# What is no stack


@pytest.mark.parametrize("write", [npy, WRITERS[1], in_nrrd])
@pytest.mark.parametrize(("shape", "said"), [((4, 5), "one image, 4 x 5"), ((2, 3, 4, 5), "2 x 3 x 4 x 5")])
def test_arrays_of_other_dimensions(tmp_path, write, shape, said):
    got = refusal(InputError, write(tmp_path, np.zeros(shape, dtype=np.uint8)), voxel_um=1.0)
    assert got == f"{said}; a stack has z, y and x, and voxels along each"


@pytest.mark.parametrize(("array", "said"), [(np.zeros((3, 0, 2)), "3 x 0 x 2"), (np.float32(1), "one number")])
def test_arrays_without_voxels(tmp_path, array, said):
    assert refusal(InputError, npy(tmp_path, array), voxel_um=1.0).startswith(f"{said}; a stack has")


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (FELT.astype(complex), "complex128, not one number per voxel"),
        (FELT.astype(object), "Python objects, which are never opened"),
        (FELT.astype("U3"), "<U3, not one number"),
        (FELT.astype("M8[s]"), "datetime64[s], not one number"),
        (np.zeros((2, 2, 2), dtype=[("r", "u1"), ("g", "u1")]), "not one number per voxel"),
    ],
)
def test_arrays_of_other_things_than_numbers(tmp_path, array, said):
    assert said in refusal(InputError, npy(tmp_path, array), voxel_um=1.0)
    assert said in refusal(InputError, npz(tmp_path, felt=array), voxel_um=1.0)


class Trap:
    def __reduce__(self):
        return (os.mkdir, ("sprung",))


def test_a_pickle_is_never_opened(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = npy(tmp_path, np.array([[[Trap()]]], dtype=object))
    assert "never opened" in refusal(InputError, path, voxel_um=1.0)
    assert not (tmp_path / "sprung").exists()
    np.load(path, allow_pickle=True)
    assert (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("shape", "keys", "said"),
    [
        ((4, 5, 3), {"photometric": "rgb"}, "y x x x colours = 4 x 5 x 3"),
        ((3, 4, 5, 4), {"photometric": "rgb", "extrasamples": ["unassalpha"]}, "colours"),
        ((3, 4, 5), {"imagej": True, "metadata": {"axes": "TYX"}}, "say so: in Fiji, Image > Properties"),
        ((3, 4, 5), {"imagej": True, "metadata": {"axes": "CYX"}}, "channels x y x x = 3 x 4 x 5"),
        ((2, 3, 4, 5), {"imagej": True, "metadata": {"axes": "TZYX"}}, "time x z x y x x = 2 x 3 x 4 x 5"),
        ((2, 3, 4, 5), {"metadata": {"axes": "TZYX"}}, "time x z x y x x = 2 x 3 x 4 x 5"),
        ((2, 3, 4, 5), {"ome": True, "metadata": {"axes": "TZYX"}}, "2 x 1 x 3 x 4 x 5"),
        ((2, 4, 5), {"ome": True, "metadata": {"axes": "CYX"}}, "1 x 2 x 1 x 4 x 5"),
        ((4, 5), {}, "one image, 4 x 5"),
        ((4, 5), {"ome": True, "metadata": {"axes": "YX"}}, "one image, 4 x 5"),
    ],
)
def test_a_tiff_of_something_else(tmp_path, shape, keys, said):
    path = tiff(tmp_path, np.zeros(shape, dtype=np.uint8), **keys)
    assert said in refusal(InputError, path, voxel_um=1.0)


def test_a_tiff_of_several_images(tmp_path):
    with tifffile.TiffWriter(tmp_path / "felt.tif") as writer:
        writer.write(FELT, photometric="minisblack")
        writer.write(FELT[:, :2], photometric="minisblack")
    said = refusal(InputError, tmp_path / "felt.tif", voxel_um=1.0)
    assert said == "2 images of different kinds: 3 x 4 x 5, 3 x 2 x 5; keep the stack alone"


def test_one_file_of_an_ome_series_is_not_the_whole(tmp_path):
    path = tiff(tmp_path, FELT, "felt.ome.tif", ome=True, metadata={"axes": "ZYX"})
    text = tifffile.tiffcomment(path)
    tifffile.tiffcomment(path, text.replace('SizeZ="3"', 'SizeZ="6"'))
    assert refusal(CorruptFile, path, voxel_um=1.0) == "6 x 4 x 5 voxels were written, 3 x 4 x 5 are in this file"


def imagej_pages(path, n_slices, unit=b"um", **keys):
    said = b"ImageJ=1.53t\nimages=%d\nslices=%d\nunit=%s\nspacing=0.25\n" % (n_slices, n_slices, unit)
    with tifffile.TiffWriter(path) as writer:
        for page in FELT:
            writer.write(page, photometric="minisblack", description=said, metadata=None, resolution=(4, 4), **keys)
    return path


@pytest.mark.parametrize("is_contiguous", [False, True])
@pytest.mark.parametrize(
    ("n_slices", "said"), [(7, "cut off"), (2, "2 slices were written, 3 pages are there; cut off")]
)
def test_a_tiff_of_imagej_with_more_or_fewer_pages_than_slices(tmp_path, is_contiguous, n_slices, said):
    path = imagej_pages(tmp_path / "felt.tif", n_slices, contiguous=is_contiguous)
    assert said in refusal(CorruptFile, path)
    assert np.array_equal(read_stack(imagej_pages(path, 3, contiguous=is_contiguous)).solid, FELT > 0)


def test_a_page_of_a_tiff_does_not_lie_within_its_voxels(tmp_path):
    path = big_endian_tiff(tmp_path / "felt.tif", n_pages=1)
    data = path.read_bytes()
    said = b"ImageJ=1.53t\nimages=9\nslices=9\n\0"
    entry = struct.pack(">HHII", 270, 2, len(said), len(data) + 12)
    changed = data[:10] + struct.pack(">H", 10) + data[12:72] + entry + data[72:]
    path.write_bytes(changed + said)
    assert refusal(CorruptFile, path, voxel_um=1.0).startswith("9 slices were written, 1 pages are there")


def test_a_spacing_of_imagej_may_be_negative_and_its_planes_uneven(tmp_path):
    keys = {"imagej": True, "metadata": {"axes": "ZYX", "spacing": -0.25, "unit": "um"}}
    assert read_stack(tiff(tmp_path, FELT, resolution=(4, 4), **keys)).voxel_um == 0.25
    said = refusal(InputError, tiff(tmp_path, FELT, resolution=(4, 2), **keys))
    assert said == "voxels of 0.5 x 0.25 x 0.25 um (y, x, z) are no cubes; resample it to cubes"


def test_an_ome_file_of_two_stacks(tmp_path):
    with tifffile.TiffWriter(tmp_path / "felt.tif", ome=True) as writer:
        for _ in range(2):
            writer.write(FELT, photometric="minisblack", metadata={"axes": "ZYX"})
    assert "2 images in its OME metadata" in refusal(InputError, tmp_path / "felt.tif", voxel_um=1.0)


@pytest.mark.parametrize("unit", [b"\xb5m", "µm".encode(), "μm".encode()])
def test_imagej_says_micrometres_in_any_coding(tmp_path, unit):
    assert read_stack(imagej_pages(tmp_path / "felt.tif", 3, unit)).voxel_um == 0.25


@pytest.mark.parametrize("data", [b"hello", b"\x89HDF\r\n\x1a\n" + bytes(99), bytes(500), b"II", b"\x1f\x8b\x08"])
def test_other_files_are_told_what_to_become(tmp_path, data):
    path = tmp_path / "felt.tif"
    path.write_bytes(data)
    said = refusal(UnsupportedFormat, path, voxel_um=1.0)
    assert said == "neither TIFF, NRRD nor NumPy (.npy, .npz); export the segmented stack as one TIFF"


def test_content_counts_and_not_the_name(tmp_path):
    path = npy(tmp_path, FELT).rename(tmp_path / "felt.tif")
    assert read_stack(path, voxel_um=1.0).porosity == approx(47 / 60, rel=1e-12)


def test_no_file_an_empty_one_and_a_folder(tmp_path):
    assert refusal(InputError, tmp_path / "felt.tif") == "no such file"
    (tmp_path / "slices").mkdir()
    assert refusal(InputError, tmp_path / "slices") == "a folder; stack its slices in one TIFF"
    (tmp_path / "empty.tif").touch()
    assert refusal(CorruptFile, tmp_path / "empty.tif") == "empty"


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"voxel_um": 0.0}, "voxel_um = 0: above 0"),
        ({"voxel_um": float("nan")}, "voxel_um = nan: above 0"),
        ({"voxel_um": float("inf")}, "voxel_um = inf: above 0"),
        ({"axis": "t"}, "axis = 't': z, y or x"),
        ({"axis": "zy"}, "axis = 'zy': z, y or x"),
        ({"axis": ""}, "axis = '': z, y or x"),
    ],
)
def test_keys_that_cannot_be(tmp_path, keys, said):
    assert refusal(InputError, npy(tmp_path, FELT), **{"voxel_um": 1.0, **keys}) == said


def test_a_file_that_may_not_be_opened(tmp_path, monkeypatch):
    path = npy(tmp_path, FELT)

    def refused(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)
    assert refusal(InputError, path) == "cannot be opened (Permission denied)"


@pytest.mark.parametrize(("module", "write"), [("tifffile", tiff), ("nrrd", in_nrrd)])
def test_a_library_that_is_missing(tmp_path, monkeypatch, module, write):
    path = write(tmp_path, FELT)
    monkeypatch.setitem(sys.modules, module, None)
    said = refusal(EnvironmentError_, path, voxel_um=1.0)
    assert said == f"{module} is not installed: pip install 'interlith[images]'"


# Bombs

HUGE = (1_000_000, 1_000_000, 1_000)
FAR_TOO_LARGE = "1000000 x 1000000 x 1000 voxels need 5e+06 GB of memory"


def huge_npy():
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "|u1", "fortran_order": False, "shape": HUGE})
    return stream.getvalue()


def test_files_that_declare_more_than_memory_holds(tmp_path):
    path = tmp_path / "felt.npy"
    path.write_bytes(huge_npy())
    assert FAR_TOO_LARGE in refusal(EnvironmentError_, path, voxel_um=1.0)
    with zipfile.ZipFile(tmp_path / "felt.npz", "w") as archive:
        archive.writestr("felt.npy", huge_npy())
    assert FAR_TOO_LARGE in refusal(EnvironmentError_, tmp_path / "felt.npz", voxel_um=1.0)
    lines = {"sizes": " ".join(map(str, HUGE[::-1])), "encoding": "gzip"}
    assert FAR_TOO_LARGE in refusal(EnvironmentError_, by_hand(tmp_path, lines, gzip.compress(b"")), voxel_um=1.0)
    large = big_endian_tiff(tmp_path / "felt.tif", t256=4_000_000_000, t257=4_000_000_000, t259=8)
    assert "2 x 4000000000 x 4000000000 voxels need 1.6e+11 GB" in refusal(EnvironmentError_, large, voxel_um=1.0)


def test_what_is_free_is_what_the_system_says_or_a_limit(tmp_path, monkeypatch):
    path = npy(tmp_path, FELT)
    monkeypatch.setattr(images, "free_bytes", lambda: FELT.size * 5 - 1)
    assert "crop or bin it" in refusal(EnvironmentError_, path, voxel_um=1.0)
    monkeypatch.setattr(images, "free_bytes", lambda: FELT.size * 5)
    read_stack(path, voxel_um=1.0)
    monkeypatch.undo()
    monkeypatch.setattr(Path, "read_text", lambda self: "MemAvailable:    2000 kB\n")
    assert memory.free_bytes() == 2_048_000

    def nowhere(self):
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", nowhere)
    assert memory.free_bytes() == memory.UNTOLD_MEMORY_BYTES


def test_memory_that_runs_out_while_reading(tmp_path, monkeypatch):
    path = npy(tmp_path, FELT)

    def none_left(*_, **__):
        raise MemoryError

    monkeypatch.setattr(np.lib.format, "read_array", none_left)
    assert refusal(EnvironmentError_, path, voxel_um=1.0) == "more than fits in memory; crop or bin it"


# NumPy


def test_an_archive_with_none_or_several_arrays(tmp_path):
    assert refusal(InputError, npz(tmp_path, a=FELT, b=FELT)) == "2 arrays: a, b; save the segmented stack alone"
    for members in ({"xl/workbook.xml": b"<x/>"}, {}):
        with zipfile.ZipFile(tmp_path / "book.npz", "w") as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        assert "without a NumPy array" in refusal(UnsupportedFormat, tmp_path / "book.npz")


def test_more_or_fewer_bytes_than_an_array_has(tmp_path):
    path = npy(tmp_path, FELT)
    data = path.read_bytes()
    for change in (data[:-1], data + b"\0"):
        path.write_bytes(change)
        assert refusal(CorruptFile, path) == f"{len(change)} of {len(data)} bytes are there; cut off or damaged"
        with zipfile.ZipFile(tmp_path / "felt.npz", "w") as archive:
            archive.writestr("felt.npy", change)
        assert f"{len(change)} of {len(data)} bytes" in refusal(CorruptFile, tmp_path / "felt.npz")


def test_a_version_of_npy_that_is_not_read(tmp_path):
    path = npy(tmp_path, FELT)
    path.write_bytes(path.read_bytes().replace(b"NUMPY\x01\x00", b"NUMPY\x03\x00"))
    assert refusal(UnsupportedFormat, path) == "version 3.0 of .npy; save it by numpy.save"
    with path.open("wb") as stream:
        np.lib.format.write_array(stream, FELT, version=(2, 0))
    assert read_stack(path, voxel_um=1.0).solid.sum() == 13


# NRRD

NRRD_TYPES = {
    "signed char": "i1", "int8": "i1", "int8_t": "i1", "uchar": "u1", "unsigned char": "u1", "uint8": "u1",
    "uint8_t": "u1", "short": "i2", "short int": "i2", "signed short": "i2", "signed short int": "i2", "int16": "i2",
    "int16_t": "i2", "ushort": "u2", "unsigned short": "u2", "unsigned short int": "u2", "uint16": "u2",
    "uint16_t": "u2", "int": "i4", "signed int": "i4", "int32": "i4", "int32_t": "i4", "uint": "u4",
    "unsigned int": "u4", "uint32": "u4", "uint32_t": "u4", "longlong": "i8", "long long": "i8", "long long int": "i8",
    "signed long long": "i8", "signed long long int": "i8", "int64": "i8", "int64_t": "i8", "ulonglong": "u8",
    "unsigned long long": "u8", "unsigned long long int": "u8", "uint64": "u8", "uint64_t": "u8", "float": "f4",
    "double": "f8",
}  # fmt: skip


@pytest.mark.parametrize(("name", "dtype"), NRRD_TYPES.items())
def test_every_type_of_an_nrrd(tmp_path, name, dtype):
    for endian, order in (("little", "<"), ("big", ">")):
        array = np.where(FELT > 0, 100, 3).astype(order + dtype)
        network = read_stack(by_hand(tmp_path, {"type": name, "endian": endian}, array.tobytes()), voxel_um=1.0)
        assert np.array_equal(network.solid, FELT > 0)
        assert network.source.startswith(f"felt.nrrd: solid {array.max()!s} (21.7 %)")


@pytest.mark.parametrize(
    ("lines", "kind", "said"),
    [
        ({"type": "block"}, InputError, "holds block, not one number per voxel"),
        ({"type": None}, CorruptFile, "its header says no type"),
        ({"sizes": None}, CorruptFile, "its header says no sizes"),
        ({"encoding": None}, CorruptFile, "its header says no encoding"),
        ({"type": "uint16"}, CorruptFile, "its header does not say endian"),
        ({"encoding": "ascii"}, UnsupportedFormat, "encoding ascii, byte skip 0; write it as raw or gzip"),
        ({"encoding": "gzip", "byte skip": "-1"}, UnsupportedFormat, "encoding gzip, byte skip -1"),
        ({"line skip": "1"}, UnsupportedFormat, "line skip is not read"),
        ({"sizes": "5 4 4"}, CorruptFile, "cut off: 60 of 80 bytes of voxels are there"),
        ({"sizes": "5 4 2"}, CorruptFile, "more voxels than the sizes in its header say"),
        ({"sizes": "5 4"}, InputError, "one image, 4 x 5"),
        ({"sizes": "5 4 -3"}, InputError, "-3 x 4 x 5; a stack has"),
        ({"sizes": "five"}, CorruptFile, "cannot be read"),
        ({"data file": "missing.raw"}, InputError, "its data file missing.raw is missing"),
        ({"data file": "../felt.raw"}, InputError, "data file ../felt.raw is outside its folder"),
        ({"data file": "../../etc/passwd"}, InputError, "data file ../../etc/passwd is outside its folder"),
        ({"datafile": "/etc/passwd"}, InputError, "data file /etc/passwd is outside its folder"),
        ({"data file": "."}, InputError, "its data file . is missing"),
        ({"data file": "LIST\na.raw\nb.raw"}, UnsupportedFormat, "its slices are in several files"),
        ({"data file": "slice%03d.raw 1 3 1"}, UnsupportedFormat, "its slices are in several files"),
    ],
)
def test_headers_of_an_nrrd_that_are_refused(tmp_path, lines, kind, said):
    (tmp_path / "felt").mkdir()
    (tmp_path / "felt.raw").write_bytes(FELT.tobytes())
    assert said in refusal(kind, by_hand(tmp_path / "felt", lines, FELT.tobytes()), voxel_um=1.0)


def test_a_link_that_leads_outside_the_folder(tmp_path):
    (tmp_path / "felt").mkdir()
    (tmp_path / "secret").write_bytes(FELT.tobytes())
    (tmp_path / "felt" / "felt.raw").symlink_to(tmp_path / "secret")
    path = by_hand(tmp_path / "felt", {"data file": "felt.raw"}, name="felt.nhdr")
    assert "outside its folder" in refusal(InputError, path, voxel_um=1.0)


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b""])
def test_a_detached_header_however_its_lines_end(tmp_path, ending):
    path = by_hand(tmp_path, {"data file": "fält.raw"}, name="felt.nhdr")
    text = path.read_bytes().rstrip()
    path.write_bytes(text.replace(b"\n", ending) + ending * 2 if ending else text)
    (tmp_path / "fält.raw").write_bytes(FELT.tobytes())
    assert np.array_equal(read_stack(path, voxel_um=1.0).solid, FELT > 0)
    (tmp_path / "fält.raw").write_bytes(FELT.tobytes()[:-1])
    assert "59 of 60 bytes" in refusal(CorruptFile, path, voxel_um=1.0)


@pytest.mark.parametrize(
    ("skip", "data"),
    [
        (7, b"1234567" + FELT.tobytes()),
        (-1, b"anything" + FELT.tobytes()),
        (0, FELT.tobytes()),
    ],
)
def test_bytes_before_the_voxels_are_skipped(tmp_path, skip, data):
    path = by_hand(tmp_path, {"byte skip": skip}, data)
    assert np.array_equal(read_stack(path, voxel_um=1.0).solid, FELT > 0)
    if skip >= 0:
        for encoding, packed in (("gz", gzip.compress(data)), ("bz2", bz2.compress(data))):
            path = by_hand(tmp_path, {"byte skip": skip, "encoding": encoding}, packed)
            assert np.array_equal(read_stack(path, voxel_um=1.0).solid, FELT > 0)


def test_voxels_at_the_end_of_a_short_file(tmp_path):
    path = by_hand(tmp_path, {"byte skip": -1}, FELT.tobytes()[:-1])
    assert "59 of 60 bytes" in refusal(CorruptFile, path, voxel_um=1.0)


def test_an_nrrd_without_an_end_of_its_header(tmp_path):
    path = tmp_path / "felt.nrrd"
    path.write_bytes(b"NRRD0004\n" + b"# x\n" * 300_000)
    assert "does not end in 1048576 bytes" in refusal(CorruptFile, path)


def test_what_libraries_log_is_not_shown(tmp_path, caplog):
    path = big_endian_tiff(tmp_path / "felt.tif")
    path.write_bytes(path.read_bytes()[:-4] + struct.pack(">I", 9_000_000))
    refusal(CorruptFile, path, voxel_um=1.0)
    assert not caplog.records
    with tifffile.TiffFile(path) as file:
        assert len(file.pages) == 2
    assert [record.name for record in caplog.records] == ["tifffile"]


def test_reading_leaves_the_file_as_it_was(tmp_path):
    for write in WRITERS:
        path = write(tmp_path, FELT)
        before = {one.name: one.read_bytes() for one in tmp_path.iterdir()}
        read_stack(path, voxel_um=1.0)
        assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == before


def test_importing_the_reader_loads_no_library():
    code = "import sys, interlith.deposit.images; print([m for m in ('tifffile', 'nrrd') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
