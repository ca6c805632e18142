"""Explain the scores of a cohort: genes, and the drugs that reach them."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

import pandas as pd

from nkpredict.drugs import druggable_targets, rank_drugs, rank_drugs_by_sample
from nkpredict.explain._attribution import explain, shap_explanation
from nkpredict.explain._resistance_table import resistance_table
from nkpredict.scoring import Scores

if TYPE_CHECKING:
    import shap
    from anndata import AnnData

# Set by hand: further down the list a gene takes next to nothing from a score.
_GENES_WITH_TARGETS = 200


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
        Genes that hold the cohort back, ranked; see `nkpredict.explain.resistance_table`.
    targets, drugs, sample_drugs : pandas.DataFrame
        Gene-drug pairs for the 200 first of them, drugs ranked for the cohort and for each sample;
        see `nkpredict.drugs.druggable_targets`, `rank_drugs` and `rank_drugs_by_sample`.
    """

    contributions: pd.DataFrame
    base_value: float
    resistance_genes: pd.DataFrame
    targets: pd.DataFrame = field(default_factory=pd.DataFrame)
    drugs: pd.DataFrame = field(default_factory=pd.DataFrame)
    sample_drugs: pd.DataFrame = field(default_factory=pd.DataFrame)

    def to_adata(self, adata: AnnData) -> AnnData:
        """Return a copy of the profiles with scores; ``obsm`` holds ``nk_contributions`` too."""
        scored = super().to_adata(adata)
        scored.obsm["nk_contributions"] = self.contributions.reindex(scored.obs_names.astype(str))
        return scored

    def to_shap(self) -> shap.Explanation:
        """Return the contributions as a `shap.Explanation`, so that all plots of shap work."""
        values = pd.DataFrame(
            self.profiles.given.values, self.contributions.index, self.contributions.columns
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
    genes = resistance_table(
        bundle.model,
        scores.profiles,
        explanation=explanation,
        drivers=bundle.drivers,
        top=None,
    ).drop(columns=["level", "name", "samples", "cohort_percentile"])
    contributions = explanation.contributions.set_axis(samples, axis=0)
    pairs = druggable_targets(genes.head(_GENES_WITH_TARGETS))
    return ExplainedScores(
        **{part.name: getattr(scores, part.name) for part in fields(Scores)},
        contributions=contributions,
        base_value=explanation.base_value,
        resistance_genes=genes,
        targets=pairs,
        drugs=rank_drugs(pairs),
        sample_drugs=rank_drugs_by_sample(pairs, contributions),
    )
