"""Which version a reference means: from the index, or asked for alone where a server has none."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from nkpredict.registry._connection import Connection
from nkpredict.registry._index import Entry, Model, entry_of, index_file, pages
from nkpredict.registry._reference import parts_of, unknown

_NOT_THERE = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
"""Codes of MLflow for a name, a version or an alias that it does not have."""


def look_up(
    connection: Connection, reference: str, entries: Callable[[], Mapping[str, Model]]
) -> tuple[str, Entry]:
    """Return the name and the version that a reference means.

    Parameters
    ----------
    connection
        To the registry.
    reference
        ``NAME@alias``, ``NAME/version`` or ``NAME``, the version in use.
    entries
        Returns everything that is registered; on a server that takes long when it is much, so it
        is asked there only for what is not found.

    Raises
    ------
    RegistryError
        When it is no reference, or there is no such version; the message lists what exists.
    """
    settings = connection.settings
    name, alias, version = parts_of(reference, settings)
    if index_file(settings.registry_uri) is None:
        with connection.explained():
            found = _asked(connection.reader(), name, alias, version)
        if found is not None:
            return name, found
    models = entries()
    entry = models[name].at(alias, version) if name in models else None
    if entry is None:
        raise unknown(reference, models, settings)
    return name, entry


def names_of(connection: Connection, entries: Callable[[], Mapping[str, Model]]) -> Collection[str]:
    """Return the names that are registered, without their versions where a server keeps them."""
    if index_file(connection.settings.registry_uri) is not None:
        return entries().keys()
    with connection.explained():
        return [str(model.name) for model in pages(connection.reader().search_registered_models)]


def _asked(reader: Any, name: str, alias: str | None, version: int | None) -> Entry | None:
    try:
        if alias is not None:
            return entry_of(reader.get_model_version_by_alias(name, alias))
        return entry_of(reader.get_model_version(name, str(version)))
    except Exception as error:
        # by its code: the class of MLflow's errors costs the import of MLflow
        if getattr(error, "error_code", None) not in _NOT_THERE:
            raise
        return None
