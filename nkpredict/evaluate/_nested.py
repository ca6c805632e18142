"""Nested cross-validation: everything that learns, tuning included, stays inside the fold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from nkpredict.errors import InputError
from nkpredict.evaluate._baselines import generic_learners, naive_baselines
from nkpredict.evaluate._fold import (
    Samples,
    fit_predict,
    learns_within_groups,
    predict_limits,
    read_samples,
)
from nkpredict.evaluate._metrics import summarise
from nkpredict.evaluate._splits import SPLITS, Fold, make_folds
from nkpredict.evaluate._tuning import Tuned, Tuning, help_tune, tune
from nkpredict.features import ProfilesLike
from nkpredict.learn import MINIMUM_SAMPLES, NKSusceptibilityModel, fit_warnings_ignored
from nkpredict.threads import one_thread
from nkpredict.types import Progress

OUR_MODEL = "nkpredict"


@dataclass(frozen=True)
class CrossValidation:
    """Out-of-fold predictions of a model and its baselines on the same folds.

    Attributes
    ----------
    predictions : pandas.DataFrame
        Columns ``split, repeat, fold, model, sample, lineage, observed, predicted, lower, upper``.
    summary : pandas.DataFrame
        One row a split and model; see `summarise`.
    settings : pandas.DataFrame
        Settings chosen by tuning in each fold.
    notes : tuple of str
        What could not be evaluated.
    """

    predictions: pd.DataFrame
    summary: pd.DataFrame
    settings: pd.DataFrame
    notes: tuple[str, ...] = ()

    def table(self) -> pd.DataFrame:
        """Spearman by model, random and lineage-held-out side by side, ours first."""
        wide = self.summary.pivot_table(
            index="model",
            columns="split",
            values=["spearman", "spearman_within_lineage"],
            sort=False,
        )
        columns = {
            f"{split}{suffix}": wide[(value, split)]
            for split in SPLITS
            for value, suffix in (("spearman", ""), ("spearman_within_lineage", ", within lineage"))
            if (value, split) in wide
        }
        return pd.DataFrame(columns).loc[list(self.summary["model"].unique())]

    def interval_coverage(self) -> pd.Series:
        """Share of observed values inside the 90 % interval, for each split with intervals."""
        reported = self.predictions[self.predictions["lower"].notna()]
        inside = reported["observed"].between(reported["lower"], reported["upper"])
        return inside.groupby(reported["split"], sort=False).mean()

    def __repr__(self) -> str:
        """Show the table."""
        return f"CrossValidation\n{self.table().round(3).to_string()}"


def nested_cross_validate(
    model: Any,
    X: ProfilesLike,
    y: Any,
    groups: Any = None,
    *,
    splits: Sequence[str] | None = None,
    folds: int = 5,
    repeats: int = 1,
    peers: bool = False,
    tuning: Tuning | None = None,
    n_jobs: int = 1,
    random_state: int = 0,
    progress: Progress | None = None,
) -> CrossValidation:
    """Evaluate a model on samples it has not seen, beside naive baselines on the same folds.

    Parameters
    ----------
    model
        Unfitted scikit-learn regressor, `NKSusceptibilityModel` or any other; cloned for every
        fold. One that learns within groups gets the lineages as groups, and their offsets are
        added to its predictions. The tables call it by its class, `NKSusceptibilityModel`
        ``"nkpredict"``.
    X
        DataFrame or AnnData of samples × genes.
    y
        Susceptibility, or the name of a column of ``X.obs``.
    groups
        Lineage of each sample, or the name of a column of ``X.obs``; without it only the random
        split is made.
    splits
        ``"random"`` and/or ``"lineage-held-out"``; both by default when there are two lineages.
    folds, repeats
        Folds and repetitions of the random split.
    peers
        Also evaluate scikit-learn's RidgeCV and default LightGBM on all genes.
    tuning
        How to tune the settings of an `NKSusceptibilityModel` inside each fold; see `tune`.
    n_jobs
        Processes; results do not depend on it.
    random_state
        Seed of the random split.
    progress
        Called with what is being done, steps done and steps in all.

    Returns
    -------
    CrossValidation

    Raises
    ------
    InputError
        When there are too few samples to split, a model that learns within groups has none, or
        the model cannot be tuned.
    """
    samples, jobs, notes = _planned(
        model, X, y, groups, splits=splits, folds=folds, repeats=repeats, random_state=random_state
    )
    results = []
    for result in Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_run_fold)(model, samples, fold, peers, tuning) for fold in jobs
    ):
        results.append(result)
        if progress is not None:
            progress("evaluating", len(results), len(jobs))
    predictions = pd.concat([result[0] for result in results], ignore_index=True)
    settings = pd.DataFrame([result[1] for result in results])
    return CrossValidation(predictions, summarise(predictions), settings, notes)


def help_nested(
    model: Any,
    X: ProfilesLike,
    y: Any,
    groups: Any = None,
    *,
    tuning: Tuning,
    splits: Sequence[str] | None = None,
    folds: int = 5,
    repeats: int = 1,
    random_state: int = 0,
) -> bool:
    """Do free trials of every fold of an evaluation that another process makes.

    Parameters
    ----------
    model, X, y, groups, tuning, splits, folds, repeats, random_state
        As the other process gives them to `nested_cross_validate`; ``tuning`` has a shared storage.

    Returns
    -------
    bool
        Whether all trials of all folds are finished.

    Raises
    ------
    InputError
        As `nested_cross_validate`, and as `help_tune`.
    """
    samples, jobs, _ = _planned(
        model, X, y, groups, splits=splits, folds=folds, repeats=repeats, random_state=random_state
    )
    if tuning.shared is None:
        raise InputError(
            "There is no study to take part in; expected --storage, as the other processes of the "
            "run are given it."
        )
    asked: dict[str, Any] = {"space": tuning.space, "trials": tuning.trials}
    with one_thread(), fit_warnings_ignored():
        finished = [
            help_tune(
                model,
                *_training_part(model, samples, fold),
                shared=tuning.shared,
                name=_name_of(fold),
                **asked,
            )
            for fold in jobs
        ]
    return all(finished)


def check_sample_count(samples: int, folds: int) -> None:
    """Check that every training part of a random split is large enough for the model.

    Raises
    ------
    InputError
        When there are too few samples.
    """
    smallest = int(np.ceil(MINIMUM_SAMPLES * folds / (folds - 1)))
    if samples < smallest:
        raise InputError(
            f"Found {samples} samples with a response; expected {smallest} at least to train and "
            f"evaluate in {folds} folds. Add samples."
        )


def check_groups(model: Any, groups: Any) -> None:
    """Check that a model that learns within groups has groups.

    Raises
    ------
    InputError
        When there are none.
    """
    if learns_within_groups(model) and groups is None:
        raise InputError(
            "The model learns within lineages, and the samples have none; expected a lineage for "
            "each sample among the annotations (--obs, --lineage-column)."
        )


def _planned(
    model: Any,
    X: ProfilesLike,
    y: Any,
    groups: Any,
    *,
    splits: Sequence[str] | None,
    folds: int,
    repeats: int,
    random_state: int,
) -> tuple[Samples, list[Fold], tuple[str, ...]]:
    """Check the samples, and say which folds there are and what cannot be held out."""
    samples = read_samples(X, y, groups)
    check_sample_count(len(samples.target), folds)
    check_groups(model, groups)
    if splits is None:
        splits = SPLITS if len(set(samples.lineage)) > 1 else SPLITS[:1]
    planned = [
        fold
        for split in splits
        for fold in make_folds(
            split,
            len(samples.target),
            samples.lineage,
            folds=folds,
            repeats=repeats,
            random_state=random_state,
        )
    ]
    return samples, *_possible(planned, samples)


def _possible(planned: list[Fold], samples: Samples) -> tuple[list[Fold], tuple[str, ...]]:
    """Return the folds that leave enough samples to learn from, and notes on the others."""
    jobs = [fold for fold in planned if len(fold.train) >= MINIMUM_SAMPLES]
    notes = tuple(
        f"{samples.lineage[fold.test[0]]} ({len(fold.test)} samples) could not be held out: only "
        f"{len(fold.train)} samples would be left to learn from."
        for fold in planned
        if len(fold.train) < MINIMUM_SAMPLES
    )
    if not jobs:
        raise InputError(
            f"No lineage of {len(samples.target)} samples can be held out and leave "
            f"{MINIMUM_SAMPLES} to learn from; evaluate the random split instead."
        )
    return jobs, notes


def _run_fold(
    model: Any, samples: Samples, fold: Fold, peers: bool, tuning: Tuning | None
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the result of a fold, from disk when it was finished in an earlier run."""
    kept = (tuning or Tuning()).kept
    if kept.folder is None:
        return _fitted_fold(model, samples, fold, peers, tuning)

    def make(folder: Path) -> None:
        predictions, settings = _fitted_fold(model, samples, fold, peers, tuning)
        predictions.to_parquet(folder / "predictions.parquet")
        (folder / "settings.json").write_text(json.dumps(settings, default=_number))

    found = kept.done(f"fold {fold.split} {fold.repeat}.{fold.number}", make)
    settings = json.loads((found / "settings.json").read_text())
    return pd.read_parquet(found / "predictions.parquet"), settings


