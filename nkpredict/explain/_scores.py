"""Explain the scores of a cohort: genes, and the drugs that reach them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nkpredict.drugs import druggable_targets, rank_drugs
from nkpredict.evidence import GeneEvidence, named_origins
from nkpredict.explain._attribution import explain, shap_explanation
from nkpredict.explain._folder import write_explanation
from nkpredict.explain._gene_evidence import evidence_sources
from nkpredict.explain._patient import Patient, explain_patient
from nkpredict.explain._resistance import LEAST_SEPARATED
from nkpredict.explain._resistance_table import GeneRanker
from nkpredict.explain._sample_genes import (
    GENES_WITH_TARGETS,
    LEAST_COMPANY,
    drugs_by_sample,
    genes_by_sample,
    genes_lowering_samples,
    parts_apart,
)
from nkpredict.facts import ExplanationFacts, GeneListFacts
from nkpredict.learn import GeneModel
from nkpredict.scoring import Scores, write_folder, write_numbers
from nkpredict.vocabulary import EvidenceReading, GeneReading

if TYPE_CHECKING:
    import shap
    from anndata import AnnData


@dataclass(frozen=True, repr=False, kw_only=True)
class ExplainedScores(Scores):
    """Scores of a cohort, and the genes and drugs behind them.

    Attributes
    ----------
    contributions : pandas.DataFrame
        Samples × genes; with ``base_value`` they add up to the susceptibility.
    base_value : float
        Prediction for the average training profile.
    resistance_genes : pandas.DataFrame
        Genes associated with lower susceptibility of this cohort against the reference, the average
        profile that the model was made from; none raises the cohort on average. See
        `nkpredict.explain.resistance_table`.
    separating_genes : pandas.DataFrame
        Genes that separate the least susceptible third of these samples from the others; empty for
        fewer than 6 samples.
    sample_genes : pandas.DataFrame
        The ten genes that lower each sample most, against the mean of the cohort from 20 samples
        on, else against the average profile; see `nkpredict.explain.genes_by_sample`.
    targets, drugs : pandas.DataFrame
        Gene-drug pairs for the 200 genes that lower single samples most against the average
        profile, and the drugs ranked for the cohort; see `nkpredict.drugs.druggable_targets` and
        `rank_drugs`.
    sample_drugs : pandas.DataFrame
        Drugs ranked for each sample by what lowers it as in ``sample_genes``; see
        `nkpredict.drugs.rank_drugs_by_sample`.
    """

    contributions: pd.DataFrame
    base_value: float
    resistance_genes: pd.DataFrame
    separating_genes: pd.DataFrame = field(default_factory=pd.DataFrame)
    sample_genes: pd.DataFrame = field(default_factory=pd.DataFrame)
    targets: pd.DataFrame = field(default_factory=pd.DataFrame)
    drugs: pd.DataFrame = field(default_factory=pd.DataFrame)
    sample_drugs: pd.DataFrame = field(default_factory=pd.DataFrame)

    def to_adata(self, adata: AnnData) -> AnnData:
        """Return a copy of the profiles with scores; ``obsm`` holds ``nk_contributions`` too."""
        scored = super().to_adata(adata)
        scored.obsm["nk_contributions"] = self.contributions.reindex(scored.obs_names.astype(str))
        return scored

    def save(self, folder: str | Path) -> Path:
        """Write the tables of scores, genes and drugs; see `Scores.save`."""
        return write_folder(folder, partial(write_numbers, self), partial(write_explanation, self))

    def sample(
        self,
        name: str,
        knockouts: Sequence[str] = (),
        against: ExplainedScores | None = None,
    ) -> Patient:
        """Gather all that is known about one sample; see `nkpredict.explain.explain_patient`."""
        return explain_patient(self, name, knockouts=knockouts, against=against)

    def to_shap(self) -> shap.Explanation:
        """Return the contributions as a `shap.Explanation`, so that all plots of shap work."""
        values = pd.DataFrame(
            self.profiles.given.values.astype(np.float64, copy=False),
            self.contributions.index,
            self.contributions.columns,
        )
        return shap_explanation(self.contributions, self.base_value, values)


def explain_scores(scores: Scores) -> ExplainedScores:
    """Split scores into parts of genes, rank the genes that lower them and the drugs for these.

    Parameters
    ----------
    scores
        What `nkpredict.score` returned.

    Returns
    -------
    ExplainedScores
        All that the scores hold, and the explanation.
    """
    bundle, samples = scores.bundle, scores.table.index
    explanation = explain(bundle.model, scores.profiles)
    ranker = GeneRanker.of(
        bundle.model, scores.profiles, explanation, bundle.drivers, stability=None, reference=None
    )
    every = np.arange(len(samples))
    lists = {
        reading: ranker.genes(every, None, reading, beside_others=False).drop(
            columns="cohort_percentile"
        )
        for reading in (GeneReading.AGAINST_REFERENCE, GeneReading.SEPARATING)
        if reading != GeneReading.SEPARATING or len(samples) >= LEAST_SEPARATED
    }
    for genes in lists.values():
        genes.insert(1, "rank", range(1, len(genes) + 1))
    of_genes = explanation.contributions
    contributions = pd.DataFrame(of_genes.to_numpy(), samples, of_genes.columns, copy=False)
    # a gene that raises the cohort may lower a sample: drugs go by samples
    lowering = ranker.ranked(every, GeneReading.SINGLE_SAMPLES)
    pairs = druggable_targets(lowering.head(GENES_WITH_TARGETS))
    told = _facts(bundle.model, ranker, lists)
    company = contributions if len(samples) >= LEAST_COMPANY else None
    parts = parts_apart(contributions, scores.profiles.given.values, company)
    own = (
        lowering if company is None else genes_lowering_samples(bundle.model, parts, bundle.drivers)
    )
    return ExplainedScores(
        **{part.name: getattr(scores, part.name) for part in fields(Scores)}
        | {"provenance": replace(scores.provenance, explanation=told)},
        contributions=contributions,
        base_value=explanation.base_value,
        resistance_genes=lists[GeneReading.AGAINST_REFERENCE],
        separating_genes=lists.get(GeneReading.SEPARATING, pd.DataFrame()),
        sample_genes=genes_by_sample(contributions, parts, own),
        targets=pairs,
        drugs=rank_drugs(pairs),
        sample_drugs=drugs_by_sample(parts, own),
    )


def _facts(
    model: GeneModel, ranker: GeneRanker, lists: Mapping[GeneReading, pd.DataFrame]
) -> ExplanationFacts:
    studies, screens = evidence_sources(ranker.evidence)
    effect = np.asarray(model.effect_)
    signed = (
        ranker.evidence.for_genes(list(model.feature_names_in_))
        if isinstance(ranker.evidence, GeneEvidence)
        else np.zeros(len(effect))
    )
    listed = pd.concat(lists.values()).drop_duplicates("gene")
    known = listed.loc[listed["evidence_lines"] != "", "evidence_lines"]
    alone = known[[len(named_origins([lines])) == 1 for lines in known]].value_counts()
    return ExplanationFacts(
        evidence_role=str(ranker.role),
        studies=studies,
        screens=screens,
        target_lines=named_origins(listed["evidence_lines"]),
        effectors=named_origins(listed["evidence_effectors"]),
        genes_with_lines=len(known),
        genes_of_one_line={str(line): int(genes) for line, genes in alone.items()},
        genes_compared=int((effect * signed != 0).sum()),
        genes_agreeing=int((effect * signed > 0).sum()),
        against_reference=_list_facts(lists, GeneReading.AGAINST_REFERENCE),
        separating=_list_facts(lists, GeneReading.SEPARATING)
        if GeneReading.SEPARATING in lists
        else None,
    )


def _list_facts(lists: Mapping[GeneReading, pd.DataFrame], reading: GeneReading) -> GeneListFacts:
    genes = lists[reading]
    return GeneListFacts(
        reading=str(reading),
        genes=len(genes),
        with_evidence=int((genes["evidence_reading"] != EvidenceReading.NO_EVIDENCE).sum()),
        clear=int(genes["clear"].sum()) if "clear" in genes else None,
    )
