"""Atomic writers: a file is there whole or not at all, and an old result is never lost half-way."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nkpredict.errors import InputError


@contextmanager
def atomic_path(target: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside ``target`` that takes its place when the block succeeds.

    Parameters
    ----------
    target
        File to write. Its folder is made when missing.

    Yields
    ------
    Path
        Where to write; removed again when the block raises.
    """
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(
        dir=target.parent, prefix=f".{target.name}.", suffix=target.suffix
    )
    os.close(handle)
    temporary = Path(name)
    temporary.chmod(0o666 & ~_umask())
    try:
        yield temporary
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def atomic_folder(target: str | Path) -> Iterator[Path]:
    """Yield a temporary folder that replaces ``target`` when the block succeeds.

    Parameters
    ----------
    target
        Folder to write; when it exists already it is replaced as a whole.

    Yields
    ------
    Path
        Where to write; removed again when the block raises.
    """
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    temporary.chmod(0o777 & ~_umask())
    try:
        yield temporary
        if target.exists():
            aside = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.old."))
            target.replace(aside / target.name)
            temporary.replace(target)
            shutil.rmtree(aside)
        else:
            temporary.replace(target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def write_text(target: str | Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with atomic_path(target) as path:
        path.write_text(text, encoding="utf-8")


def write_json(target: str | Path, content: Any) -> None:
    """Write JSON atomically, with sorted keys; NumPy numbers are written as plain ones."""
    write_text(target, to_json(content))


def to_json(content: Any) -> str:
    """Return JSON text with sorted keys; NaN becomes ``null``."""
    return json.dumps(_plain(content), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def write_csv(target: str | Path, table: pd.DataFrame) -> None:
    """Write a table as CSV atomically; text that a spreadsheet would run as a formula is quoted.

    A cell or label that begins with ``=``, ``+``, ``-`` or ``@`` gets a leading apostrophe unless
    it is a number, as OWASP advises against CSV injection.
    """
    safe = table.copy()
    for column in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[column]):
            safe[column] = safe[column].map(_defused, na_action="ignore")
    if not pd.api.types.is_numeric_dtype(safe.index):
        safe.index = safe.index.map(_defused)
    safe.columns = safe.columns.map(_defused)
    with atomic_path(target) as path:
        safe.to_csv(path, float_format="%.6g", lineterminator="\n")


def file_sha256(path: str | Path) -> str:
    """Return the SHA-256 of a file as hexadecimal digits."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def require_file(path: str | Path, what: str) -> Path:
    """Return the path of an existing, non-empty file.

    Parameters
    ----------
    path
        File named by the user.
    what
        What the file should hold, for the message.

    Raises
    ------
    InputError
        When there is no such file, it is a folder, or it is empty.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"There is no file {path}; expected the {what}. Check the path.")
    if path.is_dir() and path.suffix != ".zarr":
        raise InputError(f"{path} is a folder; expected a file with the {what}.")
    if path.is_file() and path.stat().st_size == 0:
        raise InputError(f"{path} is empty (0 bytes); expected the {what}. Export it again.")
    return path


def _defused(value: object) -> object:
    if not isinstance(value, str) or not value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value) if isinstance(value, set | frozenset) else value
        return [_plain(item) for item in items]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    if isinstance(value, Path):
        return str(value)
    return value


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
