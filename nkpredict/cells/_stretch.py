"""Numbers for a stretch of cells: what one worker does, wherever it runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from nkpredict.errors import InputError
from nkpredict.features import SparseRanks
from nkpredict.io import CellColumns, CellFile, CellRows, CellsInMemory
from nkpredict.learn import GeneModel
from nkpredict.types import AnyArray, BoolArray, FloatArray, IndexArray

# Stored values that are worked on at once, some 100 MB with all that is made of them; set by hand.
_VALUES_AT_ONCE = 2_000_000
_MOST_CELLS_AT_ONCE = 4096
_MOST = 2**31  # more than any count; whole numbers are added up in 32 bits


@dataclass(frozen=True)
class CellTask:
    """What is the same for all stretches.

    Attributes
    ----------
    source
        The cells.
    columns
        Its columns as genes of the model.
    model
        Fitted.
    bins
        Into how many random parts the cells of each group are dealt; 0 without groups.
    """

    source: CellFile | CellsInMemory
    columns: CellColumns
    model: GeneModel
    bins: int


@dataclass(frozen=True)
class Stretch:
    """Cells from one place to another.

    Attributes
    ----------
    number
        Of the stretch.
    start, stop
        Places in the file.
    groups
        Number of the group of each cell, -1 for none.
    kept
        Which cells are asked for; None for all.
    bins
        Random part of its group that each cell belongs to.
    """

    number: int
    start: int
    stop: int
    groups: npt.NDArray[np.int32]
    kept: BoolArray | None
    bins: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class StretchScores:
    """Numbers of the cells of a stretch, and the sums of their counts.

    Attributes
    ----------
    names
        Of the cells.
    groups
        Number of the group of each, -1 for none.
    susceptibility
        One number a cell; NaN where no gene of the model was read.
    umis, genes
        Sum of all values of a cell, and how many are above 0.
    groups_here
        Numbers of the groups that occur.
    counts
        Sums of counts, groups here × bins × genes of the model.
    """

    names: AnyArray
    groups: npt.NDArray[np.int32]
    susceptibility: FloatArray
    umis: FloatArray
    genes: npt.NDArray[np.int32]
    groups_here: npt.NDArray[np.int32]
    counts: npt.NDArray[np.uint32]


def score_stretch(task: CellTask, stretch: Stretch) -> StretchScores:
    """Score a stretch of cells; the same numbers wherever and beside whatever it runs.

    Raises
    ------
    InputError
        When cells cannot be read, or hold what is no expression.
    """
    kept = np.ones(len(stretch.groups), bool) if stretch.kept is None else stretch.kept
    groups = np.where(kept, stretch.groups, -1).astype(np.int32)
    here = np.unique(groups[groups >= 0]) if task.bins else np.empty(0, np.int32)
    shape = (len(here), task.bins, len(task.columns.present))
    counts = np.zeros(shape, dtype=np.uint32)
    parts: list[tuple[FloatArray, FloatArray, IndexArray]] = []
    with task.source.open() as rows:
        names = rows.names(stretch.start, stretch.stop)
        for start, stop in _bites(rows, stretch):
            within = slice(start - stretch.start, stop - stretch.start)
            bite = _Bite.read(task, rows, start, stop, kept[within])
            prepared = task.model.prepare_cells(bite.ranks(task.columns.present))
            score = task.model.predict(prepared)
            score[np.diff(bite.indptr) == 0] = np.nan  # no gene ranks above another
            parts.append((score, bite.umis, bite.stored))
            if len(here):
                chosen = kept[within]
                row = np.searchsorted(here, groups[within][chosen]) * task.bins
                row += stretch.bins[within][chosen]
                row[groups[within][chosen] < 0] = -1
                bite.add_to(counts.reshape(-1, shape[2]), row)
    score, umis, genes = (np.concatenate(column) for column in zip(*parts, strict=True))
    return StretchScores(
        names[kept], groups[kept], score, umis, genes.astype(np.int32), here, counts
    )


def ranks_of_cells(
    task: CellTask, rows: CellRows | CellsInMemory, start: int, stop: int
) -> SparseRanks:
    """Return the ranks of the model's genes of some cells."""
    bite = _Bite.read(task, rows, start, stop, np.ones(stop - start, dtype=bool))
    return bite.ranks(task.columns.present)


