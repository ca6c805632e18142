"""What was found, decided and missing, as rows of a label and a value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from nkpredict.errors import name_some
from nkpredict.evaluate import OUR_MODEL
from nkpredict.facts import CalibrationFacts, ScoringFacts, TrainingFacts
from nkpredict.figures import Scored, is_knowledge_only
from nkpredict.report._formats import NO_VALUE, count, decimal, joined, percent
from nkpredict.report._genes_text import lines_words
from nkpredict.report._summary import words_of

_ITEMS_LISTED = 12
# Facts with a place of their own in the report.
_TOLD_ELSEWHERE = ("schema_version", "performance", "warnings", "explanation", "verdict")


class Fact(NamedTuple):
    """A label and its value."""

    label: str
    value: str


class PerformanceRow(NamedTuple):
    """One model's numbers, one triple of metrics a split."""

    model: str
    ours: bool
    values: list[str]


def detected(provenance: ScoringFacts) -> list[Fact]:
    """Return what was recognised in the profiles."""
    profiles = provenance.profiles
    if profiles is None:
        return [Fact("Samples", _text(provenance.samples))]
    rows = [
        ("File", profiles.file),
        ("Samples", profiles.samples),
        ("Orientation", profiles.orientation + _how(profiles.orientation_given)),
        ("Gene identifiers", profiles.identifiers),
        ("Gene reference", profiles.gene_reference),
        ("Units of the values", profiles.unit_words + _how(profiles.unit_given)),
        ("Transformation", profiles.transform),
        ("Genes in the file", profiles.genes_in_file),
        ("Old gene names brought up to date", profiles.genes_renamed),
        ("Gene names restored from spreadsheet dates", profiles.genes_restored_from_dates),
        ("Genes merged from several rows", profiles.genes_merged),
        ("Format", profiles.format or None),
        ("Chosen, set aside and left out", profiles.remarks() or None),
    ]
    return [Fact(label, _text(value)) for label, value in rows]


def missing(provenance: ScoringFacts) -> list[Fact]:
    """Return what the model needed and the profiles lacked."""
    genes, profiles = provenance.genes, provenance.profiles
    rows: list[tuple[str, Any]] = [
        ("Genes in the model", genes.in_model),
        ("Found in the profiles", genes.found),
        ("Missing from the profiles", genes.missing),
    ]
    if genes.missing_examples:
        rows.append(("Missing genes, for example", genes.missing_examples))
    rows.append(("Share of the model's weight on missing genes", percent(genes.weight_missing)))
    if profiles is not None:
        rows += [
            ("Missing values in the file", profiles.missing_values),
            ("Ambiguous gene names", profiles.gene_names_ambiguous),
            ("Unknown gene names", profiles.gene_names_unknown),
            ("Genes without a symbol, dropped", profiles.genes_without_symbol_dropped),
        ]
    return [Fact(label, _text(value)) for label, value in rows]


def quality(scores: Scored) -> list[Fact]:
    """Return how well the profiles of the cohort fit the model."""
    table, words = scores.table, words_of(scores)
    outside = int((~table["in_domain"].astype(bool)).sum())
    facts = [
        Fact("Samples", f"{len(table):,}"),
        Fact(f"Of the model's own {words.reference}", _own_reference(scores.provenance)),
        Fact(f"Outside the {words.domain}", f"{outside:,}"),
        Fact("Novelty (edge is 1)", _range(table["novelty"], lambda value: decimal(value, 2))),
        Fact("Genes of the model found", _range(table["gene_coverage"], percent)),
    ]
    if "weight_coverage" in table:
        what = "evidence" if words.knowledge_only else "model's weight"
        facts.append(Fact(f"Share of the {what} found", _range(table["weight_coverage"], percent)))
    if not words.knowledge_only:
        width = table["upper"] - table["lower"]
        facts.append(Fact("Width of the 90 % prediction interval", _range(width, decimal)))
    few = int(table["flags"].astype(str).str.contains("low_gene_coverage").sum())
    return [*facts, Fact("Samples with many genes missing", f"{few:,}")]


def _own_reference(provenance: ScoringFacts) -> str:
    if provenance.own_reference is None:
        return "unknown: the model keeps no trace of them"
    return f"{provenance.own_reference:,}"


def model_card(scores: Scored) -> list[Fact]:
    """Return what the model was made from, as far as it is on record."""
    model = scores.provenance.model
    training, response = model.training or TrainingFacts(), model.response
    lineages, reference = training.lineages or {}, model.reference
    rows: list[tuple[str, Any]] = [
        ("Name", model.name),
        ("Version", model.registry_version),
        (
            "Kind",
            "published experiments alone" if model.knowledge_only else "trained on a response",
        ),
        ("Calibrated to", model.calibration and _calibration(model.calibration)),
        ("Training samples", training.samples),
    ]
    if response is not None:
        rows += [
            ("Measured response", response.unit),
            ("Meaning of susceptibility", response.susceptibility),
        ]
    rows.append(("Lineages", ", ".join(f"{name} {number}" for name, number in lineages.items())))
    if reference is not None:
        rows += [
            ("Reference profiles", reference.name),
            ("Samples in the reference", reference.samples),
            ("Source of the reference", reference.doi and f"doi {reference.doi}"),
        ]
    rows += [
        ("Genes in the model", scores.provenance.genes.in_model),
        ("Trained on simulated data", "yes" if model.simulated else None),
        ("SHA-256", model.sha256),
    ]
    return [Fact(label, _text(value)) for label, value in rows if value not in (None, "")]


