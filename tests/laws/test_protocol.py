"""A protocol says what it says: ends survive as written, rates resolve, repeats count, strings become their steps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from pytest import approx

from interlith.cycling.synthetic import ToyCell, run
from interlith.errors import InputError
from interlith.protocol import (
    PROTOCOLS,
    ConstantCurrent,
    ConstantVoltage,
    Protocol,
    Ramp,
    Repeat,
    Rest,
    cccv,
    named,
)
from interlith.pybamm_strings import from_pybamm
from interlith.units import SECONDS_PER_HOUR

sizes = st.floats(1e-3, 1e3)
signed = sizes | sizes.map(lambda size: -size)
voltages = st.just(0.0) | st.floats(-1.0, 5.0)
currents = st.builds(ConstantCurrent, current_density_mA_per_cm2=signed, voltage_V=voltages)
rates = st.builds(ConstantCurrent, rate_C=signed, duration_s=sizes)
holds = st.builds(ConstantVoltage, voltage_V=voltages, current_density_mA_per_cm2=sizes)
ramps = st.builds(Ramp, rate_mV_per_s=sizes, to_voltage_V=voltages)
single = st.builds(Rest, duration_s=sizes) | currents | rates | holds | ramps
trees = st.lists(
    st.recursive(
        single,
        lambda inner: st.builds(
            Repeat, times=st.integers(1, 4), steps=st.lists(inner, min_size=1, max_size=3).map(tuple)
        ),
        max_leaves=6,
    ),
    max_size=4,
).map(lambda steps: Protocol(name="p", steps=tuple(steps)))


def length(steps):
    return sum(step.times * length(step.steps) if isinstance(step, Repeat) else 1 for step in steps)


def leaves(steps):
    for step in steps:
        yield from leaves(step.steps) if isinstance(step, Repeat) else (step,)


class TestSteps:
    def test_a_cut_off_at_zero_volts_is_an_end(self):
        step = ConstantCurrent(current_density_mA_per_cm2=-1, voltage_V=0.0)
        assert step.voltage_V == 0.0
        assert ConstantVoltage(voltage_V=0.0, duration_s=1).voltage_V == 0.0
        assert Ramp(rate_mV_per_s=0.1, to_voltage_V=1.0, from_voltage_V=0.0).from_voltage_V == 0.0

    @given(trees)
    def test_written_and_read_again_it_is_the_same(self, protocol):
        assert Protocol.model_validate_json(protocol.model_dump_json()) == protocol

    @pytest.mark.parametrize(
        ("make", "says"),
        [
            (lambda: ConstantCurrent(voltage_V=1), "one of them"),
            (lambda: ConstantCurrent(current_density_mA_per_cm2=1, rate_C=1, voltage_V=1), "one of them"),
            (lambda: ConstantCurrent(current_density_mA_per_cm2=0, voltage_V=1), "is a rest"),
            (lambda: ConstantCurrent(rate_C=0, voltage_V=1), "is a rest"),
            (lambda: ConstantCurrent(current_density_mA_per_cm2=1), "has no end"),
            (lambda: ConstantCurrent(rate_C=1, duration_s=0), "greater than 0"),
            (lambda: ConstantCurrent(rate_C=1, duration_s=float("inf")), "finite"),
            (lambda: ConstantVoltage(voltage_V=4.2), "has no end"),
            (lambda: ConstantVoltage(voltage_V=4.2, current_density_mA_per_cm2=-1), "greater than 0"),
            (lambda: Ramp(rate_mV_per_s=-0.1, to_voltage_V=0), "greater than 0"),
            (lambda: Ramp(rate_mV_per_s=0.1, to_voltage_V=0.0, from_voltage_V=0.0), "stays where it is"),
            (lambda: Rest(duration_s=0), "greater than 0"),
            (lambda: Rest(duration_s=1, duration_h=1), "duration_h"),
            (lambda: Repeat(times=0, steps=(Rest(duration_s=1),)), "greater than or equal to 1"),
            (lambda: Repeat(times=1, steps=()), "at least 1 item"),
            (lambda: Repeat(times=9, steps=(Rest(duration_s=1),), stop_below_efficiency=80), "less than or equal to 1"),
            (lambda: Repeat(times=9, steps=(Rest(duration_s=1),), stop_after=0), "greater than or equal to 1"),
        ],
    )
    def test_what_cannot_be_done_is_refused(self, make, says):
        with pytest.raises(ValidationError, match=says):
            make()

    def test_three_cycles_below_the_limit_end_a_repeat_unless_told_otherwise(self):
        assert Repeat(times=9, steps=(Rest(duration_s=1),), stop_below_efficiency=0.8).stop_after == 3

    def test_constant_current_then_constant_voltage(self):
        current, hold = cccv(1.0, 4.2, 0.05)
        assert current == ConstantCurrent(current_density_mA_per_cm2=1.0, voltage_V=4.2)
        assert hold == ConstantVoltage(voltage_V=4.2, current_density_mA_per_cm2=0.05)


class TestRates:
    @given(protocol=trees, nominal=sizes)
    def test_every_rate_becomes_its_current_and_nothing_else_changes(self, protocol, nominal):
        for before, after in zip(leaves(protocol.steps), leaves(protocol.resolved(nominal).steps), strict=True):
            if isinstance(before, ConstantCurrent) and before.rate_C is not None:
                assert after.signed_mA_per_cm2 == approx(before.rate_C * nominal, rel=1e-12)
                assert (after.rate_C, after.duration_s) == (None, before.duration_s)
            else:
                assert after == before

    @given(protocol=trees, nominal=sizes)
    def test_executed_is_the_tree_unrolled(self, protocol, nominal):
        done = list(protocol.executed(nominal))
        assert len(done) == length(protocol.steps)
        assert not any(isinstance(step, Repeat) for step in done)

    def test_a_rate_without_a_capacity_is_refused_before_the_first_step(self):
        inner = ConstantCurrent(rate_C=-0.5, duration_s=60)
        protocol = Protocol(name="mine", steps=(Rest(duration_s=1), Repeat(times=2, steps=(inner,))))
        with pytest.raises(InputError, match=r"mine: rate_C = -0\.5 needs nominal_mAh_per_cm2"):
            protocol.executed()
        with pytest.raises(InputError, match="not known here"):
            _ = inner.signed_mA_per_cm2

    @pytest.mark.parametrize("nominal", [0.0, -4.0, float("nan"), float("inf")])
    def test_a_capacity_is_above_zero(self, nominal):
        with pytest.raises(InputError, match="above 0"):
            named("aurbach").resolved(nominal)

    def test_an_efficiency_end_is_for_runners(self):
        repeat = Repeat(times=7, steps=(Rest(duration_s=1),), stop_below_efficiency=0.9)
        protocol = Protocol(name="p", steps=(repeat,))
        assert len(list(protocol.executed())) == 7
        assert protocol.resolved().steps == (repeat,)


N_STEPS = {
    "aurbach": 2 + 1 + 10 * 2 + 1,
    "half-cell-1": 3 * 2 + 200 * 2,
    "half-cell-5": 3 * 2 + 100 * 2,
    "half-cell-0.5": 2000 * 2,
    "symmetric-1": 200 * 2,
    "symmetric-3": 200 * 2,
    "rest-recovery": 15 * 4,
    "strip-rate-sweep": 25 * 2,
    "cv-zno": 1 + 3 * 2,
    "eis": 7,
    "li-ncm811": 200,
    "li-ncm811-cv": 7,
    "li-ncm811-eis": 7,
    "li-lco": 200,
    "li-lco-cv": 7,
    "li-lco-eis": 7,
    "pouch-ncm90": 104,
    "pouch-ncm90-cccv": 154,
    "anode-free": 12,
}


class TestShipped:
    def test_all_are_here(self):
        assert set(PROTOCOLS) == set(N_STEPS)

    @pytest.mark.parametrize("name", sorted(PROTOCOLS))
    def test_each_has_its_name_a_title_and_its_steps(self, name):
        protocol = named(name)
        assert protocol == PROTOCOLS[name]()
        assert protocol.name == name
        assert protocol.title
        assert len(list(protocol.executed(1.0))) == N_STEPS[name]

    def test_charges_of_aurbach(self):
        """Down: formation 3, reservoir 3, ten times 1. Up by charge: ten times 1; the two others end at 1 V."""
        steps = list(named("aurbach").executed())
        down = [step for step in steps if step.signed_mA_per_cm2 < 0]
        assert [step.areal_capacity_mAh_per_cm2 for step in down] == [3.0, 3.0, *[1.0] * 10]
        up = [step for step in steps if step.signed_mA_per_cm2 > 0]
        assert sum(step.areal_capacity_mAh_per_cm2 or 0 for step in up) == 10.0
        assert {step.voltage_V for step in up} == {1.0}
        assert [abs(step.signed_mA_per_cm2) for step in steps] == [0.3, 0.3, *[1.0] * 22]

    def test_a_lossless_cell_gives_all_of_aurbach_back(self):
        cell = ToyCell("host")
        run(named("aurbach"), cell, sampling_s=600.0)
        assert cell.plated_mAh == approx(0.0, abs=1e-9)

    @pytest.mark.parametrize(
        ("name", "current", "charge", "formation"),
        [("half-cell-1", 1.0, 1.0, 3), ("half-cell-5", 5.0, 1.0, 3), ("half-cell-0.5", 0.5, 0.5, 0)],
    )
    def test_half_cells(self, name, current, charge, formation):
        plate, strip, *rest = (s for s in list(named(name).executed())[2 * formation :])
        assert plate == ConstantCurrent(current_density_mA_per_cm2=-current, areal_capacity_mAh_per_cm2=charge)
        assert strip == ConstantCurrent(current_density_mA_per_cm2=current, voltage_V=1.0)
        assert set(rest) == {plate, strip}
        for step in list(named(name).executed())[: 2 * formation]:
            assert abs(step.signed_mA_per_cm2) == 0.2

    @pytest.mark.parametrize(("name", "size"), [("symmetric-1", 1.0), ("symmetric-3", 3.0)])
    def test_symmetric_cells_end_by_charge_alone(self, name, size):
        plate, strip = named(name).steps[0].steps
        assert (plate.signed_mA_per_cm2, strip.signed_mA_per_cm2) == (-size, size)
        for step in (plate, strip):
            assert (step.areal_capacity_mAh_per_cm2, step.voltage_V, step.duration_s) == (size, None, None)

    def test_rests_of_the_recovery_test_are_in_the_stripped_state(self):
        steps = list(named("rest-recovery").executed())
        rests = [i for i, step in enumerate(steps) if isinstance(step, Rest)]
        assert [steps[i].duration_s for i in rests] == [60.0] * 5 + [10 * SECONDS_PER_HOUR] * 5 + [60.0] * 5
        strip = current(1.0, voltage_V=1.0)
        assert all(steps[i - 1] == strip and steps[i + 1] == strip for i in rests)

    def test_strip_rates(self):
        strips = [s.signed_mA_per_cm2 for s in named("strip-rate-sweep").executed() if s.voltage_V is not None]
        assert strips == [i for i in (0.2, 0.5, 1.0, 2.0, 5.0) for _ in range(5)]

    def test_voltammetry_begins_downwards_from_where_the_cell_is(self):
        rest, *ramps = named("cv-zno").executed()
        assert rest.duration_s == 12 * SECONDS_PER_HOUR
        assert [ramp.to_voltage_V for ramp in ramps] == [0.0, 1.0] * 3
        assert {(ramp.rate_mV_per_s, ramp.from_voltage_V) for ramp in ramps} == {(0.1, None)}

    def test_an_unknown_name_is_answered_with_the_nearest(self):
        with pytest.raises(InputError, match=r"aurbahc: .*half-cell-0\.5.*Did you mean aurbach\?"):
            named("aurbahc")


def current(mA_per_cm2, **ends):
    return ConstantCurrent(current_density_mA_per_cm2=mA_per_cm2, **ends)


def only(text, **more):
    (step,) = from_pybamm([text], **more).steps
    return step


class TestStrings:
    @pytest.mark.parametrize(
        ("text", "step"),
        [
            ("Discharge at 1C for 0.5 hours", ConstantCurrent(rate_C=-1, duration_s=1800)),
            ("Charge at C/2 until 4.2V", ConstantCurrent(rate_C=0.5, voltage_V=4.2)),
            ("Charge at C/2 until 4.2V or for 3 hours", ConstantCurrent(rate_C=0.5, voltage_V=4.2, duration_s=10800)),
            ("Charge at 0.5 C for 45 minutes", ConstantCurrent(rate_C=0.5, duration_s=2700)),
            ("Charge at 1 mA until 4.1 V", current(0.5, voltage_V=4.1)),
            ("Discharge at 2 mA for 30 minutes or until 2.5 V", current(-1, duration_s=1800, voltage_V=2.5)),
            ("Discharge at 2mA until 0 V", current(-1, voltage_V=0.0)),
            ("Discharge at 2 mA until -0.1 V", current(-1, voltage_V=-0.1)),
            ("Charge at 0.002 A until 1000 mV", current(1, voltage_V=1.0)),
            ("Charge at 500 uA for 1 h", current(0.25, duration_s=3600)),
            ("Charge at 500 µA for 10 s", current(0.25, duration_s=10)),
            ("Charge at 2e-3 A for 1 min", current(1, duration_s=60)),
            ("Hold at 4.2 V until 50 mA", ConstantVoltage(voltage_V=4.2, current_density_mA_per_cm2=25)),
            ("Hold at 0V for 1 hour", ConstantVoltage(voltage_V=0.0, duration_s=3600)),
            (
                "Hold at 1 V for 1 hour or until 2 mA",
                ConstantVoltage(voltage_V=1, duration_s=3600, current_density_mA_per_cm2=1),
            ),
            ("Rest for 1 hour", Rest(duration_s=3600)),
            ("Rest for 10 minutes (1 minute period)", Rest(duration_s=600)),
            ("Charge at 1 C until 4.1 V (5 seconds period)", ConstantCurrent(rate_C=1, voltage_V=4.1)),
        ],
    )
    def test_a_string_is_its_step(self, text, step):
        got = only(text, area_cm2=2.0)
        assert type(got) is type(step)
        assert got.model_dump() == approx(step.model_dump())

    @given(current_mA=sizes, area_cm2=sizes, hours=sizes, cutoff_V=voltages)
    def test_any_numbers_come_through(self, current_mA, area_cm2, hours, cutoff_V):
        text = f"Discharge at {current_mA!r} mA for {hours!r} hours or until {cutoff_V!r} V"
        step = only(text, area_cm2=area_cm2)
        assert step.signed_mA_per_cm2 == approx(-current_mA / area_cm2, rel=1e-9)
        assert step.duration_s == approx(hours * SECONDS_PER_HOUR, rel=1e-9)
        assert step.voltage_V == cutoff_V

    def test_equal_cycles_in_a_row_are_one_repeat(self):
        cycle = ("Discharge at 1 C for 1 hour", "Charge at 1 C until 1 V")
        protocol = from_pybamm(["Rest for 1 s", *[cycle] * 3, list(cycle), ("Rest for 2 s",), cycle, "Rest for 1 s"])
        assert [getattr(step, "times", None) for step in protocol.steps] == [None, 4, 1, 1, None]
        assert [len(step.steps) for step in protocol.steps if isinstance(step, Repeat)] == [2, 1, 2]
        assert len(list(protocol.executed(1.0))) == 1 + 8 + 1 + 2 + 1

    def test_equal_strings_in_a_row_are_all_kept(self):
        assert from_pybamm(["Rest for 1 s"] * 3).steps == (Rest(duration_s=1),) * 3
        assert from_pybamm("Rest for 1 s").steps == (Rest(duration_s=1),)

    def test_rates_resolve_when_the_capacity_is_given(self):
        protocol = from_pybamm([("Charge at C/2 until 4.2 V", "Hold at 4.2 V until C/20")], nominal_mAh_per_cm2=4.0)
        assert protocol.steps == (Repeat(times=1, steps=cccv(2.0, 4.2, 0.2)),)

    def test_strings_that_call_plating_charge(self):
        assert only("Charge at 1 mA for 1 h", area_cm2=1.0, discharge_is_plating=False).signed_mA_per_cm2 == -1
        assert only("Discharge at 1C for 1 h", discharge_is_plating=False).rate_C == 1

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("Charge at 4 W for 1 hour", "power and resistance"),
            ("Charge at 200mW for 1 hour", "power and resistance"),
            ("Discharge at 4 Ohm for 1 hour", "power and resistance"),
            ("Run US06 (A)", "drive cycles"),
            ("Run US06 (A) for 20 minutes", "drive cycles"),
            ("Charge at 1 mA", "needs an end"),
            ("Charge at 1 mA until 50 uA", "'50 uA' is not a voltage"),
            ("Charge at 4 V for 1 hour", "'4 V' is not a current"),
            ("Hold at 1 mA for 1 hour", "'1 mA' is not a voltage"),
            ("Hold at 1 V until 3 V", "'3 V' is not a current"),
            ("Hold at 1 V until C/20", "give nominal_mAh_per_cm2"),
            ("Charge at 0 A for 1 hour", "a current above 0"),
            ("Charge at -1 mA for 1 hour", "a current above 0"),
            ("Charge at C/0 for 1 hour", "a rate above 0"),
            ("Charge at -1C for 1 hour", "a rate above 0"),
            ("Rest until 3 V", "a rest ends after a time"),
            ("Rest for 1 hour or until 3 V", "a rest ends after a time"),
            ("Rest for 0 hours", "duration_s: "),
            ("Rest for 2 fortnights", "is no time"),
            ("Rest for a while", "is no time"),
            ("Charge at 1 mA for 1 hour for 2 hours", "once each"),
            ("Sleep for 1 hour", "begins with"),
            ("Rest at 3 V for 1 hour", "begins with"),
            ("Charge at 1 mA until < 4 V", "is not a voltage"),
            ("Charge at 1e999 mA for 1 s", "finite"),
        ],
    )
    def test_what_is_not_read_is_named(self, text, says):
        with pytest.raises(InputError, match=says) as refused:
            from_pybamm(["Rest for 1 s", text], area_cm2=1.0)
        assert repr(text) in str(refused.value)
        assert "Accepted: 'Discharge at 1 mA" in str(refused.value)

    @pytest.mark.parametrize("text", ["Charge at 1 mA for 1 h", "Hold at 1 V until 1 mA"])
    def test_a_current_needs_an_area(self, text):
        with pytest.raises(InputError, match="give area_cm2"):
            from_pybamm([text])

    @pytest.mark.parametrize(
        ("strings", "more", "says"),
        [
            ([], {}, "no strings"),
            ([()], {}, "a cycle without steps"),
            ([3], {}, "3: not a string"),
            ([("Rest for 1 s", ("Rest for 1 s",))], {}, "not a string"),
            (["Rest for 1 s"], {"area_cm2": 0.0}, "area_cm2 = 0"),
            (["Rest for 1 s"], {"nominal_mAh_per_cm2": -1.0}, "nominal_mAh_per_cm2 = -1"),
        ],
    )
    def test_what_is_no_list_of_strings_is_refused(self, strings, more, says):
        with pytest.raises(InputError, match=says):
            from_pybamm(strings, **more)


@pytest.mark.parametrize(
    "text",
    [
        "Discharge at 1C for 0.5 hours",
        "Charge at 0.5 C for 45 minutes",
        "Discharge at 1 A for 0.5 hours",
        "Charge at 200 mA for 45 minutes or until 4.1 V",
        "Discharge at C/3 for 2 hours or until 2.5 V",
        "Discharge at 2mA for 30 min or until 0 V (1 minute period)",
        "Hold at 1V for 20 seconds",
        "Hold at 4.1 V for 1 h or until 50mA",
        "Hold at 3V for 1 h or until C/50",
        "Rest for 10 minutes",
    ],
)
def test_pybamm_reads_the_same(text):
    """PyBaMM is the judge of values and durations; its discharge is positive and in A, ours negative and per area."""
    pybamm = pytest.importorskip("pybamm")
    theirs, ours = pybamm.step.string(text), only(text, area_cm2=2.0, nominal_mAh_per_cm2=3.0)
    nominal_mAh, area_cm2 = 6.0, 2.0
    scale = {"CRate": nominal_mAh / area_cm2, "Current": 1e3 / area_cm2}
    kind = type(theirs).__name__
    assert ours.duration_s == approx(theirs.duration)
    if kind in scale:
        assert ours.signed_mA_per_cm2 == approx(-theirs.value * scale[kind])
        assert [ours.voltage_V] == ([end.value for end in theirs.termination] or [None])
    elif kind == "Voltage":
        assert ours.voltage_V == approx(theirs.value)
        ends = [end.value * scale[type(end).__name__.removesuffix("Termination")] for end in theirs.termination]
        assert [ours.current_density_mA_per_cm2] == (approx(ends) if ends else [None])
    else:
        assert (kind, ours.kind) == ("Rest", "rest")
