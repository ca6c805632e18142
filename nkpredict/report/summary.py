"""What the scores say, in plain sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nkpredict.evaluate.nested import OUR_MODEL
from nkpredict.report.formats import count, decimal, interval, is_number, joined, percent

if TYPE_CHECKING:
    from nkpredict.report.layout import Waterfall
    from nkpredict.scoring import Scores

FLAG_WORDS = {
    "out_of_domain": "outside the training domain",
    "low_gene_coverage": "many genes missing",
    "chance_skill": "model no better than chance",
}
SPLIT_WORDS = {
    "random": "samples held out at random",
    "lineage-held-out": "whole lineages held out",
}
_GENES_NAMED = 3


def is_simulated(scores: Scores) -> bool:
    """Whether the profiles or the training data of the model are simulated."""
    provenance = scores.provenance
    return bool(provenance.get("simulated") or section(provenance, "model").get("simulated"))


def simulated_words(scores: Scores) -> str:
    """Say what is simulated; empty when nothing is."""
    if section(scores.provenance, "model").get("simulated"):
        what = "The model was trained on simulated data."
    elif scores.provenance.get("simulated"):
        what = "The data behind this report are simulated."
    else:
        return ""
    return f"{what} This report says nothing about patients."


def section(provenance: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """Return a nested part of the provenance; empty when it is absent."""
    part: Any = provenance
    for key in path:
        part = part.get(key) if isinstance(part, Mapping) else None
    return part if isinstance(part, Mapping) else {}


def flags_of(row: Mapping[str, Any]) -> list[str]:
    """Return the flags of one sample in words."""
    flags = [flag.strip() for flag in str(row.get("flags") or "").split(";")]
    return [FLAG_WORDS.get(flag, flag.replace("_", " ")) for flag in flags if flag]


def cohort_sentences(scores: Scores) -> list[str]:
    """Return three short paragraphs: the range, how reliable it is, and what lies outside."""
    return [_range_sentence(scores), _reliability(scores), _domain_sentence(scores)]


def key_figures(scores: Scores) -> list[tuple[str, str]]:
    """Return the few numbers to see first, as label and value."""
    table = scores.table
    inside = int(table["in_domain"].astype(bool).sum())
    figures = [
        (
            "susceptibility" if len(table) == 1 else "median susceptibility",
            decimal(table["susceptibility"].median()),
        ),
        ("inside the training domain", f"{inside} of {len(table):,}"),
    ]
    return figures + [
        (f"Spearman, {SPLIT_WORDS.get(row['split'], row['split'])}", decimal(row["spearman"], 2))
        for row in performance_of(scores)
        if row["model"] == OUR_MODEL and is_number(row.get("spearman"))
    ]


def performance_of(scores: Scores) -> list[Mapping[str, Any]]:
    """Return the cross-validation results of the model and its baselines, one row a split."""
    rows = section(scores.provenance, "model").get("performance") or []
    return [row for row in rows if "split" in row and "model" in row]


def sample_sentences(row: Mapping[str, Any], steps: Waterfall) -> list[str]:
    """Say in words what is predicted for one sample and why.

    Parameters
    ----------
    row
        Its row of ``scores.table``.
    steps
        Its waterfall.
    """
    percentile = row.get("percentile")
    what = f"susceptibility {decimal(row['susceptibility'])} ({_interval_words(row)})"
    if is_number(percentile):
        degree = (
            "more easily than most training samples"
            if percentile >= 75
            else "less easily than most training samples"
            if percentile <= 25
            else "about as easily as a typical training sample"
        )
        sentences = [
            f"This sample is predicted to be killed {degree}: {what}, higher than "
            f"{'all' if percentile == 100 else f'{percentile:.0f} %'} of the training samples."
        ]
    else:
        sentences = [f"Predicted {what}."]
    causes = [
        f"{verb} most by {joined(genes[:_GENES_NAMED])}"
        for verb, genes in (("lowered", steps.lowering), ("raised", steps.raising))
        if genes
    ]
    if causes:
        sentences.append(f"The prediction is {joined(causes)}.")
    flags = str(row.get("flags") or "")
    if "chance_skill" in flags:
        sentences.append(
            "The model ranks unseen samples no better than chance, so this number says little."
        )
    if not bool(row.get("in_domain", True)):
        sentences.append(
            f"The profile is unlike the training profiles (novelty {decimal(row.get('novelty'), 2)}"
            ", where 1 is the edge): read the number with care."
        )
    if "low_gene_coverage" in flags:
        sentences.append(f"Only {percent(row.get('gene_coverage'))} of the model's genes are here.")
    return sentences


def _range_sentence(scores: Scores) -> str:
    values = scores.table["susceptibility"]
    one = len(values) == 1
    name = section(scores.provenance, "model").get("name")
    with_model = f" with {name}" if name else ""
    opening = f"{count(len(values), 'sample')} {'was' if one else 'were'} scored{with_model}."
    spread = (
        f"Its predicted susceptibility is {decimal(values.iloc[0])}"
        if one
        else f"Predicted susceptibility runs from {decimal(values.min())} to "
        f"{decimal(values.max())}, with a median of {decimal(values.median())}"
    )
    return (
        f"{opening} {spread}; the base value of the model is {decimal(scores.base_value)}. A "
        "higher number means a sample that is predicted to be killed more easily."
    )


def _reliability(scores: Scores) -> str:
    rows = performance_of(scores)
    parts, beaten = [], False
    for split in dict.fromkeys(str(row["split"]) for row in rows):
        values = {
            str(row["model"]): row["spearman"]
            for row in rows
            if str(row["split"]) == split and is_number(row.get("spearman"))
        }
        ours = values.pop(OUR_MODEL, None)
        if ours is None:
            continue
        text = f"{decimal(ours, 2)} with {SPLIT_WORDS.get(split, split)}"
        if values:
            best = max(values, key=lambda model: values[model])
            text += f" (best comparison: {best}, {decimal(values[best], 2)})"
            beaten = beaten or (split == "lineage-held-out" and ours <= values[best])
        parts.append(text)
    if parts:
        sentence = (
            "How reliable is it? On training samples the model had not seen, the rank correlation "
            f"(Spearman; 1 is perfect, 0 is chance) of prediction and measurement was "
            f"{joined(parts)}."
        )
        if beaten:
            sentence += (
                " Across lineages it does not beat the best comparison, so part of the "
                "ranking may be knowledge of the lineage alone."
            )
        return sentence
    skill = section(scores.provenance, "model", "skill")
    if is_number(skill.get("spearman")):
        chance = f", one-sided p = {skill['p']:.2g}" if is_number(skill.get("p")) else ""
        return (
            "How reliable is it? On training samples the model had not seen, the rank correlation "
            f"(Spearman) of prediction and measurement was {decimal(skill['spearman'], 2)}"
            f"{chance}. No comparison with baselines is stored with the model."
        )
    return "How reliable is it? The model holds no record of its performance on unseen samples."


def _domain_sentence(scores: Scores) -> str:
    table = scores.table
    total, inside = len(table), int(table["in_domain"].astype(bool).sum())
    outside = "1 lies" if total - inside == 1 else f"{total - inside} lie"
    coverage = table["gene_coverage"]
    if inside == total:
        domain = (
            "The profile resembles the training profiles"
            if total == 1
            else "All profiles resemble the training profiles"
        )
    elif inside == 0:
        domain = (
            f"{'The profile lies' if total == 1 else 'All profiles lie'} outside the training "
            "domain: the model has seen nothing like it, so read the numbers with care"
        )
    else:
        domain = (
            f"{inside} of {count(total, 'profile')} {'resembles' if inside == 1 else 'resemble'} "
            f"the training profiles; {outside} outside the training domain and must be read with "
            "care"
        )
    few, many = percent(coverage.min()), percent(coverage.max())
    genes = few if few == many else f"between {few} and {many}"
    return f"{domain}. {'It' if total == 1 else 'Each'} holds {genes} of the model's genes."


def _interval_words(row: Mapping[str, Any]) -> str:
    lower, upper = row["lower"], row["upper"]
    if not (math.isfinite(lower) and math.isfinite(upper)):
        return "no finite prediction interval can be given"
    return f"90 % prediction interval {interval(lower, upper)}"
