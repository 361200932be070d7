"""Impedance: analytic circuits, a porous line, salt in the separator, Kramers-Kronig, sines in time, PyBaMM."""

import numpy as np
import pytest
from pydantic import ValidationError

from interlith.cell.account import (
    CARRIED,
    COUNTER,
    DEAD_TOP,
    FOIL,
    N_ELECTRODE,
    N_ROW,
    PASSED,
    PORES,
    POTENTIAL,
    REVIVED,
    SHORTED,
    TIME,
    TOP,
)
from interlith.cell.advance import VOLTS, advance
from interlith.cell.impedance import impedance_ohm_cm2, linearized, parts_ohm_cm2
from interlith.cell.layout import Mesh, nodes
from interlith.cell.models import for_ramp, model_of
from interlith.cell.simulate import simulate
from interlith.cell.translate import kernel
from interlith.cell_test import cell_test
from interlith.cycling.analyze import analyze
from interlith.errors import InputError
from interlith.parts.electrolyte import Correlation
from interlith.parts.samples import half_cell, symmetric_cell
from interlith.protocol import ConstantCurrent, Impedance, Protocol, Repeat, Rest
from interlith.record import read_record, write_record

F, RT_F = 96485.33212, 8.314462618 * 298.15 / 96485.33212
KAPPA, D, ANIONS = 1.2, 4e-10, 0.55
QUIET = ("sei", "isolation", "nucleation", "additive", "dead-layer")
HZ = np.logspace(6, -2, 33)
PER_CM2 = 1e4  # ohm m2 in ohm cm2


def at_state(cell, kind="lumped", legs=((-1.0, 3600.0), (0.0, 60.0)), mesh=None, without=QUIET):
    """A model after some held currents in mA/cm2, each so many seconds."""
    model = model_of(cell, kind, without, 1e-8, mesh)
    for current, seconds in legs:
        hold(model, [current * 10.0, 0.0, 0.0], seconds)
    return model


def hold(model, control, seconds, system=None):
    """Go on for so long at a current in A/m2, its slope and the time from which that counts; the voltage at the end."""
    ends, rows = np.zeros(8), np.empty((20_000, N_ROW))
    ends[0], ends[5] = seconds, model.y[PASSED]
    code, n = advance(
        model.y, model.system if system is None else system, np.array([0.0, *control]), ends, model.tolerance, rows
    )
    assert code == 0
    return rows[n - 1, 0]


def spectrum(model, hertz=HZ, current=0.0):
    return impedance_ohm_cm2(linearized(model, current), hertz)


def plain_liquid(cell, transference):
    """The cell with an electrolyte of constant D, t+ and activity, and a conductivity that goes with the salt."""

    def constant(*coefficients):
        return Correlation(form="polynomial", coefficients=coefficients, valid_mol_per_L=(0, 5), valid_C=(0, 50))

    four = {"conductivity": constant(0.0, KAPPA), "diffusivity": constant(D), "activity": constant(1.0)}
    liquid = cell.electrolyte.with_values(**four, transference=constant(transference))
    return cell.with_values_kept(electrolyte=liquid)


def arc(resistance_ohm_m2, farad_per_m2, hertz=HZ):
    return PER_CM2 / (1 / resistance_ohm_m2 + 2j * np.pi * hertz * farad_per_m2)


SLOW = {"host.exchange_current_density_A_per_m2": 1.0, "counter.exchange_current_density_A_per_m2": 1.0}


def resistances(cell, model, film=(0.0, 0.0)):
    """Charge transfer of both electrodes at rest, each per its own area, from amounts and parts: ohm m2."""
    found = []
    for k, (part, y) in enumerate(zip(kernel(cell, QUIET)[:2], np.split(model.y[: 2 * N_ELECTRODE], 2), strict=True)):
        slope = 1 / (RT_F / part.exchange_A_per_m2 + film[k])

        def there(charge, scale):
            return 1 - np.exp(-charge / scale)

        room = part.pore_C_per_m2 - y[PORES]
        areas = ((part.area_pores, PORES), (part.area_top, TOP), (part.area_foil, FOIL))
        strips = slope * sum(area * there(y[which], part.fade_C_per_m2) for area, which in areas if area)
        plates = slope * (part.area_pores * there(room, part.pore_edge_C_per_m2) + part.area_top)
        found.append((1 / strips + 1 / plates) / 2)
    return found


