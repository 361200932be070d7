"""The cell resolved over depth: analytic cases, conservation, mesh, the lumped cell and SUNDIALS as judges."""

import numpy as np
import polars as pl
import pytest

from interlith.cell import bordered, duties, resolved
from interlith.cell.account import N_ROW, POTENTIAL
from interlith.cell.advance import DURATION, advance
from interlith.cell.banded import factorize_band, solve_band
from interlith.cell.layout import Mesh, gap_states, nodes
from interlith.cell.models import for_ramp, model_of
from interlith.cell.profiles import salt_mol_per_m3
from interlith.cell.rosenbrock import GAMMA
from interlith.cell.simulate import simulate
from interlith.cell_test import cell_test
from interlith.errors import InputError
from interlith.parts.electrolyte import Correlation
from interlith.parts.samples import half_cell, names, symmetric_cell
from interlith.protocol import ConstantCurrent, Protocol, Rest

F, RT_F = 96485.33212, 8.314462618 * 298.15 / 96485.33212
KAPPA, D, ANIONS = 1.2, 4e-10, 0.55
QUIET = ("sei", "isolation", "nucleation", "additive", "dead-layer")


def run(sample, protocol="aurbach", changes=None, kind=None, **options):
    asked = cell_test(sample, protocol, changes=changes, kind=kind)
    return simulate(asked.cell, asked.protocol, model="resolved", **options)


def plain_liquid(cell, kappa=(0.0, KAPPA), transference=1 - ANIONS):
    """The cell with an electrolyte of constant D, t+ and activity, and a conductivity that goes with the salt."""

    def constant(*coefficients):
        return Correlation(form="polynomial", coefficients=coefficients, valid_mol_per_L=(0, 5), valid_C=(0, 50))

    four = {"conductivity": constant(*kappa), "diffusivity": constant(D), "activity": constant(1.0)}
    liquid = cell.electrolyte.with_values(**four, transference=constant(transference))
    return cell.with_values_kept(electrolyte=liquid)


def bare_symmetric(thickness_um, **liquid):
    cell = symmetric_cell()
    separator = cell.separator.with_values(thickness_um=thickness_um)
    return plain_liquid(cell.with_values_kept(separator=separator), **liquid), separator.porosity, separator.bruggeman


def plating(mA_per_cm2, seconds):
    step = ConstantCurrent(current_density_mA_per_cm2=-mA_per_cm2, duration_s=seconds)
    return Protocol(name="plating", steps=(step,))


def test_the_porous_electrode_has_its_cosh_profile():
    """K u'' = (a j0 f / L) u with no flux at the back: u = I L / (K nu) cosh(nu x / L) / sinh(nu), small currents."""
    changes = {
        "host.pore_area_m2_per_m2": 150.0,
        "host.top_area_m2_per_m2": 1e-9,
        "host.double_layer_uF_per_cm2": 1e-4,
        "cell.initial_voltage_V": 0.0,
    }
    cell = plain_liquid(cell_test("cp", changes=changes).cell, transference=0.999999)
    done = simulate(cell, plating(1e-3, 5.0), model="resolved", without=QUIET, mesh=Mesh(40, 4))
    host = done.profiles.filter(pl.col("place") == "working")
    x, u = host["depth_um"].to_numpy() / 20.0, host["potential_volt"].to_numpy()
    K, L = KAPPA * 0.79**1.5, 20e-6
    nu = np.sqrt(150.0 * 70.0 / RT_F * L / K)
    expected = -0.01 * L / (K * nu) * np.cosh(nu * x) / np.sinh(nu)
    assert nu > 2
    np.testing.assert_allclose(u, expected, rtol=2e-3)


def test_sands_time():
    """c at the plating electrode reaches 0 at pi D eps^b eps (c F / (2 (1 - t+) i))^2 in a separator without an end."""
    cell, porosity, b = bare_symmetric(600.0)
    i = 100.0
    sand = np.pi * D * porosity**b * porosity * (1000.0 * F / (2 * ANIONS * i)) ** 2
    done = simulate(cell, plating(i / 10, 2 * sand), model="resolved", without=QUIET, mesh=Mesh(2, 300))
    assert "the salt at one electrode is used up" in done.stopped
    assert done.record.table["test_time_second"][-1] == pytest.approx(sand, rel=0.01)


