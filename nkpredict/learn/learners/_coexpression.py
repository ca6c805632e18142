"""Genes that move together in the reference: they speak for a gene that a profile lacks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from nkpredict.learn.learners._base import LearnerState
from nkpredict.types import AnyArray, FloatArray, IndexArray


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The most correlated genes of some genes.

    Attributes
    ----------
    genes : numpy.ndarray
        Genes × neighbours, places among all genes; -1 where there are fewer.
    correlations : numpy.ndarray
        Genes × neighbours, positive; 0 where there are fewer.
    """

    genes: npt.NDArray[np.int32]
    correlations: FloatArray

    @classmethod
    def of(cls, levels: FloatArray, places: IndexArray, count: int, least: float) -> Self:
        """Find the neighbours of some genes.

        Parameters
        ----------
        levels
            Samples × genes, centred on what is no co-expression (platform, disease), NaN for
            missing: two genes are compared over the samples that have both.
        places
            The genes whose neighbours are sought.
        count
            How many are kept.
        least
            Correlation from which a gene is one.
        """
        present = ~np.isnan(levels)
        filled = np.where(present, levels, 0.0)
        product = filled[:, places].T @ filled
        own = (filled[:, places] ** 2).T @ present
        other = present[:, places].T @ filled**2
        size = np.sqrt(own * other)
        correlation = np.divide(product, size, out=np.zeros(product.shape), where=size > 0)
        correlation[np.arange(len(places)), places] = 0.0
        count = min(count, levels.shape[1])
        order = np.argsort(-correlation, axis=1, kind="stable")[:, :count]
        nearest = np.take_along_axis(correlation, order, axis=1)
        near = nearest > least
        return cls(np.where(near, order, -1).astype(np.int32), np.where(near, nearest, 0.0))

    def estimate(self, levels: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Estimate each gene from those of its neighbours that are measured.

        The mean of their levels weighted by correlation, times its mean weighted alike: the
        expected level under a bivariate normal distribution, with a mean of several neighbours
        taken for no better than one.

        Returns
        -------
        estimate, reliability : numpy.ndarray
            Samples × genes; 0 without a neighbour. The reliability is the share of the variance
            that the neighbours tell, the squared mean correlation.
        """
        used = np.where(self.genes < 0, 0, self.genes)
        measured = ~np.isnan(levels)
        filled = np.where(measured, levels, 0.0)
        estimate = np.zeros((len(levels), len(used)))
        reliability = np.zeros(estimate.shape)
        # what is the same for all samples is worked out for one
        alike = measured[:1] if len(levels) and (measured == measured[:1]).all() else measured
        for gene, (near, correlation) in enumerate(zip(used, self.correlations, strict=True)):
            # rows in memory order: a sample's sum must not depend on its company, to the last bit
            weights = np.ascontiguousarray(alike[:, near]) * correlation
            total = weights.sum(axis=1)
            known = np.maximum(total, np.finfo(float).tiny)
            mean = (weights * np.ascontiguousarray(filled[:, near])).sum(axis=1) / known
            likeness = (weights * correlation).sum(axis=1) / known
            estimate[:, gene] = likeness * mean
            reliability[:, gene] = likeness**2
        return estimate, reliability

    def of_some(self, numbers: IndexArray) -> tuple[Self, IndexArray]:
        """Return the neighbours of some genes, their places being those among the genes returned.

        Returns
        -------
        neighbours : Neighbours
            Of the genes with these numbers, whose places count in ``places``.
        places : numpy.ndarray
            The genes that are neighbours of any of them, places among all genes.
        """
        genes = self.genes[numbers]
        places = np.unique(genes[genes >= 0]).astype(np.intp)
        within = np.where(genes < 0, -1, np.searchsorted(places, genes)).astype(np.int32)
        return type(self)(within, self.correlations[numbers]), places

    def arrays(self) -> dict[str, AnyArray]:
        """Return the parts as arrays by name."""
        return {"neighbour_genes": self.genes, "neighbour_correlations": self.correlations}

    @classmethod
    def from_state(cls, state: LearnerState, features: int) -> Self:
        """Put the parts together again.

        Raises
        ------
        KeyError, ValueError
            When a part is missing or names genes that are not there.
        """
        genes = state.array("neighbour_genes", "i", (None, None))
        correlations = state.array("neighbour_correlations", "f", genes.shape)
        if genes.size and (genes.min() < -1 or genes.max() >= features):
            raise ValueError("axes.neighbour_genes does not fit the genes of the model")
        return cls(genes, correlations)