def test_a_lumped_half_cell_is_two_arcs_and_a_resistance():
    cell = cell_test("cp", changes=SLOW).cell
    model = at_state(cell)
    working, counter, circuit = kernel(cell, QUIET)
    r_w, r_c = resistances(cell, model)
    expected = PER_CM2 * (circuit.resistance_ohm_m2 + circuit.contact_ohm_m2) + arc(r_w, working.double_layer_F_per_m2)
    expected = expected + arc(r_c, counter.double_layer_F_per_m2) / circuit.counter_per_working
    np.testing.assert_allclose(spectrum(model), expected, rtol=1e-6)
    kept = set(linearized(model).states.tolist())
    assert kept >= {POTENTIAL, COUNTER + POTENTIAL}
    assert not kept & {REVIVED, COUNTER + REVIVED, PASSED, SHORTED, TIME, CARRIED}


@pytest.mark.parametrize("kind", ["lumped", "resolved"])
def test_a_host_that_was_never_plated_blocks(kind):
    """No reaction at all: a double layer, behind the electrolyte's resistance."""
    model = model_of(half_cell("cp"), kind, (), 1e-4)
    farad_per_m2 = 870 * 0.1
    found = parts_ohm_cm2(model, [1e-3])["working"][0]
    assert found.imag == pytest.approx(-PER_CM2 / (2 * np.pi * 1e-3 * farad_per_m2), rel=1e-6)
    assert abs(found.real) < 1.0


def porous_line(n):
    """A host with metal everywhere against its analytic line, at 20 frequencies: the largest relative difference."""
    changes = {
        "host.pore_area_m2_per_m2": 150.0,
        "host.top_area_m2_per_m2": 1e-9,
        "host.fade_capacity_mAh_per_cm2": 1e-3,
        "cell.initial_voltage_V": 0.0,
    }
    cell = plain_liquid(cell_test("cp", changes=changes).cell, 0.999999)
    model = model_of(cell, "resolved", QUIET, 1e-4, Mesh(n, 4))
    for node in nodes(model.system.depth_w):
        model.y[node.state(PORES)] = 3000.0
    part = kernel(cell, QUIET)[0]
    free = 1 - 3000.0 / part.pore_C_per_m2
    K = KAPPA * (0.79 * (0.01 + 0.99 * free)) ** 1.5
    R, hertz = 20e-6 / K, np.logspace(4, -2, 20)
    Z = 1 / (150.0 * 70.0 / RT_F + 2j * np.pi * hertz * 87.0)
    expected = PER_CM2 * np.sqrt(R * Z) / np.tanh(np.sqrt(R / Z))
    return np.abs(parts_ohm_cm2(model, hertz)["working"] / expected - 1).max()


def test_a_resolved_host_is_a_porous_transmission_line():
    """Z = sqrt(R Z_s) coth sqrt(R / Z_s): de Levie, Electrochim. Acta 8, 751 (1963); second order in the mesh."""
    coarse, middle, fine = (porous_line(n) for n in (20, 40, 80))
    assert fine < 5e-3
    assert 3.5 < coarse / middle < 4.5
    assert 3.5 < middle / fine < 4.5


def bare_symmetric(thickness_um):
    cell = symmetric_cell()
    separator = cell.separator.with_values(thickness_um=thickness_um)
    return plain_liquid(cell.with_values_kept(separator=separator), 1 - ANIONS)


def test_salt_in_the_separator_is_a_finite_warburg_element():
    """tanh(k L / 2) / (k L / 2) on a resistance 2 R T (1 - t+)^2 L / (F^2 c D), k^2 = j w eps / D_eff."""
    cell, L, hertz = bare_symmetric(100.0), 100e-6, np.logspace(2, -4, 30)
    b, porosity = cell.separator.bruggeman, cell.separator.porosity
    share = porosity**b
    half = np.sqrt(2j * np.pi * hertz * porosity / (D * share)) * L / 2
    salt = 2 * RT_F * ANIONS**2 * L / (F * 1000.0 * D * share) * np.tanh(half) / half
    expected = PER_CM2 * (L / (KAPPA * share) + salt)
    model = model_of(cell, "resolved", QUIET, 1e-4, Mesh(2, 200))
    np.testing.assert_allclose(parts_ohm_cm2(model, hertz)["electrolyte"], expected, rtol=1e-3)
    assert PER_CM2 * abs(salt[-1]) > 3.0


