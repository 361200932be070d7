"""Salt that is used up: laws of the gap, of the host's planes, and of both in a box that fills."""

import numpy as np
import pytest
from pytest import approx

from interlith.deposit import gap, potential
from interlith.deposit.box import Ground
from interlith.deposit.follow import follow
from interlith.deposit.gap import Salt, Surfaces, limiting_current_mA_per_cm2, sand_time_s
from interlith.deposit.solver.team import Team
from interlith.deposition import deposit_findings
from interlith.errors import InputError, SolverError
from interlith.networks import NetworkOptions, read
from interlith.parts.deposition import deposition
from interlith.parts.electrolyte import Correlation, electrolyte
from interlith.protocol import ConstantCurrent, Protocol, Rest
from interlith.units import FARADAY_C_PER_MOL, GAS_CONSTANT_J_PER_MOL_K

SHIPPED = electrolyte("litfsi-dol-dme-lino3")
D, T_PLUS = 4e-10, 0.45
PER_PHI_V = 2.0 * GAS_CONSTANT_J_PER_MOL_K * 298.15 / FARADAY_C_PER_MOL


def constant(*coefficients):
    return Correlation(form="polynomial", coefficients=coefficients, valid_mol_per_L=(0, 5), valid_C=(0, 50))


PLAIN = SHIPPED.model_copy(
    update={
        "diffusivity": constant(D),
        "transference": constant(T_PLUS),
        "conductivity": constant(1.2),
        "activity": constant(1.0),
    }
)


def salt_over(share, length_um=900.0, liquid=PLAIN, **options):
    return Salt(liquid, share, n_host=0, voxel_um=0.5, length_um=length_um, **options)


def flat(n_planes=3):
    """Lithium as a collector, of which all is taken in the lowest plane."""
    return Surfaces(np.zeros(1, dtype=np.intp), np.array([70.0]), np.ones(1), n_planes)


def carry(salt, current_A_per_m2, surfaces, most_s, *, is_stripping=False):
    """A current for so long: the time that it took."""
    passed = 0.0
    while passed < most_s:
        salt.ask(surfaces, current_A_per_m2, is_stripping=is_stripping)
        step = min(salt.longest_s(current_A_per_m2), most_s - passed)
        salt.advance(step)
        passed += step
    return passed


@pytest.mark.parametrize("current", [500.0, 1000.0])
def test_before_an_endless_electrolyte_salt_lasts_for_sand_s_time(current):
    """In both the diffusion layer ends far from the counter electrode."""
    salt = salt_over(np.ones(3))
    with pytest.raises(
        SolverError, match=r"salt is used up after [\d.]+ s, .* the limiting current of this gap is 15\.59"
    ):
        carry(salt, current, flat(), 100.0)
    by_hand = np.pi * D * (FARADAY_C_PER_MOL * 1000.0 / (2.0 * current * (1.0 - T_PLUS))) ** 2
    assert sand_time_s(PLAIN, current / 10.0) == approx(by_hand)
    assert salt.since_s == approx(by_hand, rel=0.01)


@pytest.fixture
def coarse(monkeypatch):
    """Long steps: what is reached in the end does not depend on them."""
    monkeypatch.setattr(gap, "FALLS_BY", 0.2)


@pytest.mark.usefixtures("coarse")
@pytest.mark.parametrize("porosity", [1.0, 0.41])
def test_below_the_limiting_current_the_profile_is_a_line_and_stays(porosity):
    limit = 2.0 * FARADAY_C_PER_MOL * D * porosity**1.5 * 1000.0 / ((1.0 - T_PLUS) * 200e-6)
    assert limiting_current_mA_per_cm2(PLAIN, 200.0, porosity) == approx(limit / 10.0, rel=1e-6)
    salt = salt_over(np.ones(3), length_um=200.0, porosity=porosity)
    carry(salt, 0.98 * limit, flat(), 2.0 * (200e-6) ** 2 / D / np.sqrt(porosity))
    at = (np.arange(salt.c.size) + 0.5) / salt.c.size
    assert salt.c == approx(1000.0 * (1.0 + 0.98 * (2.0 * at - 1.0)), rel=1e-4)


