"""What the learners share: they take profiles by gene name and know missing values."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from nkpredict.features import align_to


class GeneLearner(RegressorMixin, BaseEstimator):
    """Base of the learners; a subclass sets ``n_features_in_`` and gene names at fit."""

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that NaN is a value here."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    @abstractmethod
    def fit(self, X: Any, y: Any, groups: Any = None, sample_weight: Any = None) -> Self:
        """Fit on samples × genes."""

    @abstractmethod
    def predict(self, X: Any) -> np.ndarray:
        """Predict one number a sample; genes are matched by name."""

    @abstractmethod
    def contributions(self, X: Any) -> tuple[np.ndarray, float]:
        """Return each gene's part of the prediction, samples × genes, and the base value."""

    @abstractmethod
    def substituted(self, X: Any, level: np.ndarray) -> np.ndarray:
        """Change of the prediction if one gene alone had the given level, samples × genes."""

    def slopes(self, X: Any, standard: np.ndarray) -> np.ndarray:
        """Change of the prediction per standard deviation of each gene.

        The least-squares slope of a gene's parts on its standardised values, which is exact for
        a linear learner.

        Parameters
        ----------
        X
            Samples × genes.
        standard
            The same samples in standard deviations, 0 for a missing value.
        """
        parts, _ = self.contributions(X)
        used = np.flatnonzero(parts.any(axis=0))
        chosen, own = standard[:, used], parts[:, used]
        slopes = np.zeros(parts.shape[1])
        slopes[used] = (chosen * own).sum(axis=0) / np.maximum((chosen**2).sum(axis=0), 1e-12)
        return slopes

    def _aligned(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        names = getattr(self, "feature_names_in_", np.arange(self.n_features_in_))
        return align_to(X, names)
