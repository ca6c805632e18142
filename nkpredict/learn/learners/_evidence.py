"""What a learner accepts as evidence, turned into one signed number a gene."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from nkpredict.errors import InputError
from nkpredict.evidence import GeneEvidence, ScreenTable, gene_evidence
from nkpredict.types import FloatArray

Evidence: TypeAlias = GeneEvidence | ScreenTable | npt.ArrayLike | None
"""What a learner accepts: evidence by gene, screens (judged first), one number a gene in the
order of the genes, or nothing."""


def signed_evidence(evidence: Evidence, genes: Sequence[str] | pd.Index) -> FloatArray:
    """Return the signed evidence of each gene, 0 where nothing is known.

    Parameters
    ----------
    evidence
        `GeneEvidence`, `ScreenTable` (judged by `gene_evidence` first), array of shape
        (n_genes,) or None.
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
    known = combined(evidence)
    if known is None:
        return np.zeros(len(genes))
    if isinstance(known, GeneEvidence):
        return np.asarray(known.for_genes(list(genes)), dtype=np.float64)
    values = np.asarray(known, dtype=np.float64)
    if values.shape != (len(genes),):
        raise InputError(
            f"The evidence array has shape {values.shape}; expected ({len(genes)},), one number "
            "for each gene, or a GeneEvidence that knows its genes by name."
        )
    if not (np.abs(values) <= 1).all():
        raise InputError("Signed evidence must lie between -1 and 1, without NaN.")
    return values


def evidence_by_axis(evidence: Evidence, genes: Sequence[str] | pd.Index) -> list[FloatArray]:
    """Return the signed evidence of all genes, then that of each axis of knowledge by itself.

    Parameters
    ----------
    evidence, genes
        See `signed_evidence`.

    Returns
    -------
    list of numpy.ndarray
        Each as `signed_evidence` returns it, 0 for genes of other axes; genes without an axis are
        one of their own. Evidence that names no axes or one is not split, and evidence that knows
        none of the genes gives an empty list.

    Raises
    ------
    InputError
        See `signed_evidence`.
    """
    known = combined(evidence)
    signed = signed_evidence(known, genes)
    if not np.any(signed):
        return []
    if not isinstance(known, GeneEvidence) or "axis" not in known.table:
        return [signed]
    axis = known.table["axis"].reindex(pd.Index(genes)).fillna("").to_numpy(dtype=object)
    names = sorted(set(axis[signed != 0]))
    return [signed, *(np.where(axis == name, signed, 0.0) for name in names if len(names) > 1)]


def combined(evidence: Evidence) -> Evidence:
    """Judge genes by a `ScreenTable` and the knowledge base; return anything else as it is."""
    return gene_evidence(evidence) if isinstance(evidence, ScreenTable) else evidence
