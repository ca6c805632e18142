"""What every fitted model can do: score profiles by gene name, and say why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from nkpredict.errors import InputError
from nkpredict.features import (
    ProfileEstimator,
    Profiles,
    ProfilesLike,
    RankedProfiles,
    SparseProfiles,
    SparseRanks,
    not_expression,
)
from nkpredict.learn._core import BlendCore
from nkpredict.learn._novelty import ProfileNovelty
from nkpredict.learn.learners import Evidence
from nkpredict.types import BoolArray, FloatArray


@dataclass(frozen=True, eq=False)
class HarmonisedProfiles:
    """Profiles as one model sees them; made once, they serve all that is asked of the model.

    Attributes
    ----------
    given : Profiles
        The profiles as given, in the gene order of the model.
    ranked : RankedProfiles
        The same with the ranks of their genes.
    values : numpy.ndarray
        The same profiles harmonised, samples × genes, NaN for missing.
    core : BlendCore
        Of the model that they were harmonised for.
    """

    given: Profiles
    ranked: RankedProfiles
    values: FloatArray
    core: BlendCore

    @property
    def samples(self) -> pd.Index:
        """Names of the samples."""
        return self.given.samples

    def predict_each(self) -> FloatArray:
        """Predictions of each learner of the model, samples × learners."""
        return self.core.predict_each(self.values)


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
    """

    def __init__(self, ranks: SparseRanks, genes: pd.Index, core: BlendCore) -> None:
        vars(self).update(core=core, _ranks=ranks, _genes=genes)
        vars(self).update(cells=SparseProfiles.of(ranks, core.harmoniser))

    cells: SparseProfiles
    _ranks: SparseRanks
    _genes: pd.Index

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
    def values(self) -> FloatArray:
        """Dense harmonised profiles."""
        return self.cells.dense()

    def predict_each(self) -> FloatArray:
        """Predictions of each learner of the model, cells × learners."""
        return self.core.predict_each_cell(self.cells)


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
    skill_ : dict
        ``spearman`` of held-out predictions and its one-sided ``p``; empty when nothing was held
        out.
    half_width_ : float
        Half width of the 90 % prediction interval; infinite when it is not known.
    """

    knowledge_only: ClassVar[bool] = False

    evidence: Evidence
    random_state: int
    core_: BlendCore
    weights_: FloatArray
    effect_: FloatArray
    range_: FloatArray
    reference_: FloatArray
    skill_: dict[str, float]
    half_width_: float
    evidence_: Evidence
    novelty_: ProfileNovelty

    def prepare(self, X: ProfilesLike | HarmonisedProfiles) -> HarmonisedProfiles:
        """Check, align and harmonise profiles for all that is asked of the model.

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
            profiles = Profiles.of(X)
            given = replace(profiles, values=profiles.aligned(genes), genes=genes)
            ranked = RankedProfiles.of(given.values, not_expression(genes))
        return HarmonisedProfiles(given, ranked, self.core_.harmonise(ranked), self.core_)

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
        return HarmonisedCells(ranks, pd.Index(self.feature_names_in_), self.core_)

    def predict(self, X: ProfilesLike | HarmonisedProfiles) -> FloatArray:
        """Predict one number a sample, shape (n_samples,); genes are matched by name."""
        prepared = self.prepare(X)
        each = prepared.predict_each()
        return np.asarray((each * self.weights_).sum(axis=1))

    def contributions(self, X: ProfilesLike | HarmonisedProfiles) -> tuple[pd.DataFrame, float]:
        """Split each prediction into parts of its genes.

        Returns
        -------
        parts : pandas.DataFrame
            Samples × genes in the unit of the prediction.
        base_value : float
            ``parts.sum(axis=1) + base_value`` equals ``predict(X)``.
        """
        prepared = self.prepare(X)
        parts, base = self.core_.contributions(prepared.values, self.weights_)
        return self._by_gene(parts, prepared), base

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
        return self.core_.substituted(prepared.values, level, self.weights_)

    def harmonised(self, X: ProfilesLike | HarmonisedProfiles) -> pd.DataFrame:
        """Return the profiles as the learners see them, samples × genes, NaN for missing."""
        prepared = self.prepare(X)
        return self._by_gene(prepared.values.copy(), prepared)

    def novelty(self, X: ProfilesLike | HarmonisedProfiles) -> FloatArray:
        """Distance from the training profiles; 1 is the edge of the training domain."""
        prepared = self.prepare(X)
        return self.novelty_.score_samples(self._standardised(prepared))

    def recognised(self, X: ProfilesLike | HarmonisedProfiles) -> BoolArray | None:
        """Whether each profile is one of those the model was made from, shape (n_samples,).

        None when the model keeps no trace of them; see `ProfileNovelty.recognised`.
        """
        prepared = self.prepare(X)
        return self.novelty_.recognised(self._standardised(prepared))

    def weight_coverage(self, X: ProfilesLike | HarmonisedProfiles) -> FloatArray:
        """Share of the model's weight (absolute ``effect_``) on genes measured in each sample."""
        measured = ~np.isnan(self.prepare(X).given.values)
        weight = np.abs(self.effect_)
        total = weight.sum()
        return np.asarray((measured * weight).sum(axis=1) / (total if total > 0 else 1.0))

    def percentile(self, predicted: FloatArray) -> FloatArray:
        """Percentile of predictions among those of the reference samples (``reference_``)."""
        check_is_fitted(self)
        reference = np.sort(self.reference_)
        below = np.searchsorted(reference, predicted, side="right")
        return np.asarray(100.0 * below / len(reference))

    def _standardised(self, prepared: HarmonisedProfiles) -> Profiles:
        """Profiles in standard deviations of the training profiles, as the novelty sees them."""
        return Profiles.unnamed(self.core_.standardise(prepared.values))

    def _by_gene(self, values: FloatArray, prepared: HarmonisedProfiles) -> pd.DataFrame:
        return pd.DataFrame(values, index=prepared.samples, columns=self.feature_names_in_)