@pytest.mark.usefixtures("coarse")
@pytest.mark.parametrize("is_stripping", [False, True])
def test_potential_falls_by_resistance_and_by_the_difference_in_salt(is_stripping):
    """Between planes without surfaces: J dz/kappa + (2RT/F) (1 - t+) (1 + dln f/dln c) ln(c2/c1), signs as plated."""
    liquid = PLAIN.model_copy(update={"activity": constant(1.7)})
    salt, current = salt_over(np.ones(60), length_um=100.0, liquid=liquid), 800.0
    carry(salt, current, flat(60), 2.0 * (100e-6) ** 2 / D, is_stripping=is_stripping)
    before = salt.c.copy()
    phi = PER_PHI_V * salt.ask(flat(60), current, is_stripping=is_stripping).phi
    pulled = PER_PHI_V * (1.0 - T_PLUS) * 1.7 * np.log(before[50] / before[5])
    resisted = current * 45 * 0.5e-6 / 1.2
    assert abs(pulled) > 0.2 * resisted
    assert phi[50] - phi[5] == approx(resisted + (-pulled if is_stripping else pulled), rel=1e-3)


@pytest.mark.usefixtures("coarse")
def test_above_the_limiting_current_salt_is_used_up():
    limit = 10.0 * limiting_current_mA_per_cm2(PLAIN, 200.0)
    salt = salt_over(np.ones(3), length_um=200.0)
    with pytest.raises(SolverError, match="salt is used up"):
        carry(salt, 1.02 * limit, flat(), 2.0 * (200e-6) ** 2 / D)
    assert salt.since_s > 0.2 * (200e-6) ** 2 / D


@pytest.mark.usefixtures("coarse")
def test_the_limiting_current_of_a_salt_that_moves_faster_where_it_is_thin():
    """With D falling with c as exp(-c/2) the last profile, 1/L of the integral of D over c, is known in closed form."""
    salt = salt_over(np.ones(3), length_um=200.0, liquid=SHIPPED)
    limit = 10.0 * limiting_current_mA_per_cm2(SHIPPED, 200.0)
    carry(salt, 0.97 * limit, flat(), 2.0 * (200e-6) ** 2 / D)
    eased = 2.0 * 6.6e-10 * (1.0 - np.exp(-salt.c / 2000.0))
    slope = 0.97 * limit * (1.0 - T_PLUS) / FARADAY_C_PER_MOL / 1000.0
    assert np.diff(eased) / 0.5e-6 == approx(slope, rel=1e-3)


def test_at_rest_salt_evens_out_as_exp_of_pi2_D_t_over_L2():
    salt = salt_over(np.ones(3), length_um=300.0)
    n = salt.c.size
    wave = np.cos(np.pi * (np.arange(n) + 0.5) / n)
    salt.c = 1000.0 + 100.0 * wave
    salt.amount = salt.liquid * salt.c
    salt.rest(60.0)
    rate = np.log((salt.c[0] - 1000.0) / (100.0 * wave[0])) / -60.0
    assert rate == approx(np.pi**2 * D / 300e-6**2, rel=0.006)
    assert salt.c - 1000.0 == approx((salt.c[0] - 1000.0) * wave / wave[0], rel=1e-6, abs=1e-6)
    salt.rest(1e6)
    assert salt.c == approx(1000.0, rel=1e-7)


def porous(n, ease, barrier=0.0):
    """As many planes that all react."""
    return Surfaces(np.arange(n, dtype=np.intp), np.full(n, ease), np.full(n, np.exp(barrier)), n)


def at_once(salt):
    """A step too short for any salt to move."""
    salt.last_s, salt.longest_s = 0.0, lambda _: 1e-9
    return salt


def test_planes_that_react_have_a_cosh_profile():
    """phi of the next planes is 2 cosh q phi with cosh q = 1 + ease, as in `potential`."""
    n, ease = 40, 0.03
    per_phi = 1.2 * PER_PHI_V / 0.5e-6
    salt = at_once(salt_over(np.ones(n)))
    done = salt.ask(porous(n, ease * per_phi), 1e-4 * per_phi)
    profile = np.cosh(np.arccosh(1.0 + ease) * (np.arange(n) + 0.5))
    carried = 2.0 * ease * np.sinh(done.phi)
    assert carried == approx(1e-4 * profile / profile.sum(), rel=1e-3)


