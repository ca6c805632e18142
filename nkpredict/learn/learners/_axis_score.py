"""A score that nothing is learned for: genes with evidence, grouped into axes."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from nkpredict.errors import InputError, name_some
from nkpredict.features import Profiles, ProfilesLike, SparseProfiles, divisor, row_blocks
from nkpredict.learn.learners._base import AdditivePredictor, LearnerState
from nkpredict.learn.learners._coexpression import Neighbours
from nkpredict.learn.learners._platforms import PlatformScales
from nkpredict.types import BoolArray, FloatArray, IndexArray

# Set by hand.
_BEND = 2.0  # standard deviations towards which one gene's level saturates
_SUREST = 0.999  # evidence beyond which a gene weighs no more
_AT_ONCE = 1024  # profiles


class AxisScore(AdditivePredictor):
    """Sum of axes, each a weighted mean of the levels of genes with evidence.

    A gene is read from itself; one that a profile lacks is estimated from the genes it moves with
    in the reference, shrunk by how well they tell it. Levels are standard deviations from the mean
    of the platform that the profile resembles most, and saturate at two, so that no single gene
    decides. A gene weighs what its evidence is worth, the log-odds of its direction. Genes of one
    group share the weight of the surest of them, and groups of one axis that of the axis: a
    mechanism that many genes read is counted once. Every axis has the same spread over the
    reference.

    Parameters
    ----------
    evidence
        One row a gene: ``axis`` and ``group``, and one column of signed evidence in [-1, 1] for
        each effector (+ = sensitizes).
    effector
        Column of the evidence that is read; None for the first.
    neighbours
        How many co-expressed genes speak for a missing one.
    least_correlation
        Correlation in the reference from which they do.

    Attributes
    ----------
    positions_ : numpy.ndarray
        Place of each gene with evidence among the genes of the reference, shape (n_known,).
    weights_ : numpy.ndarray
        Effectors × genes with evidence, signed: change of the score per unit of level.
    shares_ : numpy.ndarray
        Effectors × genes with evidence: part of all evidence; sums to less than 1 where the
        reference lacks genes.
    axis_ : numpy.ndarray
        Number of the axis of each gene with evidence.
    axes_, effectors_ : numpy.ndarray
        Names.
    scales_ : PlatformScales
        Means and standard deviations of each gene by platform.
    neighbours_ : Neighbours
        Genes that speak for a missing one.
    """

    name = "axes"
    other_arrays: ClassVar[tuple[str, ...]] = (
        "positions_",
        "weights_",
        "shares_",
        "axis_",
        "axes_",
        "effectors_",
    )

    def __init__(
        self,
        evidence: pd.DataFrame | None = None,
        effector: str | None = None,
        neighbours: int = 30,
        least_correlation: float = 0.5,
    ) -> None:
        self.evidence = evidence
        self.effector = effector
        self.neighbours = neighbours
        self.least_correlation = least_correlation

    def fit(self, X: ProfilesLike, y: Any = None, platform: Any = None, group: Any = None) -> Self:
        """Learn levels, spreads and co-expression from reference profiles.

        Parameters
        ----------
        X
            Samples × genes, NaN where a platform lacks a gene.
        y
            Not used.
        platform
            Platform of each sample; all of one by default.
        group
            Group of each sample, such as its disease; groups count alike, whatever their size.
        """
        profiles = Profiles.of(X)
        samples = len(profiles)
        platforms = np.full(samples, "reference") if platform is None else platform
        platforms = np.asarray(platforms).astype(str)
        groups = np.full(samples, "all") if group is None else np.asarray(group).astype(str)
        evidence = self.evidence
        if evidence is None:
            evidence = pd.DataFrame({"axis": [], "group": [], "evidence": []})
        evidence = evidence.sort_index()
        columns = evidence.columns.drop(["axis", "group"])
        signed = evidence[columns].to_numpy(dtype=np.float64)
        places = profiles.genes.get_indexer(evidence.index)
        found = places >= 0
        self.positions_ = places[found]
        self.effectors_ = np.asarray(columns, dtype=np.str_)
        names, numbers = np.unique(evidence["axis"].to_numpy(dtype=np.str_), return_inverse=True)
        self.axes_, self.axis_ = names, numbers[found]
        self.scales_ = PlatformScales.of(profiles.values, platforms, groups)
        # genes that move together within a disease: two diseases differ in thousands of genes
        cells = pd.MultiIndex.from_arrays([platforms, groups])
        nearest = self.scales_.nearest(profiles.values)
        levels = pd.DataFrame(_bent(self.scales_.standardised(profiles.values, nearest)))
        levels -= levels.groupby(cells).transform("mean")
        self.neighbours_ = Neighbours.of(
            levels.to_numpy(), self.positions_, self.neighbours, self.least_correlation
        )
        within = _shares_within_axes(evidence, signed)
        self.shares_ = (np.abs(within) / max(len(names), 1))[:, found]
        self.weights_ = within[:, found]
        spread = self._spread_of_axes(profiles.values, nearest, cells)
        if len(names):
            self.weights_ = self.weights_ / (spread[:, self.axis_] * len(names))
        profiles.remember_names(self)
        self.number_of(self.effector)
        return self

    def for_effector(self, effector: str) -> Self:
        """Return the same score read with the evidence of another effector.

        Raises
        ------
        InputError
            When nothing is known for it.
        """
        self.number_of(effector)
        other = copy(self)
        other.effector = effector
        return other

    def number_of(self, effector: str | None) -> int:
        """Return the place of an effector in ``effectors_``; the first for None.

        Raises
        ------
        InputError
            When nothing is known for it.
        """
        names = [str(name) for name in self.effectors_]
        if effector is None:
            return 0
        if effector not in names:
            raise InputError(
                f"The evidence knows no effector {effector!r}; expected one of {name_some(names)}."
            )
        return names.index(effector)

    def predict(self, X: ProfilesLike) -> FloatArray:
        """Score each sample; 0 is the average reference profile."""
        parts, base = self.contributions(X)
        return np.asarray(parts.sum(axis=1) + base)

    def predict_cells(self, cells: SparseProfiles) -> FloatArray:
        """Score each cell from the genes with evidence; neighbours speak for a missing one."""
        platforms = self.scales_.nearest_of_cells(cells)
        own = cells.take(self.positions_)
        levels = _bent(self.scales_.standardised(own, platforms, self.positions_))
        missing = np.flatnonzero(np.isnan(levels).any(axis=0))
        if len(missing):
            near, places = self.neighbours_.of_some(missing)
            values = _bent(self.scales_.standardised(cells.take(places), platforms, places))
            for platform in np.unique(platforms):  # cells of one have the same genes
                rows = platforms == platform
                known = levels[np.ix_(rows, missing)]
                estimate, _ = near.estimate(values[rows])
                levels[np.ix_(rows, missing)] = np.where(np.isnan(known), estimate, known)
        return np.asarray((levels * self.weights_[self._chosen]).sum(axis=1))

    def contributions(self, X: ProfilesLike) -> tuple[FloatArray, float]:
        """Return each gene's part of the score, samples × genes, and 0.

        The part of a gene that is missing in a sample is estimated from its neighbours and stands
        with the gene itself.
        """
        values = self._aligned(X)
        parts = np.zeros(values.shape)
        levels, _ = self._read(values)
        parts[:, self.positions_] = levels * self.weights_[self._chosen]
        return parts, 0.0

    def substituted(self, X: ProfilesLike, level: FloatArray) -> FloatArray:
        """Change of the score if one gene alone had the given level, samples × genes.

        Genes that are missing in a sample stay as their neighbours tell them: that two genes move
        together does not mean that one moves the other.
        """
        values = self._aligned(X)
        change = np.zeros(values.shape)
        if len(self.positions_):
            given = np.broadcast_to(level[self.positions_], (len(values), len(self.positions_)))
            platforms = self.scales_.nearest(values)
            after = _bent(self.scales_.standardised(given, platforms, self.positions_))
            before, _ = self._read(values, platforms)
            weights = self.weights_[self._chosen]
            change[:, self.positions_] = (np.nan_to_num(after) - before) * weights
        return change

    def read(self, X: ProfilesLike) -> tuple[FloatArray, FloatArray]:
        """Return the level of each gene with evidence, and how well it is known.

        Returns
        -------
        levels, reliability : numpy.ndarray
            Samples × genes with evidence. A measured gene is known in full (1), an estimated one by
            the share of its variance that its neighbours tell.
        """
        return self._read(self._aligned(X))

    def coverage(self, reliability: FloatArray) -> FloatArray:
        """Share of the evidence that is read in each sample, from what `read` returned."""
        return np.asarray(reliability @ self.shares_[self._chosen])

    def axis_scores(
        self, levels: FloatArray, reliability: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return the part of each axis in the score and the share of its evidence that is read.

        Parameters
        ----------
        levels, reliability
            What `read` returned.

        Returns
        -------
        scores : numpy.ndarray
            Samples × axes; they sum to the score.
        coverage : numpy.ndarray
            Samples × axes, in [0, 1].
        """
        member = self.axis_[:, None] == np.arange(len(self.axes_))
        scores = (levels * self.weights_[self._chosen]) @ member
        coverage = (reliability * self.shares_[self._chosen]) @ member * max(len(self.axes_), 1)
        return scores, coverage

    def standardised(self, X: ProfilesLike) -> FloatArray:
        """Profiles in standard deviations of the platform each resembles most, NaN kept."""
        values = self._aligned(X)
        return self.scales_.standardised(values, self.scales_.nearest(values))

    def state(self) -> LearnerState:
        """Return the fitted score as plain numbers."""
        state = super().state()
        return LearnerState({**state.arrays, **self.scales_.arrays(), **self.neighbours_.arrays()})

    @classmethod
    def from_state(cls, parameters: Mapping[str, Any], state: LearnerState, features: int) -> Self:
        """Put a fitted score together again; see `AdditivePredictor.from_state`."""
        score = super().from_state(parameters, state, features)
        score.scales_ = PlatformScales.from_state(state, features)
        score.neighbours_ = Neighbours.from_state(state, features)
        positions = state.array("positions_", "i", (None,))
        axes, effectors = (state.array(name, "U", (None,)) for name in ("axes_", "effectors_"))
        for name in ("weights_", "shares_"):
            state.array(name, "f", (len(effectors), len(positions)))
        of_axis = state.array("axis_", "i", positions.shape)
        for places, most in ((positions, features), (of_axis, len(axes))):
            if places.size and not (places.min() >= 0 and places.max() < most):
                raise ValueError("axes.positions_ or axes.axis_ points to what is not there")
        if not len(effectors) or len(score.neighbours_.genes) != len(positions):
            raise ValueError("axes.neighbour_genes or axes.effectors_ does not fit axes.positions_")
        score.number_of(score.effector)
        return score

    @property
    def _chosen(self) -> int:
        return self.number_of(self.effector)

    def _read(
        self, values: FloatArray, platforms: IndexArray | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Level of each gene with evidence, and how well it is known (1 = measured)."""
        check_is_fitted(self)
        platforms = self.scales_.nearest(values) if platforms is None else platforms
        # each profile by itself; the levels of all genes of many would fill the memory
        blocks = row_blocks(len(values), _AT_ONCE)
        parts = [self._read_some(values[rows], platforms[rows]) for rows in blocks]
        levels, known = zip(*parts, strict=True)
        return np.concatenate(levels), np.concatenate(known)

    def _read_some(
        self, values: FloatArray, platforms: IndexArray
    ) -> tuple[FloatArray, FloatArray]:
        own = values[:, self.positions_]
        own = _bent(self.scales_.standardised(own, platforms, self.positions_))
        measured: BoolArray = ~np.isnan(own)
        if measured.all():
            return own, np.ones(own.shape)
        levels = _bent(self.scales_.standardised(values, platforms))
        estimate, reliability = self.neighbours_.estimate(levels)
        return np.where(measured, own, estimate), np.where(measured, 1.0, reliability)

    def _spread_of_axes(
        self, values: FloatArray, platforms: IndexArray, cells: pd.MultiIndex
    ) -> FloatArray:
        """Root mean square of each axis over the reference, effectors × axes."""
        levels, _ = self._read(values, platforms)
        spread = np.ones((len(self.effectors_), len(self.axes_)))
        for axis in range(len(self.axes_)):
            member: IndexArray = np.flatnonzero(self.axis_ == axis)
            of_axis = levels[:, member] @ self.weights_[:, member].T
            squares = pd.DataFrame(of_axis**2).groupby(cells).mean().mean().to_numpy()
            spread[:, axis] = divisor(np.sqrt(squares), np.zeros(len(squares)))
        return spread


def _shares_within_axes(evidence: pd.DataFrame, signed: FloatArray) -> FloatArray:
    """Signed share of each gene in its axis, effectors × genes; sizes sum to 1 in an axis.

    Evidence is the difference of two probabilities, so its log-odds are 2 artanh. A group counts as
    much as the surest of its genes; its genes share that.
    """
    shares = np.zeros(signed.T.shape)
    sizes = 2 * np.arctanh(np.minimum(np.abs(signed), _SUREST))
    for effector, size in enumerate(sizes.T):
        table = pd.DataFrame({"size": size, "axis": evidence["axis"], "group": evidence["group"]})
        by_group = table.groupby(["axis", "group"])["size"]
        surest, total = by_group.transform("max"), by_group.transform("sum")
        share = np.divide(table["size"] * surest, total, where=total > 0, out=np.zeros(len(table)))
        of_axis = pd.Series(share, index=table.index).groupby(table["axis"]).transform("sum")
        share = np.divide(share, of_axis, where=of_axis > 0, out=np.zeros(len(table)))
        shares[effector] = np.sign(signed[:, effector]) * share
    return shares


def _bent(standard: FloatArray) -> FloatArray:
    return np.asarray(_BEND * np.tanh(standard / _BEND))
