"""The numbers of each sample, and the flags that go with them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from nkpredict.facts import ResponseFacts
from nkpredict.learn import CHANCE_LEVEL, GeneModel, HarmonisedProfiles, ScreenPrior
from nkpredict.registry import Bundle
from nkpredict.types import BoolArray

LOW_COVERAGE = 0.8
"""Share of the model's genes or weight below which a score rests on too little to be trusted; set
by hand."""
RELATIVE = "relative_to_cohort"
"""Flag of scores of profiles that were mapped onto the model's as a cohort."""
OWN_REFERENCE = "own_reference"
"""Flag of profiles that the model was made from."""


def score_table(
    prepared: HarmonisedProfiles,
    bundle: Bundle,
    own: BoolArray | None,
    forced: str,
    relative: bool = False,
) -> pd.DataFrame:
    """Return one row a sample; see `Scores.table`."""
    model = bundle.model
    predicted, novelty = model.predict(prepared), model.novelty(prepared)
    lower, upper = model.predict_interval(prepared).T
    if relative:  # an interval is about the level, and the cohort's own was taken off
        lower = upper = np.full(len(predicted), np.nan)
    response = bundle.metadata.response or ResponseFacts()
    table = pd.DataFrame(
        {
            "susceptibility": predicted,
            "lower": lower,
            "upper": upper,
            "percentile": model.percentile(predicted),
            "novelty": novelty,
            "in_domain": novelty <= 1,
            "platform": model.platform(prepared),
            "gene_coverage": (~np.isnan(prepared.given.values)).mean(axis=1),
            "weight_coverage": model.weight_coverage(prepared),
            "original_scale": (predicted - response.offset) / response.slope,
        },
        index=pd.Index(prepared.samples.astype(str), name="sample"),
    )
    weight = table["weight_coverage"].to_numpy()
    raised = {
        "forced": np.full(len(table), bool(forced)),
        RELATIVE: np.full(len(table), relative),
        "out_of_domain": ~table["in_domain"].to_numpy(),
        "other_platform": _foreign(model, prepared),
        "low_gene_coverage": table["gene_coverage"].to_numpy() < LOW_COVERAGE,
        "low_weight_coverage": (weight < LOW_COVERAGE) & (not model.knowledge_only),
        **{name: np.full(len(table), on) for name, on in constant_flags(model).items()},
        OWN_REFERENCE: np.zeros(len(table), dtype=bool) if own is None else own,
    }
    flags = [
        ";".join(name for name, on in raised.items() if on[sample]) for sample in range(len(table))
    ]
    return table.assign(flags=flags)


def constant_flags(model: GeneModel) -> dict[str, bool]:
    """Return the flags that all scores of a model have or lack."""
    return {"chance_skill": is_chance(model), "knowledge_only": model.knowledge_only}


def axes_table(
    model: GeneModel, prepared: HarmonisedProfiles, samples: pd.Index
) -> pd.DataFrame | None:
    """Return one row a sample and axis; None for a model without axes. See `Scores.axes`."""
    if not isinstance(model, ScreenPrior):
        return None
    parts = model.axis_scores(prepared)
    axes = parts.scores.columns
    return pd.DataFrame(
        {
            "sample": np.repeat(samples, len(axes)),
            "axis": np.tile(axes, len(samples)),
            "score": parts.scores.to_numpy().ravel(),
            "percentile": parts.percentiles.to_numpy().ravel(),
            "coverage": parts.coverage.to_numpy().ravel(),
        }
    )


def _foreign(model: GeneModel, prepared: HarmonisedProfiles) -> BoolArray:
    """Whether each profile was measured by another technology than the model's."""
    bridge, found = model.platforms_, prepared.platforms
    if bridge is None or found is None:
        return np.zeros(len(prepared.samples), dtype=bool)
    return bridge.foreign(found)


def is_chance(model: GeneModel) -> bool:
    """Whether the model predicted held-out samples no better than chance."""
    return model.skill_.get("p", 0.0) > CHANCE_LEVEL
