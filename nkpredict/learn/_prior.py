"""A score from published screens alone: no response is learned, so it works without any."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from nkpredict.evidence import gene_modules, known_evidence
from nkpredict.features import (
    ProfileHarmoniser,
    Profiles,
    RankedProfiles,
    align_to,
    divisor,
    not_expression,
    remember_names,
    to_frame,
)
from nkpredict.learn._core import BlendCore
from nkpredict.learn._gene_model import GeneModel
from nkpredict.learn._novelty import ProfileNovelty
from nkpredict.learn.learners import Evidence, GeneLearner, combined

_MODULE_SHARE = 0.5  # of the mean evidence of a module that its other members take
_LEAST_KNOWN = 2  # members with evidence that a module needs to speak for the others
_LEAST_MEASURED = 0.05  # share of a gene and its neighbours below which it is left out
_BEND = 2.0  # standard deviations towards which one gene's value saturates


class EvidenceScore(GeneLearner):
    """Weighted mean of genes with evidence, each read from itself and the genes it moves with.

    A gene with evidence is estimated as a weighted mean of its own level and those of its nearest
    co-expressed genes in reference profiles, over the genes that are measured: a missing gene is
    spoken for by its neighbours. Levels saturate at two standard deviations, so that a gene which a
    platform reads differently cannot decide a score.

    Parameters
    ----------
    neighbours
        Most co-expressed genes that speak for a gene.
    least_correlation
        Correlation in the reference from which they do.
    own_share
        Weight of the gene itself among them.

    Attributes
    ----------
    signed_ : numpy.ndarray
        Evidence of the genes that the score reads, absolute values summing to 1 over all genes
        with evidence, also those the reference lacks.
    readers_ : numpy.ndarray
        Genes with evidence × genes; each row sums to 1.
    mean_, scale_ : numpy.ndarray
        Mean and standard deviation of each gene in the reference.
    """

    def __init__(
        self, neighbours: int = 30, least_correlation: float = 0.3, own_share: float = 0.3
    ) -> None:
        self.neighbours = neighbours
        self.least_correlation = least_correlation
        self.own_share = own_share

    def fit(self, X: Any, y: Any, groups: Any = None, sample_weight: Any = None) -> Self:
        """Learn means, spreads and co-expression from reference profiles.

        Parameters
        ----------
        X
            Samples × genes without NaN.
        y
            Signed evidence, a Series by gene; genes that the reference lacks cannot be read and
            count as missing in every profile.
        groups, sample_weight
            Not used, so that all learners are called alike.
        """
        frame = to_frame(X)
        values = frame.to_numpy()
        self.mean_ = values.mean(axis=0)
        self.scale_ = divisor(values.std(axis=0), self.mean_)
        standard = (values - self.mean_) / self.scale_
        known = y[y != 0]
        positions = frame.columns.get_indexer(known.index)
        self.signed_ = (known / known.abs().sum()).to_numpy()[positions >= 0]
        positions = positions[positions >= 0]
        correlation = standard[:, positions].T @ standard / len(standard)
        self.readers_ = np.zeros_like(correlation)
        for row, position in enumerate(positions):
            self.readers_[row] = self._reader(correlation[row], int(position))
        self.n_features_in_ = frame.shape[1]
        remember_names(self, X, frame)
        return self

    def _reader(self, correlation: np.ndarray, own: int) -> np.ndarray:
        reader = np.zeros(len(correlation))
        others = np.where(np.arange(len(correlation)) == own, 0.0, correlation)
        nearest = np.argsort(-others, kind="stable")[: self.neighbours]
        nearest = nearest[others[nearest] > self.least_correlation]
        reader[own] = self.own_share if len(nearest) else 1.0
        if len(nearest):
            reader[nearest] = (1 - self.own_share) * others[nearest] / others[nearest].sum()
        return reader

    def predict(self, X: Any) -> np.ndarray:
        """Score each sample; 0 is the average reference profile."""
        parts, base = self.contributions(X)
        predicted: np.ndarray = parts.sum(axis=1) + base
        return predicted

    def contributions(self, X: Any) -> tuple[np.ndarray, float]:
        """Return each gene's part of the score, samples × genes, and 0."""
        level, weights = self._level_and_weights(X)
        return level * weights, 0.0

    def substituted(self, X: Any, level: np.ndarray) -> np.ndarray:
        """Change of the score if one gene alone had the given level, samples × genes."""
        before, weights = self._level_and_weights(X)
        after = np.nan_to_num(_bent((level - self.mean_) / self.scale_))
        change: np.ndarray = (after - before) * weights
        return change

    def coverage(self, X: Any) -> np.ndarray:
        """Share of the evidence that is read in each sample; neighbours count by weight."""
        present = ~np.isnan(self._aligned(X))
        measured = np.stack([present[:, r > 0] @ r[r > 0] for r in self.readers_], axis=1)
        covered: np.ndarray = (measured * np.abs(self.signed_)).sum(axis=1)
        return covered

    def _level_and_weights(self, X: Any) -> tuple[np.ndarray, np.ndarray]:
        values = self._aligned(X)
        present = ~np.isnan(values)
        level = np.nan_to_num(_bent((values - self.mean_) / self.scale_))
        weights = np.empty(values.shape)
        # Samples with the same genes measured share their weights: usually all of them.
        patterns, member = np.unique(np.packbits(present, axis=1), axis=0, return_inverse=True)
        for pattern in range(len(patterns)):
            rows = member.ravel() == pattern
            measured = present[np.flatnonzero(rows)[0]]
            readers = self.readers_ * measured
            total = readers.sum(axis=1)
            read = total > _LEAST_MEASURED
            weights[rows] = (self.signed_[read] / total[read]) @ readers[read]
        return level, weights


