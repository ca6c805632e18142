"""The numbers of a comparison: known cases, symmetry, and that intervals hold what they should."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import mannwhitneyu

from nkpredict.comparison._genes import gene_differences
from nkpredict.comparison._statistics import ALL, WITHIN, by_lineage, difference

SCORES = arrays(float, st.integers(3, 25), elements=st.floats(-5, 5, width=32))


@pytest.mark.slow
@given(SCORES, SCORES)
def test_turning_the_cohorts_round_turns_the_difference(first, second) -> None:
    one, other = difference(first, second), difference(second, first)
    assert one.superiority == pytest.approx(1 - other.superiority)
    assert one.superiority_lower == pytest.approx(1 - other.superiority_upper, abs=1e-6)
    assert one.shift == pytest.approx(-other.shift, abs=1e-9)
    assert one.p == pytest.approx(other.p)
    assert one.overlap == pytest.approx(other.overlap)


@pytest.mark.slow
@given(SCORES, SCORES)
def test_intervals_hold_their_estimates(first, second) -> None:
    one = difference(first, second)
    assert 0 <= one.superiority_lower <= one.superiority <= one.superiority_upper <= 1
    assert one.shift_lower <= one.shift <= one.shift_upper
    assert one.superiority_upper - one.superiority_lower > 0.01
    assert one.lower_quartile_a <= one.median_a <= one.upper_quartile_a


def test_cohorts_apart_have_an_interval_all_the_same() -> None:
    one = difference(np.arange(10.0) + 100, np.arange(10.0))
    assert one.superiority == 1
    assert 0.7 < one.superiority_lower < 0.95
    assert one.superiority_upper == 1
    assert one.overlap == 0
    assert one.shift == 100


@pytest.mark.slow
def test_the_interval_of_superiority_holds_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        # 0.7602 = Phi(1 / sqrt 2)
        one = difference(rng.normal(1, 1, 20), rng.normal(0, 1, 15))
        held += one.superiority_lower <= 0.7602 <= one.superiority_upper
    assert 0.92 <= held / 400 <= 0.985


def strata(shift: float, lineages: dict[str, tuple[int, int, float]], seed: int = 0):
    """Cohorts of which lineages differ in number and level."""
    rng = np.random.default_rng(seed)
    tables = [
        pd.DataFrame(
            {
                "score": rng.normal(level, 1, n + m) + shift * (np.arange(n + m) < n),
                "first": np.arange(n + m) < n,
                "lineage": name,
            }
        )
        for name, (n, m, level) in lineages.items()
    ]
    return pd.concat(tables, ignore_index=True)


def test_a_difference_of_lineages_is_none_within_lineages() -> None:
    samples = strata(0.0, {"AML": (40, 10, 3.0), "MM": (10, 40, 0.0), "BCL": (1, 30, 0.0)}, seed=3)
    inside = samples["first"].to_numpy()
    scores = samples["score"].to_numpy()
    assert difference(scores[inside], scores[~inside]).p < 1e-4
    found, left_out = by_lineage(samples)
    assert [row.stratum for row in found] == [WITHIN, "AML", "MM"]
    assert left_out == ("BCL",)
    assert found[0].p > 0.05
    assert found[0].superiority_lower < 0.5 < found[0].superiority_upper


def test_one_lineage_is_the_plain_comparison() -> None:
    samples = strata(1.0, {"AML": (60, 50, 0.0)})
    within, alone = by_lineage(samples)[0]
    assert within.superiority == alone.superiority
    inside = samples["first"]
    exact = mannwhitneyu(
        samples["score"][inside],
        samples["score"][~inside],
        method="asymptotic",
        use_continuity=False,
    )
    assert within.p == pytest.approx(exact.pvalue, rel=0.02)
    assert alone.stratum == "AML" != ALL


def test_genes_differ_by_welch_and_add_up() -> None:
    rng = np.random.default_rng(1)
    first = pd.DataFrame(rng.normal(0, 1, (30, 4)), columns=list("ABCD"))
    second = pd.DataFrame(rng.normal(0, 2, (20, 4)), columns=list("ABCD"))
    first["A"] += 5
    first["D"] = second["D"] = 0.0
    first["C"], second["C"] = 1.0, 0.5
    table = gene_differences(first, second[["D", "C", "B", "A"]])
    assert sorted(table["gene"]) == ["A", "B", "C"]
    assert table["difference"].abs().is_monotonic_decreasing
    total = first.mean().sum() - second.mean().sum()
    assert table["difference"].sum() == pytest.approx(total)
    held = table.set_index("gene")
    assert held.loc["A", "lower"] < 5 < held.loc["A", "upper"]
    assert held.loc["C", ["lower", "upper"]].tolist() == [0.5, 0.5]
    assert held.loc["A", "fdr"] < 0.01 < held.loc["B", "fdr"]


def test_against_the_average_profile_the_other_side_is_nothing() -> None:
    first = pd.DataFrame({"A": [1.0, 2.0, 3.0], "B": [0.0, 0.0, 0.0]})
    table = gene_differences(first, pd.DataFrame())
    assert table.to_dict("list")["gene"] == ["A"]
    assert table.loc[0, ["mean_a", "mean_b", "difference"]].tolist() == [2, 0, 2]
