"""Islands that grow on a tube: how much they hold, how much of it they cover.

All nuclei of one cohort have one radius r. A point at height h over the surface is inside one of them with the
probability 1 - exp(-a(h)), a(h) = sum over cohorts of pi N (r^2 - h^2) (Avrami), N per area of the surface. On a tube
of radius R the surface at height h is 1 + h / R times that at its foot, and a circle of the islands there
sqrt(1 + h / R) times that of a plane; R infinite: a plane. Many nuclei give the conformal film.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
NODES, WEIGHTS = np.polynomial.legendre.leggauss(48)  # of -1 to 1
MOST_COHORTS = 64
NEWTON_STEPS, NEWTON_CLOSE = 50, 1e-13


@dataclass(frozen=True)
class Islands:
    """Nuclei per nm2 and radii in nm, one entry per cohort; radius of the tube in nm.

    >>> film = Islands(np.array([1.0]), np.array([3.0]), tube_nm=10.0)  # a nucleus on each nm2: closed
    >>> round(film.nm3_per_nm2, 3), round(film.film_nm, 3), round(film.coverage, 3)
    (3.37, 2.939, 1.0)
    """

    per_nm2: Floats
    radius_nm: Floats
    tube_nm: float = np.inf

    @property
    def coverage(self) -> float:
        """Share of the tube's surface that is covered."""
        return float(1.0 - np.exp(-np.pi * np.sum(self.per_nm2 * self.radius_nm**2)))

    @property
    def nm3_per_nm2(self) -> float:
        """Volume of all islands per area of the tube."""
        return self._volume_and_area()[0]

    @property
    def film_nm(self) -> float:
        """Thickness of a uniform film of the same volume.

        v = t + t^2 / (2 R) on a tube of radius R.
        """
        return film_of(self.nm3_per_nm2, self.tube_nm)

    @property
    def diameter_nm(self) -> float:
        """Of the oldest islands, at their foot; they merge where much is covered."""
        return float(2.0 * self.radius_nm.max(initial=0.0))

    def grown(self, nm: float) -> Islands:
        """All radii larger by so much."""
        return replace(self, radius_nm=self.radius_nm + nm)

    def with_cohort(self, per_nm2: float) -> Islands:
        """With new nuclei of no size, which need bare surface; beyond MOST_COHORTS cohorts, two are merged."""
        bare = per_nm2 * (1.0 - self.coverage)
        found = replace(self, per_nm2=np.append(self.per_nm2, bare), radius_nm=np.append(self.radius_nm, 0.0))
        return found if len(found.per_nm2) <= MOST_COHORTS else found._merged()

    def _merged(self) -> Islands:
        """Two neighbouring cohorts as one that has their number and their mean square radius, and so their coverage.

        Those that change the least by it; never the oldest, whose diameter is told.
        """
        n, r = self.per_nm2, self.radius_nm
        both = n[1:-1] + n[2:]
        apart = n[1:-1] * n[2:] / np.maximum(both, np.finfo(float).tiny) * (r[1:-1] - r[2:]) ** 2
        place = int(np.argmin(apart)) + 1
        weight = n[place : place + 2] / both[place - 1] if both[place - 1] > 0 else np.array([0.5, 0.5])
        one = np.sqrt(weight @ r[place : place + 2] ** 2)
        per_nm2 = np.concatenate([n[:place], [both[place - 1]], n[place + 2 :]])
        return replace(self, per_nm2=per_nm2, radius_nm=np.concatenate([r[:place], [one], r[place + 2 :]]))

    def filled(self, nm3_per_nm2: float, at_most_nm: float, about_nm: float) -> Islands:
        """Grown until they hold so much; at_most_nm: a growth that is surely enough. Newton's method, kept inside.

        about_nm: where it begins.
        """
        low, high = 0.0, at_most_nm
        nm = min(about_nm, at_most_nm)
        for _ in range(NEWTON_STEPS):
            volume, area = self.grown(nm)._volume_and_area()
            if abs(volume - nm3_per_nm2) <= NEWTON_CLOSE * nm3_per_nm2:
                break
            low, high = (nm, high) if volume < nm3_per_nm2 else (low, nm)
            step = nm - (volume - nm3_per_nm2) / area if area > 0 else np.inf
            nm = step if low < step < high else 0.5 * (low + high)
        return self.grown(nm)

    def _volume_and_area(self) -> tuple[float, float]:
        """Per area of the tube: volume, and its derivative by a growth of all radii, the area that grows."""
        top = float(self.radius_nm.max(initial=0.0))
        if top == 0.0:
            return 0.0, 0.0
        h = 0.5 * top * (NODES + 1.0)
        wider = 1.0 + h / self.tube_nm
        stretch = np.sqrt(wider)
        inside = np.maximum(self.radius_nm[:, None] ** 2 - h**2, 0.0)
        extended = np.pi * (self.per_nm2 @ inside) / stretch
        weights = 0.5 * top * WEIGHTS * wider
        rims = 2.0 * np.pi * ((self.per_nm2 * self.radius_nm) @ (inside > 0)) / stretch
        uncovered = np.exp(-extended)
        return float(np.sum(weights * (1.0 - uncovered))), float(np.sum(weights * uncovered * rims))


def film_of(nm3_per_nm2: float, tube_nm: float = np.inf) -> float:
    """Thickness of a uniform film that holds so much: sqrt(R^2 + 2 R v) - R; v on a plane.

    >>> round(film_of(0.24, 10.0), 4), film_of(0.24)
    (0.2372, 0.24)
    """
    if np.isinf(tube_nm):
        return nm3_per_nm2
    return float(np.sqrt(tube_nm**2 + 2.0 * tube_nm * nm3_per_nm2) - tube_nm)


def film_nm3_per_nm2(film_nm: float, tube_nm: float = np.inf) -> float:
    """Volume of a uniform film per area of the tube: t + t^2 / (2 R).

    >>> film_nm3_per_nm2(15.0, 10.0)
    26.25
    """
    return film_nm + film_nm**2 / (2.0 * tube_nm)
