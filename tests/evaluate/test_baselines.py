"""What any model must beat knows what its name says, and nothing of the test samples."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nkpredict.evaluate._baselines import generic_learners, naive_baselines, without_gaps


@pytest.fixture
def study() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    lineage = np.repeat(["AML", "MM"], 20)
    X = rng.normal(size=(40, 6))
    y = 3 * X[:, 4] + np.where(lineage == "MM", 10.0, 0.0)
    return X, y, lineage


def test_each_baseline_knows_what_its_name_says(study) -> None:
    X, y, lineage = study
    new = np.array(["AML", "MM", "BCL"])
    expected = {
        "mean": [y.mean()] * 3,
        "lineage mean": [y[:20].mean(), y[20:].mean(), y.mean()],
    }
    for name, values in expected.items():
        predicted = naive_baselines()[name].fit(X, y, lineage).predict(X[:3], new)
        np.testing.assert_allclose(predicted, values)


def test_the_best_gene_is_that_of_the_strongest_correlation_of_either_sign(study) -> None:
    X, _, lineage = study
    for slope in (3.0, -3.0):
        fitted = naive_baselines()["best single gene"].fit(X, slope * X[:, 4] + 1, lineage)
        assert fitted.gene_ == 4
        np.testing.assert_allclose(fitted.predict(X, lineage), slope * X[:, 4] + 1)
    flat = naive_baselines()["best single gene"].fit(np.ones((40, 2)), X[:, 0], lineage)
    np.testing.assert_allclose(flat.predict(np.zeros((3, 2)), lineage[:3]), X[:, 0].mean())


@pytest.mark.parametrize("name", ["RidgeCV", "LightGBM default"])
def test_generic_learners_see_no_lineage(study, name: str) -> None:
    X, y, lineage = study
    predicted = [
        generic_learners()[name].fit(X, y, labels).predict(X, labels)
        for labels in (lineage, lineage[::-1])
    ]
    np.testing.assert_array_equal(*predicted)


def test_gaps_are_filled_from_the_training_samples_alone() -> None:
    train = pd.DataFrame({"a": [1.0, np.nan, 3.0], "b": np.nan, "c": 7.0})
    test = pd.DataFrame({"a": [np.nan, 100.0], "b": [5.0, np.nan], "c": [np.nan, 8.0]})
    train, test = without_gaps(train, test)
    assert train["a"].tolist() == [1, 2, 3]
    assert train["b"].tolist() == [0, 0, 0]
    assert test["a"].tolist() == [2, 100]
    assert test["b"].tolist() == [5, 0]
    assert test["c"].tolist() == [7, 8]
