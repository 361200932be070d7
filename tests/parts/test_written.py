"""Kinds of values in files that a person wrote: text, true and false are no numbers, however deep they stand."""

from collections.abc import Mapping
from typing import Literal

import pytest
from pydantic import ValidationError

from interlith.errors import InputError
from interlith.parts.changes import changed
from interlith.parts.deposition import deposition
from interlith.written import Written


class Table(Written):
    width_um: float | None = None
    seeds: tuple[int, ...] = ()
    points: tuple[tuple[float, float], ...] = ()
    noise: Mapping[str, float] = {}
    paper: float | tuple[float, float] | str = 0.0
    is_wet: bool = False
    rule: Literal["all", "some"] | float = "all"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("width_um", "2", 'width_um = "2": must be a number'),
        ("width_um", True, "width_um = true: must be a number"),
        ("seeds", [1, "2"], 'seeds = "2": must be numbers'),
        ("points", [[1.0, 2.0], [3.0, "4"]], 'points = "4": must be numbers'),
        ("points", [[1.0, False]], "points = false: must be numbers"),
        ("noise", {"V": "0.1"}, 'noise = "0.1": must be numbers'),
        ("paper", ["1", 2.0], 'paper = "1": must be numbers'),
        ("rule", True, "rule = true: must be a number"),
        ("width_um", {"value": "2", "source": "a ruler"}, "width_um: must be a number, no table"),
        ("is_wet", "yes", 'is_wet = "yes": must be true or false'),
        ("is_wet", 1, "is_wet = 1: must be true or false"),
        ("is_wet", 1.0, "is_wet = 1.0: must be true or false"),
    ],
)
def test_what_is_no_number_is_said(name, value, said):
    with pytest.raises(ValidationError) as told:
        Table(**{name: value})
    assert told.value.errors()[0]["msg"] == said


@pytest.mark.parametrize(
    ("name", "value"),
    [("width_um", None), ("width_um", 2), ("paper", "not told"), ("paper", [1, 2]), ("rule", "some"), ("is_wet", True)],
)
def test_what_fits_is_taken(name, value):
    assert Table(**{name: value}).model_dump()[name] in (value, tuple(value) if isinstance(value, list) else value)


def test_a_text_with_a_colon_is_shown_whole():
    with pytest.raises(InputError) as told:
        changed(deposition("cp"), {"grain_um": "a: b"})
    assert str(told.value) == 'grain_um = "a: b": must be a number'
