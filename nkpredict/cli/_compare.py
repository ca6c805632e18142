"""nkpredict compare."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nkpredict.cli._console import JsonFile, Quiet, print_table, say, stages, write_json_file
from nkpredict.cli._options import with_options
from nkpredict.configuration import RegistryLocation, Setting

if TYPE_CHECKING:
    from nkpredict.comparison import CohortComparison

_GENES_SHOWN = 10


@dataclass(frozen=True, kw_only=True)
class CompareSettings:
    """With what to compare, and what is known about the samples; see `nkpredict.compare`."""

    model: Annotated[
        str | None,
        Setting(
            "Registered model or the folder of a bundle (default: as for score; for results the "
            "model that made them).",
            "NAME@ALIAS|NAME/N|DIR",
        ),
    ] = None
    lineage: Annotated[
        str | None,
        Setting("Column with the lineage: lineages are compared each by itself too.", "COLUMN"),
    ] = None
    obs_a: Annotated[
        Path | None, Setting("Table of the samples of A, first column their names.", "FILE")
    ] = None
    obs_b: Annotated[Path | None, Setting("The same for B.", "FILE")] = None
    name_a: Annotated[str | None, Setting("What to call A (default: its file).", "NAME")] = None
    name_b: Annotated[str | None, Setting("What to call B.", "NAME")] = None
    force: Annotated[bool, Setting("Compare what would be refused, and mark it.")] = False
    registry: RegistryLocation = None


@with_options
def compare(
    a: Annotated[
        str, typer.Argument(metavar="A", help="Profiles, or the folder of scored results.")
    ],
    b: Annotated[
        str,
        typer.Argument(
            metavar="B",
            help="The same, or reference (of the model), or chiaretti-all (which ships).",
        ),
    ],
    settings: CompareSettings,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for tables and figures.")
    ] = None,
    json_file: JsonFile = None,
    quiet: Quiet = False,
) -> None:
    """Compare two cohorts, or a cohort with a reference, on the scale of one model.

    Example:

        nkpredict compare patients.csv reference --model nk-heme@champion --out compared
    """
    from nkpredict.comparison import compare as compare_cohorts

    with stages(quiet) as progress:
        progress("comparing", 0, 1)
        found = compare_cohorts(
            a,
            b,
            settings.model,
            registry=settings.registry,
            lineage=settings.lineage,
            obs=(settings.obs_a, settings.obs_b),
            names=(settings.name_a, settings.name_b),
            force=settings.force,
        )
        progress("comparing", 1, 1)
    if out is not None:
        found.save(out)
    write_json_file(json_file, found.facts.to_json())
    if not quiet:
        _print(found)
        if out is not None:
            say(f"Tables and figures: {out}")


def _print(found: CohortComparison) -> None:
    verdict, *rest = found.sentences()
    say(verdict)
    for reason in rest[: len(found.facts.reasons)]:
        say(f"Note: {reason}")
    mark = " (SIMULATED data)" if found.simulated else ""
    rows = [
        [
            row.stratum,
            f"{row.samples_a} | {row.samples_b}",
            float(row.median_a),
            float(row.median_b),
            f"{row.superiority:.2f} ({row.superiority_lower:.2f}-{row.superiority_upper:.2f})",
            f"{row.p:.2g}",
        ]
        for row in found.facts.differences
    ]
    columns = ["samples of", "A | B", "median A", "median B", "P(A > B)", "p"]
    print_table(f"Scores of the cohorts{mark}", columns, rows)
    genes = found.genes.head(_GENES_SHOWN)
    print_table(
        "Genes that make the difference",
        ["gene", "mean A", "mean B", "difference", "95 % interval", "FDR"],
        [
            [
                str(row["gene"]),
                *(float(row[name]) for name in ("mean_a", "mean_b", "difference")),
                f"{row['lower']:.3f} to {row['upper']:.3f}",
                f"{row['fdr']:.2g}",
            ]
            for row in genes.to_dict("records")
        ],
    )
    for sentence in rest[len(found.facts.reasons) :]:
        say(sentence)
