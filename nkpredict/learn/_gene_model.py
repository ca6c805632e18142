"""What every fitted model can do: score profiles by gene name, and say why."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from nkpredict.errors import InputError
from nkpredict.features import (
    PlatformBridge,
    ProfileEstimator,
    Profiles,
    ProfilesLike,
    SparseRanks,
)
from nkpredict.learn._core import BlendCore
from nkpredict.learn._harmonised import HarmonisedCells, HarmonisedProfiles
from nkpredict.learn._novelty import ProfileNovelty
from nkpredict.learn._response_range import ResponseRange
from nkpredict.learn.learners import Evidence
from nkpredict.types import BoolArray, FloatArray
from nkpredict.vocabulary import UNKNOWN


class GeneModel(ProfileEstimator):
    """Base of the models that are scored with, stored and registered.

    What takes profiles takes `HarmonisedProfiles` as well: `prepare` them once to ask for several
    things. Asking changes nothing in the model.

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
    response_range_ : ResponseRange
        Lowest and highest response of the training samples, which no prediction leaves; infinite
        where there is none.
    skill_ : dict
        ``spearman`` of held-out predictions and its one-sided ``p``; empty when nothing was held
        out.
    platforms_ : PlatformBridge or None
        What platforms read of the model's genes, and which it learned from; None in models saved
        without it.
    """

    knowledge_only: ClassVar[bool] = False

    evidence: Evidence
    random_state: int
    core_: BlendCore
    weights_: FloatArray
    effect_: FloatArray
    range_: FloatArray
    reference_: FloatArray
    response_range_: ResponseRange
    skill_: dict[str, float]
    evidence_: Evidence
    novelty_: ProfileNovelty
    platforms_: PlatformBridge | None = None

    def prepare(self, X: ProfilesLike | HarmonisedProfiles) -> HarmonisedProfiles:
        """Check, align and harmonise profiles for all that is asked of the model.

        Profiles of another technology than the model's are brought to it first, each by itself,
        where the same lines were measured by both.

        Parameters
        ----------
        X
            Samples × genes; genes are matched by name. Profiles prepared for another model of the
            same genes are harmonised for this one.

        Raises
        ------
        NotFittedError
            When the model is not fitted.
        InputError
            When profiles and model share no gene.
        """
        check_is_fitted(self)
        if isinstance(X, HarmonisedProfiles) and X.core is self.core_:
            return X
        genes = pd.Index(self.feature_names_in_)
        if isinstance(X, HarmonisedProfiles):
            given, ranked = X.given, X.ranked
            if not given.genes.equals(genes):
                raise InputError(
                    f"The profiles were prepared for a model of {len(given.genes):,} other genes "
                    f"than the {len(genes):,} of this one; prepare them with this model."
                )
        else:
            profiles = Profiles.as_read(X)
            given = replace(profiles, values=profiles.aligned(genes), genes=genes)
            ranked = None
        return HarmonisedProfiles.of(given, ranked, self.core_, self.platforms_)

    def prepare_cells(self, ranks: SparseRanks) -> HarmonisedCells:
        """Harmonise cells for all that is asked of the model, without their zeros.

        Parameters
        ----------
        ranks
            Ranks of the model's genes in each cell.

        Raises
        ------
        NotFittedError
            When the model is not fitted.
        """
        check_is_fitted(self)
        return HarmonisedCells(ranks, pd.Index(self.feature_names_in_), self.core_, self.platforms_)

    def predict(self, X: ProfilesLike | HarmonisedProfiles) -> FloatArray:
        """Predict one number a sample, shape (n_samples,); genes are matched by name.

        What the genes add up to is bent near the ends of ``response_range_``, so that it stays
        inside.
        """
        added_up = self._added_up(self.prepare(X))
        return self.response_range_.bent(added_up)

    def predict_interval(
        self, X: ProfilesLike | HarmonisedProfiles, coverage: float = 0.9
    ) -> FloatArray:
        """Say between which values the measured response of each sample lies.

        Parameters
        ----------
        X
            Samples × genes.
        coverage
            Share of new samples that the interval should hold, between 0 and 1.

        Returns
        -------
        numpy.ndarray
            Lower and upper end, shape (n_samples, 2), in the unit of the prediction; NaN where
            nothing is known, as from a model that was trained on no response.

        Raises
        ------
        InputError
            When the coverage is not between 0 and 1.
        """
        if not 0 < coverage < 1:
            raise InputError(f"The coverage is {coverage}; expected a share between 0 and 1.")
        return self._interval(self.prepare(X), coverage)

    def contributions(self, X: ProfilesLike | HarmonisedProfiles) -> tuple[pd.DataFrame, float]:
        """Split each prediction into parts of its genes.

        Returns
        -------
        parts : pandas.DataFrame
            Samples × genes in the unit of the prediction.
        base_value : float
            ``parts.sum(axis=1) + base_value`` equals ``predict(X)``. Where the sum is bent to stay
            inside ``response_range_``, all parts of the sample are shortened alike.
        """
        prepared = self.prepare(X)
        straight = self._added_up(prepared)
        parts = np.empty((len(straight), len(self.feature_names_in_)))
        bent_base, start = 0.0, 0
        for block in prepared.blocks():
            some, base = self.core_.contributions(block.values, self.weights_)
            rows = slice(start, start + len(some))
            bent = self.response_range_.bent(np.append(straight[rows], base))
            bent_base, start = float(bent[-1]), rows.stop
            change = straight[rows] - base
            kept = np.divide(
                bent[:-1] - bent_base, change, out=np.ones(len(change)), where=change != 0
            )
            np.multiply(some, kept[:, None], out=parts[rows])
        return self._by_gene(parts, prepared), bent_base

    def substituted(self, X: ProfilesLike | HarmonisedProfiles, level: FloatArray) -> FloatArray:
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
        prepared = self.prepare(X)
        bend, parts = self.response_range_.bent, []
        for block in prepared.blocks():
            change = self.core_.substituted(block.values, level, self.weights_)
            straight = self._added_up(block)[:, None]
            parts.append(np.where(change, bend(straight + change) - bend(straight), 0.0))
        return np.concatenate(parts)

    def harmonised(self, X: ProfilesLike | HarmonisedProfiles) -> pd.DataFrame:
        """Return the profiles as the learners see them, samples × genes, NaN for missing."""
        prepared = self.prepare(X)
        return self._by_gene(prepared.values.copy(), prepared)

    def novelty(self, X: ProfilesLike | HarmonisedProfiles) -> FloatArray:
        """Distance from the training profiles; 1 is the edge of the training domain.

        Profiles of another known platform are judged against that platform.
        """
        parts = [self._novelty_of(part) for part in self.prepare(X).blocks()]
        return np.concatenate(parts)

    def _novelty_of(self, prepared: HarmonisedProfiles) -> FloatArray:
        if not self.novelty_.by_range:
            return self.novelty_.score_samples(self._standardised(prepared))
        bridge, found = self.platforms_, prepared.platforms
        if bridge is None or found is None:
            return self.novelty_.score_samples(self._compared(prepared.values))
        values = self.core_.harmonise(bridge.judged(prepared.ranked, found))
        return self.novelty_.score_samples(self._compared(values))

    def platform(self, X: ProfilesLike | HarmonisedProfiles) -> npt.NDArray[np.str_]:
        """Platform of each profile, see `nkpredict.vocabulary.Platform`, told from itself."""
        prepared = self.prepare(X)
        if self.platforms_ is None or prepared.platforms is None:
            return np.full(len(prepared.samples), str(UNKNOWN))
        return self.platforms_.names(prepared.platforms)

    def recognised(self, X: ProfilesLike | HarmonisedProfiles) -> BoolArray | None:
        """Whether each profile is one of those the model was made from, shape (n_samples,).

        None when the model keeps no trace of them; see `ProfileNovelty.recognised`.
        """
        parts = [
            self.novelty_.recognised(self._standardised(part)) for part in self.prepare(X).blocks()
        ]
        known = [part for part in parts if part is not None]
        return np.concatenate(known) if known else None

    def weight_coverage(self, X: ProfilesLike | HarmonisedProfiles) -> FloatArray:
        """Share of the model's weight (absolute ``effect_``) on genes measured in each sample."""
        prepared = self.prepare(X)
        weight = np.abs(self.effect_)
        total = weight.sum()
        read = [(~np.isnan(part.given.values) * weight).sum(axis=1) for part in prepared.blocks()]
        return np.asarray(np.concatenate(read) / (total if total > 0 else 1.0))

    def percentile(self, predicted: FloatArray) -> FloatArray:
        """Percentile of predictions among those of the reference samples (``reference_``)."""
        check_is_fitted(self)
        reference = np.sort(self.reference_)
        below = np.searchsorted(reference, predicted, side="right")
        return np.asarray(100.0 * below / len(reference))

    def _added_up(self, prepared: HarmonisedProfiles) -> FloatArray:
        """Blend of the learners, a sum over genes without an end."""
        return np.asarray((prepared.each * self.weights_).sum(axis=1))

    def _interval(self, prepared: HarmonisedProfiles, coverage: float) -> FloatArray:
        return np.full((len(prepared.samples), 2), np.nan)

    def _compared(self, harmonised: FloatArray) -> Profiles:
        """Harmonised profiles on the scale on which the novelty compares genes."""
        return Profiles.unnamed(harmonised)

    def _standardised(self, prepared: HarmonisedProfiles) -> Profiles:
        """Profiles in standard deviations of the training profiles."""
        return Profiles.unnamed(self.core_.standardise(prepared.values))

    def _by_gene(self, values: FloatArray, prepared: HarmonisedProfiles) -> pd.DataFrame:
        return pd.DataFrame(values, index=prepared.samples, columns=self.feature_names_in_)