def test_planes_agree_with_every_voxel_of_a_box_that_is_even_in_them():
    """Far from linear, with barriers and open shares from plane to plane."""
    random = np.random.default_rng(3)
    share, ease, barrier = (random.uniform(low, high, 16) for low, high in ((0.4, 1.0), (0.01, 0.2), (0.0, 3.0)))
    per_phi, voxels = 1.2 * PER_PHI_V / 0.5e-6, np.ones((16, 3, 3))
    with Team(1) as team:
        phi, _ = potential.with_resistance(
            share[:, None, None] * voxels,
            ease[:, None, None] * voxels,
            barrier[:, None, None] * voxels,
            9.0 * 12.0,
            2.0 * voxels,
            is_periodic=True,
            team=team,
        )
    salt = at_once(salt_over(share))
    found = salt.ask(Surfaces(np.arange(16), ease * per_phi, np.exp(barrier), 16), 12.0 * per_phi)
    assert found.phi == approx(phi[:, 1, 1], rel=1e-3)
    assert phi[-1, 1, 1] - phi[0, 1, 1] > 1.0


@pytest.mark.usefixtures("coarse")
def test_a_place_without_salt_stops_by_itself():
    """Deep in a host of 20 um salt falls below a thousandth while the current goes on at the top."""
    salt = salt_over(np.full(60, 0.5), liquid=SHIPPED)
    surfaces = porous(60, 5.0)
    carry(salt, 300.0, surfaces, 150.0)
    assert salt.c.min() > 0.0
    assert salt.c[0] < 0.05 * 1000.0
    done = salt.ask(surfaces, 300.0)
    carried = 2.0 * surfaces.ease * np.sinh(done.phi) * np.sqrt(done.c[:60] / 1000.0)
    assert carried.sum() == approx(300.0, rel=0.01)  # the least salt counts a little less
    assert carried[0] < 0.3 * carried[-1]


EVEN = deposition("cu").with_values(
    ease_spread=0.0, nucleation_spread=0.0, collector_nucleation_mV=0.0, void_per_sei=0.0
)


def current(mA_per_cm2, mAh_per_cm2):
    return ConstantCurrent(current_density_mA_per_cm2=mA_per_cm2, areal_capacity_mAh_per_cm2=mAh_per_cm2)


def followed(ground, parameters, *steps, n_threads=1, liquid=SHIPPED, **options):
    protocol = Protocol(name="x", steps=steps)
    with Team(n_threads) as team:
        return follow(protocol, ground, parameters, seed=1, team=team, electrolyte=liquid, **options)


@pytest.fixture
def salts(monkeypatch):
    """Salt of each box that is made, and its sum as made."""
    made = []
    begun = Salt.__init__

    def noted(self, *given, **options):
        begun(self, *given, **options)
        made.append((self, self.amount.sum(), self.liquid.sum()))

    monkeypatch.setattr(Salt, "__init__", noted)
    return made


def test_salt_and_liquid_are_conserved_while_lithium_fills_a_host_and_leaves_it(salts):
    host = np.zeros((10, 8, 8))
    host[:, ::4, ::4] = 1.0
    steps = (current(-10.0, 0.6), Rest(duration_s=100.0), current(5.0, 0.3), current(-10.0, 0.6))
    got = followed(Ground(host, 10, 0.5, True), deposition("cp"), *steps, gap_um=100.0)
    ((salt, amount, liquid),) = salts
    assert salt.amount.sum() == approx(amount, rel=1e-10)
    assert salt.liquid.sum() == approx(liquid, rel=1e-10)
    assert salt.amount == approx(salt.liquid * salt.c, rel=1e-7, abs=1e-12)
    assert salt.height[-1] < salt.liquid[-1] < salt.height[-1] + 1e-6 * got.pictures[-1].lithium.mean(axis=(1, 2)).sum()
    assert got.ledger.residual_mAh_per_cm2 < 1e-9
    at_the_collector = got.salt_mol_per_L[:, 0]
    assert at_the_collector[0] == approx(1.0)
    assert at_the_collector.min() < 0.93 < 1.0 < at_the_collector.max()


