"""The model registry: versions, aliases and runs, kept by MLflow."""

from __future__ import annotations

import logging
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from nkpredict.errors import InputError, RegistryError, name_some
from nkpredict.registry._bundle import Bundle, load_bundle, read_bundle
from nkpredict.registry._lookup import artifact_folder, sqlite_file
from nkpredict.registry._mlflow_model import write_mlflow_model
from nkpredict.registry._settings import registry_settings
from nkpredict.registry._signing import require_signature, write_signature
from nkpredict.shipped import shipped_path

SHIPPED_MODEL = "screen-prior"
"""Name of the model that ships with the package; it cannot be registered."""

_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")
_REFERENCE = re.compile(r"^(?P<name>[^@/]+)(?:@(?P<alias>[^@/]+)|/(?P<version>\d+))?$")


def is_bundle(reference: str | Path) -> bool:
    """Tell whether a model reference is the path of a bundle folder."""
    return Path(reference).is_dir()


def check_model_name(name: str) -> str:
    """Return the name when MLflow and file systems can carry it.

    Raises
    ------
    InputError
        Otherwise.
    """
    if not _NAME.match(name):
        raise InputError(
            f"The model name {name!r} is not usable; expected letters, digits, dots, hyphens and "
            "underscores, at most 100."
        )
    if name == SHIPPED_MODEL:
        raise InputError(
            f"The model name {name!r} is that of the model which ships with nkpredict; choose "
            "another one."
        )
    return name


