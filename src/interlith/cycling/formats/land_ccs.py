"""LAND .ccs, the binary of LAND/LANHE cyclers; found out from one public file, so experimental.

After a header of changing length the file is blocks of 128 bytes: a tag (byte 0 the kind, byte 1 how many samples are
valid), a channel, six samples. A sample is a time since the one before in ms, voltage in V, current in A, and the
charge and the energy of that interval in Ah and Wh. A block of kind 2 marks the end of a step.

The unit of time is inferred from that file: there charge = current x time in every sample only with ms, the rest step
lasts 7200.000 s, and the discharge step's 33970.862 s are the difference of the two clock times in its kind 2 blocks.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from interlith.cycling.formats.format import Format, Head, Raw, ReadOptions
from interlith.errors import CorruptFile
from interlith.record import Flag
from interlith.units import MILLI, SECONDS_PER_HOUR

MAGIC = b"\x28\x95\x27\x95"  # bytes 4 to 7
N_SAMPLES = 6
SAMPLE = np.dtype([("delta", "<u4"), ("voltage", "<f4"), ("current", "<f4"), ("charge", "<f4"), ("energy", "<f4")])
BLOCK = np.dtype(
    [("kind", "u1"), ("n_valid", "u1"), ("zero", "<u2"), ("channel", "<u4"), ("sample", SAMPLE, (N_SAMPLES,))]
)
SAMPLES, STEP_END = 3, 2
CHARGE_TOLERANCE = 0.02


def recognize(head: Head) -> bool:
    """The file's mark, in bytes 4 to 7."""
    return head.data[4:8] == MAGIC


def read(path: Path, options: ReadOptions) -> Raw:
    """All samples of a .ccs, with the steps that its end marks tell."""
    data = path.read_bytes()
    whole = len(data) // BLOCK.itemsize * BLOCK.itemsize
    blocks = np.frombuffer(data[:whole], BLOCK)
    kind = _kinds(blocks)
    first = np.flatnonzero(kind == SAMPLES)
    if len(first) == 0:
        raise CorruptFile(f"{path.name}: a LAND .ccs without any block of samples; cut off?")
    blocks, kind = blocks[first[0] :], kind[first[0] :]
    flags = [_experimental(), *_oddities(blocks, kind, len(data) - whole)]
    is_data = kind == SAMPLES
    valid = is_data[:, None] & (np.arange(N_SAMPLES) < blocks["n_valid"][:, None])
    steps = np.repeat(1 + np.cumsum(kind == STEP_END), valid.sum(axis=1))
    sample = blocks["sample"][valid]
    flags += _time_unit_doubt(sample)
    return Raw(
        _table(sample, steps), "LAND", tuple(flags), notes=("layout and time unit inferred from one public file",)
    )


def _kinds(blocks: NDArray[np.void]) -> NDArray[np.int64]:
    """Kind of each block, 0 where it is neither samples nor a step's end."""
    samples = (blocks["kind"] == SAMPLES) & (blocks["n_valid"] >= 1) & (blocks["n_valid"] <= N_SAMPLES)
    ends = (blocks["kind"] == STEP_END) & (blocks["n_valid"] == 0)
    known = (samples | ends) & (blocks["zero"] == 0)
    return np.where(known, blocks["kind"], 0).astype(np.int64)


def _table(sample: NDArray[np.void], steps: NDArray[np.int64]) -> pl.DataFrame:
    current = sample["current"].astype(float)
    columns = {
        "test_time_second": np.cumsum(sample["delta"].astype(np.int64)) * MILLI,
        "voltage_volt": sample["voltage"].astype(float),
        "current_ampere": current,
        "step_count": steps,
        "record_index": np.arange(1, len(sample) + 1),
    }
    for name, target in (("charge", "capacity_ah"), ("energy", "energy_wh")):
        growth = np.nan_to_num(np.abs(sample[name].astype(float)), posinf=0.0)
        columns[f"charging_{target}"] = np.cumsum(np.where(current > 0, growth, 0.0))
        columns[f"discharging_{target}"] = np.cumsum(np.where(current < 0, growth, 0.0))
    return pl.DataFrame(columns)


def _experimental() -> Flag:
    message = (
        "LAND .ccs has no open description; layout and time unit (1 ms) were inferred from one public file. "
        "Compare the length of the test with LAND's own software"
    )
    return Flag("experimental", message)


def _oddities(blocks: NDArray[np.void], kind: NDArray[np.int64], n_left_over: int) -> list[Flag]:
    unknown = np.flatnonzero(kind == 0)
    flags = []
    if len(unknown):
        message = f"{len(unknown)} blocks of 128 bytes are of no known kind, left out; first is block {unknown[0]}"
        flags.append(Flag("unknown_blocks", message, len(unknown)))
    if n_left_over:
        flags.append(
            Flag("truncated", f"the last block is cut off ({n_left_over} of {BLOCK.itemsize} bytes); left out")
        )
    return flags


def _time_unit_doubt(sample: NDArray[np.void]) -> list[Flag]:
    """A flag when charge is not current x time, as it must be when the unit of time is right."""
    expected = np.sum(np.abs(sample["current"].astype(float)) * sample["delta"]) * MILLI / SECONDS_PER_HOUR
    counted = np.sum(np.abs(sample["charge"].astype(float)))
    if np.isclose(expected, counted, rtol=CHARGE_TOLERANCE, atol=0.0):
        return []
    message = f"the file counts {counted:.6g} Ah, current times time gives {expected:.6g} Ah: the time unit may differ"
    return [Flag("time_unit_doubt", message)]


FORMAT = Format(
    name="land-ccs",
    title="LAND .ccs",
    suffixes=(".ccs",),
    recognize=recognize,
    read=read,
    experimental=True,
)