@pytest.mark.parametrize(("share", "lives"), [(0.98, True), (1.02, False)])
def test_limiting_current_of_the_separator(share, lives):
    """2 F D eps^b c / ((1 - t+) L): a little less can be carried for ever, a little more cannot."""
    cell, porosity, b = bare_symmetric(25.0)
    limit = 2 * F * D * porosity**b * 1000.0 / (ANIONS * 25e-6)
    done = simulate(cell, plating(share * limit / 10, 300.0), model="resolved", without=QUIET, mesh=Mesh(2, 40))
    assert (done.stopped is None) == lives
    if not lives:
        assert "the salt at one electrode is used up" in done.stopped


def test_steady_voltage_of_a_bare_symmetric_cell():
    """Ohmic drop with kappa ~ c, both kinetics with j0 ~ c^0.3, and the diffusion potential 2 RT/F (1 - t+) ln(c/c)."""
    cell, porosity, b = bare_symmetric(100.0)
    i, L, share = 20.0, 100e-6, porosity**b
    done = simulate(cell, plating(i / 10, 2000.0), model="resolved", without=QUIET, mesh=Mesh(2, 80))
    slope = ANIONS * i / (F * D * share)
    low, high = 1000.0 - slope * L / 2, 1000.0 + slope * L / 2
    salt = done.profiles["salt_mol_per_L"].to_numpy() * 1000.0
    np.testing.assert_allclose(salt, np.linspace(low, high, len(salt)), rtol=1e-4)
    ohmic = i / (KAPPA / 1000.0 * share) * np.log(high / low) / slope
    guarded = i / (1 - i / 1e4)  # a foil's stripping current is limited for the solver's sake
    kinetic = 2 * RT_F * np.arcsinh(guarded / (2 * 70.0 * (high / 1000.0) ** 0.3))  # stripped from the bare foil
    kinetic += 2 * RT_F * np.arcsinh(i / (2 * 3 * 70.0 * (low / 1000.0) ** 0.3))  # plated on a top of 3 m2/m2
    expected = ohmic + 2 * RT_F * ANIONS * np.log(high / low) + kinetic + i * 2e-4
    assert -done.record.table["voltage_volt"][-1] == pytest.approx(expected, rel=2e-4)


@pytest.mark.parametrize("sample", ["cp", "cp-zno-002"])
def test_the_mesh_is_of_second_order(sample):
    """A quarter of an hour of plating, before any pore is full: potentials against those of a fine mesh."""

    def front(n):
        done = run(sample, plating(1.0, 900.0), mesh=Mesh(n, n), relative_tolerance=1e-8, without=("conversion",))
        place = done.profiles.filter(pl.col("place") == "working")
        back, top = place["potential_volt"][0], place["potential_volt"][-1]
        return np.array([back, top, done.record.table["voltage_volt"][-1]])

    exact = front(64)
    errors = np.array([np.abs(front(n) - exact).max() for n in (4, 8, 16)])
    orders = np.log2(errors[:-1] / errors[1:])
    assert np.all(orders > 1.7), (errors, orders)


@pytest.mark.parametrize("sample", [*names()])
def test_lumped_and_resolved_agree_in_efficiency(sample):
    lumped, deep = (
        simulate(half_cell(sample), cell_test(sample, "aurbach").protocol, model=m) for m in ("lumped", "resolved")
    )
    efficiency = [(10 + done.steps[-1].passed_mAh_per_cm2) / 13 for done in (lumped, deep)]
    assert efficiency[0] == pytest.approx(efficiency[1], abs=1e-5)
    assert deep.ledger.residual_mAh_per_cm2 < 1e-9
    for name in ("sei", "converted", "revived", "counter_dead"):
        assert deep.ledger.final()[name] == pytest.approx(lumped.ledger.final()[name], abs=1e-4), name


@pytest.mark.parametrize("sample", ["cp", "cp-zno-002-revival"])
def test_lumped_and_resolved_agree_in_every_cycle(sample):
    """203 cycles, the additive used up on the way: within 0.02 points asked, a tenth of that found."""
    asked, found = cell_test(sample, "half-cell-1"), []
    for model in ("lumped", "resolved"):
        done = simulate(asked.cell, asked.protocol, model=model)
        passed = np.array([step.passed_mAh_per_cm2 for step in done.steps]).reshape(-1, 2)
        found.append(passed[:, 1] / -passed[:, 0])
        assert len(passed) == 203
        assert done.ledger.residual_mAh_per_cm2 < 1e-8
    np.testing.assert_allclose(*found, atol=5e-5)


@pytest.mark.parametrize("protocol", ["rest-recovery", "cv-zno", "strip-rate-sweep", "symmetric-3"])
@pytest.mark.parametrize("sample", ["cp", "cp-zno-002-revival"])
def test_the_ledger_closes(sample, protocol):
    done = run(sample, protocol)
    assert done.ledger.residual_mAh_per_cm2 < 1e-8
    assert done.profiles["salt_mol_per_L"].min() > 0


