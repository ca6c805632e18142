"""nkpredict train."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from nkpredict.cli._console import JsonFile, Quiet, print_table, say, stages, write_json_file
from nkpredict.cli._options import with_options
from nkpredict.configuration import TrainingSettings

if TYPE_CHECKING:
    from nkpredict.facts import CurveErrorFacts


@with_options
def train(
    settings: TrainingSettings,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a stopped run.")] = False,
    worker: Annotated[
        bool, typer.Option("--worker", help="Only do trials of the run in --storage.")
    ] = False,
    json_file: JsonFile = None,
    quiet: Quiet = False,
) -> None:
    """Train, evaluate and register a model.

    Example:

        nkpredict train --expression expr.csv --response viability.txt --name nk-heme
    """
    from nkpredict.training import TrainingConfig, help_train
    from nkpredict.training import train as run_training

    config = TrainingConfig(**vars(settings))
    if worker:
        help_train(config, found=lambda sentences: say("\n".join(sentences), quiet))
        say("All trials are finished; the run itself goes on where it was started.", quiet)
        return
    try:
        with stages(quiet) as progress:
            run = run_training(
                config,
                resume=resume,
                progress=progress,
                found=lambda sentences: say("\n".join(sentences), quiet),
            )
    except KeyboardInterrupt:
        typer.echo(
            f"Stopped. What was finished is kept in {config.folder}; the same command with "
            "--resume goes on from there.",
            err=True,
        )
        raise typer.Exit(130) from None
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