def test_a_film_that_grows_pushes_its_liquid_up_and_keeps_sand_s_time(salts):
    with pytest.raises(SolverError, match="salt is used up"):
        followed(Ground.bare(2, 2, voxel_um=0.5), EVEN, current(-100.0, 5.0), gap_um=400.0, liquid=PLAIN)
    assert salts[0][0].since_s == approx(sand_time_s(PLAIN, 100.0), rel=0.02)


def test_the_bits_do_not_depend_on_the_threads():
    host = np.zeros((20, 56, 56))
    host[:, ::7, ::7] = 1.0
    ground = Ground(host, 20, 0.5, True)
    one, two = (followed(ground, deposition("cp"), current(-18.75, 0.03), gap_um=100.0, n_threads=n) for n in (1, 2))
    assert one.salt_mol_per_L.tobytes() == two.salt_mol_per_L.tobytes()
    assert (one.pictures[0].lithium == two.pictures[0].lithium).all()


def test_what_cannot_be_a_gap_is_refused():
    with pytest.raises(InputError, match=r"gap\.length_um = 3: more than the 9 planes"):
        followed(Ground.bare(2, 2, voxel_um=0.5), EVEN, current(-1.0, 0.1), gap_um=3.0)
    salt = salt_over(np.ones(3), length_um=4.0)
    with pytest.raises(SolverError, match="grown through the gap of 4 um"):
        salt.lay(np.ones(7), np.ones(7), np.ones(7))


WRITTEN = """title = "a small cell"
sample = "cp"
electrolyte = "litfsi-dol-dme-lino3"
[gap]
length_um = 150
[network]
bundle_diameter_um = 2.0
fibre_length_um = 30
tilt_deg = 10
[box]
width_um = 20
voxel_um = 1
seeds = [1]
[protocol]
name = "once"
steps = [{ kind = "constant-current", current_density_mA_per_cm2 = -20, duration_s = 40 }]
"""


def written(folder, old="", new=""):
    (folder / "cell.toml").write_text(WRITTEN.replace(old, new), encoding="utf-8")
    return read(str(folder / "cell.toml"), NetworkOptions())


def test_a_file_with_a_gap_follows_more_than_10_mA_per_cm2_and_says_what_it_carries(tmp_path):
    found = deposit_findings(written(tmp_path), workers=1).items[0]
    said = found.summary["gap"]
    assert (said["length_um"], said["porosity"], said["highest_current_mA_per_cm2"]) == (150.0, 1.0, 20.0)
    assert said["limiting_current_mA_per_cm2"] == approx(18.4 * 6.0, rel=0.01)
    least = said["least_salt_at_collector_mol_per_L"]["mean"]
    assert 0.5 < least < said["least_salt_over_host_mol_per_L"]["mean"] < 1.0
    assert found.summary["closes_within_mAh_per_cm2"] < 1e-9
    assert "diffusivity" in {row["name"] for row in found.summary["parameters"]}
    assert found.tables["front"]["salt_at_collector_mol_per_L"].min() == approx(least)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("length_um = 150", "length_um = -1", "cell.toml:5: gap.length_um = -1"),
        ("length_um = 150", "lenght_um = 150", "lenght_um"),
        ("length_um = 150", "length_um = 150\nporosity = 40", "cell.toml:6: gap.porosity = 40"),
        ('electrolyte = "litfsi-dol-dme-lino3"\n', "", "gap: needs electrolyte"),
        ("length_um = 150", "length_um = 5", "gap.length_um = 5: more than the 28 planes"),
    ],
)
def test_what_is_wrong_with_a_gap_is_said(tmp_path, old, new, told):
    assert old in WRITTEN
    with pytest.raises(InputError) as problem:
        deposit_findings(written(tmp_path, old, new), workers=1)
    assert told in str(problem.value)
