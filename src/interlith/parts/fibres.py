"""A paper as a network of fibres: how thick, how dense, how they lie."""

from __future__ import annotations

from pydantic import Field

from interlith.parts.part import Part


class FibreNetwork(Part):
    """Straight fibres that lie at random in a sheet, and may pass through each other.

    bundle_diameter_um: of the bundles that fibres stick together in, round. fibre_length_um: from end to end.
    alignment: order in the plane, mean of cos(2 angle to x): 0 all directions alike, 1 all along x. tilt_deg: standard
    deviation of the angle to the plane.

    >>> FibreNetwork(bundle_diameter_um=1.0, porosity=0.75, thickness_um=20, fibre_length_um=30, tilt_deg=10).alignment
    0.0
    """

    bundle_diameter_um: float = Field(gt=0, le=100)
    porosity: float = Field(gt=0.05, lt=1)
    thickness_um: float = Field(gt=0, le=10_000)
    fibre_length_um: float = Field(gt=0, le=10_000)
    alignment: float = Field(default=0.0, ge=0, le=0.99)
    tilt_deg: float = Field(ge=0, le=60)
