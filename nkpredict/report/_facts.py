"""What was found, decided and missing, as rows of a label and a value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from nkpredict.errors import name_some
from nkpredict.evaluate import OUR_MODEL
from nkpredict.figures import Scored, is_knowledge_only, section
from nkpredict.report._formats import NO_VALUE, decimal, is_number, percent
from nkpredict.report._summary import performance_of, words_of

_METRICS = ("spearman", "spearman_within_lineage", "rmse")
_ITEMS_LISTED = 12

_DETECTED = {
    "file": "File",
    "samples": "Samples",
    "orientation": "Orientation",
    "identifiers": "Gene identifiers",
    "gene_reference": "Gene reference",
    "unit_words": "Units of the values",
    "transform": "Transformation",
    "genes_in_file": "Genes in the file",
    "genes_renamed": "Old gene names brought up to date",
    "genes_restored_from_dates": "Gene names restored from spreadsheet dates",
    "genes_merged": "Genes merged from several rows",
}
_MISSING = {
    "missing_values": "Missing values in the file",
    "gene_names_ambiguous": "Ambiguous gene names",
    "gene_names_unknown": "Unknown gene names",
    "genes_without_symbol_dropped": "Genes without a symbol, dropped",
}
_GIVEN = {"orientation": "orientation_given", "unit_words": "unit_given"}


class Fact(NamedTuple):
    """A label and its value."""

    label: str
    value: str


class PerformanceRow(NamedTuple):
    """One model's numbers, one triple of metrics a split."""

    model: str
    ours: bool
    values: list[str]


def detected(provenance: Mapping[str, Any]) -> list[Fact]:
    """Return what was recognised in the profiles."""
    profiles = section(provenance, "profiles")
    return [
        Fact(label, _text(profiles[key]) + _how(profiles, key))
        for key, label in _DETECTED.items()
        if profiles.get(key) not in (None, "")
    ]


def missing(provenance: Mapping[str, Any]) -> list[Fact]:
    """Return what the model needed and the profiles lacked."""
    genes, profiles = section(provenance, "genes"), section(provenance, "profiles")
    facts = [
        Fact(label, _text(genes[key]))
        for key, label in (
            ("in_model", "Genes in the model"),
            ("found", "Found in the profiles"),
            ("missing", "Missing from the profiles"),
        )
        if genes.get(key) is not None
    ]
    if genes.get("missing_examples"):
        facts.append(Fact("Missing genes, for example", _text(genes["missing_examples"])))
    if genes.get("weight_missing") is not None:
        facts.append(
            Fact("Share of the model's weight on missing genes", percent(genes["weight_missing"]))
        )
    return facts + [
        Fact(label, _text(profiles[key])) for key, label in _MISSING.items() if key in profiles
    ]


def quality(scores: Scored) -> list[Fact]:
    """Return how well the profiles of the cohort fit the model."""
    table, words = scores.table, words_of(scores)
    outside = int((~table["in_domain"].astype(bool)).sum())
    facts = [
        Fact("Samples", f"{len(table):,}"),
        Fact(f"Outside the {words.domain}", f"{outside:,}"),
        Fact("Novelty (edge is 1)", _range(table["novelty"], lambda value: decimal(value, 2))),
        Fact("Genes of the model found", _range(table["gene_coverage"], percent)),
    ]
    if "weight_coverage" in table:
        what = "evidence" if words.knowledge_only else "model's weight"
        facts.append(Fact(f"Share of the {what} found", _range(table["weight_coverage"], percent)))
    few = int(table["flags"].astype(str).str.contains("low_gene_coverage").sum())
    return [*facts, Fact("Samples with many genes missing", f"{few:,}")]


def model_card(scores: Scored) -> list[Fact]:
    """Return what the model was made from, as far as it is on record."""
    model = section(scores.provenance, "model")
    training, reference = section(model, "training"), section(model, "reference")
    response = section(training, "response")
    lineages = section(training, "lineages")
    rows: list[tuple[str, Any]] = [
        ("Name", model.get("name")),
        ("Version", model.get("registry_version", model.get("version"))),
        (
            "Kind",
            "published screens alone" if is_knowledge_only(scores) else "trained on a response",
        ),
        ("Training samples", training.get("samples")),
        ("Measured response", response.get("unit")),
        ("Meaning of susceptibility", response.get("susceptibility")),
        ("Lineages", ", ".join(f"{name} {number}" for name, number in lineages.items())),
        ("Reference profiles", reference.get("name")),
        ("Samples in the reference", reference.get("samples")),
        ("Source of the reference", reference.get("doi") and f"doi {reference['doi']}"),
        ("Genes in the model", section(scores.provenance, "genes").get("in_model")),
        ("Trained on simulated data", "yes" if model.get("simulated") else None),
        ("SHA-256", model.get("sha256")),
    ]
    width = model.get("half_width")
    if is_number(width) and abs(width) != float("inf"):
        rows.append(("90 % prediction interval", f"prediction ± {decimal(width)}"))
    return [Fact(label, _text(value)) for label, value in rows if value not in (None, "")]


def limits(scores: Scored) -> list[str]:
    """Return what the model must not be trusted with, in plain sentences."""
    if is_knowledge_only(scores):
        return [
            "The score was trained on no measured killing. How well it ranks real samples is not "
            "known.",
            "It has no unit and no interval: read the order of samples, not the size of numbers.",
            "Screens were done in a few cell lines; a gene can act otherwise in patients.",
            "Profiles from another platform shift. Compare samples of one platform.",
        ]
    return [
        "The training response was measured in cell lines. It is no outcome in patients.",
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
    records = performance_of(scores)
    splits = list(dict.fromkeys(str(record["split"]) for record in records))
    models = list(dict.fromkeys(str(record["model"]) for record in records))
    found = {(str(record["split"]), str(record["model"])): record for record in records}
    rows = [
        PerformanceRow(
            model,
            model == OUR_MODEL,
            [
                decimal(found.get((split, model), {}).get(metric))
                for split in splits
                for metric in _METRICS
            ],
        )
        for model in models
    ]
    return splits, sorted(rows, key=lambda row: not row.ours)


def provenance_facts(provenance: Mapping[str, Any]) -> list[tuple[str, list[Fact]]]:
    """Return everything in the provenance, grouped by its first key.

    Performance and warnings have places of their own in the report and are left out.
    """
    groups: dict[str, list[Fact]] = {}
    for key, value in provenance.items():
        if key == "warnings":
            continue
        group = _words(key) if isinstance(value, Mapping) else "General"
        prefix = () if isinstance(value, Mapping) else (str(key),)
        facts = [Fact(label, text) for label, text in _flat(value, prefix)]
        groups.setdefault(group, []).extend(facts)
    return [(group, facts) for group, facts in groups.items() if facts]


def _flat(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            if key != "performance":
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


def _how(profiles: Mapping[str, Any], key: str) -> str:
    given = profiles.get(_GIVEN.get(key, ""))
    return "" if given is None else " (as told)" if given else " (detected)"


def _words(key: str) -> str:
    # A key may also be the name of a file or a lineage; only our own keys are spelt out.
    return key.replace("_", " ") if key.isidentifier() else key
