"""Errors that tell the user what was found, what was expected and how to mend it."""

from __future__ import annotations

from collections.abc import Iterable


class NKPredictError(Exception):
    """Base of every error raised on purpose; the command line prints it without a traceback."""


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
    listed = [str(name) if len(str(name)) <= 60 else f"{str(name)[:57]}..." for name in names]
    text = ", ".join(listed[:limit])
    return text if len(listed) <= limit else f"{text} and {len(listed) - limit} more"