def test_at_low_frequency_it_is_the_slope_of_a_small_steady_current():
    """Fresh foils strip over an area of 1 and plate over one of 3: what one electrode lacks, the other has."""
    model = model_of(bare_symmetric(25.0), "resolved", QUIET, 1e-8, Mesh(2, 20))
    (found,) = spectrum(model, [1e-5])
    volt = hold(model, [-0.1, 0.0, 0.0], 400.0)
    assert found.real == pytest.approx(PER_CM2 * volt / -0.1, rel=2e-4)
    assert abs(found.imag) < 1e-3 * found.real


@pytest.mark.parametrize(
    ("kind", "sample", "legs"),
    [
        ("lumped", "cp", ((-1.0, 3600.0), (0.0, 60.0))),
        ("resolved", "cp", ((-1.0, 3600.0), (0.0, 60.0))),
        ("resolved", "cp-zno-002-revival", ((-1.0, 3600.0), (1.0, 1800.0))),
    ],
)
def test_it_obeys_kramers_and_kronig(kind, sample, legs):
    """Re Z alone decides Im Z: relaxations (Boukamp, J. Electrochem. Soc. 142, 1885 (1995)) fitted to the one."""
    model = at_state(half_cell(sample), kind, legs, without=())
    hertz = np.logspace(7, -3, 121)
    z = spectrum(model, hertz)
    tau = np.logspace(-8, 3.5, 90)
    w = 2 * np.pi * hertz[:, None] * tau
    weight = 1 / np.abs(z)[:, None]
    basis = np.hstack([np.ones((len(z), 1)), 1 / (1 + w**2)])
    fit, *_ = np.linalg.lstsq(basis * weight, z.real * weight[:, 0], rcond=1e-9)
    imaginary = -(w / (1 + w**2)) @ fit[1:]
    kept = slice(12, -24)  # what lies beyond the ends of the range is not known there
    assert np.abs((imaginary - z.imag) / np.abs(z))[kept].max() < 1e-3
    assert np.abs(basis @ fit - z.real)[kept].max() < 1e-3 * np.abs(z).min()


@pytest.mark.parametrize("kind", ["lumped", "resolved"])
def test_at_rest_nothing_grows(kind):
    jacobian = linearized(at_state(half_cell("cp"), kind)).jacobian
    assert np.linalg.eigvals(jacobian).real.max() < 1e-6


def by_sine(model, hertz, bias, amplitude=0.2, n_periods=6, n_pieces=96):
    """First harmonic of the voltage over that of a current that is a sine about its bias, in A/m2: ohm cm2.

    The sine is drawn in straight pieces, whose first harmonic is lower by sinc^2.
    """
    system, begin = for_ramp(model.system), model.y[-2]
    period = 1 / hertz
    at = np.arange(n_periods * n_pieces + 1) * period / n_pieces
    current = bias + amplitude * np.sin(2 * np.pi * hertz * at)
    volt = []
    for k in range(len(at) - 1):
        slope = (current[k + 1] - current[k]) * n_pieces / period
        volt.append(hold(model, [current[k], slope, model.y[-2]], begin + at[k + 1] - model.y[-2], system))
    t, v = at[1:][-2 * n_pieces :], np.array(volt)[-2 * n_pieces :]
    turn = 2 * np.pi * hertz * t
    basis = np.stack([np.sin(turn), np.cos(turn), np.ones_like(t), t - t[0], (t - t[0]) ** 2], axis=1)
    (sine, cosine, *_), *_ = np.linalg.lstsq(basis, v, rcond=None)
    return PER_CM2 * (sine + 1j * cosine) / (amplitude * np.sinc(1 / n_pieces) ** 2)


@pytest.mark.parametrize("hertz", [300.0, 3.0, 0.05])
@pytest.mark.parametrize("kind", ["lumped", "resolved"])
def test_it_is_what_a_small_sine_sees(kind, hertz):
    """While a current is held, so that potentials lie away from 0: amplitude and phase within 0.5 %."""
    model = at_state(half_cell("cp"), kind, ((-1.0, 3600.0),), without=())
    (expected,) = spectrum(model, [hertz], current=-1.0)
    got = by_sine(model, hertz, -10.0)
    assert abs(got / expected - 1) < 5e-3
    resistive = linearized(model, -1.0).through * PER_CM2
    assert abs((got - resistive) / (expected - resistive) - 1) < 5e-3


