"""Faces as people write them, and the lattice of the surface they name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import gcd
from typing import Any

import numpy as np

from interlith.errors import InputError

MOST_INDEX = 20
HEXAGONAL_WITHIN = 1e-2  # A and degrees


@dataclass(frozen=True)
class Miller:
    """A face by its indices in the conventional cell, and as it was written.

    >>> parse_face("002").reduced
    (0, 0, 1)
    """

    written: str
    indices: tuple[int, int, int]

    @property
    def reduced(self) -> tuple[int, int, int]:
        """Without a common factor: (002) is the face (001), seen in the second order by X-rays."""
        h, k, l = self.indices  # noqa: E741 - the letters of crystallography
        n = gcd(h, k, l)
        return h // n, k // n, l // n

    @property
    def opposite(self) -> Miller:
        """The face on the other side of a slab."""
        h, k, l = self.indices  # noqa: E741
        return Miller(_text(-h, -k, -l), (-h, -k, -l))


def parse_face(text: str) -> Miller:
    """A face in three- or four-index notation: 002, -110, (1 0 -1 0), "1,0,-1,0", 10-10.

    A sign stands before its index. Raises InputError for what is no face, and for four indices whose third is not
    minus the sum of the first two.

    >>> parse_face("10-10").indices, parse_face("(1 0 -1 12)").indices
    ((1, 0, 0), (1, 0, 12))
    """
    bare = text.strip().strip("()[]{}").strip()
    parts = re.split(r"[\s,]+", bare) if re.search(r"[\s,]", bare) else re.findall(r"[-+]?\d", bare)
    joined = re.sub(r"[\s,]+", "", bare)
    if not re.fullmatch(r"([-+]?\d+)+", joined) or any(not re.fullmatch(r"[-+]?\d+", part) for part in parts):
        raise InputError(f"face {text!r}: three or four whole numbers, such as 002, 10-10 or '1 0 -1 12'")
    numbers = [int(part) for part in parts]
    if len(numbers) == 4 and numbers[2] != -(numbers[0] + numbers[1]):
        raise InputError(f"face {text!r}: of four indices the third is minus the sum of the first two")
    if len(numbers) not in (3, 4):
        raise InputError(f"face {text!r}: {len(numbers)} indices; a face has three or four")
    h, k, l = numbers[0], numbers[1], numbers[-1]  # noqa: E741
    if not any((h, k, l)):
        raise InputError(f"face {text!r}: all indices are zero, and no face has them")
    if max(abs(h), abs(k), abs(l)) > MOST_INDEX:
        raise InputError(f"face {text!r}: an index above {MOST_INDEX}")
    return Miller(_text(h, k, l), (h, k, l))


def is_four_index(text: str) -> bool:
    """Whether a face was written with four indices, which only hexagonal crystals have.

    >>> is_four_index("10-10"), is_four_index("002")
    (True, False)
    """
    bare = text.strip().strip("()[]{}").strip()
    return len(re.split(r"[\s,]+", bare) if re.search(r"[\s,]", bare) else re.findall(r"[-+]?\d", bare)) == 4


def check_four_index(text: str, cell: Any) -> None:
    """Raises InputError for a face of four indices on a crystal whose cell is not hexagonal."""
    if not is_four_index(text):
        return
    a, b, _, alpha, beta, gamma = cell.cellpar()
    is_hexagonal = abs(a - b) < HEXAGONAL_WITHIN and all(
        abs(got - want) < HEXAGONAL_WITHIN for got, want in ((alpha, 90), (beta, 90), (gamma, 120))
    )
    if not is_hexagonal:
        raise InputError(f"face {text!r}: four indices are for hexagonal cells, and this one is not; use three")


@dataclass(frozen=True)
class SurfaceLattice:
    """The lattice of a face: two vectors in the plane, the shortest, and one that leads to the next equal plane.

    in_plane_A: float[2, 3], rows. up_A: float[3]. normal: float[3], of length one. spacing_A: between equal planes.
    """

    in_plane_A: Any
    up_A: Any
    normal: Any
    spacing_A: float


def surface_lattice(conventional_cell: Any, primitive_cell: Any, indices: tuple[int, int, int]) -> SurfaceLattice:
    """The lattice of a face of a crystal; both cells float[3, 3] with vectors as rows, in one orientation.

    >>> found = surface_lattice(np.eye(3), np.eye(3), (1, 1, 0))
    >>> [round(float(np.linalg.norm(vector)), 3) for vector in found.in_plane_A], round(found.spacing_A, 3)
    ([1.0, 1.414], 0.707)
    """
    normal = np.linalg.inv(np.asarray(conventional_cell, float)) @ np.asarray(indices, float)
    along = np.asarray(primitive_cell, float) @ normal
    whole = _whole(along)
    basis = _basis(whole)
    vectors = basis @ np.asarray(primitive_cell, float)
    unit = normal / np.linalg.norm(normal)
    short, long = _shortest(vectors[0], vectors[1])
    if np.dot(np.cross(short, long), unit) < 0:
        long = -long
    up = vectors[2] if np.dot(vectors[2], unit) > 0 else -vectors[2]
    return SurfaceLattice(np.array([short, long]), up, unit, float(np.dot(up, unit)))


def _text(h: int, k: int, l: int) -> str:  # noqa: E741
    wide = max(abs(h), abs(k), abs(l)) > 9
    return (" " if wide else "").join(str(index) for index in (h, k, l))


def _whole(along: Any) -> tuple[int, int, int]:
    """Real numbers in the ratio of small whole ones, as these."""
    scale = np.abs(along).max()
    for factor in range(1, 12 * MOST_INDEX):
        tried = along / scale * factor
        if np.abs(tried - np.round(tried)).max() < 1e-4 * factor**0.5:
            found = [int(value) for value in np.round(tried)]
            n = gcd(*found)
            return found[0] // n, found[1] // n, found[2] // n
    raise InputError("this face cannot be cut: no lattice vectors lie in it")


def _basis(h: tuple[int, int, int]) -> Any:
    """int[3, 3]: two lattice vectors in the plane h and one to the next, whose determinant is one or minus one.

    Columns are cleared one after the other, as Euclid does: what is done to h is done to the unit matrix.
    """
    row, rows = list(h), np.eye(3, dtype=int)
    while sum(value != 0 for value in row) > 1:
        smallest = min((i for i in range(3) if row[i]), key=lambda i: abs(row[i]))
        for i in range(3):
            if i != smallest and row[i]:
                times = row[i] // row[smallest]
                row[i] -= times * row[smallest]
                rows[i] -= times * rows[smallest]
    last = next(i for i in range(3) if row[i])
    return np.array([*(rows[i] for i in range(3) if i != last), rows[last]])


def _shortest(first: Any, second: Any) -> tuple[Any, Any]:
    """Two vectors of one plane made as short as they can be (Gauss), the shorter first, at 90 degrees or more."""
    while True:
        if np.dot(second, second) < np.dot(first, first) - 1e-9:
            first, second = second, first
        times = round(float(np.dot(first, second) / np.dot(first, first)) - 1e-9)
        if times == 0:
            break
        second = second - times * first
    return first, (-second if np.dot(first, second) > 1e-9 else second)
