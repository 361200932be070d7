"""Real impedance files through measure_eis: published values, repeats that agree, spectra that are not stationary."""

import numpy as np
import pytest

from interlith.characterize.impedance.circuit import fit_circuit
from interlith.characterize.impedance.eis import measure_eis
from interlith.characterize.impedance.kramers_kronig import kramers_kronig
from interlith.characterize.impedance.spectrum import spectra_of
from interlith.cycling.formats import FORMATS
from interlith.cycling.reading import read

PUBLISHED = "R0-p(R1,C1)-p(R2-Wo1,C2)"  # impedance.py, its battery example
START = {"R0_ohm": 0.01, "R1_ohm": 0.01, "C1_F": 100.0, "R2_ohm": 0.01, "Wo1_ohm": 0.05, "Wo1_s": 100.0, "C2_F": 1.0}
VALUES = {"R0_ohm": 1.65e-2, "R1_ohm": 8.68e-3, "C1_F": 3.32, "R2_ohm": 5.39e-3, "Wo1_ohm": 6.31e-2}
VALUES |= {"Wo1_s": 2.33e2, "C2_F": 2.20e-1}


@pytest.fixture(scope="module")
def load(cycler):
    def loader(name):
        if name.endswith(".mpr") and (missing := next(f for f in FORMATS if f.name == "biologic-mpr").missing()):
            pytest.skip(missing)
        folder = cycler / "eis" if (cycler / "eis" / name).exists() else cycler.parent / "characterisation" / "eis"
        return spectra_of(read(folder / name, use_cache=False).table, name)

    return loader


def capacitive(spectrum):
    """Without the inductive points, as the published fit is."""
    kept = spectrum.impedance_ohm.imag < 0
    return spectrum.frequency_Hz[kept], spectrum.impedance_ohm[kept]


def test_the_battery_example_has_its_published_values(load):
    fit = fit_circuit(PUBLISHED, *capacitive(load("exampleData.csv")[0]), START, "unit")
    for name, value in VALUES.items():
        assert fit.values[name] == pytest.approx(value, rel=0.03), name


def test_weights_move_it_by_less_than_5_percent(load):
    fit = fit_circuit(PUBLISHED, *capacitive(load("exampleData.csv")[0]), START)
    assert fit.values["R0_ohm"] == pytest.approx(1.65e-2, rel=0.05)
    assert fit.values["R1_ohm"] == pytest.approx(8.68e-3, rel=0.05)


def test_the_published_arcs_can_be_exchanged(load):
    """Its two arcs change places in the better minimum: which of them diffusion belongs to is not determined."""
    f, z = capacitive(load("exampleData.csv")[0])
    best, published = fit_circuit(PUBLISHED, f, z, weighting="unit"), fit_circuit(PUBLISHED, f, z, START, "unit")
    assert best.rms < 0.9 * published.rms
    assert best.values["R1_ohm"] == pytest.approx(published.values["R2_ohm"], rel=0.05)


def test_ten_repeats_agree_and_ten_rows_are_dropped(load):
    found = measure_eis(load("Sample2_PEIS_AtRest.csv"), area_cm2=0.785)
    table = found.tables["eis-trend"]
    assert table.height == 10
    assert any("10 rows without a frequency, over 10 spectra, left out" in text for text in found.said)
    assert set(table["kramers_kronig"]) == {"consistent"}
    assert table["kramers_kronig_percent"].max() < 0.14
    for name, spread in (("ohmic", 0.01), ("film", 0.04), ("charge_transfer", 0.03)):
        values = table[f"{name}_resistance_ohm"].to_numpy()
        assert np.ptp(values) < spread * values.mean()
        assert np.ptp(values) < 2 * table[f"{name}_resistance_error_ohm"].to_numpy().mean()
    assert np.ptp(table["polarization_ohm"].to_numpy()) < 0.05 * table["polarization_ohm"].mean(), "its tail is open"


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("SSB_NCM_InLi_PEIS.mpr", "consistent"),
        ("SSB_NCM_InLi_PEIS_EOD.mpr", "not consistent"),  # 20 minutes after a discharge ended
        ("PEIS_aurora.mpr", "consistent"),
        ("Gamry_GALVEIS.DTA", "consistent"),
        ("exampleData.csv", "consistent"),
        ("Gamry.DTA", "not consistent"),
        ("CHInstruments.txt", "not consistent"),
    ],
)
def test_verdicts_of_real_files(load, name, verdict):
    spectrum = load(name)[0]
    found = kramers_kronig(spectrum.frequency_Hz, spectrum.impedance_ohm)
    assert found.verdict == verdict
    if verdict == "not consistent":
        assert found.bands_Hz[-1][0] < 1.0, "it fails at low frequencies, where a sweep takes minutes"


def test_nine_points_decide_nothing(cycler, load):
    if missing := next(f for f in FORMATS if f.name == "biologic-mpr").missing():
        pytest.skip(missing)
    record = read(cycler / "lili-soft-short" / "lili_geis_loops.mpr", use_cache=False)
    found = measure_eis(spectra_of(record.table, "lili"))
    assert found.values["kramers_kronig"] == {"consistent": 0, "not consistent": 0, "undecided": 45}
    assert found.tables["eis-trend"]["interface_resistance_ohm"].null_count() > 20


def test_a_growing_charge_transfer_is_seen(load):
    """Four spectra of one cell over 1800 h: the slower arc grows thirteenfold, the ohmic part not at all.

    Its top moves by two decades besides, so that no change is claimed of one process.
    """
    found = measure_eis(load("PEIS_aurora.mpr"))
    trends = found.values["trends"]
    assert trends["charge transfer"]["top_moves"]
    assert trends["charge transfer"]["change_fraction"] is None
    assert trends["charge transfer"]["last_ohm"] > 10 * trends["charge transfer"]["first_ohm"]
    assert trends["ohmic"]["steady"]
