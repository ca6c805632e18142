"""How far a profile lies from the training profiles."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.decomposition import PCA
from sklearn.model_selection import KFold
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from nkpredict.errors import InputError
from nkpredict.features import ProfileEstimator, Profiles, ProfilesLike
from nkpredict.types import FloatArray

# Set by hand.
_DOMAIN_QUANTILE = 0.95
_FOLDS = 5


class ProfileNovelty(ProfileEstimator):
    """Distance of a profile from the subspace spanned by the training profiles.

    The root mean square, per gene, of what the leading principal components leave unexplained,
    divided by the 95th percentile of the same distance for training profiles held out in turn
    (the squared prediction error of Jackson & Mudholkar, Technometrics 1979, doi
    10.1080/00401706.1979.10489779, with an empirical limit). 1 is the edge of the training domain.

    Parameters
    ----------
    components
        Largest number of principal components; at most a quarter of the samples is used.
    random_state
        Seed of the folds and of the randomised decomposition.

    Attributes
    ----------
    components_ : numpy.ndarray
        Orthonormal directions, components × genes, float32.
    limit_ : float
        Distance that counts as 1.
    """

    def __init__(self, components: int = 20, random_state: int = 0) -> None:
        self.components = components
        self.random_state = random_state

    def fit(self, X: ProfilesLike, y: Any = None) -> Self:
        """Learn from standardised training profiles.

        Parameters
        ----------
        X
            Samples × genes in standard deviations; NaN marks a missing value and counts as average.
        y
            Not used.

        Raises
        ------
        InputError
            When there are fewer than 2 samples.
        """
        profiles = Profiles.of(X)
        if len(profiles) < 2:
            raise InputError(
                f"Found {len(profiles)} sample; expected 2 at least to tell what is usual."
            )
        values = np.nan_to_num(profiles.values)
        with threadpool_limits(1):
            self.components_ = self._directions(values)
            folds = KFold(min(_FOLDS, len(values)), shuffle=True, random_state=self.random_state)
            held_out = np.empty(len(values))
            for train, test in folds.split(values):
                held_out[test] = _distance(values[test], self._directions(values[train]))
        self.limit_ = max(float(np.quantile(held_out, _DOMAIN_QUANTILE)), 1e-12)
        profiles.remember_names(self)
        return self

    def score_samples(self, X: ProfilesLike) -> FloatArray:
        """Return the novelty of each standardised profile; NaN marks a missing gene."""
        check_is_fitted(self)
        names = getattr(self, "feature_names_in_", np.arange(self.components_.shape[1]))
        values = Profiles.of(X).aligned(names)
        with threadpool_limits(1):
            return _distance(values, self.components_) / self.limit_

    def _directions(self, X: FloatArray) -> FloatArray:
        count = max(1, min(self.components, len(X) // 4, X.shape[1]))
        pca = PCA(count, svd_solver="randomized", iterated_power=2, random_state=self.random_state)
        return np.asarray(pca.fit(X).components_, dtype=np.float32)


def _distance(profiles: FloatArray, directions: FloatArray) -> FloatArray:
    present = ~np.isnan(profiles)
    filled = np.where(present, profiles, 0.0)
    # One profile at a time: its value must not depend on its company, to the last bit.
    explained = [(directions @ profile) @ directions for profile in filled]
    residual = filled - np.reshape(explained, filled.shape)
    squares = np.where(present, residual**2, 0.0).sum(axis=1)
    return np.asarray(np.sqrt(squares / np.maximum(present.sum(axis=1), 1)))
