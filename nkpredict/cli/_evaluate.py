"""nkpredict evaluate."""

from __future__ import annotations

from nkpredict.cli._console import JsonFile, Quiet, say, stages, write_json_file
from nkpredict.cli._train import (
    Annotations,
    Direction,
    DropUnmatched,
    Expression,
    GeneSets,
    Genetics,
    Jobs,
    LineageColumn,
    Peers,
    Repeats,
    Response,
    SampleSheet,
    ScreenMeta,
    Screens,
    Seed,
    Spec,
    Target,
    Trials,
    default_jobs,
    print_performance,
)


def evaluate(
    expression: Expression,
    response: Response,
    target: Target = None,
    direction: Direction = None,
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
    drop_unmatched: DropUnmatched = False,
    seed: Seed = None,
    jobs: Jobs = None,
    json_file: JsonFile = None,
    quiet: Quiet = False,
) -> None:
    """Evaluate a recipe by nested cross-validation, without registering anything.

    Example:

        nkpredict evaluate --expression expr.csv --response viability.txt --peers
    """
    from nkpredict.evaluate import Tuning, nested_cross_validate
    from nkpredict.training import InputFiles, read_inputs, read_spec

    files = InputFiles(
        expression=expression,
        response=response,
        target=target,
        direction=direction,
        obs=obs,
        genetics=genetics,
        lineage_column=lineage_column,
        drop_unmatched=drop_unmatched,
        screens=tuple(screens or ()),
        screen_meta=screen_meta,
        sample_sheet=sample_sheet,
        gene_sets=gene_sets,
    )
    inputs = read_inputs(files)
    panel, recipe = inputs.panel, read_spec(spec)
    model = recipe.model(inputs.evidence, seed, inputs.modules)
    say("\n".join(inputs.sentences()), quiet)
    with stages(quiet) as progress:
        cross_validation = nested_cross_validate(
            model,
            panel,
            "susceptibility",
            "lineage" if "lineage" in panel.obs else None,
            tuning=Tuning(recipe.search_space, recipe.trials if trials is None else trials),
            folds=recipe.folds,
            repeats=recipe.repeats if repeats is None else repeats,
            peers=peers,
            n_jobs=default_jobs() if jobs is None else jobs,
            random_state=model.random_state,
            progress=lambda done, total, split: progress("evaluating", done, total),
        )
    coverage = cross_validation.interval_coverage()
    write_json_file(
        json_file,
        {
            "performance": cross_validation.summary.to_dict("records"),
            "interval_coverage": coverage.to_dict(),
            "notes": cross_validation.notes,
            "simulated": inputs.simulated,
            "provenance": inputs.provenance,
        },
    )
    if not quiet:
        print_performance(cross_validation, inputs.simulated)
        for note in cross_validation.notes:
            say(f"Note: {note}")
        shares = ", ".join(f"{split} {share:.0%}" for split, share in coverage.items())
        say(f"90 % intervals hold the measured value for: {shares}")
