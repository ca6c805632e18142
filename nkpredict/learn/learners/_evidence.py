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
order of the genes, such numbers for each axis of knowledge (axes × genes, which add up), or
nothing."""


def signed_evidence(evidence: Evidence, genes: Sequence[str] | pd.Index) -> FloatArray:
    """Return the signed evidence of each gene, 0 where nothing is known.

    Parameters
    ----------
    evidence
        `GeneEvidence`, `ScreenTable` (judged by `gene_evidence` first), array of shape
        (n_genes,) or (n_axes, n_genes), or None.
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
    return np.asarray(evidence_of_axes(evidence, genes).sum(axis=0))


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
    axes = evidence_of_axes(evidence, genes)
    signed = np.asarray(axes.sum(axis=0))
    if not np.any(signed):
        return []
    return [signed, *(axis for axis in axes if len(axes) > 1)]


def evidence_of_axes(evidence: Evidence, genes: Sequence[str] | pd.Index) -> FloatArray:
    """Return the signed evidence of each axis of knowledge; together they are all evidence.

    Parameters
    ----------
    evidence, genes
        See `signed_evidence`.

    Returns
    -------
    numpy.ndarray
        Axes × genes, 0 for genes of other axes; one row where nothing is known or nothing split.

    Raises
    ------
    InputError
        See `signed_evidence`.
    """
    known = combined(evidence)
    if known is None:
        return np.zeros((1, len(genes)))
    if not isinstance(known, GeneEvidence):
        axes = _checked(np.asarray(known, dtype=np.float64), len(genes))
    else:
        signed = np.asarray(known.for_genes(list(genes)), dtype=np.float64)
        axes = signed[None, :]
        if "axis" in known.table:
            axis = known.table["axis"].reindex(pd.Index(genes)).fillna("").to_numpy(dtype=object)
            names = sorted(set(axis[signed != 0]))
            axes = np.array([np.where(axis == name, signed, 0.0) for name in names] or axes)
    named = axes.any(axis=1)
    return axes[named] if named.any() else axes[:1]


def _checked(values: FloatArray, genes: int) -> FloatArray:
    axes = np.atleast_2d(values)
    if values.ndim not in (1, 2) or axes.shape[1] != genes or not len(axes):
        raise InputError(
            f"The evidence array has shape {values.shape}; expected ({genes},), one number "
            "for each gene, or a GeneEvidence that knows its genes by name."
        )
    if not (np.abs(axes).sum(axis=0) <= 1).all():
        raise InputError("Signed evidence must lie between -1 and 1, without NaN.")
    return axes


def combined(evidence: Evidence) -> Evidence:
    """Judge genes by a `ScreenTable` and the knowledge base; return anything else as it is."""
    return gene_evidence(evidence) if isinstance(evidence, ScreenTable) else evidence
