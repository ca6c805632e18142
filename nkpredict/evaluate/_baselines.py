"""What any model must beat: predictors that know next to nothing, and two generic learners."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from nkpredict.features import correlation_with
from nkpredict.types import FloatArray, LabelArray


class MeanBaseline(RegressorMixin, BaseEstimator):
    """Predict the mean of the training samples."""

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that no skill is to be expected."""
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags

    def fit(self, X: Any, y: Any) -> Self:
        """Learn the mean of ``y``."""
        _, y = validate_data(self, X, y, y_numeric=True)
        self.mean_ = float(np.mean(y))
        return self

    def predict(self, X: Any) -> FloatArray:
        """Return the same number for every sample."""
        check_is_fitted(self)
        return np.full(len(validate_data(self, X, reset=False)), self.mean_)


class LineageMeanBaseline(MeanBaseline):
    """Predict the mean of the training samples of the same lineage."""

    def fit(self, X: Any, y: Any, lineage: LabelArray | None = None) -> Self:
        """Learn the mean of ``y``, and that in each lineage where lineages are given."""
        super().fit(X, y)
        self.means_ = {}
        if lineage is not None:
            y = np.asarray(y, dtype=np.float64)
            self.means_ = {k: float(y[lineage == k].mean()) for k in np.unique(lineage)}
        return self

    def predict(self, X: Any, lineage: LabelArray | None = None) -> FloatArray:
        """Return the mean of each sample's lineage, of all samples where it is new or not given."""
        overall = super().predict(X)
        if lineage is None:
            return overall
        return np.array([self.means_.get(label, self.mean_) for label in lineage])


class BestGeneBaseline(RegressorMixin, BaseEstimator):
    """Straight line on the one gene most correlated with the response in the training samples."""

    def fit(self, X: Any, y: Any) -> Self:
        """Choose the gene and fit the line; ``X`` is samples × genes without NaN."""
        X, y = validate_data(self, X, y, y_numeric=True)
        self.gene_ = int(np.argmax(np.abs(correlation_with(X, y))))
        values = X[:, self.gene_]
        variance = float(np.var(values))
        covariance = float(np.mean((values - values.mean()) * (y - y.mean())))
        self.slope_ = covariance / variance if variance > 0 else 0.0
        self.intercept_ = float(np.mean(y)) - self.slope_ * float(values.mean())
        return self

    def predict(self, X: Any) -> FloatArray:
        """Return the value of the line."""
        check_is_fitted(self)
        values = validate_data(self, X, reset=False)[:, self.gene_]
        return np.asarray(self.intercept_ + self.slope_ * values)


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
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    ridge = make_pipeline(StandardScaler(), RidgeCV(alphas=np.logspace(0, 6, 25)))
    boosting = LGBMRegressor(
        n_jobs=1, deterministic=True, force_col_wise=True, verbose=-1, random_state=0
    )
    # LightGBM refuses names with a colon, as those of genetic columns have
    boosting = make_pipeline(FunctionTransformer(np.asarray), boosting)
    return {"RidgeCV": ridge, "LightGBM default": boosting}
