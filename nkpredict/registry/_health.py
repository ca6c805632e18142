"""Whether a registry can be opened, read and written, and what to do where it cannot."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nkpredict.errors import NKPredictError, RegistryError, name_some
from nkpredict.facts import ModelFacts
from nkpredict.registry._connection import bundles_below, made_anew
from nkpredict.registry._description import read_description
from nkpredict.registry._files import local_folder
from nkpredict.registry._index import index_file, read_index
from nkpredict.registry._reference import SHIPPED_MODEL
from nkpredict.registry._run import BUNDLE_TAG, settle_abandoned
from nkpredict.registry._settings import sqlite_file
from nkpredict.registry._store import Registry

_LITTLE_SPACE = 1_000_000_000
"""Bytes below which a disk is called nearly full; set by hand."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes
    ----------
    name
        What.
    passed
        Whether it is as it should be.
    detail
        What was found, and the way out when it is not.
    """

    name: str
    passed: bool
    detail: str


def check_registry(location: str | Path | None = None) -> list[Check]:
    """Look at everything that models are registered in; nothing is changed.

    Parameters
    ----------
    location
        As for `Registry`.

    Returns
    -------
    list of Check
        Store, rights, space, and when the store opens the versions and runs in it.
    """
    store = Registry(location)
    settings = store.settings
    checks = [*_rights(store)]
    if not store.connection.exists:
        return [
            Check("store", True, f"{settings.shown} is not there yet; training makes it"),
            *checks,
        ]
    try:
        client = store.connection.client()
        models = store.models()
        experiment = client.get_experiment_by_name(settings.experiment)
    except NKPredictError as error:
        return [Check("store", False, str(error)), *checks]
    index = index_file(settings.registry_uri)
    if index is not None:
        fresh = read_index(settings.registry_uri) is not None
        told = "fresh" if fresh else "stale; the next command makes it anew"
        checks.append(Check("index", True, told))
    versions = sum(len(model["versions"]) for model in models)
    found = f"{settings.shown} opens; {len(models)} models, {versions} versions"
    checks.insert(0, Check("store", True, found))
    checks += _versions(store)
    if experiment is not None:
        running = client.search_runs(
            [experiment.experiment_id],
            f"attributes.status = 'RUNNING' AND tags.`{BUNDLE_TAG}` LIKE '%'",
        )
        told = "none was cut short"
        if running:
            told = f"{len(running)} at work or cut short; --mend ends those that were killed"
        checks.append(Check("registrations", True, told))
    return checks


def mend_registry(location: str | Path | None = None) -> list[str]:
    """Mend what was cut short: runs, the index, and a damaged SQLite file.

    A damaged file is kept under another name, a new one takes its place, and every bundle among the
    files of runs is registered again, the oldest first. Aliases and history are lost with the file.

    Parameters
    ----------
    location
        As for `Registry`.

    Returns
    -------
    list of str
        Sentences on what was done.

    Raises
    ------
    RegistryError
        When the store cannot be reached, or cannot be mended.
    """
    store = Registry(location)
    try:
        return _settled(store)
    except RegistryError:
        file = sqlite_file(store.settings.registry_uri)
        if file is None or not file.is_file() or not store.connection.is_damaged():
            raise
    with store.connection.explained(), store.connection.locked():
        aside = made_anew(file)
        done = [f"The damaged file is now {aside}."]
        fresh = Registry(location)
        fresh.connection.adopt_lock()
        for folder in bundles_below(store.settings):
            done.append(_registered_again(fresh, folder))
    return [*done, "The first version of each name is in use; see nkpredict models promote."]


def _settled(store: Registry) -> list[str]:
    if not store.connection.exists:
        return ["There is nothing to mend: the registry is not there yet."]
    with store.connection.explained(), store.connection.locked():
        client = store.connection.client()
        experiment = client.get_experiment_by_name(store.settings.experiment)
        if experiment is not None:
            settle_abandoned(client, experiment.experiment_id)
        store.refresh()
    return ["The registry opens; runs that were killed are ended and the index is new."]


def _registered_again(store: Registry, folder: Path) -> str:
    try:
        facts = ModelFacts.from_json(read_description(folder).metadata)
        name = facts.name or store.settings.default_name
        name = store.settings.default_name if name == SHIPPED_MODEL else str(name)
        return f"{folder} is {name}/{store.register(folder, name)}."
    except NKPredictError as error:
        return f"{folder} could not be registered: {error}"


def _rights(store: Registry) -> Iterator[Check]:
    places = {"registry folder": sqlite_file(store.settings.registry_uri)}
    files = store.settings.artifact_location
    if files is not None and "://" not in files.removeprefix("file://"):
        places["files of models"] = Path(files.removeprefix("file://")) / "any"
    for name, place in places.items():
        if place is None:
            continue
        folder = next(parent for parent in place.absolute().parents if parent.exists())
        writable = os.access(folder, os.W_OK)
        free = shutil.disk_usage(folder).free
        told = f"{place.parent}, {free / 1e9:.1f} GB free"
        if not writable:
            told += "; it cannot be written: models can be read, not registered"
        elif free < _LITTLE_SPACE:
            told += "; free some space before training"
        yield Check(name, writable and free >= _LITTLE_SPACE, told)


def _versions(store: Registry) -> Iterator[Check]:
    lost, idle = [], []
    for name, model in store.entries().items():
        places = {number: local_folder(entry) for number, entry in model.versions.items()}
        lost += [f"{name}/{n}" for n, place in places.items() if place and not place.is_dir()]
        if model.versions and store.settings.in_use_alias not in model.aliases:
            idle.append(name)
    told = f"{name_some(lost)}: files are not where they were registered; mount their folder"
    yield Check("files of versions", not lost, told if lost else "all there")
    if idle:
        told = (
            f"{name_some(idle)} without one; nkpredict models promote NAME/N --force --reason ..."
        )
        yield Check("version in use", False, told)
