"""What cannot be meant is refused before anything is solved, with file, line, key and the likely mend."""

import subprocess
import sys

import pytest

import interlith.cell.simulate as module
from interlith.cell.simulate import simulate
from interlith.cell_test import asked, cell_test, load, parse_changes
from interlith.errors import InputError, PhysicsError, SolverError
from interlith.ledger import Ledger
from interlith.protocol import ConstantCurrent, ConstantVoltage, Protocol, Ramp, Repeat, Rest, named


def plate(**ends):
    return ConstantCurrent(current_density_mA_per_cm2=-1.0, **ends)


def strip(**ends):
    return ConstantCurrent(current_density_mA_per_cm2=1.0, **ends)


def run(*steps, sample="cp", kind=None, changes=None, **options):
    made = cell_test(sample, Protocol(name="mine", steps=steps), kind=kind, changes=changes)
    return simulate(made.cell, made.protocol, **options)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('sample = "cp"\n[set.host]\nporosity = 92', r"s.toml:3: set.host.porosity = 92: a fraction.*0.92"),
        ('sample = "cp"\nset.host.thickness_um = -3', r"s.toml:2: set.host.thickness_um = -3: must be greater than 0"),
        ('sample = "cp"\n[set.cell]\narea_cm2 = inf', r"s.toml:3: .*area_cm2 = inf: must be a"),
        ('sample = "cpp"', r"s.toml:1: cpp: not a shipped sample.*Did you mean cp\?"),
        ('samle = "cp"', r"s.toml:1: samle: not a key of a study. Did you mean sample"),
        ('sample = "cp"\nprotocol = "arbach"', r"s.toml:2: protocol arbach.*Did you mean aurbach"),
        ('sample = "cp"\nwithout = 5', r"s.toml:2: without = 5: must be a list"),
        ('sample = "cp"\nwithout = [["sei"]]', r"s.toml:2: without: must be a list of names"),
        ('sample = "cp"\nnominal_mAh_per_cm2 = "x"', r"s.toml:2: nominal_mAh_per_cm2 = x: must be a number"),
        ('sample = "cp"\n[set.host]\nporosty = 0.8', r"s.toml:3: set.host.porosty: .*Did you mean porosity"),
        ('sample = "cp"\n[protocol]\n[[protocol.steps]]\nkind = "rest"', r"s.toml:.*protocol.steps.*duration_s"),
        ('sample = "cp"\nprotocol = ["Discharge at 1 W for 1 hour"]', r"s.toml:2: protocol: "),
        ("sample = " + "[" * 3000, "not TOML that can be read"),
        ("sample = ", "not TOML that can be read"),
        ("", "a study names a shipped sample"),
    ],
)
def test_a_study_file_is_explained(tmp_path, text, message):
    path = tmp_path / "s.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        load(path)


def test_the_command_line_does_not_overrule_a_study_file_in_silence(tmp_path):
    path = tmp_path / "s.toml"
    path.write_text('sample = "cp"\nwithout = ["sei"]', encoding="utf-8")
    with pytest.raises(InputError, match="--protocol"):
        asked(path, None, "aurbach", None, None, [], [])
    both = asked(path, None, None, None, None, ["revival"], ["host.porosity=0.7"])
    assert both.without == ("sei", "revival")
    assert both.cell.host.porosity == 0.7


@pytest.mark.parametrize(
    "pair", ["=", "host.porosity", "x.y=1", "host=1", "cell.area_cm2=abc", "host.porosity=" + "9" * 5000]
)
def test_values_set_by_hand_are_explained(pair):
    with pytest.raises(InputError):
        asked(None, "cp", None, None, None, [], [pair])


def test_numbers_that_are_none_are_refused():
    for value in ("NaN", "Infinity"):
        for name in ("cell.contact_resistance_ohm_cm2", "coating.alloy_voltage_V"):
            with pytest.raises(InputError, match="number"):
                cell_test("cp-zno-002", changes=parse_changes([f"{name}={value}"]))


