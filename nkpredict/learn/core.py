"""What is fitted together on one set of samples: the harmoniser and the learners."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from nkpredict.features.harmonise import ProfileHarmoniser, RankedProfiles
from nkpredict.learn.boosting import EvidenceBoosting
from nkpredict.learn.ridge import EvidenceRidge

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
    """Harmoniser and learners fitted on the same samples; works on profiles in gene order."""

    def __init__(
        self, harmoniser: ProfileHarmoniser, ridge: EvidenceRidge, boosting: EvidenceBoosting
    ) -> None:
        self.harmoniser = harmoniser
        self.ridge = ridge
        self.boosting = boosting

    def fit(self, data: TrainingData) -> Self:
        """Fit all parts on the same samples."""
        with threadpool_limits(1):
            harmonised = self.harmoniser.fit(data.profiles.values).transform(data.profiles)
            self.ridge.fit(harmonised, data.target, groups=data.labels, sample_weight=data.weights)
            self.boosting.fit(harmonised, data.target, sample_weight=data.weights)
        return self

    def predict_each(self, profiles: RankedProfiles) -> np.ndarray:
        """Predictions of ridge and boosting, samples × 2."""
        harmonised = self.harmoniser.transform(profiles)
        return np.column_stack([self.ridge.predict(harmonised), self.boosting.predict(harmonised)])

    def contributions(
        self, profiles: RankedProfiles, weights: np.ndarray
    ) -> tuple[np.ndarray, float]:
        """Parts of the blended prediction, samples × genes, and their base value."""
        harmonised = self.harmoniser.transform(profiles)
        linear, linear_base = self.ridge.contributions(harmonised)
        trees, trees_base = self.boosting.contributions(harmonised)
        parts: np.ndarray = weights[0] * linear + weights[1] * trees
        return parts, float(weights[0] * linear_base + weights[1] * trees_base)

    def effect(self, profiles: RankedProfiles, weights: np.ndarray) -> np.ndarray:
        """Slope of the blended prediction on each gene, per standard deviation.

        Exact for the ridge; for the trees the least-squares slope of a gene's SHAP values.
        """
        trees, _ = self.boosting.contributions(self.harmoniser.transform(profiles))
        chosen = self.boosting.selected_
        standard = np.nan_to_num(self.standardise(profiles)[:, chosen])
        slope = (standard * trees[:, chosen]).sum(axis=0) / np.maximum(
            (standard**2).sum(axis=0), 1e-12
        )
        effect: np.ndarray = weights[0] * self.ridge.coef_
        effect[chosen] += weights[1] * slope
        return effect

    def substituted(
        self, profiles: RankedProfiles, level: np.ndarray, weights: np.ndarray
    ) -> np.ndarray:
        """Change of the blended prediction if one gene alone had another level, samples × genes."""
        harmonised = self.harmoniser.transform(profiles)
        change: np.ndarray = weights[0] * self.ridge.substituted(harmonised, level)
        change += weights[1] * self.boosting.substituted(harmonised, level)
        return change

    def ends(self, profiles: RankedProfiles) -> np.ndarray:
        """Low and high end (5th and 95th percentile) of each harmonised gene, 2 × genes."""
        ends: np.ndarray = np.nanquantile(self.harmoniser.transform(profiles), RANGE_ENDS, axis=0)
        return ends

    def standardise(self, profiles: RankedProfiles) -> np.ndarray:
        """Harmonised profiles in standard deviations of the training profiles, NaN kept."""
        standard: np.ndarray = (
            self.harmoniser.transform(profiles) - self.ridge.mean_
        ) / self.ridge.scale_
        return standard