@pytest.mark.parametrize("protocol", ["aurbach", "symmetric-1"])
def test_salt_is_neither_made_nor_lost(protocol):
    """What separator and hosts store, by the trapezoid of the mesh: as much at the end as at the beginning."""
    done = run("cp-zno-020", protocol, mesh=Mesh(10, 6))
    asked = cell_test("cp-zno-020", protocol)
    model = model_of(asked.cell, "resolved", (), 1e-4, Mesh(10, 6))
    w, c, gap = model.system.depth_w, model.system.depth_c, model.system.gap
    ratio = model.system.circuit.counter_per_working

    def weights(d):
        line = np.full(d.n_nodes, d.porosity * d.edge_m)
        line[[0, -1]] /= 2
        return line if d.n_nodes > 1 else np.zeros(1)

    inner = np.full(gap.n_edges - 1, gap.porosity * gap.edge_m)
    volume = np.concatenate([weights(w), inner, weights(c) * ratio])
    volume[[w.n_nodes - 1, -c.n_nodes]] += gap.porosity * gap.edge_m / 2
    salt = done.profiles["salt_mol_per_L"].to_numpy().reshape(-1, len(volume))
    np.testing.assert_allclose(salt @ volume, volume.sum(), rtol=1e-8)
    assert np.ptp(salt) > 0.01


def test_a_bare_symmetric_cell_mirrors():
    voltage = []
    for sign in (-1, 1):
        steps = [
            ConstantCurrent(current_density_mA_per_cm2=s * 3.0, areal_capacity_mAh_per_cm2=1.0) for s in (sign, -sign)
        ]
        done = simulate(symmetric_cell(), Protocol(name="mirror", steps=tuple(steps)), model="resolved")
        table = done.record.table
        grid = np.linspace(1.0, 2390.0, 300)
        voltage.append(np.interp(grid, table["test_time_second"].to_numpy(), table["voltage_volt"].to_numpy()))
    np.testing.assert_allclose(voltage[0], -voltage[1], atol=5e-5)
    assert np.abs(voltage[0]).max() > 5e-3


@pytest.mark.parametrize("stretching", [0.0, 0.6, 1.0, 2.0])
def test_volumes_add_up_when_a_host_swells(stretching):
    """Void, lithium and fibres fill the thickness that the host says it has."""
    changes = {"host.swelling": stretching, "host.top_area_m2_per_m2": 1e-9}
    done = run("cp-zno-002", plating(0.5, 7200.0), changes, without=("conversion",), mesh=Mesh(6, 4))
    last = done.profiles.filter(pl.col("place") == "working")
    weight = np.array([0.5, 1, 1, 1, 1, 1, 0.5]) / 6
    capacity_um = 0.79 * 20.0
    lithium_um = (last["active_share"] + last["dead_share"]).to_numpy() * capacity_um
    width = 1.0 + stretching * lithium_um / 20.0
    void = last["void_fraction"].to_numpy() * width
    np.testing.assert_allclose(void + lithium_um / 20.0 + 0.21, width, atol=0.79 * 0.0101)  # but for the film
    thickness = done.states["thickness_um.porous_cap"][-1]
    assert thickness == pytest.approx(20.0 * (width * weight).sum(), rel=1e-6)
    assert done.profiles["active_share"].max() <= 1.0 / max(1.0 - stretching, 1e-9)


def test_lithium_leaves_the_back_of_a_clogged_host_empty():
    """What a lumped cell cannot show: high current fills the front first."""
    done = run("cp-zno-002", plating(10.0, 600.0), without=("conversion",))
    share = done.profiles.filter(pl.col("place") == "working")["active_share"].to_numpy()
    assert np.all(np.diff(share) > 0)
    assert share[-1] > 3 * share[0]


def filled_model(sample="cp-zno-002-revival", kind="half", mesh=None):
    """A state with everything in it: lithium, dead lithium, oxide, gradients."""
    cell = half_cell(sample) if kind == "half" else symmetric_cell(sample)
    model = model_of(cell, "resolved", (), 1e-4, mesh or Mesh(4, 3))
    rng = np.random.default_rng(7)
    y = model.y
    for d in (model.system.depth_w, model.system.depth_c):
        for node in nodes(d):
            moved = [node.state(which) for which in node.moved]
            y[moved] += rng.uniform(100.0, 400.0, len(moved))
            y[node.state(POTENTIAL)] = rng.uniform(0.001, 0.02)
            y[node.state(resolved.SALT)] = rng.uniform(700.0, 1300.0)
    y[gap_states(model.system.depth_w, model.system.depth_c, model.system.gap)[1:-1]] = 900.0
    return model


