"""nkpredict inspect."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nkpredict.cli._console import JsonFile, Quiet, print_table, say, write_json_file
from nkpredict.cli._options import with_options
from nkpredict.cli._verdict import say_verdict
from nkpredict.configuration import ReadingSettings, RegistryLocation, Setting

if TYPE_CHECKING:
    from nkpredict.facts import InspectionFacts, PlatformFacts

_WIDTH = 80


@with_options
def inspect(
    profiles: Annotated[
        Path, typer.Argument(metavar="PROFILES", help="File or folder of profiles.")
    ],
    settings: ReadingSettings,
    model: Annotated[
        str | None,
        Setting("Model to compare with (default: as for score).", "NAME@ALIAS|NAME/N|DIR"),
    ] = None,
    registry: RegistryLocation = None,
    json_file: JsonFile = None,
    quiet: Quiet = False,
) -> None:
    """Tell what would be read in a file and whether a model would score it.

    Ends with code 2 when it would be refused.

    Example:

        nkpredict inspect patients.csv --model nk-heme@champion
    """
    from nkpredict.io import ReadingOptions
    from nkpredict.scoring import inspect_profiles

    found = inspect_profiles(
        profiles, model, registry=registry, options=ReadingOptions(**vars(settings))
    )
    write_json_file(json_file, found.to_json())
    if not quiet:
        if found.usable is not None:
            say_verdict(found.usable)
        print_table(f"What is in {profiles.name}", ["what", "found"], _rows(found), _WIDTH)
        for remark in () if found.expression is None else found.expression.remarks():
            say(f"Note: {remark}")
        say(found.verdict)
    if not found.scored:
        raise typer.Exit(2)


def _platforms(platform: PlatformFacts) -> list[list[str]]:
    told = "; ".join(f"{name}: {count:,}" for name, count in platform.profiles.items())
    return [
        ["platform of the profiles", told],
        ["platform of the model", "; ".join(platform.model) or "unknown"],
    ]


def _rows(found: InspectionFacts) -> list[list[str]]:
    rows = []
    if (read := found.expression) is not None:
        matrix = f", {read.values_from}" if read.values_from else ""
        rows = [
            ["format", f"{read.format}{matrix}"],
            ["orientation", read.orientation],
            ["samples", f"{read.samples:,} ({'single cells' if read.single_cells else 'bulk'})"],
            ["genes", f"{read.genes:,} of {read.genes_in_file:,} rows or columns"],
            ["identifiers", read.identifiers],
            ["unit", read.unit_words],
            ["transformed by", read.transform],
            ["missing values", f"{read.missing_values:,}"],
            ["duplicates", f"{read.genes_duplicated_collapsed + read.genes_merged:,} genes merged"],
            ["set aside", f"{len(read.annotation_set_aside) + read.summary_rows_set_aside:,}"],
        ]
    if (model := found.model) is not None:
        low, high = model.least_weight_coverage, model.most_weight_coverage
        what = "evidence" if model.knowledge_only else "weight"
        share = f"{low:.0%}" if f"{low:.0%}" == f"{high:.0%}" else f"{low:.0%} to {high:.0%}"
        rows += [
            ["model", model.name],
            ["genes of the model", f"{model.genes_found:,} of {model.genes_in_model:,}"],
            [f"{what} of the model", share],
            *([] if found.platform is None else _platforms(found.platform)),
        ]
    rows.append(["would be scored", "yes" if found.scored else "no"])
    return rows
