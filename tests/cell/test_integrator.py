"""The integrator against exact solutions and an outside judge, and its order of convergence."""

import numpy as np
import polars as pl
import pytest

from interlith.cell import lumped
from interlith.cell.account import N_ROW
from interlith.cell.advance import DURATION, advance
from interlith.cell.models import model_of
from interlith.cell.rosenbrock import GAMMA, N_STAGES, A, C, D, factorize, solve
from interlith.cell.simulate import simulate
from interlith.cell_test import cell_test
from interlith.parts.samples import half_cell
from interlith.protocol import ConstantCurrent, Protocol, Rest
from interlith.units import C_PER_M2_PER_mAh_PER_CM2


def rodas_step(f, jacobian, y, h):
    """One step by the coefficients alone, with numpy's solver."""
    w = np.eye(len(y)) / (h * GAMMA) - jacobian(y)
    stages = np.zeros((N_STAGES, len(y)))
    for s in range(N_STAGES):
        at = y + A[s, :s] @ stages[:s]
        stages[s] = np.linalg.solve(w, f(at) + C[s, :s] @ stages[:s] / h)
    return y + A[-1] @ stages[:-1] + stages[-1], stages[-1]


def oscillator(y):
    return np.array([y[1], (1 - y[0] ** 2) * y[1] - y[0]])


def oscillator_jacobian(y):
    return np.array([[0.0, 1.0], [-2 * y[0] * y[1] - 1, 1 - y[0] ** 2]])


def at_one(n):
    y = np.array([2.0, 0.0])
    for _ in range(n):
        y, _ = rodas_step(oscillator, oscillator_jacobian, y, 1.0 / n)
    return y


def test_the_method_is_of_order_four():
    exact = at_one(2048)
    errors = [np.abs(at_one(n) - exact).max() for n in (8, 16, 32, 64)]
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert np.all(orders > 3.7), orders


def test_the_embedded_error_is_of_order_three():
    errors = []
    for h in (0.1, 0.05, 0.025):
        _, error = rodas_step(oscillator, oscillator_jacobian, np.array([2.0, -0.5]), h)
        errors.append(np.abs(error).max())
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert np.all((orders > 3.6) & (orders < 4.6)), orders  # local error h^4


def test_a_very_stiff_decay_is_damped_at_once():
    y, _ = rodas_step(lambda y: -1e9 * y, lambda y: np.array([[-1e9]]), np.array([1.0]), 1.0)
    assert abs(y[0]) < 1e-6


def test_linear_algebra_agrees_with_numpy():
    rng = np.random.default_rng(3)
    for n in (1, 2, 5, 23):
        matrix, right = rng.normal(size=(n, n)), rng.normal(size=n)
        expected = np.linalg.solve(matrix, right)
        lu, pivots = matrix.copy(), np.empty(n, np.int64)
        assert factorize(lu, pivots)
        solve(lu, pivots, right)
        np.testing.assert_allclose(right, expected, rtol=1e-9)


def test_a_singular_matrix_is_said_to_be_one():
    assert not factorize(np.zeros((3, 3)), np.empty(3, np.int64))
    assert not factorize(np.full((2, 2), np.nan), np.empty(2, np.int64))


@pytest.mark.parametrize("name", ["cp", "cp-zno-002-revival"])
def test_plating_agrees_with_sundials(name):
    """One hour of plating at 1 mA/cm2 from the bare host, conversion and nucleation included, against CVODE."""
    sundae = pytest.importorskip("sksundae")
    cell = half_cell(name)
    system, y0, tolerance = model_of(cell, "lumped", (), 1e-10)
    work = lumped.workspace(system)
    control = np.array([0.0, -10.0, 0.0, 0.0])

    def right(t, y, dy):
        lumped.rates(y, system, control, work, dy)

    judge = sundae.cvode.CVODE(right, rtol=1e-10, atol=1e-9, method="BDF", max_num_steps=1_000_000)
    expected = judge.solve(np.linspace(0, 3600, 5), y0).y[-1]
    y = y0.copy()
    ends = np.array([3600.0, 0, 0, 0, 0, 0, 0, 0])
    code, _ = advance(y, system, control, ends, tolerance, np.empty((100_000, N_ROW)))
    assert code == DURATION
    np.testing.assert_allclose(y[:10], expected[:10], rtol=1e-6, atol=1e-8 * C_PER_M2_PER_mAh_PER_CM2)


@pytest.mark.parametrize("model", ["lumped", "resolved"])
def test_a_rest_with_full_pores_takes_no_more_steps_than_rows(model):
    """At rest u lies in the kink at 0, where such a host strips far more easily than it plates."""
    plate = ConstantCurrent(current_density_mA_per_cm2=-2.0, areal_capacity_mAh_per_cm2=4.0)
    asked = cell_test("cp-zno-002", Protocol(name="rest", steps=(plate, Rest(duration_s=36000.0))))
    done = simulate(asked.cell, asked.protocol, model=model)
    assert done.record.table.filter(pl.col("step_count") == 2).height < 650  # one a minute is 600


def test_the_interpolation_within_a_step_is_of_order_three():
    errors = []
    for h in (0.05, 0.025, 0.0125):
        y = np.array([2.0, 0.0])
        w = np.eye(2) / (h * GAMMA) - oscillator_jacobian(y)
        stages = np.zeros((N_STAGES, 2))
        for s in range(N_STAGES):
            at = y + A[s, :s] @ stages[:s]
            stages[s] = np.linalg.solve(w, oscillator(at) + C[s, :s] @ stages[:s] / h)
        end = y + A[-1] @ stages[:-1] + stages[-1]
        first, second = D @ stages[:-1]
        share = 0.4
        inside = (1 - share) * y + share * (end + (1 - share) * (first + share * second))
        true = y
        for _ in range(64):
            true, _ = rodas_step(oscillator, oscillator_jacobian, true, share * h / 64)
        errors.append(np.abs(inside - true).max())
    rates = np.log2(np.array(errors[:-1]) / errors[1:])
    assert np.all(rates > 3.5)  # local: one more than the order
