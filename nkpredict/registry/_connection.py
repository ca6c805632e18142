"""The way to MLflow: opened once, created whole, locked for writing, its errors told in a sentence.

MLflow makes the tables of a new SQLite file step by step in the file itself; two processes at once,
or one that is killed, leave a file that nobody can open again. So a new file is made beside its
place, under a lock, and renamed. See docs/decisions/026.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from nkpredict.errors import NKPredictError, RegistryError
from nkpredict.registry._settings import RegistrySettings, sqlite_file

_PATIENCE = 600
"""Seconds to wait for another process that writes to the registry; set by hand."""
_TIMEOUT = 10
"""Seconds to wait for the first answer of a server; set by hand."""
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
        return store is None or store.is_file()

    def client(self) -> Any:
        """Return the MLflow client; a store that is not there yet is made.

        Raises
        ------
        RegistryError
            When a store cannot be reached, opened or made.
        """
        if self._opened is None:
            with self.explained(), self.locked():
                self._opened = self._open()
        return self._opened

    def is_damaged(self) -> bool:
        """Whether the store is there and was cut short or altered, so that nobody can open it."""
        try:
            with self.locked():
                self._opened = self._open()
        except Exception as error:
            return _kind(error) == "damaged"
        return False

    def adopt_lock(self) -> None:
        """Write without asking for the lock, which another connection of this process holds."""
        self._held = 1

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn what MLflow, a database or the network raises into one sentence without passwords.

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
            if not _is_foreign(error):
                raise
            # not chained: what a driver raises may quote the URI with its password
            raise RegistryError(_sentence(error, self.settings)) from None

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
            # a tracking server orders its writers itself; other databases lock their tables
            yield
            return
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
            elif not store.is_file():
                _create(mlflow, store)
        try:
            return _tried(mlflow, self.settings.tracking_uri, self.settings.registry_uri)
        except Exception as error:
            damaged = [store for store in map(sqlite_file, stores) if store is not None]
            if len(damaged) != 1 or _kind(error) != "damaged" or bundles_below(self.settings):
                raise
            # nothing was ever registered in it; it is kept under another name all the same
            aside = set_aside(damaged[0])
            logging.getLogger("nkpredict").warning(
                "The registry %s could not be opened and holds no model; it was made anew, and the "
                "old file is now %s.",
                damaged[0],
                aside.name,
            )
            _create(mlflow, damaged[0])
            return _tried(mlflow, self.settings.tracking_uri, self.settings.registry_uri)


def import_mlflow() -> Any:
    """Import MLflow with its telemetry off and its chatter about databases silent."""
    # Nothing about a lab's work is sent anywhere unless the user asks MLflow to.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    # A server that is gone is told at once, and not after minutes of trying again.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
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


def set_aside(store: Path) -> Path:
    """Give an SQLite file another name, so that a new one can take its place."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    aside = store.with_name(f"{store.name}.damaged-{stamp}")
    store.replace(aside)
    for suffix in ("-journal", "-wal", "-shm"):
        Path(f"{store}{suffix}").unlink(missing_ok=True)
    return aside


def _tried(mlflow: Any, tracking: str, registry: str) -> Any:
    """Return a client that has asked each store once, which makes and checks its tables."""
    client = mlflow.MlflowClient(tracking, registry)
    client.search_experiments(max_results=1)
    client.search_registered_models(max_results=1)
    return client


def _create(mlflow: Any, store: Path) -> None:
    """Make an SQLite file beside its place and rename it; the lock is held."""
    store.parent.mkdir(parents=True, exist_ok=True)
    for left in store.parent.glob(f"{_CREATING}*"):
        shutil.rmtree(left, ignore_errors=True)  # of a process that was killed here
    folder = Path(tempfile.mkdtemp(dir=store.parent, prefix=_CREATING))
    try:
        uri = f"sqlite:///{folder / store.name}"
        _tried(mlflow, uri, uri)
        (folder / store.name).replace(store)
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
        socket.create_connection((parts.hostname or "", port), timeout=_TIMEOUT).close()
    elif "://" in uri and parts.scheme != "file":
        with _engine(uri).connect():
            pass


