"""What the command line does with names, pipes, folders and disks that are out to get it."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from hostile_truth import LOSS, put

posix = pytest.mark.skipif(sys.platform == "win32", reason="names and devices of POSIX")
NAMES = [
    "sp ace.csv",
    "new\nline.csv",
    "ünï 电.csv",
    "-rf.csv",
    "--help.csv",
    "<script>alert(1)<_script>.csv",
    "\x1b[31mred.csv",
    "n" * 200 + ".csv",
    "twice.csv",
    "twice.csv-2",
]


def interlith(*arguments: str, **options) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "interlith", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


@pytest.fixture
def csv(tmp_path, bare):
    return put(tmp_path / "cell.csv", bare)


@posix
@pytest.mark.slow
def test_odd_names_and_odd_files_together(tmp_path, csv):
    """Every good file is analyzed, every bad one is told, in one run; the exit status says so."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name in NAMES:
        shutil.copy(csv, folder / name)
    shutil.copy(csv, os.fsencode(folder) + b"/bad\xff.csv")
    (folder / "empty.csv").write_bytes(b"")
    (folder / "cut.ndax").write_bytes(b"PK\3\4xxx")
    (folder / "loop").symlink_to("loop")
    os.mkfifo(folder / "fifo.csv")
    (folder / "folder.csv").mkdir()
    twice = [str(folder / "twice.csv")] * 2
    done = interlith("analyze", ".", *twice, "--json", "--out", str(tmp_path / "out"), "--workers", "2", cwd=folder)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    files = json.loads(done.stdout)["files"]
    assert sorted(f["path"] for f in files if f["error"]) == ["cut.ndax", "empty.csv"]
    good = [f["results"]["efficiency"]["mean_efficiency"] for f in files if not f["error"]]
    assert len(good) == len(NAMES) + 3
    assert [1 - e for e in good] == pytest.approx([LOSS] * len(good), rel=1e-4)
    tables = [path.name for path in (tmp_path / "out" / "tables").glob("*.cycles.csv")]
    assert len(tables) == len(good)
    page = (tmp_path / "out" / "report.html").read_text()
    assert "<script>alert(1)" not in page


@posix
@pytest.mark.parametrize("name", ["loop", "fifo", "/dev/null", "missing.csv", "n" * 300, "cell.csv/x"])
def test_what_is_no_file(tmp_path, csv, name):
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "fifo")
    done = interlith("analyze", name, "cell.csv", "--json", "--workers", "1", cwd=tmp_path)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    bad, good = json.loads(done.stdout)["files"]
    assert bad["error"]["type"] == "InputError"
    assert good["error"] is None


@pytest.mark.parametrize("out", ["cell.csv", "cell.csv/below", "/dev/null/below"])
def test_out_that_cannot_be_written(tmp_path, csv, out):
    done = interlith("analyze", "cell.csv", "--out", out, cwd=tmp_path)
    assert done.returncode == 5
    assert done.stderr.startswith("interlith: ")
    assert done.stderr.count("\n") == 1


@posix
def test_closed_pipe_is_quiet(csv):
    """What reads the answer closes it before it comes."""
    command = [sys.executable, "-m", "interlith", "analyze", str(csv), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.close()
        assert process.stderr.read() == ""


@posix
def test_full_disk_for_the_answer(csv):
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "interlith", "analyze", str(csv)]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 5
    assert done.stderr == "interlith: No space left on device\n"


@posix
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become nobody")
def test_no_permission(tmp_path, csv):
    csv.chmod(0)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == 0 and folder != tmp_path.parents[-1] and "pytest" in folder.name:
            folder.chmod(0o755)
    code = (
        "import os, sys; from interlith.cycling.reading import read; from interlith.errors import InputError\n"
        "os.setuid(65534)\n"
        "try: read(sys.argv[1])\n"
        "except InputError as problem: print(problem)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(csv)], capture_output=True, text=True, timeout=60)
    assert "ermission denied" in done.stdout, done.stderr


def test_a_fault_in_an_analysis_stops_no_other_file(tmp_path, csv, bare, monkeypatch):
    """A fault of our own is told without a traceback, and the rest goes on."""
    from interlith import analysis
    from interlith.analysis import AnalyzeOptions, analyze_files

    other = put(tmp_path / "other.csv", bare)
    right = analysis._analysis

    def wrong(task, options):
        if task.name == "cell.csv":
            raise ZeroDivisionError("by\nzero")
        return right(task, options)

    monkeypatch.setattr(analysis, "_analysis", wrong)
    bad, good = analyze_files([csv, other], AnalyzeOptions(), workers=1).items
    assert "fault of interlith (ZeroDivisionError: by)" in bad.summary["error"]["message"]
    assert good.summary["error"] is None
    with pytest.raises(ZeroDivisionError):
        analyze_files([csv], AnalyzeOptions(debug=True), workers=1)
