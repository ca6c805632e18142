"""Train a model: read, evaluate, tune, fit on all, keep, register."""

from __future__ import annotations

import json
import platform
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nkpredict.errors import InputError
from nkpredict.evaluate import (
    CrossValidation,
    Tuned,
    Tuning,
    check_groups,
    check_sample_count,
    nested_cross_validate,
    tune,
)
from nkpredict.evidence import GeneEvidence
from nkpredict.explain import driver_scores
from nkpredict.facts import DriverFacts, ModelFacts, PerformanceFacts, RunFacts, TrainingFacts
from nkpredict.features import Profiles
from nkpredict.figures import write_performance_figure, write_prediction_figure
from nkpredict.io import to_json, write_csv, write_json
from nkpredict.learn import ChanceSkillWarning, NKSusceptibilityModel
from nkpredict.registry import Bundle, Registry, load_bundle, save_bundle
from nkpredict.training._config import TrainingConfig
from nkpredict.training._inputs import TrainingInputs, read_inputs
from nkpredict.training._killing_curve import TrainedCurve, required_viability, train_curve
from nkpredict.training._spec import ModelSpec, read_spec
from nkpredict.types import Progress

_RUN_FILE = "run.json"
LEAST_PROBABILITY = 0.01
"""Probability of being a driver from which a gene is kept with the model; set by hand."""
_PACKAGES = (
    "nkpredict",
    "anndata",
    "lightgbm",
    "mlflow",
    "numpy",
    "optuna",
    "pandas",
    "scikit-learn",
    "scipy",
)

# Called with (stage, steps done, steps in all).


