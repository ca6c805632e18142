"""Profiles mapped onto a model's training profiles as a cohort, not one by one."""

from __future__ import annotations

import numpy as np

from nkpredict.features import FEWEST_OF_COHORT, align_cohort
from nkpredict.learn._gene_model import GeneModel
from nkpredict.learn._harmonised import HarmonisedProfiles


def relative_to_cohort(
    model: GeneModel, prepared: HarmonisedProfiles, fewest: int = FEWEST_OF_COHORT
) -> HarmonisedProfiles:
    """Map a cohort as a whole onto the profiles that a model was made from.

    No platform is bridged, because mapping the cohort takes off what its platform does; features
    that are no expression, and genes that did not vary in training, stay as they are.

    Parameters
    ----------
    model
        Fitted.
    prepared
        By the model.
    fewest
        Samples asked for, of the cohort and of each gene.

    Returns
    -------
    HarmonisedProfiles
        What is predicted for them orders the samples of this cohort, and says nothing about
        its level.

    Raises
    ------
    InputError
        When the cohort is too small; see `nkpredict.features.align_cohort`.
    """
    core = model.core_
    values = core.harmonise(prepared.ranked)
    aligned = align_cohort(core.standardise(values), fewest)
    kept = ~np.isfinite(core.spread_)
    if prepared.ranked.unranked is not None:
        kept = kept | prepared.ranked.unranked
    moved = core.center_ + np.where(kept, 0.0, aligned) * np.where(kept, 1.0, core.spread_)
    values = np.where(kept, values, moved)
    return HarmonisedProfiles(prepared.given, prepared.ranked, values, core, prepared.platforms)
