"""nkpredict train."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nkpredict.cli._console import (
    JsonFile,
    Quiet,
    RegistryLocation,
    print_table,
    say,
    stages,
    write_json_file,
)

if TYPE_CHECKING:
    from nkpredict.facts import CurveErrorFacts

Expression = Annotated[
    Path, typer.Option(metavar="FILE", help="Expression matrix: CSV, TSV, Parquet or h5ad.")
]
Response = Annotated[
    Path, typer.Option(metavar="FILE", help="PRISM viability file, or a table sample,value.")
]
Target = Annotated[
    str | None, typer.Option(metavar="COLUMN", help="Response column of a table with several.")
]
Direction = Annotated[
    str | None,
    typer.Option(
        metavar="DIRECTION",
        help="What the values of a table mean: lower-is-sensitive or higher-is-sensitive.",
    ),
]
Replicates = Annotated[
    Path | None, typer.Option(metavar="FILE", help="PRISM biological replicates, for the ceiling.")
]
Annotations = Annotated[
    Path | None, typer.Option("--obs", metavar="FILE", help="Table of sample annotations.")
]
LineageColumn = Annotated[
    str, typer.Option(metavar="COLUMN", help="Annotation column with the lineage.")
]
Screens = Annotated[
    list[Path] | None,
    typer.Option("--screens", metavar="FILE", help="CRISPR screen table; may be repeated."),
]
ScreenMeta = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Table or YAML that describes the screens.")
]
SampleSheet = Annotated[
    Path | None,
    typer.Option(
        "--sample-sheet", metavar="FILE", help="For counts: sample, role (NK or control), ..."
    ),
]
GeneSets = Annotated[
    Path | None,
    typer.Option(metavar="FILE|nk", help="GMT file of pathways to score as features, or nk."),
]
Spec = Annotated[str, typer.Option(metavar="NAME|FILE", help="Recipe of the model.")]
Trials = Annotated[
    int | None,
    typer.Option(metavar="N", help="Optuna trials in each fold (default: the recipe's)."),
]
Repeats = Annotated[int | None, typer.Option(metavar="N", help="Repetitions of the random split.")]
Peers = Annotated[bool, typer.Option("--peers", help="Also evaluate RidgeCV and default LightGBM.")]
Curves = Annotated[bool, typer.Option("--curves", help="Also predict viability at each E:T ratio.")]
DropUnmatched = Annotated[
    bool, typer.Option("--drop-unmatched", help="Leave out responses without expression.")
]
Genetics = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Mutations, copy numbers: samples x features."),
]
Seed = Annotated[int | None, typer.Option(metavar="N", help="Random seed (default: the recipe's).")]
Jobs = Annotated[
    int | None, typer.Option(metavar="N", help="Processes (default: all cores); same results.")
]


def train(
    expression: Expression,
    response: Response,
    name: Annotated[str, typer.Option(metavar="NAME", help="Name to register the model under.")],
    target: Target = None,
    direction: Direction = None,
    replicates: Replicates = None,
    obs: Annotations = None,
    genetics: Genetics = None,
    lineage_column: LineageColumn = "lineage",
    screens: Screens = None,
    screen_meta: ScreenMeta = None,
    sample_sheet: SampleSheet = None,
    gene_sets: GeneSets = None,
    spec: Spec = "nk-susceptibility",
    trials: Trials = None,
    repeats: Repeats = None,
    peers: Peers = False,
    curves: Curves = False,
    drop_unmatched: DropUnmatched = False,
    seed: Seed = None,
    jobs: Jobs = None,
    run_folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of the run (default: runs/NAME).")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a stopped run.")] = False,
    registry: RegistryLocation = None,
    json_file: JsonFile = None,
    quiet: Quiet = False,
) -> None:
    """Train, evaluate and register a model.

    Example:

        nkpredict train --expression expr.csv --response viability.txt --name nk-heme
    """
    from nkpredict.training import TrainingConfig
    from nkpredict.training import train as run_training

    config = TrainingConfig(
        expression=expression,
        response=response,
        name=name,
        replicates=replicates,
        obs=obs,
        genetics=genetics,
        target=target,
        direction=direction,
        lineage_column=lineage_column,
        drop_unmatched=drop_unmatched,
        screens=tuple(screens or ()),
        screen_meta=screen_meta,
        sample_sheet=sample_sheet,
        gene_sets=gene_sets,
        spec=spec,
        trials=trials,
        repeats=repeats,
        peers=peers,
        curves=curves,
        random_state=seed,
        run_folder=run_folder,
        registry=registry,
        jobs=default_jobs() if jobs is None else jobs,
    )
    with stages(quiet) as progress:
        run = run_training(
            config,
            resume=resume,
            progress=progress,
            found=lambda sentences: say("\n".join(sentences), quiet),
        )
    trained_curves = run.bundle.metadata.curves
    write_json_file(
        json_file,
        {
            "registered": run.registered,
            "folder": run.folder,
            "simulated": run.bundle.simulated,
            "performance": run.cross_validation.summary.to_dict("records"),
            "curves": None if trained_curves is None else trained_curves.to_json(),
            "warnings": run.warnings,
        },
    )
    if not quiet:
        print_performance(run.cross_validation, run.bundle.simulated)
        if trained_curves is not None:
            print_curve_errors(trained_curves.errors, run.bundle.simulated)
        for warning in run.warnings:
            say(f"Warning: {warning}")
        say(f"Registered {run.registered}; figures, predictions and bundle in {run.folder}")


def print_performance(cross_validation: Any, simulated: bool) -> None:
    """Print Spearman on unseen samples by model, both splits side by side."""
    table = cross_validation.table()
    mark = " (SIMULATED data)" if simulated else ""
    names = table.columns.str.replace(", within lineage", " (within)", regex=False)
    rows = [[str(m), *map(float, r)] for m, r in zip(table.index, table.to_numpy(), strict=True)]
    print_table(f"Spearman on unseen samples{mark}", ["model", *names], rows)
    if len(table.columns) > 2:
        print("(within): mean of the correlations inside each lineage")


def print_curve_errors(errors: CurveErrorFacts, simulated: bool) -> None:
    """Print how far predicted killing curves are from samples held out at random."""
    mark = " (SIMULATED data)" if simulated else ""
    rows = [
        [f"{ratio:g}", f"{ours:.1f}", f"{mean:.1f}"]
        for ratio, ours, mean in zip(errors.ratio, errors.rmse, errors.rmse_mean_curve, strict=True)
    ]
    print_table(
        f"Error of the viability predicted for unseen samples, in % (root mean square){mark}",
        ["E:T ratio", "killing curve", "mean of the training samples"],
        rows,
    )


def default_jobs() -> int:
    """Return the number of cores this process may use."""
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
