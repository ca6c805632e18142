"""Summaries of each gene over many samples, without a copy of all contributions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nkpredict.types import FloatArray, IndexArray

_VALUES_AT_ONCE = 8_000_000  # set by hand


def by_gene(
    values: FloatArray,
    summary: Callable[[FloatArray], FloatArray],
    genes: IndexArray | None = None,
) -> FloatArray:
    """Summarise genes over the samples, some genes at a time.

    Parameters
    ----------
    values
        Samples × genes.
    summary
        Of each column, from samples × some of the genes.
    genes
        Which genes; all when not given.

    Returns
    -------
    numpy.ndarray
        One number a gene.
    """
    count = values.shape[1] if genes is None else len(genes)
    step = max(1, _VALUES_AT_ONCE // max(len(values), 1))
    parts = [
        summary(values[:, n : n + step] if genes is None else values[:, genes[n : n + step]])
        for n in range(0, count, step)
    ]
    return np.concatenate(parts) if parts else np.empty(0)
