"""Intervals of 95 % hold the truth in 95 % of made-up patterns: counted, and judged by the binomial distribution."""

import pytest
from scipy.stats import binom

from interlith.characterize.diffraction.synthetic_pattern import synthetic_pattern
from interlith.characterize.diffraction.wurtzite import TEXTURE_LINES
from interlith.characterize.diffraction.xrd import measure_xrd

N_PATTERNS = 30
ALARM = 1e-4  # how rarely a right interval may fail the test


def held(one, truth):
    return one["low"] <= truth <= one["high"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("texture", "counts", "size"),
    [({"002": 4.0}, 600.0, 15.0), ({"002": 12.0, "101": 0.0}, 400.0, 25.0)],
)
def test_intervals_hold_the_truth(texture, counts, size):
    asked = {hkl: texture.get(hkl, 1.0) for hkl in TEXTURE_LINES}
    truth = {hkl: value * len(asked) / sum(asked.values()) for hkl, value in asked.items()}
    hits = dict.fromkeys((*truth, "size"), 0)
    for seed in range(N_PATTERNS):
        one = synthetic_pattern(texture, counts=counts, size_nm=size, seed=1000 + seed)
        found = measure_xrd(one, n_bootstrap=100, seed=seed, instrument_width_deg=0.06, substrate="none")
        for hkl, value in truth.items():
            hits[hkl] += held(found.values["texture_coefficients"][hkl], value)
        hits["size"] += held(found.values["crystallite_size_nm"], size)
    fewest = binom.ppf(ALARM, N_PATTERNS, 0.95)
    assert min(hits.values()) >= fewest, hits
    # all together they must not miss more than 5 % by more than chance; nor may they be so wide that they say nothing
    share = sum(hits.values()) / (len(hits) * N_PATTERNS)
    assert share > 0.93, hits
    assert min(hits.values()) < N_PATTERNS, hits
