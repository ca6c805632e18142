"""A score from published knowledge alone: no response is learned, so it works without any."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from nkpredict.errors import InputError
from nkpredict.evidence import (
    DIRECT,
    LOSS,
    GeneEvidence,
    gene_evidence,
    gene_functions,
    known_experiments,
)
from nkpredict.features import (
    PlatformBridge,
    ProfileHarmoniser,
    Profiles,
    ProfilesLike,
    RankedProfiles,
    not_expression,
)
from nkpredict.learn._core import BlendCore
from nkpredict.learn._gene_model import GeneModel
from nkpredict.learn._harmonised import HarmonisedProfiles
from nkpredict.learn._novelty import ProfileNovelty
from nkpredict.learn._response_range import ResponseRange
from nkpredict.learn.learners import AxisScore, Evidence, combined
from nkpredict.types import FloatArray
from nkpredict.vocabulary import Axis, Effector

EFFECTORS = (Effector.PRIMARY_NK, Effector.NK_92, Effector.KHYG_1, Effector.CAR_NK)
"""NK cells that are given to patients, or stand for them in screens."""
_UPPER, _SHARE = 0.5, 0.1
"""A gene is expressed when it is in the upper half of the genes in a tenth of the samples; set by
hand."""
_ADDED_ONLY = 0.5
"""Part of the evidence that counts for a gene that was only added to cells, never taken away: what
it does at the level of transfected cells says less of its own level in tumours; set by hand."""
OTHER_AXIS = "other screen hits"
"""Axis of genes with evidence of one's own that the knowledge base puts on no axis."""


@dataclass(frozen=True, eq=False)
class AxisScores:
    """The parts of a score by axis.

    Attributes
    ----------
    scores : pandas.DataFrame
        Samples × axes; they sum to the score.
    percentiles : pandas.DataFrame
        Samples × axes, among the reference profiles.
    coverage : pandas.DataFrame
        Samples × axes, share of the axis's evidence that is read.
    """

    scores: pd.DataFrame
    percentiles: pd.DataFrame
    coverage: pd.DataFrame