@dataclass(frozen=True, repr=False)
class TrainingRun:
    """Outcome of a training run.

    Attributes
    ----------
    bundle
        The model fitted on all samples.
    cross_validation
        Its evaluation on unseen samples.
    folder
        Folder of the run: ``bundle/``, ``predictions.csv``, ``performance.csv``, ``figures/``, and
        ``curves.csv`` when curves were asked for.
    registered
        ``NAME/version``.
    warnings
        Sentences the user should read.
    """

    bundle: Bundle
    cross_validation: CrossValidation
    folder: Path
    registered: str
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Show what was registered and how good it is."""
        return f"TrainingRun {self.registered} in {self.folder}\n{self.cross_validation!r}"


def train(
    config: TrainingConfig,
    *,
    resume: bool = False,
    progress: Progress | None = None,
    found: Callable[[list[str]], None] | None = None,
) -> TrainingRun:
    """Train, evaluate and register a model.

    Parameters
    ----------
    config
        What to do; see `TrainingConfig` and `read_config`.
    resume
        Go on with a stopped run in the same folder; finished trials are not repeated.
    progress
        Called with what is being done, steps done and steps in all.
    found
        Called once with sentences on what was found in the files, before anything is fitted.

    Returns
    -------
    TrainingRun

    Raises
    ------
    InputError
        When files are wrong, there are fewer than 25 samples, curves are asked for and were not
        measured, or the folder holds another run.
    """
    report = progress or (lambda stage, done, total: None)
    folder = config.folder
    _check_folder(folder, config, resume)
    report("reading", 0, 1)
    inputs = read_inputs(config)
    task = _Task.of(config, inputs)
    report("reading", 1, 1)
    if found is not None:
        found(inputs.sentences())
    Registry(config.registry).open()
    # Whatever is wrong with data and registry has been said by now; from here on files are written.
    folder.mkdir(parents=True, exist_ok=True)
    _write_run(folder, config)
    cv = task.evaluated(config, report)
    tuned = task.tuned(folder, report)
    report("fitting", 0, 1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ChanceSkillWarning)
        fitted = tuned.model.fit(task.expression, task.target, groups=task.within)
    report("fitting", 1, 1)
    curve = task.curve(fitted, config.jobs, report)
    drivers = task.drivers(fitted, inputs.evidence, report)
    metadata = replace(
        _metadata(config, inputs, cv, tuned.settings, task.model.random_state),
        drivers=_stored(drivers),
        curves=None if curve is None else curve.facts,
    )
    save_bundle(fitted if curve is None else curve.model, folder / "bundle", metadata)
    _write_results(folder, cv, metadata, curve)
    report("registering", 0, 1)
    number = Registry(config.registry).register(
        folder / "bundle",
        config.name,
        parameters=_parameters(config, task.trials, tuned.settings, inputs.provenance),
        metrics=_metrics(cv, fitted.skill_),
        tags={"simulated": str(metadata.simulated).lower()},
        artifacts=_artifacts(folder, curve),
    )
    registered = f"{config.name}/{number}"
    _write_run(folder, config, registered)
    report("registering", 1, 1)
    no_skill = [str(w.message) for w in caught if issubclass(w.category, ChanceSkillWarning)]
    return TrainingRun(
        load_bundle(folder / "bundle"), cv, folder, registered, (*no_skill, *cv.notes)
    )


@dataclass(frozen=True)
class _Task:
    """What is learned from which data, checked; its methods are the stages of a run."""

    spec: ModelSpec
    model: NKSusceptibilityModel
    trials: int
    repeats: int
    expression: pd.DataFrame
    target: pd.Series
    groups: pd.Series | None
    viability: pd.DataFrame | None

    @classmethod
    def of(cls, config: TrainingConfig, inputs: TrainingInputs) -> _Task:
        panel, spec = inputs.panel, read_spec(config.spec)
        check_sample_count(panel.n_obs, spec.folds)
        model = spec.model(inputs.evidence, config.random_state, inputs.modules)
        viability = required_viability(panel, model, spec.folds) if config.curves else None
        groups = panel.obs.get("lineage")
        check_groups(model, groups)
        return cls(
            spec=spec,
            model=model,
            trials=spec.trials if config.trials is None else config.trials,
            repeats=spec.repeats if config.repeats is None else config.repeats,
            expression=Profiles.of(panel).frame(),
            target=panel.obs["susceptibility"],
            groups=groups,
            viability=viability,
        )

    @property
    def within(self) -> pd.Series | None:
        """Lineages whose own level is taken out before learning."""
        return self.groups if self.spec.within_groups else None

    def evaluated(self, config: TrainingConfig, report: Progress) -> CrossValidation:
        return nested_cross_validate(
            self.model,
            self.expression,
            self.target,
            self.groups,
            folds=self.spec.folds,
            repeats=self.repeats,
            peers=config.peers,
            tuning=Tuning(self.spec.search_space, self.trials, config.folder / "journals"),
            n_jobs=config.jobs,
            random_state=self.model.random_state,
            progress=report,
        )

    def tuned(self, folder: Path, report: Progress) -> Tuned:
        return tune(
            self.model,
            self.expression,
            self.target,
            self.within,
            space=self.spec.search_space,
            trials=self.trials,
            journal=folder / "journals" / "tuning-all-samples.journal",
            name="all samples",
            progress=report,
        )

    def curve(
        self, fitted: NKSusceptibilityModel, jobs: int, report: Progress
    ) -> TrainedCurve | None:
        if self.viability is None:
            return None
        return train_curve(
            self.model,
            fitted,
            self.expression,
            self.viability,
            folds=self.spec.folds,
            jobs=jobs,
            progress=report,
        )

    def drivers(
        self,
        fitted: NKSusceptibilityModel,
        evidence: GeneEvidence | None,
        report: Progress,
    ) -> pd.DataFrame:
        return driver_scores(
            fitted.harmonised(self.expression),
            self.target.to_numpy(),
            evidence,
            None if self.groups is None else self.groups.to_numpy(),
            random_state=self.model.random_state,
            progress=report,
        )


def _write_run(folder: Path, config: TrainingConfig, registered: str | None = None) -> None:
    run = RunFacts(
        finished=registered is not None, registered=registered, config=config.fingerprint()
    )
    write_json(folder / _RUN_FILE, run.to_json())


def _check_folder(folder: Path, config: TrainingConfig, resume: bool) -> None:
    if not folder.exists() or not any(folder.iterdir()):
        return
    run_file = folder / _RUN_FILE
    if not run_file.is_file():
        raise InputError(
            f"{folder} holds other files and no training run; name another folder (--run-folder)."
        )
    run = RunFacts.from_json(json.loads(run_file.read_text(encoding="utf-8")))
    if run.finished:
        raise InputError(
            f"{folder} holds a finished run (registered as {run.registered}); name another "
            "folder (--run-folder) to train again."
        )
    if not resume:
        raise InputError(
            f"{folder} holds a run that was stopped; go on with --resume, or name another folder "
            "(--run-folder)."
        )
    asked = json.loads(to_json(config.fingerprint()))
    changed = [key for key, value in asked.items() if run.config.get(key) != value]
    if changed:
        raise InputError(
            f"The run in {folder} was started with other settings ({', '.join(changed)}); resume "
            "it with the same ones, or name another folder (--run-folder)."
        )


def _metadata(
    config: TrainingConfig,
    inputs: TrainingInputs,
    cv: CrossValidation,
    settings: dict[str, Any],
    random_state: int,
) -> ModelFacts:
    return ModelFacts(
        name=config.name,
        simulated=inputs.simulated,
        nkpredict_version=version("nkpredict"),
        random_state=random_state,
        spec=config.spec,
        settings=settings,
        training=inputs.provenance,
        performance=tuple(PerformanceFacts.from_json(row) for row in cv.summary.to_dict("records")),
        interval_coverage={str(k): float(v) for k, v in cv.interval_coverage().items()},
        evaluation_notes=cv.notes,
    )


def _stored(drivers: pd.DataFrame) -> DriverFacts:
    """Genes that may drive the response as plain values; the others have next to no probability."""
    likely = drivers.loc[drivers["probability"] >= LEAST_PROBABILITY]
    return DriverFacts.from_json(likely[["gene", "probability", "effect"]].to_dict("list"))


def _write_results(
    folder: Path, cv: CrossValidation, metadata: ModelFacts, curve: TrainedCurve | None
) -> None:
    simulated = metadata.simulated
    mark = {"note": "SIMULATED"} if simulated else {}
    write_csv(folder / "predictions.csv", cv.predictions.assign(**mark).set_index("sample"))
    write_csv(folder / "performance.csv", cv.summary.assign(**mark).set_index("model"))
    write_csv(folder / "settings.csv", cv.settings.assign(**mark).set_index("split"))
    if curve is not None:
        write_csv(folder / "curves.csv", curve.errors.assign(**mark).set_index("ratio"))
    write_json(folder / "provenance.json", metadata.to_json())
    write_json(folder / "environment.json", _environment())
    figures = folder / "figures"
    figures.mkdir(exist_ok=True)
    replicates = None if metadata.response is None else metadata.response.replicates
    ceiling = None if replicates is None else replicates.spearman_ceiling
    write_performance_figure(cv, figures / "performance.png", simulated=simulated, ceiling=ceiling)
    write_prediction_figure(cv, figures / "predictions.png", simulated=simulated)


def _artifacts(folder: Path, curve: TrainedCurve | None) -> list[Path]:
    """Return what the registry keeps beside the bundle."""
    names = ["performance.csv", "predictions.csv", "provenance.json", "environment.json"]
    return [folder / name for name in (*names, *(["curves.csv"] if curve else []), "figures")]


def _environment() -> dict[str, Any]:
    return {
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "packages": {name: version(name) for name in _PACKAGES},
    }


def _parameters(
    config: TrainingConfig, trials: int, settings: dict[str, Any], data: TrainingFacts
) -> dict[str, Any]:
    return {
        **{key: value for key, value in config.fingerprint().items() if value not in (None, [])},
        **settings,
        "trials": trials,
        "samples": data.samples,
        "genes": data.genes,
        "expression_sha256": None if data.expression is None else data.expression.sha256,
        "response_sha256": None if data.response is None else data.response.sha256,
    }


def _metrics(cv: CrossValidation, skill: dict[str, float]) -> dict[str, float]:
    metrics = {"spearman_out_of_fold": skill["spearman"]}
    for row in cv.summary.to_dict("records"):
        label = f"{row['split']}.{row['model']}".replace(" ", "_").replace("-", "_")
        for name in ("spearman", "spearman_within_lineage", "rmse"):
            if np.isfinite(row[name]):
                metrics[f"{label}.{name}"] = row[name]
    return metrics
