"""Contract checks for authors of plug-ins: each raises AssertionError that says which duty is not met.

from interlith.testing import check_format
def test_my_format():
    check_format(FORMAT, sample=Path("sample.xyz"))
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from interlith.cycling.clean import to_record
from interlith.cycling.formats import Format, Head, Raw, ReadOptions
from interlith.errors import InterlithError
from interlith.record import BY_NAME, CURRENT, FREQUENCY, TIME, VOLTAGE, Provenance


def check_format(known: Format, sample: Path, options: ReadOptions | None = None) -> Raw:
    """The duties of a Format, on one sample file of its kind.

    It recognizes the sample by content (also under another name) and not an empty or foreign file; reads it into known
    columns with the required ones, finite where they are series; gives the same twice; raises only interlith's errors
    for a file cut in half, or flags it, and never gives more rows than the whole.
    """
    assert known.name == known.name.lower(), "name: lower case, words joined by '-'"
    assert known.title, "title: what it reads, for people"
    assert all(suffix.startswith(".") for suffix in known.suffixes), "suffixes begin with a dot"
    check_recognition(known, sample)
    raw = known.read(sample, options or ReadOptions())
    _check_raw(raw)
    again = known.read(sample, options or ReadOptions())
    assert raw.table.equals(again.table, null_equal=True), "the same file must give the same table"
    provenance = Provenance(sample.name, "", known.name, "check_format")
    assert to_record(raw, provenance).n_rows > 0, "no row survives cleaning"
    return raw


def check_recognition(known: Format, sample: Path) -> None:
    """Content decides: the sample is recognized, text of no instrument is not."""
    assert known.recognize(Head(sample)), f"{known.name} does not recognize {sample.name}"
    foreign = sample.with_name("foreign-check.txt")
    foreign.write_text("Dear colleague,\nplease find the report attached.\n", encoding="utf-8")
    try:
        assert not known.recognize(Head(foreign)), f"{known.name} claims a letter"
    finally:
        foreign.unlink()


def check_damage(known: Format, sample: Path, options: ReadOptions | None = None, parts: int = 8) -> None:
    """Cut or with bytes flipped, a file is refused with interlith's errors, or read with no more rows than whole.

    For formats read in this process only; isolated ones are guarded by their child process.
    """
    data = sample.read_bytes()
    whole = known.read(sample, options or ReadOptions()).table.height
    damaged = sample.with_name("damaged-check" + sample.suffix)
    rng = np.random.default_rng(0)
    try:
        for part in range(1, parts):
            damaged.write_bytes(data[: len(data) * part // parts])
            assert _rows(known, damaged, options) <= whole, "a cut file gave more rows than the whole"
            flipped = bytearray(data)
            for place in rng.integers(0, len(data), 10):
                flipped[place] ^= 1 << int(rng.integers(0, 8))
            damaged.write_bytes(bytes(flipped))
            _rows(known, damaged, options)
    finally:
        damaged.unlink(missing_ok=True)


def _rows(known: Format, path: Path, options: ReadOptions | None) -> int:
    from interlith.cycling.isolation import guarded

    rows = [0]

    def work() -> None:
        rows[0] = known.read(path, options or ReadOptions()).table.height

    answer = guarded(work, path.name, known.title)
    assert not answer or issubclass(_error(answer["error"]), InterlithError)
    return rows[0]


def _error(name: str) -> type[BaseException]:
    from interlith import errors

    return getattr(errors, name)


def _check_raw(raw: Raw) -> None:
    names = raw.table.columns
    unknown = [name for name in names if name not in BY_NAME]
    assert not unknown, f"not columns of a record: {unknown}"
    missing = [name for name in (TIME, VOLTAGE, CURRENT) if name not in names]
    assert not missing, f"required columns missing: {missing}"
    series = raw.table.filter(raw.table[FREQUENCY].is_null()) if FREQUENCY in names else raw.table
    if series.height:
        finite = np.isfinite(series[CURRENT].cast(float).to_numpy()).mean()
        assert finite > 0.5, "most rows of the series have no current"
