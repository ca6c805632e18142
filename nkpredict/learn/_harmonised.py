"""Profiles and cells as one model sees them, made once for all that is asked of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
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
from nkpredict.types import FloatArray, IndexArray

_AT_ONCE = 1024  # profiles; of 20,000 genes 160 MB in each copy; set by hand


@dataclass(frozen=True, eq=False)
class HarmonisedProfiles:
    """Profiles as one model sees them; made once, they serve all that is asked of the model.

    Attributes
    ----------
    given : Profiles
        The profiles as given, in the gene order of the model.
    ranked : RankedProfiles
        The same with the ranks of their genes, as measured.
    values : numpy.ndarray
        The same profiles harmonised, samples × genes, NaN for missing.
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
        unranked = not_expression(given.genes) if ranked is None else ranked.unranked
        ranks = np.empty(given.values.shape if ranked is None else 0, dtype=np.int32)
        values = np.empty(given.values.shape)
        found = None if bridge is None else np.empty(len(values), dtype=np.intp)
        for rows in row_blocks(len(values), _AT_ONCE):
            if ranked is None:
                part = RankedProfiles.of(given.values[rows], unranked)
                ranks[rows] = part.doubled_ranks
            else:
                part = ranked[rows]
            if bridge is not None and found is not None:
                found[rows] = bridge.tell(part)
                part = bridge.matched(part, found[rows])
            values[rows] = core.harmonise(part)
        whole = RankedProfiles(given.values, ranks, unranked) if ranked is None else ranked
        return cls(given, whole, values, core, found)

    def blocks(self) -> Iterator[HarmonisedProfiles]:
        """Return the profiles in blocks, one at least: much takes several times their memory."""
        if len(self.values) <= _AT_ONCE:
            yield self
            return
        for rows in row_blocks(len(self.values), _AT_ONCE):
            given = self.given
            yield HarmonisedProfiles(
                replace(given, values=given.values[rows], samples=given.samples[rows]),
                self.ranked[rows],
                self.values[rows],
                self.core,
                None if self.platforms is None else self.platforms[rows],
            )

    @property
    def samples(self) -> pd.Index:
        """Names of the samples."""
        return self.given.samples

    @cached_property
    def each(self) -> FloatArray:
        """Predictions of each learner of the model, samples × learners; not to be changed."""
        each = [
            self.core.predict_each(self.values[rows])
            for rows in row_blocks(len(self.values), _AT_ONCE)
        ]
        return np.concatenate(each)


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