@pytest.mark.parametrize(("hertz", "within"), [(3.0, 5e-3), (800.0, 0.06), (1e4, 0.02)])
def test_about_a_kink_it_is_exact_when_slow_and_near_when_fast(hertz, within):
    """A fresh foil strips over an area of 1 and plates over one of 3; a sine of current without a mean."""
    cell = symmetric_cell()
    model = at_state(cell, legs=())
    resistive = linearized(model).through * PER_CM2
    (expected,) = spectrum(model, [hertz])
    got = by_sine(model, hertz, 0.0, amplitude=0.01)
    assert abs((got - resistive) / (expected - resistive) - 1) < within


@pytest.mark.parametrize("film_ohm_cm2", [1.0, 80.0])
def test_a_film_adds_its_resistance(film_ohm_cm2):
    changes = {**SLOW, "host.film_resistance_ohm_cm2": film_ohm_cm2, "host.fade_capacity_mAh_per_cm2": 1e-3}
    changes["host.pore_edge"] = 1e-3
    bare = {**changes, "host.film_resistance_ohm_cm2": 0.0}
    with_film, without = (
        parts_ohm_cm2(at_state(cell_test("cp", changes=c).cell), [1e-4])["working"][0].real for c in (changes, bare)
    )
    assert with_film - without == pytest.approx(film_ohm_cm2 / (10 + 3), rel=2e-6)


def test_a_film_makes_no_second_arc_and_sits_on_the_foil_too():
    changes = {**SLOW, "counter.film_resistance_ohm_cm2": 30.0}
    cell = cell_test("cp", changes=changes).cell
    model = at_state(cell)
    _, counter, circuit = kernel(cell, QUIET)
    _, r_c = resistances(cell, model, film=(0.0, 30.0 / PER_CM2))
    expected = arc(r_c, counter.double_layer_F_per_m2) / circuit.counter_per_working
    np.testing.assert_allclose(parts_ohm_cm2(model, HZ)["counter"], expected, rtol=1e-6)


def test_a_film_that_dominates_is_a_resistance_and_can_be_switched_off():
    changes = {"host.film_resistance_ohm_cm2": 100.0}
    plate = Protocol(name="plate", steps=(ConstantCurrent(current_density_mA_per_cm2=-1, duration_s=1800),))

    def end(**options):
        asked = cell_test("cp", plate, changes=options.pop("changes", None))
        return simulate(asked.cell, asked.protocol, **options).states["working_potential_volt"][-1]

    bare = end()
    assert end(changes=changes) - bare == pytest.approx(-1e-3 * 100.0 / 13, rel=1e-3)
    assert end(changes=changes, without=("film",)) == bare


def test_the_parts_add_up_and_know_their_place():
    model = at_state(half_cell("cp"), "resolved", ((-1.0, 3600.0), (1.0, 1800.0)), without=())
    parts = parts_ohm_cm2(model, HZ, 1.0)
    np.testing.assert_allclose(sum(parts.values()), spectrum(model, HZ, 1.0), rtol=1e-12)
    assert parts["contact"] == pytest.approx(np.full(len(HZ), 2.0))
    assert parts["dead layer"].real.min() > 5e-3
    bare = at_state(half_cell("cp"), "resolved", without=())
    bare.y[nodes(bare.system.depth_w)[-1].state(DEAD_TOP)] = 0.0
    assert np.abs(parts_ohm_cm2(bare, HZ)["dead layer"]).max() < 1e-6


@pytest.mark.parametrize("kind", ["lumped", "resolved"])
def test_pybamm_finds_the_same_spectrum(kind):
    """The twin in its EISSimulation, whose derivatives are analytic, at a state away from u = 0."""
    pybamm = pytest.importorskip("pybamm")
    from interlith.cell.pybamm_bridge import begin_at, half_cell_model

    cell = cell_test("cp", changes={"host.film_resistance_ohm_cm2": 5.0}).cell
    mesh = Mesh(5, 3)
    model = at_state(cell, kind, ((-1.0, 3600.0), (1.0, 1800.0)), mesh, without=())
    made, values = half_cell_model(cell, model=kind, mesh=mesh)
    begin_at(made, model)
    judge = pybamm.EISSimulation(made, parameter_values=values, skip_surface_form_check=True)
    theirs = judge.solve(HZ).impedance
    np.testing.assert_allclose(spectrum(model) / cell.area_cm2, theirs, rtol=2e-5)


def run(*steps, kind=None, model="lumped", sample="cp"):
    made = cell_test(sample, Protocol(name="mine", steps=steps), kind=kind)
    return simulate(made.cell, made.protocol, model=model)


