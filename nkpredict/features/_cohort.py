"""Bring a cohort as a whole to the training profiles, gene by gene."""

from __future__ import annotations

import numpy as np

from nkpredict.errors import InputError
from nkpredict.types import FloatArray

FEWEST_OF_COHORT = 10
"""Samples from which the mean of a gene over a cohort is known well enough to be taken off; set by
hand, docs/decisions/029 tells what fewer give."""


def align_cohort(standard: FloatArray, fewest: int = FEWEST_OF_COHORT) -> FloatArray:
    """Give every gene of a cohort the mean of the training profiles, and at most their spread.

    Location and scale as in ComBat (Johnson et al., Biostatistics 2007,
    doi 10.1093/biostatistics/kxj037) with the training profiles as the batch that stays. A gene
    that varies less than over the training profiles is not stretched: a cohort of one disease is
    more alike than lines of many. What sets the cohort as a whole apart from the training profiles
    is lost, whether it is its platform or its biology.

    Parameters
    ----------
    standard
        Samples × genes in means and standard deviations of the training profiles, NaN for missing.
    fewest
        Samples asked for, of the cohort and of each gene.

    Returns
    -------
    numpy.ndarray
        Of the same shape; NaN too for a gene that fewer samples have.

    Raises
    ------
    InputError
        When there are fewer samples.
    """
    if len(standard) < fewest:
        raise InputError(
            f"The cohort has {len(standard)} sample{'' if len(standard) == 1 else 's'}; mapping a "
            f"cohort as a whole takes {fewest} at least, because the average of each "
            "gene over fewer is mostly that of these samples' own biology. Leave out the cohort "
            "mode: samples are then mapped one by one."
        )
    present = ~np.isnan(standard)
    count = present.sum(axis=0)
    mean = np.where(present, standard, 0.0).sum(axis=0) / np.maximum(count, 1)
    centred = standard - mean
    squares = np.where(present, centred, 0.0) ** 2
    spread = np.sqrt(squares.sum(axis=0) / np.maximum(count - 1, 1))
    aligned = centred / np.maximum(spread, 1.0)
    return np.where(count >= fewest, aligned, np.nan)
