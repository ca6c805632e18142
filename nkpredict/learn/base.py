"""What the learners share: they take profiles by gene name and know missing values."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from nkpredict.features.alignment import align_to


class GeneLearner(RegressorMixin, BaseEstimator):
    """Base of the learners; a subclass sets ``n_features_in_`` and gene names at fit."""

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that NaN is a value here."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _aligned(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        names = getattr(self, "feature_names_in_", np.arange(self.n_features_in_))
        return align_to(X, names)
