"""Genes that move together: clusters, and what a gene takes along when it moves."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nkpredict.explain._coregulation import (
    carried_slope,
    cluster_genes,
    cluster_overlap,
    standardised,
)


@pytest.fixture
def profiles() -> pd.DataFrame:
    """Two programmes of three genes, each correlated 0.9, and two genes of their own."""
    rng = np.random.default_rng(0)
    programmes = np.repeat(rng.normal(size=(3000, 2)), 3, axis=1)
    values = np.column_stack(
        [3 * programmes + rng.normal(size=(3000, 6)), rng.normal(size=(3000, 2))]
    )
    values[:, 2] *= -1  # in opposite direction is together, too
    return pd.DataFrame(values, columns=list("abcdefgh"))


def test_genes_of_one_programme_are_one_cluster(profiles) -> None:
    clusters = cluster_genes(profiles, list("adbgecfh"))
    assert clusters.to_dict() == {"a": 1, "b": 1, "c": 1, "d": 2, "e": 2, "f": 2, "g": 3, "h": 4}
    assert list(clusters.index) == list("adbgecfh")
    assert cluster_genes(profiles, ["a"]).to_dict() == {"a": 1}
    assert cluster_genes(profiles, list("abc"), correlation=0.99).nunique() == 3


def test_half_of_the_variance_shared_is_the_limit() -> None:
    rng = np.random.default_rng(1)
    first = rng.normal(size=5000)
    for correlation, clusters in ((0.8, 1), (0.6, 2)):
        second = correlation * first + np.sqrt(1 - correlation**2) * rng.normal(size=5000)
        pair = pd.DataFrame({"a": first, "b": second})
        assert cluster_genes(pair, ["a", "b"]).nunique() == clusters


def test_lists_overlap_when_they_name_genes_of_the_same_clusters(profiles) -> None:
    assert cluster_overlap(["a", "d"], ["b", "e"], profiles) == 1
    assert cluster_overlap(["a", "g"], ["b", "h"], profiles) == pytest.approx(1 / 3)
    assert cluster_overlap(["a", "d"], ["b", "e"], profiles, correlation=1) == 0


def test_a_gene_carries_along_what_clearly_goes_with_it() -> None:
    rng = np.random.default_rng(2)
    first = rng.normal(size=20000)
    values = np.column_stack(
        [r * first + np.sqrt(1 - r**2) * rng.normal(size=20000) for r in (1.0, 0.8, -0.7, 0.3)]
    )
    standard, _, _ = standardised(values)
    carried, followers = carried_slope(standard, np.array([10.0, 1.0, 1.0, 1.0]), np.array([0, 3]))
    # its own slope, and that of the gene that hardly goes with it, are left out
    assert carried[0] == pytest.approx(0.8 - 0.7, abs=0.02)
    assert followers.tolist() == [2, 0]
    assert carried[1] == 0


def test_gaps_and_constant_genes_count_as_the_mean() -> None:
    values = np.array([[1.0, 5.0], [np.nan, 5.0], [3.0, 5.0]])
    standard, mean, spread = standardised(values)
    np.testing.assert_allclose(standard, [[-1, 0], [0, 0], [1, 0]])
    assert mean.tolist() == [2, 5]
    assert np.isinf(spread[1])
