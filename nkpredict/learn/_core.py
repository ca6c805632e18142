"""What is fitted together on one set of samples: the harmoniser and the learners."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Self

import numpy as np

from nkpredict.features import (
    ModuleScores,
    ProfileHarmoniser,
    Profiles,
    RankedProfiles,
    SparseProfiles,
    divisor,
    mean_and_deviation,
)
from nkpredict.learn._training_data import TrainingData, fit_learner
from nkpredict.learn.learners import AdditivePredictor, GeneLearner
from nkpredict.threads import one_thread
from nkpredict.types import FloatArray

RANGE_ENDS = (0.05, 0.95)
"""Quantiles of the training profiles that stand for a gene's low and high end; set by hand."""


class BlendCore:
    """Harmoniser and learners fitted on the same samples; works on profiles in gene order.

    With modules, the learners see their scores beside the genes. What leaves the core is about
    genes alone all the same: a module's part is passed on to its genes, see `ModuleScores`.

    Parameters
    ----------
    harmoniser
        Brings each profile to the distribution of the training profiles.
    learners
        Learners by name, all fitted on the harmonised profiles.
    modules
        Modules whose scores the learners see too, matched to the genes.

    Attributes
    ----------
    center_, spread_ : numpy.ndarray
        Mean and standard deviation of each gene over the harmonised training profiles; the
        standard deviation of a constant gene is infinite.
    module_slopes_ : numpy.ndarray
        Change of each learner's prediction per unit of each module's score, learners × modules:
        the least-squares slope of its part over the training profiles, exact for a linear
        learner. Learned once, so that a sample's parts do not depend on its company. Only with
        modules.
    """

    def __init__(
        self,
        harmoniser: ProfileHarmoniser,
        learners: Mapping[str, AdditivePredictor],
        modules: ModuleScores | None = None,
    ) -> None:
        self.harmoniser = harmoniser
        self.learners = dict(learners)
        self.modules = modules

    def fit(self, data: TrainingData) -> Self:
        """Fit all parts on the same samples."""
        with one_thread():
            inputs = self.learner_input(self.fit_scale(data.profiles))
        for learner in self.learners.values():
            if isinstance(learner, GeneLearner):  # a score from evidence learns no response
                fit_learner(learner, inputs, data)
        if self.modules is not None:
            scores = inputs.values[:, -len(self.modules) :]
            size = np.maximum((scores**2).sum(axis=0), 1e-12)
            parts = [learner.contributions(inputs)[0] for learner in self.learners.values()]
            self.module_slopes_ = np.array(
                [(scores * part[:, -len(self.modules) :]).sum(axis=0) / size for part in parts]
            )
        return self

    def fit_scale(self, profiles: RankedProfiles) -> FloatArray:
        """Fit everything but the learners; return the harmonised profiles."""
        harmonised = self.harmoniser.fit(Profiles.unnamed(profiles.values)).transform(profiles)
        self.center_, deviation = mean_and_deviation(harmonised)
        self.spread_ = divisor(deviation, self.center_)
        return harmonised

    def harmonise(self, profiles: RankedProfiles) -> FloatArray:
        """Bring profiles to the distribution of the training profiles, for all that follows."""
        return self.harmoniser.transform(profiles)

    def learner_input(self, harmonised: FloatArray) -> Profiles:
        """Return what the learners see: harmonised genes and, beside them, scores of modules."""
        if self.modules is None:
            return Profiles.unnamed(harmonised)
        return Profiles.unnamed(self._beside(harmonised, self._filled(harmonised)))

    def predict_each(self, harmonised: FloatArray) -> FloatArray:
        """Predictions of each learner, samples × learners."""
        inputs = self.learner_input(harmonised)
        return np.column_stack([learner.predict(inputs) for learner in self.learners.values()])

    def predict_each_cell(self, cells: SparseProfiles) -> FloatArray:
        """Predictions of each learner, cells × learners; those of the dense profiles."""
        if self.modules is None:
            return np.column_stack([one.predict_cells(cells) for one in self.learners.values()])
        return np.concatenate([self.predict_each(part.dense()) for part in cells.blocks()])

    def contributions(
        self, harmonised: FloatArray, weights: FloatArray
    ) -> tuple[FloatArray, float]:
        """Parts of the blended prediction, samples × genes, and their base value.

        A module's part is passed on to its genes: exact Shapley values for a linear learner
        fitted without sample weights.
        """
        inputs = self.learner_input(harmonised)
        total, base = np.zeros(inputs.values.shape), 0.0
        for weight, learner in self._weighted(weights):
            parts, learner_base = learner.contributions(inputs)
            total += weight * parts
            base += weight * learner_base
        if self.modules is not None:
            genes, modules = np.split(total, [self.modules.n_genes], axis=1)
            slopes = weights @ self.module_slopes_
            total = genes + self.modules.to_genes(modules, slopes, self._filled(harmonised))
        return total, float(base)

    def effect(self, harmonised: FloatArray, weights: FloatArray) -> FloatArray:
        """Slope of the blended prediction on each gene, per standard deviation."""
        filled = self._filled(harmonised)
        inputs, standard = self._beside(harmonised, filled), self._beside(filled, filled)
        effect = np.zeros(inputs.shape[1])
        for weight, learner in self._weighted(weights):
            effect += weight * learner.slopes(Profiles.unnamed(inputs), standard)
        if self.modules is None:
            return effect
        return effect[: self.modules.n_genes] + self._through(self.modules, weights)

    def substituted(
        self, harmonised: FloatArray, level: FloatArray, weights: FloatArray
    ) -> FloatArray:
        """Change of the blended prediction if one gene alone had another level, samples × genes.

        The gene's modules move with it along their slopes (``module_slopes_``): exact for a
        linear learner, a first-order approximation for trees. NaN counts as average there.
        """
        inputs = self.learner_input(harmonised)
        change = np.zeros(inputs.values.shape)
        # the modules themselves are put to no level
        levels = np.append(level, np.full(len(inputs.genes) - len(level), np.nan))
        for weight, learner in self._weighted(weights):
            change += weight * learner.substituted(inputs, levels)
        if self.modules is not None:
            moved = self._filled(level) - self._filled(harmonised)
            change = change[:, : len(level)] + self._through(self.modules, weights) * moved
        return change

    def ends(self, harmonised: FloatArray) -> FloatArray:
        """Low and high end (5th and 95th percentile) of each harmonised gene, 2 × genes."""
        # the version that knows NaN is far slower; see docs/decisions/012
        quantile = np.nanquantile if np.isnan(harmonised).any() else np.quantile
        return np.asarray(quantile(harmonised, RANGE_ENDS, axis=0))

    def standardise(self, harmonised: FloatArray) -> FloatArray:
        """Harmonised profiles in standard deviations of the training profiles, NaN kept."""
        standard = harmonised - self.center_
        standard /= self.spread_
        return standard

    def _filled(self, harmonised: FloatArray) -> FloatArray:
        """Harmonised profiles in standard deviations, a missing value counted as average."""
        return np.nan_to_num(self.standardise(harmonised), copy=False)

    def _beside(self, values: FloatArray, filled: FloatArray) -> FloatArray:
        """Put the scores of modules beside the values of genes."""
        return values if self.modules is None else np.hstack([values, self.modules.scores(filled)])

    def _through(self, modules: ModuleScores, weights: FloatArray) -> FloatArray:
        """Slope of the blended prediction on each gene through its modules; 0 if it is constant."""
        slopes = modules.gene_slopes(weights @ self.module_slopes_)
        return np.where(np.isfinite(self.spread_), slopes, 0.0)

    def _weighted(self, weights: FloatArray) -> Iterator[tuple[float, AdditivePredictor]]:
        for weight, learner in zip(weights, self.learners.values(), strict=True):
            if weight:
                yield float(weight), learner
