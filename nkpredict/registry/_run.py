"""What MLflow is told of a registered model: run, data, description, metrics, trials."""

from __future__ import annotations

import getpass
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nkpredict.facts import ModelFacts, TrialFacts

BUNDLE_TAG = "nkpredict.bundle_sha256"
"""Tag of runs and versions: the hash of the bundle, by which the same model is known again."""
_BATCH = 100
_LONGEST = 5000


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """What is logged beside a bundle.

    Attributes
    ----------
    parameters, metrics, tags
        Of the run.
    artifacts
        Files or folders kept with the run.
    trials
        Trials of the tuning; each becomes a run below this one.
    seconds
        How long the training took.
    """

    parameters: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    artifacts: Sequence[str | Path] = ()
    trials: Sequence[TrialFacts] = ()
    seconds: float = 0.0


def log_run(
    mlflow: Any, client: Any, experiment: str, name: str, bundle: Path, record: RunRecord
) -> Any:
    """Log a run and its model, and return the model version's source.

    Parameters
    ----------
    mlflow, client
        MLflow and the client to write with.
    experiment
        Identifier of the experiment.
    name
        Name the model gets.
    bundle
        Folder of the bundle.
    record
        What is logged beside it.

    Returns
    -------
    LoggedModel
        As MLflow returns it; its run is still running.
    """
    from nkpredict.registry._bundle import read_bundle
    from nkpredict.registry._mlflow_model import write_mlflow_model

    loaded = read_bundle(bundle)
    metadata = loaded.metadata
    tags = {
        **record.tags,
        BUNDLE_TAG: str(metadata.sha256),
        "mlflow.user": user(),
        "mlflow.source.name": "nkpredict",
        "mlflow.note.content": description_of(metadata),
    }
    started = int((time.time() - record.seconds) * 1000)
    run_id = client.create_run(experiment, start_time=started, run_name=name, tags=tags).info.run_id
    try:
        _log_data(client, run_id, metadata)
        for path in map(Path, record.artifacts):
            if path.is_dir():
                client.log_artifacts(run_id, str(path), path.name)
            else:
                client.log_artifact(run_id, str(path))
        parameters = {key: str(value)[:_LONGEST] for key, value in record.parameters.items()}
        model = client.create_logged_model(
            experiment, name=name, source_run_id=run_id, params=parameters, model_type="nkpredict"
        )
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / "model"
            write_mlflow_model(mlflow, folder, bundle, loaded)
            client.log_model_artifacts(model.model_id, str(folder))
        _log_numbers(client, run_id, parameters, record.metrics, model.model_id)
        _log_trials(client, experiment, run_id, record.trials)
        return client.finalize_logged_model(model.model_id, "READY")
    except BaseException:
        client.set_terminated(run_id, "FAILED")
        raise


def settle_abandoned(client: Any, experiment: str) -> None:
    """End the runs of registrations that were killed; the lock is held, so none is at work.

    A run whose version is registered is finished, any other has failed.

    Parameters
    ----------
    client
        MLflow client.
    experiment
        Identifier of the experiment.
    """
    running = client.search_runs(
        [experiment], f"attributes.status = 'RUNNING' AND tags.`{BUNDLE_TAG}` LIKE '%'"
    )
    for run in running:
        run_id = run.info.run_id
        registered = client.search_model_versions(f"run_id = '{run_id}'")
        client.set_terminated(run_id, "FINISHED" if registered else "FAILED")
        for child in client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{run_id}'"):
            if child.info.status == "RUNNING":
                client.set_terminated(child.info.run_id, "FAILED")


def description_of(metadata: ModelFacts) -> str:
    """Describe a model in a few sentences for people who look through MLflow's pages."""
    parts = ["SIMULATED data." if metadata.simulated else ""]
    training = metadata.training
    if training is not None and training.samples is not None:
        parts.append(f"Trained on {training.samples} samples × {training.genes} genes.")
    if training is not None and training.response is not None:
        parts.append(f"Response: {training.response.unit}.")
    shown = [
        f"{row.split} {row.spearman:.2f}"
        for row in metadata.performance or ()
        if row.model == "nkpredict"
    ]
    if shown:
        parts.append(f"Spearman on unseen samples: {', '.join(shown)}.")
    return " ".join([*filter(None, parts), "For research use only."])


def user() -> str:
    """Return the name of the user, or that it is unknown."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "unknown"


def _log_data(client: Any, run_id: str, metadata: ModelFacts) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    training = metadata.training
    if training is None:
        return
    size = json.dumps({"samples": training.samples, "genes": training.genes})
    inputs = []
    for role in ("expression", "response", "genetics"):
        facts = getattr(training, role)
        name, digest = getattr(facts, "file", None), getattr(facts, "sha256", None)
        if name and digest:
            source = json.dumps({"file": str(name), "sha256": digest})
            data = Dataset(str(name)[:500], digest[:36], "local", source, profile=size)
            inputs.append(DatasetInput(data, [InputTag("mlflow.data.context", role)]))
    if inputs:
        client.log_inputs(run_id, inputs)


def _log_numbers(
    client: Any,
    run_id: str,
    parameters: Mapping[str, str],
    metrics: Mapping[str, float],
    model_id: str | None = None,
) -> None:
    from mlflow.entities import Metric, Param

    now = int(time.time() * 1000)
    params = [Param(key, value) for key, value in parameters.items()]
    numbers = [Metric(k, float(v), now, 0, model_id=model_id) for k, v in metrics.items()]
    for start in range(0, max(len(params), len(numbers)), _BATCH):
        part = slice(start, start + _BATCH)
        client.log_batch(run_id, metrics=numbers[part], params=params[part])


def _log_trials(client: Any, experiment: str, run_id: str, trials: Sequence[TrialFacts]) -> None:
    for trial in trials:
        tags = {"mlflow.parentRunId": run_id, "mlflow.user": user(), "outcome": trial.outcome}
        child = client.create_run(
            experiment, start_time=trial.started, run_name=f"trial {trial.number}", tags=tags
        ).info.run_id
        settings = {key: str(value) for key, value in trial.settings.items()}
        metrics = {} if trial.error is None else {"error": trial.error}
        _log_numbers(client, child, settings, metrics)
        status = "FAILED" if trial.outcome == "failed" else "FINISHED"
        client.set_terminated(child, status, end_time=trial.ended)