@pytest.mark.parametrize("control", [(0, -10.0, 0, 0), (0, 10.0, 0, 0), (1, 0.05, 0, 0), (1, -0.05, 1e-3, 0)])
@pytest.mark.parametrize("kind", ["half", "symmetric"])
@pytest.mark.parametrize("short", [0.0, 1e-3])
def test_the_bordered_band_is_the_whole_jacobian(control, kind, short):
    """W from numpy and central differences of all states, without any structure, against band and border."""
    model = filled_model(kind=kind)
    y, n, h = model.y, len(model.y), 3.0
    system = for_ramp(model.system) if control[2] else model.system
    system.circuit.short_S_per_m2 = short
    system.circuit.short_onset_C_per_m2 = 100.0
    work, control = bordered.workspace(system), np.array(control, dtype=float)

    def rates(y):
        dy = np.empty(n)
        resolved.rates(y, system, control, work, dy)
        return dy

    jacobian = np.empty((n, n))
    for k in range(n):
        size = 1e-5 * max(abs(y[k]), 1e-2)
        up, down = y.copy(), y.copy()
        up[k] += size
        down[k] -= size
        jacobian[:, k] = (rates(up) - rates(down)) / (2 * size)
    bordered.linearize(y, system, control, model.tolerance.absolute, rates(y), work)
    assert bordered.prepare(system, h, work)
    right = np.random.default_rng(1).normal(size=n) * np.abs(rates(y)).clip(1e-6)
    got = right.copy()
    bordered.solve_stage(system, h, work, got)
    expected = np.linalg.solve(np.eye(n) / (h * GAMMA) - jacobian, right)
    np.testing.assert_allclose(got, expected, rtol=2e-4, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize(("n", "kl", "ku"), [(1, 0, 0), (5, 1, 2), (30, 4, 3), (30, 7, 7)])
def test_the_banded_solver_agrees_with_numpy(n, kl, ku):
    rng = np.random.default_rng(n)
    matrix = rng.normal(size=(n, n)) * (np.subtract.outer(range(n), range(n)) <= kl)
    matrix *= np.subtract.outer(range(n), range(n)) >= -ku
    band, right, pivots = np.zeros((n, 2 * kl + ku + 1)), rng.normal(size=n), np.empty(n, np.int64)
    for i in range(n):
        for j in range(max(0, i - kl), min(n, i + ku + 1)):
            band[j, kl + ku + i - j] = matrix[i, j]
    expected = np.linalg.solve(matrix, right)
    assert factorize_band(band, kl, ku, pivots)
    solve_band(band, kl, ku, pivots, right)
    np.testing.assert_allclose(right, expected, rtol=1e-8)
    assert not factorize_band(np.zeros((n, 2 * kl + ku + 1)), kl, ku, pivots)


@pytest.mark.parametrize("name", ["cp", "cp-zno-002-revival"])
def test_plating_agrees_with_sundials(name):
    sundae = pytest.importorskip("sksundae")
    system, y0, tolerance = model_of(half_cell(name), "resolved", (), 1e-10, Mesh(5, 3))
    work, control = bordered.workspace(system), np.array([0.0, -10.0, 0.0, 0.0])

    def right(t, y, dy):
        resolved.rates(y, system, control, work, dy)

    judge = sundae.cvode.CVODE(right, rtol=1e-10, atol=1e-9, method="BDF", max_num_steps=1_000_000)
    expected = judge.solve(np.linspace(0, 3600, 5), y0).y[-1]
    y = y0.copy()
    code, _ = advance(
        y, system, control, np.array([3600.0, 0, 0, 0, 0, 0, 0, 0]), tolerance, np.empty((100_000, N_ROW))
    )
    assert code == DURATION
    np.testing.assert_allclose(y[: duties.PASSED], expected[: duties.PASSED], rtol=1e-5, atol=1e-3)
    np.testing.assert_allclose(salt_mol_per_m3(system, y), salt_mol_per_m3(system, expected), rtol=1e-7)


def test_a_rest_evens_out_what_a_current_has_made_uneven():
    steps = (*plating(3.0, 1200.0).steps, Rest(duration_s=3600.0))
    done = run("cp", Protocol(name="relax", steps=steps))
    salt = done.profiles["salt_mol_per_L"].to_numpy().reshape(2, -1)
    assert np.ptp(salt[0]) > 0.02
    assert np.ptp(salt[1]) < 1e-4


def test_a_mesh_of_nothing_is_refused():
    with pytest.raises(InputError, match="whole number from 1"):
        Mesh(0, 6)
