"""What a learner accepts as evidence, turned into one signed number a gene."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from nkpredict.errors import InputError
from nkpredict.evidence import ScreenTable, combine_screens

# `GeneEvidence`, `ScreenTable`, an array in gene order, or None.
Evidence: TypeAlias = Any


def signed_evidence(evidence: Evidence, genes: Sequence[str] | pd.Index) -> np.ndarray:
    """Return the signed evidence of each gene, 0 where nothing is known.

    Parameters
    ----------
    evidence
        `GeneEvidence`, `ScreenTable` (combined first), array of shape (n_genes,) or None.
    genes
        Gene symbols in column order.

    Returns
    -------
    numpy.ndarray
        float64 in [-1, 1], + = the gene sensitizes to NK cells.

    Raises
    ------
    InputError
        When an array has the wrong length or values outside [-1, 1].
    """
    evidence = combined(evidence)
    if evidence is None:
        return np.zeros(len(genes))
    if hasattr(evidence, "for_genes"):
        return np.asarray(evidence.for_genes(list(genes)), dtype=np.float64)
    values = np.asarray(evidence, dtype=np.float64)
    if values.shape != (len(genes),):
        raise InputError(
            f"The evidence array has shape {values.shape}; expected ({len(genes)},), one number "
            "for each gene, or a GeneEvidence that knows its genes by name."
        )
    if not (np.abs(values) <= 1).all():
        raise InputError("Signed evidence must lie between -1 and 1, without NaN.")
    return values


def combined(evidence: Evidence) -> Evidence:
    """Combine a `ScreenTable` into a `GeneEvidence`; return anything else as it is."""
    return combine_screens(evidence) if isinstance(evidence, ScreenTable) else evidence
