"""The way to MLflow: opened once, created whole, locked for writing, its errors told in a sentence.

MLflow makes the tables of a new SQLite file step by step in the file itself; two processes at once,
or one that is killed, leave a file that nobody can open again. So a new file is made beside its
place, under a lock, and renamed. See docs/decisions/026.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from nkpredict.errors import NKPredictError, RegistryError
from nkpredict.registry._failures import is_foreign, kind_of, sentence_of
from nkpredict.registry._server import CONNECTING, Server, server_of
from nkpredict.registry._settings import RegistrySettings, home_folder, sqlite_file

_PATIENCE = 600
"""Seconds to wait for another process that writes to the registry; set by hand."""
_ADVISORY_KEY = int.from_bytes(b"nkpredic", "big") >> 1
"""Any number that no other program locks a database by."""
_CREATING = ".creating-"


class Connection:
    """One MLflow client for the stores of some settings.

    Parameters
    ----------
    settings
        Where the stores are.
    """

    def __init__(self, settings: RegistrySettings) -> None:
        self.settings = settings
        self._opened: Any = None
        self._held = 0

    @property
    def exists(self) -> bool:
        """Whether there is a store; one on a server is taken to be there."""
        store = sqlite_file(self.settings.registry_uri)
        return store is None or (store.is_file() and store.stat().st_size > 0)

    def client(self) -> Any:
        """Return the MLflow client; a store that is not there yet is made.

        Raises
        ------
        RegistryError
            When a store cannot be reached, opened or made.
        """
        if self._opened is None:
            with self.explained(wholly=True), self.locked():
                self._opened = self._open()
        return self._opened

    @cached_property
    def server(self) -> Server | None:
        """How to read from a tracking server without MLflow; None for all other stores."""
        return server_of(self.settings.registry_uri)

    def reader(self) -> Any:
        """Return what tells models and versions in the cheapest way.

        Raises
        ------
        RegistryError
            As `client`.
        """
        return self.server or self.client()

    def is_damaged(self) -> bool:
        """Whether the store is there and was cut short or altered, so that nobody can open it."""
        try:
            with self.locked():
                self._opened = self._open()
        except Exception as error:
            return kind_of(error) == "damaged"
        return False

    def adopt_lock(self) -> None:
        """Write without asking for the lock, which another connection of this process holds."""
        self._held = 1

    @contextmanager
    def explained(self, *, wholly: bool = False) -> Iterator[None]:
        """Turn what MLflow, a database or the network raises into one sentence without passwords.

        Parameters
        ----------
        wholly
            Also what seems to be a mistake in our own code: drivers raise any error for a URI that
            they do not understand.

        Raises
        ------
        RegistryError
            In place of any error that is not nkpredict's own.
        """
        try:
            yield
        except NKPredictError:
            raise
        except Exception as error:
            if not wholly and not is_foreign(error):
                raise
            # not chained: what a driver raises may quote the URI with its password
            raise RegistryError(sentence_of(error, self.settings)) from None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let one process at a time write; of an SQLite file by a lock file, in PostgreSQL there.

        Raises
        ------
        RegistryError
            When another process holds the lock for ten minutes.
        """
        if self._held:
            self._held += 1
            try:
                yield
            finally:
                self._held -= 1
            return
        with ExitStack() as stack:
            for uri in sorted({self.settings.tracking_uri, self.settings.registry_uri}):
                stack.enter_context(self._lock_of(uri))
            self._held = 1
            try:
                yield
            finally:
                self._held = 0

    @contextmanager
    def _lock_of(self, uri: str) -> Iterator[None]:
        from filelock import FileLock, Timeout

        store = sqlite_file(uri)
        if store is None:
            if uri.startswith("postgresql"):
                with _advisory_lock(uri):
                    yield
                return
            # processes of one machine and user take turns; see docs/decisions/026
            name = hashlib.sha256(uri.encode()).hexdigest()[:16]
            store = home_folder() / "locks" / name
        if store.is_file() and not os.access(store.parent, os.W_OK):
            yield  # a registry that can only be read needs no lock
            return
        store.parent.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(f"{store}.lock", timeout=_PATIENCE):
                yield
        except Timeout:
            raise RegistryError(
                f"Another process has been writing to {store} for {_PATIENCE // 60} minutes; wait "
                "until it is done, or end it, and try again."
            ) from None

    def _open(self) -> Any:
        mlflow = import_mlflow()
        stores = sorted({self.settings.tracking_uri, self.settings.registry_uri})
        for uri in stores:
            store = sqlite_file(uri)
            if store is None:
                _answered(uri)
                continue
            _remove_left_behind(store)
            if not store.is_file() or store.stat().st_size == 0:
                _create(mlflow, store)
        try:
            return _tried(mlflow, self.settings.tracking_uri, self.settings.registry_uri)
        except Exception as error:
            damaged = [store for store in map(sqlite_file, stores) if store is not None]
            if len(damaged) != 1 or kind_of(error) != "damaged" or not _is_empty(damaged[0]):
                raise
            # nothing was ever registered in it; it is kept under another name all the same
            aside = made_anew(damaged[0])
            logging.getLogger("nkpredict").warning(
                "The registry %s could not be opened and holds no model; it was made anew, and the "
                "old file is now %s.",
                damaged[0],
                aside.name,
            )
            return _tried(mlflow, self.settings.tracking_uri, self.settings.registry_uri)


