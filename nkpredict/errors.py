"""Errors that tell the user what was found, what was expected and how to mend it."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable

FULL_OR_READ_ONLY = {errno.ENOSPC, getattr(errno, "EDQUOT", -1), errno.EFBIG, errno.EROFS}
"""Numbers of the errors that nothing but the place that is written to gives: full, over quota, too
large, read-only."""

_LONGEST_MESSAGE, _LONGEST_WORD, _LONGEST_NAME, _LONGEST_REASON = 600, 200, 60, 200
_CONTROL = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")


class NKPredictError(Exception):
    """Base of every error raised on purpose; the command line prints it without a traceback.

    A message is one line that can be read: files may hold names of a million characters, and line
    breaks within them.
    """

    def __init__(self, message: object = "") -> None:
        words = [_cut(word, _LONGEST_WORD) for word in _CONTROL.sub(" ", str(message)).split(" ")]
        text = " ".join(words)
        if len(text) > _LONGEST_MESSAGE:
            # what is to be done stands at the end
            half = _LONGEST_MESSAGE // 2 - 3
            text = f"{text[:half]} ... {text[-half:]}"
        super().__init__(text)


class InputError(NKPredictError, ValueError):
    """A file, table or argument does not hold what it must hold."""


class RegistryError(NKPredictError, LookupError):
    """A model or version is not in the registry."""


class BundleError(NKPredictError, ValueError):
    """A model bundle is incomplete, altered or of an unknown format."""


def name_some(names: Iterable[object], limit: int = 5) -> str:
    """List the first few names and say how many more there are.

    Parameters
    ----------
    names
        Names of genes, samples or columns.
    limit
        How many to spell out.

    Returns
    -------
    str
        For example ``"A, B, C and 12 more"``.
    """
    listed = [_cut(str(name), _LONGEST_NAME) for name in names]
    text = ", ".join(listed[:limit])
    return text if len(listed) <= limit else f"{text} and {len(listed) - limit} more"


def in_words(error: BaseException) -> str:
    """Return what an error of a library says, in one short line; its kind when it says nothing."""
    said = _CONTROL.sub(" ", str(error)).strip()
    return _cut(said, _LONGEST_REASON) if said else type(error).__name__


def beyond_memory(path: object) -> InputError:
    """Return the error for a file that, perhaps by intent, unpacks to more than there is room."""
    return InputError(
        f"{path} unpacks to more than fits into memory; expected a table. Look where it comes "
        "from, or read it on a larger machine."
    )


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."
