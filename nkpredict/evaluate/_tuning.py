"""Tune a model's settings with Optuna on its own inner folds."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import clone

from nkpredict.errors import InputError
from nkpredict.facts import TrialFacts
from nkpredict.io import KeptSteps
from nkpredict.learn import InnerFolds, normal_scores
from nkpredict.types import FloatArray, IndexArray, Progress

# Set by hand: trials that are never cut short, and the best of the earlier ones (in per cent) that
# a trial must be among to go on to its next fold.
_PRUNE_AFTER_TRIALS = 5
_BEST_PERCENT = 25.0


@dataclass(frozen=True)
class Tuning:
    """How the settings of a model are tuned inside each fold of an evaluation.

    Attributes
    ----------
    space, trials
        See `tune`; without trials the settings stay.
    folder
        Folder of the journals, so that a stopped evaluation can go on; None keeps none.
    kept
        Finished folds, which a stopped evaluation does not repeat.
    """

    space: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    trials: int = 0
    folder: Path | None = None
    kept: KeptSteps = field(default_factory=KeptSteps)


@dataclass(frozen=True)
class Tuned:
    """Outcome of a tuning run.

    Attributes
    ----------
    model
        Unfitted model with the settings chosen.
    settings
        The settings chosen; empty when the defaults stay.
    error
        Mean squared out-of-fold error of the best trial.
    trials
        Number of trials finished or pruned, in all runs of the journal.
    tried
        What each of them tried and found.
    """

    model: Any
    settings: dict[str, Any]
    error: float
    trials: int
    tried: tuple[TrialFacts, ...] = ()


def tune(
    model: Any,
    X: Any,
    y: Any,
    groups: Any = None,
    *,
    space: Mapping[str, Mapping[str, Any]],
    trials: int,
    journal: str | Path | None = None,
    name: str = "tuning",
    progress: Progress | None = None,
) -> Tuned:
    """Search settings that lower the out-of-fold error; the defaults are the first trial.

    The best trial replaces the defaults only when it beats them by more than one standard error.
    Trials are pruned after each fold unless they are among the best quarter of earlier ones. The
    seed of each trial follows from the model's and its number, so a run that was stopped and
    resumed ends like one that was not.

    Parameters
    ----------
    model
        Unfitted `NKSusceptibilityModel`.
    X, y, groups
        Training samples only.
    space
        Parameter name (as in ``set_params``) → ``{"type": "int" | "float", "low", "high",
        "log"}``.
    trials
        Number of trials in all; 0 returns the model as it is.
    journal
        File of the Optuna journal; an existing one is continued.
    name
        Name of the study in the journal.
    progress
        Called with what is being done, steps done and steps in all.

    Returns
    -------
    Tuned

    Raises
    ------
    InputError
        When the search space is empty or malformed, or the model has no inner folds of its own.
    """
    if trials <= 0:
        return Tuned(clone(model), {}, float("nan"), 0)
    if not space:
        raise InputError(
            f"Found {trials} trials and no settings to tune; expected a search_space in the "
            "recipe, or 0 trials."
        )
    import optuna

    defaults = _defaults(model, space)
    study = _study(journal, name)
    # Harmonised folds and the predictions of learners that are not tuned serve all trials.
    inner = model.inner_folds(X, y, groups)

    def objective(trial: optuna.Trial) -> float:
        settings = {key: _suggest(trial, key, bounds) for key, bounds in space.items()}
        candidate = clone(model).set_params(**settings)
        seen: list[Any] = []
        held_out: list[Any] = []
        for fold, (test, predicted) in enumerate(candidate.cross_predict(inner)):
            seen.append(test)
            held_out.append(predicted)
            error = float(_losses(candidate, seen, held_out, inner).mean())
            trial.report(error, fold)
            if trial.should_prune():
                raise optuna.TrialPruned
        return error

    finished = [t for t in study.get_trials(deepcopy=False) if t.state.is_finished()]
    for number in range(len(finished), trials):
        if number == 0:
            study.enqueue_trial(defaults, skip_if_exists=True)
        seeds = np.random.SeedSequence([model.random_state, number])
        study.sampler = optuna.samplers.TPESampler(seed=int(seeds.generate_state(1)[0]))
        study.optimize(objective, n_trials=1)
        if progress is not None:
            progress("tuning", number + 1, trials)
    best = study.best_trial
    settings = dict(best.params)
    if settings != defaults and not _clearly_better(model, settings, inner):
        settings = {}
    return Tuned(
        model=clone(model).set_params(**settings),
        settings=settings,
        error=float(best.value if best.value is not None else np.nan),
        trials=len(study.trials),
        tried=tuple(_facts(trial) for trial in study.trials if trial.state.is_finished()),
    )


def _facts(trial: Any) -> TrialFacts:
    outcomes = {"COMPLETE": "finished", "PRUNED": "pruned"}
    started, ended = trial.datetime_start, trial.datetime_complete
    ended = ended or started
    return TrialFacts(
        number=trial.number,
        settings=dict(trial.params),
        error=None if trial.value is None else float(trial.value),
        outcome=outcomes.get(trial.state.name, "failed"),
        started=0 if started is None else int(started.timestamp() * 1000),
        ended=0 if ended is None else int(ended.timestamp() * 1000),
    )


def _defaults(model: Any, space: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that the model has now of those to be searched."""
    if not hasattr(model, "cross_predict"):
        raise InputError(
            f"Settings of {type(model).__name__} cannot be tuned; expected an "
            "NKSusceptibilityModel. Wrap other models in scikit-learn's GridSearchCV."
        )
    defaults = {key: value for key, value in model.get_params().items() if key in space}
    unknown = sorted(set(space) - set(defaults))
    if unknown:
        raise InputError(
            f"The search space names {', '.join(unknown)}, which the model does not have."
        )
    return defaults