def _number(value: Any) -> Any:
    return value.item()


def _fitted_fold(
    model: Any, samples: Samples, fold: Fold, peers: bool, tuning: Tuning | None
) -> tuple[pd.DataFrame, dict[str, Any]]:
    with one_thread(), fit_warnings_ignored():
        # chance skill in one fold is reported by the summary over all of them
        tuned = _tuned(model, samples, fold, tuning)
        fitted, predicted = fit_predict(tuned.model, samples, fold)
        name = OUR_MODEL if isinstance(model, NKSusceptibilityModel) else type(model).__name__
        columns = {name: predicted}
        for other, baseline in (naive_baselines() | (generic_learners() if peers else {})).items():
            columns.setdefault(other, fit_predict(baseline, samples, fold)[1])
    place: dict[str, Any] = {"split": fold.split, "repeat": fold.repeat, "fold": fold.number}
    table = pd.DataFrame(columns, index=samples.profiles.index[fold.test]).rename_axis("sample")
    table["lineage"], table["observed"] = samples.lineage[fold.test], samples.target[fold.test]
    long = table.reset_index().melt(
        ["sample", "lineage", "observed"], var_name="model", value_name="predicted"
    )
    long[["lower", "upper"]] = np.nan
    long.loc[long["model"] == name, ["lower", "upper"]] = predict_limits(fitted, samples, fold)
    for position, (column, value) in enumerate(place.items()):
        long.insert(position, column, value)
    return long, place | tuned.settings | _learned(fitted)


