"""What is no ZnO gives no quantity: other crystals, a glass, theta, another tube; what is strained says so. Made up."""

import numpy as np
import pytest
from scipy.special import voigt_profile

from interlith.characterize.diffraction.line_fit import Model, Shape, line_columns
from interlith.characterize.diffraction.pattern import pattern, read_pattern
from interlith.characterize.diffraction.radiation import ANODES, COPPER
from interlith.characterize.diffraction.synthetic_pattern import synthetic_pattern
from interlith.characterize.diffraction.texture import SCHERRER
from interlith.characterize.diffraction.wurtzite import powder_lines
from interlith.characterize.diffraction.xrd import measure_xrd
from interlith.characterize.diffraction.xrd_series import measure_series
from interlith.errors import InputError

ANGLES = np.arange(25.0, 75.0, 0.02)
OTHERS = {  # angle: height, full width; K-alpha 1 alone
    "silicon": ({28.44: 5000, 47.30: 2750, 56.12: 1500, 69.13: 300}, 0.08),
    "anatase": ({25.28: 2000, 37.80: 400, 48.05: 700, 53.89: 400, 55.06: 400, 62.69: 300}, 0.4),
    "layered oxide": ({36.7: 1500, 38.3: 300, 44.4: 2500, 48.6: 500, 58.7: 400, 64.5: 500, 65.1: 500, 68.2: 300}, 0.2),
}


def foreign(lines, width, scale=1.0, seed=4):
    counts = np.full_like(ANGLES, 200.0)
    for angle, height in lines.items():
        counts += scale * height / (1 + 4 * ((ANGLES - angle) / width) ** 2)
    return pattern("another crystal", ANGLES, np.random.default_rng(seed).poisson(counts))


def measured(one, **asked):
    return measure_xrd(one, n_bootstrap=30, **asked)


@pytest.mark.parametrize("scale", [1.0, 0.1])
@pytest.mark.parametrize("name", OTHERS)
def test_another_crystal_gives_no_texture(name, scale):
    found = measured(foreign(*OTHERS[name], scale))
    assert found.quantities == ()
    assert found.headline.startswith(("No ZnO found", "Not explained by ZnO", "No texture"))
    assert found.tables["xrd-lines"]["texture_coefficient"].null_count() == found.tables["xrd-lines"].height


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("height", [1000.0, 10_000.0])
def test_a_glass_is_no_crystal(height, seed):
    counts = 200 + height * np.exp(-(((ANGLES - 25) / 7) ** 2))
    found = measured(pattern("glass", ANGLES, np.random.default_rng(seed).poisson(counts)))
    assert found.quantities == ()


def test_lines_as_wide_as_a_hump_are_no_crystal():
    found = measured(synthetic_pattern({}, counts=60_000.0, size_nm=2.0, range_deg=(20.0, 80.0, 0.02)))
    assert "no crystal is claimed" in found.headline
    assert found.quantities == ()


def test_values_stay_beside_the_doubt_and_a_series_leaves_them_out():
    other, ours = measured(foreign(*OTHERS["anatase"])), measured(synthetic_pattern({"002": 4.0}))
    assert other.values["doubt"] == other.headline.rstrip(".")
    assert other.values["texture_coefficients"] is not None
    series = measure_series([("other", other), ("ours", ours)])
    assert set(series.tables["xrd-series"]["name"]) == {"ours"}
    assert series.tables["xrd-sizes"]["size_nm"].to_list()[0] is None


@pytest.mark.parametrize("texture", [{}, {"002": 6.0}, {"002": 36.0}, {"002": 1.0, "100": 0.0, "101": 0.0}])
@pytest.mark.parametrize("counts", [4000.0, 3e5])
def test_zinc_oxide_of_any_texture_is_no_doubt(texture, counts):
    found = measured(synthetic_pattern(texture, counts=counts, seed=2))
    assert found.values["doubt"] is None
    assert len(found.quantities) == 8


def test_crystallites_of_five_nm_are_crystals():
    assert measured(synthetic_pattern({}, counts=5000.0, size_nm=5.0)).values["doubt"] is None


@pytest.mark.parametrize("substrate", ["none", "copper"])
def test_a_wafer_without_its_masks_hands_out_nothing(characterisation, substrate):
    path = sorted((characterisation / "xrd").glob("*.rasx"))[0]
    found = measured(read_pattern(path), substrate=substrate)
    assert found.quantities == ()
    assert found.headline.startswith("Not explained by ZnO")
    assert "Si 400, K-beta" in found.said[-1]


