"""The model card: what a model was made from, how good it is and what it must not be used for."""

from __future__ import annotations

from nkpredict.facts import ModelFacts, ResponseFacts, TrainingFacts
from nkpredict.learn import GeneModel, KillingCurveModel, NKSusceptibilityModel

NOTICE = (
    "For research use only. Not a medical device; not for diagnosis or for decisions on treatment."
)
SIMULATED_NOTICE = (
    "SIMULATED: trained on simulated data. It shows how the tool works and says nothing about "
    "patients."
)

KNOWLEDGE_ONLY_NOTICE = (
    "Knowledge only: ranks samples by published screens, trained on no measured response."
)


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
    if isinstance(model, NKSusceptibilityModel):
        lines += _trained(model, metadata, curve)
    else:
        lines += _knowledge_only(model, metadata)
    return "\n".join(lines)


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
    evidence = model.evidence_
    lines.append(f"- Screen evidence: {'none' if evidence is None else repr(evidence)}")
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
        f"(one-sided p = {model.skill_['p']:.2g}); 90 % interval ± {model.half_width_:.3f}.",
        "",
        *([] if curve is None else _killing_curve(curve, metadata)),
        "## Limits",
        "",
        "- A high score in the random split can be knowledge of the lineage alone; compare the "
        "lineage-held-out rows and the lineage mean.",
        "- Profiles from another platform rank within their cohort; their absolute values shift.",
        "- The training response is a measurement in cell lines, not an outcome in patients.",
        "",
    ]
    return lines


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
        f"- Screen evidence: {model.evidence_!r}",
        f"- Reference profiles for the genes' mean, spread and co-expression: "
        f"{'as given' if reference is None else reference.name}, {len(model.reference_)} samples, "
        f"{len(model.feature_names_in_):,} genes",
        "",
        "## Limits",
        "",
        "- 0 is the average reference profile; the score has no unit and no interval.",
        "- It has been trained on no response. How well it ranks real killing is unknown until it "
        "is compared with a measured one.",
        "- Profiles from another platform shift; compare samples of one platform.",
        "",
    ]
