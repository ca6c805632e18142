"""How far a profile lies from the training profiles."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from nkpredict.errors import InputError
from nkpredict.features import ProfileEstimator, Profiles, ProfilesLike
from nkpredict.threads import one_thread
from nkpredict.types import AnyArray, BoolArray, FloatArray, IndexArray

# Set by hand.
_DOMAIN_QUANTILE = 0.95
_FOLDS = 5
# Part of the root mean square width of the genes that counts as 1 at least: with many profiles and
# few genes hardly any lies outside.
_LEAST_LIMIT = 0.001
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
    """How far the genes of a profile lie outside of what training profiles had.

    The root mean square, per gene, of how far it lies below the lowest or above the highest
    training profile, divided by the 95th percentile of the same distance for training profiles held
    out in turn. 1 is the edge of the training domain. See docs/decisions/020.

    Parameters
    ----------
    random_state
        Seed of the folds.

    Attributes
    ----------
    lowest_, highest_ : numpy.ndarray
        Ends of each gene over the training profiles, shape (n_genes,); NaN without any value.
    limit_ : float
        Distance that counts as 1.
    fingerprints_ : numpy.ndarray or None
        One number for the order of the genes in each of up to 64 blocks of ten, profiles × blocks,
        uint16, by which a training profile is recognised; None in models saved without it.
    """

    by_range: ClassVar[bool] = True

    def __init__(self, random_state: int = 0) -> None:
        self.random_state = random_state

    def fit(self, X: ProfilesLike, y: Any = None) -> Self:
        """Learn from training profiles.

        Parameters
        ----------
        X
            Samples × genes on the scale on which the model compares genes; NaN marks a missing
            value and is left out.
        y
            Not used.

        Raises
        ------
        InputError
            When there are fewer than 2 samples.
        """
        from sklearn.model_selection import KFold  # slow to import, and scoring needs none

        profiles = Profiles.of(X)
        if len(profiles) < 2:
            raise InputError(
                f"Found {len(profiles)} sample; expected 2 at least to tell what is usual."
            )
        values = profiles.values
        self.remember(profiles)
        self.lowest_, self.highest_ = _ends(values)
        folds = KFold(min(_FOLDS, len(values)), shuffle=True, random_state=self.random_state)
        held_out = np.empty(len(values))
        for train, test in folds.split(values):
            held_out[test] = _excess(values[test], *_ends(values[train]))
        width = np.nan_to_num(self.highest_ - self.lowest_)
        least = max(_LEAST_LIMIT * float(np.sqrt((width**2).mean())), 1e-12)
        self.limit_ = max(float(np.quantile(held_out, _DOMAIN_QUANTILE)), least)
        profiles.remember_names(self)
        return self

    def remember(self, X: ProfilesLike) -> Self:
        """Keep the traces by which profiles are recognised, taken from standardised ones."""
        values = Profiles.of(X).values
        self.fingerprint_genes_ = _blocks(values)
        self.fingerprints_: AnyArray | None = _fingerprints(values, self.fingerprint_genes_)
        return self

    def score_samples(self, X: ProfilesLike) -> FloatArray:
        """Return the novelty of each profile, on the scale of the fit; NaN is a missing gene."""
        check_is_fitted(self)
        names = getattr(self, "feature_names_in_", np.arange(len(self.lowest_)))
        return _excess(Profiles.of(X).aligned(names), self.lowest_, self.highest_) / self.limit_

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
        names = getattr(self, "feature_names_in_", np.arange(self._genes))
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

    @property
    def _genes(self) -> int:
        return len(self.lowest_)


class SubspaceNovelty(ProfileNovelty):
    """Distance from the subspace of the training profiles, as older bundles keep it.

    The root mean square, per gene, of what principal components leave unexplained of a profile in
    standard deviations, divided by ``limit_``.

    Attributes
    ----------
    components_ : numpy.ndarray
        Orthonormal directions, components × genes, float32.
    """

    by_range: ClassVar[bool] = False
    components_: AnyArray

    def score_samples(self, X: ProfilesLike) -> FloatArray:
        """Return the novelty of each standardised profile; NaN marks a missing gene."""
        names = getattr(self, "feature_names_in_", np.arange(self._genes))
        with one_thread():
            return _distance(Profiles.of(X).aligned(names), self.components_) / self.limit_

    @property
    def _genes(self) -> int:
        return int(self.components_.shape[1])


def _ends(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Lowest and highest value of each gene, missing values left out."""
    return np.fmin.reduce(values, axis=0), np.fmax.reduce(values, axis=0)


def _excess(values: FloatArray, lowest: FloatArray, highest: FloatArray) -> FloatArray:
    """Root mean square, per gene that is there, of what lies outside of the ends."""
    present = ~(np.isnan(values) | np.isnan(lowest))
    outside = np.maximum(np.maximum(lowest - values, values - highest), 0.0)
    squares = np.where(present, outside**2, 0.0).sum(axis=1)
    return np.asarray(np.sqrt(squares / np.maximum(present.sum(axis=1), 1)))


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
