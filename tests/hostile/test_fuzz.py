"""Every reader that runs in this process, fed with mutations of small hand-written files: `corpus/seed-*`.

Files that once broke a reader or an analysis are kept as `corpus/broke-*` and read in every run. A longer run:

    INTERLITH_FUZZ_EXAMPLES=50000 python -m pytest tests/hostile/test_fuzz.py
"""

import os
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interlith.cycling.analyze import analyze
from interlith.cycling.formats import FORMATS
from interlith.cycling.formats.format import Head
from interlith.cycling.reading import read
from interlith.errors import InterlithError
from interlith.record import CURRENT, TIME, VOLTAGE

CORPUS = Path(__file__).with_name("corpus")
SEEDS = sorted(CORPUS.glob("seed-*"))
EXAMPLES = int(os.environ.get("INTERLITH_FUZZ_EXAMPLES", "600"))
LONGEST_S = 5.0
FOLDER = Path(tempfile.mkdtemp(prefix="interlith-fuzz-"))
TOKENS = [
    b"\0", b"\xef\xbb\xbf", b"\xff\xfe", b'"', b"'", b",", b";", b"\t", b"\r", b"\n", b"\r\r\n", b" ", b"-", b"--",
    b"1e400", b"-1e400", b"1e-400", b"NaN", b"inf", b"#REF!", b"0", b"-0", b"9" * 30, b"1,5", b"1.234,5", b"1,234.5",
    b"2026-02-30 25:61:61", b"00:00:00", b"-1-00:00:00", b"99999:00:00", b"\xb5A", "电流".encode("gbk"), b"<html>",
    b"1" * 5000, b"," * 300, b"\n" * 50, b"\x1a", b"\x85", b"\xe2\x80\xa8",
]  # fmt: skip


@st.composite
def mutated(draw) -> tuple[str, bytes]:
    """A seed with one to six places changed: bytes, tokens, lines, or the end."""
    seed = draw(st.sampled_from(SEEDS))
    data = bytearray(seed.read_bytes())
    for _ in range(draw(st.integers(1, 6))):
        change(draw, data)
    return seed.suffix, bytes(data)


def change(draw, data: bytearray) -> None:
    kind = draw(st.sampled_from(["flip", "token", "replace", "cut", "delete", "repeat", "lines", "field"]))
    at, end = sorted(draw(st.tuples(*[st.integers(0, len(data))] * 2)))
    if kind == "flip" and at < len(data):
        data[at] ^= 1 << draw(st.integers(0, 7))
    elif kind == "token":
        data[at:at] = draw(st.sampled_from(TOKENS))
    elif kind == "replace":
        data[at : at + draw(st.integers(1, 8))] = draw(st.sampled_from(TOKENS))
    elif kind == "cut":
        del data[end:]
    elif kind == "delete":
        del data[at : min(end, at + 40)]
    elif kind == "repeat":
        data[end:end] = data[at:end] * draw(st.integers(1, 3))
    else:
        parts = data.split(b"\n" if kind == "lines" else b",")
        one, other = draw(st.tuples(*[st.integers(0, len(parts) - 1)] * 2))
        parts[one], parts[other] = parts[other], parts[one]
        data[:] = (b"\n" if kind == "lines" else b",").join(parts)


def check(data: bytes, suffix: str) -> None:
    """A record whose numbers are numbers and whose time never goes back, analyzed; or one of interlith's errors."""
    path = FOLDER / f"{os.getpid()}{suffix}"
    path.write_bytes(data)
    begin = time.perf_counter()
    refused, record = "", None
    try:
        record = read(path, use_cache=False)
    except InterlithError as problem:
        refused = str(problem)
    assert time.perf_counter() - begin < LONGEST_S
    if record is None:
        assert path.name in refused
        assert "\n" not in refused
        return
    series = record.series()
    assert all(np.isfinite(series[name].to_numpy()).all() for name in (TIME, VOLTAGE, CURRENT))
    assert (np.diff(series[TIME].to_numpy()) >= 0).all()
    assert all(flag.first_row is None or flag.first_row >= 0 for flag in record.flags)
    found = analyze(record)
    assert np.isfinite(found.cycled.half_cycles["charge_mAh"].to_numpy()).all()
    assert found.cycled.cycles["efficiency"].drop_nulls().is_finite().all()


def test_seeds_cover_every_reader_of_this_process():
    covered = {known.name for seed in SEEDS for known in FORMATS if known.recognize(Head(seed))}
    assert covered >= {known.name for known in FORMATS if not known.isolated}


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*")), ids=lambda path: path.name)
def test_corpus(path):
    check(path.read_bytes(), path.suffix)


@settings(
    max_examples=EXAMPLES,
    derandomize=EXAMPLES <= 600,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(mutated())
def test_mutations(case):
    suffix, data = case
    check(data, suffix)
