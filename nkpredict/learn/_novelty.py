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
from nkpredict.types import AnyArray, BoolArray, FloatArray, IndexArray

# Set by hand.
_DOMAIN_QUANTILE = 0.95
_FOLDS = 5
# Ten genes have 3.6 million orders for 65,535 fingerprints: no order can be read from one, and two
# profiles share one by chance once in 65,535.
_BLOCK_GENES = 10
_BLOCKS = 64
_UNREAD = 0
# Blocks in which a profile must be ordered as a training profile to be taken for it: by chance two
# of 64 are alike once in some million pairs.
_SAME_BLOCKS = 2
_SAME_SHARE = 0.1


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
    fingerprints_ : numpy.ndarray or None
        One number for the order of the genes in each of up to 64 blocks of ten, profiles × blocks,
        uint16, by which a training profile is recognised; None in models saved without it.
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
        self.fingerprint_genes_ = _blocks(profiles.values)
        self.fingerprints_: AnyArray | None = _fingerprints(
            profiles.values, self.fingerprint_genes_
        )
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

    def recognised(self, X: ProfilesLike) -> BoolArray | None:
        """Whether each standardised profile is one of those it was fitted on; see `known_as`."""
        known = self.known_as(X)
        return None if known is None else known >= 0

    def known_as(self, X: ProfilesLike) -> IndexArray | None:
        """Position of the profile that each standardised profile is the same as, -1 for a new one.

        A profile counts as the same when a tenth of its blocks of genes without a missing value,
        two at least where there are two, are ordered as in one training profile: a tenth of the
        genes missing, or values rounded to the second place, do not hide it. None when the model
        was saved without fingerprints, or nothing can be compared.
        """
        check_is_fitted(self)
        known = getattr(self, "fingerprints_", None)
        if known is None:
            return None
        names = getattr(self, "feature_names_in_", np.arange(self.components_.shape[1]))
        given = _fingerprints(Profiles.of(X).aligned(names), self.fingerprint_genes_)
        found = np.full(len(given), -1, dtype=np.intp)
        for row, own in enumerate(given):
            read = own != _UNREAD
            if not read.any():
                return None
            same = (known[:, read] == own[read]).sum(axis=1)
            needed = max(min(_SAME_BLOCKS, read.sum()), _SAME_SHARE * read.sum())
            if same.max() >= needed:
                found[row] = same.argmax()
        return found

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


def _blocks(profiles: FloatArray) -> IndexArray:
    """Blocks of genes by lot, from those that every profile has; blocks × genes."""
    genes = np.flatnonzero(~np.isnan(profiles).any(axis=0))
    if not len(genes):
        genes = np.arange(profiles.shape[1])
    size = min(_BLOCK_GENES, len(genes))
    blocks = min(_BLOCKS, len(genes) // size)
    chosen = np.random.default_rng(0).permutation(genes)[: blocks * size]
    return np.asarray(chosen.reshape(blocks, size), dtype=np.int32)


def _fingerprints(profiles: FloatArray, blocks: IndexArray) -> AnyArray:
    """One number from 1 to 65,535 for the order of each block of genes; 0 where one is missing."""
    factor = np.random.default_rng(0).integers(1, 2**63, (blocks.shape[1],), dtype=np.uint64)
    factor = factor | np.uint64(1)
    values = profiles[:, blocks]
    order = np.argsort(values, axis=2, kind="stable").astype(np.uint64)
    mixed = ((order + np.uint64(1)) * factor).sum(axis=2, dtype=np.uint64)
    mixed ^= mixed >> np.uint64(29)
    mixed *= factor[0]
    prints = (mixed >> np.uint64(48)).astype(np.uint16)
    prints = np.maximum(prints, 1)
    return np.where(np.isnan(values).any(axis=2), _UNREAD, prints).astype(np.uint16)
