"""Where models are registered: mlflow.yaml, the environment, or a folder named by the user."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from nkpredict.credentials import hide_credentials
from nkpredict.errors import InputError
from nkpredict.registry._signers import Identity
from nkpredict.shipped import shipped_path
from nkpredict.yaml_text import read_yaml

_SERVERS = ("http://", "https://", "databricks", "uc:", "databricks-uc")
_ARTIFACTS, _SIGNED_BY = "NKPREDICT_ARTIFACT_LOCATION", "NKPREDICT_SIGNED_BY"


@dataclass(frozen=True)
class RegistrySettings:
    """Settings of the model registry; passwords are kept out of its repr.

    Attributes
    ----------
    tracking_uri, registry_uri
        Stores of MLflow, with their passwords.
    artifact_location
        Folder or URI for the files of runs; ``None`` leaves it to a tracking server.
    experiment
        MLflow experiment.
    default_name
        Name of a model when none is given.
    new_version_alias, in_use_alias
        Alias of every new version, and of the one in use.
    signed_by
        Public keys and identities, one of which must have signed every bundle that is used; any
        bundle is used when there are none.
    sources
        Setting → where its value comes from, in words.
    """

    tracking_uri: str = field(repr=False)
    registry_uri: str = field(repr=False)
    artifact_location: str | None = field(repr=False)
    experiment: str
    default_name: str
    new_version_alias: str
    in_use_alias: str
    signed_by: tuple[Path | Identity, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    @property
    def shown(self) -> str:
        """The registry's URI without its password."""
        return self.hidden(self.registry_uri)

    def hidden(self, text: str) -> str:
        """Return a text without the passwords of the stores."""
        return hide_credentials(text, self.tracking_uri, self.registry_uri)

    def table(self) -> list[tuple[str, str, str]]:
        """List each setting, its value without passwords, and where it comes from."""
        values = {
            "tracking_uri": self.tracking_uri,
            "registry_uri": self.registry_uri,
            "artifact_location": self.artifact_location or "left to the tracking server",
            "experiment": self.experiment,
            "model_names.default": self.default_name,
            "aliases.new_version": self.new_version_alias,
            "aliases.in_use": self.in_use_alias,
            "signed_by": ", ".join(map(str, self.signed_by)) or "nobody; any bundle is used",
        }
        return [
            (name, self.hidden(value), self.sources.get(name, self.sources.get("file", "")))
            for name, value in values.items()
        ]


def registry_settings(location: str | Path | None = None) -> RegistrySettings:
    """Read the settings.

    Parameters
    ----------
    location
        Folder that holds the registry, or an MLflow URI. Without it ``NKPREDICT_HOME`` or the
        data folder of the user is the home, and ``MLFLOW_TRACKING_URI`` and
        ``MLFLOW_REGISTRY_URI`` override ``mlflow.yaml``, which is looked for in the working
        folder and above, then in the installed package. ``NKPREDICT_SIGNED_BY`` overrides its
        ``signed_by``. Files of runs lie beside an SQLite file, where ``mlflow.yaml`` or
        ``NKPREDICT_ARTIFACT_LOCATION`` says for another database, and where a tracking server keeps
        them.

    Raises
    ------
    InputError
        When mlflow.yaml is malformed.
    """
    path, of_file = _settings_file()
    content = _content(path)
    home = str(home_folder() if location is None else Path(location).expanduser().absolute())
    by_home = "NKPREDICT_HOME" if os.environ.get("NKPREDICT_HOME") else "the user's data folder"
    sources = {"file": of_file}

    def placed(key: str) -> str:
        value = str(content[key])
        if "{home}" in value:
            sources[key] = f"{of_file}, {{home}} = {'--registry' if location else by_home}"
        return value.replace("{home}", home)

    tracking, registry = placed("tracking_uri"), placed("registry_uri")
    artifacts: str | None = placed("artifact_location")
    if location is not None and "://" in str(location):
        tracking = registry = str(location)
        sources |= {"tracking_uri": "--registry", "registry_uri": "--registry"}
        # the home of a registry named by its URI is that of the user
        artifacts = str(content["artifact_location"]).replace("{home}", str(home_folder()))
    elif location is None:
        for variable in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):
            value = os.environ.get(variable)
            if value:
                registry, sources["registry_uri"] = value, variable
                if variable == "MLFLOW_TRACKING_URI":
                    tracking, sources["tracking_uri"] = value, variable
    if sources.get("tracking_uri") in ("--registry", "MLFLOW_TRACKING_URI"):
        artifacts, sources["artifact_location"] = _beside(tracking, artifacts, of_file)
    if os.environ.get(_ARTIFACTS):
        artifacts, sources["artifact_location"] = os.environ[_ARTIFACTS], _ARTIFACTS
    if tracking.startswith(_SERVERS):
        artifacts, sources["artifact_location"] = None, "the tracking server"
    signed_by, by = _signed_by(content.get("signed_by") or [], path, home)
    if by is not None:
        sources["signed_by"] = by
    return RegistrySettings(
        tracking_uri=tracking,
        registry_uri=registry,
        artifact_location=artifacts,
        experiment=str(content["experiment"]),
        default_name=str(content["model_names"]["default"]),
        new_version_alias=str(content["aliases"]["new_version"]),
        in_use_alias=str(content["aliases"]["in_use"]),
        signed_by=signed_by,
        sources=sources,
    )


