"""Scores written into an AnnData."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from nkpredict.cells._plan import plan_of
from nkpredict.cells._result import CellScores
from nkpredict.cells._run import score_cells
from nkpredict.cells._source import cells_of
from nkpredict.cells._stretch import ranks_of_cells
from nkpredict.errors import InputError
from nkpredict.learn import GeneModel, KillingCurveModel
from nkpredict.registry import Bundle, Registry
from nkpredict.scoring import bundle_of

if TYPE_CHECKING:
    from anndata import AnnData

_CELLS_AT_ONCE = 256


def score_adata(
    adata: AnnData,
    model: str | Path | Bundle | GeneModel | KillingCurveModel | None = None,
    *,
    groupby: str | None = None,
    cells: str | None = None,
    registry: str | Path | Registry | None = None,
    effector: str | None = None,
    layer: str | None = None,
    force: bool = False,
    workers: int | None = None,
    contributions: bool = False,
) -> CellScores:
    """Score the cells of an AnnData in memory and write the numbers into it.

    ``obs`` gets ``nk_susceptibility``, ``nk_gene_coverage``, ``nk_umis`` and ``nk_flags``, with
    groups also ``nk_group_susceptibility``, ``nk_group_lower`` and ``nk_group_upper`` (90 %
    interval of the group's own score from cells and depth) and ``nk_group_flags``;
    ``uns["nkpredict_cells"]`` what they rest on.

    Parameters
    ----------
    adata
        Cells × genes, counts in ``X``, a layer or ``.raw``; changed in place.
    model, groupby, cells, registry, effector, layer, force, workers
        As `nkpredict.score_cells` takes them.
    contributions
        Also write each gene's part of each number into ``obsm["nk_contributions"]``, float32, only
        the genes that have any part.

    Returns
    -------
    CellScores
        The same numbers, and the scores of the groups, which `nkpredict.explain_scores` explains.

    Raises
    ------
    InputError
        When the AnnData is backed by a file, or as `nkpredict.score_cells` does.
    """
    if adata.isbacked:
        raise InputError(
            "The AnnData is backed by a file; score it with nkpredict.score_cells(path) or "
            "`nkpredict score --write-h5ad`, or load it first (adata.to_memory())."
        )
    scores = score_cells(
        adata,
        bundle_of(model, registry, effector),
        groupby=groupby,
        cells=cells,
        layer=layer,
        force=force,
        workers=workers,
    )
    scores.annotate(adata)
    if contributions:
        adata.obsm["nk_contributions"] = _contributions(adata, scores, layer)
    return scores


def _contributions(adata: AnnData, scores: CellScores, layer: str | None) -> pd.DataFrame:
    model = scores.bundle.model
    source = cells_of(adata, layer=layer, known=frozenset(map(str, model.feature_names_in_)))
    plan = plan_of(source, scores.bundle, groupby=None, cells=None, force=True, seed=0)
    parts = []
    with source.open() as rows:
        for start in range(0, source.cells, _CELLS_AT_ONCE):
            stop = min(start + _CELLS_AT_ONCE, source.cells)
            prepared = model.prepare_cells(ranks_of_cells(plan.task, rows, start, stop))
            part, _ = model.contributions(prepared)
            parts.append(part.loc[:, (part != 0).any()].astype("float32"))
    table = pd.concat(parts, ignore_index=True).fillna(0.0)
    return table[sorted(map(str, table))].set_axis(adata.obs_names)
