"""Files made to harm, from a synthetic test of known truth: each cycle loses LOSS of 1 mAh plated on a host."""

import numpy as np
import polars as pl
import pytest
from hostile_truth import LOSS, N_CYCLES, put

from interlith import protocol
from interlith.cycling.analyze import Analysis, analyze
from interlith.cycling.reading import read
from interlith.cycling.synthetic import ToyCell, run


@pytest.fixture(scope="session")
def cell() -> pl.DataFrame:
    """A SYNTHETIC efficiency test, sampled every 10 s: plate, rest, strip, rest."""
    host = ToyCell("host", loss=lambda cycle: LOSS, noise_V=2e-4)
    return run(protocol.efficiency(n_cycles=N_CYCLES), host, sampling_s=10.0).table


@pytest.fixture(scope="session")
def bare(cell) -> pl.DataFrame:
    """The same without a step counter."""
    return cell.drop("step_count")


@pytest.fixture(scope="session")
def counted(cell) -> pl.DataFrame:
    """The same with the tester's own counters, which are right also where rows are missing."""
    time, current = cell["test_time_second"].to_numpy(), cell["current_ampere"].to_numpy()
    same_step = np.diff(cell["step_count"].to_numpy(), prepend=1) == 0
    passed = np.where(same_step, np.diff(time, prepend=0.0) * current / 3600, 0.0)
    return cell.with_columns(
        pl.Series("Charge Capacity (Ah)", np.cumsum(np.maximum(passed, 0.0))),
        pl.Series("Discharge Capacity (Ah)", np.cumsum(np.maximum(-passed, 0.0))),
    )


@pytest.fixture
def look(tmp_path):
    """Write a table, or text or bytes, as a file; read and analyze it."""

    def made(content: pl.DataFrame | str | bytes, name: str = "cell.csv", **options) -> Analysis:
        path = put(tmp_path / name, content)
        return analyze(read(path, use_cache=False, **options))

    return made


@pytest.fixture(scope="session")
def branch(bare) -> tuple[int, int]:
    """First and last row of the second plating."""
    on = bare["current_ampere"].to_numpy() < 0
    starts = np.flatnonzero(np.diff(on.astype(int), prepend=0) == 1)
    ends = np.flatnonzero(np.diff(on.astype(int), append=0) == -1)
    return int(starts[1]), int(ends[1])
