"""The model registry: versions, aliases and runs, kept by MLflow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nkpredict.errors import InputError, RegistryError, name_some
from nkpredict.registry._connection import Connection
from nkpredict.registry._description import read_description
from nkpredict.registry._files import check_same, files_of, local_folder
from nkpredict.registry._index import Entry, Model, read_index, write_index
from nkpredict.registry._lookup import look_up, names_of
from nkpredict.registry._promotion import (
    HISTORY_TAG,
    Comparison,
    add_event,
    compare,
    history_of,
    version_before,
)
from nkpredict.registry._reference import (
    SHIPPED_MODEL,
    check_model_name,
    is_bundle,
    unknown,
)
from nkpredict.registry._registering import register
from nkpredict.registry._run import RunRecord
from nkpredict.registry._settings import registry_settings
from nkpredict.shipped import shipped_path

if TYPE_CHECKING:
    # loading bundles takes the learners' libraries, which listing models need not wait for
    from nkpredict.registry._bundle import Bundle
    from nkpredict.registry._signers import Identity, SignsWith
    from nkpredict.registry._verified import Verified


class Registry:
    """Models by name, version and alias.

    Any number of processes may use a registry at once. What a tracking server or a database
    cannot do ends in a `RegistryError` of one sentence, which never holds a password.

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
        self.connection = Connection(self.settings)

    def __repr__(self) -> str:
        """Name the store, without its password."""
        return f"Registry({self.settings.shown})"

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
            When the files of the model are damaged, or not those that were registered.
        """
        from nkpredict.registry._bundle import load_bundle, read_bundle

        if is_bundle(reference):
            return load_bundle(reference)
        if str(reference) == SHIPPED_MODEL:
            return read_bundle(shipped_path("models", SHIPPED_MODEL, "bundle"))
        name, entry = self.find(str(reference))
        with files_of(self.connection, name, entry) as folder:
            bundle = load_bundle(folder)
        check_same(name, entry, str(bundle.metadata.sha256))
        return replace(bundle, metadata=replace(bundle.metadata, registry_version=entry.version))

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
        registered = names_of(self.connection, self.entries)
        if not registered:
            return self.load(SHIPPED_MODEL)
        if name in registered:
            return self.load(name)
        raise RegistryError(
            f"No model was named, and {self.settings.shown} holds none of the default "
            f"name {name!r} but {name_some(registered)}; name one of them with "
            f"--model, or {SHIPPED_MODEL} to score from published screens alone."
        )

    def models(self) -> list[dict[str, Any]]:
        """List registered models: name, versions, aliases, description and tags."""
        return [
            {
                "name": name,
                "versions": sorted(model.versions, reverse=True),
                "aliases": dict(model.aliases),
                "tags": {k: v for k, v in model.tags.items() if not k.startswith(HISTORY_TAG)},
            }
            for name, model in self.entries().items()
        ]

    def show(self, reference: str) -> dict[str, Any]:
        """Describe one version: its bundle's metadata, aliases, history, run and folder."""
        name, entry = self.find(reference)
        with files_of(self.connection, name, entry) as folder:
            described = read_description(folder)
        model = self.entries()[name]
        return {
            "name": name,
            "version": entry.version,
            "aliases": sorted(a for a, v in model.aliases.items() if v == entry.version),
            "run_id": entry.run_id,
            "folder": self.settings.hidden(str(folder) if local_folder(entry) else entry.source),
            "card": described.card,
            "metadata": described.metadata,
            "history": [e for e in history_of(model) if e["version"] == entry.version],
        }

    def open(self) -> None:
        """Open the store, or make it, so that hours of work are not lost to one that is gone.

        Raises
        ------
        RegistryError
            When it cannot be opened.
        """
        self.connection.client()

    def refresh(self) -> None:
        """Make the index anew."""
        write_index(self.settings.registry_uri, self.connection.client())

    def history(self, name: str) -> list[dict[str, Any]]:
        """Return which versions were in use, the oldest first; see `promote`.

        Raises
        ------
        RegistryError
            When there is no such model.
        """
        models = self.entries()
        if name not in models:
            raise unknown(name, models, self.settings)
        return history_of(models[name])

    def verify(self, reference: str | Path, keys: Sequence[str | Path | Identity] = ()) -> Verified:
        """Check every file of a model, the whole against the registry, and who signed it.

        Parameters
        ----------
        reference
            As for `load`.
        keys
            Public keys and identities, one of which must have signed it; default ``signed_by``.

        Raises
        ------
        RegistryError, BundleError
            As `load`; also when none of the keys has signed it.
        InputError
            When a key cannot be read, Sigstore not be reached, or ``signing`` is not installed.
        """
        from nkpredict.registry._verified import verified

        return verified(self, reference, keys)

    def sign(self, reference: str | Path, key: SignsWith, password: str | None = None) -> Path:
        """Sign the folder of a bundle, or a registered model on this disk; see `load_bundle`.

        Parameters
        ----------
        reference
            As for `load`.
        key, password
            PEM file with a private key and its password; or how to sign without one.

        Raises
        ------
        RegistryError, BundleError
            When there is no such model, its files lie on a server, or it is damaged.
        InputError
            When the key cannot be used, Sigstore not be reached, or ``signing`` is not installed.
        """
        from nkpredict.registry._verified import sign

        return sign(self, reference, key, password)

    def compare(self, current: str, other: str) -> Comparison:
        """Hold two versions against each other; see `Comparison`."""
        return compare(self.show(current)["metadata"], self.show(other)["metadata"])

    def promote(self, reference: str, *, force: bool = False, reason: str | None = None) -> int:
        """Make a version the one in use (alias ``champion``) and return its number.

        Parameters
        ----------
        reference
            Which version.
        force, reason
            Promote it although it is not better on the same unseen samples and folds, and why.

        Raises
        ------
        RegistryError
            When there is no such version, or it is not better and ``force`` was not asked.
        InputError
            When it is forced without a reason.
        """
        if force and not reason:
            raise InputError("A forced promotion needs a reason (--reason); it is kept.")
        with self.connection.explained(), self.connection.locked():
            name, entry = self.find(reference)
            model = self.entries()[name]
            current = model.aliases.get(self.settings.in_use_alias)
            if current == entry.version:
                return entry.version
            if current in model.versions and not force:
                found = self.compare(f"{name}/{current}", f"{name}/{entry.version}")
                if not found.better:
                    raise RegistryError(
                        f"{name}/{entry.version} is not promoted past {name}/{current}: "
                        f"{found.sentence}. Promote it all the same with --force --reason TEXT."
                    )
                reason = reason or found.sentence
            event = "forced" if force else "promoted"
            self._put_in_use(name, model, event, entry.version, reason)
        return entry.version

    def rollback(self, name: str, *, reason: str | None = None) -> int:
        """Put the version back that was in use before, and return its number.

        Raises
        ------
        RegistryError
            When there is no such model, or no earlier version that is still there.
        """
        with self.connection.explained(), self.connection.locked():
            models = self.entries()
            if name not in models:
                raise unknown(name, models, self.settings)
            version = version_before(models[name], self.settings.in_use_alias)
            if version is None:
                raise RegistryError(
                    f"No other version of {name} was in use before; promote one of "
                    f"{name_some(sorted(models[name].versions))} instead."
                )
            self._put_in_use(name, models[name], "rolled back", version, reason)
        return version

    def delete(self, reference: str, *, reason: str | None = None) -> int:
        """Take a version that is not in use out of the registry, and return its number.

        Its run is marked as deleted; ``mlflow gc`` removes the files.

        Raises
        ------
        RegistryError
            When there is no such version, or it is the one in use.
        """
        with self.connection.explained(), self.connection.locked():
            name, entry = self.find(reference)
            model = self.entries()[name]
            if model.aliases.get(self.settings.in_use_alias) == entry.version:
                raise RegistryError(
                    f"{name}/{entry.version} is in use ({self.settings.in_use_alias}) and is not "
                    "deleted; promote another version first."
                )
            client = self.connection.client()
            alias = self.settings.in_use_alias
            add_event(client, name, model, "deleted", entry.version, reason, alias)
            client.delete_model_version(name, str(entry.version))
            if entry.run_id:
                client.delete_run(entry.run_id)
            self.refresh()
        return entry.version

    def export(self, reference: str, folder: str | Path) -> Path:
        """Copy the bundle of a version into a folder, checked, and return the folder.

        Raises
        ------
        InputError
            When the folder is there already.
        RegistryError, BundleError
            As `load`.
        """
        import shutil

        from nkpredict.io import atomic_folder

        if Path(folder).exists():
            raise InputError(f"{folder} is there already; name a folder that is not.")
        name, entry = self.find(reference)
        with files_of(self.connection, name, entry) as source, atomic_folder(folder) as temporary:
            shutil.copytree(source, temporary, dirs_exist_ok=True)
            check_same(name, entry, self.verify(temporary).sha256)
        return Path(folder)

    def register(self, bundle: str | Path, name: str, record: RunRecord | None = None) -> int:
        """Log a run with its parameters, metrics and files, and register the bundle.

        A bundle that is registered under this name already keeps its version, and nothing is logged
        again; so a registration that was killed is simply repeated.

        Parameters
        ----------
        bundle
            Folder written by `save_bundle`.
        name
            Name to register it under.
        record
            What is logged beside it.

        Returns
        -------
        int
            The version. A new one gets the alias for new versions, and the one for the version in
            use when there is none yet.

        Raises
        ------
        InputError
            When the name is not usable.
        BundleError
            When the bundle is damaged; it never enters the registry.
        RegistryError
            When the registry cannot be written.
        """
        from nkpredict.registry._bundle import read_bundle

        check_model_name(name)
        read_bundle(bundle)
        record = record or RunRecord()
        with self.connection.explained(), self.connection.locked():
            known = self.entries().get(name)
            version = register(self.connection, known, name, Path(bundle), record)
            self.refresh()
        return version

    def _put_in_use(
        self, name: str, model: Model, event: str, version: int, reason: str | None
    ) -> None:
        client = self.connection.client()
        alias = self.settings.in_use_alias
        add_event(client, name, model, event, version, reason, alias)
        client.set_registered_model_alias(name, alias, str(version))
        self.refresh()

    def entries(self) -> dict[str, Model]:
        """Return everything that is registered: of the index, or of MLflow when that is stale."""
        if not self.connection.exists:
            return {}
        known = read_index(self.settings.registry_uri)
        if known is not None:
            return known
        with self.connection.explained():
            return write_index(self.settings.registry_uri, self.connection.reader())

    def find(self, reference: str) -> tuple[str, Entry]:
        """Return the name and the version that a reference means, without loading the model.

        Raises
        ------
        RegistryError
            When there is no such version; the message lists what exists.
        """
        return look_up(self.connection, reference, self.entries)
