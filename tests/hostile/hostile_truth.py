"""What is true of the synthetic test that the files here are made from, and how a finding is held against it."""

from pathlib import Path

import polars as pl
import pytest

from interlith.cycling.analyze import Analysis

LOSS, PLATED_mAh, N_CYCLES = 0.01, 1.0, 5
NAMES = {
    "test_time_second": "Test Time (s)",
    "voltage_volt": "Voltage (V)",
    "current_ampere": "Current (A)",
    "step_count": "Step Count",
}


def put(path: Path, content: pl.DataFrame | str | bytes) -> Path:
    if isinstance(content, pl.DataFrame):
        content = content.rename({k: v for k, v in NAMES.items() if k in content.columns}).write_csv()
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def flags(found: Analysis) -> dict[str, tuple[int, int | None]]:
    """Code -> (rows concerned, first row) of all flags."""
    return {flag.code: (flag.n_rows, flag.first_row) for flag in found.flags}


def check_truth(found: Analysis, without: tuple[int, ...] = (), n_cycles: int = N_CYCLES) -> None:
    """Charges and losses as they truly are, but for the cycles `without` (from 1), which have a reason instead."""
    table = found.cycled.cycles
    assert table.height == n_cycles
    for cycle, plated, stripped, efficiency, why in table.select(
        "cycle", "plated_mAh", "stripped_mAh", "efficiency", "no_efficiency_because"
    ).iter_rows():
        if cycle in without:
            assert efficiency is None, cycle
            assert why, cycle
        else:
            assert plated == pytest.approx(PLATED_mAh, rel=1e-6), cycle
            assert stripped == pytest.approx(PLATED_mAh * (1 - LOSS), rel=1e-6), cycle
            assert 1 - efficiency == pytest.approx(LOSS, rel=1e-4), cycle
