"""How much a gene may count before the response is looked at."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nkpredict import NKSusceptibilityModel
from nkpredict.learn.learners import EvidenceRidge


@pytest.fixture
def profiles() -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(5)
    values = rng.normal(8, 1, (60, 40))
    driver = rng.normal(size=60)
    values[:, 0] = 8 + 1.5 * driver
    values[:, 1] = 8 + 0.1 * driver  # the same, standardised
    rare = np.zeros(60)
    rare[driver.argsort()[-2:]] = 6.0
    values[:, 2] = 8 + rare
    response = 0.5 + 0.1 * driver + 0.05 * rng.normal(size=60)
    return pd.DataFrame(values, columns=[f"GENE{n:02}" for n in range(40)]), response


def test_of_two_genes_that_tell_the_same_the_one_that_moves_counts(
    profiles: tuple[pd.DataFrame, np.ndarray],
) -> None:
    X, y = profiles
    ridge = EvidenceRidge().fit(X, y)
    assert ridge.coef_[0] > 5 * ridge.coef_[1] > 0
    plain = EvidenceRidge(powers=()).fit(X, y)
    assert plain.coef_[0] == pytest.approx(plain.coef_[1])


def test_what_two_samples_alone_show_counts_little(
    profiles: tuple[pd.DataFrame, np.ndarray],
) -> None:
    X, y = profiles
    # of one standard deviation both, so that only the shape of their spread differs
    X = X[["GENE00", "GENE02"]] / X[["GENE00", "GENE02"]].std()
    by_gene = EvidenceRidge(powers=(1e-9,)).fit(X, y).coef_ / X.corrwith(pd.Series(y))
    assert by_gene["GENE02"] < 0.5 * by_gene["GENE00"]


@pytest.mark.parametrize("unit", [1.0, 10.0])
def test_mutations_count_alike_in_any_unit(
    profiles: tuple[pd.DataFrame, np.ndarray], unit: float
) -> None:
    X, y = profiles
    mutated = (np.arange(60) % 3 == 0) & (y > 0.45)
    model = NKSusceptibilityModel(folds=3)
    once = model.fit(X.assign(**{"genetics:TP53": 1.0 * mutated}), y).effect_
    again = model.fit(X.assign(**{"genetics:TP53": unit * mutated}), y).effect_
    np.testing.assert_allclose(again, once, rtol=1e-9, atol=1e-12)
