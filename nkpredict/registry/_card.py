"""The model card: what a model was made from, how good it is and what it must not be used for."""

from __future__ import annotations

from collections.abc import Sequence

from nkpredict.evidence import GeneEvidence, evidence_origins, named_origins
from nkpredict.facts import KnowledgeFacts, ModelFacts, ResponseFacts, TrainingFacts
from nkpredict.learn import (
    CalibratedModel,
    Evidence,
    GeneModel,
    KillingCurveModel,
    NKSusceptibilityModel,
)

NOTICE = (
    "For research use only. Not a medical device; not for diagnosis or for decisions on treatment."
)
SIMULATED_NOTICE = (
    "SIMULATED: trained on simulated data. It shows how the tool works and says nothing about "
    "patients."
)

KNOWLEDGE_ONLY_NOTICE = (
    "Knowledge only: ranks samples by published experiments with NK cells, trained on no measured "
    "response."
)
# Names of a list that a card gives before it counts the rest.
_MOST_NAMED = 8


def model_card(
    model: GeneModel, metadata: ModelFacts, curve: KillingCurveModel | None = None
) -> str:
    """Return the model card as Markdown.

    Parameters
    ----------
    model
        Fitted model.
    metadata
        As stored in the bundle.
    curve
        Killing curve that rests on the model.
    """
    lines = [f"# {metadata.name or 'NK susceptibility model'}", "", NOTICE, ""]
    if metadata.simulated:
        lines += [f"**{SIMULATED_NOTICE}**", ""]
    if isinstance(model, CalibratedModel):
        lines += _calibrated(model, metadata)
        model = model.fitted_model
    if isinstance(model, NKSusceptibilityModel):
        lines += _trained(model, metadata, curve)
    else:
        lines += _knowledge_only(model, metadata)
    return "\n".join(lines)


def _calibrated(model: CalibratedModel, metadata: ModelFacts) -> list[str]:
    facts = metadata.calibration
    made_from = "a model in memory" if facts is None else facts.reference
    response = metadata.response
    return [
        "## Calibrated to a laboratory",
        "",
        f"- Made from {made_from}"
        + (f" (SHA-256 {facts.sha256})" if facts is not None and facts.sha256 else ""),
        *([] if response is None else [f"- Response of the own lines: {response.unit}"]),
        *(f"- {sentence}" for sentence in model.gain_.sentences()),
        "- No gene was fitted again: the order of samples is that of the model below. Level, scale "
        "and intervals are those of the laboratory's assay.",
        "",
        "What follows is the card of the model that was calibrated, in its own unit.",
        "",
    ]


def _trained(
    model: NKSusceptibilityModel, metadata: ModelFacts, curve: KillingCurveModel | None
) -> list[str]:
    training = metadata.training or TrainingFacts()
    response = training.response or ResponseFacts()
    lines = [
        "## Training data",
        "",
        f"- {len(model.held_out_)} samples, {len(model.feature_names_in_):,} genes",
        f"- Response: {response.unit}, {response.direction}; "
        f"susceptibility = {response.susceptibility}",
    ]
    if training.lineages:
        counts = ", ".join(f"{name} {count}" for name, count in training.lineages.items())
        lines.append(f"- Lineages: {counts}")
    lines += _evidence_used(model.evidence_)
    if model.modules_ is not None:
        source = "as given" if training.gene_sets is None else training.gene_sets.source
        found = {gene for genes in model.modules_.values() for gene in genes}
        lines.append(
            f"- Module scores: {len(model.modules_)} gene sets ({source}), {len(found):,} genes"
        )
    lines += [
        "",
        "## Performance on samples the model had not seen",
        "",
    ]
    if metadata.performance:
        lines += [
            "| split | model | Spearman | Spearman within lineage | RMSE |",
            "|---|---|---|---|---|",
        ]
        for row in metadata.performance:
            cells = (row.spearman, row.spearman_within_lineage, row.rmse)
            numbers = " | ".join("–" if v != v else f"{v:.3f}" for v in cells)
            lines.append(f"| {row.split} | {row.model} | {numbers} |")
    else:
        lines.append("Not evaluated by nested cross-validation.")
    lines += [
        "",
        f"Out-of-fold Spearman of the final fit {model.skill_['spearman']:.3f} "
        f"(one-sided p = {model.skill_['p']:.2g}).",
        *_coverage(metadata),
        "",
        *([] if curve is None else _killing_curve(curve, metadata)),
        "## Limits",
        "",
        "- A high score in the random split can be knowledge of the lineage alone; compare the "
        "lineage-held-out rows and the lineage mean.",
        "- Profiles from another platform rank within their cohort; their absolute values shift.",
        "- The response was measured in the training samples, under the conditions of that "
        "experiment; it is no outcome in patients.",
        "- A gene is associated with the response; no contribution proves that it causes it.",
        "",
    ]
    return lines


