"""What every fitted model can do: score profiles by gene name, and say why."""

from __future__ import annotations

import hashlib
from typing import ClassVar

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from nkpredict.features import Profiles, RankedProfiles, align_to, not_expression
from nkpredict.learn._core import BlendCore
from nkpredict.learn._novelty import ProfileNovelty
from nkpredict.learn.learners import Evidence


class GeneModel(RegressorMixin, BaseEstimator):
    """Base of the models that are scored with, stored and registered.

    Attributes
    ----------
    knowledge_only : bool
        Whether the model knows published evidence alone and no measured response.
    core_ : BlendCore
        Harmoniser and learners.
    weights_ : numpy.ndarray
        Weight of each learner.
    feature_names_in_ : numpy.ndarray
        Genes in sorted order.
    effect_ : numpy.ndarray
        Change of the prediction per standard deviation of each gene over the training profiles.
    range_ : numpy.ndarray
        Low and high end (5th and 95th percentile) of each gene over the harmonised training
        profiles, shape (2, n_genes).
    reference_ : numpy.ndarray
        Predictions of the samples that percentiles refer to.
    skill_ : dict
        ``spearman`` of held-out predictions and its one-sided ``p``; empty when nothing was held
        out.
    half_width_ : float
        Half width of the 90 % prediction interval; infinite when it is not known.
    """

    knowledge_only: ClassVar[bool] = False

    core_: BlendCore
    weights_: np.ndarray
    feature_names_in_: np.ndarray
    effect_: np.ndarray
    range_: np.ndarray
    reference_: np.ndarray
    skill_: dict[str, float]
    half_width_: float
    evidence_: Evidence
    novelty_: ProfileNovelty

    def predict(self, X: Profiles) -> np.ndarray:
        """Predict one number a sample, shape (n_samples,); genes are matched by name."""
        each = self.core_.predict_each(self._harmonised(X))
        predicted: np.ndarray = (each * self.weights_).sum(axis=1)
        return predicted

    def contributions(self, X: Profiles) -> tuple[pd.DataFrame, float]:
        """Split each prediction into parts of its genes.

        Returns
        -------
        parts : pandas.DataFrame
            Samples × genes in the unit of the prediction.
        base_value : float
            ``parts.sum(axis=1) + base_value`` equals ``predict(X)``.
        """
        parts, base = self.core_.contributions(self._harmonised(X), self.weights_)
        return pd.DataFrame(parts, index=_sample_names(X), columns=self.feature_names_in_), base

    def substituted(self, X: Profiles, level: np.ndarray) -> np.ndarray:
        """Change of the prediction if one gene alone had another level.

        Parameters
        ----------
        X
            Samples × genes.
        level
            Level of each gene on the harmonised scale, shape (n_genes,); for the ends of the
            training range see ``range_``. NaN leaves a gene as it is in the trees.

        Returns
        -------
        numpy.ndarray
            Samples × genes. The ranks of the other genes stay as they are.
        """
        return self.core_.substituted(self._harmonised(X), level, self.weights_)

    def harmonised(self, X: Profiles) -> pd.DataFrame:
        """Return the profiles as the learners see them, samples × genes, NaN for missing."""
        values = self._harmonised(X).copy()
        return pd.DataFrame(values, index=_sample_names(X), columns=self.feature_names_in_)

    def novelty(self, X: Profiles) -> np.ndarray:
        """Distance from the training profiles; 1 is the edge of the training domain."""
        return self.novelty_.score_samples(self.core_.standardise(self._harmonised(X)))

    def weight_coverage(self, X: Profiles) -> np.ndarray:
        """Share of the model's weight (absolute ``effect_``) on genes measured in each sample."""
        weight = np.abs(self.effect_)
        measured = ~np.isnan(align_to(X, self.feature_names_in_))
        total = weight.sum()
        covered: np.ndarray = (measured * weight).sum(axis=1) / (total if total > 0 else 1.0)
        return covered

    def percentile(self, predicted: np.ndarray) -> np.ndarray:
        """Percentile of predictions among those of the reference samples (``reference_``)."""
        reference = np.sort(self.reference_)
        below = np.searchsorted(reference, predicted, side="right")
        percentile: np.ndarray = 100.0 * below / len(reference)
        return percentile

    def _harmonised(self, X: Profiles) -> np.ndarray:
        check_is_fitted(self)
        values = align_to(X, self.feature_names_in_)
        # Scoring and explaining ask for the same profiles ten times over; a new fit starts anew.
        key = hashlib.blake2b(values.tobytes()).digest()
        last: tuple[BlendCore, bytes, np.ndarray] | None = getattr(self, "_last_harmonised", None)
        if last is None or last[0] is not self.core_ or last[1] != key:
            ranked = RankedProfiles.of(values, not_expression(self.feature_names_in_))
            last = self.core_, key, self.core_.harmonise(ranked)
            self._last_harmonised = last
        return last[2]


def _sample_names(X: Profiles) -> pd.Index | None:
    return X.index if isinstance(X, pd.DataFrame) else getattr(X, "obs_names", None)
