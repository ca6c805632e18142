"""Register a bundle: once, however often it is asked and wherever it was killed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nkpredict.facts import ModelFacts
from nkpredict.registry._connection import Connection, import_mlflow
from nkpredict.registry._description import Description, read_description
from nkpredict.registry._files import local_folder
from nkpredict.registry._index import Model
from nkpredict.registry._promotion import add_event
from nkpredict.registry._run import (
    BUNDLE_TAG,
    RunRecord,
    description_of,
    log_run,
    settle_abandoned,
)


def register(
    connection: Connection, model: Model | None, name: str, bundle: Path, record: RunRecord
) -> int:
    """Register a bundle; the lock is held.

    Parameters
    ----------
    connection
        To the registry.
    model
        What is registered under the name already.
    name
        Name to register it under.
    bundle
        Folder of the bundle.
    record
        What is logged beside it.

    Returns
    -------
    int
        The version; of a bundle that is registered already the one it has.
    """
    client, settings = connection.client(), connection.settings
    experiment = _experiment(connection)
    described = read_description(bundle)
    version = _registered(model, described.sha256)
    if version is None:
        version = _add_version(client, experiment, name, bundle, described, record)
    entry = client.get_registered_model(name)
    if int(entry.aliases.get(settings.new_version_alias, 0)) < version:
        client.set_registered_model_alias(name, settings.new_version_alias, str(version))
    if settings.in_use_alias not in entry.aliases:
        before = Model({}, {}, dict(entry.tags))
        add_event(client, name, before, "first", version, None, settings.in_use_alias)
        client.set_registered_model_alias(name, settings.in_use_alias, str(version))
    settle_abandoned(client, experiment)
    return version


def _add_version(
    client: Any,
    experiment: str,
    name: str,
    bundle: Path,
    described: Description,
    record: RunRecord,
) -> int:
    from mlflow.exceptions import MlflowException

    logged = log_run(import_mlflow(), client, experiment, name, bundle, record)
    simulated = str(ModelFacts.from_json(described.metadata).simulated).lower()
    try:
        client.create_registered_model(name, tags={"simulated": simulated})
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    entry = client.create_model_version(
        name,
        logged.artifact_location,
        run_id=logged.source_run_id,
        tags={"simulated": simulated, BUNDLE_TAG: described.sha256},
        description=description_of(ModelFacts.from_json(described.metadata)),
        await_creation_for=0,
        model_id=logged.model_id,
    )
    client.set_terminated(logged.source_run_id)
    return int(entry.version)


def _registered(model: Model | None, digest: str) -> int | None:
    """Return the version that holds a bundle already and still has its files."""
    for entry in () if model is None else model.versions.values():
        local = local_folder(entry)
        if entry.tags.get(BUNDLE_TAG) == digest and (local is None or local.is_dir()):
            return entry.version
    return None


def _experiment(connection: Connection) -> str:
    from mlflow.exceptions import MlflowException

    client, settings = connection.client(), connection.settings
    found = client.get_experiment_by_name(settings.experiment)
    if found is not None:
        return str(found.experiment_id)
    place = settings.artifact_location
    try:
        return str(client.create_experiment(settings.experiment, artifact_location=place))
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
        # another machine was faster
        return str(client.get_experiment_by_name(settings.experiment).experiment_id)
