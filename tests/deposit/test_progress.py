"""How far a deposition is: within a network, over all of them, from processes, on a terminal and beside it."""

import io
import os
import subprocess
import sys
import time
from functools import partial

import pytest
from small_study import SMALLER, written

from interlith import cli_running
from interlith.cli_running import charge_told
from interlith.deposit.follow import planned_charges
from interlith.deposition_run import Progress, each_network
from interlith.errors import PhysicsError
from interlith.protocol import ConstantCurrent, Rest


def test_what_steps_will_move():
    plate = ConstantCurrent(current_density_mA_per_cm2=-2.0, duration_s=1800.0)
    part = ConstantCurrent(current_density_mA_per_cm2=1.0, areal_capacity_mAh_per_cm2=0.25)
    rest, strip = Rest(duration_s=60.0), ConstantCurrent(current_density_mA_per_cm2=1.0, voltage_V=1.0)
    assert planned_charges([plate, part, rest, strip, strip, plate]) == pytest.approx([1.0, 0.25, 0.0, 0.75, 0.0, 1.0])


def two(place, n_threads, report):
    """A network that takes a while; the second one was half done by an earlier call."""
    for n in range(place * 2, 5):
        report.at(n / 4)
        time.sleep(0.4)
        if n == 3:
            report.say(f"network {place} speaks")
    return place, n_threads


@pytest.mark.parametrize("n_workers", [1, 2])
def test_all_networks_are_told_together(n_workers):
    seen, said = [], []
    assert each_network(two, 2, n_workers, seen.append, said.append) == [
        (n, {1: None, 2: 1}[n_workers]) for n in (0, 1)
    ]
    shares = [progress.share for progress in seen]
    assert shares == sorted(shares)
    assert {0.0, 1.0} <= {shares[0], shares[-1]}
    assert len({share for share in shares if 0.0 < share < 1.0}) >= 2
    assert (seen[-1].kept, seen[-1].n_done, seen[-1].n) == (0.25, 2, 2)
    assert sorted(said) == ["network 0 speaks", "network 1 speaks"]


def broken(folder, place, n_threads, report):
    """The second network cannot be followed; the first one would take ten minutes."""
    if place:
        raise PhysicsError("no way through")
    time.sleep(600)
    (folder / "done").touch()


def test_what_one_network_cannot_do_ends_all_at_once(tmp_path):
    with pytest.raises(PhysicsError, match="no way through"):
        each_network(partial(broken, tmp_path), 2, 2, lambda progress: None, lambda text: None)
    assert not (tmp_path / "done").exists()


def test_time_left_counts_what_this_call_has_done_itself(monkeypatch, capsys):
    clock = [0.0]
    monkeypatch.setattr(cli_running.time, "monotonic", lambda: clock[0])
    with charge_told(quiet=False) as tell:
        tell(Progress(0.5, 0.5, 1, 3))
        for clock[0], share in ((29.0, 0.55), (60.0, 0.6), (61.0, 0.61)):
            tell(Progress(share, 0.5, 1, 3))
    assert capsys.readouterr().err == "interlith: 60% of the charge, 1 of 3 networks done; about 4 min left\n"
    with charge_told(quiet=True) as tell:
        clock[0] = 1000.0
        tell(Progress(0.7, 0.5, 1, 3))
    assert capsys.readouterr().err == ""


def test_a_terminal_has_a_bar(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", Terminal())
    with charge_told(quiet=False) as tell:
        tell(Progress(0.42, 0.0, 1, 3))
        time.sleep(0.3)
    assert "42%" in sys.stderr.getvalue()
    assert "1 of 3 networks done; about 1 min left" in sys.stderr.getvalue()


def test_beside_a_terminal_a_run_says_how_far_it_is_and_nothing_else(tmp_path):
    text = SMALLER.replace("areal_capacity_mAh_per_cm2 = 3 ", "duration_s = 1 ")
    written(tmp_path, text)
    command = [sys.executable, "-m", "interlith", "deposit", "small.toml", "--no-cache"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert [line for line in done.stderr.splitlines() if " of the charge, " not in line] == []
    assert "mAh" in done.stdout
    assert not (tmp_path / "deposit").exists()
    assert not any("deposit" in name for name in os.listdir(os.environ["INTERLITH_CACHE"]))
