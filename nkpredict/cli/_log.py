"""What is logged: warnings on stderr, and with --log-file the whole course of a command."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nkpredict.credentials import hide_credentials
from nkpredict.errors import InputError

LOGGER = logging.getLogger("nkpredict")


class _Hidden(logging.Filter):
    """Takes the passwords of URIs out of what is logged, before any handler sees it."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = without_passwords(record.getMessage()), ()
        return True


@contextmanager
def warnings_on_stderr() -> Iterator[None]:
    """Print what the package warns of while a command runs, one line each."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(logging.Formatter("nkpredict: %(message)s"))
    hidden = _Hidden()
    LOGGER.addFilter(hidden)
    LOGGER.addHandler(handler)
    kept = list(LOGGER.handlers)
    try:
        yield
    finally:
        for added in [handler, *(h for h in LOGGER.handlers if h not in kept)]:
            LOGGER.removeHandler(added)
            if added is not handler:
                added.close()
        LOGGER.removeFilter(hidden)
        LOGGER.setLevel(logging.NOTSET)


def log_to(path: Path) -> None:
    """Append to a file what the command is, does and says.

    Raises
    ------
    InputError
        When the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(path, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"The log file {path} cannot be written ({error.strerror}); name another one."
        ) from error
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.INFO)
    LOGGER.info("nkpredict %s", " ".join(sys.argv[1:]))


def without_passwords(message: str) -> str:
    """Return a message without the passwords of URIs in it or among the arguments."""
    return hide_credentials(message, *_arguments())


def _arguments() -> tuple[str, ...]:
    values = (argument.partition("=")[2] or argument for argument in sys.argv[1:])
    return tuple(value for value in values if "://" in value)
