"""Bring each profile to the value distribution of the training profiles, by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.stats import norm, rankdata
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted

from nkpredict.features._estimator import ProfileEstimator
from nkpredict.features._profiles import Profiles, ProfilesLike, not_expression
from nkpredict.features._row_blocks import row_blocks
from nkpredict.features._scaling import mean_and_deviation
from nkpredict.types import BoolArray, FloatArray, IndexArray

# Quantiles of a normal distribution that stand for the spread of one gene over samples;
# how many is set by hand.
_SPREAD = norm.ppf((np.arange(7) + 0.5) / 7)

_RANKED_AT_ONCE = 256  # profiles; set by hand


@dataclass(frozen=True)
class RankedProfiles:
    """Profiles with the ranks of their genes, which depend on nothing but the profile itself.

    Attributes
    ----------
    values : numpy.ndarray
        Samples × genes, NaN for a missing value.
    doubled_ranks : numpy.ndarray
        Twice the average rank of each gene within its sample, less 2, so a whole number from 0;
        -1 for a missing value.
    unranked : numpy.ndarray or None
        Which features are no expression: they are not ranked and stay as they are.
    """

    values: FloatArray
    doubled_ranks: npt.NDArray[np.int32]
    unranked: BoolArray | None = None

    @classmethod
    def of(cls, values: FloatArray, unranked: BoolArray | None = None) -> Self:
        """Rank the genes of each profile, leaving missing values and other features out."""
        if unranked is not None:
            ranked = cls.of(np.where(unranked, np.nan, values))
            return cls(values, ranked.doubled_ranks, unranked)
        doubled = np.empty(values.shape, dtype=np.int32)
        # ranking needs several times the memory of what is ranked
        for rows in row_blocks(len(values), _RANKED_AT_ONCE):
            missing = np.isnan(values[rows])
            # Missing values sort to the end, so the ranks of the others are not disturbed.
            ranks = rankdata(np.where(missing, np.inf, values[rows]), axis=1)
            doubled[rows] = np.where(missing, -1, 2 * ranks - 2)
        return cls(values, doubled)

    def __getitem__(self, samples: IndexArray | BoolArray | slice) -> Self:
        """Return some of the samples."""
        return type(self)(self.values[samples], self.doubled_ranks[samples], self.unranked)


class ProfileHarmoniser(TransformerMixin, ProfileEstimator):
    """Map each profile onto the distribution of the training profiles, keeping its gene ranks.

    Platforms and units stretch and shift whole profiles. Quantile normalisation (Bolstad et al.,
    Bioinformatics 2003, doi 10.1093/bioinformatics/19.2.185) removes that; here the reference
    comes from the training profiles alone and a profile never sees its cohort, so a patient
    scored alone gets the values it has in company. Genes missing from a profile are left out of
    the ranking and of the reference, and stay NaN.

    Attributes
    ----------
    mean_, scale_ : numpy.ndarray
        Mean and standard deviation of each gene over the training profiles, shape (n_genes,).
    """

    def fit(self, X: ProfilesLike, y: Any = None) -> Self:
        """Learn mean and spread of each gene; ``X`` is samples × genes with NaN for missing."""
        profiles = Profiles.of(X)
        self.mean_, self.scale_ = mean_and_deviation(profiles.values)
        profiles.remember_names(self)
        return self

    def transform(self, X: ProfilesLike | RankedProfiles) -> FloatArray:
        """Return the harmonised profiles, float64 of the same shape.

        Parameters
        ----------
        X
            Samples × genes, or `RankedProfiles` when they were ranked before.
        """
        check_is_fitted(self)
        if isinstance(X, RankedProfiles):
            ranked = X
        else:
            names = getattr(self, "feature_names_in_", np.arange(self.n_features_in_))
            ranked = RankedProfiles.of(Profiles.of(X).aligned(names), not_expression(names))
        ranks = ranked.doubled_ranks
        present = ranks >= 0
        if present.all():
            return self.reference_values(np.arange(ranks.shape[1]))[ranks]
        out = np.full(ranks.shape, np.nan)
        # Samples with the same genes present share one reference: usually all of them.
        patterns, member = np.unique(np.packbits(present, axis=1), axis=0, return_inverse=True)
        for pattern in range(len(patterns)):
            rows = np.flatnonzero(member.ravel() == pattern)
            genes = np.flatnonzero(present[rows[0]])
            if len(genes):
                out[np.ix_(rows, genes)] = self.reference_values(genes)[ranks[np.ix_(rows, genes)]]
        if ranked.unranked is not None:
            out[:, ranked.unranked] = ranked.values[:, ranked.unranked]
        return out

    def reference_values(self, genes: IndexArray) -> FloatArray:
        """Return the value for each doubled rank among some genes, shape (2 · n_genes - 1,).

        The odd ones are ties between two neighbouring ranks.
        """
        pool = np.sort((self.mean_[genes, None] + self.scale_[genes, None] * _SPREAD).ravel())
        pool_levels = (np.arange(pool.size) + 0.5) / pool.size
        levels = (np.arange(2 * len(genes) - 1) + 1) / (2 * len(genes))
        return np.asarray(np.interp(levels, pool_levels, pool))