def _coverage(metadata: ModelFacts) -> list[str]:
    if not metadata.interval_coverage:
        return []
    shares = ", ".join(
        f"{split} {share:.0%}" for split, share in metadata.interval_coverage.items()
    )
    return ["", f"The 90 % intervals held the measured value in the split: {shares}."]


def _evidence_used(evidence: Evidence) -> list[str]:
    if evidence is None:
        return ["- Evidence of genes: none"]
    return [
        f"- Evidence of genes: {evidence!r}",
        *_origins(evidence),
        "- This evidence was used in training: that the model agrees with it is partly built in.",
    ]


def _origins(evidence: Evidence) -> list[str]:
    """Say out of which studies evidence comes, in which tumour lines and with which killer cells.

    Screens that were combined are named in the metadata of the bundle.
    """
    if not isinstance(evidence, GeneEvidence):
        return []
    lines = []
    if isinstance(evidence.provenance, KnowledgeFacts):
        named = [f"{study} (doi {doi})" for study, doi in evidence.provenance.studies.items()]
        lines.append(f"- Studies: {_listed(named)}")
    spoken = evidence.table.index[evidence.table["evidence"] != 0]
    origins = evidence_origins(evidence, spoken)
    tumours, cells = (named_origins(texts) for texts in origins.values())
    if tumours:
        only = " only" if len(tumours) == 1 else ""
        lines.append(f"- Measured in {_listed(tumours)}{only}, with {', '.join(cells)} cells")
    return lines


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _killing_curve(curve: KillingCurveModel, metadata: ModelFacts) -> list[str]:
    ratios = ", ".join(f"{ratio:g}" for ratio in curve.ratios_)
    lines = ["## Killing curves", "", f"Predicts % viability at the E:T ratios {ratios}.", ""]
    if metadata.curves is None:
        return lines
    errors = metadata.curves.errors
    rows = zip(errors.ratio, errors.samples, errors.rmse, errors.rmse_mean_curve, strict=True)
    return [
        *lines,
        "Root-mean-square error on samples held out at random, in % viability:",
        "",
        "| E:T ratio | samples | predicted curve | mean curve of the training samples |",
        "|---|---|---|---|",
        *(f"| {ratio:g} | {n} | {ours:.1f} | {mean:.1f} |" for ratio, n, ours, mean in rows),
        "",
    ]


def _knowledge_only(model: GeneModel, metadata: ModelFacts) -> list[str]:
    reference = metadata.reference
    return [
        f"**{KNOWLEDGE_ONLY_NOTICE}**",
        "",
        "## What it rests on",
        "",
        f"- Evidence of genes: {model.evidence_!r}",
        *_origins(model.evidence_),
        f"- Reference profiles for the genes' mean, spread and co-expression: "
        f"{'as given' if reference is None else reference.name}, {len(model.reference_)} samples, "
        f"{len(model.feature_names_in_):,} genes",
        "",
        "## Limits",
        "",
        "- 0 is the average reference profile; the score has no unit and no interval.",
        "- It has been trained on no response. How well it ranks real killing is unknown until it "
        "is compared with a measured one.",
        "- Directions of genes are taken from the experiments named above; that genes agree with "
        "them proves nothing.",
        "- Profiles from another platform shift; compare samples of one platform.",
        "",
    ]
