"""Train a model: read, evaluate, tune, fit on all, keep, register."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nkpredict.errors import InputError
from nkpredict.evaluate import OUR_MODEL, CrossValidation
from nkpredict.facts import DriverFacts, ModelFacts, PerformanceFacts, RunFacts, TrainingFacts
from nkpredict.figures import write_performance_figure, write_prediction_figure
from nkpredict.io import to_json, write_csv, write_json
from nkpredict.registry import Bundle, Registry, RunRecord, load_bundle, save_bundle
from nkpredict.training._config import TrainingConfig
from nkpredict.training._inputs import TrainingInputs, read_inputs
from nkpredict.training._killing_curve import TrainedCurve
from nkpredict.training._task import Task
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
        Go on with a stopped run in the same folder; no finished fold, trial or stage is repeated.
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
    RegistryError
        When the registry cannot be opened; nothing is fitted then.
    """
    report = progress or (lambda stage, done, total: None)
    folder = config.folder
    _check_folder(folder, config, resume)
    report("reading", 0, 1)
    inputs = read_inputs(config)
    task = Task.of(config, inputs)
    report("reading", 1, 1)
    if found is not None:
        found(inputs.sentences())
    registry = Registry(config.registry)
    registry.open()
    # Whatever is wrong with data and registry has been said by now; from here on files are written.
    folder.mkdir(parents=True, exist_ok=True)
    clock = _Clock(folder, config)
    cv = task.evaluated(config, report)
    clock.write()
    tuned = task.tuned(report)
    clock.write()
    report("fitting", 0, 1)
    fitted = task.fitted(tuned)
    report("fitting", 1, 1)
    curve = task.curve(fitted.model, config.jobs, report)
    drivers = task.drivers(fitted.model, inputs.evidence, report)
    clock.write()
    metadata = replace(
        _metadata(config, inputs, cv, tuned.settings, task.model.random_state),
        drivers=_stored(drivers),
        curves=None if curve is None else curve.facts,
    )
    save_bundle(fitted.model if curve is None else curve.model, folder / "bundle", metadata)
    _write_results(folder, cv, metadata, curve)
    report("registering", 0, 1)
    record = RunRecord(
        parameters=_parameters(config, task.trials, tuned.settings, inputs.provenance),
        metrics=_metrics(cv, fitted.model.skill_),
        tags={"simulated": str(metadata.simulated).lower()},
        artifacts=_artifacts(folder, curve),
        trials=tuned.tried,
        seconds=clock.seconds,
    )
    registered = f"{config.name}/{registry.register(folder / 'bundle', config.name, record)}"
    clock.write(registered)
    report("registering", 1, 1)
    return TrainingRun(
        load_bundle(folder / "bundle"), cv, folder, registered, (*fitted.warnings, *cv.notes)
    )


class _Clock:
    """Writes down how far a run is, and how long it has worked, stops left out."""

    def __init__(self, folder: Path, config: TrainingConfig) -> None:
        self._file = folder / _RUN_FILE
        self._config = config.fingerprint()
        self._started = time.monotonic()
        self._before = _read_run(self._file).seconds if self._file.is_file() else 0.0
        self.write()

    @property
    def seconds(self) -> float:
        return self._before + time.monotonic() - self._started

    def write(self, registered: str | None = None) -> None:
        run = RunFacts(
            finished=registered is not None,
            registered=registered,
            seconds=round(self.seconds, 1),
            config=self._config,
        )
        write_json(self._file, run.to_json())


def _read_run(file: Path) -> RunFacts:
    return RunFacts.from_json(json.loads(file.read_text(encoding="utf-8")))


def _check_folder(folder: Path, config: TrainingConfig, resume: bool) -> None:
    if not folder.exists() or all(_is_unfinished(path) for path in folder.iterdir()):
        return
    run_file = folder / _RUN_FILE
    if not run_file.is_file():
        raise InputError(
            f"{folder} holds other files and no training run; name another folder (--run-folder)."
        )
    run = _read_run(run_file)
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


def _is_unfinished(path: Path) -> bool:
    """Tell the first file of a run that was killed while it wrote it."""
    return path.name.startswith(f".{_RUN_FILE}.")


def _evaluated_on(cv: CrossValidation) -> str:
    """Return a hash of which samples with which response were held out together."""
    held_out = cv.predictions.loc[cv.predictions["model"] == OUR_MODEL]
    columns = ["split", "repeat", "fold", "sample", "observed"]
    text = held_out[columns].sort_values(columns).to_csv(index=False, float_format="%.9g")
    return hashlib.sha256(text.encode()).hexdigest()


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
        evaluated_on=_evaluated_on(cv),
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
