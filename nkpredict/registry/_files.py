"""The files of a registered version: on this disk, or fetched for as long as they are needed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote

from nkpredict.errors import BundleError, RegistryError
from nkpredict.registry._connection import Connection, import_mlflow
from nkpredict.registry._index import Entry
from nkpredict.registry._run import BUNDLE_TAG


@contextmanager
def files_of(connection: Connection, name: str, entry: Entry) -> Iterator[Path]:
    """Yield the folder of a version's bundle; what had to be fetched is removed again.

    Parameters
    ----------
    connection
        To the registry.
    name, entry
        The version.

    Yields
    ------
    Path
        Folder of the bundle.

    Raises
    ------
    RegistryError
        When its files are not where they were registered, or cannot be fetched.
    """
    local = local_folder(entry)
    if local is not None:
        if not local.is_dir():
            raise RegistryError(
                f"The files of {name}/{entry.version} are not at {local}; mount the folder that "
                "they were registered in, or keep new models where every machine finds them "
                "(NKPREDICT_ARTIFACT_LOCATION)."
            )
        yield _bundle_in(local)
        return
    with tempfile.TemporaryDirectory(prefix="nkpredict-") as temporary:
        with connection.explained():
            fetched = _fetched(connection, name, entry, Path(temporary))
        yield _bundle_in(fetched)


def _fetched(connection: Connection, name: str, entry: Entry, folder: Path) -> Path:
    server = connection.server
    if server is not None and server.uri == connection.settings.tracking_uri.rstrip("/"):
        found = server.fetched(entry.source, folder)
        if found is not None:
            return found
    return Path(
        import_mlflow().artifacts.download_artifacts(
            artifact_uri=connection.client().get_model_version_download_uri(
                name, str(entry.version)
            ),
            dst_path=str(folder),
            tracking_uri=connection.settings.tracking_uri,
        )
    )


def local_folder(entry: Entry) -> Path | None:
    """Return the folder of a version that lies on this disk or one that is mounted, else None."""
    if entry.source.startswith("file://"):
        return Path(unquote(entry.source.removeprefix("file://")))
    return None if ":/" in entry.source[:20] else Path(entry.source)


def require_local(name: str, entry: Entry) -> None:
    """Refuse to change a version whose files lie on a server.

    Raises
    ------
    RegistryError
        When they do.
    """
    if local_folder(entry) is None:
        raise RegistryError(
            f"The files of {name}/{entry.version} lie on a server; sign the folder of the bundle "
            "before it is registered."
        )


def check_same(name: str, entry: Entry, digest: str) -> None:
    """Compare a bundle with what was registered.

    Parameters
    ----------
    name, entry
        The version.
    digest
        SHA-256 of the bundle that was found.

    Raises
    ------
    BundleError
        When it is another one.
    """
    if digest != entry.tags.get(BUNDLE_TAG, digest):
        raise BundleError(
            f"The files of {name}/{entry.version} are whole, but not those that were registered; "
            "put them back, or import them as a new version (nkpredict models import)."
        )


def _bundle_in(model: Path) -> Path:
    # MLflow keeps the bundle below the model folder as its data.
    for candidate in sorted(model.glob("data/**/bundle.json")):
        return candidate.parent
    raise RegistryError(f"The registered model at {model} holds no nkpredict bundle.")
