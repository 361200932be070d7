"""Patterns written to files as instruments write them; all made up."""

import zipfile

import numpy as np

from interlith.characterize.diffraction.synthetic_pattern import synthetic_pattern

CONDITIONS = """<?xml version="1.0" encoding="utf-8"?>
<MeasurementConditions><HWConfigurations><XrayGenerator><TargetName>Cu</TargetName>
<WavelengthKalpha1>1.540593</WavelengthKalpha1><WavelengthKalpha2>1.544414</WavelengthKalpha2>
</XrayGenerator></HWConfigurations></MeasurementConditions>"""


def made_up(seed=1, step=0.05):
    """Angles and counts of a coating that prefers (002)."""
    one = synthetic_pattern({"002": 4.0}, counts=3000.0, range_deg=(25.0, 72.0, step), seed=seed)
    return one.two_theta_deg, one.counts


def rasx(path, angles, counts, factor=None, conditions=CONDITIONS, profile="Data0/Profile0.txt"):
    """A .rasx file; factor None: one of 1 for every point."""
    factor = np.ones(len(angles)) if factor is None else factor
    rows = "\r\n".join(f"{a:.4f}\t{c:g}\t{f:g}" for a, c, f in zip(angles, counts, factor, strict=True))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        if profile:
            archive.writestr(profile, "\ufeff" + rows)
        if conditions:
            archive.writestr("Data0/MesurementConditions0.xml", "\ufeff" + conditions)
        archive.writestr("root.xml", "<Root/>")
    return path


def xrdml_text(angles, values, kind="intensities", factors="", positions=None, wavelengths=None, axis="2Theta"):
    """An XRDML document of schema 1.5."""
    if positions is None:
        ends = (angles[0], angles[-1])
        positions = f"<startPosition>{ends[0]:.4f}</startPosition><endPosition>{ends[1]:.4f}</endPosition>"
    if wavelengths is None:
        wavelengths = (
            '<usedWavelength intended="K-Alpha"><kAlpha1 unit="Angstrom">1.5405980</kAlpha1>'
            '<kAlpha2 unit="Angstrom">1.5444260</kAlpha2><kBeta unit="Angstrom">1.3922500</kBeta>'
            "<ratioKAlpha2KAlpha1>0.5000</ratioKAlpha2KAlpha1></usedWavelength>"
        )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<xrdMeasurements xmlns="http://www.xrdml.com/XRDMeasurement/1.5" status="Completed">
<xrdMeasurement measurementType="Scan" status="Completed">{wavelengths}
<scan appendNumber="0" mode="Continuous" scanAxis="Gonio" status="Completed"><dataPoints>
<positions axis="{axis}" unit="deg">{positions}</positions>
<positions axis="Omega" unit="deg"><startPosition>12.5</startPosition><endPosition>36</endPosition></positions>
<commonCountingTime unit="seconds">50.0</commonCountingTime>{factors}
<{kind} unit="counts">{" ".join(f"{value:g}" for value in values)}</{kind}>
</dataPoints></scan></xrdMeasurement></xrdMeasurements>"""
