"""Where the files that ship beside the code are found: reference tables, model specs, settings."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def shipped_path(*parts: str) -> Path:
    """Return the path of a shipped file, in an installed wheel or in a checkout.

    Parameters
    ----------
    *parts
        Path below the shipped files, beginning with ``"reference"``, ``"examples"``, ``"models"``
        or ``"mlflow.yaml"``.

    Raises
    ------
    FileNotFoundError
        When the file is in neither place.
    """
    installed = _PACKAGE.joinpath("_shipped", *parts)
    data = ("data",) if parts[0] in ("reference", "examples") else ()
    checkout = _PACKAGE.parent.joinpath(*data, *parts)
    for candidate in (installed, checkout):
        if candidate.exists():
            return candidate
    raise FileNotFoundError(f"{'/'.join(parts)} is missing from this installation of nkpredict")