class ScreenPrior(GeneModel):
    """Score profiles from published screens alone: knowledge only, nothing is learned.

    It ranks samples by genes that screens found to sensitize tumours to NK cells or to protect
    them. The score has no unit; 0 is the average reference profile. It predicts no viability, and
    how well it ranks real killing has to be measured on a response.

    Parameters
    ----------
    evidence
        `GeneEvidence`, `ScreenTable`, or None for the knowledge base that ships.
    modules
        Whether a module of genes takes part as a whole: when at least two of its members have
        evidence, the others take half of its mean.
    random_state
        Seed of the novelty's decomposition.

    Examples
    --------
    >>> prior = ScreenPrior().fit(reference)  # doctest: +SKIP
    >>> prior.predict(patients)  # doctest: +SKIP
    """

    knowledge_only: ClassVar[bool] = True

    def __init__(
        self, evidence: Evidence = None, modules: bool = True, random_state: int = 0
    ) -> None:
        self.evidence = evidence
        self.modules = modules
        self.random_state = random_state

    def fit(self, X: Profiles, y: Any = None) -> Self:
        """Take means, spreads and co-expression from reference profiles.

        Parameters
        ----------
        X
            Samples × genes; genes with a missing value are left out.
        y
            Not used.
        """
        frame = to_frame(X).dropna(axis=1)
        other = not_expression(frame.columns)
        frame = frame if other is None else frame.loc[:, ~other]
        frame = frame[sorted(frame.columns)]
        self.evidence_ = known_evidence() if self.evidence is None else combined(self.evidence)
        profiles = RankedProfiles.of(np.ascontiguousarray(frame.to_numpy()))
        signed = self.evidence_.table["evidence"]
        score = EvidenceScore()
        self.core_ = BlendCore(ProfileHarmoniser(), {"evidence": score})
        harmonised = self.core_.fit_scale(profiles)
        score.fit(
            pd.DataFrame(harmonised, columns=frame.columns),
            with_modules(signed) if self.modules else signed,
        )
        self.weights_ = np.ones(1)
        self.feature_names_in_ = np.asarray(frame.columns, dtype=object)
        self.n_features_in_ = frame.shape[1]
        self.effect_ = self.core_.effect(harmonised, self.weights_)
        self.range_ = self.core_.ends(harmonised)
        self.reference_ = self.core_.predict_each(harmonised)[:, 0]
        self.half_width_, self.skill_ = np.inf, {}
        self.novelty_ = ProfileNovelty(random_state=self.random_state).fit(
            self.core_.standardise(harmonised)
        )
        return self

    def weight_coverage(self, X: Profiles) -> np.ndarray:
        """Share of the evidence that is read in each sample.

        Genes with evidence that the reference profiles lack count as missing everywhere.
        """
        score = self.core_.learners["evidence"]
        assert isinstance(score, EvidenceScore)  # noqa: S101 - for the type checker
        return score.coverage(align_to(X, self.feature_names_in_))


def with_modules(evidence: pd.Series) -> pd.Series:
    """Let modules whose members have evidence speak for their other members.

    Parameters
    ----------
    evidence
        Signed evidence by gene.

    Returns
    -------
    pandas.Series
        With the other members of each such module at half of its mean evidence.
    """
    spread = evidence[evidence != 0].copy()
    for module in gene_modules().values():
        known = [evidence[gene] for gene in module.genes if evidence.get(gene, 0.0) != 0]
        if len(known) < _LEAST_KNOWN:
            continue
        for gene in module.genes:
            if evidence.get(gene, 0.0) == 0:
                spread[gene] = spread.get(gene, 0.0) + _MODULE_SHARE * float(np.mean(known))
    return spread.clip(-1, 1).sort_index()


def _bent(standard: np.ndarray) -> np.ndarray:
    bent: np.ndarray = _BEND * np.tanh(standard / _BEND)
    return bent
