"""A small index of the registry beside its SQLite file, so that a look-up need not wait for MLflow.

Importing MLflow and opening its store takes seconds, reading this file takes none. It is written
under the lock after every change, and carries the size, age and change counter of the store: when
anybody else has written to the store since, the index is stale and made anew through MLflow.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from nkpredict.registry._settings import sqlite_file

_FORMAT = 1
_PAGE = 1000


@dataclass(frozen=True)
class Entry:
    """One registered version.

    Attributes
    ----------
    version
        Its number.
    run_id
        Its MLflow run.
    source
        Where its files are: a folder or a URI.
    created
        Milliseconds since 1970.
    tags
        As they were set when it was registered.
    """

    version: int
    run_id: str | None
    source: str
    created: int
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Model:
    """One registered name: its versions by number, aliases and tags."""

    versions: dict[int, Entry]
    aliases: dict[str, int]
    tags: dict[str, str]

    def at(self, alias: str | None, version: int | None) -> Entry | None:
        """Return the version with an alias or a number, None when there is none."""
        number = version if alias is None else self.aliases.get(alias)
        return None if number is None else self.versions.get(number)


def index_file(registry_uri: str) -> Path | None:
    """Return the file of the index, None for a store on a server, which has none."""
    store = sqlite_file(registry_uri)
    return None if store is None else store.with_name(f"{store.name}.index.json")


def stamp(store: Path) -> list[int]:
    """Return what changes with every write to an SQLite file: size, times and change counter."""
    parts: list[int] = []
    for file in (store, Path(f"{store}-wal")):
        try:
            state = file.stat()
            parts += [state.st_size, state.st_mtime_ns, state.st_ino]
        except FileNotFoundError:
            parts += [0, 0, 0]
    with store.open("rb") as stream:
        stream.seek(24)  # https://www.sqlite.org/fileformat.html, "File change counter"
        parts.append(int.from_bytes(stream.read(4), "big"))
    return parts


def read_index(registry_uri: str) -> dict[str, Model] | None:
    """Read the index.

    Parameters
    ----------
    registry_uri
        URI of the store.

    Returns
    -------
    dict of str to Model, or None
        None when there is none, it is older than the store, or it is not understood.
    """
    file, store = index_file(registry_uri), sqlite_file(registry_uri)
    if file is None or store is None:
        return None
    try:
        content = json.loads(file.read_bytes())
        if content["format"] != _FORMAT or content["stamp"] != stamp(store):
            return None
        return {name: _model(model) for name, model in content["models"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def write_index(registry_uri: str, client: Any) -> dict[str, Model]:
    """Ask MLflow for everything that is registered, and keep the answer where it can be kept.

    Parameters
    ----------
    registry_uri
        URI of the store.
    client
        MLflow client of it.

    Returns
    -------
    dict of str to Model
        By name.
    """
    file, store = index_file(registry_uri), sqlite_file(registry_uri)
    # taken before asking: what is written meanwhile makes the index stale, not wrong
    before = None if store is None else stamp(store)
    models = _asked(client)
    if file is not None:
        # the room loads what reading files needs, which asking a server does not
        from nkpredict.io import write_text

        content = {
            "format": _FORMAT,
            "stamp": before,
            "models": {name: asdict(model) for name, model in models.items()},
        }
        with contextlib.suppress(OSError):  # a folder that can only be read has no index
            write_text(file, json.dumps(content, indent=1, sort_keys=True))
    return models


def _asked(client: Any) -> dict[str, Model]:
    versions: dict[str, dict[int, Entry]] = {}
    for found in pages(client.search_model_versions):
        entry = entry_of(found)
        versions.setdefault(str(found.name), {})[entry.version] = entry
    return {
        str(model.name): Model(
            versions=dict(sorted(versions.get(str(model.name), {}).items())),
            aliases={str(alias): int(number) for alias, number in model.aliases.items()},
            tags={str(key): str(value) for key, value in model.tags.items()},
        )
        for model in pages(client.search_registered_models)
    }


def entry_of(version: Any) -> Entry:
    """Return a version as MLflow describes it."""
    return Entry(
        version=int(version.version),
        run_id=version.run_id,
        source=str(version.source),
        created=int(version.creation_timestamp or 0),
        tags={str(key): str(value) for key, value in version.tags.items()},
    )


def pages(search: Any) -> Iterator[Any]:
    """Yield everything that a search of MLflow finds, page by page."""
    token = None
    while True:
        page = search(max_results=_PAGE, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _model(content: Mapping[str, Any]) -> Model:
    return Model(
        versions={int(n): Entry(**entry) for n, entry in content["versions"].items()},
        aliases={str(alias): int(number) for alias, number in content["aliases"].items()},
        tags=dict(content["tags"]),
    )
