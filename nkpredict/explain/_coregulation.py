"""Genes that move together: clusters, and what a gene takes along when it moves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from nkpredict.features import Profiles, ProfilesLike, divisor, mean_and_deviation
from nkpredict.threads import one_thread
from nkpredict.types import FloatArray

CLUSTER_CORRELATION = 0.7
"""Mean absolute correlation from which genes count as one cluster: half of the variance shared;
set by hand."""
CARRY_FROM = 0.5
"""Absolute correlation over the reference profiles from which a gene is carried along; below,
correlations of a few hundred profiles are mostly chance or shared lineage. Set by hand."""

# Set by hand.
_BLOCK = 512  # genes whose correlations are held in memory at a time


def standardised(values: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Bring each gene to mean 0 and variance 1.

    Parameters
    ----------
    values
        Samples × genes, NaN for missing.

    Returns
    -------
    standard : numpy.ndarray
        Samples × genes, 0 for a missing value and for a gene that does not vary.
    mean, spread : numpy.ndarray
        Of each gene; the spread is infinite for a gene that does not vary.
    """
    mean, deviation = mean_and_deviation(values)
    spread = divisor(deviation, mean)
    return np.nan_to_num((values - mean) / spread), mean, spread


def cluster_genes(
    profiles: ProfilesLike, genes: Sequence[str], correlation: float = CLUSTER_CORRELATION
) -> pd.Series:
    """Group genes that move together.

    Average linkage on 1 − |Pearson correlation|, cut where the mean |correlation| between two
    clusters falls below the limit.

    Parameters
    ----------
    profiles
        Samples × genes; NaN counts as the gene's mean.
    genes
        Genes to group.
    correlation
        The limit, between 0 and 1.

    Returns
    -------
    pandas.Series
        Number of the cluster from 1, indexed by gene; clusters are numbered in the order of their
        first gene.
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    names = pd.Index(genes)
    if len(names) < 2:
        return pd.Series(1, index=names, dtype=np.int64)
    standard, _, _ = standardised(Profiles.of(profiles).frame()[names].to_numpy())
    with one_thread():
        together = np.abs(standard.T @ standard) / len(standard)
    distance = np.clip(1 - together, 0.0, 1.0)
    np.fill_diagonal(distance, 0.0)
    tree = linkage(squareform(distance, checks=False), method="average")
    numbers = pd.factorize(fcluster(tree, 1 - correlation, criterion="distance"))[0] + 1
    return pd.Series(numbers, index=names, dtype=np.int64)


def cluster_overlap(
    first: Sequence[str],
    second: Sequence[str],
    profiles: ProfilesLike,
    correlation: float = CLUSTER_CORRELATION,
) -> float:
    """Jaccard index of two lists of genes, each gene standing for its cluster.

    Parameters
    ----------
    first, second
        Genes, for example the representatives of the top clusters of two runs.
    profiles
        Profiles in which the genes of both lists are clustered together.
    correlation
        See `cluster_genes`; 1 compares the genes themselves.
    """
    clusters = cluster_genes(profiles, sorted({*first, *second}), correlation)
    one, other = set(clusters[list(first)]), set(clusters[list(second)])
    return len(one & other) / len(one | other)


def carried_slope(
    standard: FloatArray, slope: FloatArray, columns: npt.NDArray[np.intp]
) -> tuple[FloatArray, FloatArray]:
    """Change of a prediction by the genes that a gene carries along.

    Each gene whose |correlation| with it reaches `CARRY_FROM` follows its regression line.

    Parameters
    ----------
    standard
        Standardised reference profiles, samples × genes.
    slope
        Change of the prediction per standard deviation of each gene.
    columns
        Genes that move.

    Returns
    -------
    carried : numpy.ndarray
        Change per standard deviation of each moving gene, without its own slope.
    followers : numpy.ndarray
        How many genes each carries.
    """
    carried, followers = np.zeros(len(columns)), np.zeros(len(columns))
    with one_thread():
        for start in range(0, len(columns), _BLOCK):
            block = columns[start : start + _BLOCK]
            correlation = standard[:, block].T @ standard / len(standard)
            follows = np.abs(correlation) >= CARRY_FROM
            follows[np.arange(len(block)), block] = False
            carried[start : start + len(block)] = np.where(follows, correlation, 0.0) @ slope
            followers[start : start + len(block)] = follows.sum(axis=1)
    return carried, followers