def _study(journal: str | Path | None, name: str) -> Any:
    """Begin a study, or go on with the one in the journal."""
    import optuna
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(logging.WARNING)
    storage = None
    if journal is not None:
        Path(journal).parent.mkdir(parents=True, exist_ok=True)
        storage = optuna.storages.JournalStorage(JournalFileBackend(str(journal)))
    return optuna.create_study(
        storage=storage,
        study_name=name,
        direction="minimize",
        load_if_exists=True,
        pruner=optuna.pruners.PercentilePruner(_BEST_PERCENT, n_startup_trials=_PRUNE_AFTER_TRIALS),
    )


def _clearly_better(model: Any, settings: Mapping[str, Any], inner: InnerFolds) -> bool:
    """Whether settings lower the error by more than one standard error of the paired difference.

    The best of many trials on few samples is mostly lucky; see docs/decisions/008.
    """
    losses = []
    for candidate in (clone(model), clone(model).set_params(**settings)):
        seen, held_out = zip(*candidate.cross_predict(inner), strict=True)
        losses.append(_losses(candidate, seen, held_out, inner))
    gain = losses[0] - losses[1]
    return bool(gain.mean() > gain.std(ddof=1) / np.sqrt(len(gain)))


def _losses(
    model: Any, seen: Sequence[IndexArray], held_out: Sequence[FloatArray], inner: InnerFolds
) -> FloatArray:
    # in the order of the samples, so that sums do not depend on that of the folds
    positions = np.concatenate(seen)
    order = np.argsort(positions)
    predicted = np.concatenate(held_out)[order]
    # what is learned: the response, or what is left of it within groups
    response = inner.response[positions[order]]
    blended: FloatArray = predicted @ model.blend(predicted, response)
    return (blended - normal_scores(response)) ** 2


def _suggest(trial: Any, key: str, bounds: Mapping[str, Any]) -> Any:
    kind, log = bounds.get("type"), bool(bounds.get("log", False))
    if kind == "int":
        return trial.suggest_int(key, int(bounds["low"]), int(bounds["high"]), log=log)
    if kind == "float":
        return trial.suggest_float(key, float(bounds["low"]), float(bounds["high"]), log=log)
    raise InputError(f"The search space gives {key} the type {kind!r}; expected int or float.")
