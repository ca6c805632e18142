"""What MLflow, databases, drivers and networks raise, told in one sentence without passwords."""

from __future__ import annotations

from nkpredict.credentials import told_in_short
from nkpredict.registry._settings import RegistrySettings, sqlite_file

_FOREIGN = {
    "alembic",
    "mlflow",
    "psycopg",
    "psycopg2",
    "requests",
    "sqlalchemy",
    "sqlite3",
    "urllib3",
}


class ServerError(Exception):
    """A tracking server answered, but not with what was asked for.

    Attributes
    ----------
    error_code
        MLflow's own, as its client's errors have it; None when there is none.
    """

    def __init__(self, said: str, error_code: str | None = None) -> None:
        super().__init__(said)
        self.error_code = error_code


def is_foreign(error: Exception) -> bool:
    """Tell what comes from libraries, files and networks from a mistake in our own code."""
    origin = type(error).__module__.split(".")[0]
    return origin in _FOREIGN or isinstance(error, OSError | ImportError | ServerError)


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
            "nosuchtable",
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
    (
        "refused",
        ("authentication failed", "no password supplied", "error code 401", "error code 403"),
    ),
    ("no database", ("database", "does not exist")),
)
"""Kind of a failure and words that MLflow, SQLAlchemy, drivers and SQLite use for it."""


def kind_of(error: BaseException) -> str:
    """Return which kind of failure an error means; ``other`` when it is not known."""
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


_SENTENCES = {
    "busy": "The registry {where} is in use by another process; try again when it is done.",
    "closed": "The registry {where} cannot be opened or written ({told}); check the rights of its "
    "folder, or name another one (--registry).",
    "full": "The disk of the registry {where} is full or broken ({told}); free some space and "
    "repeat the command.",
    "newer": "The registry {where} was written by a newer MLflow; update nkpredict and MLflow.",
    "older": "The registry {where} was written by an older MLflow; make a copy of it, then run "
    "'mlflow db upgrade' with its URI.",
    "damaged": "The registry {where} is damaged, as its creation was cut short or its file "
    "altered; 'nkpredict doctor --mend' sets it aside and registers the models whose files are "
    "whole again.",
    "driver": "There is no driver for {where} ({told}); install nkpredict[postgresql] for a "
    "postgresql:// registry, or check the URI.",
    "scheme": "{where} is no URI of a registry; expected a folder, sqlite:///, postgresql:// or "
    "http(s)://.",
    "refused": "The server of {where} refuses the user or the password; check both (~/.pgpass or "
    "PGPASSWORD for PostgreSQL, MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD for a "
    "tracking server).",
    "no database": "The server of {where} has no such database; create it first, for example with "
    "createdb.",
    "unreachable": "The registry {where} cannot be reached ({told}); check that the server runs "
    "and that its name and port are right.",
    "other": "The registry {where} gave an error ({told}).",
}


def sentence_of(error: Exception, settings: RegistrySettings) -> str:
    """Return what happened, to which registry, and the way out.

    Parameters
    ----------
    error
        As it was raised.
    settings
        Of the registry; their passwords are hidden wherever the error quotes them.
    """
    told = told_in_short(error, settings.tracking_uri, settings.registry_uri)
    kind = kind_of(error)
    on_disk = sqlite_file(settings.registry_uri) is not None
    if kind == "unreachable" and on_disk:
        kind = "closed"
    if kind == "damaged" and not on_disk:
        kind = "other"  # a server rolls back what was cut short
    return _SENTENCES[kind].format(where=settings.shown, told=told)
