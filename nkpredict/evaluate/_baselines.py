"""What any model must beat: predictors that know next to nothing, and two generic learners.

All are called alike: ``fit(X, y, lineage)`` and ``predict(X, lineage)`` with an array or table of
samples × genes without NaN (see `without_gaps`) and the lineage of each sample.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, RegressorMixin

from nkpredict.features import correlation_with


class MeanBaseline(RegressorMixin, BaseEstimator):
    """Predict the mean of the training samples."""

    def fit(self, X: np.ndarray, y: np.ndarray, lineage: np.ndarray) -> Self:
        """Learn the mean of ``y``."""
        self.mean_ = float(np.mean(y))
        return self

    def predict(self, X: np.ndarray, lineage: np.ndarray) -> np.ndarray:
        """Return the same number for every sample."""
        return np.full(len(X), self.mean_)


class LineageMeanBaseline(RegressorMixin, BaseEstimator):
    """Predict the mean of the training samples of the same lineage."""

    def fit(self, X: np.ndarray, y: np.ndarray, lineage: np.ndarray) -> Self:
        """Learn the mean of ``y`` in each lineage."""
        self.mean_ = float(np.mean(y))
        self.means_ = {label: float(np.mean(y[lineage == label])) for label in np.unique(lineage)}
        return self

    def predict(self, X: np.ndarray, lineage: np.ndarray) -> np.ndarray:
        """Return the mean of each sample's lineage, of all samples where it is new."""
        return np.array([self.means_.get(label, self.mean_) for label in lineage])


class BestGeneBaseline(RegressorMixin, BaseEstimator):
    """Straight line on the one gene most correlated with the response in the training samples."""

    def fit(self, X: np.ndarray, y: np.ndarray, lineage: np.ndarray) -> Self:
        """Choose the gene and fit the line; ``X`` is samples × genes without NaN."""
        table = np.asarray(X)
        self.gene_ = int(np.argmax(np.abs(correlation_with(table, y))))
        values = table[:, self.gene_]
        variance = float(np.var(values))
        covariance = float(np.mean((values - values.mean()) * (y - y.mean())))
        self.slope_ = covariance / variance if variance > 0 else 0.0
        self.intercept_ = float(np.mean(y)) - self.slope_ * float(values.mean())
        return self

    def predict(self, X: np.ndarray, lineage: np.ndarray) -> np.ndarray:
        """Return the value of the line."""
        predicted: np.ndarray = self.intercept_ + self.slope_ * np.asarray(X)[:, self.gene_]
        return predicted


class GenericLearner(RegressorMixin, BaseEstimator):
    """A scikit-learn regressor on all genes, called like a baseline.

    Parameters
    ----------
    estimator
        The regressor.
    """

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def fit(self, X: np.ndarray, y: np.ndarray, lineage: np.ndarray) -> Self:
        """Fit the regressor; the lineage is not shown to it."""
        self.estimator.fit(np.asarray(X), y)
        return self

    def predict(self, X: np.ndarray, lineage: np.ndarray) -> np.ndarray:
        """Predict with the regressor."""
        return np.asarray(self.estimator.predict(np.asarray(X)))


def naive_baselines() -> dict[str, Any]:
    """Return the baselines every evaluation shows: mean, lineage mean, best single gene."""
    return {
        "mean": MeanBaseline(),
        "lineage mean": LineageMeanBaseline(),
        "best single gene": BestGeneBaseline(),
    }


def generic_learners() -> dict[str, Any]:
    """Return scikit-learn's RidgeCV on standardised genes and LightGBM with its defaults."""
    from lightgbm import LGBMRegressor
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    ridge = make_pipeline(StandardScaler(), RidgeCV(alphas=np.logspace(0, 6, 25)))
    boosting = LGBMRegressor(
        n_jobs=1, deterministic=True, force_col_wise=True, verbose=-1, random_state=0
    )
    return {"RidgeCV": GenericLearner(ridge), "LightGBM default": GenericLearner(boosting)}


def without_gaps(train: pd.DataFrame, test: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Fill missing values with the mean of the training samples.

    Parameters
    ----------
    train, test
        Samples × genes; a gene without any value in ``train`` is filled with 0.

    Returns
    -------
    tuple of pandas.DataFrame
        Both tables without NaN.
    """
    means = train.mean(axis=0).fillna(0.0)
    return train.fillna(means), test.fillna(means)
