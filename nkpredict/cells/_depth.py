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
_FEWEST = 10  # cells, to correlate; set by hand
# Reliability below which, and correlation with the UMIs above which, users are told; set by hand.
_UNRELIABLE, _FOLLOWS = 0.8, 0.5


def depth_of(plan: CellPlan) -> DepthFacts:
    """Score each half of the UMIs of some 500 cells, to tell how alike the numbers of one cell are.

    Blocks of cells are taken from all over the file. The UMIs of a cell are dealt into halves by
    lot, which gives two cells of half the depth that are independent but for being the same
    (binomial thinning); what their agreement tells of the whole depth is the formula of Spearman
    and Brown (Br J Psychol 1910, doi 10.1111/j.2044-8295.1910.tb00206.x).
    """
    generator = np.random.default_rng([plan.seed, 1])
    counts, umis = _some_cells(plan)
    facts = DepthFacts(cells=counts.shape[0], median_umis=float(np.median(umis)))
    if not plan.task.source.whole:
        return facts
    first = counts.copy()
    first.data = generator.binomial(counts.data.astype(np.int64), 0.5).astype(np.float64)
    second = counts - first
    first.eliminate_zeros()
    second.eliminate_zeros()
    read = (first.getnnz(axis=1) > 0) & (second.getnnz(axis=1) > 0)
    if read.sum() < _FEWEST:
        return facts
    full, one, other = (_predicted(plan, part[read]) for part in (counts, first, second.tocsr()))
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return facts
    alike = float(stats.spearmanr(one, other).statistic)
    return replace(
        facts,
        cells=int(read.sum()),
        split_half_spearman=alike,
        reliability=2 * alike / (1 + alike) if alike > 0 else 0.0,
        shift_at_half=float(((one + other) / 2 - full).mean()),
    )


def _some_cells(plan: CellPlan) -> tuple[sparse.csr_matrix, FloatArray]:
    """Read blocks of cells from all over the file: counts of the model's genes, and UMIs."""
    task = plan.task
    starts = range(0, task.source.cells, max(task.source.cells // _BLOCKS, _CELLS_OF_A_BLOCK))
    parts, umis = [], []
    with task.source.open() as rows:
        for start in starts:
            stop = min(start + _CELLS_OF_A_BLOCK, task.source.cells)
            kept = None if plan.kept is None else plan.kept[start:stop]
            counts, total = cells_as_counts(task, rows, start, stop, kept)
            parts.append(counts)
            umis.append(total)
    return sparse.vstack(parts).tocsr(), np.concatenate(umis)


def with_all_cells(depth: DepthFacts, score: FloatArray, umis: FloatArray) -> DepthFacts:
    """Add how the numbers of all cells go with their UMIs."""
    depth = replace(depth, median_umis=float(np.median(umis)) if len(umis) else 0.0)
    known = np.isfinite(score)
    score, umis = score[known], umis[known]
    if len(score) < _FEWEST or np.ptp(score) == 0 or np.ptp(umis) == 0:
        return depth
    return replace(depth, spearman_with_umis=float(stats.spearmanr(score, umis).statistic))


def depth_words(depth: DepthFacts) -> tuple[str, ...]:
    """Say what depth does to the numbers of cells, where it does much."""
    words = []
    if depth.reliability is not None and depth.reliability < _UNRELIABLE:
        words.append(
            f"The numbers of single cells are reliable to {depth.reliability:.2f} (1 = no noise of "
            f"sequencing; from the two halves of the UMIs of {depth.cells} cells, median "
            f"{depth.median_umis:,.0f}) and move by {depth.shift_at_half:+.3f} when half of the "
            "UMIs are left: do not rank single cells, compare groups of many cells (--groupby)."
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
