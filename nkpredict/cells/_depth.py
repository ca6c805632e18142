"""How far the number of a cell depends on how deeply it was sequenced."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import sparse, stats

from nkpredict.cells._plan import CellPlan
from nkpredict.cells._stretch import cells_as_counts
from nkpredict.facts import DepthFacts
from nkpredict.features import SparseRanks
from nkpredict.types import FloatArray

FEW_UMIS = 1000
"""UMIs below which a cell is flagged; set by hand."""
_BLOCKS, _CELLS_OF_A_BLOCK = 10, 50
_UNRELIABLE = 0.8  # rank correlation with half of the UMIs; set by hand
_FOLLOWS = 0.5


def depth_of(plan: CellPlan) -> DepthFacts:
    """Take half of the UMIs of some 500 cells away and score them again.

    Blocks of cells are taken from all over the file, by lot.
    """
    task = plan.task
    generator = np.random.default_rng([plan.seed, 1])
    starts = range(0, task.source.cells, max(task.source.cells // _BLOCKS, _CELLS_OF_A_BLOCK))
    parts, umis = [], []
    with task.source.open() as rows:
        for start in starts:
            stop = min(start + _CELLS_OF_A_BLOCK, task.source.cells)
            kept = None if plan.kept is None else plan.kept[start:stop]
            counts, total = cells_as_counts(task, rows, start, stop, kept)
            parts.append(counts)
            umis.append(total)
    counts = sparse.vstack(parts).tocsr()
    counts = counts[counts.getnnz(axis=1) > 0]
    facts = DepthFacts(cells=counts.shape[0], median_umis=float(np.median(np.concatenate(umis))))
    if not task.source.whole or counts.shape[0] < 3:
        return facts
    thinned = counts.copy()
    thinned.data = generator.binomial(counts.data.astype(np.int64), 0.5).astype(np.float64)
    thinned.eliminate_zeros()
    left = thinned.getnnz(axis=1) > 0
    counts, thinned = counts[left], thinned[left]
    full, half = (_predicted(plan, matrix) for matrix in (counts, thinned))
    if len(full) < 3 or np.ptp(full) == 0 or np.ptp(half) == 0:
        return facts
    return replace(
        facts,
        spearman_at_half=float(stats.spearmanr(full, half).statistic),
        shift_at_half=float((half - full).mean()),
    )


def with_all_cells(depth: DepthFacts, score: FloatArray, umis: FloatArray) -> DepthFacts:
    """Add how the numbers of all cells go with their UMIs."""
    depth = replace(depth, median_umis=float(np.median(umis)) if len(umis) else 0.0)
    known = np.isfinite(score)
    score, umis = score[known], umis[known]
    if len(score) < 3 or np.ptp(score) == 0 or np.ptp(umis) == 0:
        return depth
    return replace(depth, spearman_with_umis=float(stats.spearmanr(score, umis).statistic))


def depth_words(depth: DepthFacts) -> tuple[str, ...]:
    """Say what depth does to the numbers of cells, where it does much."""
    words = []
    if depth.spearman_at_half is not None and depth.spearman_at_half < _UNRELIABLE:
        words.append(
            f"With half of their UMIs the numbers of {depth.cells} cells keep their order by "
            f"Spearman {depth.spearman_at_half:.2f} only and move by {depth.shift_at_half:+.3f} "
            f"(median {depth.median_umis:,.0f} UMIs): do not rank single cells, compare groups of "
            "many cells (--groupby)."
        )
    follows = depth.spearman_with_umis
    if follows is not None and abs(follows) > _FOLLOWS:
        words.append(
            f"The numbers of the cells follow their UMIs (Spearman {follows:+.2f}): what differs "
            "between cells may be depth."
        )
    return tuple(words)


def _predicted(plan: CellPlan, matrix: sparse.csr_matrix) -> FloatArray:
    ranks = SparseRanks.of(
        matrix.indptr.astype(np.int64),
        matrix.indices.astype(np.int32),
        matrix.data,
        plan.task.columns.present,
    )
    model = plan.task.model
    return model.predict(model.prepare_cells(ranks))
