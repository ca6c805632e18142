"""Results of single fits on disk, each under a name that tells exactly what was computed."""

from __future__ import annotations

import ast
import hashlib
import inspect
import json
import re
import textwrap
import time
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import nkpredict
from nkpredict.errors import InputError
from nkpredict.evidence import GeneEvidence
from nkpredict.io import file_sha256
from nkpredict.shipped import shipped_path

# What predictions of the product's own models depend on.
_ROOMS = ("learn", "features", "evidence")
_LIBRARIES = ("numpy", "scikit-learn", "lightgbm")

LOADED_AT = time.time()
"""When this process loaded its code; what was changed later is not what it runs."""


def estimator_fingerprint(estimator: Any) -> str:
    """Return a hash of an unfitted estimator: its class, settings, code and libraries.

    For models of `nkpredict.learn` the code is that of the rooms ``learn``, ``features`` and
    ``evidence`` and of the shipped reference tables; for others the classes defined in
    `nkpredict`. Comments, layout and docstrings do not count.

    Parameters
    ----------
    estimator
        Any scikit-learn estimator.
    """
    settings: dict[str, Any] = {}
    code: dict[str, str] = {}
    for name, value in sorted(estimator.get_params(deep=True).items()):
        settings[name] = _described(value)
        _add_code(value, code)
    _add_code(estimator, code)
    libraries = {name: version(name) for name in _LIBRARIES}
    return digest([type(estimator).__qualname__, settings, code, libraries])


def code_changed(estimator: Any, since: float) -> bool:
    """Tell whether code that an estimator runs was changed on disk after a moment.

    Models of `nkpredict.learn` alone are looked at: those are worked on while benchmarks run, and a
    new process would load code that the fingerprint does not know.

    Parameters
    ----------
    estimator
        Any scikit-learn estimator.
    since
        Seconds since the epoch.
    """
    parts = [estimator, *estimator.get_params(deep=True).values()]
    if not any(type(part).__module__.startswith("nkpredict.learn") for part in parts):
        return False
    return any(path.stat().st_mtime > since for path in _sources())


def table_fingerprint(table: pd.DataFrame) -> str:
    """Return a hash of a table: labels and values."""
    rows = pd.util.hash_pandas_object(table, index=True).to_numpy()
    return digest([list(map(str, table.columns)), rows.tolist()])


def digest(content: Any) -> str:
    """Return a hash of plain values."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def file_name(text: str) -> str:
    """Return text as a name that every file system takes."""
    return re.sub(r"[^A-Za-z0-9.-]+", "_", text).strip("_")


def read_result(path: Path) -> dict[str, Any] | None:
    """Read a stored result; None when it is not there.

    Raises
    ------
    InputError
        When the file is not a result.
    """
    if not path.exists():
        return None
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


def _described(value: Any) -> Any:
    """Return a setting as plain values that are the same in every process."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, GeneEvidence):
        return table_fingerprint(value.table)
    if isinstance(value, Path):
        # a script counts by what it does, an interpreter by the version named beside it
        return _normalised(value.read_text(encoding="utf-8")) if value.suffix == ".py" else None
    if isinstance(value, dict):
        return {str(key): _described(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_described(item) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    if hasattr(value, "dist") and hasattr(value, "args"):
        return [value.dist.name, _described(value.args), _described(value.kwds)]
    if hasattr(value, "get_params") or inspect.isfunction(value):
        return (value if inspect.isfunction(value) else type(value)).__qualname__
    text = repr(value)
    if " at 0x" in text:
        raise TypeError(f"a setting of type {type(value).__qualname__} cannot be told from others")
    return text


def _add_code(value: Any, code: dict[str, str]) -> None:
    owner = value if inspect.isfunction(value) else type(value)
    if owner.__module__.startswith("nkpredict.learn"):
        code["rooms"] = _rooms_code()
    elif inspect.isfunction(owner) or owner.__module__.startswith("nkpredict.evaluate"):
        code[owner.__qualname__] = _normalised(textwrap.dedent(inspect.getsource(owner)))


def _sources() -> list[Path]:
    package = Path(nkpredict.__file__).parent
    return [path for room in _ROOMS for path in sorted((package / room).rglob("*.py"))]


@cache
def _rooms_code() -> str:
    parts = [[f"{p.parent.name}/{p.name}", _normalised(p.read_text("utf-8"))] for p in _sources()]
    tables = [[p.name, file_sha256(p)] for p in sorted(shipped_path("reference").iterdir())]
    return digest([nkpredict.__version__, parts, tables])


def _normalised(source: str) -> str:
    """Return code without comments, layout and docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    return ast.dump(tree)
