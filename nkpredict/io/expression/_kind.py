"""Tell profiles whose genes do not rank within a sample as measured expression ranks them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from nkpredict.types import BoolArray, FloatArray, IndexArray

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


def unlike_expression(values: FloatArray, genes: Sequence[str]) -> str:
    """Say why the genes do not seem to rank within a sample as measured expression ranks them.

    Models rank the genes within a sample; where each gene was centred or scaled across samples,
    values were turned, or names slipped, these ranks are lost. Values standardised within each
    sample keep them.

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
    part = np.asarray(values[looked_at(len(values))], dtype=np.float64)
    if float(np.nanmin(part)) >= 0:
        return _each_gene_from_0_to_1(part) or _ribosomal_proteins_low(part, genes)
    total, middle = float(np.nanvar(part)), float(np.nanmean(part))
    if abs(middle) >= _NEAR_ZERO * np.sqrt(total):
        return _ribosomal_proteins_low(part, genes)
    if len(part) >= _ENOUGH_SAMPLES:
        share = float(np.nanvar(_mean_of_genes(part))) / total if total > 0 else 0.0
        if share < _LEAST_BETWEEN_GENES:
            return (
                f"only {share:.0%} of the variance lies between genes, where measured expression "
                "has 70 % and more"
            )
        return _ribosomal_proteins_low(part, genes)
    low = _ribosomal_proteins_low(part, genes)
    if low:
        return low
    means, scale = np.nanmean(part, axis=1), np.nanstd(part, axis=1)
    standardised = (np.abs(means) < _STANDARDISED_MEAN) & (np.abs(scale - 1) < _STANDARDISED_SCALE)
    if standardised.all():
        return ""
    return (
        f"{len(part)} sample{'s' if len(part) > 1 else ''} with negative values around 0 that are "
        "not standardised within the sample"
    )


def looked_at(samples: int) -> IndexArray:
    """Return which of so many samples `unlike_expression` looks at; of these it looks at all."""
    return np.arange(0, samples, max(1, samples // _MOST_SAMPLES))


def _ribosomal(genes: Sequence[str]) -> BoolArray:
    return np.array([_RIBOSOMAL.match(str(gene)) is not None for gene in genes])


def _ribosomal_proteins_low(part: FloatArray, genes: Sequence[str]) -> str:
    abundant = _ribosomal(genes)
    if abundant.sum() < _ENOUGH_RIBOSOMAL:
        return ""
    ranks = np.concatenate([_percentiles(row[abundant], row) for row in part])
    if not ranks.size:
        return ""
    median = float(np.median(ranks))
    if median >= _LEAST_ABUNDANT:
        return ""
    return (
        f"the ribosomal proteins lie at percentile {100 * median:.0f} of the genes, where they are "
        "among the most abundant in measured expression"
    )


def _percentiles(values: FloatArray, profile: FloatArray) -> FloatArray:
    """Return where values lie in a profile, from 0 to 1, leaving missing ones out."""
    ordered = np.sort(profile[~np.isnan(profile)])
    own = values[~np.isnan(values)]
    below, up_to = (np.searchsorted(ordered, own, side=side) for side in ("left", "right"))
    return np.asarray((below + up_to + 1) / (2 * max(len(ordered), 1)))


def _mean_of_genes(part: FloatArray) -> FloatArray:
    present = np.isfinite(part)
    sums = np.where(present, part, 0.0).sum(axis=0)
    counts = present.sum(axis=0)
    return np.asarray(sums[counts > 0] / counts[counts > 0])


def _each_gene_from_0_to_1(values: FloatArray) -> str:
    if len(values) < _ENOUGH_SAMPLES or values.shape[1] < 20 or float(np.nanmax(values)) > 1:
        return ""
    present = np.isfinite(values).all(axis=0)
    lowest, highest = values[:, present].min(axis=0), values[:, present].max(axis=0)
    scaled = np.mean((lowest == 0) & (highest == 1)) if present.any() else 0.0
    return "every gene runs from 0 to 1 over the samples" if scaled > 0.9 else ""
