"""What the scores say, in plain sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from nkpredict.drugs import drugs_in_words
from nkpredict.evaluate import OUR_MODEL, Split
from nkpredict.figures import (
    Scored,
    Waterfall,
    is_knowledge_only,
    optional,
    reference_word,
    score_word,
)
from nkpredict.io import SIMPLE_TABLE
from nkpredict.report._formats import count, decimal, interval, is_number, joined, percent
from nkpredict.scoring import OWN_REFERENCE

FLAG_WORDS = {
    "forced": "scored though it would be refused",
    "other_platform": "another platform than the model's",
    "low_gene_coverage": "many genes missing",
    "low_weight_coverage": "much of the model's weight missing",
    "chance_skill": "model no better than chance",
    "few_cells": "too few cells to be ranked",
    "low_depth": "too few cells or UMIs to be ranked",
}
SPLIT_WORDS: dict[str, str] = {
    Split.RANDOM: "samples held out at random",
    Split.LINEAGE_HELD_OUT: "whole lineages held out",
}
_GENES_NAMED = 3


class Words(NamedTuple):
    """Words that depend on what the model was made from: killing, another response, experiments.

    ``measured`` names the column of a table that was the response: what it measures is for the user
    to say, and no sentence calls it killing. Empty otherwise.
    """

    score: str
    reference: str
    domain: str
    profiles: str
    missing: str
    knowledge_only: bool
    measured: str


def words_of(scores: Scored) -> Words:
    """Return the words for these scores."""
    alone, response = is_knowledge_only(scores), scores.provenance.model.response
    return Words(
        score_word(scores),
        reference_word(scores),
        "reference domain" if alone else "training domain",
        "reference profiles" if alone else "training profiles",
        "A missing gene that has evidence is spoken for by the genes it moves with in the "
        "reference, where these were measured."
        if alone
        else "A gene that is missing counts as average.",
        alone,
        str(response.target or "") if response and response.format == SIMPLE_TABLE else "",
    )


def simulated_words(scores: Scored) -> str:
    """Say what is simulated; empty when nothing is."""
    if scores.provenance.model.simulated:
        what = "The model was trained on simulated data."
    elif scores.provenance.simulated:
        what = "The data behind this report are simulated."
    else:
        return ""
    return f"{what} This report says nothing about patients."


def flags_of(row: Mapping[str, Any], words: Words) -> list[str]:
    """Return the flags of one sample in words; those told elsewhere are left out."""
    flags = [flag.strip() for flag in str(row.get("flags") or "").split(";")]
    known = FLAG_WORDS | {"out_of_domain": f"outside the {words.domain}"}
    return [
        known.get(flag, flag.replace("_", " "))
        for flag in flags
        if flag not in ("", "knowledge_only", OWN_REFERENCE)
    ]


def cohort_sentences(scores: Scored) -> list[str]:
    """Return short paragraphs: the range and what lies outside; how far to rely on it."""
    return [f"{_range_sentence(scores)} {_domain_sentence(scores)}", _reliability(scores)]


def sample_sentences(row: Mapping[str, Any], steps: Waterfall, words: Words) -> list[str]:
    """Say in words what is predicted for one sample and why.

    Parameters
    ----------
    row
        Its row of ``scores.table``.
    steps
        Its waterfall.
    words
        Words that fit the model.
    """
    sentences = [_degree(row, words)]
    causes = [
        f"{verb} most by {joined(genes[:_GENES_NAMED])}"
        for verb, genes in (("lowered", steps.lowering), ("raised", steps.raising))
        if genes
    ]
    if causes:
        what = "screen score" if words.knowledge_only else "prediction"
        sentences.append(f"The {what} is {joined(causes)}.")
    flags = str(row.get("flags") or "")
    if "chance_skill" in flags:
        sentences.append(
            "The model ranks unseen samples no better than chance, so this number says little."
        )
    if OWN_REFERENCE in flags:
        sentences.append(
            f"The profile is one of the model's own {words.reference}: its percentile and its "
            "novelty say nothing."
        )
    elif not bool(row.get("in_domain", True)):
        sentences.append(
            f"The profile is unlike the {words.profiles} (novelty "
            f"{decimal(row.get('novelty'), 2)}, where 1 is the edge): read the number with care."
        )
    if "low_gene_coverage" in flags:
        sentences.append(f"Only {percent(row.get('gene_coverage'))} of the model's genes are here.")
    return sentences


def _degree(row: Mapping[str, Any], words: Words) -> str:
    percentile = row.get("percentile")
    what = f"{words.score} {decimal(row['susceptibility'])}"
    if not words.knowledge_only:
        what += f" ({_interval_words(row)})"
    if not is_number(percentile):
        return f"Predicted {what}."
    side = "more" if percentile >= 75 else "less" if percentile <= 25 else ""
    share = "all" if percentile == 100 else f"{percentile:.0f} %"
    beaten = f"higher than {share} of the {words.reference}"
    if words.knowledge_only:
        degree = (
            f"{side} easily than most {words.reference}"
            if side
            else f"about as easily as a typical profile of the {words.reference}"
        )
        return (
            f"Published experiments suggest that this sample is killed {degree}: {what}, {beaten}. "
            "This was not tested on measured killing."
        )
    degree = (
        f"{side} easily than most {words.reference}"
        if side
        else "about as easily as a typical training sample"
    )
    if words.measured:
        degree = degree.replace("easily", "sensitive")
        return f"This sample is predicted to be {degree}, in {words.measured}: {what}, {beaten}."
    return f"This sample is predicted to be killed {degree}: {what}, {beaten}."


def _range_sentence(scores: Scored) -> str:
    values, words = scores.table["susceptibility"], words_of(scores)
    one = len(values) == 1
    name = scores.provenance.model.name
    with_model = f" with {name}" if name else ""
    opening = f"{count(len(values), 'sample')} {'was' if one else 'were'} scored{with_model}."
    subject = "screen score" if words.knowledge_only else "predicted susceptibility"
    spread = (
        f"Its {subject} is {decimal(values.iloc[0])}"
        if one
        else f"{subject.capitalize()} runs from {decimal(values.min())} to "
        f"{decimal(values.max())}, with a median of {decimal(values.median())}"
    )
    meant = f"more sensitive in {words.measured}" if words.measured else "killed more easily"
    meaning = (
        "0 is the average reference profile; higher means that published experiments point to "
        "easier killing."
        if words.knowledge_only
        else f"The base value of the model is {decimal(scores.base_value)}. A higher number means "
        f"a sample that is predicted to be {meant}."
    )
    return f"{opening} {spread}. {meaning}"


def drugs_words(scores: Scored) -> str:
    """Say how many drugs were found, or that none was; empty when none were looked up."""
    drugs = optional(scores, "drugs")
    return drugs_in_words(drugs) if "listed" in drugs else ""


def _reliability(scores: Scored) -> str:
    if is_knowledge_only(scores):
        return (
            "How reliable is it? Not known: no measured killing was ever predicted. Use it to rank "
            "samples of one platform and to choose what to measure."
        )
    rows = scores.provenance.model.performance or ()
    parts, beaten = [], False
    for split in dict.fromkeys(row.split for row in rows):
        values = {
            row.model: row.spearman
            for row in rows
            if row.split == split and is_number(row.spearman)
        }
        ours = values.pop(OUR_MODEL, None)
        if ours is None:
            continue
        text = f"{decimal(ours, 2)} with {SPLIT_WORDS.get(split, split)}"
        if values:
            best = max(values, key=lambda model: values[model])
            text += f" (best comparison: {best}, {decimal(values[best], 2)})"
            beaten = beaten or (split == Split.LINEAGE_HELD_OUT and ours <= values[best])
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
    skill = scores.provenance.model.skill
    if skill is not None and is_number(skill.spearman):
        chance = f", one-sided p = {skill.p:.2g}" if is_number(skill.p) else ""
        return (
            "How reliable is it? On training samples the model had not seen, the rank correlation "
            f"(Spearman) of prediction and measurement was {decimal(skill.spearman, 2)}"
            f"{chance}. No comparison with baselines is stored with the model."
        )
    return "How reliable is it? The model holds no record of its performance on unseen samples."


def _domain_sentence(scores: Scored) -> str:
    table, words = scores.table, words_of(scores)
    total, inside = len(table), int(table["in_domain"].astype(bool).sum())
    outside = "1 lies" if total - inside == 1 else f"{total - inside} lie"
    coverage, own = table["gene_coverage"], scores.provenance.own_reference
    if own == total:
        domain = (
            f"{'The profile is one' if total == 1 else 'All profiles are'} of the model's own "
            f"{words.reference}: novelty and percentiles say nothing here"
        )
    elif inside == total:
        domain = (
            f"The profile resembles the {words.profiles}"
            if total == 1
            else f"All profiles resemble the {words.profiles}"
        )
    elif inside == 0:
        domain = (
            f"{'The profile lies' if total == 1 else 'All profiles lie'} outside the "
            f"{words.domain}: read the numbers with care"
        )
    else:
        domain = (
            f"{inside} of {count(total, 'profile')} {'resembles' if inside == 1 else 'resemble'} "
            f"the {words.profiles}; {outside} outside the {words.domain} and must be read with "
            "care"
        )
    few, many = percent(coverage.min()), percent(coverage.max())
    genes = few if few == many else f"between {few} and {many}"
    return f"{domain}. {'It' if total == 1 else 'Each'} holds {genes} of the model's genes."


def _interval_words(row: Mapping[str, Any]) -> str:
    lower, upper = row["lower"], row["upper"]
    if not (is_number(lower) and is_number(upper)):
        return "no prediction interval can be given"
    return f"90 % prediction interval {interval(lower, upper)}"
