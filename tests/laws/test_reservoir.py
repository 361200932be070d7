"""A reservoir test of known loss gives that loss back: the LOSS is held against its truth, never the efficiency."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx

from interlith import protocol
from interlith.cycling.analyze import analyze
from interlith.cycling.reservoir import efficiency_of_cycled_charge, reservoir_efficiency
from interlith.cycling.synthetic import ToyCell, run
from interlith.errors import PhysicsError

losses = st.floats(1e-5, 0.2)
charges = st.floats(0.1, 10.0)


def final_strip(reservoir: float, cycled: float, n: int, loss: float) -> float:
    """What is left to strip when every plated charge loses the same fraction."""
    return (reservoir + n * cycled) * (1 - loss) - n * cycled


@given(loss=losses, reservoir=charges, part=st.floats(0.05, 0.9), n=st.integers(1, 50))
def test_formula_gives_the_true_loss_back(loss, reservoir, part, n):
    cycled = reservoir * part
    final = final_strip(reservoir, cycled, n, loss)
    if final <= 0:
        return
    got = reservoir_efficiency(reservoir_mAh=reservoir, cycled_mAh=cycled, n_cycles=n, final_strip_mAh=final)
    assert 1 - got == approx(loss, rel=1e-6)


@given(loss=losses, reservoir=charges, part=st.floats(0.05, 0.9), n=st.integers(1, 50))
def test_the_two_formulas_differ_by_the_known_factor(loss, reservoir, part, n):
    cycled = reservoir * part
    final = final_strip(reservoir, cycled, n, loss)
    if final <= 0:
        return
    asked = {"reservoir_mAh": reservoir, "cycled_mAh": cycled, "n_cycles": n, "final_strip_mAh": final}
    factor = 1 + reservoir / (n * cycled)
    assert 1 - efficiency_of_cycled_charge(**asked) == approx((1 - reservoir_efficiency(**asked)) * factor, rel=1e-6)


def test_the_paper_writes_the_same_formula():
    """Shen 2025 eq. (1): X = [q_a - (X q_1 - q_r)/N]/q_a, solved by X = (N q_a + q_r)/(N q_a + q_1)."""
    n, q_a, q_1, q_r = 10, 1.0, 3.0, 2.9
    x = reservoir_efficiency(reservoir_mAh=q_1, cycled_mAh=q_a, n_cycles=n, final_strip_mAh=q_r)
    assert x == approx((q_a - (x * q_1 - q_r) / n) / q_a, rel=1e-12)


def test_more_stripped_than_plated_is_refused():
    with pytest.raises(PhysicsError, match="more was stripped"):
        reservoir_efficiency(reservoir_mAh=3.0, cycled_mAh=1.0, n_cycles=10, final_strip_mAh=3.1)


@settings(max_examples=12, deadline=None)
@given(
    n=st.integers(3, 12),
    cycled=st.floats(0.3, 1.5),
    extra=st.floats(1.3, 3.0),
    current=st.floats(0.4, 3.0),
    area=st.floats(0.5, 3.0),
)
def test_a_record_at_1_s_gives_a_loss_of_1e_3_within_1_percent(n, cycled, extra, current, area):
    loss = 1e-3
    steps = protocol.reservoir(
        reservoir_mAh_per_cm2=cycled * extra,
        cycled_mAh_per_cm2=cycled,
        n_cycles=n,
        current_density_mA_per_cm2=current,
        formation_current_mA_per_cm2=None,
    )
    record = run(steps, ToyCell("host", area_cm2=area, loss=lambda cycle: loss, noise_V=1e-4), sampling_s=1.0)
    found = analyze(record, offset_uA=0.01)
    assert found.cycled.kind == "reservoir"
    values = found.outcomes["reservoir"].values
    assert values["loss"] == approx(loss, rel=0.01)
    assert values["n_cycles"] == n
    assert values["verdict"] == "significant"


@settings(max_examples=5, deadline=None)
@given(current=st.floats(0.5, 2.0))
def test_a_loss_below_the_stated_offset_is_not_significant(current):
    record = run(
        protocol.reservoir(current_density_mA_per_cm2=current),
        ToyCell("host", loss=lambda cycle: 1e-3),
        sampling_s=10.0,
    )
    values = analyze(record, offset_uA=1.0 * current).outcomes["reservoir"].values
    assert values["uncertainty_k2"] > 1e-3
    assert values["verdict"].startswith("not significant")
    assert values["offset_kind"] == "stated"
