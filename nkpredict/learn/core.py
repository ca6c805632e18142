"""What is fitted together on one set of samples: the harmoniser and the learners."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from nkpredict.features.harmonise import ProfileHarmoniser, RankedProfiles
from nkpredict.features.scaling import divisor, mean_and_deviation
from nkpredict.learn.base import GeneLearner
from nkpredict.learn.blend import normal_scores
from nkpredict.learn.offsets import group_offsets

RANGE_ENDS = (0.05, 0.95)
"""Quantiles of the training profiles that stand for a gene's low and high end."""


@dataclass(frozen=True)
class TrainingData:
    """Checked training data in gene order; `part` returns some of the samples."""

    samples: pd.Index
    genes: np.ndarray
    profiles: RankedProfiles
    target: np.ndarray
    labels: np.ndarray | None
    weights: np.ndarray | None
    evidence: np.ndarray
    within_groups: bool = False

    @property
    def offsets(self) -> pd.Series | None:
        """What each group adds to the response of its samples, None when that is not taken out."""
        if not self.within_groups or self.labels is None:
            return None
        return group_offsets(self.target, self.labels)

    @property
    def response(self) -> np.ndarray:
        """What is learned: the response, or what is left of it without the groups' offsets."""
        offsets = self.offsets
        if offsets is None or self.labels is None:
            return self.target
        left: np.ndarray = self.target - offsets.reindex(self.labels).to_numpy()
        return left

    def part(self, rows: np.ndarray) -> TrainingData:
        """Return the samples at the given positions."""
        return replace(
            self,
            samples=self.samples[rows],
            profiles=self.profiles[rows],
            target=self.target[rows],
            labels=None if self.labels is None else self.labels[rows],
            weights=None if self.weights is None else self.weights[rows],
        )


class BlendCore:
    """Harmoniser and learners fitted on the same samples; works on profiles in gene order.

    Parameters
    ----------
    harmoniser
        Brings each profile to the distribution of the training profiles.
    learners
        Learners by name, all fitted on the harmonised profiles.

    Attributes
    ----------
    center_, spread_ : numpy.ndarray
        Mean and standard deviation of each gene over the harmonised training profiles; the
        standard deviation of a constant gene is infinite.
    """

    def __init__(self, harmoniser: ProfileHarmoniser, learners: Mapping[str, GeneLearner]) -> None:
        self.harmoniser = harmoniser
        self.learners = dict(learners)

    def fit(self, data: TrainingData) -> Self:
        """Fit all parts on the same samples."""
        with threadpool_limits(1):
            harmonised = self.fit_scale(data.profiles)
        for learner in self.learners.values():
            fit_learner(learner, harmonised, data)
        return self

    def fit_scale(self, profiles: RankedProfiles) -> np.ndarray:
        """Fit everything but the learners; return the harmonised profiles."""
        harmonised = self.harmoniser.fit(profiles.values).transform(profiles)
        self.center_, deviation = mean_and_deviation(harmonised)
        self.spread_ = divisor(deviation, self.center_)
        return harmonised

    def harmonise(self, profiles: RankedProfiles) -> np.ndarray:
        """Bring profiles to the distribution of the training profiles, for all that follows."""
        return self.harmoniser.transform(profiles)

    def predict_each(self, harmonised: np.ndarray) -> np.ndarray:
        """Predictions of each learner, samples × learners."""
        return np.column_stack([learner.predict(harmonised) for learner in self.learners.values()])

    def contributions(
        self, harmonised: np.ndarray, weights: np.ndarray
    ) -> tuple[np.ndarray, float]:
        """Parts of the blended prediction, samples × genes, and their base value."""
        total, base = np.zeros(harmonised.shape), 0.0
        for weight, learner in self._weighted(weights):
            parts, own_base = learner.contributions(harmonised)
            total += weight * parts
            base += weight * own_base
        return total, float(base)

    def effect(self, harmonised: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Slope of the blended prediction on each gene, per standard deviation."""
        standard = np.nan_to_num(self.standardise(harmonised))
        effect = np.zeros(harmonised.shape[1])
        for weight, learner in self._weighted(weights):
            effect += weight * learner.slopes(harmonised, standard)
        return effect

    def substituted(
        self, harmonised: np.ndarray, level: np.ndarray, weights: np.ndarray
    ) -> np.ndarray:
        """Change of the blended prediction if one gene alone had another level, samples × genes."""
        change = np.zeros(harmonised.shape)
        for weight, learner in self._weighted(weights):
            change += weight * learner.substituted(harmonised, level)
        return change

    def ends(self, harmonised: np.ndarray) -> np.ndarray:
        """Low and high end (5th and 95th percentile) of each harmonised gene, 2 × genes."""
        # the version that knows NaN is fifty times slower
        quantile = np.nanquantile if np.isnan(harmonised).any() else np.quantile
        ends: np.ndarray = quantile(harmonised, RANGE_ENDS, axis=0)
        return ends

    def standardise(self, harmonised: np.ndarray) -> np.ndarray:
        """Harmonised profiles in standard deviations of the training profiles, NaN kept."""
        standard: np.ndarray = (harmonised - self.center_) / self.spread_
        return standard

    def _weighted(self, weights: np.ndarray) -> Iterator[tuple[float, GeneLearner]]:
        for weight, learner in zip(weights, self.learners.values(), strict=True):
            if weight:
                yield float(weight), learner


def fit_learner(learner: GeneLearner, harmonised: np.ndarray, data: TrainingData) -> GeneLearner:
    """Fit a learner on harmonised profiles and the normal scores of their response."""
    with threadpool_limits(1):
        learner.fit(
            harmonised,
            normal_scores(data.response),
            groups=data.labels,
            sample_weight=data.weights,
        )
    return learner