class ScreenPrior(GeneModel):
    """Score profiles from published knowledge alone: nothing is learned.

    It ranks samples by genes that experiments found to sensitize tumours to NK cells or to protect
    them, gathered into axes (see `nkpredict.learn.learners.AxisScore`). The score has no unit; 0 is
    the average reference profile. It predicts no viability, and how well it ranks real killing has
    to be measured on a response.

    Parameters
    ----------
    evidence
        `GeneEvidence`, `ScreenTable`, or None for the knowledge base that ships. Genes of one's own
        evidence that the knowledge base puts on no axis make up an axis of their own.
    effector
        NK cells that the score is about.
    random_state
        Seed of the novelty's decomposition.

    Examples
    --------
    >>> prior = ScreenPrior().fit(reference)  # doctest: +SKIP
    >>> prior.predict(patients)  # doctest: +SKIP
    """

    knowledge_only: ClassVar[bool] = True

    evidence_by_effector_: dict[str, GeneEvidence]

    def __init__(
        self,
        evidence: Evidence = None,
        effector: str = "primary NK",
        random_state: int = 0,
    ) -> None:
        self.evidence = evidence
        self.effector = effector
        self.random_state = random_state

    def fit(self, X: ProfilesLike, y: Any = None, platform: Any = None, group: Any = None) -> Self:
        """Take means, spreads and co-expression from reference profiles.

        Parameters
        ----------
        X
            Samples × genes. Genes are kept that every platform has, and those with evidence that
            the platform with most genes has; a platform has a gene when all of its samples have a
            value.
        y
            Not used.
        platform
            Platform of each sample; levels are compared within platforms. All of one by default.
        group
            Group of each sample, such as its disease: groups count alike, whatever their size.

        Raises
        ------
        InputError
            When the profiles cannot be read, or the evidence does not name its genes.
        """
        profiles = Profiles.of(X)
        samples = len(profiles)
        platforms = np.full(samples, "reference") if platform is None else np.asarray(platform)
        evidence = self._evidence_by_effector()
        by_axis = _by_axis(evidence, own=self.evidence is not None)
        profiles, widest = _usable(profiles, platforms.astype(str), by_axis.index)
        ranked = RankedProfiles.of(profiles.values)
        by_axis = by_axis[by_axis.index.isin(profiles.genes[~_silent(ranked)])]
        score = AxisScore(by_axis, self.effector)
        self.core_ = BlendCore(ProfileHarmoniser(), {score.name: score})
        self.core_.fit_scale(ranked[widest])
        harmonised = self.core_.harmonise(ranked)
        score.fit(replace(profiles, values=harmonised), platform=platforms, group=group)
        self.weights_ = np.ones(1)
        profiles.remember_names(self)
        self.feature_names_in_ = np.asarray(profiles.genes, dtype=object)
        self.evidence_by_effector_ = evidence
        self.evidence_ = evidence[self.effector]
        self.range_ = self.core_.ends(harmonised)
        self.reference_axes_ = np.array(
            [
                score.for_effector(name).axis_scores(*score.read(Profiles.unnamed(harmonised)))[0]
                for name in evidence
            ]
        )
        slopes = self.core_.effect(harmonised, self.weights_)[score.positions_]
        weights = score.weights_[score.number_of(self.effector)]
        self.slopes_ = np.divide(slopes, weights, out=np.ones(len(weights)), where=weights != 0)
        self._read_effector(self.effector)
        self.skill_, self.response_range_ = {}, ResponseRange(-np.inf, np.inf)
        self.platforms_ = PlatformBridge.of(self.feature_names_in_, ranked)
        self.novelty_ = ProfileNovelty(random_state=self.random_state).fit(
            Profiles.unnamed(score.standardised(Profiles.unnamed(harmonised)))
        )
        return self

    def for_effector(self, effector: str) -> Self:
        """Return the same model, read with the evidence of other NK cells.

        Raises
        ------
        InputError
            When nothing is known for them.
        """
        score = self.axis_score.for_effector(effector)
        other = copy(self)
        other.effector = effector
        core = copy(self.core_)
        core.learners = {score.name: score}
        other.core_ = core
        other._read_effector(effector)
        return other

    @property
    def axis_score(self) -> AxisScore:
        """The score behind the model."""
        (score,) = (s for s in self.core_.learners.values() if isinstance(s, AxisScore))
        return score

    def axis_scores(self, X: ProfilesLike | HarmonisedProfiles) -> AxisScores:
        """Split each score into its axes."""
        prepared = self.prepare(X)
        scores, coverage = self.axis_score.axis_scores(*self._read(prepared))
        axes = pd.Index([str(name) for name in self.axis_score.axes_], name="axis")
        reference = self.reference_axes_[self.axis_score.number_of(self.effector)]
        percentiles = np.empty(scores.shape)
        for axis, among in enumerate(np.sort(reference, axis=0).T):
            below = np.searchsorted(among, scores[:, axis], side="right")
            percentiles[:, axis] = 100.0 * below / len(among)
        order = [name for name in (*Axis, OTHER_AXIS) if name in axes]
        return AxisScores(
            *(
                pd.DataFrame(part, index=prepared.samples, columns=axes)[order]
                for part in (scores, percentiles, coverage)
            )
        )

    def weight_coverage(self, X: ProfilesLike | HarmonisedProfiles) -> FloatArray:
        """Share of the evidence that is read in each sample.

        Genes with evidence that the reference lacks count as missing everywhere.
        """
        prepared = self.prepare(X)
        return self.axis_score.coverage(self._read(prepared)[1])

    def _read(self, prepared: HarmonisedProfiles) -> tuple[FloatArray, FloatArray]:
        parts = [self.axis_score.read(Profiles.unnamed(p.values)) for p in prepared.blocks()]
        levels, reliability = zip(*parts, strict=True)
        return np.concatenate(levels), np.concatenate(reliability)

    def _compared(self, harmonised: FloatArray) -> Profiles:
        """Profiles in standard deviations of the platform that each resembles."""
        return Profiles.unnamed(self.axis_score.standardised(Profiles.unnamed(harmonised)))

    def _standardised(self, prepared: HarmonisedProfiles) -> Profiles:
        return self._compared(prepared.values)

    def _read_effector(self, effector: str) -> None:
        """Set what depends on the effector."""
        score = self.axis_score
        number = score.number_of(effector)
        self.evidence_ = self.evidence_by_effector_[effector]
        self.effect_ = np.zeros(len(self.feature_names_in_))
        self.effect_[score.positions_] = score.weights_[number] * self.slopes_
        self.reference_ = self.reference_axes_[number].sum(axis=1)

    def _evidence_by_effector(self) -> dict[str, GeneEvidence]:
        if self.evidence is None:
            return {str(name): gene_evidence(effector=name) for name in EFFECTORS}
        evidence = combined(self.evidence)
        if not isinstance(evidence, GeneEvidence):
            raise InputError(
                f"The evidence is a {type(evidence).__name__}; expected a GeneEvidence or "
                "ScreenTable, which name their genes."
            )
        return {str(self.effector): evidence}


