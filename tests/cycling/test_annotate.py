"""Mode and half cycle of each row."""

from dataclasses import replace

import polars as pl

from interlith.cycling.analyze import analyze
from interlith.cycling.annotate import annotated
from interlith.cycling.reading import read
from interlith.cycling.synthetic import examples
from interlith.record import read_record, write_record

TESTS = {example.name: example.record for example in examples()}


def test_half_cycles_and_modes_of_a_host():
    table = annotated(analyze(TESTS["efficiency"]).cycled).table
    assert table["half_cycle"].drop_nulls().n_unique() == 200
    assert set(table["mode"]) == {"rest", "cc"}
    assert table.filter(pl.col("mode") == "rest")["half_cycle"].null_count() == (table["mode"] == "rest").sum()
    charge = table.filter(pl.col("half_cycle") == 0)["current_ampere"]
    assert (charge < 0).all()


def test_a_hold_is_told_from_a_constant_current(tmp_path):
    up = TESTS["full"].table.filter(pl.col("step_count") == 1)
    held = up[-1:].select(pl.all().repeat_by(50).explode())
    fall = pl.Series([0.9**k for k in range(1, 51)])
    held = held.with_columns(
        pl.col("test_time_second") + pl.Series(range(60, 3060, 60)),
        (pl.col("current_ampere") * fall).alias("current_ampere"),
    )
    record = replace(TESTS["full"], table=pl.concat([up, held]))
    table = annotated(analyze(record).cycled).table
    assert table[:250]["mode"].unique().to_list() == ["cc"]
    assert table[-48:]["mode"].unique().to_list() == ["cv"]
    path = tmp_path / "annotated.bdf.parquet"
    write_record(annotated(analyze(record).cycled), path)
    assert read_record(path).table.equals(table)


def test_impedance_points_keep_their_place(cycler):
    found = analyze(read(cycler / "biologic/anode_vs_Li_with_peis.mpr"))
    table = annotated(found.cycled).table
    assert (table["mode"] == "eis").sum() == 310
    assert table.filter(pl.col("mode") == "eis")["frequency_hertz"].null_count() == 0
    assert table.height == found.record.n_rows
    only = analyze(read(cycler / "eis/exampleData.csv"))
    assert annotated(only.cycled).table["mode"].unique().to_list() == ["eis"]