def sqlite_file(uri: str) -> Path | None:
    """Return the file of an SQLite URI, None for any other store."""
    scheme, found, rest = uri.partition(":///")
    if not found or scheme not in ("sqlite", "sqlite+pysqlite"):
        return None
    return Path(rest.partition("?")[0])


def _beside(tracking: str, artifacts: str | None, of_file: str) -> tuple[str | None, str]:
    """Return where files of runs go when the store was named apart from mlflow.yaml."""
    store = sqlite_file(tracking)
    if store is None:
        return artifacts, of_file
    return str(store.absolute().parent / "artifacts"), "beside the store"


def _content(path: Path) -> dict[str, Any]:
    problem = "expected tracking_uri, registry_uri, artifact_location, experiment, model_names "
    problem += "(default) and aliases (new_version, in_use), each a text."
    try:
        content = read_yaml(path)
    except ValueError as error:
        raise InputError(f"{path} is malformed ({error}); {problem}") from None
    lacking = [
        ".".join(keys)
        for keys in (
            ("tracking_uri",),
            ("registry_uri",),
            ("artifact_location",),
            ("experiment",),
            ("model_names", "default"),
            ("aliases", "new_version"),
            ("aliases", "in_use"),
        )
        if not isinstance(_at(content, keys), str)
    ]
    if lacking:
        raise InputError(f"{path} is malformed (no text at {', '.join(lacking)}); {problem}")
    signers = content.get("signed_by") or []
    if not isinstance(signers, list) or not all(isinstance(one, str | dict) for one in signers):
        raise InputError(
            f"{path} is malformed (signed_by is no list of public keys or identities)."
        )
    return dict(content)


def _at(content: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        content = content.get(key) if isinstance(content, dict) else None
    return content


def _settings_file() -> tuple[Path, str]:
    """Return mlflow.yaml and what to call it."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        candidate = folder / "mlflow.yaml"
        if candidate.is_file():
            if folder != here:
                _announce(candidate)
            return candidate, str(candidate)
    return shipped_path("mlflow.yaml"), "the mlflow.yaml that ships with nkpredict"


@cache
def _announce(path: Path) -> None:
    """Say once that a file which the user may not know of decides where models are kept."""
    logging.getLogger("nkpredict").warning(
        "The model registry is taken from %s, above the working folder (nkpredict config show).",
        path,
    )


def _signed_by(
    named: list[str | dict[str, Any]], path: Path, home: str
) -> tuple[tuple[Path | Identity, ...], str | None]:
    """Return who is trusted and what named them; the keys of the environment count alone."""
    given = os.environ.get(_SIGNED_BY)
    if given:
        return tuple(Path(one) for one in given.split(os.pathsep) if one), _SIGNED_BY
    try:
        found = [
            path.parent / one.replace("{home}", home)
            if isinstance(one, str)
            else Identity.from_settings(one, path.parent)
            for one in named
        ]
    except ValueError as error:
        raise InputError(f"{path} is malformed (signed_by: {error}).") from None
    return tuple(found), None


def home_folder() -> Path:
    """Return ``NKPREDICT_HOME``, or the folder where programs of the user keep their data."""
    from platformdirs import user_data_path

    home = os.environ.get("NKPREDICT_HOME")
    return Path(home).expanduser().absolute() if home else user_data_path("nkpredict")
