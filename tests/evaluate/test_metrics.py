"""How well predictions agree with what was measured, in all and within lineages."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nkpredict.evaluate import spearman
from nkpredict.evaluate._metrics import spearman_within, summarise


@settings(max_examples=50)
@given(st.permutations(range(12)), st.integers(0, 99))
def test_only_ranks_count(order: list[int], seed: int) -> None:
    observed = np.array(order, dtype=float)
    predicted = np.random.default_rng(seed).normal(size=12)
    skill = spearman(predicted, observed)
    assert -1 <= skill <= 1
    assert spearman(np.exp(predicted), observed**3) == pytest.approx(skill)
    assert spearman(-predicted, observed) == pytest.approx(-skill)
    assert spearman(observed, observed) == pytest.approx(1)


def test_a_constant_ranks_nothing() -> None:
    assert spearman(np.ones(9), np.arange(9.0)) == 0
    assert spearman(np.arange(9.0), np.full(9, 0.3) + 1e-14 * np.arange(9)) == 0


def test_knowing_the_lineage_alone_is_no_skill_within_it() -> None:
    lineage = np.repeat(["a", "b", "c"], 10)
    level = np.repeat([0.0, 5.0, 9.0], 10)
    observed = level + np.tile(np.linspace(0, 1, 10), 3)
    assert spearman(level, observed) > 0.9
    assert spearman_within(level, observed, lineage) == 0
    assert spearman_within(observed, observed, lineage) == pytest.approx(1)
    assert spearman_within(level - observed, observed, lineage) == pytest.approx(-1)


def test_lineages_count_by_their_samples_and_tiny_ones_not_at_all() -> None:
    observed = np.concatenate([np.arange(30.0), np.arange(10.0), np.arange(4.0)])
    predicted = np.concatenate([np.arange(30.0), -np.arange(10.0), -np.arange(4.0)])
    lineage = np.repeat(["large", "small", "tiny"], [30, 10, 4])
    assert spearman_within(predicted, observed, lineage) == pytest.approx((30 - 10) / 40)
    five = np.repeat(["large", "small"], [39, 5])
    assert spearman_within(predicted, observed, five) != pytest.approx(
        spearman(predicted[:39], observed[:39])
    )
    assert np.isnan(spearman_within(predicted[-4:], observed[-4:], lineage[-4:]))


def test_a_summary_is_the_mean_over_repetitions() -> None:
    parts = []
    for repeat, turned in enumerate((1, -1)):
        for model, size in (("ours", 1.0), ("mean", 0.0)):
            observed = np.arange(10.0)
            parts.append(
                pd.DataFrame(
                    {
                        "split": "random",
                        "repeat": repeat,
                        "model": model,
                        "lineage": "AML",
                        "observed": observed,
                        "predicted": size * turned * observed,
                    }
                )
            )
    table = summarise(pd.concat(parts)).set_index("model")
    assert list(table.index) == ["ours", "mean"]
    assert table.loc["ours", "spearman"] == pytest.approx(0)
    wrong = np.sqrt(np.mean((2 * np.arange(10.0)) ** 2))
    assert table.loc["ours", "rmse"] == pytest.approx(wrong / 2)
    assert table.loc["mean", ["spearman", "spearman_within_lineage"]].tolist() == [0, 0]