@pytest.mark.parametrize("model", ["lumped", "resolved"])
@pytest.mark.parametrize("kind", ["half", "symmetric"])
def test_the_shipped_protocol_leaves_two_spectra(kind, model, tmp_path):
    asked = cell_test("cp", "eis", kind=kind, model=model)
    done = simulate(asked.cell, asked.protocol, model=model)
    assert done.stopped is None
    points = done.record.spectra()
    assert points["spectrum"].unique().to_list() == [0, 1]
    assert points["frequency_hertz"][0] == 4e6
    assert points["frequency_hertz"][-1] == 0.01
    assert points["imaginary_impedance_ohm"].max() < 1e-9
    first = points.filter(points["spectrum"] == 0)["imaginary_impedance_ohm"].min()
    assert (first < -100) == (kind == "half")  # empty: it blocks
    assert done.record.series().height == done.ledger.table.height == done.states.height
    assert done.record.table["test_time_second"].is_sorted()
    assert [(s.kind, s.ended_by) for s in done.steps][3] == ("impedance", "spectrum")
    found = analyze(done.record).outcomes["impedance"].values
    assert (found["n_spectra"], found["n_points"]) == (2, points.height)
    sums = done.impedance_parts.group_by("spectrum", "frequency_Hz", maintain_order=True).agg("real_ohm_cm2")
    ohm = sums["real_ohm_cm2"].list.sum().to_numpy() / asked.cell.area_cm2
    np.testing.assert_allclose(ohm, points["real_impedance_ohm"], rtol=1e-12)
    write_record(done.record, tmp_path / "r.parquet")
    assert read_record(tmp_path / "r.parquet").spectra().equals(points)


def test_a_spectrum_takes_no_time_and_changes_nothing():
    plate = ConstantCurrent(current_density_mA_per_cm2=-1.0, duration_s=600.0)
    look = Impedance(from_Hz=100, to_Hz=1)
    with_it, without = run(plate, look, plate), run(plate, plate)
    assert with_it.ledger.final() == without.ledger.final()
    assert with_it.record.series()["test_time_second"][-1] == without.record.series()["test_time_second"][-1]
    row = with_it.record.series().filter(with_it.record.series()["step_count"] == 2)
    assert row["current_ampere"].to_list() == [0.0]
    points = with_it.record.spectra()
    assert points["voltage_volt"].unique().to_list() == row["voltage_volt"].to_list()
    assert points["test_time_second"].unique().to_list() == row["test_time_second"].to_list()


def test_a_spectrum_may_stand_alone_or_in_a_repeat():
    assert run(Impedance()).record.spectra().height == 81
    plate = ConstantCurrent(current_density_mA_per_cm2=-1.0, duration_s=600.0)
    done = run(Repeat(times=3, steps=(plate, Rest(duration_s=10), Impedance(from_Hz=10, to_Hz=1))))
    assert done.record.spectra()["spectrum"].to_list() == sorted([0, 1, 2] * 11)
    assert done.record.spectra()["step_count"].unique().to_list() == [3, 6, 9]
    assert done.record.series().height == done.ledger.table.height


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"from_Hz": 1.0, "to_Hz": 10.0}, "must be above to_Hz"),
        ({"from_Hz": 1.0, "to_Hz": 1.0}, "must be above to_Hz"),
        ({"to_Hz": 0.0}, "greater than 0"),
        ({"from_Hz": -5.0}, "greater than 0"),
        ({"points_per_decade": 2e4}, "more than 100000 frequencies"),
        ({"points_per_decade": 0}, "greater than 0"),
        ({"amplitude_mV": 0}, "greater than 0"),
        ({"from_Hz": float("inf")}, "finite"),
        ({"from_Hz": 1e300, "to_Hz": 1e-300, "points_per_decade": 1e300}, "more than 100000 frequencies"),
    ],
)
def test_what_is_no_spectrum_is_refused(given, message):
    with pytest.raises(ValidationError, match=message):
        Impedance(**given)


@pytest.mark.parametrize("hertz", [[1.0, 0.0], [-1.0], [float("nan")], [float("inf")]])
def test_a_frequency_is_a_positive_number(hertz):
    cell = linearized(at_state(symmetric_cell(), legs=()))
    with pytest.raises(InputError, match="above 0"):
        impedance_ohm_cm2(cell, hertz)


def test_the_potentials_of_a_rest_are_far_below_the_difference():
    """Else a kink at u = 0 would be seen from one side."""
    for kind in ("lumped", "resolved"):
        model = at_state(half_cell("cp"), kind)
        assert np.abs(model.y[model.tolerance.sort == VOLTS]).max() < 1e-6
