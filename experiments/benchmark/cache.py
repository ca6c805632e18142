"""Results of single fits on disk, each under a name that tells what was computed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nkpredict.errors import InputError
from nkpredict.io import file_sha256

_LIBRARIES = ("numpy", "scikit-learn", "lightgbm")


def digest(content: Any) -> str:
    """Return a hash of plain values."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def table_digest(table: pd.DataFrame) -> str:
    """Return a hash of a table: labels and values."""
    rows = pd.util.hash_pandas_object(table, index=True).to_numpy()
    return digest([list(map(str, table.columns)), rows.tolist()])


def code_digest(sources: Iterable[Path]) -> str:
    """Return a hash of files, of all files in folders, and of the versions of the libraries.

    Parameters
    ----------
    sources
        Files and folders; where they lie does not count.
    """
    files = {
        str(path.relative_to(source.parent)): file_sha256(path)
        for source in sources
        for path in ([source] if source.is_file() else source.rglob("*.*"))
        if path.is_file() and path.suffix != ".pyc"
    }
    return digest([files, {name: version(name) for name in _LIBRARIES}])


def file_name(text: str) -> str:
    """Return text as a name that every file system takes."""
    return re.sub(r"[^A-Za-z0-9.-]+", "_", text).strip("_")


def read_result(path: Path) -> dict[str, Any]:
    """Read a stored result.

    Raises
    ------
    InputError
        When the file is not a result.
    """
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
        return {
            "predicted": np.asarray(result["predicted"], dtype=np.float64),
            "seconds": float(result["seconds"]),
            "warnings": [str(text) for text in result["warnings"]],
        }
    except (json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path} is not a stored result ({error!r}); expected predictions, seconds and "
            "warnings. Delete the file to compute it again."
        ) from error
