"""nkpredict evaluate."""

from __future__ import annotations

from nkpredict.cli._console import JsonFile, Quiet, say, stages, write_json_file
from nkpredict.cli._options import with_options
from nkpredict.cli._train import print_performance
from nkpredict.configuration import EvaluationSettings


@with_options
def evaluate(
    settings: EvaluationSettings, json_file: JsonFile = None, quiet: Quiet = False
) -> None:
    """Evaluate a recipe by nested cross-validation, without registering anything.

    Example:

        nkpredict evaluate --expression expr.csv --response viability.txt --peers
    """
    from nkpredict.evaluate import Tuning, nested_cross_validate
    from nkpredict.training import read_inputs, read_spec

    inputs, recipe = read_inputs(settings), read_spec(settings.spec)
    panel = inputs.panel
    model = recipe.model(inputs.evidence, settings.random_state, inputs.modules, inputs.precision)
    say("\n".join(inputs.sentences()), quiet)
    with stages(quiet) as progress:
        cross_validation = nested_cross_validate(
            model,
            panel,
            "susceptibility",
            "lineage" if "lineage" in panel.obs else None,
            tuning=Tuning(
                recipe.search_space,
                recipe.trials if settings.trials is None else settings.trials,
            ),
            folds=recipe.folds,
            repeats=recipe.repeats if settings.repeats is None else settings.repeats,
            peers=settings.peers,
            n_jobs=settings.jobs,
            random_state=model.random_state,
            progress=progress,
        )
    coverage = cross_validation.interval_coverage()
    write_json_file(
        json_file,
        {
            "performance": cross_validation.summary.to_dict("records"),
            "interval_coverage": coverage.to_dict(),
            "notes": cross_validation.notes,
            "simulated": inputs.simulated,
            "provenance": inputs.provenance.to_json(),
        },
    )
    if not quiet:
        print_performance(cross_validation, inputs.simulated)
        for note in cross_validation.notes:
            say(f"Note: {note}")
        shares = ", ".join(f"{split} {share:.0%}" for split, share in coverage.items())
        say(f"90 % intervals hold the measured value for: {shares}")
