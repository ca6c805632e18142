"""nkpredict demo."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nkpredict.cli._console import JsonFile, Quiet, say, stages, write_json_file

if TYPE_CHECKING:
    from nkpredict.learn import GeneModel

_NAME = "demo-simulated"
_MARK = "SIMULATED_DEMO.txt"
_TOP = 50


def demo(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for everything.")],
    seed: Annotated[int, typer.Option(metavar="N", help="Random seed.")] = 0,
    json_file: JsonFile = None,
    quiet: Quiet = False,
) -> None:
    """Walk the whole way once on a simulated study: train, register, score, explain.

    Example:

        nkpredict demo --out demo
    """
    from nkpredict.cli._score import print_scores
    from nkpredict.cli._train import print_curve_errors, print_performance
    from nkpredict.explain import explain_scores
    from nkpredict.report import write_results
    from nkpredict.scoring import score
    from nkpredict.simulate import simulate_study
    from nkpredict.training import TrainingConfig, train

    _prepare(out)
    study = simulate_study(out / "study", random_state=seed)
    config = TrainingConfig(
        expression=study.expression,
        response=study.viability,
        replicates=study.replicates,
        obs=study.lines,
        screens=(study.screens,),
        name=_NAME,
        curves=True,
        random_state=seed,
        run_folder=out / "run",
        registry=str(out / "registry"),
    )
    with stages(quiet) as progress:
        run = train(config, progress=progress, found=lambda said: say("\n".join(said), quiet))
        progress("scoring", 0, 1)
        scores = explain_scores(
            score(study.patients, f"{_NAME}@champion", registry=out / "registry")
        )
        write_results(scores, out / "results")
        progress("scoring", 1, 1)
    truth = json.loads(study.truth.read_text(encoding="utf-8"))
    recovery = _recovery(run.bundle.model, scores.table, truth)
    performance = run.cross_validation.summary.to_dict("records")
    write_json_file(
        json_file, {"simulated": True, "recovery": recovery, "performance": performance}
    )
    if quiet:
        return
    print_performance(run.cross_validation, simulated=True)
    if (curves := run.bundle.metadata.curves) is not None:
        print_curve_errors(curves.errors, simulated=True)
    print_scores(scores)
    _print_recovery(recovery)
    say(
        "\nEverything above is SIMULATED and says nothing about patients. Look next at\n"
        f"  {out / 'results' / 'report.html'}    the report a clinician would open\n"
        f"  {out / 'run' / 'figures'}    performance beside naive baselines\n"
        f"  nkpredict models show {_NAME} --registry {out / 'registry'}\n"
        f"  nkpredict score {study.patients} \\\n"
        f"    --model {_NAME}@champion --registry {out / 'registry'} --out again"
    )


def _print_recovery(recovery: dict[str, int | float]) -> None:
    say(
        f"\nPlanted drivers among the {_TOP} genes of strongest effect: "
        f"{recovery['drivers_found']} of {recovery['drivers']} (by chance "
        f"{recovery['expected_by_chance']:.1f}); of those no screen knew: "
        f"{recovery['unknown_found']} of {recovery['unknown']}; decoys of the screens: "
        f"{recovery['decoys_found']} of {recovery['decoys']}.\n"
        f"Patients: Spearman of score and true susceptibility {recovery['patients_spearman']:.2f}."
    )


def _prepare(out: Path) -> None:
    from nkpredict.errors import InputError
    from nkpredict.io import write_text

    if out.is_file() or (out.exists() and any(out.iterdir()) and not (out / _MARK).is_file()):
        raise InputError(f"{out} holds other files; name a new folder for the demo.")
    if out.exists():
        shutil.rmtree(out)
    write_text(out / _MARK, "SIMULATED: everything in this folder derives from simulated data.\n")


def _recovery(model: GeneModel, table: Any, truth: dict[str, Any]) -> dict[str, int | float]:
    import numpy as np
    import pandas as pd

    from nkpredict.evaluate import spearman

    strength = pd.Series(np.abs(model.effect_), index=model.feature_names_in_)
    top = set(strength.nlargest(_TOP).index)
    drivers = truth["drivers"]
    unknown = {gene for gene, planted in drivers.items() if not planted["known"]}
    true = pd.Series({k: v["susceptibility"] for k, v in truth["patients"].items()})
    return {
        "drivers": len(drivers),
        "drivers_found": len(top & set(drivers)),
        "expected_by_chance": len(drivers) * _TOP / len(strength),
        "unknown": len(unknown),
        "unknown_found": len(top & unknown),
        "decoys": len(truth["decoys"]),
        "decoys_found": len(top & set(truth["decoys"])),
        "patients_spearman": spearman(
            table["susceptibility"].to_numpy(), true[table.index].to_numpy()
        ),
    }
