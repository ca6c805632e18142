"""What users should read before they use scores, in words."""

from __future__ import annotations

import pandas as pd

from nkpredict.facts import CalibrationFacts, ModelFacts, ScoringFacts
from nkpredict.io import SIMPLE_TABLE
from nkpredict.learn import GeneModel, ScreenPrior
from nkpredict.registry import KNOWLEDGE_ONLY_NOTICE
from nkpredict.scoring._table import is_chance

FORCED_NOTICE = "FORCED: these profiles would have been refused, and their scores mean little."
"""Beginning of what is said of scores that were asked for against a refusal."""

RELATIVE_NOTICE = (
    "RELATIVE TO THIS COHORT: every gene was given the average that it has in the model's "
    "profiles. Compare these samples with each other alone; a sample scores otherwise in other "
    "company, percentiles, levels and the genes listed against the reference say nothing, and "
    "there are no intervals."
)
"""What is said of scores of profiles that were mapped onto the model's as a cohort."""


def warnings_of(table: pd.DataFrame, provenance: ScoringFacts, model: GeneModel) -> tuple[str, ...]:
    """Return the sentences that users should read before they use the scores."""
    warnings = []
    facts = provenance.model
    if provenance.forced:
        warnings.append(f"{FORCED_NOTICE} {provenance.forced}.")
    if provenance.relative_to_cohort:
        warnings.append(RELATIVE_NOTICE)
    if provenance.profiles is not None and provenance.profiles.single_cells:
        warnings.append(
            "The profiles look like single cells, and every cell was scored as a sample; gather "
            "them by group instead (nkpredict.score_cells, or --groupby)."
        )
    if facts.knowledge_only:
        warnings.append(f"{KNOWLEDGE_ONLY_NOTICE} The score has no unit; 0 is the average profile.")
    if isinstance(model, ScreenPrior):
        warnings.append(_effector_words(model))
    if is_chance(model):
        warnings.append(
            "The model predicts unseen samples no better than chance; do not rank samples with it."
        )
    if facts.within_lineages:
        warnings.append(
            "The model learned without the lineages' own levels: compare samples of one lineage "
            "with each other, and read no absolute values."
        )
    if facts.calibration is not None:
        warnings.append(_calibration_words(facts.calibration))
    elif facts.response is not None and facts.response.format == SIMPLE_TABLE:
        warnings.append(
            f"The model was trained on the column {facts.response.target} of a table: "
            "susceptibility means sensitivity in that measurement."
        )
    about = (
        _own_reference_words(provenance),
        _domain_words(table, facts),
        _missing(provenance),
    )
    return (*warnings, *(words for words in about if words))


def _calibration_words(calibration: CalibrationFacts) -> str:
    response = calibration.response
    unit = "" if response is None else f", {response.unit}"
    return (
        f"Calibrated to {calibration.gain.lines} own lines: level, scale and intervals are those "
        f"of that laboratory's response{unit}; the order of samples is that of "
        f"{calibration.reference}."
    )


def _effector_words(model: ScreenPrior) -> str:
    """Say how much of what the score reads was seen with the NK cells that it is about."""
    known = model.evidence_by_effector_[model.effector].table
    score = model.axis_score
    read = known.reindex([str(model.feature_names_in_[place]) for place in score.positions_])
    if "effectors" not in read:
        return "Genes are read by the evidence that was given."
    own = read["effectors"].fillna("").str.split("; ").map(lambda cells: model.effector in cells)
    return (
        f"Read for {model.effector} cells: {int(own.sum())} of the {len(read)} genes with evidence "
        f"were tested with {model.effector} cells, what other killer cells showed counts half. "
        "Compare samples of one lineage: the score does not order lineages as they were measured."
    )


def _own_reference_words(provenance: ScoringFacts) -> str:
    own, samples = provenance.own_reference, provenance.samples
    if not own:
        return ""
    alone = provenance.model.knowledge_only
    made_from = "reference" if alone else "training"
    kind = "profiles" if alone else "samples"
    if own < samples:
        verb = "is one" if own == 1 else "are"
        whose = f"{own:,} of {samples:,} profiles {verb} of the model's own {made_from} {kind}"
    elif own == 1:
        whose = f"This profile is one of the model's own {made_from} {kind}"
    else:
        whose = f"These profiles are the model's own {'reference' if alone else 'training samples'}"
    about = f"novelty and percentiles say nothing about {'it' if own == 1 else 'them'}"
    seen = "" if alone else ", and predicting what a model has seen is no test of it"
    return f"{whose}: {about}{seen}."


def _domain_words(table: pd.DataFrame, model: ModelFacts) -> str:
    outside = int((~table["in_domain"]).sum())
    if not outside:
        return ""
    domain = "reference" if model.knowledge_only else "training"
    intervals = "" if model.knowledge_only else " and intervals"
    return (
        f"{outside} of {len(table)} profiles lie outside the {domain} domain (median novelty "
        f"{table['novelty'].median():.1f}, the edge is 1), judged against the profiles of their "
        f"platform where it is known: do not read their values{intervals}."
    )


def _missing(provenance: ScoringFacts) -> str:
    genes = provenance.genes
    if not genes.missing:
        return ""
    if provenance.model.knowledge_only:
        return (
            f"{genes.missing:,} of the model's {genes.in_model:,} genes are missing; genes they "
            "move with in the reference speak for those that have evidence, where they were "
            "measured."
        )
    return (
        f"{genes.missing:,} of the model's {genes.in_model:,} genes are missing and count as "
        f"average; they carry {genes.weight_missing:.0%} of the model's weight."
    )
