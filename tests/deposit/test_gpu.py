"""The kernels for a GPU, where there is none: in numba's simulator, and compiled to PTX."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from interlith.cli import app
from interlith.deposit.solver import gpu
from interlith.deposit.solver.team import Team
from interlith.errors import EnvironmentError_

cuda = pytest.importorskip("numba.cuda", reason="neither numba-cuda nor a numba that has a simulator")
HERE = Path(__file__).resolve().parent
HAS_COMPILER = importlib.util.find_spec("numba_cuda") is not None


def told_by(script, **environment):
    run = subprocess.run(
        [sys.executable, "-W", "ignore", str(HERE / script)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return json.loads(run.stdout)


def test_the_simulated_gpu_does_as_threads_do():
    told = told_by("gpu_simulated.py", NUMBA_ENABLE_CUDASIM="1")
    assert told["n_levels"] == 3
    assert told["n_iterations"][0] == told["n_iterations"][1] > 1
    assert told["apart"] < 1e-6
    assert told["labels"] == [True] * 4
    for migration in told["migration"]:
        assert migration["apart"] < 1e-5 < 1e-2 < migration["only_ways"]


@pytest.mark.skipif(not HAS_COMPILER, reason="numba-cuda is not installed: kernels cannot be compiled to PTX")
def test_every_kernel_compiles_to_ptx_without_atomic_sums():
    told = told_by("gpu_to_ptx.py", NUMBA_ENABLE_CUDASIM="0")
    assert told["compiled"] == told["launched"]
    assert told["targets"] == ["sm_70", "sm_80", "sm_90"]
    assert not told["with_atomic_sums"]


def test_a_missing_extra_is_told_with_the_command_that_brings_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EnvironmentError_, match=r"needs numba-cuda: pip install 'interlith\[gpu\]'"):
        Team(1, "cuda")


def test_a_missing_gpu_is_told(monkeypatch):
    def fails():
        raise RuntimeError("CUDA driver library\ncannot be found")

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    monkeypatch.setattr(cuda, "current_context", fails)
    with pytest.raises(EnvironmentError_, match=r"no NVIDIA GPU answers \(CUDA driver library cannot be found\)"):
        Team(1, "cuda")


@pytest.mark.parametrize("more", [["--network-only"], []])
def test_the_command_asks_for_the_gpu_before_it_computes(more, monkeypatch):
    monkeypatch.setattr(gpu, "check_gpu", lambda: (_ for _ in ()).throw(EnvironmentError_("no such device")))
    done = CliRunner().invoke(app, ["deposit", "reference-deposit", "--device", "cuda", *more])
    assert done.exit_code == EnvironmentError_.exit_code
    assert "no such device" in done.stderr