def _calibration(facts: CalibrationFacts) -> str:
    return f"{facts.gain.lines} own lines of a laboratory, from {facts.reference}"


def limits(scores: Scored) -> list[str]:
    """Return what the model must not be trusted with, in plain sentences."""
    if is_knowledge_only(scores):
        known = scores.provenance.explanation
        where = "" if known is None else lines_words(known)
        return [
            "The score was trained on no measured killing. How well it ranks real samples is not "
            "known.",
            "It has no unit and no interval: read the order of samples, not the size of numbers.",
            where
            or "Experiments were done in a few cell lines; a gene can act otherwise in others.",
            "Profiles from another platform shift. Compare samples of one platform.",
        ]
    return [
        "The response was measured in the training samples, under the conditions of that "
        "experiment. It is no outcome in patients.",
        "Lineage is the strongest confounder: a good result in the random split can be knowledge "
        "of the lineage alone. Look at whole lineages held out.",
        "Profiles from another platform shift. Compare such samples with each other only.",
        "The interval holds for samples like the training samples, not for another disease.",
        "A contribution explains the model. It is no proof that the gene causes resistance.",
    ]


def performance_table(scores: Scored) -> tuple[list[str], list[PerformanceRow]]:
    """Return the splits and, for each model, its metrics in each of them.

    Returns
    -------
    tuple
        Names of the splits; rows with Spearman, Spearman within lineage and RMSE for each split,
        the scored model first.
    """
    records = scores.provenance.model.performance or ()
    splits = list(dict.fromkeys(record.split for record in records))
    models = list(dict.fromkeys(record.model for record in records))
    found = {
        (row.split, row.model): (row.spearman, row.spearman_within_lineage, row.rmse)
        for row in records
    }
    unknown = (None, None, None)
    rows = [
        PerformanceRow(
            model,
            model == OUR_MODEL,
            [decimal(value) for split in splits for value in found.get((split, model), unknown)],
        )
        for model in models
    ]
    return splits, sorted(rows, key=lambda row: not row.ours)


def provenance_sentences(provenance: ScoringFacts) -> list[str]:
    """Say what was read, how, and with which model it was scored."""
    profiles, genes, model = provenance.profiles, provenance.genes, provenance.model
    sentences = []
    if profiles is not None:
        sentences.append(
            f"{profiles.file or 'The profiles'} with {count(profiles.samples, 'sample')} was read "
            f"as {profiles.orientation}{_how(profiles.orientation_given)}, its gene names as "
            f"{profiles.identifiers} and its values as {profiles.unit_words}"
            f"{_how(profiles.unit_given)}; of {profiles.genes_in_file:,} genes {profiles.genes:,} "
            "were kept."
        )
    version = "" if model.registry_version is None else f", version {model.registry_version}"
    named = f"{model.name}{version}" if model.name else "the model"
    sentences.append(f"Of the {genes.in_model:,} genes of {named} {genes.found:,} were found.")
    files = {
        "profiles": None if profiles is None else profiles.sha256,
        "model": model.sha256,
    }
    marks = [f"the {what} {sha[:12]}" for what, sha in files.items() if sha]
    if marks:
        sentences.append(
            f"The SHA-256, by which a file is told from any other, begins for {joined(marks)}."
        )
    return sentences


def provenance_facts(provenance: ScoringFacts) -> list[tuple[str, list[Fact]]]:
    """Return everything in the provenance, grouped by its first key.

    Performance and warnings have places of their own in the report and are left out.
    """
    groups: dict[str, list[Fact]] = {}
    for key, value in provenance.to_json().items():
        if key in _TOLD_ELSEWHERE:
            continue
        group = _words(key) if isinstance(value, Mapping) else "General"
        prefix = () if isinstance(value, Mapping) else (str(key),)
        facts = [Fact(label, text) for label, text in _flat(value, prefix)]
        groups.setdefault(group, []).extend(facts)
    return [(group, facts) for group, facts in groups.items() if facts]


def _flat(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            if key not in _TOLD_ELSEWHERE:
                yield from _flat(item, (*path, str(key)))
    else:
        yield " › ".join(_words(part) for part in path), _text(value)


def _text(value: Any) -> str:
    if value is None or value == "" or (isinstance(value, Mapping | list | tuple) and not value):
        return NO_VALUE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return name_some(value, _ITEMS_LISTED)
    return str(value)


def _range(values: pd.Series, write: Callable[[Any], str]) -> str:
    low, middle, high = (write(values.quantile(q)) for q in (0, 0.5, 1))
    return low if low == high else f"{low} to {high}, median {middle}"


def _how(given: bool) -> str:
    return " (as told)" if given else " (detected)"


def _words(key: str) -> str:
    # A key may also be the name of a file or a lineage; only our own keys are spelt out.
    return key.replace("_", " ") if key.isidentifier() else key
