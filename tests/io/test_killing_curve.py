"""Area under viability over effector:target ratio, and how far replicates agree."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nkpredict.io import area_under_curve
from nkpredict.io._killing_curve import measurement_weights, noise_ceiling, replicate_areas

RATIOS = [0.0, 0.625, 1.25, 2.5, 5.0]


def area(*viability: float, ratios: list[float] = RATIOS) -> pd.Series:
    return area_under_curve(pd.DataFrame([viability], columns=ratios)).iloc[0]


def test_the_ends_of_the_scale() -> None:
    assert area(100, 100, 100, 100, 100)["viability_auc"] == 1
    assert area(0, 0, 0, 0, 0)["viability_auc"] == 0
    assert area(100, 120, 140, 150, 160)["viability_auc"] > 1
    # a straight line to 0 encloses half
    assert area(100, 87.5, 75, 50, 0)["viability_auc"] == pytest.approx(0.5)


def test_gaps_are_bridged_filled_or_too_large() -> None:
    assert area(100, 87.5, np.nan, 50, 0)["viability_auc"] == pytest.approx(0.5)
    assert area(np.nan, 87.5, 75, 50, 0)["viability_auc"] == pytest.approx(0.5)
    last = area(100, 87.5, 75, 50, np.nan)
    assert last["extrapolated"]
    assert last["viability_auc"] == pytest.approx(0.375 + 0.25)
    assert np.isnan(area(100, 87.5, 75, np.nan, np.nan)["viability_auc"])
    assert np.isnan(area(np.nan, np.nan, np.nan, np.nan, 0)["viability_auc"])
    assert area(100, np.nan, np.nan, np.nan, 0)["ratios_missing"] == 3


def test_ratios_beyond_the_screen_do_not_count() -> None:
    wide = area(100, 50, 0, 99, ratios=[0, 2.5, 5, 10])
    assert wide["viability_auc"] == area(100, 50, 0, ratios=[0, 2.5, 5])["viability_auc"]
    assert wide["ratios_measured"] == 3


@settings(max_examples=50)
@given(st.lists(st.floats(0, 200), min_size=5, max_size=5), st.permutations(range(5)))
def test_the_area_lies_within_the_curve_and_needs_no_order(viability, order) -> None:
    found = area(*viability)["viability_auc"]
    assert min(viability) / 100 - 1e-9 <= found <= max(viability) / 100 + 1e-9
    turned = area(*(viability[i] for i in order), ratios=[RATIOS[i] for i in order])
    assert turned["viability_auc"] == pytest.approx(found)


def test_the_ceiling_falls_with_the_noise_of_replicates() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(2000, 1))
    exact, noisy, chance = (
        noise_ceiling(pd.DataFrame(share * truth + sd * rng.normal(size=(2000, 3))))
        for share, sd in ((1, 0.0), (1, 1.0), (0, 1.0))
    )
    assert exact.spearman_ceiling == pytest.approx(1)
    # the mean of three replicates, each half noise, is three quarters signal
    assert noisy.reliability_of_mean == pytest.approx(0.75, abs=0.03)
    assert noisy.spearman_ceiling == pytest.approx(np.sqrt(0.75), abs=0.02)
    assert chance.spearman_ceiling < 0.3
    assert np.isnan(noise_ceiling(pd.DataFrame(truth)).spearman_ceiling)


def test_each_replicate_has_its_area() -> None:
    index = pd.MultiIndex.from_product([RATIOS, ["1", "2"]], names=["ratio", "replicate"])
    curves = pd.DataFrame({"a": np.tile([100.0, 0.0], 5), "b": 100.0}, index=index)
    areas = replicate_areas(curves)
    assert areas.loc["b"].tolist() == [1, 1]
    assert areas.loc["a"].tolist() == [1, 0]


def lines(missing: int = 0) -> pd.DataFrame:
    measured = [5] * 9 + [5 - missing]
    return pd.DataFrame(
        {
            "susceptibility": np.linspace(0.1, 0.9, 10),
            "ratios_measured": measured,
            "ratios_missing": 5 - np.array(measured),
        },
        index=[f"L{number}" for number in range(10)],
    )


def measured(replicates: int, of_first: int, noise: float = 0.1) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    areas = 0.5 + noise * rng.normal(size=(10, replicates))
    areas[0, of_first:] = np.nan
    return pd.DataFrame(areas, index=lines().index)


def test_lines_with_fewer_replicates_or_ratios_count_less() -> None:
    weights, facts = measurement_weights(lines(missing=2), measured(6, of_first=1))
    assert weights.mean() == pytest.approx(1)
    assert weights.nsmallest(2).index.tolist() == ["L0", "L9"]
    assert weights["L1"] == pytest.approx(weights["L2"]) == pytest.approx(facts.most)
    assert facts.least == pytest.approx(weights["L0"])
    assert facts.least > 0.5
    assert facts.replicate_sd == pytest.approx(0.1, abs=0.02)
    # of little noise all count nearly alike, however often each was measured
    calm, _ = measurement_weights(lines(), measured(6, of_first=1, noise=0.001))
    assert calm.min() > 0.999


def test_a_line_without_replicates_counts_like_one_measured_once() -> None:
    once, _ = measurement_weights(lines(), measured(4, of_first=1))
    never, facts = measurement_weights(lines(), measured(4, of_first=0))
    assert never["L0"] == pytest.approx(once["L0"], abs=1e-6)
    assert facts.lines_without_replicates == ("L0",)


@pytest.mark.parametrize(
    "areas", [measured(1, of_first=1), measured(3, of_first=3), measured(3, 1, noise=0.0)]
)
def test_lines_are_not_weighed_without_a_reason(areas: pd.DataFrame) -> None:
    assert measurement_weights(lines(), areas) is None