def cells_as_counts(
    task: CellTask, rows: CellRows | CellsInMemory, start: int, stop: int, kept: BoolArray | None
) -> tuple[sparse.csr_matrix, FloatArray]:
    """Return some cells as counts of the model's genes, and the UMIs of each."""
    kept = np.ones(stop - start, dtype=bool) if kept is None else kept
    bite = _Bite.read(task, rows, start, stop, kept)
    shape = (len(bite.umis), len(task.columns.present))
    values = bite.values.astype(np.float64)
    return sparse.csr_matrix((values, bite.genes, bite.indptr), shape), bite.umis


@dataclass(frozen=True)
class _Bite:
    """Cells that are worked on at once: the values above 0 of the model's genes."""

    indptr: IndexArray
    genes: npt.NDArray[np.int32]
    values: AnyArray
    umis: FloatArray
    stored: IndexArray

    @classmethod
    def read(
        cls,
        task: CellTask,
        rows: CellRows | CellsInMemory,
        start: int,
        stop: int,
        kept: BoolArray,
    ) -> _Bite:
        indptr, columns, values = rows.rows(start, stop)
        if not kept.all():
            shape = (stop - start, len(task.source.genes))
            part = sparse.csr_matrix((values, columns, indptr), shape)[kept]
            indptr, columns, values = part.indptr.astype(np.int64), part.indices, part.data
        _check(values, task, start, stop)
        umis = _row_sums(indptr, values)
        places = task.columns.places[columns]
        above = values > 0
        used = np.flatnonzero((places >= 0) & above)
        pointers, genes, positive = np.searchsorted(used, indptr), places[used], values[used]
        if task.columns.added_up:
            shape = (len(indptr) - 1, len(task.columns.present))
            added = sparse.csr_matrix((positive.astype(np.float64), genes, pointers), shape)
            added.sum_duplicates()
            pointers, genes, positive = added.indptr, added.indices, added.data
        stored = np.diff(indptr) if above.all() else _row_sums(indptr, above).astype(np.intp)
        return cls(pointers.astype(np.int64), genes, positive, umis, stored)

    def ranks(self, present: BoolArray) -> SparseRanks:
        return SparseRanks.of(self.indptr, self.genes, self.values, present)

    def add_to(self, counts: npt.NDArray[np.uint32], row: IndexArray) -> None:
        """Add the counts of each cell to a row of a table; -1 for none."""
        lengths = np.diff(self.indptr)
        rows = np.repeat(row, lengths)
        flat = rows * counts.shape[1] + self.genes
        values = self.values.astype(np.uint32)
        if (row < 0).any():
            flat, values = flat[rows >= 0], values[rows >= 0]
        np.add.at(counts.ravel(), flat, values)


def _bites(rows: CellRows | CellsInMemory, stretch: Stretch) -> Iterator[tuple[int, int]]:
    mean = max(rows.stored_values // max(rows.cells, 1), 1)
    size = int(np.clip(_VALUES_AT_ONCE // mean, 16, _MOST_CELLS_AT_ONCE))
    for start in range(stretch.start, stretch.stop, size):
        yield start, min(start + size, stretch.stop)


def _row_sums(indptr: IndexArray, values: AnyArray) -> FloatArray:
    """Sum of the values of each row, each row by itself."""
    sums = np.zeros(len(indptr) - 1)
    filled = np.diff(indptr) > 0
    if filled.any():
        sums[filled] = np.add.reduceat(values, indptr[:-1][filled], dtype=np.float64)
    return sums


def _check(values: AnyArray, task: CellTask, start: int, stop: int) -> None:
    where = f"Cells {start + 1:,} to {stop:,} of {task.source.path}"
    if values.size and not (float(values.min()) >= 0 and float(values.max()) < _MOST):
        raise InputError(
            f"{where} hold values below 0, infinite or missing ones, or some of {_MOST:,} and "
            "more; expected counts or other expression of 0 and above. Name the layer with the "
            "counts (--layer)."
        )
    if task.bins and bool((values != np.trunc(values)).any()):
        raise InputError(
            f"{where} hold values that are no whole numbers; expected counts to add up by group. "
            "Name the layer with the counts (--layer), or ask for the cells alone "
            "(--groupby none)."
        )
