"""A score from published screens alone: no response is learned, so it works without any."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from nkpredict.errors import InputError
from nkpredict.evidence import GeneEvidence, gene_evidence, gene_modules
from nkpredict.features import (
    ProfileHarmoniser,
    Profiles,
    ProfilesLike,
    RankedProfiles,
    not_expression,
)
from nkpredict.learn._core import BlendCore
from nkpredict.learn._gene_model import GeneModel, HarmonisedProfiles
from nkpredict.learn._novelty import ProfileNovelty
from nkpredict.learn.learners import Evidence, EvidenceScore, combined
from nkpredict.types import FloatArray

# Set by hand.
_MODULE_SHARE = 0.5  # of the mean evidence of a module that its other members take
_LEAST_KNOWN = 2  # members with evidence that a module needs to speak for the others


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

    def fit(self, X: ProfilesLike, y: Any = None) -> Self:
        """Take means, spreads and co-expression from reference profiles.

        Parameters
        ----------
        X
            Samples × genes; genes with a missing value are left out.
        y
            Not used.

        Raises
        ------
        InputError
            When the profiles cannot be read, or the evidence does not name its genes.
        """
        profiles = _complete(Profiles.of(X)).sorted_by_gene()
        evidence = gene_evidence() if self.evidence is None else combined(self.evidence)
        if not isinstance(evidence, GeneEvidence):
            raise InputError(
                f"The evidence is a {type(evidence).__name__}; expected a GeneEvidence or "
                "ScreenTable, which name their genes."
            )
        signed = evidence.table["evidence"]
        score = EvidenceScore(with_modules(signed) if self.modules else signed)
        self.evidence_ = evidence
        self.core_ = BlendCore(ProfileHarmoniser(), {score.name: score})
        harmonised = self.core_.fit_scale(RankedProfiles.of(profiles.values))
        score.fit(replace(profiles, values=harmonised))
        self.weights_ = np.ones(1)
        profiles.remember_names(self)
        self.feature_names_in_ = np.asarray(profiles.genes, dtype=object)
        self.effect_ = self.core_.effect(harmonised, self.weights_)
        self.range_ = self.core_.ends(harmonised)
        self.reference_ = self.core_.predict_each(harmonised)[:, 0]
        self.half_width_, self.skill_ = np.inf, {}
        self.novelty_ = ProfileNovelty(random_state=self.random_state).fit(
            Profiles.unnamed(self.core_.standardise(harmonised))
        )
        return self

    def weight_coverage(self, X: ProfilesLike | HarmonisedProfiles) -> FloatArray:
        """Share of the evidence that is read in each sample.

        Genes with evidence that the reference profiles lack count as missing everywhere.
        """
        prepared = self.prepare(X)
        (score,) = (s for s in self.core_.learners.values() if isinstance(s, EvidenceScore))
        return score.coverage(Profiles.unnamed(prepared.given.values))


def _complete(profiles: Profiles) -> Profiles:
    """Leave out genetics, and genes without a value in some sample."""
    usable = np.asarray(~np.isnan(profiles.values).any(axis=0))
    other = not_expression(profiles.genes)
    usable = usable if other is None else usable & ~other
    if not usable.any():
        raise InputError(
            f"None of the {len(usable):,} genes has a value in all {len(profiles)} reference "
            "profiles; leave out the samples that lack many."
        )
    return profiles.take_genes(usable)


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