def _tuned(model: Any, samples: Samples, fold: Fold, tuning: Tuning | None) -> Tuned:
    """Tune on random inner folds, also where lineages are held out; see docs/decisions/008."""
    tuning = tuning or Tuning()
    name = _name_of(fold)
    file = f"tuning-{name.replace(' ', '-')}.journal"
    return tune(
        model,
        *_training_part(model, samples, fold),
        space=tuning.space,
        trials=tuning.trials,
        journal=None if tuning.folder is None else tuning.folder / file,
        name=name,
        shared=tuning.shared,
    )


def _name_of(fold: Fold) -> str:
    return f"{fold.split} {fold.repeat}.{fold.number}"


def _training_part(model: Any, samples: Samples, fold: Fold) -> tuple[Any, Any, Any]:
    lineage = samples.lineage[fold.train] if learns_within_groups(model) else None
    return samples.profiles.iloc[fold.train], samples.target[fold.train], lineage


def _learned(fitted: Any) -> dict[str, float]:
    """Return how the learners of our model were blended; nothing for other models."""
    if not isinstance(fitted, NKSusceptibilityModel):
        return {}
    learners = fitted.core_.learners
    weights = zip(learners, fitted.weights_, strict=True)
    learned = {f"weight_{name}": float(weight) for name, weight in weights}
    for learner in learners.values():
        learned |= learner.diagnostics()
    return learned
