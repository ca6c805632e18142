"""What scores rest on: the profiles, the genes found and the model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from nkpredict.facts import CoverageFacts, ScoringFacts, SkillFacts, ViabilityFacts
from nkpredict.io import all_simulated, area_under_curve, facts_of
from nkpredict.learn import SAME_AREA, GeneModel, HarmonisedProfiles
from nkpredict.registry import Bundle
from nkpredict.scoring._verdict import platform_facts
from nkpredict.types import BoolArray, FloatArray

if TYPE_CHECKING:
    from anndata import AnnData


def provenance_of(
    adata: AnnData,
    bundle: Bundle,
    prepared: HarmonisedProfiles,
    own: BoolArray | None,
    forced: str,
) -> ScoringFacts:
    """Return what is known of scores before anything is said of them.

    Parameters
    ----------
    adata, bundle, prepared
        Profiles, the model, and the profiles as it sees them.
    own
        Which profiles the model was made from; None when that cannot be told.
    forced
        Why the profiles would be refused; empty when they would not.
    """
    recorded = facts_of(adata)
    model = bundle.model
    measured = ~np.isnan(prepared.given.values)
    return ScoringFacts(
        samples=len(measured),
        profiles=recorded.expression,
        profiles_simulated=all_simulated(prepared.samples)
        if recorded.expression is None
        else recorded.simulated,
        genes=coverage_facts(model, np.asarray(measured.any(axis=0))),
        model=replace(
            bundle.metadata,
            skill=SkillFacts.from_json(model.skill_),
            knowledge_only=model.knowledge_only,
            within_lineages=getattr(model, "offsets_", None) is not None,
        ),
        forced=forced,
        own_reference=None if own is None else int(own.sum()),
        platform=platform_facts(model, prepared),
    )


def coverage_facts(model: GeneModel, found: BoolArray) -> CoverageFacts:
    """Return how much of a model was found, and which genes were not.

    Parameters
    ----------
    model
        Fitted.
    found
        Which of its genes were measured in any sample, shape (n_genes,).
    """
    missing = model.feature_names_in_[~found]
    weight = np.abs(model.effect_)
    lost = weight[~found].sum()
    return CoverageFacts(
        in_model=len(found),
        found=len(found) - len(missing),
        missing=len(missing),
        missing_examples=tuple(str(gene) for gene in missing[:20]),
        weight_missing=float(lost / weight.sum()) if weight.sum() > 0 else 0.0,
    )


def viability_facts(viability: pd.DataFrame, susceptibility: FloatArray) -> ViabilityFacts:
    """Return the ratios of killing curves, and how many samples have none of their area."""
    areas = area_under_curve(viability)["viability_auc"].to_numpy()
    # predicted to grow, or to be killed more than a curve over these ratios can show
    without = int((np.abs(1 - susceptibility - areas) > SAME_AREA).sum())
    return ViabilityFacts(
        effector_target_ratios=tuple(map(float, viability.columns)),
        samples_without_a_curve_of_their_area=without,
    )