def test_a_large_chi2_alone_is_a_doubt():
    """A strong line of a foil that nobody named: those of ZnO are there, and weaker."""
    one = synthetic_pattern({}, counts=60_000.0)
    more = sum(750 / (1 + 4 * ((one.two_theta_deg - angle) / 0.5) ** 2) for angle in (41.0, 52.0))
    counts = one.counts + np.random.default_rng(3).poisson(more)
    found = measured(pattern("two phases", one.two_theta_deg, counts))
    assert found.values["reduced_chi2"] > 5
    assert "reduced chi2" in found.headline
    assert found.quantities == ()


@pytest.mark.parametrize("texture", [{}, {"002": 4.0}])
def test_theta_in_place_of_two_theta_is_recognized(texture):
    one = synthetic_pattern(texture, counts=3000.0)
    found = measured(pattern("theta", one.two_theta_deg / 2, one.counts))
    assert "theta was given instead of 2 theta" in found.headline
    assert not any("Mask it" in text for text in found.said)


@pytest.mark.parametrize("anode", ["cobalt", "chromium", "molybdenum"])
def test_another_tube_is_suspected_and_can_be_named(anode):
    tube = ANODES[anode]
    span = (12.0, 45.0, 0.01) if anode == "molybdenum" else (28.0, 110.0, 0.02)
    made = synthetic_pattern({"002": 2.0}, counts=3000.0, range_deg=span, radiation=tube)
    unnamed = pattern("no wavelength", made.two_theta_deg, made.counts)
    found = measured(unnamed)
    assert found.quantities == ()
    assert f"{anode} tube" in found.headline
    named = measured(unnamed, wavelength_nm=tube.kalpha1_nm)
    assert named.values["doubt"] is None
    assert named.values["kalpha1_nm"] == tube.kalpha1_nm
    assert named.values["preferred"] == "002"
    assert not any("copper K-alpha 1 and 2 is assumed" in text for text in named.said)


def test_a_wavelength_that_no_tube_gives():
    with pytest.raises(InputError, match="Angstrom"):
        measured(synthetic_pattern({}), wavelength_nm=1.5406)


def test_the_tail_beside_a_mask_is_told_as_that():
    one = synthetic_pattern({"002": 4.0}, counts=1500.0)
    tail = sum(h / (1 + 4 * ((one.two_theta_deg - at) / 0.12) ** 2) for at, h in ((43.298, 40000), (50.434, 18000)))
    found = measured(pattern("on copper", one.two_theta_deg, np.random.default_rng(1).poisson(one.counts + tail)))
    assert "tail of copper 111" in found.said[-1]
    assert "steel" not in found.said[-1]


def voigt_pattern(size_nm, instrument_deg):
    """Lorentzian lines of the size, Gaussian ones of the instrument."""
    counts = 200 * np.exp(-(ANGLES - 25) / 60)
    for line in powder_lines(COPPER):
        for nm, share in COPPER.lines:
            at = 2 * np.degrees(np.arcsin(nm / 2 / line.spacing_nm))
            beta = np.degrees(SCHERRER * nm / (size_nm * np.cos(np.radians(at / 2))))
            shape = voigt_profile(ANGLES - at, instrument_deg / 2.35482, beta / 2)
            counts += 3000 * share * line.powder_intensity / 100 * shape
    return pattern("Voigt lines", ANGLES, np.random.default_rng(0).poisson(counts))


@pytest.mark.parametrize(("size", "instrument"), [(40.0, 0.12), (100.0, 0.06), (15.0, 0.06)])
def test_the_interval_of_a_size_holds_how_the_instrument_is_taken_off(size, instrument):
    found = measured(voigt_pattern(size, instrument), instrument_width_deg=instrument)
    held = found.values["crystallite_size_nm"]
    assert held["low"] < size < held["high"]
    assert held["high"] < 1.6 * size


def test_strain_is_asked_for_and_widens_the_size():
    lines = tuple(line for line in powder_lines(COPPER) if 25 < line.two_theta_deg < 75)
    size = np.degrees(SCHERRER * COPPER.kalpha1_nm / (15.0 * np.cos(np.radians(17.21))))
    strain = np.degrees(4 * 0.004 * np.tan(np.radians(17.21)))
    model = Model(lines, COPPER, 0.06, np.zeros(0), strain=strain / (size + strain))
    areas = np.array([60.0 * line.powder_intensity / 100 for line in lines])
    expected = 50 * line_columns(model, Shape(0.0, float(np.hypot(size + strain, 0.06)), 0.5), ANGLES) @ areas
    found = measured(pattern("strained", ANGLES, np.random.default_rng(3).poisson(expected + 150.0)))
    held = found.values["crystallite_size_nm"]
    assert held["low"] < 15.0 < held["high"]
    assert any("strain?" in text for text in found.said)
    assert not any("Mask it" in text for text in found.said)
    assert not any("strain?" in text for text in measured(synthetic_pattern({}, counts=5000.0)).said)