@pytest.mark.parametrize(
    ("steps", "kind", "message"),
    [
        ((strip(voltage_V=1.0),), "half", "holds no lithium"),
        ((plate(areal_capacity_mAh_per_cm2=1), strip(voltage_V=-1.0)), "half", r"Did you mean 1\?"),
        ((plate(voltage_V=2.0),), "half", "below"),
        ((strip(voltage_V=-0.5),), "symmetric", r"Did you mean 0.5\?"),
        ((plate(voltage_V=-500.0),), "half", "Is it mV"),
        ((Ramp(rate_mV_per_s=1, to_voltage_V=0.1, from_voltage_V=-50),), "half", "from_voltage_V = -50"),
        ((ConstantCurrent(current_density_mA_per_cm2=-1e6, duration_s=1),), "half", "at most 1000"),
        ((Repeat(times=10**9, steps=(plate(duration_s=1),)),), "half", "at most 1000000"),
        ((Rest(duration_s=1e12),), "half", "about 30 years"),
        ((), "half", "no steps"),
    ],
)
def test_a_protocol_that_cannot_be_meant(steps, kind, message):
    with pytest.raises(InputError, match=message):
        run(*steps, kind=kind)


def test_a_cell_that_dies_says_why_and_keeps_what_it_had():
    done = run(plate(areal_capacity_mAh_per_cm2=100.0))
    assert "lithium of the counter electrode is used up" in done.stopped
    assert done.ledger.final()["passed"] == pytest.approx(-36.67, abs=0.05)
    assert done.steps[-1].ended_by == "died"


def test_a_voltage_out_of_range_at_once_is_no_result():
    done = run(plate(areal_capacity_mAh_per_cm2=1.0), changes={"cell.contact_resistance_ohm_cm2": 1e6})
    assert "the voltage left" in done.stopped
    assert done.ledger.final()["active_pores"] == 0.0


def test_a_hold_that_is_over_before_it_begins_ends():
    done = run(
        ConstantVoltage(voltage_V=1.5, current_density_mA_per_cm2=100.0), Ramp(rate_mV_per_s=1, to_voltage_V=1.5)
    )
    assert [step.ended_by for step in done.steps] == ["current", "time"]
    assert done.record.table["test_time_second"][-1] == 0.0


def test_a_failing_integrator_gives_no_result(monkeypatch):
    monkeypatch.setattr(module, "advance", lambda *a: (module.FAILED, 1))
    with pytest.raises(SolverError, match=r"step 1 \(constant-current\), 0 h: .* state \["):
        run(plate(areal_capacity_mAh_per_cm2=1.0))


def test_a_ledger_that_does_not_close_is_none():
    table = run(plate(areal_capacity_mAh_per_cm2=1.0)).ledger.table
    with pytest.raises(PhysicsError, match="does not close"):
        Ledger(table.with_columns(residual=table["residual"] + 2e-6))
    with pytest.raises(PhysicsError, match="less than nothing"):
        Ledger(table.with_columns(dead_top=table["dead_top"] - 1e-3))
    with pytest.raises(InputError, match="sei"):
        Ledger(table.drop("sei"))


def test_losses_beyond_the_plated_lithium_end_at_it():
    end = run(plate(areal_capacity_mAh_per_cm2=3.0), changes={"host.sei_per_plated": 0.999}).ledger.final()
    assert 2.9 < end["sei"] <= 3.0


@pytest.mark.parametrize("sample", ["cp", "cu", "cp-zno-002"])
def test_a_cell_without_losses_gives_everything_back(sample):
    """The null test: a long step must not run across the end of the lithium."""
    asked_for = cell_test(sample, "aurbach")
    done = simulate(asked_for.cell, asked_for.protocol, without=("sei", "isolation"))
    passed = [step.passed_mAh_per_cm2 for step in done.steps]
    assert (10 + passed[-1]) / 13 == pytest.approx(1.0, abs=4e-4)
    assert min(done.ledger.table[name].min() for name in ("active_pores", "active_top")) > -1e-5


def test_a_repeat_ends_below_its_efficiency():
    steps = (
        Repeat(times=50, steps=(plate(areal_capacity_mAh_per_cm2=1), strip(voltage_V=1.0)), stop_below_efficiency=0.95),
    )
    assert len(run(*steps).steps) == 2 * 3
    assert len(run(*steps, sample="cp-zno-002").steps) == 2 * 50


def test_c_rates_need_what_they_refer_to():
    step = ConstantCurrent(rate_C=-0.5, duration_s=3600)
    with pytest.raises(InputError, match="nominal_mAh_per_cm2"):
        run(step)
    assert run(step, nominal_mAh_per_cm2=2.0).ledger.final()["passed"] == pytest.approx(-1.0, abs=1e-9)


def test_formation_cycles_of_a_named_protocol_are_known():
    assert named("half-cell-5").formation_cycles == 3


