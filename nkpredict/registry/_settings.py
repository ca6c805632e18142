"""Where models are registered: mlflow.yaml, the environment, or a folder named by the user."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from nkpredict.errors import InputError
from nkpredict.shipped import shipped_path


@dataclass(frozen=True)
class RegistrySettings:
    """Settings of the model registry.

    Attributes
    ----------
    tracking_uri, registry_uri
        Stores of MLflow.
    artifact_location
        Folder or URI for the files of runs; ``None`` leaves it to a tracking server.
    experiment
        MLflow experiment.
    default_name
        Name of a model when none is given.
    new_version_alias, in_use_alias
        Alias of every new version, and of the one in use.
    signed_by
        Public keys, one of which must have signed every bundle that is used; any bundle is used
        when there are none.
    """

    tracking_uri: str
    registry_uri: str
    artifact_location: str | None
    experiment: str
    default_name: str
    new_version_alias: str
    in_use_alias: str
    signed_by: tuple[Path, ...] = ()


def registry_settings(location: str | Path | None = None) -> RegistrySettings:
    """Read the settings.

    Parameters
    ----------
    location
        Folder that holds the registry, or an MLflow URI. Without it ``NKPREDICT_HOME`` or the
        data folder of the user is the home, and ``MLFLOW_TRACKING_URI`` and
        ``MLFLOW_REGISTRY_URI`` override ``mlflow.yaml``, which is looked for in the working
        folder and above, then in the installed package. ``NKPREDICT_SIGNED_BY`` overrides its
        ``signed_by``.

    Raises
    ------
    InputError
        When mlflow.yaml is malformed.
    """
    path = _settings_file()
    try:
        content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        aliases, names = content["aliases"], content["model_names"]
        home = str(_home() if location is None else Path(location).expanduser().absolute())
        uris = [str(content[key]) for key in ("tracking_uri", "registry_uri")]
        tracking, registry = (uri.replace("{home}", home) for uri in uris)
        found = RegistrySettings(
            tracking_uri=tracking,
            registry_uri=registry,
            artifact_location=str(content["artifact_location"]).replace("{home}", home),
            experiment=str(content["experiment"]),
            default_name=str(names["default"]),
            new_version_alias=str(aliases["new_version"]),
            in_use_alias=str(aliases["in_use"]),
            signed_by=_signed_by(content.get("signed_by") or [], path, home),
        )
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path} is malformed ({error!r}); expected tracking_uri, registry_uri, "
            "artifact_location, experiment, model_names and aliases."
        ) from error
    if location is not None and "://" in str(location):
        tracking = registry = str(location)
    elif location is None:
        tracking = os.environ.get("MLFLOW_TRACKING_URI", tracking)
        registry = os.environ.get(
            "MLFLOW_REGISTRY_URI", os.environ.get("MLFLOW_TRACKING_URI", registry)
        )
    artifacts = found.artifact_location if tracking == found.tracking_uri else None
    return replace(found, tracking_uri=tracking, registry_uri=registry, artifact_location=artifacts)


def _settings_file() -> Path:
    here = Path.cwd()
    for folder in (here, *here.parents):
        candidate = folder / "mlflow.yaml"
        if candidate.is_file():
            return candidate
    return shipped_path("mlflow.yaml")


def _signed_by(named: Any, path: Path, home: str) -> tuple[Path, ...]:
    """Return the public keys; those that the environment names count alone."""
    given = os.environ.get("NKPREDICT_SIGNED_BY")
    if given:
        return tuple(Path(one) for one in given.split(os.pathsep) if one)
    if not isinstance(named, list) or not all(isinstance(one, str) for one in named):
        raise TypeError("signed_by is no list of files")
    return tuple(path.parent / one.replace("{home}", home) for one in named)


def _home() -> Path:
    from platformdirs import user_data_path

    home = os.environ.get("NKPREDICT_HOME")
    return Path(home).expanduser().absolute() if home else user_data_path("nkpredict")
