"""Two groups of samples compared gene by gene, with permutation p values."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from nkpredict.explain._contrast import contrast_groups


def groups(first: int, second: int, outside: int = 0) -> tuple[np.ndarray, np.ndarray]:
    place = np.arange(first + second + outside)
    return place < first, (place >= first) & (place < first + second)


def parts(values: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(values, columns=[f"G{i}" for i in range(values.shape[1])])


def test_means_and_differences_are_those_of_the_groups() -> None:
    values = np.random.default_rng(0).normal(size=(12, 3))
    table = contrast_groups(parts(values), *groups(4, 5, 3), 99, 0)
    assert (table["difference"].abs().diff().dropna() <= 0).all()
    for gene, row in table.set_index("gene").iterrows():
        column = values[:, int(gene[1:])]
        assert row["mean_a"] == pytest.approx(column[:4].mean())
        assert row["mean_b"] == pytest.approx(column[4:9].mean())
        assert row["difference"] == pytest.approx(row["mean_a"] - row["mean_b"])


def test_samples_of_neither_group_change_nothing() -> None:
    values = np.random.default_rng(1).normal(size=(14, 4))
    with_others = contrast_groups(parts(values), *groups(5, 5, 4), 199, 0)
    alone = contrast_groups(parts(values[:10]), *groups(5, 5), 199, 0)
    pd.testing.assert_frame_equal(with_others, alone)


def test_p_values_agree_with_all_ways_to_deal_the_samples_out() -> None:
    values = np.random.default_rng(2).normal(size=(9, 5))
    values[:4] += np.linspace(0, 1.5, 5)
    table = contrast_groups(parts(values), *groups(4, 5), 20_000, 0).set_index("gene")
    observed = values[:4].mean(axis=0) - values[4:].mean(axis=0)
    dealt = []
    for chosen in combinations(range(9), 4):
        inside = np.isin(np.arange(9), chosen)
        dealt.append(values[inside].mean(axis=0) - values[~inside].mean(axis=0))
    exact = (np.abs(dealt) >= np.abs(observed) - 1e-9).mean(axis=0)
    np.testing.assert_allclose(table["p"].sort_index(), exact, atol=0.02)


def test_p_values_are_uniform_where_the_groups_are_alike() -> None:
    values = np.random.default_rng(3).normal(size=(20, 2000))
    p = contrast_groups(parts(values), *groups(10, 10), 199, 0)["p"]
    assert (p <= 0.05).mean() == pytest.approx(0.05, abs=0.02)
    assert p.mean() == pytest.approx(0.5, abs=0.03)


def test_a_difference_no_permutation_reaches_has_the_least_p() -> None:
    values = np.zeros((16, 2))
    values[:8, 0] = 1
    table = contrast_groups(parts(values), *groups(8, 8), 99, 0).set_index("gene")
    assert table.loc["G0", "p"] == pytest.approx(1 / 100, abs=0.011)
    # a gene that contributes nowhere is not asked, and costs the others nothing
    assert table.loc["G1", ["p", "fdr"]].tolist() == [1, 1]
    assert table.loc["G0", "fdr"] == table.loc["G0", "p"]


def test_permutations_come_in_blocks_without_a_seam() -> None:
    values = np.random.default_rng(4).normal(size=(12, 3))
    few, many = (
        contrast_groups(parts(values), *groups(6, 6), n, 0).set_index("gene")["p"].sort_index()
        for n in (499, 1499)
    )
    np.testing.assert_allclose(few, many, atol=0.08)
