"""One self-contained HTML file about a scored cohort."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from nkpredict.errors import InputError
from nkpredict.figures import lineages, printable, ranked
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
from nkpredict.report._axes import axes_table, axes_words
from nkpredict.report._cohort import axis_rows, drug_claims, gene_claims, ranking_figure
from nkpredict.report._killing_curve import killing_curves
from nkpredict.report._layout import Scale, scale_over
from nkpredict.report._maps import covariate_bars, gene_map_data, spread_rows
from nkpredict.report._outcome import outcome_view
from nkpredict.report._page import page_template, policy, shipped_text
from nkpredict.report._sample_pages import sample_pages
from nkpredict.scoring import FORCED_NOTICE
from nkpredict.vocabulary import UNKNOWN

if TYPE_CHECKING:
    import pandas as pd

    from nkpredict.figures import Scored

_STYLE = "report.css"
# Order matters: the sorter listens first, so that our script finds sorted rows.
_SCRIPTS = ("vendor/sortable.min.js", "report.js", "samples.js", "genemap.js")
_MOST_LISTED = 1000  # samples in the table of the ranking; of more its two ends are shown
_END_LISTED = 100
_PERCENTILES = Scale(0.0, 100.0, (0.0, 25.0, 50.0, 75.0, 100.0), left=4.0, right=96.0)


class _Sample(NamedTuple):
    """What the ranking shows of one sample."""

    position: int
    name: str
    row: dict[str, Any]
    flags: list[str]


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
    words = summary.words_of(scores)
    provenance = scores.provenance
    model, profiles = provenance.model, provenance.profiles
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
        **_cohort(scores, words),
        axes=axes_table(scores),
        axes_words=axes_words(scores),
        curves=killing_curves(scores),
        outcome=outcome_view(scores),
        gene_map=gene_map_data(scores),
        bars=covariate_bars(scores),
        **_genes_and_drugs(scores),
        **_model_and_data(scores),
    )


def _cohort(scores: Scored, words: summary.Words) -> dict[str, Any]:
    """Return what the template needs of the samples."""
    table = ranked(scores)
    samples = _samples(scores, table, words)
    ranges = [] if words.knowledge_only else ["lower", "upper"]
    values = table[["susceptibility", *ranges]].to_numpy()
    ends = [*samples[:_END_LISTED], *samples[-_END_LISTED:]]
    return {
        "samples": samples,
        "listed": samples if len(samples) <= _MOST_LISTED else ends,
        "pages": sample_pages(scores, table, words),
        "with_lineage": lineages(scores) is not None,
        "ranking": scale_over([scores.base_value, *values.ravel()]),
        "figure": ranking_figure(scores, table),
        "spread": spread_rows(scores),
        "axis_rows": axis_rows(scores),
        "hundred": _PERCENTILES,
    }


def _genes_and_drugs(scores: Scored) -> dict[str, Any]:
    """Return what the template needs of the lists of genes, their evidence and drugs."""
    known = scores.provenance.explanation
    evidence, drugs = gene_tables.evidence_table(scores), drug_tables.drug_table(scores)
    return {
        "resistance": gene_tables.resistance_table(scores),
        "separating": gene_tables.separating_table(scores),
        "gene_claims": gene_claims(scores, evidence),
        "against_reference_words": genes_text.against_reference_words(scores),
        "separating_words": genes_text.separating_words(scores),
        "evidence": evidence,
        "evidence_words": genes_text.evidence_words(scores),
        "lines_words": "" if known is None else genes_text.lines_words(known),
        "studies": gene_tables.studies(scores),
        "drugs": drugs,
        "drug_claims": drug_claims(scores, drugs),
        "below": drug_tables.below_table(scores),
        "drugs_words": summary.drugs_words(scores),
        "targets": drug_tables.target_table(scores),
        "contrary": drug_tables.contrary_table(scores),
    }


def _model_and_data(scores: Scored) -> dict[str, Any]:
    """Return what the template needs of the model, the profiles and their provenance."""
    splits, performance = facts.performance_table(scores)
    return {
        "quality": facts.quality(scores),
        "detected": facts.detected(scores.provenance),
        "missing": facts.missing(scores.provenance),
        "card": facts.model_card(scores),
        "limits": facts.limits(scores),
        "splits": splits,
        "split_words": summary.SPLIT_WORDS,
        "performance": performance,
        "provenance": facts.provenance_facts(scores.provenance),
        "provenance_words": facts.provenance_sentences(scores.provenance),
    }


def _samples(scores: Scored, table: pd.DataFrame, words: summary.Words) -> list[_Sample]:
    known = lineages(scores)
    samples = []
    for position, (name, values) in enumerate(
        zip(table.index, table.to_dict("records"), strict=True), start=1
    ):
        row = {str(column): value for column, value in values.items()}
        if known is not None:
            row["lineage"] = known[name] if isinstance(known[name], str) else UNKNOWN
        samples.append(_Sample(position, str(name), row, summary.flags_of(row, words)))
    return samples
