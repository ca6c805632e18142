"""One self-contained HTML file about a scored cohort."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from nkpredict.drugs import ABOVE, drugs_in_words
from nkpredict.errors import InputError
from nkpredict.figures import (
    Waterfall,
    lineages,
    optional,
    printable,
    ranked,
    waterfall,
)
from nkpredict.io import write_text
from nkpredict.registry import KNOWLEDGE_ONLY_NOTICE, NOTICE
from nkpredict.report import (
    _drugs as drug_tables,
)
from nkpredict.report import (
    _facts as facts,
)
from nkpredict.report import (
    _gene_tables as gene_tables,
)
from nkpredict.report import (
    _genes_text as genes_text,
)
from nkpredict.report import (
    _summary as summary,
)
from nkpredict.report._axes import axes_facts, axes_table, axes_words
from nkpredict.report._killing_curve import curve_facts, killing_curves
from nkpredict.report._layout import Scale, scale_over
from nkpredict.report._maps import gene_map_data, spread_rows
from nkpredict.report._outcome import outcome_view
from nkpredict.report._page import page_template, policy, shipped_text
from nkpredict.scoring import FORCED_NOTICE

if TYPE_CHECKING:
    from nkpredict.figures import Scored

_SAMPLE_DRUGS_SHOWN = 5
_STYLE = "report.css"
# Order matters: the sorter listens first, so that our script finds sorted rows.
_SCRIPTS = ("vendor/sortable.min.js", "report.js", "genemap.js")
# Columns with a place of their own in the report; others are shown as they are.
_KNOWN_COLUMNS = {
    "susceptibility",
    "lower",
    "upper",
    "percentile",
    "novelty",
    "in_domain",
    "gene_coverage",
    "weight_coverage",
    "flags",
    "original_scale",
}


class _Sample(NamedTuple):
    """What the template needs of one sample."""

    position: int
    name: str
    row: dict[str, Any]
    flags: list[str]
    sentences: list[str]
    steps: Waterfall
    scale: Scale
    extra: list[facts.Fact]
    drugs: list[dict[str, Any]]
    below: list[dict[str, Any]]
    drugs_words: str


def write_report(scores: Scored, path: str | Path) -> Path:
    """Write a report that opens in any browser and needs no network.

    Parameters
    ----------
    scores
        Scores of a cohort. Drugs, lineages and reference samples are shown where they are there.
    path
        HTML file to write; replaced as a whole when it exists.

    Returns
    -------
    pathlib.Path
        The file. The same scores give the same bytes.

    Raises
    ------
    InputError
        When the scores hold no sample or are not explained.
    """
    if not hasattr(scores, "contributions"):
        raise InputError(
            "The scores are numbers without their genes; expected what "
            "nkpredict.explain_scores(scores) returns."
        )
    if scores.table.empty:
        raise InputError("The scores hold no sample; expected at least one to report on.")
    write_text(path, printable(_render(scores)))
    return Path(path)


def _render(scores: Scored) -> str:
    style = shipped_text(_STYLE)
    scripts = [shipped_text(name) for name in _SCRIPTS]
    table = ranked(scores)
    words = summary.words_of(scores)
    splits, performance = facts.performance_table(scores)
    provenance = scores.provenance
    model, profiles = provenance.model, provenance.profiles
    ranges = [] if words.knowledge_only else ["lower", "upper"]
    return page_template("report.html.j2").render(
        style=style,
        scripts=scripts,
        policy=policy(style, scripts),
        notice=NOTICE,
        words=words,
        knowledge_only_words=KNOWLEDGE_ONLY_NOTICE.split(": ", 1)[-1],
        simulated=provenance.simulated,
        forced=bool(provenance.forced),
        forced_words=FORCED_NOTICE.split(": ", 1)[-1].capitalize(),
        simulated_words=summary.simulated_words(scores),
        # what the banner says needs no second place
        verdict=provenance.verdict,
        warnings=[
            warning
            for warning in provenance.warnings
            if not (words.knowledge_only and warning.startswith(KNOWLEDGE_ONLY_NOTICE))
        ],
        profiles_file=None if profiles is None else profiles.file,
        model_name=model.name,
        model_version=model.registry_version,
        model_simulated=model.simulated,
        paragraphs=summary.cohort_sentences(scores),
        base=float(scores.base_value),
        key_figures=summary.key_figures(scores),
        samples=_samples(scores, table, words),
        with_lineage=lineages(scores) is not None,
        ranking=scale_over(
            [scores.base_value, *table[["susceptibility", *ranges]].to_numpy().ravel()]
        ),
        spread=spread_rows(scores),
        axes=axes_table(scores),
        axes_words=axes_words(scores),
        curves=killing_curves(scores),
        outcome=outcome_view(scores),
        gene_map=gene_map_data(scores),
        response_unit=None if model.response is None else model.response.unit,
        **_genes(scores),
        **_drugs(scores),
        quality=facts.quality(scores),
        detected=facts.detected(provenance),
        missing=facts.missing(provenance),
        card=facts.model_card(scores),
        limits=facts.limits(scores),
        splits=splits,
        split_words=summary.SPLIT_WORDS,
        performance=performance,
        provenance=facts.provenance_facts(provenance),
    )


def _drugs(scores: Scored) -> dict[str, Any]:
    """Return what the template needs of the lists of drugs."""
    return {
        "drugs": drug_tables.drug_table(scores),
        "below": drug_tables.below_table(scores),
        "drugs_words": summary.drugs_words(scores),
        "targets": drug_tables.target_table(scores),
        "contrary": drug_tables.contrary_table(scores),
    }


def _genes(scores: Scored) -> dict[str, Any]:
    """Return what the template needs of the lists of genes and their evidence."""
    known = scores.provenance.explanation
    return {
        "resistance": gene_tables.resistance_table(scores),
        "separating": gene_tables.separating_table(scores),
        "against_reference_words": genes_text.against_reference_words(scores),
        "separating_words": genes_text.separating_words(scores),
        "evidence": gene_tables.evidence_table(scores),
        "evidence_words": genes_text.evidence_words(scores),
        "lines_words": "" if known is None else genes_text.lines_words(known),
        "studies": gene_tables.studies(scores),
    }


def _samples(scores: Scored, table: pd.DataFrame, words: summary.Words) -> list[_Sample]:
    known = lineages(scores)
    drugs, curves = _drugs_by_sample(scores), curve_facts(scores)
    axes = axes_facts(scores)
    none_found = drugs_in_words(pd.DataFrame()) if summary.drugs_words(scores) else ""
    samples = []
    for position, (name, values) in enumerate(
        zip(table.index, table.to_dict("records"), strict=True), start=1
    ):
        row = {str(column): value for column, value in values.items()}
        if known is not None:
            row["lineage"] = known[name]
        steps = waterfall(scores, name)
        places = [steps.base, *(step.end for step in steps.steps)]
        samples.append(
            _Sample(
                position,
                str(name),
                row,
                summary.flags_of(row, words),
                summary.sample_sentences(row, steps, words),
                steps,
                scale_over(places, left=25.0, right=84.0, ticks=4),
                axes.get(str(name), [])
                + curves.get(str(name), [])
                + [
                    facts.Fact(column.replace("_", " ").capitalize(), str(value))
                    for column, value in row.items()
                    if column not in _KNOWN_COLUMNS and not pd.isna(value)
                ],
                *drugs.get(str(name), ([], [])),
                none_found,
            )
        )
    return samples


def _drugs_by_sample(
    scores: Scored,
) -> dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]]]]:
    """Return the first drugs of each sample, those above the line and those below."""
    table = optional(scores, "sample_drugs")
    if table.empty:
        return {}
    shown = table[table["rank"] <= _SAMPLE_DRUGS_SHOWN]
    found: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]]]] = {}
    for row in shown.to_dict("records"):
        lists = found.setdefault(str(row["sample"]), ([], []))
        lists[row["listed"] != ABOVE].append({str(key): value for key, value in row.items()})
    return found
