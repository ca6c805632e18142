"""Prediction intervals hold the share of new samples that they promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nkpredict.learn._intervals import interval_half_width

RESIDUALS = st.lists(st.floats(-10, 10), min_size=1, max_size=60)


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9])
@pytest.mark.parametrize("draw", ["normal", "standard_cauchy", "exponential"])
def test_new_samples_are_covered_whatever_the_distribution(coverage: float, draw: str) -> None:
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(400):
        width = interval_half_width(getattr(rng, draw)(size=39), coverage)
        covered.append(np.mean(np.abs(getattr(rng, draw)(size=50)) <= width))
    assert np.mean(covered) == pytest.approx(coverage, abs=0.015)


@settings(max_examples=100)
@given(RESIDUALS, st.floats(0.05, 0.95))
def test_enough_of_the_seen_residuals_lie_within(residuals: list[float], coverage: float) -> None:
    width = interval_half_width(np.array(residuals), coverage)
    if not math.isnan(width):
        assert np.mean(np.abs(residuals) <= width) >= coverage
        assert width in np.abs(residuals)
    # signs and order do not matter
    np.testing.assert_equal(interval_half_width(-np.array(residuals)[::-1], coverage), width)


@given(RESIDUALS, st.floats(0.05, 0.9), st.floats(0.05, 0.9))
def test_more_coverage_takes_a_wider_interval(residuals, first: float, second: float) -> None:
    low, high = sorted((first, second))
    values = np.array(residuals)
    narrow, wide = interval_half_width(values, low), interval_half_width(values, high)
    assert math.isnan(wide) or narrow <= wide


def test_nine_residuals_are_the_fewest_for_nine_tenths() -> None:
    assert math.isnan(interval_half_width(np.ones(8)))
    assert interval_half_width(np.ones(9)) == 1
