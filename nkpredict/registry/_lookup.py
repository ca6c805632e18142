"""Look a model version up in MLflow's SQLite store without importing MLflow.

Importing MLflow and opening its client takes seconds, looking two rows up takes none. Only reading
happens here; anything that is not found or not understood is left to MLflow itself.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import quote


def sqlite_file(uri: str) -> Path | None:
    """Return the file of a ``sqlite:///`` URI, None for any other store."""
    prefix = "sqlite:///"
    return Path(uri.removeprefix(prefix)) if uri.startswith(prefix) else None


def artifact_folder(
    store: Path, name: str, *, alias: str | None = None, version: int | None = None
) -> tuple[int, Path] | None:
    """Find the version and the local folder of a registered model.

    Parameters
    ----------
    store
        SQLite file of MLflow.
    name
        Registered model.
    alias, version
        Either of them.

    Returns
    -------
    tuple of int and pathlib.Path, or None
        None when there is no such version, the store has another layout, or the model is not on
        this disk.
    """
    try:
        connection = sqlite3.connect(f"file:{quote(str(store))}?mode=ro", uri=True)
    except sqlite3.Error:
        return None
    try:
        if alias is not None:
            row = connection.execute(
                "SELECT version FROM registered_model_aliases WHERE name = ? AND alias = ?",
                (name, alias),
            ).fetchone()
            if row is None:
                return None
            version = int(row[0])
        row = connection.execute(
            "SELECT source FROM model_versions WHERE name = ? AND version = ? "
            "AND current_stage <> 'Deleted_Internal'",
            (name, version),
        ).fetchone()
    except sqlite3.Error:
        return None
    finally:
        connection.close()
    if row is None or version is None:
        return None
    folder = Path(str(row[0]).removeprefix("file://"))
    return (version, folder) if folder.is_dir() else None
