"""What all estimators on profiles share: names of the genes, and NaN for a missing value."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from nkpredict.features._profiles import Profiles, ProfilesLike
from nkpredict.types import FloatArray, LabelArray


class ProfileEstimator(BaseEstimator):
    """Base of what is fitted on profiles.

    Attributes
    ----------
    n_features_in_ : int
        Number of genes.
    feature_names_in_ : numpy.ndarray
        Genes, when the profiles had names.
    """

    n_features_in_: int
    feature_names_in_: LabelArray

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that NaN is a value here."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _aligned(self, X: ProfilesLike) -> FloatArray:
        """Return samples × genes in the order of the fit."""
        check_is_fitted(self)
        names = getattr(self, "feature_names_in_", np.arange(self.n_features_in_))
        return Profiles.of(X).aligned(names)
