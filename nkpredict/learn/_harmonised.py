"""Profiles and cells as one model sees them, made once for all that is asked of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from nkpredict.features import (
    PlatformBridge,
    Profiles,
    RankedProfiles,
    SparseProfiles,
    SparseRanks,
    not_expression,
    row_blocks,
)
from nkpredict.learn._core import BlendCore
from nkpredict.types import BoolArray, FloatArray, IndexArray

_AT_ONCE = 1024  # profiles; of 20,000 genes 160 MB in each copy; set by hand


@dataclass(frozen=True, eq=False, repr=False)
class HarmonisedProfiles:
    """Profiles as one model sees them; made once, they serve all that is asked of the model.

    Attributes
    ----------
    given : Profiles
        The profiles as given, in the gene order of the model.
    ranked : RankedProfiles
        The same with the ranks of their genes, as measured.
    values : numpy.ndarray
        The same profiles harmonised, samples × genes, NaN for missing; of many profiles `blocks`
        takes less memory.
    core : BlendCore
        Of the model that they were harmonised for.
    platforms : numpy.ndarray or None
        Number of the platform of each, see `PlatformBridge`; None for a model without one.
    """

    given: Profiles
    ranked: RankedProfiles
    values: FloatArray
    core: BlendCore
    platforms: IndexArray | None = None

    @classmethod
    def of(
        cls,
        given: Profiles,
        ranked: RankedProfiles | None,
        core: BlendCore,
        bridge: PlatformBridge | None,
    ) -> HarmonisedProfiles:
        """Rank profiles, bring them to the platform of a model and harmonise them.

        Each profile is treated by itself, so that of many some are worked on at a time: that takes
        several times their memory.

        Parameters
        ----------
        given
            In the gene order of the model.
        ranked
            The same with their ranks; None when they have to be ranked.
        core, bridge
            Of the model.
        """
        if len(given.values) > _AT_ONCE:
            return HarmonisedInBlocks(given, ranked, core, bridge)
        if ranked is None:
            ranked = RankedProfiles.of(given.values, not_expression(given.genes))
        if bridge is None:
            return cls(given, ranked, core.harmonise(ranked), core)
        found = bridge.tell(ranked)
        return cls(given, ranked, core.harmonise(bridge.matched(ranked, found)), core, found)

    def blocks(self) -> Iterator[HarmonisedProfiles]:
        """Return the profiles in blocks, one at least: much takes several times their memory."""
        if len(self) <= _AT_ONCE:
            yield self
            return
        for rows in row_blocks(len(self), _AT_ONCE):
            yield self.take(rows)

    def take(self, rows: slice | IndexArray) -> HarmonisedProfiles:
        """Return some of the profiles."""
        part = HarmonisedProfiles(
            _some(self.given, rows),
            self.ranked[rows],
            self.values[rows],
            self.core,
            None if self.platforms is None else self.platforms[rows],
        )
        return self._with_predictions(part, rows)

    def _with_predictions(
        self, part: HarmonisedProfiles, rows: slice | IndexArray
    ) -> HarmonisedProfiles:
        if "each" in vars(self):
            vars(part)["each"] = self.each[rows]
        return part

    def whole(self) -> HarmonisedProfiles:
        """Return all profiles in memory, for what asks for many parts of them."""
        return self

    def at(self, rows: IndexArray, genes: IndexArray) -> FloatArray:
        """Return the harmonised values of some genes in some profiles."""
        return self.values[np.ix_(rows, genes)]

    @property
    def samples(self) -> pd.Index:
        """Names of the samples."""
        return self.given.samples

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.given)

    @cached_property
    def each(self) -> FloatArray:
        """Predictions of each learner of the model, samples × learners; not to be changed."""
        return np.concatenate([self.core.predict_each(part.values) for part in self.blocks()])


class HarmonisedInBlocks(HarmonisedProfiles):
    """Many profiles as one model sees them, of which some at a time are harmonised when asked for.

    Their values are looked up by their ranks, which take a quarter of the memory.

    Parameters
    ----------
    given
        In the gene order of the model.
    ranked
        The same with their ranks; None when they have to be ranked.
    core, bridge
        Of the model.
    """

    def __init__(
        self,
        given: Profiles,
        ranked: RankedProfiles | None,
        core: BlendCore,
        bridge: PlatformBridge | None,
    ) -> None:
        unranked = not_expression(given.genes) if ranked is None else ranked.unranked
        short = 2 * len(given.genes) <= np.iinfo(np.int16).max
        ranks = np.empty(given.values.shape, dtype=np.int16 if short else np.int32)
        seen, found = ranks, None if bridge is None else np.empty(len(ranks), dtype=np.intp)
        for rows in row_blocks(len(ranks), _AT_ONCE):
            if ranked is None:
                part = RankedProfiles.of(_some(given, rows).values, unranked)
            else:
                part = ranked[rows]
            ranks[rows] = part.doubled_ranks
            if bridge is not None and found is not None:
                found[rows] = bridge.tell(part)
                moved = bridge.matched(part, found[rows])
                if moved is not part and seen is ranks:
                    seen = ranks.copy()
                if seen is not ranks:
                    seen[rows] = moved.doubled_ranks
        vars(self).update(
            given=given, core=core, platforms=found, _ranks=ranks, _seen=seen, _unranked=unranked
        )

    _ranks: npt.NDArray[np.int16 | np.int32]
    _seen: npt.NDArray[np.int16 | np.int32]
    _unranked: BoolArray | None

    @property
    def ranked(self) -> RankedProfiles:
        """Ranks of all profiles, made each time they are asked for."""
        return self._ranked(self._ranks, slice(None))

    @property
    def values(self) -> FloatArray:
        """All profiles harmonised, made each time they are asked for."""
        return np.concatenate([part.values for part in self.blocks()])

    def take(self, rows: slice | IndexArray) -> HarmonisedProfiles:
        """Return some of the profiles."""
        part = HarmonisedProfiles(
            _some(self.given, rows),
            self._ranked(self._ranks, rows),
            self.core.harmonise(self._ranked(self._seen, rows)),
            self.core,
            None if self.platforms is None else self.platforms[rows],
        )
        return self._with_predictions(part, rows)

    def whole(self) -> HarmonisedProfiles:
        """Return all profiles in memory, for what asks for many parts of them."""
        whole = HarmonisedProfiles(self.given, self.ranked, self.values, self.core, self.platforms)
        return self._with_predictions(whole, slice(None))

    def at(self, rows: IndexArray, genes: IndexArray) -> FloatArray:
        """Return the harmonised values of some genes in some profiles."""
        blocks = row_blocks(len(rows), _AT_ONCE)
        return np.concatenate([self.take(rows[block]).values[:, genes] for block in blocks])

    def _ranked(
        self, ranks: npt.NDArray[np.int16 | np.int32], rows: slice | IndexArray
    ) -> RankedProfiles:
        values = self.given.values[rows]
        return RankedProfiles(
            values.astype(np.float64, copy=False),
            ranks[rows].astype(np.int32, copy=False),
            self._unranked,
        )


def _some(given: Profiles, rows: slice | IndexArray) -> Profiles:
    values = given.values[rows].astype(np.float64, copy=False)
    return replace(given, values=values, samples=given.samples[rows])


class HarmonisedCells(HarmonisedProfiles):
    """Cells as one model sees them; dense profiles are made only when something asks for them.

    Parameters
    ----------
    ranks
        Ranks of the model's genes.
    genes
        Names of these genes.
    core
        Of the model.
    bridge
        Of the model; cells that it moves to another platform are made dense, block by block.
    """

    def __init__(
        self,
        ranks: SparseRanks,
        genes: pd.Index,
        core: BlendCore,
        bridge: PlatformBridge | None,
    ) -> None:
        moving = bridge if bridge is not None and bridge.moves.any() else None
        vars(self).update(core=core, _ranks=ranks, _genes=genes, _bridge=bridge, _moving=moving)

    _ranks: SparseRanks
    _genes: pd.Index
    _bridge: PlatformBridge | None
    _moving: PlatformBridge | None

    def __len__(self) -> int:
        """Return the number of cells."""
        return len(self._ranks)

    @cached_property
    def given(self) -> Profiles:
        """The ranks as dense profiles; which genes were measured is what is asked of them."""
        values = self.ranked.values
        return replace(Profiles.unnamed(values), genes=self._genes, named=True)

    @cached_property
    def ranked(self) -> RankedProfiles:
        """Dense ranks."""
        return self._ranks.dense()

    @cached_property
    def cells(self) -> SparseProfiles:
        """Harmonised profiles without their zeros, as if no platform moved them."""
        return SparseProfiles.of(self._ranks, self.core.harmoniser)

    @cached_property
    def platforms(self) -> IndexArray | None:
        """Number of the platform of each cell."""
        return None if self._bridge is None else self._bridge.tell_cells(self._ranks)

    @cached_property
    def values(self) -> FloatArray:
        """Dense harmonised profiles."""
        bridge, found = self._moving, self.platforms
        if bridge is None or found is None:
            return self.cells.dense()
        return self.core.harmonise(bridge.matched(self.ranked, found))

    @cached_property
    def each(self) -> FloatArray:
        """Predictions of each learner of the model, cells × learners; not to be changed."""
        each = self.core.predict_each_cell(self.cells)
        bridge, found = self._moving, self.platforms
        if bridge is None or found is None:
            return each
        moved = np.flatnonzero(bridge.bridged(found))
        start = 0
        for block in self._ranks.take(moved).blocks():
            cells = moved[start : start + len(block)]
            seen = bridge.matched(block.dense(), found[cells])
            each[cells] = self.core.predict_each(self.core.harmonise(seen))
            start += len(block)
        return each
