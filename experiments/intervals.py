"""Measure prediction intervals on drug responses of cell lines that a model had not seen.

Beside the intervals of the model stand the quantiles of the response, which know no profile, and
one width for all samples. Fits are kept under --out: ways to make intervals are compared without
another fit. Delete the folder when the model has changed.

Example
-------
python -m experiments.intervals --data ../my-data
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.benchmark.tasks import DRUGS, GDSC1_DRUGS, BenchmarkTask, drug_tasks
from experiments.console import print_table, progress_bars
from nkpredict import NKSusceptibilityModel
from nkpredict.evaluate import SPLITS, Fold, make_folds
from nkpredict.learn import HeldOutIntervals, fit_warnings_ignored

COVERAGE = 0.9
CHOSEN_ON = 12
"""Drugs of the second file on which the method was chosen; the others are told apart."""


@dataclass(frozen=True)
class Fit:
    """What one fit knows of its own samples, and its predictions of the samples held out."""

    observed: np.ndarray
    predicted: np.ndarray
    test_observed: np.ndarray
    test_predicted: np.ndarray
    test_lineage: np.ndarray


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="holds expression/ and response/")
    parser.add_argument("--out", type=Path, default=Path("runs/intervals"), help="stored fits")
    options = parser.parse_args()
    tables = []
    with progress_bars() as progress:
        for name, tasks in sets_of(options.data).items():
            jobs = [(task, split) for task in tasks for split in SPLITS]
            for done, (task, split) in enumerate(jobs, start=1):
                fits = list(fits_of(task, split, options.out))
                for method, ends in METHODS.items():
                    table = judged(fits, ends, float(task.target.std()))
                    where = {"responses": name, "drug": task.name, "split": split}
                    tables.append(table.assign(method=method, **where))
                progress(name, done, len(jobs))
    summary = summarise(pd.concat(tables, ignore_index=True))
    rows = [[*keys, *row] for keys, row in zip(summary.index, summary.to_numpy(), strict=True)]
    print_table("90 % intervals", [*summary.index.names, *summary.columns], rows)


def sets_of(data: Path) -> dict[str, list[BenchmarkTask]]:
    """Return the tasks by what they stand for."""
    first, second = (drug_tasks(data, drugs) for drugs in (DRUGS, GDSC1_DRUGS))
    return {
        "GDSC2 AUC": first,
        "GDSC1 ln IC50, chosen on": second[:CHOSEN_ON],
        "GDSC1 ln IC50, others": second[CHOSEN_ON:],
    }


def fits_of(task: BenchmarkTask, split: str, folder: Path) -> Iterator[Fit]:
    """Fit each fold once; what was stored is read."""
    for fold in make_folds(split, len(task.target), task.lineage):
        path = folder / f"{task.name}-{split}-{fold.number}.npz"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            stopped = path.with_name(f"{path.stem}-{os.getpid()}.npz")
            np.savez(stopped, **fitted(task, fold))
            stopped.replace(path)
        with np.load(path, allow_pickle=False) as stored:
            yield Fit(**stored)


def fitted(task: BenchmarkTask, fold: Fold) -> dict[str, np.ndarray]:
    """Fit one fold as the package's own evaluation does."""
    lineage = task.lineage.astype(str)
    groups = None if fold.split == SPLITS[0] else lineage[fold.train]
    with fit_warnings_ignored():
        model = NKSusceptibilityModel().fit(
            task.profiles.iloc[fold.train], task.target[fold.train], groups=groups
        )
    return {
        "observed": model.held_out_["observed"].to_numpy(),
        "predicted": model.held_out_["predicted"].to_numpy(),
        "test_observed": task.target[fold.test],
        "test_predicted": model.predict(task.profiles.iloc[fold.test]),
        "test_lineage": lineage[fold.test],
    }


def conditional(fit: Fit) -> np.ndarray:
    """Return the intervals of the model."""
    known = HeldOutIntervals(fit.observed, fit.predicted)
    return known.ends(fit.test_predicted, np.zeros(len(fit.test_predicted)), COVERAGE)


def own_quantiles(fit: Fit) -> np.ndarray:
    """Return the quantiles of the training responses, the same for every sample."""
    ends = np.quantile(fit.observed, [0.5 - COVERAGE / 2, 0.5 + COVERAGE / 2])
    return np.tile(ends, (len(fit.test_predicted), 1))


def one_width(fit: Fit) -> np.ndarray:
    """Return symmetric intervals of one width, by the absolute held-out errors."""
    errors = np.sort(np.abs(fit.observed - fit.predicted))
    width = errors[int(np.ceil((len(errors) + 1) * COVERAGE)) - 1]
    return fit.test_predicted[:, None] + width * np.array([-1.0, 1.0])


METHODS: dict[str, Callable[[Fit], np.ndarray]] = {
    "of the model": conditional,
    "own quantiles": own_quantiles,
    "one width": one_width,
}


def judged(fits: list[Fit], ends: Callable[[Fit], np.ndarray], deviation: float) -> pd.DataFrame:
    """Return one row a sample: the interval score of Winkler (1972) and width in SD, covered."""
    parts = []
    for fit in fits:
        (lower, upper), seen = ends(fit).T, fit.test_observed
        missed = np.maximum(lower - seen, 0) + np.maximum(seen - upper, 0)
        parts.append(
            pd.DataFrame(
                {
                    "score": (upper - lower + 2 / (1 - COVERAGE) * missed) / deviation,
                    "width": (upper - lower) / deviation,
                    "covered": missed == 0,
                    "lineage": fit.test_lineage,
                    "observed": seen,
                }
            )
        )
    table = pd.concat(parts, ignore_index=True)
    table["sensitive"] = table["observed"].rank(pct=True) > 2 / 3
    return table


def summarise(table: pd.DataFrame) -> pd.DataFrame:
    """Return the mean over drugs for each set of responses, split and method."""
    keys = ["responses", "split", "method"]
    by_drug = table.groupby([*keys, "drug"], sort=False)
    means = by_drug[["score", "width", "covered"]].mean().groupby(keys, sort=False).mean()
    sensitive = table[table["sensitive"]].groupby([*keys, "drug"], sort=False)["covered"].mean()
    lineage = table.groupby([*keys, "lineage"], sort=False)["covered"].mean()
    return means.assign(
        sensitive_third=sensitive.groupby(keys, sort=False).mean(),
        lineages_above_85=(lineage >= 0.85).groupby(keys, sort=False).mean(),
        worst_lineage=lineage.groupby(keys, sort=False).min(),
    )


if __name__ == "__main__":
    main()
