"""The commands as a person or a script meets them: what is printed where, and the exit status."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import polars as pl
import pytest
import typer

from interlith.cli_running import errors_told
from interlith.cycling.synthetic import examples, write_example

KEYS = {"path", "format", "rows", "cycles", "half_cycles", "kind", "kind_reason", "area_cm2", "working_electrode"}
KEYS |= {"flags", "results", "error"}


def interlith(*arguments, cwd, **more):
    command = [sys.executable, "-m", "interlith", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, **more)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    return {example.name: write_example(example, folder) for example in examples()}


def test_json_is_one_object_with_every_key_and_nothing_else_on_stdout(files, tmp_path):
    done = interlith("analyze", files["reservoir"], "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["files"]
    assert len(found) == 1
    assert set(found[0]) >= KEYS
    assert found[0]["error"] is None
    assert found[0]["kind"] == "reservoir"
    assert 1 - found[0]["results"]["reservoir"]["efficiency"] == pytest.approx(0.0011, rel=1e-6)


def test_a_bad_file_stops_no_other_and_the_exit_status_tells(files, tmp_path):
    bad = tmp_path / "broken.ndax"
    bad.write_bytes(b"PK\x03\x04 cut off")
    done = interlith("analyze", bad, files["full"], "--json", "--workers", "2", cwd=tmp_path)
    assert done.returncode == 3
    first, second = json.loads(done.stdout)["files"]
    assert set(first) >= KEYS
    assert first["error"]["type"] == "CorruptFile"
    assert "broken.ndax" in first["error"]["message"]
    assert second["error"] is None


def test_no_file_of_that_name(tmp_path):
    done = interlith("analyze", "nowhere.ndax", cwd=tmp_path)
    assert done.returncode == 3
    assert "nowhere.ndax: no such file" in done.stdout


@pytest.mark.parametrize("wrong", [["--kind", "aurbach"], ["--workers", "0"], ["--no-such-option"], []])
def test_wrong_usage_is_2(files, tmp_path, wrong):
    names = [files["full"]] if wrong else []
    done = interlith("analyze", *names, *wrong, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == "" or "Usage" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (["--threshold", "short_dropp=1"], "did you mean short_drop"),
        (["--columns", "voltage"], "COLUMN=HEADER"),
        (["--area-cm2", "-1"], "must be a positive number"),
    ],
)
def test_wrong_values_are_3_and_say_what_is_allowed(files, tmp_path, wrong, words):
    done = interlith("analyze", files["full"], *wrong, cwd=tmp_path)
    assert done.returncode == 3
    assert words in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def test_the_table_names_the_result_and_what_is_not_known(files, tmp_path):
    done = interlith("analyze", *files.values(), cwd=tmp_path)
    assert done.returncode == 0
    for word in ("reservoir", "efficiency", "symmetric", "full", "99.89 %", "offset assumed"):
        assert word in done.stdout
    assert "\x1b" not in done.stdout


def test_out_holds_the_page_figures_and_tables_and_nothing_half_written(files, tmp_path):
    done = interlith("analyze", files["efficiency"], "--out", "report", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    names = [p.relative_to(tmp_path / "report").as_posix() for p in (tmp_path / "report").rglob("*") if p.is_file()]
    assert "report.html" in names
    assert "findings.json" in names
    record = pl.read_parquet(tmp_path / "report/records" / (files["efficiency"].name + ".bdf.parquet"))
    assert record["half_cycle"].drop_nulls().n_unique() == 200
    again = interlith("analyze", "report/records", "--json", cwd=tmp_path)
    assert json.loads(again.stdout)["files"][0]["cycles"] == 100
    assert {".svg", ".png", ".csv", ".parquet"} <= {os.path.splitext(name)[1] for name in names}
    assert not [name for name in names if name.endswith(".partial")]
    assert json.loads((tmp_path / "report/findings.json").read_text())["files"][0]["kind"] == "efficiency"


def test_out_that_cannot_be_written_is_5(files, tmp_path):
    (tmp_path / "taken").write_text("a file")
    done = interlith("analyze", files["full"], "--out", "taken", cwd=tmp_path)
    assert done.returncode == 5
    assert "cannot be written" in done.stderr


def test_join_takes_the_files_as_one_test(files, tmp_path):
    table = pl.read_parquet(files["efficiency"])
    half = table.filter(pl.col("step_count") <= 200)
    half.write_parquet(tmp_path / "one.bdf.parquet")
    rest = table.filter(pl.col("step_count") > 200)
    rest.with_columns(
        pl.col("test_time_second") - rest["test_time_second"][0], pl.col("step_count") - 200
    ).write_parquet(tmp_path / "two.bdf.parquet")
    whole = json.loads(interlith("analyze", files["efficiency"], "--json", cwd=tmp_path).stdout)["files"][0]
    both = json.loads(
        interlith("analyze", "--join", "one.bdf.parquet", "two.bdf.parquet", "--json", cwd=tmp_path).stdout
    )["files"]
    assert len(both) == 1
    assert both[0]["cycles"] == whole["cycles"]
    assert both[0]["results"]["efficiency"]["loss"] == pytest.approx(whole["results"]["efficiency"]["loss"], rel=1e-6)
    assert "joined" in [flag["code"] for flag in both[0]["flags"]]


def test_synthetic_files_show_truth_beside_result_and_say_so(tmp_path):
    done = interlith("analyze", "synthetic", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert "SYNTHETIC" in found["warning"]
    for file in found["files"]:
        assert file["error"] is None
        for row in file["truth"]:
            if "efficiency" in row["quantity"]:
                assert 1 - row["found"] == pytest.approx(1 - row["truth"], rel=1e-6)
    page = (tmp_path / "interlith-synthetic/report.html").read_text()
    assert page.count("SYNTHETIC") >= len(found["files"])
    done = interlith("analyze", "synthetic", "--out", "again", cwd=tmp_path)
    assert "truth" in done.stdout
    assert "SYNTHETIC" in done.stdout


def test_formats_lists_every_row_and_the_refused(tmp_path):
    from interlith.cycling.formats import FORMATS

    done = interlith("formats", cwd=tmp_path)
    assert done.returncode == 0
    for known in FORMATS:
        assert known.name in done.stdout
    assert ".cex is refused" in done.stdout
    listed = json.loads(interlith("formats", "--json", cwd=tmp_path).stdout)
    assert {row["name"] for row in listed["formats"]} == {known.name for known in FORMATS}


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_keeps_what_is_done_and_says_how_to_go_on(files, tmp_path):
    many = tmp_path / "many"
    many.mkdir()
    for number in range(60):
        (many / f"{number:02}.bdf.parquet").write_bytes(files["efficiency"].read_bytes())
    command = [sys.executable, "-m", "interlith", "analyze", "many", "--out", "out", "--no-cache", "--workers", "2"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    tables = tmp_path / "out/tables"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (tables.is_dir() and len(list(tables.glob("*.cycles.csv"))) >= 4):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "To go on: interlith analyze many" in stderr
    done = json.loads((tmp_path / "out/findings.json").read_text())["files"]
    assert 0 < len(done) < 60
    assert "Traceback" not in stderr


def test_a_closed_pipe_is_quiet(files, tmp_path):
    command = f"{sys.executable} -m interlith formats --json | head -c 10"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert len(done.stdout) == 10


def test_the_version(tmp_path):
    assert re.fullmatch(r"interlith \d+\.\d+\.\d+\n", interlith("--version", cwd=tmp_path).stdout)


def test_help_fits_80_columns(tmp_path):
    done = interlith("--help", cwd=tmp_path, env={**os.environ, "COLUMNS": "80"})
    assert max(len(line) for line in done.stdout.splitlines()) <= 80
    assert "..." not in done.stdout.replace("[ARGS]...", "")


def test_an_interrupt_in_compiled_code_ends_as_any_other(capsys):
    with pytest.raises(typer.Exit) as ended, errors_told(debug=False):
        raise SystemError("a result with an exception set") from KeyboardInterrupt()
    assert ended.value.exit_code == 130
    assert "stopped" in capsys.readouterr().err
    with pytest.raises(SystemError, match="something else"), errors_told(debug=False):
        raise SystemError("something else")