def _engine(uri: str) -> Any:
    import sqlalchemy

    waiting = {"connect_timeout": _TIMEOUT} if uri.startswith(("postgresql", "mysql")) else {}
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


_FOREIGN = {"alembic", "mlflow", "psycopg", "psycopg2", "requests", "sqlalchemy", "sqlite3", "urllib3"}


def _is_foreign(error: Exception) -> bool:
    """Tell what comes from libraries, files and networks from a mistake in our own code."""
    origin = type(error).__module__.split(".")[0]
    return origin in _FOREIGN or isinstance(error, OSError | ImportError)


_SIGNS = (
    ("busy", ("database is locked", "lock timeout", "canceling statement due to lock")),
    ("closed", ("unable to open database", "readonly database", "permission denied", "read-only")),
    ("full", ("database or disk is full", "no space left", "disk i/o error", "file too large")),
    ("newer", ("can't locate revision",)),
    ("older", ("out-of-date database schema",)),
    (
        "damaged",
        (
            "online migration expected",
            "already exists",
            "no such table",
            "no such column",
            "undefinedtable",
            "does not exist\nline",
            "not a database",
            "malformed",
            "no such index",
            "multiple head",
        ),
    ),
    ("driver", ("no module named", "can't load plugin", "nosuchmodule", "invalid tracking uri")),
    ("scheme", ("unsupported uri", "could not find a registered artifact", "not a valid uri")),
    ("refused", ("authentication failed", "no password supplied", "401", "403", "access denied")),
    ("no database", ("database", "does not exist")),
)
"""Kind of a failure and words that MLflow, SQLAlchemy, drivers and SQLite use for it."""


def _kind(error: BaseException) -> str:
    text = f"{type(error).__name__} {error}".lower()
    for kind, words in _SIGNS:
        if kind == "no database":
            if all(word in text for word in words):
                return kind
        elif any(word in text for word in words):
            return kind
    return "unreachable" if _is_network(error) else "other"


def _is_network(error: BaseException) -> bool:
    names = {kind.__name__ for kind in type(error).__mro__}
    return bool(names & {"OperationalError", "OSError"}) or "API request" in str(error)


def _sentence(error: Exception, settings: RegistrySettings) -> str:
    where = settings.shown
    own = sqlite_file(settings.registry_uri)
    told = " ".join(settings.hidden(str(error)).split("\n(Background")[0].split())
    told = told if len(told) <= 200 else f"{told[:197]}..."
    sentences = {
        "busy": f"The registry {where} is in use by another process; try again when it is done.",
        "closed": f"The registry {where} cannot be opened or written ({told}); check the rights of "
        "its folder, or name another one (--registry).",
        "full": f"The disk of the registry {where} is full or broken ({told}); free some space and "
        "repeat the command.",
        "newer": f"The registry {where} was written by a newer MLflow; update nkpredict and MLflow.",
        "older": f"The registry {where} was written by an older MLflow; make a copy of it, then run "
        "'mlflow db upgrade' with its URI.",
        "damaged": f"The registry {where} is damaged, as its creation was cut short or its file "
        "altered; 'nkpredict doctor --mend' sets it aside and registers the models whose files are "
        "whole again.",
        "driver": f"There is no driver for {where} ({told}); install nkpredict[postgresql] for a "
        "postgresql:// registry, or check the URI.",
        "scheme": f"{where} is no URI of a registry; expected a folder, sqlite:///, postgresql:// "
        "or http(s)://.",
        "refused": f"The server of {where} refuses the user or the password; check both "
        "(~/.pgpass or PGPASSWORD for PostgreSQL, MLFLOW_TRACKING_USERNAME and "
        "MLFLOW_TRACKING_PASSWORD for a tracking server).",
        "no database": f"The server of {where} has no such database; create it first, for example "
        "with createdb.",
        "unreachable": f"The registry {where} cannot be reached ({told}); check that the server "
        "runs and that its name and port are right.",
    }
    kind = _kind(error)
    if kind == "unreachable" and own is not None:
        kind = "closed"
    return sentences.get(kind, f"The registry {where} gave an error ({told}).")