def test_json_of_the_command_holds_what_is_promised(tmp_path):
    import json

    command = [sys.executable, "-m", "interlith", "simulate", "--sample", "cp-zno-002", "--json", "--quiet"]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path).stdout)
    assert found["ce_reservoir"] == pytest.approx(0.9989, abs=5e-4)
    assert found["result_kind"] == "calibrated"
    assert found["residual"] < 1e-6
    assert "uncertainty_k2" not in found["results"]["reservoir"]
    assert found["results"]["shorts"]["verdict"] == "none seen"
    assert set(found["parameters"][0]) == {"name", "value", "unit", "kind", "source", "low", "high"}
    assert any("cannot tell" in text for text in found["said"])


def test_a_model_or_a_mechanism_that_is_none():
    with pytest.raises(InputError, match=r"model resolvd: not one of lumped, resolved\. Did you mean resolved\?"):
        run(plate(duration_s=1.0), model="resolvd")
    with pytest.raises(InputError, match="a list of names"):
        run(plate(duration_s=1.0), without="sei")


@pytest.mark.parametrize(
    ("changes", "current", "why"),
    [
        ({"separator.thickness_um": 5000.0}, 1.0, "the salt at one electrode is used up"),
        ({"separator.porosity": 0.001}, 1.0, "electrolyte and contact take it"),
        ({"cell.contact_resistance_ohm_cm2": 1e5}, 1.0, "electrolyte and contact take it"),
    ],
)
def test_a_resolved_cell_dies_of_what_it_dies_of(changes, current, why):
    step = ConstantCurrent(current_density_mA_per_cm2=-current, areal_capacity_mAh_per_cm2=30.0)
    assert why in run(step, changes=changes, model="resolved").stopped


def test_a_strip_that_ends_by_transport_is_no_efficiency():
    from interlith.cell.remarks import remarks

    step = ConstantCurrent(current_density_mA_per_cm2=55.0, voltage_V=1.0)
    done = run(plate(areal_capacity_mAh_per_cm2=1.0), step, model="resolved")
    assert done.steps[-1].ended_by == "voltage"
    assert any("salt ran out in 1 of 2 steps, first in step 2" in text for text in remarks(done, [], ()))


def test_what_lies_outside_of_the_correlations_is_said():
    from interlith.cell.remarks import remarks

    done = run(plate(duration_s=60.0), changes={"cell.temperature_C": -20.0, "electrolyte.salt_mol_per_L": 4.0})
    said = " ".join(remarks(done, [], ()))
    assert "beyond the range in which their correlations are vouched for" in said
    assert "only the electrolyte and RT/F know the temperature" in said
    assert "vouched" not in " ".join(remarks(run(plate(duration_s=60.0)), [], ()))


def test_a_value_in_a_study_may_say_where_it_comes_from(tmp_path):
    path = tmp_path / "s.toml"
    said = '{ value = 0.8, kind = "measured", low = 0.78, high = 0.82, source = "gauge" }'
    path.write_text(f'sample = "cp-zno-002"\n[set.host]\nporosity = {said}\n')
    host = load(path).cell.host
    assert (host.porosity, host.origin("porosity").kind, host.origin("porosity").low) == (0.8, "measured", 0.78)
    assert host.origin("thickness_um").source.startswith("Shen")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('{ value = 92, kind = "measured" }', "set.host.porosity = 92: a fraction between 0 and 1. Did you mean 0.92?"),
        ('{ value = 0.9, kind = "weighed" }', "set.host.porosity: kind: input should be"),
        ('{ kind = "measured" }', "set.host.porosity.kind: a table needs a value"),
        ("{ value = 0.8, low = 0.9, high = 0.7 }", "set.host.porosity: low = 0.9 and high = 0.7: low comes first"),
        ("{ value = 0.5, low = 0.6, high = 0.7 }", "set.host.porosity = 0.5: not what it may be by its own table"),
        ("{ value = 0.5, low = 0.4, high = 1.7 }", "set.host.porosity: may be 1.7, which cannot be"),
    ],
)
def test_a_wrong_table_of_a_value_is_told_at_its_line(tmp_path, table, said):
    path = tmp_path / "s.toml"
    path.write_text(f'sample = "cp-zno-002"\n[set.host]\nporosity = {table}\n')
    with pytest.raises(InputError) as caught:
        load(path)
    assert str(caught.value).startswith(f"s.toml:3: {said}")
