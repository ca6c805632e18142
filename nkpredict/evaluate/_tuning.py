"""Tune a model's settings with Optuna on its own inner folds."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import clone

from nkpredict.errors import InputError
from nkpredict.evaluate._shared_study import SharedStorage, SharedStudy
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
    shared
        Storage in which other processes take part; see `tune`.
    """

    space: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    trials: int = 0
    folder: Path | None = None
    kept: KeptSteps = field(default_factory=KeptSteps)
    shared: SharedStorage | None = None


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
        Number of trials finished or pruned, in all runs of the journal or storage.
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
    shared: SharedStorage | None = None,
    progress: Progress | None = None,
) -> Tuned:
    """Search settings that lower the out-of-fold error; the defaults are the first trial.

    The best trial replaces the defaults only when it beats them by more than one standard error.
    Trials are pruned after each fold unless they are among the best quarter of earlier ones. The
    seed of each trial follows from the model's and its number, so a run that was stopped and
    resumed ends like one that was not. In a shared storage settings are drawn at random, as each
    trial must not depend on others, and none is pruned: any number of processes finds the same.

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
        Name of the study in the journal or storage.
    shared
        Storage in which other processes take part, see `help_tune`; in place of the journal.
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
    search = _Search(model, space, X, y, groups)
    if shared is None:
        study = _study(journal, name)
        search.alone(study, trials, progress)
        best = study.best_trial
        tried = [_facts(t, t.number) for t in study.trials if t.state.is_finished()]
    else:
        finished = search.shared(shared, name, trials).wait(search.error)
        best = min(finished, key=lambda trial: trial.value)  # of equal ones the first
        tried = [_facts(trial, place) for place, trial in enumerate(finished)]
        if progress is not None:
            progress("tuning", trials, trials)
    settings = dict(best.params)
    if settings != search.defaults and not _clearly_better(model, settings, search.inner):
        settings = {}
    return Tuned(
        model=clone(model).set_params(**settings),
        settings=settings,
        error=float(best.value if best.value is not None else np.nan),
        trials=len(tried),
        tried=tuple(tried),
    )


def help_tune(
    model: Any,
    X: Any,
    y: Any,
    groups: Any = None,
    *,
    space: Mapping[str, Mapping[str, Any]],
    trials: int,
    shared: SharedStorage,
    name: str = "tuning",
) -> bool:
    """Do trials of a study that another process tunes by, as long as any is free.

    Parameters
    ----------
    model, X, y, groups, space, trials, shared, name
        As the other process gives them to `tune`.

    Returns
    -------
    bool
        Whether all trials are finished; the others are in the hands of other processes.

    Raises
    ------
    InputError
        As `tune`; also when the database stays away, or a trial fails again and again.
    """
    search = _Search(model, space, X, y, groups)
    return search.shared(shared, name, trials).help(search.error)


class _Search:
    """What a trial is: settings from a space, and the error of a model with them."""

    def __init__(
        self, model: Any, space: Mapping[str, Mapping[str, Any]], X: Any, y: Any, groups: Any
    ) -> None:
        self.defaults = _defaults(model, space)
        self._model = model
        self._distributions = {key: _distribution(key, bounds) for key, bounds in space.items()}
        self._data = X, y, groups

    @cached_property
    def inner(self) -> InnerFolds:
        """Harmonised folds and the predictions of learners not tuned, which serve all trials."""
        inner: InnerFolds = self._model.inner_folds(*self._data)
        return inner

    def error(self, trial: Any) -> float:
        """Return the out-of-fold error of the settings of a trial."""
        import optuna

        settings = {key: _suggest(trial, key, kind) for key, kind in self._distributions.items()}
        candidate = clone(self._model).set_params(**settings)
        seen: list[Any] = []
        held_out: list[Any] = []
        for fold, (test, predicted) in enumerate(candidate.cross_predict(self.inner)):
            seen.append(test)
            held_out.append(predicted)
            error = float(_losses(candidate, seen, held_out, self.inner).mean())
            trial.report(error, fold)
            if trial.should_prune():
                raise optuna.TrialPruned
        return error

    def alone(self, study: Any, trials: int, progress: Progress | None) -> None:
        """Do the trials that a study lacks, one after the other, each learning from the others."""
        import optuna

        finished = [t for t in study.get_trials(deepcopy=False) if t.state.is_finished()]
        for number in range(len(finished), trials):
            if number == 0:
                study.enqueue_trial(self.defaults, skip_if_exists=True)
            study.sampler = optuna.samplers.TPESampler(seed=self._seed(number))
            study.optimize(self.error, n_trials=1)
            if progress is not None:
                progress("tuning", number + 1, trials)

    def shared(self, shared: SharedStorage, name: str, trials: int) -> SharedStudy:
        """Join a study whose trials do not depend on each other."""
        drawn = [self._drawn(number) for number in range(1, trials)]
        return SharedStudy(shared, name, [self.defaults, *drawn])

    def _drawn(self, number: int) -> dict[str, Any]:
        import optuna

        sampler: Any = optuna.samplers.RandomSampler(seed=self._seed(number))
        return {
            key: sampler.sample_independent(None, None, key, kind)
            for key, kind in self._distributions.items()
        }

    def _seed(self, number: int) -> int:
        seeds = np.random.SeedSequence([self._model.random_state, number])
        return int(seeds.generate_state(1)[0])


def _facts(trial: Any, number: int) -> TrialFacts:
    outcomes = {"COMPLETE": "finished", "PRUNED": "pruned"}
    started, ended = trial.datetime_start, trial.datetime_complete
    ended = ended or started
    return TrialFacts(
        number=number,
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


def _distribution(key: str, bounds: Mapping[str, Any]) -> Any:
    from optuna.distributions import FloatDistribution, IntDistribution

    kind, log = bounds.get("type"), bool(bounds.get("log", False))
    if kind == "int":
        return IntDistribution(int(bounds["low"]), int(bounds["high"]), log=log)
    if kind == "float":
        return FloatDistribution(float(bounds["low"]), float(bounds["high"]), log=log)
    raise InputError(f"The search space gives {key} the type {kind!r}; expected int or float.")


def _suggest(trial: Any, key: str, kind: Any) -> Any:
    suggest = trial.suggest_int if isinstance(kind.low, int) else trial.suggest_float
    return suggest(key, kind.low, kind.high, log=kind.log)