class Registry:
    """Models by name, version and alias.

    Parameters
    ----------
    location
        Folder of the registry or MLflow URI; by default what ``mlflow.yaml`` and the environment
        say, see `registry_settings`.

    Examples
    --------
    >>> Registry().load("nk-susceptibility@champion")  # doctest: +SKIP
    """

    def __init__(self, location: str | Path | None = None) -> None:
        self.settings = registry_settings(location)
        self._mlflow_client: Any = None

    def __repr__(self) -> str:
        """Name the store."""
        return f"Registry({self.settings.registry_uri})"

    def load(self, reference: str | Path) -> Bundle:
        """Load a model.

        Parameters
        ----------
        reference
            ``NAME@alias``, ``NAME/version``, ``NAME`` (the version in use), the path of a
            bundle, or ``screen-prior``, which ships with the package.

        Returns
        -------
        Bundle
            With ``registry_version`` in its metadata.

        Raises
        ------
        RegistryError
            When there is no such model, version or alias; the message lists what exists.
        BundleError
            When the files of the model are damaged.
        """
        if is_bundle(reference):
            return load_bundle(reference)
        if str(reference) == SHIPPED_MODEL:
            return read_bundle(shipped_path("models", SHIPPED_MODEL, "bundle"))
        version, folder = self._find(str(reference))
        bundle = load_bundle(folder)
        return replace(bundle, metadata=replace(bundle.metadata, registry_version=version))

    def load_default(self) -> Bundle:
        """Load the model in use under the default name, or the shipped one when none is trained.

        Raises
        ------
        RegistryError
            When models are registered, but none under the default name.
        BundleError
            When the files of the model are damaged.
        """
        name = self.settings.default_name
        try:
            return self.load(name)
        except RegistryError as error:
            # only now is MLflow asked for the others, which takes seconds
            registered = [model["name"] for model in self.models()]
            if not registered:
                return self.load(SHIPPED_MODEL)
            if name in registered:
                raise
            raise RegistryError(
                f"No model was named, and {self.settings.registry_uri} holds none of the default "
                f"name {name!r} but {name_some(registered)}; name one of them with "
                f"--model, or {SHIPPED_MODEL} to score from published screens alone."
            ) from error

    def models(self) -> list[dict[str, Any]]:
        """List registered models: name, versions, aliases, description and tags."""
        if not self._exists():
            return []
        listed = []
        for model in self._client().search_registered_models():
            found = self._client().search_model_versions(f"name = '{model.name}'")
            versions = sorted((int(v.version) for v in found), reverse=True)
            listed.append(
                {
                    "name": model.name,
                    "versions": versions,
                    "aliases": {str(a): int(v) for a, v in model.aliases.items()},
                    "tags": dict(model.tags),
                }
            )
        return listed

    def show(self, reference: str) -> dict[str, Any]:
        """Describe one version: its bundle's metadata, aliases, run and folder."""
        version, folder = self._find(reference)
        bundle = read_bundle(folder)
        name = self._parse(reference)[0]
        aliases = self._client().get_registered_model(name).aliases
        entry = self._client().get_model_version(name, str(version))
        return {
            "name": name,
            "version": version,
            "aliases": sorted(str(a) for a, v in aliases.items() if int(v) == version),
            "run_id": entry.run_id,
            "folder": str(folder),
            "card": (folder / "card.md").read_text(encoding="utf-8"),
            "metadata": bundle.metadata.to_json(),
        }

    def sign(self, reference: str | Path, key: str | Path, password: str | None = None) -> Path:
        """Sign a bundle with a private key; see `nkpredict.registry.load_bundle`.

        Parameters
        ----------
        reference
            Folder of a bundle, or a registered model whose files lie on this disk.
        key
            PEM file with a private key on an elliptic curve.
        password
            Of the key.

        Raises
        ------
        RegistryError
            When there is no such model, or its files lie on a server.
        BundleError
            When the bundle is damaged.
        InputError
            When the key cannot be used, or the extra ``signing`` is not installed.
        """
        if not is_bundle(reference) and sqlite_file(self.settings.registry_uri) is None:
            raise RegistryError(
                f"The files of {reference} lie on {self.settings.registry_uri}; sign the folder of "
                "the bundle before it is registered."
            )
        folder = self._folder(reference)
        read_bundle(folder)  # what is damaged gets no signature
        return write_signature(folder, key, password)

    def verify(self, reference: str | Path, keys: Sequence[str | Path]) -> Path:
        """Return which of some public keys has signed a bundle as it stands.

        Raises
        ------
        RegistryError
            When there is no such model.
        BundleError
            When the bundle is damaged, or signed by none of them.
        InputError
            When a key cannot be read, or the extra ``signing`` is not installed.
        """
        folder = self._folder(reference)
        read_bundle(folder)
        return require_signature(folder, [Path(key) for key in keys])

    def _folder(self, reference: str | Path) -> Path:
        return Path(reference) if is_bundle(reference) else self._find(str(reference))[1]

    def promote(self, reference: str) -> int:
        """Make a version the one in use (alias ``champion``) and return its number."""
        version, _ = self._find(reference)
        name = self._parse(reference)[0]
        self._client().set_registered_model_alias(name, self.settings.in_use_alias, str(version))
        return version

    def register(
        self,
        bundle: str | Path,
        name: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        metrics: Mapping[str, float] | None = None,
        tags: Mapping[str, str] | None = None,
        artifacts: Sequence[str | Path] = (),
    ) -> int:
        """Log a run with its parameters, metrics and files, and register the bundle.

        Parameters
        ----------
        bundle
            Folder written by `save_bundle`.
        name
            Name to register it under.
        parameters, metrics, tags
            Logged to the run.
        artifacts
            Files or folders logged beside the model.

        Returns
        -------
        int
            The new version. It gets the alias for new versions, and the one for the version in
            use when there is none yet.
        """
        mlflow = _mlflow()
        check_model_name(name)
        loaded = read_bundle(bundle)  # a damaged bundle never enters the registry
        client = self._client()
        run = client.create_run(self._experiment(client), run_name=name, tags=dict(tags or {}))
        run_id = run.info.run_id
        try:
            for key, value in (parameters or {}).items():
                client.log_param(run_id, key, str(value)[:5000])
            for key, number in (metrics or {}).items():
                client.log_metric(run_id, key, float(number))
            for path in artifacts:
                if Path(path).is_dir():
                    client.log_artifacts(run_id, str(path), Path(path).name)
                else:
                    client.log_artifact(run_id, str(path))
            with tempfile.TemporaryDirectory() as temporary:
                folder = Path(temporary) / "model"
                write_mlflow_model(mlflow, folder, bundle, loaded)
                client.log_artifacts(run_id, str(folder), "model")
            version = self._add_version(client, name, run_id, loaded)
        except BaseException:
            client.set_terminated(run_id, "FAILED")
            raise
        client.set_terminated(run_id)
        return version

    def _add_version(self, client: Any, name: str, run_id: str, bundle: Bundle) -> int:
        from mlflow.exceptions import MlflowException

        marks = {"simulated": str(bundle.simulated).lower()}
        try:
            client.create_registered_model(name, tags=marks)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        source = f"{client.get_run(run_id).info.artifact_uri}/model"
        entry = client.create_model_version(
            name, source, run_id=run_id, tags=marks, await_creation_for=0
        )
        aliases = client.get_registered_model(name).aliases
        wanted = [self.settings.new_version_alias]
        if self.settings.in_use_alias not in aliases:
            wanted.append(self.settings.in_use_alias)
        for alias in wanted:
            client.set_registered_model_alias(name, alias, entry.version)
        return int(entry.version)

    def _parse(self, reference: str) -> tuple[str, str | None, int | None]:
        match = _REFERENCE.match(reference)
        if match is None:
            raise RegistryError(
                f"{reference!r} is neither a bundle folder nor a model reference; expected "
                "NAME@champion, NAME/3 or the path of a bundle."
            )
        version = None if match["version"] is None else int(match["version"])
        alias = match["alias"]
        if alias is None and version is None:
            alias = self.settings.in_use_alias
        return match["name"], alias, version

    def _find(self, reference: str) -> tuple[int, Path]:
        name, alias, version = self._parse(reference)
        store = sqlite_file(self.settings.registry_uri)
        if store is not None and store.is_file():
            found = artifact_folder(store, name, alias=alias, version=version)
            if found is not None:
                return found[0], _data_folder(found[1])
        return self._find_through_mlflow(reference, name, alias, version)

    def _find_through_mlflow(
        self, reference: str, name: str, alias: str | None, version: int | None
    ) -> tuple[int, Path]:
        if not self._exists():
            raise RegistryError(
                f"There is no model {reference!r}: the registry {self.settings.registry_uri} is "
                "empty. Train a model first, or name another registry (--registry)."
            )
        mlflow = _mlflow()
        from mlflow.exceptions import MlflowException

        client = self._client()
        try:
            if alias is not None:
                entry = client.get_model_version_by_alias(name, alias)
            else:
                entry = client.get_model_version(name, str(version))
            folder = mlflow.artifacts.download_artifacts(
                artifact_uri=entry.source, tracking_uri=self.settings.tracking_uri
            )
        except MlflowException as error:
            known = [
                f"{m['name']} (versions {', '.join(map(str, m['versions']))}; aliases "
                f"{', '.join(m['aliases']) or 'none'})"
                for m in self.models()
            ]
            raise RegistryError(
                f"There is no model {reference!r} in {self.settings.registry_uri}; it has "
                f"{name_some(known, 10) or 'no models yet'}."
            ) from error
        return int(entry.version), _data_folder(Path(folder))

    def _exists(self) -> bool:
        store = sqlite_file(self.settings.registry_uri)
        return store is None or store.is_file()

    def _experiment(self, client: Any) -> str:
        found = client.get_experiment_by_name(self.settings.experiment)
        if found is not None:
            return str(found.experiment_id)
        return str(
            client.create_experiment(
                self.settings.experiment, artifact_location=self.settings.artifact_location
            )
        )

    def _client(self) -> Any:
        if self._mlflow_client is None:
            mlflow = _mlflow()
            for uri in (self.settings.tracking_uri, self.settings.registry_uri):
                store = sqlite_file(uri)
                if store is not None:
                    store.parent.mkdir(parents=True, exist_ok=True)
            self._mlflow_client = mlflow.MlflowClient(
                self.settings.tracking_uri, self.settings.registry_uri
            )
        return self._mlflow_client


def _mlflow() -> Any:
    # Nothing about a lab's work is sent anywhere unless the user asks MLflow to.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    # MLflow tells of every database migration; a user need not know.
    for logger in ("mlflow", "alembic"):
        logging.getLogger(logger).setLevel(logging.ERROR)
    import mlflow

    return mlflow


def _data_folder(model: Path) -> Path:
    # MLflow keeps the bundle below the model folder as its data.
    for candidate in sorted(model.glob("data/**/bundle.json")):
        return candidate.parent
    raise RegistryError(f"The registered model at {model} holds no nkpredict bundle.")
