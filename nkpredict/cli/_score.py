"""nkpredict score."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nkpredict.cli._cells import CellSettings, require_groupby, score_cell_file
from nkpredict.cli._console import JsonFile, Quiet, print_table, say, stages, write_json_file
from nkpredict.cli._options import with_options
from nkpredict.cli._outcome import print_outcome
from nkpredict.cli._verdict import say_verdict
from nkpredict.configuration import ReadingSettings, RegistryLocation, Setting
from nkpredict.vocabulary import GeneReading

if TYPE_CHECKING:
    from nkpredict.explain import ExplainedScores


_GENES_TOLD = 20


@dataclass(frozen=True, kw_only=True)
class ScoreSettings(ReadingSettings):
    """With what to score, and how to read the profiles; see `nkpredict.score`."""

    model: Annotated[
        str | None,
        Setting(
            "Registered model or the folder of a bundle (default: the registered model of the "
            "default name, else screen-prior, which knows published experiments only).",
            "NAME@ALIAS|NAME/N|DIR",
        ),
    ] = None
    obs: Annotated[
        Path | None, Setting("Table of the samples, its first column their names.", "FILE")
    ] = None
    genetics: Annotated[
        Path | None, Setting("Mutations, for a model trained with them.", "FILE")
    ] = None
    lineage: Annotated[
        str | None,
        Setting(
            "Column of that table (or of the h5ad) that groups the samples in the report; more "
            "columns, joined by commas, are shown beside it.",
            "COLUMN[,COLUMN]",
        ),
    ] = None
    effector: Annotated[
        str | None,
        Setting(
            "NK cells that screen-prior scores for: primary NK (default), NK-92, KHYG-1, CAR-NK.",
            "CELLS",
        ),
    ] = None
    outcome: Annotated[
        str | None,
        Setting(
            "Two columns of that table to hold the scores against: the time to an event or to the "
            "last visit, and 0/1 or False/True, or EVENT=WORD|WORD to say which words are events.",
            "TIME,EVENT",
        ),
    ] = None
    force: Annotated[
        bool,
        Setting("Score what would be refused for too few genes or centred ones, and mark it."),
    ] = False
    cohort: Annotated[
        bool,
        Setting(
            "Map the cohort as a whole onto the model's profiles, 10 samples at least: for "
            "platforms that no model knows. The numbers are relative to this cohort."
        ),
    ] = False
    registry: RegistryLocation = None


@with_options
def score(
    profiles: Annotated[
        Path,
        typer.Argument(
            metavar="PROFILES", help="CSV, TSV, xlsx, Parquet, h5ad, 10x, ... of profiles."
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the results.")],
    settings: ScoreSettings,
    cells: CellSettings,
    figures: Annotated[
        bool, typer.Option("--figures", help="Also write the figures as PNG and SVG.")
    ] = False,
    report: Annotated[
        bool, typer.Option("--report/--no-report", help="Whether to write report.html.")
    ] = True,
    json_file: JsonFile = None,
    quiet: Quiet = False,
) -> None:
    """Score expression profiles and explain every score.

    Example:

        nkpredict score patients.csv --model nk-heme@champion --out results
        nkpredict score cells.h5ad --groupby patient --out results
    """
    from nkpredict.explain import explain_scores
    from nkpredict.report import write_results
    from nkpredict.scoring import check_results_folder
    from nkpredict.scoring import score as score_profiles

    check_results_folder(out)
    if cells.groupby is not None:
        scored = score_cell_file(profiles, out, settings, cells, report, figures, quiet)
        if scored is not None and not quiet:
            print_scores(scored)
        if json_file is not None:
            write_json_file(json_file, {} if scored is None else _as_json(scored))
        return
    require_groupby(cells)
    with stages(quiet) as progress:
        progress("scoring", 0, 1)
        scores = score_profiles(profiles, **vars(settings))
        progress("scoring", 1, 1)
        progress("explaining", 0, 1)
        explained = explain_scores(scores)
        progress("explaining", 1, 1)
        progress("writing", 0, 1)
        write_results(explained, out, figures=figures, report=report)
        progress("writing", 1, 1)
    if json_file is not None:
        write_json_file(json_file, _as_json(explained))
    if not quiet:
        print_scores(explained)
        say(f"Report: {out / 'report.html'}" if report else f"Results: {out}")


def _as_json(scores: ExplainedScores) -> dict[str, Any]:
    """Return scores, the first genes of each list under what it is about, and provenance."""
    lists = {
        GeneReading.AGAINST_REFERENCE: scores.resistance_genes,
        GeneReading.SEPARATING: scores.separating_genes,
    }
    genes = {
        str(reading): table.head(_GENES_TOLD).to_dict("records") for reading, table in lists.items()
    }
    verdict = scores.provenance.verdict
    content = {
        "verdict": None if verdict is None else verdict.to_json(),
        "scores": scores.table.reset_index().to_dict("records"),
        "genes": genes,
        "drugs": _drugs(scores),
        "provenance": scores.provenance.to_json(),
    }
    if scores.axes is not None:
        content["axes"] = scores.axes.to_dict("records")
    if scores.outcome is not None:
        content["outcome"] = scores.outcome.facts.to_json()
    return content


def print_scores(scores: ExplainedScores) -> None:
    """Print what was detected, the extremes of the ranking, genes and warnings."""
    from nkpredict.figures import is_knowledge_only, score_word
    from nkpredict.report import gene_sentences

    provenance = scores.provenance
    if provenance.verdict is not None:
        say_verdict(provenance.verdict)
    profiles, genes, model = provenance.profiles, provenance.genes, provenance.model
    version = "" if model.registry_version is None else f"/{model.registry_version}"
    say(f"Model: {model.name}{version}")
    mark = "SIMULATED data. " if scores.simulated else ""
    if profiles is not None:
        say(
            f"{mark}Read {profiles.samples} samples ({profiles.orientation}, "
            f"{profiles.identifiers}, {profiles.unit_words}); found {genes.found:,} of "
            f"the model's {genes.in_model:,} genes."
        )
    ranked = scores.table.sort_values("susceptibility", ascending=False)
    shown = ranked if len(ranked) <= 10 else [ranked.head(5), ranked.tail(5)]
    if isinstance(shown, list):
        import pandas as pd

        shown = pd.concat(shown)
    knowledge_only = is_knowledge_only(scores)
    columns = ["sample", score_word(scores)]
    columns += ([] if knowledge_only else ["90 % interval"]) + ["percentile", "novelty"]
    of_cells = "sampling_lower" in scores.table
    columns += ["cells", "90 % from cells", "not ranked"] if of_cells else []
    rows = []
    row: Any  # of named tuples whose fields pandas does not type
    for name, row in zip(shown.index, shown.itertuples(), strict=True):
        known = f"{row.lower:.3f} to {row.upper:.3f}" if row.lower == row.lower else "–"
        interval = [] if knowledge_only else [known]
        rows.append(
            [
                str(name)[:40],
                float(row.susceptibility),
                *interval,
                round(row.percentile),
                f"{row.novelty:.1f}",
                *(_of_cells(row) if of_cells else ()),
            ]
        )
    what = "score" if knowledge_only else "susceptibility"
    print_table(f"Highest and lowest {what}" if len(ranked) > 10 else what.title(), columns, rows)
    for sentence in gene_sentences(scores):
        say(sentence)
    say_drugs(scores)
    if scores.outcome is not None:
        print_outcome(scores.outcome)
    for remark in () if profiles is None else profiles.remarks():
        say(f"Note: {remark}")
    for warning in provenance.warnings:
        say(f"Note: {warning}")


def _of_cells(row: Any) -> list[Any]:
    """Return cells, interval and flags of a group of single cells."""
    flags = [flag for flag in row.flags.split(";") if flag in ("few_cells", "low_depth")]
    interval = f"{row.sampling_lower:.2f} to {row.sampling_upper:.2f}"
    return [int(row.cells), interval, ", ".join(flags).replace("_", " ")]


def say_drugs(scores: ExplainedScores) -> None:
    """Name the first drugs above the line and below it, or say that none was found."""
    from nkpredict.drugs import ABOVE, BELOW_HARMS, drugs_in_words

    drugs = scores.drugs
    if "listed" not in drugs:
        return
    say(drugs_in_words(drugs))
    for listed, words in (
        (ABOVE, "Drugs against genes that lower single samples, with what they do to NK cells: "),
        (BELOW_HARMS, "Below the line, because they harm NK cells: "),
    ):
        named = [drug for drug in drugs[drugs["listed"] == listed].itertuples() if drug.n_hits]
        if named:
            say(words + ", ".join(f"{drug.drug} ({drug.nk_liability})" for drug in named[:6]))


def _drugs(scores: ExplainedScores) -> dict[str, Any]:
    """Return the drugs of cohort and samples, those above the line apart from those below."""
    from nkpredict.drugs import ABOVE, drugs_in_words

    found: dict[str, Any] = {"in_words": drugs_in_words(scores.drugs)}
    for name, table in (("cohort", scores.drugs), ("samples", scores.sample_drugs)):
        rows = table.to_dict("records")
        found[name] = {
            "above_the_line": [row for row in rows if row["listed"] == ABOVE],
            "below_the_line": [row for row in rows if row["listed"] != ABOVE],
        }
    return found
