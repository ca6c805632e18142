"""Compare recipes of the model (which learners, which penalty) on the choice half of the tasks.

What decided that the default model is one ridge, to be measured again whenever a learner changes:
each recipe is a whole model, fitted as a user would, on the folds of the benchmark. Fits are stored
under --out and found again. With --shipped, recipes meet two SIMULATED responses planted on the
patients that ship with the package: seconds, and no measurement of anything.

Example
-------
python -m experiments.benchmark.blends --data ../my-data --repeats 2
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.benchmark.peers import PEERS, Peer, PeerSetting
from experiments.benchmark.run import add_run_options, run_as_asked
from experiments.benchmark.summary import against_best_peer, score_tasks
from experiments.benchmark.tasks import CHOICE_DRUGS, BenchmarkTask, drug_tasks, planted_task
from experiments.console import print_table
from nkpredict.datasets import chiaretti_all
from nkpredict.errors import NKPredictError
from nkpredict.evaluate import OUR_MODEL
from nkpredict.features import Profiles
from nkpredict.learn import (
    EvidenceBoosting,
    EvidenceRidge,
    GeneLearner,
    NKSusceptibilityModel,
    PartialLeastSquares,
)

DEFAULT = "ridge (default)"
_CHOSEN = tuple(np.logspace(-1.5, 1.5, 13))
RECIPES: dict[str, Callable[[], list[GeneLearner]]] = {
    DEFAULT: lambda: [EvidenceRidge()],
    "ridge of chosen penalty": lambda: [EvidenceRidge(penalties=_CHOSEN)],
    "ridge, penalty 3 times as large": lambda: [EvidenceRidge(penalties=(3.0,))],
    "plain ridge": lambda: [EvidenceRidge(powers=())],
    "PLS": lambda: [PartialLeastSquares()],
    "trees": lambda: [EvidenceBoosting()],
    "ridge and trees": lambda: [EvidenceRidge(), EvidenceBoosting()],
    "ridge and PLS": lambda: [EvidenceRidge(), PartialLeastSquares()],
    "ridge, trees and PLS": lambda: [EvidenceRidge(), EvidenceBoosting(), PartialLeastSquares()],
}
"""Name → the learners; a further recipe is one line. Learners start with their prior weights."""

_SHIPPED_GENES = 300


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path, help="holds expression/ and response/")
    source.add_argument("--shipped", action="store_true", help="SIMULATED, in seconds")
    parser.add_argument("--drugs", nargs="+", default=list(CHOICE_DRUGS))
    parser.add_argument("--recipes", nargs="+", default=list(RECIPES), choices=RECIPES)
    add_run_options(parser, out=Path("runs/blends"), repeats=1, jobs=1)
    options = parser.parse_args(arguments)
    try:
        tasks = shipped_tasks() if options.shipped else drug_tasks(options.data, options.drugs)
        run = run_as_asked(tasks, {name: peer_of(name) for name in options.recipes}, options)
    except NKPredictError as error:
        print(f"blends: {error}", file=sys.stderr)
        return 2
    show(score_tasks(standardised(run.predictions)), run.fits)
    for failure in run.failures.itertuples():
        print(f"{failure.entrant} failed on {failure.task}: {failure.reason}", file=sys.stderr)
    return 0


def peer_of(recipe: str) -> Peer:
    """Build a model of these learners, as the benchmark takes it."""

    def build(setting: PeerSetting) -> NKSusceptibilityModel:
        return NKSusceptibilityModel(
            setting.evidence, random_state=setting.random_state, learners=RECIPES[recipe]()
        )

    sources = (Path(__file__), *PEERS[OUR_MODEL].sources)
    return Peer(build, sources=sources)


def shipped_tasks() -> list[BenchmarkTask]:
    """Plant two SIMULATED responses on a few genes of the patients that ship with the package."""
    patients = chiaretti_all()
    profiles = Profiles.of(patients).frame()
    lineage = patients.obs["BT"].astype(str).str[:1].to_numpy(dtype=object)
    varying = profiles.std().sort_values(ascending=False, kind="stable").index[:_SHIPPED_GENES]
    few = profiles[sorted(varying)]
    settings = {"drivers": 10, "nk_drivers": 2}
    return [planted_task(few, lineage, "additive", seed, **settings) for seed in range(2)]


def standardised(predictions: pd.DataFrame) -> pd.DataFrame:
    """Bring each response to the standard deviation 1, so that errors can be averaged."""
    spread = predictions.groupby("task")["observed"].transform("std")
    return predictions.assign(
        observed=predictions["observed"] / spread, predicted=predictions["predicted"] / spread
    )


def show(scores: pd.DataFrame, fits: pd.DataFrame) -> None:
    """Print each recipe's means over tasks, and its difference from the default one."""
    for place, part in scores.groupby(["family", "split", "size"], sort=False):
        family, split, size = map(str, place)
        named = f"{family}, {split}" + (f", {size} samples" if size != "0" else "")
        rows = []
        for recipe, own in part.groupby("entrant", sort=False):
            compared = against_best_peer(part, str(recipe), [DEFAULT])
            pooled = compared[compared["measure"] == "spearman"]
            change = "".join(
                f"{one.difference:+.3f} ({one.lower:+.3f} to {one.upper:+.3f})"
                for one in pooled.itertuples()
            )
            chosen = fits[(fits["entrant"] == recipe) & (fits["split"] == split)]
            rows.append(
                [
                    recipe,
                    float(own["spearman"].mean()),
                    float(own["spearman_within_folds"].mean()),
                    float(own["rmse"].mean()),
                    "reference" if recipe == DEFAULT else change,
                    float(chosen["seconds"].mean()),
                ]
            )
        columns = ["recipe", "Spearman", "within folds", "RMSE / SD", "minus default", "s per fit"]
        print_table(f"{named}, {part['task'].nunique()} responses", columns, rows)


if __name__ == "__main__":
    sys.exit(main())
