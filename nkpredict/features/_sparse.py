"""Profiles that are mostly zeros, as those of single cells: what lies above zero, and the rest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy import sparse

from nkpredict.features._harmonise import ProfileHarmoniser, RankedProfiles
from nkpredict.types import AnyArray, BoolArray, FloatArray, IndexArray

# Counts up to here are ranked by a table of how often each occurs in a cell, which takes a fifth
# of the time of sorting; set by hand.
_TABLED = 255
_DENSE_AT_ONCE = 256  # cells; of 20,000 genes 40 MB; set by hand


@dataclass(frozen=True, eq=False)
class SparseRanks:
    """Ranks of the genes of cells, of which most are zero and share one rank.

    The zeros of a cell are ties, so their average rank follows from their number; only what lies
    above zero is stored. The ranks are those of `RankedProfiles`, see `dense`.

    Attributes
    ----------
    indptr : numpy.ndarray
        Where the values of each cell begin, shape (n_cells + 1,).
    genes : numpy.ndarray
        Place of each value among the genes of the model.
    doubled_ranks : numpy.ndarray
        Twice the average rank of each value within its cell, less 2.
    zero_rank : numpy.ndarray
        The same of the zeros of each cell; meaningless for a cell without any.
    present : numpy.ndarray
        Which genes of the model were measured.
    """

    indptr: IndexArray
    genes: npt.NDArray[np.int32]
    doubled_ranks: npt.NDArray[np.int32]
    zero_rank: npt.NDArray[np.int32]
    present: BoolArray

    @classmethod
    def of(
        cls,
        indptr: IndexArray,
        genes: npt.NDArray[np.int32],
        values: AnyArray,
        present: BoolArray,
    ) -> Self:
        """Rank the values of each cell.

        Parameters
        ----------
        indptr
            Where the values of each cell begin, shape (n_cells + 1,).
        genes
            Place of each value among the genes of the model, each once a cell.
        values
            Positive numbers; genes that are present and have no value are zero.
        present
            Which genes of the model were measured.
        """
        stored = np.diff(indptr)
        zeros = int(present.sum()) - stored
        cells = np.repeat(np.arange(len(stored)), stored)
        whole = bool((values == np.trunc(values)).all())
        small = values <= _TABLED if whole else np.zeros(len(values), dtype=bool)
        ranks = np.empty(len(values), dtype=np.int32)
        below = zeros.copy()
        if small.all():
            ranks[:] = _ranks_by_table(values, cells, below)
        elif whole:
            at = np.flatnonzero(small)
            ranks[at] = _ranks_by_table(values[at], cells[at], below)
            below += np.bincount(cells[at], minlength=len(stored))
        large = np.flatnonzero(~small)
        if len(large):
            ranks[large] = _ranks_by_order(values[large], cells[large], below)
        return cls(indptr, genes, ranks, (zeros - 1).astype(np.int32), present)

    def __len__(self) -> int:
        """Return the number of cells."""
        return len(self.zero_rank)

    def take(self, cells: IndexArray) -> Self:
        """Return some of the cells."""
        lengths = np.diff(self.indptr)[cells]
        pointers = np.append(0, np.cumsum(lengths)).astype(self.indptr.dtype)
        starts = np.repeat(self.indptr[cells] - pointers[:-1], lengths)
        within = starts + np.arange(pointers[-1])
        return type(self)(
            pointers,
            self.genes[within],
            self.doubled_ranks[within],
            self.zero_rank[cells],
            self.present,
        )

    def blocks(self) -> Iterator[Self]:
        """Return the cells in blocks that are small enough to be made dense."""
        for cells, within, pointers in _blocks(self.indptr):
            yield type(self)(
                pointers,
                self.genes[within],
                self.doubled_ranks[within],
                self.zero_rank[cells],
                self.present,
            )

    def dense(self) -> RankedProfiles:
        """Return the same as samples × genes; the values are the ranks, NaN for missing."""
        ranks = np.where(self.present, self.zero_rank[:, None], np.int32(-1))
        ranks[np.repeat(np.arange(len(self)), np.diff(self.indptr)), self.genes] = (
            self.doubled_ranks
        )
        return RankedProfiles(np.where(ranks < 0, np.nan, ranks), ranks)


@dataclass(frozen=True, eq=False)
class SparseProfiles:
    """Harmonised profiles of cells: one value for all zeros of a cell, and what lies above.

    Attributes
    ----------
    indptr, genes, present
        As of `SparseRanks`.
    values : numpy.ndarray
        Harmonised values of what lies above zero.
    background : numpy.ndarray
        Harmonised value of the zeros, one a cell.
    """

    indptr: IndexArray
    genes: npt.NDArray[np.int32]
    values: FloatArray
    background: FloatArray
    present: BoolArray

    @classmethod
    def of(cls, ranks: SparseRanks, harmoniser: ProfileHarmoniser) -> Self:
        """Bring ranked cells to the distribution of the training profiles."""
        return cls.looked_up(ranks, harmoniser.reference_values(np.flatnonzero(ranks.present)))

    @classmethod
    def looked_up(cls, ranks: SparseRanks, lookup: FloatArray) -> Self:
        """Give each rank its value in a table, one for each doubled rank of the present genes."""
        background = lookup[np.maximum(ranks.zero_rank, 0)]
        return cls(
            ranks.indptr, ranks.genes, lookup[ranks.doubled_ranks], background, ranks.present
        )

    def __len__(self) -> int:
        """Return the number of cells."""
        return len(self.background)

    def blocks(self) -> Iterator[Self]:
        """Return the cells in blocks that are small enough to be made dense."""
        for cells, within, pointers in _blocks(self.indptr):
            yield type(self)(
                pointers,
                self.genes[within],
                self.values[within],
                self.background[cells],
                self.present,
            )

    def dense(self) -> FloatArray:
        """Return cells × genes, NaN for a gene that was not measured."""
        return self.take(np.arange(len(self.present)))

    def take(self, genes: IndexArray) -> FloatArray:
        """Return some genes, each once, as cells × genes, NaN for one that was not measured."""
        place = np.full(len(self.present), -1, dtype=np.int32)
        place[genes] = np.arange(len(genes), dtype=np.int32)
        column = place[self.genes]
        wanted = np.flatnonzero(column >= 0)
        out = np.where(self.present[genes], self.background[:, None], np.nan)
        cells = np.searchsorted(self.indptr, wanted, side="right") - 1
        out[cells, column[wanted]] = self.values[wanted]
        return out

    def above_background(self, weights: FloatArray) -> FloatArray:
        """Sum what lies above the background, gene by gene times its weight.

        Parameters
        ----------
        weights
            Genes × sums.

        Returns
        -------
        numpy.ndarray
            Cells × sums; each cell is summed by itself, in the order of its values.
        """
        return self._sums(self._above, weights)

    def squares_above_background(self, weights: FloatArray) -> FloatArray:
        """Sum the squares of what lies above the background; see `above_background`."""
        return self._sums(self._above**2, weights)

    @property
    def _above(self) -> FloatArray:
        return np.asarray(self.values - np.repeat(self.background, np.diff(self.indptr)))

    def _sums(self, values: FloatArray, weights: FloatArray) -> FloatArray:
        shape = (len(self), len(self.present))
        return np.asarray(sparse.csr_matrix((values, self.genes, self.indptr), shape) @ weights)

    def weighted_sums(self, weights: FloatArray) -> FloatArray:
        """Sum all measured genes, each times its weight; ``weights`` is genes × sums."""
        of_background = np.where(self.present[:, None], weights, 0.0).sum(axis=0)
        background = self.background[:, None] * of_background
        return np.asarray(self.above_background(weights) + background)


def _blocks(indptr: IndexArray) -> Iterator[tuple[slice, slice, IndexArray]]:
    """Blocks small enough to be made dense: the cells, their values, where each cell begins."""
    for start in range(0, len(indptr) - 1, _DENSE_AT_ONCE):
        pointers = indptr[start : start + _DENSE_AT_ONCE + 1]
        within = slice(int(pointers[0]), int(pointers[-1]))
        yield slice(start, start + _DENSE_AT_ONCE), within, pointers - pointers[0]


def _ranks_by_table(
    values: AnyArray, cells: IndexArray, below: IndexArray
) -> npt.NDArray[np.int32]:
    """Doubled ranks of small counts, from a table of how often each occurs in a cell."""
    width = int(values.max(initial=0)) + 1
    places = cells * width + values.astype(np.int64)
    often = np.bincount(places, minlength=len(below) * width).reshape(len(below), width)
    # those below, and those equal: 2 · below + equal + 1, less 2
    doubled = 2 * (np.cumsum(often, axis=1) + below[:, None]) - often - 1
    return doubled.astype(np.int32).ravel()[places]


def _ranks_by_order(
    values: AnyArray, cells: IndexArray, below: IndexArray
) -> npt.NDArray[np.int32]:
    """Doubled ranks of any positive values, by sorting."""
    order = np.lexsort((values, cells))
    of_cell, sorted_values = cells[order], values[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (of_cell[1:] != of_cell[:-1]) | (sorted_values[1:] != sorted_values[:-1])
    starts = np.flatnonzero(new)
    lengths = np.diff(np.append(starts, len(order)))
    first_of_cell = np.searchsorted(of_cell, of_cell[starts])
    doubled = 2 * (starts - first_of_cell + below[of_cell[starts]]) + lengths - 1
    ranks = np.empty(len(order), dtype=np.int32)
    ranks[order] = np.repeat(doubled, lengths)
    return ranks
