"""nkpredict explain."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nkpredict.cli._console import JsonFile, Quiet, print_table, say, stages, write_json_file
from nkpredict.cli._options import with_options
from nkpredict.cli._score import ScoreSettings
from nkpredict.cli._verdict import say_verdict

if TYPE_CHECKING:
    from nkpredict.explain import Patient


@with_options
def explain(
    profiles: Annotated[
        Path, typer.Argument(metavar="PROFILES", help="Profiles, as for nkpredict score.")
    ],
    settings: ScoreSettings,
    sample: Annotated[str, typer.Option(metavar="NAME", help="Sample to explain.")],
    knockout: Annotated[
        str | None,
        typer.Option(metavar="GENE,GENE", help="Genes whose loss is to be predicted."),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(metavar="PROFILES", help="Cohort among which percentiles are told."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Card of one page: .html, or .pdf or .png (needs a Chromium)."
        ),
    ] = None,
    json_file: JsonFile = None,
    quiet: Quiet = False,
) -> None:
    """Ask about one sample: why this score, what a lost gene would do, which drugs.

    Example:

        nkpredict explain patients.csv --sample P1 --knockout HLA-E,B2M --out P1.html
    """
    from nkpredict.explain import explain_scores
    from nkpredict.report import write_patient_card
    from nkpredict.scoring import score

    genes = [gene.strip() for gene in (knockout or "").split(",") if gene.strip()]
    with stages(quiet) as progress:
        progress("scoring", 0, 2 if against else 1)
        scores = explain_scores(score(profiles, **vars(settings)))
        progress("scoring", 1, 2 if against else 1)
        others = None
        if against is not None:
            others = explain_scores(score(against, scores.bundle))
            progress("scoring", 2, 2)
        patient = scores.sample(sample, genes, others)
        if out is not None:
            progress("printing", 0, 1)
            write_patient_card(patient, out)
            progress("printing", 1, 1)
    write_json_file(json_file, _as_json(patient))
    if not quiet:
        _print(patient)
        if out is not None:
            say(f"Card: {out}")


def _print(patient: Patient) -> None:
    mark = "SIMULATED data. " if patient.simulated else ""
    if patient.provenance.verdict is not None:
        say_verdict(patient.provenance.verdict)
    score = f"{patient.row['susceptibility']:.3f}{patient.interval}"
    say(f"{mark}{patient.name}: {score}, {patient.place}.")
    if patient.caution:
        say(f"Note: {patient.caution}")
    axes = [
        [str(axis), float(part["contribution"]), _whole(part["percentile"])]
        for axis, part in patient.axes.iterrows()
    ]
    print_table("What raises and lowers it", ["axis", "part", "percentile"], axes)
    genes = [
        [
            gene["gene"],
            float(gene["difference"]),
            float(gene["contribution"]),
            _whole(gene["percentile"]),
            gene["says"] or "–",
        ]
        for _, gene in patient.genes.iterrows()
    ]
    heads = ["gene", "beside others", "part", "percentile", "published experiments say (studies)"]
    print_table(f"Genes that set it apart from {patient.compared_with}", heads, genes)
    for _, lost in patient.knockouts.iterrows():
        assumed = "" if lost["measured"] else " (not measured, average assumed)"
        say(
            f"If {lost['gene']} were lost: {lost['change']:+.3f}{assumed}, then {lost['place']} of "
            f"them. Published experiments (studies): {lost['says'] or 'none'}."
        )
    drugs = [f"{drug['drug']} ({drug['nk_liability']})" for _, drug in patient.drugs.iterrows()]
    say(
        f"Drugs that act on genes that lower it beside {patient.beside}, with what they do to NK "
        f"cells: {_named(drugs)}."
    )
    if patient.shared_drugs:
        say(
            f"Nearly all samples of the cohort have {', '.join(patient.shared_drugs)} there: they "
            "say nothing about this one alone."
        )
    if len(patient.drugs_below):
        say(f"Below the line: {', '.join(patient.drugs_below['drug'])}.")
    for warning in patient.provenance.warnings:
        say(f"Note: {warning}")


def _as_json(patient: Patient) -> dict[str, object]:
    return {
        "sample": patient.name,
        "simulated": patient.simulated,
        "compared_with": patient.compared_with,
        "genes_and_drugs_beside": patient.beside,
        "caution": patient.caution,
        "rank": patient.rank,
        "scores": patient.row.to_dict(),
        "axes": patient.axes.rename_axis("axis").reset_index().to_dict("records"),
        "synapse": patient.synapse.to_dict("records"),
        "genes": patient.genes.to_dict("records"),
        "knockouts": patient.knockouts.to_dict("records"),
        "shared_drugs": list(patient.shared_drugs),
        "drugs_above_the_line": patient.drugs.to_dict("records"),
        "drugs_below_the_line": patient.drugs_below.to_dict("records"),
        "provenance": patient.provenance.to_json(),
    }


def _whole(value: float) -> str:
    return "–" if value != value else f"{value:.0f}"


def _named(drugs: list[str]) -> str:
    return ", ".join(drugs) or "none found"