def _usable(
    profiles: Profiles, platform: npt.NDArray[np.str_], known: pd.Index
) -> tuple[Profiles, npt.NDArray[np.bool_]]:
    """Keep the genes to read and to compare profiles by; tell which samples have most genes."""
    complete = {
        name: ~np.isnan(profiles.values[platform == name]).any(axis=0)
        for name in np.unique(platform)
    }
    widest = max(complete, key=lambda name: int(complete[name].sum()))
    everywhere = np.logical_and.reduce(list(complete.values()))
    usable = everywhere | (complete[widest] & profiles.genes.isin(known))
    other = not_expression(profiles.genes)
    usable = usable if other is None else usable & ~other
    if not usable.any():
        raise InputError(
            f"None of the {len(usable):,} genes has a value in all reference profiles of a "
            "platform; leave out the samples that lack many."
        )
    return profiles.take_genes(usable).sorted_by_gene(), platform == widest


def _silent(ranked: RankedProfiles) -> npt.NDArray[np.bool_]:
    """Whether a gene is hardly ever expressed: its differences are noise."""
    measured = ranked.doubled_ranks >= 0
    upper = ranked.doubled_ranks > 2 * _UPPER * measured.sum(axis=1, keepdims=True)
    share = (upper & measured).sum(axis=0) / np.maximum(measured.sum(axis=0), 1)
    return np.asarray(share < _SHARE)


def _by_axis(evidence: dict[str, GeneEvidence], own: bool) -> pd.DataFrame:
    """One row a gene with evidence: its axis and group, and its evidence for each effector."""
    signed = pd.DataFrame({name: one.table["evidence"] for name, one in evidence.items()})
    signed = signed.fillna(0.0)
    signed = signed[(signed != 0).any(axis=1)]
    functions, known = gene_functions(), known_experiments()
    # A regulator is read through the genes it regulates: counted beside them it counts twice.
    read = (functions["axis"] != "") & (functions["role"] == DIRECT)
    axes = functions.loc[read, ["axis", "group"]].reindex(signed.index)
    taken_away = known.loc[known["experiment"].isin(LOSS), "gene"]
    added_only = axes["axis"].notna() & ~axes.index.isin(taken_away)
    signed[added_only] *= _ADDED_ONLY
    if own:
        axes["group"] = axes["group"].fillna(signed.index.to_series())
        axes["axis"] = axes["axis"].fillna(OTHER_AXIS)
    return axes.join(signed).dropna(subset=["axis"])
