"""A score that nothing is learned for: genes with evidence, read from profiles."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd

from nkpredict.features import Profiles, ProfilesLike, divisor
from nkpredict.learn.learners._base import AdditivePredictor
from nkpredict.types import FloatArray

# Set by hand.
_LEAST_MEASURED = 0.05  # share of a gene and its neighbours below which it is left out
_BEND = 2.0  # standard deviations towards which one gene's value saturates


class EvidenceScore(AdditivePredictor):
    """Weighted mean of genes with evidence, each read from itself and the genes it moves with.

    A gene with evidence is estimated as a weighted mean of its own level and those of its nearest
    co-expressed genes in reference profiles, over the genes that are measured: a missing gene is
    spoken for by its neighbours. Levels saturate at two standard deviations, so that a gene which a
    platform reads differently cannot decide a score.

    Parameters
    ----------
    evidence
        Signed evidence by gene; genes that the reference lacks cannot be read and count as missing
        in every profile. None reads nothing.
    neighbours
        Most co-expressed genes that speak for a gene.
    least_correlation
        Correlation in the reference from which they do.
    own_share
        Weight of the gene itself among them.

    Attributes
    ----------
    signed_ : numpy.ndarray
        Evidence of the genes that the score reads, absolute values summing to 1 over all genes
        with evidence, also those the reference lacks.
    readers_ : numpy.ndarray
        Genes with evidence × genes; each row sums to 1.
    mean_, scale_ : numpy.ndarray
        Mean and standard deviation of each gene in the reference.
    """

    name = "evidence"
    gene_arrays = ("mean_", "scale_")
    other_arrays = ("signed_", "readers_")

    def __init__(
        self,
        evidence: pd.Series | None = None,
        neighbours: int = 30,
        least_correlation: float = 0.3,
        own_share: float = 0.3,
    ) -> None:
        self.evidence = evidence
        self.neighbours = neighbours
        self.least_correlation = least_correlation
        self.own_share = own_share

    def fit(self, X: ProfilesLike, y: Any = None) -> Self:
        """Learn means, spreads and co-expression from reference profiles.

        Parameters
        ----------
        X
            Samples × genes without NaN.
        y
            Not used.
        """
        profiles = Profiles.of(X)
        values = profiles.values
        self.mean_ = values.mean(axis=0)
        self.scale_ = divisor(values.std(axis=0), self.mean_)
        standard = (values - self.mean_) / self.scale_
        evidence = pd.Series(dtype=float) if self.evidence is None else self.evidence
        known = evidence[evidence != 0]
        positions = profiles.genes.get_indexer(known.index)
        self.signed_ = (known / known.abs().sum()).to_numpy()[positions >= 0]
        positions = positions[positions >= 0]
        correlation = standard[:, positions].T @ standard / len(standard)
        self.readers_ = np.zeros_like(correlation)
        for row, position in enumerate(positions):
            self.readers_[row] = self._reader(correlation[row], int(position))
        profiles.remember_names(self)
        return self

    def _reader(self, correlation: FloatArray, position: int) -> FloatArray:
        reader = np.zeros(len(correlation))
        others = np.where(np.arange(len(correlation)) == position, 0.0, correlation)
        nearest = np.argsort(-others, kind="stable")[: self.neighbours]
        nearest = nearest[others[nearest] > self.least_correlation]
        reader[position] = self.own_share if len(nearest) else 1.0
        if len(nearest):
            reader[nearest] = (1 - self.own_share) * others[nearest] / others[nearest].sum()
        return reader

    def predict(self, X: ProfilesLike) -> FloatArray:
        """Score each sample; 0 is the average reference profile."""
        parts, base = self.contributions(X)
        return np.asarray(parts.sum(axis=1) + base)

    def contributions(self, X: ProfilesLike) -> tuple[FloatArray, float]:
        """Return each gene's part of the score, samples × genes, and 0."""
        level, weights = self._level_and_weights(X)
        return level * weights, 0.0

    def substituted(self, X: ProfilesLike, level: FloatArray) -> FloatArray:
        """Change of the score if one gene alone had the given level, samples × genes."""
        before, weights = self._level_and_weights(X)
        after = np.nan_to_num(_bent((level - self.mean_) / self.scale_))
        return (after - before) * weights

    def coverage(self, X: ProfilesLike) -> FloatArray:
        """Share of the evidence that is read in each sample; neighbours count by weight."""
        present = ~np.isnan(self._aligned(X))
        measured = np.stack([present[:, r > 0] @ r[r > 0] for r in self.readers_], axis=1)
        return np.asarray((measured * np.abs(self.signed_)).sum(axis=1))

    def _level_and_weights(self, X: ProfilesLike) -> tuple[FloatArray, FloatArray]:
        values = self._aligned(X)
        present = ~np.isnan(values)
        level = np.nan_to_num(_bent((values - self.mean_) / self.scale_))
        weights = np.empty(values.shape)
        # Samples with the same genes measured share their weights: usually all of them.
        patterns, member = np.unique(np.packbits(present, axis=1), axis=0, return_inverse=True)
        for pattern in range(len(patterns)):
            rows = member.ravel() == pattern
            measured = present[np.flatnonzero(rows)[0]]
            readers = self.readers_ * measured
            total = readers.sum(axis=1)
            read = total > _LEAST_MEASURED
            weights[rows] = (self.signed_[read] / total[read]) @ readers[read]
        return level, weights


def _bent(standard: FloatArray) -> FloatArray:
    return _BEND * np.tanh(standard / _BEND)