def import_mlflow() -> Any:
    """Import MLflow with its telemetry off and its chatter about databases silent."""
    # Nothing about a lab's work is sent anywhere unless the user asks MLflow to.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    # A server that is gone is told at once, and not after minutes of trying again.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    # Addresses of runs do not belong among a command's results.
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    # Nor does a bar for the few files of a model.
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    import mlflow

    # MLflow tells of every database migration, and of errors with all their parameters; importing
    # it sets its own level.
    for logger in ("mlflow", "alembic", "urllib3"):
        logging.getLogger(logger).setLevel(logging.CRITICAL)
    return mlflow


def bundles_below(settings: RegistrySettings) -> list[Path]:
    """Return the bundles among the files of runs on this disk, the oldest first."""
    place = settings.artifact_location
    if place is None or "://" in place.removeprefix("file://"):
        return []
    found = Path(place.removeprefix("file://")).glob("**/bundle.json")
    return [path.parent for path in sorted(found, key=lambda path: path.stat().st_mtime_ns)]


def made_anew(store: Path) -> Path:
    """Copy a damaged SQLite file aside and put an empty registry in its place; the lock is held.

    Parameters
    ----------
    store
        The damaged file.

    Returns
    -------
    pathlib.Path
        The copy.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    aside = store.with_name(f"{store.name}.damaged-{stamp}")
    shutil.copy2(store, aside)
    for suffix in ("-journal", "-wal", "-shm"):
        Path(f"{store}{suffix}").unlink(missing_ok=True)
    store.write_bytes(b"")
    _remove_left_behind(store)
    # written into the file and not renamed over it: MLflow keeps connections to the file open
    with (
        _made_beside(import_mlflow(), store) as fresh,
        closing(sqlite3.connect(fresh)) as source,
        closing(sqlite3.connect(store)) as target,
    ):
        source.backup(target)
    return aside


def _is_empty(store: Path) -> bool:
    """Tell whether nobody has ever used an SQLite file: MLflow itself fills one row of a table."""
    try:
        with closing(sqlite3.connect(store)) as connection:
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            names = [str(name).replace('"', '""') for (name,) in tables]
            # the names are those of the file itself
            ask = 'SELECT count(*) FROM (SELECT 1 FROM "{}" LIMIT 2)'
            return all(connection.execute(ask.format(n)).fetchone()[0] < 2 for n in names)
    except sqlite3.Error:
        return False


def _tried(mlflow: Any, tracking: str, registry: str) -> Any:
    """Return a client that has asked each store once, which makes and checks its tables."""
    client = mlflow.MlflowClient(tracking, registry)
    client.search_experiments(max_results=1)
    client.search_registered_models(max_results=1)
    return client


def _create(mlflow: Any, store: Path) -> None:
    """Make an SQLite file beside its place and rename it; the lock is held."""
    with _made_beside(mlflow, store) as fresh:
        fresh.replace(store)


def _remove_left_behind(store: Path) -> None:
    """Remove what a process that was killed while it made the file left; the lock is held."""
    for left in store.parent.glob(f"{_CREATING}*"):
        shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _made_beside(mlflow: Any, store: Path) -> Iterator[Path]:
    """Yield a file with all tables of MLflow; what is left of it afterwards is removed."""
    store.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=store.parent, prefix=_CREATING))
    try:
        uri = f"sqlite:///{folder / store.name}"
        _tried(mlflow, uri, uri)
        yield folder / store.name
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _answered(uri: str) -> None:
    """Ask a server once; MLflow itself would try for minutes.

    Raises
    ------
    Exception
        What the network or the driver says.
    """
    parts = urlsplit(uri)
    if parts.scheme in ("http", "https"):
        import socket

        port = parts.port or (443 if parts.scheme == "https" else 80)
        socket.create_connection((parts.hostname or "", port), timeout=CONNECTING).close()
    elif "://" in uri and parts.scheme != "file":
        with _engine(uri).connect():
            pass


def _engine(uri: str) -> Any:
    import sqlalchemy

    waiting = {"connect_timeout": CONNECTING} if uri.startswith(("postgresql", "mysql")) else {}
    return sqlalchemy.create_engine(
        uri, poolclass=sqlalchemy.pool.NullPool, connect_args=waiting, hide_parameters=True
    )


@contextmanager
def _advisory_lock(uri: str) -> Iterator[None]:
    """Hold a lock in PostgreSQL; the server lets go of it when the process dies."""
    import sqlalchemy

    with _engine(uri).connect() as connection:
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(sqlalchemy.text(f"SET lock_timeout = '{_PATIENCE}s'"))
        connection.execute(sqlalchemy.text(f"SELECT pg_advisory_lock({_ADVISORY_KEY})"))
        try:
            yield
        finally:
            connection.execute(sqlalchemy.text(f"SELECT pg_advisory_unlock({_ADVISORY_KEY})"))
