"""The command that simulates, as a person meets it: models, lists, interruption, a damaged cache."""

import json
import os
import subprocess
import sys

import polars as pl
import pytest
from typer.testing import CliRunner

import interlith.cell.simulate as module
from interlith.cell import compiled
from interlith.cell.simulate import BY_HAND, simulate
from interlith.cell_test import cell_test
from interlith.cli import app

QUICK = ["--sample", "cp", "--protocol", "aurbach", "--quiet"]


def asked(*arguments):
    return CliRunner().invoke(app, ["simulate", *arguments])


def interrupt_after(monkeypatch, n_calls):
    n_calls += 1  # the first loads the code
    calls, real = [], module.advance

    def advance(*arguments):
        calls.append(1)
        if len(calls) > n_calls:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(module, "advance", advance)


def test_a_resolved_cell_by_one_word(tmp_path):
    found = json.loads(asked(*QUICK, "--model", "resolved", "--json", "--out", str(tmp_path)).stdout)
    assert found["model"] == "resolved"
    assert found["ce_reservoir"] == pytest.approx(0.9162, abs=5e-4)
    table = pl.read_parquet(tmp_path / "records" / "cp-aurbach-resolved.depth.parquet")
    assert table["place"].unique().sort().to_list() == ["counter", "separator", "working"]
    assert (tmp_path / "figures" / "cp-aurbach-resolved.depth.svg").is_file()


def test_a_study_file_names_its_model(tmp_path):
    path = tmp_path / "s.toml"
    path.write_text('sample = "cp-zno-002"\nprotocol = "cv-zno"\nmodel = "resolved"', encoding="utf-8")
    out = tmp_path / "out"
    found = json.loads(asked(str(path), "--json", "--quiet", "--out", str(out)).stdout)
    assert found["model"] == "resolved"
    assert (out / "figures" / "s-resolved.ramps.svg").is_file()
    ramps = pl.read_csv(out / "figures" / "s-resolved.ramps.csv")
    assert ramps["current_mA_per_cm2"].min() < -0.5  # conversion, at 0.5 V
    path.write_text('sample = "cp"\nmodel = "resolvd"', encoding="utf-8")
    refused = asked(str(path), "--quiet")
    assert refused.exit_code == 3
    assert "resolvd" in refused.stderr
    assert "lumped, resolved" in refused.stderr


def test_the_list_names_the_models():
    found = json.loads(asked("--list", "--json").stdout)
    assert [row["name"] for row in found["models"]] == ["lumped", "resolved"]


@pytest.mark.parametrize("model", ["lumped", "resolved"])
def test_stopped_by_hand_it_keeps_what_was_done(monkeypatch, tmp_path, model):
    interrupt_after(monkeypatch, 7)
    stopped = asked(*QUICK, "--model", model, "--out", str(tmp_path))
    assert stopped.exit_code == 130
    assert "To begin again: interlith" in stopped.stderr
    (found,) = json.loads((tmp_path / "findings.json").read_text(encoding="utf-8"))["files"]
    assert found["interrupted"]
    assert found["stopped"] == f"{BY_HAND} after step 7"
    assert found["residual"] < 1e-6


def test_a_program_gets_its_interrupt_unless_it_asks_to_keep(monkeypatch):
    made = cell_test("cp", "aurbach")
    interrupt_after(monkeypatch, 3)
    with pytest.raises(KeyboardInterrupt):
        simulate(made.cell, made.protocol)
    interrupt_after(monkeypatch, 0)
    with pytest.raises(KeyboardInterrupt):  # nothing to keep
        simulate(made.cell, made.protocol, keep_interrupted=True)


@pytest.mark.slow
def test_damaged_compiled_code_is_named(tmp_path):
    environment = {**os.environ, "INTERLITH_CACHE": str(tmp_path)}
    command = [sys.executable, "-m", "interlith", "simulate", "--sample", "cp", "--json", "--quiet"]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    kept = list(tmp_path.rglob("advance.advance-*.nb*"))
    assert kept
    whole = {path: path.read_bytes() for path in kept}
    for path in kept:
        for damage in (b"", b"\x00damaged", bytes(range(256)) * 4):
            path.write_bytes(damage)
            again = subprocess.run(command, env=environment, capture_output=True, text=True)
            assert again.returncode in (0, 5), (path, damage)  # 0: numba saw it and compiled again
            assert again.returncode == 0 or "damaged; delete the folder" in again.stderr
            assert "Traceback" not in again.stderr
            path.write_bytes(whole[path])


def test_compiling_is_said_only_when_it_will_happen(monkeypatch, tmp_path):
    monkeypatch.setattr(compiled, "FOLDER", str(tmp_path))
    assert not compiled.is_kept("lumped")
    with compiled.loading("lumped"):
        pass
    assert compiled.is_kept("lumped")
    assert not compiled.is_kept("resolved")


def test_a_full_cell_by_its_protocol(tmp_path):
    ran = asked("--sample", "cp-zno-002", "--protocol", "pouch-ncm90", "--quiet", "--json", "--out", str(tmp_path))
    found = json.loads(ran.stdout)
    assert (found["kind"], found["stopped"]) == ("full", None)
    assert found["fade"]["n_cycles"] == 50
    assert found["fade"]["measured"]["retention"] == 0.943
    assert found["fade"]["explained"] == found["fade"]["by_lithium"] == 0.0  # foil is left
    assert found["ledger"]["positive"] > 1.0
    assert any("stand-in" in text for text in found["said"])
    assert any("does not age" in text for text in found["said"])
    assert (tmp_path / "figures" / "cp-zno-002-pouch-ncm90.ledger.svg").exists()


def test_a_positive_is_changed_by_its_name():
    ran = asked(
        "--sample", "cp", "--protocol", "li-lco", "--quiet", "--json", "--set", "positive.active_loss_per_cycle=0.01"
    )
    found = json.loads(ran.stdout)
    assert found["ledger"]["positive_stranded"] > 0.01
    assert any("loss of its material" in text for text in found["said"])
    wrong = asked("--sample", "cp", "--protocol", "li-lco", "--set", "positive.active_los_per_cycle=0.01")
    assert wrong.exit_code == 3
    assert "active_loss_per_cycle" in wrong.stderr


@pytest.mark.parametrize(
    ("arguments", "say"),
    [
        (("--sample", "cp", "--protocol", "li-ncm811", "--model", "resolved"), "full cell is lumped"),
        (("--sample", "cu", "--protocol", "li-ncm811"), "give a host"),
        (("--sample", "cp", "--protocol", "li-ncm811", "--set", "counter.thickness_um=30"), "no counter in a cell"),
        (("--sample", "cp", "--protocol", "aurbach", "--cell", "li-ncm811"), "charging raises the voltage"),
        (("--held-out", "--sample", "cp"), "one of them"),
        (("--held-out", "--calibrate", "reference"), "one of them"),
        (("--sample", "cp", "--draws", "3"), "goes with --held-out"),
    ],
)
def test_what_a_full_cell_cannot_be_asked(arguments, say):
    ran = asked(*arguments, "--quiet")
    assert ran.exit_code == 3
    assert say in ran.stderr
