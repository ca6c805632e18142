"""Tell profiles whose genes were centred or scaled across samples, which no longer rank genes."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from nkpredict.types import FloatArray

# Of the variance of an expression matrix the larger part lies between genes: 0.69 and more on five
# cohorts, 0.52 and less where genes were centred across samples; see docs/decisions/014.
_LEAST_BETWEEN_GENES = 0.6
_ENOUGH_SAMPLES = 3
# The mean of all values of centred genes is near 0, in units of their deviation; set by hand.
_NEAR_ZERO = 0.5
# Ribosomal proteins are among the most abundant transcripts of any cell. Their median percentile
# within a sample is 0.68 or above in each of the 1,267 samples of the same data, about 0.5 where
# genes are centred. The eukaryotic large and small subunit, without paralogues of one tissue.
_RIBOSOMAL = re.compile(r"^RP[LS]P?\d+[AX]?$")
_LEAST_ABUNDANT = 0.65
_ENOUGH_RIBOSOMAL = 10
# A profile z-scored within itself has mean 0 and deviation 1, less what was left out of the file.
_STANDARDISED_MEAN, _STANDARDISED_SCALE = 0.15, 0.15
_MOST_SAMPLES = 300


def centred_across_samples(values: FloatArray, genes: Sequence[str]) -> str:
    """Say why profiles seem to be centred or scaled gene by gene across samples.

    Models rank the genes within a sample; where each gene was centred across samples these ranks
    are lost. Values standardised within each sample keep them. Only profiles with negative values,
    or with every gene between 0 and 1, can be centred or scaled.

    Parameters
    ----------
    values
        Samples × genes; NaN allowed.
    genes
        Names of the genes.

    Returns
    -------
    str
        The reason in words; empty when nothing speaks for it.
    """
    if not values.size:
        return ""
    if float(np.nanmin(values)) >= 0:
        return _each_gene_from_0_to_1(values)
    part = np.asarray(values[:: max(1, len(values) // _MOST_SAMPLES)], dtype=np.float64)
    total, middle = float(np.nanvar(part)), float(np.nanmean(part))
    if abs(middle) >= _NEAR_ZERO * np.sqrt(total):
        return ""
    if len(part) >= _ENOUGH_SAMPLES:
        means = _mean_of_genes(part)
        share = float(np.nanvar(means)) / total if total > 0 else 0.0
        if share < _LEAST_BETWEEN_GENES:
            return (
                f"only {share:.0%} of the variance lies between genes, where measured expression "
                "has 70 % and more"
            )
        return ""
    abundant = np.array([_RIBOSOMAL.match(str(gene)) is not None for gene in genes])
    if abundant.sum() >= _ENOUGH_RIBOSOMAL:
        median = _median_percentile(part, abundant)
        if median < _LEAST_ABUNDANT:
            return (
                f"the ribosomal proteins lie at percentile {100 * median:.0f} of the genes, where "
                "they are among the most abundant in measured expression"
            )
        return ""
    means, scale = np.nanmean(part, axis=1), np.nanstd(part, axis=1)
    standardised = (np.abs(means) < _STANDARDISED_MEAN) & (np.abs(scale - 1) < _STANDARDISED_SCALE)
    if standardised.all():
        return ""
    return (
        f"{len(part)} sample{'s' if len(part) > 1 else ''} with negative values and too few "
        "ribosomal proteins to tell"
    )


def _mean_of_genes(part: FloatArray) -> FloatArray:
    present = np.isfinite(part)
    sums = np.where(present, part, 0.0).sum(axis=0)
    counts = present.sum(axis=0)
    return np.asarray(sums[counts > 0] / counts[counts > 0])


def _median_percentile(part: FloatArray, chosen: FloatArray) -> float:
    ranks = pd.DataFrame(part).rank(axis=1, pct=True).to_numpy()
    return float(np.nanmedian(ranks[:, chosen]))


def _each_gene_from_0_to_1(values: FloatArray) -> str:
    if len(values) < _ENOUGH_SAMPLES or values.shape[1] < 20 or float(np.nanmax(values)) > 1:
        return ""
    present = np.isfinite(values).all(axis=0)
    lowest, highest = values[:, present].min(axis=0), values[:, present].max(axis=0)
    scaled = np.mean((lowest == 0) & (highest == 1)) if present.any() else 0.0
    return "every gene runs from 0 to 1 over the samples" if scaled > 0.9 else ""
